//! Logins, grants and the log in memory.

use async_trait::async_trait;
use symbolon_authority::ports::{
    Advance, Ended, Join, LogSnapshot, LoginWithGrants, Logins, NewGrant, Open, Presented,
    Standpoint, StoreError, Tail, Terms,
};
use symbolon_login::{
    Change, ClientId, Grant, GrantId, Lifetimes, LogWalk, Login, LoginLimit, Position, Scope, Sid,
    UnixMillis, UserId, Verdict,
};
use tokio::sync::watch;

use super::{Memory, State};
use crate::{
    in_use,
    room::{Limits, Room},
};

#[async_trait]
impl Logins for Memory {
    async fn open(
        &self,
        login: Login,
        grant: NewGrant,
        terms: Terms,
        now: UnixMillis,
    ) -> Result<Open, StoreError> {
        self.write(|state| {
            let user = state.users.get(&login.user);
            let cut = state.cut.get(&login.user).copied();
            if user.is_none_or(|(user, _)| user.disabled_at.is_some())
                || terms.since.is_some_and(|since| cut > Some(since))
            {
                return Ok(Open::UserGone);
            }
            if state.logins.contains_key(&login.sid) {
                return Err(in_use("sid"));
            }
            if state.grants.contains_key(&grant.id) {
                return Err(in_use("grant id"));
            }
            let limits = Limits {
                per_person: terms.per_person,
                per_app: terms.per_app,
                instead_of: &terms.instead_of,
            };
            let live = state.live_logins(login.user, now);
            if let Room::Full(live) = state.make_room(&limits, live, &grant.client_id, now) {
                return Ok(Open::Full(live));
            }
            let grant = state.grant(login.sid, grant, now)?;
            let login = Login {
                ended_at: None,
                ..login
            };
            state.logins.insert(login.sid, login.clone());
            Ok(Open::Opened(Box::new(Standpoint { login, grant })))
        })
    }

    async fn join(
        &self,
        sid: Sid,
        grant: NewGrant,
        per_app: Option<LoginLimit>,
        now: UnixMillis,
    ) -> Result<Join, StoreError> {
        self.write(|state| {
            let Some(login) = state.logins.get(&sid).cloned() else {
                return Ok(Join::Unknown);
            };
            if !login.stands(now) {
                return Ok(Join::Ended);
            }
            if state.grants.contains_key(&grant.id) {
                return Err(in_use("grant id"));
            }
            let limits = Limits {
                per_person: None,
                per_app,
                instead_of: &[],
            };
            let mut others = state.live_logins(login.user, now);
            others.retain(|other| other.login.sid != sid);
            if let Room::Full(others) = state.make_room(&limits, others, &grant.client_id, now) {
                return Ok(Join::Full(others));
            }
            let grant = state.grant(sid, grant, now)?;
            Ok(Join::Granted(Box::new(Standpoint { login, grant })))
        })
    }

    async fn find(&self, grant: GrantId) -> Result<Option<Standpoint>, StoreError> {
        Ok(self.lock().find(grant))
    }

    async fn login(&self, sid: Sid) -> Result<Option<LoginWithGrants>, StoreError> {
        let state = self.lock();
        Ok(state.logins.get(&sid).map(|login| state.with_grants(login)))
    }

    async fn logins_of(
        &self,
        user: UserId,
        now: UnixMillis,
    ) -> Result<Vec<LoginWithGrants>, StoreError> {
        Ok(self.lock().live_logins(user, now))
    }

    async fn advance(
        &self,
        presented: Presented,
        client_id: &ClientId,
        lifetimes: Lifetimes,
        now: UnixMillis,
    ) -> Result<Advance, StoreError> {
        Ok(self.write(|state| {
            let Some(mut found) = state.find(presented.grant) else {
                return Advance::Unknown;
            };
            let (login, grant) = (&mut found.login, &mut found.grant);
            match presented.judge(login, grant, client_id, &lifetimes, now) {
                Verdict::Rotate => {
                    grant.line = presented.moved(now);
                    grant.used_at = grant.used_at.max(now);
                    state.grants.insert(grant.id, grant.clone());
                    Advance::Rotated(Box::new(found))
                }
                Verdict::Replay => Advance::Replayed(Box::new(found)),
                Verdict::EndLogin => {
                    login.ended_at = Some(now);
                    let ended = state.end(Scope::Login { sid: login.sid }, now);
                    Advance::Reused(Box::new(found), ended)
                }
                Verdict::Ended => Advance::Ended,
                Verdict::Unknown => Advance::Unknown,
            }
        }))
    }

