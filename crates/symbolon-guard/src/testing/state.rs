//! What the test authority knows: people, logins, secrets, the log. No I/O, and time is an argument.

use std::collections::HashMap;

use aws_lc_rs::rand::{self, SystemRandom};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use symbolon_jose::{AccessClaims, AccessToken, Algorithm, Expect, SigningKey, Unverified, sign};
use symbolon_login::{
    ActiveCredential, AppSettings, Change, Freshness, Introspection, Lifetimes, LogEntry, Position,
    Role, Scope, Shape, Sid, Snapshot, UnixMillis, UserId,
};

use super::{APP, ISSUER, TestLogin};

/// One authority.
pub(super) struct State {
    app: AppSettings,
    key: SigningKey,
    log: Vec<LogEntry>,
    people: HashMap<String, UserId>,
    /// Living logins. With one app there is one grant a login.
    grants: HashMap<Sid, Grant>,
    /// Every session secret and refresh token of a living login that still means something.
    secrets: HashMap<String, Held>,
    away: bool,
    /// How often the streams were cut.
    streams: u64,
}

/// The app's share in a login.
pub(super) struct Grant {
    pub(super) sid: Sid,
    pub(super) user: UserId,
    username: String,
    roles: Vec<Role>,
    rev: Position,
    began: UnixMillis,
    used: UnixMillis,
}

/// What a secret is of.
struct Held {
    sid: Sid,
    replaced: Option<Replaced>,
}

/// A secret's successor: the same answer again within the grace, the login's end after it.
struct Replaced {
    at: UnixMillis,
    answer: Value,
}

impl State {
    pub(super) fn new(shape: Shape, freshness: Freshness) -> Self {
        let key = SigningKey::generate(Algorithm::Es256, &SystemRandom::new());
        Self {
            app: AppSettings {
                client_id: APP.parse().expect("a client id"),
                shape,
                freshness,
                lifetimes: Lifetimes::default(),
            },
            key: key.expect("random numbers for a key"),
            log: Vec::new(),
            people: HashMap::new(),
            grants: HashMap::new(),
            secrets: HashMap::new(),
            away: false,
            streams: 0,
        }
    }

    pub(super) fn head(&self) -> Position {
        let start = Position::new(1, 0);
        self.log.last().map_or(start, |entry| entry.position)
    }

    pub(super) fn is_away(&self) -> bool {
        self.away
    }

    pub(super) fn go_away(&mut self) {
        self.away = true;
        self.streams += 1;
    }

    pub(super) fn come_back(&mut self) -> Position {
        self.away = false;
        self.head()
    }

    /// A stream that was opened under another number is cut.
    pub(super) fn streams(&self) -> u64 {
        self.streams
    }

    pub(super) fn entries_after(&self, sent: Position) -> impl Iterator<Item = &LogEntry> {
        self.log.iter().filter(move |entry| entry.position > sent)
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let key = self.key.verifying_key().and_then(|key| key.to_jwk());
        let key = key.expect("the public half of a key");
        Snapshot {
            head: self.head(),
            issuer: ISSUER.to_owned(),
            complete_since: Some(Position::START),
            cut_offs: self.log.iter().filter_map(LogEntry::cut_off).collect(),
            keys: vec![serde_json::from_str(&key).expect("a JWK is JSON")],
            apps: vec![self.app.clone()],
        }
    }

    pub(super) fn user(&mut self, username: &str, now: UnixMillis) -> UserId {
        *self
            .people
            .entry(username.to_owned())
            .or_insert_with(|| UserId::mint(now, random()))
    }

    pub(super) fn sign_in(
        &mut self,
        username: &str,
        with_roles: &[&str],
        now: UnixMillis,
    ) -> TestLogin {
        let (user, sid) = (self.user(username, now), Sid::mint(now, random()));
        let grant = Grant {
            sid,
            user,
            username: username.to_owned(),
            roles: roles(with_roles),
            rev: self.head(),
            began: now,
            used: now,
        };
        self.grants.insert(sid, grant);
        let (access, refresh) = self.issue(sid, now).expect("the grant was just made");
        TestLogin {
            client_id: self.app.client_id.clone(),
            user,
            sid,
            access,
            refresh,
        }
    }

    /// Ends what `covers` covers, which are those that `kills` picks.
    pub(super) fn cut_off(&mut self, covers: Scope, kills: impl Fn(&Grant) -> bool) -> Position {
        self.grants.retain(|_, grant| !kills(grant));
        let grants = &self.grants;
        self.secrets
            .retain(|_, held| grants.contains_key(&held.sid));
        self.append(Change::CutOff { covers })
    }

    pub(super) fn flip(&mut self, shape: Shape) -> Position {
        self.app.shape = shape;
        let settings = self.app.clone();
        self.append(Change::App { settings })
    }

    /// RFC 7662, for both shapes.
    pub(super) fn introspect(&mut self, token: &str, now: UnixMillis) -> Introspection {
        let (sid, shape, kid, exp) = if token.starts_with("sym_s_") {
            let lasts = self.app.lifetimes.access_token();
            let sid = self.secrets.get(token).map(|held| held.sid);
            (sid, Shape::Session, None, now.plus(lasts).as_secs())
        } else {
            let read = self.read_token(token, now);
            let kid = self.key.kid().parse().ok();
            let (sid, exp) = read.map_or((None, 0), |(sid, exp)| (Some(sid), exp));
            (sid, Shape::Jwt, kid, exp)
        };
        let as_of = self.head();
        let Some(grant) = sid.and_then(|sid| self.living(sid, now)) else {
            return Introspection::Inactive;
        };
        Introspection::Active(Box::new(ActiveCredential {
            sub: grant.user,
            username: grant.username.clone(),
            sid: grant.sid,
            client_id: APP.parse().expect("a client id"),
            rev: grant.rev,
            as_of: Some(as_of),
            kid,
            shape,
            iat: now.as_secs(),
            exp,
            auth_time: grant.began.as_secs(),
            amr: vec!["pwd".to_owned()],
            roles: grant.roles.clone(),
        }))
    }

