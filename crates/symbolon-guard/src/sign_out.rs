//! `POST /auth/sign-out`: ends the login, and says so only when the authority has it on disk.

use std::sync::Arc;

use axum::response::Response;
use http::{HeaderMap, StatusCode};
use symbolon_login::Freshness;

use crate::{
    authority::EndedLogin,
    backoff::Backoff,
    core::Core,
    credential::{Credential, Secret, Shown, shown},
    csrf,
    nodes::Unavailable,
    resolve::{Outcome, PATIENCE, resolve},
    response::{Asker, BAD_REQUEST, CROSS_SITE, GUARD_STALE, redirect},
};

/// Ends the login that the request shows, then forgets its cookies. When the authority cannot be reached
/// the cookies stay, so that trying again is possible: a sign-out that only clears cookies leaves every copy
/// of them good.
pub(crate) async fn sign_out(core: &Arc<Core>, asker: &Asker<'_>) -> Response {
    let origin = core.settings.public_origin.as_deref();
    if !csrf::is_same_origin(asker.headers, origin) {
        return CROSS_SITE.answer(asker);
    }
    let Ok(held) = Held::read(core, asker.headers) else {
        return BAD_REQUEST.answer(asker);
    };
    if let Err(unavailable) = end(core, &held).await {
        tracing::warn!(reason = %unavailable, "a sign-out could not be handed over: 503");
        return GUARD_STALE.answer(asker);
    }
    let names = &core.settings.cookies;
    let cookies = vec![names.clear_access(), names.clear_refresh()];
    redirect(StatusCode::SEE_OTHER, "/", cookies).unwrap_or_else(|| BAD_REQUEST.answer(asker))
}

/// What the browser holds.
struct Held {
    access: Option<Credential>,
    refresh: Option<Secret>,
}

impl Held {
    fn read(core: &Core, headers: &HeaderMap) -> Result<Self, crate::credential::Ambiguous> {
        let (access, refresh) = match shown(headers, &core.settings.cookies)? {
            Shown::Nothing => (None, None),
            Shown::Bearer(token) => (Some(token), None),
            Shown::Cookies { access, refresh } => (access, refresh),
        };
        Ok(Self {
            access: access
                .and_then(|text| Credential::read(text, &core.digests).ok())
                .filter(Credential::is_well_formed),
            refresh: refresh.map(|text| text.to_secret()),
        })
    }
}

async fn end(core: &Arc<Core>, held: &Held) -> Result<(), Unavailable> {
    let started = core.clock.moment();
    let mut backoff = Backoff::default();
    loop {
        let Err(unavailable) = end_once(core, held).await else {
            return Ok(());
        };
        let pause = backoff.next(core.clock.chance());
        if core.clock.moment().plus(pause).since(started) >= PATIENCE {
            return Err(unavailable);
        }
        // Ending twice is ending once: any failure may be tried again.
        tokio::time::sleep(pause).await;
    }
}

/// The whole login where the app may end it, else the app's share in it.
async fn end_once(core: &Arc<Core>, held: &Held) -> Result<(), Unavailable> {
    if let Some(access) = &held.access {
        // How fresh the yes is does not matter here: the authority judges it again.
        let outcome = resolve(core, access, Freshness::UntilExpiry, core.clock.now()).await;
        if let Outcome::Yes { seen, .. } = outcome {
            let (sid, secret) = (seen.facts.sid, access.secret());
            let ended = core.authority.end_login(sid, &secret).await?;
            if ended == EndedLogin::Done {
                return Ok(());
            }
        }
    }
    // The refresh token first: it outlives the access token, and revoking either ends the grant.
    if let Some(refresh) = &held.refresh {
        core.authority.revoke(refresh).await?;
    }
    match &held.access {
        Some(access) => core.authority.revoke(&access.secret()).await,
        None => Ok(()),
    }
}
