//! What a guard asks its authority: one function a question, bounded in time and size.
//!
//! An authority may have several nodes. A question goes to the node that answered last; where that fails
//! it goes to the next, unless it may have been acted on and must not be asked twice.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime},
};

use axum::body::Body;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};
use symbolon_login::{ClientId, Head, Introspection, Position, Shape, Sid, Snapshot, UnixMillis};
use tokio::{sync::Semaphore, time::timeout};
use url::{Url, form_urlencoded};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    credential::Secret,
    transport::{SharedTransport, Undelivered, causes},
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

/// No usable answer. Says nothing about the credential in question.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Unavailable {
    what: String,
    /// Whether the authority surely did not act: the connection failed, or it said so itself.
    pub(crate) not_done: bool,
    /// Whether another node of the authority may do better.
    elsewhere: bool,
}

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
    /// At least one.
    nodes: Vec<Url>,
    /// Which of them is asked first.
    current: AtomicUsize,
    client_id: ClientId,
    basic: Option<HeaderValue>,
    guard: Uuid,
    transport: SharedTransport,
    permits: Semaphore,
}

/// One question before it is known which node gets it.
struct Question<'q> {
    method: Method,
    path: &'q str,
    query: &'q str,
    headers: Vec<(header::HeaderName, HeaderValue)>,
    body: Bytes,
    patience: Duration,
    /// Whether asking twice is asking once.
    repeatable: bool,
}

impl<'q> Question<'q> {
    fn get(path: &'q str) -> Self {
        Self {
            method: Method::GET,
            path,
            query: "",
            headers: Vec::new(),
            body: Bytes::new(),
            patience: PATIENCE,
            repeatable: true,
        }
    }

    fn header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    fn to(&self, node: &Url) -> Result<Request<Bytes>, Unavailable> {
        let mut url = node.clone();
        url.set_path(&format!(
            "{}/{}",
            node.path().trim_end_matches('/'),
            self.path
        ));
        url.set_query((!self.query.is_empty()).then_some(self.query));
        let mut request = Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = http::Uri::try_from(url.as_str())
            .map_err(|_| Unavailable::new("its URL cannot be asked"))?;
        request.headers_mut().extend(self.headers.iter().cloned());
        Ok(request)
    }
}

