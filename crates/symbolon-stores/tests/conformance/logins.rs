//! Opening, joining, finding, listing, touching.

use std::time::Duration;

use symbolon_authority::ports::{Advance, Join, Open, Terms};
use symbolon_login::{Login, Position, Scope, Standing, standing};

use crate::fixture::*;

pub(crate) async fn a_login_opens_at_the_head(store: Shared) {
    add_person(&store, 1).await;
    store.end(Scope::Everything {}, NOW).await.unwrap();
    let opened = open(&store, 1, 1, "app").await;
    assert_eq!(opened.login, login(1, 1));
    let grant = &opened.grant;
    assert_eq!(
        (grant.id, grant.sid, grant.rev),
        (grant_id(1), sid(1), Position::new(1, 1))
    );
    assert_eq!(
        (grant.opened_at, grant.used_at, grant.line.moved_at),
        (NOW, NOW, NOW)
    );
    assert_eq!((grant.line.generation, grant.ended_at), (0, None));
    assert!(grant.line.digest.matches(&secret(1, 0)));
    assert_same(&find(&store, 1).await, &opened);

    let bare = Login {
        methods: Vec::new(),
        device: None,
        idle: Some(Duration::from_secs(60)),
        remembered: false,
        ..login(1, 2)
    };
    store
        .open(bare.clone(), grant_of(2), Terms::default(), NOW)
        .await
        .unwrap();
    assert_eq!(find(&store, 2).await.login, bare);
}

fn grant_of(n: u8) -> symbolon_authority::ports::NewGrant {
    grant(n, "app")
}

pub(crate) async fn a_login_opens_only_for_a_user(store: Shared) {
    let opened = store
        .open(login(1, 1), grant_of(1), Terms::default(), NOW)
        .await
        .unwrap();
    assert!(matches!(opened, Open::UserGone));
    assert!(store.login(sid(1)).await.unwrap().is_none());
    assert!(store.find(grant_id(1)).await.unwrap().is_none());
}

pub(crate) async fn a_grant_joins_at_the_head(store: Shared) {
    add_person(&store, 1).await;
    open(&store, 1, 1, "app").await;
    let other = Scope::Login { sid: sid(9) };
    store.end(other, NOW).await.unwrap();
    let granted = join(&store, 1, 2, "other").await;
    assert_eq!(granted.grant.rev, Position::new(1, 1));
    assert_eq!((granted.login, granted.grant.sid), (login(1, 1), sid(1)));
    let found = store.login(sid(1)).await.unwrap().unwrap();
    let apps: Vec<_> = found
        .grants
        .iter()
        .map(|grant| grant.client_id.as_str())
        .collect();
    assert_eq!(apps, ["app", "other"]);
}

pub(crate) async fn nothing_joins_what_is_over(store: Shared) {
    add_person(&store, 1).await;
    open(&store, 1, 1, "app").await;
    let late = |n, now| store.join(sid(1), grant(n, "other"), None, now);
    assert!(matches!(
        late(2, at(30 * DAY - 1)).await.unwrap(),
        Join::Granted(_)
    ));
    assert!(matches!(late(3, at(30 * DAY)).await.unwrap(), Join::Ended));
    store.end(Scope::Login { sid: sid(1) }, NOW).await.unwrap();
    assert!(matches!(late(4, NOW).await.unwrap(), Join::Ended));
    let unknown = store
        .join(sid(9), grant(5, "other"), None, NOW)
        .await
        .unwrap();
    assert!(matches!(unknown, Join::Unknown));
    for n in 3..=5 {
        assert!(store.find(grant_id(n)).await.unwrap().is_none());
    }
}

