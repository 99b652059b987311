//! Logins and their ends a second over HTTP, the server on one core, without a password hash.
//!
//! `cargo bench -p symbolon-server --bench logins`: starts itself again as a server that is pinned
//! to core 0 (`taskset`), threads of the store included, and loads it from core 1 over 64 connections
//! that stay open. The server is the real one (`serve`, the authority's router, `Sqlite` in
//! `target/tmp`) with three routes of the bench beside the authority's: nothing, open a login, end
//! it. They do not pass the layers of the authority's own routes. A pair is two requests.
//! `BENCH_DIR` names another disk.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench: it prints its results"
)]

use std::{
    env,
    io::{BufRead, BufReader},
    num::NonZeroUsize,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use axum::{
    Router,
    extract::{Path, State},
    routing::{get, post},
};
use symbolon_server::{
    ServerState,
    authority::{
        Authority, PasswordHash, Passwords, Ports, RootSecret, Settings, User,
        ports::{Directory, Logins, NewGrant, NoRandomness, Terms, World},
    },
    login::{Digest, GrantId, Login, LoginPolicy, Scope, Sid, UnixMillis, UserId},
    router, serve,
};
use symbolon_stores::Sqlite;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const CONNECTIONS: usize = 64;
const USERS: u16 = 10_000;
const ROUNDS: usize = 9;
const A_ROUND: Duration = Duration::from_secs(1);

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    if env::args().any(|word| word == "serve") {
        runtime.block_on(server());
    } else {
        let this = env::current_exe().unwrap();
        let mut server = Command::new("taskset")
            .args(["-c", "0"])
            .arg(&this)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(server.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        // This process goes to the other core, if there is one.
        let pid = std::process::id().to_string();
        let _ = Command::new("taskset")
            .args(["-c", "-p", "1", &pid])
            .stdout(Stdio::null())
            .status();
        runtime.block_on(load(address.trim()));
        // Its end of input tells the server to stop.
        drop(server.stdin.take());
        server.wait().unwrap();
    }
}

async fn load(address: &str) {
    let (mut nothing, mut pairs) = (Vec::new(), Vec::new());
    // The first round warms up.
    for round in 0..=ROUNDS {
        let idle = together(address, Work::Nothing).await;
        let both = together(address, Work::Pair).await;
        if round > 0 {
            nothing.push(idle);
            pairs.push(both);
        }
    }
    let ratios = pairs
        .iter()
        .zip(&nothing)
        .map(|(pair, nothing)| 2.0 * pair / nothing);
    let ratios = spread(ratios.collect());
    println!("| work | a second |");
    println!("| --- | --- |");
    println!("| a request that does nothing | {} |", spread(nothing));
    println!("| a login and its end (budget 20000) | {} |", spread(pairs));
    println!("| requests of the second to the first | {ratios} |");
}

#[derive(Clone, Copy)]
enum Work {
    Nothing,
    Pair,
}

/// How often the work is done in a second by all connections.
async fn together(address: &str, work: Work) -> f64 {
    let begun = Instant::now();
    let callers = (0..CONNECTIONS).map(|_| {
        let address = address.to_owned();
        tokio::spawn(async move {
            let mut caller = Caller::connect(&address).await;
            let mut done = 0_u32;
            while begun.elapsed() < A_ROUND {
                match work {
                    Work::Nothing => {
                        caller.ask("GET /bench/nothing").await;
                    }
                    Work::Pair => {
                        let sid = caller.ask("POST /bench/logins").await;
                        let one = caller.ask(&format!("DELETE /bench/logins/{sid}")).await;
                        assert_eq!(one, "1");
                    }
                }
                done += 1;
            }
            done
        })
    });
    let mut done = 0;
    for caller in callers.collect::<Vec<_>>() {
        done += caller.await.unwrap();
    }
    f64::from(done) / begun.elapsed().as_secs_f64()
}

struct Caller {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Caller {
    async fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            answer: vec![0; 4_096],
        }
    }

    /// One request without a body; gives the answer's body.
    async fn ask(&mut self, what: &str) -> String {
        let request = format!("{what} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let mut length = 0;
        loop {
            length += self.stream.read(&mut self.answer[length..]).await.unwrap();
            let text = str::from_utf8(&self.answer[..length]).unwrap();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                assert!(head.starts_with("HTTP/1.1 200"), "{head}");
                let promised = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .unwrap();
                if body.len() == promised.parse::<usize>().unwrap() {
                    return body.to_owned();
                }
            }
        }
    }
}

