//! What every handler stands on.

use std::{sync::Arc, time::Instant};

use axum::Router;
use http::HeaderValue;
use symbolon_authority::{Authority, Credential, Failure, Issued, Known, ports::Ended};
use symbolon_guard::LocalAuthority;
use tokio::sync::Semaphore;

use crate::{
    BadPublicUrl, PublicUrl,
    board::Board,
    cookies::Cookies,
    problem::{Kind, Problem},
    router,
};

/// How many guards and others may follow the feed at once.
const MOST_STREAMS: usize = 4_096;

/// An authority and what its HTTP side keeps beside it. Cheap to clone.
#[derive(Clone)]
pub struct ServerState(Arc<Inner>);

struct Inner {
    authority: Arc<Authority>,
    public_url: PublicUrl,
    cookies: Cookies,
    board: Board,
    streams: Arc<Semaphore>,
}

impl ServerState {
    /// The state of a server for this authority; its issuer is the public URL. `insecure_http`
    /// permits plain http on a host that is not loopback.
    pub fn new(authority: Arc<Authority>, insecure_http: bool) -> Result<Self, BadPublicUrl> {
        let public_url = PublicUrl::new(authority.issuer(), insecure_http)?;
        // `iss` is compared character by character: one spelling everywhere.
        if public_url.as_str() != authority.issuer() {
            return Err(BadPublicUrl::Spelling(public_url.to_string()));
        }
        Ok(Self(Arc::new(Inner {
            authority,
            cookies: Cookies::at(&public_url),
            public_url,
            board: Board::default(),
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
        })))
    }

    /// The authority whose stories the handlers tell.
    pub fn authority(&self) -> &Authority {
        &self.0.authority
    }

    /// Where this server is reached.
    pub fn public_url(&self) -> &PublicUrl {
        &self.0.public_url
    }

    /// How cookies are called and marked here.
    pub(crate) fn cookies(&self) -> Cookies {
        self.0.cookies
    }

    /// Who follows.
    pub(crate) fn board(&self) -> &Board {
        &self.0.board
    }

    /// Room for streams of the feed.
    pub(crate) fn streams(&self) -> &Arc<Semaphore> {
        &self.0.streams
    }

    /// Notes for the board that an end is acknowledged. To be called as the first thing after the
    /// story: what comes between is counted as the guards' time.
    pub(crate) fn acknowledged(&self, ended: &Ended) {
        self.board().acknowledged(ended.position, Instant::now());
    }

    /// Ends the login that a browser had before it signed in anew: an old secret must not outlive
    /// its replacement (session fixation, ASVS 7.2.4).
    pub(crate) async fn end_replaced(&self, old: Option<Known>) -> Result<(), Failure> {
        if let Some(old) = old {
            let ended = self.authority().end_own_login(&old, old.login.sid).await?;
            if let Some(ended) = ended {
                self.acknowledged(&ended);
            }
        }
        Ok(())
    }

    /// The console's cookie for a credential of the console.
    pub(crate) fn console_cookie(&self, credential: &Credential) -> Result<HeaderValue, Problem> {
        self.session_cookie(credential)
            .filter(|_| credential.client_id == *self.authority().console())
            .ok_or_else(|| {
                tracing::error!(client_id = %credential.client_id, "not a session of the console");
                Problem::new(Kind::Internal)
            })
    }

    /// Removes the console's cookie.
    pub(crate) fn clear_console_cookie(&self) -> HeaderValue {
        self.cookies().clear(self.authority().console().as_str())
    }

    /// The cookie of a credential in the shape of a session; none for the other shape.
    pub(crate) fn session_cookie(&self, credential: &Credential) -> Option<HeaderValue> {
        match &credential.issued {
            Issued::Session { secret, expires_in } => {
                let stem = credential.client_id.as_str();
                let kept = credential.remembered.then_some(*expires_in);
                Some(self.cookies().set(stem, secret, kept))
            }
            Issued::Tokens { .. } => None,
        }
    }
}

/// For one process that is app and authority at once: `Guard::local(&state, "dashboard")`.
impl LocalAuthority for ServerState {
    type Service = Router;

    fn service(&self) -> Router {
        router(self.clone())
    }

    fn issuer(&self) -> String {
        self.authority().issuer().to_owned()
    }
}
