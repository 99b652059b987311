//! The member names of one object, to refuse a name that comes twice.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// Names kept without allocation; a claims object rarely has more.
pub(super) const INLINE: usize = 16;

/// Where a name is kept.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// The how-manieth of those kept without allocation.
    Inline(usize),
    /// Among the others.
    More,
}

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
    #[inline]
    pub(crate) fn new() -> Self {
        Self {
            inline: [""; INLINE],
            len: 0,
            filter: 0,
            more: BTreeSet::new(),
        }
    }

    /// Notes a name and says where; `None` if it was there already.
    #[expect(
        clippy::ptr_arg,
        reason = "whether it is borrowed decides where it is kept"
    )]
    #[inline]
    pub(crate) fn insert(&mut self, name: &Cow<'a, str>) -> Option<Place> {
        match name {
            Cow::Borrowed(name) => self.insert_borrowed(name),
            Cow::Owned(name) => {
                if self.is_new(name) {
                    self.more.insert(Cow::Owned(name.clone()));
                    Some(Place::More)
                } else {
                    None
                }
            }
        }
    }

    /// As [`Self::insert`], for a name that was written without escapes.
    #[inline]
    pub(super) fn insert_borrowed(&mut self, name: &'a str) -> Option<Place> {
        if !self.is_new(name) {
            return None;
        }
        if let Some(slot) = self.inline.get_mut(self.len) {
            *slot = name;
            self.len += 1;
            Some(Place::Inline(self.len - 1))
        } else {
            self.more.insert(Cow::Borrowed(name));
            Some(Place::More)
        }
    }

    /// Whether a name was not met before; its fingerprint is kept.
    #[inline]
    fn is_new(&mut self, name: &str) -> bool {
        let bit = fingerprint(name);
        let new = self.filter & bit == 0 || self.place(name).is_none();
        self.filter |= bit;
        new
    }

    /// Where a name is kept, if it was met.
    pub(crate) fn place(&self, name: &str) -> Option<Place> {
        let mut inline = self.inline.iter().take(self.len);
        match inline.position(|seen| *seen == name) {
            Some(index) => Some(Place::Inline(index)),
            None if self.more.contains(name) => Some(Place::More),
            None => None,
        }
    }

    /// A name that is kept inline, in the order in which they came.
    #[inline]
    pub(super) fn inline(&self, index: usize) -> Option<&'a str> {
        let used = self.inline.get(..self.len)?;
        used.get(index).copied()
    }

    /// How many names are kept inline.
    pub(super) fn inline_len(&self) -> usize {
        self.len
    }
}

/// The factors keep the names of the usual claims apart.
#[inline]
pub(super) fn fingerprint(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let byte = |byte: Option<&u8>| u32::from(byte.copied().unwrap_or(0));
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mix = length
        .wrapping_mul(7)
        .wrapping_add(byte(bytes.first()) + byte(bytes.last()) * 4);
    1 << (mix % 64)
}
