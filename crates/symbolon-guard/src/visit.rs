//! One request: what it shows, what that is worth, and what its browser has to keep from now on.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method};
use symbolon_login::Freshness;

use crate::{
    check::Reason,
    clock::Now,
    core::Core,
    credential::{Carrier, Credential, Secret, Shown, shown},
    csrf,
    identity::Identity,
    renew::{self, Effort, Renewed, Wish},
    resolve::{Outcome, resolve, resolve_now},
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
    refresh: Option<Secret>,
    carrier: Carrier,
    freshness: Freshness,
    arrival: Now,
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
}

impl Question {
    /// Reads what a request shows. What needs no look at the credential is answered at once.
    pub(crate) fn read(
        core: &Core,
        method: &Method,
        headers: &HeaderMap,
        route: Option<Freshness>,
        arrival: Now,
    ) -> Result<Self, Visit> {
        let names = &core.settings.cookies;
        let shown = shown(headers, names).map_err(|what| {
            tracing::info!(?what, "an ambiguous request is refused");
            Visit::of(Verdict::Ambiguous)
        })?;
        let (access, refresh, carrier) = match shown {
            Shown::Nothing => return Err(Visit::of(Verdict::Nobody)),
            Shown::Bearer(token) => (Some(token), None, Carrier::Bearer),
            Shown::Cookies { access, refresh } => {
                let origin = core.settings.public_origin.as_deref();
                if !csrf::is_safe(method, headers) && !csrf::is_same_origin(headers, origin) {
                    tracing::info!("a cross-site request is refused");
                    return Err(Visit::of(Verdict::CrossSite));
                }
                (access, refresh, Carrier::Cookie)
            }
        };
        let access = access
            .map(|text| Credential::read(&text))
            .transpose()
            .map_err(|reason| Visit::of(refused(reason, carrier)))?;
        Ok(Self {
            access,
            refresh,
            carrier,
            freshness: core.freshness(route),
            arrival,
        })
    }

    /// The answer if it takes no waiting: the way of nearly every request.
    pub(crate) fn answer_now(&self, core: &Core) -> Option<Visit> {
        let access = self.access.as_ref()?;
        match resolve_now(core, access, self.freshness, self.arrival)? {
            outcome @ Outcome::Yes { .. } => {
                let settled = self.wish(core, &outcome).is_none();
                settled.then(|| Visit::of(self.verdict(outcome, access)))
            }
            Outcome::No(reason) if self.is_renewable(reason) => None,
            outcome => Some(Visit::of(self.verdict(outcome, access))),
        }
    }

    /// The answer, whatever it takes.
    pub(crate) async fn answer(&self, core: &Arc<Core>) -> Visit {
        let Some(access) = &self.access else {
            return match &self.refresh {
                Some(refresh) => self.renew_dead(core, refresh).await,
                None => Visit::of(Verdict::Nobody),
            };
        };
        let outcome = resolve(core, access, self.freshness, self.arrival).await;
        match (&outcome, &self.refresh) {
            (Outcome::Yes { .. }, _) => match self.wish(core, &outcome) {
                None => Visit::of(self.verdict(outcome, access)),
                Some(secret) => self.renew_living(core, secret, outcome, access).await,
            },
            (Outcome::No(reason), Some(refresh)) if self.is_renewable(*reason) => {
                self.renew_dead(core, refresh).await
            }
            _ => Visit::of(self.verdict(outcome, access)),
        }
    }

    /// Asks the same again, for a route that demands more than the app.
    pub(crate) fn again(identity: &Identity, freshness: Freshness, arrival: Now) -> Self {
        Self {
            access: Some(identity.credential().clone()),
            refresh: None,
            carrier: identity.carrier(),
            freshness,
            arrival,
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
        match renew::redeem(core, secret, Effort::Once).await {
            Renewed::Granted(granted) => {
                let cookies = renew::cookies(core, &granted, self.refresh.is_some());
                let fresh = renew::credential(&granted);
                let renewed = resolve(core, &fresh, self.freshness, core.clock.now()).await;
                // The browser must keep the successor in any case: its predecessor is spent.
                let verdict = match renewed {
                    Outcome::Unproved => self.verdict(outcome, access),
                    renewed => self.verdict(renewed, &fresh),
                };
                Visit { verdict, cookies }
            }
            Renewed::Invalid => self.signed_out(core),
            Renewed::Unavailable => Visit::of(self.verdict(outcome, access)),
        }
    }

    /// The credential is past its end or absent: without a renewal there is nothing.
    async fn renew_dead(&self, core: &Arc<Core>, refresh: &Secret) -> Visit {
        match renew::redeem(core, refresh, Effort::Patient).await {
            Renewed::Granted(granted) => {
                let cookies = renew::cookies(core, &granted, true);
                let fresh = renew::credential(&granted);
                let outcome = resolve(core, &fresh, self.freshness, core.clock.now()).await;
                Visit {
                    verdict: self.verdict(outcome, &fresh),
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

    /// Which secret to redeem for a living credential, if any. Bearers renew their tokens themselves.
    fn wish(&self, core: &Core, outcome: &Outcome) -> Option<&Secret> {
        let Outcome::Yes { facts, .. } = outcome else {
            return None;
        };
        if self.carrier == Carrier::Bearer {
            return None;
        }
        let wish = {
            let knowledge = core.knowledge();
            let wall = knowledge.wall(self.arrival);
            renew::wish(facts, knowledge.app()?, self.refresh.is_some(), wall)?
        };
        match wish {
            Wish::Refresh => self.refresh.as_ref(),
            Wish::Access => self.access.as_ref().map(|access| &access.secret),
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

    fn verdict(&self, outcome: Outcome, credential: &Credential) -> Verdict {
        match outcome {
            Outcome::Yes { facts, proof } => Verdict::Yes(Identity::new(
                facts,
                proof,
                self.carrier,
                credential.clone(),
            )),
            Outcome::No(reason) => refused(reason, self.carrier),
            Outcome::Unproved => Verdict::Unproved,
        }
    }
}

/// For the operator, not for the caller.
fn refused(reason: Reason, carrier: Carrier) -> Verdict {
    tracing::info!(reason = reason.code(), ?carrier, "a credential is refused");
    Verdict::Refused(reason)
}
