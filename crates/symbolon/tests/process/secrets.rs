//! A copied database signs nobody in: it holds no secret in clear, and opens nothing without the root
//! key beside it.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::StatusCode;

use crate::town::{PASSWORD, Town, run, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_database_signs_nobody_in() {
    let mut town = Town::new().await;
    let pages = town.start_app("pages", "session", "within(10s)");
    let _api = town.start_app("api", "jwt", "within(10s)");
    let session = town.sign_in("alice", "pages").await;
    let jwt = town.sign_in("alice", "api").await;
    town.kill();

    let root = fs::read_to_string(town.data().join("root.key")).unwrap();
    let root = root.trim().rsplit(' ').next().unwrap();
    let secrets = [
        ("session", text(&session, "access_token")),
        ("access token", text(&jwt, "access_token")),
        ("refresh token", text(&jwt, "refresh_token")),
        ("client secret", &pages.secret),
        ("password", PASSWORD),
        ("root key", root),
        ("private key", "PRIVATE KEY"),
    ];
    let stolen = tempfile::tempdir().unwrap();
    for file in fs::read_dir(town.data()).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if !name.starts_with("symbolon.db") {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        for (what, secret) in secrets {
            assert!(
                !contains(&bytes, secret.as_bytes()),
                "the {what} stands in {name}"
            );
            // Nor its random part in binary: behind id and generation of an opaque secret, whole in a key.
            let encoded = secret.rsplit(['_', '.']).next().unwrap();
            let decoded = URL_SAFE_NO_PAD.decode(encoded).unwrap_or_default();
            let random = if secret.starts_with("sym_s_") || secret.starts_with("sym_r_") {
                let whole = URL_SAFE_NO_PAD.decode(&secret[6..]).unwrap();
                whole[20..52].to_vec()
            } else {
                decoded
            };
            assert!(
                random.len() < 16 || !contains(&bytes, &random[..16]),
                "the {what} stands decoded in {name}"
            );
        }
        fs::copy(&path, stolen.path().join(name)).unwrap();
    }

    // Started from the copy alone: refused, and nothing is changed.
    let before = listing(stolen.path());
    let arguments = [
        "serve",
        "--listen",
        "localhost:0",
        "--data",
        stolen.path().to_str().unwrap(),
    ];
    let output = run(&arguments, "");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("root.key"));
    assert_eq!(listing(stolen.path()), before);

    // With a root key of the thief's own: the keys in it do not open.
    let foreign = tempfile::tempdir().unwrap();
    let foreign_data = foreign.path().to_str().unwrap();
    assert!(
        run(
            &["user", "add", "eve", "--generate", "--data", foreign_data],
            ""
        )
        .status
        .success()
    );
    fs::copy(
        foreign.path().join("root.key"),
        stolen.path().join("root.key"),
    )
    .unwrap();
    let output = run(&arguments, "");
    assert!(!output.status.success());

    town.start().await;
    let me = town
        .request("GET", "/api/v1/me", text(&session, "access_token"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        me.status(),
        StatusCode::OK,
        "the owner's own credential works on"
    );
}

fn listing(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|file| {
            let path = file.unwrap().path();
            (path.display().to_string(), fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}
