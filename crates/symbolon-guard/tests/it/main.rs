//! One app behind a guard, against an authority that does as it is told.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

mod app;
mod fake;

mod around;
mod counts;
mod demands;
mod end;
mod feed;
mod logs;
mod nodes;
mod open;
mod refusals;
mod renewal;
mod sign_in;
mod third_party;
