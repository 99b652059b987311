//! A TCP relay between a process and what it talks to, which can be cut, slowed and turned elsewhere.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

#[derive(Clone, Copy)]
struct Way {
    /// None: cut.
    to: Option<SocketAddr>,
    /// How long each piece is held back.
    delay: Duration,
}

/// Ends with the test.
pub(crate) struct Relay {
    pub(crate) port: u16,
    way: Arc<Mutex<Way>>,
    /// Every connection ends when it changes.
    cut: watch::Sender<()>,
    _task: JoinSet<()>,
}

impl Relay {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let way = Arc::new(Mutex::new(Way {
            to: Some(address(port)),
            delay: Duration::ZERO,
        }));
        let (cut, _) = watch::channel(());
        let relay_port = listener.local_addr().unwrap().port();
        let mut task = JoinSet::new();
        let (ways, cuts) = (Arc::clone(&way), cut.clone());
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((from, _)) = listener.accept().await {
                let now = *ways.lock().unwrap();
                // Cut: closed at once.
                if let Some(to) = now.to {
                    connections.spawn(carry(from, to, Arc::clone(&ways), cuts.subscribe()));
                }
            }
        });
        Self {
            port: relay_port,
            way,
            cut,
            _task: task,
        }
    }

    /// Ends every connection and takes no more.
    pub(crate) fn cut(&self) {
        self.way.lock().unwrap().to = None;
        self.cut.send_replace(());
    }

    /// Takes connections to that port of this machine; those that were there end.
    pub(crate) fn turn_to(&self, port: u16) {
        self.way.lock().unwrap().to = Some(address(port));
        self.cut.send_replace(());
    }

    pub(crate) fn slow_down(&self, delay: Duration) {
        self.way.lock().unwrap().delay = delay;
    }
}

fn address(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

async fn carry(
    mut from: TcpStream,
    to: SocketAddr,
    way: Arc<Mutex<Way>>,
    mut cut: watch::Receiver<()>,
) {
    let Ok(mut to) = TcpStream::connect(to).await else {
        return;
    };
    let (mut from_read, mut from_write) = from.split();
    let (mut to_read, mut to_write) = to.split();
    let there = pass(&mut from_read, &mut to_write, &way);
    let back = pass(&mut to_read, &mut from_write, &way);
    tokio::select! {
        () = there => {}
        () = back => {}
        _ = cut.changed() => {}
    }
}

async fn pass(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    way: &Mutex<Way>,
) {
    let mut piece = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut piece).await.unwrap_or(0);
        let delay = way.lock().unwrap().delay;
        tokio::time::sleep(delay).await;
        if length == 0 || to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}
