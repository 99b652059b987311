//! Logins and grants in SQLite.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Result as Read, Row, params};
use symbolon_authority::ports::{
    Advance, Ended, Join, LogSnapshot, LoginWithGrants, Logins, NewGrant, Open, Presented,
    Standpoint, StoreError, Tail, Terms,
};
use symbolon_login::{
    Change, ClientId, Grant, GrantId, Lifetimes, Line, Login, LoginLimit, Position, Scope, Sid,
    UnixMillis, UserId, Verdict,
};
use tokio::sync::watch;

use super::{
    Sqlite,
    columns::{
        bytes, digest, insert, json, maybe_span, maybe_time, position, text, time, to_integer,
        to_json,
    },
    fault::Work,
    log,
    memory::fits,
    roll::Entry,
    sweep,
    unmarked::View,
    writer::Transaction,
};
use crate::{
    in_use,
    room::{Limits, Room},
};

#[async_trait]
impl Logins for Sqlite {
    async fn open(
        &self,
        login: Login,
        grant: NewGrant,
        terms: Terms,
        now: UnixMillis,
    ) -> Result<Open, StoreError> {
        self.roll_for(&[terms.per_person, terms.per_app], &terms.instead_of)
            .await?;
        let login = Arc::new(Login {
            ended_at: None,
            ..login
        });
        // Encoded here and put together here: the writer's time is everyone's.
        let methods = to_json(&login.methods)?;
        let (row, first) = (Arc::clone(&login), grant.clone());
        let opened = self.write(move |tx| {
            let (login, grant) = (&*row, &first);
            if !is_welcome(tx, login.user, terms.since)? {
                return Ok(Err(Open::UserGone));
            }
            let limits = Limits {
                per_person: terms.per_person,
                per_app: terms.per_app,
                instead_of: &terms.instead_of,
            };
            let room = make_room(tx, &limits, login.user, None, &grant.client_id, now)?;
            if let Some(live) = room {
                refuse_in_use(tx, Some(login.sid), grant.id)?;
                return Ok(Err(Open::Full(live)));
            }
            insert_login(tx, login, &methods, Some(grant.id), tx.head())?;
            add_grant(tx, login.sid, grant.clone(), IsFirst::Yes, now).map(Ok)
        });
        Ok(match opened.await? {
            Ok(grant) => {
                let login = Arc::unwrap_or_clone(login);
                Open::Opened(Box::new(Standpoint { login, grant }))
            }
            Err(refused) => refused,
        })
    }

    async fn join(
        &self,
        sid: Sid,
        grant: NewGrant,
        per_app: Option<LoginLimit>,
        now: UnixMillis,
    ) -> Result<Join, StoreError> {
        self.roll_for(&[per_app], &[]).await?;
        self.write(move |tx| {
            let Some(Found { login, .. }) = login(tx.conn(), &tx.view(), sid)? else {
                return Ok(Join::Unknown);
            };
            if !login.stands(now) {
                return Ok(Join::Ended);
            }
            let limits = Limits {
                per_person: None,
                per_app,
                instead_of: &[],
            };
            let room = make_room(tx, &limits, login.user, Some(sid), &grant.client_id, now)?;
            if let Some(others) = room {
                refuse_in_use(tx, None, grant.id)?;
                return Ok(Join::Full(others));
            }
            let grant = add_grant(tx, sid, grant.clone(), IsFirst::No, now)?;
            Ok(Join::Granted(Box::new(Standpoint { login, grant })))
        })
        .await
    }

    async fn find(&self, grant: GrantId) -> Result<Option<Standpoint>, StoreError> {
        let found = self.read_logins(move |conn, view| find(conn, view, grant));
        let mut found = found.await?;
        if let Some(found) = &mut found {
            self.touches().overlay(found);
        }
        Ok(found)
    }

