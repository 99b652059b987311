//! A disk that is really full, and one that really turns read-only under the open file: errors that
//! say so, reads go on, and writes go on when they can.
//!
//! Needs root on Linux, to mount a small file system for itself.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use symbolon_authority::ports::{Directory, Logins, StoreError};
use symbolon_login::{Scope, Sid, UnixMillis};
use symbolon_stores::Sqlite;

const NOW: UnixMillis = UnixMillis::from_secs(1_800_000_000);

/// A file system of its own, unmounted with the test.
struct Mounted {
    at: PathBuf,
    _around: tempfile::TempDir,
}

impl Mounted {
    fn new(arguments: &[&str]) -> Self {
        let around = tempfile::tempdir().unwrap();
        let at = around.path().join("disk");
        fs::create_dir(&at).unwrap();
        run("mount", &[arguments, &[at.to_str().unwrap()]].concat());
        Self {
            at,
            _around: around,
        }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.at).status();
    }
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?} (this test needs root): {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn sid(n: u64) -> Sid {
    let mut random = [7; 10];
    random[..8].copy_from_slice(&n.to_be_bytes());
    Sid::mint(NOW, random)
}

/// Ends made-up logins until one is refused. Gives how many were acknowledged, and the refusal.
async fn end_until_refused(store: &Sqlite, from: u64) -> (u64, StoreError) {
    for n in from..from + 1_000_000 {
        if let Err(refusal) = store.end(Scope::Login { sid: sid(n) }, NOW).await {
            return (n - from, refusal);
        }
    }
    unreachable!("a disk without an end")
}

/// Takes up all the space that is left.
fn fill(disk: &Path) -> PathBuf {
    let ballast = disk.join("ballast");
    let mut file = fs::File::create(&ballast).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    ballast
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_writes_and_recovers_when_there_is_space() {
    let disk = Mounted::new(&["-t", "tmpfs", "-o", "size=4m", "tmpfs"]);
    let dir = disk.at.join("data");
    let store = Sqlite::open(&dir).unwrap();
    store.mark("before").await.unwrap();
    let ballast = fill(&disk.at);
    let (acknowledged, refusal) = end_until_refused(&store, 0).await;
    assert!(matches!(refusal, StoreError::Unavailable(_)));
    assert!(refusal.to_string().contains("full"), "{refusal}");
    // Reads go on, and what was refused is not half there.
    let head = store.head().await.unwrap();
    assert_eq!(head.number(), acknowledged);
    assert!(store.is_marked("before").await.unwrap());
    for n in 0..20 {
        let again = store.end(Scope::Login { sid: sid(n) }, NOW).await;
        assert!(again.is_err(), "still full");
        assert!(store.is_marked("before").await.unwrap());
    }
    assert_eq!(store.head().await.unwrap(), head);
    // Space returns, and nobody has to restart anything.
    fs::remove_file(ballast).unwrap();
    let ended = store.end(Scope::Everything {}, NOW).await.unwrap();
    assert_eq!(ended.position, head.next());
    store.close().unwrap();
    let store = Sqlite::open(&dir).unwrap();
    assert_eq!(store.head().await.unwrap(), ended.position);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_turns_read_only_refuses_writes_and_is_read_on() {
    let around = tempfile::tempdir().unwrap();
    let image = around.path().join("image");
    let image = image.to_str().unwrap();
    run("truncate", &["-s", "24M", image]);
    run("mkfs.ext4", &["-q", image]);
    let options = ["-o", "loop,errors=remount-ro", image];
    let disk = Mounted::new(&options);
    let dir = disk.at.join("data");
    let store = Sqlite::open(&dir).unwrap();
    store.mark("before").await.unwrap();
    let ended = store.end(Scope::Everything {}, NOW).await.unwrap();
    // What the kernel does when it finds the file system broken.
    let mounts = fs::read_to_string("/proc/mounts").unwrap();
    let at = disk.at.to_str().unwrap();
    let line = mounts.lines().find(|line| line.contains(at)).unwrap();
    let device = Path::new(line.split(' ').next().unwrap());
    let trigger = Path::new("/sys/fs/ext4").join(device.file_name().unwrap());
    fs::write(trigger.join("trigger_fs_error"), "a test").unwrap();
    let (_, refusal) = end_until_refused(&store, 0).await;
    assert!(matches!(refusal, StoreError::Unavailable(_)), "{refusal}");
    let text = refusal.to_string();
    assert!(
        text.contains("readonly") || text.contains("read-only") || text.contains("I/O"),
        "{text}"
    );
    for _ in 0..20 {
        assert!(store.is_marked("before").await.unwrap());
        assert!(store.head().await.unwrap() >= ended.position);
        assert!(store.mark("after").await.is_err());
    }
    drop(store);
    // On a disk that is well again everything acknowledged is there.
    drop(disk);
    let disk = Mounted::new(&["-o", "loop", image]);
    let store = Sqlite::open(&disk.at.join("data")).unwrap();
    assert!(store.is_marked("before").await.unwrap());
    assert!(store.head().await.unwrap() >= ended.position);
    store.mark("after").await.unwrap();
    store.close().unwrap();
}
