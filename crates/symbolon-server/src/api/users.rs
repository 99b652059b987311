//! `/api/v1/users`: for administrators and the operator.

use axum::{Json, extract::State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use symbolon_authority::{
    AddedUser, Admin, ChangedRoles, DisabledUser, NewPassword, NewUser, User, ports::Ended,
};
use symbolon_login::{Identifier, LoginPolicy, Position, Role, UserId};
use utoipa::ToSchema;

use crate::{
    ServerState,
    api::{
        EndedBody, LimitBody,
        logins::LoginsBody,
        refusals::{AdminRefused, BadBody, BadParameter, InUse, LockOut, NoSuchThing},
        rfc3339,
    },
    body::{JsonBody, Params, Segment},
    caller::AdminCaller,
    problem::{Kind, Problem},
};

const MOST_LISTED: u32 = 500;

/// A person with an account.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserBody {
    #[schema(value_type = String, format = "uuid")]
    id: UserId,
    #[schema(value_type = String)]
    identifier: Identifier,
    #[schema(value_type = Vec<String>)]
    roles: Vec<Role>,
    /// What their logins are held to, beside what the authority and each app say: the strictest counts.
    #[schema(value_type = PolicyBody)]
    policy: LoginPolicy,
    #[schema(format = "date-time")]
    created_at: String,
    disabled: bool,
}

/// What somebody's logins are held to; what is not said is left to the authority and the apps.
// Names `LoginPolicy` in the document.
#[derive(ToSchema)]
#[schema(as = LoginPolicy)]
#[expect(
    dead_code,
    reason = "describes another crate's type in the OpenAPI document"
)]
struct PolicyBody {
    /// Without use: 1 up to `absolute_seconds`.
    #[schema(example = 3_600)]
    idle_seconds: Option<u64>,
    /// In any case: 1 to 34560000 (400 days).
    #[schema(example = 43_200)]
    absolute_seconds: Option<u64>,
    limit: Option<LimitBody>,
}

/// A page of users in order of their identifiers.
#[derive(Serialize, ToSchema)]
pub(crate) struct UsersBody {
    users: Vec<UserBody>,
    /// Where the next page begins (`after`); null on the last one.
    #[schema(value_type = Option<String>)]
    next: Option<Identifier>,
}

/// Which users.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UsersQuery {
    /// Only the one who is called this.
    #[param(value_type = Option<String>)]
    identifier: Option<Identifier>,
    /// Those after this identifier.
    #[param(value_type = Option<String>)]
    after: Option<Identifier>,
    /// At most so many: 1 to 500, 100 if not said.
    limit: Option<u32>,
}

/// Somebody to be added.
// No Debug: it holds a secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUserBody {
    #[schema(value_type = String)]
    identifier: Identifier,
    /// 8 characters up to 1,024 bytes, no other rule.
    #[schema(format = "password")]
    password: String,
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    roles: Vec<Role>,
}

/// A change of a user; what is not said stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChangeBody {
    /// True disables the account and ends all its logins; false lets the person sign in again.
    disabled: Option<bool>,
    /// All that they may do from now on. Ends all their logins: a credential never outlives the rights
    /// that it was given for.
    #[schema(value_type = Option<Vec<String>>)]
    roles: Option<Vec<Role>>,
    /// All that their logins are held to, from their next sign-in on; `{}` leaves it to the authority and
    /// the apps.
    #[schema(value_type = Option<PolicyBody>)]
    policy: Option<LoginPolicy>,
}

/// A changed user.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangedUserBody {
    #[serde(flatten)]
    user: UserBody,
    /// Where the log says that their logins ended; only when the change ended them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "1.43")]
    position: Option<Position>,
    /// How many logins it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<u64>,
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            identifier: user.identifier,
            roles: user.roles,
            policy: user.policy,
            created_at: rfc3339(user.created_at),
            disabled: user.disabled_at.is_some(),
        }
    }
}

