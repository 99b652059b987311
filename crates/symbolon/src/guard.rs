//! `symbolon guard`: the guard as a daemon, for apps in any language behind a proxy.

mod answer;
mod arguments;
mod ask;
mod daemon;
mod health;
mod original;
mod sockets;

pub(crate) use arguments::Arguments;

use std::{
    env, fs,
    io::{self, Write},
    path::Path,
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use daemon::Daemon;
use hyper::service::service_fn;
use original::Trust;
use sockets::Sockets;
use symbolon_guard::Guard;
use tokio::{sync::watch, task::JoinSet};
use zeroize::Zeroizing;

use crate::{output, serve::stop_signal};

pub(crate) async fn guard(given: Arguments) -> Result<()> {
    if let Some(proxy) = given.print_config {
        return Ok(io::stdout().lock().write_all(proxy.example().as_bytes())?);
    }
    let mut nodes = given.authority.iter();
    let authority = nodes.next().context("--authority is missing")?;
    let app = given.app.as_ref().context("--app is missing")?;
    let mut builder = Guard::builder(authority, app.as_str());
    for node in nodes {
        builder = builder.or_at(node);
    }
    if let Some(secret) = client_secret(given.client_secret_file.as_deref())? {
        builder = builder.client_secret(secret.as_str());
    }
    if let Some(issuer) = &given.issuer {
        builder = builder.issuer(issuer);
    }
    if let Some(url) = &given.public_url {
        builder = builder.public_url(url);
    }
    if let Some(freshness) = given.freshness {
        builder = builder.freshness(freshness);
    }
    if given.insecure_http {
        builder = builder.insecure_http();
    }
    // Not waiting for the authority: until it answers the daemon says 503, and so does /readyz.
    let daemon = Arc::new(Daemon::new(builder.start()?, Trust(given.trust_proxy)));
    let sockets = Sockets::open(&given.listen, given.socket_mode).await?;
    // Before anybody can know that it runs, and ask it to stop.
    let stop = stop_signal()?;
    let (end, ended) = watch::channel(false);
    let mut servers = JoinSet::new();
    for listener in sockets.listeners {
        let (daemon, mut ended) = (Arc::clone(&daemon), ended.clone());
        servers.spawn(async move {
            let service_for = |peer| {
                let (daemon, is_trusted) = (Arc::clone(&daemon), daemon.trust.covers(peer));
                service_fn(move |request| Arc::clone(&daemon).answer(request, is_trusted))
            };
            let ended = async { drop(ended.wait_for(|end| *end).await) };
            symbolon_server::serve_each(listener, service_for, ended).await;
        });
    }
    let places: Vec<String> = given.listen.iter().map(ToString::to_string).collect();
    output::line(&format!(
        "Symbolon guard {} for {app} of {authority} at {}",
        env!("CARGO_PKG_VERSION"),
        places.join(", ")
    ))?;
    stop.await;
    // Nobody new comes by a name that is gone.
    drop(sockets.files);
    end.send_replace(true);
    while servers.join_next().await.is_some() {}
    Ok(())
}

/// From the file, else from the environment; never from the command line, which every process of the
/// machine can read.
fn client_secret(file: Option<&Path>) -> Result<Option<Zeroizing<String>>> {
    let secret = match file {
        Some(path) => {
            let text = fs::read_to_string(path)
                .with_context(|| format!("cannot read the client secret {}", path.display()))?;
            Some(Zeroizing::new(text))
        }
        None => env::var("SYMBOLON_CLIENT_SECRET").ok().map(Zeroizing::new),
    };
    let Some(secret) = secret else {
        return Ok(None);
    };
    let text = secret.trim();
    ensure!(
        !text.is_empty() && !text.contains(char::is_whitespace),
        "the client secret is empty, or more than one word"
    );
    Ok(Some(Zeroizing::new(text.to_owned())))
}
