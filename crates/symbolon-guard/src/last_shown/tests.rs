#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::time::Duration;

use axum::{Router, body::Body, routing::get};
use http::{Method, Request, StatusCode};
use proptest::prelude::*;
use symbolon_login::{Freshness, Ground, Shape};
use tower::{Service, ServiceExt};

use super::*;
use crate::{
    Guard, GuardService, Proof,
    cache::SeenCache,
    check::tests::seen_of,
    clock::Moment,
    testing::{TestAuthority, TestLogin},
};

const SESSION: &str = "sym_s_0123456789";
const OTHER: &str = "sym_s_9876543210";

fn cookie(session: &str) -> String {
    format!("theme=dark; __Host-app={session}")
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

/// Notes what the last of these cookies or the only bearer shows.
fn note(last: &LastShown, headers: &HeaderMap, seen: &Arc<Seen>) {
    let bearer = headers.get(header::AUTHORIZATION).filter(|value| {
        let value = value.as_bytes();
        value.starts_with(b"Bearer ")
    });
    let (carrier, value) = match bearer {
        Some(value) => (Carrier::Bearer, value),
        None => (Carrier::Cookie, headers.get(header::COOKIE).unwrap()),
    };
    let from = memchr::memmem::find(value.as_bytes(), b"sym_").unwrap();
    let text = Held::Shown(Text::within(value, from, value.len()));
    let proof = Proof {
        ground: Ground::Local,
        staleness: Duration::ZERO,
    };
    let who = Identity::new(Arc::clone(seen), proof, carrier, text);
    last.note(headers, &who, true);
}

#[test]
fn what_is_shown_again_is_known_and_where_it_stands() {
    for (name, value, carrier) in [
        ("cookie", cookie(SESSION), Carrier::Cookie),
        (
            "authorization",
            format!("Bearer {SESSION}"),
            Carrier::Bearer,
        ),
    ] {
        let (last, seen) = (LastShown::default(), seen_of(SESSION));
        let shown = headers(&[(name, &value), ("accept", "*/*")]);
        assert!(last.recall(&shown).is_none());
        note(&last, &shown, &seen);
        for _ in 0..3 {
            let shown_again = last.recall(&shown).unwrap();
            assert!(Arc::ptr_eq(&shown_again.seen, &seen) && shown_again.has_refresh);
            assert_eq!(shown_again.carrier, carrier);
            assert_eq!(shown_again.text.expose(), SESSION);
        }
    }
}

#[test]
fn nothing_but_the_very_bytes_is_known() {
    let (last, seen) = (LastShown::default(), seen_of(SESSION));
    let same = cookie(SESSION);
    note(&last, &headers(&[("cookie", &same)]), &seen);
    let twice = format!("{same}; __Host-app={OTHER}");
    for other in [
        vec![],
        vec![("cookie", cookie(OTHER))],
        vec![("cookie", twice)],
        vec![("cookie", format!("{same} "))],
        vec![("cookie", same.get(1..).unwrap().to_owned())],
        // Each of these may say something else about who is calling.
        vec![("cookie", same.clone()), ("cookie", cookie(OTHER))],
        vec![("cookie", same.clone()), ("cookie", same.clone())],
        vec![
            ("cookie", same.clone()),
            ("authorization", format!("Bearer {OTHER}")),
        ],
        vec![
            ("cookie", same.clone()),
            ("authorization", "Basic eDp5".to_owned()),
        ],
        vec![("authorization", same.clone())],
    ] {
        let pairs: Vec<(&str, &str)> = other.iter().map(|(name, of)| (*name, &**of)).collect();
        assert!(last.recall(&headers(&pairs)).is_none(), "{pairs:?}");
    }
    assert!(last.recall(&headers(&[("cookie", &same)])).is_some());
}

#[test]
fn several_headers_and_long_ones_are_not_remembered() {
    let seen = seen_of(SESSION);
    let long = format!("{}; {}", "a".repeat(LONGEST), cookie(SESSION));
    for pairs in [
        vec![("cookie", cookie(SESSION)), ("cookie", "a=b".to_owned())],
        vec![("cookie", long)],
    ] {
        let last = LastShown::default();
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, of)| (*name, &**of)).collect();
        note(&last, &headers(&pairs), &seen);
        assert!(last.recall(&headers(&pairs)).is_none());
    }
}

