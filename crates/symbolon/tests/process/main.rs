//! The program as a whole: real processes, real sockets, a real disk.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod advise;
mod away;
mod backup;
mod command_line;
mod copy;
mod data_directory;
mod demo;
mod ends;
mod freshness;
mod guard_daemon;
mod keys;
mod kill;
mod kill_rounds;
mod nodes;
mod proxies;
mod refusals;
mod relay;
mod secrets;
mod servers;
mod stores;
mod street;
mod town;
mod two_hundred;
