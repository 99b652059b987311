//! The tables, as numbered migrations with checksums.
//!
//! Each is one transaction, under a lock on one row: nodes that start at once apply it once. A later one
//! only adds what the program before it can live with; what nothing uses any more leaves one release later.

use std::time::Duration;

use tokio_postgres::{Client, GenericClient, error::SqlState};

use super::refusal::ConnectError;
use crate::Migration;

/// An entry that was released is never changed.
const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "first tables",
    sql: include_str!("first.sql"),
}];

/// The oldest server that has what the statements need.
const OLDEST_SERVER: u32 = 150_000;

/// How often the making of the table of migrations is tried beside another node that makes it, too.
const TRIES: u32 = 50;

/// Refuses a server that is too old, or that acknowledges what is not on disk.
pub(super) async fn check_server(client: &Client) -> Result<(), ConnectError> {
    let sql = "SELECT version(), current_setting('server_version_num'), current_setting('synchronous_commit')";
    let server = client.query_one(sql, &[]).await?;
    let (version, number): (String, String) = (server.try_get(0)?, server.try_get(1)?);
    // Others that speak its protocol name a PostgreSQL version that says nothing about them.
    let is_other = ["CockroachDB", "-YB-"]
        .iter()
        .any(|name| version.contains(name));
    if !is_other
        && number
            .parse()
            .is_ok_and(|number: u32| number < OLDEST_SERVER)
    {
        return Err(ConnectError::OldServer { found: version });
    }
    match server.try_get(2)? {
        "off" => Err(ConnectError::NotDurable),
        _ => Ok(()),
    }
}

/// What is not applied yet. Refuses a database whose migrations are not ours.
pub(super) async fn pending(client: &impl GenericClient) -> Result<Vec<Migration>, ConnectError> {
    let sql = "SELECT number, checksum FROM migrations WHERE number > 0 ORDER BY number";
    let applied = match client.query(sql, &[]).await {
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Vec::new(),
        applied => applied?,
    };
    let mut left = MIGRATIONS.iter();
    for row in &applied {
        let number = u32::try_from(row.try_get::<_, i64>(0)?).unwrap_or(u32::MAX);
        let Some(ours) = left.next() else {
            let ours = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
            return Err(ConnectError::Newer {
                found: number,
                ours,
            });
        };
        if ours.number != number || ours.checksum() != row.try_get::<_, &str>(1)? {
            return Err(ConnectError::Changed { number });
        }
    }
    Ok(left.copied().collect())
}

/// Applies what is not applied yet.
pub(super) async fn apply(client: &mut Client) -> Result<(), ConnectError> {
    if pending(client).await?.is_empty() {
        return Ok(());
    }
    make_table(client).await?;
    loop {
        let step = client.transaction().await?;
        let lock = "SELECT number FROM migrations WHERE number = 0 FOR UPDATE";
        step.query(lock, &[]).await?;
        // Read after the lock was had: another node may have been here.
        let left = pending(&step).await?;
        let Some(next) = left.first() else {
            step.rollback().await?;
            return Ok(());
        };
        step.batch_execute(next.sql).await?;
        let sql = "INSERT INTO migrations (number, name, checksum, applied_at)
                   VALUES ($1, $2, $3, CURRENT_TIMESTAMP)";
        let number = i64::from(next.number);
        step.execute(sql, &[&number, &next.name, &next.checksum()])
            .await?;
        step.commit().await?;
    }
}

/// Makes the table of migrations with its row 0, which is the lock.
async fn make_table(client: &Client) -> Result<(), ConnectError> {
    let sql = "CREATE TABLE IF NOT EXISTS migrations (
                   number     bigint      NOT NULL PRIMARY KEY,
                   name       text        NOT NULL,
                   checksum   text        NOT NULL,
                   applied_at timestamptz NOT NULL
               );
               INSERT INTO migrations VALUES (0, 'lock', '', CURRENT_TIMESTAMP) ON CONFLICT DO NOTHING";
    let mut tries = 0;
    loop {
        let beside = [
            SqlState::UNIQUE_VIOLATION,
            SqlState::DUPLICATE_TABLE,
            SqlState::DUPLICATE_OBJECT,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
        ];
        match client.batch_execute(sql).await {
            // IF NOT EXISTS does not see a table that another transaction is making.
            Err(error)
                if error.code().is_some_and(|code| beside.contains(code)) && tries < TRIES =>
            {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            done => return Ok(done?),
        }
    }
}