pub(crate) async fn a_login_is_found_whatever_its_state(store: Shared) {
    add_person(&store, 1).await;
    open(&store, 1, 1, "app").await;
    join(&store, 1, 2, "other").await;
    let scope = Scope::Grant {
        sid: sid(1),
        client_id: client("other"),
    };
    store.end(scope, at(1)).await.unwrap();
    // A grant that was ended alone is left out of the list, but found by its id.
    let found = store.login(sid(1)).await.unwrap().unwrap();
    assert_eq!((found.login.ended_at, found.grants.len()), (None, 1));
    assert_eq!(find(&store, 2).await.grant.ended_at, Some(at(1)));
    store
        .end(Scope::Login { sid: sid(1) }, at(2))
        .await
        .unwrap();
    let found = store.login(sid(1)).await.unwrap().unwrap();
    assert_eq!((found.login.ended_at, found.grants.len()), (Some(at(2)), 1));
    assert_eq!(find(&store, 1).await.login.ended_at, Some(at(2)));
    assert!(store.login(sid(9)).await.unwrap().is_none());
    assert!(store.find(grant_id(9)).await.unwrap().is_none());
}

pub(crate) async fn a_person_sees_live_logins_newest_first(store: Shared) {
    add_person(&store, 1).await;
    add_person(&store, 2).await;
    for n in [3, 1, 4, 2] {
        open(&store, 1, n, "app").await;
    }
    open(&store, 2, 5, "app").await;
    join(&store, 4, 6, "other").await;
    store.end(Scope::Login { sid: sid(2) }, NOW).await.unwrap();
    let live = store.logins_of(user_id(1), at(30 * DAY - 1)).await.unwrap();
    let sids: Vec<_> = live.iter().map(|live| live.login.sid).collect();
    assert_eq!(sids, [sid(4), sid(3), sid(1)]);
    assert_eq!(live[0].grants.len(), 2);
    let expired = store.logins_of(user_id(1), at(30 * DAY)).await;
    assert!(expired.unwrap().is_empty());
    assert!(store.logins_of(user_id(9), NOW).await.unwrap().is_empty());
}

/// A store may keep the grant that has its login's id in the login's row, and others elsewhere.
pub(crate) async fn an_id_of_a_grant_is_used_once_wherever_it_lies(store: Shared) {
    add_person(&store, 1).await;
    let opens = |n, with| store.open(login(1, n), grant_of(with), Terms::default(), NOW);
    let joins = |to, n| store.join(sid(to), grant_of(n), None, NOW);
    let refused = |why: String| assert!(why.contains("that grant id is in use"), "{why}");
    open(&store, 1, 1, "app").await;
    join(&store, 1, 2, "other").await;
    refused(opens(2, 2).await.unwrap_err().to_string());
    refused(opens(3, 1).await.unwrap_err().to_string());
    refused(opens(3, 2).await.unwrap_err().to_string());
    refused(joins(1, 1).await.unwrap_err().to_string());
    refused(joins(1, 2).await.unwrap_err().to_string());
    for n in [2, 3] {
        assert!(store.login(sid(n)).await.unwrap().is_none());
    }
    // Opened with the id of none, joined by that of its own.
    let opened = opens(5, 50).await.unwrap();
    assert!(matches!(opened, Open::Opened(_)));
    join(&store, 5, 5, "other").await;
    refused(joins(1, 5).await.unwrap_err().to_string());
    for (n, client_id) in [(50, "app"), (5, "other")] {
        let found = find(&store, n).await;
        assert_eq!((found.login.sid, found.grant.sid), (sid(5), sid(5)));
        assert_eq!(found.grant.client_id.as_str(), client_id);
    }
    let found = store.login(sid(5)).await.unwrap().unwrap();
    assert_eq!(found.grants.len(), 2);
    // Each has its own line and its own end.
    let rotated = advance_as(&store, "other", presented(5, 0), NOW).await;
    assert!(matches!(rotated, Advance::Rotated(_)));
    let rotated = advance(&store, 50, 0, NOW).await;
    assert!(matches!(rotated, Advance::Rotated(_)));
    let scope = Scope::Grant {
        sid: sid(5),
        client_id: client("other"),
    };
    assert_eq!(store.end(scope, at(1)).await.unwrap().count, 1);
    assert_eq!(find(&store, 5).await.grant.ended_at, Some(at(1)));
    assert_eq!(find(&store, 50).await.grant.ended_at, None);
    let scope = Scope::App {
        client_id: client("app"),
    };
    assert_eq!(store.end(scope, at(2)).await.unwrap().count, 2);
    assert_eq!(find(&store, 50).await.grant.ended_at, Some(at(2)));
    assert_eq!(find(&store, 1).await.grant.ended_at, Some(at(2)));
}

