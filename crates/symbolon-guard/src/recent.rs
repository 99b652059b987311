//! The last few cut-offs, for credentials that were found alive just before them: nothing else is new about those.

use crate::cut_offs::Scopes;

/// How many are remembered. Each costs a credential that was away for them a comparison.
const KEPT: usize = 16;

/// The scopes, by their hashes, of the cut-offs with which a view's version moved last.
#[derive(Clone, Copy, Default)]
pub(crate) struct Recent {
    /// From this version on nothing but these cut-offs moved it. A credential that was never looked up says 0,
    /// which the first snapshot leaves behind.
    since: u64,
    hashes: [u64; KEPT],
}

impl Recent {
    /// The version moved to `version` by a cut-off of this scope.
    pub(crate) fn push(&mut self, version: u64, hash: u64) {
        if let Some(place) = self.hashes.get_mut(place(version)) {
            *place = hash;
        }
    }

    /// The version moved to `version` by something else, which may concern everybody.
    pub(crate) const fn restart(&mut self, version: u64) {
        self.since = version;
    }

    /// Whether nothing that happened between these versions can concern a credential of these scopes.
    /// False also where that is not known any more.
    pub(crate) fn spares(&self, scopes: &Scopes, from: u64, to: u64) -> bool {
        let is_kept = |moves| from >= self.since && moves <= KEPT as u64;
        to.checked_sub(from).is_some_and(is_kept)
            && (from..to).all(|version| {
                let hash = self.hashes.get(place(version + 1));
                hash.is_some_and(|hash| !scopes.contain(*hash))
            })
    }
}

fn place(version: u64) -> usize {
    usize::try_from(version % KEPT as u64).unwrap_or(0)
}
