use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Answer, Ask, House, PASSWORD, get, text};

fn attempt(identifier: &str, password: &str) -> Ask {
    let body = json!({"identifier": identifier, "password": password, "client_id": "phone", "remember": true});
    Ask::post("/api/v1/logins").json(&body)
}

mod sign_in {
    use super::*;

    #[tokio::test]
    async fn gives_a_credential_in_the_apps_shape() {
        let house = House::new().await;
        let session = house.sign_in("alice", "phone").await;
        assert_eq!(session["token_type"], "Bearer");
        assert_eq!(session["shape"], "session");
        assert!(text(&session, "access_token").starts_with("sym_s_"));
        assert!(session.get("refresh_token").is_none());

        let tokens = house.sign_in("alice", "cli").await;
        assert_eq!(tokens["shape"], "jwt");
        assert_eq!(tokens["expires_in"], 300);
        assert!(text(&tokens, "access_token").starts_with("eyJ"));
        assert!(text(&tokens, "refresh_token").starts_with("sym_r_"));
        assert_eq!(tokens["refresh_expires_in"], 604_800);
        assert_ne!(session["sid"], tokens["sid"]);
    }

    #[tokio::test]
    async fn after_too_many_wrong_passwords_says_when_to_come_back() {
        let house = House::new().await;
        house.use_up_attempts("alice").await;
        house.use_up_attempts("nobody").await;
        house.pass(Duration::from_millis(500));
        let mut seen = Vec::new();
        for identifier in ["alice", "Alice", "nobody"] {
            let later = house.ask(attempt(identifier, PASSWORD)).await;
            later.expect_problem(429, "too-many-attempts");
            assert_eq!(later.header("retry-after"), "3600", "{identifier}");
            seen.push(without_request_id(later));
        }
        assert!(seen.windows(2).all(|two| two[0] == two[1]), "{seen:?}");
        house.sign_in("bob", "phone").await;
        house.pass(Duration::from_secs(3600));
        house.sign_in("alice", "phone").await;
    }

    #[tokio::test]
    async fn a_session_comes_as_a_cookie_too_and_to_a_browser_only_so() {
        let house = House::new().await;
        let program = house.ask(attempt("alice", PASSWORD)).await;
        let cookie = program.header("set-cookie");
        let secret = text(&program.json(), "access_token");
        assert_eq!(
            cookie,
            format!(
                "__Host-phone={secret}; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=604800"
            )
        );
        assert!(cookie.len() <= 4_096);

        let browser = house.ask(attempt("alice", PASSWORD).same_origin()).await;
        browser.expect_status(201);
        assert!(
            browser
                .header("set-cookie")
                .starts_with("__Host-phone=sym_s_")
        );
        assert!(!browser.body.contains("sym_s_"));
        assert!(browser.json().get("access_token").is_none());
    }

    #[tokio::test]
    async fn ends_within_a_day_and_with_the_browser_if_not_remembered() {
        let house = House::new().await;
        let body = json!({"identifier": "alice", "password": PASSWORD, "client_id": "phone"});
        let brief = house.ask(Ask::post("/api/v1/logins").json(&body)).await;
        brief.expect_status(201);
        let session = brief.json();
        assert_eq!(session["remembered"], false);
        assert_eq!(session["expires_in"], 86_400);
        assert!(!brief.header("set-cookie").contains("Max-Age"));
        let body = json!({"identifier": "alice", "password": PASSWORD, "client_id": "cli"});
        let tokens = house.ask(Ask::post("/api/v1/logins").json(&body)).await;
        assert_eq!(tokens.json()["refresh_expires_in"], 86_400);
        // What an app is told when it takes its share in such a login.
        let body = json!({"identifier": "alice", "password": PASSWORD, "client_id": "symbolon"});
        let console = house.ask(Ask::post("/api/v1/logins").json(&body)).await;
        let console = text(&console.json(), "access_token");
        assert_eq!(house.flow(&console, "dashboard").await["remembered"], false);
        let remembered = house.console("alice").await;
        let share = house.flow(&remembered, "dashboard").await;
        assert_eq!(share["remembered"], true);
    }

