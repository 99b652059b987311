//! The adviser as its users see it: facts in, advice out.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod article;
mod chart;
mod facts;
mod flips;
mod present;
mod price;
mod properties;
mod report;
mod scenarios;
mod sensitivity;
mod settings;
mod tables;

use symbolon_adviser::Facts;

/// Facts from pairs of names and answers.
pub(crate) fn facts(pairs: &[(&str, &str)]) -> Facts {
    let mut facts = Facts::unknown();
    for (name, answer) in pairs {
        facts.answer(name, answer).unwrap();
    }
    facts
}
