//! The stories, told on the memory store with a clock that the test turns.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests; signing takes the system's randomness only"
)]

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use symbolon_authority::{
    AddedApp, AddedUser, Admin, App, Attempt, Authority, Authorized, ChangedApp, CodeChallenge,
    CodeRedemption, CodeRequest, Credential, DisabledUser, Issued, Known, NewApp, NewPassword,
    NewUser, Password, Passwords, Ports, ProofAsked, Redeemed, RootSecret, SetUp, Settings, SignIn,
    User,
    ports::{AppChange, NoRandomness, World},
};
use symbolon_login::{
    AppSettings, Change, Freshness, Introspection, Lifetimes, Position, Shape, UnixMillis,
};
use symbolon_stores::Memory;
use zeroize::Zeroizing;

mod rules;

const ISSUER: &str = "http://localhost:7300";
const PASSWORD: &str = "correct horse battery";

struct TestWorld {
    now: AtomicI64,
    random: SystemRandom,
}

impl World for TestWorld {
    fn now(&self) -> UnixMillis {
        UnixMillis::from_millis(self.now.load(Ordering::SeqCst))
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        self.random.fill(bytes).map_err(|_| NoRandomness)
    }

    fn signing_random(&self) -> &dyn SecureRandom {
        &self.random
    }
}

struct Town {
    authority: Authority,
    store: Arc<Memory>,
    world: Arc<TestWorld>,
    admin: Admin,
    alice: User,
    session_app: App,
    jwt_app: App,
}

impl Town {
    async fn new() -> Self {
        let world = Arc::new(TestWorld {
            now: AtomicI64::new(1_800_000_000_000),
            random: SystemRandom::new(),
        });
        let store = Arc::new(Memory::new());
        let ports = Ports {
            directory: store.clone(),
            logins: store.clone(),
            limits: store.clone(),
            once: store.clone(),
            world: world.clone(),
        };
        let passwords = Passwords::start(NonZeroUsize::MIN, 64, [1; 16]).unwrap();
        let root = RootSecret::from_bytes([7; 32]);
        let authority = Authority::open(ports, &root, passwords, Settings::new(ISSUER))
            .await
            .unwrap();
        let admin = Admin::operator();
        let alice = add_user(&authority, &admin, "alice").await;
        let session_app = add_app(&authority, &admin, "back-office", Shape::Session).await;
        let jwt_app = add_app(&authority, &admin, "dashboard", Shape::Jwt).await;
        Self {
            authority,
            store,
            world,
            admin,
            alice,
            session_app,
            jwt_app,
        }
    }

    fn wait(&self, span: Duration) {
        self.world
            .now
            .fetch_add(i64::try_from(span.as_millis()).unwrap(), Ordering::SeqCst);
    }

    async fn try_sign_in(&self, identifier: &str, password: &str, app: &App) -> Option<Credential> {
        let attempt = Attempt {
            identifier: identifier.to_owned(),
            password: Password::new(password.to_owned()),
            device: Some("test".to_owned()),
            remember: true,
            replaces: None,
            instead_of: Vec::new(),
        };
        match self.authority.sign_in(attempt, app).await.unwrap() {
            SignIn::SignedIn(credential) => Some(*credential),
            SignIn::Refused => None,
            SignIn::Later { .. } => panic!("later"),
            SignIn::Full(_) => panic!("full"),
        }
    }

    async fn sign_in(&self, app: &App) -> Credential {
        self.try_sign_in("alice", PASSWORD, app).await.unwrap()
    }

    async fn who(&self, credential: &str) -> Option<Known> {
        self.authority.who(credential).await.unwrap()
    }

    async fn refresh(&self, app: &App, presented: &str) -> Option<Credential> {
        issued(self.authority.refresh(app, presented).await.unwrap())
    }

    /// A code for the app of the jwt shape.
    async fn code(&self, who: &Known, request: CodeRequest) -> Zeroizing<String> {
        let authorized = self.authority.authorize(who, &self.jwt_app, request).await;
        match authorized.unwrap() {
            Authorized::Code(code) => code,
            Authorized::Full(_) | Authorized::ProveAgain(_) => panic!("no code"),
        }
    }

