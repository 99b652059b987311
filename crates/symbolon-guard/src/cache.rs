//! Credentials that were found authentic, for checks that come again: bounded, and read without a lock.
//!
//! A set of six entries stands in one cache line: a digest chooses the set, 16 bits of it find the entry, and
//! the whole digest decides. Writing takes a lock; it follows a signature check or a question to
//! the authority, which cost a hundred times as much. When a set is full, the entry that was not asked for
//! since the last look goes, an expired one before all others.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU16, Ordering},
};

use arc_swap::ArcSwapOption;

use crate::{check::Seen, clock::Moment, digest::CacheKey};

const WAYS: usize = 6;

/// Entries for which a set is made: half of what fits, so that few sets overflow by chance.
const ENTRIES_PER_SET: usize = WAYS / 2;

/// The cache. Holds no credential, only digests and what they prove.
pub(crate) struct SeenCache {
    sets: Box<[Set]>,
    writing: Mutex<()>,
}

#[derive(Default)]
#[repr(align(64))]
struct Set {
    tags: [AtomicU16; WAYS],
    entries: [ArcSwapOption<Seen>; WAYS],
}

impl SeenCache {
    /// Room for about `capacity` entries, and for twice as many at most.
    pub(crate) fn new(capacity: usize) -> Self {
        let sets = capacity.div_ceil(ENTRIES_PER_SET).max(1);
        Self {
            sets: std::iter::repeat_with(Set::default).take(sets).collect(),
            writing: Mutex::new(()),
        }
    }

    /// What this credential was found to prove.
    pub(crate) fn get(&self, key: &CacheKey) -> Option<Arc<Seen>> {
        let (set, tag) = self.place(key)?;
        for (known, entry) in set.tags.iter().zip(&set.entries) {
            if known.load(Ordering::Relaxed) != tag {
                continue;
            }
            if let Some(seen) = entry.load_full()
                && seen.key == *key
            {
                seen.note_use();
                return Some(seen);
            }
        }
        None
    }

    /// Keeps what a credential proves, in place of what was known of it.
    pub(crate) fn insert(&self, seen: Arc<Seen>, now: Moment) {
        let Some((set, tag)) = self.place(&seen.key) else {
            return;
        };
        let _writing = self.lock();
        let at = set.room_for(&seen.key, now);
        if let (Some(known), Some(entry)) = (set.tags.get(at), set.entries.get(at)) {
            // A reader between the two sees a tag and an entry that do not match, and finds nothing.
            let before = entry.swap(Some(seen));
            known.store(tag, Ordering::Relaxed);
            if let Some(before) = before {
                before.supersede();
            }
        }
    }

    /// Forgets what this credential proves.
    pub(crate) fn remove(&self, key: &CacheKey) {
        let Some((set, _)) = self.place(key) else {
            return;
        };
        let _writing = self.lock();
        for entry in &set.entries {
            if let Some(seen) = entry.load().as_ref().filter(|seen| seen.key == *key) {
                entry.store(None);
                seen.supersede();
            }
        }
    }

    fn place(&self, key: &CacheKey) -> Option<(&Set, u16)> {
        let (high, tag) = key.parts();
        // The upper half of the product is below the number of sets.
        let at = (u128::from(high) * self.sets.len() as u128) >> 64;
        let set = self.sets.get(usize::try_from(at).ok()?)?;
        Some((set, tag))
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Set {
    /// Its own place, a free one, one that is past its end, or the first that was not used of late.
    fn room_for(&self, key: &CacheKey, now: Moment) -> usize {
        let mut free = None;
        let mut idle = None;
        for (at, entry) in self.entries.iter().enumerate() {
            match entry.load().as_ref() {
                Some(seen) if seen.key == *key => return at,
                Some(seen) if seen.good_until > now => {
                    if idle.is_none() && !seen.was_used() {
                        idle = Some(at);
                    }
                }
                _ => free = free.or(Some(at)),
            }
        }
        if let Some(at) = free.or(idle) {
            return at;
        }
        // All were used: from now on whoever is not used again goes.
        for entry in &self.entries {
            if let Some(seen) = entry.load().as_ref() {
                seen.forget_use();
            }
        }
        usize::from(key.chance()) % WAYS
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{check::tests::seen_of, digest::Digests};

    const START: Moment = Moment::at(Duration::ZERO);

    fn knows(cache: &SeenCache, text: &str) -> bool {
        let key = Digests::known().of(text.as_bytes());
        cache.get(&key).is_some_and(|seen| seen.key == key)
    }

    #[test]
    fn what_was_kept_is_found_until_it_is_removed() {
        let cache = SeenCache::new(100);
        for n in 0..50 {
            cache.insert(seen_of(&format!("credential {n}")), START);
        }
        let known = (0..50).filter(|n| knows(&cache, &format!("credential {n}")));
        assert_eq!(known.count(), 50);
        assert!(!knows(&cache, "credential 50"));
        cache.remove(&Digests::known().of(b"credential 7"));
        assert!(!knows(&cache, "credential 7") && knows(&cache, "credential 8"));
    }

    #[test]
    fn the_same_credential_takes_one_place() {
        let cache = SeenCache::new(1);
        for _ in 0..10 {
            cache.insert(seen_of("a"), START);
        }
        let taken = cache.sets.iter().flat_map(|set| &set.entries);
        assert_eq!(taken.filter(|entry| entry.load().is_some()).count(), 1);
    }

    #[test]
    fn it_is_bounded_and_what_is_used_stays() {
        let cache = SeenCache::new(ENTRIES_PER_SET);
        cache.insert(seen_of("in use"), START);
        for n in 0..1_000 {
            assert!(knows(&cache, "in use"));
            cache.insert(seen_of(&format!("once {n}")), START);
        }
        let taken = cache.sets.iter().flat_map(|set| &set.entries);
        assert_eq!(taken.filter(|entry| entry.load().is_some()).count(), WAYS);
    }

    #[test]
    fn few_of_as_many_as_it_is_made_for_are_lost() {
        let cache = SeenCache::new(10_000);
        for n in 0..10_000 {
            cache.insert(seen_of(&n.to_string()), START);
        }
        let known = (0..10_000)
            .filter(|n| knows(&cache, &n.to_string()))
            .count();
        assert!(known > 9_700, "{known}");
    }

    #[test]
    fn what_is_past_its_end_goes_first() {
        let cache = SeenCache::new(ENTRIES_PER_SET);
        for n in 0..WAYS {
            cache.insert(seen_of(&n.to_string()), START);
            assert!(knows(&cache, &n.to_string()));
        }
        // All are used, and all are over by then.
        cache.insert(seen_of("new"), START.plus(Duration::from_secs(100_000)));
        assert!(knows(&cache, "new") && !knows(&cache, "0") && knows(&cache, "1"));
    }
}
