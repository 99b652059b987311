use serde_json::{Value, json};

use crate::harness::{
    Ask, CALLBACK, CHALLENGE, House, ORIGIN, authorize_query, authorize_url, get,
    location_parameters, text,
};

async fn as_alice(house: &House, console: &str, url: &str) -> crate::harness::Answer {
    house.ask(get(url).cookie("__Host-symbolon", console)).await
}

#[tokio::test]
async fn gives_a_code_with_state_and_issuer() {
    let house = House::new().await;
    let console = house.console("alice").await;
    let answer = as_alice(&house, &console, &authorize_url("dashboard")).await;
    answer.expect_status(302);
    assert_eq!(answer.header("cache-control"), "no-store");
    let location = answer.location();
    assert!(location.starts_with(&format!("{CALLBACK}?code=")));
    let parameters = location_parameters(&location);
    assert_eq!(parameters["state"], "st&te");
    assert_eq!(parameters["iss"], ORIGIN);
    assert_eq!(parameters.len(), 3);
}

#[tokio::test]
async fn who_is_not_signed_in_does_that_first_and_comes_back() {
    let house = House::new().await;
    let url = authorize_url("dashboard");
    let phone = house.token("alice", "phone").await;
    let ended = house.console("alice").await;
    house
        .ask(Ask::delete("/api/v1/logins").bearer(&ended))
        .await
        .expect_status(200);
    for ask in [
        get(&url),
        // Only the console's own cookie counts.
        get(&url).bearer(&phone),
        get(&url).cookie("__Host-phone", &phone),
        get(&url).cookie("__Host-symbolon", &phone),
        get(&url).cookie("__Host-symbolon", &ended),
        get(&url).cookie("symbolon", &house.console("bob").await),
    ] {
        let answer = house.ask(ask).await;
        answer.expect_status(303);
        let location = answer.location();
        assert!(location.starts_with("/sign-in?return_to="), "{location}");
        assert_eq!(location_parameters(&location)["return_to"], url);
    }
}

/// Never a redirect to a place that is not the app's own.
#[tokio::test]
async fn unknown_apps_and_places_get_a_page() {
    let house = House::new().await;
    let console = house.console("alice").await;
    let good = authorize_query("dashboard", CALLBACK);
    for url in [
        "/oauth2/authorize".to_owned(),
        authorize_url("nobody"),
        authorize_url("Dashboard"),
        format!(
            "/oauth2/authorize?{}",
            authorize_query("dashboard", "https://evil.test/")
        ),
        format!("/oauth2/authorize?{}", authorize_query("dashboard", "")),
        format!("/oauth2/authorize?{}", authorize_query("phone", CALLBACK)),
        format!("/oauth2/authorize?{good}&client_id=dashboard"),
        format!("/oauth2/authorize?{good}&redirect_uri=https%3A%2F%2Fevil.test%2F"),
        format!("/oauth2/authorize?redirect_uri=https%3A%2F%2Fevil.test%2F&{good}"),
    ] {
        let answer = as_alice(&house, &console, &url).await;
        answer.expect_status(400);
        assert_eq!(answer.location(), "", "{url}");
        assert!(
            answer.header("content-type").starts_with("text/html"),
            "{url}"
        );
        assert!(
            answer
                .header("content-security-policy")
                .contains("frame-ancestors 'none'")
        );
    }
}

#[tokio::test]
async fn other_errors_go_to_the_app() {
    let house = House::new().await;
    let console = house.console("alice").await;
    let base = format!(
        "/oauth2/authorize?client_id=dashboard&redirect_uri={}",
        "https%3A%2F%2Fdashboard.example.test%2Fauth%2Fcallback"
    );
    let pkce = format!("code_challenge={CHALLENGE}&code_challenge_method=S256");
    for (rest, error) in [
        (pkce.clone(), "invalid_request"),
        (
            format!("response_type=token&{pkce}"),
            "unsupported_response_type",
        ),
        (
            format!("response_type=id_token&{pkce}"),
            "unsupported_response_type",
        ),
        ("response_type=code".to_owned(), "invalid_request"),
        (
            format!("response_type=code&code_challenge={CHALLENGE}&code_challenge_method=plain"),
            "invalid_request",
        ),
        (
            format!("response_type=code&code_challenge={CHALLENGE}"),
            "invalid_request",
        ),
        (
            format!("response_type=code&{pkce}&scope=a&scope=b"),
            "invalid_request",
        ),
    ] {
        // Whether or not somebody is signed in.
        for ask in [
            get(&format!("{base}&{rest}&state=x")),
            get(&format!("{base}&{rest}&state=x")).cookie("__Host-symbolon", &console),
        ] {
            let answer = house.ask(ask).await;
            answer.expect_status(302);
            let location = answer.location();
            assert!(
                location.starts_with(&format!("{CALLBACK}?error={error}&")),
                "{location}"
            );
            let parameters = location_parameters(&location);
            assert_eq!(parameters["state"], "x");
            assert_eq!(parameters["iss"], ORIGIN);
            assert!(!parameters.contains_key("code"));
        }
    }
}

/// The rows of `oauth_redirect_uri.jsonl`: which requested URI is a registered one.
#[tokio::test]
async fn a_redirect_uri_is_the_registered_one() {
    let house = House::new().await;
    let console = house.console("alice").await;
    for line in include_str!("../../vectors/oauth_redirect_uri.jsonl").lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let id = text(&row, "id");
        let client_id = id.replace('_', "-");
        let app =
            json!({"client_id": client_id, "shape": "jwt", "redirect_uris": row["registered"]});
        house
            .run(Ask::post("/api/v1/apps").json(&app))
            .await
            .expect_status(201);
        let requested = text(&row, "requested");
        let url = format!(
            "/oauth2/authorize?{}",
            authorize_query(&client_id, &requested)
        );
        let answer = as_alice(&house, &console, &url).await;
        if row["expected"] == "accept" {
            answer.expect_status(302);
            assert!(
                answer.location().starts_with(&format!("{requested}?code=")),
                "{id}"
            );
        } else {
            answer.expect_status(400);
            assert_eq!(answer.location(), "", "{id}");
        }
    }
}

#[tokio::test]
async fn head_makes_no_code_and_post_is_not_taken() {
    let house = House::new().await;
    let console = house.console("alice").await;
    for method in ["HEAD", "POST", "PUT"] {
        let ask = Ask::new(method, &authorize_url("dashboard"))
            .cookie("__Host-symbolon", &console)
            .same_origin();
        let answer = house.ask(ask).await;
        answer.expect_status(405);
        assert_eq!(answer.location(), "");
    }
}

#[tokio::test]
async fn a_cookie_that_comes_twice_is_refused() {
    let house = House::new().await;
    let console = house.console("alice").await;
    let twice = get(&authorize_url("dashboard"))
        .cookie("__Host-symbolon", &console)
        .cookie("__Host-symbolon", &console);
    let answer = house.ask(twice).await;
    answer.expect_status(400);
    assert_eq!(answer.location(), "");
}
