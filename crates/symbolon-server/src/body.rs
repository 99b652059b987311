//! What comes in: JSON bodies, query parameters and path segments, each refused with the field's
//! name.

use std::{fmt::Display, str::FromStr};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
};
use http::{HeaderMap, header, request::Parts};
use serde::de::DeserializeOwned;

use crate::{
    ServerState,
    problem::{Kind, Problem},
};

/// A JSON body. `Content-Type` has to be `application/json`: a form of another site can send
/// `text/plain` without asking first, but not this (ASVS 3.5.2).
pub(crate) struct JsonBody<T>(pub(crate) T);

/// Query parameters.
pub(crate) struct Params<T>(pub(crate) T);

/// The one parameter of the path.
pub(crate) struct Segment<T>(pub(crate) T);

/// The essence of the `Content-Type`, in lower case: `application/json`.
pub(crate) fn content_type(headers: &HeaderMap) -> Option<String> {
    let line = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = line.split(';').next().unwrap_or(line);
    Some(essence.trim().to_ascii_lowercase())
}

/// The whole body, within the limit.
pub(crate) async fn bytes(request: Request, state: &ServerState) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state)
        .await
        .map_err(|refused| {
            if refused.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
                Problem::new(Kind::TooLarge)
            } else {
                Problem::with(Kind::BadRequest, "the body broke off")
            }
        })
}

impl<T: DeserializeOwned> FromRequest<ServerState> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ServerState) -> Result<Self, Problem> {
        if content_type(request.headers()).as_deref() != Some("application/json") {
            return Err(Problem::with(
                Kind::UnsupportedMediaType,
                "Content-Type: expected application/json",
            ));
        }
        let bytes = bytes(request, state).await?;
        // A list would be read as the members in order: a second spelling of every body.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(Problem::with(Kind::BadRequest, "expected a JSON object"));
        }
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            match path.as_str() {
                "." => Problem::with(Kind::BadRequest, error.into_inner().to_string()),
                _ => Problem::field(&path, error.into_inner()),
            }
        })?;
        json.end().map_err(|_| {
            Problem::with(Kind::BadRequest, "expected the end after one JSON value")
        })?;
        Ok(Self(value))
    }
}

impl<T: DeserializeOwned> FromRequestParts<ServerState> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ServerState) -> Result<Self, Problem> {
        let Query(value) = Query::from_request_parts(parts, state)
            .await
            .map_err(|refused| Problem::with(Kind::BadRequest, refused.body_text()))?;
        Ok(Self(value))
    }
}

impl<T> FromRequestParts<ServerState> for Segment<T>
where
    T: FromStr + Send,
    T::Err: Display,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ServerState) -> Result<Self, Problem> {
        let Path(text): Path<String> = Path::from_request_parts(parts, state)
            .await
            .map_err(|refused| Problem::with(Kind::BadRequest, refused.body_text()))?;
        text.parse()
            .map(Self)
            .map_err(|wrong: T::Err| Problem::field("path", wrong))
    }
}
