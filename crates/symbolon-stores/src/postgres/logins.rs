//! Logins, grants and the log in PostgreSQL.

use async_trait::async_trait;
use deadpool_postgres::GenericClient;
use symbolon_authority::ports::{
    Advance, Ended, Join, LoginWithGrants, Logins, NewGrant, Open, Presented, Standpoint,
    StoreError, Tail, Terms,
};
use symbolon_login::{
    AppSettings, Change, ClientId, CutOff, Grant, GrantId, Lifetimes, Line, Login, LoginLimit,
    Position, Scope, Sid, UnixMillis, UserId, Verdict,
};
use tokio::sync::watch;
use tokio_postgres::IsolationLevel;

use super::{
    Postgres, Transaction,
    columns::{Values, execute, maybe_row, position, refused, to_columns, to_integer, to_json},
    ends::{self, End},
    fault::Work,
    log,
    rows::{self, login_columns, login_end},
    sweep,
};
use crate::room::{Limits, Room};

#[async_trait]
impl Logins for Postgres {
    async fn open(
        &self,
        login: Login,
        grant: NewGrant,
        terms: Terms,
        now: UnixMillis,
    ) -> Result<Open, StoreError> {
        let login = Login {
            ended_at: None,
            ..login
        };
        if terms.per_person.is_none() && terms.per_app.is_none() && terms.instead_of.is_empty() {
            let client = self.database.client().await?;
            return Ok(insert(&client, login, grant, terms.since, now).await?);
        }
        let (opened, made) = self
            .transact(|tx| {
                let (login, grant, terms) = (login.clone(), grant.clone(), terms.clone());
                Box::pin(open_in_room(tx, login, grant, terms, now))
            })
            .await?;
        self.announce(made);
        Ok(opened)
    }

    async fn join(
        &self,
        sid: Sid,
        grant: NewGrant,
        per_app: Option<LoginLimit>,
        now: UnixMillis,
    ) -> Result<Join, StoreError> {
        let Some(limit) = per_app else {
            let client = self.database.client().await?;
            return Ok(insert_grant(&client, sid, grant, now).await?);
        };
        let (joined, made) = self
            .transact(|tx| Box::pin(join_in_room(tx, sid, grant.clone(), limit, now)))
            .await?;
        self.announce(made);
        Ok(joined)
    }

    async fn find(&self, grant: GrantId) -> Result<Option<Standpoint>, StoreError> {
        let client = self.database.client().await?;
        let mut found = rows::find(&client, grant).await?;
        if let Some(found) = &mut found {
            self.database.uses.touches().overlay(found);
        }
        Ok(found)
    }

    async fn login(&self, sid: Sid) -> Result<Option<LoginWithGrants>, StoreError> {
        let client = self.database.client().await?;
        let mut found = rows::login(&client, sid).await?;
        if let Some(found) = &mut found {
            self.database.uses.touches().overlay_all(found);
        }
        Ok(found)
    }

