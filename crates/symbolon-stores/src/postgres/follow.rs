//! News of the log from other nodes: the head is asked for at short intervals while somebody follows,
//! and at once when a node says that it appended. Such a message may be lost; the interval stays.

use std::{future::pending, pin::pin, sync::Arc, time::Duration};

use futures_util::{TryStreamExt, future::select, stream};
use tokio::time::{self, MissedTickBehavior};
use tokio_postgres::{AsyncMessage, Client};

use super::{Database, batch::Batcher, heads::Head, refusal::ConnectError, url::Target};

/// How often the head is asked for.
const EVERY: Duration = Duration::from_millis(100);
/// How long messages of many appends may be held back for one.
const TOGETHER: Duration = Duration::from_millis(5);
/// How long to wait before listening once more after the connection was cut.
const AGAIN: Duration = Duration::from_secs(1);

/// Asks for the head while somebody follows the log.
pub(super) async fn poll(database: Arc<Database>, heads: Batcher<Head>) {
    let mut every = time::interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = every.tick() => {}
            () = database.hinted.notified() => {}
        }
        // A server that is away is asked again at the next interval.
        if database.wake.receiver_count() > 0
            && let Ok(head) = heads.ask(Head).await
        {
            database.publish(head);
        }
    }
}

/// Tells other nodes that something was appended; after the commit, so that no append waits for it.
pub(super) async fn announce(database: Arc<Database>) {
    loop {
        database.appended.notified().await;
        if let Ok(client) = database.client().await {
            // Not every server that speaks the protocol has it; followers ask by themselves.
            drop(client.batch_execute("NOTIFY symbolon_log").await);
        }
        time::sleep(TOGETHER).await;
    }
}

/// Hears what other nodes tell. Connects again when the connection is cut.
pub(super) async fn listen(database: Arc<Database>, target: Target) {
    loop {
        // Why it ended changes nothing: the followers ask by themselves meanwhile.
        drop(hear(&database, &target).await);
        time::sleep(AGAIN).await;
    }
}

async fn hear(database: &Database, target: &Target) -> Result<(), ConnectError> {
    let (client, mut connection) = target.config.connect(target.tls.clone()).await?;
    let messages = stream::poll_fn(move |cx| connection.poll_message(cx));
    // Ends at the first error: a connection that failed gives the same one for ever.
    let heard = messages.try_for_each(|message| {
        if let AsyncMessage::Notification(_) = message {
            database.hinted.notify_one();
        }
        std::future::ready(Ok(()))
    });
    select(pin!(heard), pin!(subscribe(client))).await;
    Ok(())
}

/// Holds the connection for as long as the server lets us listen.
async fn subscribe(client: Client) {
    if client.batch_execute("LISTEN symbolon_log").await.is_ok() {
        pending::<()>().await;
    }
}
