//! Asks an issuer where its keys are, and for them: bounded in time and size, no redirects, and nothing
//! that a token says decides where.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, Request, StatusCode, header};
use serde::Deserialize;
use symbolon_jose::{Algorithm, KeySet};
use url::{Host, Url};

use super::ThirdPartyError;
use crate::transport::{SharedTransport, causes};

/// How long one answer may take, connection included.
const PATIENCE: Duration = Duration::from_secs(5);

/// The largest document, in bytes. Real ones have a few thousand.
const LARGEST: usize = 256 * 1024;

/// Where an issuer says what it is: OIDC Discovery 1.0 section 4 puts this behind the issuer,
const OPENID: &str = "/.well-known/openid-configuration";
/// and RFC 8414 section 3.1 puts this between its host and its path.
const OAUTH: &str = "/.well-known/oauth-authorization-server";

/// Where an issuer's keys are found.
#[derive(Debug)]
pub(super) enum Where {
    /// At this URL, by the app's own word.
    Given(Url),
    /// Where the issuer says.
    Discovered { issuer: String, url: Url },
}

/// An issuer, as it is asked.
pub(super) struct Source {
    transport: SharedTransport,
    at: Where,
    algorithms: Vec<Algorithm>,
    /// What discovery found, until it does not work any more.
    found: Option<Url>,
}

/// What an issuer answered.
pub(super) struct Fetched {
    pub(super) keys: KeySet,
    /// For how long the issuer says that it will be the same.
    pub(super) max_age: Option<Duration>,
}

/// Why there are no keys. For the operator; says nothing that a stranger wrote.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{why}")]
pub(super) struct NoKeys {
    why: String,
    /// Whether there is no such document at all.
    is_not_there: bool,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl Where {
    pub(super) fn parse(issuer: &str, jwks_uri: Option<&str>) -> Result<Self, ThirdPartyError> {
        let url = parse("the issuer", issuer)?;
        Ok(match jwks_uri {
            Some(given) => Self::Given(parse("jwks_uri", given)?),
            None => Self::Discovered {
                issuer: issuer.to_owned(),
                url,
            },
        })
    }
}

impl Source {
    pub(super) fn new(transport: SharedTransport, at: Where, algorithms: Vec<Algorithm>) -> Self {
        Self {
            transport,
            at,
            algorithms,
            found: None,
        }
    }

    /// The keys as they are now.
    pub(super) async fn fetch(&mut self) -> Result<Fetched, NoKeys> {
        let url = match (&self.at, self.found.take()) {
            (Where::Given(url), _) => url.clone(),
            (Where::Discovered { .. }, Some(found)) => found,
            (Where::Discovered { issuer, url }, None) => self.discover(issuer, url).await?,
        };
        let (headers, body) = self.get(&url, "its keys").await?;
        let text = std::str::from_utf8(&body).map_err(|_| no("its keys: not UTF-8"))?;
        let loaded = KeySet::from_jwks(text, &self.algorithms)
            .map_err(|reason| no(&format!("its keys: {reason}")))?;
        for skipped in &loaded.skipped {
            tracing::debug!(reason = %skipped.reason, "a key of a third party is not used");
        }
        // Kept only while it works: an issuer that moves its keys is asked again where they are.
        self.found = Some(url);
        Ok(Fetched {
            keys: loaded.keys,
            max_age: max_age(&headers),
        })
    }

    async fn discover(&self, issuer: &str, url: &Url) -> Result<Url, NoKeys> {
        let path = url.path().trim_end_matches('/');
        let mut at = url.clone();
        at.set_path(&format!("{path}{OPENID}"));
        let mut answer = self.get(&at, "discovery").await;
        if answer.as_ref().is_err_and(|trouble| trouble.is_not_there) {
            at.set_path(&format!("{OAUTH}{path}"));
            answer = self.get(&at, "discovery").await;
        }
        found(issuer, url, &answer?.1)
    }

    async fn get(&self, url: &Url, what: &str) -> Result<(HeaderMap, Vec<u8>), NoKeys> {
        let request = Request::get(url.as_str())
            .header(header::ACCEPT, "application/json")
            .body(Bytes::new())
            .map_err(|_| no("a URL that cannot be asked"))?;
        let answer = async {
            let response = self.transport.send(request).await;
            let response = response.map_err(|error| no(&error.to_string()))?;
            match response.status() {
                StatusCode::OK => {}
                status if status.is_redirection() => {
                    return Err(no("a redirect, and none is followed"));
                }
                status => {
                    return Err(NoKeys {
                        is_not_there: status.is_client_error(),
                        ..no(&format!("status {}", status.as_u16()))
                    });
                }
            }
            let (head, body) = response.into_parts();
            let (mut whole, mut chunks) = (Vec::new(), body.into_data_stream());
            while let Some(chunk) = chunks.next().await {
                let chunk = chunk.map_err(|error| no(&causes(&error)))?;
                if whole.len() + chunk.len() > LARGEST {
                    return Err(no("too long"));
                }
                whole.extend_from_slice(&chunk);
            }
            Ok((head.headers, whole))
        };
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        let late = |_| Err(no(&format!("no answer within {} s", PATIENCE.as_secs())));
        answer.unwrap_or_else(late).map_err(|trouble| NoKeys {
            why: format!("{what}: {}", trouble.why),
            ..trouble
        })
    }
}

/// What the issuer's own document says. It must be about this issuer and no other, byte by byte (RFC 8414
/// section 3.3): otherwise one issuer could pass its keys off as another's.
fn found(issuer: &str, asked: &Url, document: &[u8]) -> Result<Url, NoKeys> {
    let metadata: Metadata = serde_json::from_slice(document)
        .map_err(|_| no("discovery: not the JSON of an issuer with a jwks_uri"))?;
    if metadata.issuer != issuer {
        return Err(no("discovery: the document is of another issuer"));
    }
    let url = Url::parse(&metadata.jwks_uri).map_err(|_| no("discovery: jwks_uri is no URL"))?;
    // Keys may be on another host (they often are), but an issuer out there must not send us to this
    // machine or to an address inside its network.
    let is_named = matches!(url.host(), Some(Host::Domain(_))) && !is_loopback(&url);
    let is_theirs = url.host() == asked.host();
    let is_safe = url.scheme() == "https" && (is_named || is_theirs);
    let both_here = is_loopback(asked) && is_loopback(&url) && url.scheme() == "http";
    if is_safe || both_here {
        Ok(url)
    } else {
        Err(no("discovery: jwks_uri is no https URL of a named host"))
    }
}

/// Until when an answer is said to stay the same (RFC 9111 section 4.2). None when it is not said.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get_all(header::CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|directive| directive.trim().split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("max-age"))
        .and_then(|(_, value)| value.trim_matches('"').parse::<u64>().ok())?;
    // What a cache on the way kept already.
    let age = headers
        .get(header::AGE)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
        .unwrap_or(0);
    Some(Duration::from_secs(seconds.saturating_sub(age)))
}

