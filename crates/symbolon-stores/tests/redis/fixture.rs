//! Servers of our own, and people with logins on them.

use std::{
    env,
    future::Future,
    net::{TcpListener, UdpSocket},
    path::PathBuf,
    process::{self, Child, Command, Stdio},
    sync::Mutex,
    time::Duration,
};

use redis::{FromRedisValue, cmd};
use symbolon_authority::{
    PasswordHash, User,
    ports::{Directory, Logins, NewGrant, Open, Terms},
};
use symbolon_login::{Digest, GrantId, Login, LoginPolicy, Sid, UnixMillis, UserId};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

pub(crate) const NOW: UnixMillis = UnixMillis::from_secs(1_800_000_000);

pub(crate) fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run tests/servers/run cargo nextest run -p symbolon-stores")
    })
}

pub(crate) fn directory() -> PathBuf {
    variable("SYMBOLON_TEST_REDIS_DIR").into()
}

/// A server that is a child of the test. Dropped, it is gone.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    options: Vec<String>,
    data: TempDir,
}

impl Server {
    /// One that syncs each write, with further options.
    pub(crate) fn start(options: &[&str]) -> Self {
        let port = free_port();
        let data = tempfile::tempdir().unwrap();
        let mut all = "--bind 127.0.0.1 --save --appendonly yes --appendfsync always"
            .split(' ')
            .map(str::to_owned)
            .collect::<Vec<_>>();
        all.insert(3, String::new());
        all.extend(options.iter().map(|&option| option.to_owned()));
        let child = Self::spawn(port, &all, &data);
        Self {
            child,
            port,
            options: all,
            data,
        }
    }

    #[expect(
        clippy::zombie_processes,
        reason = "waited for when it is killed; a test that panics ends"
    )]
    fn spawn(port: u16, options: &[String], data: &TempDir) -> Child {
        let child = Command::new(directory().join("redis-server"))
            .args(["--port", &port.to_string()])
            .args(options)
            .current_dir(data.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..200 {
            let client = redis::Client::open(("127.0.0.1", port)).unwrap();
            let up = client
                .get_connection()
                .and_then(|mut up| cmd("PING").query::<String>(&mut up));
            if up.map_or_else(|error| error.code().is_some(), |_| true) {
                return child;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the server does not come up");
    }

    /// Kills it at once.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again with what it has on disk.
    pub(crate) fn restart(&mut self) {
        self.child = Self::spawn(self.port, &self.options, &self.data);
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Asks it past the store.
    pub(crate) fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        ask(self.port, words)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody listens on. Its UDP port is held until the process ends, so that no test beside this one is
/// given the same before its server listens.
///
/// Below the ports that the system gives to clients: one of those that tries a port of its own range may get
/// through to itself.
fn free_port() -> u16 {
    static HELD: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());
    let from = 10_000 + u16::try_from(process::id() * 37 % 20_000).unwrap();
    let (port, held) = (from..32_000)
        .chain(10_000..from)
        .find_map(|port| {
            let held = UdpSocket::bind(("127.0.0.1", port)).ok()?;
            TcpListener::bind(("127.0.0.1", port)).ok()?;
            Some((port, held))
        })
        .unwrap();
    HELD.lock().unwrap().push(held);
    port
}

/// Asks a server past the store.
pub(crate) fn ask<T: FromRedisValue>(port: u16, words: &[&str]) -> T {
    let client = redis::Client::open(("127.0.0.1", port)).unwrap();
    let mut connection = client.get_connection().unwrap();
    let (name, args) = words.split_first().unwrap();
    cmd(name).arg(args).query(&mut connection).unwrap()
}

pub(crate) fn random(n: u64) -> [u8; 10] {
    let mut random = [0; 10];
    random[..8].copy_from_slice(&n.to_be_bytes());
    random
}

pub(crate) fn user(n: u64) -> UserId {
    UserId::mint(NOW, random(n))
}

pub(crate) fn sid(n: u64) -> Sid {
    Sid::mint(NOW, random(n))
}

pub(crate) fn grant_id(n: u64) -> GrantId {
    GrantId::mint(NOW, random(n))
}

pub(crate) async fn add_person(store: &impl Directory, n: u64) {
    let person = User {
        id: user(n),
        identifier: format!("person{n}").parse().unwrap(),
        roles: Vec::new(),
        policy: LoginPolicy::default(),
        created_at: NOW,
        disabled_at: None,
    };
    let password = PasswordHash::from_phc("x".to_owned());
    store.add_user(person, password).await.unwrap();
}

/// Opens login `n` of a person with grant `n`. False: it could not be done, or not be told.
pub(crate) async fn try_open(store: &impl Logins, whose: u64, n: u64) -> bool {
    let login = Login {
        sid: sid(n),
        user: user(whose),
        authenticated_at: NOW,
        methods: vec!["pwd".to_owned()],
        device: None,
        expires_at: NOW.plus(Duration::from_secs(86_400)),
        idle: None,
        remembered: true,
        ended_at: None,
    };
    let grant = NewGrant {
        id: grant_id(n),
        client_id: "app".parse().unwrap(),
        digest: Digest::of("test", &n.to_be_bytes()),
    };
    let opened = store.open(login, grant, Terms::default(), NOW).await;
    matches!(opened, Ok(Open::Opened(_)))
}

/// Whether grant `n` is found alive. Err: nobody can tell.
pub(crate) async fn lives(store: &impl Logins, n: u64) -> Result<bool, String> {
    match store.find(grant_id(n)).await {
        Ok(found) => Ok(found
            .is_some_and(|found| found.login.ended_at.is_none() && found.grant.ended_at.is_none())),
        Err(error) => Err(error.to_string()),
    }
}

/// Tries until it is so, for up to 20 seconds.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let until = Instant::now() + Duration::from_secs(20);
    while !is_so().await {
        assert!(Instant::now() < until, "not within 20 s: {what}");
        sleep(Duration::from_millis(50)).await;
    }
}
