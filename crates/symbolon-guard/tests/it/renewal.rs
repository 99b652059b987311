//! Silent refresh and the change of shape: nobody signs in again, nobody is thrown out by accident.

use axum::http::StatusCode;
use symbolon_guard::Shape;

use crate::{
    app::{App, cookies, eventually, kept, read, set_cookies},
    fake::{Down, Fake, Held, now},
};

/// The same login with an access token of this age in seconds (of 300).
fn aged(fake: &Fake, held: &Held, age: i64) -> Held {
    let issued = now().as_secs() - age;
    let access = fake.token(held, |claims| {
        claims.iat = issued;
        claims.exp = issued + 300;
    });
    Held {
        access,
        ..held.clone()
    }
}

#[tokio::test]
async fn twenty_requests_with_an_expired_token_cause_one_refresh() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = aged(&fake, &fake.sign_in(), 400);
    let visits = (0..20).map(|_| app.visit("/", &held));
    let responses = futures_util::future::join_all(visits).await;
    let mut answers = Vec::new();
    for response in responses {
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["cache-control"], "no-store");
        answers.push(set_cookies(&response));
    }
    assert_eq!(fake.calls().token, 1);
    // All tabs keep the same successor: whichever answer comes last is as good as any.
    answers.dedup();
    assert_eq!(answers.len(), 1);
    // A straggler within the grace is still the same.
    let late = app.visit("/", &held).await;
    assert_eq!(answers.first(), Some(&set_cookies(&late)));
    assert_eq!(fake.calls().token, 1);
}

#[tokio::test]
async fn a_missing_access_cookie_is_renewed_too() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    let cookie = format!("__Host-app-refresh={}", held.refresh.clone().unwrap());
    let response = app.get("/", &[("cookie", &cookie)]).await;
    assert_eq!(response.status(), StatusCode::OK);
    let next = kept(&response, held.clone());
    assert_ne!(next.refresh, held.refresh);
    assert_eq!(app.visit("/", &next).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_token_is_renewed_in_the_last_tenth_of_its_life() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    let young = app.visit("/", &aged(&fake, &held, 260)).await;
    assert_eq!(young.status(), StatusCode::OK);
    assert!(set_cookies(&young).is_empty());
    let old = app.visit("/", &aged(&fake, &held, 280)).await;
    assert_eq!(old.status(), StatusCode::OK);
    assert_eq!(set_cookies(&old).len(), 2);
    assert_eq!(fake.calls().token, 1);
}

