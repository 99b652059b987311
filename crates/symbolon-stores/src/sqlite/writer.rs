//! The one writer: a thread that runs many waiting requests in one transaction and answers each
//! only after that transaction is on disk (group commit).

mod batch;
#[cfg(test)]
mod tests;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};

use rusqlite::{Connection, params};
use symbolon_authority::ports::StoreError;
use symbolon_login::{Change, GrantId, Position, UnixMillis};
use tokio::sync::{oneshot, watch};
use tracing::error;

use crate::touches::Touches;

use super::{
    columns::{to_integer, to_json},
    fault::{Fault, Work},
};

/// How many requests may wait. More than that are refused at once, so that a slow disk gives
/// errors instead of using up the memory.
pub(super) const QUEUE: usize = 8192;
/// How many requests share one transaction at most.
const BATCH: usize = 1024;

/// The handle of the writer. Dropped, it lets the thread finish what waits, and joins it.
pub(super) struct Writer {
    queue: Option<SyncSender<Message>>,
    thread: Option<JoinHandle<Work<()>>>,
    head: watch::Sender<Position>,
    touches: Arc<Touches>,
    counters: Arc<Counters>,
}

/// What the writer did since it started.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) commits: AtomicU64,
    pub(super) requests: AtomicU64,
    pub(super) touches: AtomicU64,
}

/// What a request works on: the open transaction, and the log's head in it.
pub(super) struct Transaction<'a> {
    conn: &'a Connection,
    head: Position,
}

enum Message {
    Request(Box<dyn Request>),
    /// Uses wait to be noted.
    Touched,
}

/// A queued request, its type of answer erased.
trait Request: Send {
    /// Does the work. False: it failed, and what it wrote has to be undone.
    fn run(&mut self, transaction: &mut Transaction<'_>) -> bool;
    /// Tells whoever waits, once it is known what became of the transaction.
    fn answer(self: Box<Self>, transaction: Result<(), &Fault>);
}

struct Pending<T, F> {
    work: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl Writer {
    /// Starts the thread on its connection; `queue` requests may wait.
    pub(super) fn start(conn: Connection, head: Position, queue: usize) -> std::io::Result<Self> {
        let (sender, messages) = sync_channel(queue);
        let (touches, counters) = (Arc::<Touches>::default(), Arc::<Counters>::default());
        let head = watch::Sender::new(head);
        let thread = batch::Thread {
            conn,
            messages,
            head: head.clone(),
            touches: Arc::clone(&touches),
            counters: Arc::clone(&counters),
        };
        let name = "symbolon-write".to_owned();
        let thread = thread::Builder::new().name(name).spawn(|| thread.run())?;
        Ok(Self {
            queue: Some(sender),
            thread: Some(thread),
            head,
            touches,
            counters,
        })
    }

    /// Runs `work` in the next transaction. Resolves after that is on disk; runs even if nobody
    /// waits for it any more.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Transaction<'_>) -> Work<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let request = Message::Request(Box::new(Pending {
            work: Some(work),
            outcome: None,
            reply,
        }));
        let queue = self.queue.as_ref().ok_or_else(closed)?;
        queue.try_send(request).map_err(|refused| match refused {
            TrySendError::Full(_) => Fault::unavailable("too many writes wait").into(),
            TrySendError::Disconnected(_) => closed(),
        })?;
        answer.await.map_err(|_| closed())?
    }

    /// Notes a use; the writer takes it along later.
    pub(super) fn touch(&self, grant: GrantId, now: UnixMillis) {
        if self.touches.note(grant, now)
            && let Some(queue) = &self.queue
        {
            // A full queue means that the writer is about to look anyway.
            let _ = queue.try_send(Message::Touched);
        }
    }

    /// The committed head: never ahead of the disk, never behind what was acknowledged.
    pub(super) fn head(&self) -> Position {
        *self.head.borrow()
    }

    /// Follows the committed head.
    pub(super) fn wake(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    pub(super) fn touches(&self) -> &Touches {
        &self.touches
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Finishes what waits and closes the connection, which moves everything into the main file.
    pub(super) fn close(&mut self) -> Work<()> {
        self.queue = None;
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(closed)) => closed,
            Some(Err(_)) => Err(Fault::unavailable("the writer panicked")),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Err(fault) = self.close() {
            error!("closing the store: {}", StoreError::from(fault));
        }
    }
}

impl Transaction<'_> {
    /// The connection that the transaction is open on.
    pub(super) fn conn(&self) -> &Connection {
        self.conn
    }

    /// The log's head in this transaction.
    pub(super) fn head(&self) -> Position {
        self.head
    }

    /// Moves the head to the start of another epoch, whose log is empty.
    pub(super) fn start_at(&mut self, start: Position) {
        self.head = start;
    }

    /// Appends to the log. Numbers are dense: what is undone gives its number back.
    pub(super) fn append(&mut self, change: &Change, now: UnixMillis) -> Work<Position> {
        let position = self.head.next();
        let sql = "INSERT INTO log (epoch, number, at, change) VALUES (?1, ?2, ?3, ?4)";
        self.conn.prepare_cached(sql)?.execute(params![
            position.epoch(),
            to_integer(position.number())?,
            now.as_millis(),
            to_json(change)?
        ])?;
        self.head = position;
        Ok(position)
    }
}

impl<T, F> Request for Pending<T, F>
where
    T: Send,
    F: FnOnce(&mut Transaction<'_>) -> Work<T> + Send,
{
    fn run(&mut self, transaction: &mut Transaction<'_>) -> bool {
        let Some(work) = self.work.take() else {
            return false;
        };
        // The transaction is safe to look at afterwards: the savepoint undoes what was half done.
        let outcome = catch_unwind(AssertUnwindSafe(|| work(transaction)));
        let outcome = outcome.unwrap_or_else(|_| {
            error!("a write panicked; it was undone");
            Err(Fault::unavailable("a write failed"))
        });
        let kept = outcome.is_ok();
        self.outcome = Some(outcome.map_err(StoreError::from));
        kept
    }

    fn answer(self: Box<Self>, transaction: Result<(), &Fault>) {
        let answer = match (self.outcome, transaction) {
            (Some(Err(own)), _) => Err(own),
            (_, Err(fault)) => Err(fault.repeat()),
            (Some(Ok(answer)), Ok(())) => Ok(answer),
            (None, Ok(())) => Err(StoreError::Unavailable("a write failed".to_owned())),
        };
        // Nobody may wait any more; what is written stays written.
        let _ = self.reply.send(answer);
    }
}

impl Counters {
    fn add(counter: &AtomicU64, number: usize) {
        counter.fetch_add(u64::try_from(number).unwrap_or(0), Ordering::Relaxed);
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}
