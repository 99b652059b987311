#![expect(clippy::unwrap_used, reason = "tests")]

use axum::{
    Router,
    body::Body,
    response::Response,
    routing::{get, post},
};
use http::{Request, StatusCode};
use tower::ServiceExt;

use super::*;

const BOUND: Duration = Duration::from_secs(10);

struct App(Router);

impl App {
    fn of(guard: &Guard) -> Self {
        let who = |who: Identity| async move {
            format!("{} {:?} {:?}", who.username(), who.shape(), who.roles())
        };
        let router = Router::new()
            .route("/", get(who))
            .route("/live", get(async |_: crate::Live<Identity>| "live"))
            .route(
                "/admin",
                get(async || "in").layer(guard.require_role("admin")),
            )
            .route("/post", post(async |_: Identity| "done"))
            .layer(guard.layer());
        Self(router)
    }

    async fn call(&self, request: http::request::Builder) -> Response {
        let request = request.body(Body::empty()).unwrap();
        self.0.clone().oneshot(request).await.unwrap()
    }

    async fn visit(&self, path: &str, who: &TestLogin) -> StatusCode {
        let request = Request::get(path).header("cookie", who.cookie());
        self.call(request).await.status()
    }

    async fn bearer(&self, path: &str, who: &TestLogin) -> StatusCode {
        let request = Request::get(path).header("authorization", who.bearer());
        self.call(request).await.status()
    }
}

async fn text(response: Response) -> String {
    let body = axum::body::to_bytes(response.into_body(), 4096).await;
    String::from_utf8(body.unwrap().to_vec()).unwrap()
}

async fn each_shape() -> [(Shape, TestAuthority, App); 2] {
    let set_up = async |shape| {
        let authority = TestAuthority::start(shape, Freshness::Within(BOUND));
        let app = App::of(&authority.guard().await);
        (shape, authority, app)
    };
    [set_up(Shape::Session).await, set_up(Shape::Jwt).await]
}

