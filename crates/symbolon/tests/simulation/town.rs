//! Everything of one seed: time, disk, nodes, network, apps, and who is signed in.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex},
};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use symbolon_guard::Fault;
use symbolon_server::{
    authority::{
        App, PasswordHash, User,
        ports::{AddUser, Directory},
    },
    login::{AppSettings, ClientId, Freshness, Lifetimes, LoginPolicy, Shape, UnixMillis, UserId},
};

use crate::{
    apps::AppNode,
    cell::Node,
    chance::{Chance, Dice},
    credentials::Held,
    disk::{Disk, Way},
    history::History,
    network::Network,
    world::{Machine, Time},
};

/// The apps, and in which shape each begins.
pub(crate) const APPS: [(&str, Shape); 2] = [("shop", Shape::Session), ("mail", Shape::Jwt)];
/// Who may sign in.
pub(crate) const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];
/// Everybody's.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A rule broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// In every guard.
    Guard(Fault),
    /// In every node: it answers for the head with the one that it read first.
    NodeRemembersItsHead,
}

/// The world of one seed. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Town(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) time: Arc<Time>,
    pub(crate) history: History,
    pub(crate) disk: Arc<Disk>,
    pub(crate) network: Arc<Network>,
    pub(crate) guards: Vec<Arc<AppNode>>,
    /// The weather's and the first cause of everybody else's.
    pub(crate) chance: Chance,
    /// Every credential that was ever got, by its number.
    pub(crate) held: Mutex<BTreeMap<u64, Held>>,
    pub(crate) disabled: Mutex<HashSet<usize>>,
}

impl std::ops::Deref for Town {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Town {
    /// Nodes are up, guards have just started.
    pub(crate) async fn build(seed: u64, broken: Option<Broken>) -> Self {
        let (time, chance) = (Time::begin(), Chance::new(seed));
        let history = History::new(&time);
        let dice = Dice {
            seed,
            time: Arc::clone(&time),
        };
        let disk = Disk::new(&history);
        settle(&disk).await;
        let forgets = broken == Some(Broken::NodeRemembersItsHead);
        let node_count = chance.index(2) + 1;
        let nodes: Vec<_> = (0..node_count)
            .map(|name| {
                let machine = Machine::new(format!("node {name}"), &dice, chance.split());
                let way = Way::new(name > 0 && chance.happens(500), forgets);
                Node::new(name, machine, way, &disk, &history, &dice)
            })
            .collect();
        for node in &nodes {
            node.start().await;
        }
        let network = Network::new(nodes, &dice);
        let fault = match broken {
            Some(Broken::Guard(fault)) => Some(fault),
            _ => None,
        };
        let guard_count = chance.index(2) + 2;
        let guards: Vec<_> = (0..guard_count)
            .map(|name| {
                let machine = Machine::new(format!("guard {name}"), &dice, chance.split());
                let (client_id, _) = APPS[name % APPS.len()];
                AppNode::new(name, client_id, machine, &network, &history, fault)
            })
            .collect();
        for guard in &guards {
            guard.start();
        }
        Self(Arc::new(Inner {
            time,
            history,
            disk,
            network,
            guards,
            chance: chance.split(),
            held: Mutex::default(),
            disabled: Mutex::default(),
        }))
    }

    /// How far any wall clock was ever behind and ahead of the true time, in milliseconds.
    pub(crate) fn skew(&self) -> (i64, i64) {
        let nodes = self.network.nodes().iter().map(|node| node.machine.range());
        let guards = self.guards.iter().map(|guard| guard.machine.range());
        nodes
            .chain(guards)
            .fold((0, 0), |all, one| (all.0.min(one.0), all.1.max(one.1)))
    }
}

/// The id of a person.
pub(crate) fn user_id(person: usize) -> UserId {
    let byte = u8::try_from(person).unwrap();
    UserId::mint(UnixMillis::from_secs(1_700_000_000), [byte; 10])
}

async fn settle(disk: &Disk) {
    let memory = disk.memory();
    let now = UnixMillis::from_secs(1_790_000_000);
    for (person, name) in PEOPLE.iter().enumerate() {
        let user = User {
            id: user_id(person),
            identifier: name.parse().unwrap(),
            roles: Vec::new(),
            policy: LoginPolicy::default(),
            created_at: now,
            disabled_at: None,
        };
        let hash = hash();
        assert_eq!(memory.add_user(user, hash).await.unwrap(), AddUser::Added);
    }
    for (name, shape) in APPS {
        let client_id: ClientId = name.parse().unwrap();
        let app = App {
            settings: AppSettings {
                client_id,
                shape,
                freshness: Freshness::DEFAULT,
                lifetimes: Lifetimes::default(),
            },
            name: name.to_owned(),
            limit: None,
            redirect_uris: Vec::new(),
            secret: None,
            first_party: true,
            created_at: now,
        };
        memory.add_app(app, now).await.unwrap();
    }
}

/// Everybody's password at the lowest cost: the cost is not what is simulated.
fn hash() -> PasswordHash {
    let (salt, mut output) = (b"simulation's own", [0; 32]);
    let params = Params::new(8, 1, 1, None).unwrap();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(PASSWORD.as_bytes(), salt, &mut output)
        .unwrap();
    let (salt, output) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(output));
    PasswordHash::from_phc(format!("$argon2id$v=19$m=8,t=1,p=1${salt}${output}"))
}
