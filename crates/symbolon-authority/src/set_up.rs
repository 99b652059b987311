//! Story: the first administrator.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use symbolon_login::{Digest, Role};
use zeroize::Zeroizing;

use crate::{
    AddedUser, Authority, Failure, NewUser,
    ports::{AddUser, Purpose, Take},
};

/// How long the link is good for. A restart prints a new one.
const LINK_LIFETIME: Duration = Duration::from_secs(86_400);

/// What became of a set-up.
pub enum SetUp {
    /// There is an administrator now.
    Done(AddedUser),
    /// The link is unknown, used, expired, or there is an administrator already.
    Refused,
}

impl Authority {
    /// The token of a one-time set-up link, while there is no administrator; none afterwards.
    pub async fn set_up_link(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        if self.directory.has_admin().await? {
            return Ok(None);
        }
        let token = Zeroizing::new(self.random::<32>()?);
        let expires_at = self.now().plus(LINK_LIFETIME);
        self.once
            .put(
                Purpose::SetUpLink,
                key(token.as_slice()),
                String::new(),
                expires_at,
            )
            .await?;
        Ok(Some(Zeroizing::new(
            URL_SAFE_NO_PAD.encode(token.as_slice()),
        )))
    }

    /// Whether a link still leads anywhere, for showing its form.
    pub async fn is_set_up_link(&self, token: &str) -> Result<bool, Failure> {
        let Ok(token) = URL_SAFE_NO_PAD.decode(token).map(Zeroizing::new) else {
            return Ok(false);
        };
        Ok(self
            .once
            .peek(Purpose::SetUpLink, key(&token), self.now())
            .await?
            && !self.directory.has_admin().await?)
    }

    /// Makes the first administrator. The link is used up by it, whatever comes of it; the role
    /// `admin` is added to the user's roles.
    pub async fn set_up(&self, token: &str, mut first: NewUser) -> Result<SetUp, Failure> {
        let Ok(token) = URL_SAFE_NO_PAD.decode(token).map(Zeroizing::new) else {
            return Ok(SetUp::Refused);
        };
        if !first.roles.iter().any(|role| role.as_str() == Role::ADMIN) {
            first.roles.extend(Role::ADMIN.parse::<Role>());
        }
        let outcome = self
            .once
            .take(Purpose::SetUpLink, key(&token), self.now())
            .await?;
        if !matches!(outcome, Take::Fresh(_)) {
            return Ok(SetUp::Refused);
        }
        let (user, hash) = self.prepare(first).await?;
        Ok(
            match self.directory.add_first_admin(user.clone(), hash).await? {
                Some(AddUser::Added) => {
                    tracing::info!(user = %user.id, "first administrator added");
                    SetUp::Done(AddedUser::Added(user))
                }
                Some(AddUser::Taken) => SetUp::Done(AddedUser::Taken),
                None => SetUp::Refused,
            },
        )
    }
}

fn key(token: &[u8]) -> Digest {
    Digest::of(Purpose::SetUpLink.as_str(), token)
}
