#![expect(clippy::unwrap_used, reason = "tests")]

use std::{net::SocketAddr, time::Instant};

use axum::routing::get;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::oneshot,
    task::JoinHandle,
};

use super::*;

const MS: Duration = Duration::from_millis(1);
const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

async fn served(router: Router, limits: Limits) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let done = tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        serve_router(&Tcp(listener), router, stopped, limits).await;
    });
    Served {
        address,
        stop,
        done,
    }
}

fn quick() -> Limits {
    Limits {
        head: 200 * MS,
        drain: 300 * MS,
        ..LIMITS
    }
}

fn hello() -> Router {
    Router::new().route("/", get(async || "hello"))
}

/// Everything until the server hangs up; fails if that takes longer than five seconds.
async fn rest(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let all = stream.read_to_end(&mut read);
    let hung_up = time::timeout(Duration::from_secs(5), all).await;
    assert!(hung_up.is_ok(), "the server keeps the connection");
    String::from_utf8_lossy(&read).into_owned()
}

/// Slowloris: a head that does not come to its end, whether it stands still, drips, or never
/// begins.
#[tokio::test]
async fn a_slow_client_is_cut_off() {
    let served = served(hello(), quick()).await;
    for beginning in [
        &b""[..],
        b"GET / HTTP/1.1\r\nHo",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
    ] {
        let started = Instant::now();
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(beginning).await.unwrap();
        rest(&mut stream).await;
        assert!(started.elapsed() >= 150 * MS, "{beginning:?}");
    }

    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let (mut read, mut write) = stream.split();
    let drip = async {
        loop {
            if write.write_all(b"X").await.is_err() {
                break;
            }
            time::sleep(20 * MS).await;
        }
    };
    let mut buffer = [0; 1_024];
    let hung_up = async { while read.read(&mut buffer).await.is_ok_and(|count| count > 0) {} };
    let cut_off = time::timeout(Duration::from_secs(5), async {
        tokio::select! { () = drip => {}, () = hung_up => {} }
    });
    assert!(
        cut_off.await.is_ok(),
        "a dripping client keeps its connection"
    );
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let served = served(hello(), quick()).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let long = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n",
        "a".repeat(64 * 1_024)
    );
    // The server may hang up in the midst of it.
    let _ = stream.write_all(long.as_bytes()).await;
    assert!(!rest(&mut stream).await.contains("hello"));
}

#[tokio::test]
async fn requests_in_flight_end_and_no_new_one_begins() {
    let slow = Router::new().route(
        "/",
        get(async || {
            time::sleep(150 * MS).await;
            "done"
        }),
    );
    let served = served(slow, quick()).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(GET).await.unwrap();
    time::sleep(50 * MS).await;
    served.stop.send(()).unwrap();
    assert!(rest(&mut stream).await.ends_with("done"));
    served.done.await.unwrap();
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn the_end_does_not_wait_for_ever() {
    let endless = Router::new().route("/", get(std::future::pending::<()>));
    let served = served(endless, quick()).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(GET).await.unwrap();
    time::sleep(50 * MS).await;
    let started = Instant::now();
    served.stop.send(()).unwrap();
    served.done.await.unwrap();
    assert!((200 * MS..2_000 * MS).contains(&started.elapsed()));
}

#[tokio::test]
async fn an_idle_connection_does_not_delay_the_end() {
    let served = served(hello(), LIMITS).await;
    let _idle = TcpStream::connect(served.address).await.unwrap();
    time::sleep(50 * MS).await;
    let started = Instant::now();
    served.stop.send(()).unwrap();
    served.done.await.unwrap();
    assert!(started.elapsed() < 1_000 * MS);
}

#[tokio::test]
async fn more_connections_than_there_is_room_for_wait() {
    let limits = Limits {
        connections: 1,
        ..quick()
    };
    let served = served(hello(), limits).await;
    let first = TcpStream::connect(served.address).await.unwrap();
    time::sleep(20 * MS).await;
    let mut second = TcpStream::connect(served.address).await.unwrap();
    second.write_all(GET).await.unwrap();
    let early = time::timeout(50 * MS, second.readable()).await;
    assert!(early.is_err(), "answered beside the first");
    drop(first);
    assert!(rest(&mut second).await.ends_with("hello"));
}

#[tokio::test]
async fn the_operators_socket_knows_its_owner() {
    let directory = std::env::temp_dir().join(format!("symbolon-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("operator.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let done = tokio::spawn(serve_operator(listener, hello(), async {
        let _ = stopped.await;
    }));
    let mut stream = UnixStream::connect(&path).await.unwrap();
    stream.write_all(GET).await.unwrap();
    let mut read = String::new();
    stream.read_to_string(&mut read).await.unwrap();
    assert!(read.ends_with("hello"));
    stop.send(()).unwrap();
    done.await.unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
}

/// Somebody else than the owner: told apart by the kernel, so here by pretending to be another.
#[tokio::test]
async fn the_operators_socket_hangs_up_on_others() {
    let path = std::env::temp_dir().join(format!("symbolon-other-{}.sock", std::process::id()));
    let listener = UnixListener::bind(&path).unwrap();
    let own = own_uid().unwrap();
    let door = Operator {
        listener,
        uid: own.wrapping_add(1),
    };
    let _stream = UnixStream::connect(&path).await.unwrap();
    let accepted = door.accept().await.unwrap();
    // Root is let in everywhere, here too.
    assert_eq!(accepted.is_some(), own == 0);
    std::fs::remove_file(&path).unwrap();
}
