//! One request: what it shows, what that is worth, and what its browser has to keep from now on.

use std::{ops::ControlFlow, sync::Arc};

use http::{HeaderMap, HeaderValue, Method};
use symbolon_login::Freshness;

use crate::{
    check::{Judgement, Reason, Seen, judge},
    clock::{Moment, Now},
    core::Core,
    credential::{Carrier, Credential, Held, Secret, Shown, Text, shown},
    csrf,
    identity::Identity,
    last_shown::LastShown,
    renew::{self, Effort, Renewed, Wish},
    resolve::{Outcome, resolve, resolve_now},
    view::View,
};

/// What is known about who is calling.
#[derive(Clone)]
pub(crate) enum Verdict {
    /// Somebody, proved.
    Yes(Identity),
    /// Nobody is signed in.
    Nobody,
    /// A credential was shown and is not good.
    Refused(Reason),
    /// It cannot be proved now: 503, never a yes, never "signed out".
    Unproved,
    /// An unsafe request with cookies that the app's own pages did not send.
    CrossSite,
    /// The request says two things at once.
    Ambiguous,
}

/// A verdict, and the cookies to set.
pub(crate) struct Visit {
    pub(crate) verdict: Verdict,
    pub(crate) cookies: Vec<HeaderValue>,
}

/// A request's question: is this good, as fresh as that?
pub(crate) struct Question {
    access: Option<Credential>,
    refresh: Option<Text>,
    carrier: Carrier,
    freshness: Freshness,
    arrival: Now,
    /// Whether this is the layer that renews what it finds: the outermost.
    renews: bool,
}

impl Verdict {
    /// Why nobody is let through; none for a yes.
    pub(crate) const fn reason(&self) -> Option<Reason> {
        match self {
            Self::Yes(_) => None,
            Self::Nobody => Some(Reason::NotSignedIn),
            Self::Refused(reason) => Some(*reason),
            Self::Unproved => Some(Reason::Unproved),
            Self::CrossSite => Some(Reason::CrossSite),
            Self::Ambiguous => Some(Reason::Ambiguous),
        }
    }
}

impl Visit {
    pub(crate) fn of(verdict: Verdict) -> Self {
        Self {
            verdict,
            cookies: Vec::new(),
        }
    }

    /// The answer to whoever shows again what the connection showed last, if that is good and nothing is to be
    /// renewed. None says nothing: the request has to be read.
    pub(crate) fn recalled(
        core: &Core,
        view: &View,
        last: &LastShown,
        method: &Method,
        headers: &HeaderMap,
        route: Option<Freshness>,
        arrival: Now,
    ) -> Option<Self> {
        let shown = last.recall(headers)?;
        if shown.carrier == Carrier::Cookie {
            let has_refresh = shown.has_refresh;
            if !may_carry_cookies(core, method, headers)
                || wish(view, &shown.seen, has_refresh, arrival).is_some()
            {
                return None;
            }
        }
        let freshness = core.freshness(view, route);
        let Judgement::Yes(proof) = judge(&shown.seen, freshness, view, arrival) else {
            return None;
        };
        core.checked.count(shown.carrier);
        shown.seen.note_use();
        let text = Held::Shown(shown.text);
        let identity = Identity::new(shown.seen, proof, shown.carrier, text);
        Some(Self::of(Verdict::Yes(identity)))
    }
}

impl Question {
    /// Reads what a request shows. What needs no look at the credential is answered at once.
    pub(crate) fn read(
        core: &Core,
        view: &View,
        method: &Method,
        headers: &HeaderMap,
        route: Option<Freshness>,
        arrival: Now,
    ) -> ControlFlow<Verdict, Self> {
        let names = &core.settings.cookies;
        let shown = match shown(headers, names) {
            Ok(shown) => shown,
            Err(what) => {
                tracing::info!(?what, "an ambiguous request is refused");
                return ControlFlow::Break(Verdict::Ambiguous);
            }
        };
        let (access, refresh, carrier) = match shown {
            Shown::Nothing => return ControlFlow::Break(Verdict::Nobody),
            Shown::Bearer(token) => (Some(token), None, Carrier::Bearer),
            Shown::Cookies { access, refresh } => {
                if !may_carry_cookies(core, method, headers) {
                    tracing::info!("a cross-site request is refused");
                    return ControlFlow::Break(Verdict::CrossSite);
                }
                (access, refresh, Carrier::Cookie)
            }
        };
        core.checked.count(carrier);
        let read = |text| Credential::read(text, &core.digests);
        let access = match access.map(read).transpose() {
            Ok(access) => access,
            Err(reason) => return ControlFlow::Break(refused(reason, carrier)),
        };
        ControlFlow::Continue(Self {
            access,
            refresh,
            carrier,
            freshness: core.freshness(view, route),
            arrival,
            renews: true,
        })
    }

