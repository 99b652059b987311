//! The layer around a whole app does what it does inside a router.

use std::{convert::Infallible, time::Duration};

use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use futures_util::stream;
use symbolon_guard::{Freshness, Guard, Identity, Live, Shape};

use crate::{
    app::{App, cookies, eventually},
    fake::{APP, APP_URL, Fake},
};

#[tokio::test]
async fn a_guard_around_a_whole_app_knows_refuses_and_ends() {
    for shape in [Shape::Session, Shape::Jwt] {
        let fake = Fake::start(shape, "within(10s)").await;
        let guard = Guard::builder(fake.url(), APP)
            .public_url(APP_URL)
            .connect()
            .await
            .unwrap();
        let name = async |who: Identity| who.username().to_owned();
        let endless = async |_: Identity| {
            let ticks = stream::repeat(Ok::<_, Infallible>(Bytes::from_static(b"data: 1\n\n")));
            Body::from_stream(ticks)
        };
        let routes = Router::new()
            .route("/", get(name))
            .route("/open", get(endless))
            .route("/live", get(async |_: Live<Identity>| "live"))
            .route(
                "/audit",
                get(async || "in").layer(guard.require_role("auditor")),
            )
            .nest(
                "/inner",
                Router::new().route(
                    "/",
                    get(name).layer(guard.layer().freshness(Freshness::Live)),
                ),
            );
        let address = App::serve_inside(&guard, routes).await;
        let held = fake.sign_in();
        let cookie = cookies(&held);
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let ask = |path: &str| client.get(format!("http://{address}{path}"));

        for (path, status, text) in [
            ("/", 200, "alice"),
            ("/live", 200, "live"),
            ("/inner", 200, "alice"),
            ("/audit", 403, ""),
            ("/nowhere", 404, ""),
        ] {
            let answer = ask(path).header("cookie", &cookie).send().await.unwrap();
            assert_eq!(answer.status(), status, "{shape} {path}");
            assert_eq!(answer.headers()["cache-control"], "no-store", "{path}");
            assert_eq!(answer.headers()["vary"], "Cookie, Authorization", "{path}");
            assert!(answer.text().await.unwrap().contains(text), "{path}");
        }
        assert_eq!(ask("/").send().await.unwrap().status(), 401);
        let page = ask("/").header("accept", "text/html").send().await.unwrap();
        assert_eq!(page.status(), 302);
        let place = page.headers()["location"].to_str().unwrap();
        assert!(place.contains("/oauth2/authorize?"), "{place}");
        let begun = ask("/auth/sign-in").send().await.unwrap();
        assert!(begun.headers().contains_key("set-cookie"));

        let mut open = ask("/open").header("cookie", &cookie).send().await.unwrap();
        assert!(open.chunk().await.unwrap().is_some());
        eventually("it is watched", || guard.status().open_answers == 1).await;
        fake.end(held.sid);
        let rest = async { while let Ok(Some(_)) = open.chunk().await {} };
        tokio::time::timeout(Duration::from_secs(5), rest)
            .await
            .expect("an open answer ends with its login");
        let answer = ask("/").header("cookie", &cookie).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{shape}");
    }
}
