//! An app in another language, `symbolon guard` beside it, and a real proxy in front, with the very files of
//! `examples/`.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use axum::{Json, Router, extract::Request};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

use crate::town::{self, Process, Town, client, free_port};

/// Header names that only the guard may fill, as a CGI app would read them.
pub(crate) const NAMES: [&str; 4] = [
    "x-auth-user",
    "x-auth-login",
    "x-auth-roles",
    "x-auth-freshness",
];

/// An app that knows nothing of us: it says what it got.
pub(crate) struct Echo {
    pub(crate) port: u16,
    _task: JoinSet<()>,
}

impl Echo {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut task = JoinSet::new();
        task.spawn(symbolon_server::serve(
            listener,
            Router::new().fallback(echo),
            std::future::pending(),
        ));
        Self { port, _task: task }
    }
}

async fn echo(request: Request) -> Json<Value> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1_000_000).await.unwrap();
    let headers: Vec<_> = parts
        .headers
        .iter()
        .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
        .collect();
    Json(json!({
        "method": parts.method.as_str(),
        "uri": parts.uri.to_string(),
        "body": String::from_utf8_lossy(&body),
        "headers": headers,
    }))
}

/// What the app got under a name, in any spelling that is one to a CGI app.
pub(crate) fn got<'a>(echo: &'a Value, name: &str) -> Vec<&'a str> {
    let headers = echo["headers"].as_array().unwrap();
    headers
        .iter()
        .filter(|header| header[0].as_str().unwrap().replace('_', "-") == name)
        .map(|header| header[1].as_str().unwrap())
        .collect()
}

/// A running `symbolon guard`.
pub(crate) struct Daemon {
    pub(crate) process: Process,
    pub(crate) port: u16,
    pub(crate) url: String,
    pub(crate) http: Client,
}

impl Daemon {
    /// Starts it for an app of the town and waits until it answers.
    pub(crate) async fn start(town: &Town, app: &str, secret: &str, more: &[&str]) -> Self {
        let port = free_port();
        let child = town::program(town.is_on_one_core)
            .args(["guard", "--authority", &town.url, "--app", app])
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(more)
            .env("SYMBOLON_CLIENT_SECRET", secret)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut daemon = Self {
            process: Process(child),
            port,
            url: format!("http://127.0.0.1:{port}"),
            http: client(),
        };
        let ready = daemon.get("/readyz");
        daemon.process.answers(&ready, StatusCode::OK).await;
        daemon
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.url))
    }

    /// `/check` about a request of this method, as Caddy and Traefik ask.
    pub(crate) fn check(&self, query: &str, method: &str) -> RequestBuilder {
        self.get(&format!("/check{query}"))
            .header("x-forwarded-method", method)
            .header("x-forwarded-uri", "/somewhere?x=1")
            .header("x-forwarded-host", "app.example")
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-for", "192.0.2.1")
    }
}

impl Process {
    /// Waits until the process answers this with such a status.
    async fn answers(&mut self, request: &RequestBuilder, status: StatusCode) {
        let began = Instant::now();
        loop {
            let answer = request.try_clone().unwrap().send().await;
            self.runs();
            match answer {
                Ok(answer) if answer.status() == status => return,
                answer => assert!(
                    began.elapsed() < Duration::from_secs(30),
                    "{request:?}: {answer:?}"
                ),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Nginx,
    Caddy,
    Haproxy,
}

impl Kind {
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "nginx" => Self::Nginx,
            "caddy" => Self::Caddy,
            "haproxy" => Self::Haproxy,
            _ => panic!("no proxy {name}"),
        }
    }
}

/// A proxy that is stopped with the test.
pub(crate) struct Proxy {
    pub(crate) url: String,
    pub(crate) http: Client,
    process: Process,
    _files: tempfile::TempDir,
}

impl Proxy {
    /// Starts the proxy at `port` with the example's own files; only addresses are replaced in them.
    pub(crate) async fn start(kind: Kind, port: u16, app: &Echo, daemon: &Daemon) -> Self {
        Self::start_with(kind, port, app, daemon, &[]).await
    }

