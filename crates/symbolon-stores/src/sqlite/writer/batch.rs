//! The writer's thread: collect what waits, one transaction, publish the head, answer.

use std::{
    mem,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use symbolon_login::{GrantId, Position, UnixMillis};
use tokio::sync::watch;
use tracing::error;

use super::{BATCH, Counters, Message, News, Request, Transaction};
use crate::{
    sqlite::{
        fault::{Fault, Work},
        memory::Memory,
        rows,
        unmarked::{self, Ends},
    },
    touches::Touches,
};

/// How long noted uses wait for a transaction to go along with before they get their own.
const TOUCHES_WAIT: Duration = Duration::from_secs(1);
/// How many ends are kept that the rows do not say. Beyond it the rows are marked: many at once share
/// pages, and most never have to be, because they leave before.
const UNMARKED: usize = if cfg!(test) { 64 } else { 1 << 18 };
/// How many rows are marked along with one transaction.
const MARKED_AT_ONCE: usize = if cfg!(test) { 16 } else { 512 };

/// Whether each request of a batch has a savepoint of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guarded {
    Yes,
    No,
}

pub(super) struct Thread {
    pub(super) conn: Connection,
    pub(super) memory: Arc<Memory>,
    pub(super) messages: Receiver<Message>,
    pub(super) head: watch::Sender<Position>,
    pub(super) touches: Arc<Touches>,
    pub(super) counters: Arc<Counters>,
    /// Requests that came during the last transaction.
    pub(super) waiting: Batch,
    /// How many were in the last transaction or came during it.
    pub(super) callers: usize,
    /// How long it is worth to wait for them: a part of what a transaction takes.
    pub(super) patience: Duration,
    /// Under way when too many ends are unmarked.
    pub(super) marking: Option<Marking>,
}

/// What a transaction left behind.
struct Committed {
    head: Position,
    /// How long it waited for requests.
    idle: Duration,
    /// The times of use that it knows to be on disk.
    written: Vec<(GrantId, UnixMillis)>,
    news: News,
}

/// The marking of what has ended, a bite with each transaction.
pub(super) struct Marking {
    /// What is left, in the order in which the rows lie.
    left: Ends,
    /// Up to here the rows say all when nothing is left.
    through: Position,
}

/// Requests that share a transaction.
pub(super) type Batch = Vec<Box<dyn Request>>;

impl Thread {
    /// Works until the handle is gone and everything that waited is done.
    pub(super) fn run(mut self) -> Work<()> {
        while let Some(batch) = self.next() {
            self.commit(batch);
        }
        while self.touches.any() {
            self.commit(Vec::new());
        }
        // The last connection to close moves the write-ahead log into the main file.
        self.conn.close().map_err(|(_, error)| error.into())
    }

