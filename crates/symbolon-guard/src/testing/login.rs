//! What the browser of a signed-in person holds.

use std::fmt;

use http::{HeaderMap, HeaderValue, header};
use symbolon_login::{ClientId, Sid, UserId};

/// Somebody who is signed in at the app, on one device. A clone is a copy of what that device holds.
#[derive(Clone)]
pub struct TestLogin {
    pub(super) client_id: ClientId,
    pub(super) user: UserId,
    pub(super) sid: Sid,
    pub(super) access: String,
    pub(super) refresh: Option<String>,
}

impl TestLogin {
    /// The value of the header `Cookie`, as the person's browser sends it.
    ///
    /// # Panics
    /// Never: credentials are plain ASCII.
    pub fn cookie(&self) -> HeaderValue {
        let name = &self.client_id;
        let access = format!("__Host-{name}={}", self.access);
        match &self.refresh {
            Some(refresh) => secret(&format!("{access}; __Host-{name}-refresh={refresh}")),
            None => secret(&access),
        }
    }

    /// The value of the header `Authorization`, as a program sends it.
    ///
    /// # Panics
    /// Never: credentials are plain ASCII.
    pub fn bearer(&self) -> HeaderValue {
        secret(&format!("Bearer {}", self.access))
    }

    /// The person.
    pub fn user(&self) -> UserId {
        self.user
    }

    /// The login.
    pub fn sid(&self) -> Sid {
        self.sid
    }

    /// Takes over the cookies of an answer, as a browser does: after a silent refresh, after a change
    /// of shape, after signing out.
    pub fn keep(&mut self, answer: &HeaderMap) {
        let own = format!("__Host-{}", self.client_id);
        for cookie in answer.get_all(header::SET_COOKIE) {
            let Some((name, value)) = cookie.to_str().ok().and_then(pair) else {
                continue;
            };
            match name.strip_prefix(&own) {
                Some("") => value.clone_into(&mut self.access),
                Some("-refresh") => {
                    self.refresh = Some(value.to_owned()).filter(|value| !value.is_empty());
                }
                _ => {}
            }
        }
    }
}

impl fmt::Debug for TestLogin {
    /// Handles only, as everywhere.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestLogin")
            .field("user", &self.user)
            .field("sid", &self.sid)
            .finish_non_exhaustive()
    }
}

fn pair(cookie: &str) -> Option<(&str, &str)> {
    cookie.split(';').next()?.split_once('=')
}

fn secret(text: &str) -> HeaderValue {
    let mut value = HeaderValue::from_str(text).expect("credentials are plain ASCII");
    value.set_sensitive(true);
    value
}
