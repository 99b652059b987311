//! The same story told to the store in memory and to another one gives the same answers, step by step.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::{
    env,
    fmt::Debug,
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use proptest::prelude::*;
use symbolon_authority::{
    App, PasswordHash, User,
    ports::{AppChange, Directory, Logins, NewGrant, Once, Presented, Purpose, StoreError, Terms},
};
use symbolon_login::{
    AppSettings, AtLimit, ClientId, Digest, Freshness, GrantId, KeyId, Lifetimes, Login,
    LoginLimit, LoginPolicy, Position, Scope, Shape, Sid, UnixMillis, UserId,
};
use symbolon_stores::{Bridged, Durability, Memory, Postgres, Redis, Sqlite};

#[path = "servers/schema.rs"]
mod schema;

static CELLS: AtomicU32 = AtomicU32::new(0);
const START: UnixMillis = UnixMillis::from_secs(1_800_000_000);

/// One step. The numbers name people, logins, grants and apps of a small world in which everything
/// collides.
#[derive(Clone, Debug)]
enum Step {
    AddUser(u8, bool),
    AddFirstAdmin(u8),
    SetPassword(u8),
    SetRoles(u8, bool),
    Disable(u8),
    Enable(u8),
    AddApp(u8),
    ChangeApp(u8, bool),
    Open {
        user: u8,
        login: u8,
        grant: u8,
        app: u8,
        terms: Terms,
    },
    Join {
        login: u8,
        grant: u8,
        app: u8,
        limit: Option<LoginLimit>,
    },
    Advance {
        grant: u8,
        generation: u32,
        app: u8,
        forged: bool,
    },
    Touch(u8),
    End(Scope),
    EndOwn(u8, u8),
    MarkBackup,
    BeginEpoch,
    Put(u8, u64),
    Take(u8),
    Sweep(u64),
}

fn few() -> impl Strategy<Value = u8> {
    0..4_u8
}

fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![
        1 => Just(Scope::Everything {}),
        1 => (0..9_u64).prop_map(|n| Scope::Restored { from: Position::new(1, n) }),
        1 => few().prop_map(|n| Scope::Key { kid: kid(n) }),
        2 => few().prop_map(|n| Scope::App { client_id: client(n) }),
        2 => few().prop_map(|n| Scope::User { user: user(n) }),
        3 => few().prop_map(|n| Scope::Login { sid: sid(n) }),
        3 => (few(), few()).prop_map(|(n, app)| Scope::Grant { sid: sid(n), client_id: client(app) }),
    ]
}

fn limit() -> impl Strategy<Value = Option<LoginLimit>> {
    let at = prop_oneof![
        Just(AtLimit::Refuse),
        Just(AtLimit::EndOldest),
        Just(AtLimit::Ask)
    ];
    let limit = (1..3_u32, at).prop_map(|(most, at_limit)| LoginLimit {
        most: most.try_into().unwrap(),
        at_limit,
    });
    proptest::option::weighted(0.4, limit)
}

fn terms() -> impl Strategy<Value = Terms> {
    let since = proptest::option::weighted(0.3, 0..9_u64);
    let instead_of = proptest::collection::vec(few().prop_map(sid), 0..2);
    (since, limit(), limit(), instead_of).prop_map(|(since, per_person, per_app, instead_of)| {
        Terms {
            since: since.map(|number| Position::new(1, number)),
            per_person,
            per_app,
            instead_of,
        }
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (few(), any::<bool>()).prop_map(|(n, admin)| Step::AddUser(n, admin)),
        1 => few().prop_map(Step::AddFirstAdmin),
        1 => few().prop_map(Step::SetPassword),
        1 => (few(), any::<bool>()).prop_map(|(n, admin)| Step::SetRoles(n, admin)),
        1 => few().prop_map(Step::Disable),
        1 => few().prop_map(Step::Enable),
        1 => few().prop_map(Step::AddApp),
        1 => (few(), any::<bool>()).prop_map(|(n, all)| Step::ChangeApp(n, all)),
        8 => (few(), few(), few(), few(), terms())
            .prop_map(|(user, login, grant, app, terms)| Step::Open { user, login, grant, app, terms }),
        4 => (few(), few(), few(), limit())
            .prop_map(|(login, grant, app, limit)| Step::Join { login, grant, app, limit }),
        12 => (few(), 0..3_u32, few(), proptest::bool::weighted(0.05))
            .prop_map(|(grant, generation, app, forged)| Step::Advance { grant, generation, app, forged }),
        3 => few().prop_map(Step::Touch),
        3 => scope().prop_map(Step::End),
        2 => (few(), few()).prop_map(|(user, login)| Step::EndOwn(user, login)),
        1 => Just(Step::MarkBackup),
        1 => Just(Step::BeginEpoch),
        2 => (few(), 0..20_u64).prop_map(|(n, days)| Step::Put(n, days)),
        2 => few().prop_map(Step::Take),
        1 => (0..20_u64).prop_map(Step::Sweep),
    ]
}

/// Steps, each so many milliseconds after the one before.
fn story() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let pause = prop_oneof![
        6 => Just(0),
        3 => 0..15_000_u64,
        2 => 0..120_000_u64,
        1 => 0..(4 * 86_400_000_u64),
    ];
    proptest::collection::vec((pause, step()), 1..50)
}

