//! Durable logins and ends a second on SQLite, beside what the disk and bare SQLite give.
//!
//! `cargo bench -p symbolon-stores --bench durable`: five rows take turns, so that a noisy
//! neighbour slows all of them alike; a ratio is the median of the rounds' own ratios.
//!
//! It takes about a minute. `BENCH_DIR` names another disk, `BENCH_ROUNDS` another number of rounds.
//!
//! `-- refresh` measures refreshes instead of logins and ends: they change rows all over the file, and what
//! moves those would slow the next row of the table.
//!
//! `-- alone` opens logins one after the other instead; how many syncs each of them takes is seen with
//! `strace -f -c -e trace=fsync,fdatasync` before the bench's file.
//!
//! - disk: 4 KiB written and synced (`fdatasync`), one after the other.
//! - bare: rusqlite, one thread, 64 rows a transaction, write-ahead log, `synchronous=FULL`; a row
//!   is a time-ordered id, a random digest and what else a grant holds.
//! - asked: the same insert for 64 callers at once: their rows come to the thread over a queue, and each
//!   caller hears when its own is on disk. The least that any store with callers does.
//! - login: `Logins::open` by 64 callers at once, people at random; one row.
//! - refresh: `Logins::advance` to the next secret by 64 callers at once, logins at random; one row changed.
//! - end: `Logins::end` of one login by 64 callers at once, logins at random; one row added to the log.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench: it prints its results"
)]

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
    path::Path,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, params};
use symbolon_authority::ports::{Advance, Logins, NewGrant, Open, Terms};
use symbolon_login::{Lifetimes, Login, Presented, Scope};
use symbolon_stores::Sqlite;
use tokio::sync::oneshot;

mod work;

use work::Scatter;

const CALLERS: u64 = 64;
const USERS: u64 = 100_000;
/// Logins that are there before the first round.
const STOCK: u64 = 200_000;
/// Logins opened in a round, and ended in it.
const A_ROUND: u64 = 32_000;
const ROUNDS: usize = 15;
/// Logins of the lone caller.
const ALONE: u64 = 10_000;

