//! `/api/v1/users`: for administrators and the operator.

use axum::{Json, extract::State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use symbolon_authority::{AddedUser, DisabledUser, NewPassword, NewUser, User, ports::Ended};
use symbolon_login::{Identifier, Position, Role, UserId};
use utoipa::ToSchema;

use crate::{
    ServerState,
    api::{
        EndedBody,
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
    #[schema(format = "date-time")]
    created_at: String,
    disabled: bool,
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

/// A change of a user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChangeBody {
    /// True disables the account and ends all its logins; false lets the person sign in again.
    disabled: bool,
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

/// Disables a user, which ends all their logins, or lets them sign in again.
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
    let mut ended: Option<Ended> = None;
    let is_known = if body.disabled {
        match state.authority().disable_user(&admin, id).await? {
            DisabledUser::Disabled(now) => ended = Some(now),
            DisabledUser::Unknown => {}
            DisabledUser::Oneself => {
                return Err(Problem::with(
                    Kind::Conflict,
                    "disabled: an administrator cannot disable themselves",
                ));
            }
        }
        ended.is_some()
    } else {
        state.authority().enable_user(&admin, id).await?
    };
    if let Some(ended) = &ended {
        state.acknowledged(ended);
    }
    let user = state.authority().user(&admin, id).await?;
    let user = user
        .filter(|_| is_known)
        .ok_or(Problem::new(Kind::NotFound))?;
    Ok(Json(ChangedUserBody {
        user: user.into(),
        position: ended.map(|ended| ended.position),
        ended: ended.map(|ended| ended.count),
    }))
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
