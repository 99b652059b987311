//! From a URL to a cell that may be relied on: what cannot keep a promise is refused before anything is served.

use std::{collections::HashMap, fmt, str::FromStr};

use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, Value, cmd};

use super::{address::Address, link::Link};

/// How long a write waits for its durability before its caller hears that it could not be had.
const WAIT_MILLIS: u32 = 1000;

/// When a write is acknowledged. What each may lose is said in the docs of [`crate::Redis`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// When the server has it in memory.
    Memory,
    /// When the server has it on its disk.
    Disk,
    /// When a replica has it as well.
    Replica,
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Disk => "disk",
            Self::Replica => "replica",
        })
    }
}

/// The text names no durability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a durability: expected memory, disk or replica")]
pub struct UnknownDurability;

impl FromStr for Durability {
    type Err = UnknownDurability;

    fn from_str(text: &str) -> Result<Self, UnknownDurability> {
        match text {
            "memory" => Ok(Self::Memory),
            "disk" => Ok(Self::Disk),
            "replica" => Ok(Self::Replica),
            _ => Err(UnknownDurability),
        }
    }
}

/// Why a Redis was not taken as a store. Nothing was written to it.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL cannot be understood.
    #[error("{0}")]
    Url(String),
    /// Nobody answers there.
    #[error(
        "{at} cannot be reached: {why}; check that it runs, that the address is right, and TLS"
    )]
    Unreachable {
        /// The URL without the account.
        at: String,
        /// What happened.
        why: String,
    },
    /// The server does not let us in, or not do what we have to.
    #[error(
        "{at} refuses us: {why}; put the account into the URL (USER:PASSWORD@), and let it run scripts, INFO and WAIT on the cell's keys"
    )]
    Denied {
        /// The URL without the account.
        at: String,
        /// What it said.
        why: String,
    },
    /// A server from before what the store relies on.
    #[error("{at} is Redis {version}; Redis 7.0 or Valkey 7.2 or later is needed")]
    Old {
        /// The URL without the account.
        at: String,
        /// What it says it is.
        version: String,
    },
    /// A server that forgets when it is full.
    #[error(
        "{at} has maxmemory-policy {policy}: when it is full it would forget logins and their ends; set maxmemory-policy noeviction"
    )]
    Evicts {
        /// The URL without the account.
        at: String,
        /// Its policy.
        policy: String,
    },
    /// A server that takes no writes.
    #[error("{at} is a read-only replica; give the address of its primary")]
    Replica {
        /// The URL without the account.
        at: String,
    },
    /// A server that cannot do what was asked of it.
    #[error("{at} cannot acknowledge with durability {asked}: {why}")]
    Durability {
        /// The URL without the account.
        at: String,
        /// What was asked for.
        asked: Durability,
        /// What is missing, and what to do.
        why: String,
    },
}

impl ConnectError {
    /// Sorts what a server or the way to it said.
    pub(super) fn of(address: &Address, error: &RedisError) -> Self {
        let (at, why) = (address.shown().to_owned(), error.to_string());
        let code = error.code().unwrap_or_default();
        let denied = matches!(code, "NOAUTH" | "WRONGPASS" | "NOPERM")
            || error.kind() == ErrorKind::AuthenticationFailed;
        if denied {
            Self::Denied { at, why }
        } else {
            Self::Unreachable { at, why }
        }
    }
}

/// What follows a write on its connection until it counts as acknowledged.
pub(super) struct Wait {
    command: Cmd,
    own_disk: i64,
    replicas: i64,
}

impl Wait {
    /// WAIT (since Redis 3): the replicas have it in memory.
    fn memory_of_replica() -> Self {
        let mut command = cmd("WAIT");
        command.arg(1).arg(WAIT_MILLIS);
        Self {
            command,
            own_disk: 0,
            replicas: 1,
        }
    }

    /// WAITAOF (since Redis 7.2): it is on the disks of the primary and of so many replicas.
    fn disk(replicas: i64) -> Self {
        let mut command = cmd("WAITAOF");
        command.arg(1).arg(replicas).arg(WAIT_MILLIS);
        Self {
            command,
            own_disk: 1,
            replicas,
        }
    }

    /// The command.
    pub(super) fn command(&self) -> &Cmd {
        &self.command
    }

    /// Whether its answer says that the write is where it has to be.
    pub(super) fn is_met(&self, answer: Value) -> bool {
        let met: Option<(i64, i64)> = match answer {
            Value::Int(replicas) => Some((0, replicas)),
            both => FromRedisValue::from_redis_value(both).ok(),
        };
        met.is_some_and(|(own, replicas)| own >= self.own_disk && replicas >= self.replicas)
    }
}

/// What the server says of itself.
struct Info(HashMap<String, String>);

impl Info {
    fn field(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    fn version(&self) -> (u32, u32) {
        let mut parts = self.field("redis_version").split('.');
        let mut part = || parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
        (part(), part())
    }
}

/// Looks at the server before it is relied on. Gives what a write has to wait for.
pub(super) async fn inspect(
    address: &Address,
    link: &Link,
    durability: Durability,
) -> Result<Option<Wait>, ConnectError> {
    let at = || address.shown().to_owned();
    let refused = |error: RedisError| ConnectError::of(address, &error);
    let text = link.ask(&cmd("INFO")).await.map_err(refused)?;
    let text = String::from_redis_value(text).unwrap_or_default();
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    let info = Info(
        fields
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect(),
    );
    if info.version() < (7, 0) {
        let version = info.field("redis_version").to_owned();
        return Err(ConnectError::Old { at: at(), version });
    }
    if info.field("role") != "master" {
        return Err(ConnectError::Replica { at: at() });
    }
    if info.field("maxmemory_policy") != "noeviction" {
        let policy = info.field("maxmemory_policy").to_owned();
        return Err(ConnectError::Evicts { at: at(), policy });
    }
    let appends = info.field("aof_enabled") == "1";
    let waits_for_disk = info.version() >= (7, 2);
    let lacking = |why: &str| ConnectError::Durability {
        at: at(),
        asked: durability,
        why: why.to_owned(),
    };
    match durability {
        Durability::Memory => Ok(None),
        Durability::Replica if appends && waits_for_disk => Ok(Some(Wait::disk(1))),
        Durability::Replica => Ok(Some(Wait::memory_of_replica())),
        Durability::Disk if !appends => {
            Err(lacking("it keeps no append-only file; set appendonly yes"))
        }
        Durability::Disk if syncs_always(link).await => Ok(None),
        Durability::Disk if waits_for_disk => Ok(Some(Wait::disk(0))),
        Durability::Disk => Err(lacking(
            "it does not say that appendfsync is always, and before Redis 7.2 nothing can be asked to wait for \
             the disk; set appendfsync always and permit CONFIG GET",
        )),
    }
}

/// Whether the server answers a write only after its append-only file was synced.
async fn syncs_always(link: &Link) -> bool {
    let mut config = cmd("CONFIG");
    config.arg("GET").arg("appendfsync");
    let answer = link.ask(&config).await.ok();
    let pair: Option<(String, String)> = answer.and_then(|answer| match answer {
        Value::Map(fields) => fields.into_iter().next().and_then(|(name, value)| {
            let name = FromRedisValue::from_redis_value(name).ok()?;
            Some((name, FromRedisValue::from_redis_value(value).ok()?))
        }),
        list => FromRedisValue::from_redis_value(list).ok(),
    });
    pair.is_some_and(|(_, value)| value == "always")
}
