//! The crate from outside, in one binary: what a user of the crate can see and an attacker can send.
//!
//! `tests/vectors` holds copies of published vectors, each with its licence beside it.

mod allocation;
mod classes;
mod common;
mod corpus;
#[path = "../../examples/runner/judge.rs"]
mod judge;
mod keys;
mod rfc;
mod roundtrip;
