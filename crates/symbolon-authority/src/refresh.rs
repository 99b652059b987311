//! Story: a credential is kept going, or takes its app's new shape.

use symbolon_login::{OpaqueSecret, Presented, SecretKeys};

use crate::{
    App, Authority, Failure, Redeemed,
    ports::{Advance, Standpoint},
    sign_in::kind_for,
};

impl Authority {
    /// Redeems the current secret of a grant's line, a refresh token or a session, for its
    /// successor in the app's present shape.
    ///
    /// A replay within the grace gets the same successor; later it ends the login (RFC 9700
    /// section 4.14.2).
    pub async fn refresh(&self, app: &App, presented: &str) -> Result<Redeemed, Failure> {
        let client_id = &app.settings.client_id;
        let refuse = |reason: &'static str| {
            tracing::info!(%client_id, reason, "refresh refused");
            Ok(Redeemed::Refused)
        };
        let presented = match self.secrets.authenticate(presented) {
            Ok(presented) => presented,
            Err(symbolon_login::BadSecret::Malformed) => return refuse("malformed secret"),
            Err(symbolon_login::BadSecret::Forged) => return refuse("forged secret"),
        };
        let now = self.now();
        let successor = self
            .secrets
            .successor(&presented, kind_for(app.settings.shape));
        // Before the verb: it sees every end up to here.
        let as_of = self.known_head();
        let outcome = self
            .logins
            .advance(
                as_presented(&presented, &successor),
                client_id,
                app.settings.lifetimes,
                now,
            )
            .await?;
        let at: Box<Standpoint> = match outcome {
            Advance::Rotated(at) | Advance::Replayed(at) => at,
            Advance::Reused(at, ended) => {
                tracing::warn!(
                    %client_id, user = %at.login.user, sid = %at.login.sid, position = %ended.position,
                    "a replaced secret was used again: the login is ended"
                );
                return Ok(Redeemed::Refused);
            }
            Advance::Ended => return refuse("the login has ended"),
            Advance::Unknown => return refuse("unknown secret"),
        };
        match self.directory.user(at.login.user).await? {
            Some(user) => Ok(Redeemed::Issued(Box::new(
                self.issue(app, &user, &at, as_of, &successor, now).await?,
            ))),
            None => refuse("user gone"),
        }
    }
}

/// What a store has to know of a presented secret and the one that would follow it.
pub(crate) fn as_presented(presented: &OpaqueSecret, successor: &OpaqueSecret) -> Presented {
    Presented {
        grant: presented.grant(),
        generation: presented.generation(),
        digest: presented.digest(),
        successor: successor.digest(),
    }
}

/// The successor of a secret in its own kind, to see whether a line has moved on by one.
pub(crate) fn next(secrets: &SecretKeys, presented: &OpaqueSecret) -> OpaqueSecret {
    secrets.successor(presented, presented.kind())
}
