//! Everything that a store holds, as records of one form: for moving from one backend to another with
//! nobody signed out.
//!
//! Records come kind by kind and within a kind in the order of their keys, so a transfer that was cut
//! short goes on after the last record that arrived. The log keeps its positions, and with it every
//! credential its standing.

use async_trait::async_trait;
use symbolon_authority::{
    App, PasswordHash, User,
    ports::{StoreError, StoredKey},
};
use symbolon_login::{Digest, Grant, LogEntry, Login, Position, UnixMillis};

/// What the mark of a store says whose copy has not arrived whole: it must not be served.
pub const UNFINISHED: &str = "unfinished copy";
/// What the mark of a store says whose content lives on elsewhere: serving both would give one past two
/// futures.
pub const MOVED: &str = "moved";

/// Records travel this many at a time, each bite in one transaction.
const BITE: u32 = 1_000;

/// The kinds of records, in the order in which they travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// People, with their password hashes.
    User,
    /// Apps.
    App,
    /// Signing keys, sealed.
    SigningKey,
    /// Marks of the whole store.
    Mark,
    /// Logins.
    Login,
    /// Grants, with the line that proves them.
    Grant,
    /// Entries of the revocation log.
    LogEntry,
    /// Codes and links.
    OnceValue,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::User,
        Self::App,
        Self::SigningKey,
        Self::Mark,
        Self::Login,
        Self::Grant,
        Self::LogEntry,
        Self::OnceValue,
    ];
}

/// One record.
#[derive(Clone)]
pub enum Record {
    /// A person.
    User {
        /// As the stories know them.
        user: User,
        /// Their password hash.
        password: PasswordHash,
        /// Where all their logins were ended last.
        cut: Option<Position>,
    },
    /// An app.
    App(App),
    /// A signing key, sealed.
    SigningKey(StoredKey),
    /// A mark of the whole store.
    Mark(String),
    /// A login, whatever its state.
    Login(Login),
    /// A grant, whatever its state.
    Grant(Grant),
    /// An entry of the log.
    LogEntry {
        /// When it was appended.
        at: UnixMillis,
        /// What it says.
        entry: LogEntry,
    },
    /// A once-value.
    OnceValue {
        /// What it is for ([`symbolon_authority::ports::Purpose::as_str`]).
        purpose: String,
        /// The digest of its secret.
        key: Digest,
        /// What it holds.
        value: String,
        /// When it is good no longer.
        expires_at: UnixMillis,
        /// Whether it was taken.
        taken: bool,
    },
}

/// Where a record stands among those of its kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The id of a person, login or grant.
    Id([u8; 16]),
    /// A client id, key id or mark, compared byte by byte.
    Name(String),
    /// A place in the log.
    Position(Position),
    /// Purpose and digest of a once-value.
    Once(String, [u8; 32]),
}

impl Record {
    /// Where it stands among those of its kind.
    pub fn key(&self) -> Key {
        match self {
            Self::User { user, .. } => Key::Id(*user.id.as_bytes()),
            Self::App(app) => Key::Name(app.settings.client_id.as_str().to_owned()),
            Self::SigningKey(key) => Key::Name(key.kid.as_str().to_owned()),
            Self::Mark(name) => Key::Name(name.clone()),
            Self::Login(login) => Key::Id(*login.sid.as_bytes()),
            Self::Grant(grant) => Key::Id(*grant.id.as_bytes()),
            Self::LogEntry { entry, .. } => Key::Position(entry.position),
            Self::OnceValue { purpose, key, .. } => Key::Once(purpose.clone(), *key.as_bytes()),
        }
    }
}

/// What became of the beginning of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// The store was empty, and is marked as [`UNFINISHED`] now.
    Begun,
    /// It holds a part of a copy: it goes on.
    Resumed,
    /// It holds something else. Nothing was written.
    Occupied,
}

