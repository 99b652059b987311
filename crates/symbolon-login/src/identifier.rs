//! What a person types to say who they are.

use std::{fmt, str::FromStr};

use precis_profiles::{UsernameCaseMapped, precis_core::profile::Profile};
use serde::{Deserialize, Serialize};

/// A user name or mail address in its one canonical spelling.
///
/// Prepared by PRECIS `UsernameCaseMapped` (RFC 8265 section 3.3): width-mapped, lower-cased, NFC;
/// spaces, control, zero-width and bidirectional controls are refused. So every spelling that
/// reaches one account is one key for look-up and for every counter (CVE-2026-47203,
/// CVE-2025-54998). Lower-casing, not full case folding: `straße` and `strasse` are two people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Identifier(String);

/// The text cannot name an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a user name or mail address: 1 to 254 characters, no spaces or invisible characters, at most one '@', none of \" ' ( ) , / : ; < > [ \\ ]"
)]
pub struct BadIdentifier;

/// The longest identifier in bytes: a mail address has at most 254 (RFC 5321 erratum 1690).
const LONGEST: usize = 254;

impl Identifier {
    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Identifier {
    type Err = BadIdentifier;

    fn from_str(text: &str) -> Result<Self, BadIdentifier> {
        if text.is_empty() || text.len() > LONGEST {
            return Err(BadIdentifier);
        }
        // The width mapping turns a full-width '@' into '@'; refused, so that no mail address is
        // accepted in a spelling that was checked as something else (GHSA-7rqj-j65f-68wh).
        if text.contains(['\u{ff20}', '\u{fe6b}']) {
            return Err(BadIdentifier);
        }
        let canonical = UsernameCaseMapped::new()
            .enforce(text)
            .map_err(|_| BadIdentifier)?
            .into_owned();
        let fits = canonical.len() <= LONGEST
            && !canonical.contains(|c| "\"'(),/:;<>[\\]".contains(c))
            && canonical.matches('@').count() <= 1
            && !canonical.trim_matches('.').is_empty();
        if fits {
            Ok(Self(canonical))
        } else {
            Err(BadIdentifier)
        }
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Identifier {
    type Error = BadIdentifier;

    fn try_from(text: String) -> Result<Self, BadIdentifier> {
        text.parse()
    }
}

impl From<Identifier> for String {
    fn from(identifier: Identifier) -> Self {
        identifier.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Result<String, BadIdentifier> {
        text.parse::<Identifier>()
            .map(|identifier| identifier.as_str().to_owned())
    }

    #[test]
    fn spellings_of_one_account_are_one_key() {
        for (a, b) in [
            ("alice", "ALICE"),
            ("alice", "\u{ff41}lice"),
            ("\u{e9}ve", "e\u{301}ve"),
        ] {
            assert_eq!(canonical(a), canonical(b), "{a} {b}");
            assert!(canonical(a).is_ok(), "{a}");
        }
        assert_eq!(canonical("김철수"), Ok("김철수".to_owned()));
        assert_eq!(canonical("a@example.test"), Ok("a@example.test".to_owned()));
    }

    #[test]
    fn invisible_and_foreign_characters_are_refused() {
        for bad in [
            "",
            " alice",
            "alice ",
            "alice\u{a0}",
            "ali\u{200b}ce",
            "alice\u{202e}",
            "alice\0",
            "admin\t",
            "a\u{ff20}example.test",
            "a@evil.test@example.test",
            "a@example.test,b@evil.test",
            "a@example.test\r\nBcc: b@evil.test",
            "' OR '1'='1",
            "..",
            "../admin",
        ] {
            assert_eq!(canonical(bad), Err(BadIdentifier), "{bad:?}");
        }
        assert_ne!(canonical("i"), canonical("\u{130}"));
        assert_ne!(canonical("alice"), canonical("alice%00"));
    }
}
