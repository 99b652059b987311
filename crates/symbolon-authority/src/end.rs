//! Stories: a login ends. Acknowledged means: on disk, and at a position of the log that guards
//! follow.

use symbolon_login::{Introspection, Scope, SecretKind, Sid, UserId};

use crate::{
    Admin, Authority, Failure, Known,
    ports::{Ended, LoginWithGrants},
};

impl Authority {
    /// Ends one login of the caller's own. None: no such login of theirs, or it had ended.
    pub async fn end_own_login(&self, who: &Known, sid: Sid) -> Result<Option<Ended>, Failure> {
        let ended = self.logins.end_own(who.user.id, sid, self.now()).await?;
        if let Some(ended) = &ended {
            tracing::info!(user = %who.user.id, %sid, position = %ended.position, "login ended by its owner");
        }
        Ok(ended)
    }

    /// Ends all logins of the caller, this one too.
    pub async fn end_all_own_logins(&self, who: &Known) -> Result<Ended, Failure> {
        let ended = self
            .logins
            .end(Scope::User { user: who.user.id }, self.now())
            .await?;
        tracing::info!(user = %who.user.id, position = %ended.position, count = ended.count, "all logins ended by their owner");
        Ok(ended)
    }

    /// Ends all logins of a person. None: no such person.
    pub async fn end_logins_of(
        &self,
        admin: &Admin,
        user: UserId,
    ) -> Result<Option<Ended>, Failure> {
        if self.directory.user(user).await?.is_none() {
            return Ok(None);
        }
        let ended = self.logins.end(Scope::User { user }, self.now()).await?;
        tracing::info!(%admin, %user, position = %ended.position, count = ended.count, "all logins of a user ended");
        Ok(Some(ended))
    }

    /// Ends anybody's login. None: no such login, or it had ended.
    pub async fn end_any_login(&self, admin: &Admin, sid: Sid) -> Result<Option<Ended>, Failure> {
        let Some(found) = self.logins.login(sid).await? else {
            return Ok(None);
        };
        let ended = self
            .logins
            .end_own(found.login.user, sid, self.now())
            .await?;
        if let Some(ended) = &ended {
            tracing::info!(%admin, user = %found.login.user, %sid, position = %ended.position, "login ended");
        }
        Ok(ended)
    }

    /// Ends the grant that a credential of the app proves (RFC 7009). A credential that is not good,
    /// or another app's, changes nothing: the caller learns nothing either way.
    pub async fn revoke(&self, app: &crate::App, credential: &str) -> Result<(), Failure> {
        let now = self.now();
        let at = match SecretKind::claimed_by(credential) {
            Some(_) => match self.secrets.authenticate(credential) {
                Ok(secret) => self
                    .logins
                    .find(secret.grant())
                    .await?
                    .map(|at| (at.login.sid, at.grant.client_id)),
                Err(_) => None,
            },
            None => match self.introspect(credential).await? {
                Introspection::Active(known) => Some((known.sid, known.client_id)),
                Introspection::Inactive => None,
            },
        };
        if let Some((sid, client_id)) =
            at.filter(|(_, client_id)| *client_id == app.settings.client_id)
        {
            let ended = self
                .logins
                .end(Scope::Grant { sid, client_id }, now)
                .await?;
            tracing::info!(client_id = %app.settings.client_id, %sid, position = %ended.position, "grant revoked by its app");
        }
        Ok(())
    }

    /// The caller's living logins, newest first.
    pub async fn own_logins(&self, who: &Known) -> Result<Vec<LoginWithGrants>, Failure> {
        Ok(self.logins.logins_of(who.user.id, self.now()).await?)
    }

    /// A person's living logins, newest first. None: no such person.
    pub async fn logins_of(
        &self,
        _admin: &Admin,
        user: UserId,
    ) -> Result<Option<Vec<LoginWithGrants>>, Failure> {
        if self.directory.user(user).await?.is_none() {
            return Ok(None);
        }
        Ok(Some(self.logins.logins_of(user, self.now()).await?))
    }
}
