//! Forms and queries of pages, read into named fields; refused with a page.

use axum::{
    Form,
    extract::{FromRequest, FromRequestParts, Query, Request, rejection::FormRejection},
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::refusal;

/// An `application/x-www-form-urlencoded` body.
pub(crate) struct PageForm<T>(pub(crate) T);

impl<T, S> FromRequest<S> for PageForm<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let headers = request.headers().clone();
        match Form::<T>::from_request(request, state).await {
            Ok(Form(fields)) => Ok(Self(fields)),
            Err(rejection) => Err(refusal::problem(&headers, status(rejection))),
        }
    }
}

/// The query of a page's address.
pub(crate) struct PageQuery<T>(pub(crate) T);

impl<T, S> FromRequestParts<S> for PageQuery<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(fields)) => Ok(Self(fields)),
            Err(_) => Err(refusal::problem(&parts.headers, StatusCode::BAD_REQUEST)),
        }
    }
}

/// A checkbox: present or not, whatever its value.
pub(crate) fn checkbox<'de, D: Deserializer<'de>>(field: D) -> Result<bool, D::Error> {
    Option::<String>::deserialize(field).map(|value| value.is_some())
}

fn status(rejection: FormRejection) -> StatusCode {
    match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::BAD_REQUEST,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[derive(Deserialize)]
    struct Fields {
        name: String,
        #[serde(default, deserialize_with = "checkbox")]
        ticked: bool,
    }

    async fn read(content_type: &str, body: &'static str) -> Result<Fields, StatusCode> {
        let request = Request::post("/")
            .header("content-type", content_type)
            .body(Body::from(body))
            .map_err(|_| StatusCode::IM_A_TEAPOT)?;
        PageForm::from_request(request, &())
            .await
            .map(|PageForm(fields)| fields)
            .map_err(|response| response.status())
    }

    #[tokio::test]
    async fn fields_are_read_and_anything_else_is_refused() {
        let form = "application/x-www-form-urlencoded";
        assert!(
            read(form, "name=a&ticked=on")
                .await
                .is_ok_and(|fields| fields.ticked && fields.name == "a")
        );
        assert!(
            read(form, "name=a")
                .await
                .is_ok_and(|fields| !fields.ticked)
        );
        // Twice the same field: which one was meant is anybody's guess.
        for (content_type, body) in [
            (form, "name=a&name=b"),
            (form, ""),
            ("text/plain", "name=a"),
        ] {
            assert_eq!(
                read(content_type, body).await.err(),
                Some(StatusCode::BAD_REQUEST),
                "{body}"
            );
        }
    }
}
