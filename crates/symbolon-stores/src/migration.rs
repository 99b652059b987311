//! A step of a schema, with the checksum by which it is known for the one that was applied.

use std::fmt::Write;

use symbolon_login::Digest;

/// A step of the schema of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its place in the order, from 1.
    pub number: u32,
    /// What it does, in a word or two.
    pub name: &'static str,
    pub(crate) sql: &'static str,
}

impl Migration {
    /// What tells it from another one of the same number: a digest of its text, in hexadecimal digits.
    pub fn checksum(&self) -> String {
        let digest = Digest::of("migration", self.sql.as_bytes());
        digest
            .as_bytes()
            .iter()
            .fold(String::new(), |mut text, byte| {
                // Writing to a string cannot fail.
                let _ = write!(text, "{byte:02x}");
                text
            })
    }
}
