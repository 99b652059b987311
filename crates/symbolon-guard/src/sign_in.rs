//! The app's half of signing in: authorization code with PKCE (RFC 6749 section 4.1, RFC 7636).
//!
//! A sign-in is bound to the browser that began it by a cookie that holds the state, the PKCE
//! verifier and the way back. A code that arrives in another browser finds no such cookie (login
//! CSRF, code injection); one from another authority fails by its `iss` (mix-up, RFC 9207).

use std::{sync::Arc, time::Duration};

use aws_lc_rs::{constant_time, digest, rand};
use axum::response::Response;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, StatusCode};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use crate::{
    authority::Redeemed,
    backoff::Backoff,
    cookies::Jar,
    core::Core,
    local_path::LocalPath,
    renew,
    resolve::PATIENCE,
    response::{Asker, BAD_CALLBACK, BAD_REQUEST, GUARD_STALE, redirect, set_cookies},
};

/// Where the authority sends people back to.
pub(crate) const CALLBACK: &str = "/auth/callback";

/// Sign-ins under way in one browser. With more, the cookies of all would outgrow a request's headers.
const MOST_AT_ONCE: usize = 8;

/// How many characters of the state name its cookie.
const NAMED_BY: usize = 8;

/// Sends a person to the authority; none when the app has no public URL or the system no randomness.
/// `max_age`: who proved themselves longer ago has to do it again (`OpenID` Connect Core section 3.1.2.1).
pub(crate) fn begin(
    core: &Core,
    return_to: &LocalPath,
    headers: &HeaderMap,
    max_age: Option<Duration>,
) -> Option<Response> {
    let state = random()?;
    let verifier = random()?;
    let mut location = authorize_url(core, &state, &verifier)?;
    if let Some(max_age) = max_age {
        let seconds = max_age.as_secs().to_string();
        location.query_pairs_mut().append_pair("max_age", &seconds);
    }
    let names = &core.settings.cookies;
    let under_way = Jar::read(headers, names).ok()?.transactions;
    let mut cookies = Vec::new();
    if under_way.len() >= MOST_AT_ONCE {
        cookies.extend(
            under_way
                .iter()
                .map(|(name, _)| names.clear_transaction(name)),
        );
    }
    let value = Zeroizing::new(format!(
        "{}.{}.{}",
        *state,
        *verifier,
        URL_SAFE_NO_PAD.encode(return_to.as_str())
    ));
    cookies.push(names.set_transaction(state.get(..NAMED_BY)?, &value));
    redirect(StatusCode::FOUND, location.as_str(), cookies)
}

/// `GET /auth/callback`: the person comes back with a code.
pub(crate) async fn finish(core: &Arc<Core>, asker: &Asker<'_>) -> Response {
    let Ok(jar) = Jar::read(asker.headers, &core.settings.cookies) else {
        return BAD_REQUEST.answer(asker);
    };
    let Some(answer) = AuthorizationAnswer::parse(asker.uri.query().unwrap_or_default()) else {
        return BAD_CALLBACK.answer(asker);
    };
    let Some(transaction) = answer.transaction(&jar) else {
        tracing::info!("a callback without its sign-in: another browser, or too late");
        return BAD_CALLBACK.answer(asker);
    };
    let done = vec![core.settings.cookies.clear_transaction(transaction.name)];
    if answer.iss != core.settings.issuer {
        tracing::warn!("a callback of another issuer");
        return with_cookies(BAD_CALLBACK.answer(asker), done);
    }
    let Some(grant) = &answer.code else {
        tracing::info!("the authority did not sign the person in");
        return with_cookies(BAD_CALLBACK.answer(asker), done);
    };
    match exchange(core, grant, &transaction.verifier).await {
        Exchanged::Granted(mut cookies) => {
            cookies.extend(done);
            redirect(StatusCode::FOUND, transaction.return_to.as_str(), cookies)
                .unwrap_or_else(|| BAD_CALLBACK.answer(asker))
        }
        Exchanged::Refused => with_cookies(BAD_CALLBACK.answer(asker), done),
        Exchanged::Unavailable => GUARD_STALE.answer(asker),
    }
}

