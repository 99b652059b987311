//! `/api/v1/logins`: sign in, list, end.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use symbolon_authority::{Attempt, FullHouse, Password, SignIn, ports::LoginWithGrants};
use symbolon_login::{ClientId, Position, Sid, UserId};
use utoipa::ToSchema;

use crate::{
    ServerState,
    answer::TokenAnswer,
    api::{
        EndedBody,
        refusals::{BadBody, BadParameter, CallerRefused, NoSuchThing, SignInRefused},
        rfc3339,
    },
    body::{JsonBody, Segment},
    caller::{AdminCaller, Caller, Carrier, by_cookie_of},
    csrf::{self, Source},
    pages,
    problem::{self, Kind, Problem, ProblemBody},
};

/// A name, a password, and for which app.
// No Debug: it holds a secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignInBody {
    /// User name or mail address.
    identifier: String,
    /// The password, exactly as typed.
    #[schema(format = "password")]
    password: String,
    /// A first-party app.
    #[schema(value_type = String)]
    client_id: ClientId,
    /// Whether to remember the person on this device: without it the login ends within a day, and its
    /// cookie goes with the browser.
    #[serde(default)]
    remember: bool,
    /// Logins of the person to end for this one, chosen from those that a `login-limit` problem listed.
    /// Counts where it said `may_choose`.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    instead_of: Vec<Sid>,
}

/// There is no room for one more login: nothing was ended, nothing was opened.
#[derive(Serialize, ToSchema)]
#[schema(as = LoginLimitProblem)]
pub(crate) struct FullHouseBody {
    #[serde(flatten)]
    problem: ProblemBody,
    /// Whether some of them can make room (`instead_of`).
    may_choose: bool,
    /// The living logins that take it up, newest first.
    logins: Vec<LoginBody>,
}

/// A login: one person signed in on one device.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoginBody {
    #[schema(value_type = String, format = "uuid")]
    sid: Sid,
    #[schema(value_type = String, format = "uuid")]
    user: UserId,
    /// Whether the request itself came with a credential of this login.
    current: bool,
    #[schema(format = "date-time")]
    authenticated_at: String,
    #[schema(format = "date-time")]
    expires_at: String,
    device: Option<String>,
    /// How the person proved who they are (RFC 8176).
    methods: Vec<String>,
    /// The apps that share in it.
    apps: Vec<GrantBody>,
}

/// One app's share in a login.
#[derive(Serialize, ToSchema)]
struct GrantBody {
    #[schema(value_type = String)]
    client_id: ClientId,
    #[schema(format = "date-time")]
    opened_at: String,
    #[schema(format = "date-time")]
    used_at: String,
    /// The log position at its creation.
    #[schema(value_type = String, example = "1.42")]
    rev: Position,
}

/// Living logins, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoginsBody {
    logins: Vec<LoginBody>,
}

impl LoginsBody {
    /// Renders logins; `current` is the caller's own.
    pub(crate) fn new(found: Vec<LoginWithGrants>, current: Option<Sid>) -> Self {
        let logins = found
            .into_iter()
            .map(|found| LoginBody::new(found, current));
        Self {
            logins: logins.collect(),
        }
    }
}

impl LoginBody {
    fn new(LoginWithGrants { login, grants }: LoginWithGrants, current: Option<Sid>) -> Self {
        let apps = grants.into_iter().map(|grant| GrantBody {
            client_id: grant.client_id,
            opened_at: rfc3339(grant.opened_at),
            used_at: rfc3339(grant.used_at),
            rev: grant.rev,
        });
        Self {
            sid: login.sid,
            user: login.user,
            current: current == Some(login.sid),
            authenticated_at: rfc3339(login.authenticated_at),
            expires_at: rfc3339(login.expires_at),
            device: login.device,
            methods: login.methods,
            apps: apps.collect(),
        }
    }
}