fn main() {
    let place = std::env::var_os("BENCH_DIR").unwrap_or(env!("CARGO_TARGET_TMPDIR").into());
    let dir = tempfile::tempdir_in(place).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    if std::env::args().any(|word| word == "alone") {
        return runtime.block_on(alone(&dir.path().join("alone")));
    }
    let mut ours = Ours::new(&runtime, &dir.path().join("ours"));
    let mut bare = Bare::new(&dir.path().join("bare.db"));
    let mut asked = Asked::new(&dir.path().join("asked.db"));
    let disk = disk(&dir.path().join("disk"));

    let (mut disks, mut bares, mut askeds) = (vec![], vec![], vec![]);
    let (mut logins, mut refreshes, mut ends) = (vec![], vec![], vec![]);
    let rounds = std::env::var("BENCH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let is_refresh = std::env::args().any(|word| word == "refresh");
    for _ in 0..rounds {
        disks.push(a_second(&disk, Duration::from_millis(200)));
        bares.push(bare.round(A_ROUND));
        if is_refresh {
            refreshes.push(runtime.block_on(ours.refresh(A_ROUND)));
            continue;
        }
        askeds.push(runtime.block_on(asked.round(A_ROUND)));
        logins.push(runtime.block_on(ours.login(A_ROUND)));
        ends.push(runtime.block_on(ours.end(A_ROUND)));
    }
    println!("| work | a second | of bare (budget 0.7) | of the disk (budget 12) |");
    println!("| --- | --- | --- | --- |");
    for (name, figures) in [
        ("disk", &disks),
        ("bare", &bares),
        ("asked", &askeds),
        ("login", &logins),
        ("refresh", &refreshes),
        ("end", &ends),
    ] {
        if figures.is_empty() {
            continue;
        }
        let [rate, low, high] = work::spread(figures.clone());
        let of = |others: &[f64]| {
            let ratios = figures.iter().zip(others).map(|(a, b)| a / b).collect();
            let [ratio, low, high] = work::spread(ratios);
            format!("{ratio:.2} ({low:.2}-{high:.2})")
        };
        println!(
            "| {name} | {rate:.0} ({low:.0}-{high:.0}) | {} | {} |",
            of(&bares),
            of(&disks)
        );
    }
    let statistics = ours.store.statistics();
    let share = statistics.requests as f64 / statistics.commits as f64;
    println!("\nrequests a transaction, over all: {share:.1}");
}

/// A lone caller's logins: nobody shares their transactions.
async fn alone(dir: &Path) {
    let store = Sqlite::open(dir).unwrap();
    work::add_users(&store, 1_000).await;
    let before = store.statistics();
    let begun = Instant::now();
    for n in 0..ALONE {
        let (login, grant) = work::login(n, 1_000);
        let now = login.authenticated_at;
        store
            .open(login, grant, Terms::default(), now)
            .await
            .unwrap();
    }
    let each = begun.elapsed().as_secs_f64() * 1e6 / ALONE as f64;
    let commits = store.statistics().commits - before.commits;
    println!("{ALONE} logins one after the other: {commits} transactions, {each:.0} us each");
}

/// How often `once` runs in a second.
fn a_second(once: &dyn Fn(), span: Duration) -> f64 {
    let (start, mut runs) = (Instant::now(), 0);
    while start.elapsed() < span {
        once();
        runs += 1;
    }
    f64::from(runs) / start.elapsed().as_secs_f64()
}

fn disk(path: &Path) -> impl Fn() + use<> {
    let mut options = OpenOptions::new();
    let file: File = options.write(true).create_new(true).open(path).unwrap();
    let page = [7; 4_096];
    // Like a write-ahead log that is used again: the blocks are there already.
    for n in 0..1_024 {
        file.write_all_at(&page, n * 4_096).unwrap();
    }
    file.sync_all().unwrap();
    let next = std::cell::Cell::new(0);
    move || {
        file.write_all_at(&page, next.get() % 1_024 * 4_096)
            .unwrap();
        file.sync_data().unwrap();
        next.set(next.get() + 1);
    }
}

struct Bare {
    conn: Connection,
    rows: u64,
}

impl Bare {
    fn new(path: &Path) -> Self {
        let conn = Connection::open(path).unwrap();
        conn.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4096;
             PRAGMA cache_size = -32768;
             CREATE TABLE one (
                 id BLOB NOT NULL PRIMARY KEY, sid BLOB NOT NULL, client_id TEXT NOT NULL,
                 opened_at INTEGER NOT NULL, digest BLOB NOT NULL
             ) STRICT, WITHOUT ROWID;",
        )
        .unwrap();
        Self { conn, rows: 0 }
    }

    fn round(&mut self, rows: u64) -> f64 {
        let values: Vec<_> = (self.rows..self.rows + rows)
            .map(|n| work::login(n, USERS))
            .collect();
        self.rows += rows;
        let start = Instant::now();
        for batch in values.chunks(64) {
            self.insert(batch.iter());
        }
        rows as f64 / start.elapsed().as_secs_f64()
    }

    /// One transaction.
    fn insert<'a>(&self, rows: impl Iterator<Item = &'a (Login, NewGrant)>) {
        self.conn.execute_batch("BEGIN IMMEDIATE").unwrap();
        for (login, grant) in rows {
            let sql = "INSERT INTO one VALUES (?1, ?2, ?3, ?4, ?5)";
            let row = params![
                grant.id.as_bytes(),
                login.sid.as_bytes(),
                grant.client_id.as_str(),
                login.authenticated_at.as_millis(),
                grant.digest.as_bytes()
            ];
            self.conn.prepare_cached(sql).unwrap().execute(row).unwrap();
        }
        self.conn.execute_batch("COMMIT").unwrap();
    }
}

/// A row and whoever waits for it.
type Asking = ((Login, NewGrant), oneshot::Sender<()>);

/// [`Bare`] on a thread that is asked over a queue.
struct Asked {
    queue: mpsc::SyncSender<Asking>,
    rows: u64,
}

impl Asked {
    fn new(path: &Path) -> Self {
        let bare = Bare::new(path);
        let (queue, asking) = mpsc::sync_channel::<Asking>(1_024);
        thread::spawn(move || {
            while let Ok(first) = asking.recv() {
                let mut batch = vec![first];
                let begun = Instant::now();
                // It knows how many there are, and waits for all of them for a while.
                while batch.len() < 64 && begun.elapsed() < Duration::from_micros(200) {
                    batch.extend(asking.try_iter());
                    thread::yield_now();
                }
                bare.insert(batch.iter().map(|(row, _)| row));
                for (_, answer) in batch {
                    answer.send(()).unwrap();
                }
            }
        });
        Self { queue, rows: 0 }
    }

