//! Places in the revocation log: the system's clock.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::UnixMillis;

/// A place in the revocation log: (epoch, number), ordered by epoch first.
///
/// Numbers are dense within an epoch and grow by one with every entry. A restored backup starts a
/// new epoch, which outranks every position of the old one. Written `epoch.number`, for example
/// `1.42`; that text is the JWT claim `rev` and the event id of the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Position {
    epoch: u32,
    number: u64,
}

impl Position {
    /// The head of a log that has no entry yet.
    pub const START: Self = Self::new(1, 0);

    /// The place `number` of `epoch`.
    pub const fn new(epoch: u32, number: u64) -> Self {
        Self { epoch, number }
    }

    /// Which life of the log this place belongs to.
    pub const fn epoch(self) -> u32 {
        self.epoch
    }

    /// How many entries the epoch had when this place was the head.
    pub const fn number(self) -> u64 {
        self.number
    }

    /// The place right after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self::new(self.epoch, self.number.saturating_add(1))
    }

    /// The start of the epoch that follows when this position is the head of a restored backup.
    ///
    /// It has to outrank every epoch that the system has seen since the backup was taken, and the
    /// backup does not know them: so it is the time of the restore in seconds, and one more than the
    /// backup's own where a clock was set back. Only the name of the epoch comes from a clock; which
    /// position is later is decided by order alone.
    #[must_use]
    pub fn next_epoch(self, now: UnixMillis) -> Self {
        let seconds = u32::try_from(now.as_secs()).unwrap_or(0);
        Self::new(seconds.max(self.epoch.saturating_add(1)), 0)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.number)
    }
}

impl From<Position> for String {
    fn from(position: Position) -> Self {
        position.to_string()
    }
}

/// The text is no log position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a log position: expected epoch.number in plain decimals, such as 1.42")]
pub struct BadPosition;

impl FromStr for Position {
    type Err = BadPosition;

    fn from_str(text: &str) -> Result<Self, BadPosition> {
        let (epoch, number) = text.split_once('.').ok_or(BadPosition)?;
        let parsed = Self {
            epoch: epoch.parse().map_err(|_| BadPosition)?,
            number: number.parse().map_err(|_| BadPosition)?,
        };
        // One spelling a position: no "+1.1", no "01.1".
        if parsed.to_string() == text {
            Ok(parsed)
        } else {
            Err(BadPosition)
        }
    }
}

impl TryFrom<String> for Position {
    type Error = BadPosition;

    fn try_from(text: String) -> Result<Self, BadPosition> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_epoch_outranks_every_position_of_the_old_one() {
        assert!(Position::new(2, 0) > Position::new(1, u64::MAX));
        assert!(Position::new(1, 2) > Position::new(1, 1));
    }

    #[test]
    fn restoring_one_backup_twice_never_gives_one_epoch_twice() {
        let (head, now) = (Position::new(1, 42), UnixMillis::from_secs(1_800_000_000));
        assert_eq!(head.next_epoch(now), Position::new(1_800_000_000, 0));
        let later = UnixMillis::from_secs(1_800_000_001);
        assert!(head.next_epoch(later) > head.next_epoch(now));
        // A clock that was set back still gives a later epoch than the backup's own.
        let restored = Position::new(1_900_000_000, 7);
        assert_eq!(restored.next_epoch(now), Position::new(1_900_000_001, 0));
        assert_eq!(
            head.next_epoch(UnixMillis::from_secs(-5)),
            Position::new(2, 0)
        );
    }

    #[test]
    fn a_position_has_one_spelling() {
        assert_eq!("1.42".parse(), Ok(Position::new(1, 42)));
        for bad in [
            "",
            "1",
            "1.",
            ".1",
            "+1.1",
            "01.1",
            "1.01",
            "1.1.1",
            "1.-1",
            " 1.1",
            "4294967296.1",
        ] {
            assert_eq!(bad.parse::<Position>(), Err(BadPosition), "{bad:?}");
        }
    }
}
