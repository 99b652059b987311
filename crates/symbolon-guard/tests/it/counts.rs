//! What the authority hears of an app's traffic.

use axum::http::StatusCode;
use symbolon_guard::Shape;

use crate::{
    app::{App, eventually},
    fake::Fake,
};

#[tokio::test]
async fn the_authority_hears_how_much_was_checked_and_how_it_travelled() {
    for shape in [Shape::Session, Shape::Jwt] {
        let fake = Fake::start(shape, "within(10s)").await;
        let app = App::of(&fake).await;
        let held = fake.sign_in();
        for _ in 0..3 {
            assert_eq!(app.visit("/", &held).await.status(), StatusCode::OK);
        }
        let bearer = format!("Bearer {}", held.access);
        let shown = [("authorization", bearer.as_str())];
        assert_eq!(app.get("/", &shown).await.status(), StatusCode::OK);
        // Of two layers that ask, a request counts once; what is refused was checked, too.
        assert_eq!(app.visit("/second", &held).await.status(), StatusCode::OK);
        app.get("/", &[("authorization", "Bearer nonsense")]).await;
        // Who shows nothing costs no check.
        app.get("/", &[]).await;
        eventually("the counts", || fake.state().counted == (6, 4)).await;
    }
}
