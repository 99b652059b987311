//! A copy from store to store: everything arrives, whatever it is cut short by.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use symbolon_authority::{
    App, PasswordHash, User,
    ports::{Directory, Logins, NewGrant, Once, Purpose, StoreError, StoredKey, Terms},
};
use symbolon_login::{
    AppSettings, AtLimit, Digest, Freshness, GrantId, Lifetimes, Login, LoginLimit, LoginPolicy,
    Position, Presented, Scope, Shape, Sid, UnixMillis, UserId,
};
use symbolon_stores::{
    Postgres, Sqlite,
    transfer::{Begin, CopyError, Key, Kind, Record, Source, Target, UNFINISHED, copy},
};

#[path = "servers/schema.rs"]
mod schema;

/// All of them.
trait Ports: Directory + Logins + Once {}
impl<S: Directory + Logins + Once> Ports for S {}

const NOW: UnixMillis = UnixMillis::from_secs(1_800_000_000);
/// More than two bites of logins and grants.
const LOGINS: u32 = 2_500;

fn random(n: u32) -> [u8; 10] {
    let mut random = [7; 10];
    random[..4].copy_from_slice(&n.to_be_bytes());
    random
}

fn user(n: u32) -> UserId {
    UserId::mint(NOW, random(n))
}

fn secret(n: u32, generation: u32) -> Digest {
    Digest::of("test", format!("{n}/{generation}").as_bytes())
}

/// A store with something of everything, and with a past.
async fn fill<S: Ports>(store: &S) {
    let limit = Some(LoginLimit {
        most: 7.try_into().unwrap(),
        at_limit: AtLimit::Ask,
    });
    for n in 0..30 {
        let idle = (n == 3).then(|| Duration::from_secs(60));
        let user = User {
            id: user(n),
            identifier: format!("person{n}").parse().unwrap(),
            roles: vec!["x".parse().unwrap()],
            policy: LoginPolicy::new(idle, None, limit.filter(|_| n == 4)).unwrap(),
            created_at: NOW,
            disabled_at: None,
        };
        let hash = PasswordHash::from_phc(format!("hash{n}"));
        store.add_user(user, hash).await.unwrap();
    }
    for name in ["app", "other"] {
        let app = App {
            settings: AppSettings {
                client_id: name.parse().unwrap(),
                shape: Shape::Jwt,
                freshness: Freshness::Live,
                lifetimes: Lifetimes::default(),
            },
            name: name.to_owned(),
            limit: limit.filter(|_| name == "app"),
            redirect_uris: vec!["https://app.example/callback".parse().unwrap()],
            secret: (name == "app").then(|| secret(0, 0)),
            first_party: true,
            created_at: NOW,
        };
        store.add_app(app, NOW).await.unwrap();
    }
    let key = StoredKey {
        kid: "k1".parse().unwrap(),
        algorithm: "ES256".to_owned(),
        public_jwk: serde_json::json!({ "kty": "EC" }),
        sealed: vec![1, 2, 3],
        created_at: NOW,
    };
    store.add_first_key(key, NOW).await.unwrap();
    store.mark("demo").await.unwrap();
    // Many at a time, so that they share transactions.
    for bite in (0..LOGINS).collect::<Vec<_>>().chunks(500) {
        futures_util::future::join_all(bite.iter().map(|n| open(store, *n))).await;
    }
    store
        .end(
            Scope::Login {
                sid: Sid::mint(NOW, random(9)),
            },
            NOW,
        )
        .await
        .unwrap();
    store.end(Scope::User { user: user(8) }, NOW).await.unwrap();
    advance(store, 1, 0).await;
    let put = |n, purpose| {
        store.put(
            purpose,
            secret(n, 9),
            format!("v{n}"),
            NOW.plus(Duration::from_secs(60)),
        )
    };
    put(1, Purpose::AuthorizationCode).await.unwrap();
    put(2, Purpose::SetUpLink).await.unwrap();
    store
        .take(Purpose::SetUpLink, secret(2, 9), NOW)
        .await
        .unwrap();
}

/// That of its login for most.
fn grant_id(n: u32) -> GrantId {
    let other = if n % 4 == 3 { 1_000_000 } else { 0 };
    GrantId::mint(NOW, random(n + other))
}

async fn open<S: Ports>(store: &S, n: u32) {
    let login = Login {
        sid: Sid::mint(NOW, random(n)),
        user: user(n % 30),
        authenticated_at: NOW,
        methods: vec!["pwd".to_owned()],
        device: n.is_multiple_of(2).then(|| "Firefox".to_owned()),
        expires_at: NOW.plus(Duration::from_secs(86_400)),
        idle: n.is_multiple_of(5).then(|| Duration::from_secs(600)),
        remembered: n.is_multiple_of(3),
        ended_at: None,
    };
    let grant = NewGrant {
        id: grant_id(n),
        client_id: "app".parse().unwrap(),
        digest: secret(n, 0),
    };
    let opened = store.open(login, grant, Terms::default(), NOW).await;
    opened.unwrap();
}

