//! Who is calling, as a handler sees it.

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use symbolon_login::{ClientId, Position, Role, Shape, Sid, UnixMillis, UserId};

use crate::{
    check::{Proof, Seen},
    credential::{Carrier, Credential, Held},
};

/// The person behind a request whose credential was found good.
///
/// An axum extractor: a handler that asks for it answers only signed-in people. `Option<Identity>`
/// is for pages that look different then; it is none when nobody is signed in, and never when
/// the guard merely cannot tell (that is a 503).
#[derive(Clone)]
pub struct Identity {
    seen: Arc<Seen>,
    proof: Proof,
    carrier: Carrier,
    text: Held,
}

impl Identity {
    pub(crate) fn new(seen: Arc<Seen>, proof: Proof, carrier: Carrier, text: Held) -> Self {
        Self {
            seen,
            proof,
            carrier,
            text,
        }
    }

    /// The person, by the id that is never given to anyone else (the claim `sub`).
    pub fn user(&self) -> UserId {
        self.seen.facts.sub
    }

    /// What the person is called, for showing only.
    pub fn username(&self) -> &str {
        &self.seen.facts.username
    }

    /// The login: one person, signed in on one device.
    pub fn sid(&self) -> Sid {
        self.seen.facts.sid
    }

    /// The app that the credential was given to: always the guard's own.
    pub fn client_id(&self) -> &ClientId {
        &self.seen.facts.client_id
    }

    /// What the person may do.
    pub fn roles(&self) -> &[Role] {
        &self.seen.facts.roles
    }

    /// Whether the person has this role.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles().iter().any(|has| has.as_str() == role)
    }

    /// In which shape the login was shown.
    pub fn shape(&self) -> Shape {
        self.seen.facts.shape
    }

    /// How the credential travelled.
    pub fn carrier(&self) -> Carrier {
        self.carrier
    }

    /// When the person proved who they are.
    pub fn auth_time(&self) -> UnixMillis {
        UnixMillis::from_secs(self.seen.facts.auth_time)
    }

    /// When this credential has to be renewed: the token's end, or until when the guard may repeat
    /// what the authority said of a session. Not the login's end.
    pub fn expires_at(&self) -> UnixMillis {
        UnixMillis::from_secs(self.seen.facts.exp)
    }

    /// The log position at which the app's share in the login began. Cut-offs after it kill it.
    pub fn rev(&self) -> Position {
        self.seen.facts.rev
    }

    /// What this yes rests on, and how old it can be.
    pub fn proof(&self) -> Proof {
        self.proof
    }

    /// The credential itself, for one purpose: to call the authority's API on behalf of its owner.
    /// It must not reach a page, a log or another server.
    pub fn expose_credential(&self) -> &str {
        self.text.expose()
    }

    /// What the credential looks like, for showing it to its owner.
    pub fn credential_view(&self) -> CredentialView {
        let text = self.text.expose();
        match self.shape() {
            Shape::Session => CredentialView::Session {
                starts: start(text),
            },
            Shape::Jwt => {
                let mut parts = text.split('.');
                let mut part = || parts.next().unwrap_or_default();
                CredentialView::Jwt {
                    header: decoded(part()),
                    payload: decoded(part()),
                    signature: start(part()),
                }
            }
        }
    }

    /// The same caller with a newer proof.
    pub(crate) fn proved_anew(&self, seen: Arc<Seen>, proof: Proof) -> Self {
        Self {
            seen,
            proof,
            ..self.clone()
        }
    }

    pub(crate) fn seen(&self) -> &Arc<Seen> {
        &self.seen
    }

    /// The credential's text, and by whom it is held.
    pub(crate) const fn held(&self) -> &Held {
        &self.text
    }

    pub(crate) fn credential(&self) -> Credential {
        Credential::again(self.shape(), self.seen.key, &self.text)
    }
}

impl fmt::Debug for Identity {
    /// Handles and names only: nothing that could be shown as a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("user", &self.user())
            .field("sid", &self.sid())
            .field("shape", &self.shape())
            .field("carrier", &self.carrier())
            .field("proof", &self.proof())
            .finish_non_exhaustive()
    }
}

/// A credential as its owner may look at it. Never the whole of it: what is shown on a page can be
/// copied from there, and the cookie that holds it is `HttpOnly` for that reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialView {
    /// An opaque secret.
    Session {
        /// Its first 12 characters.
        starts: String,
    },
    /// A signed token.
    Jwt {
        /// The first part, decoded: JSON.
        header: String,
        /// The second part, decoded: JSON.
        payload: String,
        /// The first 12 characters of the third part, in base64url.
        signature: String,
    },
}

fn start(text: &str) -> String {
    text.chars().take(12).collect()
}

fn decoded(part: &str) -> String {
    let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}
