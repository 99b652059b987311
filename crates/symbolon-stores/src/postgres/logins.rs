//! Logins, grants and the log in PostgreSQL.

use async_trait::async_trait;
use deadpool_postgres::GenericClient;
use symbolon_authority::ports::{
    Advance, Ended, Join, LogSnapshot, LoginWithGrants, Logins, NewGrant, Open, Presented,
    Standpoint, StoreError, Tail, Terms,
};
use symbolon_login::{
    Change, ClientId, Grant, GrantId, Lifetimes, Line, Login, LoginLimit, Position, Scope, Sid,
    UnixMillis, UserId, Verdict,
};
use tokio::sync::watch;
use tokio_postgres::IsolationLevel;

use super::{
    Postgres,
    columns::{Values, execute, maybe_row},
    ends,
    fault::Work,
    heads::Head,
    log,
    opening::{insert_grant, join_in_room, open_in_room},
    rows::{self, login_end},
    sign_ins::SignIn,
    sweep,
};

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
            let sign_in = SignIn::new(login, grant, terms.since, now)?;
            return self.sign_ins.ask(sign_in).await;
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
            return self.ends.ask((scope, now)).await;
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
        self.heads.ask(Head).await
    }

    async fn tail(&self, after: Position, limit: u32) -> Result<Tail, StoreError> {
        let client = self.database.client().await?;
        Ok(log::tail(&client, after, limit).await?)
    }

    async fn snapshot(&self, kept_since: UnixMillis) -> Result<LogSnapshot, StoreError> {
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
