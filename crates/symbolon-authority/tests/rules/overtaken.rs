//! What was checked at a sign-in is not true any more when the login is opened.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, atomic::AtomicI64},
};

use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom;
use symbolon_authority::{
    Admin, Authority, PasswordHash, Passwords, Ports, RootSecret, Settings, User,
    ports::{AddApp, AddUser, ChangeKeys, Directory, Ended, KeyChange, StoreError, StoredKey},
};
use symbolon_login::{ClientId, Identifier, Position, Role, Shape, UnixMillis, UserId};
use symbolon_stores::Memory;

use super::*;
use crate::{ISSUER, TestWorld, add_app, add_user};

/// What an administrator does while a password is being verified.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Nothing,
    NewPassword,
    Disable,
    DisableAndEnable,
    NewRoles,
    EndLogins,
}

/// A directory in which something happens right after an account was read for a sign-in.
struct Overtaken {
    store: Arc<Memory>,
    deed: Mutex<Deed>,
}

impl Overtaken {
    async fn happen(&self, id: UserId, deed: Deed) -> Result<(), StoreError> {
        use symbolon_authority::ports::Logins;
        let (store, now) = (&self.store, UnixMillis::from_secs(1_800_000_000));
        match deed {
            Deed::Nothing => {}
            Deed::NewPassword => {
                let hash = PasswordHash::from_phc("another".to_owned());
                store.set_password(id, hash, now).await?;
            }
            Deed::Disable => {
                store.disable_user(id, now).await?;
            }
            Deed::DisableAndEnable => {
                store.disable_user(id, now).await?;
                store.enable_user(id).await?;
            }
            Deed::NewRoles => {
                store.set_roles(id, Vec::new(), now).await?;
            }
            Deed::EndLogins => {
                store
                    .end(symbolon_login::Scope::User { user: id }, now)
                    .await?;
            }
        }
        Ok(())
    }
}

macro_rules! pass_on {
    ($(async fn $name:ident(&self $(, $arg:ident: $type:ty)*) -> $out:ty;)*) => {
        #[async_trait]
        impl Directory for Overtaken {
            $(async fn $name(&self $(, $arg: $type)*) -> Result<$out, StoreError> {
                self.store.$name($($arg),*).await
            })*

            async fn user_to_verify(
                &self,
                identifier: &Identifier,
            ) -> Result<Option<(User, PasswordHash)>, StoreError> {
                let found = self.store.user_to_verify(identifier).await?;
                let deed = std::mem::replace(&mut *self.deed.lock().unwrap(), Deed::Nothing);
                if let Some((user, _)) = &found {
                    self.happen(user.id, deed).await?;
                }
                Ok(found)
            }
        }
    };
}

pass_on! {
    async fn add_user(&self, user: User, password: PasswordHash) -> AddUser;
    async fn add_first_admin(&self, user: User, password: PasswordHash) -> Option<AddUser>;
    async fn has_admin(&self) -> bool;
    async fn user(&self, id: UserId) -> Option<User>;
    async fn users(&self, after: Option<Identifier>, limit: u32) -> Vec<User>;
    async fn set_password(&self, id: UserId, password: PasswordHash, now: UnixMillis) -> Option<Ended>;
    async fn set_roles(&self, id: UserId, roles: Vec<Role>, now: UnixMillis) -> Option<Ended>;
    async fn set_login_policy(&self, id: UserId, policy: LoginPolicy) -> bool;
    async fn disable_user(&self, id: UserId, now: UnixMillis) -> Option<Ended>;
    async fn enable_user(&self, id: UserId) -> bool;
    async fn add_app(&self, app: App, now: UnixMillis) -> AddApp;
    async fn change_app(&self, client_id: &ClientId, change: AppChange, now: UnixMillis) -> Option<(App, Position)>;
    async fn app(&self, client_id: &ClientId) -> Option<App>;
    async fn apps(&self) -> Vec<App>;
    async fn add_first_key(&self, key: StoredKey, now: UnixMillis) -> Option<Position>;
    async fn change_keys(&self, change: KeyChange, now: UnixMillis) -> ChangeKeys;
    async fn keys(&self) -> Vec<StoredKey>;
    async fn mark(&self, what: &str) -> ();
    async fn is_marked(&self, what: &str) -> bool;
}

#[tokio::test]
async fn a_change_while_the_old_password_is_verified_refuses_the_sign_in() {
    let store = Arc::new(Memory::new());
    let directory = Arc::new(Overtaken {
        store: store.clone(),
        deed: Mutex::new(Deed::Nothing),
    });
    let ports = Ports {
        directory: directory.clone(),
        logins: store.clone(),
        limits: store.clone(),
        once: store.clone(),
        world: Arc::new(TestWorld {
            now: AtomicI64::new(1_800_000_000_000),
            random: SystemRandom::new(),
        }),
    };
    let passwords = Passwords::start(NonZeroUsize::MIN, 64, [1; 16]).unwrap();
    let root = RootSecret::from_bytes([7; 32]);
    let opened = Authority::open(ports, &root, passwords, Settings::new(ISSUER)).await;
    let (authority, admin) = (opened.unwrap(), Admin::operator());
    for shape in [Shape::Session, Shape::Jwt] {
        let app = add_app(&authority, &admin, &format!("app-{shape}"), shape).await;
        for (n, deed) in [
            Deed::NewPassword,
            Deed::Disable,
            Deed::DisableAndEnable,
            Deed::NewRoles,
            Deed::EndLogins,
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("{shape}-{n}");
            let user = add_user(&authority, &admin, &name).await;
            let attempt = || Attempt {
                identifier: name.clone(),
                ..attempt()
            };
            // Nothing happens: the same attempt is good, so it is the deed that refuses it.
            let outcome = authority.sign_in(attempt(), &app).await.unwrap();
            signed_in(outcome);
            *directory.deed.lock().unwrap() = deed;
            let outcome = authority.sign_in(attempt(), &app).await.unwrap();
            assert!(matches!(outcome, SignIn::Refused), "{deed:?} {shape}");
            let left = authority.logins_of(&admin, user.id).await.unwrap();
            assert!(left.unwrap().is_empty(), "{deed:?} {shape}");
        }
    }
}
