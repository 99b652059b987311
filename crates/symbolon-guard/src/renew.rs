//! Silent refresh, and the change of shape after an administrator flipped the app's dial: both are
//! one redemption of the line's current secret. Nobody signs in again for either.

use std::{sync::Arc, time::Duration};

use http::HeaderValue;
use symbolon_login::{ActiveCredential, AppSettings, Shape, UnixMillis};

use crate::{
    authority::{Granted, Redeemed},
    backoff::Backoff,
    core::Core,
    credential::{Credential, Secret},
    nodes::Unavailable,
    resolve::PATIENCE,
};

/// How long an invalid secret is refused again without a new question: it never becomes valid.
const INVALID_FOR: Duration = Duration::from_secs(30);

/// Which secret a living credential should be renewed with, now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Its refresh token: it is about to expire, or the app now wants a session.
    Refresh,
    /// The session secret itself: the app now wants tokens.
    Access,
}

/// What a redemption came to.
pub(crate) enum Renewed {
    /// A fresh credential.
    Granted(Box<Granted>),
    /// The secret is worth nothing any more: the person is signed out.
    Invalid,
    /// The authority did not say.
    Unavailable,
}

/// How much trouble a redemption is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// One try: the credential at hand is still good.
    Once,
    /// Until the authority is back, for a bounded time: there is nothing else to go on with.
    Patient,
}

/// Whether a living credential should be renewed. A token is renewed in the last tenth of its life, so
/// that a short outage of the authority finds it with time left.
pub(crate) fn wish(
    facts: &ActiveCredential,
    app: &AppSettings,
    has_refresh: bool,
    wall: UnixMillis,
) -> Option<Wish> {
    match (facts.shape, app.shape) {
        (Shape::Session, Shape::Session) => None,
        (Shape::Session, Shape::Jwt) => Some(Wish::Access),
        (Shape::Jwt, Shape::Session) => has_refresh.then_some(Wish::Refresh),
        (Shape::Jwt, Shape::Jwt) => {
            let life = facts.exp.saturating_sub(facts.iat);
            let left = facts.exp.saturating_sub(wall.as_secs());
            (has_refresh && left.saturating_mul(10) <= life).then_some(Wish::Refresh)
        }
    }
}

/// Redeems a secret of the line. One redemption at a time for each secret; those who come while it
/// runs, or within the grace after it, get the same answer.
pub(crate) async fn redeem(core: &Arc<Core>, secret: &Secret, effort: Effort) -> Renewed {
    let started = core.clock.moment();
    let grace = grace(core);
    let mut backoff = Backoff::default();
    let mut sent_at = None;
    loop {
        let attempt_at = core.clock.moment();
        match attempt(core, secret, grace).await {
            Ok(Redeemed::Granted(granted)) => {
                retire(core, secret, grace);
                return Renewed::Granted(Box::new(granted));
            }
            Ok(Redeemed::Invalid) => return Renewed::Invalid,
            Err(unavailable) => {
                tracing::debug!(reason = %unavailable, "a secret could not be redeemed");
                if !unavailable.not_done {
                    sent_at = sent_at.or(Some(attempt_at));
                }
            }
        }
        let pause = backoff.next(core.clock.chance());
        let then = core.clock.moment().plus(pause);
        // An attempt that may have arrived moved the line. Repeating it gets the same answer within the
        // grace, and ends the login after it: stay well inside.
        let repeatable = sent_at.is_none_or(|at| then.since(at) * 2 < grace);
        if effort == Effort::Once || then.since(started) >= PATIENCE || !repeatable {
            return Renewed::Unavailable;
        }
        tokio::time::sleep(pause).await;
    }
}

