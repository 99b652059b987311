//! Moving an authority from one store to another by the command line: nobody is signed out.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    relay::Relay,
    servers::{POSTGRES, Schema, port},
    town::{PROGRAM, Process, Town, run, run_json, text},
};

const SOON: Duration = Duration::from_secs(20);

fn sqlite(dir: &Path) -> String {
    format!("sqlite:{}", dir.display())
}

/// Fails with one line that has these words in it.
fn refused(output: &Output, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{words:?}");
    assert_eq!(said.lines().count(), 1, "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is missing in: {said}");
    }
}

fn copy(from: &str, to: &str) -> Value {
    run_json(&["copy", "--from", from, "--to", to, "--json"], "")
}

#[tokio::test(flavor = "multi_thread")]
async fn there_and_back_again_with_everybody_signed_in() {
    let mut town = Town::new().await;
    let pages = town.start_app("pages", "session", "within(10s)");
    let api = town.start_app("api", "jwt", "within(10s)");
    let session = town.sign_in("alice", "pages").await;
    let mut jwt = town.sign_in("alice", "api").await;
    let ended = town.sign_in("bob", "pages").await;
    let gone = text(&ended, "access_token");
    town.end_all(gone).await;
    let session = text(&session, "access_token");
    let schema = Schema::new().await;
    let back = tempfile::tempdir().unwrap();
    let (first, second, third) = (sqlite(&town.data()), schema.url(), sqlite(back.path()));

    refused(
        &run(&["copy", "--from", &first, "--to", &second], ""),
        &["--from", "in use"],
    );
    for (from, to) in [(&first, &second), (&second, &third)] {
        town.stop();
        let copied = copy(from, to);
        assert!(copied["records"].as_u64().unwrap() >= 10, "{copied}");
        assert_eq!(copied["source_usable"], false);
        for order in [&["serve", "--listen", "localhost:0"][..], &["user", "list"]] {
            let data = town.data();
            let all = ["--data", data.to_str().unwrap(), "--store", from];
            let moved = run(&[order, &all[..]].concat(), "");
            refused(&moved, &["moved to another store"]);
            assert!(!String::from_utf8_lossy(&moved.stderr).contains("secret"));
        }
        refused(
            &run(&["copy", "--from", from, "--to", to], ""),
            &["not empty"],
        );
        town.environment = vec![("SYMBOLON_STORE", to.clone())];
        town.start().await;
        let answer = town.refresh(&api, text(&jwt, "refresh_token")).await;
        assert_eq!(answer.status(), StatusCode::OK);
        jwt = answer.json().await.unwrap();
        let access = text(&jwt, "access_token");
        pages.comes_to(StatusCode::OK, session, SOON).await;
        api.comes_to(StatusCode::OK, access, SOON).await;
        assert_eq!(pages.whoami(gone).await, StatusCode::UNAUTHORIZED);
        assert_eq!(town.me(gone).await, StatusCode::UNAUTHORIZED);
        town.sign_in("bob", "api").await;
    }
    let access = text(&jwt, "access_token");
    assert_eq!(town.end_all(access).await["ended"], 2);
    pages
        .comes_to(StatusCode::UNAUTHORIZED, session, SOON)
        .await;
    api.comes_to(StatusCode::UNAUTHORIZED, access, SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_was_killed_is_not_served_and_goes_on() {
    let mut town = Town::new().await;
    town.register_app("api", "jwt", "within(10s)", "https://app.example/cb");
    let login = town.sign_in("alice", "api").await;
    town.stop();
    let (schema, relay) = (Schema::new().await, Relay::to(port(POSTGRES)).await);
    relay.slow_down(Duration::from_millis(40));
    let (from, to) = (sqlite(&town.data()), schema.url());
    let slow = schema.url_through(&relay);
    let arguments = ["copy", "--from", &from, "--to", &slow, "--json"];
    let child = Command::new(PROGRAM)
        .args(arguments)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut copying = Process(child);
    let began = Instant::now();
    while schema.rows("users").await == 0 {
        assert!(began.elapsed() < SOON, "nothing arrives");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(copying.0.try_wait().unwrap().is_none(), "it was too fast");
    copying.kill();
    assert_eq!(schema.rows("logins").await, 0);

    town.environment = vec![("SYMBOLON_STORE", to.clone())];
    let data = town.data();
    for order in [&["serve", "--listen", "localhost:0"][..], &["user", "list"]] {
        let all = ["--data", data.to_str().unwrap(), "--store", &to];
        refused(&run(&[order, &all[..]].concat(), ""), &["part of a copy"]);
    }
    // The source was left as it was.
    let people = run_json(&Town::arguments(&data, &["user", "list"]), "");
    assert_eq!(people["users"].as_array().unwrap().len(), 3);
    copy(&from, &to);
    assert_eq!(town.order(&["user", "list"], ""), people);
    town.start().await;
    let access = text(&login, "access_token");
    assert_eq!(town.me(access).await, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_can_be_kept() {
    let mut town = Town::new().await;
    town.stop();
    let other = tempfile::tempdir().unwrap();
    let (from, to) = (sqlite(&town.data()), sqlite(other.path()));
    let output = run(&["copy", "--from", &from, "--to", &to, "--keep-source"], "");
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("Nobody is signed out") && !said.contains("marked"));
    town.start().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_urls_are_told_in_one_line() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| sqlite(&home.path().join(name));
    let copy = |from: &str, to: &str| run(&["copy", "--from", from, "--to", to], "");
    let usage = copy("mysql://x", &at("b"));
    let said = String::from_utf8_lossy(&usage.stderr);
    assert!(!usage.status.success() && said.contains("expected sqlite:DIRECTORY"));
    let usage = copy("redis://x", &at("b"));
    assert!(String::from_utf8_lossy(&usage.stderr).contains("`logins`"));
    refused(&copy(&at("a"), &at("a")), &["the same store"]);
    refused(&copy(&at("a"), &at("b")), &["--from", "no authority"]);
    assert_eq!(
        fs::read_dir(home.path()).unwrap().count(),
        0,
        "it left something"
    );
    let closed = "postgres://symbolon:secret@127.0.0.1:1/x";
    refused(
        &copy(closed, &at("b")),
        &["--from: postgres://127.0.0.1:1/x: "],
    );
    let schema = Schema::new().await.url();
    let wrong = schema.replacen(":secret@", ":hidden-word@", 1);
    let output = copy(&wrong, &at("b"));
    refused(&output, &["--from", "password"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("hidden-word"));
    // A server that cannot reach its stores says which.
    let store = [
        "serve",
        "--listen",
        "localhost:0",
        "--store",
        closed,
        "--data",
    ];
    let data = home.path().join("c");
    let data = data.to_str().unwrap();
    refused(
        &run(&[&store[..], &[data]].concat(), ""),
        &["postgres://127.0.0.1:1/x: "],
    );
    let logins = [
        "serve",
        "--listen",
        "localhost:0",
        "--logins",
        "redis://127.0.0.1:1",
        "--data",
    ];
    refused(
        &run(&[&logins[..], &[data]].concat(), ""),
        &["redis://127.0.0.1:1: "],
    );
    let help = String::from_utf8(run(&["copy", "--help"], "").stdout).unwrap();
    for words in [
        "Stop every server",
        "goes on where it stopped",
        "--keep-source",
        "root.key",
    ] {
        assert!(help.contains(words), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_are_shown_before_they_are_applied() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let schema = Schema::new().await.url();
    for store in [sqlite(&data), schema] {
        let order = |more: &[&str]| {
            let all = ["migrate", "--json", "--store", &store];
            run_json(&[&all[..], more].concat(), "")
        };
        let shown = order(&["--dry-run"]);
        let steps = shown["migrations"].as_array().unwrap();
        assert_eq!(steps[0]["number"], 1);
        assert!(!text(&steps[0], "name").is_empty() && !text(&steps[0], "checksum").is_empty());
        assert_eq!(shown["applied"], false);
        assert_eq!(order(&["--dry-run"]), shown, "the dry run did something");
        if store.starts_with("sqlite:") {
            // A file without its root key would be no authority.
            let none = run(&["migrate", "--store", &store], "");
            refused(&none, &["symbolon serve"]);
            assert!(!data.exists());
            let add = ["user", "add", "alice", "--generate"];
            run_json(&Town::arguments(&data, &add), "");
        } else {
            let done = order(&[]);
            assert_eq!(
                (&done["migrations"], &done["applied"]),
                (&shown["migrations"], &json!(true))
            );
        }
        assert_eq!(order(&["--dry-run"])["migrations"], json!([]));
        let said = run(&["migrate", "--dry-run", "--store", &store], "");
        assert!(String::from_utf8_lossy(&said.stdout).contains("up to date"));
    }
}
