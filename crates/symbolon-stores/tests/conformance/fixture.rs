//! People, apps, logins and secrets for the stories.

use std::{fmt::Debug, sync::Arc};

use symbolon_authority::{
    App, PasswordHash, User,
    ports::{
        AddUser, Advance, Directory, Ended, Join, Limits, Logins, NewGrant, Once, Open, Presented,
        Standpoint, Tail, Terms,
    },
};
use symbolon_login::{
    AppSettings, ClientId, Digest, Freshness, GrantId, Lifetimes, LogEntry, Login, LoginPolicy,
    Position, Shape, Sid, UnixMillis, UserId,
};

/// Any backend.
pub(crate) trait Store: Directory + Logins + Limits + Once {}
impl<T: Directory + Logins + Limits + Once> Store for T {}
pub(crate) type Shared = Arc<dyn Store>;

/// Now, and a time after now.
pub(crate) const fn at(millis: i64) -> UnixMillis {
    UnixMillis::from_millis(1_800_000_000_000 + millis)
}
pub(crate) const NOW: UnixMillis = at(0);
pub(crate) const SECOND: i64 = 1000;
pub(crate) const DAY: i64 = 86_400 * SECOND;

/// Idle for 7 days, 30 days in any case, 10 seconds of grace.
pub(crate) fn lifetimes() -> Lifetimes {
    Lifetimes::default()
}

pub(crate) fn user_id(n: u8) -> UserId {
    UserId::mint(NOW, [n; 10])
}

/// Later numbers are later logins.
pub(crate) fn sid(n: u8) -> Sid {
    Sid::mint(at(i64::from(n)), [n; 10])
}

pub(crate) fn grant_id(n: u8) -> GrantId {
    GrantId::mint(at(i64::from(n)), [n; 10])
}

pub(crate) fn digest(text: &str) -> Digest {
    Digest::of("test", text.as_bytes())
}

pub(crate) fn client(name: &str) -> ClientId {
    name.parse().unwrap()
}

pub(crate) fn person(n: u8, identifier: &str, roles: &[&str]) -> User {
    User {
        id: user_id(n),
        identifier: identifier.parse().unwrap(),
        roles: roles.iter().map(|role| role.parse().unwrap()).collect(),
        policy: LoginPolicy::default(),
        created_at: NOW,
        disabled_at: None,
    }
}

pub(crate) fn hash(text: &str) -> PasswordHash {
    PasswordHash::from_phc(text.to_owned())
}

pub(crate) fn app(name: &str) -> App {
    App {
        settings: AppSettings {
            client_id: client(name),
            shape: Shape::Session,
            freshness: Freshness::DEFAULT,
            lifetimes: lifetimes(),
        },
        name: format!("The {name}"),
        limit: None,
        redirect_uris: vec!["http://localhost:7301/callback".parse().unwrap()],
        secret: Some(digest(name)),
        first_party: true,
        created_at: NOW,
    }
}

/// Adds person `n`.
pub(crate) async fn add_person(store: &Shared, n: u8) {
    let user = person(n, &format!("person{n}"), &[]);
    let added = store.add_user(user, hash("x")).await.unwrap();
    assert_eq!(added, AddUser::Added);
}

/// The login `n` of person `user`, as it is asked for.
pub(crate) fn login(user: u8, n: u8) -> Login {
    Login {
        sid: sid(n),
        user: user_id(user),
        authenticated_at: at(-500),
        methods: vec!["pwd".to_owned(), "otp".to_owned()],
        device: Some("Firefox on Linux".to_owned()),
        expires_at: at(30 * DAY),
        idle: None,
        remembered: true,
        ended_at: None,
    }
}

/// The grant `n` of an app, as it is asked for.
pub(crate) fn grant(n: u8, client_id: &str) -> NewGrant {
    NewGrant {
        id: grant_id(n),
        client_id: client(client_id),
        digest: secret(n, 0),
    }
}

/// The digest of the secret `generation` of the line of grant `n`.
pub(crate) fn secret(n: u8, generation: u32) -> Digest {
    digest(&format!("{n}/{generation}"))
}

/// The secret `generation` of grant `n`, presented.
pub(crate) fn presented(n: u8, generation: u32) -> Presented {
    Presented {
        grant: grant_id(n),
        generation,
        digest: secret(n, generation),
        successor: secret(n, generation + 1),
    }
}

/// Opens login `n` of `user` with grant `n` for an app.
pub(crate) async fn open(store: &Shared, user: u8, n: u8, client_id: &str) -> Standpoint {
    let opened = store
        .open(login(user, n), grant(n, client_id), Terms::default(), NOW)
        .await;
    match opened.unwrap() {
        Open::Opened(opened) => *opened,
        other => panic!("{other:?}"),
    }
}

/// Adds grant `n` to a login.
pub(crate) async fn join(store: &Shared, to: u8, n: u8, client_id: &str) -> Standpoint {
    match store
        .join(sid(to), grant(n, client_id), None, NOW)
        .await
        .unwrap()
    {
        Join::Granted(granted) => *granted,
        other => panic!("{other:?}"),
    }
}

/// Presents the secret `generation` of grant `n` as the app `app`.
pub(crate) async fn advance(store: &Shared, n: u8, generation: u32, now: UnixMillis) -> Advance {
    advance_as(store, "app", presented(n, generation), now).await
}

/// Presents a secret as any app.
pub(crate) async fn advance_as(
    store: &Shared,
    client_id: &str,
    presented: Presented,
    now: UnixMillis,
) -> Advance {
    let client_id = client(client_id);
    let advanced = store.advance(presented, &client_id, lifetimes(), now);
    advanced.await.unwrap()
}

pub(crate) async fn find(store: &Shared, n: u8) -> Standpoint {
    store.find(grant_id(n)).await.unwrap().unwrap()
}

/// Whether grant `n` and its login have neither been ended.
pub(crate) async fn lives(store: &Shared, n: u8) -> bool {
    let found = find(store, n).await;
    found.login.ended_at.is_none() && found.grant.ended_at.is_none()
}

pub(crate) async fn entries(store: &Shared, after: Position, limit: u32) -> Vec<LogEntry> {
    match store.tail(after, limit).await.unwrap() {
        Tail::Entries(entries) => entries,
        Tail::Reset => panic!("a gap after {after}"),
    }
}

pub(crate) fn ended(number: u64, count: u64) -> Ended {
    Ended {
        position: Position::new(1, number),
        count,
    }
}

/// Equal in all that can be shown; digests are told apart by their first bytes.
pub(crate) fn assert_same(a: &impl Debug, b: &impl Debug) {
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
}
