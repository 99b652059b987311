//! `/api/v1/apps`: the apps and their dials, for administrators and the operator.

use axum::{Json, extract::State};
use http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize};
use symbolon_authority::{AddedApp, App, ChangedApp, NewApp, RedirectUri, ports::AppChange};
use symbolon_login::{AppSettings, ClientId, Freshness, Lifetimes, LoginLimit, Shape};
use utoipa::ToSchema;

use crate::{
    ServerState,
    api::{
        LimitBody, ShapeName,
        refusals::{AdminRefused, BadBody, BadParameter, InUse, LockOut, NoSuchThing},
        rfc3339,
    },
    body::{JsonBody, Segment},
    caller::AdminCaller,
    problem::{Kind, Problem},
};

const LONGEST_NAME: usize = 100;

/// How long an app's credentials last.
// Names `Lifetimes` in the document.
#[derive(ToSchema)]
#[schema(as = Lifetimes)]
#[expect(
    dead_code,
    clippy::struct_field_names,
    reason = "describes another crate's type in the OpenAPI document"
)]
struct LifetimesBody {
    /// Without use.
    #[schema(example = 604_800)]
    idle_seconds: u64,
    /// In any case.
    #[schema(example = 2_592_000)]
    absolute_seconds: u64,
    /// Of an access token, at most 3600.
    #[schema(example = 300)]
    access_token_seconds: u64,
    /// Within which a replaced secret still gets the same answer, at most 60.
    #[schema(example = 10)]
    refresh_grace_seconds: u64,
}

/// An app: an OAuth client with the two dials.
#[derive(Serialize, ToSchema)]
#[schema(as = App)]
pub(crate) struct AppBody {
    #[schema(value_type = String)]
    client_id: ClientId,
    /// The name that people see.
    name: String,
    /// The first dial.
    #[schema(value_type = ShapeName)]
    shape: Shape,
    /// The second dial: `live`, `within(10s)` or `until_expiry`.
    #[schema(value_type = String, example = "within(10s)")]
    freshness: Freshness,
    #[schema(value_type = LifetimesBody)]
    lifetimes: Lifetimes,
    /// How many logins a person may have in it at once; null: as many as they have.
    #[schema(value_type = Option<LimitBody>)]
    limit: Option<LoginLimit>,
    #[schema(value_type = Vec<String>)]
    redirect_uris: Vec<RedirectUri>,
    /// Whether it has a client secret.
    confidential: bool,
    /// Whether it is the operator's own.
    first_party: bool,
    #[schema(format = "date-time")]
    created_at: String,
}

/// All apps in order of their ids.
#[derive(Serialize, ToSchema)]
pub(crate) struct AppsBody {
    apps: Vec<AppBody>,
}

/// An app to be registered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAppBody {
    /// 1 to 64 characters: lower-case letters, digits, `-`, `_`, `.`.
    #[schema(value_type = String)]
    client_id: ClientId,
    /// The name that people see; the client id if not said.
    name: Option<String>,
    #[schema(value_type = ShapeName)]
    shape: Shape,
    /// `within(10s)` if not said.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "within(10s)")]
    freshness: Freshness,
    /// 7 days idle, 30 days in any case, access tokens of 5 minutes, 10 seconds of grace if not said.
    #[serde(default)]
    #[schema(value_type = Option<LifetimesBody>)]
    lifetimes: Lifetimes,
    /// How many logins a person may have in it at once; as many as they have if not said.
    #[serde(default)]
    #[schema(value_type = Option<LimitBody>)]
    limit: Option<LoginLimit>,
    /// Absolute https URLs (http only for loopback hosts).
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    redirect_uris: Vec<RedirectUri>,
    /// Whether it can keep a secret; true if not said.
    #[serde(default = "yes")]
    #[schema(default = true)]
    confidential: bool,
    /// Whether it is the operator's own: may ask for passwords itself and use this API.
    #[serde(default)]
    first_party: bool,
}

/// A registered app with its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct AddedAppBody {
    #[serde(flatten)]
    app: AppBody,
    /// Shown this once; null for a public app.
    client_secret: Option<String>,
}

/// A change of an app; what is not said stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppChangeBody {
    name: Option<String>,
    #[schema(value_type = Option<ShapeName>)]
    shape: Option<Shape>,
    #[schema(value_type = Option<String>, example = "within(10s)")]
    freshness: Option<Freshness>,
    #[schema(value_type = Option<LifetimesBody>)]
    lifetimes: Option<Lifetimes>,
    /// Null takes a limit away.
    #[serde(default)]
    #[schema(value_type = Option<LimitBody>)]
    limit: LimitChange,
    #[schema(value_type = Option<Vec<String>>)]
    redirect_uris: Option<Vec<RedirectUri>>,
}

/// A member that is null is another thing than one that is not there.
#[derive(Default)]
enum LimitChange {
    #[default]
    NotSaid,
    Said(Option<LoginLimit>),
}

impl<'de> Deserialize<'de> for LimitChange {
    fn deserialize<D: Deserializer<'de>>(member: D) -> Result<Self, D::Error> {
        Option::deserialize(member).map(Self::Said)
    }
}

const fn yes() -> bool {
    true
}

