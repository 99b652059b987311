//! The app's cookies: names, reading without ambiguity, writing with every attribute.

use std::time::Duration;

use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header};
use symbolon_login::ClientId;

use crate::credential::Text;

/// What the app's cookies are called. All share the client id, because cookies of one host are
/// shared by all its ports.
#[derive(Clone, Debug)]
pub(crate) struct CookieNames {
    access: String,
    refresh: String,
    transaction: String,
    secure: bool,
}

/// The same name twice in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Duplicate;

/// The app's cookies in one request.
#[derive(Default)]
pub(crate) struct Jar<'h> {
    /// The credential.
    pub(crate) access: Option<Text>,
    /// The refresh token.
    pub(crate) refresh: Option<Text>,
    /// Sign-ins under way: the end of the name, and the value.
    pub(crate) transactions: Vec<(&'h str, &'h str)>,
}

/// The most that a browser keeps of one cookie, name and value together (RFC 6265bis section 5.6).
const BROWSER_LIMIT: usize = 4096;

impl CookieNames {
    /// Names for one app. Without `secure` (plain http on a host that is not loopback) browsers would
    /// refuse both the `__Host-` prefix and `Secure`.
    pub(crate) fn new(client_id: &ClientId, secure: bool) -> Self {
        let prefix = if secure { "__Host-" } else { "" };
        Self {
            access: format!("{prefix}{client_id}"),
            refresh: format!("{prefix}{client_id}-refresh"),
            transaction: format!("{prefix}{client_id}-tx-"),
            secure,
        }
    }

    /// Keeps the credential.
    pub(crate) fn set_access(&self, value: &str, max_age: Option<Duration>) -> HeaderValue {
        self.write(self.access.clone(), value, max_age)
    }

    /// Keeps the refresh token.
    pub(crate) fn set_refresh(&self, value: &str, max_age: Option<Duration>) -> HeaderValue {
        self.write(self.refresh.clone(), value, max_age)
    }

    /// Keeps a sign-in transaction for ten minutes.
    pub(crate) fn set_transaction(&self, suffix: &str, value: &str) -> HeaderValue {
        let name = format!("{}{suffix}", self.transaction);
        self.write(name, value, Some(Duration::from_secs(600)))
    }

    /// Forgets the credential.
    pub(crate) fn clear_access(&self) -> HeaderValue {
        self.write(self.access.clone(), "", Some(Duration::ZERO))
    }

    /// Forgets the refresh token.
    pub(crate) fn clear_refresh(&self) -> HeaderValue {
        self.write(self.refresh.clone(), "", Some(Duration::ZERO))
    }

    /// Forgets a sign-in transaction.
    pub(crate) fn clear_transaction(&self, suffix: &str) -> HeaderValue {
        let name = format!("{}{suffix}", self.transaction);
        self.write(name, "", Some(Duration::ZERO))
    }

    fn write(&self, name: String, value: &str, max_age: Option<Duration>) -> HeaderValue {
        if name.len() + value.len() > BROWSER_LIMIT {
            tracing::error!(
                cookie = name,
                length = value.len(),
                "longer than browsers keep; the person will have to sign in again"
            );
        }
        let mut cookie = Cookie::build((name, value.to_owned()))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure);
        if let Some(max_age) = max_age {
            let seconds = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
            cookie = cookie.max_age(cookie::time::Duration::seconds(seconds));
        }
        // Names are slugs and values base64url: all of it is visible ASCII.
        let mut value = HeaderValue::try_from(cookie.build().to_string())
            .unwrap_or_else(|_| HeaderValue::from_static("invalid=; Max-Age=0"));
        value.set_sensitive(true);
        value
    }
}

