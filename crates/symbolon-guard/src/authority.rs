//! What a guard asks its authority: one function a question, bounded in time and size.

use std::time::Duration;

use axum::body::Body;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};
use symbolon_login::{ClientId, Head, Introspection, Position, Shape, Sid, Snapshot, UnixMillis};
use tokio::{sync::Semaphore, time::timeout};
use url::{Url, form_urlencoded};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    checked::Counts,
    credential::Secret,
    nodes::{Answer, Nodes, Question, Unavailable},
    transport::SharedTransport,
};

/// How long one answer may take, connection included.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// How long the head may take. It is asked for four times a second, and an answer that is older proves
/// little.
const HEAD_PATIENCE: Duration = Duration::from_secs(1);

/// How long a snapshot may take: it can be many megabytes.
const SNAPSHOT_PATIENCE: Duration = Duration::from_secs(30);

/// The largest answer of the small endpoints, in bytes.
const SMALL: usize = 256 * 1024;

/// The largest snapshot, in bytes: room for about half a million cut-offs.
const SNAPSHOT: usize = 64 * 1024 * 1024;

/// Questions about credentials at once. Strangers cause them, so they are bounded.
const AT_ONCE: usize = 64;

/// What a code or a secret of a line earned.
#[derive(Clone)]
pub(crate) enum Redeemed {
    /// A credential in the app's current shape.
    Granted(Granted),
    /// Nothing, for good: `invalid_grant` (RFC 6749 section 5.2).
    Invalid,
}

/// A fresh credential.
#[derive(Clone, Deserialize)]
pub(crate) struct Granted {
    /// In which shape it is.
    pub(crate) shape: Shape,
    /// The session secret or the access token.
    pub(crate) access_token: Secret,
    /// How long it lasts, in seconds.
    #[serde(default)]
    pub(crate) expires_in: Option<u64>,
    /// The refresh token; shape jwt only.
    #[serde(default)]
    pub(crate) refresh_token: Option<Secret>,
    /// How long that lasts, in seconds.
    #[serde(default)]
    pub(crate) refresh_expires_in: Option<u64>,
    /// Whether the person asked to be remembered on this device. Not said: no.
    #[serde(default)]
    pub(crate) remembered: bool,
}

/// What became of the wish to end a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndedLogin {
    /// It is over, and that is on the authority's disk.
    Done,
    /// The app is not allowed to, or its credential is not good any more.
    NotAllowed,
}

/// One authority, as one app asks it.
pub(crate) struct Authority {
    nodes: Nodes,
    client_id: ClientId,
    basic: Option<HeaderValue>,
    guard: Uuid,
    permits: Semaphore,
}

impl Authority {
    /// Does not connect yet. `nodes` has at least one URL.
    pub(crate) fn new(
        nodes: Vec<Url>,
        transport: SharedTransport,
        client_id: ClientId,
        client_secret: Option<&Secret>,
        guard: Uuid,
    ) -> Self {
        Self {
            nodes: Nodes::new(nodes, transport),
            basic: client_secret.map(|secret| basic(&client_id, secret)),
            client_id,
            guard,
            permits: Semaphore::new(AT_ONCE),
        }
    }

    /// `GET /feed/head`, with the report of what was applied and how much was checked where the app has a
    /// secret. The time is the authority's clock, from the `Date` of its answer.
    pub(crate) async fn head(
        &self,
        applied: Position,
        counts: Counts,
    ) -> Result<(Position, Option<UnixMillis>), Unavailable> {
        let Counts { checked, cookies } = counts;
        let guard = self.guard;
        let query = self
            .basic
            .as_ref()
            .map(|_| format!("guard={guard}&applied={applied}&checked={checked}&cookies={cookies}"))
            .unwrap_or_default();
        let question = self.authenticated(Question {
            query: &query,
            patience: HEAD_PATIENCE,
            ..Question::get("feed/head")
        });
        let answer = self.nodes.ask(&question, SMALL).await?;
        let time = answer.time;
        let head: Head = json(&answer.expect_ok()?)?;
        Ok((head.head, time))
    }

