//! Stories: signing keys come, sign, and go.
//!
//! A key is known to verifiers before it signs: it is published at once and signs when its lead is over.
//! The key before it stays known until no token of it is left, then it goes by itself. Which key signs
//! follows from the stored keys and the time alone, so nodes on one store need not agree on anything
//! else.
//!
//! A key that somebody else may have is cut off: its tokens are dead everywhere, also at guards, while
//! logins live on and get a token of another key at their next refresh. Where a key that verifiers know
//! is left, it signs on until the lead of the next one is over.

use std::time::Duration;

use symbolon_login::{KeyId, Lifetimes, UnixMillis};

use crate::{
    Admin, Authority, Failure,
    key_ring::{KeyRing, RingKey},
    log::MARGIN,
    ports::{ChangeKeys, Ended, KeyChange, StoreError},
};

/// How many keys there may be at once: a JWK Set of this many is one that common verifiers still read.
const MOST: usize = 200;

/// How often a step is decided anew because another node was faster.
const TRIES: usize = 8;

/// The rules of rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRules {
    /// How long a new key is published before it signs.
    pub lead: Duration,
    /// How old the newest key gets before another one is made; none: only when somebody asks for it.
    pub every: Option<Duration>,
}

impl KeyRules {
    /// The shortest and the longest lead. Within the longest one the members of a cluster agree about the
    /// time; below the shortest one a lead is no lead.
    pub const LEADS: std::ops::RangeInclusive<Duration> =
        Duration::from_secs(1)..=Duration::from_secs(86_400);

    /// The shortest time between two rotations that nobody asks for.
    pub const MOST_OFTEN: Duration = Duration::from_secs(10);
}

impl Default for KeyRules {
    /// Ten minutes, which is twice as long as verifiers may keep the JWK Set, and 90 days.
    fn default() -> Self {
        Self {
            lead: Duration::from_secs(600),
            every: Some(Duration::from_secs(90 * 86_400)),
        }
    }
}

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStage {
    /// Published; it does not sign yet.
    Arriving,
    /// What is signed now is signed with it.
    Signing,
    /// It signs no longer; tokens of it may still live.
    Leaving,
}

/// A signing key, as its administrators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyState {
    /// Its `kid`.
    pub kid: KeyId,
    /// Its one algorithm, by JOSE name.
    pub algorithm: String,
    /// Where it is in its life.
    pub stage: KeyStage,
    /// When it was made and published.
    pub created_at: UnixMillis,
    /// From when on it signs.
    pub signs_from: UnixMillis,
    /// When it goes by itself; none while no other key follows it.
    pub leaves_at: Option<UnixMillis>,
}

/// What became of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotatedKeys {
    /// The new key, published.
    Arriving(KeyState),
    /// As many keys as there may be: one has to go first.
    TooMany,
}

/// A key that was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedKey {
    /// The acknowledged end of everything that it signed. Its count is zero: no login ends with it.
    pub ended: Ended,
    /// The key that signs from now on.
    pub signing: KeyState,
}

impl Authority {
    /// How long a new signing key is published before it signs.
    pub const fn key_lead(&self) -> Duration {
        self.settings.keys.lead
    }

    /// All signing keys, in the order in which they sign.
    pub async fn signing_keys(&self, _admin: &Admin) -> Result<Vec<KeyState>, Failure> {
        Ok(states(&*self.ring().await?, self.now()))
    }

    /// Publishes a new signing key, which signs when the lead is over.
    pub async fn rotate_keys(&self, admin: &Admin) -> Result<RotatedKeys, Failure> {
        for _ in 0..TRIES {
            let (ring, now) = (self.ring().await?, self.now());
            if ring.keys().len() >= MOST {
                return Ok(RotatedKeys::TooMany);
            }
            let key = self.keys.make(&*self.world, now.plus(self.key_lead()))?;
            let kid = key.kid.clone();
            let step = KeyChange {
                add: Some(key),
                ..seen(&ring)
            };
            if let ChangeKeys::Changed(position) = self.directory.change_keys(step, now).await? {
                tracing::info!(%admin, %kid, %position, "signing key published");
                let states = states(&*self.ring().await?, now);
                let found = states.into_iter().find(|key| key.kid == kid);
                // Gone again already: somebody revoked it meanwhile.
                return found.map(RotatedKeys::Arriving).ok_or_else(contended);
            }
        }
        Err(contended())
    }

