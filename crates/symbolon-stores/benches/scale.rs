//! Looking a login up among ten thousand and among ten million, and starting with a million.
//!
//! `cargo bench -p symbolon-stores --bench scale -- build` fills `target/tmp/scale` once (minutes, and
//! about 7 GB); `-- run` measures it; `-- clean` removes it. Without a word it does nothing, so that
//! `cargo bench` stays quick. `BENCH_DIR` puts the files elsewhere.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench: it prints its results"
)]

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Instant,
};

use rusqlite::{Connection, params};
use symbolon_authority::ports::{Logins, Terms};
use symbolon_stores::Sqlite;

mod work;

use work::Scatter;

const USERS: u64 = 100_000;
/// How many logins each store holds.
const FEW: u64 = 10_000;
const START: u64 = 1_000_000;
const MANY: u64 = 10_000_000;
const ROUNDS: usize = 15;
/// Look-ups of a lone caller, and of 64 callers together, in a round.
const ALONE: u64 = 2_000;
const TOGETHER: u64 = 32_000;
const CALLERS: u64 = 64;

fn main() {
    let dir = env::var_os("BENCH_DIR").map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).join("scale"),
        PathBuf::from,
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let word = env::args().skip(1).find(|word| !word.starts_with("--"));
    match word.as_deref() {
        Some("build") => {
            for logins in [FEW, START, MANY] {
                build(&runtime, &store_of(&dir, logins), logins);
            }
        }
        Some("run") => {
            runtime.block_on(look_up(&dir));
            start(&runtime, &store_of(&dir, START));
        }
        Some("clean") => fs::remove_dir_all(&dir).unwrap(),
        Some("write-until-killed") => runtime.block_on(write(&store_of(&dir, START))),
        _ => println!("scale: build, run or clean? See the head of benches/scale.rs"),
    }
}

fn store_of(dir: &Path, logins: u64) -> PathBuf {
    dir.join(format!("{logins}"))
}

/// Makes a store by SQL: rows first, indexes afterwards.
fn build(runtime: &tokio::runtime::Runtime, dir: &Path, logins: u64) {
    let begun = Instant::now();
    fs::create_dir_all(dir.parent().unwrap()).unwrap();
    let store = Sqlite::open(dir).unwrap();
    runtime.block_on(work::add_users(&store, USERS));
    store.close().unwrap();
    let file = dir.join("symbolon.db");
    let conn = Connection::open(&file).unwrap();
    conn.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        .unwrap();
    let indexes: Vec<(String, String)> = conn
        .prepare("SELECT name, sql FROM sqlite_schema WHERE tbl_name IN ('login', 'grant') AND type = 'index' AND sql IS NOT NULL")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for (name, _) in &indexes {
        conn.execute_batch(&format!("DROP INDEX {name}")).unwrap();
    }
    for first in (0..logins).step_by(100_000) {
        conn.execute_batch("BEGIN").unwrap();
        for n in first..logins.min(first + 100_000) {
            let (login, grant) = work::login(n, USERS);
            conn.prepare_cached(
                "INSERT INTO login (sid, user, authenticated_at, methods, device, expires_at,
                                    remembered, rev_epoch, rev_number, first_client_id,
                                    first_rev_epoch, first_rev_number, first_opened_at,
                                    first_used_at, first_generation, first_digest, first_moved_at)
                 VALUES (?1, ?2, ?3, '[\"pwd\"]', ?4, ?5, 1, 1, 0, ?6, 1, 0, ?3, ?3, 0, ?7, ?3)",
            )
            .unwrap()
            .execute(params![
                login.sid.as_bytes(),
                login.user.as_bytes(),
                login.authenticated_at.as_millis(),
                login.device,
                login.expires_at.as_millis(),
                grant.client_id.as_str(),
                grant.digest.as_bytes()
            ])
            .unwrap();
        }
        conn.execute_batch("COMMIT").unwrap();
    }
    for (_, sql) in &indexes {
        conn.execute_batch(sql).unwrap();
    }
    let bytes = fs::metadata(&file).unwrap().len();
    println!(
        "{logins} logins: built in {:.0} s; {} MiB on disk, {} bytes a login",
        begun.elapsed().as_secs_f64(),
        bytes >> 20,
        bytes / logins
    );
}

