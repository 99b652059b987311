//! When is a credential dead? One rule, and the algebra that makes it safe to apply in any order.

use std::{collections::HashMap, hash::Hash};

use serde::{Deserialize, Serialize};

use crate::{ClientId, KeyId, Position, Sid, UserId};

/// What a cut-off covers, widest first.
///
/// On the wire an object with the member `scope`, for example
/// `{"scope":"login","sid":"01890a5d-..."}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "scope", rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    /// Every credential of the authority.
    Everything {},
    /// Every credential that was issued at or after a position of an earlier epoch: what a restored
    /// backup knows nothing of.
    Restored {
        /// The head of the log that the backup holds.
        from: Position,
    },
    /// Every token signed with one key.
    Key {
        /// The key.
        kid: KeyId,
    },
    /// Every grant of one app.
    App {
        /// The app.
        client_id: ClientId,
    },
    /// Every login of one person.
    User {
        /// The person.
        user: UserId,
    },
    /// One login, with all its grants.
    Login {
        /// The login.
        sid: Sid,
    },
    /// One app's share in one login.
    Grant {
        /// The login.
        sid: Sid,
        /// The app.
        client_id: ClientId,
    },
}

/// One entry of the revocation log: from `position` on, everything in `scope` that is older is dead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutOff {
    /// The entry's place in the log.
    pub position: Position,
    /// What it covers.
    #[serde(flatten)]
    pub scope: Scope,
}

/// The facts of a credential that decide whether a cut-off kills it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Whose it is.
    pub user: UserId,
    /// The login that it proves.
    pub sid: Sid,
    /// The app that holds it.
    pub client_id: &'a ClientId,
    /// The key that signed it; none for an opaque secret.
    pub key: Option<&'a KeyId>,
    /// The log position at which its grant was created.
    pub rev: Position,
}

impl Scope {
    /// Whether this scope covers the credential, whatever its age.
    pub fn covers(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::Everything {} => true,
            Self::Restored { from } => subject.rev >= *from,
            Self::Key { kid } => subject.key == Some(kid),
            Self::App { client_id } => subject.client_id == client_id,
            Self::User { user } => subject.user == *user,
            Self::Login { sid } => subject.sid == *sid,
            Self::Grant { sid, client_id } => subject.sid == *sid && subject.client_id == client_id,
        }
    }
}

impl CutOff {
    /// The rule of death: covered, and older than this entry.
    pub fn kills(&self, subject: &Subject<'_>) -> bool {
        subject.rev < self.position && self.scope.covers(subject)
    }
}

/// A set of cut-offs, kept as the latest position for each scope.
///
/// A join-semilattice: [`CutOffs::join`] is commutative, associative and idempotent, and adding to
/// the set never revives anything, so entries may arrive twice or out of order without harm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CutOffs {
    everything: Option<Position>,
    restored: HashMap<Position, Position>,
    keys: HashMap<KeyId, Position>,
    apps: HashMap<ClientId, Position>,
    users: HashMap<UserId, Position>,
    logins: HashMap<Sid, Position>,
    grants: HashMap<(Sid, ClientId), Position>,
}

impl CutOffs {
    /// Adds one cut-off.
    pub fn insert(&mut self, cut_off: &CutOff) {
        let position = cut_off.position;
        match &cut_off.scope {
            Scope::Everything {} => self.everything = self.everything.max(Some(position)),
            Scope::Restored { from } => raise(&mut self.restored, *from, position),
            Scope::Key { kid } => raise(&mut self.keys, kid.clone(), position),
            Scope::App { client_id } => raise(&mut self.apps, client_id.clone(), position),
            Scope::User { user } => raise(&mut self.users, *user, position),
            Scope::Login { sid } => raise(&mut self.logins, *sid, position),
            Scope::Grant { sid, client_id } => {
                raise(&mut self.grants, (*sid, client_id.clone()), position);
            }
        }
    }

    /// Adds everything that `other` knows.
    pub fn join(&mut self, other: &Self) {
        self.everything = self.everything.max(other.everything);
        raise_all(&mut self.restored, &other.restored);
        raise_all(&mut self.keys, &other.keys);
        raise_all(&mut self.apps, &other.apps);
        raise_all(&mut self.users, &other.users);
        raise_all(&mut self.logins, &other.logins);
        raise_all(&mut self.grants, &other.grants);
    }

    /// The latest position that kills this credential, or none while it lives.
    pub fn kills(&self, subject: &Subject<'_>) -> Option<Position> {
        let grant = (!self.grants.is_empty())
            .then(|| self.grants.get(&(subject.sid, subject.client_id.clone())))
            .flatten();
        let restored = self.restored.iter();
        let restored = restored.filter(|(from, _)| subject.rev >= **from);
        [
            self.everything.as_ref(),
            restored.map(|(_, position)| position).max(),
            subject.key.and_then(|kid| self.keys.get(kid)),
            self.apps.get(subject.client_id),
            self.users.get(&subject.user),
            self.logins.get(&subject.sid),
            grant,
        ]
        .into_iter()
        .flatten()
        .copied()
        .max()
        .filter(|position| subject.rev < *position)
    }

    /// Forgets every cut-off at or before `position`.
    ///
    /// Right only once every credential that they could kill has expired: the caller keeps
    /// positions for the longest life of an access token.
    pub fn forget_through(&mut self, position: Position) {
        self.everything = self.everything.filter(|at| *at > position);
        self.restored.retain(|_, at| *at > position);
        self.keys.retain(|_, at| *at > position);
        self.apps.retain(|_, at| *at > position);
        self.users.retain(|_, at| *at > position);
        self.logins.retain(|_, at| *at > position);
        self.grants.retain(|_, at| *at > position);
    }

    /// How many scopes have a cut-off.
    pub fn len(&self) -> usize {
        usize::from(self.everything.is_some())
            + self.restored.len()
            + self.keys.len()
            + self.apps.len()
            + self.users.len()
            + self.logins.len()
            + self.grants.len()
    }

    /// Whether no scope has a cut-off.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn raise<K: Eq + Hash>(map: &mut HashMap<K, Position>, key: K, position: Position) {
    let known = map.entry(key).or_insert(position);
    *known = position.max(*known);
}

fn raise_all<K: Eq + Hash + Clone>(map: &mut HashMap<K, Position>, other: &HashMap<K, Position>) {
    for (key, position) in other {
        raise(map, key.clone(), *position);
    }
}

#[cfg(test)]
mod tests;