    async fn flip(&self, app: &App, shape: Shape) -> App {
        let change = AppChange {
            shape: Some(shape),
            ..AppChange::default()
        };
        let changed = self
            .authority
            .change_app(&self.admin, &app.settings.client_id, change);
        match changed.await.unwrap() {
            ChangedApp::Changed(app) => *app,
            ChangedApp::Unknown | ChangedApp::Console => panic!("not changed"),
        }
    }
}

async fn add_user(authority: &Authority, admin: &Admin, identifier: &str) -> User {
    let new = NewUser {
        identifier: identifier.parse().unwrap(),
        password: NewPassword::new(PASSWORD.to_owned()).ok().unwrap(),
        roles: Vec::new(),
    };
    match authority.add_user(admin, new).await.unwrap() {
        AddedUser::Added(user) => user,
        AddedUser::Taken => panic!("taken"),
    }
}

async fn add_app(authority: &Authority, admin: &Admin, client_id: &str, shape: Shape) -> App {
    let new = NewApp {
        settings: AppSettings {
            client_id: client_id.parse().unwrap(),
            shape,
            freshness: Freshness::DEFAULT,
            lifetimes: Lifetimes::default(),
        },
        name: client_id.to_owned(),
        limit: None,
        redirect_uris: vec!["http://localhost:7301/auth/callback".parse().unwrap()],
        confidential: true,
        first_party: true,
    };
    match authority.add_app(admin, new).await.unwrap() {
        AddedApp::Added { app, .. } => *app,
        AddedApp::Taken => panic!("taken"),
    }
}

fn issued(redeemed: Redeemed) -> Option<Credential> {
    match redeemed {
        Redeemed::Issued(credential) => Some(*credential),
        Redeemed::Refused => None,
    }
}

/// What proves a request, and what keeps it going: the same text in the session shape.
fn parts(credential: &Credential) -> (String, String) {
    match &credential.issued {
        Issued::Session { secret, .. } => (secret.to_string(), secret.to_string()),
        Issued::Tokens {
            access_token,
            refresh_token,
            ..
        } => (access_token.clone(), refresh_token.to_string()),
    }
}

fn challenge_of(verifier: &str) -> CodeChallenge {
    let hashed = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
    CodeChallenge::parse(&URL_SAFE_NO_PAD.encode(hashed)).unwrap()
}

#[tokio::test]
async fn a_sign_in_proves_itself_in_either_shape() {
    let town = Town::new().await;
    for app in [&town.session_app, &town.jwt_app] {
        let credential = town.sign_in(app).await;
        assert_eq!(credential.issued.shape(), app.settings.shape);
        let (proof, keeper) = parts(&credential);
        let known = town.who(&proof).await.unwrap();
        assert_eq!(
            (known.user.id, known.login.sid),
            (town.alice.id, credential.sid)
        );
        assert_eq!(known.shape, app.settings.shape);
        // A refresh token is no answer to "who?", whatever it could be turned into.
        assert_eq!(
            town.who(&keeper).await.is_some(),
            app.settings.shape == Shape::Session
        );
    }
}

#[tokio::test]
async fn each_sign_in_is_a_new_login_with_a_new_secret() {
    let town = Town::new().await;
    let (first, second) = (
        town.sign_in(&town.session_app).await,
        town.sign_in(&town.session_app).await,
    );
    assert_ne!(first.sid, second.sid);
    assert_ne!(parts(&first).0, parts(&second).0);
}

#[tokio::test]
async fn wrong_password_unknown_and_disabled_are_all_just_refused() {
    let town = Town::new().await;
    let bob = add_user(&town.authority, &town.admin, "bob").await;
    let disabled = town.authority.disable_user(&town.admin, bob.id).await;
    assert!(matches!(disabled.unwrap(), DisabledUser::Disabled(_)));
    for (identifier, password) in [
        ("alice", "wrong"),
        ("nobody", PASSWORD),
        ("bob", PASSWORD),
        ("", PASSWORD),
        ("alice", ""),
        ("not a name\0", PASSWORD),
    ] {
        assert!(
            town.try_sign_in(identifier, password, &town.jwt_app)
                .await
                .is_none(),
            "{identifier:?}"
        );
    }
    assert!(
        town.try_sign_in("ALICE", PASSWORD, &town.jwt_app)
            .await
            .is_some()
    );
}

