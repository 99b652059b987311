//! Opaque secrets: the session cookie and the refresh token.
//!
//! Both are one line of secrets of one grant. The text is `sym_s_` (session) or `sym_r_` (refresh)
//! and the base64url of: grant id (16 bytes), generation (4, big endian), secret (32), truncated
//! MAC (16). The MAC lets a forged one be refused before any store is asked. At rest only a
//! [`Digest`] is kept. A successor is a keyed hash of the secret that it replaces, so that the same
//! secret presented twice gives the same successor with nothing stored.

use std::fmt;

use aws_lc_rs::{digest, hmac};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::GrantId;

const MAC_LENGTH: usize = 16;
const BODY_LENGTH: usize = 16 + 4 + 32;
/// `sym_s_` and 91 characters of base64url for 68 bytes.
const TEXT_LENGTH: usize = 6 + 91;

/// Which of the two credentials an opaque secret is. One is never taken for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// The session shape: proves the grant on each request.
    Session,
    /// The refresh token of the jwt shape: only the token endpoint takes it.
    Refresh,
}

impl SecretKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Session => "sym_s_",
            Self::Refresh => "sym_r_",
        }
    }

    /// What the text claims to be, by its prefix alone. Says nothing about its authenticity.
    pub fn claimed_by(text: impl AsRef<[u8]>) -> Option<Self> {
        [Self::Session, Self::Refresh]
            .into_iter()
            .find(|kind| text.as_ref().starts_with(kind.prefix().as_bytes()))
    }
}

/// The keys of the opaque secrets, derived from one root secret.
///
/// No Debug, no Serialize, no `==`.
pub struct SecretKeys {
    mac: hmac::Key,
    line: hmac::Key,
}

/// One authentic opaque secret. No Debug, no Serialize, no `==`; zeroed when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct OpaqueSecret {
    #[zeroize(skip)]
    kind: SecretKind,
    #[zeroize(skip)]
    grant: GrantId,
    #[zeroize(skip)]
    generation: u32,
    body: [u8; BODY_LENGTH],
    mac: [u8; MAC_LENGTH],
}

/// The text is no opaque secret of this authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// Wrong prefix, length or alphabet.
    #[error("not an opaque secret")]
    Malformed,
    /// The right form, but the MAC is wrong: made up, altered, or of another authority.
    #[error("an opaque secret that this authority never issued")]
    Forged,
}

impl SecretKeys {
    /// Keys for the root secret of an authority (32 random bytes, kept outside the database).
    pub fn derive(root: &[u8; 32]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, root);
        Self {
            mac: subkey(&root, b"opaque secret mac"),
            line: subkey(&root, b"opaque secret line"),
        }
    }

    /// The first secret of a new grant, from 32 random bytes.
    pub fn first(&self, kind: SecretKind, grant: GrantId, random: [u8; 32]) -> OpaqueSecret {
        self.seal(kind, grant, 0, &Zeroizing::new(random))
    }

    /// The secret that replaces `presented`: always the same one for the same secret.
    pub fn successor(&self, presented: &OpaqueSecret, kind: SecretKind) -> OpaqueSecret {
        // The body holds grant and generation, so each step of each line has its own input.
        let tag = hmac::sign(&self.line, &presented.body);
        let mut next = Zeroizing::new([0_u8; 32]);
        for (to, from) in next.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        self.seal(
            kind,
            presented.grant,
            presented.generation.saturating_add(1),
            &next,
        )
    }

    /// Reads a presented secret: form, then MAC, in constant time.
    pub fn authenticate(&self, text: &str) -> Result<OpaqueSecret, BadSecret> {
        let kind = SecretKind::claimed_by(text).ok_or(BadSecret::Malformed)?;
        if text.len() != TEXT_LENGTH {
            return Err(BadSecret::Malformed);
        }
        let encoded = text
            .strip_prefix(kind.prefix())
            .ok_or(BadSecret::Malformed)?;
        let bytes = Zeroizing::new(
            URL_SAFE_NO_PAD
                .decode(encoded)
                .map_err(|_| BadSecret::Malformed)?,
        );
        let (body, mac) = bytes
            .split_first_chunk::<BODY_LENGTH>()
            .ok_or(BadSecret::Malformed)?;
        let mac: [u8; MAC_LENGTH] = mac.try_into().map_err(|_| BadSecret::Malformed)?;
        if !bool::from(self.tag(kind, body).ct_eq(&mac)) {
            return Err(BadSecret::Forged);
        }
        let (grant, rest) = body.split_first_chunk::<16>().ok_or(BadSecret::Malformed)?;
        let (generation, _) = rest.split_first_chunk::<4>().ok_or(BadSecret::Malformed)?;
        Ok(OpaqueSecret {
            kind,
            grant: GrantId::from_bytes(*grant),
            generation: u32::from_be_bytes(*generation),
            body: *body,
            mac,
        })
    }

    fn seal(
        &self,
        kind: SecretKind,
        grant: GrantId,
        generation: u32,
        secret: &[u8; 32],
    ) -> OpaqueSecret {
        let mut body = [0_u8; BODY_LENGTH];
        let counter = generation.to_be_bytes();
        let parts = grant.as_bytes().iter().chain(&counter).chain(secret);
        for (to, from) in body.iter_mut().zip(parts) {
            *to = *from;
        }
        let mac = self.tag(kind, &body);
        OpaqueSecret {
            kind,
            grant,
            generation,
            body,
            mac,
        }
    }

    fn tag(&self, kind: SecretKind, body: &[u8; BODY_LENGTH]) -> [u8; MAC_LENGTH] {
        let mut context = hmac::Context::with_key(&self.mac);
        context.update(kind.prefix().as_bytes());
        context.update(body);
        let full = context.sign();
        let mut short = [0_u8; MAC_LENGTH];
        for (to, from) in short.iter_mut().zip(full.as_ref()) {
            *to = *from;
        }
        short
    }
}

