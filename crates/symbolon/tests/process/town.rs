//! An authority and apps as processes, for one test each.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};

use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_symbolon");
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A client that keeps no cookies and follows no redirects.
pub(crate) fn client() -> Client {
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap()
}

/// The first of three ports in a row that nobody listens on and that no other test was given: the demo
/// takes as many.
///
/// A test holds the UDP ports of these numbers until its process ends, so that no test beside it is given a port on
/// which it listens only later. They are below those that the system gives to clients, of which such tests use many;
/// each process looks from a place of its own.
pub(crate) fn free_port() -> u16 {
    static HELD: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());
    let mut held = HELD.lock().unwrap();
    let from = std::process::id() * 111 % 20_000;
    for place in (from..20_000).chain(0..from) {
        let port = u16::try_from(10_000 + place).unwrap();
        if let Ok(three) = hold(port) {
            held.extend(three);
            return port;
        }
    }
    panic!("no three ports in a row are free between 10000 and 30000")
}

#[test]
fn a_port_that_was_given_is_not_given_again_before_somebody_listens() {
    let port = free_port();
    for taken in port..port + 3 {
        assert!(hold(taken).is_err(), "{taken}");
    }
}

fn hold(first: u16) -> io::Result<Vec<UdpSocket>> {
    let three = first..first + 3;
    three
        .map(|port| {
            let held = UdpSocket::bind(("127.0.0.1", port))?;
            TcpListener::bind(("127.0.0.1", port)).map(|_| held)
        })
        .collect()
}

