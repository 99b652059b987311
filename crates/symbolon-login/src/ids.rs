//! Names of things: people, logins, grants, apps, keys, roles.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::UnixMillis;

/// The text is not a valid id or name of the kind that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadId {
    /// Not a UUID in its usual form of 36 characters.
    #[error("not an id: expected a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057")]
    Uuid,
    /// Not a client id.
    #[error(
        "not a client id: expected 1 to 64 characters, lower-case letters, digits, '-', '_' or '.', a letter or digit first"
    )]
    Client,
    /// Not a key id.
    #[error("not a key id: expected 1 to 128 printable ASCII characters")]
    Key,
    /// Not a role.
    #[error(
        "not a role: expected 1 to 64 characters, lower-case letters, digits, '-', '_', '.' or ':', a letter or digit first"
    )]
    Role,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id: a UUID version 7 (RFC 9562 section 5.7) of `now` and 74 of the 80 random bits.
            ///
            /// Ids are time-ordered so that rows are inserted in order. They are handles, never secrets:
            /// an id tells when it was made.
            pub fn mint(now: UnixMillis, random: [u8; 10]) -> Self {
                let millis = u64::try_from(now.as_millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// The id's 16 bytes, most significant first.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The id of these 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                // One spelling an id: the crate would also take braces, URNs and bare digits.
                let id = Uuid::try_parse(text).map_err(|_| BadId::Uuid)?;
                if text.len() == 36 { Ok(Self(id)) } else { Err(BadId::Uuid) }
            }
        }
    };
}

uuid_id!(
    /// A person with an account. Never reassigned; the JWT claim `sub`.
    UserId
);
uuid_id!(
    /// The public handle of one login; the JWT claim `sid`.
    Sid
);
uuid_id!(
    /// The row of one grant; opaque secrets carry it so that they are looked up in time order.
    GrantId
);

impl GrantId {
    /// The id of the grant that a login is opened with: the login's own. A store may keep the two in one row.
    pub const fn first_of(login: Sid) -> Self {
        Self(login.0)
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $error:expr, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.into())) } else { Err($error) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;

            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }
    };
}

name!(
    /// An app that relies on the authority: the OAuth `client_id` (RFC 6749 section 2.2).
    ClientId,
    BadId::Client,
    |text| slug(text, b"-_.")
);
name!(
    /// A signing key: the JOSE header `kid` (RFC 7515 section 4.1.4). Opaque, compared in memory only.
    KeyId,
    BadId::Key,
    |text| (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
);
name!(
    /// What a person may do, in the apps' own words. `admin` may run the authority.
    Role,
    BadId::Role,
    |text| slug(text, b"-_.:")
);

impl Role {
    /// The name of the role that may run the authority.
    pub const ADMIN: &'static str = "admin";
}

fn slug(text: &str, also: &[u8]) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=64).contains(&text.len())
        && text.bytes().next().is_some_and(plain)
        && text.bytes().all(|byte| plain(byte) || also.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_made_later_sort_later() {
        let early = Sid::mint(UnixMillis::from_millis(1_000), [255; 10]);
        let late = Sid::mint(UnixMillis::from_millis(1_001), [0; 10]);
        assert!(early < late);
    }

    #[test]
    fn an_id_has_one_spelling() {
        let id = UserId::mint(UnixMillis::from_millis(1_000), [7; 10]);
        assert_eq!(id.to_string().parse(), Ok(id));
        let bare = id.to_string().replace('-', "");
        assert_eq!(bare.parse::<UserId>(), Err(BadId::Uuid));
    }

    #[test]
    fn client_ids_fit_a_cookie_name_and_a_url() {
        for good in ["a", "back-office", "app.2", "0"] {
            assert!(good.parse::<ClientId>().is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", "-a", "A", "a b", "a;b", "a=b", "ä", long.as_str()] {
            assert!(bad.parse::<ClientId>().is_err(), "{bad}");
        }
    }
}
