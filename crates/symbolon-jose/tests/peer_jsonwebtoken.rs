//! The Rust jsonwebtoken as a peer: keys and tokens of each are used by the other, and both refuse
//! what is wrong. `peers/run` does the same with libraries of other languages.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests, which draw on the system's randomness"
)]

use aws_lc_rs::rand::SystemRandom;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{AlgorithmFamily, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Map, Value, json};
use symbolon_jose::{Algorithm, Error, Expect, Jwt, SigningKey, Unverified, VerifyingKey, sign};

type Claims = Map<String, Value>;

const ISSUER: &str = "https://as.example";
const AUDIENCE: &str = "https://api.example";
const OTHER: &str = "https://other.example";

/// A key of ours. RSA keys take long to make, so theirs is one that openssl made.
fn key(algorithm: Algorithm) -> SigningKey {
    match peer(algorithm).family() {
        AlgorithmFamily::Rsa => {
            let pem = include_str!("vectors/openssl/rsa-pkcs8.pem");
            SigningKey::from_pem(algorithm, pem).unwrap()
        }
        _ => SigningKey::generate(algorithm, &SystemRandom::new()).unwrap(),
    }
}

/// Our algorithm by their name. They know all of ours.
fn peer(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    algorithm.name().parse().unwrap()
}

/// Their reading of our private key: PEM, as they read no private JWK.
fn encoding_key(key: &SigningKey) -> EncodingKey {
    let pem = || key.dangerous_to_pem().unwrap();
    match peer(key.algorithm()).family() {
        AlgorithmFamily::Ec => EncodingKey::from_ec_pem(pem().as_bytes()).unwrap(),
        AlgorithmFamily::Ed => EncodingKey::from_ed_pem(pem().as_bytes()).unwrap(),
        AlgorithmFamily::Rsa => EncodingKey::from_rsa_pem(pem().as_bytes()).unwrap(),
        AlgorithmFamily::Hmac => {
            let jwk: Value = serde_json::from_str(&key.dangerous_to_jwk().unwrap()).unwrap();
            let secret = BASE64_URL_SAFE_NO_PAD.decode(jwk["k"].as_str().unwrap());
            EncodingKey::from_secret(&secret.unwrap())
        }
    }
}

/// Their readings of our public key: JWK and PEM.
fn decoding_keys(key: &SigningKey) -> Vec<DecodingKey> {
    let family = peer(key.algorithm()).family();
    let jwk = match family {
        AlgorithmFamily::Hmac => key.dangerous_to_jwk().unwrap().to_string(),
        _ => key.verifying_key().unwrap().to_jwk().unwrap(),
    };
    let mut keys = vec![DecodingKey::from_jwk(&serde_json::from_str(&jwk).unwrap()).unwrap()];
    let pem = || key.verifying_key().unwrap().to_pem().unwrap();
    match family {
        AlgorithmFamily::Ec => keys.push(DecodingKey::from_ec_pem(pem().as_bytes()).unwrap()),
        AlgorithmFamily::Ed => keys.push(DecodingKey::from_ed_pem(pem().as_bytes()).unwrap()),
        AlgorithmFamily::Rsa => keys.push(DecodingKey::from_rsa_pem(pem().as_bytes()).unwrap()),
        AlgorithmFamily::Hmac => {}
    }
    keys
}

/// Seconds on their clock: they take no other.
fn now() -> i64 {
    i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap()
}

fn claims() -> Claims {
    let now = now();
    let claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "jti": "t1",
        "exp": now + 300, "nbf": now - 60, "iat": now - 60,
        "name": "김철수 \"Kim\" \\ / \u{7} \u{1f511}",
    });
    claims.as_object().unwrap().clone()
}

fn claims_with(name: &str, value: impl Into<Value>) -> Claims {
    let mut claims = claims();
    claims.insert(name.to_owned(), value.into());
    claims
}

fn our_token(key: &SigningKey, claims: &Claims) -> String {
    sign::<Jwt<Claims>>(key, claims, &SystemRandom::new()).unwrap()
}

fn our_verdict(key: &VerifyingKey, token: &str) -> Result<Claims, Error> {
    let token = Unverified::parse(token)?;
    let expect = Expect::new(ISSUER, AUDIENCE, now(), 0);
    Ok(token.verify::<Jwt<Claims>>(key, &expect)?.into_claims())
}

