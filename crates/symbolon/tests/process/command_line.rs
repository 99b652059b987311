//! The command line beside a running server and without one: the same words, the same JSON.

use std::fs;

use serde_json::{Value, json};

use crate::town::{PASSWORD, Town, client, run, run_json, text};

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_server_and_without_one() {
    let mut town = Town::new().await;
    let data = town.data();
    let all = |more: &[&str]| run_json(&Town::arguments(&data, more), "");

    let app = all(&[
        "app",
        "add",
        "shop",
        "--shape",
        "jwt",
        "--redirect-uri",
        "https://shop.example/cb",
        "--first-party",
    ]);
    assert!(text(&app, "client_secret").starts_with("sym_c_"));
    let login = town.sign_in("alice", "shop").await;
    let logins = all(&["login", "list", "alice"]);
    assert_eq!(logins["logins"][0]["sid"], login["sid"]);
    assert_eq!(logins["logins"][0]["apps"][0]["client_id"], "shop");
    let ended = all(&["login", "end", text(&login, "sid")]);
    assert_eq!(ended["ended"], 1);
    let me = town
        .request("GET", "/api/v1/me", text(&login, "access_token"))
        .send()
        .await
        .unwrap();
    assert_eq!(me.status(), 401);

    let (first, second) = (
        town.sign_in("alice", "shop").await,
        town.sign_in("alice", "shop").await,
    );
    assert_ne!(first["sid"], second["sid"]);
    assert_eq!(all(&["login", "end", "--user", "alice"])["ended"], 2);
    assert_eq!(
        all(&[
            "app",
            "set",
            "shop",
            "--shape",
            "session",
            "--freshness",
            "live"
        ])["freshness"],
        "live"
    );
    assert_eq!(all(&["user", "disable", "bob"])["disabled"], true);
    assert_eq!(
        town.try_sign_in("bob", PASSWORD, "shop").await.status(),
        401
    );

    let identifiers = |users: &Value| -> Vec<String> {
        users["users"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| text(user, "identifier").to_owned())
            .collect()
    };
    let beside = all(&["user", "list"]);
    assert_eq!(identifiers(&beside), ["admin", "alice", "bob"]);
    town.kill();
    // The killed server left its socket behind: nobody answers there, so the directory is opened.
    assert!(data.join("symbolon.sock").exists());
    let without = run_json(&Town::arguments(&data, &["user", "list"]), "");
    assert_eq!(without, beside);
    let apps = run_json(&Town::arguments(&data, &["app", "list"]), "");
    let shop = apps["apps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|app| app["client_id"] == "shop")
        .unwrap();
    assert_eq!(
        (text(shop, "shape"), text(shop, "freshness")),
        ("session", "live")
    );
    run_json(&Town::arguments(&data, &["user", "enable", "bob"]), "");
    town.start().await;
    assert_eq!(
        town.try_sign_in("bob", PASSWORD, "shop").await.status(),
        201
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn people_and_apps_are_held_to_limits() {
    let town = Town::new().await;
    let data = town.data();
    let all = |more: &[&str]| run_json(&Town::arguments(&data, more), "");
    all(&[
        "app",
        "add",
        "till",
        "--shape",
        "session",
        "--max-logins",
        "2",
        "--first-party",
    ]);
    let set = all(&["app", "set", "till", "--at-limit", "ask"]);
    assert_eq!(set["limit"], json!({"most": 2, "at_limit": "ask"}));
    let set = all(&["app", "set", "till", "--no-max-logins"]);
    assert_eq!(set["limit"], Value::Null);

    let shop = ["app", "add", "shop", "--shape", "jwt", "--first-party"];
    all(&shop);
    let login = town.sign_in("alice", "shop").await;
    let set = all(&[
        "user",
        "set",
        "alice",
        "--role",
        "clerk",
        "--idle",
        "600",
        "--max-logins",
        "1",
    ]);
    assert_eq!(
        (&set["roles"], &set["ended"]),
        (&json!(["clerk"]), &json!(1))
    );
    let policy = json!({"idle_seconds": 600, "limit": {"most": 1, "at_limit": "end_oldest"}});
    assert_eq!(set["policy"], policy);
    let me = town.request("GET", "/api/v1/me", text(&login, "access_token"));
    assert_eq!(me.send().await.unwrap().status(), 401);
    // What is not given stays.
    let set = all(&[
        "user",
        "set",
        "alice",
        "--at-limit",
        "refuse",
        "--absolute",
        "3600",
    ]);
    let policy = json!({
        "idle_seconds": 600, "absolute_seconds": 3600, "limit": {"most": 1, "at_limit": "refuse"},
    });
    assert_eq!(
        (&set["roles"], &set["policy"]),
        (&json!(["clerk"]), &policy)
    );
    town.sign_in("alice", "shop").await;
    let full = town.try_sign_in("alice", PASSWORD, "shop").await;
    assert_eq!(full.status(), 409);
    let set = all(&["user", "set", "alice", "--no-limits", "--no-roles"]);
    assert_eq!((&set["roles"], &set["policy"]), (&json!([]), &json!({})));
    town.sign_in("alice", "shop").await;

    for (more, named) in [
        (&["user", "set", "alice"][..], "nothing to change"),
        (
            &["user", "set", "alice", "--at-limit", "ask"],
            "--max-logins",
        ),
        (
            &["user", "set", "alice", "--idle", "9", "--absolute", "8"],
            "idle_seconds",
        ),
        (&["app", "set", "till", "--max-logins", "0"], "--max-logins"),
        (
            &["user", "set", "alice", "--no-limits", "--idle", "9"],
            "--no-limits",
        ),
    ] {
        let refused = run(&Town::arguments(&data, more), "");
        assert!(!refused.status.success(), "{more:?}");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains(named), "{more:?}: {said}");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let town = Town::new().await;
    for (name, mode) in [
        ("", 0o700),
        ("symbolon.sock", 0o600),
        ("symbolon.db", 0o600),
        ("root.key", 0o600),
    ] {
        let found = fs::metadata(town.data().join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777;
        assert_eq!(found, mode, "{name}: {found:o}");
    }
}

#[test]
fn errors_name_the_cause_and_leave_with_a_code() {
    let home = tempfile::tempdir().unwrap();
    let missing = home.path().join("nothing-here");
    let missing = missing.to_str().unwrap();
    let table: &[(&[&str], &str)] = &[
        (&["user", "list", "--data", missing], "symbolon serve"),
        (&["user", "add", "alice", "--data", missing], "--generate"),
        (
            &["user", "add", "two words", "--generate", "--data", missing],
            "identifier",
        ),
        (
            &["app", "add", "shop", "--shape", "cookie", "--data", missing],
            "session or jwt",
        ),
        (
            &["app", "add", "Shop", "--shape", "jwt", "--data", missing],
            "lower-case",
        ),
        (
            &[
                "app",
                "set",
                "shop",
                "--freshness",
                "sometimes",
                "--data",
                missing,
            ],
            "until_expiry",
        ),
        (&["login", "end", "--data", missing], "--user"),
        (
            &[
                "serve",
                "--public-url",
                "http://login.example.com",
                "--data",
                missing,
            ],
            "insecure_http",
        ),
        (
            &["serve", "--listen", "nonsense", "--data", missing],
            "HOST:PORT",
        ),
        (&["token", "inspect", "not-a-token"], "failed"),
    ];
    for (arguments, words) in table {
        let output = run(arguments, "");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        assert!(
            said.to_lowercase().contains(&words.to_lowercase()),
            "{arguments:?}: {words:?} is missing in: {said}"
        );
        assert!(!said.contains("panicked"), "{said}");
    }
    assert!(
        !std::path::Path::new(missing).exists(),
        "a refused command leaves nothing behind"
    );
    let help = run(&["--help"], "");
    assert!(
        help.status.success() && String::from_utf8_lossy(&help.stdout).contains("symbolon demo")
    );
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            run(&["completions", shell], "").stdout.len() > 500,
            "{shell}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn token_inspect_shows_the_parts_and_each_verdict() {
    let town = Town::new().await;
    let data = town.data();
    run_json(
        &Town::arguments(
            &data,
            &["app", "add", "shop", "--shape", "jwt", "--first-party"],
        ),
        "",
    );
    let login = town.sign_in("alice", "shop").await;
    let token = text(&login, "access_token");
    let with = |more: &[&str], token: &str| {
        let mut arguments = vec!["token", "inspect", "--json"];
        arguments.extend(more);
        let output = run(&arguments, token);
        (
            output.status.success(),
            serde_json::from_slice::<Value>(&output.stdout).unwrap(),
        )
    };
    let (good, inspection) = with(&["--authority", &town.url, "--audience", "shop"], token);
    assert!(good, "{inspection}");
    assert!(
        text(&inspection, "header").contains("ES256")
            && text(&inspection, "payload").contains("\"sid\"")
    );
    let verdicts = |inspection: &Value| -> Vec<String> {
        inspection["checks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|check| check["verdict"].to_string())
            .collect()
    };
    assert!(
        verdicts(&inspection)
            .iter()
            .all(|verdict| verdict.contains("pass")),
        "{inspection}"
    );

    let (good, inspection) = with(&["--authority", &town.url, "--audience", "another"], token);
    assert!(
        !good
            && verdicts(&inspection)
                .iter()
                .any(|verdict| verdict.contains("fail")),
        "{inspection}"
    );
    let (head, rest) = token.split_once('.').unwrap();
    let forged = format!("{head}.{}", rest.replacen('A', "B", 1));
    assert!(!with(&["--authority", &town.url, "--audience", "shop"], &forged).0);
    let (_, unknown) = with(&[], token);
    assert!(
        verdicts(&unknown)
            .iter()
            .any(|verdict| verdict.contains("unknown")),
        "without keys nobody knows"
    );
}

#[test]
fn who_reads_no_further_is_told_of_no_error() {
    use std::process::{Command, Stdio};

    let mut child = Command::new(crate::town::PROGRAM)
        .args(["advise", "--platform", "spa", "--lang", "en"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(141));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_prints_a_link_for_the_first_administrator_once() {
    use std::{
        io::{BufRead, BufReader},
        process::{Command, Stdio},
    };
    let home = tempfile::tempdir().unwrap();
    let port = crate::town::free_port();
    let url = format!("http://localhost:{port}");
    let mut child = Command::new(crate::town::PROGRAM)
        .args(["serve", "--listen", &format!("localhost:{port}"), "--data"])
        .arg(home.path().join("data"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let process = crate::town::Process(child);
    let link = lines
        .map(|line| line.unwrap())
        .find(|line| line.contains("/set-up?token="))
        .unwrap();
    let link = link.trim();
    assert!(link.starts_with(&url), "{link}");
    let http = client();
    let page = http.get(link).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let token = link.rsplit_once('=').unwrap().1;
    let form = [
        ("token", token),
        ("identifier", "root"),
        ("password", "a long enough password"),
    ];
    let submit = || {
        http.post(format!("{url}/set-up"))
            .header("sec-fetch-site", "same-origin")
            .form(&form)
            .send()
    };
    let first = submit().await.unwrap().status();
    assert!(first.is_success() || first.is_redirection(), "{first}");
    assert!(
        !submit().await.unwrap().status().is_success(),
        "a link is good for one use"
    );
    assert_ne!(http.get(link).send().await.unwrap().status(), 200);

    // Ctrl-C ends it gracefully.
    process.signal("INT");
    let mut process = process;
    assert!(process.0.wait().unwrap().success());
}

#[test]
fn keys_and_tokens_are_made_and_checked_by_hand() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    for (alg, form) in [("ES256", "jwk"), ("Ed25519", "pem"), ("HS256", "jwk")] {
        let (private, public) = (
            path(&format!("{alg}.private")),
            path(&format!("{alg}.public")),
        );
        let keygen = [
            "token",
            "keygen",
            "--alg",
            alg,
            "--form",
            form,
            "--kid",
            "k1",
            "--out",
            &private,
            "--public-out",
            &public,
        ];
        let made = run(&keygen, "");
        assert!(
            made.status.success(),
            "{alg}: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let rights = fs::metadata(&private).unwrap().permissions().mode() & 0o777;
        assert_eq!(rights, 0o600);
        assert!(
            !run(&keygen, "").status.success(),
            "a key is never overwritten"
        );
        let claims = r#"{"iss":"https://as.example","sub":"u","aud":"shop"}"#;
        let signed = run(
            &[
                "token", "sign", "--key", &private, "--alg", alg, "--kid", "k1", "--lasts", "60",
            ],
            claims,
        );
        assert!(
            signed.status.success(),
            "{alg}: {}",
            String::from_utf8_lossy(&signed.stderr)
        );
        let token = String::from_utf8(signed.stdout).unwrap();
        if form == "jwk" && alg != "HS256" {
            let verify = [
                "token",
                "verify",
                "--jwks",
                &public,
                "--issuer",
                "https://as.example",
                "--audience",
            ];
            let with = |audience| run(&[&verify[..], &[audience]].concat(), &token);
            let good: Value = serde_json::from_slice(&with("shop").stdout).unwrap();
            assert_eq!(text(&good, "sub"), "u");
            let other = with("another");
            assert!(!other.status.success());
            assert!(
                String::from_utf8_lossy(&other.stderr).contains("aud"),
                "{other:?}"
            );
        }
    }
    let nonsense = run(
        &["token", "keygen", "--alg", "none", "--out", &path("x")],
        "",
    );
    assert!(String::from_utf8_lossy(&nonsense.stderr).contains("ES256"));
}