    /// Cuts a signing key off: from the acknowledged position on every token of it is dead, and logins
    /// go on with a token of another key. None: no such key.
    pub async fn revoke_key(
        &self,
        admin: &Admin,
        kid: &KeyId,
    ) -> Result<Option<RevokedKey>, Failure> {
        for _ in 0..TRIES {
            let (ring, now) = (self.ring().await?, self.now());
            let Some(place) = ring.keys().iter().position(|key| key.kid() == kid) else {
                return Ok(None);
            };
            let signing = ring.place_of_signing(now);
            // Something has to follow the one that signs. Where another key is known to verifiers, that
            // one signs until they know the new one, too.
            let add = if place == signing && place + 1 == ring.keys().len() {
                let alone = ring.keys().len() == 1;
                let signs_from = if alone {
                    now
                } else {
                    now.plus(self.key_lead())
                };
                Some(self.keys.make(&*self.world, signs_from)?)
            } else {
                None
            };
            let step = KeyChange {
                add,
                cut: Some(kid.clone()),
                ..seen(&ring)
            };
            if let ChangeKeys::Changed(position) = self.directory.change_keys(step, now).await? {
                tracing::warn!(%admin, %kid, %position, "signing key revoked: every token of it is dead");
                let states = states(&*self.ring().await?, now);
                let mut signing = states.into_iter();
                let signing = signing.find(|key| key.stage == KeyStage::Signing);
                return Ok(Some(RevokedKey {
                    ended: Ended { position, count: 0 },
                    signing: signing.ok_or(Failure::Signing)?,
                }));
            }
        }
        Err(contended())
    }

    /// Does what is due: makes the next key when the newest one is old enough, and retires keys of which
    /// no token is left. To be called every few seconds, by every node.
    pub async fn tend_keys(&self) -> Result<(), Failure> {
        let (ring, now) = (self.ring().await?, self.now());
        let retire: Vec<KeyId> = over(&ring, now).map(|key| key.kid().clone()).collect();
        let newest = ring.keys().iter().map(|key| key.stored.created_at).max();
        let is_due = |every| newest.is_none_or(|newest| newest.plus(every) <= now);
        let room = ring.keys().len().saturating_sub(retire.len()) < MOST;
        let add = if self.settings.keys.every.is_some_and(is_due) && room {
            Some(self.keys.make(&*self.world, now.plus(self.key_lead()))?)
        } else {
            None
        };
        if add.is_none() && retire.is_empty() {
            return Ok(());
        }
        let kid = add.as_ref().map(|key| key.kid.to_string());
        let kid = kid.as_deref().unwrap_or("-");
        let retired = retire.len();
        let step = KeyChange {
            add,
            retire,
            ..seen(&ring)
        };
        match self.directory.change_keys(step, now).await? {
            ChangeKeys::Changed(position) => {
                tracing::info!(kid, retired, %position, "signing keys rotated");
            }
            // Another node did it, or somebody at the same moment: the next look decides anew.
            ChangeKeys::Overtaken => {}
        }
        Ok(())
    }

    /// The keys as of the log's head.
    pub(crate) async fn ring(&self) -> Result<std::sync::Arc<KeyRing>, Failure> {
        self.keys.ring(&*self.directory, &*self.logins).await
    }
}

/// A step that changes nothing, decided on this ring.
fn seen(ring: &KeyRing) -> KeyChange {
    KeyChange {
        seen: ring.keys().iter().map(|key| key.kid().clone()).collect(),
        add: None,
        cut: None,
        retire: Vec::new(),
    }
}

/// When the last token of the key before `next` is over, whichever app it is for: `next` signs by then
/// for as long as an access token may live at most. Apps may have had longer lifetimes a moment ago, so
/// their present ones say nothing.
fn gone_before(next: &RingKey) -> UnixMillis {
    next.signs_from()
        .plus(Lifetimes::LONGEST_ACCESS_TOKEN + MARGIN)
}

/// The keys of which no token is left.
fn over(ring: &KeyRing, now: UnixMillis) -> impl Iterator<Item = &RingKey> {
    let followed = ring.keys().iter().zip(ring.keys().iter().skip(1));
    followed
        .filter(move |(_, next)| gone_before(next) <= now)
        .map(|(key, _)| key)
}

fn states(ring: &KeyRing, now: UnixMillis) -> Vec<KeyState> {
    let signing = ring.place_of_signing(now);
    let state = |(place, key): (usize, &RingKey)| KeyState {
        kid: key.kid().clone(),
        algorithm: key.stored.algorithm.clone(),
        stage: match place.cmp(&signing) {
            std::cmp::Ordering::Less => KeyStage::Leaving,
            std::cmp::Ordering::Equal => KeyStage::Signing,
            std::cmp::Ordering::Greater => KeyStage::Arriving,
        },
        created_at: key.stored.created_at,
        signs_from: key.signs_from(),
        leaves_at: ring.keys().get(place + 1).map(gone_before),
    };
    ring.keys().iter().enumerate().map(state).collect()
}

fn contended() -> Failure {
    StoreError::Unavailable("the signing keys are being changed by others: try again".to_owned())
        .into()
}
