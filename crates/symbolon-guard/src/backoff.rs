//! How long to wait before trying again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// Doubling pauses from 50 ms to 2 s, each shortened by up to half at random, so that many guards do not
/// come back to a restarted authority in step.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Backoff {
    turn: u32,
}

impl Backoff {
    /// The next pause, shortened as `chance` has it.
    pub(crate) fn next(&mut self, chance: u8) -> Duration {
        let full = FIRST.saturating_mul(1 << self.turn.min(6)).min(LONGEST);
        self.turn = self.turn.saturating_add(1);
        full.saturating_sub(full.saturating_mul(u32::from(chance)) / 512)
    }

    /// Begins again with the shortest.
    pub(crate) fn reset(&mut self) {
        self.turn = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_two_seconds_and_stay_there() {
        let mut backoff = Backoff::default();
        for turn in 0..40 {
            let full = Duration::from_millis((50 << turn.min(6)).min(2_000));
            let shortest = { backoff }.next(255);
            assert!(
                shortest >= full / 2 && shortest < full,
                "{turn}: {shortest:?}"
            );
            assert_eq!(backoff.next(0), full, "{turn}");
        }
        backoff.reset();
        assert!(backoff.next(0) == FIRST);
    }
}
