//! `max_age`, `prompt` and `acr_values` at `/oauth2/authorize`: the person proves again who they are.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{
    Answer, Ask, CALLBACK, House, PASSWORD, authorize_url, get, location_parameters, text,
};

const HOUR: Duration = Duration::from_secs(3600);
const START: i64 = 1_800_000_000;

fn asking(more: &str) -> String {
    format!("{}&{more}", authorize_url("dashboard"))
}

async fn as_browser(house: &House, console: &str, url: &str) -> Answer {
    house.ask(get(url).cookie("__Host-symbolon", console)).await
}

/// What is behind the sign-in page to which the answer leads.
#[track_caller]
fn return_to(answer: &Answer) -> String {
    answer.expect_status(303);
    let location = answer.location();
    assert!(location.starts_with("/sign-in?"), "{location}");
    location_parameters(&location)["return_to"].clone()
}

async fn submit(house: &House, console: Option<&str>, password: &str, return_to: &str) -> Answer {
    let form = Ask::post("/sign-in").same_origin().form(&[
        ("identifier", "alice"),
        ("password", password),
        ("return_to", return_to),
    ]);
    let form = match console {
        Some(console) => form.cookie("__Host-symbolon", console),
        None => form,
    };
    house.ask(form).await
}

/// The console's cookie that an answer sets.
fn new_console(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie");
    let value = cookie.strip_prefix("__Host-symbolon=").unwrap();
    value.split(';').next().unwrap().to_owned()
}

#[track_caller]
fn code_in(answer: &Answer) -> String {
    answer.expect_status(302);
    let location = answer.location();
    assert!(
        location.starts_with(&format!("{CALLBACK}?code=")),
        "{location}"
    );
    location_parameters(&location)["code"].clone()
}

async fn introspected(house: &House, code: &str) -> (Value, Value) {
    let answer = house.redeem("dashboard", code).await;
    answer.expect_status(200);
    let issued = answer.json();
    let token = text(&issued, "access_token");
    let facts = house.ask(Ask::post("/oauth2/introspect").form(&[("token", &token)]));
    (issued, facts.await.json())
}

