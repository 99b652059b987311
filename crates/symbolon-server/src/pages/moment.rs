//! Points in time and spans, as people read them.

use std::time::Duration;

use jiff::Timestamp;
use symbolon_login::UnixMillis;

use super::words::Words;

/// A point in time: always in UTC, and said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// For `<time datetime>`: RFC 3339.
    pub(crate) datetime: String,
    /// For people, to the minute.
    pub(crate) text: String,
}

impl From<UnixMillis> for Moment {
    fn from(at: UnixMillis) -> Self {
        // Out of what a calendar can say only if the store is damaged.
        let at = Timestamp::from_millisecond(at.as_millis()).unwrap_or(Timestamp::UNIX_EPOCH);
        Self {
            datetime: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            text: at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        }
    }
}

/// A span in its largest whole unit: 7 days, 90 minutes, 10 seconds.
pub(crate) fn span(t: Words, span: Duration) -> String {
    const DAY: u64 = 86_400;
    const HOUR: u64 = 3_600;
    const MINUTE: u64 = 60;
    if span.subsec_nanos() != 0 {
        return t.milliseconds(u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
    }
    match span.as_secs() {
        0 => t.seconds(0),
        secs if secs % DAY == 0 => t.days(secs / DAY),
        secs if secs % HOUR == 0 => t.hours(secs / HOUR),
        secs if secs % MINUTE == 0 => t.minutes(secs / MINUTE),
        secs => t.seconds(secs),
    }
}

/// Milliseconds as a number with one digit after the point, such as `3.2`.
pub(crate) fn millis(span: Duration) -> String {
    format!("{:.1}", span.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::words::Language;

    #[test]
    fn a_moment_says_its_offset() {
        let moment = Moment::from(UnixMillis::from_millis(1_795_415_508_123));
        assert_eq!(moment.datetime, "2026-11-23T06:31:48Z");
        assert_eq!(moment.text, "2026-11-23 06:31 UTC");
    }

    #[test]
    fn a_span_takes_its_largest_whole_unit() {
        let t = Words::of(Language::En);
        let secs = Duration::from_secs;
        for (given, said) in [
            (secs(604_800), "7 days"),
            (secs(3_600), "1 hour"),
            (secs(5_400), "90 minutes"),
            (secs(10), "10 seconds"),
            (Duration::from_millis(250), "250 ms"),
        ] {
            assert_eq!(span(t, given), said);
        }
        assert_eq!(millis(Duration::from_micros(3_249)), "3.2");
    }
}