enum Exchanged {
    Granted(Vec<HeaderValue>),
    Refused,
    Unavailable,
}

async fn exchange(core: &Arc<Core>, grant: &str, verifier: &str) -> Exchanged {
    let Some(redirect_uri) = redirect_uri(core) else {
        return Exchanged::Refused;
    };
    let started = core.clock.moment();
    let mut backoff = Backoff::default();
    loop {
        match core
            .authority
            .exchange(grant, verifier, &redirect_uri)
            .await
        {
            Ok(Redeemed::Granted(granted)) => {
                // A refresh token of an earlier login must not outlive a switch to the session shape.
                return Exchanged::Granted(renew::cookies(core, &granted, true));
            }
            Ok(Redeemed::Invalid) => {
                tracing::info!("the authority refused the code");
                return Exchanged::Refused;
            }
            Err(unavailable) => {
                let pause = backoff.next(core.clock.chance());
                let then = core.clock.moment().plus(pause);
                // A code counts once: a second try after one that arrived would revoke what it gave
                // (RFC 6749 section 4.1.2).
                if !unavailable.not_done || then.since(started) >= PATIENCE {
                    tracing::warn!(reason = %unavailable, "a code could not be exchanged");
                    return Exchanged::Unavailable;
                }
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// The query of a callback, each parameter at most once (RFC 6749 section 3.1).
struct AuthorizationAnswer {
    code: Option<Zeroizing<String>>,
    state: String,
    iss: String,
}

struct Transaction<'h> {
    name: &'h str,
    verifier: Zeroizing<String>,
    return_to: LocalPath,
}

impl AuthorizationAnswer {
    fn parse(query: &str) -> Option<Self> {
        let (mut code, mut state, mut iss, mut error) = (None, None, None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let slot = match &*name {
                "code" => &mut code,
                "state" => &mut state,
                "iss" => &mut iss,
                "error" => &mut error,
                _ => continue,
            };
            if slot.replace(value.into_owned()).is_some() {
                return None;
            }
        }
        Some(Self {
            code: code.filter(|_| error.is_none()).map(Zeroizing::new),
            state: state?,
            iss: iss?,
        })
    }

    /// The sign-in that this browser began with this state.
    fn transaction<'h>(&self, jar: &Jar<'h>) -> Option<Transaction<'h>> {
        let named = self.state.get(..NAMED_BY)?;
        let (name, value) = jar.transactions.iter().find(|(name, _)| *name == named)?;
        let mut parts = value.split('.');
        let (state, verifier, path) = (parts.next()?, parts.next()?, parts.next()?);
        let same = constant_time::verify_slices_are_equal(state.as_bytes(), self.state.as_bytes());
        if same.is_err() || parts.next().is_some() {
            return None;
        }
        let path = URL_SAFE_NO_PAD.decode(path).ok()?;
        let path = LocalPath::parse(std::str::from_utf8(&path).ok()?);
        Some(Transaction {
            name,
            verifier: Zeroizing::new(verifier.to_owned()),
            return_to: path.unwrap_or_else(LocalPath::root),
        })
    }
}

fn authorize_url(core: &Core, state: &str, verifier: &str) -> Option<Url> {
    let challenge = digest::digest(&digest::SHA256, verifier.as_bytes());
    let mut url = Url::parse(&format!("{}/oauth2/authorize", core.settings.issuer)).ok()?;
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", core.settings.client_id.as_str())
        .append_pair("redirect_uri", &redirect_uri(core)?)
        .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(challenge))
        .append_pair("code_challenge_method", "S256")
        .append_pair("state", state);
    Some(url)
}

fn redirect_uri(core: &Core) -> Option<String> {
    let origin = core.settings.public_origin.as_ref()?;
    Some(format!("{origin}{CALLBACK}"))
}

/// 256 random bits in base64url: 43 characters, a state or a PKCE verifier (RFC 7636 section 4.1).
fn random() -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0; 32]);
    rand::fill(bytes.as_mut_slice()).ok()?;
    Some(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

fn with_cookies(mut response: Response, cookies: Vec<HeaderValue>) -> Response {
    set_cookies(response.headers_mut(), cookies);
    response
}
