//! `/api/v1/guards`: who follows the feed, and how soon each had applied a position.

use std::time::Duration;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use symbolon_login::{ClientId, Position};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    ServerState,
    api::refusals::{AdminRefused, BadParameter},
    body::Params,
    caller::AdminCaller,
    problem::Problem,
};

/// Which position.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct GuardsQuery {
    /// Tell for each guard how soon it had applied this one, `epoch.number`.
    #[param(value_type = Option<String>, example = "1.43")]
    position: Option<Position>,
}

/// The guards that were heard of within the last 10 seconds.
#[derive(Serialize, ToSchema)]
pub(crate) struct GuardsBody {
    guards: Vec<GuardBody>,
}

/// A guard.
#[derive(Serialize, ToSchema)]
struct GuardBody {
    /// What it calls itself.
    #[schema(value_type = String, format = "uuid")]
    guard: Uuid,
    /// The app that it guards.
    #[schema(value_type = String)]
    client_id: ClientId,
    /// Up to where it has applied the log.
    #[schema(value_type = String, example = "1.43")]
    applied: Position,
    /// How long ago it said so, in milliseconds.
    seen_ms_ago: f64,
    /// Only when a position was asked for.
    #[serde(flatten)]
    measured: Option<Measured>,
}

/// How soon a guard had applied the asked position.
#[derive(Serialize, ToSchema)]
struct Measured {
    /// Milliseconds from the acknowledgement until the guard said that it had applied it; null
    /// while it has not.
    applied_after_ms: Option<f64>,
}

/// Lists the guards.
#[utoipa::path(
    get, path = "/api/v1/guards", operation_id = "list_guards", tag = "guards", params(GuardsQuery),
    responses((status = 200, description = "Who follows", body = GuardsBody), BadParameter, AdminRefused),
    security(("bearer" = []), ("cookie" = []))
)]
pub(crate) async fn list(
    State(state): State<ServerState>,
    _admin: AdminCaller,
    Params(query): Params<GuardsQuery>,
) -> Result<Json<GuardsBody>, Problem> {
    let reports = query
        .position
        .map(|position| state.board().reports(position));
    let guards = state.board().guards().into_iter().map(|seen| {
        let measured = reports.as_ref().map(|reports| {
            let own = reports
                .iter()
                .find(|report| report.guard == seen.guard && report.client_id == seen.client_id);
            let applied_after = own.and_then(|report| report.applied_after);
            Measured {
                applied_after_ms: applied_after.map(millis),
            }
        });
        GuardBody {
            guard: seen.guard,
            client_id: seen.client_id,
            applied: seen.applied,
            seen_ms_ago: millis(seen.seen_ago),
            measured,
        }
    });
    Ok(Json(GuardsBody {
        guards: guards.collect(),
    }))
}

/// Milliseconds to the microsecond.
fn millis(span: Duration) -> f64 {
    (span.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}
