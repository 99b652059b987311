//! The authority: ports, keys and settings, put together once at start.

use std::sync::Arc;

use symbolon_login::{ClientId, LoginDefaults, SecretKeys, UnixMillis};

use crate::{
    Busy, KeyRules, Passwords, RootSecret,
    key_ring::{Keys, OpenKeysError},
    ports::{Directory, Limits, Logins, NoRandomness, Once, StoreError, World},
    tokens::Tokens,
    vault::{Vault, secret_keys},
};

/// What the authority stands on.
#[derive(Clone)]
pub struct Ports {
    /// Users, apps, keys.
    pub directory: Arc<dyn Directory>,
    /// Logins and the log.
    pub logins: Arc<dyn Logins>,
    /// Counters that may be lost.
    pub limits: Arc<dyn Limits>,
    /// Codes and links.
    pub once: Arc<dyn Once>,
    /// Time and randomness.
    pub world: Arc<dyn World>,
}

/// Settings of the authority as a whole.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The public URL without a trailing slash: the `iss` of every token.
    pub issuer: String,
    /// What every login is held to, whatever its apps say.
    pub logins: LoginDefaults,
    /// How signing keys are replaced.
    pub keys: KeyRules,
}

impl Settings {
    /// The defaults for an authority at this public URL.
    pub fn new(issuer: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            logins: LoginDefaults::default(),
            keys: KeyRules::default(),
        }
    }
}

/// The server's core: signs people in, keeps logins and ends them. Every method is one story.
pub struct Authority {
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) logins: Arc<dyn Logins>,
    pub(crate) limits: Arc<dyn Limits>,
    pub(crate) once: Arc<dyn Once>,
    pub(crate) world: Arc<dyn World>,
    pub(crate) passwords: Passwords,
    pub(crate) secrets: SecretKeys,
    pub(crate) keys: Keys,
    pub(crate) tokens: Tokens,
    pub(crate) settings: Settings,
    pub(crate) console: ClientId,
}

/// A story could not be told to its end, and it is not the caller's fault.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Too much at once: try again in a second.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// A token could not be signed with a key that was checked at start.
    #[error("a token could not be signed")]
    Signing,
}

/// Why the authority cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The stored signing keys do not open with this root secret.
    #[error(transparent)]
    Keys(#[from] OpenKeysError),
    /// Anything that may also go wrong later.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Authority {
    /// The app that the authority's own pages are.
    pub const CONSOLE: &'static str = "symbolon";

    /// Opens the authority: makes the first signing key and the console's own app where they are
    /// missing, and opens the keys that are there.
    pub async fn open(
        ports: Ports,
        root: &RootSecret,
        passwords: Passwords,
        settings: Settings,
    ) -> Result<Self, StartError> {
        let Ports {
            directory,
            logins,
            limits,
            once,
            world,
        } = ports;
        let keys = Keys::open(&*directory, &*logins, Vault::derive(root), &*world).await?;
        let issuer = settings.issuer.clone();
        let authority = Self {
            directory,
            logins,
            limits,
            once,
            world,
            passwords,
            secrets: secret_keys(root),
            keys,
            tokens: Tokens { issuer },
            settings,
            console: console_id(),
        };
        authority.register_console().await?;
        Ok(authority)
    }

    /// The public URL without a trailing slash: the `iss` of every token.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// The id of the app that the authority's own pages are.
    pub fn console(&self) -> &ClientId {
        &self.console
    }

    /// The moment that stories begin with.
    pub(crate) fn now(&self) -> UnixMillis {
        self.world.now()
    }

    /// `N` random bytes.
    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], NoRandomness> {
        let mut bytes = [0_u8; N];
        self.world.fill(&mut bytes)?;
        Ok(bytes)
    }
}

#[expect(
    clippy::expect_used,
    reason = "a constant that a test of this file parses"
)]
fn console_id() -> ClientId {
    Authority::CONSOLE
        .parse()
        .expect("the console's own id is a client id")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_console_has_a_client_id() {
        assert_eq!(super::console_id().as_str(), super::Authority::CONSOLE);
    }
}
