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
        "/api/v1/advice",
        "/api/v1/me",
        "/api/v1/logins",
        "/api/v1/logins/{sid}",
        "/api/v1/users",
        "/api/v1/users/{id}",
        "/api/v1/users/{id}/logins",
        "/api/v1/apps",
        "/api/v1/apps/{client_id}",
        "/api/v1/guards",
        "/api/v1/keys",
        "/api/v1/keys/{kid}",
    ] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
}

/// A reference that leads nowhere makes the whole document useless to generators.
#[tokio::test]
async fn every_reference_in_the_document_leads_somewhere() {
    let house = House::new().await;
    let document = house.ask(get("/api/v1/openapi.json")).await.json();
    let mut open = vec![&document];
    let mut references = 0;
    while let Some(part) = open.pop() {
        if let Some(reference) = part.get("$ref").and_then(|text| text.as_str()) {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
            references += 1;
        }
        if let Some(text) = part.get("description").and_then(|text| text.as_str()) {
            assert!(
                !text.contains("Debug") && !text.contains("[`"),
                "a note to ourselves: {text}"
            );
        }
        open.extend(part.as_object().into_iter().flat_map(|map| map.values()));
        open.extend(part.as_array().into_iter().flatten());
    }
    assert!(references > 50, "{references}");
}

/// Generators name methods by it.
#[tokio::test]
async fn every_operation_has_a_name_of_its_own() {
    let house = House::new().await;
    let document = house.ask(get("/api/v1/openapi.json")).await.json();
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let mut names: Vec<_> = operations
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert!(count > 10 && names.len() == count, "{names:?}");
}
