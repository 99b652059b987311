//! Counters and their windows.

use std::time::Duration;

use symbolon_authority::ports::Counted;
use tokio::task::JoinSet;

use crate::fixture::*;

const WINDOW: Duration = Duration::from_secs(1);

async fn count(store: &Shared, key: &str, millis: i64) -> Counted {
    let counted = store.count(digest(key), WINDOW, at(millis));
    counted.await.unwrap()
}

async fn counted(store: &Shared, key: &str, millis: i64) -> Option<Counted> {
    store.counted(digest(key), at(millis)).await.unwrap()
}

const fn window(events: u32, until: i64) -> Counted {
    Counted {
        events,
        until: at(until),
    }
}

pub(crate) async fn a_window_ends_at_the_edge(store: Shared) {
    assert_eq!(counted(&store, "a", 0).await, None);
    assert_eq!(count(&store, "a", 0).await, window(1, 1000));
    assert_eq!(counted(&store, "a", 0).await, Some(window(1, 1000)));
    // What follows does not prolong it.
    assert_eq!(count(&store, "a", 999).await, window(2, 1000));
    assert_eq!(counted(&store, "a", 999).await, Some(window(2, 1000)));
    assert_eq!(counted(&store, "a", 1000).await, None);
    assert_eq!(count(&store, "a", 1000).await, window(1, 2000));
    assert_eq!(counted(&store, "a", 1999).await, Some(window(1, 2000)));
    assert_eq!(counted(&store, "a", 2000).await, None);
}

pub(crate) async fn keys_are_counted_apart(store: Shared) {
    count(&store, "a", 0).await;
    count(&store, "a", 0).await;
    assert_eq!(count(&store, "b", 500).await, window(1, 1500));
    assert_eq!(counted(&store, "a", 999).await, Some(window(2, 1000)));
    assert_eq!(counted(&store, "b", 1499).await, Some(window(1, 1500)));
}

pub(crate) async fn what_is_forgotten_begins_anew(store: Shared) {
    count(&store, "a", 0).await;
    count(&store, "b", 0).await;
    store.forget(digest("a")).await.unwrap();
    store.forget(digest("never counted")).await.unwrap();
    assert_eq!(counted(&store, "a", 1).await, None);
    assert_eq!(counted(&store, "b", 1).await, Some(window(1, 1000)));
    assert_eq!(count(&store, "a", 500).await, window(1, 1500));
}

pub(crate) async fn fifty_at_once_are_fifty(store: Shared) {
    let mut counting = JoinSet::new();
    for _ in 0..50 {
        let store = store.clone();
        counting.spawn(async move { count(&store, "a", 0).await.events });
    }
    let mut seen = counting.join_all().await;
    seen.sort_unstable();
    assert_eq!(seen, (1..=50).collect::<Vec<_>>());
    assert_eq!(counted(&store, "a", 0).await, Some(window(50, 1000)));
}

pub(crate) async fn a_sweep_leaves_open_windows(store: Shared) {
    count(&store, "a", 0).await;
    store.sweep(at(1000), 100).await.unwrap();
    assert_eq!(counted(&store, "a", 999).await, Some(window(1, 1000)));
    store.sweep(at(1001), 100).await.unwrap();
    assert_eq!(count(&store, "a", 1001).await, window(1, 2001));
}