/// An answer that was read to its end, before what it says is looked at.
struct Answer {
    status: StatusCode,
    time: Option<UnixMillis>,
    body: Zeroizing<Vec<u8>>,
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
            nodes,
            current: AtomicUsize::new(0),
            basic: client_secret.map(|secret| basic(&client_id, secret)),
            client_id,
            guard,
            transport,
            permits: Semaphore::new(AT_ONCE),
        }
    }

    /// `GET /feed/head`, with the report of what was applied where the app has a secret. The time is the
    /// authority's clock, from the `Date` of its answer.
    pub(crate) async fn head(
        &self,
        applied: Position,
    ) -> Result<(Position, Option<UnixMillis>), Unavailable> {
        let query = self
            .basic
            .as_ref()
            .map(|_| format!("guard={}&applied={applied}", self.guard))
            .unwrap_or_default();
        let question = self.authenticated(Question {
            query: &query,
            patience: HEAD_PATIENCE,
            ..Question::get("feed/head")
        });
        let answer = self.ask(&question, SMALL).await?;
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
        json(&self.ask(&question, SNAPSHOT).await?.expect_ok()?)
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
        // Only the answer's head is hurried here.
        let open = |request| async {
            let response = timeout(PATIENCE, self.transport.send(request))
                .await
                .map_err(|_| Unavailable::late(PATIENCE))??;
            expect_ok(response.status())?;
            let is_stream = response
                .headers()
                .get(header::CONTENT_TYPE)
                .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
            if is_stream {
                Ok(response.into_body())
            } else {
                Err(Unavailable::new("the feed is no event stream"))
            }
        };
        self.of_some_node(&question, open).await
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
        match self.ask(&question, SMALL).await?.status {
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

    /// As [`Authority::ask`], with a place among the few that strangers can cause.
    async fn ask_bounded(&self, question: &Question<'_>) -> Result<Answer, Unavailable> {
        let permit = timeout(PATIENCE, self.permits.acquire())
            .await
            .map_err(|_| Unavailable::busy())?
            .map_err(|_| Unavailable::busy())?;
        let answer = self.ask(question, SMALL).await;
        drop(permit);
        answer
    }

    /// Asks, and reads the whole answer of at most `most` bytes.
    async fn ask(&self, question: &Question<'_>, most: usize) -> Result<Answer, Unavailable> {
        let read = |request| async {
            let whole = async {
                let response = self.transport.send(request).await?;
                Answer::read(response, most).await
            };
            timeout(question.patience, whole)
                .await
                .map_err(|_| Unavailable::late(question.patience))?
        };
        self.of_some_node(question, read).await
    }

    /// The answer of the current node, or of the others in turn where it has none.
    async fn of_some_node<T, F>(
        &self,
        question: &Question<'_>,
        ask: impl Fn(Request<Bytes>) -> F,
    ) -> Result<T, Unavailable>
    where
        F: Future<Output = Result<T, Unavailable>>,
    {
        let mut tried = 0;
        loop {
            let at = self.current.load(Ordering::Relaxed);
            let node = self.nodes.iter().cycle().nth(at);
            let node = node.ok_or_else(|| Unavailable::new("it has no URL"))?;
            let answer = ask(question.to(node)?).await;
            let Err(unavailable) = &answer else {
                return answer;
            };
            tried += 1;
            if !unavailable.elsewhere {
                return answer;
            }
            self.turn_from(at);
            let may_go_on = question.repeatable || unavailable.not_done;
            if tried >= self.nodes.len() || !may_go_on {
                return answer;
            }
        }
    }

    /// Asks another node first from now on, unless somebody turned already.
    fn turn_from(&self, at: usize) {
        let next = (at + 1) % self.nodes.len().max(1);
        let turned = self
            .current
            .compare_exchange(at, next, Ordering::Relaxed, Ordering::Relaxed);
        if turned.is_ok() && next != at {
            tracing::info!(node = next, "another node of the authority is asked first");
        }
    }

    /// The stream of the current node is no good: try another one.
    pub(crate) fn turn(&self) {
        self.turn_from(self.current.load(Ordering::Relaxed));
    }
}

impl Answer {
    async fn read(response: Response<Body>, most: usize) -> Result<Self, Unavailable> {
        let (head, body) = response.into_parts();
        if head.status.is_server_error() {
            return Err(Unavailable::answered(head.status));
        }
        // Answers may hold secrets: the buffer is wiped.
        let mut whole = Zeroizing::new(Vec::new());
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| Unavailable::new(&causes(&error)))?;
            if whole.len() + chunk.len() > most {
                return Err(Unavailable::new("its answer is too long"));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(Self {
            status: head.status,
            time: date(&head.headers),
            body: whole,
        })
    }

    fn expect_ok(self) -> Result<Zeroizing<Vec<u8>>, Unavailable> {
        expect_ok(self.status)?;
        Ok(self.body)
    }
}

impl Unavailable {
    fn new(what: &str) -> Self {
        Self {
            what: what.to_owned(),
            not_done: false,
            elsewhere: true,
        }
    }

    fn late(patience: Duration) -> Self {
        Self::new(&format!("no answer within {} s", patience.as_secs()))
    }

    /// The guard's own limit: another node would not help.
    fn busy() -> Self {
        Self {
            what: "too many questions at once".to_owned(),
            not_done: true,
            elsewhere: false,
        }
    }

    /// The task that asked is gone.
    pub(crate) fn died() -> Self {
        Self {
            elsewhere: false,
            ..Self::new("the question was given up")
        }
    }

    fn answered(status: StatusCode) -> Self {
        Self {
            what: format!("it answered {}", status.as_u16()),
            not_done: matches!(
                status,
                StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
            ),
            elsewhere: status.is_server_error(),
        }
    }
}

impl From<Undelivered> for Unavailable {
    fn from(undelivered: Undelivered) -> Self {
        Self {
            what: undelivered.what,
            not_done: undelivered.not_done,
            elsewhere: true,
        }
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

fn expect_ok(status: StatusCode) -> Result<(), Unavailable> {
    match status {
        StatusCode::OK => Ok(()),
        status => Err(Unavailable::answered(status)),
    }
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

fn date(headers: &HeaderMap) -> Option<UnixMillis> {
    let text = headers.get(header::DATE)?.to_str().ok()?;
    let since = httpdate::parse_http_date(text)
        .ok()?
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()?;
    i64::try_from(since.as_secs())
        .ok()
        .map(UnixMillis::from_secs)
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
