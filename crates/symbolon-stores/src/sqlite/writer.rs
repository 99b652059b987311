//! The one writer: a thread that runs many waiting requests in one transaction and answers each
//! only after that transaction is on disk (group commit).

mod batch;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::{CachedStatement, Connection, Params};
use symbolon_authority::ports::StoreError;
use symbolon_login::{Change, GrantId, Position, Sid, UnixMillis, UserId};
use tokio::sync::{oneshot, watch};
use tracing::error;

use super::{
    fault::{Fault, Work},
    log,
    memory::{Further, Memory, Welcome},
    roll::{Entry, Expiry},
    unmarked::{self, Ends, View},
};
use crate::touches::Touches;

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

/// What a request works on: the open transaction, the log's head in it, and what the memory has to
/// know once it is committed.
pub(super) struct Transaction<'a> {
    conn: &'a Connection,
    statements: Statements<'a>,
    memory: &'a Memory,
    head: Position,
    news: News,
}

/// The statements that nearly every request runs, kept at hand until the transaction is over: to find one
/// among all takes longer than some of what it does.
#[derive(Default)]
struct Statements<'a> {
    login: Option<CachedStatement<'a>>,
    entry: Option<CachedStatement<'a>>,
}

/// Which row is inserted.
#[derive(Clone, Copy)]
pub(super) enum Insert {
    Login,
    Entry,
}

/// What a transaction changes in the memory.
#[derive(Clone, Default)]
pub(super) struct News {
    /// Logins for the roll.
    opened: Vec<Entry>,
    /// Those of them that have not ended.
    living: Vec<(Sid, UserId)>,
    /// Logins that ended.
    ended: Vec<(UserId, Sid)>,
    /// Logins that ended or whose rows are gone: of them only the rows tell what they are now.
    over: BTreeSet<Sid>,
    /// All that was there ended.
    all_over: bool,
    /// Logins whose rows are gone.
    gone: Vec<Entry>,
    /// Expiries that no row has.
    stale: Vec<Expiry>,
    /// Ends that the rows do not say.
    ends: Ends,
    /// Up to here the rows say all.
    marked: Option<Position>,
}

enum Message {
    Request(Box<dyn Request>),
    /// Uses wait to be noted.
    Touched,
}

