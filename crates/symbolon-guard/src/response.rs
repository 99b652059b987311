//! What an answer of the guard's own looks like: problem details for programs, a small page for people.

use axum::{body::Body, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header, header::Entry};

/// One kind of refusal: its name, status and words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    name: &'static str,
    pub(crate) status: StatusCode,
    title: &'static str,
    detail: &'static str,
    korean: &'static str,
}

pub(crate) const NOT_SIGNED_IN: Problem = Problem {
    name: "not-signed-in",
    status: StatusCode::UNAUTHORIZED,
    title: "Not signed in",
    detail: "This needs a signed-in person.",
    korean: "로그인이 필요합니다.",
};
pub(crate) const CREDENTIAL_REFUSED: Problem = Problem {
    name: "credential-refused",
    status: StatusCode::UNAUTHORIZED,
    title: "Credential refused",
    detail: "The credential is not good, or not any more. Sign in again.",
    korean: "인증 정보가 유효하지 않습니다. 다시 로그인해 주세요.",
};
pub(crate) const GUARD_STALE: Problem = Problem {
    name: "guard-stale",
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "Cannot be checked right now",
    detail: "Whether the login still stands cannot be proved right now. You are not signed out; try again in a moment.",
    korean: "지금은 로그인 상태를 확인할 수 없습니다. 로그아웃된 것은 아니니 잠시 후 다시 시도해 주세요.",
};
pub(crate) const CROSS_SITE: Problem = Problem {
    name: "cross-site",
    status: StatusCode::FORBIDDEN,
    title: "Not from this site",
    detail: "The request was not proved to come from this site's own pages.",
    korean: "이 사이트의 페이지에서 보낸 요청인지 확인할 수 없습니다.",
};
pub(crate) const BAD_REQUEST: Problem = Problem {
    name: "bad-request",
    status: StatusCode::BAD_REQUEST,
    title: "Bad request",
    detail: "The request names its caller twice or illegibly. Delete this site's cookies and try again.",
    korean: "요청의 인증 정보가 중복되었거나 올바르지 않습니다. 이 사이트의 쿠키를 지우고 다시 시도해 주세요.",
};
pub(crate) const BAD_CALLBACK: Problem = Problem {
    name: "bad-request",
    status: StatusCode::BAD_REQUEST,
    title: "Sign-in was not completed",
    detail: "This sign-in was not begun in this browser, or too long ago. Start again.",
    korean: "이 브라우저에서 시작한 로그인이 아니거나 시간이 지났습니다. 다시 시작해 주세요.",
};
pub(crate) const WRONG_METHOD: Problem = Problem {
    name: "bad-request",
    status: StatusCode::METHOD_NOT_ALLOWED,
    title: "Wrong method",
    detail: "This address does not take that method.",
    korean: "이 주소에서 지원하지 않는 요청 방식입니다.",
};
pub(crate) const ROLE_MISSING: Problem = Problem {
    name: "forbidden",
    status: StatusCode::FORBIDDEN,
    title: "Not allowed",
    detail: "You are signed in, but may not do this.",
    korean: "로그인되어 있지만 이 작업을 할 권한이 없습니다.",
};
pub(crate) const LOGIN_TOO_OLD: Problem = Problem {
    name: "login-too-old",
    status: StatusCode::UNAUTHORIZED,
    title: "Sign in again for this",
    detail: "This needs a more recent sign-in. Sign in again to go on.",
    korean: "이 작업에는 더 최근의 로그인이 필요합니다. 다시 로그인해 주세요.",
};
pub(crate) const MISCONFIGURED: Problem = Problem {
    name: "internal",
    status: StatusCode::INTERNAL_SERVER_ERROR,
    title: "Internal error",
    detail: "The app is not set up completely.",
    korean: "앱 설정이 완료되지 않았습니다.",
};

/// What of a request decides how a refusal looks.
pub(crate) struct Asker<'r> {
    pub(crate) method: &'r Method,
    pub(crate) uri: &'r Uri,
    pub(crate) headers: &'r HeaderMap,
}

