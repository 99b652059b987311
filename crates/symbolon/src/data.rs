//! The data directory: the database, the root key beside it, and the authority that stands on both.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    num::NonZeroUsize,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use symbolon_server::authority::{
    Authority, Passwords, Ports, RootSecret, Settings, StartError,
    ports::{Directory, World},
};
use symbolon_stores::Sqlite;

use crate::{
    store::{Open, Stores},
    world::RealWorld,
};

const DATABASE: &str = "symbolon.db";
pub(crate) const ROOT_KEY: &str = "root.key";
const ROOT_KEY_HEADER: &str = "symbolon root key v1: ";
/// What marks a data directory as the demo's.
pub(crate) const DEMO_MARK: &str = "demo";

/// Places in the queue of the password pool: at about 50 hashes a second, a few seconds of waiting.
const WAITING_PASSWORDS: usize = 128;

/// An open data directory. While it is open nobody else can open it.
pub(crate) struct Data {
    pub(crate) authority: Arc<Authority>,
    pub(crate) directory: Arc<dyn Directory>,
    /// To be closed in order.
    sqlite: Option<Arc<Sqlite>>,
}

/// Whether a data directory may be made where there is none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfMissing {
    Create,
    Refuse,
}

/// The socket beside a running server on which the command line reaches it.
pub(crate) fn socket_path(dir: &Path) -> PathBuf {
    dir.join("symbolon.sock")
}

impl Data {
    /// Opens the directory, the stores, and the authority that stands on them.
    pub(crate) async fn open(
        dir: &Path,
        stores: &Stores,
        settings: Settings,
        if_missing: IfMissing,
    ) -> Result<Self> {
        let world = RealWorld::new();
        let root_key = |exists: bool| match (exists, if_missing) {
            (true, _) => read_root_key(dir),
            (false, IfMissing::Create) => make_root_key(dir, &world),
            (false, IfMissing::Refuse) => bail!(
                "there is no authority in {}: start one with `symbolon serve`, or name its place with --data and --store",
                shown(dir, stores)
            ),
        };
        let (root, open) = if let Some(place) = stores.store.directory(dir) {
            let exists = place.join(DATABASE).try_exists();
            let exists = exists.with_context(|| format!("cannot look into {}", place.display()))?;
            // The key first: a database whose key could not be written would be lost.
            (root_key(exists)?, stores.open(dir).await?)
        } else {
            let open = stores.open(dir).await?;
            (root_key(!open.directory.keys().await?.is_empty())?, open)
        };
        let Open {
            directory,
            logins,
            limits,
            once,
            sqlite,
        } = open;
        let mut salt = [0; 16];
        world.fill(&mut salt)?;
        let passwords = Passwords::start(password_threads(), WAITING_PASSWORDS, salt)
            .context("cannot start the password threads")?;
        let ports = Ports {
            directory: directory.clone(),
            logins,
            limits,
            once,
            world: Arc::new(world),
        };
        let authority = Authority::open(ports, &root, passwords, settings).await;
        let authority = authority.map_err(|error| match error {
            StartError::Keys(error) => anyhow::Error::new(error).context(format!(
                "{} does not belong to {}: put back the one that was made with it",
                dir.join(ROOT_KEY).display(),
                shown(dir, stores)
            )),
            StartError::Failure(error) => error.into(),
        })?;
        Ok(Self {
            authority: Arc::new(authority),
            directory,
            sqlite,
        })
    }

    /// Closes the directory: what is queued is written first.
    pub(crate) fn close(self) -> Result<()> {
        let Self {
            authority,
            directory,
            sqlite,
        } = self;
        drop((authority, directory));
        // Whoever still holds the store is about to let go of it; the last one closes it.
        match sqlite.map(Arc::try_unwrap) {
            Some(Ok(store)) => Ok(store.close()?),
            Some(Err(_)) | None => Ok(()),
        }
    }

    /// Whether the demo made this directory.
    pub(crate) async fn is_demo(&self) -> Result<bool> {
        Ok(self.directory.is_marked(DEMO_MARK).await?)
    }
}

/// Where the authority is, for people.
fn shown(dir: &Path, stores: &Stores) -> String {
    match stores.store.directory(dir) {
        Some(place) => place.join(DATABASE).display().to_string(),
        None => stores.store.to_string(),
    }
}

/// Half the cores hash passwords, so that checks and pages stay quick in a flood of sign-ins.
fn password_threads() -> NonZeroUsize {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    NonZeroUsize::new(cores / 2).unwrap_or(NonZeroUsize::MIN)
}

fn read_root_key(dir: &Path) -> Result<RootSecret> {
    let path = dir.join(ROOT_KEY);
    let text = fs::read_to_string(&path).with_context(|| {
        format!(
            "cannot read {}: without the root key no credential of this authority can be checked. Put it back \
             from your backup; the database alone signs nobody in, and that is meant",
            path.display()
        )
    })?;
    let bytes = text
        .trim_end()
        .strip_prefix(ROOT_KEY_HEADER)
        .and_then(|encoded| URL_SAFE_NO_PAD.decode(encoded).ok())
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let bytes = bytes.with_context(|| {
        format!(
            "{} is damaged: put it back from your backup",
            path.display()
        )
    })?;
    Ok(RootSecret::from_bytes(bytes))
}

/// Makes the root key of a new authority; reads it where a start that was cut short has made it.
fn make_root_key(dir: &Path, world: &RealWorld) -> Result<RootSecret> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir);
    made.with_context(|| format!("cannot make the data directory {}", dir.display()))?;
    ensure!(dir.is_dir(), "{} is not a directory", dir.display());
    let path = dir.join(ROOT_KEY);
    if path.try_exists()? {
        return read_root_key(dir);
    }
    // Written whole under another name first: a start that is cut short leaves no half key behind.
    let draft = dir.join(format!("{ROOT_KEY}.{}", std::process::id()));
    let root = RootSecret::mint(world)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .with_context(|| format!("cannot write {}", draft.display()))?;
    writeln!(
        file,
        "{ROOT_KEY_HEADER}{}",
        URL_SAFE_NO_PAD.encode(root.expose())
    )?;
    file.sync_all()?;
    // A link is never laid over a key that is there: of two first starts at once one wins.
    let linked = fs::hard_link(&draft, &path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return read_root_key(dir),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot write {}", path.display()));
        }
    }
    // The name, too, must outlive a power cut: a database without its key is lost.
    fs::File::open(dir)?.sync_all()?;
    Ok(root)
}
