//! Logins, the log, counters and once-values in Redis or Valkey.

mod address;
mod carry;
mod connect;
mod follow;
mod limits;
mod link;
mod log;
mod logins;
mod once;
mod reply;
mod script;

use std::sync::Arc;

use ::redis::{RedisError, ServerErrorKind, Value};
use symbolon_authority::ports::StoreError;
use symbolon_login::Position;
use tokio::{sync::watch, task::AbortHandle};

pub(crate) use carry::Carried;
pub use connect::{ConnectError, Durability, UnknownDurability};
pub(crate) use follow::wall_clock;

use crate::touches::Touches;
use address::Address;
use connect::Wait;
use link::Link;
use reply::Reply;
use script::{Args, Script, Scripts};

/// The ports `Logins`, `Limits` and `Once` on a cell of Redis 7 or Valkey 7.2 or later. Users, apps and keys stay in an SQL
/// store: [`crate::Bridged`] puts the two together.
///
/// **The cell.** All keys of a cell begin with `{NAME}:`, so they lie in one slot, and each verb is one Lua script: one
/// atomic step in one round trip. In a Redis Cluster this buys failover, not sharding: one primary serves the whole
/// cell. For more than one primary can do, run more cells.
///
/// **What each durability may lose.** A write is acknowledged only
/// - `memory`: when the primary has it in memory. A crash of the server loses what its append-only file did not have
///   (a second with `everysec`, all since the last snapshot without one); a failover loses what the
///   replica had not received. Ended logins may live again.
/// - `disk`: when it is in the primary's append-only file, synced (`appendfsync always`, or WAITAOF since Redis 7.2). A crash
///   loses nothing. A failover to a replica may still lose what that had not received.
/// - `replica`: when a replica has it, too; since Redis 7.2 and with an append-only file on both disks, before that in
///   the replica's memory. A failover to that replica loses nothing. With several replicas, Redis elects the one
///   that is furthest, as far as the others can tell: it is no consensus. While no replica follows, every
///   write is refused.
///
/// A primary that is cut off from the others goes on answering questions until `cluster-node-timeout` is over: so
/// long a login that was ended on the other side may be found alive by a node of ours on its side. What was
/// written there in that time is lost. Keep that timeout within the freshness that apps are promised.
///
/// **Lost altogether.** When the cell's head is gone while we run (flushed, or a server that came back empty), every verb
/// is refused; a new start founds the cell anew, in an epoch that outranks what was lost. When the log went back
/// behind what we saw (a failover lost its end), a new epoch begins at once: what was issued at or after
/// the place to which it fell back is ended, and guards take a snapshot.
///
/// Writes are never sent twice: an answer that was lost is an error, although the write may have happened.
pub struct Redis {
    cell: Arc<Cell>,
    tasks: Vec<AbortHandle>,
    founded: bool,
}

/// What verbs and background tasks share.
struct Cell {
    asking: Link,
    writing: Link,
    head: String,
    shown: String,
    scripts: Scripts,
    wait: Option<Wait>,
    wake: watch::Sender<Position>,
    touches: Touches,
    flushing: tokio::sync::Mutex<()>,
    touched: tokio::sync::Notify,
}

