//! Session or JWT? Facts about one application in, the position of the dials with its reasons out.
//!
//! ```
//! use symbolon_adviser::{Facts, Freshness, Lang, Shape, advise, flips};
//!
//! let mut facts = Facts::unknown();
//! facts.answer("platform", "spa")?;
//! facts.answer("scale", "yes")?;
//! let verdict = advise(&facts);
//! assert_eq!(verdict.shape, Shape::Jwt);
//! assert_eq!(verdict.freshness, Freshness::Within(10));
//! assert_eq!(verdict.reasons[0].id, "spa-jwt");
//! println!("{}", verdict.reasons[0].text.of(Lang::Ko));
//!
//! // What would change its mind.
//! let flip = &flips(&facts, &verdict)[0];
//! assert_ne!(flip.verdict.shape, Shape::Jwt);
//! # Ok::<(), symbolon_adviser::BadFact>(())
//! ```
//!
//! The rules are data ([`Rule`]); `docs/adviser.md` says how they decide. Nothing here reads a file, a
//! clock or the network: equal facts give equal advice.

mod chart;
mod dials;
mod facts;
mod flips;
mod present;
mod price;
mod report;
mod rules;
mod settings;
mod verdict;
mod words;

pub use chart::{Paper, Point, Room, points, svg};
pub use dials::{Carrier, Dial, Freshness, Shape};
pub use facts::{About, Answers, BadFact, Fact, Facts, Stated, Value, label};
pub use flips::{Change, Flip, flips};
pub use present::{Compared, Comparison, Present};
pub use price::{
    Amount, Assumption, Choice, FIGURES, Figure, Known, Load, Price, Row, human, price,
};
pub use report::{
    Assumed, Changed, Contradiction, Example, Flips, Reason, Report, Settings, bytes, cited,
    dial_name,
};
pub use rules::{Bound, Conflict, Life, Objection, Rule, Says, Strength, When};
pub use settings::{BadSite, Framework, Site, command, toml};
pub use verdict::{Against, Verdict, advise};
pub use words::{Lang, Text};
