//! For whoever watches the process.

use axum::extract::State;

use crate::{ServerState, problem::Problem};

/// `/healthz`: the process lives and answers.
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

/// `/readyz`: the store answers, too.
pub(crate) async fn ready(State(state): State<ServerState>) -> Result<&'static str, Problem> {
    state.authority().head().await?;
    Ok("ready\n")
}
