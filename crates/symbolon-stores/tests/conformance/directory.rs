//! Users, apps, keys, marks.

use std::{collections::BTreeSet, time::Duration};

use symbolon_authority::{
    User,
    ports::{AddApp, AddUser, AppChange, ChangeKeys, KeyChange, Open, StoredKey, Terms},
};
use symbolon_login::{
    AtLimit, Change, Freshness, KeyId, Lifetimes, LoginPolicy, Position, Scope, Shape,
};

use crate::fixture::*;

pub(crate) async fn an_identifier_is_taken_once(store: Shared) {
    let first = store.add_user(person(1, "alice", &[]), hash("a")).await;
    assert_eq!(first.unwrap(), AddUser::Added);
    let second = store.add_user(person(2, "ALICE", &[]), hash("b")).await;
    assert_eq!(second.unwrap(), AddUser::Taken);
    assert!(store.user(user_id(2)).await.unwrap().is_none());
    let kept = store.user_to_verify(&"alice".parse().unwrap()).await;
    assert_eq!(kept.unwrap().unwrap().1.expose(), "a");
}

pub(crate) async fn a_user_is_found_as_added(store: Shared) {
    let mut alice = person(1, "김철수@example.test", &["admin", "a:b.c"]);
    alice.disabled_at = Some(at(-5));
    store.add_user(alice.clone(), hash("phc")).await.unwrap();
    assert_eq!(store.user(alice.id).await.unwrap().as_ref(), Some(&alice));
    let found = store.user_to_verify(&alice.identifier).await.unwrap();
    let (found, password) = found.unwrap();
    assert_eq!((found, password.expose()), (alice, "phc"));
    assert!(store.user(user_id(2)).await.unwrap().is_none());
    let nobody = store.user_to_verify(&"bob".parse().unwrap()).await;
    assert!(nobody.unwrap().is_none());
}

pub(crate) async fn users_come_in_order_of_their_identifiers(store: Shared) {
    for (n, name) in ["c", "a", "é", "b", "z"].into_iter().enumerate() {
        let user = person(u8::try_from(n).unwrap(), name, &[]);
        store.add_user(user, hash("x")).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.users(after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.identifier.clone());
        seen.extend(page.into_iter().map(|user| user.identifier.to_string()));
    }
    assert_eq!(seen, ["a", "b", "c", "z", "é"]);
    assert!(store.users(None, 0).await.unwrap().is_empty());
}

pub(crate) async fn the_first_admin_is_the_first(store: Shared) {
    store
        .add_user(person(1, "root", &[]), hash("x"))
        .await
        .unwrap();
    let taken = store.add_first_admin(person(2, "root", &["admin"]), hash("x"));
    assert_eq!(taken.await.unwrap(), Some(AddUser::Taken));
    let first = store.add_first_admin(person(3, "alice", &["admin"]), hash("x"));
    assert_eq!(first.await.unwrap(), Some(AddUser::Added));
    // A disabled administrator is one: who can enable them again is not the first.
    store.disable_user(user_id(3), NOW).await.unwrap();
    let second = store.add_first_admin(person(4, "bob", &["admin"]), hash("x"));
    assert_eq!(second.await.unwrap(), None);
    assert!(store.user(user_id(4)).await.unwrap().is_none());
}

pub(crate) async fn a_disabled_admin_counts_too(store: Shared) {
    add_person(&store, 1).await;
    assert!(!store.has_admin().await.unwrap());
    let admin = person(2, "alice", &["staff", "admin"]);
    store.add_user(admin, hash("x")).await.unwrap();
    assert!(store.has_admin().await.unwrap());
    store.disable_user(user_id(2), NOW).await.unwrap();
    assert!(store.has_admin().await.unwrap());
}

pub(crate) async fn a_new_password_ends_every_login(store: Shared) {
    add_person(&store, 1).await;
    add_person(&store, 2).await;
    open(&store, 1, 1, "app").await;
    open(&store, 1, 2, "app").await;
    open(&store, 2, 3, "app").await;
    let changed = store.set_password(user_id(1), hash("new"), at(1)).await;
    assert_eq!(changed.unwrap(), Some(ended(1, 2)));
    let found = store.user_to_verify(&"person1".parse().unwrap()).await;
    assert_eq!(found.unwrap().unwrap().1.expose(), "new");
    assert!(!lives(&store, 1).await && !lives(&store, 2).await && lives(&store, 3).await);
    let log = entries(&store, Position::START, 10).await;
    let user = user_id(1);
    assert_eq!(
        log[0].change,
        Change::CutOff {
            covers: Scope::User { user }
        }
    );
    let nobody = store.set_password(user_id(9), hash("new"), NOW).await;
    assert_eq!(nobody.unwrap(), None);
    assert_eq!(store.head().await.unwrap(), Position::new(1, 1));
}

