//! The authority over HTTP: one function a question, bounded in time and size, no retries here.

use std::time::{Duration, SystemTime};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderValue, StatusCode, header};
use reqwest::{Client, RequestBuilder, Response, redirect};
use serde::{Deserialize, de::DeserializeOwned};
use symbolon_login::{ClientId, Head, Introspection, Position, Shape, Sid, Snapshot, UnixMillis};
use tokio::sync::Semaphore;
use url::{Url, form_urlencoded};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::credential::Secret;

/// How long one answer may take, connection included.
const PATIENCE: Duration = Duration::from_secs(2);

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
    base: Url,
    client_id: ClientId,
    basic: Option<HeaderValue>,
    guard: Uuid,
    http: Client,
    permits: Semaphore,
}

impl Authority {
    /// Does not connect yet. Redirects are off: an answer from elsewhere is not the authority's. So are
    /// proxies of the environment, which the app's operator may not have meant for this.
    pub(crate) fn new(
        base: Url,
        client_id: ClientId,
        client_secret: Option<&Secret>,
        guard: Uuid,
    ) -> Result<Self, reqwest::Error> {
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(PATIENCE)
            .tcp_nodelay(true)
            .pool_idle_timeout(Duration::from_secs(30))
            .user_agent(concat!("symbolon-guard/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self {
            base,
            basic: client_secret.map(|secret| basic(&client_id, secret)),
            client_id,
            guard,
            http,
            permits: Semaphore::new(AT_ONCE),
        })
    }

    /// `GET /feed/head`, with the report of what was applied where the app has a secret. The time is the
    /// authority's clock, from the `Date` of its answer.
    pub(crate) async fn head(
        &self,
        applied: Position,
    ) -> Result<(Position, Option<UnixMillis>), Unavailable> {
        let mut url = self.at("feed/head");
        if self.basic.is_some() {
            url.query_pairs_mut()
                .append_pair("guard", &self.guard.to_string())
                .append_pair("applied", &applied.to_string());
        }
        let request = self.authenticated(self.http.get(url)).timeout(PATIENCE);
        let response = send(request).await?;
        let time = date(&response);
        let head: Head = json(expect_ok(response)?, SMALL).await?;
        Ok((head.head, time))
    }

    /// `GET /feed/snapshot`.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, Unavailable> {
        let request = self.http.get(self.at("feed/snapshot"));
        let response = send(request.timeout(SNAPSHOT_PATIENCE)).await?;
        json(expect_ok(response)?, SNAPSHOT).await
    }

    /// `GET /feed` from `after` on. The answer's body does not end by itself.
    pub(crate) async fn stream(&self, after: Position) -> Result<Response, Unavailable> {
        let request = self
            .http
            .get(self.at("feed"))
            .header(header::ACCEPT, "text/event-stream")
            .header("last-event-id", after.to_string());
        // The client's own timeout would count the whole body: only the answer's head is hurried here.
        let response = tokio::time::timeout(PATIENCE, send(request))
            .await
            .map_err(|_| Unavailable::new("no answer within 2 s"))??;
        let response = expect_ok(response)?;
        let is_stream = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        if is_stream {
            Ok(response)
        } else {
            Err(Unavailable::new("the feed is no event stream"))
        }
    }

    /// `POST /oauth2/introspect` (RFC 7662).
    pub(crate) async fn introspect(&self, secret: &Secret) -> Result<Introspection, Unavailable> {
        let form = [("token", secret.expose())];
        let response = self.post("oauth2/introspect", &form, false).await?;
        json(expect_ok(response)?, SMALL).await
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
        let request = self
            .http
            .delete(self.at(&format!("api/v1/logins/{sid}")))
            .header(header::AUTHORIZATION, bearer(secret)?)
            .timeout(PATIENCE);
        let response = send(request).await?;
        match response.status() {
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
        expect_ok(self.post("oauth2/revoke", &form, true).await?).map(|_| ())
    }

    async fn token(&self, form: &[(&str, &str)]) -> Result<Redeemed, Unavailable> {
        let response = self.post("oauth2/token", form, true).await?;
        match response.status() {
            StatusCode::OK => Ok(Redeemed::Granted(json(response, SMALL).await?)),
            StatusCode::BAD_REQUEST => {
                let refused: OauthError = json(response, SMALL).await?;
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
    async fn post(
        &self,
        path: &str,
        form: &[(&str, &str)],
        as_client: bool,
    ) -> Result<Response, Unavailable> {
        let permit = tokio::time::timeout(PATIENCE, self.permits.acquire())
            .await
            .map_err(|_| Unavailable::busy())?
            .map_err(|_| Unavailable::busy())?;
        let named = (as_client && self.basic.is_none()).then_some(&self.client_id);
        let mut request = self
            .http
            .post(self.at(path))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .timeout(PATIENCE)
            .body(encode(form, named));
        if as_client {
            request = self.authenticated(request);
        }
        let response = send(request).await;
        drop(permit);
        response
    }

    fn authenticated(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.basic {
            Some(basic) => request.header(header::AUTHORIZATION, basic.clone()),
            None => request,
        }
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!(
            "{}/{path}",
            self.base.path().trim_end_matches('/')
        ));
        url
    }
}

impl Unavailable {
    fn new(what: &str) -> Self {
        Self {
            what: what.to_owned(),
            not_done: false,
        }
    }

    fn busy() -> Self {
        Self {
            what: "too many questions at once".to_owned(),
            not_done: true,
        }
    }

    /// The task that asked is gone.
    pub(crate) fn died() -> Self {
        Self::new("the question was given up")
    }

    fn answered(status: StatusCode) -> Self {
        Self {
            what: format!("it answered {}", status.as_u16()),
            not_done: matches!(
                status,
                StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
            ),
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

async fn send(request: RequestBuilder) -> Result<Response, Unavailable> {
    request.send().await.map_err(|error| Unavailable {
        not_done: error.is_connect(),
        what: causes(&error.without_url()),
    })
}

/// Never the URL, which may hold a client's report; never a body.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

fn expect_ok(response: Response) -> Result<Response, Unavailable> {
    match response.status() {
        StatusCode::OK => Ok(response),
        status => Err(Unavailable::answered(status)),
    }
}

async fn json<T: DeserializeOwned>(mut response: Response, most: usize) -> Result<T, Unavailable> {
    // Answers may hold secrets: the buffer is wiped.
    let mut body = Zeroizing::new(Vec::new());
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= most => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(Unavailable::new("its answer is too long")),
            Ok(None) => break,
            Err(error) => return Err(Unavailable::new(&causes(&error.without_url()))),
        }
    }
    // serde's text quotes what it did not expect, which may be a secret.
    serde_json::from_slice(&body).map_err(|error| {
        Unavailable::new(&format!(
            "its answer is not what was expected (line {}, column {})",
            error.line(),
            error.column()
        ))
    })
}

fn date(response: &Response) -> Option<UnixMillis> {
    let text = response.headers().get(header::DATE)?.to_str().ok()?;
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