    /// All that waits, up to [`BATCH`]; empty when only noted uses do. None: the handle is gone.
    fn next(&mut self) -> Option<Batch> {
        let mut batch = mem::take(&mut self.waiting);
        while batch.is_empty() {
            if self.marking.is_some() {
                self.drain(&mut batch);
                return Some(batch);
            }
            match self.receive() {
                Ok(Message::Request(request)) => batch.push(request),
                // From now on there is a limit to the waiting.
                Ok(Message::Touched) => {}
                Err(RecvTimeoutError::Timeout) => return Some(batch),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        self.drain(&mut batch);
        Some(batch)
    }

    fn receive(&self) -> Result<Message, RecvTimeoutError> {
        if self.touches.any() {
            self.messages.recv_timeout(TOUCHES_WAIT)
        } else {
            self.messages.recv().map_err(Into::into)
        }
    }

    /// Adds what came meanwhile, and gives those who were answered a moment ago a short time to ask
    /// again: otherwise two halves of the callers would take turns, each with a sync of its own.
    /// False: nobody else is waited for.
    ///
    /// The transaction is open already, so that each request is worked on while others are still made.
    fn gather(&self, batch: &mut Batch, idle: &mut Duration) -> bool {
        let before = batch.len();
        let mut since = Instant::now();
        while before < self.callers.min(BATCH) {
            self.drain(batch);
            if batch.len() > before {
                return true;
            }
            if *idle >= self.patience {
                break;
            }
            // Not asleep: each of them would have to wake this thread.
            thread::yield_now();
            let now = Instant::now();
            *idle += now.duration_since(since);
            since = now;
        }
        false
    }

    fn drain(&self, batch: &mut Batch) {
        while batch.len() < BATCH
            && let Ok(message) = self.messages.try_recv()
        {
            if let Message::Request(request) = message {
                batch.push(request);
            }
        }
    }

    fn commit(&mut self, mut batch: Batch) {
        let started = Instant::now();
        let touched = self.touches.take();
        let outcome = self.transact(&mut batch, &touched);
        let outcome = outcome.map(
            |Committed {
                 head,
                 idle,
                 written,
                 news,
             }| {
                Counters::add(&self.counters.commits, 1);
                Counters::add(&self.counters.requests, batch.len());
                self.touches.written(written);
                news.publish(&self.memory);
                (head, idle)
            },
        );
        match &outcome {
            Ok((head, _)) => {
                self.marked_a_bite();
                // Before the answers: whoever was answered and asks finds at least this head.
                self.head.send_if_modified(|known| {
                    let news = known != head;
                    *known = *head;
                    news
                });
            }
            Err(fault) => {
                error!("a transaction failed: {}", fault.repeat());
                // It begins anew once the disk takes something again.
                self.marking = None;
                self.memory.welcome.forget_all();
                self.touches.written(Vec::new());
                if !self.conn.is_autocommit()
                    && let Err(error) = self.conn.execute_batch("ROLLBACK")
                {
                    error!("rolling back: {error}");
                }
            }
        }
        let idle = outcome.as_ref().map_or(Duration::ZERO, |(_, idle)| *idle);
        self.patience = started.elapsed().saturating_sub(idle) / 4;
        let mut waiting = mem::take(&mut self.waiting);
        self.drain(&mut waiting);
        self.callers = batch.len() + waiting.len();
        self.waiting = waiting;
        for request in batch {
            request.answer(outcome.as_ref().map(|_| ()));
        }
    }

    /// One transaction of everything. Gives the new head and the known times of use.
    fn transact(&self, batch: &mut Batch, touched: &[(GrantId, UnixMillis)]) -> Work<Committed> {
        let committed = self.attempt(batch, touched, Guarded::No)?;
        if let Some(committed) = committed {
            return Ok(committed);
        }
        // Rare, and so dear: savepoints around all requests would cost every batch as much as the
        // work itself.
        self.execute("ROLLBACK")?;
        self.memory.welcome.forget_all();
        let committed = self.attempt(batch, touched, Guarded::Yes)?;
        committed.ok_or_else(|| Fault::unavailable("a write could not be undone"))
    }

    /// The transaction, with or without a savepoint around each request. None: a request failed that
    /// had none, nothing is committed, and the transaction is still open.
    fn attempt(
        &self,
        batch: &mut Batch,
        touched: &[(GrantId, UnixMillis)],
        guarded: Guarded,
    ) -> Work<Option<Committed>> {
        self.execute("BEGIN IMMEDIATE")?;
        let head = *self.head.borrow();
        let mut transaction = Transaction::on(&self.conn, head, &self.memory);
        let written = self.write_touches(touched)?;
        self.mark_a_bite(&mut transaction)?;
        let (mut done, mut idle) = (0, Duration::ZERO);
        loop {
            for request in batch.iter_mut().skip(done) {
                let kept = match guarded {
                    Guarded::No => request.run(&mut transaction),
                    Guarded::Yes => self.run_guarded(request.as_mut(), &mut transaction)?,
                };
                // A full disk and the like undo the whole transaction: nothing of it may be
                // acknowledged.
                if self.conn.is_autocommit() {
                    return Err(Fault::unavailable("a write undid its whole transaction"));
                }
                if !kept && guarded == Guarded::No {
                    return Ok(None);
                }
            }
            done = batch.len();
            if guarded == Guarded::Yes || !self.gather(batch, &mut idle) {
                break;
            }
        }
        let Transaction { head, news, .. } = transaction;
        news.announce(&self.memory);
        self.execute("COMMIT")?;
        Ok(Some(Committed {
            head,
            idle,
            written,
            news,
        }))
    }

    /// Marks some of what is left to be marked.
    fn mark_a_bite(&self, transaction: &mut Transaction<'_>) -> Work<()> {
        let Some(Marking { left, through }) = &self.marking else {
            return Ok(());
        };
        unmarked::mark(&self.conn, left.iter().take(MARKED_AT_ONCE))?;
        if left.len() <= MARKED_AT_ONCE {
            transaction.marked(*through)?;
        }
        Ok(())
    }

    /// Takes the bite that is on disk off what is left, and begins anew if there is too much.
    fn marked_a_bite(&mut self) {
        if let Some(Marking { left, .. }) = &mut self.marking {
            for _ in 0..MARKED_AT_ONCE {
                left.pop_first();
            }
            if left.is_empty() {
                self.marking = None;
            }
        } else if self.memory.unmarked.len() > UNMARKED {
            self.marking = Some(Marking {
                left: self.memory.unmarked.all(),
                through: *self.head.borrow(),
            });
        }
    }

    /// Runs a request so that nothing is left of it if it fails.
    fn run_guarded(
        &self,
        request: &mut dyn Request,
        transaction: &mut Transaction<'_>,
    ) -> Work<bool> {
        let (head, news) = (transaction.head, transaction.news.clone());
        self.execute("SAVEPOINT request")?;
        let kept = request.run(transaction);
        if !kept {
            (transaction.head, transaction.news) = (head, news);
            self.memory.welcome.forget_all();
            if self.conn.is_autocommit() {
                return Ok(false);
            }
            self.execute("ROLLBACK TO request")?;
        }
        self.execute("RELEASE request")?;
        Ok(kept)
    }

    fn write_touches(&self, touched: &[(GrantId, UnixMillis)]) -> Work<Vec<(GrantId, UnixMillis)>> {
        let mut written = Vec::with_capacity(touched.len());
        for (grant, now) in touched {
            match self.touch(*grant, *now) {
                Ok(used_at) => written.extend(used_at.map(|used_at| (*grant, used_at))),
                // One unreadable row must not refuse everyone else's requests.
                Err(fault) if !self.conn.is_autocommit() => {
                    error!("noting a use: {}", fault.repeat());
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(written)
    }

    /// Writes a noted use. Gives the time of use that stands now; none if it is all over.
    fn touch(&self, grant: GrantId, now: UnixMillis) -> Work<Option<UnixMillis>> {
        let view = self.memory.unmarked.view(None);
        let Some(mut found) = rows::find(&self.conn, &view, grant)? else {
            return Ok(None);
        };
        if let Some(used_at) = found.grant.seen(&found.login, now) {
            found.grant.used_at = used_at;
            rows::update_grant(&self.conn, &found.grant)?;
            Counters::add(&self.counters.touches, 1);
        }
        Ok(Some(found.grant.used_at))
    }

    fn execute(&self, sql: &str) -> Work<()> {
        Ok(self.conn.prepare_cached(sql)?.execute([]).map(|_| ())?)
    }
}
