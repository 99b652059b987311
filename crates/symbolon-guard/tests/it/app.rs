//! An app with one route of each kind, and how its visitors call it.

use std::time::{Duration, Instant};

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode},
    routing::{get, post},
};
use symbolon_guard::{Freshness, Guard, Identity, Proof};
use tower::ServiceExt;

use crate::fake::{APP, APP_URL, Fake, Held};

/// The app and its guard.
pub(crate) struct App {
    pub(crate) guard: Guard,
    router: Router,
}

impl App {
    /// An app whose guard follows `fake`.
    pub(crate) async fn of(fake: &Fake) -> Self {
        let guard = Guard::builder(fake.url(), APP)
            .client_secret("a secret: with/odd%characters")
            .public_url(APP_URL)
            .connect()
            .await
            .expect("the fake answers");
        Self::around(guard)
    }

    /// An app with these routes, behind a guard that the caller put around them.
    pub(crate) fn with(guard: Guard, router: Router) -> Self {
        Self { guard, router }
    }

    pub(crate) fn around(guard: Guard) -> Self {
        async fn who(who: Identity) -> ([(&'static str, String); 1], String) {
            let Proof { ground, staleness } = who.proof();
            let text = format!("{} {ground:?}", who.username());
            (
                [("x-staleness-ms", staleness.as_millis().to_string())],
                text,
            )
        }
        async fn maybe(who: Option<Identity>) -> String {
            who.map_or_else(|| "nobody".to_owned(), |who| who.username().to_owned())
        }
        let router = Router::new()
            .route("/", get(who).post(who))
            .route("/maybe", get(maybe))
            .route(
                "/live",
                get(who).layer(guard.layer().freshness(Freshness::Live)),
            )
            .route(
                "/second",
                get(who).layer(
                    guard
                        .layer()
                        .freshness(Freshness::Within(Duration::from_secs(1))),
                ),
            )
            .route("/required", get(async || "in").layer(guard.require()))
            .route(
                "/own",
                get(async |_: Identity| [("cache-control", "private")]),
            )
            .route("/plain", post(async || "done"))
            .layer(guard.layer());
        Self { guard, router }
    }

    pub(crate) async fn call(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Serves the app on a free port for as long as the test lives.
    pub(crate) async fn serve(&self) -> std::net::SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, router) = (listener.local_addr().unwrap(), self.router.clone());
        tokio::spawn(async move {
            #[expect(clippy::disallowed_methods, reason = "nobody is slow in this test")]
            axum::serve(listener, router).await
        });
        address
    }

    /// Serves these routes with the guard around all of them.
    pub(crate) async fn serve_inside(guard: &Guard, routes: Router) -> std::net::SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = guard.layer().around(routes);
        tokio::spawn(async move {
            #[expect(clippy::disallowed_methods, reason = "nobody is slow in this test")]
            axum::serve(listener, app).await
        });
        address
    }

    /// `GET path` with these headers.
    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
        self.call(request("GET", path, headers)).await
    }

    /// `GET path` as this client's browser would.
    pub(crate) async fn visit(&self, path: &str, held: &Held) -> Response<Body> {
        self.get(path, &[("cookie", &cookies(held))]).await
    }

    /// Waits until the guard has applied and proved what the log holds now.
    pub(crate) async fn settle(&self, fake: &Fake) {
        let head = fake.state().head();
        let proved = || {
            let status = self.guard.status();
            status.applied >= Some(head)
                && status.connected
                && status
                    .staleness
                    .is_some_and(|age| age < Duration::from_millis(500))
        };
        eventually("the guard follows", proved).await;
    }
}

/// Waits at most five seconds for something that will happen soon.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(5), "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

/// The `Cookie` header of a browser that holds this.
pub(crate) fn cookies(held: &Held) -> String {
    let access = format!("__Host-app={}", held.access);
    match &held.refresh {
        Some(refresh) => format!("{access}; __Host-app-refresh={refresh}"),
        None => access,
    }
}

/// What a browser holds after an answer, of the app's two cookies.
pub(crate) fn kept(response: &Response<Body>, mut held: Held) -> Held {
    for (name, value) in set_cookies(response) {
        match name.as_str() {
            "__Host-app" => held.access = value,
            "__Host-app-refresh" => held.refresh = Some(value).filter(|value| !value.is_empty()),
            _ => {}
        }
    }
    held
}

/// Name and value of each cookie that an answer sets.
pub(crate) fn set_cookies(response: &Response<Body>) -> Vec<(String, String)> {
    response
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|value| {
            let text = value.to_str().unwrap();
            for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
                assert!(text.contains(attribute), "{text}");
            }
            let pair = text.split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

/// Status and text of an answer.
pub(crate) async fn read(response: Response<Body>) -> (StatusCode, String) {
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 64 * 1024)
        .await
        .unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}