/// Signs somebody in for a first-party app. The answer is in the app's shape; a session also comes
/// as a cookie, and for a browser only as a cookie.
#[utoipa::path(
    post, path = "/api/v1/logins", operation_id = "sign_in", tag = "logins",
    request_body = SignInBody,
    responses(
        (status = 201, description = "Signed in", body = TokenAnswer<'static>),
        SignInRefused, BadBody,
        (status = 409, description = "No room for one more login", body = FullHouseBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn sign_in(
    State(state): State<ServerState>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SignInBody>,
) -> Result<Response, Problem> {
    // Login CSRF: another site must not sign its visitors in as somebody else.
    if csrf::source(state.public_url(), &headers) == Source::Foreign {
        tracing::warn!(reason = "cross-site", "sign-in refused");
        return Err(Problem::new(Kind::CrossSite));
    }
    let password = Password::new(body.password);
    let app = state.authority().app(&body.client_id).await?;
    let app = app.filter(|app| app.first_party).ok_or(Problem::with(
        Kind::Forbidden,
        "client_id: not a first-party app of this authority",
    ))?;
    let old = by_cookie_of(&state, &headers, &body.client_id).await?;
    let attempt = Attempt {
        identifier: body.identifier,
        password,
        device: pages::device_name(&headers),
        remember: body.remember,
        replaces: old.as_ref().map(|old| old.login.sid),
        instead_of: body.instead_of,
    };
    let credential = match state.authority().sign_in(attempt, &app).await? {
        SignIn::SignedIn(credential) => credential,
        SignIn::Refused => return Err(Problem::new(Kind::WrongCredentials)),
        SignIn::Later { wait } => return Err(Problem::later(wait)),
        SignIn::Full(house) => return Ok(no_room(house)),
    };
    state.end_replaced(old).await?;
    let cookie = state.session_cookie(&credential);
    let mut answer = TokenAnswer::showing(&credential);
    if cookie.is_some() && csrf::is_browser(&headers) {
        answer = answer.in_cookie_only();
    }
    let mut response = (StatusCode::CREATED, Json(answer)).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

fn no_room(house: FullHouse) -> Response {
    let body = FullHouseBody {
        problem: Problem::new(Kind::LoginLimit).into(),
        may_choose: house.may_choose,
        logins: LoginsBody::new(house.logins, None).logins,
    };
    problem::respond(StatusCode::CONFLICT, body)
}

/// The caller's own living logins.
#[utoipa::path(
    get, path = "/api/v1/logins", operation_id = "list_own_logins", tag = "logins",
    responses(
        (status = 200, description = "Newest first", body = LoginsBody),
        CallerRefused,
    ),
    security(("bearer" = []), ("cookie" = []))
)]
pub(crate) async fn list(
    State(state): State<ServerState>,
    Caller { known, .. }: Caller,
) -> Result<Json<LoginsBody>, Problem> {
    let found = state.authority().own_logins(&known).await?;
    Ok(Json(LoginsBody::new(found, Some(known.login.sid))))
}

/// Ends one of the caller's own logins, on every app.
#[utoipa::path(
    delete, path = "/api/v1/logins/{sid}", operation_id = "end_own_login", tag = "logins",
    params(("sid" = String, Path, format = "uuid", description = "The login")),
    responses(
        (status = 200, description = "Ended, on disk", body = EndedBody),
        BadParameter, CallerRefused,
        NoSuchThing,
    ),
    security(("bearer" = []), ("cookie" = []))
)]
pub(crate) async fn end_own(
    State(state): State<ServerState>,
    caller: Caller,
    Segment(sid): Segment<Sid>,
) -> Result<Response, Problem> {
    let ended = state.authority().end_own_login(&caller.known, sid).await?;
    let ended = ended.ok_or(Problem::new(Kind::NotFound))?;
    state.acknowledged(&ended);
    let gone = sid == caller.known.login.sid;
    let cookie = gone.then(|| cookie_to_clear(&state, &caller)).flatten();
    Ok(answer(ended.into(), cookie))
}

/// Ends all logins of the caller, this one too.
#[utoipa::path(
    delete, path = "/api/v1/logins", operation_id = "end_all_own_logins", tag = "logins",
    responses(
        (status = 200, description = "Ended, on disk", body = EndedBody),
        CallerRefused,
    ),
    security(("bearer" = []), ("cookie" = []))
)]
pub(crate) async fn end_all_own(
    State(state): State<ServerState>,
    caller: Caller,
) -> Result<Response, Problem> {
    let ended = state.authority().end_all_own_logins(&caller.known).await?;
    state.acknowledged(&ended);
    Ok(answer(ended.into(), cookie_to_clear(&state, &caller)))
}

/// Ends anybody's login: the operator's way.
pub(crate) async fn end_any(
    State(state): State<ServerState>,
    AdminCaller { admin, .. }: AdminCaller,
    Segment(sid): Segment<Sid>,
) -> Result<Json<EndedBody>, Problem> {
    let ended = state.authority().end_any_login(&admin, sid).await?;
    let ended = ended.ok_or(Problem::new(Kind::NotFound))?;
    state.acknowledged(&ended);
    Ok(Json(ended.into()))
}

fn cookie_to_clear(state: &ServerState, caller: &Caller) -> Option<HeaderValue> {
    match &caller.carrier {
        Carrier::Bearer => None,
        Carrier::Cookie(client_id) => Some(state.cookies().clear(client_id.as_str())),
    }
}

fn answer(ended: EndedBody, cookie: Option<HeaderValue>) -> Response {
    let mut response = Json(ended).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
