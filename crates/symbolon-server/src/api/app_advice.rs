//! `/api/v1/apps/{client_id}/advice`: what the adviser thinks of an app's present settings.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use symbolon_adviser::{Compared, Report, Row};
use symbolon_login::ClientId;
use utoipa::ToSchema;

use super::advice::{AdviceBody, LangName};
use crate::{
    ServerState,
    advice::Opinion,
    api::refusals::{AdminRefused, BadParameter, NoSuchThing},
    body::{Params, Segment},
    caller::AdminCaller,
    problem::{Kind, Problem},
};

/// In which language.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AppAdviceQuery {
    /// Of the texts; English if not said.
    #[serde(default)]
    lang: LangName,
}

/// What the adviser thinks of an app's present settings.
#[derive(Serialize, ToSchema)]
#[schema(as = AppAdvice)]
pub(crate) struct AppAdviceBody {
    #[schema(value_type = String)]
    client_id: ClientId,
    traffic: TrafficBody,
    /// Whether no dial that is known stands elsewhere than the adviser says.
    agrees: bool,
    /// Dial by dial.
    #[schema(value_type = Vec<ComparedBody>)]
    dials: Vec<Compared>,
    /// What the present settings cost: each number with its unit and formula.
    #[schema(value_type = Object)]
    now: Row,
    /// The same of what the adviser says, under the same load.
    #[schema(value_type = Object)]
    advised: Row,
    /// The adviser's page with the same facts, for who knows more of the app.
    #[schema(example = "/adviser?existing=jwt&requests_per_second=42")]
    adviser: String,
    /// The advice at length, for the facts that are known here.
    #[schema(value_type = AdviceBody)]
    advice: Report,
}

/// What the guards that ask this node of the authority say they check, over about the last minute.
#[derive(Serialize, ToSchema)]
#[schema(as = Traffic)]
struct TrafficBody {
    /// The guards that were heard of lately.
    guards: u64,
    /// Those of them whose counts are in the figures.
    counted: u64,
    /// Requests a second with a credential; null: unknown.
    requests_per_second: Option<f64>,
    /// Which share of them showed it in a cookie, 0 to 1; null: unknown.
    cookie_share: Option<f64>,
}

/// One dial.
#[derive(ToSchema)]
#[schema(as = Compared)]
#[expect(
    dead_code,
    reason = "describes another crate's type in the OpenAPI document"
)]
struct ComparedBody {
    /// `shape`, `carrier`, `freshness`, `token` or `lifetime`.
    dial: String,
    /// Where it stands; null: unknown.
    now: Option<String>,
    /// Where the adviser would put it.
    advised: String,
    /// Whether that is the same; null: unknown.
    agrees: Option<bool>,
}

/// What the adviser thinks of an app's present settings, with its traffic filled in.
#[utoipa::path(
    get, path = "/api/v1/apps/{client_id}/advice", operation_id = "app_advice", tag = "apps",
    params(("client_id" = String, Path, description = "The app"), AppAdviceQuery),
    responses(
        (status = 200, description = "The advice", body = AppAdviceBody),
        BadParameter, AdminRefused, NoSuchThing,
    ),
    security(("bearer" = []), ("cookie" = []))
)]
pub(crate) async fn show(
    State(state): State<ServerState>,
    _admin: AdminCaller,
    Segment(client_id): Segment<ClientId>,
    Params(query): Params<AppAdviceQuery>,
) -> Result<Json<AppAdviceBody>, Problem> {
    let authority = state.authority();
    let app = authority.app(&client_id).await?;
    let app = app.ok_or(Problem::new(Kind::NotFound))?;
    let opinion = Opinion::of(&app, state.board().traffic(&client_id));
    let traffic = opinion.traffic;
    Ok(Json(AppAdviceBody {
        client_id,
        traffic: TrafficBody {
            guards: traffic.guards,
            counted: traffic.counted,
            requests_per_second: traffic.requests_per_second,
            cookie_share: traffic.cookie_share,
        },
        agrees: opinion.comparison.agrees,
        adviser: opinion.adviser(),
        advice: opinion.report(&app, authority.issuer(), query.lang.into()),
        dials: opinion.comparison.dials,
        now: opinion.comparison.now,
        advised: opinion.comparison.advised,
    }))
}
