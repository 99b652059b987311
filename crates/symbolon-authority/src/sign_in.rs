//! Story: somebody says who they are and proves it.

use symbolon_login::{GrantId, Identifier, Login, LoginSpan, SecretKind, Shape, Sid, login_span};

use crate::{
    App, Authority, Credential, Failure, Password, User,
    ports::{LoginWithGrants, NewGrant, Open, Terms},
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
    /// takes up no room.
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
    /// Exactly one Argon2id hash is computed whether or not the account exists or is disabled.
    pub async fn sign_in(&self, attempt: Attempt, app: &App) -> Result<SignIn, Failure> {
        // Before the account is read: what is ended after this was decided on something newer.
        let since = self.logins.head().await?;
        let Some(user) = self.verify(attempt.identifier, attempt.password).await? else {
            return Ok(SignIn::Refused);
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
        let id = GrantId::mint(now, self.random()?);
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
                    self.issue(app, &user, &at, &secret, now)?,
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
    async fn verify(&self, typed: String, password: Password) -> Result<Option<User>, Failure> {
        // Unreadable names take the same way as unknown ones: look nothing up, but hash.
        let found = match typed.parse::<Identifier>() {
            Ok(identifier) => self.directory.user_to_verify(&identifier).await?,
            Err(_) => None,
        };
        let (user, hash) = found.unzip();
        let right = self.passwords.verify(password, hash).await?;
        let reason = match &user {
            None => "unknown user",
            Some(_) if !right => "wrong password",
            Some(user) if user.disabled_at.is_some() => "disabled user",
            Some(_) => return Ok(user),
        };
        let user = user.map(|user| user.id.to_string());
        tracing::info!(
            user = user.as_deref().unwrap_or("-"),
            reason,
            "sign-in refused"
        );
        Ok(None)
    }
}

/// Which secret keeps a credential of this shape going.
pub(crate) const fn kind_for(shape: Shape) -> SecretKind {
    match shape {
        Shape::Session => SecretKind::Session,
        Shape::Jwt => SecretKind::Refresh,
    }
}
