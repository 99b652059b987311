//! A credential on its way to its owner: the answer of the token endpoint (RFC 6749 section 5.1)
//! and of `POST /api/v1/logins`.

use serde::Serialize;
use symbolon_authority::{Credential, Issued};
use symbolon_login::{Shape, Sid};
use utoipa::ToSchema;

/// A credential for its owner.
// No Debug: it shows secrets.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenAnswer<'a> {
    /// Always `Bearer` (RFC 6750).
    token_type: &'static str,
    /// Which shape the credential has.
    #[schema(value_type = super::api::ShapeName)]
    shape: Shape,
    /// The access token, or `sym_s_...`. Left out for a browser that got it as a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<&'a str>,
    /// Seconds until `access_token` ends.
    expires_in: u64,
    /// `sym_r_...`; shape jwt only.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    /// Seconds until `refresh_token` ends if it is not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_expires_in: Option<u64>,
    /// Whether the person asked to be remembered on this device: if not, its cookies go with the browser.
    remembered: bool,
    /// The public handle of the login.
    #[schema(value_type = String, format = "uuid")]
    sid: Sid,
}

impl<'a> TokenAnswer<'a> {
    /// Shows the credential.
    pub(crate) fn showing(credential: &'a Credential) -> Self {
        let (sid, remembered) = (credential.sid, credential.remembered);
        let shape = credential.issued.shape();
        match &credential.issued {
            Issued::Session { secret, expires_in } => Self {
                token_type: "Bearer",
                shape,
                access_token: Some(secret.as_str()),
                expires_in: *expires_in,
                refresh_token: None,
                refresh_expires_in: None,
                remembered,
                sid,
            },
            Issued::Tokens {
                access_token,
                expires_in,
                refresh_token,
                refresh_expires_in,
            } => Self {
                token_type: "Bearer",
                shape,
                access_token: Some(access_token),
                expires_in: *expires_in,
                refresh_token: Some(refresh_token.as_str()),
                refresh_expires_in: Some(*refresh_expires_in),
                remembered,
                sid,
            },
        }
    }

    /// Leaves the secret to the cookie: scripts of the page never see it (ASVS 3.3.4).
    pub(crate) fn in_cookie_only(mut self) -> Self {
        self.access_token = None;
        self
    }
}
