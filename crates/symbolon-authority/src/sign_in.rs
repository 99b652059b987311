//! Story: somebody says who they are and proves it.

use std::time::Duration;

use symbolon_login::{
    AttemptLimit, Digest, GrantId, Identifier, Login, LoginSpan, SecretKind, Shape, Sid, login_span,
};

use crate::{
    App, Authority, Credential, Failure, Password, User,
    ports::{Counted, LoginWithGrants, NewGrant, Open, Terms},
};

/// What somebody typed, and where.
pub struct Attempt {
    /// What they say they are called.
    pub identifier: String,
    /// Their proof.
    pub password: Password,
    /// What the list of devices will call this one.
    pub device: Option<String>,
    /// Whether to remember them on this device: without it the login ends within a day.
    pub remember: bool,
    /// The login that this browser had, proved by its cookie: it ends whatever the limits say, and
    /// takes up no room. On it strangers' guesses at the password hold up nobody.
    pub replaces: Option<Sid>,
    /// Logins of theirs that they chose to end for this one. Counts where they may choose.
    pub instead_of: Vec<Sid>,
}

/// What became of an attempt.
pub enum SignIn {
    /// A new login, with a credential for the app in its shape.
    SignedIn(Box<Credential>),
    /// Refused. Outside there is one text for every reason, at one cost; the log tells them apart.
    Refused,
    /// Too many wrong passwords for this name, whether or not somebody is called so: nothing was tried.
    Later {
        /// How long until one is tried again.
        wait: Duration,
    },
    /// The person is who they say, and has as many logins as they may have.
    Full(FullHouse),
}

/// Why one more login has no room.
pub struct FullHouse {
    /// Their living logins that take it up, newest first.
    pub logins: Vec<LoginWithGrants>,
    /// Whether they may choose which makes room ([`Attempt::instead_of`]).
    pub may_choose: bool,
}

impl Authority {
    /// Signs somebody in for an app: always a new login, a new grant and a new secret, whatever
    /// credential the request brought (session fixation).
    ///
    /// Exactly one Argon2id hash is computed whether or not the account exists or is disabled, and none
    /// beyond [`AttemptLimit::PASSWORD`].
    pub async fn sign_in(&self, attempt: Attempt, app: &App) -> Result<SignIn, Failure> {
        // Before the account is read: what is ended after this was decided on something newer.
        let since = self.logins.head().await?;
        let verified = self.verify(attempt.identifier, attempt.password, attempt.replaces);
        let user = match verified.await? {
            Verified::Right(user) => *user,
            Verified::Wrong => return Ok(SignIn::Refused),
            Verified::Later(wait) => return Ok(SignIn::Later { wait }),
        };
        let now = self.now();
        let defaults = &self.settings.logins;
        let LoginSpan { expires_at, idle } =
            login_span(defaults, &user.policy, attempt.remember, now);
        let (per_person, per_app) = (user.policy.limit().or(defaults.limit), app.limit);
        let mut limits = [per_person, per_app].into_iter().flatten();
        let may_choose = limits.all(|limit| limit.yields());
        let chosen = attempt.instead_of.into_iter().filter(|_| may_choose);
        let terms = Terms {
            since: Some(since),
            per_person,
            per_app,
            instead_of: chosen.chain(attempt.replaces).collect(),
        };
        let login = Login {
            sid: Sid::mint(now, self.random()?),
            user: user.id,
            authenticated_at: now,
            methods: vec!["pwd".to_owned()],
            device: attempt.device,
            expires_at,
            idle,
            remembered: attempt.remember,
            ended_at: None,
        };
        let id = GrantId::first_of(login.sid);
        let secret = self
            .secrets
            .first(kind_for(app.settings.shape), id, self.random()?);
        let grant = NewGrant {
            id,
            client_id: app.settings.client_id.clone(),
            digest: secret.digest(),
        };
        match self.logins.open(login, grant, terms, now).await? {
            Open::Opened(at) => {
                tracing::info!(user = %user.id, sid = %at.login.sid, client_id = %at.grant.client_id, "signed in");
                Ok(SignIn::SignedIn(Box::new(
                    self.issue(app, &user, &at, at.grant.rev, &secret, now)
                        .await?,
                )))
            }
            Open::UserGone => {
                tracing::info!(user = %user.id, reason = "disabled or ended while signing in", "sign-in refused");
                Ok(SignIn::Refused)
            }
            Open::Full(logins) => {
                tracing::info!(user = %user.id, reason = "as many logins as allowed", "sign-in refused");
                Ok(SignIn::Full(FullHouse { logins, may_choose }))
            }
        }
    }

