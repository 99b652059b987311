//! Users, apps and keys: what must be there tomorrow.

use std::collections::BTreeSet;

use async_trait::async_trait;
use symbolon_login::{
    Change, ClientId, Digest, Freshness, Identifier, KeyId, Lifetimes, LoginLimit, LoginPolicy,
    Position, Role, Scope, Shape, UnixMillis, UserId,
};

use super::{Ended, StoreError};
use crate::{App, PasswordHash, RedirectUri, User};

/// A signing key at rest: the private part sealed with a key that is not in the store.
#[derive(Clone)]
pub struct StoredKey {
    /// Its `kid`.
    pub kid: KeyId,
    /// Its one algorithm, by JOSE name (RFC 7518 section 3.1).
    pub algorithm: String,
    /// The public JWK.
    pub public_jwk: serde_json::Value,
    /// The private key, sealed.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: UnixMillis,
}

impl StoredKey {
    /// From when on it may sign, while verifiers know it from [`StoredKey::created_at`] on: the member
    /// `nbf` of its JWK, in seconds. It is decided once, when the key is made, so that all nodes agree
    /// on it whatever their settings say. None: it signs at once.
    pub fn signs_from(&self) -> UnixMillis {
        let not_before = self.public_jwk.get("nbf");
        let not_before = not_before.and_then(serde_json::Value::as_i64);
        not_before.map_or(self.created_at, UnixMillis::from_secs)
    }
}

/// One step of the signing keys, decided on the keys that were there.
#[derive(Clone)]
pub struct KeyChange {
    /// The ids of all keys that it was decided on.
    pub seen: BTreeSet<KeyId>,
    /// A key to add.
    pub add: Option<StoredKey>,
    /// A key to remove together with every token that it signed.
    pub cut: Option<KeyId>,
    /// Keys to remove of which no token is left.
    pub retire: Vec<KeyId>,
}

impl KeyChange {
    /// The ids of the keys that go.
    pub fn removed(&self) -> impl Iterator<Item = &KeyId> {
        self.cut.iter().chain(&self.retire)
    }

    /// What guards have to hear of it, in order: what comes before what goes.
    pub fn entries(&self) -> Vec<Change> {
        let added = self.add.as_ref().map(|key| Change::KeyAdded {
            jwk: key.public_jwk.clone(),
        });
        let cut = self.cut.as_ref().map(|kid| Change::CutOff {
            covers: Scope::Key { kid: kid.clone() },
        });
        let retired = self
            .removed()
            .map(|kid| Change::KeyRetired { kid: kid.clone() });
        added.into_iter().chain(cut).chain(retired).collect()
    }
}

/// What became of a step of the signing keys.
#[derive(Debug, PartialEq, Eq)]
pub enum ChangeKeys {
    /// Done; the last of its entries is at this position.
    Changed(Position),
    /// The keys are not those that it was decided on: look again. Nothing was done.
    Overtaken,
}

/// What became of a new user.
#[derive(Debug, PartialEq, Eq)]
pub enum AddUser {
    /// There now.
    Added,
    /// Somebody has that identifier.
    Taken,
}

/// What became of a new app.
#[derive(Debug, PartialEq, Eq)]
pub enum AddApp {
    /// There now, and guards hear of it at this position.
    Added(Position),
    /// That client id is in use.
    Taken,
}

/// A change of an app's settings; what is none stays.
#[derive(Clone, Debug, Default)]
pub struct AppChange {
    /// The name that people see.
    pub name: Option<String>,
    /// The first dial.
    pub shape: Option<Shape>,
    /// The second dial.
    pub freshness: Option<Freshness>,
    /// All lifetimes.
    pub lifetimes: Option<Lifetimes>,
    /// How many logins a person may have in it at once; the inner none takes a limit away.
    pub limit: Option<Option<LoginLimit>>,
    /// All redirect URIs.
    pub redirect_uris: Option<Vec<RedirectUri>>,
    /// The digest of a new client secret; the old one is good no longer.
    pub secret: Option<Digest>,
}

