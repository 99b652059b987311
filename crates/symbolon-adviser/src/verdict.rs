//! From facts to a verdict.

use std::cmp::Reverse;

use crate::{
    dials::{Carrier, Dial, Freshness, Shape},
    facts::{Fact, Facts},
    rules::{Bound, CONFLICTS, Conflict, Life, Objection, Rule, Says, Strength},
    words::Text,
};

/// The position of the dials for one application, and why.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What the credential is.
    pub shape: Shape,
    /// How it travels.
    pub carrier: Carrier,
    /// How fresh a yes must be at the app's routes.
    pub freshness: Freshness,
    /// Whether the routes that must never be wrong are `live`.
    pub live_routes: bool,
    /// How long an access token lasts, in seconds; of a session, how long a guard may keep a verdict.
    pub token_seconds: u64,
    /// How long a grant lasts without use, in seconds.
    pub idle_seconds: u64,
    /// How long it lasts in any case, in seconds.
    pub absolute_seconds: u64,
    /// The rules that decided: for each dial, in the dials' order, the heaviest first.
    pub reasons: Vec<&'static Rule>,
    /// The strongest counter-argument.
    pub against: Against,
    /// The facts that contradict each other.
    pub conflicts: Vec<&'static Conflict>,
}

/// What speaks against a verdict.
#[derive(Clone, Copy, Debug)]
pub enum Against {
    /// A rule that these facts call up and that lost.
    Rule(&'static Rule),
    /// No fact speaks against it: what can always be said.
    Standing(&'static Objection),
}

impl Against {
    /// Its name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Rule(rule) => rule.id,
            Self::Standing(objection) => objection.id,
        }
    }

    /// The dial that it would have turned.
    pub const fn dial(self) -> Dial {
        match self {
            Self::Rule(rule) => rule.says.dial(),
            Self::Standing(objection) => objection.dial,
        }
    }

    /// What it says.
    pub const fn text(self) -> Text {
        match self {
            Self::Rule(rule) => rule.text,
            Self::Standing(objection) => objection.text,
        }
    }

    /// Who says so.
    pub const fn sources(self) -> &'static [&'static str] {
        match self {
            Self::Rule(rule) => rule.sources,
            Self::Standing(objection) => objection.sources,
        }
    }
}

impl Verdict {
    /// The reasons for one dial, the heaviest first.
    pub fn reasons_for(&self, dial: Dial) -> impl Iterator<Item = &'static Rule> {
        let of_dial = move |rule: &&'static Rule| rule.says.dial() == dial;
        self.reasons.iter().copied().filter(of_dial)
    }

    /// Where a dial stands, as a text.
    pub fn position(&self, dial: Dial) -> String {
        match dial {
            Dial::Shape => self.shape.to_string(),
            Dial::Carrier => self.carrier.to_string(),
            Dial::Freshness => self.freshness.to_string(),
            Dial::Routes => if self.live_routes { "live" } else { "none" }.to_owned(),
            Dial::Token => self.token_seconds.to_string(),
            Dial::Lifetime => format!("{}/{}", self.idle_seconds, self.absolute_seconds),
        }
    }
}

