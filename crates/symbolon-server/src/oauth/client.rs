//! Which app is calling, and can it prove it? (RFC 6749 section 2.3)

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, header};
use symbolon_authority::App;
use symbolon_login::ClientId;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::{OAuthError, form::Form};
use crate::ServerState;

/// What an app shows of itself. No Debug: it holds a secret.
pub(crate) struct Shown {
    /// The `client_id`, as text.
    client_id: String,
    /// Its secret; none for a public client.
    secret: Option<Zeroizing<String>>,
}

/// The app that sent this form: by `Authorization: Basic`, or by `client_id` and `client_secret`
/// in the form, never both (RFC 6749 section 2.3).
pub(crate) async fn authenticate(
    state: &ServerState,
    headers: &HeaderMap,
    form: &Form,
) -> Result<App, OAuthError> {
    let in_form = form.optional("client_id");
    let shown = match basic(headers)? {
        Some(shown) => {
            if form.optional("client_secret").is_some() {
                return Err(OAuthError::InvalidRequest(
                    "the client authenticated in two ways",
                ));
            }
            if in_form.is_some_and(|id| id != shown.client_id) {
                return Err(OAuthError::InvalidRequest(
                    "client_id differs from Authorization",
                ));
            }
            shown
        }
        None => Shown {
            client_id: in_form.ok_or(OAuthError::InvalidClient)?.to_owned(),
            secret: form
                .optional("client_secret")
                .map(|secret| Zeroizing::new(secret.to_owned())),
        },
    };
    prove(state, &shown).await
}

/// The app behind `Authorization: Basic`; none where there is no such header.
pub(crate) async fn by_basic(
    state: &ServerState,
    headers: &HeaderMap,
) -> Result<Option<App>, OAuthError> {
    match basic(headers)? {
        Some(shown) => prove(state, &shown).await.map(Some),
        None => Ok(None),
    }
}

async fn prove(state: &ServerState, shown: &Shown) -> Result<App, OAuthError> {
    let client_id: ClientId = shown
        .client_id
        .parse()
        .map_err(|_| OAuthError::InvalidClient)?;
    let secret = shown.secret.as_ref().map(|secret| secret.as_str());
    let app = state
        .authority()
        .authenticate_client(&client_id, secret)
        .await?;
    app.ok_or(OAuthError::InvalidClient)
}

/// Name and secret of `Authorization: Basic`, each form-urlencoded before they were joined (RFC
/// 6749 section 2.3.1).
fn basic(headers: &HeaderMap) -> Result<Option<Shown>, OAuthError> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let Some(line) = lines.next() else {
        return Ok(None);
    };
    if lines.next().is_some() {
        return Err(OAuthError::InvalidRequest(
            "Authorization came more than once",
        ));
    }
    read_basic(line.as_bytes())
        .map(Some)
        .ok_or(OAuthError::InvalidClient)
}

fn read_basic(line: &[u8]) -> Option<Shown> {
    let line = std::str::from_utf8(line).ok()?;
    let (scheme, encoded) = line.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = Zeroizing::new(STANDARD.decode(encoded.trim()).ok()?);
    let pair = std::str::from_utf8(&pair).ok()?;
    let (client_id, secret) = pair.split_once(':')?;
    let secret = decoded(secret)?;
    Some(Shown {
        client_id: decoded(client_id)?.to_string(),
        // A public client has nothing to show: an empty password is none.
        secret: (!secret.is_empty()).then_some(secret),
    })
}

/// One form-urlencoded value. None where it holds a separator, which an encoded one cannot.
fn decoded(text: &str) -> Option<Zeroizing<String>> {
    if text.contains(['&', '=']) {
        return None;
    }
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    let name = pairs.next().map(|(name, _)| name.into_owned());
    Some(Zeroizing::new(name.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn read(pair: &str) -> Option<(String, Option<String>)> {
        let line = format!("Basic {}", STANDARD.encode(pair));
        let shown = read_basic(line.as_bytes())?;
        Some((
            shown.client_id,
            shown.secret.map(|secret| secret.to_string()),
        ))
    }

    #[test]
    fn name_and_secret_are_percent_decoded() {
        let (id, secret) = read("back%2Doffice:a%3Ab+c%25").unwrap();
        assert_eq!(
            (id.as_str(), secret.as_deref()),
            ("back-office", Some("a:b c%"))
        );
        // A colon in the secret needs no encoding to be read: only the first one separates.
        assert_eq!(read("app:a:b").unwrap().1.as_deref(), Some("a:b"));
        assert_eq!(read("app:").unwrap().1, None);
        assert_eq!(read("no separator"), None);
        assert_eq!(read("app:a&b=c"), None);
    }

    #[test]
    fn another_scheme_is_no_client() {
        for line in ["Bearer abc", "Basic", "Basic !!!", "basic=abc", ""] {
            assert!(read_basic(line.as_bytes()).is_none(), "{line}");
        }
        assert!(read_basic(b"bAsIc YTpi").is_some());
    }
}
