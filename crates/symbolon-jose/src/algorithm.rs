//! The one table of algorithms (RFC 7518, RFC 8037, RFC 9864).

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    self, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, RsaEncoding, RsaParameters,
};

/// A signature or MAC algorithm. A key is bound to exactly one; a token's header only has to agree.
///
/// There is no `none`, no ES256K (not in browsers or cloud key stores), no ES512.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256. The default here: every client library has it.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519 (RFC 8032). Read under both names, `Ed25519` and the older `EdDSA`.
    Ed25519,
    /// RSA PKCS#1 v1.5 with SHA-256, at least 2048 bits (as all RSA here).
    Rs256,
    /// RSA PKCS#1 v1.5 with SHA-384.
    Rs384,
    /// RSA PKCS#1 v1.5 with SHA-512.
    Rs512,
    /// RSA-PSS with SHA-256, MGF1 with SHA-256, 32 bytes of salt.
    Ps256,
    /// RSA-PSS with SHA-384 throughout.
    Ps384,
    /// RSA-PSS with SHA-512 throughout.
    Ps512,
    /// HMAC with SHA-256. Whoever can check can also sign.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
}

impl Algorithm {
    /// All of them, in the order of preference for new systems.
    pub const ALL: [Self; 12] = [
        Self::Es256,
        Self::Ed25519,
        Self::Es384,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    /// The name written in headers and JWKs.
    ///
    /// Ed25519 is written `EdDSA`, its older name: RFC 9864 prefers `Ed25519`, but most verifiers
    /// in use know only the older one, and an app must be able to check our tokens with a plain
    /// library.
    pub fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Ed25519 => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// The algorithm of exactly this name, case included. `None` for anything else.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "Ed25519" | "EdDSA" => Self::Ed25519,
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "HS256" => Self::Hs256,
            "HS384" => Self::Hs384,
            "HS512" => Self::Hs512,
            _ => return None,
        })
    }

    /// Whether the key that checks is the key that signs.
    pub fn is_symmetric(self) -> bool {
        matches!(self.family(), Family::Hmac(_))
    }

    pub(crate) fn family(self) -> Family {
        match self {
            Self::Es256 => Family::Ec(&P256),
            Self::Es384 => Family::Ec(&P384),
            Self::Ed25519 => Family::Ed25519,
            Self::Rs256 => Family::Rsa(&RS256),
            Self::Rs384 => Family::Rsa(&RS384),
            Self::Rs512 => Family::Rsa(&RS512),
            Self::Ps256 => Family::Rsa(&PS256),
            Self::Ps384 => Family::Rsa(&PS384),
            Self::Ps512 => Family::Rsa(&PS512),
            Self::Hs256 => Family::Hmac(hmac::HMAC_SHA256),
            Self::Hs384 => Family::Hmac(hmac::HMAC_SHA384),
            Self::Hs512 => Family::Hmac(hmac::HMAC_SHA512),
        }
    }
}

impl std::fmt::Display for Algorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What kind of key an algorithm takes, and what the crypto library needs to use it.
#[derive(Clone, Copy)]
pub(crate) enum Family {
    Ec(&'static Curve),
    Ed25519,
    Rsa(&'static RsaScheme),
    Hmac(hmac::Algorithm),
}

/// A NIST curve with the one hash that JOSE allows on it (RFC 7518 section 3.4).
pub(crate) struct Curve {
    /// `crv` in a JWK.
    pub(crate) name: &'static str,
    /// Bytes of a coordinate and of the private scalar.
    pub(crate) width: usize,
    /// DER of the curve's object identifier, tag and length included.
    pub(crate) oid: &'static [u8],
    pub(crate) verify: &'static EcdsaVerificationAlgorithm,
    pub(crate) sign: &'static EcdsaSigningAlgorithm,
}

static P256: Curve = Curve {
    name: "P-256",
    width: 32,
    oid: &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
    verify: &signature::ECDSA_P256_SHA256_FIXED,
    sign: &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
};

static P384: Curve = Curve {
    name: "P-384",
    width: 48,
    oid: &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22],
    verify: &signature::ECDSA_P384_SHA384_FIXED,
    sign: &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
};

/// An RSA padding with its hash.
pub(crate) struct RsaScheme {
    pub(crate) verify: &'static RsaParameters,
    pub(crate) sign: &'static dyn RsaEncoding,
}

static RS256: RsaScheme = RsaScheme {
    verify: &signature::RSA_PKCS1_2048_8192_SHA256,
    sign: &signature::RSA_PKCS1_SHA256,
};
static RS384: RsaScheme = RsaScheme {
    verify: &signature::RSA_PKCS1_2048_8192_SHA384,
    sign: &signature::RSA_PKCS1_SHA384,
};
static RS512: RsaScheme = RsaScheme {
    verify: &signature::RSA_PKCS1_2048_8192_SHA512,
    sign: &signature::RSA_PKCS1_SHA512,
};
static PS256: RsaScheme = RsaScheme {
    verify: &signature::RSA_PSS_2048_8192_SHA256,
    sign: &signature::RSA_PSS_SHA256,
};
static PS384: RsaScheme = RsaScheme {
    verify: &signature::RSA_PSS_2048_8192_SHA384,
    sign: &signature::RSA_PSS_SHA384,
};
static PS512: RsaScheme = RsaScheme {
    verify: &signature::RSA_PSS_2048_8192_SHA512,
    sign: &signature::RSA_PSS_SHA512,
};
