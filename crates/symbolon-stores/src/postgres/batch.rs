//! Ends that wait together are committed together: one task takes all that wait into one transaction,
//! and answers each after the commit.

use std::sync::Arc;

use symbolon_authority::ports::{Ended, StoreError};
use symbolon_login::Scope;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use super::{
    Database,
    ends::{self, End},
};

/// How many ends may wait. More than that are refused at once, so that a slow server gives errors
/// instead of using up the memory.
const QUEUE: usize = 8192;
/// How many share one transaction at most.
const BATCH: usize = 1024;

type Answer = oneshot::Sender<Result<Ended, StoreError>>;

/// The handle of the task.
pub(super) struct Batcher(mpsc::Sender<(End, Answer)>);

impl Batcher {
    pub(super) fn start(database: &Arc<Database>, tasks: &mut JoinSet<()>) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tasks.spawn(commit(Arc::clone(database), waiting));
        Self(queue)
    }

    /// Ends something, together with whatever else waits.
    pub(super) async fn end(&self, end: End) -> Result<Ended, StoreError> {
        let (answer, answered) = oneshot::channel();
        let full = |_| StoreError::Unavailable("too many ends wait for the database".to_owned());
        self.0.try_send((end, answer)).map_err(full)?;
        answered.await.unwrap_or_else(|_| {
            let why = "the store was closed before the end was known to be done";
            Err(StoreError::Unavailable(why.to_owned()))
        })
    }
}

async fn commit(database: Arc<Database>, mut waiting: mpsc::Receiver<(End, Answer)>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        // Those who wait together may come in any order. Single logins come first, as they are marked:
        // then what each counts agrees with the order of the positions.
        batch.sort_by_key(|((scope, _), _)| !matches!(scope, Scope::Login { .. }));
        let (ends, answers): (Vec<End>, Vec<Answer>) = batch.drain(..).unzip();
        let ends = Arc::new(ends);
        let done = database
            .transact(|tx| {
                let ends = Arc::clone(&ends);
                Box::pin(async move { ends::end(tx, &ends).await })
            })
            .await;
        match done {
            Ok(ended) => {
                if let Some(last) = ended.last() {
                    database.announce(last.position);
                }
                for (answer, ended) in answers.into_iter().zip(ended) {
                    // Who gave up waiting needs no answer.
                    drop(answer.send(Ok(ended)));
                }
            }
            Err(fault) => {
                for answer in answers {
                    drop(answer.send(Err(fault.repeat())));
                }
            }
        }
    }
}
