//! Signing: claims in, token out.

use aws_lc_rs::rand::SecureRandom;
use serde::Serialize;

use crate::base64url;
use crate::class::TokenClass;
use crate::error::Misuse;
use crate::expect;
use crate::json::Claims;
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
    let payload = serde_json::to_string(claims).map_err(|_| Misuse::UnwritableClaims)?;
    let mut read = Claims::new();
    let scanned = read.scan(&payload);
    scanned.map_err(|_| Misuse::UnwritableClaims)?;
    expect::check_own::<C>(&read, claims).map_err(Misuse::Claims)?;
    write(key, C::TYP.name(), None, payload.as_bytes(), rng)
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
    // Neither the algorithm's name nor `typ` nor a signing key's id needs escaping.
    let (name, value, quote) = match jwk {
        None => ("kid", key.kid(), "\""),
        Some(jwk) => ("jwk", jwk, ""),
    };
    let alg = key.algorithm().name();
    let mut header = String::with_capacity(64 + typ.len() + value.len());
    for part in [
        "{\"alg\":\"",
        alg,
        "\",\"typ\":\"",
        typ,
        "\",\"",
        name,
        "\":",
        quote,
        value,
        quote,
        "}",
    ] {
        header.push_str(part);
    }

    let mut token = String::with_capacity((header.len() + payload.len()) * 4 / 3 + 128);
    base64url::encode_into(header.as_bytes(), &mut token);
    token.push('.');
    base64url::encode_into(payload, &mut token);
    key.sign_onto(&mut token, rng)?;
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Misuse::UnwritableClaims);
    }
    Ok(token)
}
