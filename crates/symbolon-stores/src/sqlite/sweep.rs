//! Expired rows leave: a bounded number at a time, oldest first, found without a scan.

use rusqlite::{OptionalExtension, params};
use symbolon_login::{Change, Position, Scope, Sid, UnixMillis, UserId};

use super::{
    columns::{bytes, json, position, time, to_integer},
    fault::Work,
    roll::Entry,
    unmarked,
    writer::Transaction,
};

/// Removes up to `limit` rows that nothing can need again.
///
/// A login leaves after its grants, so that no grant is ever without its login. The log loses a
/// prefix and keeps its newest row, which is its head; no entry leaves before the login that it ended.
pub(super) fn sweep(tx: &mut Transaction<'_>, before: UnixMillis, limit: u32) -> Work<u64> {
    let mut sweep = Sweep {
        tx,
        before: before.as_millis(),
        left: u64::from(limit),
    };
    sweep.delete(
        "DELETE FROM grant WHERE id IN
         (SELECT id FROM grant WHERE ended_at < ?1 AND ended_at IS NOT NULL LIMIT ?2)",
    )?;
    // The grant in a login's own row leaves without it.
    sweep.delete(
        "UPDATE login SET first_client_id = NULL, first_rev_epoch = NULL, first_rev_number = NULL,
             first_opened_at = NULL, first_used_at = NULL, first_generation = NULL,
             first_digest = NULL, first_moved_at = NULL, first_ended_at = NULL
         WHERE sid IN (SELECT sid FROM login
                       WHERE first_ended_at < ?1 AND first_ended_at IS NOT NULL LIMIT ?2)",
    )?;
    sweep.ended()?;
    sweep.ended_by_log()?;
    sweep.expired(before)?;
    sweep.log()?;
    sweep.delete(
        "DELETE FROM once WHERE (purpose, key) IN
         (SELECT purpose, key FROM once WHERE expires_at < ?1 LIMIT ?2)",
    )?;
    Ok(u64::from(limit) - sweep.left)
}

struct Sweep<'a, 'c> {
    tx: &'a mut Transaction<'c>,
    before: i64,
    left: u64,
}

impl Sweep<'_, '_> {
    /// Runs a statement that removes rows, with the time as first and the number of rows as second parameter.
    fn delete(&mut self, sql: &str) -> Work<()> {
        if self.left > 0 {
            let mut delete = self.tx.conn().prepare_cached(sql)?;
            let gone = delete.execute(params![self.before, self.limit()])?;
            self.left = self.left.saturating_sub(u64::try_from(gone).unwrap_or(0));
        }
        Ok(())
    }

    fn limit(&self) -> i64 {
        i64::try_from(self.left).unwrap_or(i64::MAX)
    }

    /// Removes logins whose rows say that they ended.
    fn ended(&mut self) -> Work<()> {
        let sids = {
            let sql = "SELECT sid FROM login WHERE ended_at < ?1 AND ended_at IS NOT NULL LIMIT ?2";
            let mut ended = self.tx.conn().prepare_cached(sql)?;
            let ended = ended.query_map(params![self.before, self.limit()], |row| bytes(row, 0))?;
            ended.collect::<Result<Vec<_>, _>>()?
        };
        for sid in sids {
            self.remove(Sid::from_bytes(sid))?;
        }
        Ok(())
    }

    /// Removes logins that entries of the log ended, from the log's front: then their rows need not
    /// say so any more.
    fn ended_by_log(&mut self) -> Work<()> {
        let mut through = unmarked::marked(self.tx.conn())?;
        let mut entries = Vec::new();
        {
            let sql = "SELECT epoch, number, at, change FROM log
                       WHERE (epoch, number) > (?1, ?2) ORDER BY epoch, number LIMIT ?3";
            let mut later = self.tx.conn().prepare_cached(sql)?;
            let number = to_integer(through.number())?;
            let mut rows = later.query(params![through.epoch(), number, self.limit()])?;
            while let Some(row) = rows.next()? {
                if row.get::<_, i64>(2)? >= self.before {
                    break;
                }
                let change = json::<Change>(row, 3)?;
                entries.push((position(row, 0, 1)?, change));
            }
        }
        let nothing = entries.is_empty();
        for (position, change) in entries {
            if let Change::CutOff {
                covers: Scope::Login { sid },
            } = change
                && self.is_older(sid, position)?
                && !self.remove(sid)?
            {
                break;
            }
            through = position;
        }
        if nothing {
            return Ok(());
        }
        self.tx.marked(through)
    }

