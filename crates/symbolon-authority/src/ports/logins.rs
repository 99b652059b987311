//! Logins, their grants, and the revocation log.

use async_trait::async_trait;
use symbolon_login::{
    AppSettings, ClientId, CutOff, Digest, Grant, GrantId, Lifetimes, Line, LogEntry, Login,
    LoginLimit, Position, Presented, Scope, Sid, UnixMillis, UserId,
};
use tokio::sync::watch;

use super::StoreError;

/// A grant to be made. Its `rev` is the store's to decide: the log's head in the same transaction.
#[derive(Clone, Debug)]
pub struct NewGrant {
    /// Its row.
    pub id: GrantId,
    /// Its app.
    pub client_id: ClientId,
    /// The digest of the first secret of its line.
    pub digest: Digest,
}

impl NewGrant {
    /// The grant of that login as it stands when it is made.
    pub fn granted(self, sid: Sid, rev: Position, now: UnixMillis) -> Grant {
        Grant {
            id: self.id,
            sid,
            client_id: self.client_id,
            rev,
            opened_at: now,
            used_at: now,
            line: Line {
                generation: 0,
                digest: self.digest,
                moved_at: now,
            },
            ended_at: None,
        }
    }
}

/// On what a new login was decided, and what it may displace.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// The log's head, read before the person's account and proof were. All their logins were ended
    /// after it (a new password, disabled): what was checked may not be true any more.
    pub since: Option<Position>,
    /// How many logins the person may have at once.
    pub per_person: Option<LoginLimit>,
    /// How many logins the person may have at once in which this app has a living grant.
    pub per_app: Option<LoginLimit>,
    /// Logins of the person that they gave up for this one. Others' and ended ones are passed over.
    pub instead_of: Vec<Sid>,
}

/// A login and one grant of it, as they stand after a verb.
#[derive(Clone, Debug)]
pub struct Standpoint {
    /// The login.
    pub login: Login,
    /// The grant.
    pub grant: Grant,
}

/// A login and all its grants that were not ended.
#[derive(Clone, Debug)]
pub struct LoginWithGrants {
    /// The login.
    pub login: Login,
    /// Its grants.
    pub grants: Vec<Grant>,
}

/// An acknowledged end: on disk, and at this place of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The cut-off's position.
    pub position: Position,
    /// How many logins (for a grant's end: grants) it ended that were not ended before.
    pub count: u64,
}

/// What became of a new login.
#[derive(Debug)]
pub enum Open {
    /// There now, with its first grant. What made room was ended in the same transaction.
    Opened(Box<Standpoint>),
    /// The user is gone or disabled by now, or all their logins were ended since [`Terms::since`].
    UserGone,
    /// No room: the person's living logins that take it up, newest first. Nothing was written.
    Full(Vec<LoginWithGrants>),
}

/// What became of a further grant in a login.
#[derive(Debug)]
pub enum Join {
    /// There now.
    Granted(Box<Standpoint>),
    /// The login has ended or expired.
    Ended,
    /// No such login.
    Unknown,
    /// No room in this app: the person's other living logins in which it has a living grant, newest
    /// first. Nothing was written.
    Full(Vec<LoginWithGrants>),
}

/// What a presented secret earned.
#[derive(Debug)]
pub enum Advance {
    /// It was the current one; the line moved to its successor.
    Rotated(Box<Standpoint>),
    /// It was replaced within the grace; the line stands where it stood.
    Replayed(Box<Standpoint>),
    /// It was replaced before the grace: the login is ended now.
    Reused(Box<Standpoint>, Ended),
    /// The grant or its login had ended, or expired, or was idle for too long.
    Ended,
    /// No such grant, of another app, or a secret that its line never issued.
    Unknown,
}

/// A stretch of the log.
#[derive(Debug, PartialEq)]
pub enum Tail {
    /// The entries after the asked position, in order, without a gap. Empty: nothing new.
    Entries(Vec<LogEntry>),
    /// That position is of another epoch, ahead of the head, or older than what is kept: take a
    /// snapshot.
    Reset,
}

/// The log and the apps, as of one position.
#[derive(Clone, Debug, PartialEq)]
pub struct LogSnapshot {
    /// As of here.
    pub head: Position,
    /// Every cut-off after this position and up to the head is among `cut_offs`: none was left out, and
    /// none was removed before. As [`symbolon_login::LogWalk`] finds it.
    pub complete_since: Position,
    /// Cut-offs, oldest first.
    pub cut_offs: Vec<CutOff>,
    /// All apps.
    pub apps: Vec<AppSettings>,
}

