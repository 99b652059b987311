//! A whole authority with people and apps, in memory, behind the real router.

mod ask;
mod store;

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use axum::Router;
use serde_json::{Value, json};
use symbolon_authority::{
    Authority, Passwords, Ports, RootSecret, Settings,
    ports::{Limits, NoRandomness, World},
};
use symbolon_login::{AttemptLimit, Digest, UnixMillis};
use symbolon_server::{ServerState, operator_router, router};
use symbolon_stores::Memory;

pub(crate) use ask::{Answer, Ask, get, location_parameters};
pub(crate) use store::Mood;
use store::{Switchable, Weather};

pub(crate) const ORIGIN: &str = "https://auth.example.test";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// The challenge of [`VERIFIER`] (RFC 7636 appendix B).
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const CALLBACK: &str = "https://dashboard.example.test/auth/callback";

/// The clock and the store's switch.
pub(crate) struct Outside {
    now: AtomicI64,
    random: SystemRandom,
}

impl World for Outside {
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

/// An authority at [`ORIGIN`] with `alice`, `bob`, `admin` (all with [`PASSWORD`]) and `mallory`,
/// who is disabled. Apps: `phone` (first-party, session), `cli` (first-party, jwt), `dashboard`
/// (jwt, confidential), `back-office` (session, confidential), `spa` (jwt, public).
pub(crate) struct House {
    pub(crate) router: Router,
    pub(crate) operator: Router,
    pub(crate) state: ServerState,
    pub(crate) outside: Arc<Outside>,
    memory: Arc<Memory>,
    weather: Arc<Weather>,
    secrets: Value,
}

impl House {
    pub(crate) async fn new() -> Self {
        let outside = Arc::new(Outside {
            now: AtomicI64::new(1_800_000_000_000),
            random: SystemRandom::new(),
        });
        let memory = Arc::new(Memory::new());
        let weather = Arc::new(Weather::default());
        let logins = Switchable::new(Arc::clone(&memory), Arc::clone(&weather));
        let ports = Ports {
            directory: memory.clone(),
            logins: Arc::new(logins),
            limits: memory.clone(),
            once: memory.clone(),
            world: outside.clone(),
        };
        let passwords = Passwords::start(NonZeroUsize::new(2).unwrap(), 64, [7; 16]).unwrap();
        let root = RootSecret::from_bytes([9; 32]);
        let authority = Authority::open(ports, &root, passwords, Settings::new(ORIGIN));
        let authority = Arc::new(authority.await.unwrap());
        let state = ServerState::new(authority, false).unwrap();
        let mut house = Self {
            router: router(state.clone()),
            operator: operator_router(state.clone()),
            state,
            outside,
            memory,
            weather,
            secrets: json!({}),
        };
        house.furnish().await;
        house
    }

    async fn furnish(&mut self) {
        for (identifier, roles) in [
            ("alice", json!(["staff"])),
            ("bob", json!([])),
            ("admin", json!(["admin"])),
            ("mallory", json!([])),
        ] {
            let user = json!({"identifier": identifier, "password": PASSWORD, "roles": roles});
            self.run(Ask::post("/api/v1/users").json(&user))
                .await
                .expect_status(201);
        }
        let mallory = self.id_of("mallory").await;
        self.run(Ask::patch(&format!("/api/v1/users/{mallory}")).json(&json!({"disabled": true})))
            .await
            .expect_status(200);
        for app in [
            json!({"client_id": "phone", "shape": "session", "first_party": true, "confidential": false}),
            json!({"client_id": "cli", "shape": "jwt", "first_party": true, "confidential": false}),
            json!({"client_id": "dashboard", "shape": "jwt", "redirect_uris": [CALLBACK]}),
            json!({"client_id": "back-office", "shape": "session", "redirect_uris": [CALLBACK]}),
            json!({"client_id": "spa", "shape": "jwt", "redirect_uris": [CALLBACK], "confidential": false}),
        ] {
            let added = self.run(Ask::post("/api/v1/apps").json(&app)).await;
            added.expect_status(201);
            let id = app["client_id"].as_str().unwrap().to_owned();
            self.secrets[id] = added.json()["client_secret"].clone();
        }
    }

    /// Sends a request to the public router.
    pub(crate) async fn ask(&self, ask: Ask) -> Answer {
        ask.send(&self.router).await
    }

    /// Sends a request to the operator's router.
    pub(crate) async fn run(&self, ask: Ask) -> Answer {
        ask.send(&self.operator).await
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, span: Duration) {
        let millis = i64::try_from(span.as_millis()).unwrap();
        self.outside.now.fetch_add(millis, Ordering::SeqCst);
    }

    /// Counts as many wrong passwords for a name as may be tried; without the hashes.
    pub(crate) async fn use_up_attempts(&self, name: &str) {
        let key = Digest::of("sign-in", name.as_bytes());
        let AttemptLimit { most, window } = AttemptLimit::PASSWORD;
        for _ in 0..most {
            let counted = self.memory.count(key, window, self.outside.now());
            counted.await.unwrap();
        }
    }

    /// Takes the store of logins away, or gives it back.
    pub(crate) fn set_down(&self, down: bool) {
        self.weather.set(if down { Mood::Down } else { Mood::Fine });
    }

    /// Lets the store of logins panic, or never answer.
    pub(crate) fn set_mood(&self, mood: Mood) {
        self.weather.set(mood);
    }

    /// The client secret of an app.
    pub(crate) fn secret(&self, client_id: &str) -> String {
        self.secrets[client_id].as_str().unwrap().to_owned()
    }

