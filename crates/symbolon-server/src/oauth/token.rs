//! `/oauth2/token`: a code or a line's current secret becomes a credential in the app's shape.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::HeaderMap;
use symbolon_authority::{CodeRedemption, Redeemed};

use super::{OAuthError, client, form::Form};
use crate::{ServerState, answer::TokenAnswer};

/// The token endpoint (RFC 6749 section 3.2).
pub(crate) async fn token(
    State(state): State<ServerState>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, OAuthError> {
    let app = client::authenticate(&state, &headers, &form).await?;
    let redeemed = match form.required("grant_type", "grant_type is missing")? {
        "authorization_code" => {
            let brought = CodeRedemption {
                code: form.required("code", "code is missing")?,
                redirect_uri: form.required("redirect_uri", "redirect_uri is missing")?,
                verifier: form.required("code_verifier", "code_verifier is missing")?,
            };
            state.authority().redeem_code(&app, brought).await?
        }
        "refresh_token" => {
            let presented = form.required("refresh_token", "refresh_token is missing")?;
            state.authority().refresh(&app, presented).await?
        }
        _ => return Err(OAuthError::UnsupportedGrantType),
    };
    match redeemed {
        Redeemed::Issued(credential) => Ok(Json(TokenAnswer::showing(&credential)).into_response()),
        Redeemed::Refused => Err(OAuthError::InvalidGrant),
    }
}