    #[tokio::test]
    async fn lists_what_takes_up_the_room_and_takes_a_choice() {
        let house = House::new().await;
        let alice = format!("/api/v1/users/{}", house.id_of("alice").await);
        let hold = async |at_limit: &str| {
            let policy = json!({"policy": {"limit": {"most": 2, "at_limit": at_limit}}});
            let held = house.run(Ask::patch(&alice).json(&policy)).await;
            held.expect_status(200);
        };
        hold("ask").await;
        let first = house.sign_in("alice", "phone").await;
        house.pass(Duration::from_secs(1));
        let second = house.sign_in("alice", "cli").await;
        let full = house.ask(attempt("alice", PASSWORD)).await;
        full.expect_problem(409, "login-limit");
        let problem = full.json();
        assert_eq!(problem["may_choose"], true);
        assert_eq!(problem["logins"].as_array().unwrap().len(), 2);
        assert_eq!(problem["logins"][0]["sid"], second["sid"]);
        assert_eq!(problem["logins"][1]["sid"], first["sid"]);
        assert_eq!(full.header("set-cookie"), "");
        // Only for who knows the password.
        let wrong = house.ask(attempt("alice", "wrong password")).await;
        wrong.expect_problem(401, "wrong-credentials");

        let choosing = |sid: &Value| {
            let body = json!({"identifier": "alice", "password": PASSWORD, "client_id": "phone", "instead_of": [sid]});
            Ask::post("/api/v1/logins").json(&body)
        };
        hold("refuse").await;
        let refused = house.ask(choosing(&first["sid"])).await;
        refused.expect_problem(409, "login-limit");
        assert_eq!(refused.json()["may_choose"], false);
        let old = text(&first, "access_token");
        house
            .ask(get("/api/v1/me").bearer(&old))
            .await
            .expect_status(200);
        // The login that this browser shows takes up no room.
        let again = attempt("alice", PASSWORD)
            .cookie("__Host-phone", &old)
            .same_origin();
        let again = house.ask(again).await;
        again.expect_status(201);

        hold("ask").await;
        let third = house.ask(choosing(&second["sid"])).await;
        third.expect_status(201);
        let gone = house
            .ask(get("/api/v1/me").bearer(&text(&second, "access_token")))
            .await;
        gone.expect_problem(401, "credential-refused");
        let body = json!({"identifier": "alice", "password": PASSWORD, "client_id": "phone", "instead_of": ["x"]});
        let bad = house.ask(Ask::post("/api/v1/logins").json(&body)).await;
        bad.expect_problem(400, "bad-request");
    }

    /// Fixation, and an old secret that outlives its replacement (ASVS 7.2.4).
    #[tokio::test]
    async fn is_a_new_login_whatever_the_request_brought() {
        let house = House::new().await;
        let before = house.sign_in("alice", "phone").await;
        let old = text(&before, "access_token");
        let again = attempt("alice", PASSWORD)
            .cookie("__Host-phone", &old)
            .same_origin();
        let after = house.ask(again).await;
        after.expect_status(201);
        assert_ne!(after.json()["sid"], before["sid"]);
        assert!(!after.header("set-cookie").contains(&old));
        let refused = house.ask(get("/api/v1/me").bearer(&old)).await;
        refused.expect_problem(401, "credential-refused");

        let planted = attempt("alice", PASSWORD)
            .cookie("__Host-phone", "sym_s_planted")
            .same_origin();
        let fresh = house.ask(planted).await;
        fresh.expect_status(201);
        assert!(!fresh.header("set-cookie").contains("planted"));
    }

    /// Same status, same text, same headers for every reason (ASVS 6.3.8).
    #[tokio::test]
    async fn refuses_for_every_reason_alike() {
        let house = House::new().await;
        let mut seen = Vec::new();
        for (identifier, password) in [
            ("alice", "wrong password"),
            ("nobody", PASSWORD),
            ("mallory", PASSWORD),
            ("mallory", "wrong password"),
            ("not a name\u{0}", PASSWORD),
            ("", PASSWORD),
            ("alice", ""),
            ("alice", "Correct horse battery"),
            ("alice", "correct horse battery "),
        ] {
            let refused = house.ask(attempt(identifier, password)).await;
            refused.expect_problem(401, "wrong-credentials");
            assert_eq!(
                refused.json()["title"],
                "The name or the password is wrong."
            );
            seen.push(without_request_id(refused));
        }
        assert!(seen.windows(2).all(|two| two[0] == two[1]), "{seen:?}");
        house
            .ask(attempt("ALICE", PASSWORD))
            .await
            .expect_status(201);
    }

    fn without_request_id(mut answer: Answer) -> (u16, String, Vec<(String, String)>) {
        answer.headers.remove("x-request-id");
        let headers = answer.headers.iter().map(|(name, value)| {
            let value = value.to_str().unwrap().to_owned();
            (name.to_string(), value)
        });
        (answer.status(), answer.body.clone(), headers.collect())
    }

    #[tokio::test]
    async fn only_first_party_apps_may_ask_for_passwords() {
        let house = House::new().await;
        for client_id in ["dashboard", "spa", "nobody"] {
            let body = json!({"identifier": "alice", "password": PASSWORD, "client_id": client_id});
            let refused = house.ask(Ask::post("/api/v1/logins").json(&body)).await;
            refused.expect_problem(403, "forbidden");
        }
    }

