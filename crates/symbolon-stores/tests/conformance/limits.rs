//! How many logins a person may have at once, and what a sign-in was decided on.

use symbolon_authority::ports::{Ended, Join, LoginWithGrants, Open, Terms};
use symbolon_login::{AtLimit, Change, LoginLimit, Position, Scope, Sid, UnixMillis};

use crate::fixture::*;

#[expect(clippy::unnecessary_wraps, reason = "what the port takes")]
pub(crate) fn limit(most: u32, at_limit: AtLimit) -> Option<LoginLimit> {
    let most = most.try_into().unwrap();
    Some(LoginLimit { most, at_limit })
}

fn per_person(most: u32, at_limit: AtLimit) -> Terms {
    Terms {
        per_person: limit(most, at_limit),
        ..Terms::default()
    }
}

fn per_app(most: u32, at_limit: AtLimit) -> Terms {
    Terms {
        per_app: limit(most, at_limit),
        ..Terms::default()
    }
}

async fn open_as(store: &Shared, n: u8, client_id: &str, terms: Terms, now: UnixMillis) -> Open {
    let opened = store.open(login(1, n), grant(n, client_id), terms, now);
    opened.await.unwrap()
}

async fn living(store: &Shared) -> Vec<Sid> {
    sids(&store.logins_of(user_id(1), NOW).await.unwrap())
}

fn sids(logins: &[LoginWithGrants]) -> Vec<Sid> {
    logins.iter().map(|live| live.login.sid).collect()
}

fn cut_off(scope: Scope) -> Change {
    Change::CutOff { covers: scope }
}

async fn a_person_with(store: &Shared, logins: &[u8]) {
    add_person(store, 1).await;
    for n in logins {
        open(store, 1, *n, "app").await;
    }
}

pub(crate) async fn a_full_house_refuses(store: Shared) {
    a_person_with(&store, &[1, 2]).await;
    for at_limit in [AtLimit::Refuse, AtLimit::Ask] {
        let terms = per_person(2, at_limit);
        match open_as(&store, 3, "app", terms, NOW).await {
            Open::Full(live) => {
                assert_eq!(sids(&live), [sid(2), sid(1)]);
                assert_eq!(live[0].grants.len(), 1);
            }
            other => panic!("{other:?}"),
        }
    }
    // Nothing was written, and nothing appended.
    assert_eq!(living(&store).await, [sid(2), sid(1)]);
    assert!(store.find(grant_id(3)).await.unwrap().is_none());
    assert_eq!(store.head().await.unwrap(), Position::START);
    // What is over takes up no room: ended, or expired.
    store.end(Scope::Login { sid: sid(1) }, NOW).await.unwrap();
    let terms = || per_person(2, AtLimit::Refuse);
    let third = open_as(&store, 3, "app", terms(), NOW).await;
    assert!(matches!(third, Open::Opened(_)));
    let fourth = open_as(&store, 4, "app", terms(), NOW).await;
    assert!(matches!(fourth, Open::Full(_)));
    let later = open_as(&store, 4, "app", terms(), at(30 * DAY)).await;
    assert!(matches!(later, Open::Opened(_)));
}

pub(crate) async fn the_oldest_makes_room(store: Shared) {
    a_person_with(&store, &[2, 1, 3]).await;
    let terms = per_person(2, AtLimit::EndOldest);
    let Open::Opened(opened) = open_as(&store, 4, "app", terms, at(5)).await else {
        panic!("there is room once the oldest have left");
    };
    assert_eq!(living(&store).await, [sid(4), sid(3)]);
    assert_eq!(find(&store, 1).await.login.ended_at, Some(at(5)));
    // Each is a cut-off of its own, and the new grant is younger than all of them.
    let log = entries(&store, Position::START, 10).await;
    let changes: Vec<_> = log.iter().map(|entry| entry.change.clone()).collect();
    let expected = [1, 2].map(|n| cut_off(Scope::Login { sid: sid(n) }));
    assert_eq!(changes, expected);
    assert_eq!(opened.grant.rev, Position::new(1, 2));
}

