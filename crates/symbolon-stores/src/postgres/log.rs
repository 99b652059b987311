//! The revocation log: appending to it as the last deed of a transaction, and reading it.

use deadpool_postgres::GenericClient;
use symbolon_authority::ports::{LogSnapshot, Tail};
use symbolon_login::{Change, LogEntry, LogWalk, Position, UnixMillis};

use super::{
    Transaction,
    columns::{
        in_time, json, maybe_row, number, position, rows, to_columns, to_integer, to_json, value,
    },
    directory::all_apps,
    fault::{Fault, Work},
};

/// The newest position.
pub(super) async fn head(client: &impl tokio_postgres::GenericClient) -> Work<Position> {
    let head = client.query_one("SELECT epoch, number FROM head", &[]);
    position(&in_time(head).await?, 0)
}

/// Appends `changes` in their order and gives the position of the first. From here to the commit nobody
/// else appends: nothing else may follow that takes its time.
pub(super) async fn append(
    tx: &Transaction<'_>,
    changes: &[(Change, UnixMillis)],
) -> Work<Position> {
    let sql = "WITH taken AS (
                   UPDATE head SET number = number + $1 RETURNING epoch, number - $1 AS before
               ), written AS (
                   INSERT INTO log (epoch, number, at, change)
                   SELECT taken.epoch, taken.before + entry.place, entry.at, entry.change
                   FROM taken, unnest($2::bigint[], $3::text[])
                       WITH ORDINALITY AS entry(at, change, place)
               )
               SELECT epoch, before + 1 FROM taken";
    let mut texts = Vec::with_capacity(changes.len());
    for (change, _) in changes {
        texts.push(to_json(change)?);
    }
    let at: Vec<i64> = changes.iter().map(|(_, at)| at.as_millis()).collect();
    let count = to_integer(changes.len())?;
    let first = maybe_row(tx, sql, &[&count, &at, &texts]).await?;
    position(&first.ok_or_else(no_head)?, 0)
}

/// Takes the log for this transaction alone, before anything else is read: for what decides by the log
/// itself, and seldom. Gives the head.
pub(super) async fn lock(tx: &Transaction<'_>) -> Work<Position> {
    let sql = "SELECT epoch, number FROM head FOR UPDATE";
    position(&maybe_row(tx, sql, &[]).await?.ok_or_else(no_head)?, 0)
}

/// Puts the head to `start`, the beginning of an epoch.
pub(super) async fn start_at(tx: &Transaction<'_>, start: Position) -> Work<()> {
    let (epoch, number) = to_columns(start)?;
    let sql = "UPDATE head SET epoch = $1, number = $2";
    super::columns::execute(tx, sql, &[&epoch, &number]).await?;
    Ok(())
}

fn no_head() -> Fault {
    Fault::damaged("the table of the log's head is empty")
}

/// Up to `limit` entries after `after`, in one statement and so in one consistent read.
pub(super) async fn tail(client: &impl GenericClient, after: Position, limit: u32) -> Work<Tail> {
    let Ok((epoch, number_after)) = to_columns(after) else {
        // No log gets that far.
        return Ok(Tail::Reset);
    };
    let sql = "SELECT head.epoch, head.number, oldest.number, entry.number, entry.change
               FROM head
               LEFT JOIN LATERAL (
                   SELECT number FROM log WHERE log.epoch = head.epoch ORDER BY number LIMIT 1
               ) AS oldest ON true
               LEFT JOIN LATERAL (
                   SELECT number, change FROM log
                   WHERE log.epoch = head.epoch AND log.epoch = $1 AND log.number > $2
                   ORDER BY number LIMIT $3
               ) AS entry ON true
               ORDER BY entry.number";
    let found = rows(client, sql, &[&epoch, &number_after, &i64::from(limit)]).await?;
    let first = found.first().ok_or_else(no_head)?;
    let head = position(first, 0)?;
    if after.epoch() != head.epoch() || after > head {
        return Ok(Tail::Reset);
    }
    if after == head {
        return Ok(Tail::Entries(Vec::new()));
    }
    let oldest = value::<Option<i64>>(first, 2)?;
    if oldest.is_none_or(|oldest| number_after + 1 < oldest) {
        return Ok(Tail::Reset);
    }
    let mut entries = Vec::with_capacity(found.len());
    for row in &found {
        if value::<Option<i64>>(row, 3)?.is_some() {
            entries.push(LogEntry {
                position: Position::new(head.epoch(), number(row, 3)?),
                change: json(row, 4)?,
            });
        }
    }
    Ok(Tail::Entries(entries))
}

/// Head, young cut-offs and all apps, in one consistent read.
pub(super) async fn snapshot(read: &Transaction<'_>, kept_since: UnixMillis) -> Work<LogSnapshot> {
    let head = head(&**read).await?;
    let sql = "SELECT epoch, number, change, at >= $1 FROM log ORDER BY epoch, number";
    let mut walk = LogWalk::begin();
    for row in rows(read, sql, &[&kept_since.as_millis()]).await? {
        let entry = LogEntry {
            position: position(&row, 0)?,
            change: json(&row, 2)?,
        };
        walk.pass(&entry, value(&row, 3)?);
    }
    let (cut_offs, complete_since) = walk.end(head);
    let apps = all_apps(read).await?.into_iter().map(|app| app.settings);
    Ok(LogSnapshot {
        head,
        complete_since,
        cut_offs,
        apps: apps.collect(),
    })
}
