//! The app's half of signing in: begun and finished in one browser, with one authority, at a local path.

use axum::http::StatusCode;
use symbolon_guard::Shape;

use crate::{
    app::{App, read, request, set_cookies},
    fake::{APP_URL, Down, Fake},
};

const HTML: (&str, &str) = ("accept", "text/html");

/// A sign-in under way: the state sent to the authority, and the browser's cookie.
struct Begun {
    state: String,
    cookie: String,
}

async fn begin(app: &App, path: &str) -> Begun {
    let response = app.get(path, &[HTML]).await;
    assert_eq!(response.status(), StatusCode::FOUND);
    let location = url(response.headers()["location"].to_str().unwrap());
    let asked = |name: &str| {
        let mut values = location.query_pairs().filter(|(key, _)| key == name);
        let value = values.next().unwrap().1.into_owned();
        assert!(values.next().is_none());
        value
    };
    assert_eq!(asked("response_type"), "code");
    assert_eq!(asked("client_id"), "app");
    assert_eq!(asked("redirect_uri"), format!("{APP_URL}/auth/callback"));
    assert_eq!(asked("code_challenge_method"), "S256");
    assert_eq!(asked("code_challenge").len(), 43);
    let state = asked("state");
    assert_eq!(state.len(), 43);
    let cookies = set_cookies(&response);
    let (name, value) = cookies.first().unwrap();
    assert_eq!(*name, format!("__Host-app-tx-{}", &state[..8]));
    Begun {
        cookie: format!("{name}={value}"),
        state,
    }
}

fn url(text: &str) -> reqwest::Url {
    reqwest::Url::parse(text).unwrap()
}

fn callback(fake: &Fake, state: &str) -> String {
    format!(
        "/auth/callback?code={}&state={state}&iss={}",
        fake.code(),
        fake.url()
    )
}

#[tokio::test]
async fn a_person_signs_in_and_comes_back_to_the_page_they_wanted() {
    for shape in [Shape::Session, Shape::Jwt] {
        let fake = Fake::start(shape, "within(10s)").await;
        let app = App::of(&fake).await;
        for (path, back) in [
            ("/?tab=one%20two", "/?tab=one%20two"),
            ("/auth/sign-in?return_to=%2Fmaybe%3Fx%3D1", "/maybe?x=1"),
            ("/auth/sign-in?return_to=//evil.example.test", "/"),
            ("/auth/sign-in?return_to=/%5Cevil.example.test", "/"),
            ("/auth/sign-in?return_to=https://evil.example.test", "/"),
            ("/auth/sign-in?return_to=/auth/sign-in", "/"),
            ("/auth/sign-in", "/"),
        ] {
            let begun = begin(&app, path).await;
            let cookie = ("cookie", begun.cookie.as_str());
            let response = app.get(&callback(&fake, &begun.state), &[cookie]).await;
            assert_eq!(response.status(), StatusCode::FOUND, "{path}");
            assert_eq!(response.headers()["location"], back);
            assert_eq!(response.headers()["cache-control"], "no-store");
            let kept = set_cookies(&response);
            let names: Vec<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
            let transaction = format!("__Host-app-tx-{}", &begun.state[..8]);
            assert_eq!(names, ["__Host-app", "__Host-app-refresh", &transaction]);
            let (_, access) = kept.first().unwrap();
            let session = format!("__Host-app={access}");
            let page = app.get("/", &[("cookie", &session)]).await;
            assert_eq!(page.status(), StatusCode::OK, "{shape}");
        }
    }
}

/// Who did not ask to be remembered is not: the cookies go with the browser, also after a renewal.
#[tokio::test]
async fn cookies_outlive_the_browser_only_where_the_person_is_remembered() {
    for (shape, remembered) in [
        (Shape::Session, true),
        (Shape::Session, false),
        (Shape::Jwt, true),
        (Shape::Jwt, false),
    ] {
        let fake = Fake::start(shape, "within(10s)").await;
        fake.state().remembered = remembered;
        let app = App::of(&fake).await;
        let begun = begin(&app, "/").await;
        let cookie = ("cookie", begun.cookie.as_str());
        let response = app.get(&callback(&fake, &begun.state), &[cookie]).await;
        let mut kept = ages(&response);
        let held = crate::app::kept(&response, fake.sign_in());
        // The dial is turned: the next request brings cookies of the other shape.
        fake.set_shape(match shape {
            Shape::Session => Shape::Jwt,
            Shape::Jwt => Shape::Session,
        });
        app.settle(&fake).await;
        kept.extend(ages(&app.visit("/", &held).await));
        // Access and refresh token of the one, the session of the other.
        assert_eq!(kept.len(), 3, "{shape} {kept:?}");
        for aged in kept {
            assert_eq!(aged, remembered, "{shape}");
        }
    }
}