fn user(n: u8) -> UserId {
    UserId::mint(START, [n; 10])
}

fn sid(n: u8) -> Sid {
    Sid::mint(START, [n; 10])
}

fn grant(n: u8) -> GrantId {
    GrantId::mint(START, [n; 10])
}

/// Two apps share most of the traffic.
fn client(n: u8) -> ClientId {
    format!("app{}", n / 2).parse().unwrap()
}

fn kid(n: u8) -> KeyId {
    format!("key{n}").parse().unwrap()
}

fn secret(grant: u8, generation: u32) -> Digest {
    Digest::of("test", format!("{grant}/{generation}").as_bytes())
}

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

fn person(n: u8, admin: bool) -> User {
    User {
        id: user(n),
        // Two ids want the same identifier.
        identifier: format!("person{}", n % 3).parse().unwrap(),
        roles: admin
            .then(|| "admin".parse().unwrap())
            .into_iter()
            .collect(),
        policy: LoginPolicy::default(),
        created_at: START,
        disabled_at: None,
    }
}

fn app(n: u8) -> App {
    App {
        settings: AppSettings {
            client_id: client(n),
            shape: Shape::Session,
            freshness: Freshness::DEFAULT,
            lifetimes: Lifetimes::default(),
        },
        name: "An app".to_owned(),
        limit: None,
        redirect_uris: Vec::new(),
        secret: None,
        first_party: false,
        created_at: START,
    }
}

/// What can be compared of an answer: all of it, or that it is an error.
fn told<T: Debug>(answer: Result<T, StoreError>) -> String {
    answer.map_or_else(|_| "an error".to_owned(), |answer| format!("{answer:?}"))
}

#[expect(clippy::too_many_lines, reason = "one arm for each kind of step")]
async fn take<S>(store: &S, step: Step, now: UnixMillis) -> String
where
    S: Directory + Logins + Once,
{
    let hash = || PasswordHash::from_phc("x".to_owned());
    let new = |id: u8, app: u8| NewGrant {
        id: grant(id),
        client_id: client(app),
        digest: secret(id, 0),
    };
    match step {
        Step::AddUser(n, admin) => told(store.add_user(person(n, admin), hash()).await),
        Step::AddFirstAdmin(n) => told(store.add_first_admin(person(n, true), hash()).await),
        Step::SetPassword(n) => told(store.set_password(user(n), hash(), now).await),
        Step::SetRoles(n, admin) => {
            let roles = person(n, admin).roles;
            told(store.set_roles(user(n), roles, now).await)
        }
        Step::Disable(n) => told(store.disable_user(user(n), now).await),
        Step::Enable(n) => told(store.enable_user(user(n)).await),
        Step::AddApp(n) => told(store.add_app(app(n), now).await),
        Step::ChangeApp(n, all) => {
            let change = AppChange {
                name: all.then(|| "Other".to_owned()),
                shape: Some(Shape::Jwt),
                ..AppChange::default()
            };
            told(store.change_app(&client(n), change, now).await)
        }
        Step::Open {
            user: whose,
            login,
            grant,
            app,
            terms,
        } => {
            let login = Login {
                sid: sid(login),
                user: user(whose),
                authenticated_at: now,
                methods: vec!["pwd".to_owned()],
                device: None,
                expires_at: now.plus(days(5)),
                idle: (login == 1).then(|| days(1) / 2),
                remembered: login == 2,
                ended_at: None,
            };
            told(store.open(login, new(grant, app), terms, now).await)
        }
        Step::Join {
            login,
            grant,
            app,
            limit,
        } => told(store.join(sid(login), new(grant, app), limit, now).await),
        Step::Advance {
            grant: id,
            generation,
            app,
            forged,
        } => {
            let presented = Presented {
                grant: grant(id),
                generation,
                digest: secret(if forged { 99 } else { id }, generation),
                successor: secret(id, generation + 1),
            };
            let lifetimes = Lifetimes::new(
                days(1),
                days(4),
                days(0) + Duration::from_secs(300),
                Duration::from_secs(10),
            );
            told(
                store
                    .advance(presented, &client(app), lifetimes.unwrap(), now)
                    .await,
            )
        }
        Step::Touch(n) => {
            let touched = told(store.touch(grant(n), now).await);
            // A use may wait; a write takes it along.
            store.mark("after a use").await.unwrap();
            touched
        }
        // The stories ask the directory before they end somebody's logins. What the end of nobody
        // means for a person who is added under that id later is left to each store.
        Step::End(Scope::User { user }) if store.user(user).await.unwrap().is_none() => {
            "nobody".to_owned()
        }
        Step::End(scope) => told(store.end(scope, now).await),
        Step::MarkBackup => told(store.mark_backup(now).await),
        Step::BeginEpoch => told(store.begin_epoch(now).await),
        Step::EndOwn(n, login) => told(store.end_own(user(n), sid(login), now).await),
        Step::Put(n, life) => {
            let (key, value) = (secret(n, 0), n.to_string());
            told(
                store
                    .put(Purpose::SetUpLink, key, value, now.plus(days(life)))
                    .await,
            )
        }
        Step::Take(n) => told(store.take(Purpose::SetUpLink, secret(n, 0), now).await),
        Step::Sweep(ago) => {
            let before = now.as_millis() - i64::try_from(days(ago).as_millis()).unwrap();
            told(store.sweep(UnixMillis::from_millis(before), u32::MAX).await)
        }
    }
}

