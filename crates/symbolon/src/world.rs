//! The real clock and the operating system's randomness.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use symbolon_server::authority::ports::{NoRandomness, World};
use symbolon_server::login::UnixMillis;

/// What the process lives in.
pub(crate) struct RealWorld {
    random: SystemRandom,
}

impl RealWorld {
    pub(crate) fn new() -> Self {
        Self {
            random: SystemRandom::new(),
        }
    }
}

impl World for RealWorld {
    fn now(&self) -> UnixMillis {
        // A clock before 1970 reads as 1970: everything has then expired or will live too long, and
        // revocation does not depend on it.
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        UnixMillis::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        self.random.fill(bytes).map_err(|_| NoRandomness)
    }

    fn signing_random(&self) -> &dyn SecureRandom {
        &self.random
    }
}
