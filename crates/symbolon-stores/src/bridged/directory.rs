//! Users, apps and keys: in the SQL store; what guards have to hear of is carried over before the answer.

use async_trait::async_trait;
use symbolon_authority::{
    App, PasswordHash, User,
    ports::{
        AddApp, AddUser, AppChange, ChangeKeys, Directory, Ended, KeyChange, Logins, StoreError,
        StoredKey,
    },
};
use symbolon_login::{ClientId, Identifier, LoginPolicy, Position, Role, UnixMillis, UserId};

use super::{Bridge, Bridged};

impl<D: Directory + Logins> Bridge<D> {
    async fn publish_end(
        &self,
        ended: Option<Ended>,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError> {
        match ended {
            Some(ended) => self.publish(ended.position, now).await.map(Some),
            None => Ok(None),
        }
    }
}

#[async_trait]
impl<D: Directory + Logins + 'static> Directory for Bridged<D> {
    async fn add_user(&self, user: User, password: PasswordHash) -> Result<AddUser, StoreError> {
        self.bridge.sql.add_user(user, password).await
    }

    async fn add_first_admin(
        &self,
        user: User,
        password: PasswordHash,
    ) -> Result<Option<AddUser>, StoreError> {
        self.bridge.sql.add_first_admin(user, password).await
    }

    async fn has_admin(&self) -> Result<bool, StoreError> {
        self.bridge.sql.has_admin().await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.bridge.sql.user(id).await
    }

    async fn user_to_verify(
        &self,
        identifier: &Identifier,
    ) -> Result<Option<(User, PasswordHash)>, StoreError> {
        self.bridge.sql.user_to_verify(identifier).await
    }

    async fn users(&self, after: Option<Identifier>, limit: u32) -> Result<Vec<User>, StoreError> {
        self.bridge.sql.users(after, limit).await
    }

    async fn set_password(
        &self,
        id: UserId,
        password: PasswordHash,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError> {
        let ended = self.bridge.sql.set_password(id, password, now).await?;
        self.bridge.publish_end(ended, now).await
    }

    async fn set_roles(
        &self,
        id: UserId,
        roles: Vec<Role>,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError> {
        let ended = self.bridge.sql.set_roles(id, roles, now).await?;
        self.bridge.publish_end(ended, now).await
    }

    async fn set_login_policy(&self, id: UserId, policy: LoginPolicy) -> Result<bool, StoreError> {
        self.bridge.sql.set_login_policy(id, policy).await
    }

    async fn disable_user(&self, id: UserId, now: UnixMillis) -> Result<Option<Ended>, StoreError> {
        let ended = self.bridge.sql.disable_user(id, now).await?;
        self.bridge.publish_end(ended, now).await
    }

    async fn enable_user(&self, id: UserId) -> Result<bool, StoreError> {
        self.bridge.sql.enable_user(id).await
    }

    async fn add_app(&self, app: App, now: UnixMillis) -> Result<AddApp, StoreError> {
        match self.bridge.sql.add_app(app, now).await? {
            AddApp::Added(entry) => {
                let published = self.bridge.publish(entry, now).await?;
                Ok(AddApp::Added(published.position))
            }
            AddApp::Taken => Ok(AddApp::Taken),
        }
    }

    async fn change_app(
        &self,
        client_id: &ClientId,
        change: AppChange,
        now: UnixMillis,
    ) -> Result<Option<(App, Position)>, StoreError> {
        let changed = self.bridge.sql.change_app(client_id, change, now).await?;
        let Some((app, entry)) = changed else {
            return Ok(None);
        };
        let published = self.bridge.publish(entry, now).await?;
        Ok(Some((app, published.position)))
    }

    async fn app(&self, client_id: &ClientId) -> Result<Option<App>, StoreError> {
        self.bridge.sql.app(client_id).await
    }

    async fn apps(&self) -> Result<Vec<App>, StoreError> {
        self.bridge.sql.apps().await
    }

    async fn add_first_key(
        &self,
        key: StoredKey,
        now: UnixMillis,
    ) -> Result<Option<Position>, StoreError> {
        let Some(entry) = self.bridge.sql.add_first_key(key, now).await? else {
            return Ok(None);
        };
        let published = self.bridge.publish(entry, now).await?;
        Ok(Some(published.position))
    }

    async fn change_keys(
        &self,
        change: KeyChange,
        now: UnixMillis,
    ) -> Result<ChangeKeys, StoreError> {
        match self.bridge.sql.change_keys(change, now).await? {
            ChangeKeys::Changed(entry) => {
                let published = self.bridge.publish(entry, now).await?;
                Ok(ChangeKeys::Changed(published.position))
            }
            ChangeKeys::Overtaken => Ok(ChangeKeys::Overtaken),
        }
    }

    async fn keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        self.bridge.sql.keys().await
    }

    async fn mark(&self, what: &str) -> Result<(), StoreError> {
        self.bridge.sql.mark(what).await?;
        // As in every store, a write takes along the uses that wait.
        self.bridge.redis.write_uses().await
    }

    async fn is_marked(&self, what: &str) -> Result<bool, StoreError> {
        self.bridge.sql.is_marked(what).await
    }
}