pub(crate) async fn an_id_in_use_is_never_overwritten(store: Shared) {
    add_person(&store, 1).await;
    add_person(&store, 2).await;
    let before = open(&store, 1, 1, "app").await;
    assert!(
        store
            .open(login(2, 1), grant_of(2), Terms::default(), NOW)
            .await
            .is_err()
    );
    assert!(
        store
            .open(login(2, 2), grant_of(1), Terms::default(), NOW)
            .await
            .is_err()
    );
    assert!(store.join(sid(1), grant_of(1), None, NOW).await.is_err());
    let twin = person(1, "somebody-else", &[]);
    assert!(store.add_user(twin, hash("x")).await.is_err());
    assert_same(&find(&store, 1).await, &before);
    // What was refused left nothing behind.
    assert!(store.find(grant_id(2)).await.unwrap().is_none());
    assert!(store.login(sid(2)).await.unwrap().is_none());
}

pub(crate) async fn a_use_moves_the_time_once_a_minute(store: Shared) {
    add_person(&store, 1).await;
    open(&store, 1, 1, "app").await;
    for (now, expected) in [
        (59_999, 0),
        (60_000, 60_000),
        (60_001, 60_000),
        (30_000, 60_000),
        (119_999, 60_000),
        (120_000, 120_000),
    ] {
        store.touch(grant_id(1), at(now)).await.unwrap();
        // A write takes along what waits: from here on the time is exact.
        store.mark("after the use").await.unwrap();
        assert_eq!(find(&store, 1).await.grant.used_at, at(expected), "{now}");
        let listed = store.login(sid(1)).await.unwrap().unwrap();
        assert_eq!(listed.grants[0].used_at, at(expected), "{now}");
    }
    let live = store.logins_of(user_id(1), NOW).await.unwrap();
    assert_eq!(live[0].grants[0].used_at, at(120_000));
    store.touch(grant_id(9), NOW).await.unwrap();
    assert!(store.find(grant_id(9)).await.unwrap().is_none());
}

pub(crate) async fn a_use_revives_nothing(store: Shared) {
    add_person(&store, 1).await;
    for n in 1..=3 {
        open(&store, 1, n, "app").await;
    }
    let alone = Scope::Grant {
        sid: sid(1),
        client_id: client("app"),
    };
    store.end(alone, at(1)).await.unwrap();
    store
        .end(Scope::Login { sid: sid(2) }, at(1))
        .await
        .unwrap();
    let late = [(1, at(DAY)), (2, at(DAY)), (3, at(30 * DAY))];
    for (n, now) in late {
        store.touch(grant_id(n), now).await.unwrap();
    }
    for (n, _) in late {
        assert_eq!(find(&store, n).await.grant.used_at, NOW, "{n}");
    }
    // The same once they are written.
    store.mark("after the uses").await.unwrap();
    for (n, _) in late {
        assert_eq!(find(&store, n).await.grant.used_at, NOW, "{n}");
    }
}

pub(crate) async fn a_use_counts_against_idleness(store: Shared) {
    add_person(&store, 1).await;
    open(&store, 1, 1, "app").await;
    store.touch(grant_id(1), at(6 * DAY)).await.unwrap();
    let found = find(&store, 1).await;
    let until = at(6 * DAY).plus(Duration::from_secs(7 * 86_400));
    let stands = standing(&found.login, &found.grant, &lifetimes(), at(12 * DAY));
    assert_eq!(stands, Standing::Alive { until });
    let advanced = advance(&store, 1, 0, at(12 * DAY)).await;
    assert!(matches!(advanced, Advance::Rotated(_)));
}
