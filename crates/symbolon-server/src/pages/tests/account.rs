use super::*;

/// The paths of the buttons that end one login, in the order of the page.
pub(super) fn end_buttons(html: &str) -> Vec<String> {
    html.split("action=\"")
        .filter_map(|part| part.split_once('"').map(|(action, _)| action))
        .filter(|action| action.contains("/logins/") && action.ends_with("/end"))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn a_stranger_is_sent_to_the_sign_in() {
    let site = Site::open().await;
    let mut browser = site.browser();
    assert_eq!(
        browser.get("/account").await.location(),
        "/sign-in?return_to=%2Faccount"
    );
    for path in ["/account/logins/end-all", "/account/logins/x/end"] {
        assert_eq!(browser.post(path, &[]).await.location(), "/sign-in");
    }
    browser
        .cookies
        .insert("__Host-symbolon".to_owned(), "sym_s_forged".to_owned());
    assert_eq!(browser.get("/account").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_person_sees_their_devices_and_ends_one() {
    let site = Site::open().await;
    site.add("alice", &[]).await;
    let mut phone = site.browser();
    let agent = "Mozilla/5.0 (Linux; Android 16) Gecko/145.0 Firefox/145.0";
    phone
        .headers
        .insert(header::USER_AGENT, agent.parse().unwrap());
    phone.sign_in("alice", PASSWORD).await;
    let mut desk = site.signed_in("alice").await;
    let page = desk.get("/account").await;
    assert!(page.html.contains("Firefox · Android"));
    assert_eq!(page.html.matches("This device").count(), 1);
    let buttons = end_buttons(&page.html);
    assert_eq!(buttons.len(), 2);
    // Newest first: the desk is the first, the phone the second.
    let answer = desk.post(&buttons[1], &[]).await;
    assert_eq!(answer.location(), "/account?notice=login-ended");
    assert_eq!(phone.get("/account").await.status, StatusCode::SEE_OTHER);
    assert_eq!(
        desk.post(&buttons[1], &[]).await.location(),
        "/account?notice=login-gone"
    );
    let answer = desk.post(&buttons[0], &[]).await;
    assert_eq!(answer.location(), "/sign-in?notice=signed-out");
    assert!(desk.cookies.is_empty());
}

#[tokio::test]
async fn nobody_ends_a_login_of_somebody_else() {
    let site = Site::open().await;
    site.add("alice", &[]).await;
    site.add("mallory", &[]).await;
    let mut alice = site.signed_in("alice").await;
    let mut mallory = site.signed_in("mallory").await;
    let of_alice = end_buttons(&alice.get("/account").await.html);
    let answer = mallory.post(&of_alice[0], &[]).await;
    assert_eq!(answer.location(), "/account?notice=login-gone");
    assert_eq!(alice.get("/account").await.status, StatusCode::OK);
    assert_eq!(
        mallory
            .post("/account/logins/not-an-id/end", &[])
            .await
            .status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn all_devices_are_signed_out_at_once() {
    let site = Site::open().await;
    site.add("alice", &[]).await;
    site.add("bob", &[]).await;
    let mut bob = site.signed_in("bob").await;
    let mut one = site.signed_in("alice").await;
    let mut two = site.signed_in("alice").await;
    let answer = one.post("/account/logins/end-all", &[]).await;
    assert_eq!(answer.location(), "/sign-in?notice=signed-out-everywhere");
    assert!(
        one.get(answer.location())
            .await
            .html
            .contains("You are signed out on every device.")
    );
    assert_eq!(two.get("/account").await.status, StatusCode::SEE_OTHER);
    assert_eq!(bob.get("/account").await.status, StatusCode::OK);
}

/// Which of the two is the planted one, nobody can tell (cookie tossing).
#[tokio::test]
async fn a_cookie_that_comes_twice_is_refused() {
    let site = Site::open().await;
    site.add("alice", &[]).await;
    let browser = site.signed_in("alice").await;
    let mut tossed = site.browser();
    let value = &browser.cookies["__Host-symbolon"];
    let twice = format!("__Host-symbolon={value}; __Host-symbolon={value}");
    tossed
        .headers
        .insert(header::COOKIE, twice.parse().unwrap());
    assert_eq!(tossed.get("/account").await.status, StatusCode::BAD_REQUEST);
}
