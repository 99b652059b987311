use serde_json::json;

use crate::harness::{House, ORIGIN, get};

#[tokio::test]
async fn the_metadata_names_this_issuer_whatever_the_host_says() {
    let house = House::new().await;
    let url = "/.well-known/oauth-authorization-server";
    let plain = house.ask(get(url)).await;
    plain.expect_status(200);
    assert_eq!(plain.header("cache-control"), "public, max-age=300");
    let metadata = plain.json();
    assert_eq!(metadata["issuer"], ORIGIN);
    assert_eq!(metadata["token_endpoint"], format!("{ORIGIN}/oauth2/token"));
    assert_eq!(metadata["response_types_supported"], json!(["code"]));
    assert_eq!(
        metadata["code_challenge_methods_supported"],
        json!(["S256"])
    );
    let misled = get(url)
        .header("host", "evil.test")
        .header("x-forwarded-host", "evil.test")
        .header("forwarded", "host=evil.test;proto=http");
    assert_eq!(house.ask(misled).await.body, plain.body);
}

#[tokio::test]
async fn the_keys_are_public_ones() {
    let house = House::new().await;
    let answer = house.ask(get("/.well-known/jwks.json")).await;
    answer.expect_status(200);
    let jwks = answer.json();
    let keys = jwks["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0]["kty"], "EC");
    assert!(keys[0].get("d").is_none());
}