#[test]
fn a_connection_of_many_people_is_not_remembered() {
    let last = LastShown::default();
    let people: Vec<(HeaderMap, Arc<Seen>)> = (0..20)
        .map(|n| {
            let session = format!("sym_s_{n}");
            (headers(&[("cookie", &cookie(&session))]), seen_of(&session))
        })
        .collect();
    // One who comes again now and then is enough.
    for (n, (shown, seen)) in people.iter().enumerate() {
        note(&last, shown, seen);
        assert!(n % 8 != 7 || last.recall(shown).is_some());
    }
    let last = LastShown::default();
    for (n, (shown, seen)) in people.iter().enumerate() {
        note(&last, shown, seen);
        assert_eq!(last.memory().unwrap().last.is_some(), n < 8);
    }
    for _ in 0..2 {
        let (shown, seen) = &people[0];
        note(&last, shown, seen);
        assert!(last.recall(shown).is_none());
    }
}

#[test]
fn one_person_with_other_cookies_each_time_stays_remembered() {
    let (last, seen) = (LastShown::default(), seen_of(SESSION));
    let value = |n| format!("counter={n}; {}", cookie(SESSION));
    for n in 0..20 {
        note(&last, &headers(&[("cookie", &value(n))]), &seen);
        assert!(
            last.recall(&headers(&[("cookie", &value(n + 1))]))
                .is_none()
        );
    }
    assert!(last.recall(&headers(&[("cookie", &value(19))])).is_some());
    // Nor do those count that are read anew each time.
    for _ in 0..20 {
        let twice = headers(&[("cookie", &value(1)), ("cookie", "a=b")]);
        note(&last, &twice, &seen);
        assert!(last.recall(&twice).is_none());
    }
    note(&last, &headers(&[("cookie", &value(2))]), &seen);
    assert!(last.recall(&headers(&[("cookie", &value(2))])).is_some());
}

/// The authority said that a session is over, or something newer about it: what a connection holds is not the
/// last word any more.
#[test]
fn what_the_cache_let_go_of_is_looked_up_again() {
    let (start, shown) = (Moment::default(), headers(&[("cookie", &cookie(SESSION))]));
    let lets_go: [fn(&SeenCache, &Seen); 2] = [
        |cache, seen| cache.remove(&seen.key),
        |cache, seen| cache.insert(Arc::new(seen.ending(Moment::default())), Moment::default()),
    ];
    for let_go in lets_go {
        let (cache, last) = (SeenCache::new(1), LastShown::default());
        let seen = seen_of(SESSION);
        cache.insert(Arc::clone(&seen), start);
        note(&last, &shown, &seen);
        assert!(last.recall(&shown).is_some());
        let_go(&cache, &seen);
        assert!(last.recall(&shown).is_none());
    }
    // Others may push it out.
    let (cache, last) = (SeenCache::new(1), LastShown::default());
    let seen = seen_of(SESSION);
    cache.insert(Arc::clone(&seen), start);
    note(&last, &shown, &seen);
    for n in 0..20 {
        cache.insert(seen_of(&n.to_string()), start);
    }
    assert!(cache.get(&seen.key).is_none() && last.recall(&shown).is_none());
}

/// What happens between and in requests.
#[derive(Clone, Debug)]
enum Step {
    Ask {
        who: usize,
        path: &'static str,
        method: Method,
        site: &'static str,
        bearer: bool,
    },
    Pass(u64),
    End(usize),
    EndAllOf(usize),
    Flip(Shape),
    GoAway,
    ComeBack,
}

