//! `/feed/head`, `/feed/snapshot`, and `/feed` over a real socket.

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use symbolon_server::serve;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};

use crate::harness::{Ask, House, get, text};

const GUARD: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

async fn head(house: &House) -> String {
    text(&house.ask(get("/feed/head")).await.json(), "head")
}

/// Signs bob out everywhere: one entry of the log.
async fn append(house: &House) -> String {
    let bob = house.id_of("bob").await;
    let path = format!("/api/v1/users/{bob}/logins");
    text(&house.run(Ask::delete(&path)).await.json(), "position")
}

mod lease {
    use super::*;

    #[tokio::test]
    async fn the_head_is_public_and_moves_with_every_end() {
        let house = House::new().await;
        let answer = house.ask(get("/feed/head")).await;
        answer.expect_status(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        let position = append(&house).await;
        assert_eq!(head(&house).await, position);
    }

    #[tokio::test]
    async fn only_an_app_with_a_secret_reports() {
        let house = House::new().await;
        let url = format!("/feed/head?guard={GUARD}&applied=1.1");
        let guards = async || house.run(get("/api/v1/guards")).await.json()["guards"].clone();
        // Without authentication, or as an app that anybody can name, it is only a question.
        house.ask(get(&url)).await.expect_status(200);
        house
            .ask(get(&url).basic("spa", ""))
            .await
            .expect_status(200);
        assert_eq!(guards().await, json!([]));
        let wrong = house.ask(get(&url).basic("dashboard", "wrong")).await;
        wrong.expect_status(401);
        assert_eq!(guards().await, json!([]));
        house
            .ask(get(&url).basic("dashboard", &house.secret("dashboard")))
            .await
            .expect_status(200);
        assert_eq!(guards().await[0]["client_id"], "dashboard");
        for bad in ["guard=x&applied=1.1", "guard=&applied=1.1", "applied=1"] {
            let ask = get(&format!("/feed/head?{bad}"));
            house.ask(ask).await.expect_problem(400, "bad-request");
        }
    }

    #[tokio::test]
    async fn without_the_store_there_is_no_head() {
        let house = House::new().await;
        house.set_down(true);
        let answer = house.ask(get("/feed/head")).await;
        answer.expect_problem(503, "unavailable");
    }
}

#[tokio::test]
async fn the_snapshot_is_all_that_a_guard_needs() {
    let house = House::new().await;
    let position = append(&house).await;
    let answer = house.ask(get("/feed/snapshot")).await;
    answer.expect_status(200);
    let snapshot = answer.json();
    assert_eq!(snapshot["head"], position);
    assert_eq!(snapshot["issuer"], crate::harness::ORIGIN);
    assert_eq!(snapshot["keys"].as_array().unwrap().len(), 1);
    let apps = snapshot["apps"].as_array().unwrap();
    assert!(apps.iter().any(|app| app["client_id"] == "dashboard"));
    let cut_offs = snapshot["cut_offs"].as_array().unwrap();
    let last = cut_offs
        .iter()
        .find(|cut_off| cut_off["position"] == position);
    assert_eq!(last.unwrap()["scope"], "user");
    // Opaque ids only: no name of a person is in it.
    for name in ["alice", "bob", "mallory"] {
        assert!(!answer.body.contains(name), "{name}");
    }
}

/// The server on a socket.
struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

async fn served(house: &House) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let router = house.router.clone();
    let done = tokio::spawn(serve(listener, router, async {
        let _ = stopped.await;
    }));
    Served {
        address,
        stop,
        done,
    }
}

/// One who follows, reading lines of the raw response.
struct Stream {
    lines: BufReader<TcpStream>,
}

#[derive(Debug)]
struct Event {
    name: String,
    id: String,
    data: Value,
}

impl Stream {
    async fn open(address: SocketAddr, query: &str, headers: &str) -> (String, Self) {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let request = format!("GET /feed{query} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut stream = Self {
            lines: BufReader::new(socket),
        };
        let mut head = String::new();
        loop {
            let line = stream.line().await.unwrap();
            if line.is_empty() {
                return (head, stream);
            }
            head.push_str(&line);
            head.push('\n');
        }
    }

    async fn follow(address: SocketAddr, query: &str, headers: &str) -> Self {
        let (head, stream) = Self::open(address, query, headers).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(head.contains("content-type: text/event-stream"), "{head}");
        assert!(
            head.contains("cache-control: no-cache") || head.contains("no-store"),
            "{head}"
        );
        stream
    }

