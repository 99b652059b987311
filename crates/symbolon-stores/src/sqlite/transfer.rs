//! SQLite as a source and as a target of a copy.

use async_trait::async_trait;
use rusqlite::{OptionalExtension, Result as Read, Row, params, params_from_iter, types::Value};
use symbolon_authority::{PasswordHash, ports::StoreError};
use symbolon_login::{LogEntry, Position};

use super::{
    Sqlite,
    columns::{bytes, digest, insert, json, number, position, time, to_integer, to_json},
    directory::{app_columns, read_app, read_key, read_user, write_app, write_key, write_user},
    fault::Work,
    log,
    rows::{
        first_columns, grant_columns, insert_grant, insert_login, login_columns, read_grant,
        read_login,
    },
    unmarked::View,
    writer::Transaction,
};
use crate::transfer::{Begin, Key, Kind, Record, Source, Target, UNFINISHED};

#[async_trait]
impl Source for Sqlite {
    async fn count(&self, kind: Kind, after: Option<Key>) -> Result<u64, StoreError> {
        self.read(move |conn| {
            let mut count = conn.prepare_cached(rows(kind).count)?;
            let after = params_from_iter(bound(kind, after)?);
            Ok(count.query_row(after, |row| number(row, 0))?)
        })
        .await
    }

