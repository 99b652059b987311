//! The JSON API under `/api/v1`.

pub(crate) mod advice;
pub(crate) mod app_advice;
pub(crate) mod apps;
pub(crate) mod backups;
pub(crate) mod document;
pub(crate) mod guards;
pub(crate) mod keys;
pub(crate) mod logins;
pub(crate) mod me;
mod refusals;
pub(crate) mod users;

use jiff::Timestamp;
use serde::Serialize;
use symbolon_authority::ports::Ended;
use symbolon_login::{Position, UnixMillis};
use utoipa::ToSchema;

/// How credentials of an app show the login.
// Names `symbolon_login::Shape` in the document.
#[derive(ToSchema)]
#[schema(as = Shape, rename_all = "snake_case")]
#[expect(
    dead_code,
    reason = "describes another crate's type in the OpenAPI document"
)]
pub(crate) enum ShapeName {
    /// An opaque reference; the authority keeps everything else.
    Session,
    /// A signed access token and a refresh token.
    Jwt,
}

/// A limit on a person's concurrent logins.
// Names `symbolon_login::LoginLimit` in the document.
#[derive(ToSchema)]
#[schema(as = LoginLimit)]
#[expect(
    dead_code,
    reason = "describes another crate's type in the OpenAPI document"
)]
pub(crate) struct LimitBody {
    /// How many at most, from 1 on.
    #[schema(example = 3, minimum = 1)]
    most: u32,
    at_limit: AtLimitName,
}

/// What one login more than the limit does.
#[derive(ToSchema)]
#[schema(as = AtLimit, rename_all = "snake_case")]
#[expect(
    dead_code,
    reason = "describes another crate's type in the OpenAPI document"
)]
enum AtLimitName {
    /// It is refused.
    Refuse,
    /// The oldest makes room.
    EndOldest,
    /// The person is asked which one makes room.
    Ask,
}

/// An acknowledged end: on disk, and at this place of the log that guards follow.
#[derive(Serialize, ToSchema)]
pub(crate) struct EndedBody {
    /// The cut-off's position, `epoch.number`.
    #[schema(value_type = String, example = "1.43")]
    position: Position,
    /// How many logins it ended that were not ended before.
    ended: u64,
}

impl From<Ended> for EndedBody {
    fn from(ended: Ended) -> Self {
        Self {
            position: ended.position,
            ended: ended.count,
        }
    }
}

/// RFC 3339 in UTC, for people and programs alike.
pub(crate) fn rfc3339(at: UnixMillis) -> String {
    Timestamp::from_millisecond(at.as_millis())
        .unwrap_or(Timestamp::MAX)
        .to_string()
}
