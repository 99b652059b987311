//! The last cut-offs: whoever was found alive before them, and is concerned by none of them, is alive.
//!
//! The last 16 are remembered one by one, and the last many thousand by two filters. A filter may take a
//! stranger's hash for one that was put in, and then the credential is looked up in the whole table. It forgets
//! none that was put in, so nobody is spared who was cut off.
//!
//! The whole table of a million cut-offs is 30 MB, and a look-up there reads beyond the processor's caches
//! about three times. Two filters are 128 KiB.

mod bloom;

use bloom::Bloom;

use crate::cut_offs::Scopes;

/// How many are remembered one by one. Each costs a credential that was away for them a comparison.
const KEPT: usize = 16;

/// How many go into a filter before the next one is begun. Whoever was away for no more of them can be spared,
/// and nobody who was away for more than twice as many.
///
/// With [`bloom::WORDS`] a full filter takes one stranger's hash in 1,200 for its own. A credential has three of them
/// and is looked for in two filters at most: when both are full, about 5 of 1,000 strangers are looked up in
/// vain, and fewer than 1 where the newer one is half full and suffices.
const FILTERED: u64 = 16_384;

/// The cut-offs of single people with which a view's version moved last, by the hashes of their scopes.
#[derive(Clone, Default)]
pub(crate) struct Recent {
    /// From this version on nothing but these cut-offs moved it. A credential that was never looked up says 0,
    /// which the first snapshot leaves behind.
    since: u64,
    hashes: [u64; KEPT],
    /// The filter that is being filled. None until there were more cut-offs than are remembered one by one.
    newer: Option<Stretch>,
    /// The one before it.
    older: Option<Stretch>,
}

/// The cut-offs after one version, up to where the next stretch begins or to the last.
///
/// Its clones share the filter. An earlier view, or a clone that went another way, may so find more in it
/// than it was told of, which costs it a look-up.
#[derive(Clone)]
struct Stretch {
    after: u64,
    filter: Bloom,
}

impl Recent {
    /// The version moved to `version` by a cut-off of this scope. Before any view says so.
    pub(crate) fn push(&mut self, version: u64, hash: u64) {
        if let Some(place) = self.hashes.get_mut(place(version)) {
            *place = hash;
        }
        if version > KEPT as u64 {
            self.filter(version, hash);
        }
    }

    fn filter(&mut self, version: u64, hash: u64) {
        let newer = match self.newer.take() {
            Some(stretch) if version.saturating_sub(stretch.after) <= FILTERED => stretch,
            // Not emptied and used again: readers of earlier views hold it.
            full => {
                self.older = full;
                Stretch {
                    after: version.saturating_sub(1),
                    filter: Bloom::default(),
                }
            }
        };
        newer.filter.put(hash);
        self.newer = Some(newer);
    }

    /// The version moved to `version` by something else, which may concern everybody.
    pub(crate) const fn restart(&mut self, version: u64) {
        self.since = version;
    }

    /// Whether nothing that happened between these versions can concern a credential of these scopes.
    /// False also where that is not known any more, and now and then by chance.
    pub(crate) fn spares(&self, scopes: &Scopes, from: u64, to: u64) -> bool {
        let hashes = scopes.of_person();
        match to.checked_sub(from) {
            Some(moves) if from >= self.since => {
                if moves <= KEPT as u64 {
                    self.is_none_kept(&hashes, from, to)
                } else {
                    self.is_none_filtered(&hashes, from)
                }
            }
            _ => false,
        }
    }

    /// Whether none of these was cut off between two versions that are [`KEPT`] apart at most.
    fn is_none_kept(&self, hashes: &[u64], from: u64, to: u64) -> bool {
        (from..to).all(|version| {
            let kept = self.hashes.get(place(version + 1));
            kept.is_some_and(|kept| !hashes.contains(kept))
        })
    }

    /// Whether surely none of these was cut off after this version.
    fn is_none_filtered(&self, hashes: &[u64], from: u64) -> bool {
        let is_none_in = |stretch: &Stretch| {
            let mut hashes = hashes.iter();
            !hashes.any(|hash| stretch.filter.may_hold(*hash))
        };
        match (&self.newer, &self.older) {
            (Some(newer), _) if from >= newer.after => is_none_in(newer),
            (Some(newer), Some(older)) if from >= older.after => {
                is_none_in(newer) && is_none_in(older)
            }
            _ => false,
        }
    }
}

fn place(version: u64) -> usize {
    usize::try_from(version % KEPT as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests;