    /// The answer if it takes no waiting: the way of nearly every request. It takes no lock, and
    /// copies nothing of the credential.
    pub(crate) fn answer_now(&mut self, core: &Core, view: &View) -> Option<Visit> {
        let access = self.access.as_ref()?;
        let outcome = resolve_now(core, view, access, self.freshness, self.arrival)?;
        match outcome {
            Outcome::Yes { .. } if self.wish(view, &outcome).is_some() => return None,
            Outcome::No(reason) if self.is_renewable(reason) => return None,
            _ => {}
        }
        // It was looked at above. Taken, not cloned: the reference is counted once.
        let access = self.access.take()?;
        Some(Visit::of(self.verdict(outcome, access)))
    }

    /// Whether a refresh token was shown, too.
    pub(crate) const fn has_refresh(&self) -> bool {
        self.refresh.is_some()
    }

    /// The answer, whatever it takes.
    pub(crate) async fn answer(&self, core: &Arc<Core>) -> Visit {
        let Some(access) = &self.access else {
            return match &self.refresh {
                Some(refresh) => self.renew_dead(core, &refresh.to_secret()).await,
                None => Visit::of(Verdict::Nobody),
            };
        };
        let outcome = resolve(core, access, self.freshness, self.arrival).await;
        match (&outcome, &self.refresh) {
            (Outcome::Yes { .. }, _) => {
                let wish = self.wish(&core.knowledge(), &outcome);
                match wish.and_then(|wish| self.secret(wish)) {
                    None => Visit::of(self.verdict(outcome, access.clone())),
                    Some(secret) => self.renew_living(core, &secret, outcome, access).await,
                }
            }
            (Outcome::No(reason), Some(refresh)) if self.is_renewable(*reason) => {
                self.renew_dead(core, &refresh.to_secret()).await
            }
            _ => Visit::of(self.verdict(outcome, access.clone())),
        }
    }

    /// Asks the same again, for a route that demands more than the app.
    pub(crate) fn again(identity: &Identity, freshness: Freshness, arrival: Now) -> Self {
        Self {
            access: Some(identity.credential()),
            refresh: None,
            carrier: identity.carrier(),
            freshness,
            arrival,
            renews: false,
        }
    }

    /// The credential lives: renew it if that is easily done.
    async fn renew_living(
        &self,
        core: &Arc<Core>,
        secret: &Secret,
        outcome: Outcome,
        access: &Credential,
    ) -> Visit {
        let judged_at = core.clock.moment();
        match renew::redeem(core, secret, Effort::Once).await {
            Renewed::Granted(granted) => {
                let cookies = renew::cookies(core, &granted, self.refresh.is_some());
                let fresh = renew::credential(core, &granted);
                let renewed = resolve(core, &fresh, self.freshness, core.clock.now()).await;
                // The browser must keep the successor in any case: its predecessor is spent.
                let verdict = match renewed {
                    Outcome::Unproved => {
                        let outcome = self.unless_too_old(core, outcome, access, judged_at).await;
                        self.verdict(outcome, access.clone())
                    }
                    renewed => self.verdict(renewed, fresh),
                };
                Visit { verdict, cookies }
            }
            Renewed::Invalid => self.signed_out(core),
            Renewed::Unavailable => {
                let outcome = self.unless_too_old(core, outcome, access, judged_at).await;
                Visit::of(self.verdict(outcome, access.clone()))
            }
        }
    }