async fn advance<S: Ports>(store: &S, n: u32, generation: u32) -> String {
    let presented = Presented {
        grant: grant_id(n),
        generation,
        digest: secret(n, generation),
        successor: secret(n, generation + 1),
    };
    let app = "app".parse().unwrap();
    let advanced = store.advance(presented, &app, Lifetimes::default(), NOW);
    format!("{:?}", advanced.await.unwrap())
}

/// All that can be read of it.
async fn look<S: Ports>(store: &S) -> Vec<String> {
    let mut seen = vec![
        format!("{:?}", store.users(None, 100).await.unwrap()),
        format!("{:?}", store.apps().await.unwrap()),
        format!("{:?}", store.head().await.unwrap()),
        format!("{:?}", store.snapshot(NOW).await.unwrap()),
        format!("{:?}", store.tail(Position::START, 100).await.unwrap()),
        format!("{:?}", store.is_marked("demo").await.unwrap()),
    ];
    for key in store.keys().await.unwrap() {
        seen.push(format!("{} {} {:?}", key.kid, key.public_jwk, key.sealed));
    }
    for n in 0..LOGINS {
        let id = grant_id(n);
        seen.push(format!("{:?}", store.find(id).await.unwrap()));
    }
    for (n, purpose) in [(1, Purpose::AuthorizationCode), (2, Purpose::SetUpLink)] {
        seen.push(format!(
            "{:?}",
            store.peek(purpose, secret(n, 9), NOW).await
        ));
    }
    for n in 0..30 {
        let named = format!("person{n}").parse().unwrap();
        let (_, hash) = store.user_to_verify(&named).await.unwrap().unwrap();
        seen.push(hash.expose().to_owned());
    }
    seen
}

/// A target whose disk fails at the n-th bite.
struct Failing<'a> {
    inner: &'a Sqlite,
    left: AtomicU32,
}

#[async_trait]
impl Source for Failing<'_> {
    async fn count(&self, kind: Kind, after: Option<Key>) -> Result<u64, StoreError> {
        self.inner.count(kind, after).await
    }
    async fn records(
        &self,
        kind: Kind,
        after: Option<Key>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        self.inner.records(kind, after, limit).await
    }
    async fn log_head(&self) -> Result<Position, StoreError> {
        self.inner.log_head().await
    }
}

#[async_trait]
impl Target for Failing<'_> {
    async fn last(&self, kind: Kind) -> Result<Option<Key>, StoreError> {
        self.inner.last(kind).await
    }
    async fn begin(&self) -> Result<Begin, StoreError> {
        self.inner.begin().await
    }
    async fn import(&self, records: Vec<Record>) -> Result<(), StoreError> {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            return Err(StoreError::Unavailable("the disk is full".to_owned()));
        }
        self.inner.import(records).await
    }
    async fn finish(&self, head: Position) -> Result<(), StoreError> {
        self.inner.finish(head).await
    }
}

/// A source in which somebody signs in when the first grants are asked for.
struct Busy<'a> {
    inner: &'a Sqlite,
    signs_in: AtomicBool,
}

#[async_trait]
impl Source for Busy<'_> {
    async fn count(&self, kind: Kind, after: Option<Key>) -> Result<u64, StoreError> {
        self.inner.count(kind, after).await
    }
    async fn records(
        &self,
        kind: Kind,
        after: Option<Key>,
        limit: u32,
    ) -> Result<Vec<Record>, StoreError> {
        if kind == Kind::Grant && self.signs_in.swap(false, Ordering::SeqCst) {
            open(self.inner, LOGINS).await;
        }
        self.inner.records(kind, after, limit).await
    }
    async fn log_head(&self) -> Result<Position, StoreError> {
        self.inner.log_head().await
    }
}

fn a_store() -> (Sqlite, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (Sqlite::open(dir.path()).unwrap(), dir)
}

#[tokio::test]
async fn everything_arrives_and_nobody_is_signed_out() {
    let ((from, _from), (to, dir)) = (a_store(), a_store());
    fill(&from).await;
    let mut told = Vec::new();
    let copied = copy(&from, &to, |progress| told.push(progress))
        .await
        .unwrap();
    let last = told.last().unwrap();
    assert_eq!((last.done, last.all), (copied, copied));
    assert!(told.is_sorted_by_key(|progress| progress.done));
    assert!(!to.is_marked(UNFINISHED).await.unwrap());
    assert_eq!(look(&to).await, look(&from).await);
    // The log goes on where it stood, also after the next start.
    to.close().unwrap();
    let to = Sqlite::open(dir.path()).unwrap();
    let next = from.end(Scope::Everything {}, NOW).await.unwrap();
    // The line of a grant goes on, and remembers what it gave before.
    assert!(advance(&to, 1, 0).await.starts_with("Replayed"));
    assert!(advance(&to, 1, 1).await.starts_with("Rotated"));
    assert_eq!(to.end(Scope::Everything {}, NOW).await.unwrap(), next);
}

