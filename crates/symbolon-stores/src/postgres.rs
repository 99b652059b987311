//! The ports on one PostgreSQL database that any number of nodes share.
//!
//! The log's head is one row, updated last in the transaction that appends: positions are dense and in
//! the order of the commits ([`log`]). What a cut-off covers is marked as ended; what was being opened
//! beside it and could not be marked is judged by the position of the cut-off ([`rows`]), so that the
//! store never lets live what guards hold dead. Ends, and sign-ins that look at no other login, share
//! transactions with those that wait beside them ([`batch`]). Locks are taken in one order: users, logins,
//! grants, head.

mod batch;
mod columns;
mod directory;
mod ends;
mod fault;
mod follow;
mod heads;
mod limits;
mod log;
mod logins;
mod migrations;
mod once;
mod opening;
mod refusal;
mod rows;
mod sign_ins;
mod sweep;
mod tls;
mod transfer;
mod url;
mod uses;

use std::{sync::Arc, time::Duration};

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts};
use futures_util::future::BoxFuture;
use symbolon_authority::ports::StoreError;
use symbolon_login::Position;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};

pub use refusal::ConnectError;
pub use transfer::Moment;

use crate::Migration;
use batch::Batcher;
use columns::in_time;
use ends::End;
use fault::{Fault, Work};
use heads::Head;
use sign_ins::SignIn;
use uses::Uses;

/// How many connections a node keeps. More callers than that wait for their turn.
const CONNECTIONS: usize = 16;
/// How long a caller waits for a connection before the store counts as unavailable.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often a transaction that others got in the way of is tried.
const TRIES: u32 = 8;

/// A transaction on a pooled connection; dropped, it rolls back.
type Transaction<'a> = deadpool_postgres::Transaction<'a>;

/// All ports on a PostgreSQL database (15 or later) that any number of nodes share.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use symbolon_authority::ports::Logins;
/// use symbolon_stores::Postgres;
///
/// let store = Postgres::connect("postgres://symbolon:secret@db.example.com/symbolon").await?;
/// let head = store.head().await?;
/// # drop(head);
/// # Ok(())
/// # }
/// ```
pub struct Postgres {
    database: Arc<Database>,
    sign_ins: Batcher<SignIn>,
    ends: Batcher<End>,
    heads: Batcher<Head>,
    /// Ends with the store.
    _tasks: JoinSet<()>,
}

/// What the store and its tasks share.
struct Database {
    pool: Pool,
    wake: watch::Sender<Position>,
    uses: Uses,
    /// Something was appended by this node.
    appended: Notify,
    /// Something may have been appended by another node.
    hinted: Notify,
}

impl Postgres {
    /// Connects to the database that the URL names and brings its tables up to date.
    ///
    /// `postgres://user:password@host:port/database?parameters`, several hosts separated by commas. The
    /// parameters are libpq's; `sslmode` is `disable`, `prefer`, `require` or `verify-full`. Without one it
    /// is `verify-full`, unless all hosts are this machine: then it is `prefer`. `sslrootcert` names the
    /// PEM file of the certificate authorities for `verify-full`; without one those of the system count.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        let target = url::parse(url)?;
        let manager = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(target.config.clone(), target.tls.clone(), manager);
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts {
                wait: Some(PATIENCE),
                create: Some(url::CONNECT_TIMEOUT),
                recycle: Some(PATIENCE),
            })
            .build()
            .map_err(|why| ConnectError::Url(why.to_string()))?;
        let mut client = target.connect().await?;
        migrations::check_server(&client).await?;
        migrations::apply(&mut client).await?;
        let head = log::head(&client).await.map_err(ConnectError::from)?;
        let database = Arc::new(Database {
            pool,
            wake: watch::Sender::new(head),
            uses: Uses::default(),
            appended: Notify::new(),
            hinted: Notify::new(),
        });
        let mut tasks = JoinSet::new();
        let sign_ins = Batcher::start(&database, &mut tasks);
        let ends = Batcher::start(&database, &mut tasks);
        let heads = Batcher::start(&database, &mut tasks);
        tasks.spawn(uses::write(Arc::clone(&database)));
        tasks.spawn(follow::announce(Arc::clone(&database)));
        tasks.spawn(follow::poll(Arc::clone(&database), heads.clone()));
        tasks.spawn(follow::listen(Arc::clone(&database), target));
        Ok(Self {
            database,
            sign_ins,
            ends,
            heads,
            _tasks: tasks,
        })
    }

    /// The migrations that [`Postgres::connect`] would apply, in order; changes nothing.
    pub async fn pending(url: &str) -> Result<Vec<Migration>, ConnectError> {
        let client = url::parse(url)?.connect().await?;
        migrations::check_server(&client).await?;
        migrations::pending(&client).await
    }
}

impl Database {
    async fn client(&self) -> Work<Object> {
        Ok(self.pool.get().await?)
    }

    /// Runs `work` in a transaction and commits it; once more from the start if another transaction
    /// got in its way.
    async fn transact<T, F>(&self, work: F) -> Work<T>
    where
        T: Send,
        F: for<'a> Fn(&'a Transaction<'a>) -> BoxFuture<'a, Work<T>> + Send + Sync,
    {
        let mut client = self.client().await?;
        let mut tries = 1;
        loop {
            let done = async {
                let transaction = in_time(client.transaction()).await?;
                let done = work(&transaction).await?;
                in_time(transaction.commit()).await?;
                Ok(done)
            };
            match done.await {
                Err(Fault::Database(error)) if fault::is_conflict(&error) && tries < TRIES => {
                    tries += 1;
                }
                Err(fault) => {
                    give_back(client, &fault);
                    return Err(fault);
                }
                Ok(done) => return Ok(done),
            }
        }
    }

    /// Tells this node's followers of the log, and soon the other nodes, of an entry that is committed.
    fn announce(&self, position: Position) {
        self.publish(position);
        self.appended.notify_one();
    }

    fn publish(&self, position: Position) {
        self.wake.send_if_modified(|known| {
            let news = *known < position;
            *known = position.max(*known);
            news
        });
    }
}

/// Gives a connection back after a fault, unless that is the connection's own: back in the pool, one that is cut
/// and does not know it yet would cost the next caller its answer, and one that hangs would make it wait.
fn give_back(client: Object, fault: &Fault) {
    if fault.is_of_the_line() {
        drop(Object::take(client));
    }
}

impl Postgres {
    async fn transact<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send,
        F: for<'a> Fn(&'a Transaction<'a>) -> BoxFuture<'a, Work<T>> + Send + Sync,
    {
        Ok(self.database.transact(work).await?)
    }
}
