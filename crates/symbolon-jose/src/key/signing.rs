//! The key that signs.

use std::borrow::Cow;
use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsBigEndian, AsDer, Curve25519SeedBin, EcPrivateKeyBin, Pkcs8V1Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SecureRandom;
use aws_lc_rs::rsa::{KeyPairComponents, KeySize};
use aws_lc_rs::signature::{
    EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair, RsaPublicKeyComponents,
};
use zeroize::Zeroizing;

use super::jwk::{self, Jwk, Operation, number};
use super::public::Public;
use super::{VerifyingKey, der, pem, strength};
use crate::algorithm::{Algorithm, Family, RsaScheme};
use crate::base64url;
use crate::error::Misuse;
use crate::header::MAX_KID_BYTES;
use crate::sign;

/// A private key or shared secret, bound to one algorithm, with the id that tokens name it by.
///
/// It has no `Debug`, no `Serialize` and no `==`, and its memory is overwritten when it is dropped.
/// It leaves only by methods called `dangerous_*`.
pub struct SigningKey {
    algorithm: Algorithm,
    kid: Box<str>,
    inner: Inner,
    public: Option<Public>,
    headers: Headers,
}

/// The encoded headers of the kinds of token that the key has signed, each made once. One that
/// finds no place is made each time.
type Headers = [OnceLock<(&'static str, String)>; 4];

enum Inner {
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair, &'static RsaScheme),
    Hmac {
        key: Box<hmac::Key>,
        secret: Zeroizing<Vec<u8>>,
    },
}

impl SigningKey {
    /// Makes a new key. Its id is its thumbprint, or a random one for HMAC. RSA keys have 3072
    /// bits, the strength of the other algorithms (NIST SP 800-57).
    ///
    /// All randomness comes from `rng`, except for RSA, whose primes the crypto library draws by
    /// itself.
    pub fn generate(algorithm: Algorithm, rng: &dyn SecureRandom) -> Result<Self, Misuse> {
        let failed = |_| Misuse::Signing;
        match algorithm.family() {
            Family::Ec(curve) => {
                // A scalar out of range is refused, about once in 2^32 tries on P-256.
                for _ in 0..64 {
                    let mut scalar = Zeroizing::new(vec![0; curve.width]);
                    rng.fill(&mut scalar).map_err(failed)?;
                    let private = der::write_ec_private(curve, &scalar);
                    if let Ok(pair) = EcdsaKeyPair::from_private_key_der(curve.sign, &private) {
                        return Self::assemble(algorithm, None, Inner::Ec(pair));
                    }
                }
                Err(Misuse::Signing)
            }
            Family::Ed25519 => {
                let mut seed = Zeroizing::new([0; 32]);
                rng.fill(seed.as_mut()).map_err(failed)?;
                let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_ref());
                let pair = pair.map_err(|_| Misuse::Signing)?;
                Self::assemble(algorithm, None, Inner::Ed25519(pair))
            }
            Family::Rsa(scheme) => {
                let pair = RsaKeyPair::generate(KeySize::Rsa3072).map_err(failed)?;
                Self::assemble(algorithm, None, Inner::Rsa(pair, scheme))
            }
            Family::Hmac(hmac) => {
                let mut secret = Zeroizing::new(vec![0; hmac.tag_len()]);
                let mut id = [0; 16];
                rng.fill(&mut secret).map_err(failed)?;
                rng.fill(&mut id).map_err(failed)?;
                Self::from_secret(algorithm, &base64url::encode(&id), &secret)
            }
        }
    }

    /// Takes a shared secret for an HMAC algorithm: at least as long as the hash, and random.
    pub fn from_secret(algorithm: Algorithm, kid: &str, secret: &[u8]) -> Result<Self, Misuse> {
        let Family::Hmac(hmac) = algorithm.family() else {
            return Err(Misuse::WrongKeyType);
        };
        strength::check_secret(secret, algorithm)?;
        let inner = Inner::Hmac {
            key: Box::new(hmac::Key::new(hmac, secret)),
            secret: Zeroizing::new(secret.to_vec()),
        };
        Self::assemble(algorithm, Some(kid.into()), inner)
    }

    /// Reads a private key in PKCS#8 DER (RFC 5958), unencrypted. Its id is its thumbprint; see
    /// [`Self::with_kid`].
    pub fn from_pkcs8_der(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, Misuse> {
        let unreadable = |_| Misuse::UnreadableKey("PKCS#8");
        if !der::is_one_sequence(pkcs8) {
            return Err(Misuse::UnreadableKey("PKCS#8"));
        }
        let inner = match algorithm.family() {
            Family::Ec(curve) => {
                Inner::Ec(EcdsaKeyPair::from_pkcs8(curve.sign, pkcs8).map_err(unreadable)?)
            }
            Family::Ed25519 => {
                Inner::Ed25519(Ed25519KeyPair::from_pkcs8(pkcs8).map_err(unreadable)?)
            }
            Family::Rsa(scheme) => {
                Inner::Rsa(RsaKeyPair::from_pkcs8(pkcs8).map_err(unreadable)?, scheme)
            }
            Family::Hmac(_) => return Err(Misuse::WrongKeyType),
        };
        Self::assemble(algorithm, None, inner)
    }

    /// Reads a PEM block `PRIVATE KEY` (PKCS#8), or the older `EC PRIVATE KEY` and
    /// `RSA PRIVATE KEY`.
    pub fn from_pem(algorithm: Algorithm, text: &str) -> Result<Self, Misuse> {
        let unreadable = |_| Misuse::UnreadableKey("private key");
        let block = pem::decode(text)?;
        if !der::is_one_sequence(&block.der) {
            return Err(Misuse::UnreadableKey("private key"));
        }
        let inner = match (block.label, algorithm.family()) {
            ("PRIVATE KEY", _) => return Self::from_pkcs8_der(algorithm, &block.der),
            ("EC PRIVATE KEY", Family::Ec(curve)) => {
                let pair = EcdsaKeyPair::from_private_key_der(curve.sign, &block.der);
                Inner::Ec(pair.map_err(unreadable)?)
            }
            ("RSA PRIVATE KEY", Family::Rsa(scheme)) => {
                let pair = RsaKeyPair::from_der(&block.der).map_err(unreadable)?;
                Inner::Rsa(pair, scheme)
            }
            ("EC PRIVATE KEY" | "RSA PRIVATE KEY", _) => return Err(Misuse::WrongKeyType),
            _ => return Err(Misuse::UnreadableKey("PEM label")),
        };
        Self::assemble(algorithm, None, inner)
    }

    /// Reads a private or symmetric JWK. Its `alg`, `use` and `key_ops`, where present, must allow
    /// signing with `algorithm`. Without a `kid` its id is its thumbprint; a symmetric key must
    /// have one.
    pub fn from_jwk(algorithm: Algorithm, json: &str) -> Result<Self, Misuse> {
        let unreadable = |_| Misuse::UnreadableKey("private JWK");
        let jwk = Jwk::read(json)?;
        jwk.allows(algorithm, Operation::Sign)?;
        let kid = jwk.kid()?;
        let public = match algorithm.family() {
            Family::Hmac(_) => {
                let kid = kid.ok_or(Misuse::KeyId)?;
                return Self::from_secret(algorithm, &kid, jwk.secret()?.as_slice());
            }
            _ => jwk.public(algorithm)?,
        };
        let d = number(jwk.d, "d")?;
        let inner = match (algorithm.family(), &public) {
            (Family::Ec(curve), Public::Ec { curve: own, point }) if own.name == curve.name => {
                if d.len() != curve.width {
                    return Err(Misuse::UnreadableKey("d has the wrong length"));
                }
                let pair =
                    EcdsaKeyPair::from_private_key_and_public_key(curve.sign, &d, point.as_ref());
                Inner::Ec(pair.map_err(unreadable)?)
            }
            (Family::Ed25519, Public::Ed25519(point)) => {
                if d.len() != 32 {
                    return Err(Misuse::UnreadableKey("d has the wrong length"));
                }
                let pair = Ed25519KeyPair::from_seed_and_public_key(&d, point);
                Inner::Ed25519(pair.map_err(unreadable)?)
            }
            (Family::Rsa(scheme), Public::Rsa { n, e }) => {
                let (p, q) = (number(jwk.p, "p")?, number(jwk.q, "q")?);
                let (dp, dq) = (number(jwk.dp, "dp")?, number(jwk.dq, "dq")?);
                let qi = number(jwk.qi, "qi")?;
                let components = KeyPairComponents {
                    public_key: RsaPublicKeyComponents { n: &**n, e: &**e },
                    d: d.as_slice(),
                    p: p.as_slice(),
                    q: q.as_slice(),
                    dP: dp.as_slice(),
                    dQ: dq.as_slice(),
                    qInv: qi.as_slice(),
                };
                let pair = RsaKeyPair::from_components(&components);
                Inner::Rsa(pair.map_err(unreadable)?, scheme)
            }
            _ => return Err(Misuse::WrongKeyType),
        };
        Self::assemble(algorithm, kid, inner)
    }

    /// Gives the key another id: 1 to 128 printable ASCII characters without quote or backslash.
    pub fn with_kid(mut self, kid: &str) -> Result<Self, Misuse> {
        self.kid = plain_kid(kid)?;
        self.headers = Headers::default();
        Ok(self)
    }

    fn assemble(algorithm: Algorithm, kid: Option<Box<str>>, inner: Inner) -> Result<Self, Misuse> {
        let public = match &inner {
            Inner::Ec(pair) => match algorithm.family() {
                Family::Ec(curve) => Some(Public::Ec {
                    curve,
                    point: pair.public_key().as_ref().into(),
                }),
                _ => return Err(Misuse::WrongKeyType),
            },
            Inner::Ed25519(pair) => {
                let point = pair.public_key().as_ref().try_into();
                Some(Public::Ed25519(point.map_err(|_| Misuse::WrongKeyType)?))
            }
            Inner::Rsa(pair, _) => {
                let public = pair.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                Some(Public::Rsa {
                    n: n.big_endian_without_leading_zero().into(),
                    e: e.big_endian_without_leading_zero().into(),
                })
            }
            Inner::Hmac { .. } => None,
        };
        if let Some(public) = &public {
            // The same strength as asked of keys that only check.
            public.prepare(algorithm)?;
        }
        let kid = match (kid, &public) {
            (Some(kid), _) => plain_kid(&kid)?,
            (None, Some(public)) => jwk::thumbprint(public).into(),
            (None, None) => return Err(Misuse::KeyId),
        };
        Ok(Self {
            algorithm,
            kid,
            inner,
            public,
            headers: Headers::default(),
        })
    }

    /// The algorithm that the key is bound to.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The id that tokens name it by.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The key that checks what this one signs, under the same id.
    pub fn verifying_key(&self) -> Result<VerifyingKey, Misuse> {
        let kid = Some(self.kid.clone());
        match (&self.public, &self.inner) {
            (Some(public), _) => VerifyingKey::from_public(self.algorithm, public.clone(), kid),
            (None, Inner::Hmac { key, .. }) => Ok(VerifyingKey::from_hmac(
                self.algorithm,
                hmac::Key::clone(key),
                kid,
            )),
            (None, _) => Err(Misuse::WrongKeyType),
        }
    }

    /// The private key in unencrypted PKCS#8 DER. Whoever reads it can sign. An HMAC secret has
    /// no such form.
    pub fn dangerous_to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, Misuse> {
        let failed = |_| Misuse::Signing;
        let copy = |bytes: &[u8]| Zeroizing::new(bytes.to_vec());
        match &self.inner {
            Inner::Ec(pair) => Ok(copy(pair.to_pkcs8v1().map_err(failed)?.as_ref())),
            Inner::Ed25519(pair) => Ok(copy(pair.to_pkcs8v1().map_err(failed)?.as_ref())),
            Inner::Rsa(pair, _) => {
                let document = AsDer::<Pkcs8V1Der<'static>>::as_der(pair).map_err(failed)?;
                Ok(copy(document.as_ref()))
            }
            Inner::Hmac { .. } => Err(Misuse::SymmetricKey),
        }
    }

    /// The private key as an unencrypted PEM block `PRIVATE KEY`. Whoever reads it can sign.
    pub fn dangerous_to_pem(&self) -> Result<Zeroizing<String>, Misuse> {
        Ok(pem::encode("PRIVATE KEY", &self.dangerous_to_pkcs8_der()?))
    }

    /// The private key or secret as a JWK with `alg`, `kid` and `use`. Whoever reads it can sign.
    pub fn dangerous_to_jwk(&self) -> Result<Zeroizing<String>, Misuse> {
        let failed = |_| Misuse::Signing;
        let write = |members: &[(&str, &[u8])]| {
            let public = self.public.as_ref().ok_or(Misuse::WrongKeyType)?;
            Ok(jwk::write_private(
                public,
                self.algorithm,
                &self.kid,
                members,
            ))
        };
        match &self.inner {
            Inner::Ec(pair) => {
                let d: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().map_err(failed)?;
                write(&[("d", d.as_ref())])
            }
            Inner::Ed25519(pair) => {
                let seed = pair.seed().map_err(failed)?;
                let d: Curve25519SeedBin<'_> = seed.as_be_bytes().map_err(failed)?;
                write(&[("d", d.as_ref())])
            }
            Inner::Rsa(..) => {
                let pkcs8 = self.dangerous_to_pkcs8_der()?;
                let [_, _, d, p, q, dp, dq, qi] =
                    der::read_rsa_private(&pkcs8).ok_or(Misuse::Signing)?;
                write(&[
                    ("d", d),
                    ("p", p),
                    ("q", q),
                    ("dp", dp),
                    ("dq", dq),
                    ("qi", qi),
                ])
            }
            Inner::Hmac { secret, .. } => Ok(jwk::write_secret(secret, self.algorithm, &self.kid)),
        }
    }

    /// The encoded header of a kind of token.
    pub(crate) fn header(&self, typ: &'static str) -> Cow<'_, str> {
        let mut places = self.headers.iter();
        let found = places.find_map(|place| {
            let (of, header) = place.get_or_init(|| (typ, sign::header(self, typ, None)));
            (*of == typ).then_some(header.as_str())
        });
        found.map_or_else(|| sign::header(self, typ, None).into(), Cow::Borrowed)
    }

    /// Bytes of a signature, at most.
    pub(crate) fn signature_len(&self) -> usize {
        match &self.inner {
            Inner::Rsa(pair, _) => pair.public_modulus_len(),
            Inner::Ec(_) | Inner::Ed25519(_) | Inner::Hmac { .. } => 96,
        }
    }

    /// Appends the signature of `token`, which is header and payload, to it, after a dot.
    pub(crate) fn sign_onto(
        &self,
        token: &mut String,
        rng: &dyn SecureRandom,
    ) -> Result<(), Misuse> {
        let failed = |_| Misuse::Signing;
        let input = token.as_bytes();
        match &self.inner {
            Inner::Ec(pair) => append(token, pair.sign(rng, input).map_err(failed)?.as_ref()),
            Inner::Ed25519(pair) => append(token, pair.try_sign(input).map_err(failed)?.as_ref()),
            Inner::Rsa(pair, scheme) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(scheme.sign, rng, input, &mut signature)
                    .map_err(failed)?;
                append(token, &signature);
            }
            Inner::Hmac { key, .. } => {
                let tag = hmac::sign(key, input);
                append(token, tag.as_ref());
            }
        }
        Ok(())
    }
}

fn append(token: &mut String, signature: &[u8]) {
    token.push('.');
    base64url::encode_onto(signature, token);
}

/// Ids that we hand out need no escaping anywhere: JSON, logs, URLs in logs.
fn plain_kid(kid: &str) -> Result<Box<str>, Misuse> {
    let plain = kid
        .bytes()
        .all(|byte| (b'!'..=b'~').contains(&byte) && byte != b'"' && byte != b'\\');
    if plain && (1..=MAX_KID_BYTES).contains(&kid.len()) {
        Ok(kid.into())
    } else {
        Err(Misuse::KeyId)
    }
}
