//! What the adviser thinks of an app's present settings, with what is known here filled in.
//!
//! Only what costs nothing to know: settings, and what guards report. People and logins would have to be counted
//! in the store, so they stay unknown, which is an answer that the adviser takes.

use symbolon_adviser::{
    Carrier, Comparison, Fact, Facts, Freshness, Lang, Present, Report, Shape, Site, Verdict,
    advise,
};
use symbolon_authority::App;
use symbolon_login::AppSettings;
use url::{Url, form_urlencoded::Serializer};

use crate::board::Traffic;

/// From this share of its requests on an app is said to use one carrier.
const NEARLY_ALL: f64 = 0.9;

/// An app's present settings, its traffic, and what the adviser says about them.
pub(crate) struct Opinion {
    pub(crate) traffic: Traffic,
    /// What could be filled in.
    pub(crate) facts: Facts,
    pub(crate) verdict: Verdict,
    pub(crate) comparison: Comparison,
}

impl Opinion {
    /// About an app with this traffic.
    pub(crate) fn of(app: &App, traffic: Traffic) -> Self {
        let facts = facts(app, &traffic);
        let verdict = advise(&facts);
        let comparison = Comparison::new(&facts, &verdict, &present(&app.settings, &traffic));
        Self {
            traffic,
            facts,
            verdict,
            comparison,
        }
    }

    /// The advice at length. `issuer` and the app's name go into its settings.
    pub(crate) fn report(&self, app: &App, issuer: &str, lang: Lang) -> Report {
        let public_url = app.redirect_uris.first().and_then(|uri| {
            let url = Url::parse(&uri.to_string()).ok()?;
            Some(url.origin().ascii_serialization())
        });
        let default = "https://app.example.com".to_owned();
        let site = Site::new(
            issuer,
            app.settings.client_id.as_str(),
            &public_url.unwrap_or(default),
        );
        Report::new(&self.facts, &site.unwrap_or_default(), lang)
    }

    /// The adviser's own page with the same facts, for who knows more.
    pub(crate) fn adviser(&self) -> String {
        let known = self.facts.known();
        let pairs = known.map(|(fact, value)| (fact.about().name, value.to_string()));
        let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("/adviser?{query}")
    }
}

fn facts(app: &App, traffic: &Traffic) -> Facts {
    let mut facts = Facts::unknown();
    let mut fill = |fact: Fact, text: &str| {
        // What is no answer to the adviser is unknown to it.
        if let Ok(value) = fact.parse(text) {
            facts.set(fact, value);
        }
    };
    fill(Fact::Existing, &app.settings.shape.to_string());
    if let Some(requests) = traffic.requests_per_second {
        // Little traffic is not none.
        let whole = if requests > 0.0 {
            requests.round().max(1.0)
        } else {
            0.0
        };
        fill(Fact::RequestsPerSecond, &format!("{whole:.0}"));
    }
    facts
}

fn present(settings: &AppSettings, traffic: &Traffic) -> Present {
    let lifetimes = &settings.lifetimes;
    Present {
        shape: match settings.shape {
            symbolon_login::Shape::Session => Shape::Session,
            symbolon_login::Shape::Jwt => Shape::Jwt,
        },
        carrier: traffic.cookie_share.and_then(|share| match share {
            share if share >= NEARLY_ALL => Some(Carrier::Cookie),
            share if share <= 1.0 - NEARLY_ALL => Some(Carrier::Bearer),
            _ => None,
        }),
        freshness: match settings.freshness {
            symbolon_login::Freshness::Live => Freshness::Live,
            symbolon_login::Freshness::Within(bound) => {
                Freshness::Within(bound.as_secs() + u64::from(bound.subsec_nanos() > 0))
            }
            symbolon_login::Freshness::UntilExpiry => Freshness::UntilExpiry,
        },
        token_seconds: lifetimes.access_token().as_secs(),
        idle_seconds: lifetimes.idle().as_secs(),
        absolute_seconds: lifetimes.absolute().as_secs(),
        guards: (traffic.guards > 0).then_some(traffic.guards),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::time::Duration;

    use symbolon_adviser::Dial;
    use symbolon_login::{Lifetimes, UnixMillis};

    use super::*;

    fn app(shape: symbolon_login::Shape) -> App {
        App {
            settings: AppSettings {
                client_id: "shop".parse().unwrap(),
                shape,
                freshness: symbolon_login::Freshness::Within(Duration::from_millis(9_500)),
                lifetimes: Lifetimes::default(),
            },
            name: "Shop".to_owned(),
            limit: None,
            redirect_uris: vec!["https://shop.example.test/cb".parse().unwrap()],
            secret: None,
            first_party: false,
            created_at: UnixMillis::from_millis(0),
        }
    }

    fn traffic(requests_per_second: f64, cookie_share: f64) -> Traffic {
        Traffic {
            guards: 2,
            counted: 2,
            requests_per_second: Some(requests_per_second),
            cookie_share: Some(cookie_share),
        }
    }

    #[test]
    fn what_is_measured_is_filled_in_and_the_rest_is_unknown() {
        for (requests, told) in [(0.0, 0), (0.02, 1), (41.6, 42), (3e7, 30_000_000)] {
            let opinion = Opinion::of(&app(symbolon_login::Shape::Jwt), traffic(requests, 1.0));
            let known = opinion.facts.number(Fact::RequestsPerSecond);
            assert_eq!(known, Some(told), "{requests}");
            assert_eq!(opinion.facts.known().count(), 2);
            let query = format!("/adviser?existing=jwt&requests_per_second={told}");
            assert_eq!(opinion.adviser(), query);
        }
        let unheard = Opinion::of(&app(symbolon_login::Shape::Session), Traffic::default());
        assert_eq!(unheard.adviser(), "/adviser?existing=session");
        // More than the adviser takes for possible is unknown to it.
        let absurd = Opinion::of(&app(symbolon_login::Shape::Jwt), traffic(1e12, 1.0));
        assert_eq!(absurd.facts.get(Fact::RequestsPerSecond), None);
    }

    #[test]
    fn the_carrier_is_what_nearly_all_requests_use() {
        for (share, carrier) in [
            (1.0, Some("cookie")),
            (0.95, Some("cookie")),
            (0.5, None),
            (0.01, Some("bearer")),
        ] {
            let opinion = Opinion::of(&app(symbolon_login::Shape::Session), traffic(9.0, share));
            let dials = &opinion.comparison.dials;
            let found = dials.iter().find(|one| one.dial == Dial::Carrier).unwrap();
            assert_eq!(found.now.as_deref(), carrier, "{share}");
        }
    }

    #[test]
    fn the_settings_name_the_app_where_it_is() {
        let app = app(symbolon_login::Shape::Jwt);
        let opinion = Opinion::of(&app, traffic(9.0, 1.0));
        let report = opinion.report(&app, "https://login.example.test", Lang::En);
        let command = &report.settings.command;
        assert!(command.contains("app add shop"), "{command}");
        assert!(command.contains("https://shop.example.test/auth/callback"));
    }
}