#[tokio::test]
async fn people_of_a_test_are_signed_in_with_their_roles_in_both_shapes() {
    for (shape, authority, app) in each_shape().await {
        let (alice, bob) = (
            authority.sign_in("alice", &["admin"]),
            authority.sign_in("bob", &[]),
        );
        for (who, status) in [(&alice, StatusCode::OK), (&bob, StatusCode::FORBIDDEN)] {
            assert_eq!(app.visit("/", who).await, StatusCode::OK);
            assert_eq!(app.bearer("/live", who).await, StatusCode::OK);
            assert_eq!(app.visit("/admin", who).await, status);
        }
        let seen = app
            .call(Request::get("/").header("cookie", alice.cookie()))
            .await;
        assert_eq!(
            text(seen).await,
            format!("alice {shape:?} [Role(\"admin\")]")
        );
        // The same name is the same person, on another device.
        let again = authority.sign_in("alice", &[]);
        assert_eq!(again.user(), alice.user());
        assert_ne!(again.sid(), alice.sid());
        // Unsafe methods are held to the same as in production.
        let unsafe_one = Request::post("/post").header("cookie", alice.cookie());
        assert_eq!(app.call(unsafe_one).await.status(), StatusCode::FORBIDDEN);
        let own = Request::post("/post")
            .header("cookie", alice.cookie())
            .header("sec-fetch-site", "same-origin");
        assert_eq!(app.call(own).await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn what_a_test_ends_is_refused_at_once_and_nothing_else() {
    for (_, authority, app) in each_shape().await {
        let people = ["alice", "alice", "bob", "carol"].map(|name| authority.sign_in(name, &[]));
        let [first, second, bob, carol] = &people;
        let all = async || {
            let mut statuses = Vec::new();
            for who in &people {
                statuses.push(app.visit("/", who).await.as_u16());
            }
            statuses
        };
        assert_eq!(all().await, [200, 200, 200, 200]);
        authority.end(first).await;
        assert_eq!(all().await, [401, 200, 200, 200]);
        authority.end_all_of("alice").await;
        assert_eq!(all().await, [401, 401, 200, 200]);
        authority.end_everything().await;
        assert_eq!(all().await, [401, 401, 401, 401]);
        for who in [second, bob, carol] {
            assert_eq!(app.bearer("/", who).await, StatusCode::UNAUTHORIZED);
        }
        // Who signs in afterwards is in.
        let later = authority.sign_in("alice", &[]);
        assert_eq!(app.visit("/", &later).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_guard_without_its_authority_carries_on_for_its_bound_and_is_stale_after_it() {
    for (_, authority, app) in each_shape().await {
        let (alice, bob) = (
            authority.sign_in("alice", &[]),
            authority.sign_in("bob", &[]),
        );
        assert_eq!(app.visit("/", &alice).await, StatusCode::OK);
        authority.go_away();
        // Nobody can hear of it now.
        authority.end(&alice).await;
        authority.pass(Duration::from_secs(9)).await;
        assert_eq!(app.visit("/", &alice).await, StatusCode::OK);
        authority.pass(Duration::from_secs(2)).await;
        assert_eq!(
            app.visit("/", &alice).await,
            StatusCode::SERVICE_UNAVAILABLE
        );
        assert_eq!(
            app.visit("/live", &bob).await,
            StatusCode::SERVICE_UNAVAILABLE
        );
        authority.come_back().await;
        assert_eq!(app.visit("/", &alice).await, StatusCode::UNAUTHORIZED);
        assert_eq!(app.visit("/live", &bob).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn time_that_passes_in_touch_makes_no_guard_stale_and_ends_what_it_should() {
    for (shape, authority, app) in each_shape().await {
        let mut alice = authority.sign_in("alice", &[]);
        authority.pass(Duration::from_secs(299)).await;
        assert_eq!(app.bearer("/", &alice).await, StatusCode::OK);
        authority.pass(Duration::from_secs(2)).await;
        // A program renews its own tokens; for a browser the layer does.
        let expected = match shape {
            Shape::Session => StatusCode::OK,
            Shape::Jwt => StatusCode::UNAUTHORIZED,
        };
        assert_eq!(app.bearer("/", &alice).await, expected);
        let renewed = app
            .call(Request::get("/").header("cookie", alice.cookie()))
            .await;
        assert_eq!(renewed.status(), StatusCode::OK);
        let (before, copy) = (alice.bearer(), alice.clone());
        alice.keep(renewed.headers());
        assert_eq!(alice.bearer() != before, shape == Shape::Jwt);
        assert_eq!(app.bearer("/", &alice).await, StatusCode::OK);
        // A copy of the replaced refresh token, shown after the grace, ends the login for both.
        authority.pass(Duration::from_secs(301)).await;
        if shape == Shape::Jwt {
            assert_eq!(app.visit("/", &copy).await, StatusCode::UNAUTHORIZED);
            assert_eq!(app.visit("/", &alice).await, StatusCode::UNAUTHORIZED);
        }
        // Everybody's login ends in the end.
        let mut bob = authority.sign_in("bob", &[]);
        authority.pass(Duration::from_secs(8 * 86_400)).await;
        assert_eq!(app.visit("/", &bob).await, StatusCode::UNAUTHORIZED);
        bob = authority.sign_in("bob", &[]);
        assert_eq!(app.visit("/", &bob).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_flip_changes_the_shape_and_signs_nobody_out() {
    for (shape, authority, app) in each_shape().await {
        let other = match shape {
            Shape::Session => Shape::Jwt,
            Shape::Jwt => Shape::Session,
        };
        let mut alice = authority.sign_in("alice", &[]);
        for shape in [other, shape, other] {
            authority.flip(shape).await;
            let answer = app
                .call(Request::get("/").header("cookie", alice.cookie()))
                .await;
            alice.keep(answer.headers());
            assert_eq!(text(answer).await, format!("alice {shape:?} []"));
            assert_eq!(alice.refresh.is_some(), shape == Shape::Jwt);
        }
    }
}

#[tokio::test]
async fn signing_out_through_the_layer_ends_the_login() {
    for (_, authority, app) in each_shape().await {
        let mut alice = authority.sign_in("alice", &[]);
        let copy = alice.clone();
        let out = Request::post("/auth/sign-out")
            .header("cookie", alice.cookie())
            .header("sec-fetch-site", "same-origin");
        let answer = app.call(out).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        alice.keep(answer.headers());
        authority.pass(Duration::ZERO).await;
        assert_eq!(app.visit("/", &copy).await, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn every_guard_of_an_authority_hears_of_an_end() {
    let authority = TestAuthority::start(Shape::Jwt, Freshness::DEFAULT);
    let apps = [
        App::of(&authority.guard().await),
        App::of(&authority.guard().await),
    ];
    let alice = authority.sign_in("alice", &[]);
    for app in &apps {
        assert_eq!(app.visit("/", &alice).await, StatusCode::OK);
    }
    authority.end(&alice).await;
    for app in &apps {
        assert_eq!(app.visit("/", &alice).await, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn an_identity_out_of_nothing_says_who_it_is_and_leaks_nothing() {
    let who = identity("alice", &["admin", "orders:read"]);
    assert_eq!(who.username(), "alice");
    assert!(who.has_role("orders:read") && !who.has_role("orders"));
    let alice = TestAuthority::start(Shape::Jwt, Freshness::DEFAULT).sign_in("alice", &[]);
    assert!(alice.cookie().is_sensitive() && alice.bearer().is_sensitive());
    let shown = format!("{alice:?} {:?}", alice.cookie());
    assert!(!shown.contains(&alice.access), "{shown}");
}
