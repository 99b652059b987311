//! `/api/v1/backups`, for the operator alone: the mark that a backup begins with.

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use symbolon_login::Position;

use crate::{ServerState, caller::AdminCaller, problem::Problem};

/// Where the log stood when the backup began.
#[derive(Serialize)]
pub(crate) struct Marked {
    position: Position,
}

/// Marks the log. The copy itself is made by whoever asked, right after.
pub(crate) async fn mark(
    State(state): State<ServerState>,
    AdminCaller { admin, .. }: AdminCaller,
) -> Result<(StatusCode, Json<Marked>), Problem> {
    let position = state.authority().mark_backup(&admin).await?;
    Ok((StatusCode::CREATED, Json(Marked { position })))
}
