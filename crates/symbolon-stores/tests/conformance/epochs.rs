//! A backup and what follows its restore: positions never go back.

use symbolon_authority::ports::{Advance, Tail};
use symbolon_login::{Change, CutOff, Position, Scope};

use crate::fixture::*;

pub(crate) async fn what_is_issued_after_a_backup_is_younger_than_its_mark(store: Shared) {
    add_person(&store, 1).await;
    let before = open(&store, 1, 1, "app").await;
    let mark = store.mark_backup(NOW).await.unwrap();
    let after = open(&store, 1, 2, "app").await;
    assert!(before.grant.rev < mark && mark <= after.grant.rev);
    let log = entries(&store, Position::START, 10).await;
    assert_eq!(
        (log[0].position, &log[0].change),
        (mark, &Change::BackedUp {})
    );
    assert!(lives(&store, 1).await);
}

pub(crate) async fn a_new_epoch_kills_what_the_backup_does_not_know(store: Shared) {
    add_person(&store, 1).await;
    open(&store, 1, 1, "app").await;
    let from = store.mark_backup(NOW).await.unwrap();
    // Issued at the very position at which the restored log ends: before or after the backup?
    open(&store, 1, 2, "app").await;
    let ended = store.begin_epoch(at(9)).await.unwrap();
    assert_eq!(
        (ended.position, ended.count),
        (from.next_epoch(at(9)).next(), 1)
    );
    assert!(ended.position > from);
    assert_eq!(store.head().await.unwrap(), ended.position);
    assert_eq!(*store.wake().borrow(), ended.position);
    assert!(lives(&store, 1).await);
    assert_eq!(find(&store, 2).await.grant.ended_at, Some(at(9)));
    let advanced = advance(&store, 2, 0, at(10)).await;
    assert!(matches!(advanced, Advance::Ended));
    // Who followed the old log begins anew, and learns what is dead.
    assert_eq!(store.tail(from, 10).await.unwrap(), Tail::Reset);
    let snapshot = store.snapshot(at(-DAY)).await.unwrap();
    let expected = CutOff {
        position: ended.position,
        scope: Scope::Restored { from },
    };
    assert_eq!(
        (snapshot.head, snapshot.cut_offs),
        (ended.position, vec![expected])
    );
    // The new epoch's first entry follows the last one of what was restored.
    assert_eq!(snapshot.complete_since, Position::START);
    let later = store.snapshot(at(10)).await.unwrap();
    assert_eq!(later.complete_since, ended.position);
    let start = from.next_epoch(at(9));
    assert_eq!(entries(&store, start, 10).await.len(), 1);
    // Life goes on in the new epoch.
    let opened = open(&store, 1, 3, "app").await;
    assert_eq!(opened.grant.rev, ended.position);
    let next = store.end(Scope::Everything {}, NOW).await.unwrap();
    assert_eq!(next.position, ended.position.next());
    assert_eq!(next.count, 3);
}

pub(crate) async fn a_second_restore_outranks_the_first(store: Shared) {
    let first = store.begin_epoch(NOW).await.unwrap();
    let second = store.begin_epoch(NOW).await.unwrap();
    assert!(second.position > first.position);
    assert_eq!(second.position.number(), 1);
}
