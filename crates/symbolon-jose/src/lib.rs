#![doc = include_str!("../README.md")]

mod algorithm;
mod base64url;
mod class;
pub mod dpop;
mod error;
mod expect;
mod header;
pub mod inspect;
mod json;
mod key;
mod sign;
mod token;

pub use algorithm::Algorithm;
pub use class::{
    AccessClaims, AccessToken, Audience, BACKCHANNEL_LOGOUT_EVENT, IdClaims, IdToken, Jwt,
    Lifetime, LogoutClaims, LogoutToken, SecurityEventClaims, SecurityEventToken, TokenClass, Typ,
};
pub use error::{Error, Forged, JsonFault, Malformed, Misuse, Part, Refused, Why};
pub use expect::{Expect, Issuer, IssuerKeys, Names};
pub use json::MAX_DEPTH;
pub use key::{KeySet, KeySource, LoadedKeys, SigningKey, SkippedKey, VerifyingKey};
pub use sign::{sign, sign_payload};
pub use token::{MAX_TOKEN_BYTES, Unverified, Verified};

/// The crypto library whose `SecureRandom` signing and key generation take.
pub use aws_lc_rs::rand::SecureRandom;
