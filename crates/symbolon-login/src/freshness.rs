//! How old a guard's knowledge may be when it says yes.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

/// The second dial: how stale may a yes be?
///
/// Written `live`, `within(10s)` (units `ms`, `s`, `m`) or `until_expiry`, in settings, on the wire
/// and on the command line alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Freshness {
    /// Ask the authority now, for each request.
    Live,
    /// Know every cut-off that was acknowledged longer ago than this.
    Within(Duration),
    /// Trust the credential until it ends by itself; cut-offs that happen to be known still count.
    UntilExpiry,
}

/// What a guard's yes or no may rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// What the guard knows is fresh enough: decide here.
    Local,
    /// Only the authority can say. If it cannot be reached the answer is 503, never yes.
    Authority,
}

impl Freshness {
    /// The default of both shapes: a check costs no network, and an authority that restarts in less
    /// than this troubles no app.
    pub const DEFAULT: Self = Self::Within(Duration::from_secs(10));

    /// The longest bound that `within` takes: beyond it the word would promise nothing.
    pub const LONGEST: Duration = Duration::from_secs(3600);

    /// What an answer may rest on when the guard's knowledge is `staleness` old (none: the guard
    /// has never proved any).
    pub fn ground(self, staleness: Option<Duration>) -> Ground {
        match (self, staleness) {
            (Self::UntilExpiry, Some(_)) => Ground::Local,
            (Self::Within(bound), Some(age)) if age <= bound => Ground::Local,
            // A guard that never heard from the authority knows no keys and no cut-offs at all.
            _ => Ground::Authority,
        }
    }

    /// The stricter of two wishes, for a route that asks for more than its app.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        if self.bound() <= other.bound() {
            self
        } else {
            other
        }
    }

    fn bound(self) -> Duration {
        match self {
            Self::Live => Duration::ZERO,
            Self::Within(bound) => bound,
            Self::UntilExpiry => Duration::MAX,
        }
    }
}

impl Default for Freshness {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for Freshness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Live => f.write_str("live"),
            Self::UntilExpiry => f.write_str("until_expiry"),
            Self::Within(bound) if bound.subsec_millis() == 0 => {
                write!(f, "within({}s)", bound.as_secs())
            }
            Self::Within(bound) => write!(f, "within({}ms)", bound.as_millis()),
        }
    }
}

/// The text is no freshness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a freshness: expected live, until_expiry or within(TIME), TIME from 1ms to 60m such as 500ms, 10s or 1m"
)]
pub struct BadFreshness;

impl FromStr for Freshness {
    type Err = BadFreshness;

    fn from_str(text: &str) -> Result<Self, BadFreshness> {
        match text {
            "live" => return Ok(Self::Live),
            "until_expiry" => return Ok(Self::UntilExpiry),
            _ => {}
        }
        let time = text
            .strip_prefix("within(")
            .and_then(|rest| rest.strip_suffix(')'))
            .ok_or(BadFreshness)?;
        let unit_at = time
            .find(|c: char| !c.is_ascii_digit())
            .ok_or(BadFreshness)?;
        let (number, unit) = time.split_at(unit_at);
        let millis_per_unit = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            _ => return Err(BadFreshness),
        };
        let number: u64 = number.parse().map_err(|_| BadFreshness)?;
        let bound = Duration::from_millis(number.checked_mul(millis_per_unit).ok_or(BadFreshness)?);
        if bound.is_zero() || bound > Self::LONGEST {
            return Err(BadFreshness);
        }
        Ok(Self::Within(bound))
    }
}

impl TryFrom<String> for Freshness {
    type Error = BadFreshness;

    fn try_from(text: String) -> Result<Self, BadFreshness> {
        text.parse()
    }
}

impl From<Freshness> for String {
    fn from(freshness: Freshness) -> Self {
        freshness.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEC: Duration = Duration::from_secs(1);

    #[test]
    fn an_answer_rests_on_what_the_bound_allows() {
        let table = [
            (Freshness::Live, Some(Duration::ZERO), Ground::Authority),
            (Freshness::Live, None, Ground::Authority),
            (Freshness::Within(10 * SEC), Some(10 * SEC), Ground::Local),
            (
                Freshness::Within(10 * SEC),
                Some(10 * SEC + Duration::from_nanos(1)),
                Ground::Authority,
            ),
            (Freshness::Within(10 * SEC), None, Ground::Authority),
            (Freshness::UntilExpiry, Some(Duration::MAX), Ground::Local),
            (Freshness::UntilExpiry, None, Ground::Authority),
        ];
        for (freshness, staleness, expected) in table {
            assert_eq!(
                freshness.ground(staleness),
                expected,
                "{freshness} {staleness:?}"
            );
        }
    }

    #[test]
    fn the_stricter_wish_wins() {
        let (short, long) = (Freshness::Within(SEC), Freshness::Within(10 * SEC));
        assert_eq!(long.stricter(short), short);
        assert_eq!(short.stricter(Freshness::UntilExpiry), short);
        assert_eq!(short.stricter(Freshness::Live), Freshness::Live);
    }

    #[test]
    fn text_and_value_agree() {
        for text in [
            "live",
            "until_expiry",
            "within(10s)",
            "within(250ms)",
            "within(3600s)",
        ] {
            assert_eq!(
                text.parse::<Freshness>().map(|f| f.to_string()),
                Ok(text.to_owned())
            );
        }
        assert_eq!("within(1m)".parse(), Ok(Freshness::Within(60 * SEC)));
        for bad in [
            "",
            "Live",
            "within",
            "within()",
            "within(10)",
            "within(0s)",
            "within(2h)",
            "within(61m)",
            "within(-1s)",
            "within(1s",
            "within(99999999999999999999s)",
        ] {
            assert_eq!(bad.parse::<Freshness>(), Err(BadFreshness), "{bad}");
        }
    }
}
