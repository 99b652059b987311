//! Cookies: what they are called, how they are marked, and how they are read back.

use cookie::{Cookie, SameSite, time::Duration};
use http::{HeaderMap, HeaderValue, header};

use crate::PublicUrl;

const HOST_PREFIX: &str = "__Host-";

/// How cookies are called and marked at this public URL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cookies {
    /// Whether browsers keep `Secure` cookies of this origin. Only over plain http on a foreign
    /// host, which needs `insecure_http`, they do not.
    secure: bool,
}

/// A cookie name that came twice: one of the two was planted by a neighbouring host or path
/// (cookie tossing), and nobody can tell which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DuplicateCookie;

impl Cookies {
    /// The rules for this public URL.
    pub(crate) const fn at(public_url: &PublicUrl) -> Self {
        Self {
            secure: public_url.is_trustworthy(),
        }
    }

    /// The name on the wire: `__Host-<stem>` (RFC 6265bis section 4.1.3.2).
    pub(crate) fn name(self, stem: &str) -> String {
        if self.secure {
            format!("{HOST_PREFIX}{stem}")
        } else {
            stem.to_owned()
        }
    }

    /// `Set-Cookie` for `max_age` seconds; without them it goes with the browser.
    pub(crate) fn set(self, stem: &str, value: &str, max_age: Option<u64>) -> HeaderValue {
        let seconds = |age| Duration::seconds(i64::try_from(age).unwrap_or(i64::MAX));
        self.header(stem, value, max_age.map(seconds))
    }

    /// `Set-Cookie` that removes it.
    pub(crate) fn clear(self, stem: &str) -> HeaderValue {
        self.header(stem, "", Some(Duration::ZERO))
    }

    /// The value of one cookie.
    pub(crate) fn find(
        self,
        headers: &HeaderMap,
        stem: &str,
    ) -> Result<Option<String>, DuplicateCookie> {
        let name = self.name(stem);
        let mut found = pairs(headers).filter(|(given, _)| *given == name);
        let value = found.next().map(|(_, value)| value);
        if found.next().is_some() {
            return Err(DuplicateCookie);
        }
        Ok(value)
    }

    /// All cookies that bear a name of ours and pass `wanted(stem, value)`, as (stem, value).
    pub(crate) fn all(
        self,
        headers: &HeaderMap,
        wanted: impl Fn(&str, &str) -> bool,
    ) -> Result<Vec<(String, String)>, DuplicateCookie> {
        let all: Vec<_> = pairs(headers).collect();
        let mut found = Vec::new();
        for (name, value) in &all {
            let stem = if self.secure {
                name.strip_prefix(HOST_PREFIX)
            } else {
                Some(name.as_str())
            };
            let Some(stem) = stem.filter(|stem| wanted(stem, value)) else {
                continue;
            };
            // Counted among all, not only the wanted: a planted twin need not look like ours.
            if all.iter().filter(|(other, _)| other == name).count() > 1 {
                return Err(DuplicateCookie);
            }
            found.push((stem.to_owned(), value.clone()));
        }
        Ok(found)
    }

    #[expect(
        clippy::expect_used,
        reason = "a header value takes any text of visible ASCII and spaces, and nothing else passes the filter"
    )]
    fn header(self, stem: &str, value: &str, max_age: Option<Duration>) -> HeaderValue {
        let mut cookie = Cookie::build((self.name(stem), value))
            .path("/")
            .secure(self.secure)
            .http_only(true)
            .same_site(SameSite::Lax)
            .build();
        cookie.set_max_age(max_age);
        let cookie = cookie.to_string();
        // Our own values never hold anything else. One that did would arrive changed, and so be
        // refused, instead of splitting the header.
        let text: String = cookie
            .chars()
            .filter(|c| c.is_ascii_graphic() || *c == ' ')
            .collect();
        let mut header = HeaderValue::try_from(text).expect("visible ASCII");
        header.set_sensitive(true);
        header
    }
}

/// Name and value of every cookie that was sent; what cannot be read is left out.
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (String, String)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| Cookie::split_parse(line).flatten())
        .map(|cookie| (cookie.name().to_owned(), cookie.value().to_owned()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const HOST: Cookies = Cookies { secure: true };
    const PLAIN: Cookies = Cookies { secure: false };

    fn sent(lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_static(line));
        }
        headers
    }

    #[test]
    fn a_cookie_is_bound_to_its_host() {
        let set = HOST.set("symbolon", "sym_s_x", Some(60));
        assert_eq!(
            set.to_str().unwrap(),
            "__Host-symbolon=sym_s_x; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60"
        );
        assert!(set.is_sensitive());
        let cleared = HOST.clear("symbolon");
        assert_eq!(
            cleared.to_str().unwrap(),
            "__Host-symbolon=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0"
        );
        let plain = PLAIN.set("symbolon", "x", Some(1));
        assert_eq!(
            plain.to_str().unwrap(),
            "symbolon=x; HttpOnly; SameSite=Lax; Path=/; Max-Age=1"
        );
        let unremembered = HOST.set("symbolon", "x", None);
        assert_eq!(
            unremembered.to_str().unwrap(),
            "__Host-symbolon=x; HttpOnly; SameSite=Lax; Secure; Path=/"
        );
    }

    #[test]
    fn a_name_that_comes_twice_is_refused() {
        for lines in [
            &["__Host-symbolon=a; __Host-symbolon=b"][..],
            &["__Host-symbolon=a", "x=y; __Host-symbolon=a"][..],
        ] {
            assert_eq!(
                HOST.find(&sent(lines), "symbolon"),
                Err(DuplicateCookie),
                "{lines:?}"
            );
            let all = HOST.all(&sent(lines), |_, value| value == "a");
            assert_eq!(all, Err(DuplicateCookie), "{lines:?}");
        }
        // Somebody else's twins are not ours to judge.
        let others = sent(&["_ga=1; _ga=2; __Host-symbolon=a"]);
        assert_eq!(HOST.find(&others, "symbolon"), Ok(Some("a".to_owned())));
    }

    #[test]
    fn only_the_exact_name_counts() {
        for line in ["symbolon=a", "__host-symbolon=a", "__Host-Symbolon=a"] {
            assert_eq!(HOST.find(&sent(&[line]), "symbolon"), Ok(None), "{line}");
        }
    }

    #[test]
    fn a_value_cannot_split_the_header() {
        let set = HOST.set("x", "a\r\nSet-Cookie: b=c", None);
        assert!(!set.as_bytes().contains(&b'\n'));
    }
}
