//! PostgreSQL as a source and as a target of a copy.
//!
//! A copy marks what its source only judged to be dead, so the target begins without remembered
//! cut-offs. A login takes the smallest `rev` of its grants: later ends find it older than themselves.

use async_trait::async_trait;
use deadpool_postgres::{GenericClient, Object};
use futures_util::{FutureExt, future::try_join_all};
use symbolon_authority::{PasswordHash, ports::StoreError};
use symbolon_login::{Grant, LogEntry, Login, Position, UnixMillis};
use tokio_postgres::{Row, types::ToSql};

use super::{
    Postgres, Transaction,
    columns::{
        Values, bytes, digest, execute, json, maybe_row, number, position, refused, rows, time,
        to_columns, to_integer, to_json, value,
    },
    directory::{app_columns, read_app, read_key, read_user, write_app, write_key, write_user},
    fault::{Fault, Work},
    log,
    rows::{LOGIN_COLUMNS, grant_columns, login_columns, read_grant, read_login},
};
use crate::transfer::{Begin, Key, Kind, Record, Source, Target, UNFINISHED};

/// The `rev` of a login whose grants have not arrived.
const NO_GRANT: (i64, i64) = (u32::MAX as i64, 0);

/// One moment of a database, whatever its nodes write meanwhile.
pub struct Moment {
    /// There until it is dropped.
    client: Option<Object>,
}

impl Postgres {
    /// Holds this moment still for a backup: everything that was acknowledged before the call is in it.
    pub async fn moment(&self) -> Result<Moment, StoreError> {
        let held = async {
            let client = self.database.client().await?;
            let moment = Moment {
                client: Some(client),
            };
            // Nobody waits for a backup: it may take its time.
            let begin = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
                         SET LOCAL statement_timeout = 0;
                         SET LOCAL idle_in_transaction_session_timeout = 0";
            moment.client()?.batch_execute(begin).await?;
            // The first statement takes the moment.
            log::head(&***moment.client()?).await?;
            Ok::<_, Fault>(moment)
        };
        Ok(held.await?)
    }
}

impl Moment {
    fn client(&self) -> Work<&Object> {
        let over = || Fault::unavailable("this moment is over");
        self.client.as_ref().ok_or_else(over)
    }
}

impl Drop for Moment {
    fn drop(&mut self) {
        // Its transaction ends with its connection, which nobody else gets out of the pool.
        drop(self.client.take().map(Object::take));
    }
}

#[async_trait]
impl Source for Moment {
    async fn count(&self, kind: Kind, after: Option<Key>) -> Result<u64, StoreError> {
        Ok(count(self.client()?, kind, after).await?)
    }

    async fn records(
        &self,
        kind: Kind,
        after: Option<Key>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        Ok(records(self.client()?, kind, after, limit).await?)
    }

    async fn log_head(&self) -> Result<Position, StoreError> {
        Ok(log::head(&***self.client()?).await?)
    }
}

#[async_trait]
impl Source for Postgres {
    async fn count(&self, kind: Kind, after: Option<Key>) -> Result<u64, StoreError> {
        let client = self.database.client().await?;
        Ok(count(&client, kind, after).await?)
    }

    async fn records(
        &self,
        kind: Kind,
        after: Option<Key>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        let client = self.database.client().await?;
        Ok(records(&client, kind, after, limit).await?)
    }

    async fn log_head(&self) -> Result<Position, StoreError> {
        let client = self.database.client().await?;
        Ok(log::head(&**client).await?)
    }
}

#[async_trait]
impl Target for Postgres {
    async fn last(&self, kind: Kind) -> Result<Option<Key>, StoreError> {
        let client = self.database.client().await?;
        let Statements { last, .. } = statements(kind);
        let last = maybe_row(&client, last, &[]).await?;
        Ok(last.map(|row| key(kind, &row)).transpose()?)
    }

