//! A few threads that read, each with its own read-only connection, beside the writer.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};

use rusqlite::Connection;
use symbolon_authority::ports::StoreError;
use tokio::sync::oneshot;
use tracing::error;

use super::fault::{Fault, Work};

/// How many questions may wait. More than that are refused at once.
const QUEUE: usize = 4096;

type Question = Box<dyn FnOnce(&Connection) + Send>;

/// The pool. Dropped, it answers what waits and ends its threads.
pub(super) struct Readers {
    queue: Option<SyncSender<Question>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    /// Starts one thread for each connection.
    pub(super) fn start(connections: Vec<Connection>) -> std::io::Result<Self> {
        let (queue, questions) = sync_channel(QUEUE);
        let questions = Arc::new(Mutex::new(questions));
        let mut pool = Self {
            queue: Some(queue),
            threads: Vec::new(),
        };
        for conn in connections {
            let questions = Arc::clone(&questions);
            let thread = thread::Builder::new().name("symbolon-read".to_owned());
            pool.threads
                .push(thread.spawn(move || answer(&conn, &questions))?);
        }
        Ok(pool)
    }

    /// Runs `work` on one of the connections.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Work<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let question: Question = Box::new(move |conn| {
            // Nobody waits any more: the request was given up.
            if !reply.is_closed() {
                let _ = reply.send(work(conn).map_err(StoreError::from));
            }
        });
        let queue = self.queue.as_ref().ok_or_else(closed)?;
        queue.try_send(question).map_err(|refused| match refused {
            TrySendError::Full(_) => Fault::unavailable("too many reads wait").into(),
            TrySendError::Disconnected(_) => closed(),
        })?;
        answer
            .await
            .map_err(|_| StoreError::Unavailable("a read failed".to_owned()))?
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn answer(conn: &Connection, questions: &Mutex<Receiver<Question>>) {
    loop {
        let next = {
            let questions = questions.lock().unwrap_or_else(PoisonError::into_inner);
            questions.recv()
        };
        let Ok(question) = next else { return };
        if catch_unwind(AssertUnwindSafe(|| question(conn))).is_err() {
            error!("a read panicked; its caller was refused");
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}