impl AppChange {
    /// Applies it.
    pub fn apply(self, app: &mut App) {
        let Self {
            name,
            shape,
            freshness,
            lifetimes,
            limit,
            redirect_uris,
            secret,
        } = self;
        let settings = &mut app.settings;
        settings.shape = shape.unwrap_or(settings.shape);
        settings.freshness = freshness.unwrap_or(settings.freshness);
        settings.lifetimes = lifetimes.unwrap_or(settings.lifetimes);
        if let Some(name) = name {
            app.name = name;
        }
        app.limit = limit.unwrap_or(app.limit);
        if let Some(uris) = redirect_uris {
            app.redirect_uris = uris;
        }
        app.secret = secret.or(app.secret);
    }
}

/// The store of users, apps and keys. Transactional. What guards have to hear of is appended to the
/// log in the same transaction.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Adds a user, unless the identifier is taken.
    async fn add_user(&self, user: User, password: PasswordHash) -> Result<AddUser, StoreError>;

    /// Adds a user only while there is no user with the role `admin`: outcome none otherwise.
    /// Decides the race of two first administrators.
    async fn add_first_admin(
        &self,
        user: User,
        password: PasswordHash,
    ) -> Result<Option<AddUser>, StoreError>;

    /// Whether any user has the role `admin`, disabled or not: the question of
    /// [`Directory::add_first_admin`], without the deed.
    async fn has_admin(&self) -> Result<bool, StoreError>;

    /// A user by id.
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// A user by identifier, with the password hash.
    async fn user_to_verify(
        &self,
        identifier: &Identifier,
    ) -> Result<Option<(User, PasswordHash)>, StoreError>;

    /// Up to `limit` users in order of their identifiers, those after `after`.
    async fn users(&self, after: Option<Identifier>, limit: u32) -> Result<Vec<User>, StoreError>;

    /// Replaces the password and ends all logins of the user, in one transaction. None: no such user.
    async fn set_password(
        &self,
        id: UserId,
        password: PasswordHash,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError>;

    /// Replaces what the user may do and ends all their logins, in one transaction: a credential never
    /// outlives the rights that it was given for. None: no such user.
    async fn set_roles(
        &self,
        id: UserId,
        roles: Vec<Role>,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError>;

    /// Replaces what the user's logins are held to from now on. False: no such user.
    async fn set_login_policy(&self, id: UserId, policy: LoginPolicy) -> Result<bool, StoreError>;

    /// Disables the user and ends all their logins, in one transaction. None: no such user.
    async fn disable_user(&self, id: UserId, now: UnixMillis) -> Result<Option<Ended>, StoreError>;

    /// Lets a disabled user sign in again. False: no such user.
    async fn enable_user(&self, id: UserId) -> Result<bool, StoreError>;

    /// Adds an app and logs its settings, unless the client id is taken.
    async fn add_app(&self, app: App, now: UnixMillis) -> Result<AddApp, StoreError>;

    /// Changes an app and logs its new settings. None: no such app.
    async fn change_app(
        &self,
        client_id: &ClientId,
        change: AppChange,
        now: UnixMillis,
    ) -> Result<Option<(App, Position)>, StoreError>;

    /// An app by its id.
    async fn app(&self, client_id: &ClientId) -> Result<Option<App>, StoreError>;

    /// All apps in order of their ids.
    async fn apps(&self) -> Result<Vec<App>, StoreError>;

    /// Adds a signing key and logs its public part, unless a key of that algorithm is there: then
    /// nothing happens and the answer is none. Decides the race of two first starts.
    async fn add_first_key(
        &self,
        key: StoredKey,
        now: UnixMillis,
    ) -> Result<Option<Position>, StoreError>;

    /// Adds and removes signing keys and logs it, in one transaction, if the keys there are exactly
    /// [`KeyChange::seen`]: of several nodes that decide at once one succeeds.
    async fn change_keys(
        &self,
        change: KeyChange,
        now: UnixMillis,
    ) -> Result<ChangeKeys, StoreError>;

    /// All signing keys that are not retired, oldest first.
    async fn keys(&self) -> Result<Vec<StoredKey>, StoreError>;

    /// Marks the whole store as holding `what`'s data (for example `demo`); marks are never removed.
    async fn mark(&self, what: &str) -> Result<(), StoreError>;

    /// Whether the store bears that mark.
    async fn is_marked(&self, what: &str) -> Result<bool, StoreError>;
}
