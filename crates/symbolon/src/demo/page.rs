//! The page of a demo app: what its credential is, who keeps what, and how fresh the last yes was.

use askama::Template;
use axum::{
    Extension, Router,
    extract::Query,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use symbolon_guard::{CredentialView as Credential, Ground, Identity};

use super::{
    Neighbour,
    app::Shop,
    words::{Language, Words},
};

const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                   form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const LANGUAGE_COOKIE: &str = "__Host-lang";

#[derive(Template)]
#[template(path = "demo-app.html")]
struct Home<'a> {
    words: Words,
    name: String,
    client_id: &'a str,
    about: &'a str,
    authority: &'a str,
    other: Link<'a>,
    username: &'a str,
    shape: &'a str,
    shape_word: &'a str,
    credential: Credential,
    freshness: String,
    ground: &'a str,
    staleness_ms: String,
    applied: String,
}

struct Link<'a> {
    name: String,
    url: &'a str,
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    lang: Option<String>,
}

/// `GET /`.
pub(crate) async fn home(
    who: Identity,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    Extension(shop): Extension<Shop>,
) -> Response {
    let chosen = asked.lang.as_deref().and_then(Language::from_tag);
    let words = Words::of(chosen.unwrap_or_else(|| language(&headers)));
    let Neighbour {
        client_id: other,
        url,
    } = &shop.other;
    let client_id = who.client_id().as_str();
    let status = shop.guard.status();
    let page = Home {
        words,
        name: words.say(&format!("{client_id}-name")),
        client_id,
        about: &format!("about-{}", who.shape()),
        authority: &shop.authority,
        other: Link {
            name: words.say(&format!("{other}-name")),
            url,
        },
        username: who.username(),
        shape: &who.shape().to_string(),
        shape_word: &format!("shape-{}", who.shape()),
        credential: pretty(who.credential_view()),
        freshness: shop.guard.freshness().to_string(),
        ground: match who.proof().ground {
            Ground::Local => "freshness-ground-local",
            Ground::Authority => "freshness-ground-authority",
        },
        staleness_ms: format!("{:.0}", who.proof().staleness.as_secs_f64() * 1000.0),
        applied: status
            .applied
            .map_or_else(|| "-".to_owned(), |at| at.to_string()),
    };
    let Ok(html) = page.render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut answer = (security_headers(), Html(html)).into_response();
    if let Some(chosen) = chosen {
        let cookie = format!(
            "{LANGUAGE_COOKIE}={}; Path=/; Max-Age=34560000; HttpOnly; Secure; SameSite=Lax",
            Words::of(chosen).tag()
        );
        answer
            .headers_mut()
            .extend(cookie.parse().map(|cookie| (header::SET_COOKIE, cookie)));
    }
    answer
}

fn security_headers() -> [(HeaderName, &'static str); 4] {
    [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ]
}

/// The parts of a token, indented as people read JSON.
fn pretty(view: Credential) -> Credential {
    let indent = |text: String| {
        let parsed = serde_json::from_str::<serde_json::Value>(&text);
        parsed
            .and_then(|value| serde_json::to_string_pretty(&value))
            .unwrap_or(text)
    };
    match view {
        Credential::Jwt {
            header,
            payload,
            signature,
        } => Credential::Jwt {
            header: indent(header),
            payload: indent(payload),
            signature,
        },
        session @ Credential::Session { .. } => session,
    }
}

/// The visitor's choice, else what the browser asks for first.
fn language(headers: &HeaderMap) -> Language {
    let text = |name: HeaderName| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let chosen = text(header::COOKIE)
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| {
            (name == LANGUAGE_COOKIE)
                .then(|| Language::from_tag(value))
                .flatten()
        });
    let asked = || {
        text(header::ACCEPT_LANGUAGE)
            .split([',', ';', '-'])
            .find_map(|tag| Language::from_tag(tag.trim()))
    };
    chosen.or_else(asked).unwrap_or(Language::En)
}

/// The page's style, script and mark: the same for everybody.
pub(crate) fn assets() -> Router {
    let file = |kind: &'static str, body: &'static str| {
        get(move || async move {
            let headers = [
                (header::CONTENT_TYPE, kind),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::CACHE_CONTROL, "max-age=60"),
            ];
            (headers, body)
        })
    };
    Router::new()
        .route(
            "/assets/demo.css",
            file("text/css", include_str!("../../assets/demo.css")),
        )
        .route(
            "/assets/demo.js",
            file("text/javascript", include_str!("../../assets/demo.js")),
        )
        .route(
            "/assets/demo.svg",
            file("image/svg+xml", include_str!("../../assets/demo.svg")),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_outranks_what_the_browser_asks_for() {
        let mut headers = HeaderMap::new();
        assert_eq!(language(&headers), Language::En);
        headers.insert(
            header::ACCEPT_LANGUAGE,
            header::HeaderValue::from_static("ko-KR,ko;q=0.9,en;q=0.8"),
        );
        assert_eq!(language(&headers), Language::Ko);
        headers.insert(
            header::COOKIE,
            header::HeaderValue::from_static("a=b; __Host-lang=en"),
        );
        assert_eq!(language(&headers), Language::En);
    }
}
