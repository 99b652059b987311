//! `GET /api/v1/apps/{client_id}/advice`, and the console's page with the same.

use std::time::Duration;

use axum::{Router, body::Body, routing::get as route};
use http::Request;
use serde_json::Value;
use symbolon_guard::{Guard, Identity};
use tokio::time::{Instant, sleep};
use tower::ServiceExt;

use crate::{
    harness::{Answer, House, get, text},
    local_guard::Same,
};

const GUARD: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

async fn advice(house: &House, client_id: &str) -> Value {
    let answer = house
        .run(get(&format!("/api/v1/apps/{client_id}/advice")))
        .await;
    answer.expect_status(200);
    answer.json()
}

async fn page(house: &House, console: &str, client_id: &str, language: &str) -> Answer {
    let ask = get(&format!("/admin/apps/{client_id}/advice"))
        .cookie("__Host-symbolon", console)
        .header("accept-language", language);
    house.ask(ask).await
}

/// A guard's question for the head, written by hand.
async fn report(house: &House, client_id: &str, guard: &str, counts: &str) -> Answer {
    let url = format!("/feed/head?guard={guard}&applied=1.1{counts}");
    house
        .ask(get(&url).basic(client_id, &house.secret(client_id)))
        .await
}

#[tokio::test]
async fn only_an_administrator_is_told() {
    let house = House::new().await;
    let url = "/api/v1/apps/dashboard/advice";
    house.needs_an_administrator(|| get(url)).await;
    let nobody = house.run(get("/api/v1/apps/nobody/advice")).await;
    nobody.expect_problem(404, "not-found");
    let bad = house.run(get(&format!("{url}?lang=de"))).await;
    bad.expect_problem(400, "bad-request");

    let alice = house.console("alice").await;
    page(&house, &alice, "dashboard", "en")
        .await
        .expect_status(403);
    let admin = house.console("admin").await;
    // The console's own dials stay as they are.
    for name in ["nobody", "symbolon", "No-App"] {
        page(&house, &admin, name, "en").await.expect_status(404);
    }
}

