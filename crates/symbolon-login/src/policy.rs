//! How long a login may last: what the authority, the person and "remember me" say together.

use std::{num::NonZeroU32, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{LoginLimit, UnixMillis};

/// What one person's logins are held to, beside what the authority and each app say. What is none
/// is left to those.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawPolicy", into = "RawPolicy")]
pub struct LoginPolicy {
    idle: Option<Duration>,
    absolute: Option<Duration>,
    limit: Option<LoginLimit>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPolicy {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    idle_seconds: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    absolute_seconds: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<LoginLimit>,
}

/// A policy that contradicts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadLoginPolicy {
    /// `idle_seconds` out of order.
    #[error("idle_seconds: expected 1 up to absolute_seconds")]
    Idle,
    /// `absolute_seconds` out of range.
    #[error("absolute_seconds: expected 1 to 34560000 (400 days)")]
    Absolute,
}

impl LoginPolicy {
    /// A checked policy: logins end after `idle` without use and `absolute` in any case, and there
    /// are as many at once as `limit` says.
    pub fn new(
        idle: Option<Duration>,
        absolute: Option<Duration>,
        limit: Option<LoginLimit>,
    ) -> Result<Self, BadLoginPolicy> {
        let (second, longest) = (Duration::from_secs(1), Duration::from_secs(400 * 86_400));
        if absolute.is_some_and(|absolute| !(second..=longest).contains(&absolute)) {
            return Err(BadLoginPolicy::Absolute);
        }
        if idle.is_some_and(|idle| !(second..=absolute.unwrap_or(longest)).contains(&idle)) {
            return Err(BadLoginPolicy::Idle);
        }
        Ok(Self {
            idle,
            absolute,
            limit,
        })
    }

    /// How long a login lasts without use.
    pub const fn idle(&self) -> Option<Duration> {
        self.idle
    }

    /// How long a login lasts in any case.
    pub const fn absolute(&self) -> Option<Duration> {
        self.absolute
    }

    /// How many logins there may be at once.
    pub const fn limit(&self) -> Option<LoginLimit> {
        self.limit
    }
}

impl TryFrom<RawPolicy> for LoginPolicy {
    type Error = BadLoginPolicy;

    fn try_from(raw: RawPolicy) -> Result<Self, BadLoginPolicy> {
        let span = |secs: Option<u64>| secs.map(Duration::from_secs);
        Self::new(
            span(raw.idle_seconds),
            span(raw.absolute_seconds),
            raw.limit,
        )
    }
}

impl From<LoginPolicy> for RawPolicy {
    fn from(policy: LoginPolicy) -> Self {
        let secs = |span: Option<Duration>| span.map(|span| span.as_secs());
        Self {
            idle_seconds: secs(policy.idle),
            absolute_seconds: secs(policy.absolute),
            limit: policy.limit,
        }
    }
}

/// What the authority holds every login to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginDefaults {
    /// How long a login lasts in any case, where the person asked to be remembered on the device.
    pub remembered: Duration,
    /// How long it lasts in any case where they did not.
    pub unremembered: Duration,
    /// How many logins a person may have at once, unless their own policy says otherwise.
    pub limit: Option<LoginLimit>,
}

impl Default for LoginDefaults {
    /// 30 days where the person is remembered (NIST SP 800-63B-4 section 2.1.3, AAL1), one day
    /// elsewhere, 100 logins at once, the oldest of which makes room.
    fn default() -> Self {
        const MOST: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);
        Self {
            remembered: Duration::from_secs(30 * 86_400),
            unremembered: Duration::from_secs(86_400),
            limit: Some(LoginLimit {
                most: MOST,
                at_limit: crate::AtLimit::EndOldest,
            }),
        }
    }
}

/// How long one new login lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginSpan {
    /// When it ends in any case.
    pub expires_at: UnixMillis,
    /// How long it lasts without use, where that is less than its apps allow.
    pub idle: Option<Duration>,
}

/// The span of a login that begins at `now`: the strictest of all that have a say.
pub fn login_span(
    defaults: &LoginDefaults,
    policy: &LoginPolicy,
    remembered: bool,
    now: UnixMillis,
) -> LoginSpan {
    let most = if remembered {
        defaults.remembered
    } else {
        defaults.unremembered
    };
    let absolute = policy.absolute.map_or(most, |absolute| absolute.min(most));
    LoginSpan {
        expires_at: now.plus(absolute),
        idle: policy.idle,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const NOW: UnixMillis = UnixMillis::from_secs(1_800_000_000);

    #[test]
    fn the_strictest_of_authority_person_and_device_counts() {
        let defaults = LoginDefaults::default();
        let policy = |absolute: Option<Duration>| LoginPolicy::new(None, absolute, None).unwrap();
        for (absolute, remembered, hours) in [
            (None, true, 720),
            (None, false, 24),
            (Some(12 * HOUR), true, 12),
            (Some(12 * HOUR), false, 12),
            (Some(48 * HOUR), false, 24),
            // A person's policy is a limit, not a gift.
            (Some(9000 * HOUR), true, 720),
        ] {
            let span = login_span(&defaults, &policy(absolute), remembered, NOW);
            assert_eq!(
                span.expires_at,
                NOW.plus(hours * HOUR),
                "{absolute:?} {remembered}"
            );
        }
        let idle = LoginPolicy::new(Some(HOUR), None, None).unwrap();
        assert_eq!(login_span(&defaults, &idle, true, NOW).idle, Some(HOUR));
    }

    #[test]
    fn a_policy_that_contradicts_itself_is_refused() {
        let new = |idle: u64, absolute: u64| {
            let span = |secs| (secs > 0).then(|| Duration::from_secs(secs));
            LoginPolicy::new(span(idle), span(absolute), None)
        };
        assert!(new(60, 60).is_ok());
        assert_eq!(new(61, 60), Err(BadLoginPolicy::Idle));
        assert_eq!(new(1, 400 * 86_400 + 1), Err(BadLoginPolicy::Absolute));
        let nothing = Some(Duration::ZERO);
        assert!(LoginPolicy::new(nothing, None, None).is_err());
        assert!(LoginPolicy::new(None, nothing, None).is_err());
        let text = r#"{"idle_seconds":60,"limit":{"most":2,"at_limit":"ask"}}"#;
        let read: LoginPolicy = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        assert!(serde_json::from_str::<LoginPolicy>(r#"{"idle_secs":60}"#).is_err());
        let none = r#"{"limit":{"most":0,"at_limit":"ask"}}"#;
        assert!(serde_json::from_str::<LoginPolicy>(none).is_err());
    }
}
