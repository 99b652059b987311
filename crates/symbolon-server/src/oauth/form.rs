//! Parameters of OAuth requests: each at most once (RFC 6749 sections 3.1 and 3.2), an empty one is
//! none.

use axum::extract::{FromRequest, Request};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::OAuthError;
use crate::{ServerState, body};

/// Parameters by name. No Debug: they hold secrets.
pub(crate) struct Parameters(Vec<(String, Zeroizing<String>)>);

/// A parameter came more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repeated;

impl Parameters {
    /// Reads `application/x-www-form-urlencoded` text.
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(encoded)
            .map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned())));
        Self(pairs.collect())
    }

    /// The one value of a parameter.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, Repeated> {
        let mut values = self.0.iter().filter(|(given, _)| given == name);
        let first = values.next().map(|(_, value)| value.as_str());
        if values.next().is_some() {
            return Err(Repeated);
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    /// Whether any parameter came more than once, known or not.
    pub(crate) fn has_repeated(&self) -> bool {
        self.0
            .iter()
            .enumerate()
            .any(|(at, (name, _))| self.0.iter().skip(at + 1).any(|(other, _)| other == name))
    }
}

/// The form of a request to an endpoint that apps call: nothing in it came twice.
pub(crate) struct Form(Parameters);

impl Form {
    /// The value of a parameter, if it is there.
    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        self.0.one(name).ok().flatten()
    }

    /// The value of a parameter that has to be there; `missing` is what is said where it is not.
    pub(crate) fn required(&self, name: &str, missing: &'static str) -> Result<&str, OAuthError> {
        self.optional(name)
            .ok_or(OAuthError::InvalidRequest(missing))
    }
}

impl FromRequest<ServerState> for Form {
    type Rejection = OAuthError;

    async fn from_request(request: Request, state: &ServerState) -> Result<Self, OAuthError> {
        let content_type = body::content_type(request.headers());
        if content_type.as_deref() != Some("application/x-www-form-urlencoded") {
            return Err(OAuthError::InvalidRequest(
                "Content-Type: expected application/x-www-form-urlencoded",
            ));
        }
        let bytes = body::bytes(request, state).await.map_err(|refused| {
            if refused.is_too_large() {
                OAuthError::TooLarge
            } else {
                OAuthError::InvalidRequest("the body broke off")
            }
        })?;
        let parameters = Parameters::parse(&bytes);
        if parameters.has_repeated() {
            return Err(OAuthError::InvalidRequest(
                "a parameter came more than once",
            ));
        }
        Ok(Self(parameters))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_comes_once_or_not_at_all() {
        let parameters = Parameters::parse(b"a=1&b=&c=x%20y+z&d=1&d=1");
        assert_eq!(parameters.one("a"), Ok(Some("1")));
        assert_eq!(parameters.one("b"), Ok(None));
        assert_eq!(parameters.one("c"), Ok(Some("x y z")));
        assert_eq!(parameters.one("d"), Err(Repeated));
        assert_eq!(parameters.one("e"), Ok(None));
        assert!(parameters.has_repeated());
        assert!(!Parameters::parse(b"a=1&b=1").has_repeated());
    }
}
