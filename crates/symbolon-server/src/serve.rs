//! From a listener to a router: connections, their limits, and a graceful end.
//!
//! `axum::serve` gives hyper no timer, so its header timeout never fires (slowloris). And
//! hyper-util's `auto` connection waits without any timeout for the first bytes, to tell HTTP/2
//! from HTTP/1: so this serves HTTP/1.1 alone, which is what proxies and guards speak over plain
//! TCP.

use std::{convert::Infallible, io, net::IpAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Extension, Router, body::Body};
use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time,
};

/// What bounds a connection.
#[derive(Clone, Copy)]
struct Limits {
    /// For the whole head of a request, from the end of the one before it: a slow client is cut
    /// off, and an idle connection is closed.
    head: Duration,
    /// For requests in flight once the end has begun.
    drain: Duration,
    /// Connections at once; more wait in the listener's backlog. Twice the streams of the feed, so
    /// that a full feed leaves room for everybody else.
    connections: usize,
    /// The longest head of a request, in bytes.
    head_bytes: usize,
}

const LIMITS: Limits = Limits {
    head: Duration::from_secs(10),
    drain: Duration::from_secs(10),
    connections: 8_192,
    head_bytes: 32 * 1_024,
};

/// For those who stay connected: Caddy keeps an idle connection to what it proxies for two minutes,
/// and who closes first loses no request to one that is just being closed.
const FOR_PROXIES: Limits = Limits {
    head: Duration::from_secs(130),
    ..LIMITS
};

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Somebody at this address.
    Network(IpAddr),
    /// A process of this machine that may open the Unix socket.
    Local,
}

/// Somewhere to listen.
#[derive(Debug)]
pub enum Listener {
    /// An address and port.
    Tcp(TcpListener),
    /// A Unix socket; its file's mode says who may connect.
    Unix(UnixListener),
}

/// Tells long answers that the server is about to end. In the extensions of every request that
/// [`serve`] brings.
#[derive(Clone)]
pub(crate) struct Closing(watch::Receiver<bool>);

impl Closing {
    /// Until the end begins.
    pub(crate) async fn closed(mut self) {
        // A sender that is gone has nothing more to serve.
        let _ = self.0.wait_for(|closing| *closing).await;
    }
}

/// Serves the router on a TCP listener until `shutdown` resolves; then no connection is accepted,
/// streams of the feed end at once, and requests in flight have 10 seconds to end.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send,
) {
    serve_router(&Tcp(listener), router, shutdown, LIMITS).await;
}

/// Serves proxies in front of apps: for each connection the service that `service_for` makes for who is
/// at its other end. Ends as [`serve`] does; an idle connection is kept for 130 s.
pub async fn serve_each<S>(
    listener: Listener,
    service_for: impl Fn(Peer) -> S,
    shutdown: impl Future<Output = ()> + Send,
) where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible> + Send + 'static,
    S::Future: Send,
{
    let (close, _) = watch::channel(false);
    match listener {
        Listener::Tcp(listener) => {
            run(&Tcp(listener), service_for, close, shutdown, FOR_PROXIES).await;
        }
        Listener::Unix(listener) => {
            run(&Local(listener), service_for, close, shutdown, FOR_PROXIES).await;
        }
    }
}

/// The same on a Unix socket, for the operator: whoever is neither the owner of this process nor
/// root is hung up on.
///
/// The file's mode (0600) is the first check and this the second: it holds also where the mode was
/// widened or the directory is shared.
pub async fn serve_operator(
    listener: UnixListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send,
) {
    match own_uid() {
        Ok(uid) => serve_router(&Operator { listener, uid }, router, shutdown, LIMITS).await,
        Err(error) => tracing::error!(%error, "the operator's socket is not served"),
    }
}

/// Somewhere connections come from.
trait Door {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection; none where it was refused.
    fn accept(&self) -> impl Future<Output = io::Result<Option<(Self::Stream, Peer)>>> + Send;
}

struct Tcp(TcpListener);

impl Door for Tcp {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<Option<(TcpStream, Peer)>> {
        let (stream, peer) = self.0.accept().await?;
        // Entries of the feed are small and urgent: Nagle's algorithm would hold them back.
        stream.set_nodelay(true)?;
        // An IPv4 address that came by an IPv6 socket is still that address.
        Ok(Some((stream, Peer::Network(peer.ip().to_canonical()))))
    }
}

struct Local(UnixListener);

impl Door for Local {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<Option<(UnixStream, Peer)>> {
        let (stream, _) = self.0.accept().await?;
        Ok(Some((stream, Peer::Local)))
    }
}

struct Operator {
    listener: UnixListener,
    uid: u32,
}

impl Door for Operator {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<Option<(UnixStream, Peer)>> {
        let (stream, _) = self.listener.accept().await?;
        let peer = stream.peer_cred()?.uid();
        if peer == self.uid || peer == 0 {
            return Ok(Some((stream, Peer::Local)));
        }
        tracing::warn!(uid = peer, reason = "not the owner", "operator refused");
        Ok(None)
    }
}

/// The user that this process runs as: what the kernel says of the other end of a pair of our own.
fn own_uid() -> io::Result<u32> {
    let (one, _other) = UnixStream::pair()?;
    Ok(one.peer_cred()?.uid())
}

async fn serve_router<D: Door>(
    door: &D,
    router: Router,
    shutdown: impl Future<Output = ()> + Send,
    limits: Limits,
) {
    let (close, closing) = watch::channel(false);
    let router = router.layer(Extension(Closing(closing)));
    let service_for = |_| TowerToHyperService::new(router.clone());
    run(door, service_for, close, shutdown, limits).await;
}

async fn run<D: Door, S>(
    door: &D,
    service_for: impl Fn(Peer) -> S,
    close: watch::Sender<bool>,
    shutdown: impl Future<Output = ()> + Send,
    limits: Limits,
) where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible> + Send + 'static,
    S::Future: Send,
{
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async {
            // Never closed: the semaphore is ours.
            let permit = Arc::clone(&room).acquire_owned().await.ok();
            (door.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            next = next => next,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok(Some((stream, peer))) => {
                let (service, closing) = (service_for(peer), Closing(close.subscribe()));
                connections.spawn(async move {
                    converse(stream, service, closing, limits).await;
                    drop(permit);
                });
            }
            Ok(None) => {}
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                // Out of file descriptors, most likely: as many again a moment later would only
                // burn the processor.
                tracing::error!(%error, "no connection can be accepted");
                time::sleep(Duration::from_millis(100)).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    // Nobody is listening only when no connection is left.
    let _ = close.send(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    if time::timeout(limits.drain, drained).await.is_err() {
        tracing::warn!("requests in flight were cut off");
        connections.shutdown().await;
    }
}

async fn converse<T, S>(stream: T, service: S, closing: Closing, limits: Limits)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(limits.head_bytes)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.closed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Whether the connection was lost before it was accepted, which is nobody's concern here.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

#[cfg(test)]
mod tests;
