//! Other people's JWTs, with your own claims type.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::{Lifetime, TokenClass, Typ};

/// A JWT without a kind of its own: `typ` is `JWT` or absent, `exp` is required but may be any year
/// up to 9999. `T` is your claims type, which may be `serde_json::Value`.
///
/// For JWTs of your own making, a [`TokenClass`] of their own is safer: another JWT of the same
/// issuer for the same audience cannot be taken for it.
#[derive(Debug, Clone, Copy)]
pub struct Jwt<T>(PhantomData<T>);

impl<T: DeserializeOwned> TokenClass for Jwt<T> {
    type Claims<'a> = T;
    const TYP: Typ = Typ::Plain;
    const LIFETIME: Lifetime = Lifetime::Expires { longest: u64::MAX };
}
