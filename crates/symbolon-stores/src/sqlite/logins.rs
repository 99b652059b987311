//! Logins and grants in SQLite.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Result as Read, Row, params};
use symbolon_authority::ports::{
    Advance, Ended, Join, LoginWithGrants, Logins, NewGrant, Open, Presented, Standpoint,
    StoreError, Tail,
};
use symbolon_login::{
    AppSettings, ClientId, CutOff, Grant, GrantId, Lifetimes, Line, Login, Position, Scope, Sid,
    UnixMillis, UserId, Verdict,
};
use tokio::sync::watch;

use super::{
    Sqlite,
    columns::{bytes, digest, insert, json, maybe_time, position, text, time, to_integer, to_json},
    fault::Work,
    log, sweep,
    writer::Transaction,
};

#[async_trait]
impl Logins for Sqlite {
    async fn open(
        &self,
        login: Login,
        grant: NewGrant,
        now: UnixMillis,
    ) -> Result<Open, StoreError> {
        self.write(move |tx| {
            let welcome = "SELECT 1 FROM user WHERE id = ?1 AND disabled_at IS NULL";
            let mut welcome = tx.conn().prepare_cached(welcome)?;
            if !welcome.exists([login.user.as_bytes()])? {
                return Ok(Open::UserGone);
            }
            let login = Login {
                ended_at: None,
                ..login.clone()
            };
            insert_login(tx.conn(), &login)?;
            let grant = add_grant(tx, login.sid, grant.clone(), now)?;
            Ok(Open::Opened(Box::new(Standpoint { login, grant })))
        })
        .await
    }

    async fn join(&self, sid: Sid, grant: NewGrant, now: UnixMillis) -> Result<Join, StoreError> {
        self.write(move |tx| {
            let Some(login) = login(tx.conn(), sid)? else {
                return Ok(Join::Unknown);
            };
            if !login.stands(now) {
                return Ok(Join::Ended);
            }
            let grant = add_grant(tx, sid, grant.clone(), now)?;
            Ok(Join::Granted(Box::new(Standpoint { login, grant })))
        })
        .await
    }

    async fn find(&self, grant: GrantId) -> Result<Option<Standpoint>, StoreError> {
        let mut found = self.read(move |conn| find(conn, grant)).await?;
        if let Some(found) = &mut found {
            self.touches().overlay(found);
        }
        Ok(found)
    }

    async fn login(&self, sid: Sid) -> Result<Option<LoginWithGrants>, StoreError> {
        let found = self.read(move |conn| {
            let read = conn.unchecked_transaction()?;
            let found = login(&read, sid)?;
            found.map(|login| with_grants(&read, login)).transpose()
        });
        let mut found = found.await?;
        if let Some(found) = &mut found {
            self.touches().overlay_all(found);
        }
        Ok(found)
    }

    async fn logins_of(
        &self,
        user: UserId,
        now: UnixMillis,
    ) -> Result<Vec<LoginWithGrants>, StoreError> {
        let found = self.read(move |conn| {
            let read = conn.unchecked_transaction()?;
            let live = live_logins(&read, user, now)?.into_iter();
            live.map(|login| with_grants(&read, login)).collect()
        });
        let mut found: Vec<_> = found.await?;
        for login in &mut found {
            self.touches().overlay_all(login);
        }
        Ok(found)
    }

    async fn advance(
        &self,
        presented: Presented,
        client_id: &ClientId,
        lifetimes: Lifetimes,
        now: UnixMillis,
    ) -> Result<Advance, StoreError> {
        let client_id = client_id.clone();
        self.write(move |tx| advance(tx, &presented, &client_id, &lifetimes, now))
            .await
    }

    async fn touch(&self, grant: GrantId, now: UnixMillis) -> Result<(), StoreError> {
        self.note_use(grant, now);
        Ok(())
    }

    async fn end(&self, scope: Scope, now: UnixMillis) -> Result<Ended, StoreError> {
        self.write(move |tx| log::end(tx, scope.clone(), now)).await
    }

