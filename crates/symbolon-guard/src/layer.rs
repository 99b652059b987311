//! The tower layer: asks the question, puts the verdict where extractors find it, finishes the answer.

use std::{
    mem,
    ops::ControlFlow,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    extract::OriginalUri,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{Extensions, Request, Uri};
use symbolon_login::{Freshness, Ground};
use tower::{BoxError, Layer, Service};

use crate::{
    around::GuardMakeService,
    check::Reason,
    clock::Now,
    core::Core,
    guard::Guard,
    identity::Identity,
    last_shown::LastShown,
    open_answers::Registration,
    own_route::OwnRoute,
    refusal::Refusal,
    response::{Asker, finish},
    response_future::{ResponseFuture, Watch},
    tunnel,
    view::View,
    visit::{Question, Verdict, Visit},
};

/// Puts a guard in front of routes. Made by [`Guard::layer`] and [`Guard::require`].
///
/// Works around any tower service over `http` requests. The layer answers three routes of its own:
/// `GET /auth/sign-in?return_to=/path`, `GET /auth/callback` and `POST /auth/sign-out`. Every answer
/// gets `Vary: Cookie, Authorization`, and `Cache-Control: no-store` where somebody was recognised
/// (unless the app set its own) or a cookie is set.
#[derive(Clone)]
pub struct GuardLayer {
    /// Counted: axum copies layers and services for single requests.
    rules: Arc<Rules>,
}

/// What a layer was told.
#[derive(Clone)]
pub(crate) struct Rules {
    guard: Guard,
    freshness: Option<Freshness>,
    refuses: bool,
    roles: Vec<Arc<str>>,
    max_age: Option<Duration>,
    /// Empty, with places for what axum adds to a request after the guard. For speed alone.
    places: Extensions,
}

/// Somebody who just signed in is this old by the time they are back at the app.
const SHORTEST_MAX_AGE: Duration = Duration::from_secs(10);

impl GuardLayer {
    pub(crate) fn new(guard: Guard, refuses: bool) -> Self {
        Self {
            rules: Arc::new(Rules {
                guard,
                freshness: None,
                refuses,
                roles: Vec::new(),
                max_age: None,
                places: places(),
            }),
        }
    }

    /// Demands this freshness of the routes inside. The stricter of this and the app's wins.
    #[must_use]
    pub fn freshness(mut self, freshness: Freshness) -> Self {
        self.rules_mut().freshness = Some(freshness);
        self
    }

    /// Lets only people with this role through, and with those asked for before.
    #[must_use]
    pub fn role(mut self, role: impl Into<Arc<str>>) -> Self {
        let rules = self.rules_mut();
        rules.refuses = true;
        rules.roles.push(role.into());
        self
    }

    /// Lets only people through who proved who they are at most `max_age` ago: see
    /// [`Guard::require_fresh_login`].
    #[must_use]
    pub fn fresh_login(mut self, max_age: Duration) -> Self {
        let rules = self.rules_mut();
        rules.refuses = true;
        rules.max_age = Some(max_age.max(SHORTEST_MAX_AGE));
        self
    }

    /// The whole app behind this layer, for `axum::serve`: what [`Router::layer`] does, for less. Inside a
    /// router axum keeps each layered route in a box, and copies and boxes it again for each request. And from
    /// outside the guard sees connections: one that shows the same credential again is not read anew.
    ///
    /// ```no_run
    /// use axum::{Router, routing::get};
    /// use symbolon_guard::{Guard, Identity};
    ///
    /// # async fn app(guard: Guard, listener: tokio::net::TcpListener) -> std::io::Result<()> {
    /// let app = Router::new()
    ///     .route("/", get(|who: Identity| async move { format!("Hello {}", who.username()) }));
    /// axum::serve(listener, guard.layer().around(app)).await
    /// # }
    /// ```
    pub fn around(&self, app: Router) -> GuardMakeService {
        // As `axum::serve` does with a bare router: else axum makes a handler's route anew for each request.
        GuardMakeService::of(self.layer(app.with_state(())))
    }

    fn rules_mut(&mut self) -> &mut Rules {
        Arc::make_mut(&mut self.rules)
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = GuardService<S>;

    fn layer(&self, inner: S) -> GuardService<S> {
        GuardService {
            inner,
            rules: Arc::clone(&self.rules),
            last: None,
        }
    }
}

/// What [`GuardLayer`] makes of a service.
#[derive(Clone)]
pub struct GuardService<S> {
    inner: S,
    rules: Arc<Rules>,
    /// What the connection showed last; none inside a router, where no connection is seen.
    last: Option<Arc<LastShown>>,
}

impl<S: Clone> GuardService<S> {
    /// The same for one connection, which remembers what it showed last.
    pub(crate) fn of_a_connection(&self) -> Self {
        Self {
            last: Some(Arc::default()),
            ..self.clone()
        }
    }
}

/// What extractors find: the verdict, and whose it is.
#[derive(Clone)]
pub(crate) struct Resolved {
    pub(crate) core: Arc<Core>,
    pub(crate) verdict: Verdict,
}

impl<S, B, R> Service<Request<B>> for GuardService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send + 'static,
    B: Send + 'static,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if let Some(own) = OwnRoute::of(original_uri(&request).path()) {
            let core = Arc::clone(self.rules.guard.core());
            let request = request.map(|_| ());
            return ResponseFuture::waits(async move { Ok(own.answer(&core, &request).await) });
        }
        match self.rules.question(&request, self.last.as_deref()) {
            Ok(visit) => self.rules.go(&mut self.inner, request, visit),
            Err(question) => {
                // The service that was made ready is the one to call (tower's rule).
                let spare = self.inner.clone();
                let mut inner = mem::replace(&mut self.inner, spare);
                let rules = Arc::clone(&self.rules);
                ResponseFuture::waits(async move {
                    let visit = question.answer(rules.guard.core()).await;
                    rules.go(&mut inner, request, visit).await
                })
            }
        }
    }
}