/// Lists users.
#[utoipa::path(
    get, path = "/api/v1/users", operation_id = "list_users", tag = "users", params(UsersQuery),
    responses(
        (status = 200, description = "A page of users", body = UsersBody),
        BadParameter, AdminRefused,
    ),
    security(("bearer" = []), ("cookie" = []))
)]
pub(crate) async fn list(
    State(state): State<ServerState>,
    AdminCaller { admin, .. }: AdminCaller,
    Params(query): Params<UsersQuery>,
) -> Result<Json<UsersBody>, Problem> {
    if let Some(identifier) = query.identifier {
        let found = state.authority().user_named(&admin, &identifier).await?;
        let users = found.into_iter().map(UserBody::from).collect();
        return Ok(Json(UsersBody { users, next: None }));
    }
    let limit = query.limit.unwrap_or(100);
    if !(1..=MOST_LISTED).contains(&limit) {
        return Err(Problem::field("limit", "expected 1 to 500"));
    }
    // One more than asked for tells whether there is a next page.
    let more = limit.saturating_add(1);
    let mut users = state.authority().users(&admin, query.after, more).await?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_last = users.len() <= page;
    users.truncate(page);
    let next = users.last().map(|user| user.identifier.clone());
    Ok(Json(UsersBody {
        next: next.filter(|_| !is_last),
        users: users.into_iter().map(UserBody::from).collect(),
    }))
}

/// Adds a user.
#[utoipa::path(
    post, path = "/api/v1/users", operation_id = "add_user", tag = "users", request_body = NewUserBody,
    responses(
        (status = 201, description = "Added", body = UserBody),
        BadBody,
        AdminRefused,
        InUse,
    ),
    security(("bearer" = []), ("cookie" = []))
)]
pub(crate) async fn add(
    State(state): State<ServerState>,
    AdminCaller { admin, .. }: AdminCaller,
    JsonBody(body): JsonBody<NewUserBody>,
) -> Result<(StatusCode, Json<UserBody>), Problem> {
    let password =
        NewPassword::new(body.password).map_err(|wrong| Problem::field("password", wrong))?;
    let new = NewUser {
        identifier: body.identifier,
        password,
        roles: body.roles,
    };
    match state.authority().add_user(&admin, new).await? {
        AddedUser::Added(user) => Ok((StatusCode::CREATED, Json(user.into()))),
        AddedUser::Taken => Err(Problem::with(
            Kind::Conflict,
            "identifier: somebody has it already",
        )),
    }
}

/// One user.
#[utoipa::path(
    get, path = "/api/v1/users/{id}", operation_id = "show_user", tag = "users",
    params(("id" = String, Path, format = "uuid", description = "The user")),
    responses(
        (status = 200, description = "The user", body = UserBody),
        BadParameter, AdminRefused,
        NoSuchThing,
    ),
    security(("bearer" = []), ("cookie" = []))
)]
pub(crate) async fn show(
    State(state): State<ServerState>,
    AdminCaller { admin, .. }: AdminCaller,
    Segment(id): Segment<UserId>,
) -> Result<Json<UserBody>, Problem> {
    let user = state.authority().user(&admin, id).await?;
    Ok(Json(user.ok_or(Problem::new(Kind::NotFound))?.into()))
}

/// Changes what a user may do and is held to. Whoever is disabled or given other roles is signed out
/// everywhere.
#[utoipa::path(
    patch, path = "/api/v1/users/{id}", operation_id = "change_user", tag = "users", request_body = UserChangeBody,
    params(("id" = String, Path, format = "uuid", description = "The user")),
    responses(
        (status = 200, description = "As it is now", body = ChangedUserBody),
        AdminRefused, LockOut,
        BadBody,
        NoSuchThing,
    ),
    security(("bearer" = []), ("cookie" = []))
)]
pub(crate) async fn change(
    State(state): State<ServerState>,
    AdminCaller { admin, .. }: AdminCaller,
    Segment(id): Segment<UserId>,
    JsonBody(body): JsonBody<UserChangeBody>,
) -> Result<Json<ChangedUserBody>, Problem> {
    let UserChangeBody {
        disabled,
        roles,
        policy,
    } = body;
    if disabled.is_none() && roles.is_none() && policy.is_none() {
        let nothing = "expected one of disabled, roles, policy";
        return Err(Problem::with(Kind::BadRequest, nothing));
    }
    let authority = state.authority();
    let mut ended = Ends::default();
    // What an administrator may not do to themselves comes first: nothing is changed by halves.
    if let Some(disabled) = disabled {
        ended.add(disable(&state, &admin, id, disabled).await?);
    }
    if let Some(roles) = roles {
        ended.add(Some(replace_roles(&state, &admin, id, roles).await?));
    }
    if let Some(policy) = policy
        && !authority.set_login_policy(&admin, id, policy).await?
    {
        return Err(Problem::new(Kind::NotFound));
    }
    let user = authority.user(&admin, id).await?;
    Ok(Json(ChangedUserBody {
        user: user.ok_or(Problem::new(Kind::NotFound))?.into(),
        position: ended.0.map(|ended| ended.position),
        ended: ended.0.map(|ended| ended.count),
    }))
}