    async fn end_own(
        &self,
        user: UserId,
        sid: Sid,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError> {
        self.write(move |tx| {
            let own = "SELECT 1 FROM login WHERE sid = ?1 AND user = ?2 AND ended_at IS NULL";
            let row = params![sid.as_bytes(), user.as_bytes()];
            if !tx.conn().prepare_cached(own)?.exists(row)? {
                return Ok(None);
            }
            log::end(tx, Scope::Login { sid }, now).map(Some)
        })
        .await
    }

    async fn head(&self) -> Result<Position, StoreError> {
        Ok(self.committed_head())
    }

    async fn tail(&self, after: Position, limit: u32) -> Result<Tail, StoreError> {
        self.read(move |conn| log::tail(conn, after, limit)).await
    }

    async fn snapshot(
        &self,
        kept_since: UnixMillis,
    ) -> Result<(Position, Vec<CutOff>, Vec<AppSettings>), StoreError> {
        self.read(move |conn| log::snapshot(conn, kept_since)).await
    }

    fn wake(&self) -> watch::Receiver<Position> {
        self.follow_head()
    }

    async fn sweep(&self, before: UnixMillis, limit: u32) -> Result<u64, StoreError> {
        self.write(move |tx| sweep::sweep(tx, before, limit)).await
    }
}

fn advance(
    tx: &mut Transaction<'_>,
    presented: &Presented,
    client_id: &ClientId,
    lifetimes: &Lifetimes,
    now: UnixMillis,
) -> Work<Advance> {
    let Some(mut found) = find(tx.conn(), presented.grant)? else {
        return Ok(Advance::Unknown);
    };
    let (login, grant) = (&mut found.login, &mut found.grant);
    match presented.judge(login, grant, client_id, lifetimes, now) {
        Verdict::Rotate => {
            grant.line = presented.moved(now);
            grant.used_at = grant.used_at.max(now);
            let sql = "UPDATE grant SET used_at = ?2, generation = ?3, digest = ?4, moved_at = ?5
                       WHERE id = ?1";
            tx.conn().prepare_cached(sql)?.execute(params![
                grant.id.as_bytes(),
                grant.used_at.as_millis(),
                grant.line.generation,
                grant.line.digest.as_bytes(),
                grant.line.moved_at.as_millis(),
            ])?;
            Ok(Advance::Rotated(Box::new(found)))
        }
        Verdict::Replay => Ok(Advance::Replayed(Box::new(found))),
        Verdict::EndLogin => {
            login.ended_at = Some(now);
            let ended = log::end(tx, Scope::Login { sid: login.sid }, now)?;
            Ok(Advance::Reused(Box::new(found), ended))
        }
        Verdict::Ended => Ok(Advance::Ended),
        Verdict::Unknown => Ok(Advance::Unknown),
    }
}

/// The columns of a login, in the order in which [`read_login`] takes them.
macro_rules! login_columns {
    () => {
        "login.sid, login.user, login.authenticated_at, login.methods, login.device, \
         login.expires_at, login.ended_at"
    };
}

/// The columns of a grant, in the order in which [`read_grant`] takes them.
macro_rules! grant_columns {
    () => {
        "grant.id, grant.sid, grant.client_id, grant.rev_epoch, grant.rev_number, \
         grant.opened_at, grant.used_at, grant.generation, grant.digest, grant.moved_at, \
         grant.ended_at"
    };
}

const LOGIN_COLUMNS: usize = 7;

/// A grant with its login, whatever their state.
pub(super) fn find(conn: &Connection, grant: GrantId) -> Work<Option<Standpoint>> {
    let sql = concat!(
        "SELECT ",
        login_columns!(),
        ", ",
        grant_columns!(),
        " FROM grant JOIN login ON login.sid = grant.sid WHERE grant.id = ?1"
    );
    let mut found = conn.prepare_cached(sql)?;
    let found = found.query_row([grant.as_bytes()], |row| {
        Ok(Standpoint {
            login: read_login(row)?,
            grant: read_grant(row, LOGIN_COLUMNS)?,
        })
    });
    Ok(found.optional()?)
}

fn login(conn: &Connection, sid: Sid) -> Work<Option<Login>> {
    let sql = concat!("SELECT ", login_columns!(), " FROM login WHERE sid = ?1");
    let mut found = conn.prepare_cached(sql)?;
    Ok(found.query_row([sid.as_bytes()], read_login).optional()?)
}

fn live_logins(conn: &Connection, user: UserId, now: UnixMillis) -> Work<Vec<Login>> {
    let sql = concat!(
        "SELECT ",
        login_columns!(),
        " FROM login WHERE user = ?1 AND ended_at IS NULL AND +expires_at > ?2 ORDER BY sid DESC"
    );
    let mut live = conn.prepare_cached(sql)?;
    let live = live.query_map(params![user.as_bytes(), now.as_millis()], read_login)?;
    Ok(live.collect::<Result<_, _>>()?)
}

fn with_grants(conn: &Connection, login: Login) -> Work<LoginWithGrants> {
    let sql = concat!(
        "SELECT ",
        grant_columns!(),
        " FROM grant WHERE sid = ?1 AND ended_at IS NULL ORDER BY id"
    );
    let mut grants = conn.prepare_cached(sql)?;
    let grants = grants.query_map([login.sid.as_bytes()], |row| read_grant(row, 0))?;
    let grants = grants.collect::<Result<_, _>>()?;
    Ok(LoginWithGrants { login, grants })
}

fn insert_login(conn: &Connection, login: &Login) -> Work<()> {
    let sql = "INSERT INTO login (sid, user, authenticated_at, methods, device, expires_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let row = params![
        login.sid.as_bytes(),
        login.user.as_bytes(),
        login.authenticated_at.as_millis(),
        to_json(&login.methods)?,
        login.device,
        login.expires_at.as_millis(),
    ];
    insert(conn, sql, "sid", row)
}

