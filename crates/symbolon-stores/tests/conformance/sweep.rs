//! Expired rows leave, and only those.

use symbolon_authority::ports::{Purpose, Tail, Take};
use symbolon_login::{Position, Scope};

use crate::fixture::*;

/// Login 1 ended at 1 s with grants 1 and 11, login 2 lives with grants 2 and (ended at 2 s) 12,
/// and has a once-value until 3 s. The log has two entries.
async fn a_past(store: &Shared) {
    add_person(store, 1).await;
    for n in 1..=2 {
        open(store, 1, n, "app").await;
        join(store, n, n + 10, "other").await;
    }
    store
        .end(Scope::Login { sid: sid(1) }, at(SECOND))
        .await
        .unwrap();
    let scope = Scope::Grant {
        sid: sid(2),
        client_id: client("other"),
    };
    store.end(scope, at(2 * SECOND)).await.unwrap();
    let value = "x".to_owned();
    let kept = store.put(Purpose::SetUpLink, digest("a"), value, at(3 * SECOND));
    kept.await.unwrap();
}

async fn left(store: &Shared) -> Vec<u8> {
    let mut left = Vec::new();
    for n in [1, 2, 11, 12] {
        if store.find(grant_id(n)).await.unwrap().is_some() {
            left.push(n);
        }
    }
    left
}

pub(crate) async fn what_is_over_leaves(store: Shared) {
    a_past(&store).await;
    // Login 1 with two grants, and the log's first entry. A store may keep a login's first grant in its row.
    let gone = store.sweep(at(SECOND + 1), 100).await.unwrap();
    assert!((3..=4).contains(&gone), "{gone}");
    assert_eq!(left(&store).await, [2, 12]);
    assert!(store.login(sid(1)).await.unwrap().is_none());
    // The grant that ended alone; the newest entry of the log stays.
    assert_eq!(store.sweep(at(2 * SECOND + 1), 100).await.unwrap(), 1);
    assert_eq!(left(&store).await, [2]);
    assert_eq!(store.sweep(at(3 * SECOND + 1), 100).await.unwrap(), 1);
    let taken = store.take(Purpose::SetUpLink, digest("a"), NOW).await;
    assert_eq!(taken.unwrap(), Take::Unknown);
    // The rest expires.
    assert_eq!(store.sweep(at(30 * DAY), 100).await.unwrap(), 0);
    let gone = store.sweep(at(30 * DAY + 1), 100).await.unwrap();
    assert!((1..=2).contains(&gone), "{gone}");
    assert!(store.login(sid(2)).await.unwrap().is_none());
    assert!(store.user(user_id(1)).await.unwrap().is_some());
}

pub(crate) async fn a_first_grant_leaves_without_its_login(store: Shared) {
    add_person(&store, 1).await;
    open(&store, 1, 1, "app").await;
    join(&store, 1, 2, "other").await;
    let scope = Scope::Grant {
        sid: sid(1),
        client_id: client("app"),
    };
    store.end(scope, at(SECOND)).await.unwrap();
    // Entries of the log but the newest leave too: there is none.
    assert_eq!(store.sweep(at(SECOND), 100).await.unwrap(), 0);
    assert_eq!(store.sweep(at(SECOND + 1), 100).await.unwrap(), 1);
    assert_eq!(left(&store).await, [2]);
    let found = store.login(sid(1)).await.unwrap().unwrap();
    assert_eq!((found.login, found.grants.len()), (login(1, 1), 1));
    // Its id is free, and what it was is forgotten.
    let joined = join(&store, 1, 1, "third").await.grant;
    assert_same(&find(&store, 1).await.grant, &joined);
    assert_eq!((joined.client_id, joined.ended_at), (client("third"), None));
}

pub(crate) async fn what_may_be_needed_stays(store: Shared) {
    a_past(&store).await;
    assert_eq!(store.sweep(at(SECOND), 100).await.unwrap(), 0);
    assert_eq!(store.sweep(at(DAY), 0).await.unwrap(), 0);
    assert_eq!(left(&store).await, [1, 2, 11, 12]);
    assert_eq!(entries(&store, Position::START, 10).await.len(), 2);
}

pub(crate) async fn a_sweep_is_bounded(store: Shared) {
    a_past(&store).await;
    let mut steps = Vec::new();
    loop {
        let gone = store.sweep(at(30 * DAY + 1), 2).await.unwrap();
        if gone == 0 {
            break;
        }
        steps.push(gone);
        // A grant that is found has its login.
        for n in left(&store).await {
            let login = find(&store, n).await.login.sid;
            assert!(store.login(login).await.unwrap().is_some());
        }
    }
    // 4 grants, two of them maybe in their logins' rows, 2 logins, 1 entry, 1 once-value.
    let (last, full) = steps.split_last().unwrap();
    assert!(
        full.iter().all(|step| *step == 2) && *last <= 2,
        "{steps:?}"
    );
    assert!((6..=8).contains(&steps.iter().sum::<u64>()), "{steps:?}");
}

pub(crate) async fn the_head_survives_a_sweep(store: Shared) {
    a_past(&store).await;
    let head = Position::new(1, 2);
    store.sweep(at(DAY), 100).await.unwrap();
    assert_eq!(store.head().await.unwrap(), head);
    assert_eq!(store.tail(Position::START, 10).await.unwrap(), Tail::Reset);
    assert_eq!(entries(&store, Position::new(1, 1), 10).await.len(), 1);
    assert!(entries(&store, head, 10).await.is_empty());
    let next = store.end(Scope::Everything {}, NOW).await.unwrap();
    assert_eq!(next.position, head.next());
    // A clock that was set back tears no gap: only the front leaves.
    store.end(Scope::Everything {}, at(9 * DAY)).await.unwrap();
    store.end(Scope::Everything {}, NOW).await.unwrap();
    store.end(Scope::Everything {}, NOW).await.unwrap();
    store.sweep(at(8 * DAY), 100).await.unwrap();
    let kept = entries(&store, Position::new(1, 3), 10).await;
    assert_eq!(kept.len(), 3);
}
