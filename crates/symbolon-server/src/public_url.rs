//! Where the authority is reached: one origin, from configuration, never from a request's `Host`.

use std::fmt;

use url::{Host, Url};

/// The public URL of the authority: an origin, written without a trailing slash.
///
/// It is the `iss` of every token, the base of every link and the origin that unsafe requests have
/// to prove, so it may not have a path: cookies of a `__Host-` name belong to a whole host
/// (RFC 6265bis section 4.1.3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    text: String,
    https: bool,
    loopback: bool,
}

/// The text may not be the public URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPublicUrl {
    /// Not an http(s) origin.
    #[error(
        "public_url: expected an origin such as https://auth.example.org, without path, query or user"
    )]
    NotAnOrigin,
    /// Plain http where strangers can listen.
    #[error(
        "public_url: plain http is for loopback hosts only; use https, or say insecure_http = true if anybody on the way may read and take over logins"
    )]
    Insecure,
    /// The authority was opened with another spelling of it.
    #[error("public_url: write it as {0}")]
    Spelling(String),
}

impl PublicUrl {
    /// Reads a public URL. Plain http is refused unless the host is loopback or `insecure_http` is
    /// said.
    pub fn new(text: &str, insecure_http: bool) -> Result<Self, BadPublicUrl> {
        let url = Url::parse(text).map_err(|_| BadPublicUrl::NotAnOrigin)?;
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(BadPublicUrl::NotAnOrigin),
        };
        let bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !bare {
            return Err(BadPublicUrl::NotAnOrigin);
        }
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => return Err(BadPublicUrl::NotAnOrigin),
        };
        if !https && !loopback && !insecure_http {
            return Err(BadPublicUrl::Insecure);
        }
        Ok(Self {
            text: url.origin().ascii_serialization(),
            https,
            loopback,
        })
    }

    /// The origin as browsers write it (RFC 6454 section 6.2), for example `http://localhost:7300`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is https.
    pub const fn is_https(&self) -> bool {
        self.https
    }

    /// Whether browsers take it for a secure context: https, or a loopback host (W3C Secure
    /// Contexts section 3.1). Only there do they keep `Secure` cookies.
    pub const fn is_trustworthy(&self) -> bool {
        self.https || self.loopback
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, BadPublicUrl> {
        PublicUrl::new(text, false).map(|url| url.to_string())
    }

    #[test]
    fn an_origin_has_one_spelling() {
        for (text, expected) in [
            ("https://auth.example.test", "https://auth.example.test"),
            (
                "HTTPS://Auth.Example.test:443/",
                "https://auth.example.test",
            ),
            ("http://localhost:7300", "http://localhost:7300"),
            ("http://127.0.0.1:7300/", "http://127.0.0.1:7300"),
            ("http://[::1]:7300", "http://[::1]:7300"),
        ] {
            assert_eq!(read(text), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn plain_http_needs_a_loopback_host_or_the_word() {
        assert_eq!(
            read("http://auth.example.test"),
            Err(BadPublicUrl::Insecure)
        );
        assert_eq!(
            read("http://localhost.example.test"),
            Err(BadPublicUrl::Insecure)
        );
        let insecure = PublicUrl::new("http://auth.example.test", true);
        assert!(insecure.is_ok_and(|url| !url.is_trustworthy()));
    }

    #[test]
    fn more_than_an_origin_is_refused() {
        for bad in [
            "",
            "auth.example.test",
            "ftp://auth.example.test",
            "https://auth.example.test/auth",
            "https://auth.example.test/?x",
            "https://auth.example.test/#x",
            "https://user@auth.example.test/",
        ] {
            assert_eq!(read(bad), Err(BadPublicUrl::NotAnOrigin), "{bad}");
        }
    }
}
