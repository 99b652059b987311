//! A token for people to read. **Nothing that this module shows is verified.**
//!
//! It decodes whatever can be decoded, also of a token that every verifier would refuse, and says
//! for each check how it would end and why. For deciding anything, use
//! [`Unverified::verify`](crate::Unverified::verify); an [`Inspection`] is no proof and cannot
//! become one.
//!
//! ```
//! use symbolon_jose::inspect::{Known, Verdict, inspect_unverified};
//!
//! let seen = inspect_unverified("eyJhbGciOiJub25lIn0.eyJzdWIiOiJldmUifQ.", &Known::default());
//! assert_eq!(seen.payload, "{\n  \"sub\": \"eve\"\n}");
//! assert_eq!(seen.checks[0].verdict, Verdict::Fail); // alg none
//! ```

use serde::Serialize;

use crate::base64url;
use crate::error::Refused;
use crate::expect;
use crate::json::{Claims, Raw, Reader, pretty, visible};
use crate::key::{KeySet, KeySource};
use crate::token::{MAX_TOKEN_BYTES, Unverified};

/// What the person who looks knows. What is absent leaves its checks [`Verdict::Unknown`].
#[derive(Clone, Copy, Default)]
pub struct Known<'a> {
    /// The trusted keys.
    pub keys: Option<&'a KeySet>,
    /// The expected issuer.
    pub issuer: Option<&'a str>,
    /// The expected audience.
    pub audience: Option<&'a str>,
    /// The time, in whole unix seconds.
    pub now: Option<i64>,
    /// Tolerance for clocks, in seconds.
    pub leeway: u8,
}

/// The three parts in readable form, and what the checks say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// The header as indented JSON, or as it came if it is no JSON.
    pub header: String,
    /// The claims as indented JSON, or as they came.
    pub payload: String,
    /// The signature in base64url, or as it came.
    pub signature: String,
    /// Every check, in the order in which a verifier makes them.
    pub checks: Vec<Check>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its stable name, such as `signature` or `exp`.
    pub name: &'static str,
    /// How it ends.
    pub verdict: Verdict,
    /// Why, for people.
    pub reason: String,
}

/// How a check ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Pass,
    /// A verifier refuses the token for this.
    Fail,
    /// It cannot be told with what is known.
    Unknown,
}

impl Inspection {
    /// Whether no check fails. It does not mean that the token is good: see
    /// [`Verdict::Unknown`].
    pub fn nothing_fails(&self) -> bool {
        self.checks
            .iter()
            .all(|check| check.verdict != Verdict::Fail)
    }
}

/// Decodes without verifying, and tells what each check would say.
pub fn inspect_unverified(token: &str, known: &Known<'_>) -> Inspection {
    let shown = token.get(..token.floor_char_boundary(MAX_TOKEN_BYTES));
    let shown = shown.unwrap_or_default();
    let mut parts = shown.splitn(3, '.');
    let mut next = || parts.next().unwrap_or_default();
    let (header, payload, signature) = (show(next()), show(next()), visible(next()));
    let mut checks = Checks(Vec::new());
    match Unverified::parse(token) {
        Ok(parsed) => checks.all(&parsed, known),
        Err(malformed) => {
            checks.add("format", Verdict::Fail, malformed.to_string());
            for name in [
                "key",
                "signature",
                "claims",
                "iss",
                "aud",
                "exp",
                "nbf",
                "iat",
            ] {
                let reason = "the token is malformed, so nothing in it counts";
                checks.add(name, Verdict::Unknown, reason.to_owned());
            }
        }
    }
    Inspection {
        header,
        payload,
        signature,
        checks: checks.0,
    }
}

/// A part as JSON if it is that, else as text.
fn show(part: &str) -> String {
    let Some(bytes) = base64url::decode(part) else {
        return visible(part);
    };
    match std::str::from_utf8(&bytes) {
        Ok(text) if Reader::check(text).is_ok() => pretty(text),
        Ok(text) => visible(text),
        Err(_) => visible(part),
    }
}

struct Checks(Vec<Check>);

impl Checks {
    fn add(&mut self, name: &'static str, verdict: Verdict, reason: String) {
        self.0.push(Check {
            name,
            verdict,
            reason,
        });
    }

