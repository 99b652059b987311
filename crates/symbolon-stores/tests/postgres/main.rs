//! What only a store that several nodes share can get wrong: two nodes on one database, TLS, migrations,
//! a server that is restarted, connections that are cut, and sign-ins that share a statement.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod ends;
#[path = "../servers/schema.rs"]
mod schema;
mod sign_ins;

use std::{
    env,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use symbolon_authority::{
    PasswordHash, User,
    ports::{
        Advance, Directory, Logins, NewGrant, Open, Presented, Standpoint, StoreError, Tail, Terms,
    },
};
use symbolon_login::{
    Change, ClientId, Digest, GrantId, Lifetimes, Login, LoginPolicy, Position, Scope, Sid,
    UnixMillis, UserId,
};
use symbolon_stores::{Postgres, PostgresError as ConnectError};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

const NOW: UnixMillis = UnixMillis::from_secs(1_800_000_000);

fn random(n: u64) -> [u8; 10] {
    let mut random = [0; 10];
    random[..8].copy_from_slice(&n.to_be_bytes());
    random
}

fn sid(n: u64) -> Sid {
    Sid::mint(NOW, random(n))
}

fn grant_id(n: u64) -> GrantId {
    GrantId::mint(NOW, random(n))
}

fn app() -> ClientId {
    "app".parse().unwrap()
}

fn secret(n: u64, generation: u32) -> Digest {
    Digest::of("test", format!("{n}/{generation}").as_bytes())
}

fn user_id() -> UserId {
    UserId::mint(NOW, [1; 10])
}

async fn add_person(store: &Postgres) {
    let alice = User {
        id: user_id(),
        identifier: "alice".parse().unwrap(),
        roles: Vec::new(),
        policy: LoginPolicy::default(),
        created_at: NOW,
        disabled_at: None,
    };
    let password = PasswordHash::from_phc("x".to_owned());
    store.add_user(alice, password).await.unwrap();
}

/// Opens login `n` with grant `n`. None: the store was not available.
async fn open(store: &Postgres, n: u64) -> Option<Standpoint> {
    match sign_in(store, user_id(), n).await {
        Ok(Open::Opened(opened)) => Some(*opened),
        Ok(other) => panic!("{other:?}"),
        Err(_) => None,
    }
}

async fn sign_in(store: &Postgres, user: UserId, n: u64) -> Result<Open, StoreError> {
    let login = Login {
        sid: sid(n),
        user,
        authenticated_at: NOW,
        methods: vec!["pwd".to_owned()],
        device: None,
        expires_at: NOW.plus(Duration::from_secs(86_400)),
        idle: None,
        remembered: false,
        ended_at: None,
    };
    let grant = NewGrant {
        id: grant_id(n),
        client_id: app(),
        digest: secret(n, 0),
    };
    store.open(login, grant, Terms::default(), NOW).await
}

async fn refresh(store: &Postgres, n: u64, generation: u32) -> Advance {
    let presented = Presented {
        grant: grant_id(n),
        generation,
        digest: secret(n, generation),
        successor: secret(n, generation + 1),
    };
    let app = app();
    let advanced = store.advance(presented, &app, Lifetimes::default(), NOW);
    advanced.await.unwrap()
}

async fn connect(url: &str) -> Arc<Postgres> {
    Arc::new(Postgres::connect(url).await.unwrap())
}

async fn two_nodes() -> [Arc<Postgres>; 2] {
    let url = schema::url().await;
    [connect(&url).await, connect(&url).await]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_of_fifty_refreshes_on_two_nodes_one_rotates() {
    let nodes = two_nodes().await;
    add_person(&nodes[0]).await;
    open(&nodes[0], 1).await.unwrap();
    for generation in 0..5 {
        let mut tasks = JoinSet::new();
        for n in 0..50 {
            let node = Arc::clone(&nodes[n % 2]);
            tasks.spawn(async move { refresh(&node, 1, generation).await });
        }
        let outcomes = tasks.join_all().await;
        let rotated = |outcome: &&Advance| matches!(outcome, Advance::Rotated(_));
        let replayed = |outcome: &&Advance| matches!(outcome, Advance::Replayed(_));
        assert_eq!(outcomes.iter().filter(rotated).count(), 1);
        assert_eq!(outcomes.iter().filter(replayed).count(), 49);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_a_tailer_on_another_node_neither_skips_nor_doubles() {
    const EACH: u64 = 50;
    const WRITERS: u64 = 8;
    let [one, other] = two_nodes().await;
    let tailer = tokio::spawn(async move {
        let mut wake = other.wake();
        let (mut at, mut seen) = (Position::START, Vec::new());
        while seen.len() < usize::try_from(WRITERS * EACH).unwrap() {
            wake.borrow_and_update();
            let Tail::Entries(news) = other.tail(at, 7).await.unwrap() else {
                panic!("reset at {at}");
            };
            if news.is_empty() {
                // Woken by the other node, without an append of its own.
                wake.changed().await.unwrap();
            }
            for entry in news {
                assert_eq!(entry.position, at.next());
                at = entry.position;
                seen.push(entry.change);
            }
        }
        seen
    });
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let one = Arc::clone(&one);
        writers.spawn(async move {
            let mut acknowledged = Vec::new();
            for n in 0..EACH {
                let sid = sid(writer * EACH + n);
                let ended = one.end(Scope::Login { sid }, NOW).await.unwrap();
                acknowledged.push((ended.position, sid));
            }
            acknowledged
        });
    }
    let acknowledged = writers.join_all().await.concat();
    let seen = timeout(Duration::from_secs(30), tailer)
        .await
        .unwrap()
        .unwrap();
    for (position, sid) in acknowledged {
        let covers = Scope::Login { sid };
        let at = usize::try_from(position.number()).unwrap() - 1;
        assert_eq!(seen[at], Change::CutOff { covers });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_what_one_node_ended_is_dead_on_the_other() {
    let [one, other] = two_nodes().await;
    add_person(&one).await;
    let next = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let mut opening = JoinSet::new();
    for _ in 0..6 {
        let (other, next, over) = (Arc::clone(&other), Arc::clone(&next), Arc::clone(&over));
        opening.spawn(async move {
            let mut opened = Vec::new();
            while !over.load(Ordering::SeqCst) {
                let n = next.fetch_add(1, Ordering::SeqCst);
                opened.push((n, open(&other, n).await.unwrap().grant.rev));
            }
            opened
        });
    }
    // Logins are opened while these commit: by its `rev` each is either dead to guards and to the
    // store, or to neither.
    let mut last = Position::START;
    for round in 0..10 {
        let user = user_id();
        let scopes = [Scope::User { user }, Scope::Everything {}];
        last = one
            .end(scopes[round % 2].clone(), NOW)
            .await
            .unwrap()
            .position;
    }
    over.store(true, Ordering::SeqCst);
    for (n, rev) in opening.join_all().await.concat() {
        let found = other.find(grant_id(n)).await.unwrap().unwrap();
        assert_eq!(found.login.ended_at.is_some(), rev < last, "{n} at {rev}");
    }
}

#[tokio::test]
async fn postgres_tls_is_verified_to_the_name() {
    let dir = env::var("SYMBOLON_TEST_POSTGRES_DIR").expect("run tests/servers/run");
    let by_name = schema::server().replace("127.0.0.1", "localhost");
    let tls = |place: &str, ca: &str| {
        let url = format!("{place}?sslmode=verify-full&sslrootcert={dir}/{ca}");
        async move { Postgres::pending(&url).await }
    };
    tls(&by_name, "ca.pem").await.unwrap();
    let wrong = tls(&by_name, "other.pem").await.unwrap_err();
    assert!(matches!(wrong, ConnectError::Unreachable(_)), "{wrong}");
    assert!(wrong.to_string().contains("certificate"), "{wrong}");
    // The certificate is for the name, not for the address.
    let address = tls(&schema::server(), "ca.pem").await.unwrap_err();
    assert!(matches!(address, ConnectError::Unreachable(_)), "{address}");
    let nothing = tls(&by_name, "server.csr").await.unwrap_err();
    assert!(matches!(nothing, ConnectError::Roots(_)), "{nothing}");
    let require = format!("{}?sslmode=require", schema::server());
    Postgres::pending(&require).await.unwrap();
}

#[tokio::test]
async fn postgres_a_refusal_names_its_cause() {
    let refusal = async |url: String| Postgres::connect(&url).await.err().unwrap();
    let server = schema::server();
    let wrong = refusal(server.replace(":secret@", ":guess@")).await;
    assert!(matches!(wrong, ConnectError::Refused(_)), "{wrong}");
    assert!(!wrong.to_string().contains("guess"), "{wrong}");
    let missing = refusal(
        server
            .replace("/symbolon", "/none")
            .replace("//none", "//symbolon"),
    )
    .await;
    assert!(matches!(missing, ConnectError::Missing(_)), "{missing}");
    let away = refusal("postgres://u:p@127.0.0.1:1/d".to_owned()).await;
    assert!(matches!(away, ConnectError::Unreachable(_)), "{away}");
    let lossy = refusal(format!("{server}?options=-c%20synchronous_commit%3Doff")).await;
    assert!(matches!(lossy, ConnectError::NotDurable), "{lossy}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_nodes_that_start_at_once_migrate_once() {
    let url = schema::url().await;
    let pending = Postgres::pending(&url).await.unwrap();
    assert_eq!((pending[0].number, pending[0].name), (1, "first tables"));
    let mut nodes = JoinSet::new();
    for _ in 0..6 {
        let url = url.clone();
        nodes.spawn(async move { Postgres::connect(&url).await.map(|_| ()) });
    }
    for started in nodes.join_all().await {
        started.unwrap();
    }
    assert!(Postgres::pending(&url).await.unwrap().is_empty());
}

#[tokio::test]
async fn postgres_strange_migrations_are_refused() {
    let url = schema::url().await;
    drop(connect(&url).await);
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let newer = "INSERT INTO migrations VALUES (2, 'later', 'x', now())";
    client.batch_execute(newer).await.unwrap();
    let refused = Postgres::connect(&url).await.err().unwrap();
    assert!(
        matches!(refused, ConnectError::Newer { found: 2, ours: 1 }),
        "{refused}"
    );
    let changed = "DELETE FROM migrations WHERE number = 2;
                   UPDATE migrations SET checksum = 'x' WHERE number = 1";
    client.batch_execute(changed).await.unwrap();
    let refused = Postgres::connect(&url).await.err().unwrap();
    assert!(
        matches!(refused, ConnectError::Changed { number: 1 }),
        "{refused}"
    );
}

/// Ends logins on two nodes while `disturb` runs; what was acknowledged is dead on both, then and after.
async fn ends_survive(nodes: [Arc<Postgres>; 2], disturb: impl Future<Output = ()>) {
    add_person(&nodes[0]).await;
    let over = Arc::new(AtomicBool::new(false));
    let (next, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut load = JoinSet::new();
    for task in 0..8 {
        let (one, other) = (
            Arc::clone(&nodes[task % 2]),
            Arc::clone(&nodes[1 - task % 2]),
        );
        let (over, next, failed) = (Arc::clone(&over), Arc::clone(&next), Arc::clone(&failed));
        load.spawn(async move {
            let mut acknowledged = Vec::new();
            while !over.load(Ordering::SeqCst) {
                let n = next.fetch_add(1, Ordering::SeqCst);
                let ended = match open(&one, n).await {
                    Some(_) => one.end(Scope::Login { sid: sid(n) }, NOW).await.ok(),
                    None => None,
                };
                let Some(ended) = ended else {
                    failed.fetch_add(1, Ordering::SeqCst);
                    sleep(Duration::from_millis(20)).await;
                    continue;
                };
                if let Ok(found) = other.find(grant_id(n)).await {
                    assert!(
                        found.unwrap().login.ended_at.is_some(),
                        "a false yes for {n}"
                    );
                }
                acknowledged.push((n, ended.position));
            }
            acknowledged
        });
    }
    disturb.await;
    // It goes on without a restart.
    let (done, patience) = (next.load(Ordering::SeqCst), Instant::now());
    let mut well = 0;
    while well < 20 {
        assert!(patience.elapsed() < Duration::from_secs(30), "no recovery");
        let before = failed.load(Ordering::SeqCst);
        sleep(Duration::from_millis(100)).await;
        well = if failed.load(Ordering::SeqCst) == before {
            well + 1
        } else {
            0
        };
    }
    over.store(true, Ordering::SeqCst);
    let acknowledged = load.join_all().await.concat();
    assert!(failed.load(Ordering::SeqCst) > 0, "nothing was disturbed");
    assert!(
        acknowledged.iter().any(|(n, _)| *n > done),
        "nothing went on"
    );
    for (n, position) in acknowledged {
        let found = nodes[0].find(grant_id(n)).await.unwrap().unwrap();
        assert!(found.login.ended_at.is_some(), "the end of {n} was lost");
        let before = Position::new(position.epoch(), position.number() - 1);
        let Tail::Entries(entries) = nodes[1].tail(before, 1).await.unwrap() else {
            panic!("reset at {before}");
        };
        let covers = Scope::Login { sid: sid(n) };
        assert_eq!(entries[0].change, Change::CutOff { covers });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_ends_survive_cut_connections() {
    let url = format!("{}&application_name=cut", schema::url().await);
    let nodes = [connect(&url).await, connect(&url).await];
    let (client, connection) = tokio_postgres::connect(&schema::server(), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    ends_survive(nodes, async {
        for _ in 0..10 {
            sleep(Duration::from_millis(150)).await;
            let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                       WHERE application_name = 'cut'";
            client.query(cut, &[]).await.unwrap();
        }
    })
    .await;
}

/// A server of the test's own, which it may restart.
struct Server {
    dir: tempfile::TempDir,
    url: String,
}

impl Server {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // The server runs as somebody who has to get here.
        let all = std::fs::Permissions::from_mode(0o711);
        std::fs::set_permissions(dir.path(), all).unwrap();
        let printed = script("start", dir.path());
        let url = printed
            .lines()
            .find_map(|line| line.strip_prefix("SYMBOLON_TEST_POSTGRES="));
        let url = url.unwrap().to_owned();
        Self { dir, url }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        script("stop", self.dir.path());
    }
}

fn script(verb: &str, dir: &Path) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/postgres.sh");
    let done = Command::new(script).arg(verb).arg(dir).output().unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_ends_survive_a_crash_of_the_server() {
    let server = Arc::new(Server::start());
    let nodes = [connect(&server.url).await, connect(&server.url).await];
    let crashing = Arc::clone(&server);
    ends_survive(nodes, async {
        sleep(Duration::from_millis(500)).await;
        let crash = move || script("crash", crashing.dir.path());
        tokio::task::spawn_blocking(crash).await.unwrap();
    })
    .await;
}