/// One step of the KDF in counter mode over HMAC-SHA256 (NIST SP 800-108 section 4.1): label, counter 1.
fn subkey(root: &hmac::Key, label: &[u8]) -> hmac::Key {
    let mut context = hmac::Context::with_key(root);
    context.update(&[1]);
    context.update(label);
    hmac::Key::new(hmac::HMAC_SHA256, context.sign().as_ref())
}

impl OpaqueSecret {
    /// Session or refresh.
    pub const fn kind(&self) -> SecretKind {
        self.kind
    }

    /// The grant that it proves.
    pub const fn grant(&self) -> GrantId {
        self.grant
    }

    /// How many secrets of its line came before it.
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// What the store keeps of it.
    pub fn digest(&self) -> Digest {
        Digest::of("secret line", &self.body)
    }

    /// The text that the client keeps. Its only way out: for the answer to its owner.
    pub fn expose(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(BODY_LENGTH + MAC_LENGTH));
        bytes.extend_from_slice(&self.body);
        bytes.extend_from_slice(&self.mac);
        let mut text = Zeroizing::new(String::with_capacity(TEXT_LENGTH));
        text.push_str(self.kind.prefix());
        URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut text);
        text
    }
}

/// SHA-256 of a secret under a purpose: what is kept at rest of a secret of 256 random bits.
///
/// The purpose keeps a digest of one kind from being looked up as another (CVE-2026-4282).
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `secret` for `purpose`.
    pub fn of(purpose: &str, secret: &[u8]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(secret);
        let full = context.finish();
        let mut bytes = [0_u8; 32];
        for (to, from) in bytes.iter_mut().zip(full.as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }

    /// Whether both are the same, in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// The 32 bytes, for a column of a store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A digest read back from a store.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Digest {
    /// Four bytes are enough to tell rows apart in a log and no use to anyone else.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, third, fourth, ..] = self.0;
        write!(
            f,
            "Digest({first:02x}{second:02x}{third:02x}{fourth:02x}..)"
        )
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    fn keys() -> SecretKeys {
        SecretKeys::derive(&[7; 32])
    }

    fn a_secret(kind: SecretKind, random: [u8; 32]) -> OpaqueSecret {
        keys().first(kind, GrantId::from_bytes([3; 16]), random)
    }

    fn kinds() -> impl Strategy<Value = SecretKind> {
        prop_oneof![Just(SecretKind::Session), Just(SecretKind::Refresh)]
    }

    proptest! {
        #[test]
        fn what_was_issued_is_authentic(kind in kinds(), random: [u8; 32]) {
            let issued = a_secret(kind, random);
            let read = keys().authenticate(&issued.expose()).ok().unwrap();
            prop_assert!(read.kind() == kind && read.generation() == 0 && read.grant() == issued.grant());
            prop_assert!(read.digest().matches(&issued.digest()));
        }

        /// Any other character anywhere refuses: there is one spelling, and the MAC covers it all.
        #[test]
        fn one_changed_character_refuses(kind in kinds(), random: [u8; 32], at in 0..TEXT_LENGTH, to in "[A-Za-z0-9_=+/ -]") {
            let text = a_secret(kind, random).expose();
            let mut other = text.to_string();
            other.replace_range(at..=at, &to);
            prop_assume!(*other != **text);
            prop_assert!(keys().authenticate(&other).is_err());
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,120}") {
            prop_assert!(keys().authenticate(&text).is_err());
        }

        #[test]
        fn a_successor_is_the_same_each_time_and_unlike_its_source(random: [u8; 32]) {
            let keys = keys();
            let first = a_secret(SecretKind::Refresh, random);
            let (once, again) = (keys.successor(&first, SecretKind::Refresh), keys.successor(&first, SecretKind::Refresh));
            prop_assert_eq!(once.expose(), again.expose());
            prop_assert_eq!(once.generation(), 1);
            prop_assert!(!once.digest().matches(&first.digest()));
            // The shape may change on the way: the line, and so the digest, is the same.
            prop_assert!(keys.successor(&first, SecretKind::Session).digest().matches(&once.digest()));
        }
    }

    #[test]
    fn a_refresh_token_is_not_a_session() {
        let refresh = a_secret(SecretKind::Refresh, [9; 32]).expose();
        let as_session = refresh.replace("sym_r_", "sym_s_");
        assert_eq!(
            keys().authenticate(&as_session).err(),
            Some(BadSecret::Forged)
        );
    }

    #[test]
    fn another_root_makes_it_a_forgery() {
        let text = a_secret(SecretKind::Session, [9; 32]).expose();
        assert_eq!(
            SecretKeys::derive(&[8; 32]).authenticate(&text).err(),
            Some(BadSecret::Forged)
        );
    }

    #[test]
    fn a_digest_belongs_to_its_purpose() {
        assert!(!Digest::of("code", b"x").matches(&Digest::of("set-up link", b"x")));
        assert_eq!(
            format!("{:?}", Digest::from_bytes([0xab; 32])),
            "Digest(abababab..)"
        );
    }
}