pub(crate) async fn a_disabled_user_cannot_open(store: Shared) {
    add_person(&store, 1).await;
    open(&store, 1, 1, "app").await;
    let disabled = store.disable_user(user_id(1), at(5)).await;
    assert_eq!(disabled.unwrap(), Some(ended(1, 1)));
    assert!(!lives(&store, 1).await);
    let refused = store
        .open(login(1, 2), grant(2, "app"), Terms::default(), NOW)
        .await
        .unwrap();
    assert!(matches!(refused, Open::UserGone));
    // Disabled once more: ended once more, and the first time stays.
    let again = store.disable_user(user_id(1), at(9)).await;
    assert_eq!(again.unwrap(), Some(ended(2, 0)));
    let user = store.user(user_id(1)).await.unwrap().unwrap();
    assert_eq!(user.disabled_at, Some(at(5)));
    assert!(store.enable_user(user_id(1)).await.unwrap());
    open(&store, 1, 2, "app").await;
    assert!(!lives(&store, 1).await);
    assert_eq!(store.disable_user(user_id(9), NOW).await.unwrap(), None);
    assert!(!store.enable_user(user_id(9)).await.unwrap());
}

pub(crate) async fn an_app_is_kept_and_changed_in_full(store: Shared) {
    let added = app("b-app");
    let position = store.add_app(added.clone(), NOW).await.unwrap();
    assert_eq!(position, AddApp::Added(Position::new(1, 1)));
    let again = store.add_app(app("b-app"), NOW).await.unwrap();
    assert_eq!(again, AddApp::Taken);
    assert_same(&store.app(&client("b-app")).await.unwrap(), &Some(added));
    assert!(store.app(&client("none")).await.unwrap().is_none());

    let change = AppChange {
        name: Some("Other".to_owned()),
        shape: Some(Shape::Jwt),
        freshness: Some(Freshness::Live),
        lifetimes: Some(Lifetimes::default()),
        limit: Some(crate::limits::limit(2, AtLimit::Ask)),
        redirect_uris: Some(Vec::new()),
        secret: Some(digest("new")),
    };
    let changed = store.change_app(&client("b-app"), change, NOW).await;
    let (changed, position) = changed.unwrap().unwrap();
    assert_eq!(position, Position::new(1, 2));
    assert_eq!(
        (changed.settings.shape, changed.name.as_str()),
        (Shape::Jwt, "Other")
    );
    assert_eq!(changed.settings.freshness, Freshness::Live);
    assert_eq!(changed.limit, crate::limits::limit(2, AtLimit::Ask));
    assert!(changed.secret.unwrap().matches(&digest("new")) && changed.redirect_uris.is_empty());
    assert_same(
        &store.app(&client("b-app")).await.unwrap(),
        &Some(changed.clone()),
    );

    let nothing = AppChange::default();
    let nothing = store.change_app(&client("b-app"), nothing, NOW).await;
    let (unchanged, position) = nothing.unwrap().unwrap();
    assert_same(&unchanged, &changed);
    let log = entries(&store, Position::new(1, 2), 10).await;
    assert_eq!(log[0].position, position);
    let settings = changed.settings;
    assert_eq!(log[0].change, Change::App { settings });
    let none = store
        .change_app(&client("none"), AppChange::default(), NOW)
        .await;
    assert!(none.unwrap().is_none());

    store.add_app(app("a-app"), NOW).await.unwrap();
    let all = store.apps().await.unwrap();
    let all: Vec<_> = all
        .iter()
        .map(|app| app.settings.client_id.as_str())
        .collect();
    assert_eq!(all, ["a-app", "b-app"]);
}

fn key(kid: &str, algorithm: &str, created_at: i64) -> StoredKey {
    StoredKey {
        kid: kid.parse().unwrap(),
        algorithm: algorithm.to_owned(),
        public_jwk: serde_json::json!({"kty": "EC", "kid": kid, "x": "\u{e9}"}),
        sealed: vec![0, 1, 255],
        created_at: at(created_at),
    }
}

pub(crate) async fn the_first_key_of_an_algorithm_is_the_only_one(store: Shared) {
    let first = store.add_first_key(key("k2", "ES256", 2), NOW).await;
    assert_eq!(first.unwrap(), Some(Position::new(1, 1)));
    let second = store.add_first_key(key("k3", "ES256", 3), NOW).await;
    assert_eq!(second.unwrap(), None);
    assert!(
        store
            .add_first_key(key("k2", "HS256", 0), NOW)
            .await
            .is_err()
    );
    let other = store.add_first_key(key("k1", "HS256", 1), NOW).await;
    assert_eq!(other.unwrap(), Some(Position::new(1, 2)));
    let keys = store.keys().await.unwrap();
    let kids: Vec<_> = keys.iter().map(|key| key.kid.as_str()).collect();
    assert_eq!(kids, ["k1", "k2"]);
    let (kept, given) = (&keys[1], key("k2", "ES256", 2));
    assert_eq!(kept.public_jwk, given.public_jwk);
    assert_eq!(
        (&kept.algorithm, &kept.sealed, kept.created_at),
        (&given.algorithm, &given.sealed, given.created_at)
    );
    let log = entries(&store, Position::START, 1).await;
    let jwk = given.public_jwk;
    assert_eq!(log[0].change, Change::KeyAdded { jwk });
}

fn kids(kids: &[&str]) -> BTreeSet<KeyId> {
    kids.iter().map(|kid| kid.parse().unwrap()).collect()
}

