//! Where the daemon listens.

use std::{
    fs,
    io::ErrorKind,
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt},
        net::UnixStream,
    },
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use symbolon_server::Listener;
use tokio::net::UnixListener;

use super::arguments::{Address, SocketMode};
use crate::listen::listen;

/// The sockets, and the files of those that have one.
pub(super) struct Sockets {
    pub(super) listeners: Vec<Listener>,
    pub(super) files: Vec<SocketFile>,
}

impl Sockets {
    /// Listens at all addresses.
    pub(super) async fn open(addresses: &[Address], mode: SocketMode) -> Result<Self> {
        let (mut listeners, mut files) = (Vec::new(), Vec::new());
        for address in addresses {
            match address {
                Address::Tcp(host_port) => {
                    listeners.extend(listen(host_port).await?.into_iter().map(Listener::Tcp));
                }
                Address::Unix(path) => {
                    let (listener, file) = SocketFile::open(path, mode)
                        .with_context(|| format!("cannot listen on unix:{}", path.display()))?;
                    listeners.push(Listener::Unix(listener));
                    files.push(file);
                }
            }
        }
        Ok(Self { listeners, files })
    }
}

/// The file of a Unix socket; it goes with this value, unless somebody else has put another in its place.
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
}

impl SocketFile {
    /// Listens at `path`. A socket that nobody listens on any more is replaced; whatever else is there
    /// stays, and is an error.
    fn open(path: &Path, mode: SocketMode) -> Result<(UnixListener, Self)> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
            Ok(found) if !found.file_type().is_socket() => {
                bail!("there is a file that is no socket")
            }
            Ok(_) => match UnixStream::connect(path) {
                Ok(_) => bail!("somebody listens there"),
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(error).context("cannot tell whether somebody listens there");
                }
            },
        }
        // Made under another name and moved: under its own it has its mode from the first moment on, and
        // a connection is never refused in between.
        let beside = path.with_added_extension(std::process::id().to_string());
        let listener = UnixListener::bind(&beside)?;
        let placed = fs::set_permissions(&beside, fs::Permissions::from_mode(mode.0))
            .and_then(|()| fs::symlink_metadata(&beside))
            .and_then(|made_file| fs::rename(&beside, path).map(|()| made_file));
        match placed {
            Ok(file) => Ok((
                listener,
                Self {
                    path: path.to_owned(),
                    identity: (file.dev(), file.ino()),
                },
            )),
            Err(error) => {
                let _ = fs::remove_file(&beside);
                Err(error.into())
            }
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|file| (file.dev(), file.ino()) == self.identity);
        if is_ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const MODE: SocketMode = SocketMode(0o660);

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_a_live_one_or_another_file_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("guard.sock");
        // Stale: its listener is gone, the file is not.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let (listener, file) = SocketFile::open(&path, MODE).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        assert!(UnixStream::connect(&path).is_ok());
        let error = SocketFile::open(&path, MODE).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("somebody listens"), "{error}");
        drop((listener, file));
        assert!(!path.exists());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);

        fs::write(&path, "mine").unwrap();
        assert!(SocketFile::open(&path, MODE).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }

    #[tokio::test]
    async fn the_file_of_a_successor_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("guard.sock");
        let (_listener, file) = SocketFile::open(&path, MODE).unwrap();
        fs::remove_file(&path).unwrap();
        let (_successor, _file) = SocketFile::open(&path, MODE).unwrap();
        drop(file);
        assert!(UnixStream::connect(&path).is_ok());
    }
}
