//! From a text that claims something to a proof that a trusted key said it.

use std::borrow::Cow;
use std::ops::Deref;

use crate::algorithm::Algorithm;
use crate::base64url;
use crate::class::TokenClass;
use crate::error::{Error, Forged, JsonFault, Malformed, Part, Refused, Why};
use crate::expect::{self, Expect};
use crate::header::{Header, Text};
use crate::json::{Claims, ReadError};
use crate::key::{KeySource, VerifyingKey};

/// Longest token that is looked at, in bytes. Servers refuse request headers of this size anyway.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// A well-formed token of which nothing is known yet.
///
/// It shows only what is needed to choose a key. Parsing decodes the three parts into one buffer,
/// from which verified claims can borrow: keep it alive as long as them.
pub struct Unverified<'t> {
    pub(crate) signing_input: &'t str,
    /// Header, payload and signature, one after the other.
    pub(crate) decoded: Vec<u8>,
    pub(crate) payload_at: usize,
    pub(crate) signature_at: usize,
    pub(crate) header: Header,
}

impl<'t> Unverified<'t> {
    /// Reads a compact JWS (RFC 7515 section 7.1) strictly. Costs little for a token that is too
    /// long or has too many dots.
    pub fn parse(token: &'t str) -> Result<Self, Malformed> {
        Self::read(token, false)
    }

    /// `proof`: the header brings the key, as only a DPoP proof may.
    pub(crate) fn read(token: &'t str, proof: bool) -> Result<Self, Malformed> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Malformed::TooLong);
        }
        let mut decoded = Vec::with_capacity(base64url::decoded_len(token.len()));
        let mut decode = |text: &str, part| {
            let done = base64url::decode_onto(text.as_bytes(), &mut decoded);
            done.map(|()| decoded.len())
                .ok_or(Malformed::Encoding(part))
        };
        let (header, rest) = split(token).ok_or(Malformed::NotThreeParts)?;
        let (payload, signature) = split(rest).ok_or(Malformed::NotThreeParts)?;
        let payload_at = decode(header, Part::Header)?;
        let signature_at = decode(payload, Part::Payload)?;
        decode(signature, Part::Signature).map_err(|fault| {
            if signature.contains('.') {
                Malformed::NotThreeParts
            } else {
                fault
            }
        })?;
        let signing_end = header.len() + 1 + payload.len();

        let header_bytes = decoded.get(..payload_at).unwrap_or_default();
        let parsed = Header::read(header_bytes, proof)?;
        let signing_input = token.get(..signing_end);
        Ok(Self {
            signing_input: signing_input.unwrap_or_default(),
            decoded,
            payload_at,
            signature_at,
            header: parsed,
        })
    }

    /// The key id, a string of 1 to 128 bytes that may hold anything: never a path, never a query.
    pub fn kid(&self) -> Option<&str> {
        self.text(self.header.kid.as_ref())
    }

    /// The algorithm that the header claims. The key decides, the header only has to agree.
    pub fn algorithm(&self) -> Algorithm {
        self.header.algorithm
    }

    /// Verifies the signature and holds the claims against class `C` and `expect`.
    ///
    /// `keys` is a [`KeySet`](crate::KeySet), which finds the key by its id and nothing else, or a
    /// single [`VerifyingKey`].
    pub fn verify<'u, C: TokenClass>(
        &'u self,
        keys: &impl KeySource,
        expect: &Expect<'_>,
    ) -> Result<Verified<C::Claims<'u>>, Error> {
        // First what costs nothing to refuse.
        if !C::TYP.accepts(self.typ()) {
            return Err(Refused::new("typ", Why::Unexpected).into());
        }
        let key = self.authenticate(keys)?;
        let mut read = Claims::new();
        self.read_claims(&mut read)?;
        let claims = read.read().map_err(mistyped)?;
        let find = |name: &str| read.find(name).map(|raw| raw.text);
        expect::check::<C>(&read.registered, find, expect, key.kid())?;
        C::check(&claims, expect)?;
        Ok(Verified { claims })
    }

    /// Verifies the signature alone and hands out the payload's bytes: for a JWS that is no JWT.
    /// Nothing says whose it is, for whom, or how old.
    pub fn verify_payload(&self, keys: &impl KeySource) -> Result<Verified<&[u8]>, Error> {
        self.authenticate(keys)?;
        Ok(Verified {
            claims: self.payload(),
        })
    }

    pub(crate) fn typ(&self) -> Option<&str> {
        self.text(self.header.typ.as_ref())
    }

    pub(crate) fn header_bytes(&self) -> &[u8] {
        self.decoded.get(..self.payload_at).unwrap_or_default()
    }

    /// Reads the payload as one strict JSON object.
    #[inline]
    pub(crate) fn read_claims<'u>(&'u self, claims: &mut Claims<'u>) -> Result<(), Malformed> {
        let text = std::str::from_utf8(self.payload()).map_err(|_| JsonFault::NotUtf8);
        text.and_then(|text| claims.scan(text))
            .map_err(|fault| Malformed::Json(Part::Payload, fault))
    }

    pub(crate) fn authenticate<'k, K: KeySource>(
        &self,
        keys: &'k K,
    ) -> Result<&'k VerifyingKey, Forged> {
        let key = keys.find(self.kid()).ok_or(Forged::UnknownKey)?;
        if key.algorithm() != self.header.algorithm {
            return Err(Forged::WrongAlgorithm);
        }
        key.verify(self.signing_input.as_bytes(), self.signature())?;
        Ok(key)
    }

    fn payload(&self) -> &[u8] {
        self.decoded
            .get(self.payload_at..self.signature_at)
            .unwrap_or_default()
    }

    pub(crate) fn signature(&self) -> &[u8] {
        self.decoded.get(self.signature_at..).unwrap_or_default()
    }

    fn text<'u>(&'u self, text: Option<&'u Text>) -> Option<&'u str> {
        text?.within(self.header_bytes())
    }
}

/// What stands before and behind the first dot.
fn split(text: &str) -> Option<(&str, &str)> {
    let (part, rest) = text.split_at_checked(memchr::memchr(b'.', text.as_bytes())?)?;
    Some((part, rest.get(1..)?))
}

/// Claims that the caller's type cannot hold.
pub(crate) fn mistyped((error, current): (ReadError, Cow<'_, str>)) -> Error {
    match error {
        ReadError::Missing(name) => Refused::new(name, Why::Missing).into(),
        ReadError::Shape => Refused::new(current.into_owned(), Why::Mistyped).into(),
        ReadError::Fault(fault) => Malformed::Json(Part::Payload, fault).into(),
    }
}

/// Claims whose signature, type, issuer, audience and times were checked.
///
/// There is no other way to make one, so a function that asks for it cannot be called with claims
/// that nobody verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T> {
    claims: T,
}

impl<T> Verified<T> {
    /// The claims.
    pub fn claims(&self) -> &T {
        &self.claims
    }

    /// The claims, giving up the proof.
    pub fn into_claims(self) -> T {
        self.claims
    }

    /// Keeps the proof while the claims change their form, not their content.
    pub(crate) fn map<U>(self, form: impl FnOnce(T) -> U) -> Verified<U> {
        Verified {
            claims: form(self.claims),
        }
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.claims
    }
}

#[cfg(test)]
mod tests;
