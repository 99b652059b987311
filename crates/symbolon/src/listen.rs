//! Listening sockets.

use std::{io::ErrorKind, net::SocketAddr};

use anyhow::{Context, Result, ensure};
use tokio::net::{TcpListener, lookup_host};

/// Listens on every address that `host_port` stands for: `localhost` is two, and a browser may try
/// either.
pub(crate) async fn listen(host_port: &str) -> Result<Vec<TcpListener>> {
    let addresses: Vec<SocketAddr> = lookup_host(host_port)
        .await
        .with_context(|| format!("cannot listen on {host_port}: no such host"))?
        .collect();
    let mut listeners = Vec::new();
    for address in addresses {
        match TcpListener::bind(address).await {
            Ok(listener) => listeners.push(listener),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                let port = address.port();
                return Err(error).with_context(|| {
                    format!("port {port} is taken: stop what listens on {address}, or choose another port")
                });
            }
            // A machine without IPv6 may still know the name.
            Err(error) if error.kind() == ErrorKind::AddrNotAvailable => {}
            Err(error) => return Err(error).with_context(|| format!("cannot listen on {address}")),
        }
    }
    ensure!(
        !listeners.is_empty(),
        "cannot listen on {host_port}: none of its addresses is this machine's"
    );
    Ok(listeners)
}

/// Listens on both loopback addresses at a port.
pub(crate) async fn listen_locally(port: u16) -> Result<Vec<TcpListener>> {
    listen(&format!("localhost:{port}")).await
}