fn parse(what: &'static str, text: &str) -> Result<Url, ThirdPartyError> {
    let wrong = |problem| ThirdPartyError::Url {
        what,
        url: text.to_owned(),
        problem,
    };
    let url = Url::parse(text).map_err(|_| wrong("not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong("expected https://host"));
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(wrong(
            "plain http to another machine: anybody on the way could put keys in",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(wrong("expected no user name, password or fragment"));
    }
    if what == "the issuer" && url.query().is_some() {
        return Err(wrong("expected no query"));
    }
    Ok(url)
}

/// This machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn no(why: &str) -> NoKeys {
    NoKeys {
        why: why.to_owned(),
        is_not_there: false,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use http::HeaderValue;

    use super::*;

    #[test]
    fn an_issuer_is_an_https_url_or_on_this_machine() {
        for good in [
            "https://accounts.example.com",
            "https://tenant.example.com/",
            "https://login.example.com/9188040d/v2.0",
            "http://localhost:9000",
            "http://127.0.0.1:9000",
        ] {
            assert!(Where::parse(good, None).is_ok(), "{good}");
        }
        for bad in [
            "http://accounts.example.com",
            "http://localhost.example.com",
            "http://10.0.0.1",
            "file:///etc/passwd",
            "accounts.example.com",
            "https://user:secret@accounts.example.com",
            "https://accounts.example.com?tenant=a",
            "https://accounts.example.com#a",
        ] {
            assert!(Where::parse(bad, None).is_err(), "{bad}");
            let good = "https://accounts.example.com";
            let taken = Where::parse(good, Some(bad)).is_ok();
            assert_eq!(taken, bad.contains('?'), "{bad} as jwks_uri");
        }
    }

    #[test]
    fn a_discovered_address_leads_neither_here_nor_inside() {
        let issuer = "https://accounts.example.com";
        let document = |issuer: &str, keys: &str| {
            format!(r#"{{"issuer":"{issuer}","jwks_uri":"{keys}","other":[1]}}"#)
        };
        let ask = |issuer: &str, document: &str| {
            found(issuer, &Url::parse(issuer).unwrap(), document.as_bytes())
        };
        for good in [
            "https://accounts.example.com/keys",
            "https://www.apis.example.net/oauth2/v3/certs",
        ] {
            assert!(ask(issuer, &document(issuer, good)).is_ok(), "{good}");
        }
        for bad in [
            "http://accounts.example.com/keys",
            "http://localhost/keys",
            "https://localhost/keys",
            "https://127.0.0.1/keys",
            "https://[::1]/keys",
            "https://10.0.0.1/keys",
            "https://169.254.169.254/latest",
            "file:///etc/passwd",
            "/keys",
        ] {
            assert!(ask(issuer, &document(issuer, bad)).is_err(), "{bad}");
        }
        let local = "http://127.0.0.1:9000";
        assert!(ask(local, &document(local, "http://127.0.0.1:9001/keys")).is_ok());
        for other in [
            "https://accounts.example.com/",
            "https://Accounts.example.com",
            "https://evil.example",
        ] {
            let keys = "https://accounts.example.com/keys";
            assert!(ask(issuer, &document(other, keys)).is_err(), "{other}");
        }
    }

    #[test]
    fn an_answers_age_counts_against_its_life() {
        let read = |pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs.iter().map(|(name, value)| {
                let name: header::HeaderName = name.parse().unwrap();
                (name, HeaderValue::from_static(value))
            });
            max_age(&pairs.collect()).map(|span| span.as_secs())
        };
        assert_eq!(read(&[("cache-control", "public, Max-Age=600")]), Some(600));
        let aged = [("cache-control", "max-age=600"), ("age", "200")];
        assert_eq!(read(&aged), Some(400));
        let older = [("cache-control", "max-age=600"), ("age", "900")];
        assert_eq!(read(&older), Some(0));
        for none in ["no-store", "max-age=soon", "s-maxage=600", "max-age=-1"] {
            assert_eq!(read(&[("cache-control", none)]), None, "{none}");
        }
    }
}
