//! How old can the guard's knowledge be? Proved without trusting any clock but the guard's own.
//!
//! The guard notes its own monotonic time, *then* asks for the log's head. The head in the answer was
//! read after the question arrived. Once everything up to that head is applied, the knowledge is
//! at least as fresh as the moment of asking. A slow network can only make a guard more careful.

use std::collections::VecDeque;

use symbolon_login::Position;

use crate::clock::Moment;

/// Answers that wait for the stream. Beyond this the oldest is dropped: that only loses a proof.
const LONGEST_QUEUE: usize = 64;

/// One question for the head, on its way.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub(crate) struct Ticket {
    asked_at: Moment,
    applied: Position,
}

/// What an answer was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Everything up to the head is applied: fresh as of the moment of asking.
    Proved,
    /// The head is ahead of what was applied; proved as soon as the stream has caught up.
    Behind,
    /// The head is before what had been applied when the question was asked. A log never shrinks, so
    /// this is another log: a copy that was put back without a new epoch, or a wrong authority.
    WentBack,
}

/// The proofs that the guard holds and those that it waits for.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(crate) struct Lease {
    fresh_as_of: Option<Moment>,
    pending: VecDeque<(Moment, Position)>,
    head: Option<Position>,
}

impl Lease {
    /// Notes the moment before asking.
    pub(crate) fn ask(applied: Position, now: Moment) -> Ticket {
        Ticket {
            asked_at: now,
            applied,
        }
    }

    /// Takes the answer to `ticket`, with `applied` as of now.
    pub(crate) fn answer(&mut self, ticket: Ticket, head: Position, applied: Position) -> Answer {
        if head < ticket.applied {
            return Answer::WentBack;
        }
        self.head = self.head.max(Some(head));
        if head <= applied {
            self.fresh_as_of = self.fresh_as_of.max(Some(ticket.asked_at));
            return Answer::Proved;
        }
        if self.pending.len() == LONGEST_QUEUE {
            self.pending.pop_front();
        }
        self.pending.push_back((ticket.asked_at, head));
        Answer::Behind
    }

    /// Redeems the answers that waited for `applied`.
    pub(crate) fn caught_up(&mut self, applied: Position) {
        let fresh_as_of = &mut self.fresh_as_of;
        self.pending.retain(|(asked_at, head)| {
            let proved = *head <= applied;
            if proved {
                *fresh_as_of = (*fresh_as_of).max(Some(*asked_at));
            }
            !proved
        });
        self.head = self.head.max(Some(applied));
    }

    /// Another log: what was proved of the old one proves nothing of this one.
    pub(crate) fn restart(&mut self) {
        *self = Self::default();
    }

    /// The latest moment as of which the knowledge is proved complete.
    pub(crate) const fn fresh_as_of(&self) -> Option<Moment> {
        self.fresh_as_of
    }

    /// The newest head heard of.
    pub(crate) const fn head(&self) -> Option<Position> {
        self.head
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const fn at(secs: u64) -> Moment {
        Moment::at(Duration::from_secs(secs))
    }

    const fn place(number: u64) -> Position {
        Position::new(1, number)
    }

    #[test]
    fn knowledge_is_as_old_as_the_question_not_as_the_answer() {
        let mut lease = Lease::default();
        let ticket = Lease::ask(place(5), at(10));
        // The answer took an hour: it proves nothing about that hour.
        assert_eq!(lease.answer(ticket, place(5), place(5)), Answer::Proved);
        assert_eq!(lease.fresh_as_of(), Some(at(10)));
    }

    #[test]
    fn an_answer_ahead_of_the_stream_proves_nothing_until_the_stream_is_there() {
        let mut lease = Lease::default();
        let (first, second) = (Lease::ask(place(5), at(10)), Lease::ask(place(5), at(11)));
        assert_eq!(lease.answer(first, place(6), place(5)), Answer::Behind);
        assert_eq!(lease.answer(second, place(8), place(5)), Answer::Behind);
        assert_eq!(lease.fresh_as_of(), None);
        lease.caught_up(place(7));
        assert_eq!(lease.fresh_as_of(), Some(at(10)));
        lease.caught_up(place(8));
        assert_eq!(lease.fresh_as_of(), Some(at(11)));
    }

    #[test]
    fn answers_that_arrive_in_another_order_never_make_it_older() {
        let mut lease = Lease::default();
        let (first, second) = (Lease::ask(place(5), at(10)), Lease::ask(place(5), at(11)));
        assert_eq!(lease.answer(second, place(5), place(5)), Answer::Proved);
        assert_eq!(lease.answer(first, place(5), place(5)), Answer::Proved);
        assert_eq!(lease.fresh_as_of(), Some(at(11)));
    }

    #[test]
    fn news_that_overtakes_the_answer_is_no_shrunken_log() {
        let mut lease = Lease::default();
        let ticket = Lease::ask(place(5), at(10));
        // Read at 6, while the stream brought 7 before the answer arrived.
        assert_eq!(lease.answer(ticket, place(6), place(7)), Answer::Proved);
    }

    #[test]
    fn a_log_that_shrank_proves_nothing() {
        let mut lease = Lease::default();
        let ticket = Lease::ask(place(5), at(10));
        assert_eq!(lease.answer(ticket, place(4), place(5)), Answer::WentBack);
        let ticket = Lease::ask(Position::new(2, 0), at(11));
        assert_eq!(
            lease.answer(ticket, place(9), Position::new(2, 0)),
            Answer::WentBack
        );
        assert_eq!(lease.fresh_as_of(), None);
    }

    #[test]
    fn the_queue_is_bounded() {
        let mut lease = Lease::default();
        for second in 0..1_000 {
            let ticket = Lease::ask(place(0), at(second));
            assert_eq!(lease.answer(ticket, place(9), place(0)), Answer::Behind);
        }
        assert_eq!(lease.pending.len(), LONGEST_QUEUE);
        lease.caught_up(place(9));
        assert_eq!(lease.fresh_as_of(), Some(at(999)));
    }
}