impl Redis {
    /// Connects to the cell of a URL: `redis://`, `rediss://` (TLS, verified by the system's roots or the file of
    /// `?ca=FILE`), `redis+cluster://HOST:PORT,HOST:PORT` or `rediss+cluster://`, with `USER:PASSWORD@` and
    /// `?cell=NAME` (`symbolon` unless said).
    ///
    /// Refuses a server that cannot keep the promises: too old, evicting, a replica, or without the durability
    /// that is asked for. Founds the cell where there is none.
    pub async fn connect(url: &str, durability: Durability) -> Result<Self, ConnectError> {
        let address = Address::parse(url)?;
        // The first provider of a process stays: an error says that there is one.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let refused = |error: RedisError| ConnectError::of(&address, &error);
        let asking = Link::asking(&address).await.map_err(refused)?;
        let wait = connect::inspect(&address, &asking, durability).await?;
        let writing = Link::writing(&address).await.map_err(refused)?;
        let scripts = Scripts::new();
        let head = address.head();
        let found = scripts.found.command(false, &head, &Args::default());
        let found = writing.write(&found, None).await.map_err(refused)?;
        let cell = Arc::new(Cell {
            asking,
            writing,
            head,
            shown: address.shown().to_owned(),
            scripts,
            wait,
            wake: watch::Sender::new(Position::START),
            touches: Touches::default(),
            flushing: tokio::sync::Mutex::default(),
            touched: tokio::sync::Notify::new(),
        });
        let unready = |error: StoreError| ConnectError::Unreachable {
            at: address.shown().to_owned(),
            why: error.to_string(),
        };
        cell.read_head().await.map_err(unready)?;
        let follow = tokio::spawn(follow::follow(Arc::clone(&cell), address.clone()));
        let flush = tokio::spawn(follow::flush(Arc::clone(&cell)));
        Ok(Self {
            cell,
            tasks: vec![follow.abort_handle(), flush.abort_handle()],
            founded: found.answer == Value::Int(1),
        })
    }

    /// Whether [`Redis::connect`] found a cell that was never used: a first start, or everything was lost.
    pub fn is_new(&self) -> bool {
        self.founded
    }

    /// Writes the uses that wait.
    pub(crate) async fn write_uses(&self) -> Result<(), StoreError> {
        self.cell.write_uses().await
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Cell {
    /// Runs a script that only reads.
    async fn ask(&self, script: &Script, args: &Args) -> Result<Reply, StoreError> {
        let by_hash = script.command(true, &self.head, args);
        let answer = match self.asking.ask(&by_hash).await {
            Err(error) if is_unknown_script(&error) => {
                let by_text = script.command(false, &self.head, args);
                self.asking.ask(&by_text).await
            }
            answer => answer,
        };
        Reply::new(answer.map_err(|error| self.fault(&error))?)
    }

    /// Runs a script whose effect may be lost.
    async fn write_loosely(&self, script: &Script, args: &Args) -> Result<Reply, StoreError> {
        self.run(script, args, None).await.map(|(answer, _)| answer)
    }

    /// Runs a script that writes, and waits until it is as durable as was asked for.
    async fn write(&self, script: &Script, args: &Args) -> Result<Reply, StoreError> {
        let (answer, waited) = self.run(script, args, self.wait.as_ref()).await?;
        if let (Some(wait), Some(waited)) = (&self.wait, waited)
            && !wait.is_met(waited)
        {
            return Err(StoreError::Unavailable(format!(
                "{} has the write, but not yet where it is safe: no replica (or disk) confirmed it in time; see that \
                 a replica follows, and ask again",
                self.shown
            )));
        }
        Ok(answer)
    }

    async fn run(
        &self,
        script: &Script,
        args: &Args,
        wait: Option<&Wait>,
    ) -> Result<(Reply, Option<Value>), StoreError> {
        let then = wait.map(Wait::command);
        let by_hash = script.command(true, &self.head, args);
        let written = match self.writing.write(&by_hash, then).await {
            Err(error) if is_unknown_script(&error) => {
                let by_text = script.command(false, &self.head, args);
                self.writing.write(&by_text, then).await
            }
            written => written,
        };
        let written = written.map_err(|error| self.fault(&error))?;
        Ok((Reply::new(written.answer)?, written.waited))
    }

    /// Tells followers of an entry that is there to be read.
    fn saw(&self, head: Position) {
        self.wake.send_if_modified(|known| {
            let news = head > *known;
            *known = head.max(*known);
            news
        });
    }

    fn fault(&self, error: &RedisError) -> StoreError {
        let at = &self.shown;
        if error.code() == Some("LOSTCELL") {
            return self.lost();
        }
        StoreError::Unavailable(format!("Redis at {at}: {error}"))
    }

    fn lost(&self) -> StoreError {
        StoreError::Unavailable(format!(
            "the cell of {} at {} is gone: Redis was flushed or came back empty; start again, which begins a new \
             epoch and ends all logins",
            self.head, self.shown
        ))
    }
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ::redis::ErrorKind::Server(ServerErrorKind::NoScript)
}