impl From<App> for AppBody {
    fn from(app: App) -> Self {
        Self {
            client_id: app.settings.client_id,
            name: app.name,
            shape: app.settings.shape,
            freshness: app.settings.freshness,
            lifetimes: app.settings.lifetimes,
            limit: app.limit,
            redirect_uris: app.redirect_uris,
            confidential: app.secret.is_some(),
            first_party: app.first_party,
            created_at: rfc3339(app.created_at),
        }
    }
}

/// Lists all apps.
#[utoipa::path(
    get, path = "/api/v1/apps", operation_id = "list_apps", tag = "apps",
    responses((status = 200, description = "All apps", body = AppsBody), AdminRefused),
    security(("bearer" = []), ("cookie" = []))
)]
pub(crate) async fn list(
    State(state): State<ServerState>,
    AdminCaller { admin, .. }: AdminCaller,
) -> Result<Json<AppsBody>, Problem> {
    let apps = state.authority().apps(&admin).await?;
    let apps = apps.into_iter().map(AppBody::from).collect();
    Ok(Json(AppsBody { apps }))
}

/// Registers an app.
#[utoipa::path(
    post, path = "/api/v1/apps", operation_id = "add_app", tag = "apps", request_body = NewAppBody,
    responses(
        (status = 201, description = "Registered", body = AddedAppBody),
        AdminRefused, BadBody, InUse,
    ),
    security(("bearer" = []), ("cookie" = []))
)]
pub(crate) async fn add(
    State(state): State<ServerState>,
    AdminCaller { admin, .. }: AdminCaller,
    JsonBody(body): JsonBody<NewAppBody>,
) -> Result<(StatusCode, Json<AddedAppBody>), Problem> {
    let name = match body.name {
        Some(name) => display_name(name)?,
        None => body.client_id.to_string(),
    };
    let new = NewApp {
        settings: AppSettings {
            client_id: body.client_id,
            shape: body.shape,
            freshness: body.freshness,
            lifetimes: body.lifetimes,
        },
        name,
        limit: body.limit,
        redirect_uris: body.redirect_uris,
        confidential: body.confidential,
        first_party: body.first_party,
    };
    match state.authority().add_app(&admin, new).await? {
        AddedApp::Added { app, secret } => {
            let body = AddedAppBody {
                app: AppBody::from(*app),
                client_secret: secret.map(|secret| secret.to_string()),
            };
            Ok((StatusCode::CREATED, Json(body)))
        }
        AddedApp::Taken => Err(Problem::with(
            Kind::Conflict,
            "client_id: an app has it already",
        )),
    }
}

/// One app.
#[utoipa::path(
    get, path = "/api/v1/apps/{client_id}", operation_id = "show_app", tag = "apps",
    params(("client_id" = String, Path, description = "The app")),
    responses(
        (status = 200, description = "The app", body = AppBody),
        BadParameter, AdminRefused, NoSuchThing,
    ),
    security(("bearer" = []), ("cookie" = []))
)]
pub(crate) async fn show(
    State(state): State<ServerState>,
    _admin: AdminCaller,
    Segment(client_id): Segment<ClientId>,
) -> Result<Json<AppBody>, Problem> {
    let app = state.authority().app(&client_id).await?;
    Ok(Json(app.ok_or(Problem::new(Kind::NotFound))?.into()))
}

/// Turns an app's dials on the running system. Nobody is signed out by it.
#[utoipa::path(
    patch, path = "/api/v1/apps/{client_id}", operation_id = "change_app", tag = "apps", request_body = AppChangeBody,
    params(("client_id" = String, Path, description = "The app")),
    responses(
        (status = 200, description = "As it is now", body = AppBody),
        AdminRefused, LockOut, BadBody, NoSuchThing,
    ),
    security(("bearer" = []), ("cookie" = []))
)]
pub(crate) async fn change(
    State(state): State<ServerState>,
    AdminCaller { admin, .. }: AdminCaller,
    Segment(client_id): Segment<ClientId>,
    JsonBody(body): JsonBody<AppChangeBody>,
) -> Result<Json<AppBody>, Problem> {
    let change = AppChange {
        name: body.name.map(display_name).transpose()?,
        shape: body.shape,
        freshness: body.freshness,
        lifetimes: body.lifetimes,
        limit: match body.limit {
            LimitChange::NotSaid => None,
            LimitChange::Said(limit) => Some(limit),
        },
        redirect_uris: body.redirect_uris,
        secret: None,
    };
    let changed = state
        .authority()
        .change_app(&admin, &client_id, change)
        .await?;
    match changed {
        ChangedApp::Changed(app) => Ok(Json(AppBody::from(*app))),
        ChangedApp::Unknown => Err(Problem::new(Kind::NotFound)),
        ChangedApp::Console => Err(Problem::with(
            Kind::Conflict,
            "client_id: the authority's own pages keep their dials",
        )),
    }
}

/// A name that people can read on one line.
fn display_name(name: String) -> Result<String, Problem> {
    let fits = !name.trim().is_empty()
        && name.chars().count() <= LONGEST_NAME
        && !name.chars().any(char::is_control);
    if fits {
        Ok(name)
    } else {
        Err(Problem::field(
            "name",
            "expected 1 to 100 characters on one line",
        ))
    }
}