    async fn begin(&self) -> Result<Begin, StoreError> {
        self.transact(|tx| {
            async {
                log::lock(tx).await?;
                let begun = "SELECT 1 FROM marks WHERE name = $1";
                if maybe_row(tx, begun, &[&UNFINISHED]).await?.is_some() {
                    return Ok(Begin::Resumed);
                }
                for kind in Kind::ALL {
                    if maybe_row(tx, statements(kind).last, &[]).await?.is_some() {
                        return Ok(Begin::Occupied);
                    }
                }
                let mark = "INSERT INTO marks (name) VALUES ($1)";
                execute(tx, mark, &[&UNFINISHED]).await?;
                Ok(Begin::Begun)
            }
            .boxed()
        })
        .await
    }

    async fn import(&self, records: Vec<Record>) -> Result<(), StoreError> {
        self.transact(move |tx| {
            let records = records.clone();
            async move { import(tx, &records).await }.boxed()
        })
        .await
    }

    async fn finish(&self, head: Position) -> Result<(), StoreError> {
        self.transact(move |tx| {
            async move {
                log::lock(tx).await?;
                log::start_at(tx, head).await?;
                let mark = "DELETE FROM marks WHERE name = $1";
                execute(tx, mark, &[&UNFINISHED]).await?;
                Ok(())
            }
            .boxed()
        })
        .await?;
        self.database.announce(head);
        Ok(())
    }
}

async fn count(client: &impl GenericClient, kind: Kind, after: Option<Key>) -> Work<u64> {
    let Statements { count, .. } = statements(kind);
    let bound = bound(kind, after)?;
    // Over a large table it takes its time.
    let found = client.query_one(count, &refer(&bound)).await?;
    number(&found, 0)
}

async fn records(
    client: &impl GenericClient,
    kind: Kind,
    after: Option<Key>,
    limit: u32,
) -> Work<Vec<Record>> {
    let Statements { records, .. } = statements(kind);
    let mut values = bound(kind, after)?;
    values.push(Box::new(i64::from(limit)));
    let found = rows(client, records, &refer(&values)).await?;
    found.iter().map(|row| read(kind, row)).collect()
}

/// The statements of one kind. The key after which to go on comes first among their parameters, the
/// number of rows last.
struct Statements {
    count: &'static str,
    records: &'static str,
    last: &'static str,
}

/// `$after` compares the key with one parameter or two, `$limit` is the one after them.
macro_rules! statements {
    ($from:literal, $columns:expr, $key:literal, $latest:literal, $after:literal, $limit:literal) => {
        Statements {
            count: concat!("SELECT count(*) FROM ", $from, " WHERE ", $after),
            records: concat!(
                "SELECT ",
                $columns,
                " FROM ",
                $from,
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
                $from,
                " ORDER BY ",
                $latest,
                " LIMIT 1"
            ),
        }
    };
}

const fn statements(kind: Kind) -> Statements {
    match kind {
        Kind::User => statements!(
            "users",
            "id, identifier, roles, policy, created_at, disabled_at, password, cut_epoch, cut_number",
            "id",
            "id DESC",
            "id > $1",
            "$2"
        ),
        Kind::App => statements!(
            "apps",
            app_columns!(),
            "client_id",
            "client_id DESC",
            "client_id > $1",
            "$2"
        ),
        Kind::SigningKey => statements!(
            "signing_keys",
            "kid, algorithm, public_jwk, sealed, created_at",
            "kid",
            "kid DESC",
            "kid > $1",
            "$2"
        ),
        // The marks that a copy itself makes are no records.
        Kind::Mark => statements!(
            "(SELECT name COLLATE \"C\" AS name FROM marks
              WHERE name NOT IN ('unfinished copy', 'moved')) AS marks",
            "name",
            "name",
            "name DESC",
            "name > $1",
            "$2"
        ),
        Kind::Login => statements!(
            "logins l",
            login_columns!(),
            "l.sid",
            "l.sid DESC",
            "l.sid > $1",
            "$2"
        ),
        Kind::Grant => statements!(
            "grants g JOIN logins l ON l.sid = g.sid",
            concat!(login_columns!(), ", ", grant_columns!()),
            "g.id",
            "g.id DESC",
            "g.id > $1",
            "$2"
        ),
        Kind::LogEntry => statements!(
            "log",
            "epoch, number, at, change",
            "epoch, number",
            "epoch DESC, number DESC",
            "(epoch, number) > ($1, $2)",
            "$3"
        ),
        Kind::OnceValue => statements!(
            "(SELECT purpose COLLATE \"C\" AS purpose, key, value, expires_at, taken
              FROM once_values) AS once_values",
            "purpose, key, value, expires_at, taken",
            "purpose, key",
            "purpose DESC, key DESC",
            "(purpose, key) > ($1, $2)",
            "$3"
        ),
    }
}

