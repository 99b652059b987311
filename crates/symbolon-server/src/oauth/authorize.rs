//! `/oauth2/authorize`: an app sends a browser here to ask for its share in a login (RFC 6749
//! section 4.1.1, with PKCE as RFC 9700 section 2.1.1 requires it), and says how recently the person has
//! to have proved who they are (`max_age` and `prompt` of OIDC Core section 3.1.2.1).

use std::time::Duration;

use axum::{
    extract::{OriginalUri, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use symbolon_authority::{App, Authorized, CodeChallenge, CodeRequest, ProofAsked};
use symbolon_login::{ClientId, UnixMillis};
use url::form_urlencoded::{self, byte_serialize};

use super::form::{Parameters, Repeated};
use crate::{
    ServerState, caller, pages,
    problem::{Problem, failure_status},
};

/// The app and the redirect URI are not known to belong together: the browser stays here, however
/// the request asks to be sent on (RFC 6749 section 4.1.2.1, RFC 9700 section 4.11.2).
#[derive(Debug, PartialEq, Eq)]
struct Stay(&'static str);

/// An error that the app itself is told.
#[derive(Debug, PartialEq, Eq)]
struct Tell {
    error: &'static str,
    description: &'static str,
}

/// Where the request says when the browser first came with it: our own, added on the way to the sign-in,
/// so that what was proved there counts and nobody is asked twice.
const ASKED_AT: &str = "symbolon_asked_at";

/// The values of `prompt` that do something here: as the metadata says.
pub(super) const PROMPTS: [&str; 3] = ["none", "login", "select_account"];

/// What is asked for beside the code itself.
#[derive(Debug)]
struct Requested {
    challenge: CodeChallenge,
    proof: ProofAsked,
    /// Whether no page may be shown (`prompt=none`).
    silent: bool,
}

/// The authorization endpoint.
pub(crate) async fn authorize(
    State(state): State<ServerState>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let parameters = Parameters::parse(uri.query().unwrap_or_default().as_bytes());
    let (app, redirect_uri) = match asked_by(&state, &parameters).await {
        Ok(known) => known,
        Err(Refused::Stay(Stay(description))) => {
            tracing::warn!(reason = description, "authorization request refused");
            let status = StatusCode::BAD_REQUEST;
            return pages::oauth_error(&headers, status, "invalid_request", description);
        }
        Err(Refused::Failure(failure)) => {
            return pages::problem(&headers, failure_status(&failure));
        }
    };
    let answer = Answer {
        issuer: state.public_url().as_str(),
        redirect_uri: &redirect_uri,
        // One that came twice is none: sending either back would vouch for it.
        state: parameters.one("state").ok().flatten(),
    };
    let Requested {
        challenge,
        proof,
        silent,
    } = match requested(&parameters) {
        Ok(requested) => requested,
        Err(tell) => {
            tracing::info!(client_id = %app.settings.client_id, error = tell.error,
                reason = tell.description, "authorization request refused");
            return answer.error(&tell);
        }
    };
    let known = match caller::console(&state, &headers).await {
        Ok(Some(known)) => known,
        Ok(None) if silent => return answer.error(&LOGIN_REQUIRED),
        Ok(None) => return to_sign_in(&uri, state.authority().proof_counts_from(&proof)),
        Err(refused) => return pages::problem(&headers, caller::refused_status(&refused)),
    };
    let request = CodeRequest {
        redirect_uri: redirect_uri.clone(),
        challenge,
        proof,
    };
    match state.authority().authorize(&known, &app, request).await {
        Ok(Authorized::Code(code)) => answer.code(&code),
        Ok(Authorized::ProveAgain(_)) if silent => answer.error(&LOGIN_REQUIRED),
        Ok(Authorized::ProveAgain(since)) => to_sign_in(&uri, Some(since)),
        Ok(Authorized::Full(_)) if silent => answer.error(&Tell {
            error: "interaction_required",
            description: "the person has as many logins in this app as they may have",
        }),
        Ok(Authorized::Full(house)) => {
            pages::full_in_app(&state, &headers, &uri, &known, &app, house).await
        }
        Err(failure) => answer.error(&match failure_status(&failure) {
            StatusCode::SERVICE_UNAVAILABLE => Tell {
                error: "temporarily_unavailable",
                description: "try again",
            },
            _ => Tell {
                error: "server_error",
                description: "something went wrong on our side",
            },
        }),
    }
}

enum Refused {
    Stay(Stay),
    Failure(symbolon_authority::Failure),
}

/// The app that asks, and its own redirect URI as it wrote it.
async fn asked_by(state: &ServerState, parameters: &Parameters) -> Result<(App, String), Refused> {
    let stay = |description| Refused::Stay(Stay(description));
    let once = |name, repeated| parameters.one(name).map_err(|Repeated| stay(repeated));
    let client_id = once("client_id", "client_id came more than once")?
        .and_then(|text| text.parse::<ClientId>().ok())
        .ok_or_else(|| stay("client_id is missing or unknown"))?;
    let app = state
        .authority()
        .app(&client_id)
        .await
        .map_err(Refused::Failure)?
        .ok_or_else(|| stay("client_id is missing or unknown"))?;
    let redirect_uri = once("redirect_uri", "redirect_uri came more than once")?
        .ok_or_else(|| stay("redirect_uri is missing"))?;
    if !app.redirect_uris.iter().any(|uri| uri.admits(redirect_uri)) {
        return Err(stay("redirect_uri is not one that the app has registered"));
    }
    Ok((app, redirect_uri.to_owned()))
}

/// The rest of the request: what the app may be told about.
fn requested(parameters: &Parameters) -> Result<Requested, Tell> {
    let invalid = |description| Tell {
        error: "invalid_request",
        description,
    };
    if parameters.has_repeated() {
        return Err(invalid("a parameter came more than once"));
    }
    let one = |name| parameters.one(name).ok().flatten();
    // Passing over these would answer another request than the one that was made.
    if one("request").is_some() {
        return Err(Tell {
            error: "request_not_supported",
            description: "request objects are not supported",
        });
    }
    if one("request_uri").is_some() {
        return Err(Tell {
            error: "request_uri_not_supported",
            description: "request objects are not supported",
        });
    }
    match one("response_type") {
        Some("code") => {}
        Some(_) => {
            return Err(Tell {
                error: "unsupported_response_type",
                description: "response_type: expected code",
            });
        }
        None => return Err(invalid("response_type is missing")),
    }
    if one("response_mode").is_some_and(|mode| mode != "query") {
        return Err(invalid("response_mode: expected query"));
    }
    // Without a method RFC 7636 means plain, which hides nothing from whoever reads the URL.
    match one("code_challenge_method") {
        Some("S256") => {}
        _ => return Err(invalid("code_challenge_method: expected S256")),
    }
    let challenge = one("code_challenge")
        .and_then(CodeChallenge::parse)
        .ok_or(invalid("code_challenge: expected a SHA-256 in base64url"))?;
    // RFC 9470: whoever asks for a context class does not want a token without it, and
    // passwords are of none.
    if one("acr_values").is_some() {
        return Err(Tell {
            error: "unmet_authentication_requirements",
            description: "acr_values: no authentication context class is supported",
        });
    }
    let max_age = one("max_age").map(str::parse).transpose();
    let max_age = max_age.map_err(|_| invalid("max_age: expected whole seconds"))?;
    let prompts: Vec<&str> = one("prompt").unwrap_or_default().split(' ').collect();
    let prompts: Vec<&str> = prompts.into_iter().filter(|one| !one.is_empty()).collect();
    if !prompts.iter().all(|one| PROMPTS.contains(one)) {
        return Err(invalid("prompt: expected none, login or select_account"));
    }
    let silent = prompts.contains(&"none");
    if silent && prompts.len() > 1 {
        return Err(invalid("prompt: none stands alone"));
    }
    Ok(Requested {
        challenge,
        proof: ProofAsked {
            max_age: max_age.map(Duration::from_secs),
            // The sign-in form is where another account is chosen, too.
            anew: !silent && !prompts.is_empty(),
            since: one(ASKED_AT).and_then(moment),
        },
        silent,
    })
}

/// Nobody is signed in, or not recently enough, and no page may be shown (OIDC Core section
/// 3.1.2.6).
const LOGIN_REQUIRED: Tell = Tell {
    error: "login_required",
    description: "the person has to sign in",
};

fn moment(text: &str) -> Option<UnixMillis> {
    text.parse().ok().map(UnixMillis::from_millis)
}

/// From when on a proof counts for the request behind the sign-in page, if it asked for one.
pub(crate) fn asked_at(query: &str) -> Option<UnixMillis> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, value) = pairs.find(|(name, _)| name == ASKED_AT)?;
    moment(&value)
}

/// The browser signs in first and comes back to the same request, which then says from when on a proof
/// counts.
fn to_sign_in(uri: &Uri, counts_from: Option<UnixMillis>) -> Response {
    let mut asked = uri
        .path_and_query()
        .map_or_else(|| "/".to_owned(), ToString::to_string);
    if let Some(counts_from) = counts_from {
        let query = uri.query().unwrap_or_default().split('&');
        let ours = |pair: &&str| pair.split('=').next() == Some(ASKED_AT);
        let kept: Vec<&str> = query.filter(|pair| !ours(pair)).collect();
        let (path, kept) = (uri.path(), kept.join("&"));
        asked = format!("{path}?{kept}&{ASKED_AT}={}", counts_from.as_millis());
    }
    let encoded: String = byte_serialize(asked.as_bytes()).collect();
    redirect(
        StatusCode::SEE_OTHER,
        &format!("/sign-in?return_to={encoded}"),
    )
}

/// Where and how the app is answered (RFC 6749 section 4.1.2, RFC 9207 section 2).
struct Answer<'a> {
    issuer: &'a str,
    redirect_uri: &'a str,
    state: Option<&'a str>,
}

