//! kill -9 at any moment loses nothing that was acknowledged.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    env,
    io::{BufRead, BufReader, Write, stdout},
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use symbolon_authority::{
    PasswordHash, User,
    ports::{Directory, Logins, NewGrant, Tail, Terms},
};
use symbolon_login::{
    Change, Digest, GrantId, Login, LoginPolicy, Position, Scope, Sid, UnixMillis, UserId,
};
use symbolon_stores::{OpenError, Sqlite};
use tokio::task::JoinSet;

const NOW: UnixMillis = UnixMillis::from_secs(1_800_000_000);
const DIRECTORY: &str = "SYMBOLON_TEST_HARD_STOP";
const ROUNDS: u64 = 4;

/// Not a test: the process that is killed. Opens logins and ends them, many at once, and says so
/// after each acknowledgement.
#[test]
#[ignore = "run by the other test as a process of its own"]
fn the_process_that_is_killed() {
    let Ok(dir) = env::var(DIRECTORY) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    runtime.block_on(open_and_end(Path::new(&dir)));
}

async fn open_and_end(dir: &Path) {
    let store = Arc::new(Sqlite::open(dir).unwrap());
    let user = UserId::mint(NOW, [1; 10]);
    let alice = User {
        id: user,
        identifier: "alice".parse().unwrap(),
        roles: Vec::new(),
        policy: LoginPolicy::default(),
        created_at: NOW,
        disabled_at: None,
    };
    let password = PasswordHash::from_phc("x".to_owned());
    store.add_user(alice, password).await.unwrap();
    // Each round has its own ids.
    let next = Arc::new(AtomicU64::new(store.head().await.unwrap().number() * 1000));
    let mut writers = JoinSet::new();
    for _ in 0..16 {
        let (store, next) = (Arc::clone(&store), Arc::clone(&next));
        writers.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let sid = open(&store, user, n).await;
                say(&format!("opened {sid}"));
                let ended = store.end(Scope::Login { sid }, NOW).await.unwrap();
                say(&format!("ended {sid} {}", ended.position));
            }
        });
    }
    writers.join_all().await;
}

async fn open(store: &Sqlite, user: UserId, n: u64) -> Sid {
    let mut random = [0; 10];
    // The first bits of an id's random part give way to its version and variant.
    for (to, from) in random.iter_mut().skip(3).zip(n.to_le_bytes()) {
        *to = from;
    }
    let sid = Sid::mint(NOW, random);
    let login = Login {
        sid,
        user,
        authenticated_at: NOW,
        methods: vec!["pwd".to_owned()],
        device: None,
        expires_at: NOW.plus(Duration::from_secs(86_400)),
        idle: None,
        remembered: true,
        ended_at: None,
    };
    let grant = NewGrant {
        id: GrantId::mint(NOW, random),
        client_id: "app".parse().unwrap(),
        digest: Digest::of("test", &random),
    };
    store
        .open(login, grant, Terms::default(), NOW)
        .await
        .unwrap();
    sid
}

fn say(line: &str) {
    let mut out = stdout().lock();
    writeln!(out, "\n{line}").unwrap();
    out.flush().unwrap();
}

#[tokio::test]
async fn nothing_acknowledged_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let (mut opened, mut ended) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let lines = run_and_kill(dir.path(), 300 * round);
        for line in lines {
            let words: Vec<_> = line.split(' ').collect();
            match *words.as_slice() {
                ["opened", sid] => opened.push(sid.parse::<Sid>().unwrap()),
                ["ended", sid, at] => {
                    ended.push((sid.parse::<Sid>().unwrap(), at.parse::<Position>().unwrap()));
                }
                _ => {}
            }
        }
        let store = Sqlite::open(dir.path()).unwrap();
        check(&store, &opened, &ended).await;
        store.close().unwrap();
    }
    assert!(
        ended.len() > 100,
        "too few to say anything: {}",
        ended.len()
    );
}

/// Runs the process until it has said so many lines, kills it, and gives all that it said.
fn run_and_kill(dir: &Path, lines: u64) -> Vec<String> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "the_process_that_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(DIRECTORY, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    let mut left = lines;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        said.push(line.unwrap());
        left = left.saturating_sub(1);
        if left == lines / 2 {
            // While it lives, nobody else gets in.
            assert!(matches!(Sqlite::open(dir), Err(OpenError::InUse { .. })));
        }
        if left == 0 {
            // SIGKILL; what is in the pipe was said before.
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    said
}

async fn check(store: &Sqlite, opened: &[Sid], ended: &[(Sid, Position)]) {
    for sid in opened {
        assert!(store.login(*sid).await.unwrap().is_some(), "{sid} is lost");
    }
    let Tail::Entries(log) = store.tail(Position::START, u32::MAX).await.unwrap() else {
        unreachable!()
    };
    for (expected, entry) in (1..).zip(&log) {
        assert_eq!(entry.position.number(), expected, "a gap");
    }
    for (sid, at) in ended {
        let login = store.login(*sid).await.unwrap().unwrap().login;
        assert!(login.ended_at.is_some(), "the end of {sid} is lost");
        let entry = log.iter().find(|entry| entry.position == *at).unwrap();
        let covers = Scope::Login { sid: *sid };
        assert_eq!(entry.change, Change::CutOff { covers });
    }
}