fn their_token(key: &SigningKey, claims: &Claims) -> String {
    let header = Header::new(peer(key.algorithm()));
    jsonwebtoken::encode(&header, claims, &encoding_key(key)).unwrap()
}

fn their_verdict(
    algorithm: Algorithm,
    key: &DecodingKey,
    token: &str,
) -> Result<Claims, jsonwebtoken::errors::Error> {
    let mut validation = Validation::new(peer(algorithm));
    validation.leeway = 0;
    validation.validate_nbf = true;
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    jsonwebtoken::decode(token, key, &validation).map(|data| data.claims)
}

/// The token with one bit of its signature turned over: the first, one in the middle, the last.
fn flipped(token: &str) -> [String; 3] {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    let last = signature.len() - 1;
    [(0, 0x80), (last / 2, 0x10), (last, 0x01)].map(|(index, bit)| {
        let mut signature = signature.clone();
        signature[index] ^= bit;
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    })
}

#[test]
fn jsonwebtoken_takes_our_tokens() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let claims = claims();
        let token = our_token(&key, &claims);
        for theirs in decoding_keys(&key) {
            let read = their_verdict(algorithm, &theirs, &token);
            assert_eq!(read.unwrap(), claims, "{algorithm}");
        }
    }
}

#[test]
fn we_take_tokens_of_jsonwebtoken() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let claims = claims();
        let token = their_token(&key, &claims);
        let read = our_verdict(&key.verifying_key().unwrap(), &token);
        assert_eq!(read.unwrap(), claims, "{algorithm}");
    }
}

#[test]
fn jsonwebtoken_writes_keys_that_we_read() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let token = our_token(&key, &claims());
        let private = Jwk::from_encoding_key(&encoding_key(&key), peer(algorithm)).unwrap();
        let mut written = vec![private];
        for theirs in decoding_keys(&key) {
            written.push(Jwk::from_decoding_key(&theirs, Some(peer(algorithm))).unwrap());
        }
        for jwk in written {
            let ours = VerifyingKey::from_jwk(algorithm, &serde_json::to_string(&jwk).unwrap());
            let ours = ours.unwrap();
            assert!(our_verdict(&ours, &token).is_ok(), "{algorithm}");
            if !algorithm.is_symmetric() {
                let thumbprint = jwk.thumbprint(ThumbprintHash::SHA256).unwrap();
                assert_eq!(thumbprint, ours.thumbprint().unwrap(), "{algorithm}");
            }
        }
    }
}

#[test]
fn both_refuse_a_flipped_bit() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let ours = key.verifying_key().unwrap();
        for token in [our_token(&key, &claims()), their_token(&key, &claims())] {
            for token in flipped(&token) {
                let refusal = our_verdict(&ours, &token).unwrap_err();
                assert_eq!(refusal.code(), "forged.signature", "{algorithm}");
                for theirs in decoding_keys(&key) {
                    let refusal = their_verdict(algorithm, &theirs, &token).unwrap_err();
                    assert_eq!(*refusal.kind(), ErrorKind::InvalidSignature, "{algorithm}");
                }
            }
        }
    }
}

#[test]
fn both_refuse_other_claims() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let ours = key.verifying_key().unwrap();
        let theirs = &decoding_keys(&key)[0];
        for (claims, claim, code, kind) in [
            (
                claims_with("aud", OTHER),
                "aud",
                "refused.unexpected",
                ErrorKind::InvalidAudience,
            ),
            (
                claims_with("iss", OTHER),
                "iss",
                "refused.unexpected",
                ErrorKind::InvalidIssuer,
            ),
            (
                claims_with("exp", now() - 30),
                "exp",
                "refused.expired",
                ErrorKind::ExpiredSignature,
            ),
        ] {
            for token in [our_token(&key, &claims), their_token(&key, &claims)] {
                let refusal = our_verdict(&ours, &token).unwrap_err();
                assert_eq!((refusal.code(), refusal.claim()), (code, Some(claim)));
                let refusal = their_verdict(algorithm, theirs, &token).unwrap_err();
                assert_eq!(*refusal.kind(), kind, "{algorithm} {claim}");
            }
        }
    }
}
