//! The connections to one server or to a Cluster, and which of them a script goes through.
//!
//! Questions may be asked twice, writes may not: a script whose answer was lost may have run. So questions go
//! through a connection that repeats them, writes through one that repeats only what the server
//! itself refused to begin (another node has the slot, it is loading, it is a replica).

use std::time::Duration;

use redis::{
    Cmd, ErrorKind, Pipeline, ProtocolVersion, RedisError, RedisResult, ServerErrorKind, Value,
    aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig},
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
    cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo},
};
use tokio::time::{Instant, sleep};

use super::address::Address;

/// How long a question or a write may take before its caller hears that the store is unavailable.
const ANSWER: Duration = Duration::from_secs(2);
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(1);
/// How long a write that the server refused to begin is tried again: while a slot changes hands.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(50);
/// How often a Cluster's client asks again, when a slot has moved or a connection broke.
const QUESTIONS_AGAIN: u32 = 4;

/// One way to the cell, cheap to clone; what is sent through it at once goes out together.
#[derive(Clone)]
pub(super) enum Link {
    One(ConnectionManager),
    Cluster(ClusterConnection, Route),
}

impl Link {
    /// A connection for questions.
    pub(super) async fn asking(address: &Address) -> RedisResult<Self> {
        Self::new(address, ANSWER, QUESTIONS_AGAIN).await
    }

    /// A connection for writes.
    pub(super) async fn writing(address: &Address) -> RedisResult<Self> {
        Self::new(address, ANSWER, 0).await
    }

    /// A connection of its own for a question that waits for news up to `block`.
    pub(super) async fn waiting(address: &Address, block: Duration) -> RedisResult<Self> {
        Self::new(address, block + ANSWER, 0).await
    }

    async fn new(address: &Address, answer: Duration, again: u32) -> RedisResult<Self> {
        if let Some(route) = address.route() {
            let cluster = ClusterClient::builder(address.nodes().to_vec())
                .use_protocol(ProtocolVersion::RESP3)
                .connection_timeout(CONNECT)
                .response_timeout(answer)
                .retries(again)
                .max_retry_wait(200)
                .min_retry_wait(20);
            let cluster = match address.certificates() {
                Some(certificates) => cluster.certs(certificates),
                None => cluster,
            };
            let connection = cluster.build()?.get_async_connection().await?;
            return Ok(Self::Cluster(connection, route));
        }
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(answer))
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(100));
        let manager = ConnectionManager::new_with_config(address.client()?, config);
        Ok(Self::One(manager.await?))
    }

    /// Asks, and asks once more when the connection was lost over it.
    pub(super) async fn ask(&self, command: &Cmd) -> RedisResult<Value> {
        match self.send(command).await {
            Err(error) if error.is_connection_dropped() => self.send(command).await,
            answer => answer,
        }
    }

    /// Writes, and waits as `then` asks, on the connection that wrote: another one has nothing to wait for.
    pub(super) async fn write(&self, command: &Cmd, then: Option<&Cmd>) -> RedisResult<Written> {
        let until = Instant::now() + PATIENCE;
        loop {
            let written = match then {
                None => self.send(command).await.map(|answer| Written {
                    answer,
                    waited: None,
                }),
                Some(then) => self.send_both(command, then).await,
            };
            match written {
                Err(error) if was_not_begun(&error) && Instant::now() < until => {
                    sleep(PAUSE).await;
                }
                written => return written,
            }
        }
    }

    async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        let answer = match self.clone() {
            Self::One(mut one) => one.req_packed_command(command).await,
            Self::Cluster(mut cluster, route) => {
                let route = SingleNodeRoutingInfo::SpecificNode(route);
                let route = RoutingInfo::SingleNode(route);
                cluster.route_command(command.clone(), route).await
            }
        };
        answer?.extract_error()
    }

    async fn send_both(&self, command: &Cmd, then: &Cmd) -> RedisResult<Written> {
        let mut both = Pipeline::with_capacity(2);
        both.add_command(command.clone()).add_command(then.clone());
        let answers = match self.clone() {
            Self::One(mut one) => one.req_packed_commands(&both, 0, 2).await,
            Self::Cluster(mut cluster, route) => {
                let route = SingleNodeRoutingInfo::SpecificNode(route);
                cluster.route_pipeline(both, 0, 2, route).await
            }
        };
        let mut answers = answers?.into_iter();
        let answer = answers.next().unwrap_or_default().extract_error()?;
        let waited = answers.next().unwrap_or_default().extract_error()?;
        Ok(Written {
            answer,
            waited: Some(waited),
        })
    }
}

/// What a write gave, and what the wait after it gave.
pub(super) struct Written {
    pub(super) answer: Value,
    pub(super) waited: Option<Value>,
}

/// Whether what was sent did surely not run: nobody listened, or the server said so.
fn was_not_begun(error: &RedisError) -> bool {
    use ServerErrorKind::{Ask, BusyLoading, ClusterDown, MasterDown, Moved, ReadOnly, TryAgain};
    match error.kind() {
        ErrorKind::Server(kind) => matches!(
            kind,
            Moved | Ask | TryAgain | ClusterDown | MasterDown | BusyLoading | ReadOnly
        ),
        ErrorKind::ClusterConnectionNotFound => true,
        _ => error.is_connection_refusal(),
    }
}
