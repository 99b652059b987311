use symbolon_authority::{
    Admin,
    ports::{AppChange, Limits},
};
use symbolon_login::{AtLimit, AttemptLimit, Digest, LoginLimit, LoginPolicy};

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
async fn after_too_many_wrong_passwords_the_page_says_when_to_come_back() {
    let site = Site::open().await;
    site.add("alice", &[]).await;
    let mut known = site.signed_in("alice").await;
    let AttemptLimit { most, window } = AttemptLimit::PASSWORD;
    let now = Real(SystemRandom::new()).now();
    for _ in 0..most {
        let key = Digest::of("sign-in", b"alice");
        site.store.count(key, window, now).await.unwrap();
    }
    for (language, text) in [
        ("en", "Try again in 60 minutes."),
        ("ko", "60분 뒤에 다시 시도해 주세요."),
    ] {
        let mut browser = site.browser();
        let value = HeaderValue::from_static(language);
        browser.headers.insert(header::ACCEPT_LANGUAGE, value);
        let answer = browser.sign_in("alice", PASSWORD).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(answer.html.contains(text), "{}", answer.html);
        let seconds: u64 = answer.header("retry-after").parse().unwrap();
        assert!((3541..=3600).contains(&seconds), "{seconds}");
        assert!(browser.cookies.is_empty());
    }
    // Who is signed in on this browser is not locked out by strangers.
    let answer = known.sign_in("alice", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
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

#[tokio::test]
async fn the_cookie_outlives_the_browser_only_where_the_box_was_ticked() {
    let site = Site::open().await;
    site.add("alice", &[]).await;
    let fields = [("identifier", "alice"), ("password", PASSWORD)];
    let brief = site.browser().post("/sign-in", &fields).await;
    assert!(!brief.header("set-cookie").contains("Max-Age"));
    let ticked = [fields[0], fields[1], ("remember", "on")];
    let long = site.browser().post("/sign-in", &ticked).await;
    assert!(long.header("set-cookie").contains("Max-Age=604800"));
    let mut browser = site.browser();
    let page = browser.get("/sign-in").await;
    assert!(
        page.html
            .contains("name=\"remember\" value=\"on\"> Keep me")
    );
    // What was ticked stays so after a typing error.
    let wrong = [fields[0], ("password", "wrong"), ticked[2]];
    let page = browser.post("/sign-in", &wrong).await;
    assert!(page.html.contains("name=\"remember\" value=\"on\" checked"));
}

fn one_login(at_limit: AtLimit) -> LoginLimit {
    LoginLimit {
        most: 1.try_into().unwrap(),
        at_limit,
    }
}

impl Site {
    async fn hold(&self, user: &User, at_limit: AtLimit) {
        let policy = LoginPolicy::new(None, None, Some(one_login(at_limit))).unwrap();
        let admin = Admin::operator();
        let set = self.authority.set_login_policy(&admin, user.id, policy);
        assert!(set.await.unwrap());
    }
}

/// The names of the boxes to tick.
fn boxes(html: &str) -> Vec<String> {
    let rests = html.split("name=\"").skip(1);
    let names = rests.map(|rest| rest.split_once('"').unwrap().0.to_owned());
    names.filter(|name| name.starts_with("end-")).collect()
}

#[tokio::test]
async fn somebody_without_room_chooses_which_device_to_sign_out() {
    let site = Site::open().await;
    let alice = site.add("alice", &[]).await;
    site.hold(&alice, AtLimit::Ask).await;
    let mut old = site.browser();
    old.headers
        .insert(header::USER_AGENT, "<i>Old</i>".parse().unwrap());
    old.sign_in("alice", PASSWORD).await;
    let mut new = site.browser();
    let fields = [
        ("identifier", "alice"),
        ("password", PASSWORD),
        ("return_to", "/account?x=1"),
        ("remember", "on"),
    ];
    let page = new.post("/sign-in", &fields).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.html.contains("Choose which ones to sign out."));
    assert!(page.html.contains("name=\"remember\" value=\"on\" checked"));
    assert!(page.html.contains("value=\"/account?x=1\""));
    assert!(!page.html.contains(PASSWORD) && new.cookies.is_empty());
    assert_eq!(old.get("/account").await.status, StatusCode::OK);
    let ticked = boxes(&page.html);
    assert_eq!(ticked.len(), 1);
    // Choosing needs the password again: the page itself proves nothing.
    let tick = (ticked[0].as_str(), "on");
    let guess = [("identifier", "alice"), ("password", "guess"), tick];
    let refused = new.post("/sign-in", &guess).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(old.get("/account").await.status, StatusCode::OK);
    let chosen = [fields[0], fields[1], fields[2], tick];
    let answer = new.post("/sign-in", &chosen).await;
    assert_eq!(answer.location(), "/account?x=1");
    assert_eq!(old.get("/account").await.status, StatusCode::SEE_OTHER);
    assert_eq!(new.get("/account").await.status, StatusCode::OK);
    // The same browser again: the login that it has takes up no room.
    let again = new.post("/sign-in", &fields).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn somebody_without_room_and_choice_is_told_so_and_no_more() {
    let site = Site::open().await;
    let alice = site.add("alice", &[]).await;
    site.hold(&alice, AtLimit::Refuse).await;
    let mut old = site.signed_in("alice").await;
    let mut new = site.browser();
    let page = new.sign_in("alice", PASSWORD).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.html.contains("Sign out on one of them first."));
    assert!(boxes(&page.html).is_empty());
    assert!(new.cookies.is_empty());
    assert_eq!(old.get("/account").await.status, StatusCode::OK);
    new.headers
        .insert(header::ACCEPT_LANGUAGE, "ko".parse().unwrap());
    let page = new.sign_in("alice", PASSWORD).await;
    assert!(page.html.contains("더 로그인할 수 없습니다"));
}

#[tokio::test]
async fn an_app_without_room_asks_at_the_authority() {
    let site = Site::open().await;
    site.add("alice", &[]).await;
    let basic = site.add_app("dashboard").await;
    let limit = async |at_limit| {
        let change = AppChange {
            limit: Some(Some(one_login(at_limit))),
            ..AppChange::default()
        };
        let app = "dashboard".parse().unwrap();
        let admin = Admin::operator();
        let changed = site.authority.change_app(&admin, &app, change);
        changed.await.unwrap();
    };
    let asked = form_urlencoded::Serializer::new("/oauth2/authorize?".to_owned())
        .append_pair("response_type", "code")
        .append_pair("client_id", "dashboard")
        .append_pair("redirect_uri", "http://localhost:7302/auth/callback")
        .append_pair(
            "code_challenge",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        )
        .append_pair("code_challenge_method", "S256")
        .finish();
    limit(AtLimit::Ask).await;
    let mut old = site.signed_in("alice").await;
    let answer = old.get(&asked).await;
    let url = url::Url::parse(answer.location()).unwrap();
    let code = url.query_pairs().find(|(name, _)| name == "code").unwrap();
    let redemption = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "authorization_code")
        .append_pair("code", &code.1)
        .append_pair("redirect_uri", "http://localhost:7302/auth/callback")
        .append_pair(
            "code_verifier",
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        )
        .finish();
    let request = Request::post("/oauth2/token")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::AUTHORIZATION, basic)
        .body(Body::from(redemption))
        .unwrap();
    assert_eq!(site.browser().send(request).await.status, StatusCode::OK);

    let mut new = site.signed_in("alice").await;
    let page = new.get(&asked).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.html.contains("You use Ledger&#60;b&#62;s on as many"));
    assert!(!page.html.contains("type=\"password\""));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("form-action 'self' http://localhost:7302;"));
    let ticked = boxes(&page.html);
    assert_eq!(ticked.len(), 1);
    let fields = [("return_to", asked.as_str()), (ticked[0].as_str(), "on")];
    // From another site, or by a stranger, it ends nothing.
    let foreign = new
        .post_from("/account/make-room", &fields, "cross-site")
        .await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let stranger = site.browser().post("/account/make-room", &fields).await;
    assert_eq!(stranger.location(), "/sign-in");
    assert_eq!(old.get("/account").await.status, StatusCode::OK);

    limit(AtLimit::Refuse).await;
    let refused = new.get(&asked).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(boxes(&refused.html).is_empty());

    let answer = new.post("/account/make-room", &fields).await;
    assert_eq!(answer.location(), asked);
    assert_eq!(old.get("/account").await.status, StatusCode::SEE_OTHER);
    let answer = new.get(&asked).await;
    assert_eq!(answer.status, StatusCode::FOUND);
    assert!(answer.location().contains("code="));
    let evil = [("return_to", "https://evil.example.test/")];
    let answer = new.post("/account/make-room", &evil).await;
    assert_eq!(answer.location(), "/account");
}
