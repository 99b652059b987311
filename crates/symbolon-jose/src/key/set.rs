//! A set of trusted keys, found by id.

use std::borrow::Cow;

use super::jwk::Jwk;
use super::{KeySource, VerifyingKey};
use crate::algorithm::Algorithm;
use crate::error::{JsonFault, Misuse};
use crate::json::{Reader, Seen};

/// Longest JWK set, in bytes.
const MAX_JWKS_BYTES: usize = 256 * 1024;
/// Most keys in a JWK set that is read.
const MAX_KEYS: usize = 256;

/// Trusted keys with an id each.
#[derive(Clone, Default)]
pub struct KeySet {
    /// Sorted by id.
    keys: Vec<VerifyingKey>,
}

/// What [`KeySet::from_jwks`] made of a document.
pub struct LoadedKeys {
    /// The keys that can be used.
    pub keys: KeySet,
    /// The keys that cannot, with the reason.
    pub skipped: Vec<SkippedKey>,
}

/// A key of a JWK set that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its place in the document's `keys`, from 0.
    pub index: usize,
    /// Why.
    pub reason: Misuse,
}

impl KeySet {
    /// A set of these keys. Each needs an id of its own.
    pub fn new(keys: impl IntoIterator<Item = VerifyingKey>) -> Result<Self, Misuse> {
        let mut set = Self::default();
        for key in keys {
            set.insert(key)?;
        }
        Ok(set)
    }

    /// Adds a key, whose id must be new.
    pub fn insert(&mut self, key: VerifyingKey) -> Result<(), Misuse> {
        let kid = key.kid().ok_or(Misuse::KeyId)?;
        match self.place(kid) {
            Ok(_) => Err(Misuse::DuplicateKeyId),
            Err(place) => {
                self.keys.insert(place, key);
                Ok(())
            }
        }
    }

    /// Takes a key out.
    pub fn remove(&mut self, kid: &str) -> Option<VerifyingKey> {
        let place = self.place(kid).ok()?;
        Some(self.keys.remove(place))
    }

    /// Reads a JWK set (RFC 7517 section 5) with the algorithms that the caller takes from it.
    ///
    /// A key is bound to its own `alg` if it has one, else to the first of `accepted` that its
    /// type fits. Keys that cannot be used (another algorithm, another use, weak, damaged) are left
    /// out and reported, so that one new kind of key does not lock everybody out. Two keys with
    /// one id are both left out: which one is meant is a guess. A key without an id gets its
    /// thumbprint.
    ///
    /// Symmetric keys next to public ones are an error: a document with both is either leaking the
    /// first or inviting algorithm confusion with the second.
    pub fn from_jwks(json: &str, accepted: &[Algorithm]) -> Result<LoadedKeys, Misuse> {
        let mut loaded = Vec::new();
        let (mut symmetric, mut public) = (false, false);
        for text in split(json)? {
            let (mut kid, mut kty) = (None, None);
            let key = Jwk::read(text).and_then(|jwk| {
                kid = jwk.kid()?;
                kty = Some(jwk.is_symmetric());
                VerifyingKey::from_parsed_jwk(jwk.algorithm_among(accepted)?, &jwk)
            });
            symmetric |= kty == Some(true);
            public |= kty == Some(false);
            // A key for something else is no candidate, and no rival of one that is.
            if matches!(key, Err(Misuse::OtherUse(_) | Misuse::WrongKeyType)) {
                kid = None;
            }
            loaded.push((kid, key));
        }
        if symmetric && public {
            return Err(Misuse::SymmetricKey);
        }

        let kids: Vec<_> = loaded.iter().map(|(kid, _)| kid.clone()).collect();
        let mut keys = Self::default();
        let mut skipped = Vec::new();
        for (index, (kid, key)) in loaded.into_iter().enumerate() {
            let rivals = kids.iter().filter(|other| kid.is_some() && **other == kid);
            let added = if rivals.count() > 1 {
                Err(Misuse::DuplicateKeyId)
            } else {
                key.and_then(VerifyingKey::with_thumbprint_unless_named)
                    .and_then(|key| keys.insert(key))
            };
            if let Err(reason) = added {
                skipped.push(SkippedKey { index, reason });
            }
        }
        Ok(LoadedKeys { keys, skipped })
    }

    /// The public keys as a JWK set. Symmetric keys are left out: they are not public.
    pub fn to_jwks(&self) -> String {
        let keys: Vec<String> = self
            .keys
            .iter()
            .filter_map(|key| key.to_jwk().ok())
            .collect();
        format!("{{\"keys\":[{}]}}", keys.join(","))
    }

    /// The keys, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.keys.iter()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no key, so that every token is refused.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    fn place(&self, kid: &str) -> Result<usize, usize> {
        self.keys
            .binary_search_by(|key| key.kid().unwrap_or_default().cmp(kid))
    }
}

impl KeySource for KeySet {
    /// By id alone. A token without an id is looked at only if there is no choice to make.
    fn find(&self, kid: Option<&str>) -> Option<&VerifyingKey> {
        match (kid, self.keys.as_slice()) {
            (Some(kid), keys) => keys.get(self.place(kid).ok()?),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }
}

/// The texts of the members of `keys`.
fn split(json: &str) -> Result<Vec<&str>, Misuse> {
    if json.len() > MAX_JWKS_BYTES {
        return Err(Misuse::UnreadableKey("JWK set is too long"));
    }
    let read = || -> Result<Option<Vec<&str>>, JsonFault> {
        let mut reader = Reader::new(json);
        let mut keys = None;
        let (mut first, mut seen) = (true, Seen::new());
        reader.open(b'{')?;
        while let Some((name, _)) = reader.member(&mut first, &mut seen)? {
            if name != Cow::Borrowed("keys") {
                reader.skip_value()?;
                continue;
            }
            let mut texts = Vec::new();
            let mut first = true;
            reader.open(b'[')?;
            while reader.another(&mut first, b']')? {
                if texts.len() == MAX_KEYS {
                    return Err(JsonFault::TooDeep);
                }
                let mark = reader.mark();
                reader.skip_value()?;
                texts.push(reader.since(mark));
            }
            keys = Some(texts);
        }
        reader.end()?;
        Ok(keys)
    };
    read()
        .ok()
        .flatten()
        .ok_or(Misuse::UnreadableKey("JWK set"))
}
