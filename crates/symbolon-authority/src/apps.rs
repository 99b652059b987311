//! Apps that rely on the authority.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use symbolon_login::{AppSettings, Digest, LoginLimit, UnixMillis};
use url::{Host, Url};

/// An app: an OAuth client (RFC 6749 section 2) with the two dials.
#[derive(Clone, Debug)]
pub struct App {
    /// What guards know of it.
    pub settings: AppSettings,
    /// The name that people see.
    pub name: String,
    /// How many logins a person may have in it at once; none: as many as they have.
    pub limit: Option<LoginLimit>,
    /// Where an authorization code may be sent.
    pub redirect_uris: Vec<RedirectUri>,
    /// The digest of its client secret; none for a public client (RFC 6749 section 2.1).
    pub secret: Option<Digest>,
    /// Whether it is the operator's own: it may ask for passwords itself (`POST /api/v1/logins`)
    /// and its credentials are good for the authority's API.
    pub first_party: bool,
    /// When it was registered.
    pub created_at: UnixMillis,
}

/// A registered redirect URI: absolute, https (or http on a loopback host), no fragment, no user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri(Url, String);

/// The text may not be registered as a redirect URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a redirect URI: expected an absolute https URL without fragment, user or '*' (http only for localhost, 127.0.0.1 or [::1])"
)]
pub struct BadRedirectUri;

impl RedirectUri {
    /// Whether a requested redirect URI is this one: the same text, character by character
    /// (RFC 9700 section 2.1), but for the port of a loopback IP literal, which a native app cannot
    /// know in advance (RFC 8252 section 7.3).
    pub fn admits(&self, requested: &str) -> bool {
        if requested == self.1 {
            return true;
        }
        let loopback = match self.0.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            _ => false,
        };
        if !loopback || self.0.scheme() != "http" {
            return false;
        }
        let Ok(mut other) = requested.parse::<RedirectUri>() else {
            return false;
        };
        // Equal once the ports agree, and written as the parser writes it: no second spelling.
        other.0.as_str() == other.1 && other.0.set_port(self.0.port()).is_ok() && other.0 == self.0
    }

    /// Where it leads: scheme, host and port (for the CSP `form-action` of a page that leads there).
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The registered text.
    pub fn as_str(&self) -> &str {
        &self.1
    }
}

impl FromStr for RedirectUri {
    type Err = BadRedirectUri;

    fn from_str(text: &str) -> Result<Self, BadRedirectUri> {
        let printable = text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let url = Url::parse(text).map_err(|_| BadRedirectUri)?;
        let http_ok = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        let scheme_ok = url.scheme() == "https" || (url.scheme() == "http" && http_ok);
        let plain = url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && !text.contains('*')
            && !url.path().split('/').any(|part| part == "..");
        if printable && scheme_ok && plain && text.len() <= 2_000 {
            Ok(Self(url, text.to_owned()))
        } else {
            Err(BadRedirectUri)
        }
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.1)
    }
}

impl TryFrom<String> for RedirectUri {
    type Error = BadRedirectUri;

    fn try_from(text: String) -> Result<Self, BadRedirectUri> {
        text.parse()
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> Self {
        uri.1
    }
}
