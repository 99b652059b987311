//! Where a visitor goes after a form: only to a path of this server.

use http::HeaderValue;
use url::{Url, form_urlencoded};

/// The longest path that is carried along: an authorization request fits, a flood does not.
const LONGEST: usize = 4_096;

/// A path (with query and fragment) that cannot lead a browser to another origin (ASVS 3.7.2).
///
/// It begins with exactly one `/` and holds only printable ASCII without `\`: browsers read `\` as
/// `/` and skip tabs and line ends inside a URL, which makes `/\evil.test` and `/<TAB>/evil.test`
/// network-path references.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LocalPath(String);

impl LocalPath {
    /// Reads one; none for everything else, to be replaced by a default page.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let plain = text.len() <= LONGEST
            && text
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let local = text.starts_with('/') && !text.starts_with("//");
        // The WHATWG parser, as browsers read it, has the last word.
        let base = Url::parse("https://self.invalid/sign-in").ok()?;
        let reached = base.join(text).ok()?;
        // Once dots are resolved, too: what rewrites the path on the way must not find `//`.
        let stays = reached.origin() == base.origin() && !reached.path().starts_with("//");
        (plain && local && stays).then(|| Self(text.to_owned()))
    }

    /// A path of our own that needs no check: a constant of the program.
    pub(crate) fn to(path: &'static str) -> Self {
        Self(path.to_owned())
    }

    /// This path with `name=value` added to its query, percent-encoded.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        let separator = if self.0.contains('?') { '&' } else { '?' };
        self.0.push(separator);
        self.0.push_str(
            &form_urlencoded::Serializer::new(String::new())
                .append_pair(name, value)
                .finish(),
        );
        self
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// For `Location`.
    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static("/"))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_server_are_followed() {
        for good in [
            "/",
            "/account?tab=sessions#x",
            "/@user",
            "/%2F%2Fdocs",
            "/oauth2/authorize?client_id=dashboard&redirect_uri=http%3A%2F%2Flocalhost%3A7302%2Fauth%2Fcallback",
        ] {
            assert_eq!(
                LocalPath::parse(good).as_ref().map(LocalPath::as_str),
                Some(good)
            );
        }
        let long = format!("/{}", "a".repeat(LONGEST));
        for bad in [
            "",
            "account",
            "https://auth.example.test/account",
            "HTTPS://AUTH.EXAMPLE.TEST/",
            "https:evil.example.test",
            "//evil.example.test",
            "////evil.example.test",
            "/\\evil.example.test",
            "\\/evil.example.test",
            "\\\\evil.example.test",
            "/a\\..\\evil",
            "/\t/evil.example.test",
            "\t//evil.example.test",
            " //evil.example.test",
            "/\n/evil.example.test",
            "/x\r\nSet-Cookie: a=b",
            "/\u{0}/evil",
            "/\u{2028}/evil",
            "/\u{ff0f}evil.example.test",
            "javascript:alert(1)",
            "data:text/html,x",
            "/ /evil",
            "/..//evil.example.test",
            "/a/../..//evil.example.test",
            long.as_str(),
        ] {
            assert_eq!(LocalPath::parse(bad), None, "{bad:?}");
        }
    }

    /// The corpus: what must be reached is, where it is a path; everything else becomes the default
    /// page, or stays on this server as the WHATWG parser sees it.
    #[test]
    fn the_redirect_corpus_stays_here() {
        let mut rows = 0;
        for line in include_str!("../../tests/vectors/redirects.jsonl").lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let (value, base) = (
                row["value"].as_str().unwrap(),
                row["base"].as_str().unwrap(),
            );
            let base = Url::parse(base).unwrap();
            let followed = LocalPath::parse(value);
            if row["must_reach"] == true && value.starts_with('/') {
                assert!(followed.is_some(), "{value:?}");
            }
            if let Some(path) = followed {
                let reached = base.join(path.as_str()).unwrap();
                assert_eq!(reached.origin(), base.origin(), "{value:?}");
                assert!(!reached.path().starts_with("//"), "{value:?}");
                assert!(
                    !path.header().as_bytes().iter().any(u8::is_ascii_control),
                    "{value:?}"
                );
            }
            rows += 1;
        }
        assert_eq!(rows, 73);
    }

    #[test]
    fn a_query_value_cannot_leave_its_place() {
        let path = LocalPath::to("/sign-in").with("return_to", "/a?b=c&d=e#f");
        assert_eq!(path.as_str(), "/sign-in?return_to=%2Fa%3Fb%3Dc%26d%3De%23f");
        assert_eq!(path.with("notice", "x").as_str().matches('?').count(), 1);
    }
}
