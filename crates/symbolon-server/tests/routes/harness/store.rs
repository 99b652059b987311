//! A store of logins that can be taken away.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use symbolon_authority::ports::{
    Advance, Ended, Join, LogSnapshot, LoginWithGrants, Logins, NewGrant, Open, Presented,
    Standpoint, StoreError, Tail, Terms,
};
use symbolon_login::{
    ClientId, GrantId, Lifetimes, Login, LoginLimit, Position, Scope, Sid, UnixMillis, UserId,
};
use symbolon_stores::Memory;
use tokio::sync::watch;

/// What the store does when it is asked.
#[derive(Clone, Copy, Default)]
pub(crate) enum Mood {
    #[default]
    Fine,
    Down,
    Panicking,
    Silent,
}

/// The mood that it is in.
#[derive(Default)]
pub(crate) struct Weather(Mutex<Mood>);

impl Weather {
    pub(crate) fn set(&self, mood: Mood) {
        *self.0.lock().unwrap() = mood;
    }

    fn mood(&self) -> Mood {
        *self.0.lock().unwrap()
    }
}

pub(crate) struct Switchable {
    memory: Arc<Memory>,
    weather: Arc<Weather>,
}

impl Switchable {
    pub(crate) fn new(memory: Arc<Memory>, weather: Arc<Weather>) -> Self {
        Self { memory, weather }
    }

    async fn up(&self) -> Result<&dyn Logins, StoreError> {
        match self.weather.mood() {
            Mood::Fine => Ok(&*self.memory),
            Mood::Down => Err(StoreError::Unavailable("SELECT * FROM secrets".to_owned())),
            Mood::Panicking => panic!("SELECT * FROM secrets"),
            Mood::Silent => std::future::pending().await,
        }
    }
}

macro_rules! pass_on {
    ($(async fn $name:ident(&self $(, $arg:ident: $type:ty)*) -> $out:ty;)*) => {
        #[async_trait]
        impl Logins for Switchable {
            $(async fn $name(&self $(, $arg: $type)*) -> Result<$out, StoreError> {
                self.up().await?.$name($($arg),*).await
            })*

            fn wake(&self) -> watch::Receiver<Position> {
                self.memory.wake()
            }
        }
    };
}

pass_on! {
    async fn open(&self, login: Login, grant: NewGrant, terms: Terms, now: UnixMillis) -> Open;
    async fn join(&self, sid: Sid, grant: NewGrant, per_app: Option<LoginLimit>, now: UnixMillis) -> Join;
    async fn find(&self, grant: GrantId) -> Option<Standpoint>;
    async fn login(&self, sid: Sid) -> Option<LoginWithGrants>;
    async fn logins_of(&self, user: UserId, now: UnixMillis) -> Vec<LoginWithGrants>;
    async fn advance(&self, presented: Presented, client_id: &ClientId, lifetimes: Lifetimes, now: UnixMillis) -> Advance;
    async fn touch(&self, grant: GrantId, now: UnixMillis) -> ();
    async fn end(&self, scope: Scope, now: UnixMillis) -> Ended;
    async fn end_own(&self, user: UserId, sid: Sid, now: UnixMillis) -> Option<Ended>;
    async fn mark_backup(&self, now: UnixMillis) -> Position;
    async fn begin_epoch(&self, now: UnixMillis) -> Ended;
    async fn head(&self) -> Position;
    async fn tail(&self, after: Position, limit: u32) -> Tail;
    async fn snapshot(&self, kept_since: UnixMillis) -> LogSnapshot;
    async fn sweep(&self, before: UnixMillis, limit: u32) -> u64;
}
