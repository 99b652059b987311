//! Why something was refused, grouped by whose fault it is.
//!
//! [`Malformed`]: the sender did not send a compact JWS. [`Forged`]: it is one, but no trusted key
//! made it. [`Refused`]: a trusted key made it, for someone else or for another time.
//! [`Misuse`]: the caller's own key, claims or policy cannot be used. Every error has a stable
//! [`code`](Error::code) for logs and metrics; texts may change, codes do not. No error carries
//! bytes of the token, so none can carry an attack into a log.

use std::borrow::Cow;

/// Why a token was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a compact JWS with a JSON header (and, for a JWT, JSON claims).
    #[error("malformed token: {0}")]
    Malformed(#[from] Malformed),
    /// No trusted key vouches for it.
    #[error("forged token: {0}")]
    Forged(#[from] Forged),
    /// Authentic, but a header field or claim rules it out.
    #[error("refused token: {0}")]
    Refused(#[from] Refused),
}

impl Error {
    /// Stable, dotted name of the reason, such as `forged.signature` or `refused.expired`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(reason) => reason.code(),
            Self::Forged(reason) => reason.code(),
            Self::Refused(reason) => reason.code(),
        }
    }

    /// The claim (or `typ`, `kid`) that ruled an authentic token out.
    pub fn claim(&self) -> Option<&str> {
        match self {
            Self::Refused(refused) => Some(refused.claim()),
            Self::Malformed(_) | Self::Forged(_) => None,
        }
    }
}

/// What is wrong with a text that should be one JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonFault {
    /// Bytes that are not UTF-8 (RFC 8725 section 3.7).
    #[error("not UTF-8")]
    NotUtf8,
    /// Not JSON as RFC 8259 has it, or something after the object's end.
    #[error("not JSON")]
    Syntax,
    /// JSON, but not an object.
    #[error("not an object")]
    NotObject,
    /// A member name twice in one object, compared after unescaping: two parsers would read two
    /// tokens.
    #[error("a member occurs twice")]
    Duplicate,
    /// Nested deeper than [`MAX_DEPTH`](crate::MAX_DEPTH).
    #[error("nested too deep")]
    TooDeep,
}

/// Why a text is not a compact JWS (RFC 7515 section 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Longer than [`MAX_TOKEN_BYTES`](crate::MAX_TOKEN_BYTES).
    #[error("too long")]
    TooLong,
    /// Not three parts with exactly two dots.
    #[error("not three parts")]
    NotThreeParts,
    /// A part is not canonical base64url: padding, another alphabet, blanks, stray bits.
    #[error("{0} is not canonical base64url")]
    Encoding(Part),
    /// The header or the claims are not one strict JSON object.
    #[error("{0}: {1}")]
    Json(Part, JsonFault),
    /// `alg` is missing, not a string, or not the exact name of an algorithm of this crate.
    #[error("alg is missing or unknown")]
    Algorithm,
    /// `kid` is not a string of 1 to 128 bytes.
    #[error("kid is not a short string")]
    KeyId,
    /// `typ` is not a string.
    #[error("typ is not a string")]
    Type,
    /// `crit` or `b64`: this crate understands no extension, so it refuses all (RFC 7515 4.1.11).
    #[error("an extension is marked critical")]
    Critical,
    /// `jwk`, `jku` or `x5u`: the token offers its own key.
    #[error("the token names its own key")]
    OffersKey,
    /// A DPoP proof whose `jwk` is missing, private, symmetric or not usable.
    #[error("the proof's jwk cannot be used")]
    ProofKey,
}

impl Malformed {
    /// Stable, dotted name of the reason.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLong => "malformed.too-long",
            Self::NotThreeParts => "malformed.parts",
            Self::Encoding(_) => "malformed.base64",
            Self::Json(_, JsonFault::NotUtf8) => "malformed.utf8",
            Self::Json(_, JsonFault::Syntax | JsonFault::NotObject) => "malformed.json",
            Self::Json(_, JsonFault::Duplicate) => "malformed.duplicate",
            Self::Json(_, JsonFault::TooDeep) => "malformed.depth",
            Self::Algorithm => "malformed.alg",
            Self::KeyId => "malformed.kid",
            Self::Type => "malformed.typ",
            Self::Critical => "malformed.crit",
            Self::OffersKey => "malformed.offers-key",
            Self::ProofKey => "malformed.proof-key",
        }
    }
}

/// One of the three parts of a compact JWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The first part: algorithm, type, key id.
    Header,
    /// The second part: the claims.
    Payload,
    /// The third part.
    Signature,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

