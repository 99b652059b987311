//! The tables, as numbered migrations.

#[cfg(test)]
mod tests;

use rusqlite::{Connection, params};

use crate::Migration;

/// Marks the file as ours in its header: `SYMB`.
pub(super) const APPLICATION_ID: u32 = 0x5359_4d42;

/// Each entry takes the file from the version before it to its own: the first from nothing to 1.
/// An entry that was released is never changed.
const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "first tables",
        sql: FIRST,
    },
    Migration {
        number: 2,
        name: "two rows a login, no index",
        sql: SECOND,
    },
    Migration {
        number: 3,
        name: "one row a login",
        sql: THIRD,
    },
];

/// The version that this program reads and writes.
pub(super) fn version() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// What is not applied to a file of version `from`.
pub(super) fn pending(from: u32) -> Vec<Migration> {
    let later = MIGRATIONS.iter().filter(|step| step.number > from);
    later.copied().collect()
}

/// Brings the file from version `from` to [`version`], one transaction a step.
pub(super) fn migrate(conn: &Connection, from: u32) -> rusqlite::Result<()> {
    pending(from).iter().try_for_each(|step| apply(conn, step))
}

fn apply(conn: &Connection, migration: &Migration) -> rusqlite::Result<()> {
    let step = conn.unchecked_transaction()?;
    step.execute_batch(migration.sql)?;
    let sql = "INSERT INTO migration (number, name, checksum) VALUES (?1, ?2, ?3)";
    let Migration { number, name, .. } = migration;
    step.execute(sql, params![number, name, migration.checksum()])?;
    step.pragma_update(None, "application_id", APPLICATION_ID)?;
    step.pragma_update(None, "user_version", number)?;
    step.commit()
}

