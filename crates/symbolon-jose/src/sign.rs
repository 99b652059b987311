//! Signing: claims in, token out.

use aws_lc_rs::rand::SecureRandom;
use serde::Serialize;

use crate::base64url;
use crate::class::TokenClass;
use crate::error::Misuse;
use crate::expect;
use crate::json::{Claims, Written};
use crate::key::SigningKey;
use crate::token::MAX_TOKEN_BYTES;

/// Signs claims as a token of class `C`, with the header `{"alg", "typ", "kid"}`.
///
/// Claims that the class itself would refuse at their own `iat` (a required claim missing, living
/// too long, a number for `sub`) are a [`Misuse`]: such a token would fail at every guard, later
/// and less clearly.
///
/// `rng` marks that signing may draw on randomness (ECDSA, RSA-PSS). aws-lc-rs asks for it and uses
/// its own generator in its place, so a poor source cannot leak the key, and a fixed one does not
/// make signatures repeat.
pub fn sign<'a, C>(
    key: &SigningKey,
    claims: &C::Claims<'a>,
    rng: &dyn SecureRandom,
) -> Result<String, Misuse>
where
    C: TokenClass,
    C::Claims<'a>: Serialize,
{
    let mut written = Written::new();
    written.write(claims).ok_or(Misuse::UnwritableClaims)?;
    let own = if written.is_noted() {
        expect::check_own::<C>(&written.registered(), |name| written.find(name), claims)
    } else {
        let mut read = Claims::new();
        let scanned = read.scan(written.text());
        scanned.map_err(|_| Misuse::UnwritableClaims)?;
        let find = |name: &str| read.find(name).map(|raw| raw.text);
        expect::check_own::<C>(&read.registered, find, claims)
    };
    own.map_err(Misuse::Claims)?;
    assemble(
        key,
        &key.header(C::TYP.name()),
        written.text().as_bytes(),
        rng,
    )
}

/// Signs any payload: a JWS that is no JWT. `typ` is plain ASCII such as `receipt+jws`.
pub fn sign_payload(
    key: &SigningKey,
    typ: &str,
    payload: &[u8],
    rng: &dyn SecureRandom,
) -> Result<String, Misuse> {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    if !typ.bytes().all(plain) || typ.is_empty() {
        return Err(Misuse::UnwritableClaims);
    }
    write(key, typ, None, payload, rng)
}

/// Signs a payload; the header names the key by its id, or carries it as `jwk`.
pub(crate) fn write(
    key: &SigningKey,
    typ: &str,
    jwk: Option<&str>,
    payload: &[u8],
    rng: &dyn SecureRandom,
) -> Result<String, Misuse> {
    assemble(key, &header(key, typ, jwk), payload, rng)
}

/// The first part of a token, in base64url.
pub(crate) fn header(key: &SigningKey, typ: &str, jwk: Option<&str>) -> String {
    // Neither the algorithm's name nor `typ` nor a signing key's id needs escaping.
    let (name, value, quote) = match jwk {
        None => ("kid", key.kid(), "\""),
        Some(jwk) => ("jwk", jwk, ""),
    };
    let alg = key.algorithm().name();
    base64url::encode(
        format!("{{\"alg\":\"{alg}\",\"typ\":\"{typ}\",\"{name}\":{quote}{value}{quote}}}")
            .as_bytes(),
    )
}

/// Signs a payload behind a header.
fn assemble(
    key: &SigningKey,
    header: &str,
    payload: &[u8],
    rng: &dyn SecureRandom,
) -> Result<String, Misuse> {
    // Room for everything from the start, as growing would copy.
    let room = header.len() + (payload.len() + key.signature_len()) * 4 / 3 + 8;
    let mut token = String::with_capacity(room);
    token.push_str(header);
    token.push('.');
    base64url::encode_onto(payload, &mut token);
    key.sign_onto(&mut token, rng)?;
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Misuse::UnwritableClaims);
    }
    Ok(token)
}