#[tokio::test]
async fn an_ended_login_is_dead_in_both_shapes() {
    let town = Town::new().await;
    let session = parts(&town.sign_in(&town.session_app).await);
    let jwt = parts(&town.sign_in(&town.jwt_app).await);
    let ended = town
        .authority
        .end_logins_of(&town.admin, town.alice.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ended.count, 2);
    for proof in [&session.0, &jwt.0] {
        assert!(town.who(proof).await.is_none());
        assert_eq!(
            town.authority.introspect(proof).await.unwrap(),
            Introspection::Inactive
        );
    }
    assert!(town.refresh(&town.session_app, &session.1).await.is_none());
    assert!(town.refresh(&town.jwt_app, &jwt.1).await.is_none());
    assert_eq!(town.authority.head().await.unwrap(), ended.position);
    // Signing in again works: the new grant is younger than the cut-off.
    let again = parts(&town.sign_in(&town.jwt_app).await);
    assert!(town.who(&again.0).await.is_some());
}

#[tokio::test]
async fn one_login_ends_alone_and_only_by_its_owner() {
    let town = Town::new().await;
    let bob = add_user(&town.authority, &town.admin, "bob").await;
    let (mine, other) = (
        town.sign_in(&town.session_app).await,
        town.sign_in(&town.session_app).await,
    );
    let bobs = town
        .try_sign_in("bob", PASSWORD, &town.session_app)
        .await
        .unwrap();
    assert_eq!(bobs.user, bob.id);
    let me = town.who(&parts(&mine).0).await.unwrap();
    assert!(
        town.authority
            .end_own_login(&me, bobs.sid)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        town.authority
            .end_own_login(&me, other.sid)
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        town.authority
            .end_own_login(&me, other.sid)
            .await
            .unwrap()
            .is_none()
    );
    assert!(town.who(&parts(&mine).0).await.is_some());
    assert!(town.who(&parts(&bobs).0).await.is_some());
    assert!(town.who(&parts(&other).0).await.is_none());
}

#[tokio::test]
async fn a_replay_within_the_grace_gets_the_same_answer_and_later_ends_the_login() {
    let town = Town::new().await;
    let (_, first) = parts(&town.sign_in(&town.jwt_app).await);
    let once = town.refresh(&town.jwt_app, &first).await.unwrap();
    town.wait(Duration::from_secs(9));
    let again = town.refresh(&town.jwt_app, &first).await.unwrap();
    assert_eq!(parts(&once).1, parts(&again).1);
    // The access tokens state the same; only an ECDSA signature differs from one to the next.
    let payload =
        |credential: &Credential| parts(credential).0.split('.').nth(1).unwrap().to_owned();
    assert_eq!(payload(&once), payload(&again));
    town.wait(Duration::from_secs(1));
    assert!(
        town.refresh(&town.jwt_app, &first).await.is_none(),
        "reused after the grace"
    );
    assert!(
        town.who(&parts(&once).0).await.is_none(),
        "so the login is ended"
    );
    assert!(town.refresh(&town.jwt_app, &parts(&once).1).await.is_none());
}

#[tokio::test]
async fn another_apps_secret_refreshes_nothing() {
    let town = Town::new().await;
    let (_, refresh) = parts(&town.sign_in(&town.jwt_app).await);
    assert!(town.refresh(&town.session_app, &refresh).await.is_none());
    assert!(
        town.refresh(&town.jwt_app, &refresh).await.is_some(),
        "and harms nothing"
    );
    for junk in ["", "sym_r_", "sym_r_AAAA", "eyJhbGciOiJub25lIn0.e30."] {
        assert!(town.refresh(&town.jwt_app, junk).await.is_none(), "{junk}");
        assert!(town.who(junk).await.is_none(), "{junk}");
    }
}

