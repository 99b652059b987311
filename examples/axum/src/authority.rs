//! An authority in this process, with everything in memory: gone when the process ends.
//!
//! To keep it, give [`Ports`] the four views of `symbolon_stores::Sqlite` (or `Postgres`) and keep the root
//! secret in a file beside it, as `symbolon serve` does. The rest stays as it is.

use std::{
    num::NonZeroUsize,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use symbolon_server::{
    authority::{
        AddedApp, Admin, Authority, NewApp, NewPassword, NewUser, Passwords, Ports, RootSecret,
        Settings,
        ports::{NoRandomness, World},
    },
    login::{AppSettings, Freshness, Lifetimes, Shape, UnixMillis},
};
use symbolon_stores::Memory;

/// An authority at this public URL that knows nobody yet.
///
/// # Errors
/// When the operating system gives no random numbers or no threads.
pub async fn in_memory(url: &str) -> Result<Arc<Authority>> {
    let world = Arc::new(RealWorld(SystemRandom::new()));
    let memory = Arc::new(Memory::new());
    let root = RootSecret::mint(&*world)?;
    // One thread hashes passwords, and at most 64 sign-ins wait for it.
    let passwords = Passwords::start(NonZeroUsize::MIN, 64, random()?)?;
    let ports = Ports {
        directory: memory.clone(),
        logins: memory.clone(),
        limits: memory.clone(),
        once: memory,
        world,
    };
    let authority = Authority::open(ports, &root, passwords, Settings::new(url)).await?;
    Ok(Arc::new(authority))
}

/// Adds a person; returns the password, made up just now.
///
/// # Errors
/// When the name or a role is none.
pub async fn add_person(authority: &Authority, name: &str, roles: &[&str]) -> Result<String> {
    let password = URL_SAFE_NO_PAD.encode(random::<12>()?);
    let roles = roles.iter().map(|role| role.parse());
    let new = NewUser {
        identifier: name.parse()?,
        password: NewPassword::new(password.clone())?,
        roles: roles.collect::<Result<_, _>>()?,
    };
    authority.add_user(&Admin::operator(), new).await?;
    Ok(password)
}

/// Registers an app that answers at `app_url`; returns its secret.
///
/// # Errors
/// When the client id is none or taken.
pub async fn add_app(
    authority: &Authority,
    client_id: &str,
    shape: Shape,
    app_url: &str,
) -> Result<String> {
    let new = NewApp {
        // The two dials. Both can be turned later on a running system, and nobody has to sign in again.
        settings: AppSettings {
            client_id: client_id.parse()?,
            shape,
            freshness: Freshness::DEFAULT,
            lifetimes: Lifetimes::default(),
        },
        name: "The shop".to_owned(),
        limit: None,
        redirect_uris: vec![format!("{app_url}/auth/callback").parse()?],
        confidential: true,
        first_party: true,
    };
    match authority.add_app(&Admin::operator(), new).await? {
        AddedApp::Added { secret, .. } => {
            let secret = secret.context("a confidential app without a secret")?;
            Ok(secret.to_string())
        }
        AddedApp::Taken => bail!("there is an app {client_id} already"),
    }
}

/// The machine's clock and randomness. They are arguments of the authority, so that tests can bring their own.
struct RealWorld(SystemRandom);

impl World for RealWorld {
    fn now(&self) -> UnixMillis {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        UnixMillis::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        self.0.fill(bytes).map_err(|_| NoRandomness)
    }

    fn signing_random(&self) -> &dyn SecureRandom {
        &self.0
    }
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).context("the operating system gives no random numbers")?;
    Ok(bytes)
}
