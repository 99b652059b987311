//! What the daemon answers by itself: a yes in headers, and the refusals that the library has no word for.

use std::{
    fmt::{Display, Write as _},
    io::Write as _,
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::json;
use symbolon_guard::{Freshness, Ground, Identity, Proof, Role};

const USER: HeaderName = HeaderName::from_static("x-auth-user");
const LOGIN: HeaderName = HeaderName::from_static("x-auth-login");
const ROLES: HeaderName = HeaderName::from_static("x-auth-roles");
const FRESHNESS: HeaderName = HeaderName::from_static("x-auth-freshness");
const COOKIES: [HeaderName; 2] = [
    HeaderName::from_static("x-auth-set-cookie-1"),
    HeaderName::from_static("x-auth-set-cookie-2"),
];

/// 200, and who it is. `dial` is how fresh the yes had to be.
pub(super) fn yes(identity: &Identity, dial: Freshness) -> Response {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    // With room for `Vary`, `Cache-Control` and what hyper adds.
    headers.reserve(8);
    headers.insert(USER, short(identity.user()));
    headers.insert(LOGIN, short(identity.sid()));
    headers.insert(ROLES, roles(identity.roles()));
    headers.insert(FRESHNESS, freshness(identity.proof(), dial));
    response
}

/// 200, and nobody.
pub(super) fn nobody() -> Response {
    Response::new(Body::empty())
}

/// Says the cookies once more, each in a header of its own: nginx before 1.23 reads only the first of
/// two `Set-Cookie`, later ones and Caddy join them with a comma, which browsers do not take apart.
pub(super) fn number_cookies(headers: &mut HeaderMap) {
    if !headers.contains_key(header::SET_COOKIE) {
        return;
    }
    let cookies: Vec<HeaderValue> = headers
        .get_all(header::SET_COOKIE)
        .iter()
        .cloned()
        .collect();
    headers.extend(COOKIES.into_iter().zip(cookies));
}

/// An id of 36 characters.
fn short(id: impl Display) -> HeaderValue {
    let mut text = [0; 40];
    let mut rest = text.as_mut_slice();
    let fits = write!(rest, "{id}").is_ok();
    let left = rest.len();
    ascii(fits.then(|| text.get(..text.len() - left)).flatten())
}

/// RFC 9651 would call it a token with a parameter: `within; staleness=0.180`, in seconds.
fn freshness(proof: Proof, dial: Freshness) -> HeaderValue {
    let word = match (proof.ground, dial) {
        (Ground::Authority, _) => "live",
        (Ground::Local, Freshness::UntilExpiry) => "until_expiry",
        (Ground::Local, _) => "within",
    };
    let (seconds, millis) = (proof.staleness.as_secs(), proof.staleness.subsec_millis());
    let mut text = [0; 64];
    let mut rest = text.as_mut_slice();
    let fits = write!(rest, "{word}; staleness={seconds}.{millis:03}").is_ok();
    let left = rest.len();
    ascii(fits.then(|| text.get(..text.len() - left)).flatten())
}

fn roles(roles: &[Role]) -> HeaderValue {
    match roles {
        [] => HeaderValue::from_static(""),
        [one] => ascii(Some(one.as_str().as_bytes())),
        [first, more @ ..] => {
            let mut text = first.as_str().to_owned();
            for role in more {
                // Roles are slugs: a comma is in none of them.
                let _ = write!(text, ",{role}");
            }
            ascii(Some(text.as_bytes()))
        }
    }
}

/// Ids, slugs and numbers are visible ASCII: they always fit.
fn ascii(text: Option<&[u8]>) -> HeaderValue {
    text.and_then(|text| HeaderValue::from_bytes(text).ok())
        .unwrap_or_else(|| HeaderValue::from_static(""))
}

/// One kind of refusal: its name (RFC 9457, `urn:symbolon:problem:<name>`), status and words.
#[derive(Clone, Copy)]
pub(super) struct Problem {
    name: &'static str,
    status: StatusCode,
    title: &'static str,
    detail: &'static str,
    korean: &'static str,
}

pub(super) const ROLE_MISSING: Problem = Problem {
    name: "forbidden",
    status: StatusCode::FORBIDDEN,
    title: "Not allowed",
    detail: "This needs a role that the signed-in person does not have.",
    korean: "이 페이지를 볼 수 있는 역할이 없습니다.",
};
pub(super) const NOT_PROVED: Problem = Problem {
    name: "guard-stale",
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "Cannot be checked right now",
    detail: "Whether the login still stands cannot be proved right now. You are not signed out; try again in a moment.",
    korean: "지금은 로그인 상태를 확인할 수 없습니다. 로그아웃된 것은 아니니 잠시 후 다시 시도해 주세요.",
};
pub(super) const TRY_AGAIN: Problem = Problem {
    name: "try-again",
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "Try again",
    detail: "This was refused a moment ago and would be allowed now.",
    korean: "방금은 거부되었지만 지금은 허용됩니다. 다시 시도해 주세요.",
};
pub(super) const METHOD_UNKNOWN: Problem = Problem {
    name: "method-unknown",
    status: StatusCode::BAD_REQUEST,
    title: "Which method?",
    detail: "A request with cookies has to say by which method it came (X-Forwarded-Method or \
             X-Original-Method, from a proxy that --trust-proxy names), or to prove that it comes from the \
             site's own pages.",
    korean: "프록시가 원래 요청의 메서드를 전달하지 않았습니다.",
};
pub(super) const FORWARDED_TWICE: Problem = Problem {
    name: "bad-request",
    status: StatusCode::BAD_REQUEST,
    title: "Bad request",
    detail: "What is said about the method of the original request contradicts itself.",
    korean: "원래 요청의 메서드 정보가 서로 다릅니다.",
};
pub(super) const BAD_QUERY: Problem = Problem {
    name: "bad-request",
    status: StatusCode::BAD_REQUEST,
    title: "Bad request",
    detail: "The proxy asks for something that is not known here.",
    korean: "프록시 설정이 올바르지 않습니다.",
};
pub(super) const NOT_FOUND: Problem = Problem {
    name: "not-found",
    status: StatusCode::NOT_FOUND,
    title: "Not found",
    detail: "There is nothing at this address.",
    korean: "이 주소에는 아무것도 없습니다.",
};
pub(super) const NOT_ALLOWED: Problem = Problem {
    name: "method-not-allowed",
    status: StatusCode::METHOD_NOT_ALLOWED,
    title: "Wrong method",
    detail: "This address takes GET.",
    korean: "이 주소에서 지원하지 않는 요청 방식입니다.",
};
pub(super) const NOT_READY: Problem = Problem {
    name: "guard-stale",
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "Not ready",
    detail: "The guard does not know the authority's log well enough for the app's freshness.",
    korean: "아직 준비되지 않았습니다.",
};

impl Problem {
    /// As problem details, for programs.
    pub(super) fn json(&self) -> Response {
        self.json_with(self.detail)
    }

    /// The same with a detail of its own.
    pub(super) fn json_with(&self, detail: &str) -> Response {
        let body = json!({
            "type": format!("urn:symbolon:problem:{}", self.name),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": detail,
        });
        self.respond("application/problem+json", body.to_string())
    }

    /// As a page in both languages where a person's browser goes there, else as problem details.
    pub(super) fn answer(&self, request: &HeaderMap) -> Response {
        if !navigates(request) {
            return self.json();
        }
        let Self {
            title,
            detail,
            korean,
            ..
        } = self;
        let body = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
             <h1>{title}</h1><p>{detail}</p><p lang=\"ko\">{korean}</p></html>"
        );
        self.respond("text/html; charset=utf-8", body)
    }

    fn respond(&self, kind: &'static str, body: String) -> Response {
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, kind),
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; frame-ancestors 'none'",
            ),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(header::ALLOW, HeaderValue::from_static("GET"));
            }
            _ => {}
        }
        response
    }
}

