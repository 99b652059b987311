//! The member names of one object, to refuse a name that comes twice.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// Names kept without allocation; a claims object rarely has more.
const INLINE: usize = 16;

/// The names met so far in one object.
pub(crate) struct Seen<'a> {
    inline: [&'a str; INLINE],
    len: usize,
    /// One bit per name's fingerprint: an unset bit proves that a name is new.
    filter: u64,
    /// Names beyond the inline ones, and names that were written with escapes.
    more: BTreeSet<Cow<'a, str>>,
}

impl<'a> Seen<'a> {
    pub(crate) fn new() -> Self {
        Self {
            inline: [""; INLINE],
            len: 0,
            filter: 0,
            more: BTreeSet::new(),
        }
    }

    /// Notes a name; `false` if it was there already.
    pub(crate) fn insert(&mut self, name: Cow<'a, str>) -> bool {
        let bit = fingerprint(&name);
        if self.filter & bit != 0 && self.contains(&name) {
            return false;
        }
        self.filter |= bit;
        match (name, self.inline.get_mut(self.len)) {
            (Cow::Borrowed(name), Some(slot)) => {
                *slot = name;
                self.len += 1;
            }
            (name, _) => {
                self.more.insert(name);
            }
        }
        true
    }

    /// Whether the name was met.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.inline.iter().take(self.len).any(|seen| *seen == name)
            || (!self.more.is_empty() && self.more.contains(name))
    }
}

fn fingerprint(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let first = bytes.first().copied().unwrap_or(0);
    let last = bytes.last().copied().unwrap_or(0);
    let mix = u32::from(first)
        .wrapping_mul(7)
        .wrapping_add(u32::from(last).wrapping_mul(3))
        .wrapping_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    1 << (mix % 64)
}