/// What to do, given what is known.
pub fn advise(facts: &Facts) -> Verdict {
    let speaking: Vec<&'static Rule> = Rule::all().filter(|rule| rule.speaks(facts)).collect();
    let shape = if weigh(&speaking, Says::Shape(Shape::Jwt))
        > weigh(&speaking, Says::Shape(Shape::Session))
    {
        Shape::Jwt
    } else {
        // Of equal weight: the one that is easier to end.
        Shape::Session
    };
    let carrier = if weigh(&speaking, Says::Carrier(Carrier::Bearer))
        > weigh(&speaking, Says::Carrier(Carrier::Cookie))
    {
        Carrier::Bearer
    } else {
        Carrier::Cookie
    };
    let freshness = freshness(&speaking, facts);
    let live_routes = speaking.iter().any(|rule| rule.says == Says::LiveRoutes);
    let token_seconds = token_seconds(&speaking, facts);
    let (idle_seconds, absolute_seconds) = lifetime(&speaking);

    let stands = |says: Says| match says {
        Says::Shape(one) => one == shape,
        Says::Carrier(one) => one == carrier,
        Says::Freshness(bound) => resolved(bound, facts) == freshness,
        Says::LiveRoutes => true,
        Says::Token(life) => seconds(life, facts) == token_seconds,
        Says::Lifetime { idle, absolute } => (idle, absolute) == (idle_seconds, absolute_seconds),
    };
    let standing: Vec<_> = speaking
        .iter()
        .copied()
        .filter(|rule| stands(rule.says))
        .collect();
    // A default is a reason only where there is no better one.
    let better = |rule: &Rule| {
        let mut others = standing.iter().filter(|other| !other.is_default());
        others.any(|other| other.says.dial() == rule.says.dial())
    };
    let mut reasons: Vec<_> = standing
        .iter()
        .copied()
        .filter(|rule| !rule.is_default() || !better(rule))
        .collect();
    // Stable: of equal weight the table's order, in which the more telling comes first.
    reasons.sort_by_key(|rule| (rule.says.dial(), Reverse(rule.strength.weight())));

    let lost = |rule: &&'static Rule| match rule.says {
        Says::Shape(_) | Says::Carrier(_) => !stands(rule.says),
        // A looser need is kept as well as met; only a looser wish or a stricter need has lost.
        Says::Freshness(bound) => {
            let asked = resolved(bound, facts);
            match rule.strength {
                Strength::Need | Strength::Must => asked < freshness,
                Strength::Wish(_) => asked != freshness,
            }
        }
        Says::LiveRoutes | Says::Token(_) | Says::Lifetime { .. } => false,
    };
    let strongest = speaking
        .iter()
        .copied()
        .filter(|rule| !rule.is_default())
        .filter(lost)
        .min_by_key(|rule| (Reverse(rule.strength.weight()), rule.says.dial()));
    let against = strongest.map_or_else(
        || Against::Standing(Objection::to(shape, freshness)),
        Against::Rule,
    );

    Verdict {
        shape,
        carrier,
        freshness,
        live_routes,
        token_seconds,
        idle_seconds,
        absolute_seconds,
        reasons,
        against,
        conflicts: CONFLICTS.iter().filter(|one| one.holds(facts)).collect(),
    }
}

/// The sum of what speaks for one position, or more than any sum where it must be so.
fn weigh(speaking: &[&'static Rule], says: Says) -> u32 {
    speaking
        .iter()
        .filter(|rule| rule.says == says)
        .map(|rule| match rule.strength {
            Strength::Must => 10_000,
            other => u32::from(other.weight()),
        })
        .sum()
}

/// What cannot be otherwise; else the strictest need; else the heaviest wish, of equal ones the strictest.
fn freshness(speaking: &[&'static Rule], facts: &Facts) -> Freshness {
    let asked = |rule: &&'static Rule| match rule.says {
        Says::Freshness(bound) => Some((rule.strength, resolved(bound, facts))),
        _ => None,
    };
    let all: Vec<(Strength, Freshness)> = speaking.iter().filter_map(asked).collect();
    let of = |strength: Strength| {
        let those = all.iter().filter(move |(one, _)| *one == strength);
        those.map(|(_, freshness)| *freshness).min()
    };
    let wish = || {
        let heaviest = all
            .iter()
            .min_by_key(|(strength, freshness)| (Reverse(strength.weight()), *freshness));
        heaviest.map_or(Freshness::Within(10), |(_, freshness)| *freshness)
    };
    of(Strength::Must)
        .or_else(|| of(Strength::Need))
        .unwrap_or_else(wish)
}

fn token_seconds(speaking: &[&'static Rule], facts: &Facts) -> u64 {
    let heaviest = speaking
        .iter()
        .filter_map(|rule| match rule.says {
            Says::Token(life) => Some((rule.strength.weight(), seconds(life, facts))),
            _ => None,
        })
        .max_by_key(|(weight, _)| *weight);
    heaviest.map_or(300, |(_, seconds)| seconds)
}

/// Seconds without use, and in any case.
fn lifetime(speaking: &[&'static Rule]) -> (u64, u64) {
    let heaviest = speaking
        .iter()
        .filter_map(|rule| match rule.says {
            Says::Lifetime { idle, absolute } => Some((rule.strength.weight(), (idle, absolute))),
            _ => None,
        })
        .max_by_key(|(weight, _)| *weight);
    heaviest.map_or((604_800, 2_592_000), |(_, lifetime)| lifetime)
}

fn resolved(bound: Bound, facts: &Facts) -> Freshness {
    match bound {
        Bound::Live => Freshness::Live,
        Bound::Within(seconds) => Freshness::Within(seconds),
        // Only rules that ask for the fact say so; without it, the strictest.
        Bound::AsAsked => facts
            .number(Fact::EndWithin)
            .map_or(Freshness::Live, Freshness::Within),
        Bound::UntilExpiry => Freshness::UntilExpiry,
    }
}

fn seconds(life: Life, facts: &Facts) -> u64 {
    match life {
        Life::Seconds(seconds) => seconds,
        Life::AsAsked => facts.number(Fact::EndWithin).unwrap_or(60).clamp(60, 300),
    }
}