/// Whether a person's browser goes to this page, as opposed to a script that fetches it.
fn navigates(headers: &HeaderMap) -> bool {
    let mode = headers.get("sec-fetch-mode");
    let mut accepts = headers.get_all(header::ACCEPT).iter();
    mode.is_none_or(|mode| mode == "navigate")
        && accepts.any(|value| {
            value
                .to_str()
                .is_ok_and(|value| value.contains("text/html"))
        })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_a_yes_rests_on() {
        let proof = |ground, millis| Proof {
            ground,
            staleness: Duration::from_millis(millis),
        };
        let within = Freshness::DEFAULT;
        for (said, proof, dial) in [
            ("within; staleness=0.180", proof(Ground::Local, 180), within),
            ("live; staleness=0.004", proof(Ground::Authority, 4), within),
            (
                "live; staleness=0.000",
                proof(Ground::Authority, 0),
                Freshness::Live,
            ),
            (
                "until_expiry; staleness=3600.001",
                proof(Ground::Local, 3_600_001),
                Freshness::UntilExpiry,
            ),
        ] {
            assert_eq!(freshness(proof, dial), said);
        }
        let ages = Proof {
            ground: Ground::Local,
            staleness: Duration::MAX,
        };
        assert_eq!(
            freshness(ages, within),
            "within; staleness=18446744073709551615.999"
        );
    }

    #[test]
    fn roles_are_listed() {
        let listed = |names: &[&str]| {
            let parsed: Vec<Role> = names.iter().filter_map(|name| name.parse().ok()).collect();
            roles(&parsed)
        };
        assert_eq!(listed(&[]), "");
        assert_eq!(listed(&["admin"]), "admin");
        assert_eq!(listed(&["a", "b:c", "d"]), "a,b:c,d");
    }

    #[test]
    fn each_cookie_is_said_in_a_header_of_its_own() {
        let mut headers = HeaderMap::new();
        number_cookies(&mut headers);
        assert!(headers.is_empty());
        headers.append(header::SET_COOKIE, HeaderValue::from_static("a=1"));
        headers.append(header::SET_COOKIE, HeaderValue::from_static("b=2"));
        number_cookies(&mut headers);
        let said = |name: &str| headers.get(name).cloned();
        assert_eq!(
            said("x-auth-set-cookie-1"),
            Some(HeaderValue::from_static("a=1"))
        );
        assert_eq!(
            said("x-auth-set-cookie-2"),
            Some(HeaderValue::from_static("b=2"))
        );
    }
}
