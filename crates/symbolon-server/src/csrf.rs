//! Was this request made by our own pages, or by nobody's? (cross-site request forgery)
//!
//! Fetch Metadata first, then `Origin`: both are set by the browser and out of a page's reach
//! (Fetch standard, forbidden request-headers). A request that shows neither proves nothing.

use http::{HeaderMap, Method, header};

use crate::PublicUrl;

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Where a request says that it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Our own pages, or a person's own doing (typed address, bookmark).
    Own,
    /// Another site, or an origin that hides itself.
    Foreign,
    /// No browser that tells.
    Silent,
}

/// Reads where a request comes from.
pub(crate) fn source(public_url: &PublicUrl, headers: &HeaderMap) -> Source {
    let own = public_url.as_str();
    match one(headers, SEC_FETCH_SITE) {
        // "same-site" is a sibling host: not us.
        One::Value(site) if ["same-origin", "none"].contains(&site) => Source::Own,
        One::Value(_) | One::Unreadable => Source::Foreign,
        One::Absent => match one(headers, header::ORIGIN.as_str()) {
            One::Value(origin) if origin == own => Source::Own,
            One::Value(_) | One::Unreadable => Source::Foreign,
            One::Absent => Source::Silent,
        },
    }
}

/// Whether the request comes from a browser that says so.
pub(crate) fn is_browser(headers: &HeaderMap) -> bool {
    headers.contains_key(SEC_FETCH_SITE)
}

/// Whether the method may change something (RFC 9110 section 9.2.1).
pub(crate) fn is_unsafe(method: &Method) -> bool {
    !method.is_safe()
}

/// A header that may come once.
enum One<'a> {
    Absent,
    Value(&'a str),
    /// More than once, or not text: nothing that a browser sends.
    Unreadable,
}

fn one<'a>(headers: &'a HeaderMap, name: &str) -> One<'a> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else {
        return One::Absent;
    };
    match first.to_str() {
        Ok(text) if values.next().is_none() => One::Value(text),
        _ => One::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_our_own_origin_is_our_own() {
        let url = PublicUrl::new("https://auth.example.test", false).unwrap();
        let table: &[(&[(&'static str, &'static str)], Source)] = &[
            (&[("sec-fetch-site", "same-origin")], Source::Own),
            (&[("sec-fetch-site", "none")], Source::Own),
            (&[("sec-fetch-site", "same-site")], Source::Foreign),
            (&[("sec-fetch-site", "cross-site")], Source::Foreign),
            (
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://auth.example.test"),
                ],
                Source::Foreign,
            ),
            (
                &[
                    ("sec-fetch-site", "same-origin"),
                    ("sec-fetch-site", "cross-site"),
                ],
                Source::Foreign,
            ),
            (&[("origin", "https://auth.example.test")], Source::Own),
            (
                &[("origin", "https://auth.example.test:8443")],
                Source::Foreign,
            ),
            (&[("origin", "http://auth.example.test")], Source::Foreign),
            (
                &[("origin", "https://auth.example.test.evil.test")],
                Source::Foreign,
            ),
            (&[("origin", "null")], Source::Foreign),
            (&[("referer", "https://auth.example.test/")], Source::Silent),
            (&[], Source::Silent),
        ];
        for (given, expected) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in *given {
                headers.append(*name, HeaderValue::from_static(value));
            }
            assert_eq!(source(&url, &headers), *expected, "{given:?}");
        }
    }
}
