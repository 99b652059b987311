//! The protected header: what may be read before anything is verified.

use std::borrow::Cow;
use std::ops::Range;

use crate::algorithm::Algorithm;
use crate::error::{JsonFault, Malformed, Part};
use crate::json::{Reader, Seen};

/// Longest key id, in bytes.
pub(crate) const MAX_KID_BYTES: usize = 128;

/// The members of a header that this crate knows. Unknown ones are ignored (RFC 7515 section 4).
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<Text>,
    pub(crate) typ: Option<Text>,
    /// Where the public key of a DPoP proof stands.
    pub(crate) jwk: Option<Range<usize>>,
}

/// A string of the header: a place in it, or its own text if it was written with escapes.
pub(crate) enum Text {
    At(Range<usize>),
    Own(Box<str>),
}

impl Text {
    /// The string, given the header that it was read from.
    pub(crate) fn within<'h>(&'h self, header: &'h [u8]) -> Option<&'h str> {
        match self {
            Self::At(range) => {
                std::str::from_utf8(header.get(range.clone()).unwrap_or_default()).ok()
            }
            Self::Own(text) => Some(text),
        }
    }
}

impl Header {
    /// Reads the header. `proof` says that the token brings its own key, as only a DPoP proof may.
    pub(crate) fn read(header: &[u8], proof: bool) -> Result<Self, Malformed> {
        let json = |fault| Malformed::Json(Part::Header, fault);
        let members = if let Some(members) = usual(header) {
            members
        } else {
            let text = std::str::from_utf8(header).map_err(|_| json(JsonFault::NotUtf8))?;
            Members::read(text).map_err(|stop| match stop {
                Stop::Json(fault) => json(fault),
                Stop::Header(malformed) => malformed,
            })?
        };
        if members.jwk.is_some() != proof {
            return Err(if proof {
                Malformed::ProofKey
            } else {
                Malformed::OffersKey
            });
        }
        Ok(Self {
            algorithm: members.algorithm.ok_or(Malformed::Algorithm)?,
            kid: members.kid,
            typ: members.typ,
            jwk: members.jwk,
        })
    }
}

#[derive(Default)]
struct Members {
    algorithm: Option<Algorithm>,
    kid: Option<Text>,
    typ: Option<Text>,
    jwk: Option<Range<usize>>,
}

/// Reading stops for the JSON or for what it says.
enum Stop {
    Json(JsonFault),
    Header(Malformed),
}

impl From<JsonFault> for Stop {
    fn from(fault: JsonFault) -> Self {
        Self::Json(fault)
    }
}

impl Members {
    fn read(text: &str) -> Result<Self, Stop> {
        let mut members = Self::default();
        let mut reader = Reader::new(text);
        if reader.peek()? != b'{' {
            reader.skip_value()?;
            reader.end()?;
            return Err(Stop::Json(JsonFault::NotObject));
        }
        reader.open(b'{')?;
        let mut seen = Seen::new();
        let mut first = true;
        while let Some((name, _)) = reader.member(&mut first, &mut seen)? {
            match &*name {
                "alg" => {
                    let text = string(&mut reader, Malformed::Algorithm)?;
                    let algorithm = Algorithm::from_name(&text);
                    members.algorithm = Some(algorithm.ok_or(Stop::Header(Malformed::Algorithm))?);
                }
                "kid" => {
                    let text = string(&mut reader, Malformed::KeyId)?;
                    if !(1..=MAX_KID_BYTES).contains(&text.len()) {
                        return Err(Stop::Header(Malformed::KeyId));
                    }
                    members.kid = Some(place(text, &reader));
                }
                "typ" => {
                    let text = string(&mut reader, Malformed::Type)?;
                    members.typ = Some(place(text, &reader));
                }
                "jwk" => {
                    let start = reader.mark();
                    reader.skip_value()?;
                    members.jwk = Some(start..start + reader.since(start).len());
                }
                // A key that the token brings along or points at is the attacker's
                // (CVE-2018-0114); certificates and thumbprints beside a kid (`x5c`, `x5t`) are
                // common and harmless, as nothing reads them.
                "jku" | "x5u" => return Err(Stop::Header(Malformed::OffersKey)),
                // RFC 7515 4.1.11: what is critical and not understood must be refused; nothing is
                // understood. `b64` (RFC 7797) without `crit` would be read two ways.
                "crit" | "b64" => return Err(Stop::Header(Malformed::Critical)),
                _ => reader.skip_value()?,
            }
        }
        reader.end()?;
        Ok(members)
    }
}

