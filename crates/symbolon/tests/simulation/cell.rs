//! The nodes of one authority: their starts, crashes and restarts, and what they answer.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use symbolon_server::{
    ServerState,
    authority::{Authority, Passwords, Ports, RootSecret, Settings, ports::Logins},
    login::Scope,
    operator_router, router,
};
use symbolon_stores::Memory;
use tokio::task::AbortHandle;
use tower::ServiceExt;

use crate::{
    chance::Dice,
    disk::{Disk, NodeStore, Way},
    history::History,
    steady::steady,
    world::Machine,
};

/// What the authority calls itself.
pub(crate) const ISSUER: &str = "https://authority.example.test";

/// How a node is reached, and that it may not be there.
pub(crate) struct Node {
    pub(crate) name: usize,
    pub(crate) machine: Arc<Machine>,
    pub(crate) way: Arc<Way>,
    disk: Arc<Disk>,
    history: History,
    dice: Dice,
    life: Mutex<Option<Life>>,
    /// Whether those who were connected to the life that ended learn of it.
    tells: Mutex<bool>,
}

/// One life of a node's process.
struct Life {
    router: Router,
    operator: Router,
    store: Arc<NodeStore>,
    tasks: Vec<AbortHandle>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// Nobody listens.
    Refused,
    /// The process ended while it worked on it; what it had done stays done.
    Crashed,
}

impl Node {
    pub(crate) fn new(
        name: usize,
        machine: Arc<Machine>,
        way: Arc<Way>,
        disk: &Arc<Disk>,
        history: &History,
        dice: &Dice,
    ) -> Arc<Self> {
        Arc::new(Self {
            name,
            machine,
            way,
            disk: Arc::clone(disk),
            history: history.clone(),
            dice: dice.clone(),
            life: Mutex::default(),
            tells: Mutex::new(true),
        })
    }

    /// Starts the process, if it does not run.
    pub(crate) async fn start(&self) {
        // A start that a restore overtook would serve the store that was put away: it is given up, as
        // is one that another start overtook.
        while !self.is_up() {
            let (life, memory) = self.open().await;
            if !self.is_up() && Arc::ptr_eq(&memory, &self.disk.memory()) {
                self.history.weather(format!("node {} starts", self.name));
                *self.life.lock().unwrap() = Some(life);
            }
        }
    }

    async fn open(&self) -> (Life, Arc<Memory>) {
        let store = NodeStore::new(self.name, &self.disk, &self.way, &self.dice);
        let (store, memory) = (Arc::new(store), self.disk.memory());
        let served = Arc::clone(&memory);
        let ports = Ports {
            directory: store.clone(),
            logins: store.clone(),
            limits: memory.clone(),
            once: memory,
            world: self.machine.clone(),
        };
        let passwords = Passwords::start(NonZeroUsize::MIN, 64, [7; 16]).unwrap();
        let root = RootSecret::from_bytes([9; 32]);
        let opened = Authority::open(ports, &root, passwords, Settings::new(ISSUER));
        let authority = Arc::new(opened.await.unwrap());
        let state = ServerState::new(authority, false).unwrap();
        let life = Life {
            router: router(state.clone()),
            operator: operator_router(state),
            store,
            tasks: Vec::new(),
        };
        (life, served)
    }

    /// Ends the process at once. `tells`: whether its connections are closed; if not, nobody who waits on
    /// one learns of it.
    pub(crate) fn crash(&self, tells: bool) {
        let Some(life) = self.life.lock().unwrap().take() else {
            return;
        };
        *self.tells.lock().unwrap() = tells;
        let how = if tells { "" } else { " silently" };
        self.history
            .weather(format!("node {} crashes{how}", self.name));
        for task in life.tasks {
            task.abort();
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.life.lock().unwrap().is_some()
    }

    /// Whether a connection to a life that ended is closed.
    pub(crate) fn tells(&self) -> bool {
        *self.tells.lock().unwrap()
    }

    /// Answers a request as the network's.
    pub(crate) async fn serve(&self, request: Request<Bytes>) -> Result<Response<Body>, Gone> {
        let router = self.with(|life| life.router.clone())?;
        self.answer(router, request).await
    }

    /// Answers a request as the operator's.
    pub(crate) async fn operate(&self, request: Request<Bytes>) -> Result<Response<Body>, Gone> {
        let router = self.with(|life| life.operator.clone())?;
        self.answer(router, request).await
    }

    /// Ends everything in a scope, as an operator's tool does.
    pub(crate) async fn end(&self, scope: Scope) -> Result<(), Gone> {
        let store = self.with(|life| Arc::clone(&life.store))?;
        let now = self.machine.calendar();
        let ended = self.run(async move { store.end(scope, now).await.is_ok() });
        ended.await.map(|_| ())
    }

    async fn answer(
        &self,
        router: Router,
        request: Request<Bytes>,
    ) -> Result<Response<Body>, Gone> {
        let hashes = request.method() == Method::POST && request.uri().path() == "/api/v1/logins";
        let handler = router.oneshot(request.map(Body::from));
        let answer = self.run(async move {
            let answer = if hashes {
                steady(handler).await
            } else {
                handler.await
            };
            answer.unwrap_or_else(|never| match never {})
        });
        let mut answer = answer.await?;
        // As an HTTP server does (RFC 9110 section 6.6.1).
        let seconds = u64::try_from(self.machine.calendar().as_secs()).unwrap();
        let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
        let date = HeaderValue::try_from(date).unwrap();
        answer.headers_mut().insert(header::DATE, date);
        Ok(answer)
    }

    /// Runs something within this life: it ends with it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Gone> {
        let task = {
            let mut life = self.life.lock().unwrap();
            let life = life.as_mut().ok_or(Gone::Refused)?;
            let task = tokio::spawn(work);
            life.tasks.retain(|task| !task.is_finished());
            life.tasks.push(task.abort_handle());
            task
        };
        match task.await {
            Ok(done) => Ok(done),
            Err(ended) if ended.is_cancelled() => Err(Gone::Crashed),
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }

    fn with<T>(&self, look: impl FnOnce(&Life) -> T) -> Result<T, Gone> {
        let life = self.life.lock().unwrap();
        life.as_ref().map(look).ok_or(Gone::Refused)
    }
}
