//! For this project's own benchmarks and tests: a guard without an authority, filled to any size, and the
//! look at a request that [`GuardLayer`] takes. No part of the API.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, Method};
use symbolon_login::{
    ActiveCredential, AppSettings, Change, Freshness, Lifetimes, LogEntry, Position, Scope, Shape,
    Sid, Snapshot, UnixMillis, UserId,
};

use crate::{
    authority::Authority,
    check::Seen,
    clock::Clock,
    cookies::CookieNames,
    core::{Core, Settings},
    credential::{Credential, Shown, Text, shown},
    digest::Digests,
    fault::Faults,
    guard::Guard,
    layer::GuardLayer,
    resolve::{Outcome, resolve_now},
    transport::Http,
    visit::{Question, Verdict},
};

/// The app's name, and the name of its cookie without its prefix.
pub const APP: &str = "app";

const ISSUER: &str = "http://localhost:7300";

/// A guard that knows what it was told here, and asks nobody.
pub struct Stand(Arc<Core>);

impl Stand {
    /// Room for so many credentials.
    #[expect(clippy::unwrap_used, reason = "settings that are written here")]
    pub fn new(most_seen: usize) -> Self {
        let client_id: symbolon_login::ClientId = APP.parse().unwrap();
        let settings = Settings {
            cookies: CookieNames::new(&client_id, true),
            client_id: client_id.clone(),
            issuer: ISSUER.to_owned(),
            public_origin: None,
            // The longest: a benchmark takes a while.
            freshness: Some(Freshness::Within(Freshness::LONGEST)),
            on_refusal: None,
            most_seen,
            most_cut_offs: 4_000_000,
        };
        let nodes = vec![ISSUER.parse().unwrap()];
        let transport = Arc::new(Http::new().unwrap());
        let authority =
            Authority::new(nodes, transport, client_id.clone(), None, uuid::Uuid::nil());
        let core = Core::new(
            settings,
            authority,
            Clock::default(),
            Digests::secret().unwrap(),
            Faults::default(),
        );
        let second = Duration::from_secs;
        let snapshot = Snapshot {
            head: Position::START,
            issuer: ISSUER.to_owned(),
            complete_since: Some(Position::START),
            cut_offs: Vec::new(),
            keys: Vec::new(),
            apps: vec![AppSettings {
                client_id,
                shape: Shape::Session,
                freshness: Freshness::DEFAULT,
                lifetimes: Lifetimes::new(second(3600), second(7200), second(300), second(10))
                    .unwrap(),
            }],
        };
        let now = core.clock.moment();
        core.learn(|knowledge| knowledge.restore(&snapshot, now))
            .unwrap();
        let ticket = core.knowledge().ask(now).unwrap();
        let _ = core.learn(|knowledge| knowledge.answer(ticket, Position::START));
        Self(Arc::new(core))
    }

    /// What it knows, in front of routes: see [`Guard::layer`].
    pub fn layer(&self) -> GuardLayer {
        Guard::still(Arc::clone(&self.0)).layer()
    }

    /// Ends `count` more logins that no credential here is of, one entry of the log each.
    pub fn end_others(&self, count: u64) {
        self.learn((0..count).map(|n| {
            // Ids count from the top, those of credentials from zero.
            let next = self
                .0
                .knowledge()
                .applied()
                .unwrap_or(Position::START)
                .number()
                + n;
            let sid = Sid::from_bytes((u128::MAX - u128::from(next)).to_be_bytes());
            Change::CutOff {
                covers: Scope::Login { sid },
            }
        }));
    }

    fn learn(&self, changes: impl IntoIterator<Item = Change>) {
        let now = self.0.clock.moment();
        self.0.learn(|knowledge| {
            for change in changes {
                let position = knowledge.view().applied().unwrap_or(Position::START).next();
                knowledge.apply(&LogEntry { position, change }, now);
            }
        });
    }

    /// Takes this text for an authentic credential of the login `n`.
    #[expect(clippy::unwrap_used, reason = "names that are written here")]
    pub fn know(&self, shape: Shape, text: &str, n: u64) {
        let id = u128::from(n).to_be_bytes();
        let view = self.0.knowledge();
        let now = self.0.clock.now();
        let facts = ActiveCredential {
            sub: UserId::from_bytes(id),
            username: format!("user{n}"),
            sid: Sid::from_bytes(id),
            client_id: self.0.settings.client_id.clone(),
            rev: Position::START,
            as_of: None,
            kid: (shape == Shape::Jwt).then(|| "key".parse().unwrap()),
            shape,
            iat: now.wall.as_secs(),
            exp: now.wall.as_secs() + 36_000,
            auth_time: now.wall.as_secs(),
            amr: vec!["pwd".to_owned()],
            roles: vec!["user".parse().unwrap()],
        };
        let key = self.0.digests.of(text.as_bytes());
        let era = view.era(shape);
        let seen = Seen::establish(key, facts, None, era, now.moment, view.table());
        self.0.seen.insert(Arc::new(seen), now.moment);
    }