/// Reads the header that nearly every token has, at a third of the cost: `alg`, `typ` and `kid` as
/// plain strings, in any order and without white space. `None` for any other: whatever this
/// accepts, [`Members::read`] reads alike (a test holds them against each other).
fn usual(header: &[u8]) -> Option<Members> {
    let mut members = Members::default();
    let mut rest = header.strip_prefix(b"{")?;
    loop {
        let (name, after) = rest.split_first_chunk::<7>()?;
        let length = after.iter().position(|byte| *byte == b'"')?;
        let (value, after) = after.split_at_checked(length)?;
        let plain = |byte: &u8| matches!(byte, b' '..=b'~') && *byte != b'\\';
        if !value.iter().all(plain) {
            return None;
        }
        let start = header.len() - after.len() - length;
        let place = Text::At(start..start + length);
        match name {
            b"\"alg\":\"" if members.algorithm.is_none() => {
                let name = std::str::from_utf8(value).ok()?;
                members.algorithm = Some(Algorithm::from_name(name)?);
            }
            b"\"kid\":\"" if members.kid.is_none() && (1..=MAX_KID_BYTES).contains(&length) => {
                members.kid = Some(place);
            }
            b"\"typ\":\"" if members.typ.is_none() => members.typ = Some(place),
            _ => return None,
        }
        match after {
            b"\"}" => return Some(members),
            [b'"', b',', after @ ..] => rest = after,
            _ => return None,
        }
    }
}

fn string<'a>(reader: &mut Reader<'a>, otherwise: Malformed) -> Result<Cow<'a, str>, Stop> {
    if reader.peek()? == b'"' {
        Ok(reader.string()?)
    } else {
        Err(Stop::Header(otherwise))
    }
}

/// Where the string just read stands.
fn place(text: Cow<'_, str>, reader: &Reader<'_>) -> Text {
    match text {
        Cow::Borrowed(text) => {
            // The reader stands behind the closing quote.
            let end = reader.position().saturating_sub(1);
            Text::At(end.saturating_sub(text.len())..end)
        }
        Cow::Owned(text) => Text::Own(text.into_boxed_str()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What both ways make of a header, in a form that can be compared.
    fn shown(members: Members, header: &[u8]) -> String {
        let text = |text: Option<Text>| text.map(|text| text.within(header).map(str::to_owned));
        let (kid, typ) = (text(members.kid), text(members.typ));
        format!("{:?} {kid:?} {typ:?} {:?}", members.algorithm, members.jwk)
    }

    fn agree(header: &str) {
        if let Some(fast) = usual(header.as_bytes()) {
            let slow = Members::read(header).map(|slow| shown(slow, header.as_bytes()));
            let fast = Some(shown(fast, header.as_bytes()));
            assert_eq!(fast, slow.ok(), "{header}");
        }
    }

    #[test]
    fn the_usual_header_takes_the_fast_way() {
        for header in [
            r#"{"alg":"ES256"}"#,
            r#"{"alg":"ES256","typ":"at+jwt","kid":"k1"}"#,
            r#"{"kid":"k 1","alg":"HS512","typ":""}"#,
        ] {
            assert!(usual(header.as_bytes()).is_some(), "{header}");
            agree(header);
        }
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"ES256","alg":"ES256"}"#,
            r#"{"alg":"ES256","kid":"a","kid":"a"}"#,
            r#"{"alg":"ES256","kid":""}"#,
            r#"{"alg":"ES256",}"#,
            r#"{"alg":"ES256"}}"#,
            r#"{"alg":"ES256"} "#,
            r#"{"alg":"ES256","kid":"a\u0041"}"#,
            r#"{"alg":"ES256","kid":"é"}"#,
            r#"{"alg":"ES256","b64":"x"}"#,
            "{\"alg\":\"ES256\",\"kid\":\"\n\"}",
            "{}",
            "",
        ] {
            assert!(usual(header.as_bytes()).is_none(), "{header}");
        }
    }

    proptest! {
        #[test]
        fn both_ways_agree(
            members in prop::collection::vec(
                ("(alg|kid|typ|jwk|x)", "(ES256|none|at.jwt|[ -~]{0,4}|.{0,3})"), 0..5,
            ),
            tail in "(|,|\\}|x)",
        ) {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
            agree(&format!("{{{}}}{tail}", members.join(",")));
        }
    }
}
