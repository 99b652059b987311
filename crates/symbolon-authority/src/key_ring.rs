//! The signing keys as one node knows them, kept in step with the log.
//!
//! A node follows the log for its keys as a guard does for its own: before it signs or verifies
//! anything it asks for the head, and reads the keys again if an entry up to there is about keys. So
//! every node, without a restart, signs only with keys that the shared store has, and refuses a key
//! from the moment on at which its end was acknowledged by another node.

use std::sync::{Arc, PoisonError, RwLock};

use symbolon_jose::{Algorithm, KeySet, SigningKey};
use symbolon_login::{Change, KeyId, Position, Scope, UnixMillis};

use crate::{
    Failure, StartError,
    ports::{Directory, Logins, StoreError, StoredKey, Tail, World},
    vault::Vault,
};

/// The stored keys do not open: the root secret is another one, or the database is damaged.
#[derive(Debug, thiserror::Error)]
#[error("the signing key {0} does not open with this root secret")]
pub struct OpenKeysError(KeyId);

/// What new keys are made for.
const ALGORITHM: Algorithm = Algorithm::Es256;

/// As many entries of the log are looked through; after more the keys are simply read again.
const STRETCH: u32 = 256;

/// The keys as of one position of the log.
pub(crate) struct KeyRing {
    /// In the order in which they sign.
    keys: Vec<RingKey>,
    trusted: KeySet,
}

/// A key of the ring.
pub(crate) struct RingKey {
    pub(crate) stored: StoredKey,
    pub(crate) signing: Arc<SigningKey>,
}

impl KeyRing {
    /// All keys, in the order in which they sign.
    pub(crate) fn keys(&self) -> &[RingKey] {
        &self.keys
    }

    /// The place of the key that signs at `now`: the last one whose time has come. Where no time has
    /// come (the key that did sign was cut off, or the clock was set back) it is the first, which
    /// verifiers know longest.
    pub(crate) fn place_of_signing(&self, now: UnixMillis) -> usize {
        let come = self.keys.iter().rposition(|key| key.signs_from() <= now);
        come.unwrap_or(0)
    }

    /// The key that signs at `now`.
    pub(crate) fn signing(&self, now: UnixMillis) -> Option<&SigningKey> {
        let key = self.keys.get(self.place_of_signing(now))?;
        Some(&*key.signing)
    }

    /// The keys that tokens are verified with.
    pub(crate) const fn trusted(&self) -> &KeySet {
        &self.trusted
    }

    /// Their public JWKs.
    pub(crate) fn public_jwks(&self) -> Vec<serde_json::Value> {
        let jwks = self.keys.iter().map(|key| key.stored.public_jwk.clone());
        jwks.collect()
    }
}

impl RingKey {
    pub(crate) const fn kid(&self) -> &KeyId {
        &self.stored.kid
    }

    pub(crate) fn signs_from(&self) -> UnixMillis {
        self.stored.signs_from()
    }
}

/// The keys of a running node.
pub(crate) struct Keys {
    vault: Vault,
    current: RwLock<(Position, Arc<KeyRing>)>,
    /// Held while the log is read, so that many requests behind one entry read it once.
    following: tokio::sync::Mutex<()>,
}

impl Keys {
    /// Opens the stored keys, and makes the first one where there is none.
    pub(crate) async fn open(
        directory: &dyn Directory,
        logins: &dyn Logins,
        vault: Vault,
        world: &dyn World,
    ) -> Result<Self, StartError> {
        // Read before the keys: what comes in between is looked at once more.
        let mut at = logins.head().await.map_err(Failure::from)?;
        let mut stored = directory.keys().await.map_err(Failure::from)?;
        if stored.is_empty() {
            let now = world.now();
            let key = new_key(&vault, world, now)?;
            // None: another start was faster. Either way the store knows which key it is.
            directory
                .add_first_key(key, now)
                .await
                .map_err(Failure::from)?;
            at = logins.head().await.map_err(Failure::from)?;
            stored = directory.keys().await.map_err(Failure::from)?;
        }
        let ring = ring_of(&vault, stored, &[])?;
        Ok(Self {
            vault,
            current: RwLock::new((at, Arc::new(ring))),
            following: tokio::sync::Mutex::default(),
        })
    }