#[tokio::test]
async fn a_copy_that_was_cut_short_goes_on() {
    let ((from, _from), (to, _to)) = (a_store(), a_store());
    fill(&from).await;
    for bites in 0..12 {
        let failing = Failing {
            inner: &to,
            left: AtomicU32::new(1),
        };
        match copy(&from, &failing, |_| {}).await {
            Ok(_) => {
                assert!(bites > 8, "hardly cut short at all");
                assert_eq!(look(&to).await, look(&from).await);
                return;
            }
            Err(CopyError::Store(StoreError::Unavailable(_))) => {
                assert!(to.is_marked(UNFINISHED).await.unwrap());
            }
            Err(other) => unreachable!("{other}"),
        }
    }
    unreachable!("one more bite each time, and still not done");
}

#[tokio::test]
async fn a_source_that_is_written_to_is_told_as_such() {
    let ((from, _from), (to, _to)) = (a_store(), a_store());
    fill(&from).await;
    let busy = Busy {
        inner: &from,
        signs_in: AtomicBool::new(true),
    };
    let refused = copy(&busy, &to, |_| {}).await;
    assert!(matches!(refused, Err(CopyError::Changed)), "{refused:?}");
    assert!(to.is_marked(UNFINISHED).await.unwrap());
}

#[tokio::test]
async fn nothing_is_laid_over_a_store_that_lives() {
    let ((from, _from), (to, _to)) = (a_store(), a_store());
    fill(&from).await;
    to.mark("demo").await.unwrap();
    let refused = copy(&from, &to, |_| {}).await;
    assert!(matches!(refused, Err(CopyError::Occupied)));
    assert!(!to.is_marked(UNFINISHED).await.unwrap());
    assert_eq!(to.users(None, 9).await.unwrap(), []);
}

#[tokio::test]
async fn a_half_copy_of_something_else_is_not_finished() {
    let ((one, _one), (other, _other), (to, _to)) = (a_store(), a_store(), a_store());
    fill(&one).await;
    other.mark("a").await.unwrap();
    let failing = Failing {
        inner: &to,
        left: AtomicU32::new(2),
    };
    assert!(copy(&one, &failing, |_| {}).await.is_err());
    let refused = copy(&other, &to, |_| {}).await;
    assert!(matches!(refused, Err(CopyError::Foreign)));
    assert!(to.is_marked(UNFINISHED).await.unwrap());
}

#[tokio::test]
async fn sqlite_to_postgres_and_back_signs_nobody_out() {
    let ((from, _from), (back, _back)) = (a_store(), a_store());
    fill(&from).await;
    let postgres = Postgres::connect(&schema::url().await).await.unwrap();
    copy(&from, &postgres, |_| {}).await.unwrap();
    assert_eq!(look(&postgres).await, look(&from).await);
    // Life goes on there: the line of a grant, the log, an end and what it judges.
    assert!(advance(&postgres, 1, 0).await.starts_with("Replayed"));
    assert!(advance(&postgres, 1, 1).await.starts_with("Rotated"));
    let ended = postgres
        .end(Scope::User { user: user(7) }, NOW)
        .await
        .unwrap();
    assert_eq!(ended.position, from.head().await.unwrap().next());
    assert_eq!(ended.count, u64::from(LOGINS / 30 + 1));
    let app = "app".parse().unwrap();
    postgres
        .end(Scope::App { client_id: app }, NOW)
        .await
        .unwrap();
    assert!(advance(&postgres, 1, 2).await.starts_with("Ended"));

    copy(&postgres, &back, |_| {}).await.unwrap();
    assert_eq!(look(&back).await, look(&postgres).await);
    let next = postgres.end(Scope::Everything {}, NOW).await.unwrap();
    assert_eq!(back.end(Scope::Everything {}, NOW).await.unwrap(), next);
    let occupied = copy(&back, &postgres, |_| {}).await;
    assert!(matches!(occupied, Err(CopyError::Occupied)));
}

#[tokio::test]
async fn a_moment_of_a_database_holds_still_while_it_is_written_to() {
    let ((from, _from), (to, _to)) = (a_store(), a_store());
    fill(&from).await;
    let postgres = Postgres::connect(&schema::url().await).await.unwrap();
    copy(&from, &postgres, |_| {}).await.unwrap();
    let before = look(&postgres).await;
    postgres.mark_backup(NOW).await.unwrap();
    let head = postgres.head().await.unwrap();
    let moment = postgres.moment().await.unwrap();
    postgres.end(Scope::Everything {}, NOW).await.unwrap();
    copy(&moment, &to, |_| {}).await.unwrap();
    drop(moment);
    assert_eq!(to.head().await.unwrap(), head);
    // Equal but for the mark of the backup.
    let unlike = |line: &&String| !before.contains(*line);
    let changed: Vec<_> = look(&to).await;
    assert_eq!(
        changed.iter().filter(unlike).count(),
        3,
        "head, snapshot and tail"
    );
    // The connection that held the moment is not used again.
    for _ in 0..40 {
        postgres.mark("x").await.unwrap();
        assert!(postgres.is_marked("x").await.unwrap());
    }
}