/// Something that can be copied from: a store to which nobody writes meanwhile, or one moment of one.
#[async_trait]
pub trait Source: Send + Sync {
    /// How many records of the kind there are after `after`.
    async fn count(&self, kind: Kind, after: Option<Key>) -> Result<u64, StoreError>;

    /// Up to `limit` records of the kind after `after`, in the order of their keys.
    async fn records(
        &self,
        kind: Kind,
        after: Option<Key>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError>;

    /// The head of the log.
    async fn log_head(&self) -> Result<Position, StoreError>;
}

/// A store that can be copied to. Nobody else may write to it meanwhile.
#[async_trait]
pub trait Target: Source {
    /// The key of the last record of the kind.
    async fn last(&self, kind: Kind) -> Result<Option<Key>, StoreError>;

    /// Marks an empty store as [`UNFINISHED`].
    async fn begin(&self) -> Result<Begin, StoreError>;

    /// Writes records of one kind, in one transaction.
    async fn import(&self, records: Vec<Record>) -> Result<(), StoreError>;

    /// Sets the head of the log and takes the mark [`UNFINISHED`] away, in one transaction.
    async fn finish(&self, head: Position) -> Result<(), StoreError>;
}

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The kind that travels now.
    pub kind: Kind,
    /// Records that have arrived, of all kinds, in this run and before.
    pub done: u64,
    /// Records there are.
    pub all: u64,
}

/// Why a copy did not come to its end. What arrived stays, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// One of the two stores failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The target is a store with a life of its own.
    #[error("the target is not empty: copy into a new one")]
    Occupied,
    /// The target holds records that the source does not.
    #[error("the target holds a part of another copy: begin with an empty one")]
    Foreign,
    /// Somebody wrote to the source.
    #[error(
        "the source changed while it was copied: stop every server that uses it, and copy again into an empty target"
    )]
    Changed,
}

/// Copies everything, in bites, each of which stays when the copy is cut short.
pub async fn copy(
    from: &dyn Source,
    to: &dyn Target,
    mut tell: impl FnMut(Progress) + Send,
) -> Result<u64, CopyError> {
    let before = census(from).await?;
    let all = before.counts.iter().sum();
    if to.begin().await? == Begin::Occupied {
        return Err(CopyError::Occupied);
    }
    let mut done = 0;
    for (kind, count) in Kind::ALL.into_iter().zip(&before.counts) {
        let mut after = to.last(kind).await?;
        let mut left = from.count(kind, after.clone()).await?;
        done += count.saturating_sub(left);
        tell(Progress { kind, done, all });
        while left > 0 {
            let bite = from.records(kind, after, BITE).await?;
            let Some(last) = bite.last() else {
                return Err(CopyError::Changed);
            };
            after = Some(last.key());
            let size = u64::try_from(bite.len()).unwrap_or(u64::MAX);
            if let Err(refused) = to.import(bite).await {
                // Somebody who writes meanwhile leaves grants whose logins were not there yet.
                return Err(match census(from).await {
                    Ok(now) if now != before => CopyError::Changed,
                    _ => refused.into(),
                });
            }
            left = left.saturating_sub(size);
            done += size;
            tell(Progress { kind, done, all });
        }
    }
    if census(from).await? != before {
        return Err(CopyError::Changed);
    }
    for (kind, count) in Kind::ALL.into_iter().zip(&before.counts) {
        if to.count(kind, None).await? != *count {
            return Err(CopyError::Foreign);
        }
    }
    to.finish(before.head).await?;
    Ok(done)
}

/// What tells whether a store was written to.
#[derive(PartialEq, Eq)]
struct Census {
    head: Position,
    counts: Vec<u64>,
}

async fn census(store: &dyn Source) -> Result<Census, StoreError> {
    let mut counts = Vec::new();
    for kind in Kind::ALL {
        counts.push(store.count(kind, None).await?);
    }
    Ok(Census {
        head: store.log_head().await?,
        counts,
    })
}
