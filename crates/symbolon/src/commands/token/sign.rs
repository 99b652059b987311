//! Story: sign claims.

use std::fs;

use anyhow::{Context, Result, bail};
use aws_lc_rs::rand::SystemRandom;
use serde_json::{Map, Value};
use symbolon_server::jose::{
    AccessClaims, AccessToken, Algorithm, Jwt, SigningKey, sign as sign_claims,
};
use zeroize::Zeroizing;

use super::{keygen::algorithm, now, read_stdin};
use crate::{
    cli::{Class, Sign},
    output,
};

/// Reads claims as one JSON object from standard input, prints the token.
pub(super) fn sign(asked: &Sign) -> Result<()> {
    let key = read_key(asked)?;
    let text = read_stdin()?;
    let mut claims: Map<String, Value> = serde_json::from_str(&text)
        .context("standard input: expected the claims as one JSON object")?;
    if let Some(lasts) = asked.lasts {
        let issued_at = claims.entry("iat").or_insert(Value::from(now()?)).as_i64();
        let issued_at = issued_at.context("iat: expected whole seconds")?;
        let ends = issued_at.saturating_add(i64::from(lasts));
        claims.entry("exp").or_insert(Value::from(ends));
    }
    let claims = Value::Object(claims);
    let random = SystemRandom::new();
    let token = match asked.class {
        Class::Any => sign_claims::<Jwt<Value>>(&key, &claims, &random)?,
        Class::Access => {
            let text = claims.to_string();
            let claims: AccessClaims<'_> =
                serde_json::from_str(&text).context("these are no claims of an access token")?;
            sign_claims::<AccessToken>(&key, &claims, &random)?
        }
    };
    output::line(&token)
}

fn read_key(asked: &Sign) -> Result<SigningKey> {
    let path = asked.key.display();
    let text = fs::read_to_string(&asked.key).with_context(|| format!("cannot read {path}"))?;
    let text = Zeroizing::new(text);
    let named = asked.alg.as_deref().map(algorithm).transpose()?;
    let is_pem = text.trim_start().starts_with("-----BEGIN");
    let key = if is_pem {
        let named = named.context("a PEM does not say its algorithm: name it with --alg")?;
        SigningKey::from_pem(named, &text)
    } else {
        SigningKey::from_jwk(named.map_or_else(|| own_algorithm(&text), Ok)?, &text)
    };
    let key = key.with_context(|| format!("{path} cannot sign"))?;
    match &asked.kid {
        Some(kid) => Ok(key.with_kid(kid)?),
        None => Ok(key),
    }
}

/// The member `alg` of a JWK.
fn own_algorithm(jwk: &str) -> Result<Algorithm> {
    let jwk: Map<String, Value> =
        serde_json::from_str(jwk).context("the key is neither a JWK nor a PEM")?;
    match jwk.get("alg").and_then(Value::as_str) {
        Some(name) => algorithm(name),
        None => bail!("the JWK does not say its algorithm: name it with --alg"),
    }
}
