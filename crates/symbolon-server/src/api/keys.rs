//! `/api/v1/keys`: signing keys, how they are replaced, and what is done when one is in wrong hands.

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use symbolon_authority::{KeyStage, KeyState, RotatedKeys};
use symbolon_login::{KeyId, Position};
use utoipa::ToSchema;

use crate::{
    ServerState,
    api::{
        refusals::{AdminRefused, BadParameter, InUse, NoSuchThing},
        rfc3339,
    },
    body::Segment,
    caller::AdminCaller,
    problem::{Kind, Problem},
};

/// All signing keys, in the order in which they sign.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeysBody {
    keys: Vec<KeyBody>,
}

/// A signing key.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeyBody {
    /// Its id: the header `kid` of what it signs.
    #[schema(value_type = String)]
    kid: KeyId,
    #[schema(example = "ES256")]
    algorithm: String,
    stage: Stage,
    /// When it was made and published.
    #[schema(format = "date-time")]
    created_at: String,
    /// From when on it signs.
    #[schema(format = "date-time")]
    signs_from: String,
    /// When it goes by itself: no token of it is left then. Null while no other key follows it.
    #[schema(format = "date-time")]
    leaves_at: Option<String>,
}

/// Where a key is in its life.
#[derive(Serialize, ToSchema)]
#[schema(as = KeyStage)]
#[serde(rename_all = "snake_case")]
enum Stage {
    /// Published; it does not sign yet.
    Arriving,
    /// What is signed now is signed with it.
    Signing,
    /// It signs no longer; tokens of it may still live.
    Leaving,
}

/// An acknowledged revocation: on disk, and at this place of the log that guards follow.
#[derive(Serialize, ToSchema)]
pub(crate) struct RevokedBody {
    /// From this position on, `epoch.number`, every token of the key is dead.
    #[schema(value_type = String, example = "1.43")]
    position: Position,
    /// The key that signs from now on.
    signing: KeyBody,
}

impl From<KeyState> for KeyBody {
    fn from(key: KeyState) -> Self {
        Self {
            kid: key.kid,
            algorithm: key.algorithm,
            stage: match key.stage {
                KeyStage::Arriving => Stage::Arriving,
                KeyStage::Signing => Stage::Signing,
                KeyStage::Leaving => Stage::Leaving,
            },
            created_at: rfc3339(key.created_at),
            signs_from: rfc3339(key.signs_from),
            leaves_at: key.leaves_at.map(rfc3339),
        }
    }
}

/// Lists the signing keys.
#[utoipa::path(
    get, path = "/api/v1/keys", operation_id = "list_keys", tag = "keys",
    responses((status = 200, description = "In the order in which they sign", body = KeysBody), AdminRefused),
    security(("bearer" = []), ("cookie" = []))
)]
pub(crate) async fn list(
    State(state): State<ServerState>,
    AdminCaller { admin, .. }: AdminCaller,
) -> Result<Json<KeysBody>, Problem> {
    let keys = state.authority().signing_keys(&admin).await?;
    Ok(Json(KeysBody {
        keys: keys.into_iter().map(KeyBody::from).collect(),
    }))
}

/// Publishes a new signing key. It signs by itself when verifiers have had the time to learn of it; the
/// key before it leaves when no token of it is left.
#[utoipa::path(
    post, path = "/api/v1/keys", operation_id = "rotate_keys", tag = "keys",
    responses((status = 201, description = "Published", body = KeyBody), AdminRefused, InUse),
    security(("bearer" = []), ("cookie" = []))
)]
pub(crate) async fn rotate(
    State(state): State<ServerState>,
    AdminCaller { admin, .. }: AdminCaller,
) -> Result<(StatusCode, Json<KeyBody>), Problem> {
    match state.authority().rotate_keys(&admin).await? {
        RotatedKeys::Arriving(key) => Ok((StatusCode::CREATED, Json(key.into()))),
        RotatedKeys::TooMany => Err(Problem::with(
            Kind::Conflict,
            "as many keys as there may be: wait until one has left, or revoke one",
        )),
    }
}

/// Revokes a signing key that may be in wrong hands: every token of it is dead, and logins live on. Apps
/// that verify with a plain JWT library go on taking its tokens until they fetch the JWK Set again.
#[utoipa::path(
    delete, path = "/api/v1/keys/{kid}", operation_id = "revoke_key", tag = "keys",
    params(("kid" = String, Path, description = "The key")),
    responses(
        (status = 200, description = "Revoked, on disk", body = RevokedBody),
        BadParameter, AdminRefused, NoSuchThing
    ),
    security(("bearer" = []), ("cookie" = []))
)]
pub(crate) async fn revoke(
    State(state): State<ServerState>,
    AdminCaller { admin, .. }: AdminCaller,
    Segment(kid): Segment<KeyId>,
) -> Result<Json<RevokedBody>, Problem> {
    let revoked = state.authority().revoke_key(&admin, &kid).await?;
    let revoked = revoked.ok_or(Problem::new(Kind::NotFound))?;
    state.acknowledged(&revoked.ended);
    Ok(Json(RevokedBody {
        position: revoked.ended.position,
        signing: revoked.signing.into(),
    }))
}
