//! JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037), in and out.

use std::borrow::Cow;
use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::der;
use super::public::Public;
use crate::algorithm::Algorithm;
use crate::base64url;
use crate::error::Misuse;
use crate::header::MAX_KID_BYTES;
use crate::json::Reader;

/// Longest JWK text, in bytes.
const MAX_JWK_BYTES: usize = 32 * 1024;

/// What a key is loaded for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Sign,
    Verify,
}

/// A JWK's members. Numbers are borrowed, so that private ones are not copied about; unknown
/// members are ignored.
#[derive(Deserialize)]
pub(super) struct Jwk<'a> {
    #[serde(borrow)]
    kty: Cow<'a, str>,
    alg: Option<String>,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    x: Option<&'a str>,
    y: Option<&'a str>,
    n: Option<&'a str>,
    e: Option<&'a str>,
    pub(super) d: Option<&'a str>,
    pub(super) p: Option<&'a str>,
    pub(super) q: Option<&'a str>,
    pub(super) dp: Option<&'a str>,
    pub(super) dq: Option<&'a str>,
    pub(super) qi: Option<&'a str>,
    k: Option<&'a str>,
}

impl<'a> Jwk<'a> {
    pub(super) fn read(json: &'a str) -> Result<Self, Misuse> {
        let unreadable = Misuse::UnreadableKey("JWK");
        if json.len() > MAX_JWK_BYTES {
            return Err(Misuse::UnreadableKey("JWK is too long"));
        }
        let mut reader = Reader::new(json);
        match (Self::deserialize(&mut reader), reader.end()) {
            (Ok(jwk), Ok(())) => Ok(jwk),
            _ => Err(unreadable),
        }
    }

    /// The key's own algorithm, if it names one of ours; else the first of `accepted` that its
    /// type fits.
    pub(super) fn algorithm_among(&self, accepted: &[Algorithm]) -> Result<Algorithm, Misuse> {
        if let Some(name) = &self.alg {
            let own = Algorithm::from_name(name).filter(|own| accepted.contains(own));
            return own.ok_or(Misuse::OtherUse("alg"));
        }
        let fits = |algorithm: &Algorithm| match (&*self.kty, algorithm) {
            ("oct", _) => algorithm.is_symmetric(),
            ("EC", Algorithm::Es256) => self.crv.as_deref() == Some("P-256"),
            ("EC", Algorithm::Es384) => self.crv.as_deref() == Some("P-384"),
            ("OKP", Algorithm::Ed25519) => self.crv.as_deref() == Some("Ed25519"),
            ("RSA", _) => algorithm.name().starts_with(['R', 'P']),
            _ => false,
        };
        accepted
            .iter()
            .copied()
            .find(fits)
            .ok_or(Misuse::WrongKeyType)
    }

    /// Whether `alg`, `use` and `key_ops` allow this (RFC 7517 sections 4.2 to 4.4; RFC 8725
    /// section 3.1: one key, one algorithm).
    pub(super) fn allows(&self, algorithm: Algorithm, operation: Operation) -> Result<(), Misuse> {
        if let Some(name) = &self.alg
            && Algorithm::from_name(name) != Some(algorithm)
        {
            return Err(Misuse::OtherUse("alg"));
        }
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Err(Misuse::OtherUse("use"));
        }
        if let Some(operations) = &self.key_ops {
            let wanted = match operation {
                Operation::Sign => "sign",
                Operation::Verify => "verify",
            };
            // A shared secret is the same key both ways: one that may sign may check.
            let allowed = operations.iter().any(|name| {
                name == wanted || (algorithm.is_symmetric() && matches!(&**name, "sign" | "verify"))
            });
            let mut sorted: Vec<_> = operations.iter().collect();
            sorted.sort_unstable();
            let twice = sorted.windows(2).any(|pair| pair.first() == pair.last());
            if !allowed || twice {
                return Err(Misuse::OtherUse("key_ops"));
            }
        }
        Ok(())
    }

    pub(super) fn kid(&self) -> Result<Option<Box<str>>, Misuse> {
        match self.kid.as_deref() {
            Some(kid) if !(1..=MAX_KID_BYTES).contains(&kid.len()) => Err(Misuse::KeyId),
            kid => Ok(kid.map(Into::into)),
        }
    }

    pub(super) fn is_symmetric(&self) -> bool {
        self.kty == "oct"
    }

    pub(super) fn is_private(&self) -> bool {
        self.is_symmetric() || self.d.is_some() || self.p.is_some() || self.k.is_some()
    }

    /// The secret of a symmetric key.
    pub(super) fn secret(&self) -> Result<Zeroizing<Vec<u8>>, Misuse> {
        if !self.is_symmetric() {
            return Err(Misuse::WrongKeyType);
        }
        number(self.k, "k")
    }

    /// The numbers of the public half.
    pub(super) fn public(&self, algorithm: Algorithm) -> Result<Public, Misuse> {
        match (&*self.kty, self.crv.as_deref()) {
            ("EC", Some(name)) => {
                let curve = der::curves()
                    .find(|curve| curve.name == name)
                    .ok_or(Misuse::WrongKeyType)?;
                let (x, y) = (number(self.x, "x")?, number(self.y, "y")?);
                // RFC 7518 section 6.2.1.2: full width, zeros included.
                if x.len() != curve.width || y.len() != curve.width {
                    return Err(Misuse::UnreadableKey("x or y has the wrong length"));
                }
                Ok(Public::Ec {
                    curve,
                    point: [&[4], x.as_slice(), y.as_slice()].concat().into(),
                })
            }
            ("OKP", Some("Ed25519")) => {
                let x = number(self.x, "x")?;
                let point = x.as_slice().try_into();
                point
                    .map(Public::Ed25519)
                    .map_err(|_| Misuse::UnreadableKey("x has the wrong length"))
            }
            ("RSA", _) => Ok(Public::Rsa {
                n: number(self.n, "n")?.as_slice().into(),
                e: number(self.e, "e")?.as_slice().into(),
            }),
            ("oct", _) if !algorithm.is_symmetric() => Err(Misuse::SymmetricKey),
            _ => Err(Misuse::WrongKeyType),
        }
    }
}

