//! One seed from its beginning to its end.

use std::time::Duration;

use std::sync::{Mutex, PoisonError};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    actions::Actor,
    apps::ROUTES,
    checker::{Demands, Tally, Violation, check},
    history::{Event, Stamp, lines},
    town::{Broken, Town},
    weather::{Climate, Clocks, blow, clear},
};

/// How long the weather blows.
const STORM: Duration = Duration::from_secs(30);
/// How long everything may take to be well again: longer than any connection takes to be given up.
const CALM: Duration = Duration::from_secs(20);

/// What one seed came to.
pub(crate) struct Outcome {
    pub(crate) seed: u64,
    pub(crate) events: Vec<(Stamp, Event)>,
    pub(crate) verdict: Result<Tally, Violation>,
}

/// Runs one seed, with a rule broken if one is named.
pub(crate) fn run(seed: u64, broken: Option<Broken>) -> Outcome {
    // Two at once in one process keep each other from going on.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let climate = Climate::of(seed);
    let events = runtime.block_on(live(seed, climate, broken));
    let demands = Demands {
        short_outages: climate.only_restarts,
        // A clock that was hours ahead has ended what it was to end.
        recovers: climate.clocks == Clocks::Kept,
    };
    let verdict = check(&events, demands);
    Outcome {
        seed,
        events,
        verdict,
    }
}

async fn live(seed: u64, climate: Climate, broken: Option<Broken>) -> Vec<(Stamp, Event)> {
    let town = Town::build(seed, broken).await;
    let weather = tokio::spawn(blow(town.clone(), climate));
    let mut people = JoinSet::new();
    let (started, pace) = (Instant::now(), town.chance.split());
    let mut number = 0;
    while started.elapsed() < STORM {
        sleep(pace.millis(5, 250)).await;
        number += 1;
        let actor = Actor::new(&town, number, pace.split());
        people.spawn(async move { actor.act().await });
    }
    weather.abort();
    let _ = weather.await;
    clear(&town).await;
    sleep(CALM).await;
    while let Some(done) = people.join_next().await {
        done.unwrap();
    }
    town.history.note(Event::Calm);
    // Everything that was ever held is shown once more, everywhere.
    let held = town.held.lock().unwrap().clone();
    let last = Actor::new(&town, number + 1, pace.split());
    for (at, held) in held.into_values().enumerate() {
        last.visit(held, at % ROUTES.len()).await;
    }
    town.history.events()
}

impl Outcome {
    /// What to tell whoever has to find out why.
    pub(crate) fn explained(&self, violation: &Violation) -> String {
        let Violation {
            rule,
            detail,
            order,
        } = violation;
        let all = lines(&self.events);
        let from = order.saturating_sub(150);
        format!(
            "seed {} breaks the rule {rule:?}: {detail}\n\
             what happened before:\n{}\n\
             again: SYMBOLON_SIM_SEED={} cargo nextest run -p symbolon --test simulation seeds",
            self.seed,
            all[from..=*order].join("\n"),
            self.seed,
        )
    }
}
