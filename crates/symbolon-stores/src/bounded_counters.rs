//! Counters in memory, as many as one process may be made to keep.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use symbolon_authority::ports::Counted;
use symbolon_login::{Digest, UnixMillis};

/// How many windows are kept: about 15 MB. Keys come from strangers.
const KEPT: usize = 100_000;

/// Windows by key. Beyond the bound those leave that end first.
pub(crate) struct BoundedCounters {
    windows: HashMap<[u8; 32], Counted>,
    ends: BTreeSet<(UnixMillis, [u8; 32])>,
    kept: usize,
}

impl Default for BoundedCounters {
    fn default() -> Self {
        Self::of_size(KEPT)
    }
}

impl BoundedCounters {
    fn of_size(kept: usize) -> Self {
        Self {
            windows: HashMap::new(),
            ends: BTreeSet::new(),
            kept,
        }
    }

    /// Counts one event.
    pub(crate) fn count(&mut self, key: &Digest, window: Duration, now: UnixMillis) -> Counted {
        let key = *key.as_bytes();
        if let Some(open) = self.windows.get_mut(&key).filter(|open| now < open.until) {
            open.events = open.events.saturating_add(1);
            return *open;
        }
        self.remove(&key);
        self.make_room(now);
        let until = now.plus(window);
        let opened = Counted { events: 1, until };
        self.windows.insert(key, opened);
        self.ends.insert((until, key));
        opened
    }

    /// The open window of a key.
    pub(crate) fn counted(&self, key: &Digest, now: UnixMillis) -> Option<Counted> {
        let kept = self.windows.get(key.as_bytes()).copied();
        kept.filter(|open| now < open.until)
    }

    /// Closes the window of a key.
    pub(crate) fn forget(&mut self, key: &Digest) {
        self.remove(key.as_bytes());
    }

    fn remove(&mut self, key: &[u8; 32]) {
        if let Some(removed) = self.windows.remove(key) {
            self.ends.remove(&(removed.until, *key));
        }
    }

    fn make_room(&mut self, now: UnixMillis) {
        while let Some((until, key)) = self.ends.first().copied()
            && (until <= now || self.windows.len() >= self.kept)
        {
            self.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis::from_secs(1_800_000_000);

    fn after(secs: u64) -> UnixMillis {
        NOW.plus(Duration::from_secs(secs))
    }

    #[test]
    fn what_ends_first_makes_room() {
        let mut counters = BoundedCounters::of_size(2);
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|key| Digest::of("test", key.as_bytes()));
        counters.count(&a, Duration::from_secs(20), NOW);
        counters.count(&b, Duration::from_secs(10), NOW);
        counters.count(&c, Duration::from_secs(30), NOW);
        let found = [&a, &b, &c].map(|key| counters.counted(key, NOW).is_some());
        assert_eq!(found, [true, false, true]);
        // One that is open needs no room.
        assert_eq!(counters.count(&a, Duration::from_secs(20), NOW).events, 2);
        // Those that are over leave, however many.
        counters.count(&d, Duration::from_secs(10), after(30));
        assert_eq!(counters.windows.len(), 1);
        assert_eq!(counters.ends.len(), 1);
    }
}
