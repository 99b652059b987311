//! What the guard knows: the log as far as it was applied, and how fresh that is proved to be.
//!
//! A state machine without a clock and without I/O; the follower feeds it, checks read the [`View`]
//! that it gives. Knowledge only ever grows stricter: a snapshot is joined to what is known, never put
//! in its place.
//!
//! Cut-offs are forgotten after a time, by the authority and here, and times are measured by clocks that may
//! be wrong. So it is known after which position none is missing (`complete_since`): about a credential
//! that an earlier one could kill, the authority is asked.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use symbolon_login::{
    Change, ClientId, CutOff, Lifetimes, LogEntry, Position, Snapshot, UnixMillis,
};

use crate::{
    clock::Moment,
    cut_offs::Writer,
    fault::Faults,
    keys::KeyRing,
    lease::{Answer, Lease, Ticket},
    view::View,
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
    /// The most cut-offs that are kept.
    most: usize,
    view: View,
    cut_offs: Writer,
    marks: VecDeque<(Moment, Position)>,
    lease: Lease,
    /// When the last cut-off came that found no room.
    dropped_at: Option<Moment>,
}

impl Knowledge {
    /// Knows nothing, and so vouches for nothing. Keeps `most` cut-offs.
    pub(crate) fn new(issuer: String, client_id: ClientId, most: usize) -> Self {
        let cut_offs = Writer::default();
        Self {
            issuer,
            client_id,
            most,
            view: View {
                table: Arc::clone(cut_offs.table()),
                ..View::default()
            },
            cut_offs,
            marks: VecDeque::new(),
            lease: Lease::default(),
            dropped_at: None,
        }
    }

    /// The same, with a rule broken.
    pub(crate) fn with(mut self, faults: Faults) -> Self {
        self.view.faults = faults;
        self
    }

    /// What checks may read.
    pub(crate) const fn view(&self) -> &View {
        &self.view
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
        self.view.app = Some(app.clone());
        let keys = KeyRing::of(&snapshot.keys);
        if !keys.has_all_of(&self.view.keys) {
            self.view.key_era += 1;
        }
        self.view.keys = Arc::new(keys);
        let same_log = self.view.applied.is_some_and(|applied| {
            applied.epoch() == snapshot.head.epoch() && applied <= snapshot.head
        });
        if !same_log {
            self.lease.restart();
            // Positions of two logs are not in one order of time: count their age anew.
            self.marks.clear();
            self.cut_offs.keep_all();
            self.view.log_era += 1;
        }
        let complete_since = snapshot.complete_since();
        let view = &mut self.view;
        // What may be forgotten already is forgotten again when a snapshot brings it.
        view.complete_since = self.cut_offs.forgotten().max(Some(complete_since));
        view.missed += u64::from(view.applied.is_some_and(|at| at < complete_since));
        view.moved(None);
        for cut_off in &snapshot.cut_offs {
            self.cut_off(cut_off, now);
        }
        self.applied_through(snapshot.head, now);
        Ok(())
    }

    /// Applies the next entry of the log.
    pub(crate) fn apply(&mut self, entry: &LogEntry, now: Moment) -> Applied {
        let Some(applied) = self.view.applied else {
            return Applied::Gap;
        };
        if entry.position.epoch() == applied.epoch() && entry.position <= applied {
            return Applied::Known;
        }
        if entry.position != applied.next() && !self.view.faults.skips_entries() {
            return Applied::Gap;
        }
        if let Some(cut_off) = entry.cut_off() {
            self.cut_off(&cut_off, now);
        }
        let view = &mut self.view;
        match &entry.change {
            Change::KeyAdded { jwk } => view.keys = Arc::new(view.keys.with(jwk)),
            Change::KeyRetired { kid } => {
                view.keys = Arc::new(view.keys.without(kid));
                view.key_era += 1;
            }
            Change::App { settings } if settings.client_id == self.client_id => {
                view.app = Some(settings.clone());
            }
            // Cut-offs are in already; other apps are theirs; a backup concerns whoever restores it.
            Change::CutOff { .. } | Change::App { .. } | Change::BackedUp {} => {}
        }
        self.applied_through(entry.position, now);
        Applied::New
    }

    /// Takes the head that was answered.
    pub(crate) fn answer(&mut self, ticket: Ticket, head: Position) -> Answer {
        let answer = match self.view.applied {
            Some(applied) => self.lease.answer(ticket, head, applied),
            None => Answer::Behind,
        };
        self.show_lease();
        answer
    }

    /// Notes what time it is at the authority, heard at `now`.
    pub(crate) const fn hear_time(&mut self, time: UnixMillis, now: Moment) {
        self.view.authority_time = Some((now, time));
    }

    fn applied_through(&mut self, position: Position, now: Moment) {
        self.view.applied = Some(position);
        self.forget(now);
        self.lease.caught_up(position);
        self.show_lease();
    }

    fn show_lease(&mut self) {
        self.view.fresh_as_of = self.lease.fresh_as_of();
        self.view.head = self.lease.head();
    }

    /// Keeps a cut-off. One that finds no room makes the guard careful: from then on every yes rests on
    /// the authority's word, until no living token can need what was not kept.
    fn cut_off(&mut self, cut_off: &CutOff, now: Moment) {
        let mut hash = self.cut_offs.table().hash_of_person(&cut_off.scope);
        if !self.cut_offs.insert(cut_off, self.most) {
            if self.dropped_at.is_none() {
                tracing::warn!(
                    most = self.most,
                    "more cut-offs than this guard may keep: it asks the authority about everybody"
                );
            }
            self.dropped_at = Some(now);
            self.missing_through(cut_off.position);
            // Nobody is spared the look that finds it missing.
            hash = None;
        }
        self.view.moved(hash);
    }

    /// Cut-offs up to here may be missing from now on.
    fn missing_through(&mut self, position: Position) {
        self.view.complete_since = self.view.complete_since.max(Some(position));
    }

    fn show_cut_offs(&mut self) {
        let view = &mut self.view;
        if !Arc::ptr_eq(&view.table, self.cut_offs.table()) {
            view.table = Arc::clone(self.cut_offs.table());
        }
        view.cut_offs = self.cut_offs.len();
        view.is_careful = self.dropped_at.is_some();
    }

    /// Forgets cut-offs that no living token can need, by the guard's own monotonic time. A mark
    /// says: by this moment everything up to this position had been applied.
    pub(crate) fn forget(&mut self, now: Moment) {
        let (mark_every, remembered) = if self.view.faults.forgets_early() {
            (MARK_EVERY / 60, MARK_EVERY / 20)
        } else {
            (MARK_EVERY, REMEMBERED)
        };
        if let Some(applied) = self.view.applied {
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
            if !self.view.faults.forgets_early() {
                // The version stays: whoever was found alive by all that was known then is so still.
                self.missing_through(position);
            }
        }
        // A bite at each call, and calls come with every entry and every beat.
        self.cut_offs.forget_some();
        if self.dropped_at.is_some_and(|at| now.since(at) > REMEMBERED) {
            tracing::info!("every cut-off that can matter is known again");
            self.dropped_at = None;
        }
        self.show_cut_offs();
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
