//! A data directory that is in use, unreadable, from a newer version or damaged: one clear line, and no
//! change to it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use crate::town::{Town, run, run_json};

/// A directory with an authority in it that nobody runs.
fn made() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    run_json(
        &[
            "user",
            "add",
            "alice",
            "--generate",
            "--json",
            "--data",
            data.to_str().unwrap(),
        ],
        "",
    );
    (home, data)
}

fn serve(data: &Path) -> Output {
    run(
        &[
            "serve",
            "--listen",
            "localhost:0",
            "--data",
            data.to_str().unwrap(),
        ],
        "",
    )
}

/// Refused with one line that has these words in it, and without a trace.
fn refused_unchanged(data: &Path, words: &[&str]) {
    let before = contents(data);
    for output in [
        serve(data),
        run(&["user", "list", "--data", data.to_str().unwrap()], ""),
    ] {
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        for word in words {
            assert!(said.contains(word), "{word:?} is missing in: {said}");
        }
    }
    assert_eq!(contents(data), before, "the directory was changed");
}

fn contents(path: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let mut all = vec![(path.to_owned(), fs::read(path).ok())];
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            all.extend(contents(&entry.unwrap().path()));
        }
    }
    all.sort();
    all
}

fn patch(data: &Path, at: usize, bytes: &[u8]) {
    let path = data.join("symbolon.db");
    let mut database = fs::read(&path).unwrap();
    database[at..at + bytes.len()].copy_from_slice(bytes);
    fs::write(path, database).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn in_use() {
    let town = Town::new().await;
    let output = serve(&town.data());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("in use"), "{said}");
    let sign_in = town.try_sign_in("alice", "wrong", "symbolon").await;
    assert_eq!(
        sign_in.status(),
        401,
        "the one that uses it is none the worse for it"
    );
}

#[test]
fn from_a_newer_version() {
    let (_home, data) = made();
    // SQLite file format section 1.3: the user version is the big-endian number at offset 60.
    patch(&data, 60, &9_999_u32.to_be_bytes());
    refused_unchanged(&data, &["newer", "9999"]);
}

#[test]
fn of_another_program() {
    let (_home, data) = made();
    patch(&data, 68, &0x0bad_cafe_u32.to_be_bytes());
    refused_unchanged(&data, &["symbolon.db"]);
}

#[test]
fn damaged() {
    for (at, bytes) in [(0, &b"not a database!!"[..]), (4096, &[0xff; 512][..])] {
        let (_home, data) = made();
        patch(&data, at, bytes);
        refused_unchanged(&data, &["symbolon.db", "damaged"]);
    }
}

#[test]
fn cut_short() {
    let (_home, data) = made();
    let path = data.join("symbolon.db");
    let database = fs::read(&path).unwrap();
    fs::write(&path, &database[..database.len() / 2]).unwrap();
    refused_unchanged(&data, &["symbolon.db", "damaged"]);
}

#[test]
fn not_a_directory() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    fs::write(&data, "a file").unwrap();
    refused_unchanged(&data, &["data"]);
}

#[test]
fn without_its_root_key() {
    let (_home, data) = made();
    fs::remove_file(data.join("root.key")).unwrap();
    refused_unchanged(&data, &["root.key", "backup"]);
}

#[test]
fn with_a_damaged_root_key() {
    let (_home, data) = made();
    fs::write(data.join("root.key"), "symbolon root key v1: short\n").unwrap();
    refused_unchanged(&data, &["root.key", "damaged"]);
}

#[test]
fn a_real_authority_is_no_place_for_the_demo() {
    let (_home, data) = made();
    let output = run(
        &[
            "demo",
            "--json",
            "--port",
            "1",
            "--data",
            data.to_str().unwrap(),
        ],
        "",
    );
    assert!(!output.status.success());
    let port = crate::town::free_port().to_string();
    let output = run(
        &[
            "demo",
            "--json",
            "--port",
            &port,
            "--data",
            data.to_str().unwrap(),
        ],
        "",
    );
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && said.contains("--data"),
        "{said}"
    );
}
