use crate::harness::{House, get};

#[tokio::test]
async fn the_document_is_there_for_everybody() {
    let house = House::new().await;
    let answer = house.ask(get("/api/v1/openapi.json")).await;
    answer.expect_status(200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    let document = answer.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    for path in [
        "/api/v1/me",
        "/api/v1/logins",
        "/api/v1/logins/{sid}",
        "/api/v1/users",
        "/api/v1/users/{id}",
        "/api/v1/users/{id}/logins",
        "/api/v1/apps",
        "/api/v1/apps/{client_id}",
        "/api/v1/guards",
    ] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
}
