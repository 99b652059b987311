//! Every route of the real router on a store in memory: one file for each, in the order of the URLs.
//! Each asks: without a credential, with the wrong kind, with one that has expired or ended, with
//! somebody else's.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod api;
mod cross_site;
mod feed;
mod harness;
mod health;
mod local_guard;
mod log;
mod oauth2;
mod operator;
mod responses;
mod well_known;