/// Decodes a member that must be there.
pub(super) fn number(
    member: Option<&str>,
    name: &'static str,
) -> Result<Zeroizing<Vec<u8>>, Misuse> {
    member
        .and_then(base64url::decode)
        .map(Zeroizing::new)
        .ok_or(Misuse::UnreadableKey(name))
}

/// A public JWK.
pub(super) fn write_public(public: &Public, algorithm: Algorithm, kid: Option<&str>) -> String {
    let mut json = required_members(public);
    json.pop();
    write_tail(&mut json, algorithm, kid);
    json
}

/// A private JWK: the public members and these.
pub(super) fn write_private(
    public: &Public,
    algorithm: Algorithm,
    kid: &str,
    private: &[(&str, &[u8])],
) -> Zeroizing<String> {
    // Enough room from the start: growing would leave copies of the private key behind.
    let bytes: usize = private.iter().map(|(_, number)| number.len()).sum();
    let mut json = Zeroizing::new(String::with_capacity(2 * bytes + 4096));
    json.push_str(&required_members(public));
    json.pop();
    for (name, number) in private {
        push_number(&mut json, name, number);
    }
    write_tail(&mut json, algorithm, Some(kid));
    json
}

/// A symmetric JWK.
pub(super) fn write_secret(secret: &[u8], algorithm: Algorithm, kid: &str) -> Zeroizing<String> {
    let mut json = Zeroizing::new(String::with_capacity(2 * secret.len() + 1024));
    json.push_str("{\"kty\":\"oct\"");
    push_number(&mut json, "k", secret);
    write_tail(&mut json, algorithm, Some(kid));
    json
}

/// The thumbprint of RFC 7638: SHA-256 over the required members in lexicographic order.
pub(super) fn thumbprint(public: &Public) -> String {
    base64url::encode(digest(&SHA256, required_members(public).as_bytes()).as_ref())
}

/// RFC 7638 section 3.2: exactly these members, sorted, without white space.
pub(super) fn required_members(public: &Public) -> String {
    let b64 = base64url::encode;
    match public {
        Public::Ec { curve, point } => {
            let (x, y) = Public::coordinates(point);
            format!(
                r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
                curve.name,
                b64(x),
                b64(y)
            )
        }
        Public::Ed25519(x) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, b64(x)),
        Public::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, b64(e), b64(n)),
    }
}

fn push_number(json: &mut String, name: &str, number: &[u8]) {
    json.push_str(",\"");
    json.push_str(name);
    json.push_str("\":\"");
    base64url::encode_onto(number, json);
    json.push('"');
}

fn write_tail(json: &mut String, algorithm: Algorithm, kid: Option<&str>) {
    if let Some(kid) = kid {
        json.push_str(",\"kid\":");
        push_string(json, kid);
    }
    json.push_str(",\"alg\":\"");
    json.push_str(algorithm.name());
    json.push_str("\",\"use\":\"sig\"}");
}

/// A JSON string; ids of foreign keys may hold anything.
fn push_string(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\0'..='\x1f' => {
                // Writing to a String cannot fail.
                let _ = write!(json, "\\u{:04x}", u32::from(character));
            }
            _ => json.push(character),
        }
    }
    json.push('"');
}
