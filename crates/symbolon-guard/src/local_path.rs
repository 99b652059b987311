//! Where a person goes after signing in: a path of the app itself, never anywhere else.

use url::Url;

/// A path on the app's own origin, with query; normalised as a browser would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LocalPath(String);

/// The longest path that is remembered, in bytes: it travels in a cookie.
const LONGEST: usize = 1024;

impl LocalPath {
    /// The app's front page.
    pub(crate) fn root() -> Self {
        Self("/".to_owned())
    }

    /// Takes a path that begins with exactly one `/` and holds no backslash, blank or control character:
    /// browsers read `/\evil.test` and `/<tab>/evil.test` as another host. Anything else, and the guard's
    /// own routes, become none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let plain = |c: char| c != '\\' && !c.is_control() && !c.is_whitespace();
        if text.len() > LONGEST || !text.starts_with('/') || !text.chars().all(plain) {
            return None;
        }
        // The second opinion is the WHATWG parser, which is what browsers do.
        let base = Url::parse("https://app.invalid/").ok()?;
        let url = base.join(text).ok()?;
        if url.origin() != base.origin() || url.username() != "" || url.password().is_some() {
            return None;
        }
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let own = path.starts_with("/auth/");
        (!own && !path.starts_with("//") && path.len() <= LONGEST).then_some(Self(path))
    }

    /// The text for a `Location` header.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<String> {
        LocalPath::parse(text).map(|path| path.0)
    }

    #[test]
    fn paths_of_the_app_are_kept() {
        for (text, kept) in [
            ("/", "/"),
            ("/account?tab=sessions#x", "/account?tab=sessions"),
            ("/@user", "/@user"),
            ("/%2F%2Fdocs", "/%2F%2Fdocs"),
            ("/a/../b", "/b"),
            (
                "/?next=https://evil.example.test",
                "/?next=https://evil.example.test",
            ),
            ("/검색", "/%EA%B2%80%EC%83%89"),
        ] {
            assert_eq!(parsed(text).as_deref(), Some(kept), "{text}");
        }
    }

    #[test]
    fn nothing_leads_away() {
        for text in [
            "",
            "account",
            "//evil.example.test",
            "////evil.example.test",
            "/\\evil.example.test",
            "\\/evil.example.test",
            "/\t/evil.example.test",
            "/\r/evil.example.test",
            "/\n/evil.example.test",
            " //evil.example.test",
            "/ /evil.example.test",
            "/..//evil.example.test",
            "/.//evil.example.test",
            "/a/..//evil.example.test",
            "https://evil.example.test",
            "https:evil.example.test",
            "javascript:alert(1)",
            "/auth/callback?code=x",
            "/auth/sign-in",
            "/\u{85}/evil.example.test",
        ] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
        assert_eq!(parsed(&format!("/{}", "a".repeat(2000))), None);
    }
}