pub(crate) async fn what_was_given_up_makes_room(store: Shared) {
    a_person_with(&store, &[1, 2]).await;
    add_person(&store, 2).await;
    open(&store, 2, 9, "app").await;
    let instead_of = |sids: &[u8]| Terms {
        instead_of: sids.iter().copied().map(sid).collect(),
        ..per_person(2, AtLimit::Ask)
    };
    // Somebody else's login, and one that never was, make no room.
    let full = open_as(&store, 3, "app", instead_of(&[9, 77]), NOW).await;
    assert!(matches!(full, Open::Full(_)));
    let opened = open_as(&store, 3, "app", instead_of(&[2, 9]), NOW).await;
    assert!(matches!(opened, Open::Opened(_)));
    assert_eq!(living(&store).await, [sid(3), sid(1)]);
    assert!(lives(&store, 9).await);
}

pub(crate) async fn an_app_has_its_own_limit(store: Shared) {
    a_person_with(&store, &[1, 2]).await;
    open(&store, 1, 3, "other").await;
    // Three logins live, two of them in this app.
    match open_as(&store, 4, "app", per_app(2, AtLimit::Ask), NOW).await {
        Open::Full(live) => assert_eq!(sids(&live), [sid(2), sid(1)]),
        other => panic!("{other:?}"),
    }
    let opened = open_as(&store, 4, "app", per_app(2, AtLimit::EndOldest), NOW).await;
    assert!(matches!(opened, Open::Opened(_)));
    // The oldest login lost the app's grant, not itself.
    assert_eq!(living(&store).await, [sid(4), sid(3), sid(2), sid(1)]);
    assert!(!lives(&store, 1).await);
    assert_eq!(find(&store, 1).await.login.ended_at, None);
    let log = entries(&store, Position::START, 10).await;
    let scope = Scope::Grant {
        sid: sid(1),
        client_id: client("app"),
    };
    assert_eq!(log[0].change, cut_off(scope));
    // What a person's limit takes away first leaves room in the app.
    let both = Terms {
        per_app: limit(2, AtLimit::Refuse),
        ..per_person(3, AtLimit::EndOldest)
    };
    let opened = open_as(&store, 5, "app", both, NOW).await;
    assert!(matches!(opened, Open::Opened(_)));
    assert_eq!(living(&store).await, [sid(5), sid(4), sid(3)]);
}

pub(crate) async fn a_join_is_held_to_the_apps_limit(store: Shared) {
    a_person_with(&store, &[1, 2]).await;
    open(&store, 1, 3, "other").await;
    let join_as = |n, to, at_limit| store.join(sid(to), grant(n, "app"), limit(2, at_limit), NOW);
    match join_as(4, 3, AtLimit::Refuse).await.unwrap() {
        Join::Full(live) => assert_eq!(sids(&live), [sid(2), sid(1)]),
        other => panic!("{other:?}"),
    }
    assert!(store.find(grant_id(4)).await.unwrap().is_none());
    // A second grant in a login that has one is no further login.
    let again = join_as(5, 2, AtLimit::Refuse).await.unwrap();
    assert!(matches!(again, Join::Granted(_)));
    let Join::Granted(granted) = join_as(4, 3, AtLimit::EndOldest).await.unwrap() else {
        panic!("there is room once the oldest has left");
    };
    assert_eq!(granted.grant.rev, Position::new(1, 1));
    assert!(!lives(&store, 1).await);
    assert!(lives(&store, 2).await && lives(&store, 4).await && lives(&store, 5).await);
}

pub(crate) async fn what_a_sign_in_was_decided_on_must_still_hold(store: Shared) {
    add_person(&store, 1).await;
    add_person(&store, 2).await;
    let since = |position| Terms {
        since: Some(position),
        ..Terms::default()
    };
    let before = store.head().await.unwrap();
    let ended: Ended = store
        .set_password(user_id(1), hash("y"), NOW)
        .await
        .unwrap()
        .unwrap();
    // The old password was checked before, the new one became valid after.
    let late = open_as(&store, 1, "app", since(before), NOW).await;
    assert!(matches!(late, Open::UserGone));
    assert!(store.login(sid(1)).await.unwrap().is_none());
    let anew = open_as(&store, 1, "app", since(ended.position), NOW).await;
    assert!(matches!(anew, Open::Opened(_)));
    // Nobody else's sign-in is touched by it.
    let other = store.open(login(2, 2), grant(2, "app"), since(before), NOW);
    assert!(matches!(other.await.unwrap(), Open::Opened(_)));
    // Nor is one's own by the end of a single login.
    let before = store.head().await.unwrap();
    store.end(Scope::Login { sid: sid(1) }, NOW).await.unwrap();
    let third = open_as(&store, 3, "app", since(before), NOW).await;
    assert!(matches!(third, Open::Opened(_)));
}