#[tokio::test]
async fn the_traffic_of_a_real_guard_is_filled_in() {
    let house = House::new().await;
    let admin = house.console("admin").await;
    let client_id = "back-office";
    let before = advice(&house, client_id).await;
    assert_eq!(before["traffic"]["requests_per_second"], Value::Null);
    assert_eq!(before["adviser"], "/adviser?existing=session");
    let unheard = page(&house, &admin, client_id, "en").await;
    assert!(unheard.body.contains("Traffic unknown: no guard"));

    let guard = Guard::local(&house.state, client_id)
        .client_secret(house.secret(client_id))
        .public_url("https://dashboard.example.test")
        .dangerous_world(Same::as_in(&house))
        .connect()
        .await
        .unwrap();
    let app = Router::new()
        .route("/", route(async |who: Identity| who.username().to_owned()))
        .layer(guard.layer());
    let console = house.console("alice").await;
    let token = text(&house.flow(&console, client_id).await, "access_token");
    let visit = async || {
        let cookie = format!("__Host-{client_id}={token}");
        let request = Request::get("/").header("cookie", cookie);
        let request = request.body(Body::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap().status()
    };
    // Until the second that a figure takes is over.
    let started = Instant::now();
    let told = loop {
        assert_eq!(visit().await, 200);
        sleep(Duration::from_millis(10)).await;
        let told = advice(&house, client_id).await;
        if told["traffic"]["requests_per_second"].as_f64() > Some(10.0) {
            break told;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{told}");
    };
    let traffic = &told["traffic"];
    assert_eq!(
        (&traffic["guards"], &traffic["counted"]),
        (&1.into(), &1.into())
    );
    assert_eq!(traffic["cookie_share"], 1.0);
    let requests = traffic["requests_per_second"].as_f64().unwrap();
    assert!(requests < 100.0, "one each ten milliseconds: {requests}");
    let known = &told["advice"]["facts"]["requests_per_second"];
    assert_eq!(known.as_f64(), Some(requests.round()));
    assert_eq!(
        told["adviser"],
        format!("/adviser?existing=session&requests_per_second={known}")
    );
    assert_eq!(told["agrees"], true, "{told}");
    assert_eq!(told["dials"][1]["now"], "cookie");
    assert_eq!(told["now"]["id"], "session_within_10s");

    for (language, parts) in [
        (
            "en",
            [
                "The adviser agrees with the present settings.",
                "told by 1 of 1 guards. 100 % of them came in a cookie.",
                "guards that ask another node are not in it",
                "Unknown to the console",
            ],
        ),
        (
            "ko",
            [
                "지금 설정은 추천과 같습니다.",
                "(가드 1개 가운데 1개가 보고). 그 가운데 100%가 쿠키로 왔습니다.",
                "다른 노드에 묻는 가드는 빠져 있습니다",
                "관리자 화면이 알 수 없어",
            ],
        ),
    ] {
        let shown = page(&house, &admin, client_id, language).await;
        shown.expect_status(200);
        let link = "/adviser?existing=session&#38;requests_per_second=";
        for part in parts.into_iter().chain([link, "existing-session"]) {
            assert!(shown.body.contains(part), "{part}: {}", shown.body);
        }
        // Its link leads to the same advice.
        let (_, rest) = shown.body.split_once("id=\"to-adviser\" href=\"").unwrap();
        let (link, _) = rest.split_once('"').unwrap();
        let there = house.ask(get(&link.replace("&#38;", "&"))).await;
        there.expect_status(200);
        assert!(there.body.contains("<option value=\"session\" selected>"));
        let list = get("/admin/apps").cookie("__Host-symbolon", &admin);
        let list = house.ask(list.header("accept-language", language)).await;
        assert!(list.body.contains(parts[0]));
        assert!(
            list.body
                .contains("href=\"/admin/apps/back-office/advice\"")
        );
        assert!(!list.body.contains("href=\"/admin/apps/symbolon/advice\""));
    }
    // In the asked language, as the page is.
    let url = format!("/api/v1/apps/{client_id}/advice?lang=ko");
    let korean = house.run(get(&url)).await.json();
    let reason = korean["advice"]["reasons"][0]["text"].as_str().unwrap();
    assert!(reason.contains("세션 방식"), "{reason}");
}

#[tokio::test]
async fn a_guard_that_says_nothing_of_its_checks_goes_on_and_is_unknown() {
    let house = House::new().await;
    report(&house, "dashboard", GUARD, "")
        .await
        .expect_status(200);
    let told = advice(&house, "dashboard").await;
    assert_eq!(told["traffic"]["guards"], 1);
    assert_eq!(told["traffic"]["counted"], 0);
    assert_eq!(told["traffic"]["requests_per_second"], Value::Null);
}

#[tokio::test]
async fn a_lying_guard_reaches_no_figure_but_its_own() {
    let house = House::new().await;
    let absurd = format!("&checked={0}&cookies={0}", u64::MAX);
    for counts in ["&checked=0", &absurd, "&checked=5&cookies=6", "&cookies=9"] {
        let said = report(&house, "dashboard", GUARD, counts).await;
        said.expect_status(200);
    }
    // What is no count is no question, either.
    for counts in [
        "&checked=-1",
        "&checked=1e9",
        "&checked=99999999999999999999",
    ] {
        let said = report(&house, "dashboard", GUARD, counts).await;
        said.expect_problem(400, "bad-request");
    }
    // Nobody reports for an app without its secret.
    let url = format!("/feed/head?guard={GUARD}&applied=1.1&checked=7");
    house.ask(get(&url)).await.expect_status(200);
    house
        .ask(get(&url).basic("spa", ""))
        .await
        .expect_status(200);
    let wrong = house.ask(get(&url).basic("back-office", "wrong")).await;
    wrong.expect_status(401);
    for (client_id, guards) in [("dashboard", 1), ("back-office", 0), ("spa", 0)] {
        let traffic = &advice(&house, client_id).await["traffic"];
        assert_eq!(traffic["guards"], guards, "{client_id}");
        assert_eq!(traffic["requests_per_second"], Value::Null, "{client_id}");
    }
}