    /// Whether there is such a login, and it was opened before that position.
    fn is_older(&self, sid: Sid, position: Position) -> Work<bool> {
        let sql = "SELECT 1 FROM login WHERE sid = ?1 AND (rev_epoch, rev_number) < (?2, ?3)";
        let number = to_integer(position.number())?;
        let mut older = self.tx.conn().prepare_cached(sql)?;
        Ok(older.exists(params![sid.as_bytes(), position.epoch(), number])?)
    }

    /// Removes logins that expired.
    fn expired(&mut self, before: UnixMillis) -> Work<()> {
        let limit = usize::try_from(self.left).unwrap_or(usize::MAX);
        for expiry in self.tx.expired(before, limit) {
            let sid = expiry.sid();
            let sql = "SELECT expires_at FROM login WHERE sid = ?1";
            let expires_at = {
                let mut row = self.tx.conn().prepare_cached(sql)?;
                row.query_row([sid.as_bytes()], |row| time(row, 0))
                    .optional()?
            };
            match expires_at.filter(|at| expiry.is_of(*at)) {
                None => self.tx.stale(expiry),
                Some(at) if at < before => {
                    self.remove(sid)?;
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Removes a login's grants and then its row, as far as the number goes. Whether all is gone.
    fn remove(&mut self, sid: Sid) -> Work<bool> {
        {
            let sql = "DELETE FROM grant WHERE id IN
                       (SELECT id FROM grant WHERE sid = ?1 LIMIT ?2)";
            let mut delete = self.tx.conn().prepare_cached(sql)?;
            let gone = delete.execute(params![sid.as_bytes(), self.limit()])?;
            self.left = self.left.saturating_sub(u64::try_from(gone).unwrap_or(0));
        }
        if self.left == 0 {
            return Ok(false);
        }
        let sql = "DELETE FROM login WHERE sid = ?1 RETURNING user, expires_at";
        let gone = {
            let mut delete = self.tx.conn().prepare_cached(sql)?;
            let gone = delete.query_row([sid.as_bytes()], |row| {
                Ok(Entry {
                    user: UserId::from_bytes(bytes(row, 0)?),
                    sid,
                    expires_at: time(row, 1)?,
                })
            });
            gone.optional()?
        };
        if let Some(gone) = gone {
            self.left -= 1;
            self.tx.removed(gone);
        }
        Ok(true)
    }

    /// Removes old entries from the front only: a wall clock that was set back must not tear a gap.
    fn log(&mut self) -> Work<()> {
        let (head, marked) = (self.tx.head(), unmarked::marked(self.tx.conn())?);
        let mut gone = Vec::new();
        {
            let sql = "SELECT epoch, number, at FROM log ORDER BY epoch, number LIMIT ?1";
            let mut oldest = self.tx.conn().prepare_cached(sql)?;
            let mut rows = oldest.query([self.limit()])?;
            while let Some(row) = rows.next()? {
                let entry = position(row, 0, 1)?;
                let young = row.get::<_, i64>(2)? >= self.before;
                if young || entry == head || entry > marked {
                    break;
                }
                gone.push((entry.epoch(), to_integer(entry.number())?));
            }
        }
        let sql = "DELETE FROM log WHERE epoch = ?1 AND number = ?2";
        let mut delete = self.tx.conn().prepare_cached(sql)?;
        for (epoch, number) in &gone {
            delete.execute(params![epoch, number])?;
        }
        let gone = u64::try_from(gone.len()).unwrap_or(0);
        self.left = self.left.saturating_sub(gone);
        Ok(())
    }
}
