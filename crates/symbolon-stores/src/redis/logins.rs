//! Logins, grants and the log in Redis.

use async_trait::async_trait;
use symbolon_authority::ports::{
    Advance, Ended, Join, LogSnapshot, LoginWithGrants, Logins, NewGrant, Open, Presented,
    Standpoint, StoreError, Tail, Terms,
};
use symbolon_login::{
    Change, ClientId, Grant, GrantId, Lifetimes, Login, LoginLimit, Position, Scope, Sid,
    UnixMillis, UserId, Verdict,
};
use tokio::sync::watch;

use super::{
    Args, Redis, Reply, log,
    reply::{Detail, damaged, unwritable},
};
use crate::{
    in_use,
    room::{Limits, Room},
};

/// How often a verb decides anew because the record changed under it. Each time somebody else got on.
const ATTEMPTS: usize = 256;
/// How many rows one script of a sweep removes at most: others wait while it runs.
const BITE: u32 = 256;
/// How many cut-offs of many one sweep marks at most, in bites.
const MARKING_BITES: u32 = 1024;

#[async_trait]
impl Logins for Redis {
    async fn open(
        &self,
        login: Login,
        grant: NewGrant,
        terms: Terms,
        now: UnixMillis,
    ) -> Result<Open, StoreError> {
        let limits = Limits {
            per_person: terms.per_person,
            per_app: terms.per_app,
            instead_of: &terms.instead_of,
        };
        let login = Login {
            ended_at: None,
            ..login
        };
        let detail = Detail::of(&login)?;
        let mut decided = Decided::default();
        for _ in 0..ATTEMPTS {
            let args = Args::default().with(now.as_millis());
            let args = args.with(login.user.as_bytes()).with(login.sid.as_bytes());
            let args = args.with(&detail).with(login.expires_at.as_millis());
            let args = args.with_grant(&grant);
            let args = match terms.since {
                Some(since) => args.with(since.epoch()).with(since.number()),
                None => args.with("").with(""),
            };
            let args = args.with_decided(&limits, &decided)?;
            let mut reply = self.cell.write(&self.cell.scripts.open, &args).await?;
            match reply.text()?.as_str() {
                "opened" => {
                    let grant = grant.granted(login.sid, reply.parsed()?, now);
                    self.made_room(&decided, grant.rev);
                    return Ok(Open::Opened(Box::new(Standpoint { login, grant })));
                }
                "gone" => return Ok(Open::UserGone),
                "taken" => return Err(in_use(&reply.text()?)),
                "room" => match self.decide(&limits, reply, &grant.client_id)? {
                    Ok(made) => decided = made,
                    Err(live) => return Ok(Open::Full(live)),
                },
                other => return Err(damaged(&format!("a login was {other}"))),
            }
        }
        Err(too_busy())
    }

    async fn join(
        &self,
        sid: Sid,
        grant: NewGrant,
        per_app: Option<LoginLimit>,
        now: UnixMillis,
    ) -> Result<Join, StoreError> {
        let limits = Limits {
            per_person: None,
            per_app,
            instead_of: &[],
        };
        let mut decided = Decided::default();
        for _ in 0..ATTEMPTS {
            let args = Args::default().with(now.as_millis()).with(sid.as_bytes());
            let args = args.with_grant(&grant).with_decided(&limits, &decided)?;
            let mut reply = self.cell.write(&self.cell.scripts.join, &args).await?;
            match reply.text()?.as_str() {
                "granted" => {
                    let grant = grant.granted(sid, reply.parsed()?, now);
                    let login = reply.list()?.login()?;
                    self.made_room(&decided, grant.rev);
                    return Ok(Join::Granted(Box::new(Standpoint { login, grant })));
                }
                "ended" => return Ok(Join::Ended),
                "unknown" => return Ok(Join::Unknown),
                "taken" => return Err(in_use(&reply.text()?)),
                "room" => match self.decide(&limits, reply, &grant.client_id)? {
                    Ok(made) => decided = made,
                    Err(others) => return Ok(Join::Full(others)),
                },
                other => return Err(damaged(&format!("a grant was {other}"))),
            }
        }
        Err(too_busy())
    }

