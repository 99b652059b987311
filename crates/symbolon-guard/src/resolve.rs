//! From a credential to a verdict: what is known here if that suffices, else the authority.

use std::{sync::Arc, time::Duration};

use symbolon_login::{Freshness, Introspection, Shape};

use crate::{
    backoff::Backoff,
    check::{Judgement, Proof, Reason, Seen, judge, judge_answer},
    clock::{Moment, Now},
    core::Core,
    credential::Credential,
    view::View,
};

/// How long a request waits for the feed when its credential is ahead of the guard.
const CATCH_UP: Duration = Duration::from_secs(1);

/// How long a request waits for an authority that cannot be reached: a quick restart refuses nobody.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// How long a refused session is refused again without a new question.
const REFUSED_FOR: Duration = Duration::from_secs(1);

/// What became of one credential.
#[derive(Clone)]
pub(crate) enum Outcome {
    /// Good.
    Yes {
        /// What it proves.
        seen: Arc<Seen>,
        /// What the yes rests on.
        proof: Proof,
    },
    /// Refused.
    No(Reason),
    /// Nobody can say: 503.
    Unproved,
}

/// The verdict that needs no waiting, if there is one.
pub(crate) fn resolve_now(
    core: &Core,
    view: &View,
    credential: &Credential,
    freshness: Freshness,
    now: Now,
) -> Option<Outcome> {
    let known = core.seen.get(&credential.key).filter(|seen| {
        // A token of an earlier era is checked again here; only for a session nothing else is left than
        // to ask.
        credential.shape == Shape::Session || seen.era == view.era(Shape::Jwt)
    });
    let seen = match known {
        Some(seen) => seen,
        None if !credential.is_well_formed() => return Some(Outcome::No(Reason::Malformed)),
        None if credential.shape == Shape::Jwt => match verify(core, view, credential, now) {
            Ok(seen) => seen,
            // Keys are known ahead of use: the guard may be behind.
            Err(Reason::UnknownKey) => return None,
            Err(reason) => return Some(Outcome::No(reason)),
        },
        None => {
            let until = core.refused.get(&credential.key)?;
            return (until > now.moment).then_some(Outcome::No(Reason::Inactive));
        }
    };
    match judge(&seen, freshness, view, now) {
        Judgement::Yes(proof) => Some(Outcome::Yes { seen, proof }),
        Judgement::No(reason) => Some(Outcome::No(reason)),
        Judgement::CatchUp | Judgement::Ask => None,
    }
}

/// The verdict, whatever it takes: a bounded wait for the feed, a question to the authority, and
/// a bounded wait for an authority that is away.
pub(crate) async fn resolve(
    core: &Arc<Core>,
    credential: &Credential,
    freshness: Freshness,
    arrival: Now,
) -> Outcome {
    let deadline = arrival.moment.plus(PATIENCE);
    let mut backoff = Backoff::default();
    let mut caught_up = false;
    loop {
        let now = core.clock.now();
        let known = resolve_now(core, &core.knowledge(), credential, freshness, now);
        if let Some(outcome) = known {
            return outcome;
        }
        if !caught_up && is_behind(core, credential) {
            caught_up = true;
            let current = core.catch_up(arrival.moment, CATCH_UP).await;
            if current && is_unknown_key(core, credential) {
                // Everything acknowledged before the request came is known here, and so every key that
                // could have signed before: made-up key ids cost the authority nothing.
                return Outcome::No(Reason::UnknownKey);
            }
            continue;
        }
        // Those who may share an answer do; `live` asks for itself, after it arrived.
        let asked = match freshness {
            Freshness::Live => core.ask(credential).await,
            _ => core.ask_shared(credential).await,
        };
        match asked.answer {
            Ok(Introspection::Active(facts)) => {
                let own = asked.at >= arrival.moment;
                let seen = Seen::establish(
                    credential.key,
                    *facts,
                    Some(asked.at),
                    asked.era,
                    asked.at,
                    core.knowledge().table(),
                );
                let outcome = answered(core, credential, seen, asked.at, own, freshness);
                if let Some(outcome) = outcome {
                    return outcome;
                }
                // Somebody else's question, asked before this request came, or one that took longer than
                // the bound: judged as what is known.
                if core.clock.moment() >= deadline {
                    tracing::warn!("the authority answers too slowly for the bound: 503");
                    return Outcome::Unproved;
                }
            }
            Ok(Introspection::Inactive) => {
                core.seen.remove(&credential.key);
                let until = core.clock.moment().plus(REFUSED_FOR);
                core.refused.insert(credential.key, until);
                return Outcome::No(Reason::Inactive);
            }
            Err(unavailable) => {
                let now = core.clock.moment();
                let pause = backoff.next(core.clock.chance());
                if now.plus(pause) >= deadline {
                    tracing::warn!(reason = %unavailable, "no proof that a credential is good: 503");
                    return Outcome::Unproved;
                }
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// Checks a JWT by the keys known here and remembers what it proves.
fn verify(
    core: &Core,
    view: &View,
    credential: &Credential,
    now: Now,
) -> Result<Arc<Seen>, Reason> {
    let settings = &core.settings;
    let facts = view.keys().verify(
        credential.expose(),
        &settings.issuer,
        &settings.client_id,
        view.wall(now),
    )?;
    let era = view.era(Shape::Jwt);
    let (key, table) = (credential.key, view.table());
    let seen = Seen::establish(key, facts, None, era, now.moment, table);
    let seen = Arc::new(seen);
    core.seen.insert(Arc::clone(&seen), now.moment);
    Ok(seen)
}

/// Whether waiting for the feed may help: the token states a position or a key that is not here yet.
fn is_behind(core: &Core, credential: &Credential) -> bool {
    match core.seen.get(&credential.key) {
        Some(seen) => core
            .knowledge()
            .applied()
            .is_none_or(|applied| seen.facts.rev > applied),
        None => is_unknown_key(core, credential),
    }
}

fn is_unknown_key(core: &Core, credential: &Credential) -> bool {
    credential.shape == Shape::Jwt
        && matches!(
            verify(core, &core.knowledge(), credential, core.clock.now()),
            Err(Reason::UnknownKey)
        )
}

/// Remembers the authority's yes and judges it. None when it was asked for somebody else, before
/// this request came, or is older than the bound: then it counts as old as it is.
fn answered(
    core: &Core,
    credential: &Credential,
    seen: Seen,
    asked_at: Moment,
    own: bool,
    freshness: Freshness,
) -> Option<Outcome> {
    if seen.facts.client_id != core.settings.client_id {
        return Some(Outcome::No(Reason::OtherApp));
    }
    if seen.facts.shape != credential.shape {
        return Some(Outcome::No(Reason::WrongKind));
    }
    let seen = Arc::new(seen);
    core.seen.insert(Arc::clone(&seen), core.clock.moment());
    if !own {
        return None;
    }
    let now = core.clock.now();
    match judge_answer(&seen, asked_at, freshness, &core.knowledge(), now) {
        Judgement::Yes(proof) => Some(Outcome::Yes { seen, proof }),
        Judgement::No(reason) => Some(Outcome::No(reason)),
        Judgement::CatchUp | Judgement::Ask => None,
    }
}
