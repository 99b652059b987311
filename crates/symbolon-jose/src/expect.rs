//! What the caller expects of a token, and the checks that hold it against the claims.

use std::borrow::Cow;

use crate::class::{Lifetime, TokenClass};
use crate::error::{JsonFault, Refused, Why};
use crate::json::{Number, Raw, Reader, Registered};

/// The expectations that no caller may leave out: who issued it, for whom, and what time it is.
#[derive(Debug, Clone, Copy)]
pub struct Expect<'a> {
    issuer: Issuer<'a>,
    audience: Names<'a>,
    now: i64,
    leeway: u8,
    required: &'a [&'a str],
}

impl<'a> Expect<'a> {
    /// `issuer` and `audience` as they stand in the token, compared byte by byte; `now` in whole
    /// unix seconds; `leeway` in seconds, for clocks that disagree: 0 where one machine issues and
    /// checks, 5 between machines that keep time.
    pub fn new(
        issuer: impl Into<Issuer<'a>>,
        audience: impl Into<Names<'a>>,
        now: i64,
        leeway: u8,
    ) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            now,
            leeway,
            required: &[],
        }
    }

    /// Asks for more claims than the token class does.
    #[must_use]
    pub fn require(mut self, claims: &'a [&'a str]) -> Self {
        self.required = claims;
        self
    }

    /// Whether `name` is one of the audiences that we answer to.
    pub fn is_audience(&self, name: &str) -> bool {
        self.audience.contains(name)
    }

    /// The time that was passed in, in unix seconds.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// The tolerance that was passed in, in seconds.
    pub fn leeway(&self) -> u8 {
        self.leeway
    }
}

/// Whose tokens are taken.
#[derive(Debug, Clone, Copy)]
pub enum Issuer<'a> {
    /// This one's, signed by any of the trusted keys.
    One(&'a str),
    /// Several issuers', each with its own keys only (RFC 8725 section 3.8). A key that two
    /// issuers share must be listed for both.
    Each(&'a [IssuerKeys<'a>]),
}

/// An issuer and the ids of the keys that are its own.
#[derive(Debug, Clone, Copy)]
pub struct IssuerKeys<'a> {
    /// The issuer as it stands in `iss`.
    pub issuer: &'a str,
    /// The ids of its keys.
    pub kids: &'a [&'a str],
}

impl<'a> From<&'a str> for Issuer<'a> {
    fn from(issuer: &'a str) -> Self {
        Self::One(issuer)
    }
}

impl<'a> From<&'a String> for Issuer<'a> {
    fn from(issuer: &'a String) -> Self {
        Self::One(issuer)
    }
}

impl<'a> From<&'a [IssuerKeys<'a>]> for Issuer<'a> {
    fn from(issuers: &'a [IssuerKeys<'a>]) -> Self {
        Self::Each(issuers)
    }
}

/// One name or a choice of names.
#[derive(Debug, Clone, Copy)]
pub enum Names<'a> {
    /// Exactly this one.
    One(&'a str),
    /// Any of these.
    AnyOf(&'a [&'a str]),
}

impl Names<'_> {
    fn contains(&self, name: &str) -> bool {
        match self {
            Self::One(one) => *one == name,
            Self::AnyOf(names) => names.contains(&name),
        }
    }
}

impl<'a> From<&'a str> for Names<'a> {
    fn from(name: &'a str) -> Self {
        Self::One(name)
    }
}

impl<'a> From<&'a String> for Names<'a> {
    fn from(name: &'a String) -> Self {
        Self::One(name)
    }
}

impl<'a> From<&'a [&'a str]> for Names<'a> {
    fn from(names: &'a [&'a str]) -> Self {
        Self::AnyOf(names)
    }
}

