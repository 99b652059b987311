//! The one root secret, and what is derived from it.
//!
//! The root secret is kept outside the database. With the database alone nothing can be signed,
//! forged or derived: signing keys are sealed with it, opaque secrets are keyed by it.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};
use symbolon_login::{KeyId, SecretKeys};
use zeroize::Zeroizing;

use crate::ports::{NoRandomness, World};

/// 32 random bytes that the operator keeps beside the database, never in it.
///
/// No Debug, no Serialize, no `==`; zeroed when dropped.
pub struct RootSecret(Zeroizing<[u8; 32]>);

impl RootSecret {
    /// The secret of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A new one.
    pub fn mint(world: &dyn World) -> Result<Self, NoRandomness> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        world.fill(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// The bytes, for the file that keeps them.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Seals private keys for the database.
pub(crate) struct Vault {
    key: Option<LessSafeKey>,
}

/// The sealed key does not open: another root secret, or changed bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DoesNotOpen;

impl Vault {
    pub(crate) fn derive(root: &RootSecret) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, root.expose());
        let mut context = hmac::Context::with_key(&root);
        // One step of the KDF in counter mode over HMAC-SHA256 (NIST SP 800-108 section 4.1).
        context.update(&[1]);
        context.update(b"signing keys at rest");
        let key = UnboundKey::new(&AES_256_GCM, context.sign().as_ref());
        Self {
            key: key.ok().map(LessSafeKey::new),
        }
    }

    /// Sealed with AES-256-GCM under a random nonce, bound to the key's id.
    pub(crate) fn seal(
        &self,
        kid: &KeyId,
        private: &[u8],
        world: &dyn World,
    ) -> Result<Vec<u8>, NoRandomness> {
        let mut nonce = [0_u8; NONCE_LEN];
        world.fill(&mut nonce)?;
        let mut sealed = Zeroizing::new(private.to_vec());
        self.key
            .as_ref()
            .and_then(|key| {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.seal_in_place_append_tag(nonce, aad(kid), &mut *sealed)
                    .ok()
            })
            .ok_or(NoRandomness)?;
        let mut stored = nonce.to_vec();
        stored.extend_from_slice(&sealed);
        Ok(stored)
    }

    pub(crate) fn open(
        &self,
        kid: &KeyId,
        stored: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, DoesNotOpen> {
        let (nonce, sealed) = stored.split_first_chunk::<NONCE_LEN>().ok_or(DoesNotOpen)?;
        let mut bytes = Zeroizing::new(sealed.to_vec());
        let key = self.key.as_ref().ok_or(DoesNotOpen)?;
        let length = key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), aad(kid), &mut bytes)
            .map_err(|_| DoesNotOpen)?
            .len();
        bytes.truncate(length);
        Ok(bytes)
    }
}

fn aad(kid: &KeyId) -> Aad<Vec<u8>> {
    Aad::from([b"symbolon signing key ", kid.as_str().as_bytes()].concat())
}

/// The keys of the opaque secrets under this root.
pub(crate) fn secret_keys(root: &RootSecret) -> SecretKeys {
    SecretKeys::derive(root.expose())
}
