//! The key that checks.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::ParsedPublicKey;

use super::jwk::{self, Jwk, Operation};
use super::public::Public;
use super::{der, pem, strength};
use crate::algorithm::{Algorithm, Family};
use crate::error::{Forged, Misuse};
use crate::header::MAX_KID_BYTES;

/// A public key, or a shared secret, bound to one algorithm.
///
/// It has no `Debug`, as it may hold a secret. Cloning is cheap.
#[derive(Clone)]
pub struct VerifyingKey {
    algorithm: Algorithm,
    kid: Option<Box<str>>,
    inner: Inner,
}

#[derive(Clone)]
enum Inner {
    Public {
        parsed: ParsedPublicKey,
        public: Public,
    },
    Secret(Box<hmac::Key>),
}

impl VerifyingKey {
    /// Reads a public JWK (RFC 7517), or a symmetric one for an HMAC algorithm. Its `alg`, `use`
    /// and `key_ops`, where present, must allow verifying with `algorithm`. A private key is
    /// refused: load it as a [`SigningKey`](super::SigningKey).
    pub fn from_jwk(algorithm: Algorithm, json: &str) -> Result<Self, Misuse> {
        Self::from_parsed_jwk(algorithm, &Jwk::read(json)?)
    }

    pub(super) fn from_parsed_jwk(algorithm: Algorithm, jwk: &Jwk<'_>) -> Result<Self, Misuse> {
        jwk.allows(algorithm, Operation::Verify)?;
        let kid = jwk.kid()?;
        if let Family::Hmac(hmac) = algorithm.family() {
            let secret = jwk.secret()?;
            strength::check_secret(&secret, algorithm)?;
            return Ok(Self::from_hmac(
                algorithm,
                hmac::Key::new(hmac, &secret),
                kid,
            ));
        }
        if jwk.is_private() {
            return Err(Misuse::PrivateKey);
        }
        Self::from_public(algorithm, jwk.public(algorithm)?, kid)
    }

    /// Reads a PEM block `PUBLIC KEY` (RFC 7468) or `RSA PUBLIC KEY`. There are no HMAC secrets in
    /// PEM. The key has no id; see [`Self::with_kid`].
    pub fn from_pem(algorithm: Algorithm, text: &str) -> Result<Self, Misuse> {
        let block = pem::decode(text)?;
        match block.label {
            "PUBLIC KEY" => Self::from_der(algorithm, &block.der),
            "RSA PUBLIC KEY" => {
                let public = der::read_rsa_public(&block.der)?;
                Self::from_public(algorithm, public, None)
            }
            "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" => Err(Misuse::PrivateKey),
            _ => Err(Misuse::UnreadableKey("PEM label")),
        }
    }

    /// Reads a DER `SubjectPublicKeyInfo` (RFC 5280). The key has no id; see [`Self::with_kid`].
    pub fn from_der(algorithm: Algorithm, spki: &[u8]) -> Result<Self, Misuse> {
        Self::from_public(algorithm, der::read_spki(spki)?, None)
    }

    /// Gives the key an id of 1 to 128 bytes.
    pub fn with_kid(mut self, kid: &str) -> Result<Self, Misuse> {
        if !(1..=MAX_KID_BYTES).contains(&kid.len()) {
            return Err(Misuse::KeyId);
        }
        self.kid = Some(kid.into());
        Ok(self)
    }

    /// The same key, with its thumbprint for an id if it has none.
    pub(super) fn with_thumbprint_unless_named(self) -> Result<Self, Misuse> {
        if self.kid.is_some() {
            return Ok(self);
        }
        let kid = self.thumbprint().map_err(|_| Misuse::KeyId)?;
        self.with_kid(&kid)
    }

    pub(super) fn from_public(
        algorithm: Algorithm,
        public: Public,
        kid: Option<Box<str>>,
    ) -> Result<Self, Misuse> {
        let parsed = public.prepare(algorithm)?;
        Ok(Self {
            algorithm,
            kid,
            inner: Inner::Public { parsed, public },
        })
    }

    /// The caller has checked the secret's length.
    pub(super) fn from_hmac(algorithm: Algorithm, key: hmac::Key, kid: Option<Box<str>>) -> Self {
        Self {
            algorithm,
            kid,
            inner: Inner::Secret(Box::new(key)),
        }
    }

    /// The algorithm that the key is bound to.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The id by which tokens name it.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The key as a public JWK with `alg`, `kid` and `use`. A symmetric key has none.
    pub fn to_jwk(&self) -> Result<String, Misuse> {
        Ok(jwk::write_public(
            self.public()?,
            self.algorithm,
            self.kid(),
        ))
    }

    /// The key as a JWK with the required members only, for a DPoP proof's header.
    pub(crate) fn to_bare_jwk(&self) -> Result<String, Misuse> {
        Ok(jwk::required_members(self.public()?))
    }

    /// The key as DER `SubjectPublicKeyInfo`. A symmetric key has none.
    pub fn to_der(&self) -> Result<Vec<u8>, Misuse> {
        Ok(der::write_spki(self.public()?))
    }

    /// The key as a PEM block `PUBLIC KEY`. A symmetric key has none.
    pub fn to_pem(&self) -> Result<String, Misuse> {
        Ok(pem::encode("PUBLIC KEY", &self.to_der()?)
            .as_str()
            .to_owned())
    }

    /// The SHA-256 thumbprint of RFC 7638, in base64url. A symmetric key has none here, as its
    /// thumbprint would be a hash of the secret.
    pub fn thumbprint(&self) -> Result<String, Misuse> {
        Ok(jwk::thumbprint(self.public()?))
    }

    /// Checks a signature or MAC, the latter in constant time.
    pub(crate) fn verify(&self, input: &[u8], signature: &[u8]) -> Result<(), Forged> {
        match &self.inner {
            Inner::Public { parsed, .. } => parsed.verify_sig(input, signature),
            Inner::Secret(key) => hmac::verify(key, input, signature),
        }
        .map_err(|_| Forged::Signature)
    }

    fn public(&self) -> Result<&Public, Misuse> {
        match &self.inner {
            Inner::Public { public, .. } => Ok(public),
            Inner::Secret(_) => Err(Misuse::SymmetricKey),
        }
    }
}
