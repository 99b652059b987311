//! The revocation log in SQLite: ending what a cut-off covers, and reading the log.

use rusqlite::{Connection, OptionalExtension, Params, params};
use symbolon_authority::ports::{Ended, LogSnapshot, Tail};
use symbolon_login::{
    Change, ClientId, LogEntry, LogWalk, Position, Scope, Sid, UnixMillis, UserId,
};

use super::{
    columns::{bytes, json, position, to_integer, to_json},
    directory::all_apps,
    fault::Work,
    writer::{Insert, Transaction},
};

/// The newest position; the start of the epoch when its log is empty.
pub(super) fn head(conn: &Connection) -> Work<Position> {
    let sql = "SELECT current, coalesce((SELECT max(number) FROM log WHERE epoch = current), 0)
               FROM epoch";
    let mut head = conn.prepare_cached(sql)?;
    Ok(head.query_row([], |row| position(row, 0, 1))?)
}

/// Ends what `scope` covers, whatever the number, and appends the cut-off.
///
/// The end of one login is the cut-off and nothing else: its row is marked later, or never, because it
/// is removed first. For the wide scopes, whose marks ask the rows, all rows are marked before.
pub(super) fn end(tx: &mut Transaction<'_>, scope: Scope, now: UnixMillis) -> Work<Ended> {
    let at = now.as_millis();
    if let Scope::Login { sid } = scope {
        let whose = whose(tx, sid)?;
        let position = tx.append(&Change::CutOff { covers: scope }, now)?;
        if let Some(user) = whose {
            tx.ended_by(position, user, sid, now);
        }
        let count = u64::from(whose.is_some());
        return Ok(Ended { position, count });
    }
    if let Scope::Everything {} | Scope::Restored { .. } | Scope::App { .. } = scope {
        tx.mark_all()?;
    }
    let count = match &scope {
        Scope::Everything {} => {
            tx.ended_all();
            let sql = "UPDATE login SET ended_at = ?1 WHERE ended_at IS NULL";
            mark(tx, sql, params![at])?
        }
        Scope::Restored { from } => {
            let row = params![at, from.epoch(), to_integer(from.number())?];
            let first = "UPDATE login SET first_ended_at = ?1
                         WHERE (first_rev_epoch, first_rev_number) >= (?2, ?3)
                         AND first_ended_at IS NULL AND ended_at IS NULL";
            let further = "UPDATE grant SET ended_at = ?1
                           WHERE (rev_epoch, rev_number) >= (?2, ?3) AND ended_at IS NULL
                           AND EXISTS (SELECT 1 FROM login
                                       WHERE login.sid = grant.sid AND login.ended_at IS NULL)";
            mark(tx, first, row)? + mark(tx, further, row)?
        }
        // Only tokens that the key signed die, and the store keeps no tokens.
        Scope::Key { .. } | Scope::Login { .. } => 0,
        Scope::App { client_id } => {
            let row = params![at, client_id.as_str()];
            let first = "UPDATE login SET first_ended_at = ?1
                         WHERE first_client_id = ?2
                         AND first_ended_at IS NULL AND ended_at IS NULL";
            let further = "UPDATE grant SET ended_at = ?1 WHERE client_id = ?2 AND ended_at IS NULL
                           AND EXISTS (SELECT 1 FROM login
                                       WHERE login.sid = grant.sid AND login.ended_at IS NULL)";
            mark(tx, first, row)? + mark(tx, further, row)?
        }
        Scope::User { user } => end_all_of(tx, *user, now)?,
        Scope::Grant { sid, client_id } => end_grants(tx, *sid, client_id, now)?,
    };
    let whose = match &scope {
        Scope::User { user } => Some(*user),
        _ => None,
    };
    let position = tx.append(&Change::CutOff { covers: scope }, now)?;
    if let Some(user) = whose {
        let sql = "UPDATE user SET cut_epoch = ?2, cut_number = ?3 WHERE id = ?1";
        let number = to_integer(position.number())?;
        let row = params![user.as_bytes(), position.epoch(), number];
        tx.conn().prepare_cached(sql)?.execute(row)?;
        tx.welcome().forget(user);
    }
    Ok(Ended { position, count })
}

/// Whose login it is. None: there is none, or it has ended.
pub(super) fn whose(tx: &Transaction<'_>, sid: Sid) -> Work<Option<UserId>> {
    if let Some(user) = tx.living(sid) {
        return Ok(Some(user));
    }
    let sql = "SELECT user, rev_epoch, rev_number FROM login WHERE sid = ?1 AND ended_at IS NULL";
    let mut found = tx.conn().prepare_cached(sql)?;
    let found = found.query_row([sid.as_bytes()], |row| {
        Ok((bytes(row, 0).map(UserId::from_bytes)?, position(row, 1, 2)?))
    });
    let living = |(_, rev): &(UserId, Position)| tx.view().end_of(sid, *rev).is_none();
    Ok(found.optional()?.filter(living).map(|(user, _)| user))
}