    #[tokio::test]
    async fn takes_json_of_its_own_shape_only() {
        let house = House::new().await;
        let good = json!({"identifier": "alice", "password": PASSWORD, "client_id": "phone"});
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json-seq",
            "",
        ] {
            let ask = Ask::post("/api/v1/logins").raw(content_type, good.to_string());
            let refused = house.ask(ask).await;
            refused.expect_problem(415, "unsupported-media-type");
        }
        for (body, detail) in [
            (json!({"identifier": "alice", "password": "x"}), "client_id"),
            (
                json!({"identifier": "alice", "password": "x", "client_id": "phone", "admin": true}),
                "admin",
            ),
            (
                json!({"identifier": ["alice"], "password": "x", "client_id": "phone"}),
                "identifier",
            ),
            (
                json!({"identifier": "alice", "password": null, "client_id": "phone"}),
                "password",
            ),
            (
                json!({"identifier": "alice", "password": "x", "client_id": "Phone"}),
                "client_id: not a client id",
            ),
            (json!(["alice", "x", "phone"]), "object"),
        ] {
            let refused = house.ask(Ask::post("/api/v1/logins").json(&body)).await;
            refused.expect_problem(400, "bad-request");
            let said = text(&refused.json(), "detail");
            assert!(said.contains(detail), "{said} does not name {detail}");
        }
        let twice =
            r#"{"identifier":"bob","identifier":"alice","password":"x","client_id":"phone"}"#;
        for raw in ["", "{", "{} {}", twice] {
            let ask = Ask::post("/api/v1/logins").raw("application/json", raw.to_owned());
            house.ask(ask).await.expect_problem(400, "bad-request");
        }
    }

    #[tokio::test]
    async fn another_site_signs_nobody_in() {
        let house = House::new().await;
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example.test"),
            ("origin", "null"),
        ] {
            let refused = house
                .ask(attempt("alice", PASSWORD).header(name, value))
                .await;
            refused.expect_problem(403, "cross-site");
            assert_eq!(refused.header("set-cookie"), "");
        }
    }

    #[tokio::test]
    async fn notes_the_device() {
        let house = House::new().await;
        let ask = attempt("alice", PASSWORD).header("user-agent", "curl/8.5.0");
        let token = text(&house.ask(ask).await.json(), "access_token");
        let me = house.ask(get("/api/v1/me").bearer(&token)).await.json();
        assert_eq!(me["record"]["device"], "curl 8.5.0");
    }
}

mod list {
    use super::*;

    #[tokio::test]
    async fn needs_a_first_party_caller() {
        House::new()
            .await
            .needs_a_caller(|| get("/api/v1/logins"))
            .await;
    }

    #[tokio::test]
    async fn shows_ones_own_logins_only() {
        let house = House::new().await;
        house.sign_in("bob", "phone").await;
        let first = house.sign_in("alice", "phone").await;
        let second = house.sign_in("alice", "cli").await;
        let token = text(&second, "access_token");
        let answer = house.ask(get("/api/v1/logins").bearer(&token)).await;
        answer.expect_status(200);
        let logins = answer.json()["logins"].clone();
        let mut sids: Vec<_> = logins.as_array().unwrap().iter().collect();
        sids.sort_by_key(|login| login["current"].as_bool());
        assert_eq!(sids.len(), 2);
        assert_eq!(
            (&sids[0]["sid"], &sids[1]["sid"]),
            (&first["sid"], &second["sid"])
        );
        assert_eq!(sids[0]["apps"][0]["client_id"], "phone");
        assert_eq!(sids[0]["methods"], json!(["pwd"]));
        assert!(!answer.body.contains("sym_"));
    }
}

mod end_one {
    use super::*;

    #[tokio::test]
    async fn needs_a_first_party_caller() {
        let house = House::new().await;
        let sid = text(&house.sign_in("bob", "phone").await, "sid");
        let path = format!("/api/v1/logins/{sid}");
        house.needs_a_caller(|| Ask::delete(&path)).await;
    }

    #[tokio::test]
    async fn ends_it_in_both_shapes() {
        let house = House::new().await;
        let caller = house.token("alice", "phone").await;
        for client_id in ["phone", "cli"] {
            let other = house.sign_in("alice", client_id).await;
            let path = format!("/api/v1/logins/{}", text(&other, "sid"));
            let ended = house.ask(Ask::delete(&path).bearer(&caller)).await;
            ended.expect_status(200);
            assert_eq!(ended.json()["ended"], 1);
            assert!(text(&ended.json(), "position").starts_with("1."));
            let token = text(&other, "access_token");
            let refused = house.ask(get("/api/v1/me").bearer(&token)).await;
            refused.expect_problem(401, "credential-refused");
            // Ended is ended: there is nothing left to end.
            let again = house.ask(Ask::delete(&path).bearer(&caller)).await;
            again.expect_problem(404, "not-found");
        }
    }

