//! Answers that stay open end when their login does: event streams, downloads, `WebSockets`.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::ws::{Message, WebSocket, WebSocketUpgrade},
    response::Response,
    routing::{any, get},
};
use futures_util::{SinkExt, StreamExt, stream};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use hyper::{client::conn::http2, ext::Protocol, upgrade::Upgraded};
use hyper_util::rt::{TokioExecutor, TokioIo};
use symbolon_guard::{Freshness, Guard, Identity, Shape};
use symbolon_login::{Change, Scope};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, client::IntoClientRequest, protocol::Role},
};

use crate::{
    app::App,
    fake::{APP, APP_URL, Down, Fake, Held},
};

/// A body that never ends by itself.
fn endless() -> Body {
    Body::from_stream(stream::unfold((), |()| async {
        sleep(Duration::from_millis(10)).await;
        Some((
            Ok::<_, Infallible>(Bytes::from_static(b"data: tick\n\n")),
            (),
        ))
    }))
}

async fn app(fake: &Fake) -> App {
    let guard = Guard::builder(fake.url(), APP)
        .public_url(APP_URL)
        .connect()
        .await
        .unwrap();
    let echo = async |_: Identity, socket: WebSocketUpgrade| socket.on_upgrade(echo);
    let router = Router::new()
        .route(
            "/events",
            get(async |_: Identity| ([("content-type", "text/event-stream")], endless())),
        )
        .route("/download", get(async |_: Identity| endless()))
        .route("/public", get(async |_: Option<Identity>| endless()))
        .route("/short", get(async |_: Identity| "short"))
        .route("/echo", get(echo))
        .route("/echo-of-any-version", any(echo))
        .route(
            "/second",
            get(async |_: Identity| endless()).layer(
                guard
                    .layer()
                    .freshness(Freshness::Within(Duration::from_secs(1))),
            ),
        )
        .layer(guard.layer());
    App::with(guard, router)
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if let Message::Text(_) = message
            && socket.send(message).await.is_err()
        {
            return;
        }
    }
}

async fn open(app: &App, path: &str, held: &Held) -> Response {
    let who = format!("Bearer {}", held.access);
    let mut response = app.get(path, &[("authorization", &who)]).await;
    assert_eq!(response.status(), 200, "{path}");
    assert!(goes_on(&mut response).await, "{path}");
    response
}

/// Reads for a moment: true when it still brings something at the end of it.
async fn goes_on(response: &mut Response) -> bool {
    let until = Instant::now() + Duration::from_millis(100);
    while Instant::now() < until {
        if !matches!(response.frame().await, Some(Ok(_))) {
            return false;
        }
    }
    true
}

/// Reads to the end: whether it looks complete, and how long that took.
async fn drained(response: Response) -> (bool, Duration) {
    let started = Instant::now();
    let whole = timeout(Duration::from_secs(8), response.into_body().collect()).await;
    (whole.expect("it ends").is_ok(), started.elapsed())
}

#[tokio::test]
async fn an_end_ends_what_is_open_and_nothing_else() {
    for shape in [Shape::Session, Shape::Jwt] {
        let fake = Fake::start(shape, "within(10s)").await;
        let app = app(&fake).await;
        let (held, other) = (fake.sign_in(), fake.sign_in());
        let mut streams = Vec::new();
        for path in ["/events", "/download", "/public"] {
            streams.push(open(&app, path, &held).await);
        }
        let mut others = open(&app, "/events", &other).await;
        assert_eq!(app.guard.status().open_answers, 4);
        fake.end(held.sid);
        for (index, response) in streams.into_iter().enumerate() {
            let (complete, took) = drained(response).await;
            // Half a download must not pass for a whole one.
            assert_eq!(complete, index == 0, "{index}");
            assert!(took < Duration::from_secs(2), "{took:?}");
        }
        assert!(goes_on(&mut others).await, "another login's");
        drop(others);
        assert_eq!(app.guard.status().open_answers, 0, "nothing is left behind");
    }
}

#[tokio::test]
async fn every_scope_reaches_what_it_covers() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = app(&fake).await;
    let user = |held: &Held| fake.user_of(held);
    for scope in [
        |_: &Held, _| Scope::Everything {},
        |_: &Held, user| Scope::User { user },
        |held: &Held, _| Scope::Grant {
            sid: held.sid,
            client_id: APP.parse().unwrap(),
        },
        |_: &Held, _| Scope::App {
            client_id: APP.parse().unwrap(),
        },
    ] {
        let held = fake.sign_in();
        let response = open(&app, "/download", &held).await;
        let covers = scope(&held, user(&held));
        fake.append(Change::CutOff {
            covers: Scope::App {
                client_id: "other".parse().unwrap(),
            },
        });
        fake.append(Change::CutOff { covers });
        let (complete, _) = drained(response).await;
        assert!(!complete);
    }
}

#[tokio::test]
async fn a_refresh_cuts_nothing() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = app(&fake).await;
    let held = fake.sign_in();
    let mut response = open(&app, "/events", &held).await;
    let expired = fake.token(&held, |claims| {
        claims.iat -= 600;
        claims.exp -= 600;
    });
    let cookie = format!(
        "__Host-app={expired}; __Host-app-refresh={}",
        held.refresh.clone().unwrap()
    );
    let refreshed = app.get("/short", &[("cookie", &cookie)]).await;
    assert_eq!(refreshed.status(), 200);
    assert_eq!(fake.calls().token, 1);
    assert!(goes_on(&mut response).await);
}

