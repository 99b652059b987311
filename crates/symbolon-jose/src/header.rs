//! The protected header: what may be read before anything is verified.

use std::borrow::Cow;
use std::ops::Range;

use crate::algorithm::Algorithm;
use crate::error::{JsonFault, Malformed, Part};
use crate::json::{ReadError, Reader, Seen};

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
        let text = std::str::from_utf8(header).map_err(|_| json(JsonFault::NotUtf8))?;
        let mut members = Members::default();
        members.read(text).map_err(|stop| match stop {
            Stop::Json(ReadError::Fault(fault)) => json(fault),
            Stop::Json(_) => json(JsonFault::Syntax),
            Stop::Header(malformed) => malformed,
        })?;
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
    Json(ReadError),
    Header(Malformed),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Json(error)
    }
}

impl Members {
    fn read(&mut self, text: &str) -> Result<(), Stop> {
        let mut reader = Reader::new(text);
        if reader.peek()? != b'{' {
            reader.skip_value()?;
            reader.end()?;
            return Err(Stop::Json(JsonFault::NotObject.into()));
        }
        reader.open(b'{')?;
        let mut seen = Seen::new();
        let mut first = true;
        while let Some(name) = reader.member(&mut first, &mut seen)? {
            match &*name {
                "alg" => {
                    let text = string(&mut reader, Malformed::Algorithm)?;
                    let algorithm = Algorithm::from_name(&text);
                    self.algorithm = Some(algorithm.ok_or(Stop::Header(Malformed::Algorithm))?);
                }
                "kid" => {
                    let text = string(&mut reader, Malformed::KeyId)?;
                    if !(1..=MAX_KID_BYTES).contains(&text.len()) {
                        return Err(Stop::Header(Malformed::KeyId));
                    }
                    self.kid = Some(place(text, &reader));
                }
                "typ" => {
                    let text = string(&mut reader, Malformed::Type)?;
                    self.typ = Some(place(text, &reader));
                }
                "jwk" => {
                    let start = reader.mark();
                    reader.skip_value()?;
                    self.jwk = Some(start..start + reader.since(start).len());
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
        Ok(())
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
