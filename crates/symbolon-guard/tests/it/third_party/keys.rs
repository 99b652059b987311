//! How the keys of an issuer are had and kept.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use serde_json::json;
use symbolon_guard::{ThirdParty, ThirdPartyError};
use symbolon_jose::{Algorithm, SigningKey};

use super::{
    Api,
    issuer::{API, Issuer, Mood, jwk, key},
    set_up,
};
use crate::app::eventually;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_key_that_appears_signs_at_once_and_one_that_is_gone_signs_no_longer() {
    let (issuer, old, api) = set_up().await;
    assert_eq!(
        api.bearer(&issuer.token(&old, |_| {})).await,
        StatusCode::OK
    );
    let new = key("k2");
    issuer.state().jwks = vec![jwk(&new)];
    issuer.world.pass(Duration::from_secs(10));
    assert_eq!(
        api.bearer(&issuer.token(&new, |_| {})).await,
        StatusCode::OK
    );
    assert_eq!(issuer.fetches(), 2);
    let withdrawn = issuer.token(&old, |_| {});
    assert_eq!(api.bearer(&withdrawn).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_withdrawn_key_counts_until_the_next_refresh_and_no_longer_than_an_hour() {
    let issuer = Issuer::start().await;
    let old = key("k1");
    issuer.publish(&old);
    // A week, says the issuer.
    issuer.state().cache_control = Some("max-age=604800");
    let third_party = issuer.builder().connect().await.unwrap();
    issuer.state().jwks = vec![jwk(&key("k2"))];
    let still = third_party.verify(&issuer.token(&old, |_| {})).await;
    assert!(still.is_ok());
    issuer.world.pass(Duration::from_secs(3590));
    let still = third_party.verify(&issuer.token(&old, |_| {})).await;
    assert!(still.is_ok());
    assert_eq!(issuer.fetches(), 1);
    issuer.world.pass(Duration::from_secs(11));
    // In the background: nobody has to ask.
    eventually("refreshed", || issuer.fetches() == 2).await;
    eventually("young", || {
        third_party.status().age.is_some_and(|age| age < HOUR / 60)
    })
    .await;
    let gone = third_party.verify(&issuer.token(&old, |_| {})).await;
    assert!(gone.is_err());
}

#[tokio::test]
async fn made_up_key_ids_cost_the_issuer_one_question_a_while() {
    let (issuer, signs, api) = set_up().await;
    let flood = async |round: u32| {
        for number in 0..1_000 {
            let made_up = key(&format!("made-up-{round}-{number}"));
            let token = issuer.token(&made_up, |_| {});
            assert_eq!(api.bearer(&token).await, StatusCode::UNAUTHORIZED);
        }
    };
    let started = Instant::now();
    flood(0).await;
    // One for the start, and one for each ten seconds that a slow machine took for it.
    let most = 1 + usize::try_from(started.elapsed().as_secs() / 10).unwrap();
    assert!(issuer.fetches() <= most, "{}", issuer.fetches());
    issuer.world.pass(Duration::from_secs(10));
    flood(1).await;
    let most = 2 + usize::try_from(started.elapsed().as_secs() / 10).unwrap();
    assert!(
        (2..=most).contains(&issuer.fetches()),
        "{}",
        issuer.fetches()
    );
    assert_eq!(
        api.bearer(&issuer.token(&signs, |_| {})).await,
        StatusCode::OK
    );
}

#[tokio::test]
async fn many_who_show_a_new_key_cause_one_fetch() {
    let (issuer, _, api) = set_up().await;
    let new = key("k2");
    issuer.publish(&new);
    issuer.world.pass(Duration::from_secs(10));
    let token = issuer.token(&new, |_| {});
    let visits = (0..50).map(|_| api.bearer(&token));
    let statuses = futures_util::future::join_all(visits).await;
    assert!(statuses.iter().all(|status| *status == StatusCode::OK));
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn keys_outlive_an_issuer_that_is_away_for_a_day_and_then_nobody_can_say() {
    for mood in [
        Mood::Failing,
        Mood::Redirecting,
        Mood::Endless,
        Mood::Babbling,
    ] {
        let (issuer, signs, api) = set_up().await;
        issuer.state().mood = mood;
        issuer.world.pass(23 * HOUR);
        eventually("tried", || issuer.fetches() >= 2).await;
        let token = issuer.token(&signs, |_| {});
        assert_eq!(api.bearer(&token).await, StatusCode::OK, "{mood:?}");
        // Whether there is such a key nobody can say now.
        issuer.world.pass(Duration::from_secs(60));
        let unknown = issuer.token(&key("new"), |_| {});
        let status = api.bearer(&unknown).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{mood:?}");
        issuer.world.pass(HOUR);
        let status = api.bearer(&issuer.token(&signs, |_| {})).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{mood:?}");
        issuer.state().mood = Mood::Well;
        issuer.world.pass(Duration::from_secs(60));
        let token = issuer.token(&signs, |_| {});
        assert_eq!(api.bearer(&token).await, StatusCode::OK, "{mood:?}");
        assert!(!issuer.state().asked.contains(&"/elsewhere".to_owned()));
    }
}

#[tokio::test]
async fn an_issuer_that_stalls_or_lies_about_itself_gives_no_keys() {
    let connect = async |issuer: &Issuer| {
        let patience = Duration::from_millis(700);
        let refused = issuer.builder().patience(patience).connect().await;
        let text = refused.unwrap_err().to_string();
        assert!(text.contains(&issuer.url()), "{text}");
        text
    };
    for (mood, reason) in [
        (Mood::Failing, "status 503"),
        (Mood::Redirecting, "redirect"),
        (Mood::Endless, "too long"),
        (Mood::Babbling, "discovery"),
        (Mood::Stalling, "does not answer"),
    ] {
        let issuer = Issuer::start().await;
        issuer.publish(&key("k1"));
        issuer.state().mood = mood;
        let text = connect(&issuer).await;
        assert!(text.contains(reason), "{mood:?}: {text}");
    }
    let issuer = Issuer::start().await;
    issuer.publish(&key("k1"));
    issuer.state().issuer.push('/');
    let text = connect(&issuer).await;
    assert!(text.contains("another issuer"), "{text}");
    // Symmetric beside public: a leak, or an invitation.
    let issuer = Issuer::start().await;
    issuer.publish(&key("k1"));
    let secret = json!({ "kty": "oct", "kid": "s", "alg": "HS256", "k": "c2VjcmV0".repeat(6) });
    issuer.state().jwks.push(secret);
    assert!(connect(&issuer).await.contains("its keys"));
}

#[tokio::test]
async fn without_waiting_it_is_a_503_until_the_keys_are_here() {
    let issuer = Issuer::start().await;
    let signs = key("k1");
    issuer.publish(&signs);
    issuer.state().mood = Mood::Failing;
    let third_party = issuer.builder().start().unwrap();
    let api = Api::of(&third_party);
    let token = issuer.token(&signs, |_| {});
    assert_eq!(api.bearer(&token).await, StatusCode::SERVICE_UNAVAILABLE);
    assert!(third_party.status().trouble.is_some());
    issuer.state().mood = Mood::Well;
    eventually("here", || third_party.status().keys == 1).await;
    assert_eq!(api.bearer(&token).await, StatusCode::OK);
    assert!(third_party.status().trouble.is_none());
}

#[tokio::test]
async fn one_key_that_cannot_be_used_takes_no_other_with_it() {
    let issuer = Issuer::start().await;
    let rng = aws_lc_rs::rand::SystemRandom::new();
    let rsa = SigningKey::generate(Algorithm::Rs256, &rng).unwrap();
    let rsa = rsa.with_kid("rsa").unwrap();
    // As some of the largest issuers publish it: what it is for goes without saying.
    let mut silent = jwk(&rsa);
    silent.as_object_mut().unwrap().remove("alg");
    issuer.state().jwks = vec![
        json!({ "kty": "AKP", "kid": "pq", "alg": "ML-DSA-65", "pub": "AAAA" }),
        json!({ "kty": "RSA", "kid": "enc", "use": "enc", "n": "AQAB", "e": "AQAB" }),
        silent,
    ];
    let third_party = issuer.builder().connect().await.unwrap();
    assert_eq!(third_party.status().keys, 1);
    let api = Api::of(&third_party);
    assert_eq!(
        api.bearer(&issuer.token(&rsa, |_| {})).await,
        StatusCode::OK
    );
}

#[tokio::test]
async fn keys_at_a_given_address_need_no_discovery() {
    let issuer = Issuer::start().await;
    let signs = key("k1");
    issuer.publish(&signs);
    let keys = format!("{}/keys", issuer.url());
    let third_party = issuer.builder().jwks_uri(keys).connect().await.unwrap();
    let token = issuer.token(&signs, |_| {});
    assert!(third_party.verify(&token).await.is_ok());
    assert_eq!(issuer.state().asked, ["/keys"]);
    // Where only RFC 8414 is spoken, and the issuer has a path.
    let path = format!("{}/tenant", issuer.url());
    issuer.state().issuer.push_str("/tenant");
    let tenant = ThirdParty::builder(path).audience(API).connect().await;
    assert_eq!(tenant.unwrap().status().keys, 1);
    // Nothing listens there.
    let nobody = ThirdParty::builder("http://127.0.0.1:9").audience(API);
    let refused = nobody.patience(Duration::from_millis(300)).connect().await;
    assert!(matches!(refused, Err(ThirdPartyError::Unreachable { .. })));
}