/// Adds a grant whose `rev` is the log's head in this transaction.
fn add_grant(tx: &Transaction<'_>, sid: Sid, new: NewGrant, now: UnixMillis) -> Work<Grant> {
    let rev = tx.head();
    let sql = "INSERT INTO grant (id, sid, client_id, rev_epoch, rev_number, opened_at, used_at,
                                  generation, digest, moved_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 0, ?7, ?6)";
    let row = params![
        new.id.as_bytes(),
        sid.as_bytes(),
        new.client_id.as_str(),
        rev.epoch(),
        to_integer(rev.number())?,
        now.as_millis(),
        new.digest.as_bytes(),
    ];
    insert(tx.conn(), sql, "grant id", row)?;
    Ok(Grant {
        id: new.id,
        sid,
        client_id: new.client_id,
        rev,
        opened_at: now,
        used_at: now,
        line: Line {
            generation: 0,
            digest: new.digest,
            moved_at: now,
        },
        ended_at: None,
    })
}

fn read_login(row: &Row<'_>) -> Read<Login> {
    Ok(Login {
        sid: bytes(row, 0).map(Sid::from_bytes)?,
        user: bytes(row, 1).map(UserId::from_bytes)?,
        authenticated_at: time(row, 2)?,
        methods: json(row, 3)?,
        device: row.get(4)?,
        expires_at: time(row, 5)?,
        ended_at: maybe_time(row, 6)?,
    })
}

fn read_grant(row: &Row<'_>, from: usize) -> Read<Grant> {
    Ok(Grant {
        id: bytes(row, from).map(GrantId::from_bytes)?,
        sid: bytes(row, from + 1).map(Sid::from_bytes)?,
        client_id: text(row, from + 2)?,
        rev: position(row, from + 3, from + 4)?,
        opened_at: time(row, from + 5)?,
        used_at: time(row, from + 6)?,
        line: Line {
            generation: row.get(from + 7)?,
            digest: digest(row, from + 8)?,
            moved_at: time(row, from + 9)?,
        },
        ended_at: maybe_time(row, from + 10)?,
    })
}
