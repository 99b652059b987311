//! Tokens of another issuer, by keys that it publishes over real HTTP.

mod issuer;
mod keys;

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    response::Response,
    routing::get,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use symbolon_guard::{ThirdParty, ThirdPartyError, ThirdPartyIdentity, ThirdPartyTokens};
use symbolon_jose::{Algorithm, SigningKey};
use tower::ServiceExt;

use crate::app::read;
use issuer::{API, Issuer, key, signed};

/// An API whose routes ask a third party.
struct Api(Router);

impl Api {
    fn of(third_party: &ThirdParty) -> Self {
        Self(routes(third_party).layer(third_party.layer()))
    }

    async fn call(&self, path: &str, authorization: &[&str]) -> Response {
        let mut request = Request::get(path);
        for value in authorization {
            request = request.header("authorization", *value);
        }
        let request = request.body(Body::empty()).unwrap();
        self.0.clone().oneshot(request).await.unwrap()
    }

    async fn bearer(&self, token: &str) -> StatusCode {
        self.call("/", &[&format!("Bearer {token}")]).await.status()
    }
}

fn routes(third_party: &ThirdParty) -> Router {
    async fn who(who: ThirdPartyIdentity) -> String {
        let writes = who.has_scope("orders:write") && !who.has_scope("orders");
        format!("{} {writes} {}", who.subject(), who.claims()["client_id"])
    }
    async fn maybe(who: Option<ThirdPartyIdentity>) -> String {
        who.map_or_else(|| "nobody".to_owned(), |who| who.subject().to_owned())
    }
    Router::new()
        .route("/", get(who))
        .route("/maybe", get(maybe))
        .route("/required", get(async || "in").layer(third_party.require()))
}

/// An issuer with one published key, and an API that follows it.
async fn set_up() -> (Issuer, SigningKey, Api) {
    let issuer = Issuer::start().await;
    let signs = key("k1");
    issuer.publish(&signs);
    let third_party = issuer.builder().connect().await.unwrap();
    (issuer, signs, Api::of(&third_party))
}

#[tokio::test]
async fn a_third_partys_token_says_who_it_is_of() {
    let (issuer, signs, api) = set_up().await;
    let token = issuer.token(&signs, |_| {});
    let answer = api.call("/", &[&format!("bEaReR {token}")]).await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert!(answer.headers().contains_key("vary"));
    assert_eq!(read(answer).await.1, "u-42 true \"their-app\"");
    let bearer = format!("Bearer {token}");
    for (path, shown, status, text) in [
        ("/maybe", vec![bearer.as_str()], 200, "u-42"),
        ("/required", vec![&bearer], 200, "in"),
        ("/maybe", vec![], 200, "nobody"),
        ("/maybe", vec!["Bearer a.b.c"], 200, "nobody"),
        ("/", vec![], 401, "not-signed-in"),
        ("/", vec!["Basic eDp5"], 401, "not-signed-in"),
        ("/", vec!["Bearer a.b.c"], 401, "credential-refused"),
        ("/required", vec!["Bearer a.b.c"], 401, "credential-refused"),
        ("/maybe", vec![&bearer, &bearer], 400, "bad-request"),
    ] {
        let answer = api.call(path, &shown).await;
        let challenge = answer.headers().get("www-authenticate").cloned();
        assert_eq!(challenge.is_some(), status == 401, "{path} {shown:?}");
        let (got, body) = read(answer).await;
        assert_eq!(got.as_u16(), status, "{path} {shown:?} {body}");
        assert!(body.contains(text), "{path} {shown:?} {body}");
    }
    // Cookies are nobody's proof here.
    let request = Request::get("/")
        .header("cookie", format!("__Host-app={token}"))
        .body(Body::empty());
    let answer = api.0.clone().oneshot(request.unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    // A route that forgot the layer says so to its operator, and lets nobody in.
    let bare = Router::new().route("/", get(async |_: ThirdPartyIdentity| ()));
    let request = Request::get("/").body(Body::empty()).unwrap();
    let answer = bare.oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_third_partys_token_for_others_or_another_time_is_refused() {
    let (issuer, signs, api) = set_up().await;
    let now = symbolon_guard::World::wall(&*issuer.world).as_secs();
    let set = |name: &'static str, value: Value| move |claims: &mut Value| claims[name] = value;
    let drop = |name: &'static str| {
        move |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove(name))
    };
    let tokens = [
        (
            "iss",
            issuer.token(&signs, set("iss", json!("https://evil.example"))),
        ),
        (
            "iss/",
            issuer.token(&signs, set("iss", json!(format!("{}/", issuer.url())))),
        ),
        (
            "iss list",
            issuer.token(&signs, set("iss", json!([issuer.url()]))),
        ),
        ("no iss", issuer.token(&signs, drop("iss"))),
        (
            "aud",
            issuer.token(&signs, set("aud", json!("https://api.example.com"))),
        ),
        (
            "aud part",
            issuer.token(&signs, set("aud", json!("https://api.example.org/v2"))),
        ),
        ("no aud", issuer.token(&signs, drop("aud"))),
        ("expired", issuer.token(&signs, set("exp", json!(now - 1)))),
        ("no exp", issuer.token(&signs, drop("exp"))),
        (
            "exp text",
            issuer.token(&signs, set("exp", json!((now + 60).to_string()))),
        ),
        (
            "days",
            issuer.token(&signs, set("exp", json!(now + 2 * 86_400))),
        ),
        ("early", issuer.token(&signs, set("nbf", json!(now + 600)))),
        ("future", issuer.token(&signs, set("iat", json!(now + 600)))),
        ("no sub", issuer.token(&signs, drop("sub"))),
        ("empty sub", issuer.token(&signs, set("sub", json!("")))),
        ("no client", issuer.token(&signs, drop("client_id"))),
        ("no jti", issuer.token(&signs, drop("jti"))),
    ];
    for (what, token) in &tokens {
        assert_eq!(api.bearer(token).await, StatusCode::UNAUTHORIZED, "{what}");
    }
    let list = issuer.token(&signs, set("aud", json!(["x", API])));
    assert_eq!(api.bearer(&list).await, StatusCode::OK);
    // Good when it came, over when it is over.
    let token = issuer.token(&signs, |_| {});
    assert_eq!(api.bearer(&token).await, StatusCode::OK);
    issuer.world.pass(Duration::from_secs(600));
    assert_eq!(api.bearer(&token).await, StatusCode::UNAUTHORIZED);
    assert_eq!(issuer.fetches(), 1, "none of it was worth a question");
}