#[tokio::test]
async fn a_flip_signs_nobody_out_in_either_direction() {
    let town = Town::new().await;
    let start = town.sign_in(&town.jwt_app).await;
    let (jwt, refresh) = parts(&start);
    let app = town.flip(&town.jwt_app, Shape::Session).await;
    assert!(
        town.who(&jwt).await.is_some(),
        "what was handed out before stays good"
    );
    let as_session = town.refresh(&app, &refresh).await.unwrap();
    assert_eq!(
        (as_session.issued.shape(), as_session.sid),
        (Shape::Session, start.sid)
    );
    let (session, _) = parts(&as_session);
    assert!(town.who(&session).await.is_some());
    let app = town.flip(&app, Shape::Jwt).await;
    let as_jwt = town.refresh(&app, &session).await.unwrap();
    assert_eq!((as_jwt.issued.shape(), as_jwt.sid), (Shape::Jwt, start.sid));
    assert!(town.who(&parts(&as_jwt).0).await.is_some());
    town.wait(Duration::from_secs(11));
    assert!(
        town.who(&session).await.is_none(),
        "the replaced session is no second way in"
    );
}

#[tokio::test]
async fn a_code_gives_one_credential_and_a_second_use_takes_it_back() {
    let town = Town::new().await;
    let console = town
        .authority
        .app(town.authority.console())
        .await
        .unwrap()
        .unwrap();
    let browser = town
        .who(&parts(&town.sign_in(&console).await).0)
        .await
        .unwrap();
    let verifier = "v".repeat(43);
    let redirect_uri = "http://localhost:7301/auth/callback";
    let request = || CodeRequest {
        redirect_uri: redirect_uri.to_owned(),
        challenge: challenge_of(&verifier),
        proof: ProofAsked::default(),
    };
    let redeem = async |app: &App, code: &str, redirect_uri: &str, verifier: &str| {
        let brought = CodeRedemption {
            code,
            redirect_uri,
            verifier,
        };
        issued(town.authority.redeem_code(app, brought).await.unwrap())
    };

    let code = town.code(&browser, request()).await;
    let credential = redeem(&town.jwt_app, &code, redirect_uri, &verifier)
        .await
        .unwrap();
    assert_eq!(
        credential.sid, browser.login.sid,
        "a share in the same login"
    );
    let (token, _) = parts(&credential);
    assert!(town.who(&token).await.is_some());
    assert!(
        redeem(&town.jwt_app, &code, redirect_uri, &verifier)
            .await
            .is_none()
    );
    assert!(
        town.who(&token).await.is_none(),
        "the replayed code takes back what it gave"
    );

    for (app, uri, verifier) in [
        (&town.session_app, redirect_uri, verifier.as_str()),
        (
            &town.jwt_app,
            "http://localhost:7301/other",
            verifier.as_str(),
        ),
        (
            &town.jwt_app,
            redirect_uri,
            "wrong-wrong-wrong-wrong-wrong-wrong-wrong-wrong",
        ),
    ] {
        let code = town.code(&browser, request()).await;
        assert!(redeem(app, &code, uri, verifier).await.is_none(), "{uri}");
    }
    let late = town.code(&browser, request()).await;
    town.wait(Duration::from_secs(60));
    assert!(
        redeem(&town.jwt_app, &late, redirect_uri, &verifier)
            .await
            .is_none(),
        "expired"
    );

    let code = town.code(&browser, request()).await;
    town.authority.end_all_own_logins(&browser).await.unwrap();
    assert!(
        redeem(&town.jwt_app, &code, redirect_uri, &verifier)
            .await
            .is_none(),
        "the login ended meanwhile"
    );
}

