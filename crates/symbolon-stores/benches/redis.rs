//! What a check and a sign-in cost on Redis, beside a bare GET and a bare SET of the same server in the same run.
//!
//! `tests/servers/run cargo bench -p symbolon-stores --bench redis`. Prints operations per second with 64 at once over
//! one connection each, the median of five rounds with the lowest and the highest.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::{
    env,
    future::Future,
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use redis::{aio::MultiplexedConnection, cmd};
use symbolon_authority::ports::{Logins, NewGrant, Open, Terms};
use symbolon_login::{Digest, GrantId, Login, Scope, Sid, UnixMillis, UserId};
use symbolon_stores::{Durability, Redis};
use tokio::task::JoinSet;

const NOW: UnixMillis = UnixMillis::from_secs(1_800_000_000);
const AT_ONCE: u64 = 64;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(1);

fn random(n: u64) -> [u8; 10] {
    let mut random = [0; 10];
    for (to, from) in random.iter_mut().zip(n.to_be_bytes()) {
        *to = from;
    }
    random
}

async fn open(store: &Redis, n: u64) {
    let login = Login {
        sid: Sid::mint(NOW, random(n)),
        user: UserId::mint(NOW, random(n % 1000)),
        authenticated_at: NOW,
        methods: vec!["pwd".to_owned()],
        device: Some("Firefox on Linux".to_owned()),
        expires_at: NOW.plus(Duration::from_secs(86_400)),
        idle: None,
        remembered: true,
        ended_at: None,
    };
    let grant = NewGrant {
        id: GrantId::mint(NOW, random(n)),
        client_id: "app".parse().unwrap(),
        digest: Digest::of("bench", &n.to_be_bytes()),
    };
    let opened = store.open(login, grant, Terms::default(), NOW).await;
    assert!(matches!(opened.unwrap(), Open::Opened(_)));
}

async fn get(mut connection: MultiplexedConnection, n: u64) {
    let found: Option<Vec<u8>> = cmd("GET")
        .arg(format!("bench:{n}"))
        .query_async(&mut connection)
        .await
        .unwrap();
    assert!(found.is_some());
}

async fn set(mut connection: MultiplexedConnection, n: u64) {
    let mut set = cmd("SET");
    set.arg(format!("bench:{n}")).arg([7_u8; 200].as_slice());
    let () = set.query_async(&mut connection).await.unwrap();
}

/// Operations per second of one round.
async fn round<F>(operation: impl Fn(u64) -> F + Send + Sync + Clone + 'static) -> f64
where
    F: Future<Output = ()> + Send + 'static,
{
    let (next, started) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let mut tasks = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (next, operation) = (Arc::clone(&next), operation.clone());
        tasks.spawn(async move {
            while started.elapsed() < ROUND {
                operation(next.fetch_add(1, Ordering::Relaxed)).await;
            }
        });
    }
    tasks.join_all().await;
    let done = u32::try_from(next.load(Ordering::Relaxed)).unwrap();
    f64::from(done) / started.elapsed().as_secs_f64()
}

fn show(what: &str, mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    let (low, high) = (rates.first().unwrap(), rates.last().unwrap());
    let median = rates.get(rates.len() / 2).unwrap();
    println!("{what:<22} {median:>8.0}/s   ({low:.0} to {high:.0})");
    *median
}

#[tokio::main]
async fn main() {
    let url = env::var("SYMBOLON_TEST_REDIS")
        .unwrap_or_else(|_| "SYMBOLON_TEST_REDIS is not set: see the head of this file".to_owned());
    let cell = format!("{url}?cell=bench-{}", process::id());
    let store = Arc::new(Redis::connect(&cell, Durability::Disk).await.unwrap());
    let client = redis::Client::open(url).unwrap();
    let bare = client.get_multiplexed_async_connection().await.unwrap();
    let opened = Arc::new(AtomicU64::new(0));
    for n in 0..1000 {
        set(bare.clone(), n).await;
        open(&store, opened.fetch_add(1, Ordering::Relaxed)).await;
    }
    let (mut finds, mut gets, mut opens, mut sets, mut ends) =
        (vec![], vec![], vec![], vec![], vec![]);
    // Taken by turns, so that what else the machine does falls on all of them.
    for _ in 0..ROUNDS {
        let reader = Arc::clone(&store);
        finds.push(
            round(move |n| {
                let store = Arc::clone(&reader);
                async move {
                    let grant = GrantId::mint(NOW, random(n % 1000));
                    assert!(store.find(grant).await.unwrap().is_some());
                }
            })
            .await,
        );
        let connection = bare.clone();
        gets.push(round(move |n| get(connection.clone(), n % 1000)).await);
        let (writer, next) = (Arc::clone(&store), Arc::clone(&opened));
        opens.push(
            round(move |_| {
                let (store, n) = (Arc::clone(&writer), next.fetch_add(1, Ordering::Relaxed));
                async move { open(&store, n).await }
            })
            .await,
        );
        let connection = bare.clone();
        sets.push(round(move |n| set(connection.clone(), n)).await);
        let writer = Arc::clone(&store);
        ends.push(
            round(move |n| {
                let store = Arc::clone(&writer);
                let sid = Sid::mint(NOW, random(u64::MAX - n));
                async move {
                    store.end(Scope::Login { sid }, NOW).await.unwrap();
                }
            })
            .await,
        );
    }
    let find = show("check (find)", finds);
    let get = show("bare GET", gets);
    let open = show("sign-in (open), disk", opens);
    let set = show("bare SET, disk", sets);
    show("end, disk", ends);
    println!(
        "check / GET {:.2}, sign-in / SET {:.2}",
        find / get,
        open / set
    );
    let many = Instant::now();
    let ended = store.end(Scope::Everything {}, NOW).await.unwrap();
    println!(
        "everything: {} logins ended in {:?}",
        ended.count,
        many.elapsed()
    );
}
