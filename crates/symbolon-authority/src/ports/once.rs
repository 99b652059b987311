//! Values that are good for one use and a short time: authorization codes, set-up links.

use async_trait::async_trait;
use symbolon_login::{Digest, UnixMillis};

use super::StoreError;

/// What a value is for. A value of one purpose is never found under another (CVE-2026-4282).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// An authorization code (RFC 6749 section 4.1.2).
    AuthorizationCode,
    /// The mark that an authorization code was used a second time.
    ReplayedCode,
    /// The link that makes the first administrator.
    SetUpLink,
}

impl Purpose {
    /// Its name in a store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::ReplayedCode => "replayed_code",
            Self::SetUpLink => "set_up_link",
        }
    }
}

/// What became of an attempt to take a value.
#[derive(Debug, PartialEq, Eq)]
pub enum Take {
    /// It is yours, and nobody else's from now on.
    Fresh(String),
    /// It was taken before. Kept until its expiry, so that a second use is known for what it is.
    Again(String),
    /// Never stored, expired, or of another purpose.
    Unknown,
}

/// The store of once-values.
#[async_trait]
pub trait Once: Send + Sync {
    /// Keeps `value` under the digest of its secret until `expires_at`.
    async fn put(
        &self,
        purpose: Purpose,
        key: Digest,
        value: String,
        expires_at: UnixMillis,
    ) -> Result<(), StoreError>;

    /// Takes it: of any number at once exactly one gets [`Take::Fresh`].
    async fn take(
        &self,
        purpose: Purpose,
        key: Digest,
        now: UnixMillis,
    ) -> Result<Take, StoreError>;

    /// Whether [`Once::take`] would give [`Take::Fresh`] now; takes nothing. For showing a form.
    async fn peek(
        &self,
        purpose: Purpose,
        key: Digest,
        now: UnixMillis,
    ) -> Result<bool, StoreError>;
}
