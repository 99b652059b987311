//! What befalls machines and networks: its kind is a matter of the seed, its moments of chance.

use std::{sync::Arc, time::Duration};

use symbolon_stores::Memory;
use tokio::time::sleep;

use crate::{
    network::{Link, Party},
    town::Town,
};

/// How the clocks of the machines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clocks {
    /// Within two seconds of the true time, as NTP keeps them.
    Kept,
    /// They jump by hours, both ways.
    Wild,
}

/// What may happen in one seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Climate {
    /// Only nodes that restart or fail over, each time for less than the bound.
    pub(crate) only_restarts: bool,
    pub(crate) clocks: Clocks,
    pub(crate) restores: bool,
    pub(crate) leaps: bool,
}

impl Climate {
    pub(crate) fn of(seed: u64) -> Self {
        let kind = seed % 8;
        Self {
            only_restarts: matches!(kind, 0 | 4),
            clocks: if matches!(kind, 2 | 6) {
                Clocks::Wild
            } else {
                Clocks::Kept
            },
            restores: matches!(kind, 1 | 5 | 6),
            leaps: matches!(kind, 3 | 6),
        }
    }
}

/// Lets the weather happen; does not end by itself.
pub(crate) async fn blow(town: Town, climate: Climate) {
    if climate.only_restarts {
        return restarts(&town).await;
    }
    let mut backup: Option<Arc<Memory>> = None;
    loop {
        sleep(town.chance.millis(200, 2_500)).await;
        match town.chance.below(22) {
            0..3 => restart_node(&town, town.chance.millis(100, 12_000)).await,
            3..9 => spoil_link(&town),
            9..12 => streams(&town),
            12..14 => disk(&town),
            14..16 => clocks(&town, climate.clocks),
            16..17 => restart_guard(&town),
            17..19 if climate.restores => match backup.take() {
                None => backup = Some(back_up(&town).await),
                Some(copy) => {
                    restore(&town, &copy).await;
                    // The same backup may be needed again.
                    backup = town.chance.happens(300).then_some(copy);
                }
            },
            19..20 if climate.leaps => {
                let span = town.chance.millis(1_000, 4_500_000);
                town.history.weather(format!("all sleep for {span:?}"));
                town.time.leap(span);
                for guard in &town.guards {
                    guard.machine.slept(span);
                }
            }
            // Where clocks are not kept, they jump more often.
            _ if climate.clocks == Clocks::Wild => clocks(&town, climate.clocks),
            _ => {}
        }
    }
}

/// One node after the other goes and comes back in less than half the bound.
async fn restarts(town: &Town) {
    loop {
        sleep(town.chance.millis(3_000, 8_000)).await;
        restart_node(town, town.chance.millis(50, 4_000)).await;
        // Until everybody is back: a second outage right after would be one longer one.
        sleep(Duration::from_secs(5)).await;
    }
}

async fn restart_node(town: &Town, down: Duration) {
    let nodes = town.network.nodes();
    let node = Arc::clone(&nodes[town.chance.index(nodes.len())]);
    node.crash(town.chance.happens(600));
    let town = town.clone();
    let back = async move {
        sleep(down).await;
        node.start().await;
        drop(town);
    };
    if nodes.len() == 1 {
        back.await;
    } else {
        tokio::spawn(back);
    }
}

fn some_link(town: &Town) -> (Party, usize) {
    let node = town.chance.index(town.network.nodes().len());
    let party = if town.chance.happens(100) {
        Party::Clients
    } else {
        Party::Guard(town.chance.index(town.guards.len()))
    };
    (party, node)
}

/// Another state of one link, or of all links of one guard.
fn spoil_link(town: &Town) {
    let (party, node) = some_link(town);
    let chance = &town.chance;
    let mut state = Link {
        delay: [5, 50, 400, 2_500][chance.index(4)],
        twice: [0, 0, 100][chance.index(3)],
        mangled: [0, 100, 300][chance.index(3)],
        ..Link::FINE
    };
    match chance.below(6) {
        0 => (state.there, state.back) = (false, false),
        1 => state.there = false,
        2 => state.back = false,
        _ => {}
    }
    let nodes = town.network.nodes().len();
    let wide = chance.happens(500);
    town.history
        .weather(format!("{party:?} to node {node} (all: {wide}): {state:?}"));
    for at in 0..nodes {
        if wide || at == node {
            town.network.change(party, at, |link| {
                *link = Link {
                    cuts: link.cuts,
                    ..state
                };
            });
        }
    }
}

