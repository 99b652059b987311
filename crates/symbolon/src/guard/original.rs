//! The request that the proxy got, as far as the proxy's word about it counts.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header, uri::PathAndQuery};
use ipnet::IpNet;
use symbolon_server::Peer;

const FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
const ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");
const ORIGINAL_URI: HeaderName = HeaderName::from_static("x-original-uri");
const REFUSED_WITH: HeaderName = HeaderName::from_static("x-auth-status");
const WEBSOCKET_KEY: HeaderName = HeaderName::from_static("sec-websocket-key");

/// Whose word counts.
pub(super) struct Trust(pub(super) Vec<IpNet>);

impl Trust {
    /// Whether this proxy's word about the original request counts. Whoever may open the Unix socket was
    /// let in by its mode.
    pub(super) fn covers(&self, peer: Peer) -> bool {
        match peer {
            Peer::Local => true,
            Peer::Network(address) => self.0.iter().any(|network| network.contains(&address)),
        }
    }
}

/// What is known about the method of the original request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It was this.
    Method(Method),
    /// Nobody whose word counts said it: it counts as one that changes something.
    Nothing,
    /// Several, which contradict each other, or illegible.
    Nonsense,
}

/// The method that a trusted proxy says. All that is said has to be the same: a stranger may have added the
/// header that this proxy does not use.
pub(super) fn method(headers: &HeaderMap, is_trusted: bool) -> Said {
    if !is_trusted {
        return Said::Nothing;
    }
    let mut said = headers
        .get_all(&FORWARDED_METHOD)
        .iter()
        .chain(headers.get_all(&ORIGINAL_METHOD));
    let Some(first) = said.next() else {
        return Said::Nothing;
    };
    if said.any(|other| other != first) {
        return Said::Nonsense;
    }
    match Method::from_bytes(first.as_bytes()) {
        Ok(method) => Said::Method(method),
        Err(_) => Said::Nonsense,
    }
}

/// Whether headers about the original request are there at all.
pub(super) fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key(&FORWARDED_METHOD) || headers.contains_key(&ORIGINAL_METHOD)
}

/// Whether nginx asks, which can pass on no other refusal than 401 and 403.
pub(super) fn is_nginx(headers: &HeaderMap) -> bool {
    headers.contains_key(&ORIGINAL_METHOD)
}

/// Whether the refusal that a proxy asks about was a 503.
pub(super) fn was_unproved(headers: &HeaderMap, is_trusted: bool) -> bool {
    is_trusted
        && headers
            .get(&REFUSED_WITH)
            .is_some_and(|status| status == "503")
}

/// Where the person was going. It decides nothing: it is only where they get back to.
pub(super) fn uri(headers: &HeaderMap, is_trusted: bool) -> Uri {
    let said = headers
        .get(&ORIGINAL_URI)
        .or_else(|| headers.get(&FORWARDED_URI))
        .filter(|_| is_trusted);
    let path = said
        .and_then(|uri| PathAndQuery::try_from(uri.as_bytes()).ok())
        .unwrap_or_else(|| PathAndQuery::from_static("/"));
    Uri::from(path)
}

/// A WebSocket handshake is a GET that opens a channel across origins. `Upgrade` ends at the proxy
/// (RFC 9110 section 7.6.1); the key, which only handshakes have, does not.
pub(super) fn restore_upgrade(headers: &mut HeaderMap) {
    if headers.contains_key(&WEBSOCKET_KEY) {
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn who_is_trusted() {
        let trust = Trust(vec![
            "127.0.0.0/8".parse().unwrap(),
            "fd00::/8".parse().unwrap(),
        ]);
        let peer = |address: &str| Peer::Network(address.parse().unwrap());
        assert!(trust.covers(Peer::Local));
        assert!(trust.covers(peer("127.0.0.1")) && trust.covers(peer("fd12::1")));
        assert!(!trust.covers(peer("10.0.0.1")) && !trust.covers(peer("::1")));
        assert!(!Trust(Vec::new()).covers(peer("127.0.0.1")));
    }

    #[test]
    fn the_method_is_what_all_say() {
        let (forwarded, original) = ("x-forwarded-method", "x-original-method");
        let post = Said::Method(Method::POST);
        assert_eq!(method(&headers(&[(forwarded, "POST")]), true), post);
        assert_eq!(method(&headers(&[(original, "POST")]), true), post);
        let both = headers(&[(original, "POST"), (forwarded, "POST")]);
        assert_eq!(method(&both, true), post);
        for pairs in [
            [(original, "GET"), (forwarded, "POST")].as_slice(),
            &[(forwarded, "GET"), (forwarded, "POST")],
            &[(original, "GET"), (original, "get")],
            &[(forwarded, "GET, POST")],
            &[(forwarded, "")],
        ] {
            assert_eq!(method(&headers(pairs), true), Said::Nonsense, "{pairs:?}");
        }
        assert_eq!(method(&headers(&[]), true), Said::Nothing);
        // Other spellings of the name are other headers.
        assert_eq!(
            method(&headers(&[("x_forwarded_method", "GET")]), true),
            Said::Nothing
        );
    }

    #[test]
    fn a_strangers_word_does_not_count() {
        let said = headers(&[("x-forwarded-method", "GET"), ("x-forwarded-uri", "/a")]);
        assert_eq!(method(&said, false), Said::Nothing);
        assert_eq!(uri(&said, false), "/");
        assert_eq!(uri(&said, true), "/a");
    }

    #[test]
    fn a_way_back_that_is_none_is_the_front_page() {
        for way in ["", "x y", "/a b"] {
            let said = headers(&[("x-original-uri", way)]);
            assert_eq!(uri(&said, true).path(), "/", "{way:?}");
        }
    }
}