type Owned = Box<dyn ToSql + Send + Sync>;

/// The parameters that stand for a key; none stands before all keys.
fn bound(kind: Kind, after: Option<Key>) -> Work<Vec<Owned>> {
    Ok(match (kind, after) {
        (_, Some(Key::Id(id))) => vec![Box::new(id.to_vec())],
        (_, Some(Key::Name(name))) => vec![Box::new(name)],
        (_, Some(Key::Position(at))) => {
            let (epoch, number) = to_columns(at)?;
            vec![Box::new(epoch), Box::new(number)]
        }
        (_, Some(Key::Once(purpose, key))) => vec![Box::new(purpose), Box::new(key.to_vec())],
        (Kind::User | Kind::Login | Kind::Grant, None) => vec![Box::new(Vec::<u8>::new())],
        (Kind::App | Kind::SigningKey | Kind::Mark, None) => vec![Box::new(String::new())],
        (Kind::LogEntry, None) => vec![Box::new(-1_i64), Box::new(-1_i64)],
        (Kind::OnceValue, None) => vec![Box::new(String::new()), Box::new(Vec::<u8>::new())],
    })
}

fn refer(values: &[Owned]) -> Vec<&(dyn ToSql + Sync)> {
    values
        .iter()
        .map(|value| -> &(dyn ToSql + Sync) { &**value })
        .collect()
}

fn read(kind: Kind, row: &Row) -> Work<Record> {
    Ok(match kind {
        Kind::User => Record::User {
            user: read_user(row)?,
            password: PasswordHash::from_phc(value(row, 6)?),
            cut: value::<Option<i64>>(row, 7)?
                .map(|_| position(row, 7))
                .transpose()?,
        },
        Kind::App => Record::App(read_app(row)?),
        Kind::SigningKey => Record::SigningKey(read_key(row)?),
        Kind::Mark => Record::Mark(value(row, 0)?),
        Kind::Login => Record::Login(read_login(row)?),
        Kind::Grant => {
            let login = read_login(row)?;
            Record::Grant(read_grant(row, LOGIN_COLUMNS, &login)?)
        }
        Kind::LogEntry => Record::LogEntry {
            at: time(row, 2)?,
            entry: LogEntry {
                position: position(row, 0)?,
                change: json(row, 3)?,
            },
        },
        Kind::OnceValue => Record::OnceValue {
            purpose: value(row, 0)?,
            key: digest(row, 1)?,
            value: value(row, 2)?,
            expires_at: time(row, 3)?,
            taken: value(row, 4)?,
        },
    })
}

fn key(kind: Kind, row: &Row) -> Work<Key> {
    Ok(match kind {
        Kind::User | Kind::Login | Kind::Grant => Key::Id(bytes(row, 0)?),
        Kind::App | Kind::SigningKey | Kind::Mark => Key::Name(value(row, 0)?),
        Kind::LogEntry => Key::Position(position(row, 0)?),
        Kind::OnceValue => Key::Once(value(row, 0)?, bytes(row, 1)?),
    })
}

/// Many statements are on their way at once: a bite costs few round trips.
async fn import(tx: &Transaction<'_>, records: &[Record]) -> Work<()> {
    try_join_all(records.iter().map(|record| write(tx, record))).await?;
    let grants: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            Record::Grant(grant) => Some(grant),
            _ => None,
        })
        .collect();
    age_logins(tx, &grants).await
}

