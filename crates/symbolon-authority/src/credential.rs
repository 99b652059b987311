//! A credential as it is handed out, in its app's shape.

use symbolon_login::{
    ClientId, GrantId, OpaqueSecret, Position, Shape, Sid, Standing, UnixMillis, UserId,
};
use zeroize::Zeroizing;

use crate::{
    App, Authority, Failure, User,
    ports::Standpoint,
    tokens::{Found, Minted},
};

/// A credential for its owner. No Debug, no Serialize: it holds secrets.
pub struct Credential {
    /// The login that it proves.
    pub sid: Sid,
    /// Whose.
    pub user: UserId,
    /// For which app.
    pub client_id: ClientId,
    /// The row of its grant.
    pub grant: GrantId,
    /// Whether the person asked to be remembered on this device: if not, its cookies go with the
    /// browser.
    pub remembered: bool,
    /// What the client keeps.
    pub issued: Issued,
}

/// What the client keeps.
pub enum Issued {
    /// The session shape.
    Session {
        /// `sym_s_...`, for the cookie or the `Authorization` header.
        secret: Zeroizing<String>,
        /// Seconds until it ends if it is not used.
        expires_in: u64,
    },
    /// The jwt shape.
    Tokens {
        /// The signed access token.
        access_token: String,
        /// Seconds until the access token ends.
        expires_in: u64,
        /// `sym_r_...`, for the token endpoint only.
        refresh_token: Zeroizing<String>,
        /// Seconds until the refresh token ends if it is not used.
        refresh_expires_in: u64,
    },
}

impl Issued {
    /// In which shape it is.
    pub const fn shape(&self) -> Shape {
        match self {
            Self::Session { .. } => Shape::Session,
            Self::Tokens { .. } => Shape::Jwt,
        }
    }
}

impl Authority {
    /// Hands out `secret`, the current one of the grant's line, in the app's shape.
    ///
    /// The times count from when the line moved, so that a replay within the grace gets the same
    /// answer as the first one did. `as_of` is a position of the log that was committed before the
    /// store's verb found the login and the grant alive.
    pub(crate) async fn issue(
        &self,
        app: &App,
        user: &User,
        at: &Standpoint,
        as_of: Position,
        secret: &OpaqueSecret,
        now: UnixMillis,
    ) -> Result<Credential, Failure> {
        let lifetimes = &app.settings.lifetimes;
        let until = match symbolon_login::standing(&at.login, &at.grant, lifetimes, now) {
            Standing::Alive { until } => until,
            // A verb just found it alive; what ended since is refused at its first use.
            Standing::Ended | Standing::Expired | Standing::Idle => now,
        };
        let expires_in = until.since(now).as_secs();
        let issued = match secret.kind() {
            symbolon_login::SecretKind::Session => Issued::Session {
                secret: secret.expose(),
                expires_in,
            },
            symbolon_login::SecretKind::Refresh => {
                let ring = self.ring().await?;
                let key = ring.signing(now).ok_or(Failure::Signing)?;
                let found = Found { at, as_of };
                let minted = self
                    .tokens
                    .mint(app, user, &found, secret, key, &*self.world);
                let Minted { token, expires_at } = minted?;
                Issued::Tokens {
                    access_token: token,
                    expires_in: expires_at.since(now).as_secs(),
                    refresh_token: secret.expose(),
                    refresh_expires_in: expires_in,
                }
            }
        };
        Ok(Credential {
            sid: at.login.sid,
            user: user.id,
            client_id: app.settings.client_id.clone(),
            grant: at.grant.id,
            remembered: at.login.remembered,
            issued,
        })
    }
}
