//! The documents that apps configure themselves from.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use serde_json::json;

use super::authorize;
use crate::{ServerState, problem::Problem};

/// For five minutes: long enough to matter, short against every plan for a key.
const LONGEST_KEPT: u64 = 300;
const CACHEABLE: (http::HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=300");

/// `/.well-known/oauth-authorization-server` (RFC 8414).
pub(crate) async fn authorization_server(State(state): State<ServerState>) -> Response {
    let issuer = state.public_url().as_str();
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth2/authorize"),
        "token_endpoint": format!("{issuer}/oauth2/token"),
        "introspection_endpoint": format!("{issuer}/oauth2/introspect"),
        "revocation_endpoint": format!("{issuer}/oauth2/revoke"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "introspection_endpoint_auth_methods_supported": ["none"],
        // RFC 9207: the answer names its issuer, against mix-up.
        "authorization_response_iss_parameter_supported": true,
        // Initiating User Registration via OpenID Connect section 5. No `acr_values_supported`: a list
        // of none is left out (RFC 8414 section 3.2).
        "prompt_values_supported": authorize::PROMPTS,
        "ui_locales_supported": ["en", "ko"],
    });
    ([CACHEABLE], Json(document)).into_response()
}

/// `/.well-known/jwks.json`: the public keys (RFC 7517 section 5). Kept for half of a new key's lead at
/// most, so that whoever asks by this rule knows every key before it signs.
pub(crate) async fn jwks(State(state): State<ServerState>) -> Result<Response, Problem> {
    let half = state.authority().key_lead().as_secs() / 2;
    let cacheable = format!("public, max-age={}", half.min(LONGEST_KEPT));
    let jwks = state.authority().jwks().await?;
    Ok(([(header::CACHE_CONTROL, cacheable)], Json(jwks)).into_response())
}