/// What the browser has to keep from now on. `had_refresh`: whether it holds a refresh token, which a
/// session does not have.
pub(crate) fn cookies(core: &Core, granted: &Granted, had_refresh: bool) -> Vec<HeaderValue> {
    let names = &core.settings.cookies;
    // Without an age a cookie goes with the browser: who did not ask to be remembered is not.
    let kept = |span: Option<Duration>| span.filter(|_| granted.remembered);
    let lasts = granted.expires_in.map(Duration::from_secs);
    let access = granted.access_token.expose();
    match granted.shape {
        Shape::Session => {
            // The authority decides when a session is over; each use moves its idle end, and the cookie
            // is not rewritten for that.
            let absolute = core.knowledge().app().map(|app| app.lifetimes.absolute());
            let mut cookies = vec![names.set_access(access, kept(lasts.max(absolute)))];
            if had_refresh {
                cookies.push(names.clear_refresh());
            }
            cookies
        }
        Shape::Jwt => {
            let mut cookies = vec![names.set_access(access, kept(lasts))];
            if let Some(refresh) = &granted.refresh_token {
                let lasts = granted.refresh_expires_in.map(Duration::from_secs);
                cookies.push(names.set_refresh(refresh.expose(), kept(lasts)));
            }
            cookies
        }
    }
}

/// The credential inside a fresh grant.
pub(crate) fn credential(core: &Core, granted: &Granted) -> Credential {
    let secret = granted.access_token.clone();
    Credential::of(granted.shape, secret, &core.digests)
}

async fn attempt(
    core: &Arc<Core>,
    secret: &Secret,
    grace: Duration,
) -> Result<Redeemed, Unavailable> {
    let question = || {
        let (core, secret) = (Arc::clone(core), secret.clone());
        async move { core.authority.redeem(&secret).await }
    };
    let keep = move |answer: &Result<Redeemed, Unavailable>| match answer {
        Ok(Redeemed::Granted(_)) => grace,
        Ok(Redeemed::Invalid) => INVALID_FOR,
        Err(_) => Duration::ZERO,
    };
    core.redemptions
        .join(secret.digest(&core.digests), question, keep)
        .await
        .unwrap_or_else(|| Err(Unavailable::died()))
}

/// How long the authority gives the same answer to the same secret.
fn grace(core: &Core) -> Duration {
    core.knowledge()
        .app()
        .map_or(Duration::ZERO, |app| app.lifetimes.grace())
}

/// A session secret that was replaced is good for the grace and no longer: forget that it was seen.
fn retire(core: &Core, secret: &Secret, grace: Duration) {
    if let Some(seen) = core.seen.get(&secret.digest(&core.digests)) {
        let now = core.clock.moment();
        let last = now.plus(grace);
        if last < seen.good_until {
            core.seen.insert(Arc::new(seen.ending(last)), now);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use symbolon_login::{Freshness, Lifetimes, Position, Sid, UserId};

    use super::*;

    const ISSUED: i64 = 1_800_000_000;

    fn app(shape: Shape) -> AppSettings {
        let secs = Duration::from_secs;
        AppSettings {
            client_id: "app".parse().unwrap(),
            shape,
            freshness: Freshness::DEFAULT,
            lifetimes: Lifetimes::new(secs(3600), secs(7200), secs(300), secs(10)).unwrap(),
        }
    }

    fn facts(shape: Shape) -> ActiveCredential {
        let at = UnixMillis::from_secs(ISSUED);
        ActiveCredential {
            sub: UserId::mint(at, [1; 10]),
            username: "alice".to_owned(),
            sid: Sid::mint(at, [2; 10]),
            client_id: "app".parse().unwrap(),
            rev: Position::START,
            as_of: None,
            kid: None,
            shape,
            iat: ISSUED,
            exp: ISSUED + 300,
            auth_time: ISSUED,
            amr: vec![],
            roles: vec![],
        }
    }

    #[test]
    fn a_credential_is_renewed_when_it_ages_or_the_dial_was_turned() {
        use Shape::{Jwt, Session};
        let table = [
            (Session, Session, true, 299, None),
            (Session, Jwt, false, 0, Some(Wish::Access)),
            (Jwt, Session, true, 0, Some(Wish::Refresh)),
            (Jwt, Session, false, 0, None),
            (Jwt, Jwt, true, 0, None),
            (Jwt, Jwt, true, 269, None),
            (Jwt, Jwt, true, 270, Some(Wish::Refresh)),
            (Jwt, Jwt, true, 400, Some(Wish::Refresh)),
            (Jwt, Jwt, false, 299, None),
        ];
        for (has, wants, refresh, age, expected) in table {
            let wall = UnixMillis::from_secs(ISSUED + age);
            assert_eq!(
                wish(&facts(has), &app(wants), refresh, wall),
                expected,
                "{has} {wants} {refresh} {age}"
            );
        }
    }
}
