//! `/oauth2/revoke`: an app gives back what it was given (RFC 7009).

use axum::extract::State;
use http::{HeaderMap, StatusCode};

use super::{OAuthError, client, form::Form};
use crate::ServerState;

/// The revocation endpoint. 200 whatever the token was worth (section 2.2), but 503 while the end
/// is not on disk: an app that was told 200 forgets the token (CVE-2020-15223).
pub(crate) async fn revoke(
    State(state): State<ServerState>,
    headers: HeaderMap,
    form: Form,
) -> Result<StatusCode, OAuthError> {
    let app = client::authenticate(&state, &headers, &form).await?;
    let token = form.required("token", "token is missing")?;
    state.authority().revoke(&app, token).await?;
    Ok(StatusCode::OK)
}
