//! Expired rows leave: a bounded number at a time, oldest first, found by index.

use rusqlite::params;
use symbolon_login::UnixMillis;

use super::{
    columns::{position, to_integer},
    fault::Work,
    writer::Transaction,
};

/// Removes up to `limit` rows that nothing can need again.
///
/// A login leaves after its grants, so that no grant is ever without its login. The log loses a
/// prefix and keeps its newest row, which is its head.
pub(super) fn sweep(tx: &Transaction<'_>, before: UnixMillis, limit: u32) -> Work<u64> {
    let mut sweep = Sweep {
        tx,
        before: before.as_millis(),
        left: u64::from(limit),
    };
    sweep.delete(
        "DELETE FROM grant WHERE id IN
         (SELECT id FROM grant WHERE ended_at < ?1 AND ended_at IS NOT NULL LIMIT ?2)",
    )?;
    sweep.delete(
        "DELETE FROM grant WHERE id IN
         (SELECT grant.id FROM login CROSS JOIN grant ON grant.sid = login.sid
          WHERE login.ended_at < ?1 AND login.ended_at IS NOT NULL LIMIT ?2)",
    )?;
    sweep.delete(
        "DELETE FROM grant WHERE id IN
         (SELECT grant.id FROM login CROSS JOIN grant ON grant.sid = login.sid
          WHERE login.expires_at < ?1 LIMIT ?2)",
    )?;
    sweep.delete(
        "DELETE FROM login WHERE sid IN
         (SELECT sid FROM login WHERE ended_at < ?1 AND ended_at IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM grant WHERE grant.sid = login.sid) LIMIT ?2)",
    )?;
    sweep.delete(
        "DELETE FROM login WHERE sid IN
         (SELECT sid FROM login WHERE expires_at < ?1
          AND NOT EXISTS (SELECT 1 FROM grant WHERE grant.sid = login.sid) LIMIT ?2)",
    )?;
    sweep.log()?;
    sweep.delete(
        "DELETE FROM once WHERE (purpose, key) IN
         (SELECT purpose, key FROM once WHERE expires_at < ?1 LIMIT ?2)",
    )?;
    Ok(u64::from(limit) - sweep.left)
}

struct Sweep<'a> {
    tx: &'a Transaction<'a>,
    before: i64,
    left: u64,
}

impl Sweep<'_> {
    /// Runs a DELETE with the time as first and the number of rows as second parameter.
    fn delete(&mut self, sql: &str) -> Work<()> {
        if self.left > 0 {
            let limit = i64::try_from(self.left).unwrap_or(i64::MAX);
            let mut delete = self.tx.conn().prepare_cached(sql)?;
            let gone = delete.execute(params![self.before, limit])?;
            self.left = self.left.saturating_sub(u64::try_from(gone).unwrap_or(0));
        }
        Ok(())
    }

    /// Removes old entries from the front only: a wall clock that was set back must not tear a gap.
    fn log(&mut self) -> Work<()> {
        let head = self.tx.head();
        let mut gone = Vec::new();
        {
            let sql = "SELECT epoch, number, at FROM log ORDER BY epoch, number LIMIT ?1";
            let mut oldest = self.tx.conn().prepare_cached(sql)?;
            let limit = i64::try_from(self.left).unwrap_or(i64::MAX);
            let mut rows = oldest.query([limit])?;
            while let Some(row) = rows.next()? {
                let entry = position(row, 0, 1)?;
                if row.get::<_, i64>(2)? >= self.before || entry == head {
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