/// However the twenty fall between each other's steps: at most one gets a credential, and it is dead
/// when all are done (RFC 6749 section 4.1.2, ASVS 10.4.2).
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_code_redeemed_by_many_at_once_is_good_for_nobody() {
    let town = Arc::new(Town::new().await);
    let console = town
        .authority
        .app(town.authority.console())
        .await
        .unwrap()
        .unwrap();
    let browser = town
        .who(&parts(&town.sign_in(&console).await).0)
        .await
        .unwrap();
    let verifier = "v".repeat(43);
    let mut won = 0;
    for _ in 0..100 {
        let request = CodeRequest {
            redirect_uri: "http://localhost:7301/auth/callback".to_owned(),
            challenge: challenge_of(&verifier),
            proof: ProofAsked::default(),
        };
        let code = Arc::new(town.code(&browser, request).await);
        let mut tries = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (town, code, verifier) = (town.clone(), code.clone(), verifier.clone());
            tries.spawn(async move {
                let brought = CodeRedemption {
                    code: &code,
                    redirect_uri: "http://localhost:7301/auth/callback",
                    verifier: &verifier,
                };
                issued(
                    town.authority
                        .redeem_code(&town.jwt_app, brought)
                        .await
                        .unwrap(),
                )
            });
        }
        let got: Vec<Credential> = tries.join_all().await.into_iter().flatten().collect();
        assert!(got.len() <= 1);
        won += got.len();
        for credential in got {
            assert!(
                town.who(&parts(&credential).0).await.is_none(),
                "it lives on"
            );
        }
    }
    assert!(won <= 100);
}

#[tokio::test]
async fn idle_and_absolute_lifetimes_end_a_grant() {
    let town = Town::new().await;
    let (session, _) = parts(&town.sign_in(&town.session_app).await);
    town.wait(Duration::from_secs(6 * 86_400));
    assert!(
        town.who(&session).await.is_some(),
        "used in time: the seven days begin again"
    );
    town.wait(Duration::from_secs(6 * 86_400));
    assert!(town.who(&session).await.is_some());
    town.wait(Duration::from_secs(7 * 86_400));
    assert!(town.who(&session).await.is_none());

    let (token, _) = parts(&town.sign_in(&town.jwt_app).await);
    town.wait(Duration::from_secs(299));
    assert!(town.who(&token).await.is_some());
    town.wait(Duration::from_secs(1));
    assert!(town.who(&token).await.is_none(), "at exp it has expired");
}

#[tokio::test]
async fn the_first_administrator_is_made_once() {
    let town = Town::new().await;
    let first = |name: &str| NewUser {
        identifier: name.parse().unwrap(),
        password: NewPassword::new(PASSWORD.to_owned()).ok().unwrap(),
        roles: Vec::new(),
    };
    let link = town.authority.set_up_link().await.unwrap().unwrap();
    let spare = town.authority.set_up_link().await.unwrap().unwrap();
    assert!(town.authority.is_set_up_link(&link).await.unwrap());
    assert!(matches!(
        town.authority
            .set_up("made-up", first("eve"))
            .await
            .unwrap(),
        SetUp::Refused
    ));
    let SetUp::Done(AddedUser::Added(root)) =
        town.authority.set_up(&link, first("root")).await.unwrap()
    else {
        panic!("not added")
    };
    assert!(root.is_admin());
    for used in [&link, &spare] {
        assert!(!town.authority.is_set_up_link(used).await.unwrap());
        assert!(matches!(
            town.authority.set_up(used, first("eve")).await.unwrap(),
            SetUp::Refused
        ));
    }
    assert!(town.authority.set_up_link().await.unwrap().is_none());
}

#[tokio::test]
async fn guards_hear_of_keys_apps_and_ends_in_one_dense_log() {
    let town = Town::new().await;
    town.authority
        .end_logins_of(&town.admin, town.alice.id)
        .await
        .unwrap();
    town.flip(&town.jwt_app, Shape::Session).await;
    let symbolon_authority::ports::Tail::Entries(entries) =
        town.authority.tail(Position::START, 100).await.unwrap()
    else {
        panic!("reset")
    };
    for (number, entry) in (1..).zip(&entries) {
        assert_eq!(entry.position, Position::new(1, number));
    }
    let kinds: Vec<&str> = entries
        .iter()
        .map(|entry| match entry.change {
            Change::CutOff { .. } => "cut-off",
            Change::KeyAdded { .. } => "key",
            Change::KeyRetired { .. } => "retired",
            Change::App { .. } => "app",
            Change::BackedUp {} => "backup",
        })
        .collect();
    assert_eq!(kinds, ["key", "app", "app", "app", "cut-off", "app"]);
    let snapshot = town.authority.snapshot().await.unwrap();
    assert_eq!(snapshot.head, entries.last().unwrap().position);
    assert_eq!(
        (
            snapshot.cut_offs.len(),
            snapshot.keys.len(),
            snapshot.apps.len()
        ),
        (1, 1, 3)
    );
    assert_eq!(snapshot.issuer, ISSUER);
}