/// Holds claims, read but not yet handed out, against class and expectations.
/// `find` gives the text of any claim's value; `kid` is the id of the key that verified the
/// signature.
pub(crate) fn check<'c, C: TokenClass>(
    claims: &Registered<Raw<'_>>,
    find: impl Fn(&str) -> Option<&'c str>,
    expect: &Expect<'_>,
    kid: Option<&str>,
) -> Result<(), Refused> {
    let iss = string("iss", claims.iss.ok_or(Refused::new("iss", Why::Missing))?)?;
    check_issuer(&iss, expect, kid)?;
    check_audience(claims.aud, expect)?;
    for (name, raw) in [("sub", claims.sub), ("jti", claims.jti)] {
        if raw.is_some_and(|raw| !raw.is_string()) {
            return Err(Refused::new(name, Why::Mistyped));
        }
    }
    check_times(claims, C::LIFETIME, expect)?;
    for name in C::REQUIRED.iter().chain(expect.required) {
        if find(name).is_none_or(|text| text == "null") {
            return Err(Refused::new((*name).to_owned(), Why::Missing));
        }
    }
    for name in C::FORBIDDEN {
        if find(name).is_some() {
            return Err(Refused::new(*name, Why::Forbidden));
        }
    }
    Ok(())
}

/// Holds claims that are about to be signed against their class, with the expectations of a reader
/// whom they name, at the moment at which they begin.
pub(crate) fn check_own<'c, C: TokenClass>(
    registered: &Registered<Raw<'_>>,
    find: impl Fn(&str) -> Option<&'c str>,
    claims: &C::Claims<'_>,
) -> Result<(), Refused> {
    let seconds = |name, raw: Option<Raw<'_>>| raw.map(|raw| time(name, raw)).transpose();
    let (iat, nbf) = (
        seconds("iat", registered.iat)?,
        seconds("nbf", registered.nbf)?,
    );
    let exp: Option<Time> = seconds("exp", registered.exp)?;
    let start = iat.into_iter().chain(nbf).map(|time| time.seconds).max();
    let now = start.or(exp.map(|exp| exp.seconds - 1)).unwrap_or(0);

    let iss = registered.iss.ok_or(Refused::new("iss", Why::Missing))?;
    let iss = string("iss", iss)?;
    let own = |names: Names<'_>| {
        let expect = Expect::new(&*iss, names, now, 0);
        check::<C>(registered, &find, &expect, None)?;
        C::check(claims, &expect)
    };
    // A single name, as most tokens have, needs no list.
    if let Some(name) = registered.aud.and_then(Raw::string) {
        return own(Names::One(&name));
    }
    let mut names = Vec::new();
    audience(registered.aud, |name| names.push(name))?;
    let names: Vec<&str> = names.iter().map(|name| &**name).collect();
    own(Names::AnyOf(&names))
}

fn check_issuer(iss: &str, expect: &Expect<'_>, kid: Option<&str>) -> Result<(), Refused> {
    match expect.issuer {
        Issuer::One(issuer) if iss == issuer => Ok(()),
        Issuer::One(_) => Err(Refused::new("iss", Why::Unexpected)),
        Issuer::Each(issuers) => {
            let mut known = false;
            for entry in issuers.iter().filter(|entry| entry.issuer == iss) {
                known = true;
                if kid.is_some_and(|kid| entry.kids.contains(&kid)) {
                    return Ok(());
                }
            }
            Err(Refused::new(
                "iss",
                if known {
                    Why::OtherIssuersKey
                } else {
                    Why::Unexpected
                },
            ))
        }
    }
}

fn check_audience(raw: Option<Raw<'_>>, expect: &Expect<'_>) -> Result<(), Refused> {
    let mut ours = false;
    audience(raw, |name| ours |= expect.is_audience(&name))?;
    if ours {
        Ok(())
    } else {
        Err(Refused::new("aud", Why::Unexpected))
    }
}

/// RFC 7519 section 4.1.3: a string or an array of strings.
pub(crate) fn audience<'a>(
    raw: Option<Raw<'a>>,
    mut each: impl FnMut(Cow<'a, str>),
) -> Result<(), Refused> {
    let raw = raw.ok_or(Refused::new("aud", Why::Missing))?;
    if !raw.text.starts_with('[') {
        each(string("aud", raw)?);
        return Ok(());
    }
    let mut reader = Reader::new(raw.text);
    let mut read = || {
        let mut first = true;
        reader.open(b'[')?;
        while reader.another(&mut first, b']')? {
            each(reader.string()?);
        }
        Ok(())
    };
    read().map_err(|_: JsonFault| Refused::new("aud", Why::Mistyped))
}

