// Cargo.toml: axum, symbolon-guard
use axum::{Router, routing::get};
use symbolon_guard::{Freshness, Guard, Identity};

async fn app(client_secret: String) -> Result<Router, Box<dyn std::error::Error>> {
    let guard = Guard::builder("{{authority}}", "{{app}}")
        .client_secret(client_secret)
        .public_url("{{public_url}}")
        .connect()
        .await?;
    Ok(Router::new()
        .route("/", get(|who: Identity| async move { format!("Hello, {}", who.username()) }))
        // The few routes that must never be wrong ask the authority each time.
        .route(
            "/transfer",
            get(|who: Identity| async move { who.user().to_string() })
                .layer(guard.layer().freshness(Freshness::Live)),
        )
        .layer(guard.layer()))
}
