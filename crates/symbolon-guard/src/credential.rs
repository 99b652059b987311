//! What a request shows: where it stands, what it claims to be, and nothing about whether it is good.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Deserializer};
use symbolon_login::{SecretKind, Shape};
use zeroize::Zeroizing;

use crate::{
    check::Reason,
    cookies::{CookieNames, Jar},
    digest::{CacheKey, Digests},
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
    pub(crate) fn digest(&self, digests: &Digests) -> CacheKey {
        digests.of(self.0.as_bytes())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::new)
    }
}

/// A text in a header of a request, where it stands: taking it over counts a reference and copies
/// nothing.
#[derive(Clone)]
pub(crate) struct Text {
    header: HeaderValue,
    from: u32,
    to: u32,
}

impl Text {
    /// The bytes of this header between two places.
    pub(crate) fn within(header: &HeaderValue, from: usize, to: usize) -> Self {
        // No server takes headers of 4 GiB; one that did would show nobody.
        let (from, to) = match (u32::try_from(from), u32::try_from(to)) {
            (Ok(from), Ok(to)) => (from, to),
            _ => (0, 0),
        };
        Self {
            header: header.clone(),
            from,
            to,
        }
    }

    /// The bytes of this header at the [`Text::place`] of another text.
    pub(crate) fn at(header: &HeaderValue, from: u32, to: u32) -> Self {
        let header = header.clone();
        Self { header, from, to }
    }

    /// Where it stands in its header.
    pub(crate) const fn place(&self) -> (u32, u32) {
        (self.from, self.to)
    }

    fn bytes(&self) -> &[u8] {
        let bytes = self.header.as_bytes();
        bytes
            .get(self.from as usize..self.to as usize)
            .unwrap_or_default()
    }

    /// The text.
    pub(crate) fn expose(&self) -> &str {
        // Whatever is no text is no credential either.
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }

    /// A copy that is zeroed after use.
    pub(crate) fn to_secret(&self) -> Secret {
        Secret::new(self.expose().to_owned())
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
    /// The key under which caches know it.
    pub(crate) key: CacheKey,
    text: Held,
}

/// The text of a credential, and by whom it is held.
#[derive(Clone)]
pub(crate) enum Held {
    /// By the request that showed it.
    Shown(Text),
    /// By the guard, which just got it from the authority.
    Given(Secret),
}

/// The longest session secret worth asking about; the real ones have 97 characters.
const LONGEST_SESSION: usize = 128;

impl Credential {
    /// Sorts a text by how it begins. Costs nothing for what cannot be a credential; the rest of its form
    /// has to be looked at only where its digest is not known ([`Credential::is_well_formed`]).
    pub(crate) fn read(text: Text, digests: &Digests) -> Result<Self, Reason> {
        let bytes = text.bytes();
        let (shape, longest) = match SecretKind::claimed_by(bytes) {
            Some(SecretKind::Session) => (Shape::Session, LONGEST_SESSION),
            Some(SecretKind::Refresh) => return Err(Reason::RefreshToken),
            None => (Shape::Jwt, symbolon_jose::MAX_TOKEN_BYTES),
        };
        if bytes.is_empty() || bytes.len() > longest {
            return Err(Reason::Malformed);
        }
        Ok(Self {
            shape,
            key: digests.of(bytes),
            text: Held::Shown(text),
        })
    }

    /// A credential that the authority just gave.
    pub(crate) fn of(shape: Shape, secret: Secret, digests: &Digests) -> Self {
        Self {
            shape,
            key: secret.digest(digests),
            text: Held::Given(secret),
        }
    }

    /// Whether it has the form of what it claims to be.
    pub(crate) fn is_well_formed(&self) -> bool {
        let text = self.expose();
        let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        match self.shape {
            Shape::Session => !text.is_empty() && text.bytes().all(alphabet),
            Shape::Jwt => text.bytes().filter(|byte| *byte == b'.').count() == 2,
        }
    }

