use super::*;

const NEW: [(&str, &str); 6] = [
    ("client_id", "shop"),
    ("name", "<b>Shop</b>"),
    ("shape", "jwt"),
    ("freshness", "within(10s)"),
    ("redirect_uris", "https://shop.example.test/cb"),
    ("confidential", "on"),
];

#[tokio::test]
async fn an_app_is_added_and_its_secret_shown_once() {
    let site = Site::open().await;
    site.add("root", &["admin"]).await;
    let mut admin = site.signed_in("root").await;
    let answer = admin.post("/admin/apps", &NEW).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.html.contains("sym_c_"));
    assert!(!answer.html.contains("<b>Shop"));
    let list = admin.get("/admin/apps").await;
    assert!(!list.html.contains("sym_c_"));
    assert!(list.html.contains("https://shop.example.test/cb"));
    let again = admin.post("/admin/apps", &NEW).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(!again.html.contains("sym_c_"));
}

#[tokio::test]
async fn a_shape_is_flipped_there_and_back() {
    let site = Site::open().await;
    site.add("root", &["admin"]).await;
    let mut admin = site.signed_in("root").await;
    admin.post("/admin/apps", &NEW).await;
    for (to, said, next) in [
        ("session", "now uses: Session.", "Session → JWT"),
        ("jwt", "now uses: JWT.", "JWT → Session"),
    ] {
        let answer = admin.post("/admin/apps/shop", &[("shape", to)]).await;
        assert_eq!(answer.location(), "/admin/apps?app=shop&turned=shape");
        let page = admin.get(answer.location()).await;
        assert!(page.html.contains(said), "{to}");
        assert!(page.html.contains("Nobody has to sign in again."), "{to}");
        assert!(page.html.contains(next), "{to}");
    }
    let answer = admin
        .post("/admin/apps/shop", &[("freshness", "live")])
        .await;
    let page = admin.get(answer.location()).await;
    assert!(page.html.contains("is now: Live"));
    assert!(!page.html.contains("Nobody has to sign in again."));
}

#[tokio::test]
async fn what_is_no_app_is_refused() {
    let site = Site::open().await;
    site.add("root", &["admin"]).await;
    let mut admin = site.signed_in("root").await;
    for (field, value, status) in [
        ("client_id", "Shop!", StatusCode::UNPROCESSABLE_ENTITY),
        (
            "redirect_uris",
            "http://shop.example.test/",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        ("shape", "cookie", StatusCode::BAD_REQUEST),
        ("freshness", "within(9h)", StatusCode::BAD_REQUEST),
    ] {
        let fields = NEW.map(|(name, old)| (name, if name == field { value } else { old }));
        assert_eq!(
            admin.post("/admin/apps", &fields).await.status,
            status,
            "{field}"
        );
    }
    assert_eq!(
        admin
            .post("/admin/apps/unknown", &[("shape", "jwt")])
            .await
            .status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        admin
            .post("/admin/apps/shop", &[("shape", "x")])
            .await
            .status,
        StatusCode::BAD_REQUEST
    );
    let page = admin.get("/admin/apps?turned=shape&app=%3Cscript%3E").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.html.contains("<script>") && !page.html.contains("sign in again"));
}

#[tokio::test]
async fn a_limit_is_set_and_taken_away() {
    let site = Site::open().await;
    site.add("root", &["admin"]).await;
    let mut admin = site.signed_in("root").await;
    admin.post("/admin/apps", &NEW).await;
    let path = "/admin/apps/shop/limit";
    let answer = admin
        .post(path, &[("max_logins", "3"), ("at_limit", "ask")])
        .await;
    assert_eq!(answer.location(), "/admin/apps?app=shop&turned=limit");
    let page = admin.get(answer.location()).await;
    let said = "3 at most; one more: asks which one to end";
    assert_eq!(
        page.html.matches(said).count(),
        2,
        "the notice and the card"
    );
    let bad = admin
        .post(path, &[("max_logins", "0"), ("at_limit", "ask")])
        .await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
    admin
        .post(path, &[("max_logins", ""), ("at_limit", "ask")])
        .await;
    assert!(!admin.get("/admin/apps").await.html.contains(said));
}
