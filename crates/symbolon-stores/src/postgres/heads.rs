//! Asking for the log's head: who asks while a question is under way shares the next one, which starts
//! after they asked.

use std::sync::Arc;

use symbolon_authority::ports::StoreError;
use symbolon_login::Position;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use super::{
    Database,
    columns::{maybe_row, position},
    fault::{Fault, Work},
};

/// How many may wait for an answer.
const QUEUE: usize = 8192;

type Answer = oneshot::Sender<Result<Position, StoreError>>;

/// The handle of the task that asks.
#[derive(Clone)]
pub(super) struct Heads(mpsc::Sender<Answer>);

impl Heads {
    pub(super) fn start(database: &Arc<Database>, tasks: &mut JoinSet<()>) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tasks.spawn(ask(Arc::clone(database), waiting));
        Self(queue)
    }

    /// The head, read after the call.
    pub(super) async fn ask(&self) -> Result<Position, StoreError> {
        let (answer, answered) = oneshot::channel();
        let full = |_| StoreError::Unavailable("too many wait for the log's head".to_owned());
        self.0.try_send(answer).map_err(full)?;
        let closed = |_| StoreError::Unavailable("the store was closed".to_owned());
        answered.await.map_err(closed)?
    }
}

async fn ask(database: Arc<Database>, mut waiting: mpsc::Receiver<Answer>) {
    let mut asked = Vec::new();
    while waiting.recv_many(&mut asked, QUEUE).await > 0 {
        let head = head(&database).await;
        for answer in asked.drain(..) {
            let head = head.as_ref().copied().map_err(Fault::repeat);
            // Who gave up waiting needs no answer.
            drop(answer.send(head));
        }
    }
}

async fn head(database: &Database) -> Work<Position> {
    let client = database.client().await?;
    let head = maybe_row(&client, "SELECT epoch, number FROM head", &[]).await?;
    let head = head.ok_or_else(|| Fault::damaged("the table of the log's head is empty"))?;
    position(&head, 0)
}
