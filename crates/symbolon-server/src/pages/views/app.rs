//! One app: its traffic, and what the adviser thinks of its present settings.

use std::time::Duration;

use askama::Template;
use symbolon_adviser::{
    Carrier, Compared, Dial, Freshness, Lang, Report, Row, Shape, Verdict, bytes, dial_name, human,
};
use symbolon_authority::App;

use super::{
    adviser::{FlipLine, Line, flips, line},
    apps::freshness,
    login::shape,
};
use crate::{
    advice::Opinion,
    board::Traffic,
    pages::{moment::span, page::Page, words::Words},
};

/// The page of an app.
#[derive(Template)]
#[template(path = "app.html")]
pub(crate) struct AppPage {
    pub(crate) page: Page,
    pub(crate) t: Words,
    pub(crate) client_id: String,
    pub(crate) name: String,
    /// Whether the verdict agrees, in a sentence.
    pub(crate) verdict: String,
    pub(crate) traffic: String,
    pub(crate) dials: Vec<DialRow>,
    pub(crate) reasons: Vec<Line>,
    pub(crate) against: Line,
    pub(crate) flips: Vec<FlipLine>,
    pub(crate) prices: Vec<PriceRow>,
    pub(crate) assumed: Vec<String>,
    /// The facts that are known here, and those that are not.
    pub(crate) known: Vec<String>,
    pub(crate) unknown: Vec<&'static str>,
    /// The adviser's page with the same facts.
    pub(crate) adviser: String,
}

/// One dial, now and as advised.
#[derive(Clone, Debug)]
pub(crate) struct DialRow {
    pub(crate) name: &'static str,
    pub(crate) now: String,
    pub(crate) advised: String,
    /// None where it is not known how it stands.
    pub(crate) agrees: Option<bool>,
}

/// One number of the price, now and as advised.
#[derive(Clone, Debug)]
pub(crate) struct PriceRow {
    pub(crate) name: String,
    pub(crate) now: String,
    pub(crate) advised: String,
}

impl AppPage {
    /// The page of this app.
    pub(crate) fn new(
        page: Page,
        lang: Lang,
        app: &App,
        opinion: &Opinion,
        report: &Report,
    ) -> Self {
        let t = page.t;
        let dials = opinion.comparison.dials.iter();
        let assumed = report.assumed.iter();
        let known = opinion.facts.known();
        Self {
            t,
            client_id: app.settings.client_id.to_string(),
            name: app.name.clone(),
            verdict: verdict(t, opinion),
            traffic: traffic(t, app, &opinion.traffic),
            dials: dials
                .map(|one| DialRow::new(t, lang, app, &opinion.verdict, one))
                .collect(),
            reasons: report.reasons.iter().map(|one| line(one, lang)).collect(),
            against: line(&report.against, lang),
            flips: flips(t, lang, report),
            prices: prices(
                t,
                report,
                &opinion.comparison.now,
                &opinion.comparison.advised,
            ),
            assumed: assumed
                .map(|one| t.adviser_assumed(one.fact, human(one.value), one.text))
                .collect(),
            known: known
                .map(|(fact, value)| format!("{} = {value}", fact.about().name))
                .collect(),
            unknown: report.unknown.clone(),
            adviser: opinion.adviser(),
            page,
        }
    }
}

/// Whether the verdict agrees with the present settings, and what it says otherwise.
pub(super) fn verdict(t: Words, opinion: &Opinion) -> String {
    if opinion.comparison.agrees {
        return t.advice_agrees();
    }
    let Verdict {
        shape,
        carrier,
        freshness: fresh,
        ..
    } = &opinion.verdict;
    let said = [
        shape_name(t, *shape),
        carrier_name(t, *carrier),
        freshness_name(t, *fresh),
    ];
    t.advice_differs(said.join(", "))
}

/// What the guards say, in a sentence.
pub(super) fn traffic(t: Words, app: &App, traffic: &Traffic) -> String {
    let Traffic {
        guards,
        counted,
        requests_per_second,
        cookie_share,
    } = *traffic;
    let Some(requests) = requests_per_second else {
        return if app.secret.is_none() {
            t.traffic_of_public()
        } else if guards == 0 {
            t.traffic_without_guards()
        } else {
            t.traffic_not_counted(guards)
        };
    };
    let said = t.traffic_measured(human(requests), counted, guards);
    match cookie_share {
        Some(share) => {
            let percent = format!("{:.0}", share * 100.0);
            format!("{said} {}", t.traffic_cookies(percent))
        }
        None => said,
    }
}

impl DialRow {
    fn new(t: Words, lang: Lang, app: &App, verdict: &Verdict, compared: &Compared) -> Self {
        let settings = &app.settings;
        let lifetimes = &settings.lifetimes;
        let seconds = |seconds| span(t, Duration::from_secs(seconds));
        let both = |idle: String, absolute: String| format!("{idle} / {absolute}");
        let (now, advised) = match compared.dial {
            Dial::Shape => (shape(t, settings.shape), shape_name(t, verdict.shape)),
            Dial::Carrier => {
                let now = match compared.now.as_deref() {
                    Some("cookie") => carrier_name(t, Carrier::Cookie),
                    Some(_) => carrier_name(t, Carrier::Bearer),
                    None => t.adviser_unknown(),
                };
                (now, carrier_name(t, verdict.carrier))
            }
            Dial::Freshness => (
                freshness(t, settings.freshness),
                freshness_name(t, verdict.freshness),
            ),
            Dial::Token => (
                span(t, lifetimes.access_token()),
                seconds(verdict.token_seconds),
            ),
            Dial::Lifetime => (
                both(span(t, lifetimes.idle()), span(t, lifetimes.absolute())),
                both(
                    seconds(verdict.idle_seconds),
                    seconds(verdict.absolute_seconds),
                ),
            ),
            Dial::Routes => (t.adviser_unknown(), compared.advised.clone()),
        };
        Self {
            name: dial_name(compared.dial, lang),
            now,
            advised,
            agrees: compared.agrees,
        }
    }
}

fn shape_name(t: Words, advised: Shape) -> String {
    match advised {
        Shape::Session => t.shape_session(),
        Shape::Jwt => t.shape_jwt(),
    }
}

fn carrier_name(t: Words, carrier: Carrier) -> String {
    match carrier {
        Carrier::Cookie => t.carrier_cookie(),
        Carrier::Bearer => t.carrier_bearer(),
    }
}

fn freshness_name(t: Words, advised: Freshness) -> String {
    let same = match advised {
        Freshness::Live => symbolon_login::Freshness::Live,
        Freshness::Within(seconds) => {
            symbolon_login::Freshness::Within(Duration::from_secs(seconds))
        }
        Freshness::UntilExpiry => symbolon_login::Freshness::UntilExpiry,
    };
    freshness(t, same)
}

fn prices(t: Words, report: &Report, now: &Row, advised: &Row) -> Vec<PriceRow> {
    let cells = |row: &Row| {
        [
            human(row.questions.value),
            human(row.store_writes.value),
            human(row.cores.value),
            bytes(row.memory.value),
            bytes(row.network.value),
            human(row.bytes_per_request.value),
            report.window(row.window_usual_seconds, row.window_worst_seconds),
        ]
    };
    let names = [
        t.adviser_questions(),
        t.adviser_writes(),
        t.adviser_cores(),
        t.adviser_memory(),
        t.adviser_network(),
        t.adviser_bytes(),
        t.adviser_window(),
    ];
    let both = cells(now).into_iter().zip(cells(advised));
    names
        .into_iter()
        .zip(both)
        .map(|(name, (now, advised))| PriceRow { name, now, advised })
        .collect()
}