    /// The keys as of the log's head, read after the call.
    pub(crate) async fn ring(
        &self,
        directory: &dyn Directory,
        logins: &dyn Logins,
    ) -> Result<Arc<KeyRing>, Failure> {
        let head = logins.head().await?;
        let known = self.known();
        if known.0 >= head {
            return Ok(known.1);
        }
        let _one = self.following.lock().await;
        let (at, ring) = self.known();
        // Who held the lock before may have come this far, or into a later epoch.
        if at >= head {
            return Ok(ring);
        }
        let unchanged = unchanged_until(logins.tail(at, STRETCH).await?, head);
        let (at, ring) = if let Some(position) = unchanged {
            (position, ring)
        } else {
            let stored = directory.keys().await?;
            let read = ring_of(&self.vault, stored, ring.keys());
            let read = read.map_err(|error| StoreError::Damaged(error.to_string()))?;
            (head, Arc::new(read))
        };
        let news = (at, Arc::clone(&ring));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = news;
        Ok(ring)
    }

    /// A new key, sealed, that signs from then on.
    pub(crate) fn make(
        &self,
        world: &dyn World,
        signs_from: UnixMillis,
    ) -> Result<StoredKey, Failure> {
        new_key(&self.vault, world, signs_from)
    }

    fn known(&self) -> (Position, Arc<KeyRing>) {
        // What it guards is replaced as a whole.
        let known = self.current.read().unwrap_or_else(PoisonError::into_inner);
        (known.0, Arc::clone(&known.1))
    }
}

/// Up to where the log says nothing about keys; none if it does, or does not tell.
fn unchanged_until(tail: Tail, head: Position) -> Option<Position> {
    let Tail::Entries(entries) = tail else {
        return None;
    };
    let about_keys = |change: &Change| {
        matches!(
            change,
            Change::KeyAdded { .. }
                | Change::KeyRetired { .. }
                | Change::CutOff {
                    covers: Scope::Key { .. }
                }
        )
    };
    let last = entries.last()?.position;
    let quiet = !entries.iter().any(|entry| about_keys(&entry.change));
    (quiet && last >= head).then_some(last)
}

/// The ring of these keys. What `known` has open already is not opened again.
fn ring_of(
    vault: &Vault,
    stored: Vec<StoredKey>,
    known: &[RingKey],
) -> Result<KeyRing, OpenKeysError> {
    let mut trusted = KeySet::default();
    let mut keys = Vec::with_capacity(stored.len());
    for stored in stored {
        let failed = || OpenKeysError(stored.kid.clone());
        let open = known.iter().find(|known| *known.kid() == stored.kid);
        let signing = match open {
            Some(known) => Arc::clone(&known.signing),
            None => Arc::new(unseal(vault, &stored).ok_or_else(failed)?),
        };
        let verifying = signing.verifying_key().map_err(|_| failed())?;
        trusted.insert(verifying).map_err(|_| failed())?;
        keys.push(RingKey { stored, signing });
    }
    // Two that begin in the same second: the one made later goes last, and so signs.
    keys.sort_by_key(|key| (key.signs_from(), key.stored.created_at));
    Ok(KeyRing { keys, trusted })
}

fn new_key(vault: &Vault, world: &dyn World, signs_from: UnixMillis) -> Result<StoredKey, Failure> {
    let signing = |error: symbolon_jose::Misuse| {
        tracing::error!(%error, "a signing key could not be made");
        Failure::Signing
    };
    let now = world.now();
    let key = SigningKey::generate(ALGORITHM, world.signing_random()).map_err(signing)?;
    let kid: KeyId = key.kid().parse().map_err(|_| Failure::Signing)?;
    let public = key
        .verifying_key()
        .and_then(|key| key.to_jwk())
        .map_err(signing)?;
    let private = key.dangerous_to_pkcs8_der().map_err(signing)?;
    let mut public_jwk: serde_json::Value = serde_json::from_str(&public)
        .map_err(|_| StoreError::Damaged("a public key that is no JSON".to_owned()))?;
    if signs_from > now
        && let Some(members) = public_jwk.as_object_mut()
    {
        // Whole seconds, and not before the lead is over.
        let not_before = signs_from.as_millis().saturating_add(999).div_euclid(1000);
        members.insert("nbf".to_owned(), not_before.into());
    }
    Ok(StoredKey {
        algorithm: ALGORITHM.to_string(),
        public_jwk,
        sealed: vault.seal(&kid, &private, world)?,
        kid,
        created_at: now,
    })
}

fn unseal(vault: &Vault, key: &StoredKey) -> Option<SigningKey> {
    let algorithm = Algorithm::from_name(&key.algorithm)?;
    let private = vault.open(&key.kid, &key.sealed).ok()?;
    let signing = SigningKey::from_pkcs8_der(algorithm, &private).ok()?;
    signing.with_kid(key.kid.as_str()).ok()
}
