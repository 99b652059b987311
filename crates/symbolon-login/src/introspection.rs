//! What the authority says about one credential, asked live.

use serde::{Deserialize, Serialize};

use crate::{ClientId, KeyId, Position, Role, Shape, Sid, Subject, UserId};

/// The answer of `POST /oauth2/introspect` (RFC 7662 section 2.2): `{"active":false}`, or
/// `{"active":true, ...}` with the members of [`ActiveCredential`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawIntrospection", into = "RawIntrospection")]
pub enum Introspection {
    /// Not good, for whatever reason: the reason is the operator's, not the caller's.
    Inactive,
    /// Good at the moment of the question.
    Active(Box<ActiveCredential>),
}

/// The login that a good credential proves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveCredential {
    /// The person.
    pub sub: UserId,
    /// What the person calls themselves.
    pub username: String,
    /// The login.
    pub sid: Sid,
    /// The app that the credential was given to.
    pub client_id: ClientId,
    /// The log position at which the grant was created.
    pub rev: Position,
    /// A log position that was committed before it was found that the login and the grant stand: no
    /// cut-off up to there kills it. Not said by older authorities: [`ActiveCredential::as_of`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Position>,
    /// The key that signed it; none for a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<KeyId>,
    /// In which shape it was shown.
    pub shape: Shape,
    /// When the grant was made or the token issued, in seconds.
    pub iat: i64,
    /// When it ends by itself, in seconds. For a session: when it has to be asked about again.
    pub exp: i64,
    /// When the person proved who they are, in seconds.
    pub auth_time: i64,
    /// How (RFC 8176).
    pub amr: Vec<String>,
    /// What the person may do.
    pub roles: Vec<Role>,
}

impl ActiveCredential {
    /// Up to which position of the log no cut-off kills it. The grant was made at `rev`, and so stood then.
    pub fn as_of(&self) -> Position {
        self.as_of.map_or(self.rev, |as_of| as_of.max(self.rev))
    }

    /// What decides whether a cut-off kills it.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            user: self.sub,
            sid: self.sid,
            client_id: &self.client_id,
            key: self.kid.as_ref(),
            rev: self.rev,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct RawIntrospection {
    active: bool,
    #[serde(flatten)]
    credential: Option<ActiveCredential>,
}

impl TryFrom<RawIntrospection> for Introspection {
    type Error = &'static str;

    fn try_from(raw: RawIntrospection) -> Result<Self, Self::Error> {
        match (raw.active, raw.credential) {
            (false, _) => Ok(Self::Inactive),
            (true, Some(credential)) => Ok(Self::Active(Box::new(credential))),
            (true, None) => Err("an active credential without its members"),
        }
    }
}

impl From<Introspection> for RawIntrospection {
    fn from(introspection: Introspection) -> Self {
        match introspection {
            Introspection::Inactive => Self {
                active: false,
                credential: None,
            },
            Introspection::Active(credential) => Self {
                active: true,
                credential: Some(*credential),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::UnixMillis;

    #[test]
    fn a_refusal_says_nothing_but_inactive() {
        let text = serde_json::to_string(&Introspection::Inactive).unwrap();
        assert_eq!(text, r#"{"active":false}"#);
        assert_eq!(
            serde_json::from_str::<Introspection>(&text).unwrap(),
            Introspection::Inactive
        );
    }

    #[test]
    fn a_yes_without_its_members_is_no_yes() {
        assert!(serde_json::from_str::<Introspection>(r#"{"active":true}"#).is_err());
        assert!(serde_json::from_str::<Introspection>(r#"{"active":true,"sub":"x"}"#).is_err());
        assert!(serde_json::from_str::<Introspection>("{}").is_err());
    }

    #[test]
    fn a_yes_survives_the_wire() {
        let now = UnixMillis::from_secs(1_800_000_000);
        let yes = Introspection::Active(Box::new(ActiveCredential {
            sub: UserId::mint(now, [1; 10]),
            username: "alice".to_owned(),
            sid: Sid::mint(now, [2; 10]),
            client_id: "back-office".parse().unwrap(),
            rev: Position::new(1, 7),
            as_of: Some(Position::new(1, 9)),
            kid: None,
            shape: Shape::Session,
            iat: now.as_secs(),
            exp: now.as_secs() + 300,
            auth_time: now.as_secs(),
            amr: vec!["pwd".to_owned()],
            roles: vec!["admin".parse().unwrap()],
        }));
        let text = serde_json::to_string(&yes).unwrap();
        assert_eq!(serde_json::from_str::<Introspection>(&text).unwrap(), yes);
    }
}
