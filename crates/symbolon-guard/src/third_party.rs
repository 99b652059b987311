//! Tokens of somebody else's issuer, checked by its published keys.

mod cache;
mod fetch;
mod layer;
mod verify;

use std::{fmt, sync::Arc, time::Duration};

use symbolon_jose::Algorithm;
use tokio::task::AbortHandle;

use crate::{
    World,
    clock::Clock,
    transport::{Http, SharedTransport, Transport},
};

pub use layer::{ThirdPartyLayer, ThirdPartyRefusal, ThirdPartyService};
pub use verify::ThirdPartyIdentity;

use cache::Cache;
use fetch::{Source, Where};
use verify::Rules;

/// What signs tokens on the web, with the first of each kind of key as what is meant where a key does
/// not say. RSA keys without an `alg` are for RS256 wherever it matters.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::Es256,
    Algorithm::Ed25519,
    Algorithm::Es384,
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
];

/// Checks the tokens of one issuer that is not our authority.
///
/// An API may have to take the access tokens of a company's identity provider, or the ID tokens of a
/// sign-in button, beside the logins of its own authority. [`ThirdParty`] checks those: who issued
/// them, for whom, until when, signed by a key that the issuer publishes *now*.
///
/// **Nobody can end such a token.** There is no feed to follow and no login behind it: it is good
/// until it expires, the freshness `until_expiry` by nature. That is why the layer gives a
/// [`ThirdPartyIdentity`], which is never an [`Identity`](crate::Identity): a route says in its signature which of
/// the two it rests on.
///
/// ```no_run
/// use axum::{Router, routing::get};
/// use symbolon_guard::{ThirdParty, ThirdPartyIdentity};
///
/// # async fn app() -> Result<(), Box<dyn std::error::Error>> {
/// let company = ThirdParty::builder("https://accounts.example.com")
///     .audience("https://api.example.org")
///     .connect()
///     .await?;
///
/// async fn orders(who: ThirdPartyIdentity) -> String {
///     format!("orders of {} at {}", who.subject(), who.issuer())
/// }
///
/// let app: Router = Router::new()
///     .route("/orders", get(orders))
///     .layer(company.layer());
/// # let _ = app;
/// # Ok(())
/// # }
/// ```
///
/// # The keys
/// They come from the issuer's JWK set, found by discovery (OIDC Discovery 1.0, RFC 8414) or named
/// by [`ThirdPartyBuilder::jwks_uri`]. They are fetched again in the background, as often as the issuer's
/// `Cache-Control` says but within 5 minutes and 1 hour, and a key that is not in the set any more counts for
/// nothing from then on. A key id that is not known is worth one fetch, at most every 10 seconds
/// whoever asks: made-up ids cost the issuer nothing. While the issuer cannot be reached the keys are kept
/// for [`ThirdPartyBuilder::keep_keys`]; after that every token gets a 503, never a yes.
///
/// Cheap to clone; all clones share one set of keys, which a background task keeps until the last clone
/// (and the last layer made of one) is dropped. Several issuers: one of these each, one layer around
/// the other.
#[derive(Clone)]
pub struct ThirdParty(Arc<Handle>);

struct Handle {
    rules: Rules,
    cache: Arc<Cache>,
    keeper: AbortHandle,
}

/// Which of an issuer's tokens are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThirdPartyTokens {
    /// Access tokens that say that they are (RFC 9068: `typ` is `at+jwt`).
    #[default]
    Access,
    /// ID tokens (OIDC Core 1.0 section 2). The audience is the client id of the app that asked
    /// for them.
    Id,
    /// Access tokens that do not say what they are (`typ` is `JWT` or absent), as many issuers still write
    /// them. What has the marks of another kind of token (`nonce`, `at_hash`, `c_hash`, `events`) is
    /// refused, but only an audience that is the API's own keeps ID tokens out for certain.
    DangerousUntyped,
}