    async fn login(&self, sid: Sid) -> Result<Option<LoginWithGrants>, StoreError> {
        let found = self.read_logins(move |conn, view| {
            let read = conn.unchecked_transaction()?;
            let found = login(&read, view, sid)?;
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
        self.whole_roll().await?;
        let memory = Arc::clone(&self.memory);
        let found = self.read_logins(move |conn, view| {
            let read = conn.unchecked_transaction()?;
            let mut theirs = memory.roll.of(user)?;
            // From the first row on the transaction sees one moment. What was opened before it is on the
            // roll by now, and what was taken off since was on it before.
            log::head(&read)?;
            theirs.extend(memory.roll.of(user)?);
            live_logins(&read, view, &theirs, user, now)
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
        if matches!(scope, Scope::User { .. }) {
            self.whole_roll().await?;
        }
        self.write(move |tx| log::end(tx, scope.clone(), now)).await
    }

    async fn end_own(
        &self,
        user: UserId,
        sid: Sid,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError> {
        self.write(move |tx| {
            if log::whose(tx, sid)? != Some(user) {
                return Ok(None);
            }
            log::end(tx, Scope::Login { sid }, now).map(Some)
        })
        .await
    }

    async fn mark_backup(&self, now: UnixMillis) -> Result<Position, StoreError> {
        self.write(move |tx| tx.append(&Change::BackedUp {}, now))
            .await
    }

    async fn begin_epoch(&self, now: UnixMillis) -> Result<Ended, StoreError> {
        self.write(move |tx| log::begin_epoch(tx, None, now)).await
    }

    async fn head(&self) -> Result<Position, StoreError> {
        Ok(self.committed_head())
    }

    async fn tail(&self, after: Position, limit: u32) -> Result<Tail, StoreError> {
        let head = self.committed_head();
        self.read(move |conn| log::tail(conn, head, after, limit))
            .await
    }

    async fn snapshot(&self, kept_since: UnixMillis) -> Result<LogSnapshot, StoreError> {
        let head = self.committed_head();
        self.read(move |conn| log::snapshot(conn, head, kept_since))
            .await
    }

    fn wake(&self) -> watch::Receiver<Position> {
        self.follow_head()
    }

    async fn sweep(&self, before: UnixMillis, limit: u32) -> Result<u64, StoreError> {
        self.whole_roll().await?;
        self.write(move |tx| sweep::sweep(tx, before, limit)).await
    }
}

impl Sqlite {
    /// Waits for the roll if the limits need it.
    async fn roll_for(
        &self,
        limits: &[Option<LoginLimit>],
        instead_of: &[Sid],
    ) -> Result<(), StoreError> {
        if limits.iter().all(Option::is_none) && instead_of.is_empty() {
            return Ok(());
        }
        self.whole_roll().await
    }
}

/// Whether the user may sign in on what was known of them at `since`.
fn is_welcome(tx: &Transaction<'_>, user: UserId, since: Option<Position>) -> Work<bool> {
    if let Some(welcome) = tx.welcome().judge(user, since) {
        return Ok(welcome);
    }
    let sql = "SELECT cut_epoch, cut_number FROM user WHERE id = ?1 AND disabled_at IS NULL";
    let mut welcome = tx.conn().prepare_cached(sql)?;
    let cut = welcome.query_row([user.as_bytes()], |row| {
        let cut = row.get::<_, Option<u32>>(0)?;
        cut.map(|_| position(row, 0, 1)).transpose()
    });
    Ok(cut.optional()?.is_some_and(|cut| {
        tx.welcome().remember(user, cut);
        fits(cut, since)
    }))
}

/// Ends what has to make room for one more login of the person, `joined` left out of account. Some:
/// there is no room beside these, and nothing was ended.
fn make_room(
    tx: &mut Transaction<'_>,
    limits: &Limits<'_>,
    user: UserId,
    joined: Option<Sid>,
    client_id: &ClientId,
    now: UnixMillis,
) -> Work<Option<Vec<LoginWithGrants>>> {
    if limits.are_none() {
        return Ok(None);
    }
    if limits.fit_beside(u64::try_from(tx.number_of(user)?).unwrap_or(u64::MAX)) {
        return Ok(None);
    }
    let theirs = tx.logins_of(user)?;
    let mut live = live_logins(tx.conn(), &tx.view(), &theirs, user, now)?;
    live.retain(|live| Some(live.login.sid) != joined);
    match limits.room(live, client_id) {
        Room::Full(live) => Ok(Some(live)),
        Room::Made { logins, grants } => {
            for sid in logins {
                log::end(tx, Scope::Login { sid }, now)?;
            }
            for sid in grants {
                let client_id = client_id.clone();
                log::end(tx, Scope::Grant { sid, client_id }, now)?;
            }
            Ok(None)
        }
    }
}

/// An id that is in use is an error even where there is no room.
fn refuse_in_use(tx: &Transaction<'_>, sid: Option<Sid>, grant: GrantId) -> Work<()> {
    let (conn, view) = (tx.conn(), tx.view());
    if let Some(sid) = sid
        && login(conn, &view, sid)?.is_some()
    {
        return Err(in_use("sid").into());
    }
    match find(conn, &view, grant)? {
        Some(_) => Err(in_use("grant id").into()),
        None => Ok(()),
    }
}

fn advance(
    tx: &mut Transaction<'_>,
    presented: &Presented,
    client_id: &ClientId,
    lifetimes: &Lifetimes,
    now: UnixMillis,
) -> Work<Advance> {
    let Some(mut found) = find(tx.conn(), &tx.view(), presented.grant)? else {
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
         login.expires_at, login.idle_ms, login.remembered, login.ended_at, login.rev_epoch, \
         login.rev_number, login.first_grant"
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

pub(super) use {grant_columns, login_columns};

const LOGIN_COLUMNS: usize = 12;

/// A login, with the grant that leads to itself alone.
pub(super) struct Found {
    pub(super) login: Login,
    /// The grant that it was opened with.
    first: Option<GrantId>,
}

/// Whether a grant is the one that its login was opened with.
#[derive(Clone, Copy)]
pub(super) enum IsFirst {
    /// The row of the login leads to it.
    Yes,
    /// An index does.
    No,
}

/// A grant with its login, whatever their state.
pub(super) fn find(conn: &Connection, view: &View<'_>, grant: GrantId) -> Work<Option<Standpoint>> {
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
            login: read_login(row, view)?.login,
            grant: read_grant(row, LOGIN_COLUMNS)?,
        })
    });
    Ok(found.optional()?)
}

/// A login, whatever its state.
pub(super) fn login(conn: &Connection, view: &View<'_>, sid: Sid) -> Work<Option<Found>> {
    let sql = concat!("SELECT ", login_columns!(), " FROM login WHERE sid = ?1");
    let mut found = conn.prepare_cached(sql)?;
    let found = found.query_row([sid.as_bytes()], |row| read_login(row, view));
    Ok(found.optional()?)
}

/// The living ones among logins that may be the person's, with their grants, newest first.
fn live_logins(
    conn: &Connection,
    view: &View<'_>,
    sids: &BTreeSet<Sid>,
    user: UserId,
    now: UnixMillis,
) -> Work<Vec<LoginWithGrants>> {
    let mut live = Vec::new();
    for sid in sids.iter().rev() {
        if let Some(found) = login(conn, view, *sid)?
            && found.login.user == user
            && found.login.stands(now)
        {
            live.push(with_grants(conn, found)?);
        }
    }
    Ok(live)
}

/// Adds to a login its grants that were not ended.
fn with_grants(conn: &Connection, found: Found) -> Work<LoginWithGrants> {
    let Found { login, first } = found;
    let mut grants = Vec::new();
    if let Some(first) = first {
        let sql = concat!(
            "SELECT ",
            grant_columns!(),
            " FROM grant WHERE id = ?1 AND sid = ?2 AND is_first = 1 AND ended_at IS NULL"
        );
        let mut the_first = conn.prepare_cached(sql)?;
        let ids = [first.as_bytes(), login.sid.as_bytes()];
        let the_first = the_first.query_row(ids, |row| read_grant(row, 0));
        grants.extend(the_first.optional()?);
    }
    let sql = concat!(
        "SELECT ",
        grant_columns!(),
        " FROM grant WHERE sid = ?1 AND is_first = 0 AND ended_at IS NULL"
    );
    let mut further = conn.prepare_cached(sql)?;
    let further = further.query_map([login.sid.as_bytes()], |row| read_grant(row, 0))?;
    for grant in further {
        grants.push(grant?);
    }
    grants.sort_by_key(|grant| grant.id);
    Ok(LoginWithGrants { login, grants })
}

/// Inserts a row with all its columns, `methods` as JSON, and puts it on the roll.
pub(super) fn insert_login(
    tx: &mut Transaction<'_>,
    login: &Login,
    methods: &str,
    first: Option<GrantId>,
    rev: Position,
) -> Work<()> {
    let sql =
        "INSERT INTO login (sid, user, authenticated_at, methods, device, expires_at, idle_ms,
                            remembered, ended_at, rev_epoch, rev_number, first_grant)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let row = params![
        login.sid.as_bytes(),
        login.user.as_bytes(),
        login.authenticated_at.as_millis(),
        methods,
        login.device,
        login.expires_at.as_millis(),
        login
            .idle
            .map(|idle| to_integer(idle.as_millis()))
            .transpose()?,
        login.remembered,
        login.ended_at.map(UnixMillis::as_millis),
        rev.epoch(),
        to_integer(rev.number())?,
        first.as_ref().map(GrantId::as_bytes),
    ];
    insert(tx.conn(), sql, "sid", row)?;
    tx.opened(Entry {
        user: login.user,
        sid: login.sid,
        expires_at: login.expires_at,
    });
    Ok(())
}

/// Adds a grant whose `rev` is the log's head in this transaction.
fn add_grant(
    tx: &Transaction<'_>,
    sid: Sid,
    new: NewGrant,
    is_first: IsFirst,
    now: UnixMillis,
) -> Work<Grant> {
    let grant = Grant {
        id: new.id,
        sid,
        client_id: new.client_id,
        rev: tx.head(),
        opened_at: now,
        used_at: now,
        line: Line {
            generation: 0,
            digest: new.digest,
            moved_at: now,
        },
        ended_at: None,
    };
    insert_grant(tx.conn(), &grant, is_first)?;
    Ok(grant)
}

/// Inserts a row with all its columns.
pub(super) fn insert_grant(conn: &Connection, grant: &Grant, is_first: IsFirst) -> Work<()> {
    let sql = "INSERT INTO grant (id, sid, client_id, rev_epoch, rev_number, opened_at, used_at,
                                  generation, digest, moved_at, ended_at, is_first)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let row = params![
        grant.id.as_bytes(),
        grant.sid.as_bytes(),
        grant.client_id.as_str(),
        grant.rev.epoch(),
        to_integer(grant.rev.number())?,
        grant.opened_at.as_millis(),
        grant.used_at.as_millis(),
        grant.line.generation,
        grant.line.digest.as_bytes(),
        grant.line.moved_at.as_millis(),
        grant.ended_at.map(UnixMillis::as_millis),
        matches!(is_first, IsFirst::Yes),
    ];
    insert(conn, sql, "grant id", row)
}

/// Reads a login, and adds the end that its row may not say.
pub(super) fn read_login(row: &Row<'_>, view: &View<'_>) -> Read<Found> {
    let mut login = Login {
        sid: bytes(row, 0).map(Sid::from_bytes)?,
        user: bytes(row, 1).map(UserId::from_bytes)?,
        authenticated_at: time(row, 2)?,
        methods: json(row, 3)?,
        device: row.get(4)?,
        expires_at: time(row, 5)?,
        idle: maybe_span(row, 6)?,
        remembered: row.get(7)?,
        ended_at: maybe_time(row, 8)?,
    };
    view.judge(&mut login, position(row, 9, 10)?);
    let first = row.get::<_, Option<[u8; 16]>>(11)?;
    Ok(Found {
        login,
        first: first.map(GrantId::from_bytes),
    })
}

pub(super) fn read_grant(row: &Row<'_>, from: usize) -> Read<Grant> {
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
