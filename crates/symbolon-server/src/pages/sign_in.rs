//! Pages: the start, sign in, sign out.

use axum::{extract::State, response::Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use symbolon_authority::{Attempt, Authority, Failure, Known, Password, RedirectUri, SignIn};
use symbolon_login::ClientId;
use url::{Host, Url};

use super::{
    asking::Anybody,
    device::device_name,
    form::{PageForm, PageQuery, checkbox},
    full_house::{self, Chosen},
    page::{Page, see_other, send_leading_to},
    refusal,
    return_to::LocalPath,
    views::{full_house::SignInAgain, notice::Notice, sign_in::SignInPage},
};
use crate::{ServerState, oauth::authorize::asked_at};

/// Where the request of an app begins.
const AUTHORIZE: &str = "/oauth2/authorize?";

/// What the address of the sign-in page may say.
#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    return_to: String,
    #[serde(default)]
    notice: String,
}

/// What the form brings. No Debug: it holds a password.
#[derive(Deserialize)]
pub(crate) struct Fields {
    identifier: String,
    password: String,
    #[serde(default)]
    return_to: String,
    #[serde(default, deserialize_with = "checkbox")]
    remember: bool,
    #[serde(flatten)]
    chosen: Chosen,
}

/// `GET /`
pub(crate) async fn start(Anybody { known, .. }: Anybody) -> Response {
    see_other(&LocalPath::to(if known.is_some() {
        "/account"
    } else {
        "/sign-in"
    }))
}

/// `GET /sign-in`
pub(crate) async fn form(
    State(state): State<ServerState>,
    Anybody { page, known }: Anybody,
    PageQuery(asked): PageQuery<Asked>,
) -> Response {
    let back = LocalPath::parse(&asked.return_to);
    let again = match &known {
        Some(known) if !has_to_prove_again(known, back.as_ref()) => {
            return see_other(&back.unwrap_or_else(home));
        }
        known => known.is_some(),
    };
    let notice = Notice::from_name(&asked.notice);
    show(&state, page, StatusCode::OK, back, |view| {
        view.notice = notice;
        view.again = again;
        if let Some(known) = known {
            view.identifier = known.user.identifier.to_string();
            view.remember = known.login.remembered;
        }
    })
    .await
}

/// Whether the request behind the sign-in page wants a younger proof than the one that this login began
/// with.
fn has_to_prove_again(known: &Known, back: Option<&LocalPath>) -> bool {
    let query = back.and_then(|back| back.as_str().strip_prefix(AUTHORIZE));
    let counts_from = query.and_then(asked_at);
    counts_from.is_some_and(|moment| known.login.authenticated_at < moment)
}

