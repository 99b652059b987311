//! The load that the price is computed for: what is known, and what was assumed in its place.

use serde::Serialize;

use super::{
    amount::{Amount, human},
    figures as f,
};
use crate::{
    dials::Freshness,
    facts::{Fact, Facts},
    verdict::Verdict,
    words::Text,
};

/// A tenth of the people are active at the busiest moment, as `docs/scale.md` reckons.
const ACTIVE: f64 = 0.1;

/// Somebody who is active makes a request every ten seconds.
const REQUESTS_EACH: f64 = 0.1;

/// An app process takes this many requests a second: a tenth of what a server that does nothing takes.
const REQUESTS_PER_GUARD: f64 = 10_000.0;

/// With nothing known, a town.
const PEOPLE: f64 = 10_000.0;

/// The load, in plain numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Load {
    /// Requests a second, at the busiest moment.
    pub requests_per_second: f64,
    /// People, or programs, with an account.
    pub people: f64,
    /// Devices of each.
    pub devices_per_person: f64,
    /// Live logins: one for each device.
    pub logins: f64,
    /// Those in use at the busiest moment.
    pub logins_in_use: f64,
    /// Services that check who is calling.
    pub services: f64,
    /// Guard processes: one for each 10,000 requests a second, one at least for each service.
    pub guards: f64,
    /// Logins ended a day; as many are begun.
    pub sign_outs_per_day: f64,
    /// Seconds that an access token lasts, and a verdict about a session.
    pub token_seconds: f64,
    /// Whether one service could share a secret with the authority, as the article's examples do.
    pub shared_secret: bool,
    /// Whether those who check cannot hear of ends at all.
    pub unheard: bool,
    /// What was assumed because it is not known.
    #[serde(skip)]
    pub assumed: Vec<Assumption>,
}

/// A number that nobody gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Assumption {
    /// The fact in whose place it stands.
    pub fact: Fact,
    /// The number.
    pub value: f64,
    /// Where it is from.
    pub text: Text,
}

impl Load {
    /// The load of an application.
    pub fn of(facts: &Facts, verdict: &Verdict) -> Self {
        let mut assumed = Vec::new();
        let mut known_or = |fact: Fact, value: f64, en, ko| {
            #[expect(
                clippy::cast_precision_loss,
                reason = "estimates: the sixteenth digit of a load is nobody's concern"
            )]
            let known = facts.number(fact).map(|number| number as f64);
            known.unwrap_or_else(|| {
                assumed.push(Assumption {
                    fact,
                    value,
                    text: Text { en, ko },
                });
                value
            })
        };
        let devices_per_person = known_or(
            Fact::DevicesPerPerson,
            1.0,
            "one device each",
            "한 사람에 기기 하나",
        );
        let by_load = facts.number(Fact::RequestsPerSecond);
        #[expect(clippy::cast_precision_loss, reason = "estimates")]
        let people_by_load = by_load.map_or(PEOPLE, |r| {
            (r as f64 / (ACTIVE * REQUESTS_EACH * devices_per_person)).max(1.0)
        });
        let (en, ko) = if by_load.is_some() {
            (
                "a hundred devices for each request a second",
                "초당 요청 하나에 기기 백 대",
            )
        } else {
            ("a town", "작은 도시 하나")
        };
        let people = known_or(Fact::People, people_by_load, en, ko);
        let logins = people * devices_per_person;
        let logins_in_use = (logins * ACTIVE).max(1.0);
        let requests_per_second = known_or(
            Fact::RequestsPerSecond,
            logins_in_use * REQUESTS_EACH,
            "a tenth of the devices in use, a request every ten seconds each",
            "기기의 10분의 1이 동시에 쓰고, 저마다 10초에 한 번 요청",
        );
        let services = known_or(Fact::Services, 1.0, "one service", "서비스 하나");
        let sign_outs_per_day = known_or(
            Fact::SignOutsPerDay,
            people,
            "one for each person and day",
            "한 사람이 하루에 한 번",
        );
        #[expect(clippy::cast_precision_loss, reason = "seconds of days")]
        let token_seconds = verdict.token_seconds as f64;
        let elsewhere = facts.is(Fact::Offline, "yes") || facts.is(Fact::ThirdParty, "yes");
        Self {
            requests_per_second,
            people,
            devices_per_person,
            logins,
            logins_in_use,
            services,
            guards: (requests_per_second / REQUESTS_PER_GUARD)
                .ceil()
                .max(services),
            sign_outs_per_day,
            token_seconds,
            shared_secret: services <= 1.0 && !elsewhere,
            unheard: elsewhere && verdict.freshness == Freshness::UntilExpiry,
            assumed,
        }
    }

    /// Requests a second whose credential their guard has not seen: the first of each login at each guard
    /// in a token's life, where a balancer spreads requests at random, or those that did not fit into memory. A balancer that keeps a
    /// login at one guard saves most of them.
    pub(super) fn misses(&self) -> Amount {
        let (requests, logins) = (self.requests_per_second, self.logins_in_use);
        let pairs = logins * self.guards;
        // Of n requests thrown at random into p pairs, p * (1 - e^(-n/p)) pairs are hit.
        let hit_share = -(-requests * self.token_seconds / pairs).exp_m1();
        let first = pairs / self.token_seconds * hit_share;
        let at_one_guard = logins * hit_share;
        let fits = (f::KEPT_MOST.value / at_one_guard).min(1.0);
        let forgotten = requests * (1.0 - fits);
        let (value, formula) = if first >= forgotten {
            let formula = format!(
                "logins in use [{}] * guards [{}] / token life [{}] * share of pairs hit [{}]",
                human(logins),
                human(self.guards),
                human(self.token_seconds),
                human(hit_share)
            );
            (first, formula)
        } else {
            let formula = format!(
                "requests/s [{}] * (1 - kept_verdicts / logins at a guard [{}])",
                human(requests),
                human(at_one_guard)
            );
            (forgotten, formula)
        };
        Amount {
            value: value.min(requests),
            unit: "a second",
            formula,
        }
    }
}
