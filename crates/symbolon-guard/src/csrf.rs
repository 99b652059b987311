//! Did the app's own pages send this? For unsafe methods that carry cookies.
//!
//! Fetch Metadata decides where the browser sends it (every one since 2023, to https and loopback);
//! otherwise `Origin` has to be the app's own. Neither header present means refused: there is no
//! fallback to `Referer`, which policies and proxies strip (CVE-2025-24358).

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether the headers prove that `origin` (scheme, host and port of the app) sent the request, or
/// the person did by hand.
pub(crate) fn is_same_origin(headers: &HeaderMap, origin: Option<&str>) -> bool {
    match single(headers, &SEC_FETCH_SITE) {
        // "none": typed, bookmarked or resubmitted by the person, not caused by any page. "same-site" is
        // refused: a sibling host or another port is not us.
        One::Value(value) => value == "same-origin" || value == "none",
        One::Absent => match (single(headers, &header::ORIGIN), origin) {
            (One::Value(value), Some(origin)) => {
                value.as_bytes().eq_ignore_ascii_case(origin.as_bytes())
            }
            _ => false,
        },
        One::Several => false,
    }
}

/// Whether the method promises to change nothing (RFC 9110 section 9.2.1). A WebSocket handshake is
/// a GET that opens a channel in the caller's name, across origins: it counts as unsafe.
pub(crate) fn is_safe(method: &Method, headers: &HeaderMap) -> bool {
    let upgrade = headers
        .get_all(header::UPGRADE)
        .iter()
        .any(|value| !value.is_empty());
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) && !upgrade
}

/// What a request says under one name.
pub(crate) enum One<'h> {
    Absent,
    Value(&'h HeaderValue),
    Several,
}

/// The header of this name, if there is one and no second.
pub(crate) fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> One<'h> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => One::Absent,
        (Some(value), None) => One::Value(value),
        (Some(_), Some(_)) => One::Several,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::collections::HashMap;

    use serde::Deserialize;

    use super::*;

    const ORIGIN: &str = "https://auth.example.test";

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        headers
    }

    #[derive(Deserialize)]
    struct Row {
        id: String,
        method: String,
        headers: HashMap<String, String>,
        expected: String,
        reason: String,
    }

    #[test]
    fn rows_of_the_kit() {
        let rows = include_str!("../tests/vectors/csrf_requests.jsonl");
        let mut seen = 0;
        for line in rows.lines() {
            let row: Row = serde_json::from_str(line).unwrap();
            let pairs: Vec<(&str, &str)> = row
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let headers = headers(&pairs);
            let method: Method = row.method.parse().unwrap();
            let passes = is_safe(&method, &headers) || is_same_origin(&headers, Some(ORIGIN));
            match row.expected.as_str() {
                "deny" | "deny-without-token" => {
                    assert!(!passes, "{}: {}", row.id, row.reason);
                }
                // A safe method passes here; that it changes nothing is the app's promise.
                "no-state-change" => assert!(passes, "{}", row.id),
                "deny-or-allow" => {}
                other => assert!(["allow"].contains(&other) && passes, "{}", row.id),
            }
            seen += 1;
        }
        assert_eq!(seen, 11);
    }

    #[test]
    fn the_apps_own_pages_pass() {
        for pairs in [
            [("sec-fetch-site", "same-origin")].as_slice(),
            &[("sec-fetch-site", "none")],
            &[("origin", "https://auth.example.test")],
            &[
                ("origin", "https://auth.example.test"),
                ("sec-fetch-site", "same-origin"),
            ],
        ] {
            assert!(is_same_origin(&headers(pairs), Some(ORIGIN)), "{pairs:?}");
        }
    }

    #[test]
    fn nothing_else_passes() {
        for pairs in [
            [].as_slice(),
            &[("sec-fetch-site", "same-site"), ("origin", ORIGIN)],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "")],
            &[
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-site", "same-origin"),
            ],
            &[("origin", "null")],
            &[("origin", "")],
            &[("origin", ORIGIN), ("origin", ORIGIN)],
            &[("origin", "https://auth.example.test.evil.test")],
            &[("referer", "https://auth.example.test/")],
        ] {
            assert!(!is_same_origin(&headers(pairs), Some(ORIGIN)), "{pairs:?}");
        }
        // An app that never said what its origin is cannot compare.
        assert!(!is_same_origin(&headers(&[("origin", ORIGIN)]), None));
    }

    #[test]
    fn a_websocket_handshake_is_not_safe() {
        assert!(is_safe(&Method::GET, &headers(&[])));
        assert!(!is_safe(
            &Method::GET,
            &headers(&[("upgrade", "websocket")])
        ));
        for method in [
            "POST", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE", "WHATEVER",
        ] {
            assert!(
                !is_safe(&method.parse().unwrap(), &headers(&[])),
                "{method}"
            );
        }
    }
}
