//! Reads a history: was the contract kept? (DESIGN section 4)

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use symbolon_guard::Freshness;
use symbolon_server::login::{ClientId, CutOff, Position, Scope, Shape, Sid};

use crate::{
    history::{Event, Facts, Request, Stamp},
    world::calendar,
};

/// Which rules a history is held to beside the contract itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Demands {
    /// No outage was longer than the bound: who was let in before is let in throughout, where ten seconds
    /// are fresh enough.
    pub(crate) short_outages: bool,
    /// After the calm everybody who lives is let in again.
    pub(crate) recovers: bool,
}

/// What a history held, so that nobody takes an empty one for a good one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    pub(crate) yes: u64,
    /// Refused, 401.
    pub(crate) refused: u64,
    /// Not provable, 503.
    pub(crate) unproved: u64,
    pub(crate) ends: u64,
    /// Requests that showed what an acknowledged end had killed: each could have been wrong.
    pub(crate) probes: u64,
    /// Yeses to what had ended, within the bound.
    pub(crate) within_bound: u64,
    pub(crate) restores: u64,
    /// Requests that the rule of short outages judged.
    pub(crate) outage_checks: u64,
    /// Requests that the rule of living logins judged.
    pub(crate) living_checks: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.yes += other.yes;
        self.refused += other.refused;
        self.unproved += other.unproved;
        self.ends += other.ends;
        self.probes += other.probes;
        self.within_bound += other.within_bound;
        self.restores += other.restores;
        self.outage_checks += other.outage_checks;
        self.living_checks += other.living_checks;
    }
}

/// Where a history breaks a rule.
#[derive(Debug)]
pub(crate) struct Violation {
    pub(crate) rule: &'static str,
    pub(crate) detail: String,
    /// Which events to look at.
    pub(crate) order: usize,
}

/// One entry of the log that ends something.
struct End {
    cut_off: CutOff,
    acknowledged: Option<Stamp>,
    /// A restore went back behind it: what is older than this position it does not kill any more.
    forgotten_before: Option<Position>,
}

struct Checker {
    demands: Demands,
    tally: Tally,
    ends: Vec<End>,
    requests: HashMap<u64, (Stamp, Request)>,
    /// Which credential was let in by which life of which guard.
    let_in: HashSet<(usize, u32, u64)>,
    /// When lines moved last.
    moved: HashMap<(Sid, ClientId), Duration>,
    restored_at: Option<Duration>,
    /// Where the newest epoch begins.
    epoch: Position,
    is_calm: bool,
}

/// Reads it all, up to the first event that breaks a rule.
pub(crate) fn check(events: &[(Stamp, Event)], demands: Demands) -> Result<Tally, Violation> {
    let mut checker = Checker {
        demands,
        tally: Tally::default(),
        ends: Vec::new(),
        requests: HashMap::new(),
        let_in: HashSet::new(),
        moved: HashMap::new(),
        restored_at: None,
        epoch: Position::START,
        is_calm: false,
    };
    for (stamp, event) in events {
        checker
            .read(*stamp, event)
            .map_err(|(rule, detail)| Violation {
                rule,
                detail,
                order: stamp.order,
            })?;
    }
    Ok(checker.tally)
}