/// All that can be read.
async fn look<S>(store: &S, now: UnixMillis) -> Vec<String>
where
    S: Directory + Logins + Once,
{
    let mut seen = vec![
        told(store.users(None, 10).await),
        told(store.has_admin().await),
        told(store.apps().await),
        told(store.head().await),
        told(store.snapshot(now).await),
        told(store.snapshot(START).await),
        format!("{}", *store.wake().borrow()),
    ];
    for n in 0..4 {
        seen.push(told(store.user(user(n)).await));
        seen.push(told(store.find(grant(n)).await));
        seen.push(told(
            store
                .login(sid(n))
                .await
                .map(|found| found.map(|found| (found.login, found.grants))),
        ));
        seen.push(told(store.logins_of(user(n), now).await));
        seen.push(told(
            store.peek(Purpose::SetUpLink, secret(n, 0), now).await,
        ));
        let after = Position::new(1, u64::from(n) * 3);
        seen.push(told(store.tail(after, 5).await));
    }
    seen
}

fn runtime() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap()
}

/// Tells a story to the store in memory and to another one.
async fn compare<S>(other: &S, story: Vec<(u64, Step)>) -> Result<(), TestCaseError>
where
    S: Directory + Logins + Once,
{
    let memory = Memory::new();
    let mut now = START;
    for (pause, step) in story {
        now = now.plus(Duration::from_millis(pause));
        let expected = take(&memory, step.clone(), now).await;
        prop_assert_eq!(take(other, step.clone(), now).await, expected, "{:?}", step);
        prop_assert_eq!(
            look(other, now).await,
            look(&memory, now).await,
            "{:?}",
            step
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_tells_the_same_story(story in story()) {
        let runtime = runtime();
        let dir = tempfile::tempdir().unwrap();
        let sqlite = Sqlite::open(dir.path()).unwrap();
        runtime.block_on(compare(&sqlite, story))?;
    }

    #[test]
    fn postgres_tells_the_same_story(story in story()) {
        runtime().block_on(async {
            let shared = Postgres::connect(&schema::url().await).await.unwrap();
            compare(&shared, story).await
        })?;
    }

    #[test]
    fn redis_beside_a_directory_tells_the_same_story(story in story()) {
        let url = env::var("SYMBOLON_TEST_REDIS");
        let url = url.expect("SYMBOLON_TEST_REDIS is not set: run tests/servers/run cargo nextest run -p symbolon-stores");
        let cell = (process::id(), CELLS.fetch_add(1, Ordering::Relaxed));
        let url = format!("{url}?cell=reference-{}-{}", cell.0, cell.1);
        runtime().block_on(async {
            let redis = Redis::connect(&url, Durability::Memory).await.unwrap();
            let redis = Bridged::new(Memory::new(), redis, START).await.unwrap();
            compare(&redis, story).await
        })?;
    }
}
