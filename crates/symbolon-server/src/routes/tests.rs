#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use utoipa::openapi::path::PathItem;

/// `routes.rs` shows every URL on one screen: what it says of the API is what the API answers.
#[test]
fn the_screen_says_what_the_document_says() {
    let (_, document) = super::api().split_for_parts();
    let screen = include_str!("../routes.rs");
    let said: Vec<&str> = screen
        .lines()
        .filter_map(|line| line.trim().strip_prefix("// "))
        .flat_map(|line| line.split(", "))
        .filter(|words| words.contains(" /api/"))
        .collect();
    let mut documented = Vec::new();
    for (path, item) in &document.paths.paths {
        documented.extend(methods(item).map(|method| format!("{method} {path}")));
    }
    documented.sort_unstable();
    let mut said: Vec<String> = said.into_iter().map(str::to_owned).collect();
    said.sort_unstable();
    assert_eq!(said, documented);
}

fn methods(item: &PathItem) -> impl Iterator<Item = &'static str> {
    [
        ("GET", item.get.is_some()),
        ("POST", item.post.is_some()),
        ("PATCH", item.patch.is_some()),
        ("PUT", item.put.is_some()),
        ("DELETE", item.delete.is_some()),
    ]
    .into_iter()
    .filter_map(|(method, is_there)| is_there.then_some(method))
}

/// Every operation says what it answers to those that it refuses.
#[test]
fn the_document_names_the_refusals() {
    let (_, document) = super::api().split_for_parts();
    let document = serde_json::to_value(&document).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            // Whom nobody is asked for is not refused as a stranger.
            let status = if path == "/api/v1/advice" {
                "400"
            } else {
                "401"
            };
            let refused = &operation["responses"][status]["content"]["application/problem+json"];
            let schema = &refused["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/Problem", "{method} {path}");
            let is_open =
                ["/api/v1/logins", "/api/v1/advice"].contains(&path.as_str()) && method == "post";
            assert_eq!(operation["security"].is_null(), is_open, "{method} {path}");
        }
    }
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(schemes["bearer"]["scheme"], "bearer");
    assert_eq!(schemes["cookie"]["in"], "cookie");
}
