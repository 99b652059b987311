use symbolon_authority::Admin;

use super::{account::end_buttons, *};

#[tokio::test]
async fn administration_is_for_administrators() {
    let site = Site::open().await;
    let alice = site.add("alice", &[]).await;
    let mut browser = site.signed_in("alice").await;
    let of_alice = format!("/admin/users/{}", alice.id);
    for path in ["/admin/users", "/admin/apps", of_alice.as_str()] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(answer.html.contains("For administrators only"), "{path}");
        let stranger = site.browser().get(path).await;
        assert_eq!(stranger.status, StatusCode::SEE_OTHER, "{path}");
        assert!(
            stranger
                .location()
                .starts_with("/sign-in?return_to=%2Fadmin%2F"),
            "{path}"
        );
    }
    for action in ["end-logins", "disable", "enable", "logins/x/end"] {
        let path = format!("/admin/users/{}/{action}", alice.id);
        assert_eq!(
            browser.post(&path, &[]).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
        assert_eq!(
            site.browser().post(&path, &[]).await.location(),
            "/sign-in",
            "{path}"
        );
    }
    assert_eq!(
        browser.post("/admin/apps/x", &[]).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        browser.post("/admin/users", &[]).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(browser.get("/account").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_administrator_adds_a_user_who_can_sign_in() {
    let site = Site::open().await;
    site.add("root", &["admin"]).await;
    let mut admin = site.signed_in("root").await;
    let fields = [("identifier", "Carol"), ("password", PASSWORD)];
    let answer = admin.post("/admin/users", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let page = admin.get(answer.location()).await;
    assert!(page.html.contains("The user has been added."));
    assert!(page.html.contains("carol"));
    assert!(!page.html.contains(">Administrator<"));
    site.signed_in("carol").await;
    let taken = admin.post("/admin/users", &fields).await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    assert!(taken.html.contains("value=\"Carol\""));
    let short = admin
        .post(
            "/admin/users",
            &[("identifier", "dan"), ("password", "1234567")],
        )
        .await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(short.html.contains("at least 8 characters."));
    assert!(!short.html.contains("1234567"));
    let bad = admin
        .post(
            "/admin/users",
            &[("identifier", "a<b"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    let fields = [
        ("identifier", "erin"),
        ("password", PASSWORD),
        ("admin", "on"),
    ];
    let answer = admin.post("/admin/users", &fields).await;
    let page = admin.get(answer.location()).await;
    assert!(page.html.contains(">Administrator<"));
}

#[tokio::test]
async fn the_list_is_searched_and_paged() {
    let site = Site::open().await;
    site.add("root", &["admin"]).await;
    for number in 0..60 {
        site.add(&format!("user{number:02}"), &[]).await;
    }
    let mut admin = site.signed_in("root").await;
    let page = admin.get("/admin/users").await;
    assert!(
        page.html.contains("root") && page.html.contains("user48") && !page.html.contains("user49")
    );
    let next = "/admin/users?after=user48";
    assert!(page.html.contains(&format!("href=\"{next}\"")));
    let page = admin.get(next).await;
    assert!(
        page.html.contains("user49")
            && page.html.contains("user59")
            && !page.html.contains("rel=\"next\"")
    );
    let page = admin.get("/admin/users?q=user1").await;
    assert!(page.html.contains("user10") && page.html.contains("user19"));
    assert!(!page.html.contains("user20") && !page.html.contains("user09"));
    let page = admin.get("/admin/users?q=user10").await;
    assert!(page.html.contains(">user10<"));
    for nobody in ["zzz", "%22%3E%3Cscript%3E", "a+b"] {
        let page = admin.get(&format!("/admin/users?q={nobody}")).await;
        assert!(page.html.contains("No user found."), "{nobody}");
        assert!(!page.html.contains("<script>"), "{nobody}");
    }
}

#[tokio::test]
async fn a_person_is_signed_out_everywhere_and_the_page_tells_the_position() {
    let site = Site::open().await;
    site.add("root", &["admin"]).await;
    let alice = site.add("alice", &[]).await;
    let mut one = site.signed_in("alice").await;
    let mut two = site.signed_in("alice").await;
    let mut admin = site.signed_in("root").await;
    let path = format!("/admin/users/{}", alice.id);
    assert_eq!(end_buttons(&admin.get(&path).await.html).len(), 2);
    let answer = admin.post(&format!("{path}/end-logins"), &[]).await;
    assert!(
        answer.location().starts_with(&format!("{path}?cut=1.")),
        "{}",
        answer.location()
    );
    for browser in [&mut one, &mut two] {
        assert_eq!(browser.get("/account").await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(admin.get("/account").await.status, StatusCode::OK);
    let page = admin.get(answer.location()).await;
    assert!(
        page.html
            .contains("No guard follows the feed at the moment.")
    );
    assert!(page.html.contains("Not signed in on any device."));
}

#[tokio::test]
async fn a_single_login_is_ended_by_force() {
    let site = Site::open().await;
    site.add("root", &["admin"]).await;
    let alice = site.add("alice", &[]).await;
    let mut one = site.signed_in("alice").await;
    let mut two = site.signed_in("alice").await;
    let mut admin = site.signed_in("root").await;
    let path = format!("/admin/users/{}", alice.id);
    let buttons = end_buttons(&admin.get(&path).await.html);
    let answer = admin.post(&buttons[0], &[]).await;
    assert!(answer.location().contains("?cut="));
    assert_eq!(two.get("/account").await.status, StatusCode::SEE_OTHER);
    assert_eq!(one.get("/account").await.status, StatusCode::OK);
    assert!(
        admin
            .post(&buttons[0], &[])
            .await
            .location()
            .ends_with("notice=login-gone")
    );
}

#[tokio::test]
async fn a_disabled_user_is_out_until_enabled() {
    let site = Site::open().await;
    site.add("root", &["admin"]).await;
    let alice = site.add("alice", &[]).await;
    let mut browser = site.signed_in("alice").await;
    let mut admin = site.signed_in("root").await;
    let path = format!("/admin/users/{}", alice.id);
    let answer = admin.post(&format!("{path}/disable"), &[]).await;
    assert!(
        answer.location().contains("cut=") && answer.location().contains("notice=user-disabled")
    );
    assert_eq!(browser.get("/account").await.status, StatusCode::SEE_OTHER);
    assert_eq!(
        browser.sign_in("alice", PASSWORD).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert!(admin.get(&path).await.html.contains("/enable\""));
    admin.post(&format!("{path}/enable"), &[]).await;
    assert_eq!(
        browser.sign_in("alice", PASSWORD).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn nobody_there_is_not_found() {
    let site = Site::open().await;
    site.add("root", &["admin"]).await;
    let mut admin = site.signed_in("root").await;
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
    for id in [unknown, "x", "%00", "..%2f..%2f"] {
        let page = admin.get(&format!("/admin/users/{id}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{id}");
        for action in ["end-logins", "disable", "enable"] {
            let answer = admin
                .post(&format!("/admin/users/{id}/{action}"), &[])
                .await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{id} {action}");
        }
    }
    assert!(
        site.authority
            .user_named(&Admin::operator(), &"root".parse().unwrap())
            .await
            .unwrap()
            .is_some()
    );
}

/// The measure that the page exists for: from acknowledgement until each guard had applied it.
#[tokio::test]
async fn the_page_waits_for_the_guards_and_shows_their_times() {
    let site = Site::open().await;
    site.add("root", &["admin"]).await;
    let alice = site.add("alice", &[]).await;
    let authorization = site.add_app("dashboard").await;
    let (quick, silent) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
    let mut app = site.browser();
    app.headers
        .insert(header::AUTHORIZATION, authorization.parse().unwrap());
    for guard in [quick, silent] {
        let seen = app
            .get(&format!("/feed/head?guard={guard}&applied=1.1"))
            .await;
        assert_eq!(seen.status, StatusCode::OK);
    }
    let mut admin = site.signed_in("root").await;
    let answer = admin
        .post(&format!("/admin/users/{}/end-logins", alice.id), &[])
        .await;
    let (_, position) = answer.location().split_once("?cut=").unwrap();
    app.get(&format!("/feed/head?guard={quick}&applied={position}"))
        .await;
    let page = admin.get(answer.location()).await;
    assert_eq!(page.html.matches("<data value=").count(), 1);
    assert!(page.html.contains("not yet"));
    assert!(page.html.contains("1 guard has not reported yet."));
    assert!(!page.html.contains("data-slowest"));
    app.get(&format!("/feed/head?guard={silent}&applied={position}"))
        .await;
    let page = admin.get(answer.location()).await;
    assert_eq!(page.html.matches("<data value=").count(), 2);
    assert!(page.html.contains("data-slowest") && page.html.contains("All 2 guards"));
    let apps = admin.get("/admin/apps").await;
    assert!(
        apps.html.contains("00000000") && apps.html.contains(&format!("at position {position}"))
    );
}

#[tokio::test]
async fn new_roles_sign_the_user_out_everywhere() {
    let site = Site::open().await;
    let root = site.add("root", &["admin"]).await;
    let alice = site.add("alice", &["clerk"]).await;
    let mut browser = site.signed_in("alice").await;
    let mut admin = site.signed_in("root").await;
    let path = format!("/admin/users/{}", alice.id);
    assert!(admin.get(&path).await.html.contains("value=\"clerk\""));
    let roles = format!("{path}/roles");
    let bad = admin.post(&roles, &[("roles", "clerk Not<b>")]).await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(bad.html.contains("This cannot be a role"));
    assert!(bad.html.contains("value=\"clerk Not&#60;b&#62;\""));
    assert_eq!(browser.get("/account").await.status, StatusCode::OK);
    let answer = admin.post(&roles, &[("roles", " boss  admin ")]).await;
    let location = answer.location().to_owned();
    assert!(location.contains("cut=1.") && location.contains("notice=roles-changed"));
    assert_eq!(browser.get("/account").await.status, StatusCode::SEE_OTHER);
    assert!(admin.get(&path).await.html.contains("value=\"boss admin\""));
    browser.sign_in("alice", PASSWORD).await;
    assert_eq!(browser.get("/admin/users").await.status, StatusCode::OK);

    let own = format!("/admin/users/{}/roles", root.id);
    let refused = admin.post(&own, &[("roles", "")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.html.contains("You cannot take the role admin"));
    assert_eq!(admin.get("/admin/users").await.status, StatusCode::OK);
}

#[tokio::test]
async fn rules_for_logins_are_set_and_shown() {
    let site = Site::open().await;
    site.add("root", &["admin"]).await;
    let alice = site.add("alice", &[]).await;
    let mut browser = site.signed_in("alice").await;
    let mut admin = site.signed_in("root").await;
    let path = format!("/admin/users/{}", alice.id);
    let policy = format!("{path}/policy");
    let rules = [
        ("idle", "600"),
        ("absolute", "3600"),
        ("max_logins", "1"),
        ("at_limit", "refuse"),
    ];
    let answer = admin.post(&policy, &rules).await;
    assert_eq!(answer.location(), format!("{path}?notice=policy-changed"));
    let page = admin.get(answer.location()).await;
    for shown in [
        "value=\"600\"",
        "value=\"3600\"",
        "value=\"refuse\" selected",
    ] {
        assert!(page.html.contains(shown), "{shown}");
    }
    assert_eq!(browser.get("/account").await.status, StatusCode::OK);
    let full = site.browser().sign_in("alice", PASSWORD).await;
    assert_eq!(full.status, StatusCode::CONFLICT);
    for (n, typed, said) in [
        (0, "3601", "The idle timeout"),
        (1, "0", "The absolute timeout"),
        (2, "none", "The number of logins"),
    ] {
        let mut bad = rules;
        bad[n].1 = typed;
        let page = admin.post(&policy, &bad).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{typed}");
        assert!(page.html.contains(said), "{typed}");
        assert!(page.html.contains(&format!("value=\"{typed}\"")), "{typed}");
    }
    admin.post(&policy, &[("at_limit", "ask")]).await;
    let free = site.browser().sign_in("alice", PASSWORD).await;
    assert_eq!(free.status, StatusCode::SEE_OTHER);
}
