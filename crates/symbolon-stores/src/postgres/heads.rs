//! Asking for the log's head: who asks while a question is under way shares the next one, which starts
//! after they asked.

use symbolon_authority::ports::StoreError;
use symbolon_login::Position;

use super::{
    Database,
    batch::Batched,
    columns::{maybe_row, position},
    fault::{Fault, Work},
};

/// Wants to know the head as it is read after this was asked.
#[derive(Clone, Copy)]
pub(super) struct Head;

impl Batched for Head {
    type Done = Position;

    const PLURAL: &'static str = "questions for the log's head";
    const BATCH: usize = 8192;
    const AT_ONCE: usize = 1;

    async fn commit(database: &Database, batch: Vec<Self>) -> Vec<Result<Position, StoreError>> {
        let head = head(database).await;
        let answer = |_| head.as_ref().copied().map_err(Fault::repeat);
        batch.into_iter().map(answer).collect()
    }
}

async fn head(database: &Database) -> Work<Position> {
    let client = database.client().await?;
    let head = maybe_row(&client, "SELECT epoch, number FROM head", &[]).await?;
    let head = head.ok_or_else(|| Fault::damaged("the table of the log's head is empty"))?;
    position(&head, 0)
}