/// The first applied step, if any, that is not the one that this program knows by its number.
pub(super) fn changed(conn: &Connection) -> rusqlite::Result<Option<u32>> {
    let mut applied = conn.prepare("SELECT number, checksum FROM migration ORDER BY number")?;
    let mut applied = applied.query([])?;
    let mut ours = MIGRATIONS.iter();
    while let Some(row) = applied.next()? {
        let (number, checksum): (u32, String) = (row.get(0)?, row.get(1)?);
        let known = ours.next();
        if known.is_none_or(|step| step.number != number || step.checksum() != checksum) {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

/// Rows of people, logins and grants are keyed by their time-ordered ids, so that new rows land side
/// by side. (What follows on indexes is older than [`SECOND`] and [`THIRD`].) The indexes on
/// `login.expires_at`, `login.ended_at`, `grant.ended_at` and `once.expires_at` let expired rows leave
/// without a scan; those on `login.user`, `grant.sid` and `grant.client_id` let one cut-off find all that
/// it covers.
///
/// `user.cut_epoch` and `user.cut_number` are the position at which all their logins were ended last.
/// `user.is_admin` is derived from `roles` by the authority's own rule when the row is written.
/// `epoch` holds which life of the log this file is in; the log's newest row is its head.
const FIRST: &str = "
CREATE TABLE migration (
    number   INTEGER NOT NULL PRIMARY KEY,
    name     TEXT    NOT NULL,
    checksum TEXT    NOT NULL
) STRICT;

CREATE TABLE user (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    identifier  TEXT    NOT NULL UNIQUE,
    roles       TEXT    NOT NULL,
    policy      TEXT    NOT NULL,
    is_admin    INTEGER NOT NULL CHECK (is_admin IN (0, 1)),
    password    TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    disabled_at INTEGER,
    cut_epoch   INTEGER,
    cut_number  INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX user_admin ON user (disabled_at) WHERE is_admin = 1;

CREATE TABLE app (
    client_id       TEXT    NOT NULL PRIMARY KEY,
    name            TEXT    NOT NULL,
    shape           TEXT    NOT NULL,
    freshness       TEXT    NOT NULL,
    idle_ms         INTEGER NOT NULL,
    absolute_ms     INTEGER NOT NULL,
    access_token_ms INTEGER NOT NULL,
    grace_ms        INTEGER NOT NULL,
    redirect_uris   TEXT    NOT NULL,
    login_limit     TEXT,
    secret          BLOB    CHECK (length(secret) = 32),
    first_party     INTEGER NOT NULL CHECK (first_party IN (0, 1)),
    created_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE signing_key (
    kid        TEXT    NOT NULL PRIMARY KEY,
    algorithm  TEXT    NOT NULL,
    public_jwk TEXT    NOT NULL,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE mark (
    name TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE login (
    sid              BLOB    NOT NULL PRIMARY KEY CHECK (length(sid) = 16),
    user             BLOB    NOT NULL CHECK (length(user) = 16),
    authenticated_at INTEGER NOT NULL,
    methods          TEXT    NOT NULL,
    device           TEXT,
    expires_at       INTEGER NOT NULL,
    idle_ms          INTEGER,
    remembered       INTEGER NOT NULL CHECK (remembered IN (0, 1)),
    ended_at         INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX login_user ON login (user) WHERE ended_at IS NULL;
CREATE INDEX login_expires ON login (expires_at);
CREATE INDEX login_ended ON login (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE grant (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    sid        BLOB    NOT NULL CHECK (length(sid) = 16),
    client_id  TEXT    NOT NULL,
    rev_epoch  INTEGER NOT NULL,
    rev_number INTEGER NOT NULL,
    opened_at  INTEGER NOT NULL,
    used_at    INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    digest     BLOB    NOT NULL CHECK (length(digest) = 32),
    moved_at   INTEGER NOT NULL,
    ended_at   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX grant_sid ON grant (sid);
CREATE INDEX grant_client ON grant (client_id);
CREATE INDEX grant_ended ON grant (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE epoch (
    one     INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    current INTEGER NOT NULL
) STRICT;
INSERT INTO epoch VALUES (1, 1);

CREATE TABLE log (
    epoch  INTEGER NOT NULL,
    number INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    change TEXT    NOT NULL,
    PRIMARY KEY (epoch, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE once (
    purpose    TEXT    NOT NULL,
    key        BLOB    NOT NULL CHECK (length(key) = 32),
    value      TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    taken      INTEGER NOT NULL CHECK (taken IN (0, 1)),
    PRIMARY KEY (purpose, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX once_expires ON once (expires_at);
";

/// A new login writes its row and that of its first grant (until [`THIRD`]), and no entry of an index:
/// each index cost as much as a row, that by person many times that, because its entries fall on pages at
/// random.
///
/// Who has which logins and when they expire is kept in memory ([`super::roll`]). `login.first_grant`
/// leads from a login to the grant that it was opened with (`grant.is_first`), `grant_further` to the
/// others. An end of one login is its entry in the log and nothing else at first ([`super::unmarked`]):
/// `epoch.marked_*` is the position up to which the rows say themselves what has ended, and `login.rev_*`
/// is the log's head when the row was made, for the rule of death.
const SECOND: &str = "
ALTER TABLE login ADD COLUMN rev_epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE login ADD COLUMN rev_number INTEGER NOT NULL DEFAULT 0;
ALTER TABLE login ADD COLUMN first_grant BLOB;
DROP INDEX login_user;
DROP INDEX login_expires;

ALTER TABLE grant ADD COLUMN is_first INTEGER NOT NULL DEFAULT 0;
DROP INDEX grant_sid;
DROP INDEX grant_client;
CREATE INDEX grant_further ON grant (sid) WHERE is_first = 0;

ALTER TABLE epoch ADD COLUMN marked_epoch INTEGER NOT NULL DEFAULT 1;
ALTER TABLE epoch ADD COLUMN marked_number INTEGER NOT NULL DEFAULT 0;
UPDATE epoch SET marked_epoch = current,
    marked_number = coalesce((SELECT max(number) FROM log WHERE epoch = current), 0);
";

/// A new login writes one row: the grant that it is opened with has the login's id
/// ([`symbolon_login::GrantId::first_of`]) and lies in its row, as `login.first_*`; all of these columns are
/// null where there is none. Other grants have rows of their own, found by their login's id. So do the first
/// grants of logins that are older than this step, which have ids of their own.
const THIRD: &str = "
ALTER TABLE login ADD COLUMN first_client_id TEXT;
ALTER TABLE login ADD COLUMN first_rev_epoch INTEGER;
ALTER TABLE login ADD COLUMN first_rev_number INTEGER;
ALTER TABLE login ADD COLUMN first_opened_at INTEGER;
ALTER TABLE login ADD COLUMN first_used_at INTEGER;
ALTER TABLE login ADD COLUMN first_generation INTEGER;
ALTER TABLE login ADD COLUMN first_digest BLOB CHECK (length(first_digest) = 32);
ALTER TABLE login ADD COLUMN first_moved_at INTEGER;
ALTER TABLE login ADD COLUMN first_ended_at INTEGER;
ALTER TABLE login DROP COLUMN first_grant;
CREATE INDEX login_first_ended ON login (first_ended_at) WHERE first_ended_at IS NOT NULL;

UPDATE login SET (first_client_id, first_rev_epoch, first_rev_number, first_opened_at, first_used_at,
                  first_generation, first_digest, first_moved_at, first_ended_at)
    = (SELECT client_id, rev_epoch, rev_number, opened_at, used_at, generation, digest, moved_at, ended_at
       FROM grant WHERE grant.id = login.sid)
    WHERE EXISTS (SELECT 1 FROM grant WHERE grant.id = login.sid AND grant.sid = login.sid);
DELETE FROM grant WHERE id = sid;
DROP INDEX grant_further;
ALTER TABLE grant DROP COLUMN is_first;
CREATE INDEX grant_sid ON grant (sid);
";
