//! The one verb of refresh.

use symbolon_authority::ports::{Advance, Presented};
use symbolon_login::{Position, Scope};

use crate::fixture::*;

pub(crate) async fn the_current_secret_rotates(store: Shared) {
    add_person(&store, 1).await;
    open(&store, 1, 1, "app").await;
    for generation in 0..5 {
        let now = at(i64::from(generation) * DAY);
        let Advance::Rotated(found) = advance(&store, 1, generation, now).await else {
            panic!("{generation}")
        };
        assert_eq!(found.grant.line.generation, generation + 1);
        assert!(found.grant.line.digest.matches(&secret(1, generation + 1)));
        assert_eq!((found.grant.used_at, found.grant.line.moved_at), (now, now));
        assert_same(&find(&store, 1).await, &*found);
    }
    assert_eq!(store.head().await.unwrap(), Position::START);
}

pub(crate) async fn the_secret_before_replays_within_the_grace(store: Shared) {
    add_person(&store, 1).await;
    open(&store, 1, 1, "app").await;
    let Advance::Rotated(rotated) = advance(&store, 1, 0, NOW).await else {
        panic!()
    };
    for now in [0, 1, 9_999] {
        let Advance::Replayed(replayed) = advance(&store, 1, 0, at(now)).await else {
            panic!("{now}")
        };
        assert_same(&replayed, &rotated);
    }
    assert_same(&find(&store, 1).await, &*rotated);
}

pub(crate) async fn a_secret_from_before_the_grace_ends_the_login(store: Shared) {
    add_person(&store, 1).await;
    open(&store, 1, 1, "app").await;
    join(&store, 1, 2, "other").await;
    advance(&store, 1, 0, NOW).await;
    let Advance::Reused(found, done) = advance(&store, 1, 0, at(10_000)).await else {
        panic!()
    };
    assert_eq!(done, ended(1, 1));
    assert_eq!(found.login.ended_at, Some(at(10_000)));
    assert_eq!(find(&store, 2).await.login.ended_at, Some(at(10_000)));
    let log = entries(&store, Position::START, 10).await;
    assert_eq!(
        log[0].cut_off().unwrap().scope,
        Scope::Login { sid: sid(1) }
    );
    // The thief's and the owner's next ones alike.
    assert!(matches!(
        advance(&store, 1, 1, at(10_001)).await,
        Advance::Ended
    ));
    assert!(matches!(
        advance(&store, 1, 0, at(10_001)).await,
        Advance::Ended
    ));
    assert_eq!(store.head().await.unwrap(), Position::new(1, 1));
}

pub(crate) async fn an_old_generation_ends_the_login_at_once(store: Shared) {
    add_person(&store, 1).await;
    open(&store, 1, 1, "app").await;
    advance(&store, 1, 0, NOW).await;
    advance(&store, 1, 1, NOW).await;
    assert!(matches!(
        advance(&store, 1, 0, NOW).await,
        Advance::Reused(..)
    ));
    assert!(!lives(&store, 1).await);
}

pub(crate) async fn a_reuse_ends_the_login_of_an_idle_grant(store: Shared) {
    add_person(&store, 1).await;
    open(&store, 1, 1, "app").await;
    join(&store, 1, 2, "other").await;
    advance(&store, 1, 0, NOW).await;
    assert!(matches!(
        advance(&store, 1, 1, at(8 * DAY)).await,
        Advance::Ended
    ));
    assert!(lives(&store, 2).await);
    let Advance::Reused(_, done) = advance(&store, 1, 0, at(8 * DAY)).await else {
        panic!()
    };
    assert_eq!(done.count, 1);
    assert!(!lives(&store, 2).await);

    // The same for a grant that was ended alone.
    open(&store, 1, 3, "app").await;
    join(&store, 3, 4, "other").await;
    advance(&store, 3, 0, NOW).await;
    let scope = Scope::Grant {
        sid: sid(3),
        client_id: client("app"),
    };
    store.end(scope, NOW).await.unwrap();
    assert!(matches!(advance(&store, 3, 1, NOW).await, Advance::Ended));
    assert!(matches!(advance(&store, 3, 0, NOW).await, Advance::Ended));
    assert!(matches!(
        advance(&store, 3, 0, at(10_000)).await,
        Advance::Reused(..)
    ));
    assert!(!lives(&store, 4).await);
}

pub(crate) async fn what_is_over_earns_ended(store: Shared) {
    add_person(&store, 1).await;
    for n in 1..=2 {
        open(&store, 1, n, "app").await;
        advance(&store, n, 0, NOW).await;
    }
    store.end(Scope::Login { sid: sid(1) }, NOW).await.unwrap();
    let head = store.head().await.unwrap();
    for generation in 0..=2 {
        assert!(matches!(
            advance(&store, 1, generation, NOW).await,
            Advance::Ended
        ));
        let expired = advance(&store, 2, generation, at(30 * DAY)).await;
        assert!(matches!(expired, Advance::Ended));
    }
    // Nothing moved, and a reuse in a dead login is no news.
    assert_eq!(find(&store, 1).await.grant.line.generation, 1);
    assert_eq!(store.head().await.unwrap(), head);
}

pub(crate) async fn idleness_and_expiry_have_an_exact_edge(store: Shared) {
    add_person(&store, 1).await;
    open(&store, 1, 1, "app").await;
    let mut now = 0;
    for generation in 0..4 {
        let next = now + 7 * DAY;
        let idle = advance(&store, 1, generation, at(next)).await;
        assert!(matches!(idle, Advance::Ended), "{generation}");
        now = next - 1;
        let used = advance(&store, 1, generation, at(now)).await;
        assert!(matches!(used, Advance::Rotated(_)), "{generation}");
    }
    let expired = advance(&store, 1, 4, at(30 * DAY)).await;
    assert!(matches!(expired, Advance::Ended));
    let last = advance(&store, 1, 4, at(30 * DAY - 1)).await;
    assert!(matches!(last, Advance::Rotated(_)));
}

pub(crate) async fn what_the_line_never_issued_is_unknown(store: Shared) {
    add_person(&store, 1).await;
    let before = open(&store, 1, 1, "app").await;
    let unknown = [
        presented(9, 0),
        presented(1, 1),
        presented(1, u32::MAX - 1),
        Presented {
            digest: digest("made up"),
            ..presented(1, 0)
        },
    ];
    for presented in unknown {
        let advanced = advance_as(&store, "app", presented, NOW).await;
        assert!(matches!(advanced, Advance::Unknown));
    }
    // A secret that another app shows tells it nothing and ends nothing, reuse or not.
    advance(&store, 1, 0, NOW).await;
    for (generation, now) in [(0, NOW), (0, at(DAY)), (1, NOW)] {
        let stolen = advance_as(&store, "other", presented(1, generation), now).await;
        assert!(matches!(stolen, Advance::Unknown));
    }
    assert!(lives(&store, 1).await);
    assert_eq!(find(&store, 1).await.login, before.login);
    assert_eq!(store.head().await.unwrap(), Position::START);
}
