//! Ending, by every scope.

use symbolon_login::{Change, CutOffs, Position, Scope, Subject};

use crate::fixture::*;

/// Two people; person 1 with logins 1 and 2, person 2 with login 3; each with the apps `app` (the
/// grant has the login's number) and `other` (ten more).
async fn a_small_world(store: &Shared) {
    for n in 1..=2 {
        add_person(store, n).await;
    }
    for (user, n) in [(1, 1), (1, 2), (2, 3)] {
        open(store, user, n, "app").await;
        join(store, n, n + 10, "other").await;
    }
}

async fn living(store: &Shared) -> Vec<u8> {
    let mut living = Vec::new();
    for n in [1, 2, 3, 11, 12, 13] {
        if lives(store, n).await {
            living.push(n);
        }
    }
    living
}

pub(crate) async fn each_scope_ends_what_it_covers(store: Shared) {
    a_small_world(&store).await;
    let (user, login, other) = (user_id(1), sid(1), client("other"));
    let grant = Scope::Grant {
        sid: login,
        client_id: other.clone(),
    };
    let steps: [(Scope, u64, &[u8]); 5] = [
        (grant, 1, &[1, 2, 3, 12, 13]),
        (Scope::App { client_id: other }, 2, &[1, 2, 3]),
        (Scope::Login { sid: login }, 1, &[2, 3]),
        (Scope::User { user }, 1, &[3]),
        (Scope::Everything {}, 1, &[]),
    ];
    let mut known = CutOffs::default();
    for (number, (scope, count, left)) in (1..).zip(steps) {
        let now = at(i64::try_from(number).unwrap());
        let done = store.end(scope.clone(), now).await.unwrap();
        assert_eq!(done, ended(number, count), "{scope:?}");
        assert_eq!(living(&store).await, left, "{scope:?}");
        let log = entries(&store, Position::new(1, number - 1), 10).await;
        assert_eq!(log.len(), 1);
        assert_eq!(log[0].change, Change::CutOff { covers: scope });
        known.insert(&log[0].cut_off().unwrap());
        // What the rows say and what guards make of the log is the same.
        for n in [1, 2, 3, 11, 12, 13] {
            let found = find(&store, n).await;
            let subject: Subject<'_> = found.grant.subject(found.login.user);
            assert_eq!(known.kills(&subject).is_none(), left.contains(&n), "{n}");
        }
    }
    assert_eq!(find(&store, 11).await.grant.ended_at, Some(at(1)));
    assert_eq!(find(&store, 1).await.login.ended_at, Some(at(3)));
}

pub(crate) async fn a_key_ends_no_login(store: Shared) {
    a_small_world(&store).await;
    let kid = "k1".parse().unwrap();
    let done = store.end(Scope::Key { kid }, NOW).await.unwrap();
    assert_eq!(done, ended(1, 0));
    assert_eq!(living(&store).await.len(), 6);
}

pub(crate) async fn an_end_of_nothing_is_appended(store: Shared) {
    let scopes = [
        Scope::Login { sid: sid(9) },
        Scope::Login { sid: sid(9) },
        Scope::User { user: user_id(9) },
        Scope::App {
            client_id: client("none"),
        },
        Scope::Grant {
            sid: sid(9),
            client_id: client("none"),
        },
        Scope::Everything {},
    ];
    for (number, scope) in (1..).zip(scopes) {
        assert_eq!(store.end(scope, NOW).await.unwrap(), ended(number, 0));
    }
}

pub(crate) async fn a_grant_of_an_ended_login_is_not_counted(store: Shared) {
    a_small_world(&store).await;
    store
        .end(Scope::User { user: user_id(1) }, at(1))
        .await
        .unwrap();
    let other = client("other");
    let gone = Scope::Grant {
        sid: sid(1),
        client_id: other.clone(),
    };
    assert_eq!(store.end(gone, at(2)).await.unwrap(), ended(2, 0));
    let app = Scope::App { client_id: other };
    assert_eq!(store.end(app, at(3)).await.unwrap(), ended(3, 1));
    // Ended is ended: a later end does not move the time.
    assert_eq!(
        store.end(Scope::Everything {}, at(4)).await.unwrap(),
        ended(4, 1)
    );
    assert_eq!(find(&store, 1).await.login.ended_at, Some(at(1)));
    assert_eq!(find(&store, 13).await.grant.ended_at, Some(at(3)));
}

pub(crate) async fn one_ends_only_ones_own(store: Shared) {
    a_small_world(&store).await;
    let end = |user, login| store.end_own(user_id(user), sid(login), NOW);
    assert_eq!(end(2, 1).await.unwrap(), None);
    assert_eq!(end(1, 9).await.unwrap(), None);
    assert_eq!(store.head().await.unwrap(), Position::START);
    assert_eq!(living(&store).await.len(), 6);
    assert_eq!(end(1, 1).await.unwrap(), Some(ended(1, 1)));
    assert_eq!(end(1, 1).await.unwrap(), None);
    assert_eq!(store.head().await.unwrap(), Position::new(1, 1));
    assert_eq!(living(&store).await, [2, 3, 12, 13]);
}

pub(crate) async fn what_came_after_an_end_lives(store: Shared) {
    a_small_world(&store).await;
    let done = store.end(Scope::Everything {}, NOW).await.unwrap();
    assert_eq!(done.count, 3);
    let opened = open(&store, 1, 4, "app").await;
    assert_eq!(opened.grant.rev, done.position);
    assert!(lives(&store, 4).await);
    let mut known = CutOffs::default();
    let log = entries(&store, Position::START, 10).await;
    known.insert(&log[0].cut_off().unwrap());
    assert_eq!(known.kills(&opened.grant.subject(user_id(1))), None);
}