/// A queued request, its type of answer erased.
trait Request: Send {
    /// Does the work, again if the transaction has to be begun anew. False: it failed, and what it
    /// wrote has to be undone.
    fn run(&mut self, transaction: &mut Transaction<'_>) -> bool;
    /// Tells whoever waits, once it is known what became of the transaction.
    fn answer(self: Box<Self>, transaction: Result<(), &Fault>);
}

struct Pending<T, F> {
    work: F,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl Writer {
    /// Starts the thread on its connection; `queue` requests may wait.
    pub(super) fn start(
        conn: Connection,
        head: Position,
        memory: Arc<Memory>,
        queue: usize,
    ) -> std::io::Result<Self> {
        let (sender, messages) = sync_channel(queue);
        let (touches, counters) = (Arc::<Touches>::default(), Arc::<Counters>::default());
        let head = watch::Sender::new(head);
        let thread = batch::Thread {
            conn,
            memory,
            messages,
            head: head.clone(),
            touches: Arc::clone(&touches),
            counters: Arc::clone(&counters),
            waiting: batch::Batch::new(),
            callers: 1,
            patience: Duration::ZERO,
            marking: None,
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
    /// waits for it any more. `work` may run a second time, on a transaction in which nothing of
    /// the first time is left.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Transaction<'_>) -> Work<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let request = Message::Request(Box::new(Pending {
            work,
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

impl<'a> Transaction<'a> {
    /// A transaction that is open on a connection of its own.
    pub(super) fn on(conn: &'a Connection, head: Position, memory: &'a Memory) -> Self {
        Self {
            conn,
            statements: Statements::default(),
            memory,
            head,
            news: News::default(),
        }
    }

    /// The connection that the transaction is open on.
    pub(super) fn conn(&self) -> &Connection {
        self.conn
    }

    /// Inserts a row by `sql`, which is always the same for `which`.
    pub(super) fn insert(
        &mut self,
        which: Insert,
        sql: &str,
        row: impl Params,
    ) -> rusqlite::Result<()> {
        let kept = match which {
            Insert::Login => &mut self.statements.login,
            Insert::Entry => &mut self.statements.entry,
        };
        let statement = match kept {
            Some(statement) => statement,
            none => none.insert(self.conn.prepare_cached(sql)?),
        };
        statement.execute(row).map(|_| ())
    }

    /// What it knows of ends, its own included.
    pub(super) fn view(&self) -> View<'_> {
        self.memory.unmarked.view(Some(&self.news.ends))
    }

    /// At least as many logins of a person as live.
    pub(super) fn number_of(&self, user: UserId) -> Work<usize> {
        let opened = self.news.opened.iter();
        let own = opened.filter(|own| own.user == user).count();
        Ok(self.memory.roll.number_of(user)? + own)
    }

    /// Who may sign in, as the writer remembers it.
    pub(super) fn welcome(&self) -> &Welcome {
        &self.memory.welcome
    }

    /// Which ids grants with rows of their own may have.
    pub(super) fn further(&self) -> &Further {
        &self.memory.further
    }

    /// The logins of a person that may live.
    pub(super) fn logins_of(&self, user: UserId) -> Work<BTreeSet<Sid>> {
        let mut theirs = self.memory.roll.of(user)?;
        let opened = self.news.opened.iter();
        theirs.extend(opened.filter(|own| own.user == user).map(|own| own.sid));
        Ok(theirs)
    }

    /// Whose login it is, if it is known without its row that it lives.
    pub(super) fn living(&self, sid: Sid) -> Option<UserId> {
        if self.news.all_over || self.news.over.contains(&sid) {
            return None;
        }
        self.memory.living.whose(sid)
    }

    /// Up to `limit` logins that may have expired before `before`, the oldest first.
    pub(super) fn expired(&self, before: UnixMillis, limit: usize) -> Vec<Expiry> {
        self.memory.roll.expired(before, limit)
    }

    /// A login has its row, which says whether it has `ended`.
    pub(super) fn opened(&mut self, entry: Entry, ended: bool) {
        if !self.news.gone.is_empty() {
            // Its id was free only just now: what was before it must not take it off.
            self.news.gone.retain(|gone| gone.sid != entry.sid);
            self.news.ended.retain(|(_, sid)| *sid != entry.sid);
        }
        self.news.opened.push(entry);
        if !ended {
            self.news.living.push((entry.sid, entry.user));
        }
    }

    /// A login has ended, and its row says so.
    pub(super) fn ended(&mut self, user: UserId, sid: Sid) {
        self.news.ended.push((user, sid));
        self.news.over.insert(sid);
    }

    /// All logins have ended, and their rows say so.
    pub(super) fn ended_all(&mut self) {
        self.news.all_over = true;
    }

    /// A login has ended by an entry of the log, and its row does not say so.
    pub(super) fn ended_by(&mut self, position: Position, user: UserId, sid: Sid, now: UnixMillis) {
        self.news.ends.insert((sid, position), now);
        self.ended(user, sid);
    }

    /// A login's row is gone.
    pub(super) fn removed(&mut self, entry: Entry) {
        self.news.gone.push(entry);
        self.news.over.insert(entry.sid);
    }

    /// No row has that expiry.
    pub(super) fn stale(&mut self, expiry: Expiry) {
        self.news.stale.push(expiry);
    }

    /// Makes all rows say what has ended so far: for what asks the rows alone.
    pub(super) fn mark_all(&mut self) -> Work<()> {
        unmarked::mark(self.conn, &self.memory.unmarked.all())?;
        unmarked::mark(self.conn, &self.news.ends)?;
        self.marked(self.head)
    }

    /// The rows say all that ended up to `through`, or are gone.
    pub(super) fn marked(&mut self, through: Position) -> Work<()> {
        unmarked::set_marked(self.conn, through)?;
        self.news.ends.retain(|(_, at), _| *at > through);
        self.news.marked = self.news.marked.max(Some(through));
        Ok(())
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
        log::insert_entry(self, position, change, now)?;
        self.head = position;
        Ok(position)
    }
}

impl News {
    /// Before the transaction commits.
    fn announce(&self, memory: &Memory) {
        memory.roll.add(&self.opened);
    }

    /// After it has.
    fn publish(self, memory: &Memory) {
        memory.unmarked.add(self.ends);
        if let Some(through) = self.marked {
            memory.unmarked.forget(through);
        }
        if self.all_over {
            memory.living.clear();
        } else {
            let mut living = self.living;
            living.retain(|(sid, _)| !self.over.contains(sid));
            memory
                .living
                .change(self.over.into_iter(), living.into_iter());
        }
        memory.roll.end(&self.ended);
        memory.roll.remove(&self.gone);
        memory.roll.strike(&self.stale);
    }
}

impl<T, F> Request for Pending<T, F>
where
    T: Send,
    F: Fn(&mut Transaction<'_>) -> Work<T> + Send,
{
    fn run(&mut self, transaction: &mut Transaction<'_>) -> bool {
        // The transaction is safe to look at afterwards: what was half done is undone.
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(transaction)));
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