/// `POST /sign-in`: always a new login; what this browser had before is ended.
pub(crate) async fn submit(
    State(state): State<ServerState>,
    Anybody {
        mut page,
        known: old,
    }: Anybody,
    headers: HeaderMap,
    PageForm(fields): PageForm<Fields>,
) -> Response {
    let back = LocalPath::parse(&fields.return_to);
    let (identifier, remember) = (fields.identifier.clone(), fields.remember);
    let attempt = Attempt {
        identifier: fields.identifier,
        password: Password::new(fields.password),
        device: device_name(&headers),
        remember,
        replaces: old.as_ref().map(|old| old.login.sid),
        instead_of: fields.chosen.sids(),
    };
    let outcome = match sign_in(state.authority(), attempt).await {
        Ok(outcome) => outcome,
        Err(failure) => return refusal::failure(page, &failure),
    };
    let credential = match outcome {
        SignIn::SignedIn(credential) => credential,
        SignIn::Refused => {
            page.here = here(back.as_ref());
            let again = old.is_some_and(|old| has_to_prove_again(&old, back.as_ref()));
            let say = |view: &mut SignInPage| {
                view.identifier = identifier;
                view.remember = remember;
                view.again = again;
                view.refused = true;
            };
            return refused(&state, page, back, say).await;
        }
        SignIn::Later { wait } => {
            page.here = here(back.as_ref());
            return refusal::too_many(page, wait);
        }
        SignIn::Full(house) => {
            page.here = here(back.as_ref());
            let again = SignInAgain {
                identifier,
                remember,
            };
            return full_house::at_sign_in(&state, page, house, again, back).await;
        }
    };
    if let Err(failure) = state.end_replaced(old).await {
        return refusal::failure(page, &failure);
    }
    match state.console_cookie(&credential) {
        Ok(cookie) => with_cookie(see_other(&back.unwrap_or_else(home)), cookie),
        Err(_) => refusal::problem(&headers, StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// The form again: the one answer for whatever was wrong.
async fn refused(
    state: &ServerState,
    page: Page,
    back: Option<LocalPath>,
    say: impl FnOnce(&mut SignInPage),
) -> Response {
    let mut response = show(state, page, StatusCode::UNAUTHORIZED, back, say).await;
    // RFC 9110 section 15.5.2 wants a challenge; no browser opens a dialog for this one.
    let challenge = HeaderValue::from_static("Cookie realm=\"Symbolon\"");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, challenge);
    response
}

/// `POST /sign-out`: ends this login, in every app of this device.
pub(crate) async fn sign_out(
    State(state): State<ServerState>,
    Anybody { page, known }: Anybody,
) -> Response {
    if let Some(who) = known {
        match state.authority().end_own_login(&who, who.login.sid).await {
            Ok(Some(ended)) => state.acknowledged(&ended),
            Ok(None) => {}
            Err(failure) => return refusal::failure(page, &failure),
        }
    }
    let to = Notice::SignedOut.at(LocalPath::to("/sign-in"));
    with_cookie(see_other(&to), state.clear_console_cookie())
}

/// A response that sets one cookie.
pub(crate) fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

async fn sign_in(authority: &Authority, attempt: Attempt) -> Result<SignIn, Failure> {
    match authority.app(authority.console()).await? {
        Some(console) => authority.sign_in(attempt, &console).await,
        // The console is registered at every start.
        None => Ok(SignIn::Refused),
    }
}

/// Shows the form; `say` adds what this occasion has to say.
async fn show(
    state: &ServerState,
    page: Page,
    status: StatusCode,
    back: Option<LocalPath>,
    say: impl FnOnce(&mut SignInPage),
) -> Response {
    let asking = match &back {
        Some(back) => match asking_app(state.authority(), back).await {
            Ok(asking) => asking,
            Err(failure) => return refusal::failure(page, &failure),
        },
        None => None,
    };
    let (app, leads_to) = asking.unzip();
    let mut view = SignInPage::new(page, app, back);
    say(&mut view);
    send_leading_to(status, &view, leads_to.as_deref())
}

/// The name of the app whose authorization request waits behind the sign-in, and the origin to which
/// it leads; none when it is not a request that will be granted.
pub(super) async fn asking_app(
    authority: &Authority,
    back: &LocalPath,
) -> Result<Option<(String, String)>, Failure> {
    let Some((client_id, redirect_uri)) = authorization_request(back) else {
        return Ok(None);
    };
    let Some(app) = authority.app(&client_id).await? else {
        return Ok(None);
    };
    if !app
        .redirect_uris
        .iter()
        .any(|registered| registered.admits(redirect_uri.as_str()))
    {
        return Ok(None);
    }
    Ok(form_action_source(&redirect_uri).map(|source| (app.name, source)))
}

fn authorization_request(back: &LocalPath) -> Option<(ClientId, RedirectUri)> {
    let query = back.as_str().strip_prefix(AUTHORIZE)?;
    let value = |wanted: &str| {
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    Some((
        value("client_id")?.parse().ok()?,
        value("redirect_uri")?.parse().ok()?,
    ))
}

/// The source for CSP `form-action` that covers this redirect URI.
fn form_action_source(uri: &RedirectUri) -> Option<String> {
    let url = Url::parse(uri.as_str()).ok()?;
    Some(match url.host()? {
        // CSP 3 has no syntax for an IPv6 host: the scheme alone. Only a loopback address of a
        // registered app comes this far, and the form's own target is fixed.
        Host::Ipv6(_) => format!("{}:", url.scheme()),
        _ => uri.origin(),
    })
}

pub(super) fn home() -> LocalPath {
    LocalPath::to("/account")
}

/// The sign-in page as a GET, for the language switch.
fn here(back: Option<&LocalPath>) -> LocalPath {
    let sign_in = LocalPath::to("/sign-in");
    match back {
        Some(back) => sign_in.with("return_to", back.as_str()),
        None => sign_in,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_authorization_request_is_recognised() {
        let back = LocalPath::parse(
            "/oauth2/authorize?response_type=code&client_id=dashboard&redirect_uri=http%3A%2F%2Flocalhost%3A7302%2Fauth%2Fcallback",
        )
        .unwrap();
        let (client_id, redirect_uri) = authorization_request(&back).unwrap();
        assert_eq!(client_id.as_str(), "dashboard");
        assert_eq!(redirect_uri.as_str(), "http://localhost:7302/auth/callback");
        for other in [
            "/account",
            "/oauth2/authorize",
            "/oauth2/authorize?client_id=dashboard",
            "/oauth2/authorize?client_id=<x>&redirect_uri=https%3A%2F%2Fa.test%2F",
            "/oauth2/authorize?client_id=a&redirect_uri=javascript%3Aalert(1)",
            "/oauth2/authorize/x?client_id=a&redirect_uri=https%3A%2F%2Fa.test%2F",
        ] {
            assert!(
                authorization_request(&LocalPath::parse(other).unwrap()).is_none(),
                "{other}"
            );
        }
    }

    #[test]
    fn a_form_leads_to_the_origin_of_the_redirect_uri() {
        for (uri, source) in [
            (
                "https://app.example.test/cb?x=1",
                "https://app.example.test",
            ),
            (
                "http://localhost:7302/auth/callback",
                "http://localhost:7302",
            ),
            ("http://127.0.0.1:49152/cb", "http://127.0.0.1:49152"),
            ("http://[::1]:49152/cb", "http:"),
        ] {
            assert_eq!(
                form_action_source(&uri.parse().unwrap()).as_deref(),
                Some(source)
            );
        }
    }
}