/// Marks all living logins of a person. Gives their number.
fn end_all_of(tx: &mut Transaction<'_>, user: UserId, now: UnixMillis) -> Work<u64> {
    let mut count = 0;
    for sid in tx.logins_of(user)? {
        if whose(tx, sid)? == Some(user) {
            let sql = "UPDATE login SET ended_at = ?1 WHERE sid = ?2";
            count += mark(tx, sql, params![now.as_millis(), sid.as_bytes()])?;
            tx.ended(user, sid);
        }
    }
    Ok(count)
}

/// Marks an app's grants in a living login. Gives their number.
fn end_grants(tx: &Transaction<'_>, sid: Sid, client_id: &ClientId, now: UnixMillis) -> Work<u64> {
    if whose(tx, sid)?.is_none() {
        return Ok(0);
    }
    let row = params![now.as_millis(), sid.as_bytes(), client_id.as_str()];
    let first = "UPDATE login SET first_ended_at = ?1
                 WHERE sid = ?2 AND first_client_id = ?3 AND first_ended_at IS NULL";
    let further = "UPDATE grant SET ended_at = ?1
                   WHERE sid = ?2 AND client_id = ?3 AND ended_at IS NULL";
    Ok(mark(tx, first, row)? + mark(tx, further, row)?)
}

/// Writes one entry of the log.
pub(super) fn insert_entry(
    tx: &mut Transaction<'_>,
    position: Position,
    change: &Change,
    at: UnixMillis,
) -> Work<()> {
    let sql = "INSERT INTO log (epoch, number, at, change) VALUES (?1, ?2, ?3, ?4)";
    let row = params![
        position.epoch(),
        to_integer(position.number())?,
        at.as_millis(),
        to_json(change)?,
    ];
    Ok(tx.insert(Insert::Entry, sql, row)?)
}

/// Begins the epoch that follows a restore: everything that the restored log does not know is dead.
///
/// `known` is the head of a log that this one replaces: the new epoch outranks that one, too.
pub(super) fn begin_epoch(
    tx: &mut Transaction<'_>,
    known: Option<Position>,
    now: UnixMillis,
) -> Work<Ended> {
    let from = tx.head();
    let start = known.map_or(from, |known| known.max(from)).next_epoch(now);
    let sql = "UPDATE epoch SET current = ?1";
    tx.conn().prepare_cached(sql)?.execute([start.epoch()])?;
    tx.start_at(start);
    end(tx, Scope::Restored { from }, now)
}

fn mark(tx: &Transaction<'_>, sql: &str, row: impl Params) -> Work<u64> {
    let marked = tx.conn().prepare_cached(sql)?.execute(row)?;
    Ok(u64::try_from(marked).unwrap_or(u64::MAX))
}

/// Up to `limit` entries after `after` and up to `head`, in one consistent read.
///
/// The head was published before: what is in the file beyond it is not acknowledged yet, and whoever
/// heard of it here could ask for a login before its end is known everywhere.
pub(super) fn tail(conn: &Connection, head: Position, after: Position, limit: u32) -> Work<Tail> {
    let read = conn.unchecked_transaction()?;
    if after.epoch() != head.epoch() || after > head {
        return Ok(Tail::Reset);
    }
    if after == head {
        return Ok(Tail::Entries(Vec::new()));
    }
    let oldest = "SELECT epoch, number FROM log WHERE epoch = ?1 ORDER BY number LIMIT 1";
    let mut oldest = read.prepare_cached(oldest)?;
    let oldest = oldest.query_row([head.epoch()], |row| position(row, 0, 1));
    // None at all: another epoch has begun meanwhile, and its log is all that is left.
    if oldest
        .optional()?
        .is_none_or(|oldest| after.next() < oldest)
    {
        return Ok(Tail::Reset);
    }
    let sql = "SELECT epoch, number, change FROM log
               WHERE epoch = ?1 AND number > ?2 AND number <= ?3 ORDER BY number LIMIT ?4";
    let mut entries = read.prepare_cached(sql)?;
    let (first, last) = (to_integer(after.number())?, to_integer(head.number())?);
    let entries = entries.query_map(params![head.epoch(), first, last, limit], |row| {
        Ok(LogEntry {
            position: position(row, 0, 1)?,
            change: json(row, 2)?,
        })
    })?;
    Ok(Tail::Entries(entries.collect::<Result<_, _>>()?))
}

/// Head, young cut-offs up to it and all apps, in one consistent read.
pub(super) fn snapshot(
    conn: &Connection,
    head: Position,
    kept_since: UnixMillis,
) -> Work<LogSnapshot> {
    let read = conn.unchecked_transaction()?;
    let sql = "SELECT epoch, number, change, at >= ?1 FROM log
               WHERE (epoch, number) <= (?2, ?3) ORDER BY epoch, number";
    let mut entries = read.prepare_cached(sql)?;
    let since = kept_since.as_millis();
    let mut rows = entries.query(params![since, head.epoch(), to_integer(head.number())?])?;
    let mut walk = LogWalk::begin();
    while let Some(row) = rows.next()? {
        let entry = LogEntry {
            position: position(row, 0, 1)?,
            change: json(row, 2)?,
        };
        walk.pass(&entry, row.get(3)?);
    }
    let (cut_offs, complete_since) = walk.end(head);
    let apps = all_apps(&read)?.into_iter().map(|app| app.settings);
    Ok(LogSnapshot {
        head,
        complete_since,
        cut_offs,
        apps: apps.collect(),
    })
}
