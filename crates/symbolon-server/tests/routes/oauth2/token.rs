use std::time::Duration;

use serde_json::json;

use crate::harness::{Answer, Ask, CALLBACK, House, VERIFIER, get, text};

fn refresh(secret: &str) -> [(&'static str, &str); 2] {
    [("grant_type", "refresh_token"), ("refresh_token", secret)]
}

#[track_caller]
fn expect_error(answer: &Answer, status: u16, error: &str) {
    answer.expect_status(status);
    assert_eq!(answer.json()["error"], error);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("content-type"), "application/json");
}

mod code {
    use super::*;

    #[tokio::test]
    async fn becomes_a_credential_in_the_apps_shape() {
        let house = House::new().await;
        let console = house.console("alice").await;
        let code = house.code(&console, "dashboard").await;
        let answer = house.redeem("dashboard", &code).await;
        answer.expect_status(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        let tokens = answer.json();
        assert_eq!(tokens["token_type"], "Bearer");
        assert_eq!(tokens["shape"], "jwt");
        assert_eq!(tokens["expires_in"], 300);
        let session = house.flow(&console, "back-office").await;
        assert_eq!(session["shape"], "session");
        // One login, two apps.
        assert_eq!(session["sid"], tokens["sid"]);
    }

    /// RFC 6749 section 4.1.2: a second use is refused and ends what the first one gave.
    #[tokio::test]
    async fn is_good_once() {
        let house = House::new().await;
        let console = house.console("alice").await;
        let code = house.code(&console, "dashboard").await;
        let first = house.redeem("dashboard", &code).await.json();
        expect_error(
            &house.redeem("dashboard", &code).await,
            400,
            "invalid_grant",
        );
        let token = text(&first, "access_token");
        let known = Ask::post("/oauth2/introspect").form(&[("token", &token)]);
        assert_eq!(house.ask(known).await.json()["active"], false);
        // The login and its other apps live on.
        let me = get("/api/v1/me").bearer(&console);
        house.ask(me).await.expect_status(200);
    }

    #[tokio::test]
    async fn is_good_for_a_minute() {
        let house = House::new().await;
        let console = house.console("alice").await;
        let code = house.code(&console, "dashboard").await;
        house.pass(Duration::from_secs(61));
        expect_error(
            &house.redeem("dashboard", &code).await,
            400,
            "invalid_grant",
        );
    }

    #[tokio::test]
    async fn is_bound_to_app_redirect_uri_and_verifier() {
        let house = House::new().await;
        let console = house.console("alice").await;
        let wrong = "a".repeat(43);
        for (client_id, redirect_uri, verifier, error) in [
            ("back-office", CALLBACK, VERIFIER, "invalid_grant"),
            (
                "dashboard",
                "https://dashboard.example.test/",
                VERIFIER,
                "invalid_grant",
            ),
            ("dashboard", CALLBACK, wrong.as_str(), "invalid_grant"),
            ("dashboard", CALLBACK, "", "invalid_request"),
            ("dashboard", "", VERIFIER, "invalid_request"),
        ] {
            let code = house.code(&console, "dashboard").await;
            let form = [
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", redirect_uri),
                ("code_verifier", verifier),
            ];
            let ask = house.as_client(client_id, "/oauth2/token").form(&form);
            expect_error(&house.ask(ask).await, 400, error);
        }
        for code in ["", "x", "!!!"] {
            let refused = house.redeem("dashboard", code).await;
            refused.expect_status(400);
        }
    }

    #[tokio::test]
    async fn dies_with_its_login() {
        let house = House::new().await;
        let console = house.console("alice").await;
        let code = house.code(&console, "dashboard").await;
        let end = Ask::delete("/api/v1/logins").bearer(&console);
        house.ask(end).await.expect_status(200);
        expect_error(
            &house.redeem("dashboard", &code).await,
            400,
            "invalid_grant",
        );
    }
}

mod refresh {
    use super::*;

    #[tokio::test]
    async fn gives_a_successor_and_within_the_grace_the_same_one() {
        let house = House::new().await;
        let console = house.console("alice").await;
        let first = house.flow(&console, "dashboard").await;
        let secret = text(&first, "refresh_token");
        let ask = || {
            house
                .as_client("dashboard", "/oauth2/token")
                .form(&refresh(&secret))
        };
        let second = house.ask(ask()).await;
        second.expect_status(200);
        assert_ne!(second.json()["refresh_token"], first["refresh_token"]);
        let replay = house.ask(ask()).await;
        assert_eq!(
            replay.json()["refresh_token"],
            second.json()["refresh_token"]
        );
        // Later it is a stolen copy: the login ends, on every app.
        house.pass(Duration::from_secs(11));
        expect_error(&house.ask(ask()).await, 400, "invalid_grant");
        let me = house.ask(get("/api/v1/me").bearer(&console)).await;
        me.expect_problem(401, "credential-refused");
    }

    #[tokio::test]
    async fn belongs_to_its_app() {
        let house = House::new().await;
        let console = house.console("alice").await;
        let tokens = house.flow(&console, "dashboard").await;
        let secret = text(&tokens, "refresh_token");
        let ask = house
            .as_client("back-office", "/oauth2/token")
            .form(&refresh(&secret));
        expect_error(&house.ask(ask).await, 400, "invalid_grant");
        let own = house
            .as_client("dashboard", "/oauth2/token")
            .form(&refresh(&secret));
        house.ask(own).await.expect_status(200);
    }

