//! The writer's thread: collect what waits, one transaction, publish the head, answer.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use rusqlite::{Connection, params};
use symbolon_login::{GrantId, Position, UnixMillis};
use tokio::sync::watch;
use tracing::error;

use super::{BATCH, Counters, Message, Request, Transaction};
use crate::{
    sqlite::fault::{Fault, Work},
    touches::Touches,
};

/// How long noted uses wait for a transaction to go along with before they get their own.
const TOUCHES_WAIT: Duration = Duration::from_secs(1);

pub(super) struct Thread {
    pub(super) conn: Connection,
    pub(super) messages: Receiver<Message>,
    pub(super) head: watch::Sender<Position>,
    pub(super) touches: Arc<Touches>,
    pub(super) counters: Arc<Counters>,
}

impl Thread {
    /// Works until the handle is gone and everything that waited is done.
    pub(super) fn run(self) -> Work<()> {
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
    fn next(&self) -> Option<Vec<Box<dyn Request>>> {
        let mut message = loop {
            let patience = self.touches.any();
            let message = if patience {
                match self.messages.recv_timeout(TOUCHES_WAIT) {
                    Ok(message) => message,
                    Err(RecvTimeoutError::Timeout) => return Some(Vec::new()),
                    Err(RecvTimeoutError::Disconnected) => return None,
                }
            } else {
                self.messages.recv().ok()?
            };
            if let Message::Request(_) = message {
                break Some(message);
            }
        };
        let mut batch = Vec::new();
        while let Some(next) = message.take() {
            if let Message::Request(request) = next {
                batch.push(request);
            }
            if batch.len() < BATCH {
                message = self.messages.try_recv().ok();
            }
        }
        Some(batch)
    }

    fn commit(&self, mut batch: Vec<Box<dyn Request>>) {
        let touched = self.touches.take();
        let outcome = self.transact(&mut batch, &touched);
        match &outcome {
            Ok((head, written)) => {
                Counters::add(&self.counters.commits, 1);
                Counters::add(&self.counters.requests, batch.len());
                self.touches.written(written.clone());
                // Before the answers: whoever was answered and asks finds at least this head.
                self.head.send_if_modified(|known| {
                    let news = known != head;
                    *known = *head;
                    news
                });
            }
            Err(fault) => {
                error!("a transaction failed: {}", fault.repeat());
                self.touches.written(Vec::new());
                if !self.conn.is_autocommit()
                    && let Err(error) = self.conn.execute_batch("ROLLBACK")
                {
                    error!("rolling back: {error}");
                }
            }
        }
        for request in batch {
            request.answer(outcome.as_ref().map(|_| ()));
        }
    }

    /// One transaction of everything. Gives the new head and the known times of use.
    fn transact(
        &self,
        batch: &mut [Box<dyn Request>],
        touched: &[(GrantId, UnixMillis)],
    ) -> Work<(Position, Vec<(GrantId, UnixMillis)>)> {
        self.execute("BEGIN IMMEDIATE")?;
        let mut transaction = Transaction {
            conn: &self.conn,
            head: *self.head.borrow(),
        };
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
        for request in batch {
            let head = transaction.head;
            self.execute("SAVEPOINT request")?;
            if !request.run(&mut transaction) {
                transaction.head = head;
                // A full disk and the like undo the whole transaction: nothing of it may be
                // acknowledged.
                if self.conn.is_autocommit() {
                    return Err(Fault::unavailable("a write undid its whole transaction"));
                }
                self.execute("ROLLBACK TO request")?;
            }
            self.execute("RELEASE request")?;
        }
        self.execute("COMMIT")?;
        Ok((transaction.head, written))
    }

    /// Writes a noted use. Gives the time of use that stands now; none if it is all over.
    fn touch(&self, grant: GrantId, now: UnixMillis) -> Work<Option<UnixMillis>> {
        let Some(mut found) = super::super::logins::find(&self.conn, grant)? else {
            return Ok(None);
        };
        if let Some(used_at) = found.grant.seen(&found.login, now) {
            let sql = "UPDATE grant SET used_at = ?2 WHERE id = ?1";
            let row = params![grant.as_bytes(), used_at.as_millis()];
            self.conn.prepare_cached(sql)?.execute(row)?;
            Counters::add(&self.counters.touches, 1);
            found.grant.used_at = used_at;
        }
        Ok(Some(found.grant.used_at))
    }

    fn execute(&self, sql: &str) -> Work<()> {
        Ok(self.conn.prepare_cached(sql)?.execute([]).map(|_| ())?)
    }
}