    #[tokio::test]
    async fn somebody_elses_is_not_there() {
        let house = House::new().await;
        let bobs = house.sign_in("bob", "phone").await;
        let alice = house.token("alice", "phone").await;
        let admin = house.token("admin", "phone").await;
        let theirs = format!("/api/v1/logins/{}", text(&bobs, "sid"));
        let nobodys = "/api/v1/logins/01890a5d-ac96-774b-bcce-b302099a8057";
        for caller in [&alice, &admin] {
            let refused = house.ask(Ask::delete(&theirs).bearer(caller)).await;
            refused.expect_problem(404, "not-found");
            let missing = house.ask(Ask::delete(nobodys).bearer(caller)).await;
            assert_eq!(refused.body, missing.body);
        }
        let token = text(&bobs, "access_token");
        house
            .ask(get("/api/v1/me").bearer(&token))
            .await
            .expect_status(200);
    }

    #[tokio::test]
    async fn an_id_has_one_spelling() {
        let house = House::new().await;
        let alice = house.sign_in("alice", "phone").await;
        let (sid, token) = (text(&alice, "sid"), text(&alice, "access_token"));
        for other in [sid.replace('-', ""), format!("{{{sid}}}"), "x".to_owned()] {
            let path = format!("/api/v1/logins/{other}");
            let refused = house
                .ask(Ask::delete(&path.replace('{', "%7B").replace('}', "%7D")).bearer(&token))
                .await;
            refused.expect_problem(400, "bad-request");
        }
    }

    #[tokio::test]
    async fn ones_own_cookie_goes_with_it() {
        let house = House::new().await;
        let alice = house.sign_in("alice", "phone").await;
        let other = house.sign_in("alice", "phone").await;
        let own = |sid: &Value| {
            Ask::delete(&format!("/api/v1/logins/{}", sid.as_str().unwrap()))
                .cookie("__Host-phone", &text(&alice, "access_token"))
                .same_origin()
        };
        let another = house.ask(own(&other["sid"])).await;
        assert_eq!(another.header("set-cookie"), "");
        let ended = house.ask(own(&alice["sid"])).await;
        ended.expect_status(200);
        assert!(ended.header("set-cookie").starts_with("__Host-phone=; "));
        assert!(ended.header("set-cookie").ends_with("Max-Age=0"));
    }
}

mod end_all {
    use super::*;

    #[tokio::test]
    async fn needs_a_first_party_caller() {
        House::new()
            .await
            .needs_a_caller(|| Ask::delete("/api/v1/logins"))
            .await;
    }

    #[tokio::test]
    async fn ends_all_of_ones_own_and_no_other() {
        let house = House::new().await;
        let bob = house.token("bob", "phone").await;
        let here = house.token("alice", "phone").await;
        let there = house.sign_in("alice", "cli").await;
        let console = house.console("alice").await;
        let app = house.flow(&console, "dashboard").await;
        let code = house.code(&console, "dashboard").await;

        let ended = house.ask(Ask::delete("/api/v1/logins").bearer(&here)).await;
        ended.expect_status(200);
        assert_eq!(ended.json()["ended"], 3);

        for gone in [&here, &text(&there, "access_token"), &console] {
            let refused = house.ask(get("/api/v1/me").bearer(gone)).await;
            refused.expect_problem(401, "credential-refused");
        }
        // Refresh tokens, tokens of other apps, and codes on their way, too.
        let token = text(&app, "access_token");
        let known = Ask::post("/oauth2/introspect").form(&[("token", &token)]);
        assert_eq!(house.ask(known).await.body, r#"{"active":false}"#);
        for (client_id, refresh) in [
            ("dashboard", text(&app, "refresh_token")),
            ("cli", text(&there, "refresh_token")),
        ] {
            let form = [("grant_type", "refresh_token"), ("refresh_token", &refresh)];
            let ask = if client_id == "cli" {
                Ask::post("/oauth2/token").form(&[form[0], form[1], ("client_id", "cli")])
            } else {
                house.as_client(client_id, "/oauth2/token").form(&form)
            };
            let refused = house.ask(ask).await;
            assert_eq!(refused.json()["error"], "invalid_grant");
        }
        let refused = house.redeem("dashboard", &code).await;
        assert_eq!(refused.json()["error"], "invalid_grant");
        house
            .ask(get("/api/v1/me").bearer(&bob))
            .await
            .expect_status(200);
    }

    #[tokio::test]
    async fn is_not_said_to_be_done_while_it_is_not() {
        let house = House::new().await;
        let alice = house.token("alice", "phone").await;
        house.set_down(true);
        let ask = Ask::delete("/api/v1/logins").bearer(&alice);
        house.ask(ask).await.expect_problem(503, "unavailable");
    }
}
