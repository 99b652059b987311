//! Apps, their dials, and the form of a new one.

use std::time::Duration;

use askama::Template;
use serde::Deserialize;
use symbolon_authority::App;
use symbolon_login::{AppSettings, AtLimit, ClientId, Freshness, Shape};

use super::{
    app,
    limit::{self, LimitFields},
    login::shape,
};
use crate::{
    advice::Opinion,
    board::{GuardSeen, Traffic},
    pages::{moment::span, page::Page, words::Words},
};

/// The positions of the second dial that the pages offer; the API takes any.
const OFFERED: [Freshness; 5] = [
    Freshness::Live,
    Freshness::Within(Duration::from_secs(1)),
    Freshness::DEFAULT,
    Freshness::Within(Duration::from_secs(60)),
    Freshness::UntilExpiry,
];

/// The list of apps.
#[derive(Template)]
#[template(path = "apps.html")]
pub(crate) struct AppsPage {
    pub(crate) page: Page,
    pub(crate) t: Words,
    pub(crate) apps: Vec<AppCard>,
    /// What was just done.
    pub(crate) notice: Option<TurnNotice>,
    pub(crate) form: AppForm,
    /// The second dial of the form.
    pub(crate) freshness_options: Vec<FreshnessOption>,
    /// The limit of the form.
    pub(crate) limit: LimitFields,
}

/// One app.
#[derive(Clone, Debug)]
pub(crate) struct AppCard {
    pub(crate) client_id: String,
    pub(crate) name: String,
    /// Whether it is these pages themselves, whose dials stay as they are.
    pub(crate) console: bool,
    pub(crate) shape: String,
    pub(crate) shape_hint: String,
    /// The shape that a flip gives: its value and its name.
    pub(crate) flip: (String, String),
    pub(crate) freshness: String,
    pub(crate) freshness_options: Vec<FreshnessOption>,
    pub(crate) idle: String,
    pub(crate) absolute: String,
    pub(crate) access_token: String,
    pub(crate) grace: String,
    pub(crate) limit_text: String,
    pub(crate) limit: LimitFields,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) confidential: bool,
    pub(crate) first_party: bool,
    pub(crate) guards: Vec<GuardRow>,
    /// What the adviser thinks, in a sentence.
    pub(crate) verdict: String,
    pub(crate) traffic: String,
}

/// A guard of the app that follows the feed.
#[derive(Clone, Debug)]
pub(crate) struct GuardRow {
    /// The first characters of its id.
    pub(crate) guard: String,
    pub(crate) position: String,
    pub(crate) seen: String,
}

/// A position of the second dial.
#[derive(Clone, Debug)]
pub(crate) struct FreshnessOption {
    pub(crate) value: String,
    pub(crate) text: String,
    pub(crate) selected: bool,
}

/// What can be turned on the running system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dial {
    /// Session or JWT.
    Shape,
    /// How stale a yes may be.
    Freshness,
    /// How many logins a person may have at once.
    Limit,
}

impl Dial {
    /// Its name in an address.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Shape => "shape",
            Self::Freshness => "freshness",
            Self::Limit => "limit",
        }
    }
}

/// A dial that was just turned.
#[derive(Clone, Debug)]
pub(crate) struct Turned {
    pub(crate) dial: Dial,
    pub(crate) client_id: String,
}

/// What the page says about it.
#[derive(Clone, Debug)]
pub(crate) struct TurnNotice {
    pub(crate) text: String,
    /// The plain promise after a flip.
    pub(crate) promise: Option<String>,
}

/// What was typed for a new app.
#[derive(Clone, Debug)]
pub(crate) struct AppForm {
    pub(crate) client_id: String,
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) freshness: Freshness,
    pub(crate) redirect_uris: String,
    pub(crate) max_logins: String,
    pub(crate) at_limit: AtLimit,
    pub(crate) confidential: bool,
    pub(crate) first_party: bool,
    /// What was wrong with it.
    pub(crate) bad: Option<BadApp>,
}

impl Default for AppForm {
    fn default() -> Self {
        Self {
            client_id: String::new(),
            name: String::new(),
            shape: Shape::Session,
            freshness: Freshness::default(),
            redirect_uris: String::new(),
            max_logins: String::new(),
            at_limit: AtLimit::EndOldest,
            confidential: true,
            first_party: false,
            bad: None,
        }
    }
}

/// Why a new app was not registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadApp {
    /// Not a client id.
    ClientId,
    /// Not a name.
    Name,
    /// Not a redirect URI.
    RedirectUri,
    /// Not a number of logins.
    Limit,
    /// That client id is in use.
    Taken,
}

impl BadApp {
    /// The sentence.
    pub(crate) fn text(self, t: Words) -> String {
        match self {
            Self::ClientId => t.bad_client_id(),
            Self::Name => t.bad_app_name(),
            Self::RedirectUri => t.bad_redirect_uri(),
            Self::Limit => t.bad_limit(),
            Self::Taken => t.client_id_taken(),
        }
    }
}

