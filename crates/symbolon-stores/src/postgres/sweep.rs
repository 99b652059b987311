//! Expired rows leave: a bounded number at a time, found by index.

use symbolon_login::UnixMillis;

use super::{Transaction, columns::execute, fault::Work};

/// Each deletes rows as of the first parameter, at most as many as the second. A login leaves after its
/// grants, so that no grant is ever without its login.
const STEPS: [&str; 5] = [
    "DELETE FROM grants WHERE id IN
     (SELECT id FROM grants WHERE ended_at < $1 AND ended_at IS NOT NULL LIMIT $2)",
    "DELETE FROM grants WHERE id IN
     (SELECT g.id FROM logins l JOIN grants g ON g.sid = l.sid
      WHERE l.ended_at < $1 AND l.ended_at IS NOT NULL LIMIT $2)",
    "DELETE FROM grants WHERE id IN
     (SELECT g.id FROM logins l JOIN grants g ON g.sid = l.sid WHERE l.expires_at < $1 LIMIT $2)",
    "DELETE FROM logins WHERE sid IN
     (SELECT l.sid FROM logins l WHERE l.ended_at < $1 AND l.ended_at IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.sid = l.sid) LIMIT $2)",
    "DELETE FROM logins WHERE sid IN
     (SELECT l.sid FROM logins l WHERE l.expires_at < $1
      AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.sid = l.sid) LIMIT $2)",
];

/// The front of the log up to the first entry that is young or the head: a wall clock that was set back
/// must not tear a gap.
const LOG: &str = "DELETE FROM log USING (
        SELECT epoch, number, bool_and(at < $1 AND NOT is_head)
            OVER (ORDER BY epoch, number) AS is_over
        FROM (SELECT log.epoch, log.number, log.at,
                  (log.epoch, log.number) = (head.epoch, head.number) AS is_head
              FROM log, head ORDER BY log.epoch, log.number LIMIT $2) AS oldest
    ) AS front
    WHERE is_over AND log.epoch = front.epoch AND log.number = front.number";

const ONCE: &str = "DELETE FROM once_values WHERE (purpose, key) IN
     (SELECT purpose, key FROM once_values WHERE expires_at < $1 LIMIT $2)";

const COUNTERS: &str = "DELETE FROM counters WHERE key IN
     (SELECT key FROM counters WHERE until_at < $1 LIMIT $2)";

/// What could not be marked when a login or a grant ended is marked before the cut-off is forgotten.
const CUT_OFFS: &str = "WITH old AS (
        SELECT kind, sid, client_id, epoch, number, at FROM cut_offs
        WHERE kind IN ('login', 'grant') AND at < $1 ORDER BY at LIMIT $2
    ), of_logins AS (
        UPDATE logins SET ended_at = old.at FROM old
        WHERE old.kind = 'login' AND logins.sid = old.sid AND logins.ended_at IS NULL
        AND (logins.rev_epoch, logins.rev_number) < (old.epoch, old.number)
    ), of_grants AS (
        UPDATE grants SET ended_at = old.at FROM old
        WHERE old.kind = 'grant' AND grants.sid = old.sid AND grants.client_id = old.client_id
        AND grants.ended_at IS NULL
        AND (grants.rev_epoch, grants.rev_number) < (old.epoch, old.number)
        AND EXISTS (SELECT 1 FROM logins l WHERE l.sid = grants.sid AND l.ended_at IS NULL)
    )
    DELETE FROM cut_offs USING old
    WHERE cut_offs.kind = old.kind AND cut_offs.sid = old.sid
    AND cut_offs.client_id = old.client_id";

/// Removes up to `limit` rows that nothing can need again.
pub(super) async fn sweep(tx: &Transaction<'_>, before: UnixMillis, limit: u32) -> Work<u64> {
    let before = before.as_millis();
    let mut left = i64::from(limit);
    for sql in STEPS {
        left -= gone(execute(tx, sql, &[&before, &left]).await?);
    }
    left -= gone(execute(tx, LOG, &[&before, &left]).await?);
    left -= gone(execute(tx, ONCE, &[&before, &left]).await?);
    left -= gone(execute(tx, COUNTERS, &[&before, &left]).await?);
    execute(tx, CUT_OFFS, &[&before, &left]).await?;
    Ok(u64::from(limit).saturating_sub(u64::try_from(left).unwrap_or(0)))
}

fn gone(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