    async fn find(&self, grant: GrantId) -> Result<Option<Standpoint>, StoreError> {
        let args = Args::default().with(grant.as_bytes());
        let reply = self.cell.ask(&self.cell.scripts.find, &args).await?;
        let mut found = reply.standpoint()?;
        if let Some(found) = &mut found {
            self.cell.touches.overlay(found);
        }
        Ok(found)
    }

    async fn login(&self, sid: Sid) -> Result<Option<LoginWithGrants>, StoreError> {
        let args = Args::default().with(sid.as_bytes());
        let reply = self.cell.ask(&self.cell.scripts.login, &args).await?;
        let mut found = reply.with_grants()?;
        if let Some(found) = &mut found {
            self.cell.touches.overlay_all(found);
        }
        Ok(found)
    }

    async fn logins_of(
        &self,
        user: UserId,
        now: UnixMillis,
    ) -> Result<Vec<LoginWithGrants>, StoreError> {
        let args = Args::default().with(user.as_bytes()).with(now.as_millis());
        let reply = self.cell.ask(&self.cell.scripts.living, &args).await?;
        self.logins(reply)
    }

    async fn advance(
        &self,
        presented: Presented,
        client_id: &ClientId,
        lifetimes: Lifetimes,
        now: UnixMillis,
    ) -> Result<Advance, StoreError> {
        for _ in 0..ATTEMPTS {
            let Some(mut found) = self.find(presented.grant).await? else {
                return Ok(Advance::Unknown);
            };
            let (login, grant) = (&mut found.login, &mut found.grant);
            match presented.judge(login, grant, client_id, &lifetimes, now) {
                Verdict::Rotate => {
                    if self.rotate(grant, &presented, now).await? {
                        return Ok(Advance::Rotated(Box::new(found)));
                    }
                }
                Verdict::EndLogin => {
                    let scope = Scope::Login { sid: login.sid };
                    if let Some(ended) = self.end_if(&scope, Some(login.user), now).await? {
                        login.ended_at = Some(now);
                        return Ok(Advance::Reused(Box::new(found), ended));
                    }
                }
                Verdict::Replay => return Ok(Advance::Replayed(Box::new(found))),
                Verdict::Ended => return Ok(Advance::Ended),
                Verdict::Unknown => return Ok(Advance::Unknown),
            }
        }
        Err(too_busy())
    }

    async fn touch(&self, grant: GrantId, now: UnixMillis) -> Result<(), StoreError> {
        if self.cell.touches.note(grant, now) {
            self.cell.touched.notify_one();
        }
        Ok(())
    }

    async fn end(&self, scope: Scope, now: UnixMillis) -> Result<Ended, StoreError> {
        let ended = self.end_if(&scope, None, now).await?;
        ended.ok_or_else(|| damaged("an end without a condition was refused"))
    }

    async fn end_own(
        &self,
        user: UserId,
        sid: Sid,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError> {
        self.end_if(&Scope::Login { sid }, Some(user), now).await
    }

    async fn mark_backup(&self, now: UnixMillis) -> Result<Position, StoreError> {
        let args = Args::default().with(now.as_millis());
        let args = args.with_change(&Change::BackedUp {})?;
        let mut reply = self.cell.write(&self.cell.scripts.note, &args).await?;
        reply.text()?;
        let position = reply.parsed()?;
        self.cell.saw(position);
        Ok(position)
    }

    async fn begin_epoch(&self, now: UnixMillis) -> Result<Ended, StoreError> {
        for _ in 0..ATTEMPTS {
            let from = self.cell.read_head().await?;
            let next = from.next_epoch(now);
            if let Some(ended) = log::begin_epoch(&self.cell, from, next, now).await? {
                return Ok(ended);
            }
        }
        Err(too_busy())
    }

    async fn head(&self) -> Result<Position, StoreError> {
        self.cell.read_head().await
    }

    async fn tail(&self, after: Position, limit: u32) -> Result<Tail, StoreError> {
        log::tail(&self.cell, after, limit).await
    }

    async fn snapshot(&self, kept_since: UnixMillis) -> Result<LogSnapshot, StoreError> {
        log::snapshot(&self.cell, kept_since).await
    }

    fn wake(&self) -> watch::Receiver<Position> {
        self.cell.wake.subscribe()
    }

    async fn sweep(&self, before: UnixMillis, limit: u32) -> Result<u64, StoreError> {
        let (mut left, mut marking) = (limit, MARKING_BITES);
        while left > 0 && marking > 0 {
            let args = Args::default()
                .with(before.as_millis())
                .with(left.min(BITE));
            let script = &self.cell.scripts.sweep;
            let mut reply = self.cell.write_loosely(script, &args).await?;
            let (gone, marked) = (reply.count()?, reply.count()?);
            if gone == 0 && marked == 0 {
                break;
            }
            marking -= u32::from(marked > 0);
            left = left.saturating_sub(u32::try_from(gone).unwrap_or(u32::MAX));
        }
        Ok(u64::from(limit - left))
    }
}

/// What makes room for one more login, and the name of the set of logins that it was decided on.
#[derive(Default)]
struct Decided {
    on: Vec<u8>,
    ends: Vec<Scope>,
}

impl Args {
    fn with_grant(self, grant: &NewGrant) -> Self {
        let args = self.with(grant.id.as_bytes());
        args.with(grant.client_id.as_str())
            .with(grant.digest.as_bytes())
    }