    async fn records(
        &self,
        kind: Kind,
        after: Option<Key>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        self.read_logins(move |conn, view| {
            let mut records = conn.prepare_cached(rows(kind).records)?;
            let mut parameters = bound(kind, after.clone())?;
            parameters.push(Value::Integer(limit.into()));
            let records =
                records.query_map(params_from_iter(parameters), |row| read(kind, row, view))?;
            Ok(records.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn log_head(&self) -> Result<Position, StoreError> {
        self.read(log::head).await
    }
}

#[async_trait]
impl Target for Sqlite {
    async fn last(&self, kind: Kind) -> Result<Option<Key>, StoreError> {
        self.read(move |conn| {
            let mut last = conn.prepare_cached(rows(kind).last)?;
            Ok(last
                .query_row([], |row| read_key_of(kind, row))
                .optional()?)
        })
        .await
    }

    async fn begin(&self) -> Result<Begin, StoreError> {
        self.write(|tx| {
            let begun = "SELECT 1 FROM mark WHERE name = ?1";
            if tx.conn().prepare_cached(begun)?.exists([UNFINISHED])? {
                return Ok(Begin::Resumed);
            }
            for kind in Kind::ALL {
                if tx.conn().prepare_cached(rows(kind).last)?.exists([])? {
                    return Ok(Begin::Occupied);
                }
            }
            let mark = "INSERT INTO mark (name) VALUES (?1)";
            tx.conn().prepare_cached(mark)?.execute([UNFINISHED])?;
            Ok(Begin::Begun)
        })
        .await
    }

    async fn import(&self, records: Vec<Record>) -> Result<(), StoreError> {
        self.write(move |tx| records.iter().try_for_each(|record| write(tx, record)))
            .await
    }

    async fn finish(&self, head: Position) -> Result<(), StoreError> {
        self.write(move |tx| {
            let epoch = "UPDATE epoch SET current = ?1";
            tx.conn().prepare_cached(epoch)?.execute([head.epoch()])?;
            let mark = "DELETE FROM mark WHERE name = ?1";
            tx.conn().prepare_cached(mark)?.execute([UNFINISHED])?;
            tx.start_at(head);
            // All that came was marked where it came from.
            tx.marked(head)
        })
        .await
    }
}

/// The statements of one kind. The key after which to go on comes first among their parameters, the
/// number of rows last.
struct Rows {
    count: &'static str,
    records: &'static str,
    last: &'static str,
}

/// `$after` compares the key with one parameter or two, `$limit` is the one after them.
macro_rules! rows {
    ($table:expr, $columns:expr, $key:literal, $latest:literal, $after:literal, $limit:literal) => {
        Rows {
            count: concat!("SELECT count(*) FROM ", $table, " WHERE ", $after),
            records: concat!(
                "SELECT ",
                $columns,
                " FROM ",
                $table,
                " WHERE ",
                $after,
                " ORDER BY ",
                $key,
                " LIMIT ",
                $limit
            ),
            last: concat!(
                "SELECT ",
                $key,
                " FROM ",
                $table,
                " ORDER BY ",
                $latest,
                " LIMIT 1"
            ),
        }
    };
}

const fn rows(kind: Kind) -> Rows {
    match kind {
        Kind::User => rows!(
            "user",
            "id, identifier, roles, policy, created_at, disabled_at, password, cut_epoch, cut_number",
            "id",
            "id DESC",
            "id > ?1",
            "?2"
        ),
        Kind::App => rows!(
            "app",
            app_columns!(),
            "client_id",
            "client_id DESC",
            "client_id > ?1",
            "?2"
        ),
        Kind::SigningKey => rows!(
            "signing_key",
            "kid, algorithm, public_jwk, sealed, created_at",
            "kid",
            "kid DESC",
            "kid > ?1",
            "?2"
        ),
        // The marks that a copy itself makes are no records.
        Kind::Mark => rows!(
            "(SELECT name FROM mark WHERE name NOT IN ('unfinished copy', 'moved'))",
            "name",
            "name",
            "name DESC",
            "name > ?1",
            "?2"
        ),
        Kind::Login => rows!(
            "login",
            login_columns!(),
            "sid",
            "sid DESC",
            "sid > ?1",
            "?2"
        ),
        Kind::Grant => rows!(
            concat!(
                "(SELECT id, sid, client_id, rev_epoch, rev_number, opened_at, used_at, generation, \
                  digest, moved_at, ended_at FROM grant \
                  UNION ALL SELECT ",
                first_columns!(),
                " FROM login WHERE first_digest IS NOT NULL) AS grant"
            ),
            grant_columns!(),
            "id",
            "id DESC",
            "id > ?1",
            "?2"
        ),
        Kind::LogEntry => rows!(
            "log",
            "epoch, number, at, change",
            "epoch, number",
            "epoch DESC, number DESC",
            "(epoch, number) > (?1, ?2)",
            "?3"
        ),
        Kind::OnceValue => rows!(
            "once",
            "purpose, key, value, expires_at, taken",
            "purpose, key",
            "purpose DESC, key DESC",
            "(purpose, key) > (?1, ?2)",
            "?3"
        ),
    }
}

/// The parameters that stand for a key; none stands before all keys.
fn bound(kind: Kind, after: Option<Key>) -> Work<Vec<Value>> {
    Ok(match (kind, after) {
        (_, Some(Key::Id(id))) => vec![Value::Blob(id.to_vec())],
        (_, Some(Key::Name(name))) => vec![Value::Text(name)],
        (_, Some(Key::Position(at))) => vec![
            Value::Integer(at.epoch().into()),
            Value::Integer(to_integer(at.number())?),
        ],
        (_, Some(Key::Once(purpose, key))) => {
            vec![Value::Text(purpose), Value::Blob(key.to_vec())]
        }
        (Kind::User | Kind::Login | Kind::Grant, None) => vec![Value::Blob(Vec::new())],
        (Kind::App | Kind::SigningKey | Kind::Mark, None) => vec![Value::Text(String::new())],
        (Kind::LogEntry, None) => vec![Value::Integer(-1), Value::Integer(-1)],
        (Kind::OnceValue, None) => vec![Value::Text(String::new()), Value::Blob(Vec::new())],
    })
}

fn read(kind: Kind, row: &Row<'_>, view: &View<'_>) -> Read<Record> {
    Ok(match kind {
        Kind::User => Record::User {
            user: read_user(row)?,
            password: PasswordHash::from_phc(row.get(6)?),
            cut: row
                .get::<_, Option<u32>>(7)?
                .map(|_| position(row, 7, 8))
                .transpose()?,
        },
        Kind::App => Record::App(read_app(row)?),
        Kind::SigningKey => Record::SigningKey(read_key(row)?),
        Kind::Mark => Record::Mark(row.get(0)?),
        Kind::Login => Record::Login(read_login(row, view)?),
        Kind::Grant => Record::Grant(read_grant(row, 0)?),
        Kind::LogEntry => Record::LogEntry {
            at: time(row, 2)?,
            entry: LogEntry {
                position: position(row, 0, 1)?,
                change: json(row, 3)?,
            },
        },
        Kind::OnceValue => Record::OnceValue {
            purpose: row.get(0)?,
            key: digest(row, 1)?,
            value: row.get(2)?,
            expires_at: time(row, 3)?,
            taken: row.get(4)?,
        },
    })
}

fn read_key_of(kind: Kind, row: &Row<'_>) -> Read<Key> {
    Ok(match kind {
        Kind::User | Kind::Login | Kind::Grant => Key::Id(bytes(row, 0)?),
        Kind::App | Kind::SigningKey | Kind::Mark => Key::Name(row.get(0)?),
        Kind::LogEntry => Key::Position(position(row, 0, 1)?),
        Kind::OnceValue => Key::Once(row.get(0)?, bytes(row, 1)?),
    })
}

fn write(tx: &mut Transaction<'_>, record: &Record) -> Work<()> {
    let conn = tx.conn();
    match record {
        Record::User {
            user,
            password,
            cut,
        } => write_user(tx, user, password, *cut),
        Record::App(app) => write_app(conn, app),
        Record::SigningKey(key) => write_key(conn, key),
        Record::Mark(name) => {
            let sql = "INSERT INTO mark (name) VALUES (?1)";
            insert(conn, sql, "mark", [name])
        }
        // What a cut-off of its own log killed is marked: no later one is older than it.
        Record::Login(login) => {
            let methods = to_json(&login.methods)?;
            insert_login(tx, login, &methods, Position::new(0, 0), None)
        }
        Record::Grant(grant) => insert_grant(tx, grant),
        Record::LogEntry { at, entry } => log::insert_entry(tx, entry.position, &entry.change, *at),
        Record::OnceValue {
            purpose,
            key,
            value,
            expires_at,
            taken,
        } => {
            let sql = "INSERT INTO once (purpose, key, value, expires_at, taken)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let row = params![
                purpose,
                key.as_bytes(),
                value,
                expires_at.as_millis(),
                taken
            ];
            insert(conn, sql, "once-value", row)
        }
    }
}
