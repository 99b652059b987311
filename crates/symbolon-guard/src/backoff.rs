//! How long to wait before trying again.

use std::time::Duration;

use aws_lc_rs::rand;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// Doubling pauses from 50 ms to 2 s, each shortened by up to half at random, so that many guards do not
/// come back to a restarted authority in step.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Backoff {
    turn: u32,
}

impl Backoff {
    /// The next pause.
    pub(crate) fn next(&mut self) -> Duration {
        let full = FIRST.saturating_mul(1 << self.turn.min(6)).min(LONGEST);
        self.turn = self.turn.saturating_add(1);
        let mut byte = [0];
        // Without randomness the pause is only less spread.
        let _ = rand::fill(&mut byte);
        let [byte] = byte;
        full.mul_f32(1.0 - f32::from(byte) / 512.0)
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
            let pause = backoff.next();
            assert!(pause <= full && pause >= full / 2, "{turn}: {pause:?}");
        }
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }
}
