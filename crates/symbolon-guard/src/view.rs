//! What checks read of the guard's knowledge: as it was at one moment, all of one piece.
//!
//! The follower's state machine ([`Knowledge`](crate::knowledge::Knowledge)) makes a new one with every
//! change; checks take the newest without a lock. A cut-off is in the table before a view says that it
//! was applied.

use std::{sync::Arc, time::Duration};

use symbolon_login::{AppSettings, Position, Shape, UnixMillis};

use crate::{
    clock::{Moment, Now},
    cut_offs::{CutOffTable, Scopes},
    fault::Faults,
    keys::KeyRing,
    lease::{Lease, Ticket},
    recent::Recent,
};

/// All that a check needs to know.
#[derive(Clone, Default)]
pub(crate) struct View {
    pub(crate) applied: Option<Position>,
    pub(crate) head: Option<Position>,
    pub(crate) fresh_as_of: Option<Moment>,
    pub(crate) app: Option<AppSettings>,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) table: Arc<CutOffTable>,
    pub(crate) cut_offs: usize,
    pub(crate) version: u64,
    pub(crate) recent: Recent,
    pub(crate) is_careful: bool,
    pub(crate) complete_since: Option<Position>,
    pub(crate) missed: u64,
    pub(crate) log_era: u64,
    pub(crate) key_era: u64,
    pub(crate) authority_time: Option<(Moment, UnixMillis)>,
    pub(crate) faults: Faults,
}

impl View {
    /// Notes the moment before the log's head is asked for; none before the first snapshot.
    pub(crate) fn ask(&self, now: Moment) -> Option<Ticket> {
        self.applied.map(|applied| Lease::ask(applied, now))
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
        self.fresh_as_of.map(|moment| now.since(moment))
    }

    /// How old a yes that rests on the knowledge alone can be; none when none may.
    pub(crate) fn proves(&self, now: Moment) -> Option<Duration> {
        self.staleness(now).filter(|_| !self.is_careful)
    }

    /// How far the log was applied.
    pub(crate) const fn applied(&self) -> Option<Position> {
        self.applied
    }

    /// The newest head heard of.
    pub(crate) const fn head(&self) -> Option<Position> {
        self.head
    }

    /// The cut-offs, as far as known here.
    pub(crate) fn table(&self) -> &CutOffTable {
        &self.table
    }

    /// How many cut-offs are known.
    pub(crate) const fn cut_offs(&self) -> usize {
        self.cut_offs
    }

    /// Moves with every cut-off, and with what may concern many. Whoever was found alive in a view of this version
    /// is alive in all of it, whatever is forgotten meanwhile.
    pub(crate) const fn version(&self) -> u64 {
        self.version
    }

    /// Moves the version: by a cut-off of one person's scope, of this hash, or by what may concern many.
    pub(crate) fn moved(&mut self, hash: Option<u64>) {
        self.version += 1;
        match hash {
            Some(hash) => self.recent.push(self.version, hash),
            None => self.recent.restart(self.version),
        }
    }

    /// Whether a credential of these scopes that was found alive in an earlier view, of this version, is alive
    /// in this one, too, as far as can be said without looking it up.
    pub(crate) fn spares(&self, scopes: &Scopes, alive_in: u64) -> bool {
        self.recent.spares(scopes, alive_in, self.version)
    }

    /// Whether there were more cut-offs than the guard may keep: what it knows then proves nothing.
    pub(crate) const fn is_careful(&self) -> bool {
        self.is_careful
    }

    /// Whether a cut-off is not known here that may kill what no cut-off up to `as_of` kills. No clock
    /// has a say in it.
    pub(crate) fn misses_any_after(&self, as_of: Position) -> bool {
        self.complete_since.is_some_and(|since| as_of < since)
            && !self.faults.ignores_complete_since()
    }

    /// Counts the stretches of the log that were jumped over and not wholly told of. What had been
    /// watched until then was not watched throughout.
    pub(crate) const fn missed(&self) -> u64 {
        self.missed
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
}
