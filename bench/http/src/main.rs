//! What a whole request costs behind a check: rows take turns, each server on one core and the client
//! on another. See `run`.

mod authority;
mod client;
mod crowd;
mod inside;
mod picture;
mod server;

use std::{
    io::{BufRead, BufReader},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use client::{Requests, Turn, turn};

/// A row: what it is called, its server, and whose floor it is measured against. The floor gets the same
/// headers as the row, so that reading them counts for neither.
struct Row {
    name: &'static str,
    kind: &'static str,
    floor: usize,
    /// Whose credential it is sent, where that is not its own.
    sent: &'static str,
}

const ROWS: [Row; 13] = [
    row("axum alone", "bare", 0, ""),
    row("axum alone, sent the session", "bare", 1, "session"),
    row("axum alone, sent the JWT", "bare", 2, "jwt"),
    row("a layer that checks nothing", "layer", 1, "session"),
    row("symbolon, session", "session", 1, "session"),
    row("symbolon, JWT", "jwt", 2, "jwt"),
    row(
        "symbolon around all, session",
        "around-session",
        1,
        "session",
    ),
    row("symbolon around all, JWT", "around-jwt", 2, "around-jwt"),
    row("symbolon guard, session", DAEMON, 1, "session"),
    row("symbolon guard, JWT", DAEMON, 2, AUTHORITY),
    row(
        "tower-sessions, memory",
        "tower-sessions",
        0,
        "tower-sessions",
    ),
    row("axum-login, memory", "axum-login", 0, "axum-login"),
    row("jsonwebtoken, EdDSA", "jsonwebtoken", 2, "jsonwebtoken"),
];

/// `symbolon guard`, as it is: it answers `GET /check` for a proxy.
const DAEMON: &str = "daemon";
/// What the daemon follows. Not measured.
const AUTHORITY: &str = "authority";

const fn row(name: &'static str, kind: &'static str, floor: usize, sent: &'static str) -> Row {
    Row {
        name,
        kind,
        floor,
        sent,
    }
}

/// A server on core 0. Dropping it ends it.
pub struct Server {
    child: Child,
    pub port: u16,
}

impl Server {
    /// The daemon in front of this authority.
    fn daemon(authority: &Self) -> Self {
        let port = {
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            free.local_addr().unwrap().port()
        };
        let child = Command::new("taskset")
            .args(["-c", "0", "target/release/symbolon", "guard"])
            .args(["--app", authority::APP, "--issuer", authority::ISSUER])
            .args([
                "--authority",
                &format!("http://127.0.0.1:{}", authority.port),
            ])
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { child, port };
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "the daemon does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    fn start(kind: &str) -> Self {
        let me = std::env::current_exe().unwrap();
        let mut child = Command::new("taskset")
            .args(["-c", "0"])
            .arg(me)
            .args(["serve", kind])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap();
        Self { child, port }
    }

    /// Nanoseconds for which its threads have run.
    pub fn cpu(&self) -> u64 {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let ran = |thread: std::fs::DirEntry| {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        };
        threads.flatten().filter_map(ran).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came of one row.
pub struct Result {
    pub name: &'static str,
    pub kind: &'static str,
    pub per_second: [f64; 3],
    pub ratio: [f64; 3],
    pub cpu: [f64; 3],
    pub cpu_ratio: [f64; 3],
    pub p50: f64,
    pub p99: f64,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "serve") {
        return runtime.block_on(server::serve(&arguments[1]));
    }
    if arguments.first().is_some_and(|first| first == "inside") {
        let rounds = arguments.get(1).map_or(2_001, |text| text.parse().unwrap());
        return runtime.block_on(inside::run(rounds));
    }
    let draws = arguments.iter().any(|argument| argument == "--draw");
    arguments.retain(|argument| argument != "--draw");
    let number = |at: usize, otherwise: f64| {
        let given = arguments.get(at).map(|text| text.parse().unwrap());
        given.unwrap_or(otherwise)
    };
    if arguments.first().is_some_and(|first| first == "crowd") {
        let (rounds, seconds) = (number(1, 15.0) as usize, number(2, 0.5));
        return runtime.block_on(crowd::run(rounds, seconds));
    }
    let (rounds, seconds) = (number(0, 15.0) as usize, number(1, 1.0));

    let kinds: Vec<&str> = ROWS.iter().map(|row| row.kind).collect();
    let servers: Vec<(&str, Server)> = kinds
        .iter()
        .enumerate()
        .filter(|(at, kind)| !kinds[..*at].contains(kind) && **kind != DAEMON)
        .map(|(_, kind)| (*kind, Server::start(kind)))
        .collect();
    let authority = Server::start(AUTHORITY);
    let daemon = Server::daemon(&authority);
    let servers: Vec<(&str, Server)> = servers
        .into_iter()
        .chain([(AUTHORITY, authority), (DAEMON, daemon)])
        .collect();
    let of = |kind: &str| &servers.iter().find(|(known, _)| *known == kind).unwrap().1;
    let results = runtime.block_on(async {
        let mut requests = Vec::new();
        for row in &ROWS {
            let credential = match row.sent {
                "" => String::new(),
                sent => client::credential(of(sent).port).await,
            };
            let path = if row.kind == DAEMON { "/check" } else { "/me" };
            let request = client::request(path, &credential);
            client::demands(
                of(row.kind).port,
                path,
                &credential,
                !matches!(row.kind, "bare" | "layer"),
            )
            .await;
            requests.push(request);
        }
        for (row, request) in ROWS.iter().zip(&requests) {
            turn(of(row.kind), Requests::one(request), 0.3).await;
        }
        let mut turns: Vec<Vec<Turn>> = Vec::new();
        for _ in 0..rounds {
            let mut round = Vec::new();
            for (row, request) in ROWS.iter().zip(&requests) {
                round.push(turn(of(row.kind), Requests::one(request), seconds).await);
            }
            turns.push(round);
        }
        turns
    });
    let results = summed(&results);
    print(&results);
    if draws {
        std::fs::write("docs/images/http.svg", picture::of(&results)).unwrap();
    }
}

fn summed(turns: &[Vec<Turn>]) -> Vec<Result> {
    ROWS.iter()
        .enumerate()
        .map(|(at, row)| {
            let each = |of: fn(&Turn) -> f64| quartiles(turns.iter().map(|round| of(&round[at])));
            let beside = |of: fn(&Turn) -> f64| {
                quartiles(
                    turns
                        .iter()
                        .map(|round| of(&round[at]) / of(&round[row.floor])),
                )
            };
            Result {
                name: row.name,
                kind: row.kind,
                per_second: each(|turn| turn.per_second),
                ratio: beside(|turn| turn.per_second),
                cpu: each(|turn| turn.cpu),
                cpu_ratio: beside(|turn| turn.cpu),
                p50: each(|turn| turn.p50)[1],
                p99: each(|turn| turn.p99)[1],
            }
        })
        .collect()
}

fn print(results: &[Result]) {
    println!(
        "| server | req/s | of axum alone | server's CPU us a request | of axum alone | p50 us | p99 us |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for result in results {
        let [low, middle, high] = result.per_second;
        let [least, ratio, most] = result.ratio;
        let [quick, cpu, slow] = result.cpu;
        let [from, cpu_ratio, to] = result.cpu_ratio;
        println!(
            "| {} | {middle:.0} ({low:.0}-{high:.0}) | **{ratio:.3}** ({least:.3}-{most:.3}) | {cpu:.2} ({quick:.2}-{slow:.2}) | {cpu_ratio:.3} ({from:.3}-{to:.3}) | {:.0} | {:.0} |",
            result.name, result.p50, result.p99
        );
    }
}

fn quartiles(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[values.len() * quarter / 4])
}
