//! Strict JSON for bytes that a stranger sent.
//!
//! RFC 8259 grammar and nothing beside it, no member twice in any object (compared after
//! unescaping), bounded depth, borrowed strings. `serde_json` takes the last of two members or does
//! not look for them, and a strict pass of our own before it would read everything twice; so the
//! reader is our own, and `serde_json` is the oracle in its tests.

mod claims;
mod de;
mod pretty;
mod reader;
mod seen;
mod string;
mod written;

pub(crate) use claims::{Claims, Raw, Registered};
pub(crate) use pretty::{pretty, visible};
pub use reader::MAX_DEPTH;
pub(crate) use reader::{Number, ReadError, Reader};
pub(crate) use seen::Seen;
pub(crate) use written::Written;

#[cfg(test)]
mod tests;
