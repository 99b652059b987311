//! What a request shows: where it stands, what it claims to be, and nothing about whether it is good.

use std::sync::Arc;

use aws_lc_rs::digest;
use http::{HeaderMap, header};
use serde::{Deserialize, Deserializer};
use symbolon_login::{SecretKind, Shape};
use zeroize::Zeroizing;

use crate::{
    check::Reason,
    cookies::{CookieNames, Jar},
};

/// A text that proves something to whoever holds it. No Debug, no Serialize, no `==`; zeroed when
/// the last copy is dropped.
#[derive(Clone)]
pub(crate) struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Takes the text over.
    pub(crate) fn new(text: String) -> Self {
        Self(Arc::new(Zeroizing::new(text)))
    }

    /// The text, for the wire to the authority or into the owner's cookie.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// The key under which caches know it.
    pub(crate) fn digest(&self) -> CacheKey {
        CacheKey::of(&self.0)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::new)
    }
}

/// SHA-256 of a whole credential: caches never hold the credential itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey([u8; 32]);

impl CacheKey {
    fn of(text: &str) -> Self {
        let mut bytes = [0; 32];
        let full = digest::digest(&digest::SHA256, text.as_bytes());
        for (to, from) in bytes.iter_mut().zip(full.as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }
}

/// How a credential travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// In the app's cookie: browsers send it by themselves, so unsafe methods have to prove where they
    /// come from.
    Cookie,
    /// In the `Authorization` header (RFC 6750 section 2.1).
    Bearer,
}

/// One credential as it was shown.
#[derive(Clone)]
pub(crate) struct Credential {
    /// What it claims to be by its form.
    pub(crate) shape: Shape,
    /// Its text.
    pub(crate) secret: Secret,
    /// The key under which caches know it.
    pub(crate) key: CacheKey,
}

/// The longest session secret worth asking about; the real ones have 97 characters.
const LONGEST_SESSION: usize = 128;

impl Credential {
    /// Sorts a text by its form. Costs nothing for what cannot be a credential.
    pub(crate) fn read(text: &str) -> Result<Self, Reason> {
        let shape = match SecretKind::claimed_by(text) {
            Some(SecretKind::Session) => {
                let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
                if text.len() > LONGEST_SESSION || !text.bytes().all(alphabet) {
                    return Err(Reason::Malformed);
                }
                Shape::Session
            }
            Some(SecretKind::Refresh) => return Err(Reason::RefreshToken),
            None if text.bytes().filter(|byte| *byte == b'.').count() == 2
                && text.len() <= symbolon_jose::MAX_TOKEN_BYTES =>
            {
                Shape::Jwt
            }
            None => return Err(Reason::Malformed),
        };
        Ok(Self::of(shape, Secret::new(text.to_owned())))
    }

    /// A credential that the authority just gave.
    pub(crate) fn of(shape: Shape, secret: Secret) -> Self {
        let key = secret.digest();
        Self { shape, secret, key }
    }
}

/// All that a request shows about who is calling.
pub(crate) enum Shown {
    /// Nothing.
    Nothing,
    /// The `Authorization` header. It goes before cookies, which a browser adds by itself; a bad one is
    /// refused, never passed over for a cookie.
    Bearer(Zeroizing<String>),
    /// The app's cookies, at least one of the two.
    Cookies {
        /// The credential.
        access: Option<Zeroizing<String>>,
        /// The refresh token.
        refresh: Option<Secret>,
    },
}

/// A request that says two things at once about who is calling, or says it illegibly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ambiguous {
    /// One of the app's cookies twice: a sibling host or an attacker on the network tossed one in.
    Cookie,
    /// Several `Authorization` headers, or one that is no text.
    Authorization,
}

/// Reads the headers of a request.
pub(crate) fn shown(headers: &HeaderMap, names: &CookieNames) -> Result<Shown, Ambiguous> {
    let mut authorization = headers.get_all(header::AUTHORIZATION).iter();
    let first = authorization.next();
    if authorization.next().is_some() {
        return Err(Ambiguous::Authorization);
    }
    if let Some(value) = first {
        let value = value.to_str().map_err(|_| Ambiguous::Authorization)?;
        // RFC 9110 section 11.1: the scheme's case does not matter. Other schemes are not ours.
        if let Some((scheme, token)) = value.split_once(' ')
            && scheme.eq_ignore_ascii_case("bearer")
        {
            return Ok(Shown::Bearer(Zeroizing::new(token.trim().to_owned())));
        }
    }
    let jar = Jar::read(headers, names).map_err(|_| Ambiguous::Cookie)?;
    Ok(match (jar.access, jar.refresh) {
        (None, None) => Shown::Nothing,
        (access, refresh) => Shown::Cookies {
            access: access.map(|text| Zeroizing::new(text.to_owned())),
            refresh: refresh.map(|text| Secret::new(text.to_owned())),
        },
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn read(pairs: &[(&'static str, &str)]) -> Result<Shown, Ambiguous> {
        shown(
            &headers(pairs),
            &CookieNames::new(&"app".parse().unwrap(), true),
        )
    }

    #[test]
    fn a_form_decides_what_it_is_and_a_refresh_token_is_nothing_here() {
        let session = format!("sym_s_{}", "A".repeat(91));
        assert!(matches!(Credential::read(&session), Ok(c) if c.shape == Shape::Session));
        assert!(matches!(Credential::read("a.b.c"), Ok(c) if c.shape == Shape::Jwt));
        let refresh = format!("sym_r_{}", "A".repeat(91));
        assert_eq!(Credential::read(&refresh).err(), Some(Reason::RefreshToken));
        let long = format!("a.b.{}", "c".repeat(20_000));
        for bad in ["", "abc", "a.b", "a.b.c.d", long.as_str()] {
            assert_eq!(Credential::read(bad).err(), Some(Reason::Malformed));
        }
        for filler in [" ".repeat(91), "A".repeat(123)] {
            let session = format!("sym_s_{filler}");
            assert_eq!(Credential::read(&session).err(), Some(Reason::Malformed));
        }
    }

    #[test]
    fn the_header_goes_before_cookies_and_is_never_passed_over() {
        let cookie = ("cookie", "__Host-app=a.b.c");
        assert!(matches!(
            read(&[("authorization", "bEaReR x"), cookie]),
            Ok(Shown::Bearer(token)) if *token == "x"
        ));
        assert!(matches!(
            read(&[("authorization", "Basic eDp5"), cookie]),
            Ok(Shown::Cookies {
                access: Some(_),
                refresh: None
            })
        ));
        assert!(matches!(
            read(&[("authorization", "Bearer x"), ("authorization", "Bearer y")]),
            Err(Ambiguous::Authorization)
        ));
        assert!(matches!(read(&[]), Ok(Shown::Nothing)));
    }

    #[test]
    fn a_tossed_cookie_makes_the_request_ambiguous() {
        for pairs in [
            vec![("cookie", "__Host-app=a; __Host-app=b")],
            vec![("cookie", "__Host-app=a"), ("cookie", "__Host-app=a")],
            vec![("cookie", "__Host-app-refresh=a; __Host-app-refresh=b")],
        ] {
            assert!(matches!(read(&pairs), Err(Ambiguous::Cookie)));
        }
        // Without the prefix it is another cookie: a sibling host can set that one.
        assert!(matches!(
            read(&[("cookie", "app=evil; __Host-other=x")]),
            Ok(Shown::Nothing)
        ));
    }
}
