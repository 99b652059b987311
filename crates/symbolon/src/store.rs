//! Where the authority keeps what it knows: one URL for each store.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, de};
use symbolon_server::authority::ports::{Directory, Limits, Logins, Once, World};
use symbolon_stores::{
    Bridged, Durability, Migration, Postgres, Redis, Sqlite, pending_migrations,
    transfer::{MOVED, Target, UNFINISHED},
};

use crate::{cli::Place, world::RealWorld};

/// Where users, apps and keys are, and logins, too, unless they are in Redis.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    /// `sqlite:DIRECTORY`; without a directory the data directory.
    Sqlite(Option<PathBuf>),
    /// `postgres://...`, as libpq writes it.
    Postgres(String),
}

/// `redis://...`: logins, the log, counters and once-values.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct LoginsUrl(String);

/// The stores of one authority.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Stores {
    pub(crate) store: StoreUrl,
    pub(crate) logins: Option<LoginsUrl>,
    pub(crate) durability: Durability,
}

/// Open stores, as the ports of the authority.
pub(crate) struct Open {
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) logins: Arc<dyn Logins>,
    pub(crate) limits: Arc<dyn Limits>,
    pub(crate) once: Arc<dyn Once>,
    /// To be closed in order.
    pub(crate) sqlite: Option<Arc<Sqlite>>,
}

impl StoreUrl {
    /// The directory of the file, if it is one.
    pub(crate) fn directory<'a>(&'a self, data: &'a Path) -> Option<&'a Path> {
        match self {
            Self::Sqlite(dir) => Some(dir.as_deref().unwrap_or(data)),
            Self::Postgres(_) => None,
        }
    }

    /// Opens it alone; `data` is the data directory.
    pub(crate) async fn open(&self, data: &Path) -> Result<Sql> {
        Ok(match self {
            Self::Sqlite(dir) => {
                let store = Sqlite::open(dir.as_deref().unwrap_or(data))?;
                Sql::Sqlite(Box::new(store))
            }
            Self::Postgres(url) => Sql::Postgres(self.connect(url).await?),
        })
    }

    /// Whether anything is in it. Makes nothing.
    pub(crate) async fn exists(&self, data: &Path) -> Result<bool> {
        let pending = self.pending(data).await?;
        Ok(pending.first().is_none_or(|first| first.number > 1))
    }

    /// What opening it would apply to its tables.
    pub(crate) async fn pending(&self, data: &Path) -> Result<Vec<Migration>> {
        Ok(match self {
            Self::Sqlite(dir) => pending_migrations(dir.as_deref().unwrap_or(data))?,
            Self::Postgres(url) => {
                let pending = Postgres::pending(url).await;
                pending.with_context(|| self.to_string())?
            }
        })
    }

    /// Connects to the database of `url`, which is its own.
    async fn connect(&self, url: &str) -> Result<Postgres> {
        let connected = Postgres::connect(url).await;
        connected.with_context(|| self.to_string())
    }
}

impl LoginsUrl {
    async fn connect(&self, durability: Durability) -> Result<Redis> {
        let connected = Redis::connect(&self.0, durability).await;
        connected.with_context(|| format!("{self:?}"))
    }
}

/// One open SQL store.
pub(crate) enum Sql {
    Sqlite(Box<Sqlite>),
    Postgres(Postgres),
}

impl Sql {
    /// As something to copy from or to.
    pub(crate) fn target(&self) -> &dyn Target {
        match self {
            Self::Sqlite(store) => store.as_ref(),
            Self::Postgres(store) => store,
        }
    }

    /// Marks the whole store.
    pub(crate) async fn mark(&self, what: &str) -> Result<()> {
        match self {
            Self::Sqlite(store) => store.mark(what).await?,
            Self::Postgres(store) => store.mark(what).await?,
        }
        Ok(())
    }

    /// Closes it in order.
    pub(crate) fn close(self) -> Result<()> {
        match self {
            Self::Sqlite(store) => Ok(store.close()?),
            Self::Postgres(_) => Ok(()),
        }
    }
}

impl From<Place> for Stores {
    fn from(place: Place) -> Self {
        let Place {
            store,
            logins,
            logins_durability,
        } = place;
        Self {
            store: store.unwrap_or(StoreUrl::Sqlite(None)),
            logins,
            durability: logins_durability.unwrap_or(Durability::Disk),
        }
    }
}

impl Stores {
    /// What opening the SQL store would apply to its tables.
    pub(crate) async fn pending(&self, data: &Path) -> Result<Vec<Migration>> {
        self.store.pending(data).await
    }