async fn write(tx: &Transaction<'_>, record: &Record) -> Work<()> {
    let written = match record {
        Record::User {
            user,
            password,
            cut,
        } => write_user(tx, user, password, *cut).await,
        Record::App(app) => write_app(tx, INSERT_APP, app).await,
        Record::SigningKey(key) => write_key(tx, key).await,
        Record::Mark(name) => execute(tx, "INSERT INTO marks (name) VALUES ($1)", &[name]).await,
        Record::Login(login) => write_login(tx, login).await,
        Record::Grant(grant) => write_grant(tx, grant).await,
        Record::LogEntry { at, entry } => {
            let sql = "INSERT INTO log (epoch, number, at, change) VALUES ($1, $2, $3, $4)";
            let (epoch, number) = to_columns(entry.position)?;
            let change = to_json(&entry.change)?;
            execute(tx, sql, &[&epoch, &number, &at.as_millis(), &change]).await
        }
        Record::OnceValue {
            purpose,
            key,
            value,
            expires_at,
            taken,
        } => {
            let sql = "INSERT INTO once_values (purpose, key, value, expires_at, taken)
                       VALUES ($1, $2, $3, $4, $5)";
            let (key, expires_at) = (key.as_bytes().as_slice(), expires_at.as_millis());
            execute(tx, sql, &[purpose, &key, value, &expires_at, taken]).await
        }
    };
    written
        .map(|_| ())
        .map_err(|fault| refused(fault, |_| "key of a record"))
}

const INSERT_APP: &str = concat!(
    "INSERT INTO apps (",
    app_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
);

async fn write_login(tx: &Transaction<'_>, login: &Login) -> Work<u64> {
    let sql = "INSERT INTO logins (sid, user_id, authenticated_at, methods, device, expires_at,
                                   idle_ms, remembered, rev_epoch, rev_number, ended_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let idle = login.idle.map(|idle| to_integer(idle.as_millis()));
    let (epoch, number) = NO_GRANT;
    let row: Values<'_> = &[
        &login.sid.as_bytes().as_slice(),
        &login.user.as_bytes().as_slice(),
        &login.authenticated_at.as_millis(),
        &to_json(&login.methods)?,
        &login.device,
        &login.expires_at.as_millis(),
        &idle.transpose()?,
        &login.remembered,
        &epoch,
        &number,
        &login.ended_at.map(UnixMillis::as_millis),
    ];
    execute(tx, sql, row).await
}

async fn write_grant(tx: &Transaction<'_>, grant: &Grant) -> Work<u64> {
    let sql = "INSERT INTO grants (id, sid, client_id, rev_epoch, rev_number, opened_at, used_at,
                                   generation, digest, moved_at, ended_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let (epoch, number) = to_columns(grant.rev)?;
    let row: Values<'_> = &[
        &grant.id.as_bytes().as_slice(),
        &grant.sid.as_bytes().as_slice(),
        &grant.client_id.as_str(),
        &epoch,
        &number,
        &grant.opened_at.as_millis(),
        &grant.used_at.as_millis(),
        &i64::from(grant.line.generation),
        &grant.line.digest.as_bytes().as_slice(),
        &grant.line.moved_at.as_millis(),
        &grant.ended_at.map(UnixMillis::as_millis),
    ];
    execute(tx, sql, row).await
}

/// Lowers the `rev` of each login to that of its oldest grant among these.
async fn age_logins(tx: &Transaction<'_>, grants: &[&Grant]) -> Work<()> {
    if grants.is_empty() {
        return Ok(());
    }
    let (mut sids, mut epochs, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    for grant in grants {
        let (epoch, number) = to_columns(grant.rev)?;
        sids.push(grant.sid.as_bytes().as_slice());
        epochs.push(epoch);
        numbers.push(number);
    }
    let sql = "UPDATE logins SET rev_epoch = oldest.epoch, rev_number = oldest.number
               FROM (SELECT DISTINCT ON (sid) sid, epoch, number
                     FROM unnest($1::bytea[], $2::bigint[], $3::bigint[])
                         AS arrived(sid, epoch, number)
                     ORDER BY sid, epoch, number) AS oldest
               WHERE logins.sid = oldest.sid
               AND (oldest.epoch, oldest.number) < (logins.rev_epoch, logins.rev_number)";
    execute(tx, sql, &[&sids, &epochs, &numbers]).await?;
    Ok::<(), Fault>(())
}