async fn key_names(store: &Shared) -> Vec<String> {
    let keys = store.keys().await.unwrap();
    keys.iter().map(|key| key.kid.to_string()).collect()
}

pub(crate) async fn keys_come_and_go_with_their_entries(store: Shared) {
    store
        .add_first_key(key("k1", "ES256", 1), NOW)
        .await
        .unwrap();
    let added = KeyChange {
        seen: kids(&["k1"]),
        add: Some(key("k2", "ES256", 2)),
        cut: None,
        retire: Vec::new(),
    };
    let outcome = store.change_keys(added, NOW).await.unwrap();
    assert_eq!(outcome, ChangeKeys::Changed(Position::new(1, 2)));
    assert_eq!(key_names(&store).await, ["k1", "k2"]);
    let jwk = key("k2", "ES256", 2).public_jwk;
    let log = entries(&store, Position::new(1, 1), 9).await;
    assert_eq!(log[0].change, Change::KeyAdded { jwk });

    let replaced = KeyChange {
        seen: kids(&["k1", "k2"]),
        add: Some(key("k3", "ES256", 3)),
        cut: Some("k2".parse().unwrap()),
        retire: vec!["k1".parse().unwrap()],
    };
    let outcome = store.change_keys(replaced.clone(), NOW).await.unwrap();
    assert_eq!(outcome, ChangeKeys::Changed(Position::new(1, 6)));
    assert_eq!(key_names(&store).await, ["k3"]);
    let log = entries(&store, Position::new(1, 2), 9).await;
    let told: Vec<_> = log.into_iter().map(|entry| entry.change).collect();
    assert_eq!(told, replaced.entries());
    let covers = Scope::Key {
        kid: "k2".parse().unwrap(),
    };
    assert_eq!(told[1], Change::CutOff { covers });
}

pub(crate) async fn keys_change_only_as_they_were_seen(store: Shared) {
    store
        .add_first_key(key("k1", "ES256", 1), NOW)
        .await
        .unwrap();
    for seen in [kids(&[]), kids(&["k2"]), kids(&["k1", "k2"])] {
        let change = KeyChange {
            seen,
            add: Some(key("k3", "ES256", 3)),
            cut: Some("k1".parse().unwrap()),
            retire: Vec::new(),
        };
        let outcome = store.change_keys(change, NOW).await.unwrap();
        assert_eq!(outcome, ChangeKeys::Overtaken);
    }
    // A key is never put in the place of another one of its name, and nothing is done by halves.
    let twice = KeyChange {
        seen: kids(&["k1"]),
        add: Some(key("k1", "ES256", 3)),
        cut: None,
        retire: Vec::new(),
    };
    assert!(store.change_keys(twice, NOW).await.is_err());
    assert_eq!(key_names(&store).await, ["k1"]);
    assert_eq!(store.head().await.unwrap(), Position::new(1, 1));
}

pub(crate) async fn a_mark_stays(store: Shared) {
    assert!(!store.is_marked("demo").await.unwrap());
    store.mark("demo").await.unwrap();
    store.mark("demo").await.unwrap();
    assert!(store.is_marked("demo").await.unwrap());
    assert!(!store.is_marked("Demo").await.unwrap());
}

pub(crate) async fn new_roles_end_every_login(store: Shared) {
    add_person(&store, 1).await;
    open(&store, 1, 1, "app").await;
    let roles = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
    let admin = store.set_roles(user_id(1), roles(&["admin", "x"]), NOW);
    assert_eq!(admin.await.unwrap(), Some(ended(1, 1)));
    assert!(!lives(&store, 1).await);
    let user = store.user(user_id(1)).await.unwrap().unwrap();
    assert_eq!(user, person(1, "person1", &["admin", "x"]));
    assert!(store.has_admin().await.unwrap());
    store.set_roles(user_id(1), roles(&[]), NOW).await.unwrap();
    assert!(!store.has_admin().await.unwrap());
    let nobody = store.set_roles(user_id(9), roles(&["x"]), NOW).await;
    assert_eq!(nobody.unwrap(), None);
    assert_eq!(store.head().await.unwrap(), Position::new(1, 2));
}

pub(crate) async fn a_login_policy_is_kept(store: Shared) {
    add_person(&store, 1).await;
    let (idle, absolute) = (Duration::from_secs(60), Duration::from_secs(3600));
    let limit = crate::limits::limit(3, AtLimit::Ask);
    let policy = LoginPolicy::new(Some(idle), Some(absolute), limit).unwrap();
    assert!(store.set_login_policy(user_id(1), policy).await.unwrap());
    let expected = User {
        policy,
        ..person(1, "person1", &[])
    };
    assert_eq!(
        store.user(user_id(1)).await.unwrap(),
        Some(expected.clone())
    );
    assert_eq!(store.users(None, 9).await.unwrap(), [expected]);
    let nobody = store.set_login_policy(user_id(9), policy).await;
    assert!(!nobody.unwrap());
    assert_eq!(
        store.head().await.unwrap(),
        Position::START,
        "guards need not know"
    );
}