    async fn logins_of(
        &self,
        user: UserId,
        now: UnixMillis,
    ) -> Result<Vec<LoginWithGrants>, StoreError> {
        let client = self.database.client().await?;
        let mut found = rows::live_logins(&client, user, now).await?;
        for login in &mut found {
            self.database.uses.touches().overlay_all(login);
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
        loop {
            let Some(mut found) = self.find(presented.grant).await? else {
                return Ok(Advance::Unknown);
            };
            let (login, grant) = (&found.login, &mut found.grant);
            match presented.judge(login, grant, client_id, &lifetimes, now) {
                Verdict::Rotate => {
                    let before = grant.line.clone();
                    grant.line = presented.moved(now);
                    grant.used_at = grant.used_at.max(now);
                    let client = self.database.client().await?;
                    if move_line(&client, grant, &before).await? {
                        return Ok(Advance::Rotated(Box::new(found)));
                    }
                }
                Verdict::Replay => return Ok(Advance::Replayed(Box::new(found))),
                Verdict::EndLogin => {
                    if let Some(ended) = self.end_reused(&found, now).await? {
                        found.login.ended_at = Some(now);
                        return Ok(Advance::Reused(Box::new(found), ended));
                    }
                }
                Verdict::Ended => return Ok(Advance::Ended),
                Verdict::Unknown => return Ok(Advance::Unknown),
            }
            // Another one was here since it was read: look again at what it left.
        }
    }

    async fn touch(&self, grant: GrantId, now: UnixMillis) -> Result<(), StoreError> {
        self.database.uses.note(grant, now);
        Ok(())
    }

    async fn end(&self, scope: Scope, now: UnixMillis) -> Result<Ended, StoreError> {
        if !ends::is_wide(&scope) {
            return self.batcher.end((scope, now)).await;
        }
        let position = self
            .transact(|tx| {
                let scope = scope.clone();
                Box::pin(async move { ends::append_wide(tx, &scope, now).await })
            })
            .await?;
        self.database.announce(position);
        let count = self.database.mark_wide(&scope, position, now).await?;
        Ok(Ended { position, count })
    }

    async fn end_own(
        &self,
        user: UserId,
        sid: Sid,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError> {
        let ended = self
            .transact(|tx| {
                Box::pin(async move {
                    let own = concat!(
                        "SELECT 1 FROM logins l WHERE l.sid = $1 AND l.user_id = $2 AND ",
                        login_end!(),
                        " IS NULL FOR UPDATE OF l"
                    );
                    let (whose, which) = (user.as_bytes().as_slice(), sid.as_bytes().as_slice());
                    if maybe_row(tx, own, &[&which, &whose]).await?.is_none() {
                        return Ok(None);
                    }
                    let ended = ends::end(tx, &[(Scope::Login { sid }, now)]).await?;
                    Ok(ended.into_iter().next())
                })
            })
            .await?;
        self.announce(ended.map(|ended| ended.position));
        Ok(ended)
    }

    async fn mark_backup(&self, now: UnixMillis) -> Result<Position, StoreError> {
        let marked = self
            .transact(|tx| {
                Box::pin(async move { log::append(tx, &[(Change::BackedUp {}, now)]).await })
            })
            .await?;
        self.database.announce(marked);
        Ok(marked)
    }

    async fn begin_epoch(&self, now: UnixMillis) -> Result<Ended, StoreError> {
        let (scope, position) = self
            .transact(|tx| {
                Box::pin(async move {
                    let from = log::lock(tx).await?;
                    log::start_at(tx, from.next_epoch(now)).await?;
                    let scope = Scope::Restored { from };
                    let position = ends::append_wide(tx, &scope, now).await?;
                    Ok((scope, position))
                })
            })
            .await?;
        self.database.announce(position);
        let count = self.database.mark_wide(&scope, position, now).await?;
        Ok(Ended { position, count })
    }

    async fn head(&self) -> Result<Position, StoreError> {
        self.heads.ask().await
    }

    async fn tail(&self, after: Position, limit: u32) -> Result<Tail, StoreError> {
        let client = self.database.client().await?;
        Ok(log::tail(&client, after, limit).await?)
    }

    async fn snapshot(
        &self,
        kept_since: UnixMillis,
    ) -> Result<(Position, Vec<CutOff>, Vec<AppSettings>), StoreError> {
        let mut client = self.database.client().await?;
        let read = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true);
        let read = read.start().await.map_err(super::fault::Fault::from)?;
        Ok(log::snapshot(&read, kept_since).await?)
    }

    fn wake(&self) -> watch::Receiver<Position> {
        self.database.wake.subscribe()
    }

    async fn sweep(&self, before: UnixMillis, limit: u32) -> Result<u64, StoreError> {
        self.transact(|tx| Box::pin(sweep::sweep(tx, before, limit)))
            .await
    }
}

impl Postgres {
    pub(super) fn announce(&self, appended: Option<Position>) {
        if let Some(position) = appended {
            self.database.announce(position);
        }
    }

