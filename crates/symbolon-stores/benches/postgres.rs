//! The PostgreSQL store against the same server asked barely, side by side in one run: sign-ins without
//! the password hash against the bare insert of the same two rows, ends a second, and the time of a find.
//! `tests/servers/run cargo bench -p symbolon-stores --bench postgres`, or `SYMBOLON_TEST_POSTGRES` of a
//! server that may be filled with a schema of its own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "a benchmark"
)]

#[path = "../tests/servers/schema.rs"]
mod schema;

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use symbolon_authority::{
    PasswordHash, User,
    ports::{Directory, Logins, NewGrant, Open, Terms},
};
use symbolon_login::{
    ClientId, Digest, GrantId, Login, LoginPolicy, Scope, Sid, UnixMillis, UserId,
};
use symbolon_stores::Postgres;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls, Statement};

const NOW: UnixMillis = UnixMillis::from_secs(1_800_000_000);
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(3);
const SIGN_INS: usize = 64;

fn random(n: u64) -> [u8; 10] {
    let mut random = [7; 10];
    random[..8].copy_from_slice(&n.to_be_bytes());
    random
}

fn login(n: u64) -> (Login, NewGrant) {
    let login = Login {
        sid: Sid::mint(NOW, random(n)),
        user: UserId::mint(NOW, [1; 10]),
        authenticated_at: NOW,
        methods: vec!["pwd".to_owned()],
        device: Some("Firefox on Linux".to_owned()),
        expires_at: NOW.plus(Duration::from_secs(86_400)),
        idle: None,
        remembered: false,
        ended_at: None,
    };
    let grant = NewGrant {
        id: GrantId::mint(NOW, random(n)),
        client_id: app(),
        digest: Digest::of("bench", &n.to_be_bytes()),
    };
    (login, grant)
}

fn app() -> ClientId {
    "app".parse().unwrap()
}

/// Lets `callers` at once do `work` with numbers of their own below `most`, for a round at the longest;
/// gives how many a second.
async fn rate<F>(callers: usize, next: &AtomicU64, most: u64, work: impl Fn(usize, u64) -> F) -> f64
where
    F: Future<Output = ()> + Send + 'static,
{
    let (start, done) = (Instant::now(), AtomicU64::new(0));
    let mut running = JoinSet::new();
    for caller in 0..callers {
        running.spawn(tagged(
            caller,
            work(caller, next.fetch_add(1, Ordering::Relaxed)),
        ));
    }
    while let Some(caller) = running.join_next().await {
        done.fetch_add(1, Ordering::Relaxed);
        if start.elapsed() < ROUND && next.load(Ordering::Relaxed) < most {
            let (caller, number) = (caller.unwrap(), next.fetch_add(1, Ordering::Relaxed));
            running.spawn(tagged(caller, work(caller, number)));
        }
    }
    done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}

async fn tagged(caller: usize, work: impl Future<Output = ()>) -> usize {
    work.await;
    caller
}

/// Connections as the store has them, and the two inserts prepared on each.
async fn bare(url: &str) -> Vec<Arc<(Client, Statement)>> {
    let mut clients = Vec::new();
    for _ in 0..16 {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let sql = "WITH l AS (INSERT INTO logins (sid, user_id, authenticated_at, methods, device,
                       expires_at, remembered, rev_epoch, rev_number)
                   VALUES ($1, $2, $3, $4, $5, $6, false, 1, 0))
                   INSERT INTO grants (id, sid, client_id, rev_epoch, rev_number, opened_at, used_at,
                       generation, digest, moved_at)
                   VALUES ($7, $1, $8, 1, 0, $3, $3, 0, $9, $3)";
        let statement = client.prepare(sql).await.unwrap();
        clients.push(Arc::new((client, statement)));
    }
    clients
}

