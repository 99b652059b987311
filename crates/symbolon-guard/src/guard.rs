//! The guard's handle and how one is made.

use std::{fmt, sync::Arc, time::Duration};

use aws_lc_rs::rand;
use axum::response::Response;
use prometheus_client::registry::Registry;
use symbolon_login::{BadId, ClientId, Freshness, Position};
use url::{Host, Url};

use crate::{
    authority::Authority,
    clock::{Clock, World},
    cookies::CookieNames,
    core::{Core, Settings},
    credential::Secret,
    digest::{Digests, NoRandomness},
    fault::Faults,
    follower::Follower,
    layer::GuardLayer,
    refusal::{OnRefusal, Refused},
    transport::{Http, InProcess, LocalAuthority, SharedTransport, Transport},
};

/// Stands in front of one app's routes.
///
/// Cheap to clone; all clones are one guard. It follows the authority's feed in background tasks
/// until the last clone (and the last layer made of one) is dropped.
#[derive(Clone)]
pub struct Guard(Arc<Handle>);

struct Handle {
    core: Arc<Core>,
    /// Held for its drop.
    _follower: Option<Follower>,
}

/// How a guard fares, for the app's own health page.
#[derive(Clone, Debug)]
pub struct Status {
    /// How far the log was applied; none before the first snapshot.
    pub applied: Option<Position>,
    /// The newest head that the guard heard of.
    pub head: Option<Position>,
    /// How old the guard's knowledge can be at most; none when it was never proved.
    pub staleness: Option<Duration>,
    /// How many scopes have a cut-off that the guard knows.
    pub cut_offs: usize,
    /// How many answers that stay open are watched: event streams, `WebSockets`, long downloads.
    pub open_answers: usize,
    /// Whether there were more cut-offs than [`GuardBuilder::most_cut_offs`] within the last hour. What
    /// the guard knows then proves nothing: each yes rests on the authority's own word.
    pub careful: bool,
    /// Whether the stream is open.
    pub connected: bool,
    /// What went wrong last, while it does.
    pub trouble: Option<String>,
}

