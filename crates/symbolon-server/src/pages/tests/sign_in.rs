use symbolon_authority::Admin;

use super::*;

const WRONG: &str = "The name or the password is wrong.";

#[tokio::test]
async fn the_start_leads_to_the_sign_in_or_to_the_devices() {
    let site = Site::open().await;
    site.add("alice", &[]).await;
    let mut browser = site.browser();
    assert_eq!(browser.get("/").await.location(), "/sign-in");
    browser.sign_in("alice", PASSWORD).await;
    assert_eq!(browser.get("/").await.location(), "/account");
    assert_eq!(
        browser
            .get("/sign-in?return_to=/admin/users")
            .await
            .location(),
        "/admin/users"
    );
}

/// One status and one text whatever is wrong (ASVS 6.3.8).
#[tokio::test]
async fn every_wrong_attempt_reads_the_same() {
    let site = Site::open().await;
    site.add("alice", &[]).await;
    let bob = site.add("bob", &[]).await;
    site.authority
        .disable_user(&Admin::operator(), bob.id)
        .await
        .unwrap();
    let mut pages = Vec::new();
    for (identifier, password) in [
        ("alice", "Tr0ub4dor&3"),
        ("nobody", PASSWORD),
        ("bob", PASSWORD),
        ("a b", PASSWORD),
        ("alice", " correct horse battery staple"),
    ] {
        let mut browser = site.browser();
        let answer = browser.sign_in(identifier, password).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{identifier}");
        assert!(answer.html.contains(WRONG), "{identifier}");
        assert!(
            answer.html.contains(&format!("value=\"{identifier}\"")),
            "{identifier}"
        );
        assert!(!answer.html.contains(password), "{identifier}");
        assert!(browser.cookies.is_empty(), "{identifier}");
        pages.push(answer.html.replace(&format!("value=\"{identifier}\""), ""));
    }
    assert!(pages.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn a_sign_in_leads_back_only_within_this_server() {
    let site = Site::open().await;
    site.add("alice", &[]).await;
    for (return_to, location) in [
        ("/admin/users?q=a", "/admin/users?q=a"),
        ("", "/account"),
        ("//evil.example.test", "/account"),
        ("/\\evil.example.test", "/account"),
        ("https://evil.example.test/", "/account"),
        ("/a\r\nSet-Cookie: x=y", "/account"),
    ] {
        let fields = [
            ("identifier", "alice"),
            ("password", PASSWORD),
            ("return_to", return_to),
        ];
        let answer = site.browser().post("/sign-in", &fields).await;
        assert_eq!(answer.location(), location, "{return_to:?}");
    }
}

/// The rows of the redirect corpus that a local path can decide are in `return_to.rs`; these are
/// from its address line.
#[tokio::test]
async fn a_hostile_return_path_is_left_out_of_the_form() {
    let site = Site::open().await;
    let mut browser = site.browser();
    let page = browser
        .get("/sign-in?return_to=%2F%2Fevil.example.test")
        .await;
    assert!(!page.html.contains("evil.example.test\" "));
    assert!(!page.html.contains("name=\"return_to\" value=\"//evil"));
    let page = browser
        .get("/sign-in?return_to=%2Fa%22%3E%3Cscript%3E")
        .await;
    assert!(!page.html.contains("<script>"));
}

#[tokio::test]
async fn a_form_of_another_site_signs_nobody_in_or_out() {
    let site = Site::open().await;
    site.add("alice", &[]).await;
    let fields = [("identifier", "alice"), ("password", PASSWORD)];
    for from in ["cross-site", "same-site"] {
        let mut browser = site.browser();
        let answer = browser.post_from("/sign-in", &fields, from).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{from}");
        assert!(browser.cookies.is_empty());
        let mut browser = site.signed_in("alice").await;
        assert_eq!(
            browser.post_from("/sign-out", &[], from).await.status,
            StatusCode::FORBIDDEN
        );
        assert_eq!(browser.get("/account").await.status, StatusCode::OK);
    }
}

/// Always a new secret; what the browser had before is dead (session fixation, ASVS 7.2.4).
#[tokio::test]
async fn a_new_sign_in_replaces_the_login_of_this_browser_only() {
    let site = Site::open().await;
    site.add("alice", &[]).await;
    let mut other = site.signed_in("alice").await;
    let mut browser = site.signed_in("alice").await;
    let mut thief = site.browser();
    thief.cookies.clone_from(&browser.cookies);
    let answer = browser.sign_in("alice", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_ne!(thief.cookies, browser.cookies);
    assert_eq!(thief.get("/account").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/account").await.status, StatusCode::OK);
    assert_eq!(other.get("/account").await.status, StatusCode::OK);
}

#[tokio::test]
async fn signing_out_ends_the_login_and_clears_the_cookie() {
    let site = Site::open().await;
    site.add("alice", &[]).await;
    let mut browser = site.signed_in("alice").await;
    let mut thief = site.browser();
    thief.cookies.clone_from(&browser.cookies);
    let answer = browser.post("/sign-out", &[]).await;
    assert_eq!(answer.location(), "/sign-in?notice=signed-out");
    assert!(browser.cookies.is_empty());
    assert_eq!(thief.get("/account").await.status, StatusCode::SEE_OTHER);
    // Once more does no harm.
    assert_eq!(
        browser.post("/sign-out", &[]).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn an_app_that_waits_is_named_and_its_origin_allowed() {
    let site = Site::open().await;
    site.add_app("dashboard").await;
    let asked = |redirect_uri: &str| {
        let request = form_urlencoded::Serializer::new("/oauth2/authorize?".to_owned())
            .append_pair("client_id", "dashboard")
            .append_pair("redirect_uri", redirect_uri)
            .finish();
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("return_to", &request)
            .finish();
        format!("/sign-in?{query}")
    };
    let mut browser = site.browser();
    let page = browser
        .get(&asked("http://localhost:7302/auth/callback"))
        .await;
    assert!(page.html.contains("Sign in to Ledger&#60;b&#62;s"));
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("form-action 'self' http://localhost:7302;"),
        "{policy}"
    );
    let page = browser.get(&asked("https://evil.example.test/")).await;
    assert!(
        page.header("content-security-policy")
            .contains("form-action 'self';")
    );
    assert!(!page.html.contains("Ledger&#60;b&#62;s"));
}