/// Random look-ups in both stores, taking turns.
async fn look_up(dir: &Path) {
    let stores = [FEW, MANY].map(|logins| (logins, Arc::new(open(&store_of(dir, logins)))));
    let mut scatter = Scatter(7);
    let mut alone = [vec![], vec![]];
    let mut together = [vec![], vec![]];
    // The first round warms up.
    for round in 0..=ROUNDS {
        for (nth, (logins, store)) in stores.iter().enumerate() {
            let before = Instant::now();
            for _ in 0..ALONE {
                find(store, scatter.below(*logins)).await;
            }
            let lone = before.elapsed().as_secs_f64() * 1e6 / ALONE as f64;
            let before = Instant::now();
            let callers = (0..CALLERS).map(|caller| {
                let (store, logins) = (Arc::clone(store), *logins);
                let mut scatter = Scatter(scatter.next() ^ caller);
                tokio::spawn(async move {
                    for _ in 0..TOGETHER / CALLERS {
                        find(&store, scatter.below(logins)).await;
                    }
                })
            });
            for caller in callers.collect::<Vec<_>>() {
                caller.await.unwrap();
            }
            let many = before.elapsed().as_secs_f64() * 1e6 / TOGETHER as f64;
            if round > 0 {
                alone[nth].push(lone);
                together[nth].push(many);
            }
        }
    }
    println!("| look-up | {FEW} logins, us | {MANY} logins, us | ratio (budget 1.5) |");
    println!("| --- | --- | --- | --- |");
    for (name, [few, many]) in [
        ("one caller, each", alone),
        ("64 callers, a look-up", together),
    ] {
        let ratios = many.iter().zip(&few).map(|(many, few)| many / few);
        let [few, many, ratio] = [few.clone(), many.clone(), ratios.collect()].map(|figures| {
            let [middle, low, high] = work::spread(figures);
            format!("{middle:.2} ({low:.2}-{high:.2})")
        });
        println!("| {name} | {few} | {many} | {ratio} |");
    }
    for (_, store) in &stores {
        store
            .logins_of(work::user_id(1), work::START)
            .await
            .unwrap();
    }
    println!(
        "\nown memory with both stores open and whole: {}",
        resident()
    );
}

async fn find(store: &Sqlite, n: u64) {
    let found = store.find(work::grant_id(n)).await.unwrap().unwrap();
    assert!(found.login.ended_at.is_none());
}

fn open(dir: &Path) -> Sqlite {
    Sqlite::open(dir).unwrap()
}

/// The memory that is this process's own: the mapped file is the kernel's.
fn resident() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let anonymous = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    anonymous.unwrap().trim().to_owned()
}

/// From nothing to the first answer, and to the first that needs all of a person's logins, after a good
/// end and after a hard one.
fn start(runtime: &tokio::runtime::Runtime, dir: &Path) {
    println!(
        "\n| start with {START} logins | a look-up, ms (budget 1000) | all of a person, ms | write-ahead log, MiB |"
    );
    println!("| --- | --- | --- | --- |");
    for hard in [false, true] {
        let mut times = Vec::new();
        let mut whole = Vec::new();
        let mut log = 0;
        for nth in 0..5 {
            if hard {
                run_and_kill();
            }
            log = fs::metadata(dir.join("symbolon.db-wal")).map_or(0, |file| file.len() >> 20);
            let before = Instant::now();
            let store = open(dir);
            runtime.block_on(find(&store, 1_000 + nth));
            times.push(before.elapsed().as_secs_f64() * 1e3);
            let of_one = store.logins_of(work::user_id(nth), work::START);
            runtime.block_on(of_one).unwrap();
            whole.push(before.elapsed().as_secs_f64() * 1e3);
            store.close().unwrap();
        }
        let [times, whole] = [times, whole].map(|times| {
            let [middle, low, high] = work::spread(times);
            format!("{middle:.1} ({low:.1}-{high:.1})")
        });
        let name = if hard {
            "after kill -9"
        } else {
            "after a good end"
        };
        println!("| {name} | {times} | {whole} | {log} |");
    }
}

/// A process that opens logins until its write-ahead log is large, killed in the middle of it.
fn run_and_kill() {
    let mut child = Command::new(env::current_exe().unwrap())
        .arg("write-until-killed")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
}

async fn write(dir: &Path) {
    let store = Arc::new(open(dir));
    // Ids of their own, whatever runs were there before.
    let first = 100_000_000 + u64::from(std::process::id()) * 1_000_000;
    for batch in 0.. {
        let logins = (0..1_000).map(|nth| {
            let (login, grant) = work::login(first + batch * 1_000 + nth, USERS);
            let now = login.authenticated_at;
            store.open(login, grant, Terms::default(), now)
        });
        for opened in futures_util::future::join_all(logins).await {
            opened.unwrap();
        }
        let log = fs::metadata(dir.join("symbolon.db-wal")).map_or(0, |file| file.len());
        if log > 50 << 20 {
            println!("ready");
        }
    }
}
