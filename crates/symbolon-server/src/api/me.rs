//! `/api/v1/me`: who am I, and what does the server keep of it?

use axum::Json;
use serde::Serialize;
use symbolon_login::{ClientId, GrantId, Position, Role, Shape, Sid, UserId};
use utoipa::ToSchema;

use crate::{
    api::{ShapeName, refusals::CallerRefused, rfc3339},
    caller::Caller,
};

/// The caller.
#[derive(Serialize, ToSchema)]
pub(crate) struct Me {
    /// The person.
    #[schema(value_type = String, format = "uuid")]
    sub: UserId,
    /// What they call themselves.
    username: String,
    /// What they may do.
    #[schema(value_type = Vec<String>)]
    roles: Vec<Role>,
    /// This login.
    #[schema(value_type = String, format = "uuid")]
    sid: Sid,
    /// The app whose credential was shown.
    #[schema(value_type = String)]
    client_id: ClientId,
    /// In which shape it was shown.
    #[schema(value_type = ShapeName)]
    shape: Shape,
    /// When they proved who they are.
    #[schema(format = "date-time")]
    auth_time: String,
    /// When this credential ends by itself.
    #[schema(format = "date-time")]
    expires_at: String,
    /// What the server keeps.
    record: Record,
}

/// The rows behind a credential.
#[derive(Serialize, ToSchema)]
struct Record {
    /// The grant's row.
    #[schema(value_type = String, format = "uuid")]
    grant: GrantId,
    /// How many secrets of its line came before the present one.
    generation: u32,
    /// The log position at its creation: cut-offs after it kill it.
    #[schema(value_type = String, example = "1.42")]
    rev: Position,
    /// When the grant was made.
    #[schema(format = "date-time")]
    opened_at: String,
    /// When it was last seen; written at most once a minute.
    #[schema(format = "date-time")]
    used_at: String,
    /// The first 8 hex digits of the SHA-256 that is kept instead of the secret.
    digest_starts: String,
    /// When the login ends in any case.
    #[schema(format = "date-time")]
    login_expires_at: String,
    /// What the list of devices calls this one.
    device: Option<String>,
}

/// Who the caller is, and what the server keeps of this login.
#[utoipa::path(
    get, path = "/api/v1/me", operation_id = "me", tag = "me",
    responses(
        (status = 200, description = "The caller", body = Me),
        CallerRefused,
    ),
    security(("bearer" = []), ("cookie" = []))
)]
pub(crate) async fn show(Caller { known, .. }: Caller) -> Json<Me> {
    let [first, second, third, fourth, ..] = *known.grant.line.digest.as_bytes();
    Json(Me {
        sub: known.user.id,
        username: known.user.identifier.to_string(),
        roles: known.user.roles,
        sid: known.login.sid,
        client_id: known.grant.client_id,
        shape: known.shape,
        auth_time: rfc3339(known.login.authenticated_at),
        expires_at: rfc3339(known.until),
        record: Record {
            grant: known.grant.id,
            generation: known.grant.line.generation,
            rev: known.grant.rev,
            opened_at: rfc3339(known.grant.opened_at),
            used_at: rfc3339(known.grant.used_at),
            digest_starts: format!("{first:02x}{second:02x}{third:02x}{fourth:02x}"),
            login_expires_at: rfc3339(known.login.expires_at),
            device: known.login.device,
        },
    })
}