    #[tokio::test]
    async fn takes_no_access_token() {
        let house = House::new().await;
        let console = house.console("alice").await;
        let tokens = house.flow(&console, "dashboard").await;
        for wrong in [
            text(&tokens, "access_token"),
            "sym_r_x".to_owned(),
            "x".to_owned(),
        ] {
            let ask = house
                .as_client("dashboard", "/oauth2/token")
                .form(&refresh(&wrong));
            expect_error(&house.ask(ask).await, 400, "invalid_grant");
        }
    }
}

mod client {
    use super::*;

    #[tokio::test]
    async fn proves_itself_in_exactly_one_way() {
        let house = House::new().await;
        let secret = house.secret("dashboard");
        let form = refresh("sym_r_x");
        let with = |extra: &[(&'static str, &str)]| {
            let mut all: Vec<(&str, &str)> = form.to_vec();
            all.extend_from_slice(extra);
            Ask::post("/oauth2/token").form(&all)
        };
        // Good in both ways: refused for the grant only.
        let basic = house.as_client("dashboard", "/oauth2/token").form(&form);
        expect_error(&house.ask(basic).await, 400, "invalid_grant");
        let id = ("client_id", "dashboard");
        let post = with(&[id, ("client_secret", &secret)]);
        expect_error(&house.ask(post).await, 400, "invalid_grant");
        let encoded = Ask::post("/oauth2/token")
            .basic("dash%62oard", &secret)
            .form(&form);
        expect_error(&house.ask(encoded).await, 400, "invalid_grant");
        let public = with(&[("client_id", "spa")]);
        expect_error(&house.ask(public).await, 400, "invalid_grant");

        for (what, ask) in [
            ("nobody", with(&[])),
            ("no secret", with(&[id])),
            ("wrong secret", with(&[id, ("client_secret", "sym_c_x")])),
            (
                "unknown",
                with(&[("client_id", "nobody"), ("client_secret", &secret)]),
            ),
            (
                "another app's",
                with(&[("client_id", "back-office"), ("client_secret", &secret)]),
            ),
            (
                "a public app with a secret",
                with(&[("client_id", "spa"), ("client_secret", &secret)]),
            ),
            (
                "not a name",
                with(&[("client_id", "Dash board"), ("client_secret", &secret)]),
            ),
            (
                "wrong basic",
                Ask::post("/oauth2/token")
                    .basic("dashboard", "x")
                    .form(&form),
            ),
            (
                "empty basic",
                Ask::post("/oauth2/token")
                    .basic("dashboard", "")
                    .form(&form),
            ),
            (
                "bearer",
                Ask::post("/oauth2/token").bearer(&secret).form(&form),
            ),
        ] {
            let refused = house.ask(ask).await;
            expect_error(&refused, 401, "invalid_client");
            assert!(
                refused.header("www-authenticate").starts_with("Basic "),
                "{what}"
            );
            assert!(!refused.body.contains(&secret));
        }

        let both = Ask::post("/oauth2/token").basic("dashboard", &secret);
        let mut all = form.to_vec();
        all.push(("client_secret", &secret));
        expect_error(&house.ask(both.form(&all)).await, 400, "invalid_request");
        let other = Ask::post("/oauth2/token").basic("dashboard", &secret);
        let mut all = form.to_vec();
        all.push(("client_id", "back-office"));
        expect_error(&house.ask(other.form(&all)).await, 400, "invalid_request");
    }

    #[tokio::test]
    async fn a_public_app_needs_none() {
        let house = House::new().await;
        let console = house.console("alice").await;
        let code = house.code(&console, "spa").await;
        let form = [
            ("client_id", "spa"),
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let answer = house.ask(Ask::post("/oauth2/token").form(&form)).await;
        answer.expect_status(200);
    }
}

#[tokio::test]
async fn takes_its_two_grants_as_a_form_only() {
    let house = House::new().await;
    for grant in [
        "password",
        "client_credentials",
        "implicit",
        "REFRESH_TOKEN",
    ] {
        let form = [("grant_type", grant), ("username", "alice")];
        let ask = house.as_client("dashboard", "/oauth2/token").form(&form);
        expect_error(&house.ask(ask).await, 400, "unsupported_grant_type");
    }
    let none = house.as_client("dashboard", "/oauth2/token").form(&[]);
    expect_error(&house.ask(none).await, 400, "invalid_request");
    let twice = [
        ("grant_type", "refresh_token"),
        ("grant_type", "refresh_token"),
    ];
    let ask = house.as_client("dashboard", "/oauth2/token").form(&twice);
    expect_error(&house.ask(ask).await, 400, "invalid_request");
    let json = house
        .as_client("dashboard", "/oauth2/token")
        .json(&json!({"grant_type": "refresh_token"}));
    expect_error(&house.ask(json).await, 400, "invalid_request");
    house
        .ask(get("/oauth2/token"))
        .await
        .expect_problem(405, "method-not-allowed");
}

#[tokio::test]
async fn without_the_store_nothing_is_used_up() {
    let house = House::new().await;
    let console = house.console("alice").await;
    let tokens = house.flow(&console, "dashboard").await;
    let secret = text(&tokens, "refresh_token");
    let ask = || {
        house
            .as_client("dashboard", "/oauth2/token")
            .form(&refresh(&secret))
    };
    house.set_down(true);
    let answer = house.ask(ask()).await;
    expect_error(&answer, 503, "temporarily_unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    house.set_down(false);
    house.ask(ask()).await.expect_status(200);
}
