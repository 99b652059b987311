//! `symbolon guard` behind nginx, Caddy and `HAProxy` as Debian has them.

use std::time::{Duration, Instant};

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::{
    street::{Daemon, Echo, Kind, NAMES, Proxy, cookie, cookies, got, navigates},
    town::{PASSWORD, Town, free_port, text},
};

/// One proxy with the two apps behind it, one of each shape.
struct Street {
    town: Town,
    apps: Vec<(&'static str, Daemon, Proxy)>,
    _echo: Echo,
}

impl Street {
    async fn new(kind: Kind, freshness: &str) -> Self {
        let town = Town::new().await;
        let echo = Echo::start().await;
        let mut apps = Vec::new();
        for (app, shape) in [("pages", "session"), ("api", "jwt")] {
            let port = free_port();
            let public = format!("http://localhost:{port}");
            let redirect = format!("{public}/auth/callback");
            let secret = town.register_app(app, shape, freshness, &redirect);
            let daemon = Daemon::start(&town, app, &secret, &["--public-url", &public]).await;
            let proxy = Proxy::start(kind, port, &echo, &daemon).await;
            apps.push((app, daemon, proxy));
        }
        Self {
            town,
            apps,
            _echo: echo,
        }
    }

    async fn credential(&self, person: &str, app: &str) -> String {
        let login = self.town.sign_in(person, app).await;
        text(&login, "access_token").to_owned()
    }
}

async fn sends(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

async fn status(request: RequestBuilder) -> StatusCode {
    sends(request).await.status()
}

/// What the app got, of a request that it did get.
async fn passes(request: RequestBuilder) -> Value {
    let answer = sends(request).await;
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

macro_rules! behind {
    ($($name:ident: $kind:literal, $story:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            $story(Kind::named($kind)).await;
        }
    )*};
}

behind! {
    nginx_lets_those_in_who_are_signed_in: "nginx", lets_in;
    caddy_lets_those_in_who_are_signed_in: "caddy", lets_in;
    haproxy_lets_those_in_who_are_signed_in: "haproxy", lets_in;
    nginx_passes_no_forged_name_on: "nginx", strips;
    caddy_passes_no_forged_name_on: "caddy", strips;
    haproxy_passes_no_forged_name_on: "haproxy", strips;
    nginx_does_not_let_a_post_pass_for_a_get: "nginx", keeps_the_method;
    caddy_does_not_let_a_post_pass_for_a_get: "caddy", keeps_the_method;
    haproxy_does_not_let_a_post_pass_for_a_get: "haproxy", keeps_the_method;
    nginx_signs_people_in_and_out: "nginx", signs_in_and_out;
    caddy_signs_people_in_and_out: "caddy", signs_in_and_out;
    haproxy_signs_people_in_and_out: "haproxy", signs_in_and_out;
    nginx_passes_a_silent_refresh_on: "nginx", refreshes;
    caddy_passes_a_silent_refresh_on: "caddy", refreshes;
    haproxy_passes_a_silent_refresh_on: "haproxy", refreshes;
    nginx_refuses_what_has_ended_and_what_nobody_can_prove: "nginx", refuses;
    caddy_refuses_what_has_ended_and_what_nobody_can_prove: "caddy", refuses;
    haproxy_refuses_what_has_ended_and_what_nobody_can_prove: "haproxy", refuses;
}

/// Signed in, not signed in, allowed, not allowed.
async fn lets_in(kind: Kind) {
    let street = Street::new(kind, "within(10s)").await;
    for (app, _, proxy) in &street.apps {
        let nobody = sends(proxy.request("GET", "/account?a=b")).await;
        assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
        assert!(
            nobody.headers()["www-authenticate"]
                .to_str()
                .unwrap()
                .starts_with("Bearer")
        );
        assert_eq!(nobody.headers()["content-type"], "application/problem+json");
        let problem: Value = nobody.json().await.unwrap();
        assert_eq!(problem["type"], "urn:symbolon:problem:not-signed-in");
        let made_up = proxy.ask("GET", "/", app, "sym_s_made-up");
        assert_eq!(status(made_up).await, StatusCode::UNAUTHORIZED);

        let login = street.town.sign_in("alice", app).await;
        let alice = text(&login, "access_token");
        let bearer = proxy.request("GET", "/account?a=b").bearer_auth(alice);
        for request in [proxy.ask("GET", "/account?a=b", app, alice), bearer] {
            let echo = passes(request).await;
            assert_eq!(echo["uri"], "/account?a=b");
            assert_eq!(got(&echo, "x-auth-login"), [text(&login, "sid")]);
            assert_eq!(got(&echo, "x-auth-user").len(), 1);
            assert_eq!(got(&echo, "x-auth-user")[0].len(), 36);
            let [freshness] = got(&echo, "x-auth-freshness")[..] else {
                panic!("{echo}")
            };
            let (word, seconds) = freshness.split_once("; staleness=").unwrap();
            assert!(word == "within" || word == "live", "{freshness}");
            assert!(seconds.parse::<f64>().unwrap() <= 10.0, "{freshness}");
            assert_eq!(got(&echo, "x-auth-set-cookie-1"), Vec::<&str>::new());
        }

        let refused = sends(proxy.ask("GET", "/admin/", app, alice)).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        let problem: Value = refused.json().await.unwrap();
        assert_eq!(problem["type"], "urn:symbolon:problem:forbidden");
        let admin = street.credential("admin", app).await;
        let echo = passes(proxy.ask("GET", "/admin/", app, &admin)).await;
        assert_eq!(got(&echo, "x-auth-roles"), ["admin"]);
        assert!(
            got(&echo, "x-auth-freshness")[0].starts_with("live; "),
            "{echo}"
        );

        let public = passes(proxy.request("GET", "/public/")).await;
        assert_eq!(got(&public, "x-auth-user"), Vec::<&str>::new());
        let public = passes(proxy.ask("GET", "/public/", app, alice)).await;
        assert_eq!(got(&public, "x-auth-login"), [text(&login, "sid")]);
    }
}

/// What strangers send under the guard's names never gets to the app, however it is spelled.
async fn strips(kind: Kind) {
    let street = Street::new(kind, "within(10s)").await;
    let (app, _, proxy) = &street.apps[0];
    let login = street.town.sign_in("admin", app).await;
    let admin = text(&login, "access_token");
    let forged = |mut request: RequestBuilder| {
        for name in NAMES {
            let words: Vec<&str> = name.split('-').collect();
            for spelled in [
                name.to_owned(),
                name.to_uppercase(),
                words.join("_"),
                format!("{}-{}_{}", words[0], words[1], words[2]),
                format!("{}_{}-{}", words[0], words[1], words[2]),
            ] {
                request = request
                    .header(&spelled, "forged")
                    .header(&spelled, "forged-too");
            }
        }
        request
    };
    for request in [
        proxy.request("GET", "/public/"),
        proxy.ask("GET", "/public/", app, "sym_s_made-up"),
        proxy.ask("GET", "/public/", app, admin),
        proxy.ask("GET", "/", app, admin),
        proxy.request("GET", "/").bearer_auth(admin),
    ] {
        let echo = passes(forged(request)).await;
        assert!(!echo.to_string().contains("forged"), "{echo}");
    }
    let nobody = passes(forged(proxy.request("GET", "/public/"))).await;
    for name in NAMES {
        assert_eq!(got(&nobody, name), Vec::<&str>::new(), "{name}");
    }
    let known = passes(forged(proxy.ask("GET", "/public/", app, admin))).await;
    for name in NAMES {
        assert_eq!(got(&known, name).len(), 1, "{name}: {known}");
    }
    assert_eq!(
        status(forged(proxy.request("GET", "/"))).await,
        StatusCode::UNAUTHORIZED
    );
}

/// The rule for cookies on unsafe methods holds for the method that the browser used.
async fn keeps_the_method(kind: Kind) {
    let street = Street::new(kind, "within(10s)").await;
    let (app, _, proxy) = &street.apps[0];
    let alice = street.credential("alice", app).await;
    let posts = || {
        proxy
            .request("POST", "/transfer")
            .header("cookie", cookie(app, &alice))
            .body("to=mallory")
    };
    let own = posts().header("sec-fetch-site", "same-origin");
    let own_origin = posts().header("origin", &proxy.url);
    for request in [own, own_origin] {
        let echo = passes(request).await;
        assert_eq!(
            (&echo["method"], &echo["body"]),
            (&"POST".into(), &"to=mallory".into())
        );
    }
    let sneaky = [
        "x-forwarded-method",
        "x-original-method",
        "x-http-method-override",
        "x_forwarded_method",
    ];
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("x-nothing", ""),
    ] {
        let answer = posts().header(name, value);
        assert_eq!(
            status(answer).await,
            StatusCode::FORBIDDEN,
            "{name}: {value}"
        );
        for pretended in sneaky {
            let refused = status(posts().header(name, value).header(pretended, "GET")).await;
            assert!(refused.is_client_error(), "{pretended}: {refused}");
        }
    }
    for method in ["PUT", "DELETE", "PATCH"] {
        let request = proxy
            .request(method, "/")
            .header("cookie", cookie(app, &alice))
            .header("sec-fetch-site", "cross-site");
        assert_eq!(status(request).await, StatusCode::FORBIDDEN, "{method}");
    }
    // A link from elsewhere is no request that changes something.
    let link = proxy
        .request("GET", "/")
        .header("cookie", cookie(app, &alice))
        .header("sec-fetch-site", "cross-site");
    passes(link).await;
    // A handshake opens a channel that another site's page may use.
    let handshake = |site: &str| {
        proxy
            .request("GET", "/socket")
            .header("cookie", cookie(app, &alice))
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("sec-fetch-site", site)
    };
    assert_eq!(status(handshake("cross-site")).await, StatusCode::FORBIDDEN);
    // The app's answer is no handshake's, but it was asked.
    assert_eq!(status(handshake("same-origin")).await, StatusCode::OK);
}

/// A person's browser: from a page to the authority, back by the proxy, to the page; and out.
async fn signs_in_and_out(kind: Kind) {
    let street = Street::new(kind, "within(10s)").await;
    for (app, _, proxy) in &street.apps {
        let answer = sends(navigates(proxy.request("GET", "/account?tab=1"))).await;
        assert_eq!(answer.status(), StatusCode::FOUND);
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let authorize = location(&answer);
        let begins = format!("{}/oauth2/authorize?", street.town.url);
        assert!(authorize.starts_with(&begins), "{authorize}");
        let [transaction] = &cookies(&answer)[..] else {
            panic!("{:?}", answer.headers())
        };
        let transaction = format!("{}={}", transaction.0, transaction.1);

        let fields = [("identifier", "alice"), ("password", PASSWORD)];
        let form = street
            .town
            .http
            .post(format!("{}/sign-in", street.town.url));
        let signed_in = sends(form.header("sec-fetch-site", "same-origin").form(&fields)).await;
        let login: Vec<String> = cookies(&signed_in)
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let agreed = sends(
            street
                .town
                .http
                .get(&authorize)
                .header("cookie", login.join("; ")),
        )
        .await;
        let callback = location(&agreed);
        let path = callback.strip_prefix(&proxy.url).unwrap();
        assert!(path.starts_with("/auth/callback?"), "{callback}");

        let elsewhere = sends(navigates(proxy.request("GET", path))).await;
        assert_eq!(
            elsewhere.status(),
            StatusCode::BAD_REQUEST,
            "another browser"
        );
        let back = navigates(proxy.request("GET", path)).header("cookie", &transaction);
        let back = sends(back).await;
        assert_eq!(back.status(), StatusCode::FOUND);
        assert_eq!(location(&back), "/account?tab=1");
        let access = cookies(&back)
            .into_iter()
            .find(|(name, _)| *name == format!("__Host-{app}"))
            .unwrap()
            .1;
        passes(proxy.ask("GET", "/account?tab=1", app, &access)).await;

        // The page that was asked for by a form is not asked for again.
        let posted = status(navigates(proxy.request("POST", "/account"))).await;
        assert_eq!(posted, StatusCode::UNAUTHORIZED);
        let sent_on = sends(proxy.request("GET", "/auth/sign-in?return_to=/x")).await;
        assert!(location(&sent_on).starts_with(&begins));

        let forged = proxy
            .request("POST", "/auth/sign-out")
            .header("cookie", cookie(app, &access))
            .header("sec-fetch-site", "cross-site");
        assert_eq!(status(forged).await, StatusCode::FORBIDDEN);
        let out = sends(proxy.ask("POST", "/auth/sign-out", app, &access).body("")).await;
        assert_eq!(out.status(), StatusCode::SEE_OTHER);
        assert!(cookies(&out).contains(&(format!("__Host-{app}"), String::new())));
        let began = Instant::now();
        while status(proxy.ask("GET", "/", app, &access)).await != StatusCode::UNAUTHORIZED {
            assert!(began.elapsed() < Duration::from_secs(10));
        }
    }
}

fn location(answer: &Response) -> String {
    answer.headers()["location"].to_str().unwrap().to_owned()
}

/// A token at its end is renewed in passing, and both new cookies get to the browser.
async fn refreshes(kind: Kind) {
    let street = Street::new(kind, "within(10s)").await;
    let (app, _, proxy) = &street.apps[1];
    street
        .town
        .order(&["app", "set", app, "--access-token", "1"], "");
    let login = street.town.sign_in("alice", app).await;
    let (access, refresh) = (text(&login, "access_token"), text(&login, "refresh_token"));
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let both = |access: &str, refresh: &str| {
        format!("__Host-{app}={access}; __Host-{app}-refresh={refresh}")
    };
    let stale = proxy
        .request("GET", "/")
        .header("cookie", cookie(app, access));
    assert_eq!(status(stale).await, StatusCode::UNAUTHORIZED);
    street
        .town
        .order(&["app", "set", app, "--access-token", "300"], "");

    let asked = proxy
        .request("GET", "/")
        .header("cookie", both(access, refresh));
    let answer = sends(asked).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let set = cookies(&answer);
    let new = |name: String| {
        let found: Vec<_> = set.iter().filter(|(known, _)| *known == name).collect();
        assert_eq!(found.len(), 1, "{name} in {set:?}");
        found[0].1.clone()
    };
    let (fresh, successor) = (
        new(format!("__Host-{app}")),
        new(format!("__Host-{app}-refresh")),
    );
    assert!(fresh.starts_with("eyJ") && fresh != access);
    assert!(successor.starts_with("sym_r_") && successor != refresh);
    let caches = answer.headers().get_all("cache-control").iter();
    assert!(
        caches
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.contains("no-store"))
    );
    let echo: Value = answer.json().await.unwrap();
    assert_eq!(got(&echo, "x-auth-login"), [text(&login, "sid")]);

