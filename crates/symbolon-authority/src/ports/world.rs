//! Time and randomness: the only two things that a story cannot compute.

use aws_lc_rs::rand::SecureRandom;
use symbolon_login::UnixMillis;

/// Where time and randomness come from. The binary gives the real ones, tests give their own.
pub trait World: Send + Sync {
    /// The wall clock. Decides lifetimes only, never revocation.
    fn now(&self) -> UnixMillis;

    /// Fills `bytes` from a cryptographically secure generator.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness>;

    /// The generator that keys and signatures are made with. The crypto library takes only its own.
    fn signing_random(&self) -> &dyn SecureRandom;
}

/// The operating system gave no randomness: nothing may be issued.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the operating system gave no randomness")]
pub struct NoRandomness;