/// Streams without leases, and leases without streams.
fn streams(town: &Town) {
    let (party, node) = some_link(town);
    let what = town.chance.below(4);
    town.history
        .weather(format!("{party:?} to node {node}: streams {what}"));
    town.network.change(party, node, |link| match what {
        0 => link.cuts += 1,
        1 => link.streams = false,
        2 => link.questions = false,
        _ => (link.streams, link.questions) = (true, true),
    });
}

fn disk(town: &Town) {
    let nodes = town.network.nodes();
    let node = &nodes[town.chance.index(nodes.len())];
    let slow = [0, 20, 300, 1_500][town.chance.index(4)];
    town.history
        .weather(format!("node {}: disk of {slow} ms", node.name));
    node.way.set_slow(Duration::from_millis(slow));
    if town.chance.happens(200) {
        let span = town.chance.millis(500, 8_000);
        town.history
            .weather(format!("node {}: disk stuck for {span:?}", node.name));
        node.way.stick(span);
    }
}

fn clocks(town: &Town, clocks: Clocks) {
    let nodes = town.network.nodes();
    let which = town.chance.index(nodes.len() + town.guards.len());
    let machine = nodes.get(which).map_or_else(
        || &town.guards[which - nodes.len()].machine,
        |node| &node.machine,
    );
    let most: i64 = match clocks {
        Clocks::Kept => 2_000,
        Clocks::Wild => [5_000, 120_000, 7_200_000][town.chance.index(3)],
    };
    let range = u64::try_from(2 * most).unwrap();
    let skew = i64::try_from(town.chance.between(0, range)).unwrap() - most;
    town.history
        .weather(format!("machine {which}: wall clock off by {skew} ms"));
    machine.set(skew);
    // A clock that is far off is often that of a machine that was away, and may be away again.
    let guard = which.checked_sub(nodes.len());
    if let Some(guard) = guard
        && clocks == Clocks::Wild
        && town.chance.happens(500)
    {
        town.history
            .weather(format!("guard {guard}: cut off from all"));
        for node in nodes {
            town.network.change(Party::Guard(guard), node.name, |link| {
                (link.there, link.back) = (false, false);
            });
        }
    }
}

fn restart_guard(town: &Town) {
    town.guards[town.chance.index(town.guards.len())].start();
}

/// A copy of what the disk holds, as the operator's tool makes one.
async fn back_up(town: &Town) -> Arc<Memory> {
    use symbolon_server::authority::ports::Logins;

    let memory = town.disk.memory();
    let now = town.network.nodes()[0].machine.calendar();
    let position = memory.mark_backup(now).await.unwrap();
    town.history.weather(format!("backed up at {position}"));
    Arc::new(memory.copied())
}

/// All nodes stop, the backup takes the place of what was there, all nodes start.
async fn restore(town: &Town, backup: &Memory) {
    let nodes = town.network.nodes();
    for node in nodes {
        node.crash(town.chance.happens(600));
    }
    sleep(town.chance.millis(0, 1_500)).await;
    // Whoever started one meanwhile has to stop it again.
    for node in nodes {
        node.crash(true);
    }
    let now = nodes[0].machine.calendar();
    town.disk.restore(backup, now).await;
    sleep(town.chance.millis(0, 1_500)).await;
    for node in nodes {
        node.start().await;
    }
}

/// Everything is well from now on.
pub(crate) async fn clear(town: &Town) {
    town.history.weather("the weather clears");
    for node in town.network.nodes() {
        node.way.heal();
        node.start().await;
        let guards = (0..town.guards.len()).map(Party::Guard);
        for party in guards.chain([Party::Clients]) {
            town.network.change(party, node.name, |link| {
                *link = Link {
                    cuts: link.cuts,
                    ..Link::FINE
                };
            });
        }
    }
}
