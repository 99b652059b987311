//! What the guard knows: the log as far as it was applied, and how fresh that is proved to be.
//!
//! A state machine without a clock and without I/O; the follower feeds it, checks read it. Knowledge
//! only ever grows stricter: a snapshot is joined to what is known, never put in its place.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use symbolon_login::{
    AppSettings, Change, ClientId, CutOffs, Lifetimes, LogEntry, Position, Shape, Snapshot,
    Subject, UnixMillis,
};

use crate::{
    clock::{Moment, Now},
    fault::Faults,
    keys::KeyRing,
    lease::{Answer, Lease, Ticket},
};

/// How long a cut-off is remembered: the longest life of a token that it could kill, and a margin
/// for a token issued just before it by a clock that runs a little slower than ours.
const REMEMBERED: Duration =
    Duration::from_secs(Lifetimes::LONGEST_ACCESS_TOKEN.as_secs() + 5 * 60);

/// How far apart the marks are by which old cut-offs are forgotten.
const MARK_EVERY: Duration = Duration::from_secs(60);

/// What became of one entry of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    /// It was the next one.
    New,
    /// It had been applied before.
    Known,
    /// Entries before it are missing, or it is of another epoch: only a snapshot helps.
    Gap,
}

/// A snapshot that this guard must not use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadSnapshot {
    /// It is of another authority, or the guard was given another name of it.
    #[error("it calls itself {named}, but the guard expects {expected}")]
    OtherIssuer {
        /// What the snapshot says.
        named: String,
        /// What the guard was told.
        expected: String,
    },
    /// The app is not registered.
    #[error("it has no app {0}: register it, or correct the client id")]
    UnknownApp(ClientId),
}

/// All that one guard knows.
#[cfg_attr(test, derive(Clone))]
pub(crate) struct Knowledge {
    issuer: String,
    client_id: ClientId,
    applied: Option<Position>,
    cut_offs: CutOffs,
    marks: VecDeque<(Moment, Position)>,
    keys: Arc<KeyRing>,
    app: Option<AppSettings>,
    lease: Lease,
    log_era: u64,
    key_era: u64,
    authority_time: Option<(Moment, UnixMillis)>,
    faults: Faults,
}

impl Knowledge {
    /// Knows nothing, and so vouches for nothing.
    pub(crate) fn new(issuer: String, client_id: ClientId) -> Self {
        Self {
            issuer,
            client_id,
            applied: None,
            cut_offs: CutOffs::default(),
            marks: VecDeque::new(),
            keys: Arc::default(),
            app: None,
            lease: Lease::default(),
            log_era: 0,
            key_era: 0,
            authority_time: None,
            faults: Faults::default(),
        }
    }