impl Asker<'_> {
    /// Whether a person's browser goes to this page, as opposed to a script that fetches it.
    pub(crate) fn navigates(&self) -> bool {
        let mode = self
            .headers
            .get(HeaderName::from_static("sec-fetch-mode"))
            .is_none_or(|mode| mode == "navigate");
        let takes_html = self
            .headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.contains("text/html"));
        mode && takes_html
    }
}

impl Problem {
    /// For whoever asked: a page for a browser, else problem details.
    pub(crate) fn answer(&self, asker: &Asker<'_>) -> Response {
        if asker.navigates() {
            self.page()
        } else {
            self.json()
        }
    }

    pub(crate) fn json(&self) -> Response {
        let body = serde_json::json!({
            "type": format!("urn:symbolon:problem:{}", self.name),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        self.respond("application/problem+json", body.to_string())
    }

    /// Both languages on one page: the guard knows nothing of the app's own choice.
    pub(crate) fn page(&self) -> Response {
        let Self {
            title,
            detail,
            korean,
            ..
        } = self;
        let body = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
             <h1>{title}</h1><p>{detail}</p><p lang=\"ko\">{korean}</p>\
             <p><a href=\"/\">Continue · <span lang=\"ko\">계속</span></a></p></html>"
        );
        self.respond("text/html; charset=utf-8", body)
    }

    fn respond(&self, kind: &'static str, body: String) -> Response {
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
        );
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        never_stored(headers);
        response
    }
}

/// A redirect that sets cookies and is never stored.
pub(crate) fn redirect(
    status: StatusCode,
    location: &str,
    cookies: Vec<HeaderValue>,
) -> Option<Response> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, HeaderValue::from_str(location).ok()?);
    // The address may hold a code or a state.
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    set_cookies(headers, cookies);
    never_stored(headers);
    Some(response)
}

/// Adds cookies to an answer.
pub(crate) fn set_cookies(headers: &mut HeaderMap, cookies: Vec<HeaderValue>) {
    for cookie in cookies {
        headers.append(header::SET_COOKIE, cookie);
    }
}

/// Cookies, and who may store the answer.
pub(crate) fn finish(response: &mut Response, cookies: Vec<HeaderValue>, is_known: bool) {
    const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
    let headers = response.headers_mut();
    if !cookies.is_empty() {
        // A cache that keeps an answer keeps its cookies: no app's wish goes before that.
        headers.insert(header::CACHE_CONTROL, NO_STORE);
    } else if is_known {
        headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
    }
    varies(headers);
    set_cookies(headers, cookies);
}

/// The answer is for this caller alone.
pub(crate) fn never_stored(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    varies(headers);
}

/// The answer depends on who asks (CVE-2023-30861).
pub(crate) fn varies(headers: &mut HeaderMap) {
    const BOTH: HeaderValue = HeaderValue::from_static("Cookie, Authorization");
    match headers.entry(header::VARY) {
        Entry::Vacant(place) => {
            place.insert(BOTH);
        }
        Entry::Occupied(mut there) => {
            if there.iter().all(|value| value != BOTH) {
                there.append(BOTH);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(headers: &[(&'static str, &'static str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        let (method, uri) = (Method::GET, Uri::from_static("/"));
        Asker {
            method: &method,
            uri: &uri,
            headers: &map,
        }
        .navigates()
    }

    #[test]
    fn people_and_programs_are_told_apart() {
        let html = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        assert!(asks(&[html]));
        assert!(asks(&[html, ("sec-fetch-mode", "navigate")]));
        assert!(!asks(&[html, ("sec-fetch-mode", "cors")]));
        assert!(!asks(&[("accept", "application/json")]));
        assert!(!asks(&[("accept", "*/*")]));
        assert!(!asks(&[]));
    }

    #[test]
    fn a_503_says_when_to_come_back() {
        let response = GUARD_STALE.json();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        let headers = response.headers();
        assert!(headers.get("retry-after").is_some_and(|v| v == "1"));
        assert!(
            headers
                .get("cache-control")
                .is_some_and(|v| v == "no-store")
        );
        assert!(
            headers
                .get("content-type")
                .is_some_and(|v| v == "application/problem+json")
        );
    }
}
