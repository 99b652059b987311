//! Answers: a word of a short list, or a number between bounds.

use std::fmt;

/// What a fact is known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// One of the words of [`Answers::Words`].
    Word(&'static str),
    /// A number; of times, in seconds.
    Number(u64),
}

/// What may be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// One of these.
    Words(&'static [&'static str]),
    /// A whole number between these, both included.
    Number {
        /// The least.
        least: u64,
        /// The most: beyond it somebody has mistyped.
        most: u64,
    },
    /// A time, from none at all to this many seconds: `0s`, `500s`, `5m`, `1h`, `2d`, or a number of seconds.
    Time {
        /// The longest, in seconds.
        most: u64,
    },
}

/// Yes or no.
pub(super) const YES_NO: Answers = Answers::Words(&["yes", "no"]);

/// The units of a time and their seconds.
pub(super) const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => {
                for word in *words {
                    write!(f, "{word}, ")?;
                }
                f.write_str("or unknown")
            }
            Self::Number { least, most } => write!(f, "a whole number from {least} to {most}"),
            Self::Time { most } => write!(
                f,
                "a time from 0s to {}d such as 0s, 10s, 5m or 1h",
                most / 86_400
            ),
        }
    }
}
