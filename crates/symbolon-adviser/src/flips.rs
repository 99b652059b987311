//! What would change the adviser's mind: the smallest changes of facts that turn a dial.

use std::collections::BTreeSet;

use crate::{
    dials::Dial,
    facts::{Answers, Fact, Facts, Value},
    rules::{CONFLICTS, Rule},
    verdict::{Verdict, advise},
};

/// A change of facts after which a dial stands elsewhere.
#[derive(Clone, Debug)]
pub struct Flip {
    /// Which dial.
    pub dial: Dial,
    /// What would have to be otherwise, all of it.
    pub changes: Vec<Change>,
    /// The verdict then.
    pub verdict: Verdict,
}

/// One fact that would have to be otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub fact: Fact,
    /// What it is now.
    pub from: Option<Value>,
    /// What it would have to be.
    pub to: Value,
}

/// More alternatives than this tell nobody more.
const MOST_SHOWN: usize = 5;

/// The smallest changes that turn the shape, and the smallest that turn the freshness; none where it would
/// take more than three (shape) or two facts (freshness). A change that brings a new contradiction is none.
/// What is known is changed before what is not.
pub fn flips(facts: &Facts, verdict: &Verdict) -> Vec<Flip> {
    let mut found = smallest(facts, verdict, Dial::Shape, 3);
    found.extend(smallest(facts, verdict, Dial::Freshness, 2));
    found
}

fn smallest(facts: &Facts, verdict: &Verdict, dial: Dial, most: usize) -> Vec<Flip> {
    let candidates = candidates(facts, dial);
    for size in 1..=most {
        let mut search = Search {
            verdict,
            dial,
            candidates: &candidates,
            before: facts,
            found: Vec::new(),
        };
        search.extend(facts, &mut Vec::new(), 0, size);
        if !search.found.is_empty() {
            return search.found;
        }
    }
    Vec::new()
}

struct Search<'a> {
    verdict: &'a Verdict,
    dial: Dial,
    candidates: &'a [(Fact, Vec<Value>)],
    before: &'a Facts,
    found: Vec<Flip>,
}

impl Search<'_> {
    /// Tries all ways to change `left` more facts, from candidate `from` on.
    fn extend(&mut self, facts: &Facts, changes: &mut Vec<Change>, from: usize, left: usize) {
        if left == 0 {
            self.judge(facts, changes);
            return;
        }
        let candidates = self.candidates;
        for (at, (fact, values)) in candidates.iter().enumerate().skip(from) {
            for &to in values {
                if self.found.len() >= MOST_SHOWN {
                    return;
                }
                let mut then = facts.clone();
                then.set(*fact, Some(to));
                changes.push(Change {
                    fact: *fact,
                    from: self.before.get(*fact),
                    to,
                });
                self.extend(&then, changes, at + 1, left - 1);
                changes.pop();
            }
        }
    }

    fn judge(&mut self, facts: &Facts, changes: &[Change]) {
        let same_fact_shown = self
            .found
            .iter()
            .any(|flip| same_facts(&flip.changes, changes));
        let contradicts = CONFLICTS
            .iter()
            .any(|one| one.holds(facts) && !one.holds(self.before));
        if same_fact_shown || contradicts {
            return;
        }
        let verdict = advise(facts);
        if verdict.position(self.dial) != self.verdict.position(self.dial) {
            self.found.push(Flip {
                dial: self.dial,
                changes: changes.to_vec(),
                verdict,
            });
        }
    }
}

fn same_facts(one: &[Change], other: &[Change]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a.fact == b.fact)
}

/// The facts that rules of this dial ask for, with the values at which they change their mind; known facts first.
fn candidates(facts: &Facts, dial: Dial) -> Vec<(Fact, Vec<Value>)> {
    let asked: Vec<_> = Rule::all()
        .filter(|rule| rule.says.dial() == dial)
        .flat_map(|rule| rule.when)
        .collect();
    let of = |fact: Fact| -> Vec<Value> {
        let values: BTreeSet<Value> = match fact.about().answers {
            Answers::Words(words) => words.iter().map(|word| Value::Word(word)).collect(),
            Answers::Number { least, most } => edges(&asked, fact)
                .filter(|value| matches!(value, Value::Number(n) if (least..=most).contains(n)))
                .collect(),
            Answers::Time { .. } => edges(&asked, fact).collect(),
        };
        values
            .into_iter()
            .filter(|value| facts.get(fact) != Some(*value))
            .collect()
    };
    let mut all: Vec<(Fact, Vec<Value>)> = Fact::ALL
        .into_iter()
        .filter(|fact| asked.iter().any(|when| when.fact() == *fact))
        .map(|fact| (fact, of(fact)))
        .collect();
    all.sort_by_key(|(fact, _)| facts.get(*fact).is_none());
    all
}

fn edges<'a>(
    asked: &'a [&'static crate::rules::When],
    fact: Fact,
) -> impl Iterator<Item = Value> + 'a {
    let of_fact = asked.iter().filter(move |when| when.fact() == fact);
    of_fact.flat_map(|when| when.edges())
}
