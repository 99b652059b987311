//! How much of the log a snapshot holds, found by the order of positions and by no clock.

use super::LogEntry;
use crate::{Change, CutOff, Position, Scope};

/// A walk over what a store holds of the log, from its oldest entry to the head: gathers the cut-offs
/// of a snapshot and finds from where on none is missing among them.
///
/// Numbers are dense within an epoch, and the first entry of a later epoch names the one that it follows
/// ([`Scope::Restored`]). So whatever was removed leaves a gap, whichever clock stamped it.
#[derive(Debug)]
pub struct LogWalk {
    cut_offs: Vec<CutOff>,
    complete_since: Position,
    last: Option<Position>,
}

impl LogWalk {
    /// Before the oldest entry.
    pub const fn begin() -> Self {
        Self {
            cut_offs: Vec::new(),
            complete_since: Position::START,
            last: None,
        }
    }

    /// The next entry that is held; `is_kept`: whether the snapshot is to hold it if it is a cut-off.
    pub fn pass(&mut self, entry: &LogEntry, is_kept: bool) {
        let before = before(entry);
        if self.last != Some(before) {
            self.complete_since = before;
        }
        if let Some(cut_off) = entry.cut_off() {
            if is_kept {
                self.cut_offs.push(cut_off);
            } else {
                self.complete_since = entry.position;
            }
        }
        self.last = Some(entry.position);
    }

    /// The cut-offs that were kept, and the position after which none up to `head` is missing.
    pub fn end(self, head: Position) -> (Vec<CutOff>, Position) {
        let is_whole = self.last == Some(head);
        let complete_since = if is_whole { self.complete_since } else { head };
        (self.cut_offs, complete_since)
    }
}

/// The entry that this one follows.
fn before(entry: &LogEntry) -> Position {
    match &entry.change {
        Change::CutOff {
            covers: Scope::Restored { from },
        } => *from,
        _ => Position::new(
            entry.position.epoch(),
            entry.position.number().saturating_sub(1),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Sid, UnixMillis};

    fn end_of_a_login(position: Position) -> LogEntry {
        let sid = Sid::mint(UnixMillis::from_millis(0), [1; 10]);
        let covers = Scope::Login { sid };
        LogEntry {
            position,
            change: Change::CutOff { covers },
        }
    }

    const fn backed_up(position: Position) -> LogEntry {
        let change = Change::BackedUp {};
        LogEntry { position, change }
    }

    const fn restored(position: Position, from: Position) -> LogEntry {
        let covers = Scope::Restored { from };
        let change = Change::CutOff { covers };
        LogEntry { position, change }
    }

    const fn place(number: u64) -> Position {
        Position::new(1, number)
    }

    const fn later(number: u64) -> Position {
        Position::new(9, number)
    }

    fn walk(entries: &[(LogEntry, bool)], head: Position) -> (Vec<Position>, Position) {
        let mut walk = LogWalk::begin();
        for (entry, is_kept) in entries {
            walk.pass(entry, *is_kept);
        }
        let (cut_offs, complete_since) = walk.end(head);
        (
            cut_offs.iter().map(|one| one.position).collect(),
            complete_since,
        )
    }

    #[test]
    fn a_log_without_an_entry_misses_nothing_after_its_head() {
        assert_eq!(walk(&[], Position::START), (vec![], Position::START));
        assert_eq!(walk(&[], place(7)), (vec![], place(7)));
    }

    #[test]
    fn a_whole_log_is_complete_from_its_beginning() {
        let log = [1, 2, 3].map(|number| (end_of_a_login(place(number)), true));
        let all = vec![place(1), place(2), place(3)];
        assert_eq!(walk(&log, place(3)), (all, Position::START));
    }

    #[test]
    fn what_was_left_out_or_removed_is_missing_and_what_is_no_cut_off_is_not() {
        let log = [
            (end_of_a_login(place(4)), true),
            (end_of_a_login(place(5)), false),
            (end_of_a_login(place(6)), true),
            (backed_up(place(7)), false),
            (end_of_a_login(place(8)), true),
        ];
        assert_eq!(
            walk(&log, place(8)),
            (vec![place(4), place(6), place(8)], place(5))
        );
        assert_eq!(walk(&log[2..], place(8)).1, place(5));
        assert_eq!(walk(&log[3..], place(8)).1, place(6));
        // A gap in the middle, and one right before the head.
        let torn = [log[0].clone(), log[2].clone()];
        assert_eq!(walk(&torn, place(6)).1, place(5));
        assert_eq!(walk(&log, place(9)).1, place(9));
    }

    #[test]
    fn a_later_epoch_follows_where_the_restored_log_ended() {
        let log = [
            (end_of_a_login(place(4)), true),
            (restored(later(1), place(4)), true),
            (end_of_a_login(later(2)), true),
        ];
        assert_eq!(walk(&log, later(2)).1, place(3));
        // The end of the restored log is gone.
        let torn = [
            (end_of_a_login(place(3)), true),
            log[1].clone(),
            log[2].clone(),
        ];
        assert_eq!(walk(&torn, later(2)).1, place(4));
        assert_eq!(walk(&log[2..], later(2)).1, later(1));
        let empty = [(restored(later(1), Position::START), true)];
        assert_eq!(walk(&empty, later(1)).1, Position::START);
        let left_out = [log[0].clone(), (log[1].0.clone(), false), log[2].clone()];
        assert_eq!(walk(&left_out, later(2)).1, later(1));
    }
}