#[derive(Clone)]
struct Bench {
    store: Arc<Sqlite>,
    world: Arc<RealWorld>,
}

async fn server() {
    let place = env::var_os("BENCH_DIR").unwrap_or(env!("CARGO_TARGET_TMPDIR").into());
    let dir = tempfile::tempdir_in(place).unwrap();
    let bench = Bench {
        store: Arc::new(Sqlite::open(dir.path()).unwrap()),
        world: Arc::new(RealWorld(SystemRandom::new())),
    };
    for number in 0..USERS {
        let user = User {
            id: user_id(number),
            identifier: format!("person{number}").parse().unwrap(),
            roles: Vec::new(),
            policy: LoginPolicy::default(),
            created_at: UnixMillis::from_secs(0),
            disabled_at: None,
        };
        let hash = PasswordHash::from_phc("x".to_owned());
        bench.store.add_user(user, hash).await.unwrap();
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let ports = Ports {
        directory: bench.store.clone(),
        logins: bench.store.clone(),
        limits: bench.store.clone(),
        once: bench.store.clone(),
        world: bench.world.clone(),
    };
    let passwords = Passwords::start(NonZeroUsize::MIN, 64, [7; 16]).unwrap();
    let root = RootSecret::from_bytes([9; 32]);
    let settings = Settings::new(format!("http://{address}"));
    let authority = Authority::open(ports, &root, passwords, settings).await;
    let state = ServerState::new(Arc::new(authority.unwrap()), false).unwrap();
    let ours = Router::new()
        .route("/bench/nothing", get(async || "nothing"))
        .route("/bench/logins", post(open))
        .route("/bench/logins/{sid}", axum::routing::delete(end))
        .with_state(bench);
    println!("{address}");
    let stop = async {
        let _ = tokio::io::stdin().read(&mut [0]).await;
    };
    serve(listener, router(state).merge(ours), stop).await;
}

fn user_id(number: u16) -> UserId {
    let [high, low] = number.to_be_bytes();
    UserId::mint(
        UnixMillis::from_secs(0),
        [0, 0, 0, high, low, 0, 0, 0, 0, 0],
    )
}

async fn open(State(bench): State<Bench>) -> String {
    let now = bench.world.now();
    let (mut sid, mut secret, mut any) = ([0; 10], [0; 10], [0; 2]);
    for bytes in [&mut sid[..], &mut secret[..], &mut any[..]] {
        bench.world.fill(bytes).unwrap();
    }
    let sid = Sid::mint(now, sid);
    let login = Login {
        sid,
        user: user_id(u16::from_be_bytes(any) % USERS),
        authenticated_at: now,
        methods: vec!["pwd".to_owned()],
        device: Some("Firefox on Linux".to_owned()),
        expires_at: now.plus(Duration::from_secs(30 * 86_400)),
        idle: None,
        remembered: true,
        ended_at: None,
    };
    let grant = NewGrant {
        id: GrantId::first_of(sid),
        client_id: "backoffice".parse().unwrap(),
        digest: Digest::of("bench", &secret),
    };
    bench
        .store
        .open(login, grant, Terms::default(), now)
        .await
        .unwrap();
    sid.to_string()
}

async fn end(State(bench): State<Bench>, Path(sid): Path<String>) -> String {
    let sid = sid.parse().unwrap();
    let ended = bench.store.end(Scope::Login { sid }, bench.world.now());
    ended.await.unwrap().count.to_string()
}

struct RealWorld(SystemRandom);

impl World for RealWorld {
    fn now(&self) -> UnixMillis {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        UnixMillis::from_millis(i64::try_from(since.unwrap().as_millis()).unwrap())
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        self.0.fill(bytes).map_err(|_| NoRandomness)
    }

    fn signing_random(&self) -> &dyn SecureRandom {
        &self.0
    }
}

/// The middle of the figures and, around it, their middle half.
fn spread(mut figures: Vec<f64>) -> String {
    figures.sort_by(f64::total_cmp);
    let at = |part: usize| figures[(figures.len() - 1) * part / 4];
    if at(2) > 10.0 {
        format!("{:.0} ({:.0}-{:.0})", at(2), at(1), at(3))
    } else {
        format!("{:.2} ({:.2}-{:.2})", at(2), at(1), at(3))
    }
}
