//! The decision: what does a credential deserve, given what the guard knows now? Pure.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use symbolon_login::{ActiveCredential, Freshness, Ground, Lifetimes, Position, Shape};

use crate::{
    clock::{Moment, Now},
    cut_offs::{CutOffTable, Killed, Scopes},
    digest::CacheKey,
    view::View,
};

/// Why a request was refused: for the operator's log, metrics and the app's own code, never for
/// the caller. Found in the extensions of a response that refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Nothing was shown.
    NotSignedIn,
    /// Neither a session secret nor a compact JWS.
    Malformed,
    /// A refresh token, which proves nothing to an app.
    RefreshToken,
    /// No trusted key made it.
    Forged,
    /// A key that the authority does not have.
    UnknownKey,
    /// Authentic, but for someone else or not an access token.
    WrongKind,
    /// Given to another app.
    OtherApp,
    /// Past its own end.
    Expired,
    /// A cut-off kills it.
    Ended,
    /// Its signing key was cut off; the login may live on.
    KeyEnded,
    /// The authority says no.
    Inactive,
    /// It could not be proved in time, and the authority could not be asked: 503.
    Unproved,
    /// An unsafe request with cookies that the app's own pages did not send.
    CrossSite,
    /// The request says two things at once about who is calling.
    Ambiguous,
    /// Signed in, without the role that the route demands.
    RoleMissing,
    /// Signed in, longer ago than the route allows.
    LoginTooOld,
}

impl Reason {
    /// A stable name for logs and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotSignedIn => "not-signed-in",
            Self::Malformed => "malformed",
            Self::RefreshToken => "refresh-token",
            Self::Forged => "forged",
            Self::UnknownKey => "unknown-key",
            Self::WrongKind => "wrong-kind",
            Self::OtherApp => "other-app",
            Self::Expired => "expired",
            Self::Ended => "ended",
            Self::KeyEnded => "key-ended",
            Self::Inactive => "inactive",
            Self::Unproved => "unproved",
            Self::CrossSite => "cross-site",
            Self::Ambiguous => "ambiguous",
            Self::RoleMissing => "role-missing",
            Self::LoginTooOld => "login-too-old",
        }
    }
}

/// What a yes rested on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// What the guard knew, or what the authority said when asked for this request.
    pub ground: Ground,
    /// How old the yes can be: a login ended longer ago than this would have been refused.
    pub staleness: Duration,
}

/// A credential that was found authentic once.
///
/// In this order, so that a check reads two cache lines of it and not the facts behind them.
#[repr(C)]
pub(crate) struct Seen {
    /// The digest of its text.
    pub(crate) key: CacheKey,
    /// Of the facts: the log position at which the grant was created.
    rev: Position,
    /// Of the facts: its own end, in seconds.
    exp: i64,
    /// From here on it has to be established anew.
    pub(crate) good_until: Moment,
    /// The knowledge's era when it was established.
    pub(crate) era: u64,
    /// The version of the knowledge in which it was last found alive: nothing is looked up again
    /// until there is another cut-off.
    alive_in: AtomicU64,
    shape: Shape,
    /// Whether it was asked for since the cache last looked for room.
    is_used: AtomicBool,
    /// Whether the cache holds something newer in its place, or nothing.
    is_superseded: AtomicBool,
    /// The moment *before* the authority was last asked about it; none when only its signature spoke.
    vouched_at: Option<Moment>,
    scopes: Scopes,
    /// What it proves.
    pub(crate) facts: ActiveCredential,
}

/// What the cut-offs that are known here say of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// No cut-off kills it.
    Alive,
    /// None that is known kills it, and one may that is not known here.
    Unsure,
    /// One kills it.
    Dead(Reason),
}

/// What follows for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// Good, and proved fresh enough.
    Yes(Proof),
    /// Refused.
    No(Reason),
    /// The guard is behind what the credential states: catch up first, then judge again.
    CatchUp,
    /// Only the authority can say.
    Ask,
}

impl Seen {
    /// Takes over what was established at `now`. No verdict outlives the longest access token,
    /// because guards forget cut-offs after that.
    pub(crate) fn establish(
        key: CacheKey,
        facts: ActiveCredential,
        vouched_at: Option<Moment>,
        era: u64,
        now: Moment,
        table: &CutOffTable,
    ) -> Self {
        Self {
            key,
            rev: facts.rev,
            exp: facts.exp,
            good_until: now.plus(Lifetimes::LONGEST_ACCESS_TOKEN),
            era,
            alive_in: AtomicU64::new(0),
            shape: facts.shape,
            is_used: AtomicBool::new(false),
            is_superseded: AtomicBool::new(false),
            vouched_at,
            scopes: table.scopes(&facts.subject()),
            facts,
        }
    }

    /// The same, to be established anew from `end` on.
    pub(crate) fn ending(&self, end: Moment) -> Self {
        Self {
            key: self.key,
            rev: self.rev,
            exp: self.exp,
            good_until: end,
            era: self.era,
            alive_in: AtomicU64::new(self.alive_in.load(Ordering::Relaxed)),
            shape: self.shape,
            is_used: AtomicBool::new(true),
            is_superseded: AtomicBool::new(false),
            vouched_at: self.vouched_at,
            scopes: self.scopes,
            facts: self.facts.clone(),
        }
    }