/// `header.payload.signature` by hand.
fn raw(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(input.as_bytes()));
    format!("{input}.{signature}")
}

#[tokio::test]
async fn no_token_chooses_its_own_key_or_algorithm() {
    use aws_lc_rs::hmac;

    let (issuer, signs, api) = set_up().await;
    let public = signs.verifying_key().unwrap();
    let claims: Value = {
        let token = issuer.token(&signs, |_| {});
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap());
        serde_json::from_slice(&payload.unwrap()).unwrap()
    };
    let header = |alg: &str| json!({ "alg": alg, "typ": "at+jwt", "kid": "k1" });
    let mut tokens = Vec::new();
    // The public key, in each of its spellings, as an HMAC secret (CVE-2015-9235).
    for secret in [
        public.to_jwk().unwrap().into_bytes(),
        public.to_pem().unwrap().into_bytes(),
        public.to_der().unwrap(),
    ] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let sign = |input: &[u8]| hmac::sign(&key, input).as_ref().to_vec();
        tokens.push(raw(&header("HS256"), &claims, sign));
    }
    tokens.push(raw(&header("none"), &claims, |_| Vec::new()));
    tokens.push(raw(&header("ES256"), &claims, |_| vec![0; 64]));
    // Right signature, another name for it.
    let input = |token: &str| token.split('.').skip(2).collect::<String>();
    let genuine = input(&signed(&signs, "at+jwt", &claims));
    let genuine = URL_SAFE_NO_PAD.decode(genuine).unwrap();
    for alg in ["RS256", "ES384", "EdDSA", "es256"] {
        tokens.push(raw(&header(alg), &claims, |_| genuine.clone()));
    }
    // An attacker's own key, offered in the token or under the issuer's id.
    let evil = key("k1");
    tokens.push(signed(&evil, "at+jwt", &claims));
    let canary = Issuer::start().await;
    canary.publish(&evil);
    for (name, value) in [
        ("jku", json!(format!("{}/keys", canary.url()))),
        ("x5u", json!(format!("{}/keys", canary.url()))),
        ("jwk", issuer::jwk(&evil)),
    ] {
        let mut header = header("ES256");
        header[name] = value;
        tokens.push(raw(&header, &claims, |_| genuine.clone()));
    }
    // Other kinds of token of the same issuer, for the same audience, by the same key.
    for typ in ["JWT", "logout+jwt", "secevent+jwt", "AT+JWT"] {
        tokens.push(signed(&signs, typ, &claims));
    }
    for token in &tokens {
        assert_eq!(api.bearer(token).await, StatusCode::UNAUTHORIZED, "{token}");
    }
    assert_eq!(canary.state().asked, Vec::<String>::new());
    assert_eq!(issuer.fetches(), 1);
    assert_eq!(
        api.bearer(&signed(&signs, "at+jwt", &claims)).await,
        StatusCode::OK
    );
}

