//! The page of an app.

use super::{
    super::app::{AppPage, traffic},
    *,
};
use crate::advice::Opinion;

const BUSY: Traffic = Traffic {
    guards: 3,
    counted: 2,
    requests_per_second: Some(12_345.6),
    cookie_share: Some(0.25),
};

fn page_of(language: Language, app: &App, traffic: Traffic) -> AppPage {
    let opinion = Opinion::of(app, traffic);
    let report = opinion.report(app, "https://login.example.test", language.into());
    AppPage::new(page(language), language.into(), app, &opinion, &report)
}

/// The page of a busy app of this name.
pub(super) fn of(language: Language, name: String) -> AppPage {
    let mut app = app("dashboard", Shape::Jwt);
    app.name = name;
    page_of(language, &app, BUSY)
}

#[test]
fn an_apps_settings_stand_beside_what_the_adviser_says() {
    for (language, parts) in [
        (
            Language::En,
            [
                "12,300 requests with a credential a second",
                "by 2 of 3 guards",
                "25 % of them",
                "The adviser would take: JWT, HttpOnly cookie, Within 10 seconds",
                "<strong>no</strong>",
                "Unknown to the console",
            ],
        ),
        (
            Language::Ko,
            [
                "초당 12,300건",
                "가드 3개 가운데 2개가 보고",
                "25%가 쿠키로",
                "추천 설정: JWT, HttpOnly 쿠키, 10초 이내",
                "<strong>아니요</strong>",
                "관리자 화면이 알 수 없어",
            ],
        ),
    ] {
        let html = of(language, "Shop".to_owned()).render().unwrap();
        let link = "href=\"/adviser?existing=jwt&#38;requests_per_second=12346\"";
        for part in parts
            .into_iter()
            .chain([link, "large-load-jwt", "platform"])
        {
            assert!(html.contains(part), "{part}: {html}");
        }
        // Both prices, and the carrier that is neither.
        assert_eq!(html.matches("<td class=\"number\">").count(), 14);
        assert!(html.contains(&Words::of(language).adviser_unknown()));
    }
}

#[test]
fn settings_as_advised_are_called_so() {
    let mut app = app("dashboard", Shape::Session);
    app.settings.freshness = Freshness::DEFAULT;
    let quiet = Traffic {
        requests_per_second: Some(3.0),
        cookie_share: Some(1.0),
        ..BUSY
    };
    let html = page_of(Language::En, &app, quiet).render().unwrap();
    assert!(html.contains("The adviser agrees with the present settings."));
    assert!(!html.contains("<strong>no</strong>"));
}

#[test]
fn why_the_traffic_is_unknown_is_said() {
    let t = Words::of(Language::En);
    let mut app = app("dashboard", Shape::Jwt);
    let heard = |guards| Traffic {
        guards,
        ..Traffic::default()
    };
    assert!(traffic(t, &app, &heard(0)).contains("a public app has no secret"));
    app.secret = Some(Digest::of("test", b""));
    assert!(traffic(t, &app, &heard(0)).contains("no guard of this app"));
    assert!(traffic(t, &app, &heard(2)).contains("of 2 guards none tells"));
}
