//! A cell of its own on a server that `tests/servers/run` started, beside users, apps and keys in memory.

use std::{
    env, process,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use symbolon_stores::{Bridged, Durability, Memory, Redis};

use crate::fixture::{NOW, Shared};

static CELLS: AtomicU32 = AtomicU32::new(0);

pub(crate) async fn cell(variable: &str) -> (Shared, ()) {
    let Ok(url) = env::var(variable) else {
        panic!("{variable} is not set: run tests/servers/run cargo nextest run -p symbolon-stores");
    };
    let (process, number) = (process::id(), CELLS.fetch_add(1, Ordering::Relaxed));
    let url = format!("{url}?cell=conformance-{process}-{number}");
    let redis = Redis::connect(&url, Durability::Disk).await.unwrap();
    let store = Bridged::new(Memory::new(), redis, NOW).await.unwrap();
    (Arc::new(store), ())
}