    /// The same with more replaced in `HAProxy`'s script.
    pub(crate) async fn start_with(
        kind: Kind,
        port: u16,
        app: &Echo,
        daemon: &Daemon,
        in_script: &[(&str, String)],
    ) -> Self {
        let files = tempfile::tempdir().unwrap();
        let dir = files.path();
        let place = |name: &str, put: &[(&str, String)]| {
            let example = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("../../examples")
                .join(name);
            let mut text = fs::read_to_string(&example).unwrap();
            let ports = [
                ("127.0.0.1:7310", format!("127.0.0.1:{}", daemon.port)),
                ("127.0.0.1:8000", format!("127.0.0.1:{}", app.port)),
            ];
            for (old, new) in ports.iter().chain(put) {
                assert!(
                    text.contains(old) || *old == "127.0.0.1:8000",
                    "{name} does not say {old}"
                );
                text = text.replace(old, new);
            }
            let path = dir.join(Path::new(name).file_name().unwrap());
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let mut command = match kind {
            Kind::Nginx => {
                let site = place(
                    "nginx/symbolon.conf",
                    &[("listen 8080", format!("listen 127.0.0.1:{port}"))],
                );
                let root = dir.to_str().unwrap();
                let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                    .map(|what| format!("{what}_temp_path {root}/{what}; "))
                    .concat();
                // Somebody else's user could not get into a directory of ours.
                let whole = format!(
                    "user root; daemon off; master_process off; pid {root}/pid; error_log stderr error;\n\
                     events {{}}\nhttp {{ access_log off; {temporary}include {site}; }}\n"
                );
                fs::write(dir.join("nginx.conf"), whole).unwrap();
                let mut command = Command::new(program("nginx"));
                command.args(["-p", root, "-e", "stderr", "-c", "nginx.conf"]);
                command
            }
            Kind::Caddy => {
                let site = place(
                    "caddy/Caddyfile",
                    &[("localhost:8080", format!("localhost:{port}"))],
                );
                let text = fs::read_to_string(&site).unwrap();
                fs::write(
                    &site,
                    format!("{{\n\tadmin off\n\tdefault_bind 127.0.0.1\n}}\n{text}"),
                )
                .unwrap();
                let mut command = Command::new(program("caddy"));
                command
                    .args(["run", "--adapter", "caddyfile", "--config", &site])
                    .env("HOME", dir)
                    .env("XDG_DATA_HOME", dir)
                    .env("XDG_CONFIG_HOME", dir);
                command
            }
            Kind::Haproxy => {
                let lua = place("haproxy/symbolon.lua", in_script);
                let site = place(
                    "haproxy/haproxy.cfg",
                    &[
                        ("127.0.0.1:8080", format!("127.0.0.1:{port}")),
                        ("/etc/haproxy/symbolon.lua", lua),
                    ],
                );
                let mut command = Command::new(program("haproxy"));
                command.args(["-db", "-q", "-f", &site]);
                command
            }
        };
        let child = command
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut proxy = Self {
            url: format!("http://localhost:{port}"),
            http: client(),
            process: Process(child),
            _files: files,
        };
        let ready = proxy.request("GET", "/auth/sign-in");
        proxy.process.answers(&ready, StatusCode::FOUND).await;
        proxy
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.http
            .request(method.parse().unwrap(), format!("{}{path}", self.url))
    }

    /// As a script of the site's own page does.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        app: &str,
        credential: &str,
    ) -> RequestBuilder {
        self.request(method, path)
            .header("cookie", cookie(app, credential))
            .header("sec-fetch-site", "same-origin")
    }
}

pub(crate) fn cookie(app: &str, credential: &str) -> String {
    format!("theme=dark; __Host-{app}={credential}")
}

/// As a browser goes to a page.
pub(crate) fn navigates(request: RequestBuilder) -> RequestBuilder {
    request
        .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-site", "none")
}

/// The cookies that an answer sets: name and value.
pub(crate) fn cookies(answer: &Response) -> Vec<(String, String)> {
    let all = answer.headers().get_all("set-cookie").iter();
    all.map(|value| {
        let (pair, _) = value.to_str().unwrap().split_once(';').unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    })
    .collect()
}

/// Debian puts servers where only root looks.
fn program(name: &str) -> String {
    let places = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
    places
        .iter()
        .map(|place| format!("{place}/{name}"))
        .find(|path| Path::new(path).exists())
        .unwrap_or_else(|| {
            panic!("{name} is not installed: as root, apt-get install -y --no-install-recommends nginx-light caddy haproxy")
        })
}
