//! Users, apps and keys in memory.

use std::{collections::BTreeSet, ops::Bound};

use async_trait::async_trait;
use symbolon_authority::{
    App, PasswordHash, User,
    ports::{
        AddApp, AddUser, AppChange, ChangeKeys, Directory, Ended, KeyChange, StoreError, StoredKey,
    },
};
use symbolon_login::{
    Change, ClientId, Identifier, LoginPolicy, Position, Role, Scope, UnixMillis, UserId,
};

use super::{Memory, State};
use crate::in_use;

#[async_trait]
impl Directory for Memory {
    async fn add_user(&self, user: User, password: PasswordHash) -> Result<AddUser, StoreError> {
        self.lock().add_user(user, password)
    }

    async fn add_first_admin(
        &self,
        user: User,
        password: PasswordHash,
    ) -> Result<Option<AddUser>, StoreError> {
        let mut state = self.lock();
        if state.users.values().any(|(user, _)| user.is_admin()) {
            return Ok(None);
        }
        state.add_user(user, password).map(Some)
    }

    async fn has_admin(&self) -> Result<bool, StoreError> {
        let state = self.lock();
        Ok(state.users.values().any(|(user, _)| user.is_admin()))
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.lock().users.get(&id).map(|(user, _)| user.clone()))
    }

    async fn user_to_verify(
        &self,
        identifier: &Identifier,
    ) -> Result<Option<(User, PasswordHash)>, StoreError> {
        let state = self.lock();
        let id = state.identifiers.get(identifier);
        Ok(id.and_then(|id| state.users.get(id)).cloned())
    }

    async fn users(&self, after: Option<Identifier>, limit: u32) -> Result<Vec<User>, StoreError> {
        let state = self.lock();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let ids = state.identifiers.range((from, Bound::Unbounded));
        let found = ids.filter_map(|(_, id)| state.users.get(id));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(found.take(limit).map(|(user, _)| user.clone()).collect())
    }

    async fn set_password(
        &self,
        id: UserId,
        password: PasswordHash,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError> {
        Ok(self.write(|state| {
            state.users.get_mut(&id)?.1 = password;
            Some(state.end(Scope::User { user: id }, now))
        }))
    }

    async fn set_roles(
        &self,
        id: UserId,
        roles: Vec<Role>,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError> {
        Ok(self.write(|state| {
            state.users.get_mut(&id)?.0.roles = roles;
            Some(state.end(Scope::User { user: id }, now))
        }))
    }

    async fn set_login_policy(&self, id: UserId, policy: LoginPolicy) -> Result<bool, StoreError> {
        let mut state = self.lock();
        let user = state.users.get_mut(&id);
        Ok(user.map(|(user, _)| user.policy = policy).is_some())
    }

    async fn disable_user(&self, id: UserId, now: UnixMillis) -> Result<Option<Ended>, StoreError> {
        Ok(self.write(|state| {
            state.users.get_mut(&id)?.0.disabled_at.get_or_insert(now);
            Some(state.end(Scope::User { user: id }, now))
        }))
    }

    async fn enable_user(&self, id: UserId) -> Result<bool, StoreError> {
        let mut state = self.lock();
        let user = state.users.get_mut(&id);
        Ok(user.map(|(user, _)| user.disabled_at = None).is_some())
    }

    async fn add_app(&self, app: App, now: UnixMillis) -> Result<AddApp, StoreError> {
        Ok(self.write(|state| {
            let settings = app.settings.clone();
            if state.apps.contains_key(&settings.client_id) {
                return AddApp::Taken;
            }
            state.apps.insert(settings.client_id.clone(), app);
            AddApp::Added(state.append(Change::App { settings }, now))
        }))
    }

    async fn change_app(
        &self,
        client_id: &ClientId,
        change: AppChange,
        now: UnixMillis,
    ) -> Result<Option<(App, Position)>, StoreError> {
        Ok(self.write(|state| {
            let app = state.apps.get_mut(client_id)?;
            change.apply(app);
            let app = app.clone();
            let settings = app.settings.clone();
            Some((app, state.append(Change::App { settings }, now)))
        }))
    }

    async fn app(&self, client_id: &ClientId) -> Result<Option<App>, StoreError> {
        Ok(self.lock().apps.get(client_id).cloned())
    }

    async fn apps(&self) -> Result<Vec<App>, StoreError> {
        Ok(self.lock().apps.values().cloned().collect())
    }

    async fn add_first_key(
        &self,
        key: StoredKey,
        now: UnixMillis,
    ) -> Result<Option<Position>, StoreError> {
        self.write(|state| {
            if state.keys.iter().any(|k| k.algorithm == key.algorithm) {
                return Ok(None);
            }
            if state.keys.iter().any(|k| k.kid == key.kid) {
                return Err(in_use("key id"));
            }
            let jwk = key.public_jwk.clone();
            state.keys.push(key);
            Ok(Some(state.append(Change::KeyAdded { jwk }, now)))
        })
    }

    async fn change_keys(
        &self,
        change: KeyChange,
        now: UnixMillis,
    ) -> Result<ChangeKeys, StoreError> {
        self.write(|state| {
            let present: BTreeSet<_> = state.keys.iter().map(|key| key.kid.clone()).collect();
            if present != change.seen {
                return Ok(ChangeKeys::Overtaken);
            }
            if change
                .add
                .as_ref()
                .is_some_and(|key| present.contains(&key.kid))
            {
                return Err(in_use("key id"));
            }
            let entries = change.entries();
            let gone: BTreeSet<_> = change.removed().cloned().collect();
            state.keys.retain(|key| !gone.contains(&key.kid));
            state.keys.extend(change.add);
            let mut position = state.head();
            for entry in entries {
                position = state.append(entry, now);
            }
            Ok(ChangeKeys::Changed(position))
        })
    }

    async fn keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let mut keys = self.lock().keys.clone();
        keys.sort_by(|a, b| (a.created_at, &a.kid).cmp(&(b.created_at, &b.kid)));
        Ok(keys)
    }

    async fn mark(&self, what: &str) -> Result<(), StoreError> {
        self.lock().marks.insert(what.to_owned());
        Ok(())
    }

    async fn is_marked(&self, what: &str) -> Result<bool, StoreError> {
        Ok(self.lock().marks.contains(what))
    }
}

impl State {
    fn add_user(&mut self, user: User, password: PasswordHash) -> Result<AddUser, StoreError> {
        if self.identifiers.contains_key(&user.identifier) {
            return Ok(AddUser::Taken);
        }
        if self.users.contains_key(&user.id) {
            return Err(in_use("user id"));
        }
        self.identifiers.insert(user.identifier.clone(), user.id);
        self.users.insert(user.id, (user, password));
        Ok(AddUser::Added)
    }
}