#[tokio::test]
async fn an_answer_outlives_its_token_but_not_the_guards_knowledge() {
    let fake = Fake::start(Shape::Session, "within(10s)").await;
    let app = app(&fake).await;
    let held = fake.sign_in();
    let mut response = open(&app, "/second", &held).await;
    // Without the feed the authority is asked, in time and again.
    fake.go_down(Down::FEED);
    for _ in 0..20 {
        assert!(goes_on(&mut response).await, "the authority vouches");
    }
    // Without the authority there is nobody to say that it may go on.
    fake.go_down(Down::ALL);
    let (complete, took) = drained(response).await;
    assert!(!complete);
    assert!(took < Duration::from_secs(3), "{took:?}");
}

/// What is said comes back, in one piece or many.
async fn echoes<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) {
    for text in ["안녕", &"long ".repeat(50_000)] {
        socket.send(tungstenite::Message::text(text)).await.unwrap();
        let answer = socket.next().await.unwrap().unwrap();
        assert_eq!(answer.to_text().unwrap(), text);
    }
}

#[tokio::test]
async fn a_web_socket_ends_with_its_login() {
    for shape in [Shape::Session, Shape::Jwt] {
        let fake = Fake::start(shape, "within(10s)").await;
        let app = app(&fake).await;
        let address = app.serve().await;
        let (held, other) = (fake.sign_in(), fake.sign_in());
        let connect = async |held: &Held| {
            let mut request = format!("ws://{address}/echo")
                .into_client_request()
                .unwrap();
            let who = format!("Bearer {}", held.access).parse().unwrap();
            request.headers_mut().insert("authorization", who);
            tokio_tungstenite::connect_async(request).await.unwrap().0
        };
        let (mut ours, mut theirs) = (connect(&held).await, connect(&other).await);
        for socket in [&mut ours, &mut theirs] {
            echoes(socket).await;
        }
        assert_eq!(app.guard.status().open_answers, 2);
        fake.end(held.sid);
        let over = timeout(Duration::from_secs(5), ours.next()).await.unwrap();
        assert!(!matches!(over, Some(Ok(_))), "{over:?}");
        theirs
            .send(tungstenite::Message::text("still"))
            .await
            .unwrap();
        assert_eq!(
            theirs.next().await.unwrap().unwrap().to_text().unwrap(),
            "still"
        );
        theirs.close(None).await.unwrap();
        while theirs.next().await.is_some() {}
        crate::app::eventually("both are off the board", || {
            app.guard.status().open_answers == 0
        })
        .await;
        // Nobody without a login gets that far.
        let request = format!("ws://{address}/echo")
            .into_client_request()
            .unwrap();
        let refused = tokio_tungstenite::connect_async(request).await.unwrap_err();
        assert!(
            matches!(&refused, tungstenite::Error::Http(response) if response.status() == 401),
            "{refused}"
        );
    }
}

/// Opens a `WebSocket` over HTTP/2 (RFC 8441).
async fn extended_connect(
    address: SocketAddr,
    held: Option<&Held>,
) -> Result<WebSocketStream<TokioIo<Upgraded>>, StatusCode> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let mut request = Request::connect(format!("http://{address}/echo-of-any-version"))
        .header("sec-websocket-version", "13")
        .body(Body::empty())
        .unwrap();
    if let Some(held) = held {
        let who = format!("Bearer {}", held.access).parse().unwrap();
        request.headers_mut().insert("authorization", who);
    }
    let protocol = Protocol::from_static("websocket");
    request.extensions_mut().insert(protocol);
    // The server says in its settings that it knows extended CONNECT.
    sender.ready().await.unwrap();
    sleep(Duration::from_millis(100)).await;
    let response = sender.send_request(request).await.unwrap();
    if response.status() != 200 {
        return Err(response.status());
    }
    let upgraded = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    Ok(WebSocketStream::from_raw_socket(upgraded, Role::Client, None).await)
}

#[tokio::test]
async fn a_web_socket_over_http_2_ends_with_its_login() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = app(&fake).await;
    let address = app.serve().await;
    let (held, other) = (fake.sign_in(), fake.sign_in());
    let mut ours = extended_connect(address, Some(&held)).await.unwrap();
    let mut theirs = extended_connect(address, Some(&other)).await.unwrap();
    for socket in [&mut ours, &mut theirs] {
        echoes(socket).await;
    }
    assert_eq!(app.guard.status().open_answers, 2);
    fake.end(held.sid);
    let over = timeout(Duration::from_secs(5), ours.next()).await.unwrap();
    assert!(!matches!(over, Some(Ok(_))), "{over:?}");
    theirs
        .send(tungstenite::Message::text("still"))
        .await
        .unwrap();
    let answer = theirs.next().await.unwrap().unwrap();
    assert_eq!(answer.to_text().unwrap(), "still");
    let refused = extended_connect(address, None).await.err();
    assert_eq!(refused, Some(StatusCode::UNAUTHORIZED));
}
