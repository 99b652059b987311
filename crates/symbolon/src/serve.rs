//! `symbolon serve`: the authority, from its first start to its graceful end.

use std::{
    fs, future::Future, io::ErrorKind, os::unix::fs::PermissionsExt, path::Path, time::Duration,
};

use anyhow::{Context, Result, ensure};
use symbolon_server::{ServerState, authority::Swept};
use tokio::{
    net::{TcpListener, UnixListener},
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinSet,
    time::sleep,
};

use crate::{
    cli::Serve,
    config::Config,
    data::{Data, IfMissing, socket_path},
    listen::listen,
    output,
};

/// How often it is looked whether a signing key is due, or over.
const TEND_EVERY: Duration = Duration::from_secs(2);
/// How often expired rows get a chance to leave.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// The pause between two bites while there is more: up to 10,000 rows leave in a second, and every
/// request finds its turn between them.
const SWEEP_ON: Duration = Duration::from_millis(50);

pub(crate) async fn serve(given: Serve) -> Result<()> {
    let config = Config::load(given)?;
    let listeners = listen(&config.listen).await?;
    let url = &config.public_url;
    let data = Data::open(
        &config.data,
        &config.stores,
        config.authority(),
        IfMissing::Create,
    )
    .await?;
    let is_loopback = url.is_trustworthy() && !url.is_https();
    ensure!(
        is_loopback || !data.is_demo().await?,
        "{} holds the demo's people, one of them an administrator: for {url} begin with an empty directory (--data DIR)",
        config.data.display()
    );
    output::line(&format!("Symbolon {} at {url}", env!("CARGO_PKG_VERSION")))?;
    if let Some(token) = data.authority.set_up_link().await? {
        output::line(
            "There is no administrator yet. Open this link once, within a day, to become it:",
        )?;
        output::line(&format!("  {url}/set-up?token={}", *token))?;
    }
    // Before anybody can know that it runs, and ask it to stop.
    let stop = stop_signal()?;
    Running::start(&data, &config.data, config.insecure_http, listeners)?
        .until(stop)
        .await;
    data.close()
}

/// A running authority.
pub(crate) struct Running {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Running {
    /// Starts to answer on the listeners, and on the operator's socket in `dir`.
    pub(crate) fn start(
        data: &Data,
        dir: &Path,
        insecure_http: bool,
        listeners: Vec<TcpListener>,
    ) -> Result<Self> {
        let state = ServerState::new(data.authority.clone(), insecure_http)?;
        let (stop, _) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let socket = operator_socket(dir)?;
        tasks.spawn(symbolon_server::serve_operator(
            socket,
            symbolon_server::operator_router(state.clone()),
            stopped(&stop),
        ));
        let router = symbolon_server::router(state);
        for listener in listeners {
            tasks.spawn(symbolon_server::serve(
                listener,
                router.clone(),
                stopped(&stop),
            ));
        }
        let (authority, stopping) = (data.authority.clone(), stopped(&stop));
        tasks.spawn(async move {
            let tending = async {
                loop {
                    // The first signing key is there, and nothing is due at once.
                    sleep(TEND_EVERY).await;
                    if let Err(error) = authority.tend_keys().await {
                        tracing::warn!(%error, "signing keys stay as they are for now");
                    }
                }
            };
            tokio::select! {
                () = stopping => {}
                () = tending => {}
            }
        });
        let (authority, stopping) = (data.authority.clone(), stopped(&stop));
        tasks.spawn(async move {
            let sweeping = async {
                loop {
                    let pause = match authority.sweep().await {
                        Ok(Swept::More) => SWEEP_ON,
                        Ok(Swept::Clean) => SWEEP_EVERY,
                        Err(error) => {
                            tracing::warn!(%error, "expired rows stay for now");
                            SWEEP_EVERY
                        }
                    };
                    sleep(pause).await;
                }
            };
            tokio::select! {
                () = stopping => {}
                () = sweeping => {}
            }
        });
        Ok(Self { tasks, stop })
    }

    /// Runs until `end`, then lets requests in flight end.
    pub(crate) async fn until(mut self, end: impl Future<Output = ()>) {
        end.await;
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

fn stopped(stop: &watch::Sender<bool>) -> impl Future<Output = ()> + Send + 'static {
    let mut stop = stop.subscribe();
    async move {
        // A sender that is gone has stopped, too.
        let _ = stop.wait_for(|stopped| *stopped).await;
    }
}

/// Resolves at Ctrl-C or SIGTERM.
pub(crate) fn stop_signal() -> Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// The socket that the command line comes by. Whoever holds the directory's lock may replace it.
fn operator_socket(dir: &Path) -> Result<UnixListener> {
    let path = socket_path(dir);
    let text = || format!("cannot make the command line's socket {}", path.display());
    match fs::remove_file(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(text),
    }
    let listener = UnixListener::bind(&path).with_context(text)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).with_context(text)?;
    Ok(listener)
}
