//! The log: head, tail, snapshot, wake.

use symbolon_authority::ports::{LogSnapshot, Tail, Terms};
use symbolon_login::{Change, Position, Scope};

use crate::fixture::*;

async fn append(store: &Shared, n: u8, now: i64) -> Position {
    let scope = Scope::Login { sid: sid(n) };
    store.end(scope, at(now)).await.unwrap().position
}

pub(crate) async fn the_log_starts_empty(store: Shared) {
    assert_eq!(store.head().await.unwrap(), Position::START);
    let nothing = Tail::Entries(Vec::new());
    assert_eq!(store.tail(Position::START, 10).await.unwrap(), nothing);
    let snapshot = store.snapshot(at(-DAY)).await.unwrap();
    assert!(snapshot.cut_offs.is_empty() && snapshot.apps.is_empty());
    assert_eq!(snapshot.head, Position::START);
    assert_eq!(snapshot.complete_since, Position::START);
    assert_eq!(*store.wake().borrow(), Position::START);
}

pub(crate) async fn positions_are_dense(store: Shared) {
    add_person(&store, 1).await;
    open(&store, 1, 1, "app").await;
    append(&store, 1, 0).await;
    // What appends nothing takes no number, what fails neither.
    assert!(
        store
            .open(login(1, 1), grant(2, "app"), Terms::default(), NOW)
            .await
            .is_err()
    );
    advance(&store, 1, 0, NOW).await;
    store.end_own(user_id(1), sid(1), NOW).await.unwrap();
    store.add_app(app("app"), NOW).await.unwrap();
    store.add_app(app("app"), NOW).await.unwrap();
    append(&store, 2, 0).await;
    let log = entries(&store, Position::START, 10).await;
    let numbers: Vec<_> = log.iter().map(|entry| entry.position.number()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert!(matches!(log[1].change, Change::App { .. }));
    assert_eq!(store.head().await.unwrap(), Position::new(1, 3));
}

pub(crate) async fn a_tail_comes_in_stretches(store: Shared) {
    for n in 0..7 {
        append(&store, n, 0).await;
    }
    let mut after = Position::START;
    let mut stretches = Vec::new();
    loop {
        let stretch = entries(&store, after, 3).await;
        let Some(last) = stretch.last() else { break };
        after = last.position;
        stretches.push(stretch.len());
    }
    assert_eq!((stretches, after), (vec![3, 3, 1], Position::new(1, 7)));
    assert!(entries(&store, Position::START, 0).await.is_empty());
}

pub(crate) async fn a_strange_position_resets(store: Shared) {
    append(&store, 1, 0).await;
    for strange in [
        Position::new(1, 2),
        Position::new(0, 1),
        Position::new(2, 0),
        Position::new(1, u64::MAX),
    ] {
        assert_eq!(
            store.tail(strange, 10).await.unwrap(),
            Tail::Reset,
            "{strange}"
        );
    }
}

pub(crate) async fn a_snapshot_holds_what_can_still_kill(store: Shared) {
    append(&store, 1, 0).await;
    append(&store, 2, 1000).await;
    store.add_app(app("b"), at(1500)).await.unwrap();
    store.add_app(app("a"), at(0)).await.unwrap();
    append(&store, 3, 2000).await;
    let snapshot = store.snapshot(at(1000)).await.unwrap();
    assert_eq!(snapshot.head, Position::new(1, 5));
    assert_eq!(numbers(&snapshot), [2, 5]);
    assert_eq!(snapshot.cut_offs[1].scope, Scope::Login { sid: sid(3) });
    assert_eq!(snapshot.apps, [app("a").settings, app("b").settings]);
    assert_eq!(snapshot.complete_since, Position::new(1, 1));
}

fn numbers(snapshot: &LogSnapshot) -> Vec<u64> {
    let cut_offs = snapshot.cut_offs.iter();
    cut_offs.map(|one| one.position.number()).collect()
}

/// The times of entries are those of several machines, and need not grow.
pub(crate) async fn a_snapshot_says_from_where_on_it_is_complete(store: Shared) {
    let complete_since = async |kept_since| {
        let snapshot = store.snapshot(at(kept_since)).await.unwrap();
        (numbers(&snapshot), snapshot.complete_since.number())
    };
    for (n, now) in [(1, 9_000), (2, 1_000), (3, 7_000), (4, 2_000), (5, 8_000)] {
        append(&store, n, now).await;
    }
    assert_eq!(complete_since(0).await, (vec![1, 2, 3, 4, 5], 0));
    assert_eq!(complete_since(1_500).await, (vec![1, 3, 4, 5], 2));
    assert_eq!(complete_since(5_000).await, (vec![1, 3, 5], 4));
    assert_eq!(complete_since(8_500).await, (vec![1], 5));
    // What is no cut-off is never missing.
    store.add_app(app("a"), at(0)).await.unwrap();
    assert_eq!(complete_since(5_000).await, (vec![1, 3, 5], 4));
    // The first entry is young: nothing leaves. Then the two at the front do.
    store.sweep(at(8_500), 100).await.unwrap();
    assert_eq!(complete_since(0).await, (vec![1, 2, 3, 4, 5], 0));
    store.sweep(at(9_500), 2).await.unwrap();
    assert_eq!(complete_since(0).await, (vec![3, 4, 5], 2));
    assert_eq!(complete_since(1_500).await, (vec![3, 4, 5], 2));
    store.sweep(at(9_500), 100).await.unwrap();
    assert_eq!(complete_since(0).await, (vec![], 5));
    append(&store, 6, 500).await;
    assert_eq!(complete_since(0).await, (vec![7], 5));
    assert_eq!(complete_since(1_000).await, (vec![], 7));
}

pub(crate) async fn the_wake_follows_the_head(store: Shared) {
    let mut wake = store.wake();
    append(&store, 1, 0).await;
    assert!(wake.has_changed().unwrap());
    assert_eq!(*wake.borrow_and_update(), Position::new(1, 1));
    // What appends nothing wakes nobody.
    add_person(&store, 1).await;
    open(&store, 1, 1, "app").await;
    assert!(!wake.has_changed().unwrap());
    append(&store, 2, 0).await;
    wake.changed().await.unwrap();
    assert_eq!(*wake.borrow(), Position::new(1, 2));
}
