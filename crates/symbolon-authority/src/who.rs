//! Story: whose credential is this, asked of the record itself.

use symbolon_login::{
    ActiveCredential, Grant, Introspection, KeyId, Login, OpaqueSecret, Redemption, SecretKind,
    Shape, Standing, UnixMillis, redeem, standing,
};

use crate::{
    App, Authority, Failure, User,
    ports::Standpoint,
    refresh::next,
    tokens::{AccessFacts, NotOurs},
};

/// A credential that is good now, and everything behind it. Only [`Authority::who`] makes one.
pub struct Known {
    /// The person.
    pub user: User,
    /// The login.
    pub login: Login,
    /// The app's share in it.
    pub grant: Grant,
    /// The app.
    pub app: App,
    /// In which shape it was shown.
    pub shape: Shape,
    /// The key that signed it, for a jwt.
    pub key: Option<KeyId>,
    /// When it was issued: the jwt, or the grant.
    pub issued_at: UnixMillis,
    /// When this credential ends by itself.
    pub until: UnixMillis,
    /// Whether nothing but the private field keeps it from being made up elsewhere.
    _proof: Proof,
}

struct Proof;

impl Authority {
    /// Who shows this credential: an access token or a session, good at this moment. None for
    /// everything else; the log tells why. A refresh token is never an answer to "who?".
    pub async fn who(&self, credential: &str) -> Result<Option<Known>, Failure> {
        let now = self.now();
        let found = match SecretKind::claimed_by(credential) {
            Some(SecretKind::Session) => self.by_session(credential, now).await?,
            Some(SecretKind::Refresh) => Err("a refresh token is no access token"),
            None => self.by_token(credential, now).await?,
        };
        match found {
            Ok(known) => {
                if known.grant.seen(&known.login, now).is_some() {
                    self.logins.touch(known.grant.id, now).await?;
                }
                Ok(Some(known))
            }
            Err(reason) => {
                tracing::debug!(reason, "credential refused");
                Ok(None)
            }
        }
    }

    /// The answer to an introspection (RFC 7662): no verdict about a session is to be kept longer
    /// than the life of an access token.
    pub async fn introspect(&self, credential: &str) -> Result<Introspection, Failure> {
        // Before the record is read: what it says then, it says with every end up to here.
        let as_of = self.known_head();
        let Some(known) = self.who(credential).await? else {
            return Ok(Introspection::Inactive);
        };
        let ask_again = self.now().plus(known.app.settings.lifetimes.access_token());
        Ok(Introspection::Active(Box::new(ActiveCredential {
            sub: known.user.id,
            username: known.user.identifier.to_string(),
            sid: known.login.sid,
            client_id: known.grant.client_id,
            rev: known.grant.rev,
            as_of: Some(as_of.max(known.grant.rev)),
            kid: known.key,
            shape: known.shape,
            iat: known.issued_at.as_secs(),
            exp: known.until.min(ask_again).as_secs(),
            auth_time: known.login.authenticated_at.as_secs(),
            amr: known.login.methods,
            roles: known.user.roles,
        })))
    }

    async fn by_session(
        &self,
        text: &str,
        now: UnixMillis,
    ) -> Result<Result<Known, &'static str>, Failure> {
        let Ok(secret) = self.secrets.authenticate(text) else {
            return Ok(Err("not a secret of ours"));
        };
        let Some(at) = self.logins.find(secret.grant()).await? else {
            return Ok(Err("unknown grant"));
        };
        let Some(app) = self.directory.app(&at.grant.client_id).await? else {
            return Ok(Err("unknown app"));
        };
        if !self.is_current(&secret, &at, &app, now) {
            return Ok(Err("a replaced secret"));
        }
        let issued_at = at.grant.opened_at;
        self.complete(
            at,
            app,
            Facts {
                shape: Shape::Session,
                key: None,
                issued_at,
                until: None,
            },
            now,
        )
        .await
    }

    /// The current secret of its line, or the one before it within the grace.
    fn is_current(
        &self,
        secret: &OpaqueSecret,
        at: &Standpoint,
        app: &App,
        now: UnixMillis,
    ) -> bool {
        let successor = next(&self.secrets, secret).digest();
        let grace = app.settings.lifetimes.grace();
        let verdict = redeem(
            &at.grant.line,
            secret.generation(),
            &secret.digest(),
            &successor,
            now,
            grace,
        );
        matches!(verdict, Redemption::Current | Redemption::Replay)
    }

    async fn by_token(
        &self,
        text: &str,
        now: UnixMillis,
    ) -> Result<Result<Known, &'static str>, Failure> {
        let ring = self.ring().await?;
        let AccessFacts {
            sid,
            client_id,
            rev,
            key,
            issued_at,
            expires_at,
        } = match self.tokens.verify(text, ring.trusted(), now) {
            Ok(facts) => facts,
            Err(NotOurs(code)) => return Ok(Err(code)),
        };
        let Some(found) = self.logins.login(sid).await? else {
            return Ok(Err("unknown login"));
        };
        let Some(grant) = found
            .grants
            .into_iter()
            .find(|grant| grant.client_id == client_id && grant.rev == rev)
        else {
            return Ok(Err("the grant has ended"));
        };
        let Some(app) = self.directory.app(&client_id).await? else {
            return Ok(Err("unknown app"));
        };
        let at = Standpoint {
            login: found.login,
            grant,
        };
        let facts = Facts {
            shape: Shape::Jwt,
            key: Some(key),
            issued_at,
            until: Some(expires_at),
        };
        self.complete(at, app, facts, now).await
    }

    async fn complete(
        &self,
        at: Standpoint,
        app: App,
        facts: Facts,
        now: UnixMillis,
    ) -> Result<Result<Known, &'static str>, Failure> {
        let stands_until = match standing(&at.login, &at.grant, &app.settings.lifetimes, now) {
            Standing::Alive { until } => until,
            Standing::Ended => return Ok(Err("ended")),
            Standing::Expired => return Ok(Err("expired")),
            Standing::Idle => return Ok(Err("idle for too long")),
        };
        let Some(user) = self.directory.user(at.login.user).await? else {
            return Ok(Err("user gone"));
        };
        if user.disabled_at.is_some() {
            return Ok(Err("disabled user"));
        }
        Ok(Ok(Known {
            user,
            login: at.login,
            grant: at.grant,
            app,
            shape: facts.shape,
            key: facts.key,
            issued_at: facts.issued_at,
            until: facts
                .until
                .map_or(stands_until, |until| until.min(stands_until)),
            _proof: Proof,
        }))
    }
}

struct Facts {
    shape: Shape,
    key: Option<KeyId>,
    issued_at: UnixMillis,
    until: Option<UnixMillis>,
}
