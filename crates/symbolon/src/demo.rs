//! `symbolon demo`: the authority and two apps, each app a process of its own that knows the
//! authority only over HTTP, as a real app on another machine would.

mod app;
mod page;
mod town;
pub(crate) mod words;

pub(crate) use app::app;

use std::{env, process::Stdio, time::Duration};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::json;
use symbolon_server::authority::Settings;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    time::timeout,
};
use town::{Person, Town, TownApp};
use words::{Language, Words};

use crate::{
    cli::{Demo, Place},
    data::{Data, IfMissing},
    listen::listen_locally,
    output,
    serve::{Running, stop_signal},
    store::Stores,
};

/// What an app's process is told on its standard input. Not on its command line: it holds a secret.
#[derive(Serialize, Deserialize)]
struct AppSettings {
    client_id: String,
    client_secret: String,
    port: u16,
    authority: String,
    /// The other app, to link to.
    other: Neighbour,
}

/// Another app of the demo.
#[derive(Clone, Serialize, Deserialize)]
struct Neighbour {
    client_id: String,
    url: String,
}

pub(crate) async fn demo(given: Demo) -> Result<()> {
    let Some(apps_at) = given.port.checked_add(1) else {
        bail!("--port: expected at most 65533")
    };
    let listeners = listen_locally(given.port).await?;
    // The apps listen for themselves; a taken port is better named before anything is made.
    for offset in 0..2 {
        drop(listen_locally(apps_at.saturating_add(offset)).await?);
    }
    let url = format!("http://localhost:{}", given.port);
    let data = Data::open(
        &given.data,
        &Stores::from(Place::default()),
        Settings::new(&*url),
        IfMissing::Create,
    )
    .await?;
    let town = Town::settle(&data, apps_at).await?;
    let running = Running::start(&data, &given.data, false, listeners)?;
    let [first, second] = &town.apps;
    let (first, second) = tokio::try_join!(
        start_app(first, second, &url),
        start_app(second, first, &url)
    )?;
    // Held apart from the processes: waiting for one would close its standard input, and end it.
    let (mut apps, inputs) = ([first.0, second.0], [first.1, second.1]);
    if given.json {
        output::json(&as_json(&town, &url))?;
    } else {
        explain(&town, &url, &given)?;
    }
    let [first, second] = &mut apps;
    let stop = stop_signal()?;
    let ended = async {
        tokio::select! {
            () = stop => None,
            status = first.wait() => Some(status),
            status = second.wait() => Some(status),
        }
    };
    let mut early = None;
    running.until(async { early = ended.await }).await;
    drop(inputs);
    for app in &mut apps {
        let _ = timeout(Duration::from_secs(5), app.wait()).await;
    }
    data.close()?;
    match early {
        None => Ok(()),
        Some(status) => bail!("one of the apps ended by itself: {}", status?),
    }
}

/// Starts an app's process and waits until it follows the feed and listens.
async fn start_app(app: &TownApp, other: &TownApp, authority: &str) -> Result<(Child, ChildStdin)> {
    let settings = AppSettings {
        client_id: app.client_id.to_string(),
        client_secret: app.secret.clone(),
        port: app.port,
        authority: authority.to_owned(),
        other: Neighbour {
            client_id: other.client_id.to_string(),
            url: other.url(),
        },
    };
    let mut child = Command::new(env::current_exe()?)
        .arg("demo-app")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // Ctrl-C goes to the whole group of a terminal: the apps end when the demo says so, after it.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .context("cannot start an app's process")?;
    let mut stdin = child
        .stdin
        .take()
        .context("an app without standard input")?;
    stdin
        .write_all(format!("{}\n", serde_json::to_string(&settings)?).as_bytes())
        .await?;
    let stdout = child
        .stdout
        .take()
        .context("an app without standard output")?;
    let mut line = String::new();
    let mut stdout = BufReader::new(stdout);
    let ready = stdout.read_line(&mut line);
    let ready = timeout(Duration::from_secs(15), ready)
        .await
        .context("an app did not get ready")?;
    if ready? == 0 {
        bail!(
            "the app {} did not start; its reason stands above",
            app.client_id
        );
    }
    Ok((child, stdin))
}

fn as_json(town: &Town, authority: &str) -> serde_json::Value {
    let apps: Vec<_> = town
        .apps
        .iter()
        .map(|app| json!({ "client_id": app.client_id, "url": app.url(), "shape": app.shape }))
        .collect();
    let people: Vec<_> = town
        .people
        .iter()
        .map(|person| json!({ "identifier": person.identifier, "password": person.password, "roles": person.roles }))
        .collect();
    json!({ "authority": authority, "apps": apps, "people": people })
}

fn explain(town: &Town, authority: &str, given: &Demo) -> Result<()> {
    let words = Words::of(Language::of_terminal());
    output::line(&words.say("cli-title"))?;
    output::line("")?;
    output::line(&format!("  {authority}   {}", words.say("cli-authority")))?;
    for app in &town.apps {
        let name = words.say(&format!("{}-name", app.client_id));
        let shape = words.say(&format!("shape-{}", app.shape));
        output::line(&format!("  {}   {name} ({shape})", app.url()))?;
    }
    output::line("")?;
    output::line(&words.say("cli-people"))?;
    for Person {
        identifier,
        password,
        roles,
    } in &town.people
    {
        let note = if roles.is_empty() {
            String::new()
        } else {
            format!("  {}", words.say("cli-administrator"))
        };
        output::line(&format!("  {:<6} {password}{note}", identifier.as_str()))?;
    }
    output::line("")?;
    output::line(&words.say("cli-try"))?;
    output::line(&format!("  {}", words.say("cli-try-1")))?;
    output::line(&format!(
        "  {}",
        words.say_with("cli-try-2", "url", &format!("{authority}/admin/users"))
    ))?;
    output::line(&format!(
        "  {}",
        words.say_with("cli-try-3", "url", &format!("{authority}/admin/apps"))
    ))?;
    output::line("")?;
    output::line(&words.say_with("cli-stop", "dir", &given.data.display().to_string()))
}
