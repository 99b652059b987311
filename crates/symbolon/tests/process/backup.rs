//! A backup beside a running server, and what is good after it was restored.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::StatusCode;
use serde_json::Value;

use crate::{
    servers::{REDIS, Schema, cell},
    town::{App, Environment, Town, run, run_in, run_json, text},
};

const SOON: Duration = Duration::from_secs(20);
const GONE: StatusCode = StatusCode::UNAUTHORIZED;

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_knows_who_was_signed_in_and_refuses_what_came_later() {
    let mut scene = Scene::new(Vec::new()).await;
    scene.refused_while_it_runs("in use");
    scene.town.stop();
    let restored = scene.restore(&[]);
    assert!(Path::new(text(&restored, "replaced")).exists());
    assert_eq!(restored["holds_logins"], true);
    scene.town.start().await;
    scene.check_kept().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_of_postgresql_does_the_same() {
    let environment = |store: &Schema| vec![("SYMBOLON_STORE", store.url())];
    let mut scene = Scene::new(environment(&Schema::new().await)).await;
    scene.refused_while_it_runs("not empty");
    scene.town.stop();
    scene.refused_while_it_runs("not empty");
    scene.town.environment = environment(&Schema::new().await);
    let restored = scene.restore(&[]);
    assert_eq!(restored["replaced"], Value::Null);
    scene.town.start().await;
    scene.check_kept().await;
    // The same file serves a directory, too: it is one form.
    scene.town.stop();
    scene.town.environment = Vec::new();
    scene.restore(&[]);
    scene.town.start().await;
    scene.town.sign_in("bob", "api").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_logins_of_a_backup_can_be_ended() {
    let postgres = vec![("SYMBOLON_STORE", Schema::new().await.url())];
    for environment in [Vec::new(), postgres] {
        let mut scene = Scene::new(environment).await;
        scene.town.stop();
        if !scene.town.environment.is_empty() {
            scene.town.environment = vec![("SYMBOLON_STORE", Schema::new().await.url())];
        }
        let restored = scene.restore(&["--end-all-logins"]);
        assert!(restored["ended"].as_u64().unwrap() >= 3, "{restored}");
        scene.town.start().await;
        for (app, login) in [
            (&scene.pages, &scene.kept),
            (&scene.api, &scene.kept_jwt),
            (&scene.pages, &scene.later),
            (&scene.api, &scene.later_jwt),
        ] {
            app.comes_to(GONE, text(login, "access_token"), SOON).await;
            assert_eq!(scene.town.me(text(login, "access_token")).await, GONE);
        }
        scene.town.sign_in("alice", "pages").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_put_back_by_other_means_begins_an_epoch() {
    let mut town = Town::new().await;
    let pages = town.start_app("pages", "session", "within(10s)");
    let early = town.sign_in("alice", "pages").await;
    // An entry after it: what was issued before that entry is known to be older than the copy.
    let other = town.sign_in("bob", "pages").await;
    town.end_all(text(&other, "access_token")).await;
    town.stop();
    let database = town.data().join("symbolon.db");
    let copy = town.data().join("copy");
    fs::copy(&database, &copy).unwrap();
    town.start().await;
    let late = town.sign_in("alice", "pages").await;
    pages
        .comes_to(StatusCode::OK, text(&late, "access_token"), SOON)
        .await;
    town.stop();
    fs::copy(&copy, &database).unwrap();
    let data = town.data();
    let arguments = Town::arguments(&data, &["restore", "--in-place"]);
    let restored = run_json(&arguments, "");
    assert_eq!(restored["ended"], 0, "{restored}");
    town.start().await;
    // Also the guard that had vouched for it.
    pages
        .comes_to(GONE, text(&late, "access_token"), SOON)
        .await;
    pages
        .comes_to(StatusCode::OK, text(&early, "access_token"), SOON)
        .await;
    let neither = run(&["restore", "--data", data.to_str().unwrap()], "");
    assert!(!neither.status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_without_logins_says_so() {
    let mut town = Town::on(vec![("SYMBOLON_LOGINS", cell(REDIS))]).await;
    town.register_app("api", "jwt", "within(10s)", "https://app.example/cb");
    let login = town.sign_in("alice", "api").await;
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("backup");
    let data = town.data();
    let arguments = ["backup", file.to_str().unwrap(), "--data"];
    let arguments = [&arguments[..], &[data.to_str().unwrap()]].concat();
    let output = run_in(&town.environment, &arguments, "");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(
        said.contains("Logins are in Redis and not in a backup"),
        "{said}"
    );
    assert!(!said.contains("everything"), "{said}");
    town.stop();
    let restored = town.order(&["restore", file.to_str().unwrap()], "");
    assert_eq!(restored["holds_logins"], false);
    town.start().await;
    town.sign_in("bob", "api").await;
    let answer = town.me(text(&login, "access_token")).await;
    // The epoch that begins there ends what Redis holds, too.
    assert_eq!(answer, GONE);
}

/// The directory of a server that keeps everything elsewhere may hold an old file.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_another_store_than_the_servers_is_refused() {
    let mut town = Town::new().await;
    town.stop();
    let store = Schema::new().await.url();
    let from = format!("sqlite:{}", town.data().display());
    let copy = ["copy", "--from", &from, "--to", &store, "--json"];
    run_json(&copy, "");
    town.environment = vec![("SYMBOLON_STORE", store)];
    town.start().await;
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("backup");
    let data = town.data();
    let backup = Town::arguments(&data, &["backup", file.to_str().unwrap()]);
    let refused = run(&backup, "");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success());
    assert!(said.contains("--store"), "{said}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    town.order(&["backup", file.to_str().unwrap()], "");
}

/// An authority with a backup, and what happened after it.
struct Scene {
    town: Town,
    pages: App,
    api: App,
    /// From before the backup.
    kept: Value,
    kept_jwt: Value,
    /// Ended after it.
    ended: Value,
    /// From after it.
    later: Value,
    later_jwt: Value,
    file: PathBuf,
    _home: tempfile::TempDir,
}

impl Scene {
    async fn new(environment: Environment) -> Self {
        let town = Town::on(environment).await;
        let pages = town.start_app("pages", "session", "within(10s)");
        let api = town.start_app("api", "jwt", "within(10s)");
        let kept = town.sign_in("alice", "pages").await;
        let kept_jwt = town.sign_in("alice", "api").await;
        let ended = town.sign_in("bob", "pages").await;
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("backup");
        let backup = ["backup", file.to_str().unwrap()];
        let answer = town.order(&backup, "");
        assert_eq!(text(&answer, "file"), file.to_str().unwrap());
        assert_eq!(answer["holds_logins"], true);
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(
            fs::read_dir(home.path()).unwrap().count(),
            1,
            "drafts are left"
        );
        // A file that is there is never overwritten.
        let bytes = fs::read(&file).unwrap();
        let again = town.try_order(&backup, "");
        let said = String::from_utf8(again.stderr).unwrap();
        assert!(
            !again.status.success() && said.contains("there already"),
            "{said}"
        );
        assert_eq!(fs::read(&file).unwrap(), bytes);

        town.end_all(text(&ended, "access_token")).await;
        let later = town.sign_in("bob", "pages").await;
        let later_jwt = town.sign_in("alice", "api").await;
        let access = text(&later_jwt, "access_token");
        assert_eq!(api.whoami(access).await, StatusCode::OK);
        let access = text(&later, "access_token");
        assert_eq!(pages.whoami(access).await, StatusCode::OK);
        Self {
            town,
            pages,
            api,
            kept,
            kept_jwt,
            ended,
            later,
            later_jwt,
            file,
            _home: home,
        }
    }

    fn restore(&self, more: &[&str]) -> Value {
        let arguments = [&["restore", self.file.to_str().unwrap()], more].concat();
        self.town.order(&arguments, "")
    }

    fn refused_while_it_runs(&self, words: &str) {
        let restore = ["restore", self.file.to_str().unwrap()];
        let output = self.town.try_order(&restore, "");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains(words), "{said}");
    }

    /// Who was signed in at the backup is signed in; what was issued after it is good for nothing.
    async fn check_kept(&self) {
        let Self {
            town, pages, api, ..
        } = self;
        // Running apps, whose guards knew what came later.
        let later_jwt = text(&self.later_jwt, "access_token");
        api.comes_to(GONE, later_jwt, SOON).await;
        let later = text(&self.later, "access_token");
        pages.comes_to(GONE, later, SOON).await;
        for credential in [later, later_jwt] {
            assert_eq!(town.me(credential).await, GONE);
        }
        let late = town.refresh(api, text(&self.later_jwt, "refresh_token"));
        assert_eq!(late.await.status(), StatusCode::BAD_REQUEST);

        let kept = text(&self.kept, "access_token");
        pages.comes_to(StatusCode::OK, kept, SOON).await;
        // The backup does not know of this end. A guard that heard of it goes on refusing.
        let ended = text(&self.ended, "access_token");
        assert_eq!(town.me(ended).await, StatusCode::OK);
        assert_eq!(pages.whoami(ended).await, GONE);
        let refreshed = town.refresh(api, text(&self.kept_jwt, "refresh_token"));
        let refreshed = refreshed.await;
        assert_eq!(refreshed.status(), StatusCode::OK);
        let refreshed: Value = refreshed.json().await.unwrap();
        let access = text(&refreshed, "access_token");
        api.comes_to(StatusCode::OK, access, SOON).await;

        assert_eq!(town.end_all(kept).await["ended"], 2);
        pages.comes_to(GONE, kept, SOON).await;
        api.comes_to(GONE, access, SOON).await;
    }
}