    /// Whether a request with these headers is somebody's, by what is known here.
    pub fn check(&self, headers: &HeaderMap) -> bool {
        let arrival = self.0.clock.now();
        let view = self.0.knowledge();
        let question = Question::read(&self.0, &view, &Method::GET, headers, None, arrival);
        let visit = question
            .continue_value()
            .and_then(|mut question| question.answer_now(&self.0, &view));
        matches!(visit, Some(visit) if matches!(visit.verdict, Verdict::Yes(_)))
    }

    /// What a request with these headers shows, found ahead.
    pub fn show(&self, headers: &HeaderMap) -> Option<Found> {
        match shown(headers, &self.0.settings.cookies).ok()? {
            Shown::Bearer(text) => Some(Found(text)),
            Shown::Cookies { access, .. } => access.map(Found),
            Shown::Nothing => None,
        }
    }

    /// The check alone, where the credential is at hand: clocks, digest, look-up, cut-offs, expiry, freshness.
    pub fn check_found(&self, found: &Found) -> bool {
        let arrival = self.0.clock.now();
        let view = self.0.knowledge();
        let freshness = self.0.freshness(&view, None);
        let outcome = Credential::read(found.0.clone(), &self.0.digests)
            .ok()
            .and_then(|found| resolve_now(&self.0, &view, &found, freshness, arrival));
        matches!(outcome, Some(Outcome::Yes { .. }))
    }

    /// How many cut-offs are known.
    pub fn cut_offs(&self) -> usize {
        self.0.knowledge().cut_offs()
    }

    /// Reads both clocks, as each check does.
    pub fn clocks(&self) -> UnixMillis {
        self.0.clock.now().wall
    }
}

/// A credential in a header.
pub struct Found(Text);

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Found").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Stand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stand").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::cast_precision_loss, reason = "tests")]

    use http::{HeaderValue, header};

    use super::*;
    use crate::{last_shown::LastShown, visit::Visit};

    #[test]
    fn a_credential_seen_before_is_checked_without_an_allocation() {
        let stand = Stand::new(100);
        stand.end_others(1_000);
        let session = format!("sym_s_{}", "A".repeat(91));
        let token = format!("{}.{}.{}", "a".repeat(80), "b".repeat(280), "c".repeat(86));
        stand.know(Shape::Session, &session, 1);
        stand.know(Shape::Jwt, &token, 2);
        for (name, value) in [
            (header::COOKIE, format!("a=b; __Host-{APP}={session}")),
            (header::AUTHORIZATION, format!("Bearer {token}")),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::try_from(value).unwrap());
            // The first clone of a header that was made from a text moves it behind a counter; a server's
            // headers are there from the start. The first look of a thread registers it.
            let _counted = headers.clone();
            assert!(stand.check(&headers));
            stand.end_others(1);
            let info = allocation_counter::measure(|| assert!(stand.check(&headers)));
            assert_eq!(info.count_total, 0);
        }
    }

    #[test]
    fn what_a_connection_shows_again_is_checked_without_an_allocation() {
        let stand = Stand::new(100);
        let session = format!("sym_s_{}", "A".repeat(91));
        stand.know(Shape::Session, &session, 1);
        let value = HeaderValue::try_from(format!("a=b; __Host-{APP}={session}")).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, value);
        let _counted = headers.clone();
        let (view, now) = (stand.0.knowledge(), stand.0.clock.now());
        let read = Question::read(&stand.0, &view, &Method::GET, &headers, None, now);
        let visit = read.continue_value().unwrap().answer_now(&stand.0, &view);
        let who = match visit.unwrap().verdict {
            Verdict::Yes(who) => Some(who),
            _ => None,
        };
        let who = who.unwrap();
        let (last, seen) = (LastShown::default(), who.seen());
        last.note(&headers, &who, false);
        let recall = || {
            let (view, now) = (stand.0.knowledge(), stand.0.clock.now());
            Visit::recalled(&stand.0, &view, &last, &Method::GET, &headers, None, now)
        };
        assert!(recall().is_some());
        stand.end_others(1);
        seen.forget_use();
        let info = allocation_counter::measure(|| assert!(recall().is_some()));
        assert_eq!(info.count_total, 0);
        // It counts as any other check, and the cache knows that it is in use.
        let counts = stand.0.checked.counts();
        assert_eq!((counts.checked, counts.cookies), (3, 3));
        assert!(seen.was_used());
    }

    /// Slack and spine included, at every size on the way: DESIGN section 8.
    #[test]
    fn a_cut_off_takes_at_most_40_bytes() {
        let stand = Stand::new(1);
        let (mut held, mut known) = (0, 0);
        while known < 60_000 {
            held += allocation_counter::measure(|| stand.end_others(500)).bytes_current;
            known += 500;
            assert_eq!(stand.cut_offs(), known);
            // Below, what does not grow with the number counts for more.
            if known >= 10_000 {
                assert!(held as f64 / known as f64 <= 40.0, "{held} for {known}");
            }
        }
    }
}