    let next = sends(
        proxy
            .request("GET", "/")
            .header("cookie", both(&fresh, &successor)),
    )
    .await;
    assert_eq!(next.status(), StatusCode::OK);
    assert_eq!(cookies(&next), []);
}

/// An end is heard of within the bound; without the authority, or the daemon, there is no yes.
async fn refuses(kind: Kind) {
    let mut street = Street::new(kind, "within(2s)").await;
    let mut kept = Vec::new();
    for (app, _, proxy) in &street.apps {
        let alice = street.credential("alice", app).await;
        let bob = street.credential("bob", app).await;
        passes(proxy.ask("GET", "/", app, &alice)).await;
        passes(proxy.ask("GET", "/", app, &bob)).await;
        street.town.end_all(&alice).await;
        let acknowledged = Instant::now();
        loop {
            let asked = Instant::now();
            let answer = status(proxy.ask("GET", "/", app, &alice)).await;
            if answer == StatusCode::UNAUTHORIZED {
                break;
            }
            assert!(
                asked - acknowledged < Duration::from_secs(2),
                "{answer} after the bound"
            );
        }
        kept.push(bob);
    }
    street.town.kill();
    let killed = Instant::now();
    for ((app, _, proxy), bob) in street.apps.iter().zip(&kept) {
        loop {
            let asked = Instant::now();
            let answer = status(proxy.ask("GET", "/", app, bob)).await;
            if answer == StatusCode::SERVICE_UNAVAILABLE {
                break;
            }
            assert_eq!(answer, StatusCode::OK);
            assert!(
                asked - killed < Duration::from_secs(2),
                "a yes after the bound"
            );
        }
        // Nor where it is optional, nor for a person's browser, nor with more demanded.
        let unproved = StatusCode::SERVICE_UNAVAILABLE;
        let (optional, more, page) = tokio::join!(
            status(proxy.ask("GET", "/public/", app, bob)),
            status(proxy.ask("GET", "/admin/", app, bob)),
            sends(navigates(proxy.ask("GET", "/", app, bob))),
        );
        assert_eq!([optional, more], [unproved; 2]);
        assert_eq!(page.status(), unproved);
        assert_eq!(page.headers()["retry-after"], "1");
        assert_eq!(cookies(&page), []);
    }
    for ((app, daemon, proxy), bob) in street.apps.iter_mut().zip(&kept) {
        daemon.process.kill();
        let answers = tokio::join!(
            status(proxy.ask("GET", "/", app, bob)),
            status(proxy.ask("GET", "/public/", app, bob)),
            status(proxy.ask("GET", "/admin/", app, bob)),
        );
        for answer in [answers.0, answers.1, answers.2] {
            assert!(answer.is_server_error(), "{answer}");
        }
    }
}

/// A script that breaks decides nothing in `HAProxy`, which then goes on: the example must not.
#[tokio::test(flavor = "multi_thread")]
async fn haproxy_with_a_broken_script_lets_nobody_in() {
    let town = Town::new().await;
    let echo = Echo::start().await;
    let port = free_port();
    let public = format!("http://localhost:{port}");
    let redirect = format!("{public}/auth/callback");
    let secret = town.register_app("pages", "session", "within(10s)", &redirect);
    let daemon = Daemon::start(&town, "pages", &secret, &["--public-url", &public]).await;
    let breaks = [("core.httpclient()", "nothing.at_all()".to_owned())];
    let proxy = Proxy::start_with(Kind::Haproxy, port, &echo, &daemon, &breaks).await;
    let login = town.sign_in("admin", "pages").await;
    for path in ["/", "/public/", "/admin/"] {
        let asked = proxy.ask("GET", path, "pages", text(&login, "access_token"));
        assert_eq!(
            status(asked).await,
            StatusCode::SERVICE_UNAVAILABLE,
            "{path}"
        );
    }
}