fn check_times(
    claims: &Registered<Raw<'_>>,
    lifetime: Lifetime,
    expect: &Expect<'_>,
) -> Result<(), Refused> {
    let leeway = i64::from(expect.leeway);
    let (earliest, latest) = (
        expect.now.saturating_sub(leeway),
        expect.now.saturating_add(leeway),
    );
    let exp = claims.exp.map(|raw| time("exp", raw)).transpose()?;
    let nbf = claims.nbf.map(|raw| time("nbf", raw)).transpose()?;
    let iat = claims.iat.map(|raw| time("iat", raw)).transpose()?;

    // RFC 7519 4.1.4: "on or after which" it must not be accepted.
    if exp.is_some_and(|exp| !exp.is_after(earliest)) {
        return Err(Refused::new("exp", Why::Expired));
    }
    if nbf.is_some_and(|nbf| nbf.is_after(latest)) {
        return Err(Refused::new("nbf", Why::NotYet));
    }
    // A token from the future would outlive every "revoke all before now".
    if iat.is_some_and(|iat| iat.is_after(latest)) {
        return Err(Refused::new("iat", Why::NotYet));
    }
    match lifetime {
        Lifetime::Expires { longest } => {
            let exp = exp.ok_or(Refused::new("exp", Why::Missing))?;
            let start = iat.map_or(latest, |iat| iat.seconds);
            if exp.is_after(start.saturating_add_unsigned(longest)) {
                return Err(Refused::new("exp", Why::TooLong));
            }
        }
        Lifetime::Fresh { longest } => {
            let iat = iat.ok_or(Refused::new("iat", Why::Missing))?;
            if !iat.is_after(earliest.saturating_sub_unsigned(longest)) {
                return Err(Refused::new("iat", Why::Expired));
            }
        }
    }
    Ok(())
}

/// The string that a claim must be.
pub(crate) fn string<'a>(name: &'static str, raw: Raw<'a>) -> Result<Cow<'a, str>, Refused> {
    raw.string().ok_or(Refused::new(name, Why::Mistyped))
}

/// A `NumericDate` (RFC 7519 section 2): seconds since 1970, possibly with a fraction.
#[derive(Clone, Copy)]
pub(crate) struct Time {
    /// Rounded down.
    pub(crate) seconds: i64,
    fraction: bool,
}

/// 9999-12-31T23:59:59Z.
const LATEST: i64 = 253_402_300_799;
/// 0001-01-01T00:00:00Z.
const EARLIEST: i64 = -62_135_596_800;

impl Time {
    /// Whether it lies after a whole second.
    pub(crate) fn is_after(self, second: i64) -> bool {
        self.seconds > second || (self.seconds == second && self.fraction)
    }
}

pub(crate) fn time(name: &'static str, raw: Raw<'_>) -> Result<Time, Refused> {
    let mistyped = || Refused::new(name, Why::Mistyped);
    let (seconds, fraction) = match raw.number().ok_or_else(mistyped)? {
        Number::Unsigned(seconds) => (i64::try_from(seconds).map_err(|_| mistyped())?, false),
        Number::Signed(seconds) => (seconds, false),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "the range is checked first, and below 2^53 a double holds whole seconds exactly"
        )]
        Number::Float(seconds) => {
            if !(EARLIEST as f64..=LATEST as f64 + 1.0).contains(&seconds) {
                return Err(mistyped());
            }
            (seconds.floor() as i64, seconds.fract() != 0.0)
        }
    };
    if (EARLIEST..=LATEST).contains(&seconds) {
        Ok(Time { seconds, fraction })
    } else {
        Err(mistyped())
    }
}

#[cfg(test)]
mod tests;
