//! Requests and answers in few words.

use std::collections::BTreeMap;

use axum::{Router, body::Body};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, Request, Response, StatusCode, request};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use url::form_urlencoded;

/// A request.
pub(crate) struct Ask {
    head: request::Builder,
    body: Body,
}

/// A GET.
pub(crate) fn get(path: &str) -> Ask {
    Ask::new("GET", path)
}

impl Ask {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self {
            head: Request::builder().method(method).uri(path),
            body: Body::empty(),
        }
    }

    pub(crate) fn post(path: &str) -> Self {
        Self::new("POST", path)
    }

    pub(crate) fn patch(path: &str) -> Self {
        Self::new("PATCH", path)
    }

    pub(crate) fn delete(path: &str) -> Self {
        Self::new("DELETE", path)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head = self.head.header(name, value);
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn basic(self, name: &str, secret: &str) -> Self {
        let pair = STANDARD.encode(format!("{name}:{secret}"));
        self.header("authorization", &format!("Basic {pair}"))
    }

    pub(crate) fn cookie(self, name: &str, value: &str) -> Self {
        self.header("cookie", &format!("{name}={value}"))
    }

    /// As a browser asks from our own pages.
    pub(crate) fn same_origin(self) -> Self {
        self.header("sec-fetch-site", "same-origin")
    }

    pub(crate) fn json(self, value: &Value) -> Self {
        let mut ask = self.header("content-type", "application/json");
        ask.body = Body::from(value.to_string());
        ask
    }

    pub(crate) fn form(self, pairs: &[(&str, &str)]) -> Self {
        let encoded = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        self.raw("application/x-www-form-urlencoded", encoded)
    }

    pub(crate) fn raw(self, content_type: &str, body: impl Into<Body>) -> Self {
        let mut ask = self.header("content-type", content_type);
        ask.body = body.into();
        ask
    }

    pub(crate) async fn send(self, router: &Router) -> Answer {
        let response = self.stream(router).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// The answer with its body still to come.
    pub(crate) async fn stream(self, router: &Router) -> Response<Body> {
        let request = self.head.body(self.body).unwrap();
        router.clone().oneshot(request).await.unwrap()
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.status.as_u16()
    }

    #[track_caller]
    pub(crate) fn expect_status(&self, expected: u16) {
        assert_eq!(self.status(), expected, "{}", self.body);
    }

    /// A problem document of this status and name.
    #[track_caller]
    pub(crate) fn expect_problem(&self, status: u16, name: &str) {
        self.expect_status(status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        let expected = format!("urn:symbolon:problem:{name}");
        assert_eq!(problem["type"], expected, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert!(problem["title"].is_string(), "{problem}");
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        match serde_json::from_str(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{error} in {}", self.body),
        }
    }

    /// The one value of a header; empty without it.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> String {
        let values: Vec<_> = self.headers.get_all(name).iter().collect();
        assert!(values.len() <= 1, "{name}: {values:?}");
        let text = values.first().map(|value| value.to_str().unwrap());
        text.unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub(crate) fn location(&self) -> String {
        self.header("location")
    }
}

/// The query parameters of a URL.
pub(crate) fn location_parameters(location: &str) -> BTreeMap<String, String> {
    let query = location.split_once('?').map_or("", |(_, query)| query);
    form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}
