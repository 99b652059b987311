//! Redis when things go wrong: servers that cannot be relied on, that die, that fail over, and lines that are cut.
//!
//! Most tests have a server of their own, a child process; the Cluster that is killed is one of `tests/servers/run`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod bridge;
mod failover;
mod fixture;
mod lines;
mod refusals;
mod round_trips;
