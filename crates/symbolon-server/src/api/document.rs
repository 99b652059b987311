//! `/api/v1/openapi.json`: the API's description, made from the code that answers.

use axum::{
    body::Bytes,
    response::{IntoResponse, Response},
};
use http::header;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::problem::ProblemBody;

/// What the document says beside the operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Symbolon",
        description = "Sign in, see and end logins, run the authority.\n\nErrors are RFC 9457 problem documents; a missing credential is 401 with `WWW-Authenticate`, as RFC 6750 says.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "me", description = "Who is calling"),
        (name = "logins", description = "Sign in; one's own logins"),
        (name = "users", description = "For administrators: accounts and their logins"),
        (name = "apps", description = "For administrators: apps and their dials"),
        (name = "advice", description = "Session or JWT, for your application"),
        (name = "guards", description = "For administrators: who follows the feed"),
        (name = "keys", description = "For administrators: signing keys")
    ),
    // The refusals' bodies: responses alone register no schema.
    components(schemas(ProblemBody)),
    modifiers(&Security)
)]
pub(crate) struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "An access token (JWT) or `sym_s_...` session of a first-party app",
            ))
            .build();
        let cookie = ApiKeyValue::with_description(
            "__Host-symbolon",
            "The console's session, or `__Host-<client_id>` of a first-party app. Unsafe methods need `Sec-Fetch-Site` or `Origin` to prove the same origin",
        );
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// The document as it is served.
pub(crate) fn rendered(document: &openapi::OpenApi) -> Bytes {
    // Made of maps, lists and texts only: there is nothing that JSON cannot hold.
    serde_json::to_vec_pretty(document)
        .map(Bytes::from)
        .unwrap_or_default()
}

/// Answers with it.
pub(crate) fn answer(rendered: Bytes) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, rendered).into_response()
}