#[tokio::test]
async fn only_the_named_algorithms_sign() {
    let issuer = Issuer::start().await;
    let (es256, es384) = (key("a"), {
        let rng = aws_lc_rs::rand::SystemRandom::new();
        let key = SigningKey::generate(Algorithm::Es384, &rng).unwrap();
        key.with_kid("b").unwrap()
    });
    issuer.publish(&es256);
    issuer.publish(&es384);
    let only = issuer.builder().algorithms(&[Algorithm::Es384]);
    let only = only.connect().await.unwrap();
    assert_eq!(only.status().keys, 1);
    let api = Api::of(&only);
    assert_eq!(
        api.bearer(&issuer.token(&es384, |_| {})).await,
        StatusCode::OK
    );
    let other = issuer.token(&es256, |_| {});
    assert_eq!(api.bearer(&other).await, StatusCode::UNAUTHORIZED);
    for algorithms in [&[][..], &[Algorithm::Es256, Algorithm::Hs256]] {
        let refused = issuer.builder().algorithms(algorithms).start();
        assert!(matches!(refused, Err(ThirdPartyError::Algorithms)));
    }
    let nobodys = ThirdParty::builder(issuer.url()).start();
    assert!(matches!(nobodys, Err(ThirdPartyError::NoAudience)));
}

#[tokio::test]
async fn id_tokens_and_untyped_tokens_are_taken_only_where_they_are_asked_for() {
    let issuer = Issuer::start().await;
    let signs = key("k1");
    issuer.publish(&signs);
    let mut apis = Vec::new();
    for tokens in [ThirdPartyTokens::Id, ThirdPartyTokens::DangerousUntyped] {
        let third_party = issuer.builder().tokens(tokens).connect().await.unwrap();
        let maybe = async |who: ThirdPartyIdentity| who.subject().to_owned();
        let router = Router::new().route("/", get(maybe));
        apis.push(Api(router.layer(third_party.layer())));
    }
    let now = symbolon_guard::World::wall(&*issuer.world).as_secs();
    let base =
        json!({ "iss": issuer.url(), "sub": "u-42", "aud": API, "exp": now + 60, "iat": now });
    let with = |extra: Value| {
        let mut claims = base.clone();
        for (name, value) in extra.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    };
    for (typ, extra, id, untyped) in [
        ("JWT", json!({}), true, true),
        ("JWT", json!({ "nonce": "n", "at_hash": "h" }), true, false),
        ("JWT", json!({ "azp": API, "aud": [API, "x"] }), true, true),
        ("JWT", json!({ "aud": [API, "x"] }), false, true),
        ("JWT", json!({ "azp": "x" }), false, true),
        ("JWT", json!({ "events": {} }), false, false),
        (
            "at+jwt",
            json!({ "jti": "t", "client_id": "c" }),
            false,
            false,
        ),
    ] {
        let token = signed(&signs, typ, &with(extra.clone()));
        for (api, good) in apis.iter().zip([id, untyped]) {
            let status = api.bearer(&token).await;
            assert_eq!(status == StatusCode::OK, good, "{typ} {extra}");
        }
    }
}

#[tokio::test]
async fn of_two_issuers_each_vouches_for_its_own() {
    let (one, other) = (Issuer::start().await, Issuer::start().await);
    // Under the same id, as nothing forbids.
    let (ones, others) = (key("k"), key("k"));
    one.publish(&ones);
    other.publish(&others);
    let first = one.builder().connect().await.unwrap();
    let second = other.builder().connect().await.unwrap();
    let api = Api(routes(&first).layer(first.layer()).layer(second.layer()));
    assert_eq!(api.bearer(&one.token(&ones, |_| {})).await, StatusCode::OK);
    assert_eq!(
        api.bearer(&other.token(&others, |_| {})).await,
        StatusCode::OK
    );
    // Right key, wrong mouth (RFC 8725 section 3.8).
    for token in [one.token(&others, |_| {}), other.token(&ones, |_| {})] {
        assert_eq!(api.bearer(&token).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!((one.fetches(), other.fetches()), (1, 1));
}