#[tokio::test]
async fn an_older_login_has_to_be_proved_again_and_the_app_gets_a_new_auth_time() {
    let house = House::new().await;
    let console = house.console("alice").await;
    let (before, old) = introspected(&house, &house.code(&console, "dashboard").await).await;
    house.pass(HOUR);
    let young = as_browser(&house, &console, &asking("max_age=3600")).await;
    code_in(&young);

    house.pass(Duration::from_secs(1));
    let asked = as_browser(&house, &console, &asking("max_age=3600")).await;
    let back = return_to(&asked);
    // The page says why, with the name filled in, in both languages; nothing is ended yet.
    let page = format!("/sign-in?{}", asked.location().split_once('?').unwrap().1);
    for (language, why) in [
        (
            "en",
            "dashboard asks you to prove once more that it is you.",
        ),
        ("ko", "dashboard 앱에서 본인 확인을 한 번 더 요청했습니다."),
    ] {
        let ask = get(&page).cookie("__Host-symbolon", &console);
        let shown = house.ask(ask.header("accept-language", language)).await;
        shown.expect_status(200);
        assert!(shown.body.contains(why), "{}", shown.body);
        assert!(shown.body.contains("value=\"alice\""), "{}", shown.body);
    }
    // A wrong password changes nothing, and it is still said why.
    let wrong = submit(&house, Some(&console), "wrong", &back).await;
    wrong.expect_status(401);
    assert!(wrong.body.contains("prove once more"), "{}", wrong.body);
    code_in(&as_browser(&house, &console, &authorize_url("dashboard")).await);

    let signed_in = submit(&house, Some(&console), PASSWORD, &back).await;
    signed_in.expect_status(303);
    assert_eq!(signed_in.location(), back);
    let renewed = new_console(&signed_in);
    assert_ne!(renewed, console);
    let code = code_in(&as_browser(&house, &renewed, &back).await);
    let (_, new) = introspected(&house, &code).await;
    assert_eq!(old["auth_time"], START);
    assert_eq!(new["auth_time"], START + 3601);
    assert_ne!(new["sid"], old["sid"]);
    assert_eq!(new["sub"], old["sub"]);

    // No secret from before the proof is worth anything after it.
    let gone = as_browser(&house, &console, &authorize_url("dashboard")).await;
    return_to(&gone);
    let refresh_token = text(&before, "refresh_token");
    let refreshed = house.as_client("dashboard", "/oauth2/token").form(&[
        ("grant_type", "refresh_token"),
        ("refresh_token", &refresh_token),
    ]);
    let refused = house.ask(refreshed).await;
    refused.expect_status(400);
    assert_eq!(refused.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_prompt_for_login_asks_once_and_once_only() {
    let house = House::new().await;
    for more in [
        "prompt=login",
        "prompt=select_account",
        "max_age=0",
        "prompt=login&max_age=1",
    ] {
        let console = house.console("alice").await;
        house.pass(Duration::from_secs(1));
        let back = return_to(&as_browser(&house, &console, &asking(more)).await);
        // Coming back without having proved anything leads to the same page, not in a circle.
        let again = return_to(&as_browser(&house, &console, &back).await);
        assert_eq!(again, back, "{more}");
        // The person takes their time.
        house.pass(HOUR);
        let signed_in = submit(&house, Some(&console), PASSWORD, &back).await;
        signed_in.expect_status(303);
        let renewed = new_console(&signed_in);
        house.pass(Duration::from_secs(5));
        code_in(&as_browser(&house, &renewed, &back).await);
        // The same address, opened again later, asks again.
        house.pass(HOUR);
        let later = return_to(&as_browser(&house, &renewed, &back).await);
        assert_ne!(later, back, "{more}");
        let page = format!("/sign-in?return_to={}", later.replace('&', "%26"));
        as_browser(&house, &renewed, &page).await.expect_status(200);
    }
}

#[tokio::test]
async fn who_is_not_signed_in_is_asked_once() {
    let house = House::new().await;
    for more in ["prompt=login", "max_age=1"] {
        let back = return_to(&house.ask(get(&asking(more))).await);
        house.pass(Duration::from_secs(60));
        let signed_in = submit(&house, None, PASSWORD, &back).await;
        house.pass(Duration::from_secs(60));
        code_in(&as_browser(&house, &new_console(&signed_in), &back).await);
    }
}

#[tokio::test]
async fn nothing_is_shown_where_nothing_may_be_shown() {
    let house = House::new().await;
    let console = house.console("alice").await;
    code_in(&as_browser(&house, &console, &asking("prompt=none")).await);
    house.pass(HOUR);
    let stranger = house.ask(get(&asking("prompt=none"))).await;
    let stale = as_browser(&house, &console, &asking("prompt=none&max_age=60")).await;
    for answer in [stranger, stale] {
        answer.expect_status(302);
        let parameters = location_parameters(&answer.location());
        assert_eq!(parameters["error"], "login_required");
        assert_eq!(parameters["state"], "st&te");
        assert!(!parameters.contains_key("code"));
    }
    let change = json!({"limit": {"most": 1, "at_limit": "refuse"}});
    let app = "/api/v1/apps/dashboard";
    house
        .run(Ask::patch(app).json(&change))
        .await
        .expect_status(200);
    house.flow(&console, "dashboard").await;
    let second = house.console("alice").await;
    let full = as_browser(&house, &second, &asking("prompt=none")).await;
    full.expect_status(302);
    let parameters = location_parameters(&full.location());
    assert_eq!(parameters["error"], "interaction_required");
}

#[tokio::test]
async fn what_is_not_supported_is_told_and_not_passed_over() {
    let house = House::new().await;
    let console = house.console("alice").await;
    for (more, error) in [
        ("acr_values=phr", "unmet_authentication_requirements"),
        ("prompt=consent", "invalid_request"),
        ("prompt=none+login", "invalid_request"),
        ("max_age=soon", "invalid_request"),
        ("max_age=-1", "invalid_request"),
    ] {
        let answer = as_browser(&house, &console, &asking(more)).await;
        answer.expect_status(302);
        let parameters = location_parameters(&answer.location());
        assert_eq!(parameters["error"], error, "{more}");
    }
    let metadata = house
        .ask(get("/.well-known/oauth-authorization-server"))
        .await;
    let metadata = metadata.json();
    let prompts = json!(["none", "login", "select_account"]);
    assert_eq!(metadata["prompt_values_supported"], prompts);
    assert!(metadata.get("acr_values_supported").is_none());
}

/// Another person may sign in at the form: then it is theirs, and nothing of the first one's is left.
#[tokio::test]
async fn a_proof_of_somebody_else_is_a_login_of_somebody_else() {
    let house = House::new().await;
    let console = house.console("alice").await;
    house.pass(HOUR);
    let back = return_to(&as_browser(&house, &console, &asking("prompt=login")).await);
    let form = Ask::post("/sign-in").same_origin().form(&[
        ("identifier", "bob"),
        ("password", PASSWORD),
        ("return_to", &back),
    ]);
    let signed_in = house.ask(form.cookie("__Host-symbolon", &console)).await;
    let code = code_in(&as_browser(&house, &new_console(&signed_in), &back).await);
    let (_, facts) = introspected(&house, &code).await;
    assert_eq!(facts["sub"], house.id_of("bob").await);
    return_to(&as_browser(&house, &console, &authorize_url("dashboard")).await);
}

/// The form has to come from our own page, also when somebody is signed in.
#[tokio::test]
async fn another_site_proves_nothing() {
    let house = House::new().await;
    let console = house.console("alice").await;
    house.pass(HOUR);
    let back = return_to(&as_browser(&house, &console, &asking("prompt=login")).await);
    for site in ["cross-site", "same-site"] {
        let form = Ask::post("/sign-in")
            .header("sec-fetch-site", site)
            .cookie("__Host-symbolon", &console)
            .form(&[
                ("identifier", "alice"),
                ("password", PASSWORD),
                ("return_to", &back),
            ]);
        let refused = house.ask(form).await;
        refused.expect_status(403);
        assert_eq!(refused.header("set-cookie"), "");
    }
    code_in(&as_browser(&house, &console, &authorize_url("dashboard")).await);
}