/// Why no trusted key vouches for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Forged {
    /// The key id names no trusted key, or it is missing where a choice would be needed.
    #[error("no such key")]
    UnknownKey,
    /// The header's `alg` is not the one that the key is bound to.
    #[error("the key is bound to another algorithm")]
    WrongAlgorithm,
    /// The signature or MAC does not match.
    #[error("the signature does not match")]
    Signature,
}

impl Forged {
    /// Stable, dotted name of the reason.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownKey => "forged.unknown-key",
            Self::WrongAlgorithm => "forged.algorithm",
            Self::Signature => "forged.signature",
        }
    }
}

/// Which field rules an authentic token out, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{claim} {why}")]
pub struct Refused {
    claim: Cow<'static, str>,
    why: Why,
}

/// What is wrong with the field that [`Refused`] names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// Required and absent, or null.
    #[error("is missing")]
    Missing,
    /// Not of the type that its RFC gives it, or not a finite number before the year 10000.
    #[error("has the wrong type or is out of range")]
    Mistyped,
    /// Not the expected value.
    #[error("is not the expected one")]
    Unexpected,
    /// `exp` is not after now.
    #[error("has passed")]
    Expired,
    /// `nbf` or `iat` is after now.
    #[error("is in the future")]
    NotYet,
    /// The token lives longer than its class allows.
    #[error("is further away than this kind of token may live")]
    TooLong,
    /// This kind of token must not have it.
    #[error("is not allowed here")]
    Forbidden,
    /// The key that signed is not one of this issuer's (RFC 8725 section 3.8).
    #[error("does not belong to the key that signed")]
    OtherIssuersKey,
}

impl Refused {
    /// Names the field and what is wrong with it.
    pub fn new(claim: impl Into<Cow<'static, str>>, why: Why) -> Self {
        Self {
            claim: claim.into(),
            why,
        }
    }

    /// The name of the claim or header field.
    pub fn claim(&self) -> &str {
        &self.claim
    }

    /// What is wrong with it.
    pub fn why(&self) -> Why {
        self.why
    }

    /// Stable, dotted name of the reason.
    pub fn code(&self) -> &'static str {
        match self.why {
            Why::Missing => "refused.missing",
            Why::Mistyped => "refused.mistyped",
            Why::Unexpected => "refused.unexpected",
            Why::Expired => "refused.expired",
            Why::NotYet => "refused.not-yet",
            Why::TooLong => "refused.too-long-lived",
            Why::Forbidden => "refused.forbidden",
            Why::OtherIssuersKey => "refused.other-issuers-key",
        }
    }
}

/// The caller's own key, claims or policy cannot be used as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// The text is not a JWK, JWK set, PEM or DER of the expected kind.
    #[error("the key cannot be read: {0}")]
    UnreadableKey(&'static str),
    /// The key's type or curve does not fit the algorithm.
    #[error("the key does not fit the algorithm")]
    WrongKeyType,
    /// Too short, or known to be weak: HMAC below the hash's length, RSA below 2048 bits or with a
    /// bad exponent, a small-order Ed25519 point.
    #[error("the key is too weak: {0}")]
    WeakKey(&'static str),
    /// The JWK's `use`, `key_ops` or `alg` says that it is for something else.
    #[error("the key is declared for another use: {0}")]
    OtherUse(&'static str),
    /// A private key where a public one is expected: if it came from outside, it is burnt.
    #[error("a private key where a public key is expected")]
    PrivateKey,
    /// A symmetric key among public ones, or asked to be shown as one.
    #[error("a symmetric key is not a public key")]
    SymmetricKey,
    /// Two keys of one set share a key id.
    #[error("two keys share a key id")]
    DuplicateKeyId,
    /// A key id is missing, longer than 128 bytes, or has characters that need escaping.
    #[error("the key id is missing or not plain")]
    KeyId,
    /// The claims do not serialize to one JSON object, or the token would be too long.
    #[error("the claims cannot be written")]
    UnwritableClaims,
    /// A token with these claims would be refused by its own class.
    #[error("the claims break the rules of their token class: {0}")]
    Claims(Refused),
    /// The crypto library or its random source failed.
    #[error("the signature could not be made")]
    Signing,
}

impl Misuse {
    /// Stable, dotted name of the reason.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnreadableKey(_) => "misuse.unreadable-key",
            Self::WrongKeyType => "misuse.key-type",
            Self::WeakKey(_) => "misuse.weak-key",
            Self::OtherUse(_) => "misuse.key-use",
            Self::PrivateKey => "misuse.private-key",
            Self::SymmetricKey => "misuse.symmetric-key",
            Self::DuplicateKeyId => "misuse.duplicate-kid",
            Self::KeyId => "misuse.kid",
            Self::UnwritableClaims => "misuse.unwritable-claims",
            Self::Claims(_) => "misuse.claims",
            Self::Signing => "misuse.signing",
        }
    }
}