/// How the keys of an issuer fare, for the app's own health page.
#[derive(Clone, Debug)]
pub struct ThirdPartyStatus {
    /// How many keys count now.
    pub keys: usize,
    /// How long ago the issuer was asked for them; none when it never answered.
    pub age: Option<Duration>,
    /// What went wrong last, while it does.
    pub trouble: Option<String>,
}

/// Settings that cannot be, or an issuer that does not answer.
#[derive(Debug, thiserror::Error)]
pub enum ThirdPartyError {
    /// A URL is none of the expected form.
    #[error("{what} {url:?}: {problem}")]
    Url {
        /// Which setting.
        what: &'static str,
        /// What it was set to.
        url: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// No audience was named: tokens for any other API would be taken.
    #[error("no audience: name what the issuer calls this API, with audience()")]
    NoAudience,
    /// A symmetric algorithm, or none at all.
    #[error("algorithms: expected at least one, and none of HS256, HS384, HS512")]
    Algorithms,
    /// The HTTP client could not be set up (TLS roots of the system, as a rule).
    #[error("cannot set up the HTTP client: {0}")]
    Client(#[source] reqwest::Error),
    /// The issuer gave no keys in time.
    #[error("no keys of {issuer} within {} s: {reason}", .waited.as_secs())]
    Unreachable {
        /// The issuer.
        issuer: String,
        /// How long it was tried.
        waited: Duration,
        /// What went wrong last.
        reason: String,
    },
}

/// Settings of a [`ThirdParty`] to be. Made by [`ThirdParty::builder`].
#[must_use]
pub struct ThirdPartyBuilder {
    issuer: String,
    audiences: Vec<String>,
    jwks_uri: Option<String>,
    tokens: ThirdPartyTokens,
    algorithms: Vec<Algorithm>,
    longest_life: Duration,
    keep_keys: Duration,
    transport: Option<SharedTransport>,
    clock: Clock,
    patience: Duration,
}

impl ThirdParty {
    /// For the issuer that calls itself exactly this in `iss`, trailing slash and all. An `https` URL; plain
    /// `http` only on this machine.
    pub fn builder(issuer: impl Into<String>) -> ThirdPartyBuilder {
        ThirdPartyBuilder {
            issuer: issuer.into(),
            audiences: Vec::new(),
            jwks_uri: None,
            tokens: ThirdPartyTokens::Access,
            algorithms: ALGORITHMS.to_vec(),
            longest_life: Duration::from_secs(86_400),
            keep_keys: Duration::from_secs(86_400),
            transport: None,
            clock: Clock::default(),
            patience: Duration::from_secs(10),
        }
    }

    /// The layer that finds out who is calling, by the header `Authorization: Bearer`; it never looks at
    /// cookies. It refuses nobody by itself: the extractors [`ThirdPartyIdentity`] and
    /// `Option<ThirdPartyIdentity>` do, each in its way.
    pub fn layer(&self) -> ThirdPartyLayer {
        ThirdPartyLayer::new(self.clone(), false)
    }

    /// The layer that lets only requests with a good token through.
    pub fn require(&self) -> ThirdPartyLayer {
        ThirdPartyLayer::new(self.clone(), true)
    }

    /// Checks a token that came by another way than a request's header.
    ///
    /// # Errors
    /// [`ThirdPartyRefusal::Refused`] when it is not good, [`ThirdPartyRefusal::Unproved`] when the issuer's
    /// keys cannot be had.
    pub async fn verify(&self, token: &str) -> Result<ThirdPartyIdentity, ThirdPartyRefusal> {
        self.0.rules.verify(&self.0.cache, token).await
    }

    /// How the keys fare now.
    pub fn status(&self) -> ThirdPartyStatus {
        self.0.cache.status()
    }
}

impl fmt::Debug for ThirdParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThirdParty")
            .field("issuer", &self.0.rules.issuer)
            .field("status", &self.status())
            .finish()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl ThirdPartyBuilder {
    /// What the issuer calls this API in `aud` (for [`ThirdPartyTokens::Id`]: the app's client id). At least
    /// one is needed; with several, any of them will do.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Which kind of token is taken. Default: [`ThirdPartyTokens::Access`].
    pub fn tokens(mut self, tokens: ThirdPartyTokens) -> Self {
        self.tokens = tokens;
        self
    }

    /// Where the issuer publishes its keys, instead of finding out by discovery. `https`, or `http` on this
    /// machine.
    pub fn jwks_uri(mut self, url: impl Into<String>) -> Self {
        self.jwks_uri = Some(url.into());
        self
    }

    /// What may sign, instead of all asymmetric algorithms. A key without an `alg` of its own is for the first
    /// of these that fits its type.
    pub fn algorithms(mut self, algorithms: &[Algorithm]) -> Self {
        self.algorithms = algorithms.to_vec();
        self
    }

    /// The longest life of a token, from `iat` to `exp`: nobody can end it sooner. Default: 24 hours.
    pub fn longest_life(mut self, longest: Duration) -> Self {
        self.longest_life = longest;
        self
    }

    /// How long keys count while the issuer cannot be reached. Default: 24 hours. It is also the time
    /// for which a key that was stolen and withdrawn can still be used by somebody who keeps this machine
    /// from reaching the issuer.
    pub fn keep_keys(mut self, span: Duration) -> Self {
        self.keep_keys = span;
        self
    }

    /// Fetches the keys by another way than this crate's own HTTP client: a proxy, a client with your own TLS
    /// settings. It must not follow redirects.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Takes time and chance from elsewhere than this machine, for tests and simulations. A wall clock
    /// that stands still keeps expired tokens alive.
    pub fn dangerous_world(mut self, world: Arc<dyn World>) -> Self {
        self.clock = Clock::of(world);
        self
    }

    /// How long [`ThirdPartyBuilder::connect`] tries. Default: 10 s.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Starts, and waits until the issuer's keys are here.
    ///
    /// # Errors
    /// When a setting is wrong, or the issuer gives no keys in time. The text names the issuer.
    pub async fn connect(self) -> Result<ThirdParty, ThirdPartyError> {
        let patience = self.patience;
        let third_party = self.start()?;
        let cache = &third_party.0.cache;
        if cache.wait_for_keys(patience).await {
            return Ok(third_party);
        }
        let trouble = cache.status().trouble;
        Err(ThirdPartyError::Unreachable {
            issuer: third_party.0.rules.issuer.clone(),
            waited: patience,
            reason: trouble.unwrap_or_else(|| "it does not answer".to_owned()),
        })
    }

    /// Starts and does not wait: until the keys are here every token gets a 503. Needs a tokio runtime.
    ///
    /// # Errors
    /// When a setting is wrong.
    pub fn start(self) -> Result<ThirdParty, ThirdPartyError> {
        if self.audiences.is_empty() || self.audiences.iter().any(String::is_empty) {
            return Err(ThirdPartyError::NoAudience);
        }
        let symmetric = |algorithm: &Algorithm| algorithm.is_symmetric();
        if self.algorithms.is_empty() || self.algorithms.iter().any(symmetric) {
            return Err(ThirdPartyError::Algorithms);
        }
        let at = Where::parse(&self.issuer, self.jwks_uri.as_deref())?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => Arc::new(Http::new().map_err(ThirdPartyError::Client)?),
        };
        let source = Source::new(transport, at, self.algorithms.clone());
        let cache = Arc::new(Cache::new(self.clock, self.keep_keys));
        let keeper = tokio::spawn(cache::keep(Arc::clone(&cache), source)).abort_handle();
        Ok(ThirdParty(Arc::new(Handle {
            rules: Rules {
                issuer: self.issuer,
                audiences: self.audiences,
                tokens: self.tokens,
                algorithms: self.algorithms,
                longest_life: self.longest_life,
            },
            cache,
            keeper,
        })))
    }
}
