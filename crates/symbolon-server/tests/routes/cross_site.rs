//! The rows of `csrf_requests.jsonl`, on an API route with a cookie and on the pages' forms.

use serde_json::Value;

use crate::harness::{Ask, House, get, text};

const BODY: &str = "identifier=alice&password=correct+horse+battery";

fn rows() -> impl Iterator<Item = Value> {
    include_str!("../vectors/csrf_requests.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
}

fn made(row: &Value, path: &str) -> Ask {
    let mut ask = Ask::new(&text(row, "method"), path);
    for (name, value) in row["headers"].as_object().unwrap() {
        ask = ask.header(&name.to_lowercase(), value.as_str().unwrap());
    }
    let content_type = text(row, "content_type");
    if content_type.is_empty() {
        ask
    } else {
        ask.raw(&content_type, BODY)
    }
}

#[tokio::test]
async fn no_foreign_request_changes_anything() {
    let house = House::new().await;
    let console = house.console("alice").await;
    for row in rows() {
        for path in ["/sign-in", "/sign-out", "/account/logins/end-all"] {
            let ask = made(&row, path).cookie("__Host-symbolon", &console);
            let answer = house.ask(ask).await;
            if row["expected"] == "no-state-change" {
                assert!(answer.status() < 500, "{row}");
            } else {
                answer.expect_status(403);
            }
            assert_eq!(answer.header("set-cookie"), "", "{row} {path}");
        }
        // The same with the API's own method.
        if row["method"] == "POST" {
            let mut ask = Ask::delete("/api/v1/logins").cookie("__Host-symbolon", &console);
            for (name, value) in row["headers"].as_object().unwrap() {
                ask = ask.header(&name.to_lowercase(), value.as_str().unwrap());
            }
            house.ask(ask).await.expect_problem(403, "cross-site");
        }
    }
    let me = house.ask(get("/api/v1/me").bearer(&console)).await;
    me.expect_status(200);
}

#[tokio::test]
async fn our_own_pages_may() {
    let house = House::new().await;
    for (name, value) in [
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "none"),
        ("origin", "https://auth.example.test"),
    ] {
        let console = house.console("alice").await;
        let ask = Ask::delete("/api/v1/logins")
            .cookie("__Host-symbolon", &console)
            .header(name, value);
        house.ask(ask).await.expect_status(200);
    }
}

/// A header that no page can make a browser send needs no such proof.
#[tokio::test]
async fn a_bearer_proves_itself() {
    let house = House::new().await;
    let token = house.token("alice", "phone").await;
    let ask = Ask::delete("/api/v1/logins")
        .bearer(&token)
        .header("origin", "https://elsewhere.example.test");
    house.ask(ask).await.expect_status(200);
}

/// No other origin is let in by CORS, with or without credentials (ASVS 3.4.2).
#[tokio::test]
async fn no_origin_is_shared_with() {
    let house = House::new().await;
    for path in [
        "/api/v1/me",
        "/feed/head",
        "/.well-known/jwks.json",
        "/oauth2/token",
    ] {
        for origin in [
            "https://evil.example.test",
            "null",
            "https://auth.example.test",
        ] {
            let simple = house.ask(get(path).header("origin", origin)).await;
            let preflight = Ask::new("OPTIONS", path)
                .header("origin", origin)
                .header("access-control-request-method", "DELETE");
            for answer in [simple, house.ask(preflight).await] {
                let shared = answer
                    .headers
                    .keys()
                    .any(|name| name.as_str().starts_with("access-control"));
                assert!(!shared, "{path} {origin}");
            }
        }
    }
}