    /// What was found before a renewal that came to nothing; found anew where that took so long that it is
    /// past the bound now.
    async fn unless_too_old(
        &self,
        core: &Arc<Core>,
        outcome: Outcome,
        access: &Credential,
        judged_at: Moment,
    ) -> Outcome {
        let now = core.clock.now();
        let since = now.moment.since(judged_at);
        match (&outcome, self.freshness) {
            (Outcome::Yes { proof, .. }, Freshness::Within(bound))
                if proof.staleness.saturating_add(since) > bound =>
            {
                resolve(core, access, self.freshness, now).await
            }
            _ => outcome,
        }
    }

    /// The credential is past its end or absent: without a renewal there is nothing.
    async fn renew_dead(&self, core: &Arc<Core>, refresh: &Secret) -> Visit {
        match renew::redeem(core, refresh, Effort::Patient).await {
            Renewed::Granted(granted) => {
                let cookies = renew::cookies(core, &granted, true);
                let fresh = renew::credential(core, &granted);
                let outcome = resolve(core, &fresh, self.freshness, core.clock.now()).await;
                Visit {
                    verdict: self.verdict(outcome, fresh),
                    cookies,
                }
            }
            Renewed::Invalid => self.signed_out(core),
            Renewed::Unavailable => Visit::of(Verdict::Unproved),
        }
    }

    /// The line is dead for good. Only this clears cookies: a refusal alone does not, because its answer may
    /// arrive after that of a sign-in that the same browser has just finished.
    fn signed_out(&self, core: &Core) -> Visit {
        let names = &core.settings.cookies;
        let mut cookies = vec![names.clear_access()];
        if self.refresh.is_some() {
            cookies.push(names.clear_refresh());
        }
        tracing::debug!("a refresh was refused: signed out");
        Visit {
            verdict: Verdict::Nobody,
            cookies,
        }
    }

    /// What a living credential should be renewed with, if it should. Bearers renew their tokens
    /// themselves.
    fn wish(&self, view: &View, outcome: &Outcome) -> Option<Wish> {
        let Outcome::Yes { seen, .. } = outcome else {
            return None;
        };
        if self.carrier == Carrier::Bearer || !self.renews {
            return None;
        }
        wish(view, seen, self.refresh.is_some(), self.arrival)
    }

    fn secret(&self, wish: Wish) -> Option<Secret> {
        match wish {
            Wish::Refresh => self.refresh.as_ref().map(Text::to_secret),
            Wish::Access => self.access.as_ref().map(Credential::secret),
        }
    }

    /// Whether a refresh token may bring a new credential where this one was refused. An ended login's
    /// does not, and it needs no question to know that.
    fn is_renewable(&self, reason: Reason) -> bool {
        self.refresh.is_some()
            && matches!(
                reason,
                Reason::Expired | Reason::KeyEnded | Reason::UnknownKey
            )
    }

    fn verdict(&self, outcome: Outcome, credential: Credential) -> Verdict {
        match outcome {
            Outcome::Yes { seen, proof } => {
                let text = credential.into_held();
                Verdict::Yes(Identity::new(seen, proof, self.carrier, text))
            }
            Outcome::No(reason) => refused(reason, self.carrier),
            Outcome::Unproved => Verdict::Unproved,
        }
    }
}

/// Whether the app's own pages sent this, or it promises to change nothing.
fn may_carry_cookies(core: &Core, method: &Method, headers: &HeaderMap) -> bool {
    let origin = core.settings.public_origin.as_deref();
    csrf::is_safe(method, headers) || csrf::is_same_origin(headers, origin)
}

/// What a living credential in a cookie should be renewed with, if it should.
fn wish(view: &View, seen: &Seen, has_refresh: bool, arrival: Now) -> Option<Wish> {
    renew::wish(&seen.facts, view.app()?, has_refresh, view.wall(arrival))
}

/// For the operator, not for the caller.
fn refused(reason: Reason, carrier: Carrier) -> Verdict {
    tracing::info!(reason = reason.code(), ?carrier, "a credential is refused");
    Verdict::Refused(reason)
}