/// Variables for the program's environment.
pub(crate) type Environment = Vec<(&'static str, String)>;

/// Runs a command of the program to its end.
pub(crate) fn run(arguments: &[&str], stdin: &str) -> Output {
    run_in(&[], arguments, stdin)
}

/// Runs a command to its end, with these variables in its environment.
pub(crate) fn run_in(
    environment: &[(&'static str, String)],
    arguments: &[&str],
    stdin: &str,
) -> Output {
    let mut command = Command::new(PROGRAM);
    // Whatever this machine's people speak.
    for locale in ["LC_ALL", "LC_MESSAGES", "LANG"] {
        command.env_remove(locale);
    }
    let mut child = command
        .args(arguments)
        .envs(environment.iter().cloned())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(stdin.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

/// Runs a command that must succeed, and reads its JSON.
pub(crate) fn run_json(arguments: &[&str], stdin: &str) -> Value {
    json_of(arguments, &run(arguments, stdin))
}

/// The JSON of a command that succeeded.
fn json_of(arguments: &[&str], output: &Output) -> Value {
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{arguments:?}: no JSON"))
}

/// A process that is killed with the test.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    /// Fails the test where the process has ended: what answers at its address is somebody else.
    pub(crate) fn runs(&mut self) {
        let ended = self.0.try_wait().unwrap();
        assert!(ended.is_none(), "it ended before its time: {ended:?}");
    }

    pub(crate) fn signal(&self, name: &str) {
        send(name, &self.0.id().to_string());
    }

    /// To the process and all that it started, as a terminal does at Ctrl-C. For processes that lead
    /// a group.
    pub(crate) fn signal_group(&self, name: &str) {
        send(name, &format!("-{}", self.0.id()));
    }

    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// By the shell's own `kill`: not every machine has it as a program.
fn send(signal: &str, to: &str) {
    let script = ["-c", r#"kill -s "$0" -- "$1""#, signal, to];
    let status = Command::new("sh").args(script).status().unwrap();
    assert!(status.success(), "kill -{signal} -- {to}");
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A data directory and the authority that runs on it.
pub(crate) struct Town {
    pub(crate) authority: Option<Process>,
    pub(crate) url: String,
    pub(crate) http: Client,
    /// Chooses the stores; also for commands without a server.
    pub(crate) environment: Environment,
    pub(crate) port: u16,
    directory: tempfile::TempDir,
    /// Whether the authority may use one core only.
    pub(crate) is_on_one_core: bool,
}

/// The program, or the same on the machine's first core alone.
pub(crate) fn program(is_on_one_core: bool) -> Command {
    if !is_on_one_core {
        return Command::new(PROGRAM);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", "0", PROGRAM]);
    command
}

impl Town {
    /// An authority with alice, bob and an administrator, and two first-party apps: `pages`
    /// (session) and `api` (jwt).
    pub(crate) async fn new() -> Self {
        Self::on(Vec::new()).await
    }

    /// The same on the stores that these variables choose.
    pub(crate) async fn on(environment: Environment) -> Self {
        let mut town = Self::empty(environment);
        for (name, role) in [("alice", None), ("bob", None), ("admin", Some("admin"))] {
            let mut arguments = vec!["user", "add", name, "--password-stdin"];
            arguments.extend(role.iter().flat_map(|role| ["--role", role]));
            town.order(&arguments, &format!("{PASSWORD}\n"));
        }
        town.start().await;
        town
    }

    /// A place for an authority, with nothing in it.
    pub(crate) fn empty(environment: Environment) -> Self {
        let port = free_port();
        Self {
            authority: None,
            url: format!("http://localhost:{port}"),
            http: client(),
            environment,
            port,
            directory: tempfile::tempdir().unwrap(),
            is_on_one_core: false,
        }
    }

    /// Runs a command for this authority, beside its server or without one, and reads its JSON.
    pub(crate) fn order(&self, more: &[&str], stdin: &str) -> Value {
        json_of(more, &self.try_order(more, stdin))
    }

    pub(crate) fn try_order(&self, more: &[&str], stdin: &str) -> Output {
        let data = self.data();
        run_in(&self.environment, &Self::arguments(&data, more), stdin)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub(crate) fn arguments<'a>(data: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
        let mut arguments = more.to_vec();
        arguments.extend(["--data", data.to_str().unwrap(), "--json"]);
        arguments
    }

    /// Starts the authority and waits until it is ready; gives the time that took.
    pub(crate) async fn start(&mut self) -> Duration {
        let began = Instant::now();
        let child = program(self.is_on_one_core)
            .args(["serve", "--listen", &format!("localhost:{}", self.port)])
            .arg("--data")
            .arg(self.data())
            .envs(self.environment.iter().cloned())
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let authority = self.authority.insert(Process(child));
        let ready = format!("{}/readyz", self.url);
        loop {
            authority.runs();
            if let Ok(answer) = self.http.get(&ready).send().await
                && answer.status().is_success()
            {
                return began.elapsed();
            }
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "the authority did not get ready"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) fn kill(&mut self) {
        self.authority.take().unwrap().kill();
    }

    /// Ends the authority in order.
    pub(crate) fn stop(&mut self) {
        let mut authority = self.authority.take().unwrap();
        authority.signal("TERM");
        assert!(authority.0.wait().unwrap().success());
    }

    /// Registers a first-party app that redirects to this address. Gives its client secret.
    pub(crate) fn register_app(
        &self,
        client_id: &str,
        shape: &str,
        freshness: &str,
        redirect: &str,
    ) -> String {
        let arguments = [
            "app",
            "add",
            client_id,
            "--shape",
            shape,
            "--freshness",
            freshness,
            "--first-party",
            "--redirect-uri",
            redirect,
        ];
        let added = self.order(&arguments, "");
        text(&added, "client_secret").to_owned()
    }

    /// Registers an app at a free port and starts it as a process of its own.
    pub(crate) fn start_app(&self, client_id: &str, shape: &str, freshness: &str) -> App {
        self.start_app_at(&self.url, client_id, shape, freshness)
    }

    /// The same with the authority under another URL.
    pub(crate) fn start_app_at(
        &self,
        authority: &str,
        client_id: &str,
        shape: &str,
        freshness: &str,
    ) -> App {
        let port = free_port();
        let redirect = format!("http://localhost:{port}/auth/callback");
        let secret = self.register_app(client_id, shape, freshness, &redirect);
        let settings = json!({
            "client_id": client_id,
            "client_secret": secret,
            "port": port,
            "authority": authority,
            "other": { "client_id": "dashboard", "url": "http://localhost:1" },
        });
        let mut child = Command::new(PROGRAM)
            .arg("demo-app")
            .env("RUST_LOG", "warn")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        writeln!(stdin, "{settings}").unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "ready\n");
        App {
            process: Process(child),
            _stdin: stdin,
            client_id: client_id.to_owned(),
            secret,
            url: format!("http://localhost:{port}"),
            http: client(),
        }
    }

    /// Signs somebody in for an app, as a first-party client does.
    pub(crate) async fn sign_in(&self, identifier: &str, client_id: &str) -> Value {
        let answer = self.try_sign_in(identifier, PASSWORD, client_id).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        answer.json().await.unwrap()
    }

    pub(crate) async fn try_sign_in(
        &self,
        identifier: &str,
        password: &str,
        client_id: &str,
    ) -> Response {
        self.http
            .post(format!("{}/api/v1/logins", self.url))
            .json(
                &json!({ "identifier": identifier, "password": password, "client_id": client_id }),
            )
            .send()
            .await
            .unwrap()
    }

    /// Ends all logins of the credential's owner; the authority has acknowledged when this is back.
    pub(crate) async fn end_all(&self, credential: &str) -> Value {
        let answer = self
            .request("DELETE", "/api/v1/logins", credential)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json().await.unwrap()
    }

    pub(crate) fn request(&self, method: &str, path: &str, credential: &str) -> RequestBuilder {
        self.http
            .request(method.parse().unwrap(), format!("{}{path}", self.url))
            .bearer_auth(credential)
    }

    /// What the authority itself answers to this credential.
    pub(crate) async fn me(&self, credential: &str) -> StatusCode {
        let asked = self.request("GET", "/api/v1/me", credential);
        asked.send().await.unwrap().status()
    }

    pub(crate) async fn refresh(&self, app: &App, secret: &str) -> Response {
        self.http
            .post(format!("{}/oauth2/token", self.url))
            .basic_auth(&app.client_id, Some(&app.secret))
            .form(&[("grant_type", "refresh_token"), ("refresh_token", secret)])
            .send()
            .await
            .unwrap()
    }
}

/// An app behind its own guard, in a process of its own.
pub(crate) struct App {
    pub(crate) process: Process,
    _stdin: ChildStdin,
    pub(crate) client_id: String,
    pub(crate) secret: String,
    pub(crate) url: String,
    http: Client,
}

impl App {
    /// Waits until the app gives this answer.
    pub(crate) async fn comes_to(&self, expected: StatusCode, credential: &str, within: Duration) {
        let began = Instant::now();
        loop {
            let answer = self.whoami(credential).await;
            if answer == expected {
                return;
            }
            assert!(
                began.elapsed() < within,
                "{} answers {answer}, not {expected}",
                self.client_id
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What the app answers to this credential.
    pub(crate) async fn whoami(&self, credential: &str) -> StatusCode {
        self.http
            .get(format!("{}/api/whoami", self.url))
            .bearer_auth(credential)
            .send()
            .await
            .unwrap()
            .status()
    }
}

/// A text member of an answer.
pub(crate) fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} is missing in {answer}"))
}