    /// Opens them; `data` is the data directory.
    pub(crate) async fn open(&self, data: &Path) -> Result<Open> {
        let Self {
            store,
            logins,
            durability,
        } = self;
        let open = match (store, logins) {
            (StoreUrl::Sqlite(dir), None) => {
                let store = Arc::new(Sqlite::open(dir.as_deref().unwrap_or(data))?);
                Open {
                    sqlite: Some(Arc::clone(&store)),
                    ..all_on(store)
                }
            }
            (StoreUrl::Postgres(url), None) => all_on(Arc::new(store.connect(url).await?)),
            (StoreUrl::Sqlite(dir), Some(logins)) => {
                let sql = Sqlite::open(dir.as_deref().unwrap_or(data))?;
                let redis = logins.connect(*durability).await?;
                all_on(Arc::new(
                    Bridged::new(sql, redis, RealWorld::new().now()).await?,
                ))
            }
            (StoreUrl::Postgres(url), Some(logins)) => {
                let sql = store.connect(url).await?;
                let redis = logins.connect(*durability).await?;
                all_on(Arc::new(
                    Bridged::new(sql, redis, RealWorld::new().now()).await?,
                ))
            }
        };
        if open.directory.is_marked(UNFINISHED).await? {
            bail!(
                "{store} holds a part of a copy: run `symbolon copy` again, which goes on where it stopped"
            );
        }
        if open.directory.is_marked(MOVED).await? {
            bail!(
                "the content of {store} was moved to another store by `symbolon copy`: serve that one. \
                 Serving both would give one past two futures"
            );
        }
        Ok(open)
    }
}

fn all_on<S: Directory + Logins + Limits + Once + 'static>(store: Arc<S>) -> Open {
    Open {
        directory: store.clone(),
        logins: store.clone(),
        limits: store.clone(),
        once: store,
        sqlite: None,
    }
}

impl FromStr for StoreUrl {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(':') {
            Some(("sqlite", "")) => Ok(Self::Sqlite(None)),
            Some(("sqlite", dir)) => Ok(Self::Sqlite(Some(PathBuf::from(
                dir.strip_prefix("//").unwrap_or(dir),
            )))),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(text.to_owned())),
            Some(("redis" | "rediss" | "redis+cluster" | "rediss+cluster", _)) => bail!(
                "Redis keeps logins only: give it as `logins`, beside a `store` for people, apps and keys"
            ),
            _ => bail!(
                "not a store: expected sqlite:DIRECTORY or postgres://USER:PASSWORD@HOST/DATABASE"
            ),
        }
    }
}

impl FromStr for LoginsUrl {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(':') {
            Some(("redis" | "rediss" | "redis+cluster" | "rediss+cluster", _)) => {
                Ok(Self(text.to_owned()))
            }
            _ => bail!(
                "not a store for logins: expected redis://HOST:PORT, rediss:// (TLS), redis+cluster:// or rediss+cluster://"
            ),
        }
    }
}

/// Without what opens it: shown in errors and logs.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(None) => f.write_str("sqlite:"),
            Self::Sqlite(Some(dir)) => write!(f, "sqlite:{}", dir.display()),
            Self::Postgres(url) => f.write_str(&without_account(url)),
        }
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for LoginsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_account(&self.0))
    }
}

/// The URL up to its parameters, without user and password.
fn without_account(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    format!("{scheme}://{place}")
}

impl<'de> Deserialize<'de> for StoreUrl {
    fn deserialize<D: de::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for LoginsUrl {
    fn deserialize<D: de::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_store_is_named_by_one_url() {
        let sqlite = |dir: &str| StoreUrl::Sqlite(Some(PathBuf::from(dir)));
        assert_eq!(
            "sqlite:".parse::<StoreUrl>().unwrap(),
            StoreUrl::Sqlite(None)
        );
        assert_eq!("sqlite:data".parse::<StoreUrl>().unwrap(), sqlite("data"));
        assert_eq!(
            "sqlite:/var/lib/x".parse::<StoreUrl>().unwrap(),
            sqlite("/var/lib/x")
        );
        assert_eq!(
            "sqlite:///var/lib/x".parse::<StoreUrl>().unwrap(),
            sqlite("/var/lib/x")
        );
        for (wrong, hint) in [
            ("mysql://x", "expected sqlite:"),
            ("data", "expected sqlite:"),
            ("redis://localhost", "`logins`"),
        ] {
            let error = wrong.parse::<StoreUrl>().unwrap_err().to_string();
            assert!(error.contains(hint), "{wrong}: {error}");
        }
        assert!("redis+cluster://a:1,b:2".parse::<LoginsUrl>().is_ok());
        assert!("postgres://x".parse::<LoginsUrl>().is_err());
    }

    #[test]
    fn a_password_in_a_url_is_never_shown() {
        let store: StoreUrl = "postgres://symbolon:se:cr@et@db.example.com:5432/x?password=secret"
            .parse()
            .unwrap();
        for shown in [format!("{store}"), format!("{store:?}")] {
            assert_eq!(shown, "postgres://db.example.com:5432/x");
        }
        let logins: LoginsUrl = "rediss://:secret@cache:6379/0?cell=a".parse().unwrap();
        assert_eq!(format!("{logins:?}"), "rediss://cache:6379/0");
    }
}