/// An app that was just registered, with its secret. No Debug: it holds the secret.
#[derive(Template)]
#[template(path = "app_added.html")]
pub(crate) struct AddedPage<'a> {
    pub(crate) page: Page,
    pub(crate) t: Words,
    pub(crate) client_id: String,
    pub(crate) name: String,
    /// None for a public client.
    pub(crate) secret: Option<&'a str>,
}

impl<'a> AddedPage<'a> {
    /// The page that shows the secret, this once.
    pub(crate) fn new(page: Page, app: &App, secret: Option<&'a str>) -> Self {
        Self {
            t: page.t,
            page,
            client_id: app.settings.client_id.to_string(),
            name: app.name.clone(),
            secret,
        }
    }
}

impl AppsPage {
    /// The list.
    pub(crate) fn new(
        page: Page,
        apps: &[App],
        console: &ClientId,
        guards: &[GuardSeen],
        traffic: impl Fn(&ClientId) -> Traffic,
        turned: Option<Turned>,
        form: AppForm,
    ) -> Self {
        let t = page.t;
        let notice = turned.and_then(|turned| {
            let app = apps
                .iter()
                .find(|app| app.settings.client_id.as_str() == turned.client_id)?;
            Some(TurnNotice::new(t, turned.dial, app))
        });
        let apps = apps
            .iter()
            .map(|app| {
                let opinion = Opinion::of(app, traffic(&app.settings.client_id));
                AppCard::new(t, app, console, guards, &opinion)
            })
            .collect();
        Self {
            page,
            t,
            apps,
            notice,
            freshness_options: options(t, form.freshness),
            limit: LimitFields::typed(t, form.max_logins.clone(), form.at_limit),
            form,
        }
    }
}

impl TurnNotice {
    fn new(t: Words, dial: Dial, app: &App) -> Self {
        match dial {
            Dial::Shape => Self {
                text: t.notice_shape_changed(&app.name, shape(t, app.settings.shape)),
                promise: Some(t.notice_nobody_signs_in_again()),
            },
            Dial::Freshness => Self {
                text: t.notice_freshness_changed(&app.name, freshness(t, app.settings.freshness)),
                promise: None,
            },
            Dial::Limit => Self {
                text: t.notice_limit_changed(&app.name, limit::text(t, app.limit)),
                promise: None,
            },
        }
    }
}

impl AppCard {
    fn new(
        t: Words,
        app: &App,
        console: &ClientId,
        guards: &[GuardSeen],
        opinion: &Opinion,
    ) -> Self {
        let AppSettings {
            client_id,
            shape: now,
            freshness: fresh,
            lifetimes,
        } = &app.settings;
        let other = match now {
            Shape::Session => Shape::Jwt,
            Shape::Jwt => Shape::Session,
        };
        Self {
            verdict: app::verdict(t, opinion),
            traffic: app::traffic(t, app, &opinion.traffic),
            client_id: client_id.to_string(),
            name: app.name.clone(),
            console: client_id == console,
            shape: shape(t, *now),
            shape_hint: match now {
                Shape::Session => t.app_shape_session_hint(),
                Shape::Jwt => t.app_shape_jwt_hint(),
            },
            flip: (other.to_string(), shape(t, other)),
            freshness: freshness(t, *fresh),
            freshness_options: options(t, *fresh),
            idle: span(t, lifetimes.idle()),
            absolute: span(t, lifetimes.absolute()),
            access_token: span(t, lifetimes.access_token()),
            grace: span(t, lifetimes.grace()),
            limit_text: limit::text(t, app.limit),
            limit: LimitFields::of(t, app.limit),
            redirect_uris: app.redirect_uris.iter().map(ToString::to_string).collect(),
            confidential: app.secret.is_some(),
            first_party: app.first_party,
            guards: guards
                .iter()
                .filter(|guard| guard.client_id == *client_id)
                .map(|guard| GuardRow {
                    guard: guard.guard.to_string().chars().take(8).collect(),
                    position: guard.applied.to_string(),
                    seen: t.app_guard_ago(t.milliseconds(
                        u64::try_from(guard.seen_ago.as_millis()).unwrap_or(u64::MAX),
                    )),
                })
                .collect(),
        }
    }
}

/// A position of the second dial as people read it.
pub(super) fn freshness(t: Words, freshness: Freshness) -> String {
    match freshness {
        Freshness::Live => t.app_freshness_live(),
        Freshness::Within(bound) => t.app_freshness_within(span(t, bound)),
        Freshness::UntilExpiry => t.app_freshness_until_expiry(),
    }
}

/// The offered positions, and the current one where it is another.
fn options(t: Words, current: Freshness) -> Vec<FreshnessOption> {
    let other = (!OFFERED.contains(&current)).then_some(current);
    other
        .into_iter()
        .chain(OFFERED)
        .map(|one| FreshnessOption {
            value: one.to_string(),
            text: freshness(t, one),
            selected: one == current,
        })
        .collect()
}
