//! `/oauth2/introspect`: is this credential good at this moment? (RFC 7662)

use axum::{Json, extract::State};
use symbolon_login::Introspection;

use super::{OAuthError, form::Form};
use crate::ServerState;

/// The introspection endpoint. It asks nobody to authenticate: RFC 7662 section 2.1 wants that
/// against scanning for tokens, and 256 random bits or a signature cannot be scanned for. Whoever
/// holds a good credential learns what it would have told them anyway.
pub(crate) async fn introspect(
    State(state): State<ServerState>,
    form: Form,
) -> Result<Json<Introspection>, OAuthError> {
    let token = form.required("token", "token is missing")?;
    Ok(Json(state.authority().introspect(token).await?))
}