    /// Whether a cut-off kills it, as far as `view` knows.
    pub(crate) fn known(&self, view: &View) -> Known {
        // Every cut-off up to that version was in the table when it was looked up, or too old to matter. That some
        // are forgotten since changes nothing about it.
        let alive_in = self.alive_in.load(Ordering::Relaxed);
        if alive_in == view.version() {
            return Known::Alive;
        }
        if view.spares(&self.scopes, alive_in) {
            // Nothing that came since concerns it.
            self.alive_in.store(view.version(), Ordering::Relaxed);
            return Known::Alive;
        }
        match view.table().kills(&self.scopes, self.rev) {
            Some(Killed::Login) => Known::Dead(Reason::Ended),
            Some(Killed::Key) => Known::Dead(Reason::KeyEnded),
            None if view.misses_any_after(self.facts.as_of()) => Known::Unsure,
            None => {
                self.alive_in.store(view.version(), Ordering::Relaxed);
                Known::Alive
            }
        }
    }

    /// Whether the authority was asked about it no longer ago than that.
    pub(crate) fn is_vouched_within(&self, span: Duration, now: Moment) -> bool {
        self.vouched_at.is_some_and(|at| now.since(at) <= span)
    }

    /// Notes that somebody asked for it: written once, so that readers do not take the line from
    /// each other.
    pub(crate) fn note_use(&self) {
        if !self.was_used() {
            self.is_used.store(true, Ordering::Relaxed);
        }
    }

    /// Whether somebody asked for it since [`Seen::forget_use`].
    pub(crate) fn was_used(&self) -> bool {
        self.is_used.load(Ordering::Relaxed)
    }

    /// The cache let go of it: whoever still holds it has to look there again.
    pub(crate) fn supersede(&self) {
        self.is_superseded.store(true, Ordering::Release);
    }

    /// Whether the cache let go of it.
    pub(crate) fn is_superseded(&self) -> bool {
        self.is_superseded.load(Ordering::Acquire)
    }

    /// From now on nobody has asked for it.
    pub(crate) fn forget_use(&self) {
        self.is_used.store(false, Ordering::Relaxed);
    }
}

/// Judges a credential that is authentic, for a request that may be answered `freshness` old.
pub(crate) fn judge(seen: &Seen, freshness: Freshness, view: &View, now: Now) -> Judgement {
    let is_sure = match seen.known(view) {
        Known::Alive => true,
        Known::Unsure => false,
        Known::Dead(reason) => return Judgement::No(reason),
    };
    let over = seen.exp <= view.wall(now).as_secs();
    if over && seen.shape == Shape::Jwt {
        return Judgement::No(Reason::Expired);
    }
    // A session's `exp` says until when the authority's answer may be repeated, not when it ends.
    if over || seen.good_until <= now.moment || seen.era != view.era(seen.shape) {
        return Judgement::Ask;
    }
    let vouched = seen.vouched_at.map(|moment| now.moment.since(moment));
    // A credential ahead of the guard is not a lie, but the guard's own knowledge says nothing about it.
    let behind = view.applied().is_none_or(|at| seen.rev > at);
    let known = view
        .proves(now.moment)
        .filter(|_| is_sure && (!behind || freshness == Freshness::UntilExpiry))
        .into_iter()
        .chain(vouched)
        .min();
    match (freshness.ground(known), known) {
        (Ground::Local, Some(staleness)) => Judgement::Yes(Proof {
            ground: Ground::Local,
            staleness,
        }),
        _ if behind && freshness != Freshness::Live => Judgement::CatchUp,
        _ => Judgement::Ask,
    }
}

/// Judges what the authority just answered about a question asked at `asked_at`, no earlier than
/// the request arrived: for a live route fresh by construction. Cut-offs that arrived meanwhile
/// still count. An answer that was under way for longer than the bound is older than the bound: it may have
/// been read before an end that was acknowledged since.
pub(crate) fn judge_answer(
    seen: &Seen,
    asked_at: Moment,
    freshness: Freshness,
    view: &View,
    now: Now,
) -> Judgement {
    if let Known::Dead(reason) = seen.known(view) {
        return Judgement::No(reason);
    }
    // Of a session it says until when this answer may be repeated, as in `judge`: a guard whose clock is
    // ahead repeats no answer, but it throws nobody out.
    if seen.shape == Shape::Jwt && seen.exp <= view.wall(now).as_secs() {
        return Judgement::No(Reason::Expired);
    }
    let staleness = now.moment.since(asked_at);
    if matches!(freshness, Freshness::Within(bound) if staleness > bound) {
        return Judgement::Ask;
    }
    Judgement::Yes(Proof {
        ground: Ground::Authority,
        staleness,
    })
}

#[cfg(test)]
pub(crate) mod tests;