    /// `GET /feed/snapshot`.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, Unavailable> {
        let question = Question {
            patience: SNAPSHOT_PATIENCE,
            ..Question::get("feed/snapshot")
        };
        json(&self.nodes.ask(&question, SNAPSHOT).await?.expect_ok()?)
    }

    /// `GET /feed` from `after` on. The answer's body does not end by itself.
    pub(crate) async fn stream(&self, after: Position) -> Result<Body, Unavailable> {
        let after = HeaderValue::try_from(after.to_string())
            .map_err(|_| Unavailable::new("the position does not fit a header"))?;
        let question = Question::get("feed")
            .header(
                header::ACCEPT,
                HeaderValue::from_static("text/event-stream"),
            )
            .header(header::HeaderName::from_static("last-event-id"), after);
        self.nodes.open(&question).await
    }

    /// `POST /oauth2/introspect` (RFC 7662).
    pub(crate) async fn introspect(&self, secret: &Secret) -> Result<Introspection, Unavailable> {
        let form = [("token", secret.expose())];
        let question = self.form("oauth2/introspect", &form, false);
        json(&self.ask_bounded(&question).await?.expect_ok()?)
    }

    /// `POST /oauth2/token` with a secret of the line: refresh and reshape in one.
    pub(crate) async fn redeem(&self, secret: &Secret) -> Result<Redeemed, Unavailable> {
        self.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", secret.expose()),
        ])
        .await
    }

    /// `POST /oauth2/token` with an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
    pub(crate) async fn exchange(
        &self,
        code: &str,
        verifier: &str,
        redirect_uri: &str,
    ) -> Result<Redeemed, Unavailable> {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ])
        .await
    }

    /// `DELETE /api/v1/logins/{sid}` in the name of the login itself.
    pub(crate) async fn end_login(
        &self,
        sid: Sid,
        secret: &Secret,
    ) -> Result<EndedLogin, Unavailable> {
        let path = format!("api/v1/logins/{sid}");
        let question = Question {
            method: Method::DELETE,
            ..Question::get(&path)
        };
        let question = question.header(header::AUTHORIZATION, bearer(secret)?);
        match self.nodes.ask(&question, SMALL).await?.status {
            status if status.is_success() => Ok(EndedLogin::Done),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
                Ok(EndedLogin::NotAllowed)
            }
            status => Err(Unavailable::answered(status)),
        }
    }

    /// `POST /oauth2/revoke` (RFC 7009): ends the app's share in the login.
    pub(crate) async fn revoke(&self, secret: &Secret) -> Result<(), Unavailable> {
        let form = [("token", secret.expose())];
        let question = self.form("oauth2/revoke", &form, true);
        self.ask_bounded(&question).await?.expect_ok().map(|_| ())
    }

    async fn token(&self, form: &[(&str, &str)]) -> Result<Redeemed, Unavailable> {
        let question = Question {
            // Whoever asks knows when that is safe: a code counts once, a secret within the grace.
            repeatable: false,
            ..self.form("oauth2/token", form, true)
        };
        let answer = self.ask_bounded(&question).await?;
        match answer.status {
            StatusCode::OK => Ok(Redeemed::Granted(json(&answer.body)?)),
            StatusCode::BAD_REQUEST => {
                let refused: OauthError = json(&answer.body)?;
                if refused.error == "invalid_grant" {
                    return Ok(Redeemed::Invalid);
                }
                tracing::error!(
                    error = %refused.error.escape_debug(),
                    "the authority refuses the app itself: check client id, secret and redirect URI"
                );
                Err(Unavailable::new("the authority refuses the app's request"))
            }
            StatusCode::UNAUTHORIZED => {
                tracing::error!("the authority refuses the app's client id or secret");
                Err(Unavailable::new("the authority refuses the app itself"))
            }
            status => Err(Unavailable::answered(status)),
        }
    }

    /// A form; `as_client`: with the app's own authentication, or its name where it has no secret.
    fn form<'q>(&self, path: &'q str, form: &[(&str, &str)], as_client: bool) -> Question<'q> {
        let named = (as_client && self.basic.is_none()).then_some(&self.client_id);
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        let question = Question {
            method: Method::POST,
            body: Bytes::from(encode(form, named)),
            ..Question::get(path)
        };
        let question = question
            .header(header::CONTENT_TYPE, kind)
            .header(header::ACCEPT, HeaderValue::from_static("application/json"));
        if as_client {
            self.authenticated(question)
        } else {
            question
        }
    }

    fn authenticated<'q>(&self, question: Question<'q>) -> Question<'q> {
        match &self.basic {
            Some(basic) => question.header(header::AUTHORIZATION, basic.clone()),
            None => question,
        }
    }

    /// As [`Nodes::ask`], with a place among the few that strangers can cause.
    async fn ask_bounded(&self, question: &Question<'_>) -> Result<Answer, Unavailable> {
        let permit = timeout(PATIENCE, self.permits.acquire())
            .await
            .map_err(|_| Unavailable::busy())?
            .map_err(|_| Unavailable::busy())?;
        let answer = self.nodes.ask(question, SMALL).await;
        drop(permit);
        answer
    }

    /// The stream is no good: another node is asked first from now on.
    pub(crate) fn turn(&self) {
        self.nodes.turn();
    }
}

#[derive(Deserialize)]
struct OauthError {
    error: String,
}

fn encode(form: &[(&str, &str)], client_id: Option<&ClientId>) -> String {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form);
    if let Some(client_id) = client_id {
        body.append_pair("client_id", client_id.as_str());
    }
    body.finish()
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unavailable> {
    // serde's text quotes what it did not expect, which may be a secret.
    serde_json::from_slice(body).map_err(|error| {
        Unavailable::new(&format!(
            "its answer is not what was expected (line {}, column {})",
            error.line(),
            error.column()
        ))
    })
}

fn bearer(secret: &Secret) -> Result<HeaderValue, Unavailable> {
    let text = Zeroizing::new(format!("Bearer {}", secret.expose()));
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| Unavailable::new("the credential does not fit a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// RFC 6749 section 2.3.1: both halves form-encoded, then Basic.
fn basic(client_id: &ClientId, secret: &Secret) -> HeaderValue {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Zeroizing::new(format!(
        "{}:{}",
        encode(client_id.as_str()),
        encode(secret.expose())
    ));
    let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
    let mut value =
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("Basic"));
    value.set_sensitive(true);
    value
}
