//! What every backend has to decide alike, as pure functions over the rules of `symbolon-login`.

use std::time::Duration;

use symbolon_authority::{
    App,
    ports::{AppChange, Presented},
};
use symbolon_login::{
    ClientId, Grant, Lifetimes, Line, Login, Redemption, Standing, UnixMillis, redeem, standing,
};

/// Uses of one grant that are closer together than this are one write.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// What the presentation of a secret does to its grant and login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Move the line to its successor.
    Rotate,
    /// Give the same answer again; nothing changes.
    Replay,
    /// Somebody kept a copy: end the login.
    EndLogin,
    /// Refuse: it is over.
    Ended,
    /// Refuse: not of this app, or not of this line.
    Unknown,
}

/// Judges a presented secret against its grant.
///
/// A reuse ends the login even when only the grant is over: a copied secret is proof of a theft
/// whatever became of the grant since (RFC 9700 section 4.14.2).
pub(crate) fn judge(
    login: &Login,
    grant: &Grant,
    presented: &Presented,
    client_id: &ClientId,
    lifetimes: &Lifetimes,
    now: UnixMillis,
) -> Verdict {
    if grant.client_id != *client_id {
        return Verdict::Unknown;
    }
    let redemption = redeem(
        &grant.line,
        presented.generation,
        &presented.digest,
        &presented.successor,
        now,
        lifetimes.grace(),
    );
    let alive = matches!(
        standing(login, grant, lifetimes, now),
        Standing::Alive { .. }
    );
    match redemption {
        Redemption::Reuse if stands(login, now) => Verdict::EndLogin,
        _ if !alive => Verdict::Ended,
        Redemption::Current => Verdict::Rotate,
        Redemption::Replay => Verdict::Replay,
        Redemption::Reuse => Verdict::Ended,
        Redemption::Foreign => Verdict::Unknown,
    }
}

/// Whether a login has neither ended nor expired.
pub(crate) fn stands(login: &Login, now: UnixMillis) -> bool {
    login.ended_at.is_none() && now < login.expires_at
}

/// Where a line stands after its secret was redeemed.
pub(crate) fn moved(presented: &Presented, now: UnixMillis) -> Line {
    Line {
        generation: presented.generation.saturating_add(1),
        digest: presented.successor,
        moved_at: now,
    }
}

/// The time of use after a use at `now` that was only seen: it moves at most once a minute, and
/// never for a grant or login that is over.
pub(crate) fn touched(login: &Login, grant: &Grant, now: UnixMillis) -> Option<UnixMillis> {
    (stands(login, now) && grant.ended_at.is_none() && now >= grant.used_at.plus(TOUCH_EVERY))
        .then_some(now)
}

/// The earliest use after one at `used_at` that is written.
pub(crate) fn next_touch(used_at: UnixMillis) -> UnixMillis {
    used_at.plus(TOUCH_EVERY)
}

/// Applies a change of settings.
pub(crate) fn change(app: &mut App, change: AppChange) {
    let AppChange {
        name,
        shape,
        freshness,
        lifetimes,
        redirect_uris,
        secret,
    } = change;
    let settings = &mut app.settings;
    settings.shape = shape.unwrap_or(settings.shape);
    settings.freshness = freshness.unwrap_or(settings.freshness);
    settings.lifetimes = lifetimes.unwrap_or(settings.lifetimes);
    if let Some(name) = name {
        app.name = name;
    }
    if let Some(uris) = redirect_uris {
        app.redirect_uris = uris;
    }
    app.secret = secret.or(app.secret);
}