impl Answer<'_> {
    fn code(&self, code: &str) -> Response {
        self.send(&[("code", code)])
    }

    fn error(&self, tell: &Tell) -> Response {
        self.send(&[
            ("error", tell.error),
            ("error_description", tell.description),
        ])
    }

    fn send(&self, said: &[(&str, &str)]) -> Response {
        redirect(StatusCode::FOUND, &self.location(said))
    }

    /// The redirect URI, its own query kept (section 3.1.2), with our parameters after it.
    fn location(&self, said: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(said);
        if let Some(state) = self.state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", self.issuer);
        let separator = match self.redirect_uri.split_once('?') {
            None => "?",
            Some((_, own)) if own.is_empty() || own.ends_with('&') => "",
            Some(_) => "&",
        };
        format!("{}{separator}{}", self.redirect_uri, query.finish())
    }
}

fn redirect(status: StatusCode, location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(mut location) => {
            // A code is in it.
            location.set_sensitive(true);
            (status, [(header::LOCATION, location)]).into_response()
        }
        // A registered URI is printable ASCII, and all else is encoded.
        Err(_) => Problem::new(crate::problem::Kind::Internal).into_response(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn error(query: &str) -> Option<&'static str> {
        requested(&Parameters::parse(query.as_bytes()))
            .err()
            .map(|tell| tell.error)
    }

    #[test]
    fn only_code_with_s256_is_asked_for() {
        let rest = format!("code_challenge={CHALLENGE}&code_challenge_method=S256");
        assert_eq!(error(&format!("response_type=code&{rest}")), None);
        for (query, expected) in [
            (rest.clone(), "invalid_request"),
            (
                format!("response_type=token&{rest}"),
                "unsupported_response_type",
            ),
            (
                format!("response_type=code+id_token&{rest}"),
                "unsupported_response_type",
            ),
            ("response_type=code".to_owned(), "invalid_request"),
            (
                format!("response_type=code&code_challenge={CHALLENGE}"),
                "invalid_request",
            ),
            (
                format!(
                    "response_type=code&code_challenge={CHALLENGE}&code_challenge_method=plain"
                ),
                "invalid_request",
            ),
            (
                "response_type=code&code_challenge=short&code_challenge_method=S256".to_owned(),
                "invalid_request",
            ),
            (
                format!("response_type=code&response_type=code&{rest}"),
                "invalid_request",
            ),
            (
                format!("response_type=code&x=1&x=2&{rest}"),
                "invalid_request",
            ),
            (
                format!("response_type=code&response_mode=fragment&{rest}"),
                "invalid_request",
            ),
            (
                format!("response_type=code&request=x&{rest}"),
                "request_not_supported",
            ),
            (
                format!("response_type=code&acr_values=phr&{rest}"),
                "unmet_authentication_requirements",
            ),
            (
                format!("response_type=code&max_age=-1&{rest}"),
                "invalid_request",
            ),
            (
                format!("response_type=code&max_age=1.5&{rest}"),
                "invalid_request",
            ),
            (
                format!("response_type=code&prompt=consent&{rest}"),
                "invalid_request",
            ),
            (
                format!("response_type=code&prompt=none+login&{rest}"),
                "invalid_request",
            ),
        ] {
            assert_eq!(error(&query), Some(expected), "{query}");
        }
    }

    #[test]
    fn the_answer_is_added_to_the_apps_own_query() {
        let location = |redirect_uri, state| {
            let issuer = "https://auth.example.test";
            let answer = Answer {
                issuer,
                redirect_uri,
                state,
            };
            answer.location(&[("code", "a b")])
        };
        let iss = "iss=https%3A%2F%2Fauth.example.test";
        assert_eq!(
            location("https://app.example.test/cb", Some("x&y")),
            format!("https://app.example.test/cb?code=a+b&state=x%26y&{iss}")
        );
        assert_eq!(
            location("https://app.example.test/cb?own=1", None),
            format!("https://app.example.test/cb?own=1&code=a+b&{iss}")
        );
        assert_eq!(
            location("https://app.example.test/cb?", None),
            format!("https://app.example.test/cb?code=a+b&{iss}")
        );
    }

    #[test]
    fn signing_in_comes_back_to_the_same_request() {
        let uri: Uri = "/oauth2/authorize?client_id=app&state=a%26b"
            .parse()
            .unwrap();
        assert_eq!(
            to_sign_in(&uri, None).headers()[header::LOCATION],
            "/sign-in?return_to=%2Foauth2%2Fauthorize%3Fclient_id%3Dapp%26state%3Da%2526b"
        );
        // An earlier moment is replaced, not repeated.
        let uri: Uri = "/oauth2/authorize?symbolon_asked_at=1&prompt=login"
            .parse()
            .unwrap();
        let counts_from = Some(UnixMillis::from_millis(7));
        assert_eq!(
            to_sign_in(&uri, counts_from).headers()[header::LOCATION],
            "/sign-in?return_to=%2Foauth2%2Fauthorize%3Fprompt%3Dlogin%26symbolon_asked_at%3D7"
        );
    }
}
