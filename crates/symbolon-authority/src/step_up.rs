//! How recently somebody has to have proved who they are, for what an app asks (OIDC Core
//! section 3.1.2.1: `max_age` and `prompt=login`; RFC 9470).
//!
//! To prove it again is to sign in again: a new login with new secrets, and the old one of this browser
//! ends. So `auth_time` never changes within a login, and no secret from before the proof is worth
//! anything after it.

use std::time::Duration;

use symbolon_login::{Login, UnixMillis};

/// How long a proof counts for the request that asked for it. The same address opened later asks again.
const STILL_WARM: Duration = Duration::from_secs(600);

/// What an app asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProofAsked {
    /// For how long a proof is good to the app (`max_age`).
    pub max_age: Option<Duration>,
    /// Whether it wants a new one in any case (`prompt=login`).
    pub anew: bool,
    /// When the browser first came with this request: a proof since then is the one that it asked for.
    pub since: Option<UnixMillis>,
}

impl ProofAsked {
    /// Whether anything is asked for.
    pub const fn is_any(&self) -> bool {
        self.anew || self.max_age.is_some()
    }

    /// Whether the proof with which this login began is enough.
    pub fn is_met_by(&self, login: &Login, now: UnixMillis) -> bool {
        let proved_at = login.authenticated_at;
        let age = now.since(proved_at);
        let proved_for_this = self.since.is_some_and(|since| proved_at >= since);
        // No age is zero: a request that allows none wants a new proof (OpenID Connect Core).
        let young = |most: Duration| !most.is_zero() && age <= most;
        (proved_for_this && age <= STILL_WARM) || (!self.anew && self.max_age.is_none_or(young))
    }

    /// The moment from which on a new proof counts, if the one of `login` is not enough: when the
    /// browser first came, or now, if it had come earlier for another proof. That of `login` is always
    /// before it, so nobody is sent to and fro.
    pub fn since_or_now(&self, login: Option<&Login>, now: UnixMillis) -> UnixMillis {
        let unused = |since: &UnixMillis| login.is_none_or(|login| login.authenticated_at < *since);
        self.since
            .filter(|since| *since <= now)
            .filter(unused)
            .unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use symbolon_login::{Sid, UserId};

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn proved(ago: i64) -> Login {
        let at = UnixMillis::from_secs(NOW - ago);
        Login {
            sid: Sid::mint(at, [1; 10]),
            user: UserId::mint(at, [1; 10]),
            authenticated_at: at,
            methods: Vec::new(),
            device: None,
            expires_at: UnixMillis::from_secs(NOW + 86_400),
            idle: None,
            remembered: true,
            ended_at: None,
        }
    }

    fn asked(max_age: Option<u64>, anew: bool, since: Option<i64>) -> ProofAsked {
        ProofAsked {
            max_age: max_age.map(Duration::from_secs),
            anew,
            since: since.map(|ago| UnixMillis::from_secs(NOW - ago)),
        }
    }

    #[test]
    fn a_proof_is_as_young_as_the_app_wants() {
        let now = UnixMillis::from_secs(NOW);
        for (ago, max_age, anew, since, enough) in [
            (86_400, None, false, None, true),
            (60, Some(60), false, None, true),
            (61, Some(60), false, None, false),
            (0, Some(0), false, None, false),
            (0, None, true, None, false),
            (0, Some(60), true, None, false),
            // Given for this very request, however long the person took over it.
            (5, None, true, Some(900), true),
            (5, Some(0), false, Some(900), true),
            (5, Some(1), false, Some(900), true),
            // Given before it, or for it long ago.
            (6, None, true, Some(5), false),
            (601, None, true, Some(900), false),
            (601, Some(3600), false, Some(900), true),
            // A moment that has not come makes nothing younger.
            (5, None, true, Some(-60), false),
        ] {
            let asked = asked(max_age, anew, since);
            assert_eq!(
                asked.is_met_by(&proved(ago), now),
                enough,
                "{ago} {asked:?}"
            );
        }
    }

    /// Where the proof is not enough, the sign-in page shows its form: it does not count either.
    #[test]
    fn what_is_not_enough_never_counts_as_new() {
        let now = UnixMillis::from_secs(NOW);
        for ago in [1, 5, 59, 600, 601, 86_400] {
            for since in [None, Some(-60), Some(0), Some(3), Some(700), Some(90_000)] {
                let asked = asked(None, true, since);
                let login = proved(ago);
                if !asked.is_met_by(&login, now) {
                    let from = asked.since_or_now(Some(&login), now);
                    assert!(
                        login.authenticated_at < from && from <= now,
                        "{ago} {since:?}"
                    );
                }
            }
        }
        let first = asked(None, true, Some(30)).since_or_now(None, now);
        assert_eq!(first, UnixMillis::from_secs(NOW - 30));
    }
}
