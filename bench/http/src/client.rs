//! 64 connections that ask as fast as they are answered, and do as little as possible beside.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::Server;

const CHECK: &str = "/check";
const CONNECTIONS: usize = 64;

/// One turn of one server.
pub struct Turn {
    pub per_second: f64,
    /// Microseconds of the server's thread for each request.
    pub cpu: f64,
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
}

/// What the connections ask in turn, over and over.
pub struct Requests {
    pub bytes: Box<[u8]>,
    /// How long each of them is.
    pub each: usize,
}

impl Requests {
    /// This one alone.
    pub fn one(request: &[u8]) -> Arc<Self> {
        Arc::new(Self {
            bytes: request.into(),
            each: request.len(),
        })
    }

    fn nth(&self, n: usize) -> &[u8] {
        let at = n % (self.bytes.len() / self.each) * self.each;
        &self.bytes[at..at + self.each]
    }
}

/// `GET` with this header line; at a daemon as a proxy asks there.
pub fn request(path: &str, header: &str) -> Vec<u8> {
    let mut line = String::new();
    if !header.is_empty() {
        line = format!("{header}\r\n");
    }
    if path == CHECK {
        line.push_str("x-forwarded-method: GET\r\n");
    }
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{line}\r\n").into_bytes()
}

/// The header line by which this server knows somebody.
pub async fn credential(port: u16) -> String {
    let (head, body) = ask(port, &request("/credential", "")).await;
    let cookie = head
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: "))
        .and_then(|value| value.split(';').next());
    match cookie {
        Some(cookie) => format!("cookie: {cookie}"),
        None => body,
    }
}

/// Panics unless the server answers whoever shows this, and nobody else if it checks at all.
pub async fn demands(port: u16, path: &str, header: &str, checks: bool) {
    let (head, body) = ask(port, &request(path, header)).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{header}: {head}");
    if path == CHECK {
        assert!(head.contains("x-auth-user: "), "{head}");
    } else {
        assert!(body.starts_with(r#"{"id":42,"#), "{body}");
    }
    let (head, _) = ask(port, &request(path, "")).await;
    assert_ne!(head.starts_with("HTTP/1.1 200"), checks, "{head}");
}

/// What stands there for everybody.
pub async fn body(port: u16, path: &str) -> String {
    let (head, body) = ask(port, &request(path, "")).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    body
}

async fn ask(port: u16, request: &[u8]) -> (String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut bytes = Vec::new();
    while length(&bytes).is_none_or(|length| bytes.len() < length) {
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0);
    }
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// Of the whole answer, once its head is there.
fn length(bytes: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(bytes).unwrap();
    let (head, _) = text.split_once("\r\n\r\n")?;
    let body = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    Some(head.len() + 4 + body)
}

/// Asks for `seconds` on all connections.
pub async fn turn(server: &Server, requests: Arc<Requests>, seconds: f64) -> Turn {
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(("127.0.0.1", server.port))
            .await
            .unwrap();
        stream.set_nodelay(true).unwrap();
        streams.push(stream);
    }
    let (cpu, start) = (server.cpu(), Instant::now());
    let end = start + Duration::from_secs_f64(seconds);
    let tasks = streams
        .into_iter()
        .enumerate()
        .map(|(first, stream)| tokio::spawn(asks_until(stream, Arc::clone(&requests), first, end)));
    let mut times = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        times.extend(task.await.unwrap());
    }
    let (cpu, took) = (server.cpu() - cpu, start.elapsed().as_secs_f64());
    times.sort_unstable();
    let percentile = |mille: usize| f64::from(times[times.len() * mille / 1000]) / 1e3;
    Turn {
        per_second: times.len() as f64 / took,
        cpu: cpu as f64 / 1e3 / times.len() as f64,
        p50: percentile(500),
        p99: percentile(990),
        p999: percentile(999),
    }
}

/// How long each answer took, in nanoseconds.
async fn asks_until(
    mut stream: TcpStream,
    requests: Arc<Requests>,
    first: usize,
    end: Instant,
) -> Vec<u32> {
    let (mut times, mut answer) = (Vec::new(), vec![0; 4096]);
    // All answers to one request have one length: it is read off the first.
    let mut expected = None;
    for n in (first..).step_by(CONNECTIONS) {
        let start = Instant::now();
        if start >= end {
            break;
        }
        stream.write_all(requests.nth(n)).await.unwrap();
        let mut read = 0;
        loop {
            let count = stream.read(&mut answer[read..]).await.unwrap();
            assert!(count > 0);
            read += count;
            expected = expected.or_else(|| length(&answer[..read]));
            if expected.is_some_and(|length| read >= length) {
                break;
            }
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"));
        times.push(u32::try_from(start.elapsed().as_nanos()).unwrap_or(u32::MAX));
    }
    times
}