    /// The text, for checking it and for the wire to the authority.
    pub(crate) fn expose(&self) -> &str {
        self.text.expose()
    }

    /// The text alone, for whoever was found good by it.
    pub(crate) fn into_held(self) -> Held {
        self.text
    }

    /// The credential again that was found to have this key.
    pub(crate) fn again(shape: Shape, key: CacheKey, text: &Held) -> Self {
        let text = text.clone();
        Self { shape, key, text }
    }

    /// A copy that is zeroed after use.
    pub(crate) fn secret(&self) -> Secret {
        match &self.text {
            Held::Shown(text) => text.to_secret(),
            Held::Given(secret) => secret.clone(),
        }
    }
}

impl Held {
    /// The text.
    pub(crate) fn expose(&self) -> &str {
        match self {
            Self::Shown(text) => text.expose(),
            Self::Given(secret) => secret.expose(),
        }
    }
}

/// All that a request shows about who is calling.
pub(crate) enum Shown {
    /// Nothing.
    Nothing,
    /// The `Authorization` header. It goes before cookies, which a browser adds by itself; a bad one is
    /// refused, never passed over for a cookie.
    Bearer(Text),
    /// The app's cookies, at least one of the two.
    Cookies {
        /// The credential.
        access: Option<Text>,
        /// The refresh token.
        refresh: Option<Text>,
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
        if !value.as_bytes().is_ascii() {
            return Err(Ambiguous::Authorization);
        }
        if let Some(token) = bearer(value) {
            return Ok(Shown::Bearer(token));
        }
    }
    let jar = Jar::read(headers, names).map_err(|_| Ambiguous::Cookie)?;
    Ok(match (jar.access, jar.refresh) {
        (None, None) => Shown::Nothing,
        (access, refresh) => Shown::Cookies { access, refresh },
    })
}

/// RFC 9110 section 11.1: the scheme's case does not matter. Other schemes are not ours.
fn bearer(value: &HeaderValue) -> Option<Text> {
    let bytes = value.as_bytes();
    let (scheme, rest) = bytes.split_first_chunk::<6>()?;
    if !scheme.eq_ignore_ascii_case(b"bearer") || rest.first() != Some(&b' ') {
        return None;
    }
    let from = bytes.len() - rest.trim_ascii_start().len();
    let to = from + rest.trim_ascii().len();
    Some(Text::within(value, from, to))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

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

    fn sorted(text: &str) -> Result<Credential, Reason> {
        let header = HeaderValue::from_str(text).unwrap();
        let credential = Credential::read(Text::within(&header, 0, text.len()), &Digests::known())?;
        if credential.is_well_formed() {
            Ok(credential)
        } else {
            Err(Reason::Malformed)
        }
    }

    #[test]
    fn a_form_decides_what_it_is_and_a_refresh_token_is_nothing_here() {
        let session = format!("sym_s_{}", "A".repeat(91));
        assert!(matches!(sorted(&session), Ok(c) if c.shape == Shape::Session));
        assert!(matches!(sorted("a.b.c"), Ok(c) if c.shape == Shape::Jwt));
        let refresh = format!("sym_r_{}", "A".repeat(91));
        assert_eq!(sorted(&refresh).err(), Some(Reason::RefreshToken));
        let long = format!("a.b.{}", "c".repeat(20_000));
        for bad in ["", "abc", "a.b", "a.b.c.d", long.as_str()] {
            assert_eq!(sorted(bad).err(), Some(Reason::Malformed));
        }
        for filler in [" ".repeat(91), "A".repeat(123)] {
            let session = format!("sym_s_{filler}");
            assert_eq!(sorted(&session).err(), Some(Reason::Malformed));
        }
    }

    #[test]
    fn the_header_goes_before_cookies_and_is_never_passed_over() {
        let cookie = ("cookie", "__Host-app=a.b.c");
        assert!(matches!(
            read(&[("authorization", "bEaReR x"), cookie]),
            Ok(Shown::Bearer(token)) if token.expose() == "x"
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