impl Rules {
    /// The visit if it takes no waiting, else the question to wait for.
    fn question<B>(
        &self,
        request: &Request<B>,
        last: Option<&LastShown>,
    ) -> Result<Visit, Box<Question>> {
        let core = self.guard.core();
        let arrival = core.clock.now();
        let view = core.knowledge();
        let earlier = self.earlier(request);
        // Only the outermost layer reads what the connection shows.
        let last = last.filter(|_| earlier.is_none());
        let mut question = match earlier {
            Some(Verdict::Yes(identity)) if !self.is_satisfied(identity, &view, arrival) => {
                Question::again(identity, core.freshness(&view, self.freshness), arrival)
            }
            Some(verdict) => return Ok(Visit::of(verdict.clone())),
            None => {
                let (method, headers) = (request.method(), request.headers());
                let recalled = last.and_then(|last| {
                    Visit::recalled(core, &view, last, method, headers, self.freshness, arrival)
                });
                if let Some(visit) = recalled {
                    return Ok(visit);
                }
                match Question::read(core, &view, method, headers, self.freshness, arrival) {
                    ControlFlow::Continue(question) => question,
                    ControlFlow::Break(verdict) => return Ok(Visit::of(verdict)),
                }
            }
        };
        let Some(visit) = question.answer_now(core, &view) else {
            return Err(Box::new(question));
        };
        if let Some(last) = last
            && let Verdict::Yes(identity) = &visit.verdict
        {
            last.note(request.headers(), identity, question.has_refresh());
        }
        Ok(visit)
    }

