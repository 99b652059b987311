//! Logins and grants in SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::OptionalExtension;
use symbolon_authority::ports::{
    Advance, Ended, Join, LogSnapshot, LoginWithGrants, Logins, NewGrant, Open, Presented,
    Standpoint, StoreError, Tail, Terms,
};
use symbolon_login::{
    Change, ClientId, GrantId, Lifetimes, Login, LoginLimit, Position, Scope, Sid, UnixMillis,
    UserId, Verdict,
};
use tokio::sync::watch;

use super::{
    Sqlite,
    columns::{position, to_json},
    fault::Work,
    log,
    memory::fits,
    rows::{
        Found, find, insert_grant, insert_login, live_logins, login, update_grant, with_grants,
    },
    sweep,
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
            let grant = grant.clone().granted(login.sid, tx.head(), now);
            insert_login(tx, login, &methods, tx.head(), Some(&grant))?;
            Ok(Ok(grant))
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
            let grant = grant.clone().granted(sid, tx.head(), now);
            insert_grant(tx, &grant)?;
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
            update_grant(tx.conn(), grant)?;
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
