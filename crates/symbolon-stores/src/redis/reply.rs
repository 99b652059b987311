//! From what scripts answer to the record. What cannot be read is damage.

use std::{fmt::Display, str::FromStr, time::Duration, vec::IntoIter};

use redis::Value;
use serde::{Deserialize, Serialize};
use symbolon_authority::ports::{LoginWithGrants, Standpoint, StoreError};
use symbolon_login::{Digest, Grant, GrantId, Line, Login, Position, Sid, UnixMillis, UserId};

/// The parts of an answer, taken one after the other.
pub(super) struct Reply(IntoIter<Value>);

impl Reply {
    pub(super) fn new(value: Value) -> Result<Self, StoreError> {
        match value {
            Value::Array(parts) => Ok(Self(parts.into_iter())),
            _ => Err(damaged("a list was expected")),
        }
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        match self.0.next() {
            Some(Value::BulkString(bytes)) => Ok(bytes),
            _ => Err(damaged("a text was expected")),
        }
    }

    pub(super) fn text(&mut self) -> Result<String, StoreError> {
        String::from_utf8(self.bytes()?).map_err(|why| damaged(&why.to_string()))
    }

    /// A text that may be absent.
    pub(super) fn maybe_text(&mut self) -> Result<Option<String>, StoreError> {
        match self.0.as_slice().first() {
            Some(Value::Nil) => Ok(self.0.next().and(None)),
            _ => self.text().map(Some),
        }
    }

    /// A value in its one text form.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&mut self) -> Result<T, StoreError> {
        let text = self.text()?;
        text.parse()
            .map_err(|why| damaged(&format!("{text:?}: {why}")))
    }

    pub(super) fn list(&mut self) -> Result<Self, StoreError> {
        Self::new(self.0.next().unwrap_or_default())
    }

    /// The lists that are left.
    pub(super) fn lists(self) -> impl Iterator<Item = Result<Self, StoreError>> {
        self.0.map(Self::new)
    }

    /// A whole number.
    pub(super) fn count(&mut self) -> Result<u64, StoreError> {
        match self.0.next() {
            Some(Value::Int(count)) => {
                u64::try_from(count).map_err(|_| damaged("a number is negative"))
            }
            _ => Err(damaged("a number was expected")),
        }
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let bytes = self.bytes()?;
        bytes
            .try_into()
            .map_err(|_| damaged("an id or digest has the wrong length"))
    }

    pub(super) fn time(&mut self) -> Result<UnixMillis, StoreError> {
        self.parsed().map(UnixMillis::from_millis)
    }

    pub(super) fn maybe_time(&mut self) -> Result<Option<UnixMillis>, StoreError> {
        let text = self.text()?;
        if text.is_empty() {
            return Ok(None);
        }
        let millis = text.parse().map_err(|_| damaged("a time cannot be read"))?;
        Ok(Some(UnixMillis::from_millis(millis)))
    }

    /// A login, as `show_login` gives it.
    pub(super) fn login(mut self) -> Result<Login, StoreError> {
        let sid = Sid::from_bytes(self.fixed()?);
        let user = UserId::from_bytes(self.fixed()?);
        let detail = self.bytes()?;
        let detail: Detail =
            serde_json::from_slice(&detail).map_err(|why| damaged(&why.to_string()))?;
        let (expires_at, ended_at) = (self.time()?, self.maybe_time()?);
        Ok(detail.login(sid, user, expires_at, ended_at))
    }

    /// A grant, as `show_grant` gives it.
    pub(super) fn grant(mut self) -> Result<Grant, StoreError> {
        Ok(Grant {
            id: GrantId::from_bytes(self.fixed()?),
            sid: Sid::from_bytes(self.fixed()?),
            client_id: self.parsed()?,
            rev: self.parsed()?,
            opened_at: self.time()?,
            used_at: self.time()?,
            line: Line {
                generation: self.parsed()?,
                digest: Digest::from_bytes(self.fixed()?),
                moved_at: self.time()?,
            },
            ended_at: self.maybe_time()?,
        })
    }

    /// A login with one grant. None: nothing was found.
    pub(super) fn standpoint(mut self) -> Result<Option<Standpoint>, StoreError> {
        if self.is_empty() {
            return Ok(None);
        }
        let login = self.list()?.login()?;
        let grant = self.list()?.grant()?;
        Ok(Some(Standpoint { login, grant }))
    }

    /// A login with all its grants. None: nothing was found.
    pub(super) fn with_grants(mut self) -> Result<Option<LoginWithGrants>, StoreError> {
        if self.is_empty() {
            return Ok(None);
        }
        let login = self.list()?.login()?;
        let grants = self.lists().map(|grant| grant?.grant());
        let grants = grants.collect::<Result<_, _>>()?;
        Ok(Some(LoginWithGrants { login, grants }))
    }

    /// Logins with their grants, newest first.
    pub(super) fn logins(self) -> Result<Vec<LoginWithGrants>, StoreError> {
        let found = self
            .lists()
            .filter_map(|login| login.and_then(Self::with_grants).transpose());
        let mut found = found.collect::<Result<Vec<_>, _>>()?;
        found.sort_by_key(|found| std::cmp::Reverse(found.login.sid));
        Ok(found)
    }
}

/// What never changes of a login and what no script asks for.
#[derive(Serialize, Deserialize)]
pub(super) struct Detail {
    authenticated_at: UnixMillis,
    methods: Vec<String>,
    device: Option<String>,
    idle_ms: Option<u64>,
    remembered: bool,
}

impl Detail {
    pub(super) fn of(login: &Login) -> Result<String, StoreError> {
        let idle_ms = login.idle.map(|idle| u64::try_from(idle.as_millis()));
        let detail = Self {
            authenticated_at: login.authenticated_at,
            methods: login.methods.clone(),
            device: login.device.clone(),
            idle_ms: idle_ms
                .transpose()
                .map_err(|_| unwritable("an idle time is too long"))?,
            remembered: login.remembered,
        };
        serde_json::to_string(&detail).map_err(|why| unwritable(&why.to_string()))
    }

    fn login(
        self,
        sid: Sid,
        user: UserId,
        expires_at: UnixMillis,
        ended_at: Option<UnixMillis>,
    ) -> Login {
        Login {
            sid,
            user,
            authenticated_at: self.authenticated_at,
            methods: self.methods,
            device: self.device,
            expires_at,
            idle: self.idle_ms.map(Duration::from_millis),
            remembered: self.remembered,
            ended_at,
        }
    }
}

/// The position of an entry, from its id in the stream.
pub(super) fn entry_position(id: &str) -> Result<Position, StoreError> {
    let position = id.replacen('-', ".", 1);
    let parsed = position.parse();
    parsed.map_err(|_| damaged(&format!("the log has an entry {id}")))
}

pub(super) fn damaged(why: &str) -> StoreError {
    StoreError::Damaged(format!("in Redis, {why}"))
}

pub(super) fn unwritable(why: &str) -> StoreError {
    StoreError::Unavailable(why.to_owned())
}