    fn all(&mut self, token: &Unverified<'_>, known: &Known<'_>) {
        let alg = token.algorithm();
        let typ = token
            .typ()
            .map_or("no typ".to_owned(), |typ| format!("typ {}", visible(typ)));
        self.add(
            "format",
            Verdict::Pass,
            format!("a compact JWS, {alg}, {typ}"),
        );
        self.key(token, known);
        let mut claims = Claims::new();
        if let Err(malformed) = token.read_claims(&mut claims) {
            return self.no_claims(&malformed.to_string());
        }
        let registered = &claims.registered;
        self.add("claims", Verdict::Pass, "one JSON object".to_owned());
        self.who("iss", known.issuer, || {
            registered
                .iss
                .map(|raw| expect::string("iss", raw).map(|iss| vec![iss.into_owned()]))
                .transpose()
        });
        self.who("aud", known.audience, || {
            let Some(raw) = registered.aud else {
                return Ok(None);
            };
            let mut names = Vec::new();
            expect::audience(Some(raw), |name| names.push(name.into_owned()))?;
            Ok(Some(names))
        });
        for (name, raw) in [
            ("exp", registered.exp),
            ("nbf", registered.nbf),
            ("iat", registered.iat),
        ] {
            self.when(name, raw, known);
        }
    }

    fn key(&mut self, token: &Unverified<'_>, known: &Known<'_>) {
        let kid = match token.kid() {
            Some(kid) => format!("kid {}", visible(kid)),
            None => "no kid".to_owned(),
        };
        let Some(keys) = known.keys else {
            self.add("key", Verdict::Unknown, format!("{kid}; no keys given"));
            let reason = "cannot be checked without the key".to_owned();
            return self.add("signature", Verdict::Unknown, reason);
        };
        match keys.find(token.kid()) {
            None => {
                self.add("key", Verdict::Fail, format!("{kid} names no trusted key"));
                let reason = "cannot be checked without the key".to_owned();
                return self.add("signature", Verdict::Unknown, reason);
            }
            Some(key) if key.algorithm() != token.algorithm() => self.add(
                "key",
                Verdict::Fail,
                format!("{kid} is bound to {}", key.algorithm()),
            ),
            Some(key) => self.add(
                "key",
                Verdict::Pass,
                format!("{kid} is trusted for {}", key.algorithm()),
            ),
        }
        match token.authenticate(keys) {
            Ok(_) => self.add("signature", Verdict::Pass, "matches".to_owned()),
            Err(forged) => self.add("signature", Verdict::Fail, forged.to_string()),
        }
    }

    fn no_claims(&mut self, reason: &str) {
        self.add("claims", Verdict::Fail, reason.to_owned());
        for name in ["iss", "aud", "exp", "nbf", "iat"] {
            self.add(name, Verdict::Unknown, "there are no claims".to_owned());
        }
    }

    fn who(
        &mut self,
        name: &'static str,
        wanted: Option<&str>,
        stated: impl FnOnce() -> Result<Option<Vec<String>>, Refused>,
    ) {
        let (verdict, reason) = match (stated(), wanted) {
            (Err(refused), _) => (Verdict::Fail, refused.to_string()),
            (Ok(None), _) => (Verdict::Fail, format!("{name} is missing")),
            (Ok(Some(stated)), None) => (
                Verdict::Unknown,
                format!("{}; none expected", visible(&stated.join(", "))),
            ),
            (Ok(Some(stated)), Some(wanted)) => {
                let ours = stated.iter().any(|name| name == wanted);
                let text = visible(&stated.join(", "));
                if ours {
                    (Verdict::Pass, text)
                } else {
                    (Verdict::Fail, format!("{text}, not {wanted}"))
                }
            }
        };
        self.add(name, verdict, reason);
    }

    fn when(&mut self, name: &'static str, raw: Option<Raw<'_>>, known: &Known<'_>) {
        let Some(raw) = raw else {
            // Of the three, only `exp` is missed by every kind of token but one.
            let verdict = if name == "exp" {
                Verdict::Fail
            } else {
                Verdict::Pass
            };
            return self.add(name, verdict, "absent".to_owned());
        };
        let time = match expect::time(name, raw) {
            Ok(time) => time,
            Err(refused) => return self.add(name, Verdict::Fail, refused.to_string()),
        };
        let Some(now) = known.now else {
            let reason = format!("{}; the time is not given", time.seconds);
            return self.add(name, Verdict::Unknown, reason);
        };
        let leeway = i64::from(known.leeway);
        let good = if name == "exp" {
            time.is_after(now.saturating_sub(leeway))
        } else {
            !time.is_after(now.saturating_add(leeway))
        };
        let distance = match time.seconds.saturating_sub(now) {
            0 => "now".to_owned(),
            seconds @ 1.. => format!("{seconds} s from now"),
            seconds => format!("{} s ago", seconds.unsigned_abs()),
        };
        let verdict = if good { Verdict::Pass } else { Verdict::Fail };
        self.add(name, verdict, format!("{}, {distance}", time.seconds));
    }
}

#[cfg(test)]
mod tests;