#[tokio::test]
async fn without_the_authority_a_living_token_goes_on_and_a_dead_one_is_503() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    fake.state().down.token = true;
    let living = app.visit("/", &aged(&fake, &held, 280)).await;
    assert_eq!(living.status(), StatusCode::OK);
    assert!(set_cookies(&living).is_empty());
    for path in ["/", "/maybe"] {
        let dead = app.visit(path, &aged(&fake, &held, 400)).await;
        assert_eq!(dead.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(
            set_cookies(&dead).is_empty(),
            "nobody is signed out by that"
        );
    }
    fake.state().down.token = false;
    let back = app.visit("/", &aged(&fake, &held, 400)).await;
    assert_eq!(back.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_quick_restart_delays_a_refresh_and_no_more() {
    let mut fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = aged(&fake, &fake.sign_in(), 400);
    let restart = fake.restart(std::time::Duration::from_secs(1));
    let visit = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        app.visit("/", &held).await
    };
    let ((), response) = tokio::join!(restart, visit);
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_refused_refresh_signs_out_and_asks_no_more() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = aged(&fake, &fake.sign_in(), 400);
    let gone = Held {
        refresh: Some(format!("sym_r_{}", "x".repeat(91))),
        ..held
    };
    for _ in 0..5 {
        let response = app.visit("/maybe", &gone).await;
        let cleared = set_cookies(&response);
        let expected = [("__Host-app", ""), ("__Host-app-refresh", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(cleared, expected);
        assert_eq!(read(response).await.1, "nobody");
    }
    assert_eq!(fake.calls().token, 1);
}

#[tokio::test]
async fn an_ended_login_is_refused_without_asking_and_its_cookies_stay() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    assert_eq!(app.visit("/", &held).await.status(), StatusCode::OK);
    fake.end(held.sid);
    app.settle(&fake).await;
    fake.go_down(Down::ALL);
    let response = app.visit("/", &held).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    // This answer may arrive after that of a new sign-in: it must not take its cookies away.
    assert!(set_cookies(&response).is_empty());
}

#[tokio::test]
async fn the_dial_is_turned_both_ways_and_nobody_signs_in_again() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    let mut held = fake.sign_in();
    let sid = held.sid;
    for shape in [Shape::Session, Shape::Jwt, Shape::Session, Shape::Jwt] {
        fake.set_shape(shape);
        app.settle(&fake).await;
        // A flock of requests of one browser, all with the credential of the old shape.
        let visits = (0..10).map(|_| app.visit("/", &held));
        let before = fake.calls().token;
        let mut answers = Vec::new();
        for response in futures_util::future::join_all(visits).await {
            assert_eq!(response.status(), StatusCode::OK, "{shape}");
            answers.push(kept(&response, held.clone()));
        }
        assert_eq!(fake.calls().token, before + 1, "{shape}");
        held = answers.pop().unwrap();
        let is_session = held.access.starts_with("sym_s_");
        assert_eq!(is_session, shape == Shape::Session);
        assert_eq!(held.refresh.is_none(), shape == Shape::Session);
        let next = app.visit("/", &held).await;
        assert_eq!(next.status(), StatusCode::OK);
        assert!(set_cookies(&next).is_empty());
    }
    fake.end(sid);
    app.settle(&fake).await;
    let status = app.visit("/", &held).await.status();
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_flip_while_the_authority_is_away_troubles_nobody() {
    let fake = Fake::start(Shape::Session, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    assert_eq!(app.visit("/", &held).await.status(), StatusCode::OK);
    fake.set_shape(Shape::Jwt);
    app.settle(&fake).await;
    fake.state().down.token = true;
    let response = app.visit("/", &held).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(set_cookies(&response).is_empty());
}

#[tokio::test]
async fn a_replaced_session_is_good_for_the_grace_and_no_longer() {
    let fake = Fake::start(Shape::Session, "within(10s)").await;
    fake.state().app.lifetimes = symbolon_login::Lifetimes::new(
        std::time::Duration::from_secs(3600),
        std::time::Duration::from_secs(7200),
        std::time::Duration::from_secs(300),
        std::time::Duration::from_secs(1),
    )
    .unwrap();
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    assert_eq!(app.visit("/", &held).await.status(), StatusCode::OK);
    fake.set_shape(Shape::Jwt);
    app.settle(&fake).await;
    assert_eq!(app.visit("/", &held).await.status(), StatusCode::OK);
    let bearer = format!("Bearer {}", held.access);
    // Still remembered as good, for a straggler.
    let response = app.get("/", &[("authorization", &bearer)]).await;
    assert_eq!(response.status(), StatusCode::OK);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let response = app.get("/", &[("authorization", &bearer)]).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn bearers_renew_their_tokens_themselves() {
    let fake = Fake::start(Shape::Session, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    fake.set_shape(Shape::Jwt);
    app.settle(&fake).await;
    let bearer = format!("Bearer {}", held.access);
    let headers = [("authorization", bearer.as_str()), ("cookie", "x=y")];
    let response = app.get("/", &headers).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(set_cookies(&response).is_empty());
    assert_eq!(fake.calls().token, 0);
}

#[tokio::test]
async fn a_visitor_who_hangs_up_does_not_take_the_refresh_from_the_others() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = aged(&fake, &fake.sign_in(), 400);
    let cookie = cookies(&held);
    let headers = [("cookie", cookie.as_str())];
    let hurried = app.get("/", &headers);
    let hung_up = tokio::time::timeout(std::time::Duration::from_millis(10), hurried).await;
    assert!(hung_up.is_err());
    eventually("the token call arrives", || fake.calls().token == 1).await;
    assert_eq!(app.visit("/", &held).await.status(), StatusCode::OK);
    assert_eq!(fake.calls().token, 1);
}

/// The credential was good when it was looked at; a renewal that comes to nothing must not stretch the bound.
#[tokio::test]
async fn a_renewal_that_takes_too_long_makes_no_yes_older() {
    let fake = Fake::start(Shape::Jwt, "within(1s)").await;
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    let old = aged(&fake, &held, 280);
    app.settle(&fake).await;
    fake.go_down(Down::FEED);
    fake.state().slow_tokens = std::time::Duration::from_secs(5);
    let end = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        fake.end(held.sid);
    };
    let (response, ()) = tokio::join!(app.visit("/", &old), end);
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

/// The outer layer's renewal was answered in the shape of a moment ago. An inner layer that renewed what
/// that brought would spend it, and the browser would keep the spent one: the outer layer's cookies come last.
#[tokio::test]
async fn an_inner_layer_renews_nothing() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    let old = aged(&fake, &fake.sign_in(), 280);
    fake.set_shape(Shape::Session);
    app.settle(&fake).await;
    let session = kept(&app.visit("/", &old).await, old.clone());
    fake.set_shape(Shape::Jwt);
    app.settle(&fake).await;
    // A second tab, within the grace.
    let response = app.visit("/second", &old).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(kept(&response, old).access, session.access);
    assert_eq!(fake.calls().token, 1);
}
