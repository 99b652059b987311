//! Axum extractors: what a handler's signature says about who may call it.

use axum::extract::{FromRequestParts, OptionalFromRequestParts, OriginalUri};
use http::request::Parts;

use crate::{
    identity::Identity,
    layer::Resolved,
    response::{Asker, Refusal},
    visit::Verdict,
};

impl<S: Send + Sync> FromRequestParts<S> for Identity {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let resolved = resolved(parts)?;
        match &resolved.verdict {
            Verdict::Yes(identity) => Ok(identity.clone()),
            _ => Err(refusal(parts, resolved)),
        }
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Identity {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Refusal> {
        let resolved = resolved(parts)?;
        match &resolved.verdict {
            Verdict::Yes(identity) => Ok(Some(identity.clone())),
            Verdict::Nobody | Verdict::Refused => Ok(None),
            // Not knowing is not the same as nobody: the page would tell people that they are signed out.
            Verdict::Unproved | Verdict::CrossSite | Verdict::Ambiguous => {
                Err(refusal(parts, resolved))
            }
        }
    }
}

fn resolved(parts: &Parts) -> Result<&Resolved, Refusal> {
    parts
        .extensions
        .get::<Resolved>()
        .ok_or_else(Refusal::misconfigured)
}

fn refusal(parts: &Parts, resolved: &Resolved) -> Refusal {
    let uri = parts
        .extensions
        .get::<OriginalUri>()
        .map_or(&parts.uri, |original| &original.0);
    let asker = Asker {
        method: &parts.method,
        uri,
        headers: &parts.headers,
    };
    Refusal::of(&resolved.verdict, &resolved.core, &asker).unwrap_or_else(Refusal::misconfigured)
}
