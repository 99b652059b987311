//! Each rule that the contract rests on, broken once: the checker sees it, and sees nothing with the rule
//! kept.

use symbolon_guard::Fault;

use crate::{
    run::run,
    town::Broken,
    weather::{Climate, Clocks},
};

/// Within so many seeds.
const SEEDS: usize = 60;

fn is_seen(broken: Broken, in_climate: impl Fn(Climate) -> bool) {
    is_seen_from(0, broken, in_climate);
}

fn is_seen_from(first: u64, broken: Broken, in_climate: impl Fn(Climate) -> bool) {
    let seeds = (first..).filter(|seed| in_climate(Climate::of(*seed)));
    for seed in seeds.take(SEEDS) {
        if let Err(violation) = run(seed, Some(broken)).verdict {
            if violation.rule != "no yes past the bound" {
                continue;
            }
            println!("{broken:?}: seen at seed {seed}: {}", violation.detail);
            let kept = run(seed, None);
            if let Err(violation) = &kept.verdict {
                panic!("{}", kept.explained(violation));
            }
            return;
        }
    }
    panic!("{broken:?} was not seen in {SEEDS} seeds");
}

#[test]
fn a_guard_that_skips_the_lease_is_seen() {
    is_seen(Broken::Guard(Fault::SkipLease), |_| true);
}

#[test]
fn a_guard_that_applies_out_of_order_is_seen() {
    is_seen(Broken::Guard(Fault::ApplyOutOfOrder), |climate| {
        !climate.only_restarts
    });
}

#[test]
fn a_guard_that_trusts_the_wall_clock_is_seen() {
    is_seen(Broken::Guard(Fault::TrustWallClock), |climate| {
        climate.clocks == Clocks::Wild
    });
}

#[test]
fn a_guard_that_forgets_too_early_is_seen() {
    is_seen(Broken::Guard(Fault::ForgetEarly), |_| true);
}

/// A guard has to start in the seconds after a node's clock went far ahead, and somebody has to come whom an
/// end of just then killed: one seed of a hundred.
#[test]
fn a_guard_that_takes_what_it_was_told_for_all_is_seen() {
    let broken = Broken::Guard(Fault::IgnoreCompleteSince);
    is_seen_from(3_240, broken, |climate| climate.clocks == Clocks::Wild);
}

/// The stream of a guard has to be cut while its lease goes on: in storms of one log, not in every one.
#[test]
fn a_node_that_remembers_its_head_is_seen() {
    is_seen_from(60, Broken::NodeRemembersItsHead, |climate| {
        climate.clocks == Clocks::Kept && !climate.only_restarts && !climate.restores
    });
}
