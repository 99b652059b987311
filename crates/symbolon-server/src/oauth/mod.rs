//! OAuth 2.0 as RFC 9700 leaves it: authorization code with PKCE, refresh, introspection,
//! revocation.

pub(crate) mod authorize;
pub(crate) mod client;
mod error;
mod form;
pub(crate) mod introspect;
pub(crate) mod metadata;
pub(crate) mod revoke;
pub(crate) mod token;

pub(crate) use error::OAuthError;
