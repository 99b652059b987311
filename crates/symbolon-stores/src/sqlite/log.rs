//! The revocation log in SQLite: ending what a cut-off covers, and reading the log.

use rusqlite::{Connection, Params, params};
use symbolon_authority::ports::{Ended, Tail};
use symbolon_login::{AppSettings, Change, CutOff, LogEntry, Position, Scope, UnixMillis};

use super::{
    columns::{json, position, to_integer, to_json},
    directory::all_apps,
    fault::Work,
    writer::Transaction,
};

/// The newest position; the start of the epoch when its log is empty.
pub(super) fn head(conn: &Connection) -> Work<Position> {
    let sql = "SELECT current, coalesce((SELECT max(number) FROM log WHERE epoch = current), 0)
               FROM epoch";
    let mut head = conn.prepare_cached(sql)?;
    Ok(head.query_row([], |row| position(row, 0, 1))?)
}

/// Marks what `scope` covers as ended, whatever the number, and appends the cut-off.
pub(super) fn end(tx: &mut Transaction<'_>, scope: Scope, now: UnixMillis) -> Work<Ended> {
    let at = now.as_millis();
    let count = match &scope {
        Scope::Everything {} => mark(
            tx,
            "UPDATE login SET ended_at = ?1 WHERE ended_at IS NULL",
            params![at],
        )?,
        Scope::Restored { from } => mark(
            tx,
            "UPDATE grant SET ended_at = ?1
             WHERE (rev_epoch, rev_number) >= (?2, ?3) AND ended_at IS NULL
             AND EXISTS (SELECT 1 FROM login
                         WHERE login.sid = grant.sid AND login.ended_at IS NULL)",
            params![at, from.epoch(), to_integer(from.number())?],
        )?,
        // Only tokens that the key signed die, and the store keeps no tokens.
        Scope::Key { .. } => 0,
        Scope::App { client_id } => mark(
            tx,
            "UPDATE grant SET ended_at = ?1 WHERE client_id = ?2 AND ended_at IS NULL
             AND EXISTS (SELECT 1 FROM login
                         WHERE login.sid = grant.sid AND login.ended_at IS NULL)",
            params![at, client_id.as_str()],
        )?,
        Scope::User { user } => mark(
            tx,
            "UPDATE login SET ended_at = ?1 WHERE user = ?2 AND ended_at IS NULL",
            params![at, user.as_bytes()],
        )?,
        Scope::Login { sid } => mark(
            tx,
            "UPDATE login SET ended_at = ?1 WHERE sid = ?2 AND ended_at IS NULL",
            params![at, sid.as_bytes()],
        )?,
        Scope::Grant { sid, client_id } => mark(
            tx,
            "UPDATE grant SET ended_at = ?1
             WHERE sid = ?2 AND +client_id = ?3 AND ended_at IS NULL
             AND EXISTS (SELECT 1 FROM login WHERE login.sid = ?2 AND login.ended_at IS NULL)",
            params![at, sid.as_bytes(), client_id.as_str()],
        )?,
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
    }
    Ok(Ended { position, count })
}

/// Writes one entry of the log.
pub(super) fn insert_entry(
    conn: &Connection,
    position: Position,
    change: &Change,
    at: UnixMillis,
) -> Work<()> {
    let sql = "INSERT INTO log (epoch, number, at, change) VALUES (?1, ?2, ?3, ?4)";
    conn.prepare_cached(sql)?.execute(params![
        position.epoch(),
        to_integer(position.number())?,
        at.as_millis(),
        to_json(change)?,
    ])?;
    Ok(())
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

/// Up to `limit` entries after `after`, in one consistent read.
pub(super) fn tail(conn: &Connection, after: Position, limit: u32) -> Work<Tail> {
    let read = conn.unchecked_transaction()?;
    let head = head(&read)?;
    if after.epoch() != head.epoch() || after > head {
        return Ok(Tail::Reset);
    }
    if after == head {
        return Ok(Tail::Entries(Vec::new()));
    }
    let oldest = "SELECT epoch, number FROM log WHERE epoch = ?1 ORDER BY number LIMIT 1";
    let mut oldest = read.prepare_cached(oldest)?;
    let oldest = oldest.query_row([head.epoch()], |row| position(row, 0, 1))?;
    if after.next() < oldest {
        return Ok(Tail::Reset);
    }
    let sql = "SELECT epoch, number, change FROM log WHERE epoch = ?1 AND number > ?2
               ORDER BY number LIMIT ?3";
    let mut entries = read.prepare_cached(sql)?;
    let entries = entries.query_map(
        params![head.epoch(), to_integer(after.number())?, limit],
        |row| {
            Ok(LogEntry {
                position: position(row, 0, 1)?,
                change: json(row, 2)?,
            })
        },
    )?;
    Ok(Tail::Entries(entries.collect::<Result<_, _>>()?))
}

/// Head, young cut-offs and all apps, in one consistent read.
pub(super) fn snapshot(
    conn: &Connection,
    kept_since: UnixMillis,
) -> Work<(Position, Vec<CutOff>, Vec<AppSettings>)> {
    let read = conn.unchecked_transaction()?;
    let head = head(&read)?;
    let sql = "SELECT epoch, number, change FROM log WHERE at >= ?1 ORDER BY epoch, number";
    let mut young = read.prepare_cached(sql)?;
    let mut rows = young.query([kept_since.as_millis()])?;
    let mut cut_offs = Vec::new();
    while let Some(row) = rows.next()? {
        if let Change::CutOff { covers: scope } = json(row, 2)? {
            let position = position(row, 0, 1)?;
            cut_offs.push(CutOff { position, scope });
        }
    }
    let apps = all_apps(&read)?.into_iter().map(|app| app.settings);
    Ok((head, cut_offs, apps.collect()))
}
