//! Who is calling? A good first-party credential, from a header or a cookie.

use axum::extract::FromRequestParts;
use http::{HeaderMap, StatusCode, header, request::Parts};
use symbolon_authority::{Admin, Failure, Known};
use symbolon_login::{ClientId, SecretKind};

use crate::{
    ServerState,
    cookies::DuplicateCookie,
    csrf::{self, Source},
    problem::{Kind, Problem, failure_status},
};

/// How many cookies are tried at most: a stuffed header is no lever against the store.
const MOST_TRIED: usize = 8;

/// Somebody with a good credential of a first-party app.
pub(crate) struct Caller {
    /// The proof.
    pub(crate) known: Known,
    /// How it came.
    pub(crate) carrier: Carrier,
}

/// How a credential came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// `Authorization: Bearer` (RFC 6750 section 2.1).
    Bearer,
    /// The cookie of this app.
    Cookie(ClientId),
}

/// Somebody who may run the authority.
pub(crate) struct AdminCaller {
    /// The proof.
    pub(crate) admin: Admin,
    /// Their own login; none for the operator.
    pub(crate) known: Option<Known>,
}

/// Marks requests that came by the operator's socket or from the process itself. Only the router
/// for the operator puts it there, and no header can.
#[derive(Clone, Copy)]
pub(crate) struct ByOperator;

/// The console's cookie could not be asked about.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Its name came twice.
    Duplicate,
    /// The story failed.
    Failure(Failure),
}

/// Who is asking at the console: from its own cookie only, never from a header.
pub(crate) async fn console(
    state: &ServerState,
    headers: &HeaderMap,
) -> Result<Option<Known>, Refused> {
    let console = state.authority().console();
    by_cookie_of(state, headers, console).await
}

/// Who is asking by the cookie of one app.
pub(crate) async fn by_cookie_of(
    state: &ServerState,
    headers: &HeaderMap,
    client_id: &ClientId,
) -> Result<Option<Known>, Refused> {
    let found = state.cookies().find(headers, client_id.as_str());
    match found.map_err(|DuplicateCookie| Refused::Duplicate)? {
        Some(value) => known_as(state, &value, client_id)
            .await
            .map_err(Refused::Failure),
        None => Ok(None),
    }
}

/// The status of such a refusal. Writes a failure's text to the log.
pub(crate) fn refused_status(refused: &Refused) -> StatusCode {
    match refused {
        Refused::Duplicate => StatusCode::BAD_REQUEST,
        Refused::Failure(failure) => failure_status(failure),
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Duplicate => DuplicateCookie.into(),
            Refused::Failure(failure) => failure.into(),
        }
    }
}

impl FromRequestParts<ServerState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ServerState) -> Result<Self, Problem> {
        match bearer(&parts.headers)? {
            Some(token) => by_bearer(state, token).await,
            None => by_cookie(state, parts).await,
        }
    }
}

impl FromRequestParts<ServerState> for AdminCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ServerState) -> Result<Self, Problem> {
        if parts.extensions.get::<ByOperator>().is_some() {
            return Ok(Self {
                admin: Admin::operator(),
                known: None,
            });
        }
        let Caller { known, .. } = Caller::from_request_parts(parts, state).await?;
        let Some(admin) = Admin::check(&known) else {
            tracing::warn!(user = %known.user.id, reason = "not an administrator", "refused");
            return Err(Problem::new(Kind::Forbidden));
        };
        Ok(Self {
            admin,
            known: Some(known),
        })
    }
}

/// The bearer token of the request.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let Some(line) = lines.next() else {
        return Ok(None);
    };
    if lines.next().is_some() {
        return Err(Problem::with(
            Kind::BadRequest,
            "Authorization: came more than once",
        ));
    }
    let refused = || Problem::new(Kind::CredentialRefused);
    let (scheme, token) = line
        .to_str()
        .ok()
        .and_then(|line| line.split_once(' '))
        .ok_or_else(refused)?;
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() {
        Ok(Some(token))
    } else {
        Err(refused())
    }
}

async fn by_bearer(state: &ServerState, token: &str) -> Result<Caller, Problem> {
    let known = state.authority().who(token).await?;
    let known = known.ok_or(Problem::new(Kind::CredentialRefused))?;
    if known.app.first_party {
        Ok(Caller {
            known,
            carrier: Carrier::Bearer,
        })
    } else {
        tracing::warn!(
            client_id = %known.grant.client_id, user = %known.user.id,
            reason = "a credential of an app that is not first-party", "refused"
        );
        Err(Problem::with(
            Kind::Forbidden,
            "this credential is for its own app only",
        ))
    }
}

async fn by_cookie(state: &ServerState, parts: &Parts) -> Result<Caller, Problem> {
    let console = state.authority().console();
    let ours = |stem: &str, value: &str| {
        stem.parse::<ClientId>().is_ok() && looks_like_a_credential(value)
    };
    let mut shown = state.cookies().all(&parts.headers, ours)?;
    if shown.is_empty() {
        return Err(Problem::new(Kind::NotSignedIn));
    }
    if csrf::is_unsafe(&parts.method)
        && csrf::source(state.public_url(), &parts.headers) != Source::Own
    {
        tracing::warn!(reason = "cross-site", "refused");
        return Err(Problem::new(Kind::CrossSite));
    }
    // The console's own first: at most one of them is ours to answer for.
    shown.sort_by_key(|(stem, _)| stem != console.as_str());
    let mut refusal = Kind::NotSignedIn;
    for (stem, value) in shown.into_iter().take(MOST_TRIED) {
        let Ok(client_id) = stem.parse::<ClientId>() else {
            continue;
        };
        // Apps share a host's cookies across ports: those that are not first-party are not meant
        // for us.
        let app = state.authority().app(&client_id).await?;
        if !app.is_some_and(|app| app.first_party) {
            continue;
        }
        if let Some(known) = known_as(state, &value, &client_id).await? {
            return Ok(Caller {
                known,
                carrier: Carrier::Cookie(client_id),
            });
        }
        refusal = Kind::CredentialRefused;
    }
    Err(Problem::new(refusal))
}

/// The cookie of one app is good for that app only.
async fn known_as(
    state: &ServerState,
    credential: &str,
    client_id: &ClientId,
) -> Result<Option<Known>, Failure> {
    let known = state.authority().who(credential).await?;
    Ok(known.filter(|known| known.grant.client_id == *client_id && known.app.first_party))
}

/// An opaque session, or what may be a signed token.
fn looks_like_a_credential(value: &str) -> bool {
    match SecretKind::claimed_by(value) {
        Some(kind) => kind == SecretKind::Session,
        None => value.matches('.').count() == 2,
    }
}