    async fn round(&mut self, rows: u64) -> f64 {
        let first = self.rows;
        self.rows += rows;
        let start = Instant::now();
        all(&self.queue, rows, move |queue, nth| async move {
            let (answer, answered) = oneshot::channel();
            let row = work::login(first + nth, USERS);
            queue.try_send((row, answer)).unwrap();
            answered.await.unwrap();
        })
        .await;
        rows as f64 / start.elapsed().as_secs_f64()
    }
}

struct Ours {
    store: Arc<Sqlite>,
    /// Logins opened so far.
    opened: u64,
    /// Those that were not ended.
    live: Vec<u64>,
    /// How often some of them were refreshed.
    generations: HashMap<u64, u32>,
    scatter: Scatter,
}

impl Ours {
    fn new(runtime: &tokio::runtime::Runtime, dir: &Path) -> Self {
        let mut ours = Self {
            store: Arc::new(Sqlite::open(dir).unwrap()),
            opened: 0,
            live: Vec::new(),
            generations: HashMap::new(),
            scatter: Scatter(1),
        };
        runtime.block_on(work::add_users(&ours.store, USERS));
        runtime.block_on(ours.login(STOCK));
        ours
    }

    /// Opens so many logins; gives how many a second.
    async fn login(&mut self, logins: u64) -> f64 {
        let first = self.opened;
        self.opened += logins;
        self.live.extend(first..self.opened);
        let start = Instant::now();
        all(&self.store, logins, move |store, nth| async move {
            let (login, grant) = work::login(first + nth, USERS);
            let now = login.authenticated_at;
            let opened = store
                .open(login, grant, Terms::default(), now)
                .await
                .unwrap();
            assert!(matches!(opened, Open::Opened(_)));
        })
        .await;
        logins as f64 / start.elapsed().as_secs_f64()
    }

    /// Refreshes so many logins, any of those that live; gives how many a second.
    async fn refresh(&mut self, logins: u64) -> f64 {
        let refreshed: Arc<[(u64, u32)]> = (0..logins)
            .map(|place| {
                // Each once in a round: those that were moved are moved to the front.
                let others = self.live.len() as u64 - place;
                let nth = usize::try_from(place + self.scatter.below(others)).unwrap();
                self.live.swap(usize::try_from(place).unwrap(), nth);
                let login = self.live[usize::try_from(place).unwrap()];
                let generation = self.generations.entry(login).or_default();
                *generation += 1;
                (login, *generation - 1)
            })
            .collect();
        let now = work::moment(self.opened);
        let start = Instant::now();
        all(&self.store, logins, move |store, nth| {
            let (login, generation) = refreshed[usize::try_from(nth).unwrap()];
            let presented = Presented {
                grant: work::grant_id(login),
                generation,
                digest: work::secret(login, generation),
                successor: work::secret(login, generation + 1),
            };
            async move {
                let (app, lifetimes) = (work::client_id(), Lifetimes::default());
                let advanced = store.advance(presented, &app, lifetimes, now).await;
                assert!(matches!(advanced.unwrap(), Advance::Rotated(_)));
            }
        })
        .await;
        logins as f64 / start.elapsed().as_secs_f64()
    }

    /// Ends so many logins, any of those that live; gives how many a second.
    async fn end(&mut self, logins: u64) -> f64 {
        let ended: Arc<[u64]> = (0..logins)
            .map(|_| {
                let nth = self.scatter.below(self.live.len() as u64);
                self.live.swap_remove(usize::try_from(nth).unwrap())
            })
            .collect();
        let now = work::moment(self.opened);
        let start = Instant::now();
        all(&self.store, logins, move |store, nth| {
            let sid = work::sid(ended[usize::try_from(nth).unwrap()]);
            async move {
                let ended = store.end(Scope::Login { sid }, now).await.unwrap();
                assert_eq!(ended.count, 1);
            }
        })
        .await;
        logins as f64 / start.elapsed().as_secs_f64()
    }
}

/// Does so many pieces of work, shared out among the callers.
async fn all<S: Clone + Send + 'static, F: Future<Output = ()> + Send>(
    store: &S,
    number: u64,
    one: impl Fn(S, u64) -> F + Clone + Send + 'static,
) {
    let callers = (0..CALLERS).map(|caller| {
        let (store, one) = (store.clone(), one.clone());
        tokio::spawn(async move {
            for nth in (caller..number).step_by(usize::try_from(CALLERS).unwrap()) {
                one(store.clone(), nth).await;
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
}
