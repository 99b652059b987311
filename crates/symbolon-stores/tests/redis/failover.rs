//! The primary of a Cluster is killed under load.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use symbolon_authority::ports::Logins;
use symbolon_login::Scope;
use symbolon_stores::{Durability, Redis};
use tokio::{task::JoinSet, time::sleep};

use crate::fixture::*;

/// The member that is primary of a slot now.
fn primary_of(slot: u64) -> (PathBuf, u16) {
    for n in 1..=6 {
        let dir = directory().join(format!("failing{n}"));
        let port = port_of(&dir);
        let nodes: String = ask(port, &["CLUSTER", "NODES"]);
        let own = nodes.lines().find(|line| line.contains("myself,master"));
        let slots = own.into_iter().flat_map(|line| line.split(' ').skip(8));
        for range in slots {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            if (first.parse::<u64>().unwrap()..=last.parse().unwrap()).contains(&slot) {
                return (dir, port);
            }
        }
    }
    panic!("nobody has slot {slot}");
}

fn port_of(dir: &Path) -> u16 {
    let conf = fs::read_to_string(dir.join("redis.conf")).unwrap();
    let port = conf.lines().find_map(|line| line.strip_prefix("port "));
    port.unwrap().parse().unwrap()
}

/// Kills the member whose id stands in its directory, if it is the one that works there.
fn kill(dir: &Path) {
    let pid = fs::read_to_string(dir.join("redis.pid")).unwrap();
    let pid = pid.trim();
    assert_eq!(fs::read_link(format!("/proc/{pid}/cwd")).unwrap(), dir);
    let killed = Command::new("kill").args(["-KILL", pid]).status();
    assert!(killed.unwrap().success());
}

fn restart(dir: &Path) {
    let server = directory().join("redis-server");
    let started = Command::new(server).arg(dir.join("redis.conf")).status();
    assert!(started.unwrap().success());
}

/// Opens logins and ends them, one after the other; looks at what was ended, over and over.
struct Load {
    store: Redis,
    next: AtomicU64,
    ended: std::sync::Mutex<Vec<u64>>,
    over: AtomicBool,
}

impl Load {
    fn ended(&self) -> Vec<u64> {
        self.ended.lock().unwrap().clone()
    }

    async fn sign_in_and_out(&self) {
        while !self.over.load(Ordering::SeqCst) {
            let n = self.next.fetch_add(1, Ordering::SeqCst);
            if !try_open(&self.store, n, n).await {
                continue;
            }
            if self
                .store
                .end(Scope::User { user: user(n) }, NOW)
                .await
                .is_ok()
            {
                self.ended.lock().unwrap().push(n);
            }
        }
    }

    async fn check(&self) {
        let mut at = 0;
        while !self.over.load(Ordering::SeqCst) {
            let ended = self.ended();
            at += 1;
            if let Some(n) = ended.get(ended.len().wrapping_sub(1 + at % 16)) {
                assert!(
                    lives(&self.store, *n).await != Ok(true),
                    "login {n} lives again"
                );
            } else {
                sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_failover_of_redis_forgets_no_end_that_a_replica_has() {
    let url = variable("SYMBOLON_TEST_REDIS_FAILING");
    let cell = format!("failover-{}", std::process::id());
    let url = format!("{url}?cell={cell}");
    let store = Redis::connect(&url, Durability::Replica);
    let load = Arc::new(Load {
        store: store.await.unwrap(),
        next: AtomicU64::new(0),
        ended: std::sync::Mutex::default(),
        over: AtomicBool::new(false),
    });
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let (writer, reader) = (Arc::clone(&load), Arc::clone(&load));
        tasks.spawn(async move { writer.sign_in_and_out().await });
        tasks.spawn(async move { reader.check().await });
    }
    let any = port_of(&directory().join("failing1"));
    let slot: u64 = ask(any, &["CLUSTER", "KEYSLOT", &format!("{{{cell}}}:head")]);
    for _ in 0..2 {
        sleep(Duration::from_secs(1)).await;
        let before = load.ended();
        assert!(before.len() > 20, "{} ends", before.len());
        let (primary, _) = primary_of(slot);
        kill(&primary);
        sleep(Duration::from_millis(200)).await;
        eventually("the replica answers", || async {
            load.store.head().await.is_ok()
        })
        .await;
        for n in load.ended() {
            eventually("an answer", || async {
                lives(&load.store, n).await.is_ok()
            })
            .await;
            assert_eq!(lives(&load.store, n).await, Ok(false), "login {n}");
        }
        restart(&primary);
        let known = load.ended().len();
        eventually("ends are acknowledged again", || async {
            load.ended().len() > known + 20
        })
        .await;
    }
    load.over.store(true, Ordering::SeqCst);
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    for n in load.ended() {
        assert_eq!(lives(&load.store, n).await, Ok(false), "login {n}");
    }
}