type Broken = (&'static str, String);

impl Checker {
    fn read(&mut self, now: Stamp, event: &Event) -> Result<(), Broken> {
        match event {
            Event::Committed(cut_off) => {
                self.tally.ends += 1;
                if let Scope::Restored { .. } = cut_off.scope {
                    self.epoch = self.epoch.max(cut_off.position);
                }
                self.ends.push(End {
                    cut_off: cut_off.clone(),
                    acknowledged: None,
                    forgotten_before: None,
                });
            }
            Event::Acknowledged(position) => self.acknowledge(*position, now),
            Event::Restored { from } => {
                self.tally.restores += 1;
                self.restored_at = Some(now.at);
                for end in &mut self.ends {
                    if end.cut_off.position > *from {
                        let earlier = end.forgotten_before.max(Some(*from));
                        end.forgotten_before = earlier;
                    }
                }
            }
            Event::Moved { sid, client_id } => {
                self.moved.insert((*sid, client_id.clone()), now.at);
            }
            Event::Arrived(request) => {
                self.tally.requests += 1;
                self.requests.insert(request.number, (now, request.clone()));
            }
            Event::Yes { number } => self.yes(*number, now)?,
            Event::Answered {
                number,
                status,
                skew,
            } => self.answered(*number, *status, *skew, now)?,
            Event::Calm => self.is_calm = true,
            Event::Weather(_) => {}
        }
        Ok(())
    }

    /// The newest of that position: after a restore the same place of the log may be taken again.
    fn acknowledge(&mut self, position: Position, now: Stamp) {
        let mut newest_first = self.ends.iter_mut().rev();
        if let Some(end) = newest_first.find(|end| end.cut_off.position == position) {
            end.acknowledged = end.acknowledged.or(Some(now));
        }
    }

    /// The contract: no yes later than the bound after the acknowledgement; none at all where the request
    /// came after it and the route is live.
    fn yes(&mut self, number: u64, now: Stamp) -> Result<(), Broken> {
        self.tally.yes += 1;
        let (arrived, request) = self.requests[&number].clone();
        for end in &self.ends {
            let Some(acknowledged) = end.acknowledged else {
                continue;
            };
            if !kills(end, &request.facts) {
                continue;
            }
            let late = match request.freshness {
                Freshness::Live => arrived > acknowledged,
                Freshness::Within(bound) => now.at > acknowledged.at + bound,
                Freshness::UntilExpiry => false,
            };
            if late {
                let since = now.at.saturating_sub(acknowledged.at);
                return Err((
                    "no yes past the bound",
                    format!(
                        "request {number} ({}) was let in {since:?} after the acknowledgement of {}: {:?}",
                        request.freshness, end.cut_off.position, end.cut_off.scope
                    ),
                ));
            }
            self.tally.within_bound += 1;
        }
        self.let_in
            .insert((request.guard, request.life, request.facts.number));
        Ok(())
    }

    fn answered(
        &mut self,
        number: u64,
        status: u16,
        skew: (i64, i64),
        now: Stamp,
    ) -> Result<(), Broken> {
        let (arrived, request) = self.requests[&number].clone();
        let facts = &request.facts;
        let dead = |end: &End| end.acknowledged.is_some() && kills(end, facts);
        self.tally.probes += u64::from(self.ends.iter().any(dead));
        match status {
            200 => {}
            401 => self.tally.refused += 1,
            503 => self.tally.unproved += 1,
            other => return Err(("an answer is 200, 401 or 503", format!("{number}: {other}"))),
        }
        if !self.lives(&request, skew, arrived, now) {
            return Ok(());
        }
        self.tally.living_checks += 1;
        if status == 401 {
            return Err((
                "no 401 for a login that lives",
                format!("request {number} was refused"),
            ));
        }
        let ten_seconds = matches!(request.freshness, Freshness::Within(bound) if bound >= Duration::from_secs(10));
        let known = self
            .let_in
            .contains(&(request.guard, request.life, facts.number));
        if self.demands.short_outages && ten_seconds && known {
            self.tally.outage_checks += 1;
            if status != 200 {
                return Err((
                    "an outage shorter than the bound troubles nobody",
                    format!("request {number} got {status}"),
                ));
            }
        }
        if self.demands.recovers && self.is_calm && status != 200 {
            return Err((
                "after the storm everybody is let in again",
                format!("request {number} got {status}"),
            ));
        }
        Ok(())
    }

    /// Whether the credential surely lives: nothing that was ever committed kills it, no clock can take it
    /// for expired or for one of the future, and its line stands where the holder thinks.
    fn lives(
        &self,
        request: &Request,
        (behind, ahead): (i64, i64),
        arrived: Stamp,
        now: Stamp,
    ) -> bool {
        let facts = &request.facts;
        let killed = self
            .ends
            .iter()
            .any(|end| end.cut_off.kills(&facts.subject()));
        // A restore takes lines back, and a guard may still hand out what a line had earned before.
        let needs_its_line = facts.shape == Shape::Session || request.renewable;
        let rolled_back = self
            .restored_at
            .is_some_and(|at| at >= facts.since || (needs_its_line && facts.rev < self.epoch));
        let key = (facts.sid, facts.client_id.clone());
        let moved = self.moved.get(&key).is_some_and(|at| *at >= facts.since);
        let true_now = calendar(now.at).as_millis();
        let true_then = calendar(arrived.at).as_millis();
        let in_its_time = match facts.times {
            Some((iat, exp)) => {
                // Ten seconds beside the end: a request may have waited. At its beginning it did not help to wait.
                iat * 1_000 <= true_then + behind && true_now + ahead + 10_000 < exp * 1_000
            }
            None => ahead - behind < 3_600_000,
        };
        let may_be_over = killed || rolled_back || (moved && needs_its_line);
        in_its_time && !may_be_over
    }
}

fn kills(end: &End, facts: &Facts) -> bool {
    let forgotten = end
        .forgotten_before
        .is_some_and(|position| facts.rev < position);
    !forgotten && end.cut_off.kills(&facts.subject())
}