async fn bare_insert(bare: Arc<(Client, Statement)>, n: u64) {
    let (login, grant) = login(n);
    let (client, statement) = &*bare;
    client
        .execute(
            statement,
            &[
                &login.sid.as_bytes().as_slice(),
                &login.user.as_bytes().as_slice(),
                &NOW.as_millis(),
                &"[\"pwd\"]",
                &login.device,
                &login.expires_at.as_millis(),
                &grant.id.as_bytes().as_slice(),
                &grant.client_id.as_str(),
                &grant.digest.as_bytes().as_slice(),
            ],
        )
        .await
        .unwrap();
}

async fn sign_in(store: Arc<Postgres>, n: u64) {
    let (login, grant) = login(n);
    let opened = store.open(login, grant, Terms::default(), NOW).await;
    assert!(matches!(opened.unwrap(), Open::Opened(_)));
}

fn median(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    (
        values[0],
        values[values.len() / 2],
        values[values.len() - 1],
    )
}

fn tell(what: &str, unit: &str, values: Vec<f64>) {
    let (least, median, most) = median(values);
    println!("{what:<48} {median:>10.2} {unit} ({least:.2} to {most:.2})");
}

#[tokio::main]
async fn main() {
    let url = schema::url().await;
    let store = Arc::new(Postgres::connect(&url).await.unwrap());
    let user = User {
        id: UserId::mint(NOW, [1; 10]),
        identifier: "alice".parse().unwrap(),
        roles: Vec::new(),
        policy: LoginPolicy::default(),
        created_at: NOW,
        disabled_at: None,
    };
    let password = PasswordHash::from_phc("x".to_owned());
    store.add_user(user, password).await.unwrap();
    let bare = bare(&url).await;
    let next = AtomicU64::new(0);

    let (mut ours, mut barely, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let open = |_, n| sign_in(Arc::clone(&store), n);
        let sign_ins = rate(SIGN_INS, &next, u64::MAX, open).await;
        let insert = |caller: usize, n| bare_insert(Arc::clone(&bare[caller % bare.len()]), n);
        let inserts = rate(SIGN_INS, &next, u64::MAX, insert).await;
        ours.push(sign_ins);
        barely.push(inserts);
        ratios.push(sign_ins / inserts);
    }
    tell("sign-ins, 64 at once", "a second", ours);
    tell(
        "bare inserts of the two rows, 64 at once",
        "a second",
        barely,
    );
    tell("sign-ins against bare inserts", "times", ratios);

    let opened = next.load(Ordering::Relaxed);
    for callers in [64, 256, 1024] {
        let mut rates = Vec::new();
        for _ in 0..ROUNDS {
            // Each end finds a login that lives.
            let revive = "UPDATE logins SET ended_at = NULL WHERE ended_at IS NOT NULL";
            bare[0].0.batch_execute(revive).await.unwrap();
            bare[0].0.batch_execute("VACUUM logins").await.unwrap();
            let end = |_, n| {
                let store = Arc::clone(&store);
                let sid = Sid::mint(NOW, random(n));
                async move {
                    let ended = store.end(Scope::Login { sid }, NOW).await.unwrap();
                    assert_eq!(ended.count, 1);
                }
            };
            rates.push(rate(callers, &AtomicU64::new(0), opened, end).await);
        }
        tell(
            &format!("ends of a login, {callers} at once"),
            "a second",
            rates,
        );
    }

    let mut times = Vec::new();
    for round in 0..ROUNDS as u64 {
        let start = Instant::now();
        for n in 0..1000 {
            let grant = GrantId::mint(NOW, random((n * 7919 + round) % opened));
            assert!(store.find(grant).await.unwrap().is_some());
        }
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    tell("a find, one after the other", "microseconds", times);

    for callers in [1, 256, 1024] {
        let mut rates = Vec::new();
        for _ in 0..ROUNDS {
            let open = |_, n| sign_in(Arc::clone(&store), n);
            rates.push(rate(callers, &next, u64::MAX, open).await);
        }
        tell(&format!("sign-ins, {callers} at once"), "a second", rates);
    }
}
