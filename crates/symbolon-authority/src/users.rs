//! Stories of accounts: add, find, disable.

use symbolon_login::{Identifier, LoginPolicy, Role, UserId};

use crate::{
    Admin, Authority, Failure, NewPassword, User,
    ports::{AddUser, Ended},
};

/// Somebody to be added.
pub struct NewUser {
    /// What they will type.
    pub identifier: Identifier,
    /// Their first password.
    pub password: NewPassword,
    /// What they may do.
    pub roles: Vec<Role>,
}

/// What became of it.
pub enum AddedUser {
    /// There now.
    Added(User),
    /// Somebody has that identifier.
    Taken,
}

/// What became of an attempt to disable somebody.
#[derive(Debug, PartialEq, Eq)]
pub enum DisabledUser {
    /// They cannot sign in any more, and their logins are ended.
    Disabled(Ended),
    /// No such user.
    Unknown,
    /// An administrator does not lock themselves out; another one, or the operator, can.
    Oneself,
}

/// What became of a change of somebody's roles.
#[derive(Debug, PartialEq, Eq)]
pub enum ChangedRoles {
    /// They have these now, and their logins are ended.
    Changed(Ended),
    /// No such user.
    Unknown,
    /// An administrator does not take the role from themselves; another one, or the operator, can.
    Oneself,
}

impl Authority {
    /// Adds a user.
    pub async fn add_user(&self, admin: &Admin, new: NewUser) -> Result<AddedUser, Failure> {
        let (user, hash) = self.prepare(new).await?;
        Ok(match self.directory.add_user(user.clone(), hash).await? {
            AddUser::Added => {
                tracing::info!(%admin, user = %user.id, "user added");
                AddedUser::Added(user)
            }
            AddUser::Taken => AddedUser::Taken,
        })
    }

    /// Gives a user a new password and ends all their logins. None: no such user.
    pub async fn set_password(
        &self,
        admin: &Admin,
        id: UserId,
        password: NewPassword,
    ) -> Result<Option<Ended>, Failure> {
        let hash = self.passwords.hash(password, self.random()?).await?;
        let ended = self.directory.set_password(id, hash, self.now()).await?;
        if let Some(ended) = &ended {
            tracing::info!(%admin, user = %id, position = %ended.position, "password replaced");
        }
        Ok(ended)
    }

    /// Replaces what a user may do and ends all their logins: whoever was given less keeps no
    /// credential that says more, and whoever was given more begins with new secrets.
    pub async fn set_roles(
        &self,
        admin: &Admin,
        id: UserId,
        roles: Vec<Role>,
    ) -> Result<ChangedRoles, Failure> {
        let keeps = User::runs_authority(&roles);
        if admin.user() == Some(id) && !keeps {
            return Ok(ChangedRoles::Oneself);
        }
        let Some(ended) = self.directory.set_roles(id, roles, self.now()).await? else {
            return Ok(ChangedRoles::Unknown);
        };
        tracing::info!(%admin, user = %id, position = %ended.position, count = ended.count, "roles replaced");
        Ok(ChangedRoles::Changed(ended))
    }

    /// Replaces what a user's logins are held to, from their next sign-in on. False: no such user.
    pub async fn set_login_policy(
        &self,
        admin: &Admin,
        id: UserId,
        policy: LoginPolicy,
    ) -> Result<bool, Failure> {
        let known = self.directory.set_login_policy(id, policy).await?;
        if known {
            tracing::info!(%admin, user = %id, "login policy replaced");
        }
        Ok(known)
    }

    /// A user by id.
    pub async fn user(&self, _admin: &Admin, id: UserId) -> Result<Option<User>, Failure> {
        Ok(self.directory.user(id).await?)
    }

    /// A user by identifier.
    pub async fn user_named(
        &self,
        _admin: &Admin,
        identifier: &Identifier,
    ) -> Result<Option<User>, Failure> {
        Ok(self
            .directory
            .user_to_verify(identifier)
            .await?
            .map(|(user, _)| user))
    }

    /// Up to `limit` users in order of their identifiers, those after `after`.
    pub async fn users(
        &self,
        _admin: &Admin,
        after: Option<Identifier>,
        limit: u32,
    ) -> Result<Vec<User>, Failure> {
        Ok(self.directory.users(after, limit).await?)
    }

    /// Disables a user and ends all their logins.
    pub async fn disable_user(&self, admin: &Admin, id: UserId) -> Result<DisabledUser, Failure> {
        if admin.user() == Some(id) {
            return Ok(DisabledUser::Oneself);
        }
        let Some(ended) = self.directory.disable_user(id, self.now()).await? else {
            return Ok(DisabledUser::Unknown);
        };
        tracing::info!(%admin, user = %id, position = %ended.position, count = ended.count, "user disabled");
        Ok(DisabledUser::Disabled(ended))
    }

    /// Lets a disabled user sign in again. False: no such user.
    pub async fn enable_user(&self, admin: &Admin, id: UserId) -> Result<bool, Failure> {
        let known = self.directory.enable_user(id).await?;
        if known {
            tracing::info!(%admin, user = %id, "user enabled");
        }
        Ok(known)
    }

    pub(crate) async fn prepare(
        &self,
        new: NewUser,
    ) -> Result<(User, crate::PasswordHash), Failure> {
        let now = self.now();
        let hash = self.passwords.hash(new.password, self.random()?).await?;
        let user = User {
            id: UserId::mint(now, self.random()?),
            identifier: new.identifier,
            roles: new.roles,
            policy: LoginPolicy::default(),
            created_at: now,
            disabled_at: None,
        };
        Ok((user, hash))
    }
}
