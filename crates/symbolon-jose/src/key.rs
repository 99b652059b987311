//! Keys, each bound to one algorithm.
//!
//! The algorithm belongs to the key and is named by whoever loads it, so that a token cannot turn
//! an RSA public key into an HMAC secret (CVE-2015-9235 and its many successors).

mod der;
mod jwk;
mod pem;
mod public;
mod set;
mod signing;
mod strength;
mod verifying;

pub use set::{KeySet, LoadedKeys, SkippedKey};
pub use signing::SigningKey;
pub use verifying::VerifyingKey;

/// Where a token's key is found: by its id, never by anything else that the token says.
pub trait KeySource {
    /// The trusted key for this id; `None` refuses the token.
    fn find(&self, kid: Option<&str>) -> Option<&VerifyingKey>;
}

impl KeySource for VerifyingKey {
    /// A lone key answers to its own id, and to tokens without one. If it was loaded without an
    /// id (PEM has none), it answers to every id: there is nothing to choose.
    fn find(&self, kid: Option<&str>) -> Option<&VerifyingKey> {
        match (self.kid(), kid) {
            (Some(own), Some(asked)) if own != asked => None,
            _ => Some(self),
        }
    }
}

#[cfg(test)]
mod tests;