    /// The user, if the password is theirs and they may sign in.
    async fn verify(
        &self,
        typed: String,
        password: Password,
        device: Option<Sid>,
    ) -> Result<Verified, Failure> {
        // Unreadable names take the same way as unknown ones: look nothing up, but hash.
        let identifier = typed.parse::<Identifier>();
        let found = match &identifier {
            Ok(identifier) => self.directory.user_to_verify(identifier).await?,
            Err(_) => None,
        };
        let name = identifier.as_ref().map_or(&*typed, Identifier::as_str);
        let (user, hash) = found.unzip();
        let key = self.failures_key(name, user.as_ref(), device).await?;
        if let Some(wait) = self.wait(self.limits.counted(key, self.now()).await?) {
            log_refusal(user.as_ref(), TOO_MANY);
            return Ok(Verified::Later(wait));
        }
        let right = self.passwords.verify(password, hash).await?;
        let reason = match &user {
            None => "unknown user",
            Some(_) if !right => "wrong password",
            Some(user) if user.disabled_at.is_some() => "disabled user",
            Some(user) => {
                // Others that were tried beside it may have reached the limit first.
                let failed = self.limits.counted(key, self.now()).await?;
                if let Some(wait) = self.wait(failed) {
                    log_refusal(Some(user), TOO_MANY);
                    return Ok(Verified::Later(wait));
                }
                if failed.is_some() {
                    self.limits.forget(key).await?;
                }
                return Ok(Verified::Right(Box::new(user.clone())));
            }
        };
        let window = AttemptLimit::PASSWORD.window;
        let Counted { events, until } = self.limits.count(key, window, self.now()).await?;
        // The same answer as a right one gets now: else many at once would tell which of them it is.
        let before = events.saturating_sub(1);
        if let Some(wait) = self.wait(Some(Counted {
            events: before,
            until,
        })) {
            log_refusal(user.as_ref(), TOO_MANY);
            return Ok(Verified::Later(wait));
        }
        log_refusal(user.as_ref(), reason);
        Ok(Verified::Wrong)
    }

    /// Under what failures are counted. A device on which that person is signed in has a counter of its
    /// own, so that guessing elsewhere does not lock them out (OWASP: device cookies).
    async fn failures_key(
        &self,
        name: &str,
        user: Option<&User>,
        device: Option<Sid>,
    ) -> Result<Digest, Failure> {
        if let (Some(user), Some(sid)) = (user, device)
            && let Some(LoginWithGrants { login, .. }) = self.logins.login(sid).await?
            && login.user == user.id
            && login.ended_at.is_none()
        {
            return Ok(Digest::of("sign-in on a device", sid.as_bytes()));
        }
        Ok(Digest::of("sign-in", name.as_bytes()))
    }

    fn wait(&self, failed: Option<Counted>) -> Option<Duration> {
        let Counted { events, until } = failed?;
        AttemptLimit::PASSWORD.wait(events, until, self.now())
    }
}

/// What a name and a password are worth.
enum Verified {
    Right(Box<User>),
    Wrong,
    Later(Duration),
}

const TOO_MANY: &str = "too many wrong passwords";

fn log_refusal(user: Option<&User>, reason: &str) {
    let user = user.map(|user| user.id.to_string());
    let user = user.as_deref().unwrap_or("-");
    tracing::info!(user, reason, "sign-in refused");
}

/// Which secret keeps a credential of this shape going.
pub(crate) const fn kind_for(shape: Shape) -> SecretKind {
    match shape {
        Shape::Session => SecretKind::Session,
        Shape::Jwt => SecretKind::Refresh,
    }
}