    /// The same, with a rule broken.
    pub(crate) fn with(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Starts over from a snapshot. Cut-offs that were known stay known.
    pub(crate) fn restore(&mut self, snapshot: &Snapshot, now: Moment) -> Result<(), BadSnapshot> {
        if snapshot.issuer != self.issuer {
            return Err(BadSnapshot::OtherIssuer {
                named: snapshot.issuer.clone(),
                expected: self.issuer.clone(),
            });
        }
        let app = snapshot
            .apps
            .iter()
            .find(|app| app.client_id == self.client_id)
            .ok_or_else(|| BadSnapshot::UnknownApp(self.client_id.clone()))?;
        self.app = Some(app.clone());
        let keys = KeyRing::of(&snapshot.keys);
        if !keys.has_all_of(&self.keys) {
            self.key_era += 1;
        }
        self.keys = Arc::new(keys);
        for cut_off in &snapshot.cut_offs {
            self.cut_offs.insert(cut_off);
        }
        let same_log = self.applied.is_some_and(|applied| {
            applied.epoch() == snapshot.head.epoch() && applied <= snapshot.head
        });
        if !same_log {
            self.lease.restart();
            // Positions of two logs are not in one order of time: count their age anew.
            self.marks.clear();
            self.log_era += 1;
        }
        self.applied = Some(snapshot.head);
        self.forget(now);
        self.lease.caught_up(snapshot.head);
        Ok(())
    }

    /// Applies the next entry of the log.
    pub(crate) fn apply(&mut self, entry: &LogEntry, now: Moment) -> Applied {
        let Some(applied) = self.applied else {
            return Applied::Gap;
        };
        if entry.position.epoch() == applied.epoch() && entry.position <= applied {
            return Applied::Known;
        }
        if entry.position != applied.next() && !self.faults.skips_entries() {
            return Applied::Gap;
        }
        if let Some(cut_off) = entry.cut_off() {
            self.cut_offs.insert(&cut_off);
        }
        match &entry.change {
            Change::KeyAdded { jwk } => self.keys = Arc::new(self.keys.with(jwk)),
            Change::KeyRetired { kid } => {
                self.keys = Arc::new(self.keys.without(kid));
                self.key_era += 1;
            }
            Change::App { settings } if settings.client_id == self.client_id => {
                self.app = Some(settings.clone());
            }
            // Cut-offs are in already; other apps are theirs; a backup concerns whoever restores it.
            Change::CutOff { .. } | Change::App { .. } | Change::BackedUp {} => {}
        }
        self.applied = Some(entry.position);
        self.forget(now);
        self.lease.caught_up(entry.position);
        Applied::New
    }

    /// Notes the moment before the log's head is asked for; none before the first snapshot.
    pub(crate) fn ask(&self, now: Moment) -> Option<Ticket> {
        self.applied.map(|applied| Lease::ask(applied, now))
    }

    /// Takes the head that was answered.
    pub(crate) fn answer(&mut self, ticket: Ticket, head: Position) -> Answer {
        match self.applied {
            Some(applied) => self.lease.answer(ticket, head, applied),
            None => Answer::Behind,
        }
    }

    /// Notes what time it is at the authority, heard at `now`.
    pub(crate) fn hear_time(&mut self, time: UnixMillis, now: Moment) {
        self.authority_time = Some((now, time));
    }

    /// The time by which expiry is judged: this machine's, but never behind the authority's, whose
    /// clock wrote `exp`. A wall clock that was set back revives nothing.
    pub(crate) fn wall(&self, now: Now) -> UnixMillis {
        self.authority_time.map_or(now.wall, |(heard_at, time)| {
            now.wall.max(time.plus(now.moment.since(heard_at)))
        })
    }

    /// How old the knowledge can be at `now`; none when nothing was ever proved.
    pub(crate) fn staleness(&self, now: Moment) -> Option<Duration> {
        if self.faults.skips_the_lease() {
            return self.applied.map(|_| Duration::ZERO);
        }
        self.fresh_as_of().map(|moment| now.since(moment))
    }

    /// The latest moment as of which everything acknowledged is known here.
    pub(crate) const fn fresh_as_of(&self) -> Option<Moment> {
        self.lease.fresh_as_of()
    }

    /// The rule of death, as far as known here.
    pub(crate) fn kills(&self, subject: &Subject<'_>) -> Option<Position> {
        self.cut_offs.kills(subject)
    }

    /// How far the log was applied.
    pub(crate) const fn applied(&self) -> Option<Position> {
        self.applied
    }

    /// The newest head heard of.
    pub(crate) const fn head(&self) -> Option<Position> {
        self.lease.head()
    }

    /// How many cut-offs are known.
    pub(crate) fn cut_offs(&self) -> usize {
        self.cut_offs.len()
    }

    /// The keys that may sign.
    pub(crate) const fn keys(&self) -> &Arc<KeyRing> {
        &self.keys
    }

    /// The app's settings; none before the first snapshot.
    pub(crate) const fn app(&self) -> Option<&AppSettings> {
        self.app.as_ref()
    }

    /// Counts what may turn an earlier yes into a no by another way than a cut-off: the log is another
    /// one, or, for tokens, a key is gone. Verdicts of an earlier era are not reused.
    pub(crate) const fn era(&self, shape: Shape) -> u64 {
        match shape {
            Shape::Session => self.log_era,
            Shape::Jwt => self.log_era.saturating_add(self.key_era),
        }
    }

    /// Forgets cut-offs that no living token can need, by the guard's own monotonic time. A mark
    /// says: by this moment everything up to this position had been applied.
    pub(crate) fn forget(&mut self, now: Moment) {
        let (mark_every, remembered) = if self.faults.forgets_early() {
            (MARK_EVERY / 60, MARK_EVERY / 20)
        } else {
            (MARK_EVERY, REMEMBERED)
        };
        if let Some(applied) = self.applied {
            let due = self.marks.back().is_none_or(|(moment, position)| {
                *position < applied && now.since(*moment) >= mark_every
            });
            if due {
                self.marks.push_back((now, applied));
            }
        }
        let mut through = None;
        while let Some((moment, position)) = self.marks.front().copied() {
            if now.since(moment) <= remembered {
                break;
            }
            through = Some(position);
            self.marks.pop_front();
        }
        if let Some(position) = through {
            self.cut_offs.forget_through(position);
        }
    }
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]
mod model;
#[cfg(test)]
mod tests;