impl<'h> Jar<'h> {
    /// Finds the app's cookies. Other names, even malformed ones, are somebody else's.
    pub(crate) fn read(headers: &'h HeaderMap, names: &CookieNames) -> Result<Self, Duplicate> {
        let mut jar = Jar::default();
        for header in headers.get_all(header::COOKIE) {
            for pair in pairs(header) {
                let put = |slot: &mut Option<Text>| {
                    let text = Text::within(header, pair.from, pair.to);
                    slot.replace(text).map_or(Ok(()), |_| Err(Duplicate))
                };
                if pair.name == names.access.as_bytes() {
                    put(&mut jar.access)?;
                } else if pair.name == names.refresh.as_bytes() {
                    put(&mut jar.refresh)?;
                } else if let Some(suffix) = pair.name.strip_prefix(names.transaction.as_bytes()) {
                    let value = header.as_bytes().get(pair.from..pair.to);
                    let (Ok(suffix), Ok(value)) = (
                        str::from_utf8(suffix),
                        str::from_utf8(value.unwrap_or_default()),
                    ) else {
                        continue;
                    };
                    if jar.transactions.iter().any(|(known, _)| *known == suffix) {
                        return Err(Duplicate);
                    }
                    jar.transactions.push((suffix, value));
                }
            }
        }
        Ok(jar)
    }
}

/// One cookie: its name, and where in the header its value stands.
struct Pair<'h> {
    name: &'h [u8],
    from: usize,
    to: usize,
}

/// The pairs of one header, in place. Bytes that are no text concern only the pair that they stand in.
fn pairs(header: &HeaderValue) -> impl Iterator<Item = Pair<'_>> {
    let bytes = header.as_bytes();
    let ends = memchr::memchr_iter(b';', bytes).chain(std::iter::once(bytes.len()));
    let mut start = 0;
    ends.filter_map(move |end| {
        let from = std::mem::replace(&mut start, end + 1);
        let pair = bytes.get(from..end)?;
        // Names are short: no search by vectors pays here.
        let name = pair.get(..pair.iter().position(|byte| *byte == b'=')?)?;
        let value = pair.get(name.len() + 1..)?;
        let from = end - value.trim_ascii_start().len();
        Some(Pair {
            name: name.trim_ascii(),
            from,
            to: from + value.trim_ascii().len(),
        })
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn names(secure: bool) -> CookieNames {
        CookieNames::new(&"back-office".parse().unwrap(), secure)
    }

    #[test]
    fn a_cookie_has_every_attribute() {
        let value = names(true).set_access("sym_s_x", Some(Duration::from_secs(60)));
        assert_eq!(
            value.to_str().unwrap(),
            "__Host-back-office=sym_s_x; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60"
        );
        assert!(value.is_sensitive());
    }

    #[test]
    fn plain_http_loses_the_prefix_and_secure_together() {
        let value = names(false).set_refresh("sym_r_x", None);
        assert_eq!(
            value.to_str().unwrap(),
            "back-office-refresh=sym_r_x; HttpOnly; SameSite=Lax; Path=/"
        );
    }

    #[test]
    fn forgetting_names_the_same_cookie() {
        let value = names(true).clear_transaction("abcdefgh");
        assert_eq!(
            value.to_str().unwrap(),
            "__Host-back-office-tx-abcdefgh=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0"
        );
    }

    #[test]
    fn the_jar_finds_its_own_and_ignores_the_rest() {
        let mut headers = HeaderMap::new();
        headers.append(
            "cookie",
            HeaderValue::from_static("a; =; __Host-back-office=1"),
        );
        headers.append(
            "cookie",
            HeaderValue::from_static(" __Host-back-office-tx-a=2;__Host-back-office-tx-b=3 ; x=y"),
        );
        let jar = Jar::read(&headers, &names(true)).unwrap();
        assert!(jar.access.is_some_and(|text| text.expose() == "1"));
        assert!(jar.refresh.is_none());
        assert_eq!(jar.transactions, [("a", "2"), ("b", "3")]);
    }

    #[test]
    fn bytes_that_are_no_text_hide_no_cookie_beside_them() {
        let mut headers = HeaderMap::new();
        let bytes = b"theme=\xe9; __Host-back-office = 1 ;__Host-back-office-refresh=\xe9";
        headers.append("cookie", HeaderValue::from_bytes(bytes).unwrap());
        let jar = Jar::read(&headers, &names(true)).unwrap();
        assert!(jar.access.is_some_and(|text| text.expose() == "1"));
        assert!(jar.refresh.is_some_and(|text| text.expose().is_empty()));
        let again = HeaderValue::from_static("__Host-back-office=2");
        headers.append("cookie", again);
        assert!(Jar::read(&headers, &names(true)).is_err());
    }
}
