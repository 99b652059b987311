//! Two authorities on one database are one authority: what ended at one is refused by the other and by
//! the guards that follow it, and either goes on alone.

use std::{
    fs,
    time::{Duration, Instant},
};

use reqwest::StatusCode;
use serde_json::Value;

use crate::{
    relay::Relay,
    servers::{POSTGRES, Schema, port},
    town::{App, Environment, Town, text},
};

const SOON: Duration = Duration::from_secs(5);
const RECOVERY: Duration = Duration::from_secs(20);

/// Two nodes, and the public URL, which leads to the second at first.
struct Nodes {
    first: Town,
    second: Town,
    public: Relay,
    /// Between the second node and the database.
    line: Relay,
}

impl Nodes {
    async fn new() -> Self {
        let schema = Schema::new().await;
        let (public, line) = (Relay::to(0).await, Relay::to(port(POSTGRES)).await);
        let environment = |store| -> Environment {
            let url = format!("http://localhost:{}", public.port);
            vec![("SYMBOLON_PUBLIC_URL", url), ("SYMBOLON_STORE", store)]
        };
        let first = Town::on(environment(schema.url())).await;
        let mut second = Town::empty(environment(schema.url_through(&line)));
        fs::create_dir(second.data()).unwrap();
        fs::copy(
            first.data().join("root.key"),
            second.data().join("root.key"),
        )
        .unwrap();
        second.start().await;
        public.turn_to(second.port);
        Self {
            first,
            second,
            public,
            line,
        }
    }

    /// An app that knows the public URL only.
    fn app(&self, client_id: &str, shape: &str, freshness: &str) -> App {
        let url = format!("http://localhost:{}", self.public.port);
        self.first.start_app_at(&url, client_id, shape, freshness)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_at_one_node_is_refused_at_the_other() {
    let mut nodes = Nodes::new().await;
    let pages = nodes.app("pages", "session", "within(10s)");
    let api = nodes.app("api", "jwt", "within(10s)");
    let (session, jwt) = (
        nodes.first.sign_in("alice", "pages").await,
        nodes.first.sign_in("alice", "api").await,
    );
    let (kept, kept_jwt) = (
        nodes.first.sign_in("bob", "pages").await,
        nodes.second.sign_in("bob", "api").await,
    );
    let refresh = text(&jwt, "refresh_token");
    let [session, jwt, kept, kept_access] =
        [&session, &jwt, &kept, &kept_jwt].map(|login| text(login, "access_token"));
    assert_eq!(pages.whoami(session).await, StatusCode::OK);
    assert_eq!(api.whoami(jwt).await, StatusCode::OK);

    assert_eq!(nodes.first.end_all(jwt).await["ended"], 2);
    let acknowledged = Instant::now();
    // The other node looks at the record, whatever it has heard.
    for credential in [session, jwt] {
        let answer = nodes.second.me(credential).await;
        assert_eq!(answer, StatusCode::UNAUTHORIZED);
    }
    let late = nodes.second.refresh(&api, refresh).await;
    assert_eq!(late.status(), StatusCode::BAD_REQUEST);
    pages
        .comes_to(StatusCode::UNAUTHORIZED, session, SOON)
        .await;
    api.comes_to(StatusCode::UNAUTHORIZED, jwt, SOON).await;
    let took = acknowledged.elapsed();
    println!("refused by the guards of the other node after at most {took:.0?}");

    nodes.second.kill();
    nodes.public.turn_to(nodes.first.port);
    pages.comes_to(StatusCode::OK, kept, RECOVERY).await;
    api.comes_to(StatusCode::OK, kept_access, RECOVERY).await;
    let again = nodes
        .first
        .refresh(&api, text(&kept_jwt, "refresh_token"))
        .await;
    assert_eq!(again.status(), StatusCode::OK);
    assert_eq!(pages.whoami(session).await, StatusCode::UNAUTHORIZED);
    assert_eq!(nodes.first.end_all(kept).await["ended"], 2);
    pages.comes_to(StatusCode::UNAUTHORIZED, kept, SOON).await;
    api.comes_to(StatusCode::UNAUTHORIZED, kept_access, SOON)
        .await;
}

/// The second node cannot hear of the end, and must not vouch for what it last knew.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_lost_the_database_vouches_for_nobody() {
    const BOUND: Duration = Duration::from_secs(2);
    let nodes = Nodes::new().await;
    let pages = nodes.app("pages", "session", "within(2s)");
    let api = nodes.app("api", "jwt", "within(2s)");
    let (session, jwt) = (
        nodes.first.sign_in("alice", "pages").await,
        nodes.first.sign_in("alice", "api").await,
    );
    let [session, jwt] = [&session, &jwt].map(|login| text(login, "access_token"));
    assert_eq!(pages.whoami(session).await, StatusCode::OK);
    assert_eq!(api.whoami(jwt).await, StatusCode::OK);

    nodes.line.cut();
    assert_eq!(nodes.first.end_all(jwt).await["ended"], 2);
    tokio::time::sleep(BOUND).await;
    for _ in 0..2 {
        let began = Instant::now();
        let answers = tokio::join!(pages.whoami(session), api.whoami(jwt));
        println!("{answers:?} after {:.0?}", began.elapsed());
        assert!(answers.0 != StatusCode::OK, "{answers:?}");
        assert!(answers.1 != StatusCode::OK, "{answers:?}");
        let second = nodes.second.me(session).await;
        assert_eq!(second, StatusCode::SERVICE_UNAVAILABLE);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    nodes.line.turn_to(port(POSTGRES));
    let gone = StatusCode::UNAUTHORIZED;
    pages.comes_to(gone, session, RECOVERY).await;
    api.comes_to(gone, jwt, RECOVERY).await;
    assert_eq!(nodes.second.me(session).await, gone);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_made_or_cut_at_one_node_is_known_at_the_other() {
    let nodes = Nodes::new().await;
    let _app = nodes.app("api", "jwt", "within(10s)");
    let jwks = async |node: &Town| -> Value {
        let url = format!("{}/.well-known/jwks.json", node.url);
        let answer = node.http.get(url).send().await.unwrap();
        answer.json().await.unwrap()
    };
    let made = nodes.first.order(&["keys", "rotate"], "");
    let known = jwks(&nodes.second).await;
    let known = known["keys"].as_array().unwrap();
    assert_eq!(known.len(), 2);
    assert!(known.iter().any(|jwk| jwk["kid"] == made["kid"]));

    // Cut off at the second, by whom the first was never told.
    let login = nodes.first.sign_in("alice", "api").await;
    let token = text(&login, "access_token");
    assert_eq!(nodes.second.me(token).await, StatusCode::OK);
    let listed = nodes.second.order(&["keys", "list"], "");
    let signing = listed["keys"].as_array().unwrap();
    let signing = signing.iter().find(|key| key["stage"] == "signing");
    let kid = text(signing.unwrap(), "kid");
    let revoked = nodes.second.order(&["keys", "revoke", kid], "");
    assert_eq!(revoked["signing"]["kid"], made["kid"]);
    assert_eq!(nodes.first.me(token).await, StatusCode::UNAUTHORIZED);
    assert_eq!(
        jwks(&nodes.first).await["keys"].as_array().unwrap().len(),
        1
    );
    for node in [&nodes.first, &nodes.second] {
        let login = node.sign_in("alice", "api").await;
        let token = text(&login, "access_token");
        assert_eq!(nodes.first.me(token).await, StatusCode::OK);
        assert_eq!(nodes.second.me(token).await, StatusCode::OK);
    }
}