    /// The id of a user.
    pub(crate) async fn id_of(&self, identifier: &str) -> String {
        let found = self.run(get(&format!("/api/v1/users?identifier={identifier}")));
        let found = found.await.json();
        found["users"][0]["id"].as_str().unwrap().to_owned()
    }

    /// The answer to a sign-in by a program.
    pub(crate) async fn sign_in(&self, identifier: &str, client_id: &str) -> Value {
        let body = json!({"identifier": identifier, "password": PASSWORD, "client_id": client_id, "remember": true});
        let answer = self.ask(Ask::post("/api/v1/logins").json(&body)).await;
        answer.expect_status(201);
        answer.json()
    }

    /// The access token of a sign-in by a program: of a session, the session.
    pub(crate) async fn token(&self, identifier: &str, client_id: &str) -> String {
        text(&self.sign_in(identifier, client_id).await, "access_token")
    }

    /// The value of the console's cookie of somebody who is signed in there.
    pub(crate) async fn console(&self, identifier: &str) -> String {
        self.token(identifier, "symbolon").await
    }

    /// A code for an app in the login of this console cookie.
    pub(crate) async fn code(&self, console: &str, client_id: &str) -> String {
        let answer = self
            .ask(get(&authorize_url(client_id)).cookie("__Host-symbolon", console))
            .await;
        answer.expect_status(302);
        let parameters = location_parameters(&answer.location());
        parameters["code"].clone()
    }

    /// Redeems a code at the token endpoint.
    pub(crate) async fn redeem(&self, client_id: &str, code: &str) -> Answer {
        self.ask(self.as_client(client_id, "/oauth2/token").form(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ]))
        .await
    }

    /// A whole code flow: what the app gets.
    pub(crate) async fn flow(&self, console: &str, client_id: &str) -> Value {
        let code = self.code(console, client_id).await;
        let answer = self.redeem(client_id, &code).await;
        answer.expect_status(200);
        answer.json()
    }

    /// A POST with the client's authentication.
    pub(crate) fn as_client(&self, client_id: &str, path: &str) -> Ask {
        Ask::post(path).basic(client_id, &self.secret(client_id))
    }

    /// Credentials that nobody should take as a caller's: (what it is, the text).
    pub(crate) async fn bad_credentials(&self) -> Vec<(&'static str, String)> {
        let session = self.token("alice", "phone").await;
        let tokens = self.sign_in("alice", "cli").await;
        let ended = self.token("alice", "phone").await;
        let ended_jwt = self.token("alice", "cli").await;
        for gone in [&ended, &ended_jwt] {
            let me = self.ask(get("/api/v1/me").bearer(gone)).await.json();
            let sid = text(&me, "sid");
            self.run(Ask::delete(&format!("/api/v1/logins/{sid}")))
                .await
                .expect_status(200);
        }
        vec![
            ("garbage", "garbage".to_owned()),
            ("a refresh token", text(&tokens, "refresh_token")),
            ("a forged session", altered(&session)),
            ("a forged token", altered(&text(&tokens, "access_token"))),
            ("an ended session", ended),
            ("a token of an ended login", ended_jwt),
        ]
    }

    /// The request is refused without a credential, with every bad one, and with that of an app
    /// that is not first-party.
    pub(crate) async fn needs_a_caller(&self, ask: impl Fn() -> Ask) {
        let none = self.ask(ask()).await;
        none.expect_problem(401, "not-signed-in");
        assert_eq!(none.header("www-authenticate"), "Bearer realm=\"symbolon\"");
        for (what, credential) in self.bad_credentials().await {
            let refused = self.ask(ask().bearer(&credential)).await;
            refused.expect_problem(401, "credential-refused");
            let challenge = refused.header("www-authenticate");
            assert!(challenge.contains("error=\"invalid_token\""), "{what}");
            // As the console's cookie it is no better.
            let own = ask().cookie("__Host-symbolon", &credential).same_origin();
            let refused = self.ask(own).await;
            assert_eq!(refused.status(), 401, "{what} as a cookie");
        }
        let console = self.console("admin").await;
        let foreign = self.flow(&console, "dashboard").await;
        let refused = self
            .ask(ask().bearer(&text(&foreign, "access_token")))
            .await;
        refused.expect_problem(403, "forbidden");
        let refused = self.ask(ask().header("authorization", "Basic YTpi")).await;
        refused.expect_problem(401, "credential-refused");
    }

    /// And moreover with that of somebody who is no administrator.
    pub(crate) async fn needs_an_administrator(&self, ask: impl Fn() -> Ask) {
        let alice = self.token("alice", "phone").await;
        let refused = self.ask(ask().bearer(&alice)).await;
        refused.expect_problem(403, "forbidden");
        self.needs_a_caller(ask).await;
    }
}

/// A member's text.
pub(crate) fn text(value: &Value, member: &str) -> String {
    let Some(text) = value[member].as_str() else {
        panic!("no {member} in {value}");
    };
    text.to_owned()
}

/// The same credential with another character in its last part.
pub(crate) fn altered(credential: &str) -> String {
    let at = credential.len() - 8;
    let other = if credential.as_bytes()[at] == b'A' {
        "B"
    } else {
        "A"
    };
    let mut altered = credential.to_owned();
    altered.replace_range(at..=at, other);
    altered
}

/// A good request for a code.
pub(crate) fn authorize_url(client_id: &str) -> String {
    format!("/oauth2/authorize?{}", authorize_query(client_id, CALLBACK))
}

/// Its query.
pub(crate) fn authorize_query(client_id: &str, redirect_uri: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", client_id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("code_challenge", CHALLENGE)
        .append_pair("code_challenge_method", "S256")
        .append_pair("state", "st&te")
        .finish()
}
