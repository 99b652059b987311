//! How a question gets to a node of the authority, and an answer back.
//!
//! A question goes to the node that answered last; where that fails it goes to the next, unless it may
//! have been acted on and must not be asked twice.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime},
};

use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use symbolon_login::UnixMillis;
use tokio::time::timeout;
use url::Url;
use zeroize::Zeroizing;

use crate::{
    authority::PATIENCE,
    transport::{SharedTransport, Undelivered, causes},
};

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

/// The nodes of one authority.
pub(crate) struct Nodes {
    /// At least one.
    urls: Vec<Url>,
    /// Which of them is asked first.
    current: AtomicUsize,
    transport: SharedTransport,
}

/// One question before it is known which node gets it.
pub(crate) struct Question<'q> {
    pub(crate) method: Method,
    pub(crate) path: &'q str,
    pub(crate) query: &'q str,
    pub(crate) headers: Vec<(header::HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    pub(crate) patience: Duration,
    /// Whether asking twice is asking once.
    pub(crate) repeatable: bool,
}

impl<'q> Question<'q> {
    pub(crate) fn get(path: &'q str) -> Self {
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

    pub(crate) fn header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
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
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) time: Option<UnixMillis>,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Nodes {
    /// Does not connect yet. There is at least one URL.
    pub(crate) fn new(urls: Vec<Url>, transport: SharedTransport) -> Self {
        Self {
            urls,
            current: AtomicUsize::new(0),
            transport,
        }
    }

    /// Asks, and reads the whole answer of at most `most` bytes.
    pub(crate) async fn ask(
        &self,
        question: &Question<'_>,
        most: usize,
    ) -> Result<Answer, Unavailable> {
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
    pub(crate) async fn of_some_node<T, F>(
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
            let node = self.urls.iter().cycle().nth(at);
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
            if tried >= self.urls.len() || !may_go_on {
                return answer;
            }
        }
    }

    /// Asks another node first from now on, unless somebody turned already.
    fn turn_from(&self, at: usize) {
        let next = (at + 1) % self.urls.len().max(1);
        let turned = self
            .current
            .compare_exchange(at, next, Ordering::Relaxed, Ordering::Relaxed);
        if turned.is_ok() && next != at {
            tracing::info!(node = next, "another node of the authority is asked first");
        }
    }

    /// Opens an event stream, whose body does not end by itself: only the answer's head is hurried.
    pub(crate) async fn open(&self, question: &Question<'_>) -> Result<Body, Unavailable> {
        let open = |request| async {
            let response = timeout(question.patience, self.transport.send(request))
                .await
                .map_err(|_| Unavailable::late(question.patience))??;
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
        self.of_some_node(question, open).await
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

    pub(crate) fn expect_ok(self) -> Result<Zeroizing<Vec<u8>>, Unavailable> {
        expect_ok(self.status)?;
        Ok(self.body)
    }
}

impl Unavailable {
    pub(crate) fn new(what: &str) -> Self {
        Self {
            what: what.to_owned(),
            not_done: false,
            elsewhere: true,
        }
    }

    pub(crate) fn late(patience: Duration) -> Self {
        Self::new(&format!("no answer within {} s", patience.as_secs()))
    }

    /// The guard's own limit: another node would not help.
    pub(crate) fn busy() -> Self {
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

    pub(crate) fn answered(status: StatusCode) -> Self {
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

fn expect_ok(status: StatusCode) -> Result<(), Unavailable> {
    match status {
        StatusCode::OK => Ok(()),
        status => Err(Unavailable::answered(status)),
    }
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