/// What the parts of one change ended together.
#[derive(Default)]
struct Ends(Option<Ended>);

impl Ends {
    fn add(&mut self, more: Option<Ended>) {
        if let Some(more) = more {
            let count = self.0.as_ref().map_or(0, |before| before.count);
            self.0 = Some(Ended {
                count: more.count.saturating_add(count),
                ..more
            });
        }
    }
}

/// Disables or enables the account.
async fn disable(
    state: &ServerState,
    admin: &Admin,
    id: UserId,
    disabled: bool,
) -> Result<Option<Ended>, Problem> {
    if !disabled {
        let known = state.authority().enable_user(admin, id).await?;
        return known.then_some(None).ok_or(Problem::new(Kind::NotFound));
    }
    match state.authority().disable_user(admin, id).await? {
        DisabledUser::Disabled(ended) => {
            state.acknowledged(&ended);
            Ok(Some(ended))
        }
        DisabledUser::Unknown => Err(Problem::new(Kind::NotFound)),
        DisabledUser::Oneself => Err(Problem::with(
            Kind::Conflict,
            "disabled: an administrator cannot disable themselves",
        )),
    }
}

async fn replace_roles(
    state: &ServerState,
    admin: &Admin,
    id: UserId,
    roles: Vec<Role>,
) -> Result<Ended, Problem> {
    match state.authority().set_roles(admin, id, roles).await? {
        ChangedRoles::Changed(ended) => {
            state.acknowledged(&ended);
            Ok(ended)
        }
        ChangedRoles::Unknown => Err(Problem::new(Kind::NotFound)),
        ChangedRoles::Oneself => Err(Problem::with(
            Kind::Conflict,
            "roles: an administrator cannot take the role admin from themselves",
        )),
    }
}

/// A user's living logins.
#[utoipa::path(
    get, path = "/api/v1/users/{id}/logins", operation_id = "list_logins_of_user", tag = "users",
    params(("id" = String, Path, format = "uuid", description = "The user")),
    responses(
        (status = 200, description = "Newest first", body = LoginsBody),
        BadParameter, AdminRefused,
        NoSuchThing,
    ),
    security(("bearer" = []), ("cookie" = []))
)]
pub(crate) async fn logins(
    State(state): State<ServerState>,
    AdminCaller { admin, known }: AdminCaller,
    Segment(id): Segment<UserId>,
) -> Result<Json<LoginsBody>, Problem> {
    let found = state.authority().logins_of(&admin, id).await?;
    let found = found.ok_or(Problem::new(Kind::NotFound))?;
    let current = known.map(|known| known.login.sid);
    Ok(Json(LoginsBody::new(found, current)))
}

/// Signs a user out everywhere.
#[utoipa::path(
    delete, path = "/api/v1/users/{id}/logins", operation_id = "end_logins_of_user", tag = "users",
    params(("id" = String, Path, format = "uuid", description = "The user")),
    responses(
        (status = 200, description = "Ended, on disk", body = EndedBody),
        BadParameter, AdminRefused,
        NoSuchThing,
    ),
    security(("bearer" = []), ("cookie" = []))
)]
pub(crate) async fn end_logins(
    State(state): State<ServerState>,
    AdminCaller { admin, .. }: AdminCaller,
    Segment(id): Segment<UserId>,
) -> Result<Json<EndedBody>, Problem> {
    let ended = state.authority().end_logins_of(&admin, id).await?;
    let ended = ended.ok_or(Problem::new(Kind::NotFound))?;
    state.acknowledged(&ended);
    Ok(Json(ended.into()))
}