    /// What an outer layer of the same guard found.
    fn earlier<'r, B>(&self, request: &'r Request<B>) -> Option<&'r Verdict> {
        let resolved = request.extensions().get::<Resolved>()?;
        Arc::ptr_eq(&resolved.core, self.guard.core()).then_some(&resolved.verdict)
    }

    /// Whether an outer layer's yes is enough here: it is when this layer demands nothing of its own, or
    /// the authority was asked for this very request, and no longer ago than the bound.
    fn is_satisfied(&self, identity: &Identity, view: &View, now: Now) -> bool {
        if self.freshness.is_none() {
            return true;
        }
        identity.proof().ground == Ground::Authority
            && match self.guard.core().freshness(view, self.freshness) {
                Freshness::Within(bound) => identity.seen().is_vouched_within(bound, now.moment),
                Freshness::Live | Freshness::UntilExpiry => true,
            }
    }

    /// Registers an answer to somebody whom this layer let through, should it stay open.
    pub(crate) fn registration(&self, identity: &Identity) -> Registration {
        let core = self.guard.core();
        let freshness = core.freshness(&core.knowledge(), self.freshness);
        Registration::of(core, identity, freshness)
    }

    /// Why this layer does not let the request through, if it does not.
    fn objection(&self, verdict: &Verdict) -> Option<Reason> {
        let Verdict::Yes(identity) = verdict else {
            return verdict.reason();
        };
        if !self.roles.iter().all(|role| identity.has_role(role)) {
            return Some(Reason::RoleMissing);
        }
        let max_age = self.max_age?;
        let core = self.guard.core();
        let now = core.knowledge().wall(core.clock.now());
        (now.since(identity.auth_time()) > max_age).then_some(Reason::LoginTooOld)
    }

    /// Lets the request through, or refuses it.
    fn go<S, B, R>(
        self: &Arc<Self>,
        inner: &mut S,
        mut request: Request<B>,
        visit: Visit,
    ) -> ResponseFuture<S::Future, S::Error>
    where
        S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Send + 'static,
        B: Send + 'static,
        R: http_body::Body<Data = Bytes> + Send + 'static,
        R::Error: Into<BoxError>,
    {
        let core = self.guard.core();
        let Visit { verdict, cookies } = visit;
        let is_known = matches!(verdict, Verdict::Yes(_));
        let reason = verdict
            .reason()
            .filter(|reason| *reason != Reason::NotSignedIn);
        if self.refuses {
            let asker = Asker {
                method: request.method(),
                uri: original_uri(&request),
                headers: request.headers(),
            };
            if let Some(reason) = self.objection(&verdict) {
                let refusal = Refusal::because(reason, self.max_age, core, &asker);
                let mut response = refusal.into_response();
                finish(&mut response, cookies, is_known);
                return ResponseFuture::ready(response);
            }
        }
        // An outer layer of the same guard watches already, unless this one demands more.
        let watches = self.freshness.is_some() || self.earlier(&request).is_none();
        let watch = match &verdict {
            Verdict::Yes(identity) if watches => Some(Watch {
                rules: Arc::clone(self),
                identity: identity.clone(),
            }),
            _ => None,
        };
        // Looked for while the request's map is empty, as it nearly always is.
        let outside = watch.as_ref().and_then(|_| tunnel::wish(&mut request));
        let extensions = request.extensions_mut();
        if extensions.is_empty() {
            *extensions = self.places.clone();
        }
        extensions.insert(Resolved {
            core: Arc::clone(core),
            verdict,
        });
        if let (Some(watch), Some(outside)) = (&watch, outside) {
            let registration = watch.registration();
            let spare = inner.clone();
            let inner = mem::replace(inner, spare);
            return ResponseFuture::waits(async move {
                let mut response = tunnel::carry(inner, request, outside, registration).await?;
                finish(&mut response, cookies, is_known);
                Ok(response)
            });
        }
        ResponseFuture::inner(inner.call(request), cookies, is_known, reason, watch)
    }
}

/// An empty map whose copies have room for more than three: they need not grow when axum puts its own three beside
/// the guard's. A map that was cleared keeps its places, and a copy has as many.
fn places() -> Extensions {
    let mut places = Extensions::new();
    places.insert(0_u8);
    places.insert(0_u16);
    places.insert(0_u32);
    places.insert(0_u64);
    places.clear();
    places
}

/// The address as the browser knows it: axum strips what a nested router was mounted at.
pub(crate) fn original_uri<B>(request: &Request<B>) -> &Uri {
    request
        .extensions()
        .get::<OriginalUri>()
        .map_or(request.uri(), |original| &original.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_own_map_does_not_grow_for_what_axum_adds() {
        let fills = |empty: &Extensions| {
            allocation_counter::measure(|| {
                let mut extensions = empty.clone();
                extensions.insert(1_u8);
                extensions.insert(1_u16);
                extensions.insert(1_u32);
                extensions.insert(1_u64);
                assert_eq!(extensions.len(), 4);
            })
        };
        assert!(places().is_empty());
        let (ours, plain) = (fills(&places()), fills(&Extensions::new()));
        assert!(ours.count_total < plain.count_total);
    }
}
