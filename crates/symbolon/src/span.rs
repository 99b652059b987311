//! Times as people write them in settings: `90s`, `10m`, `12h`, `30d`.

use std::{str::FromStr, time::Duration};

use serde::Deserialize;

/// A time with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Span(pub(crate) Duration);

/// A time between two, or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Every(pub(crate) Option<Duration>);

/// The text is no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadSpan;

impl std::error::Error for BadSpan {}

impl std::fmt::Display for BadSpan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not a time: expected a number with s, m, h or d, such as 90s or 30d")
    }
}

impl FromStr for Span {
    type Err = BadSpan;

    fn from_str(text: &str) -> Result<Self, BadSpan> {
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or(BadSpan)?;
        let (number, unit) = text.split_at(unit_at);
        let seconds_per_unit: u64 = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(BadSpan),
        };
        let number: u64 = number.parse().map_err(|_| BadSpan)?;
        let seconds = number.checked_mul(seconds_per_unit).ok_or(BadSpan)?;
        Ok(Self(Duration::from_secs(seconds)))
    }
}

impl FromStr for Every {
    type Err = BadSpan;

    fn from_str(text: &str) -> Result<Self, BadSpan> {
        match text {
            "never" => Ok(Self(None)),
            _ => text.parse().map(|Span(span)| Self(Some(span))),
        }
    }
}

impl TryFrom<String> for Span {
    type Error = BadSpan;

    fn try_from(text: String) -> Result<Self, BadSpan> {
        text.parse()
    }
}

impl TryFrom<String> for Every {
    type Error = BadSpan;

    fn try_from(text: String) -> Result<Self, BadSpan> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        for (text, seconds) in [
            ("90s", 90),
            ("10m", 600),
            ("12h", 43_200),
            ("30d", 2_592_000),
        ] {
            assert_eq!(
                text.parse(),
                Ok(Span(Duration::from_secs(seconds))),
                "{text}"
            );
        }
        for bad in [
            "",
            "10",
            "s",
            "1w",
            "-1s",
            "1.5h",
            "1s ",
            "never",
            "99999999999999999999d",
        ] {
            assert_eq!(bad.parse::<Span>(), Err(BadSpan), "{bad}");
        }
        assert_eq!("never".parse(), Ok(Every(None)));
    }
}
