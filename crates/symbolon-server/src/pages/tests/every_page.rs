use super::*;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'";

#[tokio::test]
async fn every_page_is_sent_under_the_same_policy() {
    let site = Site::open().await;
    let root = site.add("root", &["admin"]).await;
    site.add_app("shop").await;
    let mut admin = site.signed_in("root").await;
    let of_root = format!("/admin/users/{}", root.id);
    let mut pages = Vec::new();
    for path in [
        "/account",
        "/admin/users",
        "/admin/apps",
        "/admin/apps/shop/advice",
        "/adviser?platform=spa",
        of_root.as_str(),
        "/nowhere",
        "/set-up",
        "/assets/x",
    ] {
        pages.push((path, admin.get(path).await));
    }
    pages.push(("POST /nowhere", admin.post("/nowhere", &[]).await));
    pages.push(("POST /account", admin.post("/account", &[]).await));
    pages.push(("GET /sign-out", admin.get("/sign-out").await));
    pages.push(("/sign-in", site.browser().get("/sign-in").await));
    for (path, page) in &pages {
        assert_eq!(
            page.header("content-type"),
            "text/html; charset=utf-8",
            "{path}"
        );
        assert_eq!(page.header("content-security-policy"), POLICY, "{path}");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(page.header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(
            page.header("cross-origin-opener-policy"),
            "same-origin",
            "{path}"
        );
        assert_eq!(
            page.html.contains("action=\"/sign-out\""),
            *path != "/sign-in",
            "{path}"
        );
    }
}

/// What is shown comes from the server that sends it, under a name that changes with it.
#[tokio::test]
async fn every_file_that_a_page_names_is_there() {
    let site = Site::open().await;
    let mut browser = site.browser();
    let page = browser.get("/sign-in").await;
    let mut named = 0;
    for part in page
        .html
        .split(['"', '\''])
        .filter(|part| part.starts_with("/assets/"))
    {
        let file = browser.get(part).await;
        assert_eq!(file.status, StatusCode::OK, "{part}");
        assert!(file.header("cache-control").contains("immutable"), "{part}");
        named += 1;
    }
    assert!(named >= 4);
    assert!(!page.html.contains("http://") && !page.html.contains("https://"));
    let icon = browser.get("/favicon.ico").await;
    assert!(icon.location().starts_with("/assets/mark."));
}

#[tokio::test]
async fn the_language_is_asked_for_and_chosen() {
    let site = Site::open().await;
    let mut browser = site.browser();
    assert!(
        browser
            .get("/sign-in")
            .await
            .html
            .contains("<html lang=\"en\">")
    );
    browser.headers.insert(
        header::ACCEPT_LANGUAGE,
        "ko-KR,ko;q=0.9,en;q=0.8".parse().unwrap(),
    );
    let page = browser.get("/sign-in").await;
    assert!(page.html.contains("<html lang=\"ko\">"));
    assert!(page.html.contains("비밀번호"));
    let choice = [
        ("lang", "en"),
        ("return_to", "/sign-in?return_to=%2Faccount"),
    ];
    let answer = browser.post("/language", &choice).await;
    assert_eq!(answer.location(), "/sign-in?return_to=%2Faccount");
    assert!(
        browser
            .get("/sign-in")
            .await
            .html
            .contains("<html lang=\"en\">")
    );
    for (lang, return_to, status, location) in [
        ("ko", "//evil.example.test", StatusCode::SEE_OTHER, "/"),
        (
            "ko",
            "https://evil.example.test",
            StatusCode::SEE_OTHER,
            "/",
        ),
        ("xx", "/", StatusCode::BAD_REQUEST, ""),
        ("ko\r\nX: y", "/", StatusCode::BAD_REQUEST, ""),
    ] {
        let answer = browser
            .post("/language", &[("lang", lang), ("return_to", return_to)])
            .await;
        assert_eq!(
            (answer.status, answer.location()),
            (status, location),
            "{return_to}"
        );
    }
    let foreign = site
        .browser()
        .post_from("/language", &choice, "cross-site")
        .await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
}

/// Nothing changes on a GET (ASVS 3.5.3): each form's address refuses it.
#[tokio::test]
async fn no_form_is_answered_on_a_get() {
    let site = Site::open().await;
    let root = site.add("root", &["admin"]).await;
    let mut admin = site.signed_in("root").await;
    let user = format!("/admin/users/{}", root.id);
    for path in [
        "/sign-out".to_owned(),
        "/language".to_owned(),
        "/account/logins/end-all".to_owned(),
        format!("{user}/end-logins"),
        format!("{user}/disable"),
        format!("{user}/enable"),
        format!("{user}/roles"),
        format!("{user}/policy"),
        "/account/make-room".to_owned(),
        "/admin/apps/symbolon/limit".to_owned(),
        "/admin/apps/symbolon".to_owned(),
    ] {
        assert_eq!(
            admin.get(&path).await.status,
            StatusCode::METHOD_NOT_ALLOWED,
            "{path}"
        );
    }
    assert_eq!(admin.get("/account").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_form_that_makes_no_sense_is_refused_with_a_page() {
    let site = Site::open().await;
    let mut browser = site.browser();
    for fields in [
        &[][..],
        &[("identifier", "a")][..],
        &[("identifier", "a"), ("identifier", "b"), ("password", "c")][..],
    ] {
        assert_eq!(
            browser.post("/sign-in", fields).await.status,
            StatusCode::BAD_REQUEST
        );
    }
    let long = "a".repeat(100_000);
    let answer = browser
        .post("/sign-in", &[("identifier", &long), ("password", "x")])
        .await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(
        browser.get("/sign-in?notice=a&notice=b").await.status,
        StatusCode::BAD_REQUEST
    );
}
