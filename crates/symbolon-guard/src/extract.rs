//! Axum extractors: what a handler's signature says about who may call it.

use std::ops::Deref;

use axum::extract::{FromRequestParts, OptionalFromRequestParts, OriginalUri};
use http::request::Parts;
use symbolon_login::{Freshness, Ground};

use crate::{
    identity::Identity,
    layer::Resolved,
    refusal::Refusal,
    resolve::{Outcome, resolve},
    response::Asker,
    visit::Verdict,
};

impl<S: Send + Sync> FromRequestParts<S> for Identity {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let resolved = resolved(parts)?;
        match &resolved.verdict {
            Verdict::Yes(identity) => Ok(identity.clone()),
            verdict => Err(refusal(parts, resolved, verdict)),
        }
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Identity {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Refusal> {
        let resolved = resolved(parts)?;
        match &resolved.verdict {
            Verdict::Yes(identity) => Ok(Some(identity.clone())),
            Verdict::Nobody | Verdict::Refused(_) => Ok(None),
            // Not knowing is not the same as nobody: the page would tell people that they are signed out.
            Verdict::Unproved | Verdict::CrossSite | Verdict::Ambiguous => {
                Err(refusal(parts, resolved, &resolved.verdict))
            }
        }
    }
}

/// Somebody whose login the authority was asked about for this very request: nothing is fresher.
///
/// A handler that moves money says so in its signature, and no setting of the app or the layer can
/// make its answer any older:
///
/// ```
/// use symbolon_guard::{Identity, Live};
///
/// async fn transfer(who: Live<Identity>) -> String {
///     format!("sent by {}", who.username())
/// }
/// ```
///
/// Costs one question to the authority for each request; where it cannot be reached the answer is 503.
#[derive(Clone, Debug)]
pub struct Live<T>(pub T);

impl<T> Deref for Live<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Live<Identity> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let resolved = resolved(parts)?;
        let identity = match &resolved.verdict {
            // The layer was told to be live, and asked already.
            Verdict::Yes(identity) if identity.proof().ground == Ground::Authority => {
                return Ok(Self(identity.clone()));
            }
            Verdict::Yes(identity) => identity,
            verdict => return Err(refusal(parts, resolved, verdict)),
        };
        let core = &resolved.core;
        let arrival = core.clock.now();
        let asked = resolve(core, &identity.credential(), Freshness::Live, arrival).await;
        let verdict = match asked {
            Outcome::Yes { seen, proof } => {
                return Ok(Self(identity.proved_anew(seen, proof)));
            }
            Outcome::No(reason) => Verdict::Refused(reason),
            Outcome::Unproved => Verdict::Unproved,
        };
        Err(refusal(parts, resolved, &verdict))
    }
}

fn resolved(parts: &Parts) -> Result<&Resolved, Refusal> {
    parts
        .extensions
        .get::<Resolved>()
        .ok_or_else(Refusal::misconfigured)
}

fn refusal(parts: &Parts, resolved: &Resolved, verdict: &Verdict) -> Refusal {
    let uri = parts
        .extensions
        .get::<OriginalUri>()
        .map_or(&parts.uri, |original| &original.0);
    let asker = Asker {
        method: &parts.method,
        uri,
        headers: &parts.headers,
    };
    Refusal::of(verdict, &resolved.core, &asker).unwrap_or_else(Refusal::misconfigured)
}