    /// Ends the login of a grant whose secret was reused. None: what that was judged by has changed.
    async fn end_reused(
        &self,
        judged: &Standpoint,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError> {
        let (sid, id, line) = (judged.login.sid, judged.grant.id, &judged.grant.line);
        let ended = self
            .transact(|tx| {
                let line = line.clone();
                Box::pin(async move {
                    let lock = "SELECT 1 FROM logins WHERE sid = $1 FOR UPDATE";
                    maybe_row(tx, lock, &[&sid.as_bytes().as_slice()]).await?;
                    let found = rows::find(tx, id).await?;
                    let is_same = |found: &Standpoint| {
                        found.login.ended_at.is_none()
                            && found.grant.line.generation == line.generation
                    };
                    if !found.as_ref().is_some_and(is_same) {
                        return Ok(None);
                    }
                    let ended = ends::end(tx, &[(Scope::Login { sid }, now)]).await?;
                    Ok(ended.into_iter().next())
                })
            })
            .await?;
        self.announce(ended.map(|ended| ended.position));
        Ok(ended)
    }
}

/// Opens a login with a limit on it: the person's sign-ins come one after the other. Gives the last
/// position that making room appended, too.
async fn open_in_room(
    tx: &Transaction<'_>,
    login: Login,
    grant: NewGrant,
    terms: Terms,
    now: UnixMillis,
) -> Work<(Open, Option<Position>)> {
    let (user, since) = (login.user, terms.since);
    if !is_welcome(tx, user, since).await? {
        return Ok((Open::UserGone, None));
    }
    let limits = Limits {
        per_person: terms.per_person,
        per_app: terms.per_app,
        instead_of: &terms.instead_of,
    };
    match make_room(tx, &limits, user, None, &grant.client_id, now).await? {
        Err(live) => Ok((Open::Full(live), None)),
        Ok(made) => Ok((insert(tx, login, grant, since, now).await?, made)),
    }
}

/// Joins a login in which the app has a limit.
async fn join_in_room(
    tx: &Transaction<'_>,
    sid: Sid,
    grant: NewGrant,
    limit: LoginLimit,
    now: UnixMillis,
) -> Work<(Join, Option<Position>)> {
    let Some(found) = rows::login(tx, sid).await? else {
        return Ok((Join::Unknown, None));
    };
    let user = found.login.user;
    is_welcome(tx, user, None).await?;
    // Held until the commit, so that room is not made for a login that ends meanwhile.
    let lock = "SELECT 1 FROM logins WHERE sid = $1 FOR UPDATE";
    maybe_row(tx, lock, &[&sid.as_bytes().as_slice()]).await?;
    match rows::login(tx, sid).await? {
        Some(found) if found.login.stands(now) => {}
        Some(_) => return Ok((Join::Ended, None)),
        None => return Ok((Join::Unknown, None)),
    }
    let limits = Limits {
        per_person: None,
        per_app: Some(limit),
        instead_of: &[],
    };
    match make_room(tx, &limits, user, Some(sid), &grant.client_id, now).await? {
        Err(others) => Ok((Join::Full(others), None)),
        Ok(made) => Ok((insert_grant(tx, sid, grant, now).await?, made)),
    }
}

/// Whether the user may sign in on what was known of them at `since`; holds their row until the commit.
async fn is_welcome(tx: &Transaction<'_>, user: UserId, since: Option<Position>) -> Work<bool> {
    let sql = "SELECT cut_epoch, cut_number, cut_epoch IS NULL FROM users
               WHERE id = $1 AND disabled_at IS NULL FOR UPDATE";
    let found = maybe_row(tx, sql, &[&user.as_bytes().as_slice()]).await?;
    let (Some(found), Some(since)) = (&found, since) else {
        return Ok(found.is_some());
    };
    let was_never_cut = super::columns::value(found, 2)?;
    Ok(was_never_cut || position(found, 0)? <= since)
}

/// Ends what has to make room for one more login of the person, `joined` left out of account, and gives the
/// last position of that. Err: there is no room beside these, and nothing was ended.
async fn make_room(
    tx: &Transaction<'_>,
    limits: &Limits<'_>,
    user: UserId,
    joined: Option<Sid>,
    client_id: &ClientId,
    now: UnixMillis,
) -> Work<Result<Option<Position>, Vec<LoginWithGrants>>> {
    let mut live = rows::live_logins(tx, user, now).await?;
    live.retain(|live| Some(live.login.sid) != joined);
    let (logins, grants) = match limits.room(live, client_id) {
        Room::Full(live) => return Ok(Err(live)),
        Room::Made { logins, grants } => (logins, grants),
    };
    let logins = logins.into_iter().map(|sid| Scope::Login { sid });
    let grants = grants.into_iter().map(|sid| Scope::Grant {
        sid,
        client_id: client_id.clone(),
    });
    let ends: Vec<End> = logins.chain(grants).map(|scope| (scope, now)).collect();
    if ends.is_empty() {
        return Ok(Ok(None));
    }
    let ended = ends::end(tx, &ends).await?;
    Ok(Ok(ended.last().map(|ended| ended.position)))
}

/// Inserts a login with its first grant, if the person may sign in: their standing and the head are of
/// one moment, and an end that comes after it kills by its position what it cannot see.
async fn insert(
    client: &impl GenericClient,
    login: Login,
    new: NewGrant,
    since: Option<Position>,
    now: UnixMillis,
) -> Work<Open> {
    let sql = "WITH at AS (
                   SELECT head.epoch, head.number FROM head, users
                   WHERE users.id = $2 AND users.disabled_at IS NULL
                   AND ($9::bigint IS NULL OR users.cut_epoch IS NULL
                        OR (users.cut_epoch, users.cut_number) <= ($9::bigint, $10::bigint))
               ), opened AS (
                   INSERT INTO logins (sid, user_id, authenticated_at, methods, device,
                                       expires_at, idle_ms, remembered, rev_epoch, rev_number)
                   SELECT $1::bytea, $2::bytea, $3::bigint, $4::text, $5::text,
                          $6::bigint, $7::bigint, $8::boolean, at.epoch, at.number FROM at
               ), granted AS (
                   INSERT INTO grants (id, sid, client_id, rev_epoch, rev_number, opened_at,
                                       used_at, generation, digest, moved_at)
                   SELECT $11::bytea, $1::bytea, $12::text, at.epoch, at.number, $13::bigint,
                          $13::bigint, 0, $14::bytea, $13::bigint FROM at
               )
               SELECT epoch, number FROM at";
    let (since_epoch, since_number) = since.map(to_columns).transpose()?.unzip();
    let idle = login.idle.map(|idle| to_integer(idle.as_millis()));
    let values: Values<'_> = &[
        &login.sid.as_bytes().as_slice(),
        &login.user.as_bytes().as_slice(),
        &login.authenticated_at.as_millis(),
        &to_json(&login.methods)?,
        &login.device,
        &login.expires_at.as_millis(),
        &idle.transpose()?,
        &login.remembered,
        &since_epoch,
        &since_number,
        &new.id.as_bytes().as_slice(),
        &new.client_id.as_str(),
        &now.as_millis(),
        &new.digest.as_bytes().as_slice(),
    ];
    let at = maybe_row(client, sql, values).await;
    let at = at.map_err(|fault| refused(fault, name_of_id))?;
    let Some(at) = at else {
        return Ok(Open::UserGone);
    };
    let grant = granted(login.sid, new, position(&at, 0)?, now);
    Ok(Open::Opened(Box::new(Standpoint { login, grant })))
}

