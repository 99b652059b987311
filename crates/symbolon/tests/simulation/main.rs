//! The freshness contract (DESIGN section 4) under everything that may befall machines and networks, in a
//! simulated time: thousands of seeds, each of which repeats exactly. `docs/simulation.md` says more.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod actions;
mod apps;
mod cell;
mod chance;
mod checker;
mod credentials;
mod disk;
mod history;
mod network;
mod run;
mod seeds;
mod steady;
mod teeth;
mod town;
mod weather;
mod world;