/// A guard that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A URL is no `http` or `https` URL of the expected form.
    #[error("{what} {url:?}: {problem}")]
    Url {
        /// Which setting.
        what: &'static str,
        /// What it was set to.
        url: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The client id is none.
    #[error("client id: {0}")]
    ClientId(#[from] BadId),
    /// The HTTP client could not be set up (TLS roots of the system, as a rule).
    #[error("cannot set up the HTTP client: {0}")]
    Client(#[source] reqwest::Error),
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers")]
    Randomness,
    /// The authority did not give a snapshot and a proof of its freshness in time.
    #[error("cannot follow the authority at {url} within {} s: {reason}", .waited.as_secs())]
    Unreachable {
        /// Where it should be.
        url: String,
        /// How long it was tried.
        waited: Duration,
        /// What went wrong last.
        reason: String,
    },
}

/// Settings of a guard to be. Made by [`Guard::builder`].
#[must_use]
pub struct GuardBuilder {
    /// The first one and those that stand in for it.
    authority: Vec<String>,
    transport: Option<SharedTransport>,
    clock: Clock,
    client_id: String,
    client_secret: Option<Secret>,
    issuer: Option<String>,
    public_url: Option<String>,
    freshness: Option<Freshness>,
    on_refusal: Option<OnRefusal>,
    insecure_http: bool,
    patience: Duration,
    faults: Faults,
    most_seen: usize,
    most_cut_offs: usize,
}

impl Guard {
    /// A guard for the app `client_id` of the authority at this URL.
    pub fn builder(authority: impl Into<String>, client_id: impl Into<String>) -> GuardBuilder {
        GuardBuilder {
            authority: vec![authority.into()],
            transport: None,
            clock: Clock::default(),
            client_id: client_id.into(),
            client_secret: None,
            issuer: None,
            public_url: None,
            freshness: None,
            on_refusal: None,
            insecure_http: false,
            patience: Duration::from_secs(10),
            faults: Faults::default(),
            most_seen: 100_000,
            most_cut_offs: 4_000_000,
        }
    }

    /// A guard that hears nothing.
    #[cfg(any(test, feature = "internals"))]
    pub(crate) fn still(core: Arc<Core>) -> Self {
        Self(Arc::new(Handle {
            core,
            _follower: None,
        }))
    }

    /// A guard beside its authority in one process: it asks the authority's service directly, and
    /// everything else is as over the network, the freshness bound included.
    pub fn local(authority: &impl LocalAuthority, client_id: impl Into<String>) -> GuardBuilder {
        let mut builder = Self::builder(authority.issuer(), client_id);
        builder.transport = Some(Arc::new(InProcess(authority.service())));
        builder
    }

    /// The layer that finds out who is calling. It refuses nobody by itself: the extractors
    /// [`Identity`](crate::Identity) and `Option<Identity>` do, each in its way.
    pub fn layer(&self) -> GuardLayer {
        GuardLayer::new(self.clone(), false)
    }

    /// The layer that lets only signed-in people through, for routes whose handlers do not ask who it is.
    pub fn require(&self) -> GuardLayer {
        GuardLayer::new(self.clone(), true)
    }

    /// The layer that lets only people with this role through; others who are signed in get a 403.
    pub fn require_role(&self, role: impl Into<Arc<str>>) -> GuardLayer {
        self.require().role(role)
    }

    /// The layer that lets only people through who proved who they are at most `max_age` ago, for what a
    /// stolen browser must not be able to do. Others are asked to sign in again: by a redirect for
    /// pages, by the challenge of RFC 9470 for programs. Less than 10 s counts as 10 s, because nobody
    /// could get through.
    pub fn require_fresh_login(&self, max_age: Duration) -> GuardLayer {
        self.require().fresh_login(max_age)
    }

    /// How the guard fares now.
    pub fn status(&self) -> Status {
        let health = self.core().health();
        let now = self.core().clock.moment();
        let knowledge = self.core().knowledge();
        Status {
            applied: knowledge.applied(),
            head: knowledge.head(),
            staleness: knowledge.staleness(now),
            cut_offs: knowledge.cut_offs(),
            open_answers: self.core().open_answers.len(),
            careful: knowledge.is_careful(),
            connected: health.connected,
            trouble: health.trouble,
        }
    }

    /// Shows the guard's counters to a registry of the app: `symbolon_guard_refusals_total` by `reason`
    /// (the codes of [`Reason`](crate::Reason)).
    pub fn register_metrics(&self, registry: &mut Registry) {
        self.core().metrics.register(registry);
    }

    /// The app that this guard stands in front of.
    pub fn client_id(&self) -> &ClientId {
        &self.core().settings.client_id
    }

    /// How fresh a yes has to be at the app's routes, unless they ask for more.
    pub fn freshness(&self) -> Freshness {
        self.core().freshness(&self.core().knowledge(), None)
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.0.core
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("client_id", self.client_id())
            .field("status", &self.status())
            .finish()
    }
}

impl GuardBuilder {
    /// Carries the guard's questions by another way than this crate's own HTTP client: a Unix socket, a
    /// client with your own TLS settings, a simulated network.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Takes time and chance from elsewhere than this machine, for tests and simulations. A monotonic
    /// clock that stands still or goes back makes the guard say yes to what has ended.
    pub fn dangerous_world(mut self, world: Arc<dyn World>) -> Self {
        self.clock = Clock::of(world);
        self
    }

    /// Breaks a rule of the guard on purpose, so that a simulation can show that it would notice.
    #[cfg(feature = "simulation")]
    pub fn dangerous_fault(mut self, fault: crate::Fault) -> Self {
        self.faults.fault = Some(fault);
        self
    }

    /// Another node of the same authority, asked when the nodes named before do not answer.
    pub fn or_at(mut self, authority: impl Into<String>) -> Self {
        self.authority.push(authority.into());
        self
    }

    /// The app's secret, for a confidential client: the guard then authenticates at the token endpoint
    /// and reports to the authority what it has applied.
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client_secret = Some(Secret::new(secret.into()));
        self
    }

    /// What the authority calls itself (the claim `iss`), where people's browsers find it, when the app
    /// reaches it under another address. Default: the address given to [`Guard::builder`].
    pub fn issuer(mut self, url: impl Into<String>) -> Self {
        self.issuer = Some(url.into());
        self
    }

    /// The app's own origin, such as `https://app.example.org`: needed to sign people in. Without it the
    /// guard never redirects to sign-in, and unsafe requests with cookies need Fetch Metadata.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// Instead of the freshness that the authority's settings give for the app. A route may still ask
    /// for more.
    pub fn freshness(mut self, freshness: Freshness) -> Self {
        self.freshness = Some(freshness);
        self
    }

    /// Answers refusals in the app's own way, for those of them where it returns something:
    ///
    /// ```no_run
    /// # let guard = symbolon_guard::Guard::builder("http://localhost:7300", "dashboard");
    /// // Everything under /api is for programs, whatever they say that they accept.
    /// let guard = guard.on_refusal(|refused| {
    ///     refused.uri().path().starts_with("/api/").then(|| refused.problem())
    /// });
    /// ```
    ///
    /// The answer is never stored by caches, and its extensions hold the [`Reason`](crate::Reason).
    pub fn on_refusal(
        mut self,
        answer: impl Fn(&Refused<'_>) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        self.on_refusal = Some(Arc::new(answer));
        self
    }

    /// Allows plain http to an authority, and for an app, that is not on this machine. Cookies then lose
    /// `__Host-` and `Secure`: anyone on the network can read and set them.
    pub fn insecure_http(mut self) -> Self {
        self.insecure_http = true;
        self
    }

    /// How long [`GuardBuilder::connect`] tries. Default: 10 s.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How many credentials the guard keeps that it found good, so that checking them again costs no
    /// signature and no question. Nearly all of the last `count` are kept and never more than
    /// twice as many, about 600 bytes each. Default: 100,000.
    pub fn most_seen(mut self, count: usize) -> Self {
        self.most_seen = count;
        self
    }

    /// How many cut-offs the guard keeps, about 30 bytes each. When there are more within an hour it
    /// asks the authority about everybody until it may forget again: slower, never unsafe.
    /// [`Status::careful`] says so. Default: 4,000,000.
    pub fn most_cut_offs(mut self, count: usize) -> Self {
        self.most_cut_offs = count;
        self
    }

    /// Starts the guard and waits until it knows the log and has proved how fresh that is.
    ///
    /// # Errors
    /// When a setting is wrong, or the authority cannot be followed in time. The text names the URL.
    pub async fn connect(self) -> Result<Guard, ConnectError> {
        let (patience, url) = (self.patience, self.authority.join(" or "));
        let guard = self.start()?;
        let proved = guard
            .core()
            .wait_until(patience, |pulse| pulse.fresh_as_of.is_some())
            .await;
        if proved {
            return Ok(guard);
        }
        let trouble = guard.core().health().trouble;
        Err(ConnectError::Unreachable {
            url,
            waited: patience,
            reason: trouble.unwrap_or_else(|| "it does not answer for its head".to_owned()),
        })
    }

    /// Starts the guard and does not wait: until it has heard from the authority it answers 503 to
    /// everyone who shows a credential. Needs a tokio runtime.
    ///
    /// # Errors
    /// When a setting is wrong.
    pub fn start(self) -> Result<Guard, ConnectError> {
        let client_id: ClientId = self.client_id.parse()?;
        // Whoever brings a transport answers for what it shows to the network.
        let is_own_way = self.transport.is_some();
        let nodes = self
            .authority
            .iter()
            .map(|node| self.url("the authority's URL", node, is_own_way))
            .collect::<Result<Vec<_>, _>>()?;
        let issuer = match &self.issuer {
            Some(issuer) => text(&self.url("the issuer", issuer, is_own_way)?),
            None => nodes.first().map(text).unwrap_or_default(),
        };
        let public = self
            .public_url
            .as_deref()
            .map(|url| self.url("the app's public URL", url, false))
            .transpose()?;
        let is_secure = public
            .as_ref()
            .is_none_or(|url| url.scheme() == "https" || is_loopback(url));
        let settings = Settings {
            cookies: CookieNames::new(&client_id, is_secure),
            client_id: client_id.clone(),
            issuer,
            public_origin: public.map(|url| url.origin().ascii_serialization()),
            freshness: self.freshness,
            on_refusal: self.on_refusal,
            most_seen: self.most_seen,
            most_cut_offs: self.most_cut_offs,
        };
        let mut bytes = [0; 16];
        rand::fill(&mut bytes).map_err(|_| ConnectError::Randomness)?;
        let id = uuid::Builder::from_random_bytes(bytes).into_uuid();
        let transport = match self.transport {
            Some(transport) => transport,
            None => Arc::new(Http::new().map_err(ConnectError::Client)?),
        };
        let secret = self.client_secret.as_ref();
        let authority = Authority::new(nodes, transport, client_id, secret, id);
        let digests = Digests::secret().map_err(|NoRandomness| ConnectError::Randomness)?;
        let (clock, faults) = (self.clock, self.faults);
        let core = Core::new(settings, authority, clock, digests, faults);
        let core = Arc::new(core);
        Ok(Guard(Arc::new(Handle {
            _follower: Some(Follower::start(&core)),
            core,
        })))
    }

    fn url(&self, what: &'static str, text: &str, may_be_plain: bool) -> Result<Url, ConnectError> {
        let wrong = |problem| ConnectError::Url {
            what,
            url: text.to_owned(),
            problem,
        };
        let url = Url::parse(text).map_err(|_| wrong("not a URL"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong("expected http://host or https://host"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("expected no path, query or fragment"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("expected no user name or password"));
        }
        let may_be_plain = may_be_plain || self.insecure_http || is_loopback(&url);
        if url.scheme() == "http" && !may_be_plain {
            return Err(wrong(
                "plain http to another machine; use https, or say insecure_http()",
            ));
        }
        Ok(url)
    }
}

/// Without a trailing slash, as `iss` has it.
fn text(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// This machine: browsers treat such hosts as secure even without TLS.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