    /// The next line; none at the end.
    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line);
        let count = timeout(Duration::from_secs(10), read)
            .await
            .unwrap()
            .unwrap();
        (count > 0).then(|| line.trim_end().to_owned())
    }

    /// The next event; none when the stream has ended.
    async fn next(&mut self) -> Option<Event> {
        let mut event = Event {
            name: String::new(),
            id: String::new(),
            data: Value::Null,
        };
        loop {
            let line = self.line().await?;
            if let Some(name) = line.strip_prefix("event: ") {
                name.clone_into(&mut event.name);
            } else if let Some(id) = line.strip_prefix("id: ") {
                id.clone_into(&mut event.id);
            } else if let Some(data) = line.strip_prefix("data: ") {
                event.data = serde_json::from_str(data).unwrap();
            } else if line.is_empty() && !event.name.is_empty() {
                return Some(event);
            } else if line == "0" {
                // The last chunk.
                return None;
            }
        }
    }

    async fn expect(&mut self, name: &str) -> Event {
        let event = self.next().await.unwrap();
        assert_eq!(event.name, name, "{event:?}");
        event
    }
}

mod stream {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn says_hello_and_then_what_happens() {
        let house = House::new().await;
        let served = served(&house).await;
        let before = head(&house).await;
        let mut stream = Stream::follow(served.address, "", "").await;
        let hello = stream.expect("hello").await;
        assert_eq!(hello.data["head"], before);
        for _ in 0..3 {
            let position = append(&house).await;
            let entry = stream.expect("entry").await;
            assert_eq!(entry.id, position);
            assert_eq!(entry.data["position"], position);
            assert_eq!(entry.data["type"], "cut_off");
            assert_eq!(entry.data["covers"]["scope"], "user");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn goes_on_where_it_broke_off() {
        let house = House::new().await;
        let served = served(&house).await;
        let first = append(&house).await;
        let second = append(&house).await;
        let third = append(&house).await;
        for (query, headers, expected) in [
            (
                String::new(),
                format!("Last-Event-ID: {first}\r\n"),
                vec![&second, &third],
            ),
            (format!("?after={second}"), String::new(), vec![&third]),
            // A reconnecting browser adds the header to the URL that it was given.
            (
                format!("?after={first}"),
                format!("Last-Event-ID: {second}\r\n"),
                vec![&third],
            ),
        ] {
            let mut stream = Stream::follow(served.address, &query, &headers).await;
            assert_eq!(stream.expect("hello").await.data["head"], third);
            for position in expected {
                assert_eq!(stream.expect("entry").await.id, *position);
            }
        }
    }

    /// From the beginning: every entry, in order, without a gap.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn is_dense() {
        let house = House::new().await;
        let served = served(&house).await;
        for _ in 0..300 {
            append(&house).await;
        }
        let last = head(&house).await;
        let mut stream = Stream::follow(served.address, "?after=1.0", "").await;
        stream.expect("hello").await;
        let mut number = 0;
        loop {
            number += 1;
            let entry = stream.expect("entry").await;
            assert_eq!(entry.id, format!("1.{number}"));
            if entry.id == last {
                break;
            }
        }
        assert!(number > 300);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn that_cannot_be_continued_is_reset() {
        let house = House::new().await;
        let served = served(&house).await;
        let head = head(&house).await;
        for after in ["2.0", "0.1", "1.99999"] {
            let headers = format!("Last-Event-ID: {after}\r\n");
            let mut stream = Stream::follow(served.address, "", &headers).await;
            stream.expect("hello").await;
            assert_eq!(stream.expect("reset").await.data["head"], head, "{after}");
            assert!(stream.next().await.is_none(), "{after}");
        }
        for (query, headers) in [
            ("?after=1", ""),
            ("", "Last-Event-ID: x\r\n"),
            ("", "Last-Event-ID: 1.1\r\nLast-Event-ID: 1.2\r\n"),
        ] {
            let (refused, _) = Stream::open(served.address, query, headers).await;
            assert!(refused.starts_with("HTTP/1.1 400"), "{refused}");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn shows_a_sign_of_life_while_nothing_happens() {
        let house = House::new().await;
        let served = served(&house).await;
        let mut stream = Stream::follow(served.address, "", "").await;
        stream.expect("hello").await;
        let quiet = async {
            loop {
                if stream.line().await.unwrap() == ":" {
                    break;
                }
            }
        };
        timeout(Duration::from_secs(7), quiet).await.unwrap();
    }

    /// A stream holds no end of the server up.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn ends_at_once_with_the_server() {
        let house = House::new().await;
        let served = served(&house).await;
        let mut stream = Stream::follow(served.address, "", "").await;
        stream.expect("hello").await;
        served.stop.send(()).unwrap();
        let ended = timeout(Duration::from_secs(2), async {
            assert!(stream.next().await.is_none());
            served.done.await.unwrap();
        });
        ended.await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn has_bounded_room() {
        let house = House::new().await;
        let mut open = Vec::new();
        for _ in 0..4_096 {
            open.push(get("/feed").stream(&house.router).await);
        }
        let refused = house.ask(get("/feed")).await;
        refused.expect_problem(503, "busy");
        open.pop();
        let response = get("/feed").stream(&house.router).await;
        assert_eq!(response.status(), 200);
    }
}
