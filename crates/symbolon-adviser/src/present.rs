//! How an application is set now, beside what the verdict says.

use serde::Serialize;

use crate::{
    dials::{Carrier, Dial, Freshness, Shape},
    facts::Facts,
    price::{Choice, Load, Row, row},
    verdict::Verdict,
};

/// How an application is set now, as far as anybody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Present {
    /// What the credential is.
    pub shape: Shape,
    /// How it travels, where that is known and the same nearly everywhere.
    pub carrier: Option<Carrier>,
    /// How fresh a yes must be. Parts of a second count as a whole one.
    pub freshness: Freshness,
    /// Seconds that an access token lasts.
    pub token_seconds: u64,
    /// Seconds that a grant lasts without use.
    pub idle_seconds: u64,
    /// Seconds that it lasts in any case.
    pub absolute_seconds: u64,
    /// Guard processes, where they are counted.
    pub guards: Option<u64>,
}

/// The present settings beside the verdict.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Whether no dial that is known stands elsewhere than the verdict says.
    pub agrees: bool,
    /// Dial by dial.
    pub dials: Vec<Compared>,
    /// What the present settings cost.
    pub now: Row,
    /// What the verdict costs, under the same load.
    pub advised: Row,
}

/// One dial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// Which.
    pub dial: Dial,
    /// Where it stands; null: unknown.
    pub now: Option<String>,
    /// Where the verdict puts it.
    pub advised: String,
    /// Whether that is the same; null: unknown.
    pub agrees: Option<bool>,
}

impl Comparison {
    /// The present settings beside the verdict about these facts.
    ///
    /// ```
    /// use symbolon_adviser::{Comparison, Dial, Facts, Freshness, Present, Shape, advise};
    ///
    /// let facts = Facts::unknown();
    /// let present = Present {
    ///     shape: Shape::Session,
    ///     carrier: None,
    ///     freshness: Freshness::Live,
    ///     token_seconds: 300,
    ///     idle_seconds: 604_800,
    ///     absolute_seconds: 2_592_000,
    ///     guards: Some(2),
    /// };
    /// let comparison = Comparison::new(&facts, &advise(&facts), &present);
    /// assert!(!comparison.agrees);
    /// let elsewhere = comparison.dials.iter().find(|one| one.agrees == Some(false));
    /// assert_eq!(elsewhere.map(|one| one.dial), Some(Dial::Freshness));
    /// assert!(comparison.now.questions.value > comparison.advised.questions.value);
    /// ```
    pub fn new(facts: &Facts, verdict: &Verdict, present: &Present) -> Self {
        let set = Verdict {
            shape: present.shape,
            carrier: present.carrier.unwrap_or(verdict.carrier),
            freshness: present.freshness,
            token_seconds: present.token_seconds,
            idle_seconds: present.idle_seconds,
            absolute_seconds: present.absolute_seconds,
            ..verdict.clone()
        };
        let dials = DIALS.map(|dial| {
            let is_known = dial != Dial::Carrier || present.carrier.is_some();
            let (now, advised) = (set.position(dial), verdict.position(dial));
            Compared {
                dial,
                agrees: is_known.then(|| now == advised),
                now: is_known.then_some(now),
                advised,
            }
        });
        let priced = |verdict: &Verdict, chosen: bool| {
            let mut load = Load::of(facts, verdict);
            if let Some(guards) = present.guards {
                #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 processes")]
                let counted = guards.max(1) as f64;
                load.guards = counted;
            }
            let choice = Choice::Ours(verdict.shape, verdict.freshness);
            row(choice, chosen, &load)
        };
        Self {
            agrees: dials.iter().all(|one| one.agrees != Some(false)),
            now: priced(&set, false),
            advised: priced(verdict, true),
            dials: dials.to_vec(),
        }
    }
}

/// What an app's settings have; single routes are the app's own code.
const DIALS: [Dial; 5] = [
    Dial::Shape,
    Dial::Carrier,
    Dial::Freshness,
    Dial::Token,
    Dial::Lifetime,
];