/// Inserts a grant into a login that lives, at the head of the same moment.
async fn insert_grant(
    client: &impl GenericClient,
    sid: Sid,
    new: NewGrant,
    now: UnixMillis,
) -> Work<Join> {
    let sql = concat!(
        "WITH at AS (SELECT ",
        login_columns!(),
        " AS over, head.epoch, head.number
           FROM head, logins l WHERE l.sid = $2
         ), granted AS (
             INSERT INTO grants (id, sid, client_id, rev_epoch, rev_number, opened_at, used_at,
                                 generation, digest, moved_at)
             SELECT $1::bytea, $2::bytea, $3::text, at.epoch, at.number, $4::bigint, $4::bigint,
                    0, $5::bytea, $4::bigint
             FROM at WHERE at.over IS NULL AND at.expires_at > $4
         )
         SELECT * FROM at"
    );
    let values: Values<'_> = &[
        &new.id.as_bytes().as_slice(),
        &sid.as_bytes().as_slice(),
        &new.client_id.as_str(),
        &now.as_millis(),
        &new.digest.as_bytes().as_slice(),
    ];
    let found = maybe_row(client, sql, values).await;
    let Some(found) = found.map_err(|fault| refused(fault, name_of_id))? else {
        return Ok(Join::Unknown);
    };
    let login = rows::read_login(&found)?;
    if !login.stands(now) {
        return Ok(Join::Ended);
    }
    let grant = granted(sid, new, position(&found, rows::LOGIN_COLUMNS)?, now);
    Ok(Join::Granted(Box::new(Standpoint { login, grant })))
}

/// The id that a constraint guards.
fn name_of_id(constraint: &str) -> &'static str {
    if constraint.starts_with("logins") {
        "sid"
    } else {
        "grant id"
    }
}

fn granted(sid: Sid, new: NewGrant, rev: Position, now: UnixMillis) -> Grant {
    Grant {
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
    }
}

/// Moves the line if it still stands at `before` and nothing was ended: of many at once, one does.
async fn move_line(client: &impl GenericClient, grant: &Grant, before: &Line) -> Work<bool> {
    let sql = "UPDATE grants g
               SET used_at = greatest(g.used_at, $2), generation = $3, digest = $4, moved_at = $5
               FROM logins l
               WHERE g.id = $1 AND l.sid = g.sid AND g.generation = $6 AND g.digest = $7
               AND g.ended_at IS NULL AND l.ended_at IS NULL";
    let values: Values<'_> = &[
        &grant.id.as_bytes().as_slice(),
        &grant.used_at.as_millis(),
        &i64::from(grant.line.generation),
        &grant.line.digest.as_bytes().as_slice(),
        &grant.line.moved_at.as_millis(),
        &i64::from(before.generation),
        &before.digest.as_bytes().as_slice(),
    ];
    Ok(execute(client, sql, values).await? > 0)
}