    /// What a secret of the line earns: a credential in the app's shape, or nothing.
    pub(super) fn redeem(&mut self, secret: &str, now: UnixMillis) -> Option<Value> {
        let held = self.secrets.get(secret)?;
        let sid = held.sid;
        if let Some(replaced) = &held.replaced {
            if now.since(replaced.at) <= self.app.lifetimes.grace() {
                return Some(replaced.answer.clone());
            }
            // Shown again after its successor: one of the two holders is a thief.
            self.end(sid);
            return None;
        }
        self.living(sid, now)?;
        let (access, refresh) = self.issue(sid, now)?;
        let lifetimes = self.app.lifetimes;
        let mut answer = json!({
            "token_type": "Bearer", "shape": self.app.shape, "access_token": access, "sid": sid,
            "remembered": true, "expires_in": lifetimes.idle().as_secs(),
        });
        if let (Some(refresh), Some(members)) = (refresh, answer.as_object_mut()) {
            let lasts = lifetimes.access_token().as_secs();
            members.insert("refresh_token".to_owned(), refresh.into());
            members.insert("expires_in".to_owned(), lasts.into());
            let lasts = lifetimes.idle().as_secs();
            members.insert("refresh_expires_in".to_owned(), lasts.into());
        }
        let replaced = Replaced {
            at: now,
            answer: answer.clone(),
        };
        self.secrets.get_mut(secret)?.replaced = Some(replaced);
        Some(answer)
    }

    /// Whose credential this is, in either shape or as a refresh token.
    pub(super) fn owner(&self, credential: &str, now: UnixMillis) -> Option<Sid> {
        let by_secret = self.secrets.get(credential).map(|held| held.sid);
        by_secret.or_else(|| self.read_token(credential, now).map(|(sid, _)| sid))
    }

    /// Ends one login.
    pub(super) fn end(&mut self, sid: Sid) -> Position {
        self.cut_off(Scope::Login { sid }, |grant| grant.sid == sid)
    }

    fn append(&mut self, change: Change) -> Position {
        let position = self.head().next();
        self.log.push(LogEntry { position, change });
        position
    }

    /// The grant if it stands; using it moves its idle end.
    fn living(&mut self, sid: Sid, now: UnixMillis) -> Option<&Grant> {
        let lifetimes = self.app.lifetimes;
        let grant = self.grants.get_mut(&sid)?;
        let lives = now.since(grant.used) < lifetimes.idle()
            && now.since(grant.began) < lifetimes.absolute();
        if lives {
            grant.used = now;
        }
        lives.then_some(grant)
    }

    fn issue(&mut self, sid: Sid, now: UnixMillis) -> Option<(String, Option<String>)> {
        let kind = match self.app.shape {
            Shape::Session => "sym_s_",
            Shape::Jwt => "sym_r_",
        };
        let secret = format!("{kind}{}", URL_SAFE_NO_PAD.encode(random::<68>()));
        let held = Held {
            sid,
            replaced: None,
        };
        let issued = match self.app.shape {
            Shape::Session => (secret.clone(), None),
            Shape::Jwt => (self.token(sid, now)?, Some(secret.clone())),
        };
        self.secrets.insert(secret, held);
        Some(issued)
    }

    fn token(&self, sid: Sid, now: UnixMillis) -> Option<String> {
        let grant = self.grants.get(&sid)?;
        let claims = AccessClaims {
            iss: ISSUER.into(),
            sub: grant.user.to_string().into(),
            aud: APP.into(),
            exp: now.plus(self.app.lifetimes.access_token()).as_secs(),
            iat: now.as_secs(),
            jti: URL_SAFE_NO_PAD.encode(random::<16>()).into(),
            preferred_username: Some(grant.username.as_str().into()),
            client_id: APP.into(),
            sid: sid.to_string().into(),
            rev: grant.rev.to_string().into(),
            as_of: Some(self.head().to_string().into()),
            auth_time: grant.began.as_secs(),
            acr: None,
            amr: vec!["pwd".into()],
            roles: grant
                .roles
                .iter()
                .map(|role| role.as_str().into())
                .collect(),
        };
        let token = sign::<AccessToken>(&self.key, &claims, &SystemRandom::new());
        Some(token.expect("claims of the right kind"))
    }

    /// The login and the end of a token that this authority signed.
    fn read_token(&self, token: &str, now: UnixMillis) -> Option<(Sid, i64)> {
        let keys = self.key.verifying_key().ok()?;
        let expect = Expect::new(ISSUER, APP, now.as_secs(), 0);
        let parsed = Unverified::parse(token).ok()?;
        let verified = parsed.verify::<AccessToken>(&keys, &expect).ok()?;
        let claims = verified.into_claims();
        Some((claims.sid.parse().ok()?, claims.exp))
    }
}

/// Roles by name.
pub(super) fn roles(names: &[&str]) -> Vec<Role> {
    let role = |name: &&str| name.parse().expect("a role's name");
    names.iter().map(role).collect()
}

/// Random bytes.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("random numbers");
    bytes
}
