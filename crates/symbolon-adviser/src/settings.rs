//! The verdict as settings: a command, a file, a piece of code.

use crate::{
    dials::{Carrier, Dial, Freshness},
    facts::{Fact, Facts},
    verdict::Verdict,
    words::{Lang, Text},
};

/// What the settings are for. The names go into commands, files and code as they are given, so they are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    authority: String,
    app: String,
    public_url: String,
}

/// A name that would not be what it seems in a command, a file or code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSite {
    /// Which.
    pub field: &'static str,
    /// What it has to be, in a sentence.
    pub expected: Text,
}

impl BadSite {
    /// What is wrong and what is allowed, on one line.
    pub fn told(&self, lang: Lang) -> String {
        format!("{}: {}", self.field, self.expected.of(lang))
    }
}

impl std::fmt::Display for BadSite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.told(Lang::En))
    }
}

impl std::error::Error for BadSite {}

/// The example's language and framework.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framework {
    /// Rust.
    Axum,
    /// Python.
    Flask,
    /// Python.
    Django,
    /// JavaScript.
    Express,
}

/// Who says yes in the example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checker {
    /// A proxy that asks the guard daemon, and tells the app in headers.
    Proxy,
    /// The app, which asks the guard daemon.
    Daemon,
    /// A plain JWT library.
    Library,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            authority: "https://login.example.com".to_owned(),
            app: "my-app".to_owned(),
            public_url: "https://app.example.com".to_owned(),
        }
    }
}

impl Site {
    /// An app under its client id, at its public URL, of the authority at that URL.
    pub fn new(authority: &str, app: &str, public_url: &str) -> Result<Self, BadSite> {
        let id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
        if app.is_empty() || app.len() > 64 || !app.chars().all(id) {
            return Err(BadSite {
                field: "app",
                expected: Text {
                    en: "expected 1 to 64 lower-case letters, digits, '-', '_' or '.'",
                    ko: "영문 소문자, 숫자, '-', '_', '.'로 1~64자를 써야 합니다",
                },
            });
        }
        Ok(Self {
            authority: url(authority, "authority")?,
            app: app.to_owned(),
            public_url: url(public_url, "public_url")?,
        })
    }
}

/// An http or https URL of characters that mean nothing to a shell, to TOML or in a string.
fn url(text: &str, field: &'static str) -> Result<String, BadSite> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]%".contains(c);
    let host = |rest: &str| !rest.is_empty() && !rest.starts_with('/');
    match rest {
        Some(rest) if text.len() <= 2048 && host(rest) && rest.chars().all(plain) => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err(BadSite {
            field,
            expected: Text {
                en: "expected an http or https URL without query, such as https://app.example.com",
                ko: "쿼리가 없는 http 또는 https 주소여야 합니다(예: https://app.example.com)",
            },
        }),
    }
}

/// Whether the app cannot keep a secret: it runs on people's own devices and holds the credential itself.
fn public(facts: &Facts, verdict: &Verdict) -> bool {
    let on_devices = facts.is(Fact::Platform, "mobile") || facts.is(Fact::Platform, "spa");
    on_devices && verdict.carrier == Carrier::Bearer
}

/// Where codes are taken; programs that call each other take none.
fn redirect_uri(facts: &Facts, site: &Site) -> Option<String> {
    let signs_people_in = !facts.is(Fact::Platform, "api");
    signs_people_in.then(|| format!("{}/auth/callback", site.public_url))
}

/// The command that registers the app: every flag that differs from a default, and both dials.
pub fn command(facts: &Facts, verdict: &Verdict, site: &Site) -> String {
    let mut words = vec![
        format!("symbolon app add {}", site.app),
        format!("--shape {}", verdict.shape),
        format!("--freshness '{}'", verdict.freshness),
    ];
    let defaults = |dial: Dial| {
        let mut reasons = verdict.reasons_for(dial);
        reasons.next().is_none_or(crate::rules::Rule::is_default)
    };
    if !defaults(Dial::Token) {
        words.push(format!("--access-token {}", verdict.token_seconds));
    }
    if !defaults(Dial::Lifetime) {
        words.push(format!(
            "--idle {} --absolute {}",
            verdict.idle_seconds, verdict.absolute_seconds
        ));
    }
    if let Some(uri) = redirect_uri(facts, site) {
        words.push(format!("--redirect-uri {uri}"));
    }
    if public(facts, verdict) {
        words.push("--public".to_owned());
    }
    words.join(" \\\n    ")
}

/// The same as TOML, with the names that `POST /api/v1/apps` uses.
pub fn toml(facts: &Facts, verdict: &Verdict, site: &Site) -> String {
    let redirect_uris =
        redirect_uri(facts, site).map_or_else(String::new, |uri| format!("{uri:?}"));
    format!(
        "# The body of POST /api/v1/apps\n\
         client_id = {:?}\n\
         shape = \"{}\"\n\
         freshness = \"{}\"\n\
         redirect_uris = [{redirect_uris}]\n\
         confidential = {}\n\
         \n\
         [lifetimes]\n\
         idle_seconds = {}\n\
         absolute_seconds = {}\n\
         access_token_seconds = {}\n\
         refresh_grace_seconds = 10\n",
        site.app,
        verdict.shape,
        verdict.freshness,
        !public(facts, verdict),
        verdict.idle_seconds,
        verdict.absolute_seconds,
        verdict.token_seconds,
    )
}

impl Framework {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Axum, Self::Flask, Self::Django, Self::Express];

    /// Its name, as the fact `framework` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Axum => "axum",
            Self::Flask => "flask",
            Self::Django => "django",
            Self::Express => "express",
        }
    }

    /// The example of this framework that fits the verdict.
    pub fn example(self, facts: &Facts, verdict: &Verdict, site: &Site) -> String {
        let elsewhere = facts.is(Fact::Offline, "yes") || facts.is(Fact::ThirdParty, "yes");
        let checker = if elsewhere && verdict.freshness == Freshness::UntilExpiry {
            Checker::Library
        } else if verdict.carrier == Carrier::Cookie {
            Checker::Proxy
        } else {
            Checker::Daemon
        };
        self.template(checker)
            .replace("{{authority}}", &site.authority)
            .replace("{{app}}", &site.app)
            .replace("{{public_url}}", &site.public_url)
    }

    const fn template(self, checker: Checker) -> &'static str {
        match (self, checker) {
            // The guard is a library there, and does all three.
            (Self::Axum, _) => include_str!("../snippets/axum.rs"),
            (Self::Flask, Checker::Proxy) => include_str!("../snippets/flask_cookie.py"),
            (Self::Flask, Checker::Daemon) => include_str!("../snippets/flask_bearer.py"),
            (Self::Flask, Checker::Library) => include_str!("../snippets/flask_jwks.py"),
            (Self::Django, Checker::Proxy) => include_str!("../snippets/django_cookie.py"),
            (Self::Django, Checker::Daemon) => include_str!("../snippets/django_bearer.py"),
            (Self::Django, Checker::Library) => include_str!("../snippets/django_jwks.py"),
            (Self::Express, Checker::Proxy) => include_str!("../snippets/express_cookie.mjs"),
            (Self::Express, Checker::Daemon) => include_str!("../snippets/express_bearer.mjs"),
            (Self::Express, Checker::Library) => include_str!("../snippets/express_jwks.mjs"),
        }
    }
}
