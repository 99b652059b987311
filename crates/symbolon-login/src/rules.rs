//! Lifetimes, and the two decisions that rest on them: does a grant still stand, and what does a
//! presented secret earn.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ClientId, Digest, Freshness, Grant, Line, Login, Shape, UnixMillis};

/// How long an app's credentials last. Whole seconds on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawLifetimes", into = "RawLifetimes")]
pub struct Lifetimes {
    idle: Duration,
    absolute: Duration,
    access_token: Duration,
    grace: Duration,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_field_names,
    reason = "the names on the wire say their unit"
)]
struct RawLifetimes {
    idle_seconds: u64,
    absolute_seconds: u64,
    access_token_seconds: u64,
    refresh_grace_seconds: u64,
}

/// Lifetimes that contradict each other or a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadLifetimes {
    /// `idle_seconds` out of order.
    #[error("idle_seconds: expected 1 up to absolute_seconds")]
    Idle,
    /// `absolute_seconds` out of range.
    #[error(
        "absolute_seconds: expected 1 to 34560000 (400 days, the longest a browser keeps a cookie)"
    )]
    Absolute,
    /// `access_token_seconds` out of range.
    #[error("access_token_seconds: expected 1 to 3600 (guards remember cut-offs for that long)")]
    AccessToken,
    /// `refresh_grace_seconds` out of range.
    #[error(
        "refresh_grace_seconds: expected 0 to 60 (within it a stolen secret can be replayed unseen)"
    )]
    Grace,
}

impl Lifetimes {
    /// The longest life of an access token, and so how long a guard has to remember a cut-off and
    /// may keep a verdict about a session.
    pub const LONGEST_ACCESS_TOKEN: Duration = Duration::from_secs(3600);

    /// Checked lifetimes: `idle` without use, `absolute` in any case, of an access token, and the
    /// `grace` within which a replaced secret still gets the same answer.
    pub fn new(
        idle: Duration,
        absolute: Duration,
        access_token: Duration,
        grace: Duration,
    ) -> Result<Self, BadLifetimes> {
        let second = Duration::from_secs(1);
        if !(second..=Duration::from_secs(400 * 86_400)).contains(&absolute) {
            return Err(BadLifetimes::Absolute);
        }
        if !(second..=absolute).contains(&idle) {
            return Err(BadLifetimes::Idle);
        }
        if !(second..=Self::LONGEST_ACCESS_TOKEN).contains(&access_token) {
            return Err(BadLifetimes::AccessToken);
        }
        if grace > Duration::from_secs(60) {
            return Err(BadLifetimes::Grace);
        }
        Ok(Self {
            idle,
            absolute,
            access_token,
            grace,
        })
    }

    /// How long a grant lasts without use. A guard vouches for a session up to one access-token
    /// life between two uses that the authority sees, so it is that much coarse.
    pub const fn idle(&self) -> Duration {
        self.idle
    }

    /// How long a grant lasts in any case.
    pub const fn absolute(&self) -> Duration {
        self.absolute
    }

    /// How long an access token lasts, and how long a guard may keep a verdict about a session.
    pub const fn access_token(&self) -> Duration {
        self.access_token
    }

    /// How long after its replacement a secret still gets the same answer.
    pub const fn grace(&self) -> Duration {
        self.grace
    }
}

impl Default for Lifetimes {
    /// 7 days idle, 30 days absolute (NIST SP 800-63B-4 section 2.1.3, AAL1), access tokens of
    /// 5 minutes, 10 seconds of grace.
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(7 * 86_400),
            absolute: Duration::from_secs(30 * 86_400),
            access_token: Duration::from_secs(300),
            grace: Duration::from_secs(10),
        }
    }
}

impl TryFrom<RawLifetimes> for Lifetimes {
    type Error = BadLifetimes;

    fn try_from(raw: RawLifetimes) -> Result<Self, BadLifetimes> {
        let secs = Duration::from_secs;
        Self::new(
            secs(raw.idle_seconds),
            secs(raw.absolute_seconds),
            secs(raw.access_token_seconds),
            secs(raw.refresh_grace_seconds),
        )
    }
}

impl From<Lifetimes> for RawLifetimes {
    fn from(lifetimes: Lifetimes) -> Self {
        Self {
            idle_seconds: lifetimes.idle.as_secs(),
            absolute_seconds: lifetimes.absolute.as_secs(),
            access_token_seconds: lifetimes.access_token.as_secs(),
            refresh_grace_seconds: lifetimes.grace.as_secs(),
        }
    }
}

/// What guards need to know of an app: the two dials and its lifetimes. Travels in the feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppSettings {
    /// The app.
    pub client_id: ClientId,
    /// The shape of the credentials that it is given from now on. Both are accepted.
    pub shape: Shape,
    /// How fresh a yes must be, unless a route asks for more.
    pub freshness: Freshness,
    /// How long its credentials last.
    pub lifetimes: Lifetimes,
}

/// Whether a grant still stands at some moment, apart from cut-offs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It stands, and will until then if it is not used again.
    Alive {
        /// When it ends without further use.
        until: UnixMillis,
    },
    /// It or its login was ended.
    Ended,
    /// It reached its absolute lifetime or its login's.
    Expired,
    /// It was not used for too long.
    Idle,
}

/// Whether `grant` of `login` stands at `now`.
pub fn standing(login: &Login, grant: &Grant, lifetimes: &Lifetimes, now: UnixMillis) -> Standing {
    if login.ended_at.is_some() || grant.ended_at.is_some() {
        return Standing::Ended;
    }
    let last = login
        .expires_at
        .min(grant.opened_at.plus(lifetimes.absolute()));
    let idle = login.idle.unwrap_or(Duration::MAX).min(lifetimes.idle());
    let idle = grant.used_at.plus(idle);
    if now >= last {
        Standing::Expired
    } else if now >= idle {
        Standing::Idle
    } else {
        Standing::Alive {
            until: last.min(idle),
        }
    }
}

/// What a presented secret of a line earns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redemption {
    /// It is the current one.
    Current,
    /// It was replaced within the grace: two tabs, or an answer that was lost. The same answer again.
    Replay,
    /// It was replaced longer ago: somebody kept a copy. The login must end (RFC 9700 section 4.14.2).
    Reuse,
    /// The line has never seen it: from the future of a restored backup, or a changed digest.
    Foreign,
}

/// Judges an authentic secret of `generation` with `digest`, whose successor has the digest
/// `successor`, against where its line stands.
pub fn redeem(
    line: &Line,
    generation: u32,
    digest: &Digest,
    successor: &Digest,
    now: UnixMillis,
    grace: Duration,
) -> Redemption {
    if generation == line.generation {
        if digest.matches(&line.digest) {
            Redemption::Current
        } else {
            Redemption::Foreign
        }
    } else if generation > line.generation {
        Redemption::Foreign
    } else if generation.saturating_add(1) == line.generation
        && successor.matches(&line.digest)
        && now < line.moved_at.plus(grace)
    {
        Redemption::Replay
    } else {
        Redemption::Reuse
    }
}

#[cfg(test)]
mod tests;
