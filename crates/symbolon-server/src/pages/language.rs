//! Which language a page speaks: the visitor's choice, else what the browser asks for.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use super::{form::PageForm, refusal, return_to::LocalPath, words::Language};
use crate::ServerState;

/// The stem of the preference cookie.
const COOKIE: &str = "lang";
/// 400 days: the longest that a browser keeps a cookie (RFC 6265bis section 5.5).
const KEPT_SECONDS: u64 = 34_560_000;

/// The language for this request.
pub(crate) fn of(headers: &HeaderMap) -> Language {
    chosen(headers)
        .or_else(|| asked(headers))
        .unwrap_or(Language::En)
}

/// The language of ours that the request asks for.
pub(crate) fn asked(headers: &HeaderMap) -> Option<Language> {
    let asked = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    asked_for(asked)
}

/// What the form of the switch brings.
#[derive(Deserialize)]
pub(crate) struct Choice {
    lang: String,
    #[serde(default)]
    return_to: String,
}

/// `POST /language`: remembers the choice, goes back to the page. A POST, because it changes what
/// the visitor sees: no other site can switch it.
pub(crate) async fn choose(
    State(state): State<ServerState>,
    headers: HeaderMap,
    PageForm(choice): PageForm<Choice>,
) -> Response {
    let Some(language) = Language::from_tag(&choice.lang) else {
        return refusal::problem(&headers, StatusCode::BAD_REQUEST);
    };
    let back = LocalPath::parse(&choice.return_to).unwrap_or_else(|| LocalPath::to("/"));
    let cookie = state
        .cookies()
        .set(COOKIE, language.tag(), Some(KEPT_SECONDS));
    let head = [
        (header::LOCATION, back.header()),
        (header::SET_COOKIE, cookie),
    ];
    (StatusCode::SEE_OTHER, head).into_response()
}

/// The choice that the browser remembers. Read without regard to its prefix and to doubles: it is
/// a preference, no credential.
fn chosen(headers: &HeaderMap) -> Option<Language> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| name.strip_prefix("__Host-").unwrap_or(name) == COOKIE)
        .find_map(|(_, value)| Language::from_tag(value))
}

/// The language of ours with the highest quality in `Accept-Language` (RFC 9110 section 12.5.4), the
/// first of equals.
fn asked_for(accept_language: &str) -> Option<Language> {
    let mut best: Option<(Language, f32)> = None;
    for range in accept_language.split(',').take(32) {
        let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
        let primary = tag
            .trim()
            .split('-')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let Some(language) = Language::from_tag(&primary) else {
            continue;
        };
        let quality = match parameters.trim().strip_prefix("q=") {
            Some(quality) => quality.trim().parse().unwrap_or(0.0),
            None => 1.0,
        };
        if quality > best.map_or(0.0, |(_, quality)| quality) {
            best = Some((language, quality));
        }
    }
    best.map(|(language, _)| language)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_browser_asks_by_quality_then_order() {
        for (asked, language) in [
            ("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", Some(Language::Ko)),
            ("en-GB,en;q=0.9,ko;q=0.8", Some(Language::En)),
            ("de,fr;q=0.9,ko;q=0.3,en;q=0.2", Some(Language::Ko)),
            ("KO", Some(Language::Ko)),
            ("en;q=0, ko;q=0.1", Some(Language::Ko)),
            ("ko;q=x", None),
            ("de, *", None),
            ("", None),
            ("korean", None),
        ] {
            assert_eq!(asked_for(asked), language, "{asked}");
        }
    }

    #[test]
    fn the_choice_outranks_the_browser() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, "en".parse().unwrap());
        assert_eq!(of(&headers), Language::En);
        headers.insert(header::COOKIE, "a=b; __Host-lang=ko".parse().unwrap());
        assert_eq!(of(&headers), Language::Ko);
        headers.insert(header::COOKIE, "lang=ko".parse().unwrap());
        assert_eq!(of(&headers), Language::Ko);
        headers.insert(header::COOKIE, "lang=<script>; xlang=ko".parse().unwrap());
        assert_eq!(of(&headers), Language::En);
    }
}