/// The store of logins and the revocation log.
#[async_trait]
pub trait Logins: Send + Sync {
    /// Opens a login with its first grant; `rev` is read in the same transaction. The user must
    /// exist and not be disabled at that moment, and [`Terms`] must hold.
    ///
    /// Room is made by [`symbolon_login::admit`]: first among all living logins of the person (what
    /// it names is ended as a login), then among those that are left in which the app has a living
    /// grant (what it names loses that grant, by the scope `grant`). One cut-off for each, in the
    /// order named, before the new grant reads its `rev`.
    async fn open(
        &self,
        login: Login,
        grant: NewGrant,
        terms: Terms,
        now: UnixMillis,
    ) -> Result<Open, StoreError>;

    /// Adds a grant to a login that has not ended. `per_app` counts the person's other living logins
    /// in which the app has a living grant, and makes room among them as [`Logins::open`] does.
    async fn join(
        &self,
        sid: Sid,
        grant: NewGrant,
        per_app: Option<LoginLimit>,
        now: UnixMillis,
    ) -> Result<Join, StoreError>;

    /// One grant with its login, whatever their state.
    async fn find(&self, grant: GrantId) -> Result<Option<Standpoint>, StoreError>;

    /// One login with its grants, whatever its state.
    async fn login(&self, sid: Sid) -> Result<Option<LoginWithGrants>, StoreError>;

    /// All logins of a user that have neither ended nor expired, newest first.
    async fn logins_of(
        &self,
        user: UserId,
        now: UnixMillis,
    ) -> Result<Vec<LoginWithGrants>, StoreError>;

    /// Presents a secret to its line: the one verb of refresh. Decides by
    /// [`Presented::judge`]; a reuse ends the login in the same transaction. A rotation counts as a use.
    async fn advance(
        &self,
        presented: Presented,
        client_id: &ClientId,
        lifetimes: Lifetimes,
        now: UnixMillis,
    ) -> Result<Advance, StoreError>;

    /// Notes that the grant was used. May be lost, may wait, never revives: it changes nothing but
    /// the time of a grant that stands.
    async fn touch(&self, grant: GrantId, now: UnixMillis) -> Result<(), StoreError>;

    /// Appends a cut-off to the log and marks what it covers as ended, in one transaction,
    /// whatever the number. Appends even where nothing was left to end: what is asked to be dead is
    /// dead from an acknowledged position on.
    async fn end(&self, scope: Scope, now: UnixMillis) -> Result<Ended, StoreError>;

    /// Ends a login only if it is that user's and has not ended: none otherwise, and nothing is
    /// appended.
    async fn end_own(
        &self,
        user: UserId,
        sid: Sid,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError>;

    /// Appends [`symbolon_login::Change::BackedUp`]: what is issued from now on has a later `rev` than
    /// anything that a copy of the store as of this position holds.
    async fn mark_backup(&self, now: UnixMillis) -> Result<Position, StoreError>;

    /// Begins a new epoch after a restore, at [`Position::next_epoch`] of the head, and appends
    /// [`Scope::Restored`] from that head as its first entry. What the store itself issued at its
    /// last position is ended, too: whether that was before the backup cannot be told.
    async fn begin_epoch(&self, now: UnixMillis) -> Result<Ended, StoreError>;

    /// The newest entry of the log, read after the call.
    async fn head(&self) -> Result<Position, StoreError>;

    /// Up to `limit` entries after `after`.
    async fn tail(&self, after: Position, limit: u32) -> Result<Tail, StoreError>;

    /// The head, every cut-off that is younger than `kept_since`, and all apps, in one consistent read.
    /// Entries are stamped by the clocks of several machines: only `complete_since` says what is missing.
    async fn snapshot(&self, kept_since: UnixMillis) -> Result<LogSnapshot, StoreError>;

    /// Wakes whoever follows the log. Only a hint: correctness rests on [`Logins::tail`].
    fn wake(&self) -> watch::Receiver<Position>;

    /// Removes up to `limit` rows that nothing can need again: grants and logins that ended or
    /// expired before `before`, log entries older than `before`, once-values expired by then.
    /// Gives the number removed.
    async fn sweep(&self, before: UnixMillis, limit: u32) -> Result<u64, StoreError>;
}
