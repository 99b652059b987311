//! Makes keys, signs and verifies for a program in another language: a JSON line in, a JSON line
//! out. `tests/peers/run` holds it against other libraries.
//!
//! ```sh
//! cargo run -p symbolon-jose --example peer
//! ```
//!
//! | line in | line out |
//! | --- | --- |
//! | `{"do":"keygen","alg"}` | `{"private_jwk","private_pem","public_jwk","public_pem"}` |
//! | `{"do":"sign","alg","key","claims"}` | `{"token"}` |
//! | `{"do":"verify","alg","key","token","iss","aud","now"}` | `{"verdict":"accept","claims"}` or `{"verdict":"reject","code"}` |
//!
//! A `key` is a JWK (an object) or a PEM text. A shared secret has no PEM form (null), and its
//! public JWK is the private one. What cannot be done at all, such as reading the key, is
//! `{"error"}`.

use std::io::{BufRead, Write};

use aws_lc_rs::rand::SystemRandom;
use serde_json::{Map, Value, json};
use symbolon_jose::{
    Algorithm, Error, Expect, Jwt, Misuse, SecureRandom, SigningKey, Unverified, VerifyingKey, sign,
};

/// Bare claims, so that what comes back can be compared member by member.
type AnyJwt = Jwt<Map<String, Value>>;

fn main() -> std::io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "a program of its own")]
    let rng = SystemRandom::new();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?) {
            Ok(request) => answer(&request, &rng),
            Err(fault) => Err(Fault::from(fault)),
        };
        let answer = answer.unwrap_or_else(|Fault(error)| json!({ "error": error }));
        writeln!(out, "{answer}")?;
    }
    Ok(())
}

/// Why a request could not be carried out.
struct Fault(String);

impl From<Misuse> for Fault {
    fn from(misuse: Misuse) -> Self {
        Self(format!("{}: {misuse}", misuse.code()))
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<&str> for Fault {
    fn from(what: &str) -> Self {
        Self(what.to_owned())
    }
}

fn answer(request: &Value, rng: &dyn SecureRandom) -> Result<Value, Fault> {
    let algorithm = Algorithm::from_name(text(request, "alg")?).ok_or("alg is not offered")?;
    match text(request, "do")? {
        "keygen" => keygen(algorithm, rng),
        "sign" => {
            let claims = request.get("claims").and_then(Value::as_object);
            let key = signing_key(algorithm, request)?;
            let token = sign::<AnyJwt>(&key, claims.ok_or("claims is no object")?, rng)?;
            Ok(json!({ "token": token }))
        }
        "verify" => {
            let key = verifying_key(algorithm, request)?;
            let now = request.get("now").and_then(Value::as_i64);
            let now = now.ok_or("now is no whole number")?;
            let expect = Expect::new(text(request, "iss")?, text(request, "aud")?, now, 0);
            Ok(match verify(text(request, "token")?, &key, &expect) {
                Ok(claims) => json!({ "verdict": "accept", "claims": claims }),
                Err(error) => json!({ "verdict": "reject", "code": code(&error) }),
            })
        }
        _ => Err("do is not keygen, sign or verify".into()),
    }
}

fn keygen(algorithm: Algorithm, rng: &dyn SecureRandom) -> Result<Value, Fault> {
    let key = SigningKey::generate(algorithm, rng)?;
    let private_jwk = object(&key.dangerous_to_jwk()?)?;
    if algorithm.is_symmetric() {
        return Ok(json!({
            "private_jwk": private_jwk, "private_pem": null,
            "public_jwk": private_jwk, "public_pem": null,
        }));
    }
    let public = key.verifying_key()?;
    Ok(json!({
        "private_jwk": private_jwk,
        "private_pem": *key.dangerous_to_pem()?,
        "public_jwk": object(&public.to_jwk()?)?,
        "public_pem": public.to_pem()?,
    }))
}

fn verify(
    token: &str,
    key: &VerifyingKey,
    expect: &Expect<'_>,
) -> Result<Map<String, Value>, Error> {
    let token = Unverified::parse(token)?;
    let claims = token.verify::<AnyJwt>(key, expect)?;
    Ok(claims.into_claims())
}

fn signing_key(algorithm: Algorithm, request: &Value) -> Result<SigningKey, Fault> {
    Ok(match request.get("key") {
        Some(Value::String(pem)) => SigningKey::from_pem(algorithm, pem)?,
        Some(jwk) => SigningKey::from_jwk(algorithm, &jwk.to_string())?,
        None => return Err("key is missing".into()),
    })
}

fn verifying_key(algorithm: Algorithm, request: &Value) -> Result<VerifyingKey, Fault> {
    Ok(match request.get("key") {
        Some(Value::String(pem)) => VerifyingKey::from_pem(algorithm, pem)?,
        Some(jwk) => VerifyingKey::from_jwk(algorithm, &jwk.to_string())?,
        None => return Err("key is missing".into()),
    })
}

/// The error's code, and the claim that it is about.
fn code(error: &Error) -> String {
    match error.claim() {
        Some(claim) => format!("{} {claim}", error.code()),
        None => error.code().to_owned(),
    }
}

fn object(json: &str) -> Result<Value, Fault> {
    Ok(serde_json::from_str(json)?)
}

fn text<'a>(request: &'a Value, name: &'static str) -> Result<&'a str, Fault> {
    let found = request.get(name).and_then(Value::as_str);
    found.ok_or_else(|| Fault(format!("{name} is no text")))
}