    fn with_decided(self, limits: &Limits<'_>, decided: &Decided) -> Result<Self, StoreError> {
        let from = limits.read_from().map(|from| from.to_string());
        let args = self.with(from.unwrap_or_default()).with(&decided.on);
        let mut ends = decided.ends.iter();
        ends.try_fold(args, Self::with_scope)
    }
}

impl Redis {
    /// Logins with their grants, with the uses that wait.
    fn logins(&self, reply: Reply) -> Result<Vec<LoginWithGrants>, StoreError> {
        let mut found = reply.logins()?;
        for login in &mut found {
            self.cell.touches.overlay_all(login);
        }
        Ok(found)
    }

    /// Decides who makes room among the logins of a reply. Err: there is no room beside these.
    fn decide(
        &self,
        limits: &Limits<'_>,
        mut reply: Reply,
        client_id: &ClientId,
    ) -> Result<Result<Decided, Vec<LoginWithGrants>>, StoreError> {
        let on = reply.bytes()?;
        let live = self.logins(reply.list()?)?;
        let (logins, grants) = match limits.room(live, client_id) {
            Room::Made { logins, grants } => (logins, grants),
            Room::Full(live) => return Ok(Err(live)),
        };
        let logins = logins.into_iter().map(|sid| Scope::Login { sid });
        let grants = grants.into_iter().map(|sid| Scope::Grant {
            sid,
            client_id: client_id.clone(),
        });
        let ends = logins.chain(grants).collect();
        Ok(Ok(Decided { on, ends }))
    }

    fn made_room(&self, decided: &Decided, head: Position) {
        if !decided.ends.is_empty() {
            self.cell.saw(head);
        }
    }

    /// Moves a line on. False: it was moved or ended since it was judged.
    async fn rotate(
        &self,
        grant: &mut Grant,
        presented: &Presented,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        let judged = grant.line.generation;
        grant.line = presented.moved(now);
        grant.used_at = grant.used_at.max(now);
        let line = &grant.line;
        let args = Args::default().with(grant.id.as_bytes()).with(judged);
        let args = args.with(line.generation).with(line.digest.as_bytes());
        let args = args.with(line.moved_at.as_millis());
        let args = args.with(grant.used_at.as_millis());
        let mut reply = self.cell.write(&self.cell.scripts.rotate, &args).await?;
        Ok(reply.text()? == "moved")
    }

    /// Ends a scope. With a person: only a login of theirs that has not ended, none otherwise.
    async fn end_if(
        &self,
        scope: &Scope,
        whose: Option<UserId>,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError> {
        let args = Args::default().with(now.as_millis()).with_scope(scope)?;
        let args = match whose {
            Some(user) => args.with(user.as_bytes()),
            None => args.with(""),
        };
        let mut reply = self.cell.write(&self.cell.scripts.end, &args).await?;
        match reply.text()?.as_str() {
            "none" => Ok(None),
            _ => self.cell.ended(reply).map(Some),
        }
    }
}

fn too_busy() -> StoreError {
    unwritable("too many write to one login at once; nothing was written")
}
