//! `symbolon demo`, as a newcomer meets it.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::town::{PROGRAM, Process, client, free_port, text};

struct Demo {
    process: Process,
    told: Value,
    ready_after: Duration,
}

fn start(port: u16, data: &std::path::Path) -> Demo {
    let began = Instant::now();
    let mut child = Command::new(PROGRAM)
        .args(["demo", "--json", "--port", &port.to_string(), "--data"])
        .arg(data)
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let process = Process(child);
    Demo {
        process,
        told: serde_json::from_str(&line).unwrap(),
        ready_after: began.elapsed(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_json_object_once_everything_is_ready() {
    let home = tempfile::tempdir().unwrap();
    let (port, data) = (free_port(), home.path().join("data"));
    let mut demo = start(port, &data);
    println!("demo ready after {:?}", demo.ready_after);
    let url = |offset: u16| format!("http://localhost:{}", port + offset);
    let told = &demo.told;
    assert_eq!(told["authority"], url(0));
    assert_eq!(
        told["apps"],
        json!([
            { "client_id": "back-office", "url": url(1), "shape": "session" },
            { "client_id": "dashboard", "url": url(2), "shape": "jwt" },
        ])
    );
    let people: Vec<&str> = told["people"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| text(one, "identifier"))
        .collect();
    assert_eq!(people, ["alice", "bob", "admin"]);
    assert_eq!(told["people"][2]["roles"], json!(["admin"]));

    // Ready means ready: each answers at once, and the apps send strangers to the authority.
    let http = client();
    for app in [url(1), url(2)] {
        assert_eq!(
            http.get(format!("{app}/api/whoami"))
                .send()
                .await
                .unwrap()
                .status(),
            StatusCode::UNAUTHORIZED
        );
        let page = http
            .get(&app)
            .header("accept", "text/html")
            .send()
            .await
            .unwrap();
        assert!(page.status().is_redirection(), "{}", page.status());
        let to = page.headers()["location"].to_str().unwrap();
        assert!(
            to.starts_with(&format!("{}/oauth2/authorize?", url(0))),
            "{to}"
        );
    }
    let alice = &told["people"][0];
    for app in told["apps"].as_array().unwrap() {
        let login: Value = http
            .post(format!("{}/api/v1/logins", url(0)))
            .json(&json!({ "identifier": "alice", "password": alice["password"], "client_id": app["client_id"] }))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(login["shape"], app["shape"]);
        let who = http
            .get(format!("{}/api/whoami", text(app, "url")))
            .bearer_auth(text(&login, "access_token"));
        let who: Value = who.send().await.unwrap().json().await.unwrap();
        assert_eq!(who["username"], "alice");
    }

    // A taken port is named, and nothing is harmed.
    let output = Command::new(PROGRAM)
        .args(["demo", "--port", &port.to_string(), "--data"])
        .arg(home.path().join("other"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && said.contains(&port.to_string()),
        "{said}"
    );

    // Ctrl-C ends all three; started again, there are new passwords.
    let before = demo.told["people"][0]["password"].clone();
    demo.process.signal_group("INT");
    assert!(demo.process.0.wait().unwrap().success());
    for offset in 0..3 {
        assert!(
            http.get(url(offset)).send().await.is_err(),
            "{} is still up",
            url(offset)
        );
    }
    let again = start(port, &data);
    assert_ne!(again.told["people"][0]["password"], before);
}