/// Whether each credential that an answer lets the browser keep has an age.
fn ages(response: &axum::response::Response) -> Vec<bool> {
    let set = response.headers().get_all("set-cookie").iter();
    set.map(|value| value.to_str().unwrap())
        .filter(|text| !text.contains("Max-Age=0"))
        .map(|text| text.contains("Max-Age="))
        .collect()
}

#[tokio::test]
async fn a_callback_that_this_browser_did_not_begin_is_refused() {
    let fake = Fake::start(Shape::Session, "within(10s)").await;
    let app = App::of(&fake).await;
    let (mine, theirs) = (begin(&app, "/").await, begin(&app, "/").await);
    let cookie = ("cookie", mine.cookie.as_str());
    // Another browser's state, no state, a made-up one with the right beginning, twice.
    let forged = format!("{}{}", &mine.state[..8], "A".repeat(35));
    let twice = format!("{}&state={}", mine.state, mine.state);
    for state in [theirs.state.as_str(), "", &forged, &twice, &mine.state[..8]] {
        let response = app.get(&callback(&fake, state), &[cookie]).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{state}");
        assert!(set_cookies(&response).is_empty());
    }
    let response = app.get(&callback(&fake, &mine.state), &[]).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    // The cookie twice: a sibling host tossed one in.
    let tossed = format!("{0}; {0}", mine.cookie);
    let response = app
        .get(&callback(&fake, &mine.state), &[("cookie", &tossed)])
        .await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(fake.calls().token, 0, "no code left the app");
}

#[tokio::test]
async fn a_callback_of_another_authority_is_refused() {
    let fake = Fake::start(Shape::Session, "within(10s)").await;
    let app = App::of(&fake).await;
    for iss in [
        "&iss=http://evil.example.test",
        "&iss=",
        "",
        "&iss={url}/",
        "&iss={url}&iss={url}",
    ] {
        let begun = begin(&app, "/").await;
        let iss = iss.replace("{url}", &fake.url());
        let path = format!("/auth/callback?code=x&state={}{iss}", begun.state);
        let response = app.get(&path, &[("cookie", &begun.cookie)]).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{iss}");
        let kept = set_cookies(&response);
        assert!(kept.iter().all(|(_, value)| value.is_empty()));
    }
    assert_eq!(fake.calls().token, 0);
}

#[tokio::test]
async fn an_error_or_a_bad_code_ends_the_sign_in() {
    let fake = Fake::start(Shape::Session, "within(10s)").await;
    let app = App::of(&fake).await;
    for answer in ["error=access_denied", "code=never-issued", "error=x&code=y"] {
        let begun = begin(&app, "/").await;
        let path = format!(
            "/auth/callback?{answer}&state={}&iss={}",
            begun.state,
            fake.url()
        );
        let response = app.get(&path, &[("cookie", &begun.cookie), HTML]).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{answer}");
        let (_, text) = read(response).await;
        assert!(text.contains("Sign-in was not completed"));
    }
    // Away: the person may try the same address again.
    let begun = begin(&app, "/").await;
    let path = callback(&fake, &begun.state);
    fake.go_down(Down::ALL);
    let cookie = ("cookie", begun.cookie.as_str());
    let response = app.get(&path, &[cookie]).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    fake.go_down(Down::default());
    let response = app.get(&path, &[cookie]).await;
    assert_eq!(response.status(), StatusCode::FOUND);
}

#[tokio::test]
async fn many_sign_ins_at_once_do_not_outgrow_the_browser() {
    let fake = Fake::start(Shape::Session, "within(10s)").await;
    let app = App::of(&fake).await;
    let held: Vec<String> = (0..8)
        .map(|n| format!("__Host-app-tx-aaaaaaa{n}=x"))
        .collect();
    let held = held.join("; ");
    let response = app.get("/", &[HTML, ("cookie", &held)]).await;
    let cookies = set_cookies(&response);
    assert_eq!(cookies.len(), 9);
    let cleared = cookies.iter().filter(|(_, value)| value.is_empty());
    assert_eq!(cleared.count(), 8);
}

#[tokio::test]
async fn the_guards_own_routes_take_their_own_methods_only() {
    let fake = Fake::start(Shape::Session, "within(10s)").await;
    let app = App::of(&fake).await;
    for (method, path) in [
        ("POST", "/auth/sign-in"),
        ("POST", "/auth/callback"),
        ("GET", "/auth/sign-out"),
    ] {
        let response = app.call(request(method, path, &[])).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert!(response.headers().contains_key("allow"));
    }
}
