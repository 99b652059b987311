//! From a listener to a router: connections, their limits, and a graceful end.
//!
//! `axum::serve` gives hyper no timer, so its header timeout never fires (slowloris). And
//! hyper-util's `auto` connection waits without any timeout for the first bytes, to tell HTTP/2
//! from HTTP/1: so this serves HTTP/1.1 alone, which is what proxies and guards speak over plain
//! TCP.

use std::{io, pin::pin, sync::Arc, time::Duration};

use axum::{Extension, Router};
use hyper::server::conn::http1;
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
    run(&Tcp(listener), router, shutdown, LIMITS).await;
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
        Ok(uid) => run(&Operator { listener, uid }, router, shutdown, LIMITS).await,
        Err(error) => tracing::error!(%error, "the operator's socket is not served"),
    }
}

/// Somewhere connections come from.
trait Door {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection; none where it was refused.
    fn accept(&self) -> impl Future<Output = io::Result<Option<Self::Stream>>> + Send;
}

struct Tcp(TcpListener);

impl Door for Tcp {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<Option<TcpStream>> {
        let (stream, _) = self.0.accept().await?;
        // Entries of the feed are small and urgent: Nagle's algorithm would hold them back.
        stream.set_nodelay(true)?;
        Ok(Some(stream))
    }
}

struct Operator {
    listener: UnixListener,
    uid: u32,
}

impl Door for Operator {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<Option<UnixStream>> {
        let (stream, _) = self.listener.accept().await?;
        let peer = stream.peer_cred()?.uid();
        if peer == self.uid || peer == 0 {
            return Ok(Some(stream));
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

async fn run<D: Door>(
    door: &D,
    router: Router,
    shutdown: impl Future<Output = ()> + Send,
    limits: Limits,
) {
    let (close, closing) = watch::channel(false);
    let router = router.layer(Extension(Closing(closing.clone())));
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
            Ok(Some(stream)) => {
                let (router, closing) = (router.clone(), Closing(closing.clone()));
                connections.spawn(async move {
                    converse(stream, router, closing, limits).await;
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

async fn converse<S>(stream: S, router: Router, closing: Closing, limits: Limits)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(limits.head_bytes)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
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