    async fn touch(&self, grant: GrantId, now: UnixMillis) -> Result<(), StoreError> {
        let mut state = self.lock();
        if let Some(found) = state.find(grant)
            && let Some(used_at) = found.grant.seen(&found.login, now)
            && let Some(grant) = state.grants.get_mut(&grant)
        {
            grant.used_at = used_at;
        }
        Ok(())
    }

    async fn end(&self, scope: Scope, now: UnixMillis) -> Result<Ended, StoreError> {
        Ok(self.write(|state| state.end(scope, now)))
    }

    async fn end_own(
        &self,
        user: UserId,
        sid: Sid,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError> {
        Ok(self.write(|state| {
            let login = state.logins.get(&sid)?;
            (login.user == user && login.ended_at.is_none())
                .then(|| state.end(Scope::Login { sid }, now))
        }))
    }

    async fn mark_backup(&self, now: UnixMillis) -> Result<Position, StoreError> {
        Ok(self.write(|state| state.append(Change::BackedUp {}, now)))
    }

    async fn begin_epoch(&self, now: UnixMillis) -> Result<Ended, StoreError> {
        Ok(self.write(|state| {
            let from = state.head();
            state.start = Some(from.next_epoch(now));
            state.end(Scope::Restored { from }, now)
        }))
    }

    async fn head(&self) -> Result<Position, StoreError> {
        Ok(self.lock().head())
    }

    async fn tail(&self, after: Position, limit: u32) -> Result<Tail, StoreError> {
        let state = self.lock();
        let head = state.head();
        let oldest = state.log.front().map_or(head, |(_, entry)| entry.position);
        if after.epoch() != head.epoch() || after > head || (after < head && after.next() < oldest)
        {
            return Ok(Tail::Reset);
        }
        let news = state.log.iter().map(|(_, entry)| entry);
        let news = news.filter(|entry| entry.position > after);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(Tail::Entries(news.take(limit).cloned().collect()))
    }

    async fn snapshot(&self, kept_since: UnixMillis) -> Result<LogSnapshot, StoreError> {
        let state = self.lock();
        let head = state.head();
        let mut walk = LogWalk::begin();
        for (at, entry) in &state.log {
            walk.pass(entry, *at >= kept_since);
        }
        let (cut_offs, complete_since) = walk.end(head);
        let apps = state.apps.values().map(|app| app.settings.clone());
        Ok(LogSnapshot {
            head,
            complete_since,
            cut_offs,
            apps: apps.collect(),
        })
    }

    fn wake(&self) -> watch::Receiver<Position> {
        self.wake.subscribe()
    }

    async fn sweep(&self, before: UnixMillis, limit: u32) -> Result<u64, StoreError> {
        Ok(self.lock().sweep(before, u64::from(limit)))
    }
}

impl State {
    fn find(&self, grant: GrantId) -> Option<Standpoint> {
        let grant = self.grants.get(&grant)?.clone();
        let login = self.logins.get(&grant.sid)?.clone();
        Some(Standpoint { login, grant })
    }

    fn live_logins(&self, user: UserId, now: UnixMillis) -> Vec<LoginWithGrants> {
        let newest_first = self.logins.values().rev();
        let live = newest_first.filter(|login| login.user == user && login.stands(now));
        live.map(|login| self.with_grants(login)).collect()
    }

