//! Strict JSON for bytes that a stranger sent.
//!
//! One pass reads, validates and deserializes: RFC 8259 grammar and nothing beside it, no member
//! twice in any object (compared after unescaping), bounded depth, borrowed strings. `serde_json`
//! keeps the last of two members in a map and does not look for unknown ones twice, and a second
//! pass beside it would cost more than an HMAC; so the reader is our own, and `serde_json` is the
//! oracle in its tests.

mod claims;
mod de;
mod pretty;
mod reader;
mod seen;

pub(crate) use claims::{Claims, Raw};
pub(crate) use pretty::{pretty, visible};
pub use reader::MAX_DEPTH;
pub(crate) use reader::{Number, ReadError, Reader};
pub(crate) use seen::Seen;

#[cfg(test)]
mod tests;