#[tokio::test]
async fn nobody_locks_everybody_out_of_the_console() {
    let town = Town::new().await;
    let console = town.authority.console().clone();
    let change = AppChange {
        shape: Some(Shape::Jwt),
        ..AppChange::default()
    };
    let changed = town.authority.change_app(&town.admin, &console, change);
    assert!(matches!(changed.await.unwrap(), ChangedApp::Console));

    let link = town.authority.set_up_link().await.unwrap().unwrap();
    let first = NewUser {
        identifier: "root".parse().unwrap(),
        password: NewPassword::new(PASSWORD.to_owned()).ok().unwrap(),
        roles: Vec::new(),
    };
    town.authority.set_up(&link, first).await.unwrap();
    let app = town.authority.app(&console).await.unwrap().unwrap();
    let credential = town.try_sign_in("root", PASSWORD, &app).await.unwrap();
    let root = town.who(&parts(&credential).0).await.unwrap();
    let admin = Admin::check(&root).unwrap();
    let disabled = town.authority.disable_user(&admin, root.user.id).await;
    assert_eq!(disabled.unwrap(), DisabledUser::Oneself);
    assert!(Admin::check(&town.who(&parts(&town.sign_in(&app).await).0).await.unwrap()).is_none());
}

#[tokio::test]
async fn a_client_proves_itself_by_its_secret_only() {
    let town = Town::new().await;
    let id = &town.jwt_app.settings.client_id;
    let secret = town
        .authority
        .replace_client_secret(&town.admin, id)
        .await
        .unwrap()
        .unwrap();
    assert!(
        town.authority
            .authenticate_client(id, Some(&secret))
            .await
            .unwrap()
            .is_some()
    );
    for wrong in [None, Some(""), Some("sym_c_wrong")] {
        assert!(
            town.authority
                .authenticate_client(id, wrong)
                .await
                .unwrap()
                .is_none()
        );
    }
    let newer = town
        .authority
        .replace_client_secret(&town.admin, id)
        .await
        .unwrap()
        .unwrap();
    assert!(
        town.authority
            .authenticate_client(id, Some(&secret))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        town.authority
            .authenticate_client(id, Some(&newer))
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn a_new_password_ends_every_login() {
    let town = Town::new().await;
    let (session, _) = parts(&town.sign_in(&town.session_app).await);
    let new = NewPassword::new("another password".to_owned())
        .ok()
        .unwrap();
    town.authority
        .set_password(&town.admin, town.alice.id, new)
        .await
        .unwrap()
        .unwrap();
    assert!(town.who(&session).await.is_none());
    assert!(
        town.try_sign_in("alice", PASSWORD, &town.session_app)
            .await
            .is_none()
    );
    assert!(
        town.try_sign_in("alice", "another password", &town.session_app)
            .await
            .is_some()
    );
}

#[tokio::test]
async fn another_root_secret_opens_nothing() {
    let world = Arc::new(TestWorld {
        now: AtomicI64::new(1_800_000_000_000),
        random: SystemRandom::new(),
    });
    let store = Arc::new(Memory::new());
    let open = async |root: u8| {
        let ports = Ports {
            directory: store.clone(),
            logins: store.clone(),
            limits: store.clone(),
            once: store.clone(),
            world: world.clone(),
        };
        let passwords = Passwords::start(NonZeroUsize::MIN, 1, [1; 16]).unwrap();
        Authority::open(
            ports,
            &RootSecret::from_bytes([root; 32]),
            passwords,
            Settings::new(ISSUER),
        )
        .await
    };
    assert!(open(1).await.is_ok());
    assert!(open(1).await.is_ok(), "the same root opens it again");
    assert!(matches!(
        open(2).await.err(),
        Some(symbolon_authority::StartError::Keys(_))
    ));
}