    /// Ends what has to make room. Full: nothing was ended.
    fn make_room(
        &mut self,
        limits: &Limits<'_>,
        live: Vec<LoginWithGrants>,
        client_id: &ClientId,
        now: UnixMillis,
    ) -> Room {
        let room = limits.room(live, client_id);
        if let Room::Made { logins, grants } = &room {
            for sid in logins {
                self.end(Scope::Login { sid: *sid }, now);
            }
            for sid in grants {
                let client_id = client_id.clone();
                self.end(
                    Scope::Grant {
                        sid: *sid,
                        client_id,
                    },
                    now,
                );
            }
        }
        room
    }

    fn with_grants(&self, login: &Login) -> LoginWithGrants {
        let of_login = |grant: &&Grant| grant.sid == login.sid && grant.ended_at.is_none();
        LoginWithGrants {
            login: login.clone(),
            grants: self.grants.values().filter(of_login).cloned().collect(),
        }
    }

    fn grant(&mut self, sid: Sid, new: NewGrant, now: UnixMillis) -> Result<Grant, StoreError> {
        if self.grants.contains_key(&new.id) {
            return Err(in_use("grant id"));
        }
        let grant = new.granted(sid, self.head(), now);
        self.grants.insert(grant.id, grant.clone());
        Ok(grant)
    }

    /// Appends a cut-off and marks what it covers.
    pub(super) fn end(&mut self, scope: Scope, now: UnixMillis) -> Ended {
        let count = match &scope {
            Scope::Everything {} => self.end_logins(now, |_| true),
            Scope::Restored { from } => self.end_grants(now, |grant| grant.rev >= *from),
            // Only tokens that the key signed die, and the store keeps no tokens.
            Scope::Key { .. } => 0,
            Scope::App { client_id } => self.end_grants(now, |grant| grant.client_id == *client_id),
            Scope::User { user } => self.end_logins(now, |login| login.user == *user),
            Scope::Login { sid } => self.end_logins(now, |login| login.sid == *sid),
            Scope::Grant { sid, client_id } => self.end_grants(now, |grant| {
                grant.sid == *sid && grant.client_id == *client_id
            }),
        };
        let whose = match &scope {
            Scope::User { user } => Some(*user),
            _ => None,
        };
        let position = self.append(Change::CutOff { covers: scope }, now);
        if let Some(user) = whose {
            self.cut.insert(user, position);
        }
        Ended { position, count }
    }

    fn end_logins(&mut self, now: UnixMillis, covered: impl Fn(&Login) -> bool) -> u64 {
        let mut count = 0;
        for login in self.logins.values_mut() {
            if login.ended_at.is_none() && covered(login) {
                login.ended_at = Some(now);
                count += 1;
            }
        }
        count
    }

    fn end_grants(&mut self, now: UnixMillis, covered: impl Fn(&Grant) -> bool) -> u64 {
        let mut count = 0;
        for grant in self.grants.values_mut() {
            let login = self.logins.get(&grant.sid);
            let stood = login.is_some_and(|login| login.ended_at.is_none());
            if stood && grant.ended_at.is_none() && covered(grant) {
                grant.ended_at = Some(now);
                count += 1;
            }
        }
        count
    }

    fn sweep(&mut self, before: UnixMillis, limit: u64) -> u64 {
        let mut left = limit;
        let mut take = |over: bool| {
            let take = over && left > 0;
            left -= u64::from(take);
            take
        };
        let over = |at: Option<UnixMillis>| at.is_some_and(|at| at < before);
        let logins = &self.logins;
        self.grants.retain(|_, grant| {
            let login = logins.get(&grant.sid);
            let login_over =
                login.is_none_or(|login| over(login.ended_at) || over(Some(login.expires_at)));
            !take(login_over || over(grant.ended_at))
        });
        let grants = &self.grants;
        self.logins.retain(|sid, login| {
            let login_over = over(login.ended_at) || over(Some(login.expires_at));
            !take(login_over && !grants.values().any(|grant| grant.sid == *sid))
        });
        // The newest entry stays: it is the head.
        while self.log.len() > 1 && take(over(self.log.front().map(|(at, _)| *at))) {
            self.log.pop_front();
        }
        self.once
            .retain(|_, kept| !take(over(Some(kept.expires_at))));
        limit - left
    }
}
