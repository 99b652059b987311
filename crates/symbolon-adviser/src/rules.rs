//! The rules, as data: what each needs to be known, what it then speaks for, how much it weighs, why, and
//! who says so. Nothing here computes but [`When::holds`].

mod carrier;
mod conflicts;
mod freshness;
mod objections;
mod shape;

pub use conflicts::Conflict;
pub use objections::Objection;

pub(crate) use conflicts::CONFLICTS;

use crate::{
    dials::{Carrier, Dial, Shape},
    facts::{Fact, Facts, Value},
    words::Text,
};

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name, which never changes once it was published.
    pub id: &'static str,
    /// What has to hold, all of it; nothing: it always speaks.
    pub when: &'static [When],
    /// What it speaks for.
    pub says: Says,
    /// How strongly.
    pub strength: Strength,
    /// Why, in one or two sentences.
    pub text: Text,
    /// Who says so: a section of the article, an RFC, a paragraph of OWASP ASVS 5.0 or of NIST, a page of ours.
    pub sources: &'static [&'static str],
}

/// What a rule speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// A shape.
    Shape(Shape),
    /// A carrier.
    Carrier(Carrier),
    /// A freshness.
    Freshness(Bound),
    /// Single routes that are `live`.
    LiveRoutes,
    /// The life of an access token.
    Token(Life),
    /// How long a grant lasts.
    Lifetime {
        /// Seconds without use.
        idle: u64,
        /// Seconds in any case.
        absolute: u64,
    },
}

/// A freshness that a rule speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Ask each time.
    Live,
    /// Within so many seconds.
    Within(u64),
    /// Within as many seconds as were asked for (the fact `end_within`).
    AsAsked,
    /// Until the credential ends.
    UntilExpiry,
}

/// The life of an access token that a rule speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// So many seconds.
    Seconds(u64),
    /// As soon as an end has to count (the fact `end_within`), between a minute and five.
    AsAsked,
}

/// How strongly a rule speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// An argument. Of shapes and carriers the sums decide, of freshness the heaviest.
    Wish(u8),
    /// A requirement on freshness: of several the strictest counts, and no wish loosens it.
    Need,
    /// It cannot be otherwise.
    Must,
}

/// A condition on one fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// It is this word.
    Is(Fact, &'static str),
    /// It is not this word; unknown will do.
    IsNot(Fact, &'static str),
    /// It is at least this.
    AtLeast(Fact, u64),
    /// It is at most this.
    AtMost(Fact, u64),
    /// It is not below this; unknown will do.
    NotBelow(Fact, u64),
    /// It is not known.
    Unknown(Fact),
}

impl Strength {
    /// As a number, to order by and to show.
    pub const fn weight(self) -> u8 {
        match self {
            Self::Wish(weight) => weight,
            Self::Need => 50,
            Self::Must => 100,
        }
    }
}

impl Says {
    /// The dial that it is about.
    pub const fn dial(self) -> Dial {
        match self {
            Self::Shape(_) => Dial::Shape,
            Self::Carrier(_) => Dial::Carrier,
            Self::Freshness(_) => Dial::Freshness,
            Self::LiveRoutes => Dial::Routes,
            Self::Token(_) => Dial::Token,
            Self::Lifetime { .. } => Dial::Lifetime,
        }
    }
}

impl When {
    /// The fact that it is about.
    pub const fn fact(self) -> Fact {
        match self {
            Self::Is(fact, _)
            | Self::IsNot(fact, _)
            | Self::AtLeast(fact, _)
            | Self::AtMost(fact, _)
            | Self::NotBelow(fact, _)
            | Self::Unknown(fact) => fact,
        }
    }

    /// Whether it holds.
    pub fn holds(self, facts: &Facts) -> bool {
        match self {
            Self::Is(fact, word) => facts.is(fact, word),
            Self::IsNot(fact, word) => !facts.is(fact, word),
            Self::AtLeast(fact, least) => facts.number(fact).is_some_and(|n| n >= least),
            Self::AtMost(fact, most) => facts.number(fact).is_some_and(|n| n <= most),
            Self::NotBelow(fact, least) => facts.number(fact).is_none_or(|n| n >= least),
            Self::Unknown(fact) => facts.get(fact).is_none(),
        }
    }

    /// The values on both sides of its edge, where it is about a number.
    pub(crate) fn edges(self) -> Vec<Value> {
        let (first, second) = match self {
            Self::AtLeast(_, n) | Self::NotBelow(_, n) => (n.checked_sub(1), Some(n)),
            Self::AtMost(_, n) => (Some(n), n.checked_add(1)),
            _ => (None, None),
        };
        [first, second]
            .into_iter()
            .flatten()
            .map(Value::Number)
            .collect()
    }
}

impl Rule {
    /// All rules, those of a dial together, of equal weight the more telling first.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        shape::RULES
            .iter()
            .chain(carrier::RULES)
            .chain(freshness::RULES)
    }

    /// The rule of this id.
    pub fn by_id(id: &str) -> Option<&'static Self> {
        Self::all().find(|rule| rule.id == id)
    }

    /// Whether it speaks, given what is known.
    pub fn speaks(&self, facts: &Facts) -> bool {
        self.when.iter().all(|when| when.holds(facts))
    }

    /// Whether it speaks whatever is known: a default, and no argument against anything.
    pub const fn is_default(&self) -> bool {
        self.when.is_empty()
    }
}
