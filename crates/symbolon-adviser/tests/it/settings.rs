//! The settings are what an operator can use as they stand.

use symbolon_adviser::{Framework, Site, advise, command, toml};

use crate::facts;

#[test]
fn the_command_says_both_dials_and_what_differs() {
    let site = Site::new(
        "https://login.example.com",
        "desk",
        "https://desk.example.com",
    )
    .unwrap();
    for (pairs, expected) in [
        (
            &[("platform", "web")][..],
            "symbolon app add desk --shape session --freshness 'within(10s)' --redirect-uri https://desk.example.com/auth/callback",
        ),
        (
            &[("platform", "mobile"), ("scale", "yes")],
            "symbolon app add desk --shape jwt --freshness 'within(10s)' --access-token 3600 --redirect-uri https://desk.example.com/auth/callback --public",
        ),
        (
            &[
                ("platform", "intranet"),
                ("sensitive", "yes"),
                ("end_within", "0s"),
            ],
            "symbolon app add desk --shape session --freshness 'live' --idle 3600 --absolute 86400 --redirect-uri https://desk.example.com/auth/callback",
        ),
        (
            &[
                ("platform", "api"),
                ("third_party", "yes"),
                ("end_within", "2m"),
            ],
            "symbolon app add desk --shape jwt --freshness 'until_expiry' --access-token 120",
        ),
        (
            &[("platform", "spa")],
            "symbolon app add desk --shape jwt --freshness 'within(10s)' --redirect-uri https://desk.example.com/auth/callback",
        ),
    ] {
        let facts = facts(pairs);
        let told = command(&facts, &advise(&facts), &site);
        let words: Vec<&str> = told
            .split_whitespace()
            .filter(|word| *word != "\\")
            .collect();
        assert_eq!(words.join(" "), expected);
    }
}

#[test]
fn the_file_is_toml_with_the_names_of_the_api() {
    let facts = facts(&[("platform", "spa"), ("domains", "3"), ("scale", "yes")]);
    let text = toml(&facts, &advise(&facts), &Site::default());
    let read: toml::Table = text.parse().unwrap();
    let expected: toml::Table = r#"
        client_id = "my-app"
        shape = "jwt"
        freshness = "within(10s)"
        redirect_uris = ["https://app.example.com/auth/callback"]
        confidential = false
        lifetimes = { idle_seconds = 604800, absolute_seconds = 2592000, access_token_seconds = 3600, refresh_grace_seconds = 10 }
    "#
    .parse()
    .unwrap();
    assert_eq!(read, expected);
}

#[test]
fn examples_fit_the_verdict_and_are_filled_in() {
    let site = Site::new(
        "https://login.example.org",
        "desk",
        "https://desk.example.org/",
    )
    .unwrap();
    for (pairs, sign, foreign) in [
        (&[("platform", "web")][..], "X-Auth-User", "jwks"),
        (&[("platform", "mobile")], "/check", "jwks"),
        (
            &[("platform", "api"), ("third_party", "yes")],
            "/.well-known/jwks.json",
            "X-Auth-User",
        ),
    ] {
        let facts = facts(pairs);
        let verdict = advise(&facts);
        for framework in Framework::ALL {
            let code = framework.example(&facts, &verdict, &site);
            assert!(!code.contains("{{"), "{code}");
            assert!(code.contains("https://login.example.org"), "{code}");
            assert!(!code.contains("example.org/\""), "{code}");
            if framework == Framework::Axum {
                assert!(code.contains("Guard::builder"));
            } else {
                assert!(code.contains(sign), "{}: {code}", framework.name());
                assert!(!code.contains(foreign), "{}: {code}", framework.name());
            }
        }
    }
}

/// Whoever checks with a library names all that it has to expect.
#[test]
fn examples_with_a_library_leave_nothing_to_its_defaults() {
    let facts = facts(&[("third_party", "yes")]);
    let verdict = advise(&facts);
    for framework in [Framework::Flask, Framework::Django, Framework::Express] {
        let code = framework.example(&facts, &verdict, &Site::default());
        for expectation in ["ES256", "audience", "issuer", "at+jwt", "exp", "401", "503"] {
            assert!(
                code.contains(expectation),
                "{}: {expectation}",
                framework.name()
            );
        }
    }
}

#[test]
fn a_name_that_would_be_code_is_refused() {
    let good = ("https://a.example", "app", "http://localhost:3000");
    assert!(Site::new(good.0, good.1, good.2).is_ok());
    for wrong in [
        "",
        "https://",
        "ftp://a.example",
        "javascript:alert(1)",
        "https://a.example?x=1",
        "https://a.example\"",
        "https://a.example/$(id)",
        "https://a.example/`id`",
        "https://a.example/ x",
        "https:///x",
        "https://a.example/'",
    ] {
        assert_eq!(
            Site::new(wrong, good.1, good.2).unwrap_err().field,
            "authority",
            "{wrong}"
        );
        assert_eq!(
            Site::new(good.0, good.1, wrong).unwrap_err().field,
            "public_url",
            "{wrong}"
        );
    }
    for wrong in ["", "App", "a b", "a;b", "a\"", "앱", &"a".repeat(65)] {
        let error = Site::new(good.0, wrong, good.2).unwrap_err();
        assert!(
            error.to_string().starts_with("app: expected 1 to 64"),
            "{wrong}"
        );
    }
}
