//! `symbolon guard` by itself: its addresses, its query, whose word counts, its sockets.

use std::{
    fs,
    io::{Read, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::{
    street::{Daemon, cookie, navigates},
    town::{PROGRAM, Process, Town, run, text},
};

const CALLBACK: &str = "https://app.example/auth/callback";
const PUBLIC: [&str; 2] = ["--public-url", "https://app.example"];

async fn problem(answer: Response, status: StatusCode, name: &str) -> Value {
    assert_eq!(answer.status(), status);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(
        problem["type"],
        format!("urn:symbolon:problem:{name}"),
        "{problem}"
    );
    problem
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers()[name].to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guards_query_is_understood_or_refused() {
    let town = Town::new().await;
    let secret = town.register_app("api", "jwt", "within(10s)", CALLBACK);
    let daemon = Daemon::start(&town, "api", &secret, &PUBLIC).await;
    let alice = town.sign_in("alice", "api").await;
    let alice = text(&alice, "access_token");
    let check = |query: &str| daemon.check(query, "GET").bearer_auth(alice).send();
    for query in [
        "",
        "?",
        "?freshness=within(1s)",
        "?freshness=until_expiry",
        "?optional",
    ] {
        let answer = check(query).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{query}");
        assert!(header(&answer, "x-auth-freshness").contains("; staleness="));
        assert_eq!(header(&answer, "cache-control"), "no-store");
        assert_eq!(header(&answer, "content-length"), "0");
    }
    let live = check("?freshness=live").await.unwrap();
    assert!(header(&live, "x-auth-freshness").starts_with("live; "));
    for query in ["?role=admin", "?freshness=live&role=admin"] {
        problem(
            check(query).await.unwrap(),
            StatusCode::FORBIDDEN,
            "forbidden",
        )
        .await;
    }
    for query in [
        "?roles=admin",
        "?role=a&role=a",
        "?max_age=300",
        "?freshness=soon",
        "?optional&role=a",
    ] {
        problem(
            check(query).await.unwrap(),
            StatusCode::BAD_REQUEST,
            "bad-request",
        )
        .await;
    }
    let admin = town.sign_in("admin", "api").await;
    let admin = daemon
        .check("?role=admin", "GET")
        .bearer_auth(text(&admin, "access_token"));
    assert_eq!(
        header(&admin.send().await.unwrap(), "x-auth-roles"),
        "admin"
    );

    let nobody = daemon.check("?optional", "GET").send().await.unwrap();
    assert_eq!(nobody.status(), StatusCode::OK);
    assert!(
        nobody
            .headers()
            .keys()
            .all(|name| !name.as_str().starts_with("x-auth"))
    );
    let nobody = daemon.check("", "GET").send().await.unwrap();
    problem(nobody, StatusCode::UNAUTHORIZED, "not-signed-in").await;
    // Both ways to ask what a refusal looks like; a yes is none.
    let page = navigates(daemon.get("/refused")).header("x-forwarded-method", "GET");
    assert_eq!(page.send().await.unwrap().status(), StatusCode::FOUND);
    let yes = daemon
        .get("/refused")
        .header("x-forwarded-method", "GET")
        .bearer_auth(alice);
    problem(
        yes.send().await.unwrap(),
        StatusCode::SERVICE_UNAVAILABLE,
        "try-again",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_core_is_enough_for_authority_and_guard() {
    let mut town = Town::new().await;
    town.stop();
    town.is_on_one_core = true;
    town.start().await;
    let secret = town.register_app("api", "jwt", "within(10s)", CALLBACK);
    let daemon = Daemon::start(&town, "api", &secret, &PUBLIC).await;
    for shown in ["first", "second"] {
        let alice = town.sign_in("alice", "api").await;
        let check = || {
            daemon
                .check("", "GET")
                .bearer_auth(text(&alice, "access_token"))
        };
        let answers = futures_util::future::join_all((0..64).map(|_| check().send())).await;
        assert!(
            answers
                .iter()
                .all(|answer| answer.as_ref().unwrap().status() == StatusCode::OK),
            "{shown}"
        );
        town.order(&["login", "end", "--user", "alice"], "");
        let began = Instant::now();
        while check().send().await.unwrap().status() != StatusCode::UNAUTHORIZED {
            assert!(began.elapsed() < Duration::from_secs(10), "{shown}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guard_answers_at_its_own_addresses_only() {
    let town = Town::new().await;
    let secret = town.register_app("pages", "session", "within(10s)", CALLBACK);
    let daemon = Daemon::start(&town, "pages", &secret, &PUBLIC).await;
    for path in [
        "/",
        "/check/",
        "/checks",
        "/auth/",
        "/auth/sign-in/",
        "/metrics/x",
        "//check",
    ] {
        problem(
            daemon.get(path).send().await.unwrap(),
            StatusCode::NOT_FOUND,
            "not-found",
        )
        .await;
    }
    let posted = daemon
        .http
        .post(format!("{}/check", daemon.url))
        .send()
        .await
        .unwrap();
    assert_eq!(header(&posted, "allow"), "GET");
    problem(posted, StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed").await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(
            daemon.get(path).send().await.unwrap().status(),
            StatusCode::OK
        );
    }
    daemon.check("", "GET").send().await.unwrap();
    let metrics = daemon.get("/metrics").send().await.unwrap();
    assert!(header(&metrics, "content-type").starts_with("text/plain; version=0.0.4"));
    let metrics = metrics.text().await.unwrap();
    for line in [
        "symbolon_guard_ready 1",
        "symbolon_guard_checks_total{status=\"401\"} 1",
    ] {
        assert!(
            metrics.lines().any(|one| one == line),
            "{line} in {metrics}"
        );
    }
    assert!(!metrics.contains(&secret));
}

/// Traefik's headers, which no server from Debian speaks.
#[tokio::test(flavor = "multi_thread")]
async fn the_guard_understands_traefik_and_believes_whom_it_is_told_to() {
    let town = Town::new().await;
    let secret = town.register_app("pages", "session", "within(10s)", CALLBACK);
    let daemon = Daemon::start(&town, "pages", &secret, &PUBLIC).await;
    let alice = town.sign_in("alice", "pages").await;
    let alice = text(&alice, "access_token");
    let with_cookie = |method: &str| {
        daemon
            .check("", method)
            .header("cookie", cookie("pages", alice))
    };
    assert_eq!(
        with_cookie("GET").send().await.unwrap().status(),
        StatusCode::OK
    );
    let cross_site = with_cookie("POST").header("sec-fetch-site", "cross-site");
    problem(
        cross_site.send().await.unwrap(),
        StatusCode::FORBIDDEN,
        "cross-site",
    )
    .await;
    let own = with_cookie("POST").header("origin", "https://app.example");
    assert_eq!(own.send().await.unwrap().status(), StatusCode::OK);
    // Traefik takes `Upgrade` off.
    let handshake = with_cookie("GET")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("origin", "https://evil.example");
    problem(
        handshake.send().await.unwrap(),
        StatusCode::FORBIDDEN,
        "cross-site",
    )
    .await;
    let page = navigates(daemon.check("", "GET")).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::FOUND);
    // What forwarded headers say of host and scheme leads nobody elsewhere.
    let elsewhere = navigates(daemon.check("", "GET")).header("x-forwarded-host", "evil.example");
    let elsewhere = elsewhere.send().await.unwrap();
    assert!(
        header(&elsewhere, "location").contains("redirect_uri=https%3A%2F%2Fapp.example%2Fauth")
    );
    // nginx can pass no redirect on.
    let nginx = navigates(daemon.get("/check")).header("x-original-method", "GET");
    assert_eq!(
        nginx.send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );

    // Two that contradict each other.
    let both = with_cookie("GET").header("x-original-method", "POST");
    problem(
        both.send().await.unwrap(),
        StatusCode::BAD_REQUEST,
        "bad-request",
    )
    .await;
    // Nobody says the method: a proxy that was not told to.
    let silent = || {
        daemon
            .get("/check")
            .header("cookie", cookie("pages", alice))
    };
    problem(
        silent().send().await.unwrap(),
        StatusCode::BAD_REQUEST,
        "method-unknown",
    )
    .await;
    let proved = silent().header("sec-fetch-site", "same-origin");
    assert_eq!(proved.send().await.unwrap().status(), StatusCode::OK);
    let bearer = daemon.get("/check").bearer_auth(alice);
    assert_eq!(bearer.send().await.unwrap().status(), StatusCode::OK);

    // A proxy that nobody named.
    let more = [&PUBLIC[..], &["--trust-proxy", "10.0.0.0/8"]].concat();
    let strict = Daemon::start(&town, "pages", &secret, &more).await;
    let get = || {
        strict
            .check("", "GET")
            .header("cookie", cookie("pages", alice))
    };
    problem(
        get().send().await.unwrap(),
        StatusCode::BAD_REQUEST,
        "method-unknown",
    )
    .await;
    let cross_site = get()
        .header("sec-fetch-site", "cross-site")
        .send()
        .await
        .unwrap();
    problem(cross_site, StatusCode::BAD_REQUEST, "method-unknown").await;
    let page = navigates(strict.check("", "GET")).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guard_listens_on_a_unix_socket_with_its_secret_in_a_file() {
    let town = Town::new().await;
    let secret = town.register_app("pages", "session", "live", CALLBACK);
    let directory = tempfile::tempdir().unwrap();
    let (socket, file) = (
        directory.path().join("guard.sock"),
        directory.path().join("secret"),
    );
    fs::write(&file, format!("{secret}\n")).unwrap();
    let start = || {
        let child = Command::new(PROGRAM)
            .args([
                "guard",
                "--authority",
                &town.url,
                "--app",
                "pages",
                "--socket-mode",
                "0660",
            ])
            .args(["--listen", &format!("unix:{}", socket.display())])
            .args(["--client-secret-file", file.to_str().unwrap()])
            .env("RUST_LOG", "error")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Process(child)
    };
    let alice = town.sign_in("alice", "pages").await;
    let alice = text(&alice, "access_token");
    let ask = |path: &str| {
        let mut stream = UnixStream::connect(&socket).ok()?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Forwarded-Method: GET\r\nCookie: {}\r\n\r\n",
            cookie("pages", alice)
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    };
    let ready = || {
        let began = Instant::now();
        while !ask("/readyz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
            assert!(began.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let mut first = start();
    ready();
    assert_eq!(
        fs::metadata(&socket).unwrap().permissions().mode() & 0o777,
        0o660
    );
    let answer = ask("/check").unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("x-auth-freshness: live; "),
        "{answer}"
    );
    let mut second = start();
    assert!(
        !second.0.wait().unwrap().success(),
        "somebody listens there"
    );
    // Its file stays behind, and is in nobody's way.
    first.kill();
    assert!(socket.exists());
    let mut third = start();
    ready();
    third.signal("TERM");
    assert!(third.0.wait().unwrap().success());
    assert!(!socket.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guard_starts_before_its_authority_and_says_503_until_then() {
    let mut town = Town::new().await;
    let secret = town.register_app("api", "jwt", "within(10s)", CALLBACK);
    let login = town.sign_in("alice", "api").await;
    town.stop();
    let port = crate::town::free_port();
    let child = Command::new(PROGRAM)
        .args(["guard", "--authority", &town.url, "--app", "api"])
        .args(["--listen", &format!("127.0.0.1:{port}")])
        .env("SYMBOLON_CLIENT_SECRET", secret)
        .env("RUST_LOG", "error")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let _daemon = Process(child);
    let url = format!("http://127.0.0.1:{port}");
    let began = Instant::now();
    while town
        .http
        .get(format!("{url}/healthz"))
        .send()
        .await
        .is_err()
    {
        assert!(began.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let check = || {
        town.http
            .get(format!("{url}/check"))
            .bearer_auth(text(&login, "access_token"))
    };
    for answer in [check(), town.http.get(format!("{url}/readyz"))] {
        let answer = answer.send().await.unwrap();
        problem(answer, StatusCode::SERVICE_UNAVAILABLE, "guard-stale").await;
    }
    let check = check();
    town.start().await;
    let mut answer = check.try_clone().unwrap().send().await.unwrap();
    while answer.status() != StatusCode::OK {
        assert!(began.elapsed() < Duration::from_secs(40));
        answer = check.try_clone().unwrap().send().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guard_asks_another_node_where_the_first_is_away() {
    let town = Town::new().await;
    let secret = town.register_app("api", "jwt", "within(10s)", CALLBACK);
    let login = town.sign_in("alice", "api").await;
    let nowhere = format!("http://localhost:{}", crate::town::free_port());
    let port = crate::town::free_port();
    let child = Command::new(PROGRAM)
        .args(["guard", "--app", "api", "--authority", &nowhere])
        .args(["--authority", &town.url, "--issuer", &town.url])
        .args(["--listen", &format!("127.0.0.1:{port}")])
        .env("SYMBOLON_CLIENT_SECRET", secret)
        .env("RUST_LOG", "error")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let _daemon = Process(child);
    let began = Instant::now();
    let check = async || {
        let ask = town.http.get(format!("http://127.0.0.1:{port}/check"));
        let answer = ask.bearer_auth(text(&login, "access_token")).send().await;
        answer.map(|answer| answer.status()).ok()
    };
    while check().await != Some(StatusCode::OK) {
        assert!(began.elapsed() < Duration::from_secs(40));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn the_guard_explains_itself() {
    for (proxy, example) in [
        (
            "nginx",
            include_str!("../../../../examples/nginx/symbolon.conf"),
        ),
        (
            "caddy",
            include_str!("../../../../examples/caddy/Caddyfile"),
        ),
        (
            "haproxy",
            include_str!("../../../../examples/haproxy/haproxy.cfg"),
        ),
        (
            "haproxy-lua",
            include_str!("../../../../examples/haproxy/symbolon.lua"),
        ),
        (
            "traefik",
            include_str!("../../../../examples/traefik/symbolon.yaml"),
        ),
    ] {
        let printed = run(&["guard", "--print-config", proxy], "");
        assert!(printed.status.success());
        assert_eq!(String::from_utf8_lossy(&printed.stdout), example);
    }
    let help = run(&["guard", "--help"], "");
    let help = String::from_utf8_lossy(&help.stdout);
    for word in [
        "X-Auth-Freshness",
        "X-Original-Method",
        "?role=admin",
        "--trust-proxy",
        "/refused",
    ] {
        assert!(help.contains(word), "{word}");
    }
    for (wrong, hint) in [
        (&["guard", "--app", "a"][..], "--authority"),
        (
            &["guard", "--authority", "http://a.example", "--app", "a"],
            "https",
        ),
        (
            &[
                "guard",
                "--authority",
                "http://localhost:1",
                "--app",
                "a",
                "--socket-mode",
                "0666",
            ],
            "0600",
        ),
        (
            &[
                "guard",
                "--authority",
                "http://localhost:1",
                "--app",
                "a",
                "--trust-proxy",
                "proxy",
            ],
            "10.0.0.0/8",
        ),
        (
            &[
                "guard",
                "--authority",
                "http://localhost:1",
                "--app",
                "a",
                "--client-secret",
                "x",
            ],
            "--client-secret-file",
        ),
    ] {
        let output = run(wrong, "");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && text.contains(hint),
            "{wrong:?}: {text}"
        );
    }
}