fn step() -> impl Strategy<Value = Step> {
    let path = prop_oneof![4 => Just("/"), 1 => Just("/second"), 1 => Just("/live")];
    let method = prop_oneof![4 => Just(Method::GET), 1 => Just(Method::POST)];
    let site = prop_oneof![3 => Just("same-origin"), 1 => Just("cross-site")];
    let ask = (0..3_usize, path, method, site, prop::bool::weighted(0.2)).prop_map(
        |(who, path, method, site, bearer)| Step::Ask {
            who,
            path,
            method,
            site,
            bearer,
        },
    );
    let seconds = prop::sample::select(vec![1, 5, 9, 11, 60, 275, 310, 3_700]);
    let shape = prop_oneof![Just(Shape::Session), Just(Shape::Jwt)];
    prop_oneof![
        30 => ask,
        4 => seconds.prop_map(Step::Pass),
        1 => (0..3_usize).prop_map(Step::End),
        1 => (0..3_usize).prop_map(Step::EndAllOf),
        1 => shape.prop_map(Step::Flip),
        1 => Just(Step::GoAway),
        2 => Just(Step::ComeBack),
    ]
}

/// Connections to one app.
struct App {
    guard: Guard,
    routes: Router,
}

impl App {
    fn of(guard: Guard) -> Self {
        let who = async |who: Identity| {
            let (sid, carrier, shape) = (who.sid(), who.carrier(), who.shape());
            let text = who.expose_credential();
            format!("{sid} {carrier:?} {shape:?} {:?} {text}", who.roles())
        };
        let within = |freshness| {
            let route = get(who).post(who);
            route.layer(guard.layer().freshness(freshness))
        };
        let routes = Router::new()
            .route("/", get(who).post(who))
            .route("/second", within(Freshness::Within(Duration::from_secs(1))))
            .route("/live", within(Freshness::Live));
        Self { guard, routes }
    }

    async fn connection(&self) -> GuardService<Router> {
        let mut app = self.guard.layer().around(self.routes.clone());
        Service::<()>::call(&mut app, ()).await.unwrap()
    }
}

/// Status, headers with the cookies to keep, and text.
async fn ask(
    on: &GuardService<Router>,
    step: &Step,
    who: &TestLogin,
) -> (StatusCode, HeaderMap, String) {
    let Step::Ask {
        path,
        method,
        site,
        bearer,
        ..
    } = step
    else {
        return Default::default();
    };
    let request = Request::builder()
        .method(method)
        .uri(*path)
        .header("sec-fetch-site", *site);
    let request = if *bearer {
        request.header("authorization", who.bearer())
    } else {
        request.header("cookie", who.cookie())
    };
    let request = request.body(Body::empty()).unwrap();
    let response = on.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 4096).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    (parts.status, parts.headers, text)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    /// Requests on connections that remember are answered as they would be on new ones.
    #[test]
    fn a_connection_changes_no_answer(
        steps in prop::collection::vec(step(), 1..80),
        shape in prop_oneof![Just(Shape::Session), Just(Shape::Jwt)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let authority = TestAuthority::start(shape, Freshness::Within(Duration::from_secs(10)));
            let app = App::of(authority.guard().await);
            let names = ["alice", "bob", "alice"];
            let mut people = names.map(|name| authority.sign_in(name, &[name]));
            // Two people on one connection; one of them has a second login on another.
            let connections = [app.connection().await, app.connection().await];
            let mut is_away = false;
            for step in steps {
                match &step {
                    Step::Pass(seconds) => authority.pass(Duration::from_secs(*seconds)).await,
                    Step::End(who) => authority.end(&people[*who]).await,
                    Step::EndAllOf(who) => authority.end_all_of(names[*who]).await,
                    Step::Flip(shape) => authority.flip(*shape).await,
                    Step::GoAway => {
                        authority.go_away();
                        is_away = true;
                    }
                    Step::ComeBack => {
                        authority.come_back().await;
                        is_away = false;
                    }
                    Step::Ask { who, .. } => {
                        let new = ask(&app.connection().await, &step, &people[*who]).await;
                        let old = ask(&connections[who / 2], &step, &people[*who]).await;
                        // While the authority is away a question takes time, so the second may come too late.
                        if !is_away || old.0 == StatusCode::OK {
                            prop_assert_eq!(new.0, old.0);
                            prop_assert_eq!(&new.1, &old.1);
                            prop_assert!(new.2 == old.2);
                        }
                        people[*who].keep(&new.1);
                    }
                }
            }
            Ok(())
        })?;
    }
}
