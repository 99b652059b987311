//! Answers: a word of a short list, or a number between bounds.

use std::fmt;

use crate::words::Lang;

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

impl Answers {
    /// What is allowed, in words.
    pub(super) fn told(self, lang: Lang) -> String {
        match (lang, self) {
            (Lang::En, Self::Words(words)) => format!("{}, or unknown", words.join(", ")),
            (Lang::Ko, Self::Words(words)) => format!("{}, unknown 가운데 하나", words.join(", ")),
            (Lang::En, Self::Number { least, most }) => {
                format!("a whole number from {least} to {most}")
            }
            (Lang::Ko, Self::Number { least, most }) => {
                format!("{least}부터 {most}까지의 정수")
            }
            (Lang::En, Self::Time { most }) => {
                let days = most / 86_400;
                format!("a time from 0s to {days}d such as 0s, 10s, 5m or 1h")
            }
            (Lang::Ko, Self::Time { most }) => {
                let days = most / 86_400;
                format!("0s부터 {days}d까지의 시간(예: 0s, 10s, 5m, 1h)")
            }
        }
    }
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(Lang::En))
    }
}
