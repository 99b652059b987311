use super::*;

#[tokio::test]
async fn a_link_makes_one_administrator_once() {
    let site = Site::open().await;
    let token = site.authority.set_up_link().await.unwrap().unwrap();
    let link = format!("/set-up?token={}", token.as_str());
    let mut browser = site.browser();
    let page = browser.get(&link).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.header("referrer-policy"), "same-origin");
    // A typing error does not use the link up.
    let short = [
        ("token", token.as_str()),
        ("identifier", "root"),
        ("password", "short"),
    ];
    let answer = browser.post("/set-up", &short).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.html.contains("value=\"root\"") && !answer.html.contains("value=\"short\""));
    let fields = [
        ("token", token.as_str()),
        ("identifier", "root"),
        ("password", PASSWORD),
    ];
    let foreign = browser.post_from("/set-up", &fields, "cross-site").await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let answer = browser.post("/set-up", &fields).await;
    assert_eq!(
        answer.location(),
        "/sign-in?return_to=%2Fadmin%2Fusers&notice=set-up-done"
    );
    for _ in 0..2 {
        let again = [
            ("token", token.as_str()),
            ("identifier", "evil"),
            ("password", PASSWORD),
        ];
        assert_eq!(
            browser.post("/set-up", &again).await.status,
            StatusCode::NOT_FOUND
        );
        assert_eq!(browser.get(&link).await.status, StatusCode::NOT_FOUND);
    }
    let mut admin = site.signed_in("root").await;
    assert_eq!(admin.get("/admin/users").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_made_up_link_leads_nowhere() {
    let site = Site::open().await;
    site.authority.set_up_link().await.unwrap().unwrap();
    let mut browser = site.browser();
    for token in [
        "",
        "x",
        "%3Cscript%3E",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        let page = browser.get(&format!("/set-up?token={token}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{token}");
        assert!(page.html.contains("This link does not work"), "{token}");
        let fields = [
            ("token", token),
            ("identifier", "root"),
            ("password", PASSWORD),
        ];
        assert_eq!(
            browser.post("/set-up", &fields).await.status,
            StatusCode::NOT_FOUND,
            "{token}"
        );
    }
}
