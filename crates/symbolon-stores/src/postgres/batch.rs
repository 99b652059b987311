//! Requests of one kind that wait together are done together: a task takes all that wait into one
//! transaction, and answers each after the commit. It waits for nobody: who comes alone is done at once.

use std::sync::Arc;

use symbolon_authority::ports::StoreError;
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinSet,
};

use super::{Database, fault::Fault};

/// How many may wait. More than that are refused at once, so that a slow server gives errors instead of
/// using up the memory.
const QUEUE: usize = 8192;

/// A kind of request that is done in batches.
pub(super) trait Batched: Sized + Send + 'static {
    type Done: Send + 'static;

    /// What waits, for who is told that there is too much of it.
    const PLURAL: &'static str;
    /// How many are done together at most.
    const BATCH: usize;
    /// How many batches may be under way at once, each on a connection of its own.
    const AT_ONCE: usize;

    /// Those who wait together may come in any order: a lower rank comes first.
    fn rank(&self) -> u8 {
        0
    }

    /// Does what a batch asks for and commits it; the answers are in the order of the requests.
    fn commit(
        database: &Database,
        batch: Vec<Self>,
    ) -> impl Future<Output = Vec<Result<Self::Done, StoreError>>> + Send;
}

type Answer<T> = oneshot::Sender<Result<<T as Batched>::Done, StoreError>>;
type Waiting<T> = Arc<Mutex<mpsc::Receiver<(T, Answer<T>)>>>;

/// The handle of the tasks for one kind.
#[derive(Clone)]
pub(super) struct Batcher<T: Batched>(mpsc::Sender<(T, Answer<T>)>);

impl<T: Batched> Batcher<T> {
    pub(super) fn start(database: &Arc<Database>, tasks: &mut JoinSet<()>) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..T::AT_ONCE {
            tasks.spawn(work(Arc::clone(database), Arc::clone(&waiting)));
        }
        Self(queue)
    }

    /// Asks for something, together with whatever else waits. It is done even if the caller gives up.
    pub(super) async fn ask(&self, request: T) -> Result<T::Done, StoreError> {
        let (answer, answered) = oneshot::channel();
        let full = |_| StoreError::Unavailable(format!("too many {} wait", T::PLURAL));
        self.0.try_send((request, answer)).map_err(full)?;
        answered.await.unwrap_or_else(|_| {
            let why = "the store was closed before the answer was known";
            Err(StoreError::Unavailable(why.to_owned()))
        })
    }
}

async fn work<T: Batched>(database: Arc<Database>, waiting: Waiting<T>) {
    let mut batch = Vec::new();
    while take(&waiting, &mut batch).await > 0 {
        batch.sort_by_key(|(request, _): &(T, Answer<T>)| request.rank());
        let (requests, answers): (Vec<T>, Vec<Answer<T>>) = batch.drain(..).unzip();
        let done = T::commit(&database, requests).await;
        for (answer, done) in answers.into_iter().zip(done) {
            // Who gave up waiting needs no answer.
            drop(answer.send(done));
        }
    }
}

/// Takes what waits. Of several tasks with nothing to do one holds the queue, the others wait for it.
async fn take<T: Batched>(waiting: &Waiting<T>, batch: &mut Vec<(T, Answer<T>)>) -> usize {
    waiting.lock().await.recv_many(batch, T::BATCH).await
}

/// The same error for each of `number` that were to be done together.
pub(super) fn all_failed<D>(number: usize, fault: &Fault) -> Vec<Result<D, StoreError>> {
    (0..number).map(|_| Err(fault.repeat())).collect()
}
