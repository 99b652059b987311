//! The store that the nodes of a cell share, and each node's way to it: slow, stuck, and with a node that
//! may crash between a commit and its acknowledgement.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use symbolon_server::{
    authority::{
        App, PasswordHash, User,
        ports::{
            AddApp, AddUser, Advance, AppChange, ChangeKeys, Directory, Ended, Join, KeyChange,
            LogSnapshot, LoginWithGrants, Logins, NewGrant, Open, Presented, Standpoint,
            StoreError, StoredKey, Tail, Terms,
        },
    },
    login::{
        ClientId, CutOff, GrantId, Identifier, Lifetimes, LogEntry, Login, LoginLimit, LoginPolicy,
        Position, Role, Scope, Sid, UnixMillis, UserId,
    },
};
use symbolon_stores::Memory;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use crate::{
    chance::{Chance, Dice},
    history::{Event, History},
    steady,
};

/// What the disk holds now. A restore puts another store in its place.
pub(crate) struct Disk {
    now: Mutex<Arc<Memory>>,
    history: History,
    /// Those who follow the log, each with a channel of its own: they are woken in their order.
    followers: Mutex<Vec<watch::Sender<Position>>>,
}

impl Disk {
    pub(crate) fn new(history: &History) -> Arc<Self> {
        Arc::new(Self {
            now: Mutex::new(Arc::new(Memory::new())),
            history: history.clone(),
            followers: Mutex::default(),
        })
    }

    pub(crate) fn memory(&self) -> Arc<Memory> {
        Arc::clone(&self.now.lock().unwrap())
    }

    /// Puts a backup in its place and begins a new epoch, which outranks the log that it replaces (as
    /// `symbolon restore` does, whatever the clock says). The nodes have to be down.
    pub(crate) async fn restore(&self, backup: &Memory, now: UnixMillis) {
        let replaced = self.memory().head().await.unwrap();
        let now = now.max(UnixMillis::from_secs(i64::from(replaced.epoch()) + 1));
        let memory = Arc::new(backup.copied());
        let from = memory.head().await.unwrap();
        let ended = memory.begin_epoch(now).await.unwrap();
        *self.now.lock().unwrap() = memory;
        self.followers.lock().unwrap().clear();
        self.history.note(Event::Restored { from });
        self.history.note(Event::Committed(CutOff {
            position: ended.position,
            scope: Scope::Restored { from },
        }));
        self.history.note(Event::Acknowledged(ended.position));
    }
}

/// How one node's way to the disk is.
pub(crate) struct Way {
    slow: Mutex<Duration>,
    stuck_until: Mutex<Option<Instant>>,
    /// Whether the node is not told when another one appends to the log.
    pub(crate) is_deaf: bool,
    /// Broken on purpose: answers for the head with the one that it read first.
    pub(crate) remembers_its_head: bool,
}

impl Way {
    pub(crate) fn new(is_deaf: bool, remembers_its_head: bool) -> Arc<Self> {
        Arc::new(Self {
            slow: Mutex::default(),
            stuck_until: Mutex::default(),
            is_deaf,
            remembers_its_head,
        })
    }

    /// How long one half of a verb may take.
    pub(crate) fn set_slow(&self, most: Duration) {
        *self.slow.lock().unwrap() = most;
    }

    /// Nothing goes through until then.
    pub(crate) fn stick(&self, span: Duration) {
        *self.stuck_until.lock().unwrap() = Some(Instant::now() + span);
    }

    pub(crate) fn heal(&self) {
        self.set_slow(Duration::ZERO);
        *self.stuck_until.lock().unwrap() = None;
    }

    async fn pass(&self, chance: Chance) {
        let slow = *self.slow.lock().unwrap();
        let slow = u64::try_from(slow.as_millis()).unwrap();
        let span = chance.millis(0, slow);
        let stuck = *self.stuck_until.lock().unwrap();
        let stuck = stuck.map_or(Duration::ZERO, |until| until - Instant::now());
        let span = span.max(stuck);
        if !span.is_zero() {
            steady::asleep(sleep(span)).await;
        }
    }
}

/// The disk as one life of one node uses it.
pub(crate) struct NodeStore {
    node: usize,
    disk: Arc<Disk>,
    memory: Arc<Memory>,
    history: History,
    way: Arc<Way>,
    dice: Dice,
    head: Mutex<Option<Position>>,
    /// Never sends: what a deaf node listens to.
    silence: watch::Sender<Position>,
}

impl NodeStore {
    pub(crate) fn new(node: usize, disk: &Arc<Disk>, way: &Arc<Way>, dice: &Dice) -> Self {
        Self {
            node,
            disk: Arc::clone(disk),
            memory: disk.memory(),
            history: disk.history.clone(),
            way: Arc::clone(way),
            dice: dice.clone(),
            head: Mutex::new(None),
            silence: watch::Sender::new(Position::START),
        }
    }

    /// Half of the way of a verb.
    async fn pass(&self, verb: &str, half: u8) {
        let chance = self.dice.of(("disk", self.node, verb, half));
        self.way.pass(chance).await;
    }

    /// Notes what a verb has appended to the log; gives the cut-offs among it.
    async fn committed(&self, before: Position) -> Vec<Position> {
        let Ok(Tail::Entries(news)) = self.memory.tail(before, u32::MAX).await else {
            panic!("a log that is followed from its head goes on");
        };
        if let Some(last) = news.last() {
            let mut followers = self.disk.followers.lock().unwrap();
            followers.retain(|follower| !follower.is_closed());
            for follower in followers.iter() {
                follower.send_replace(last.position);
            }
        }
        let cut_offs: Vec<_> = news.iter().filter_map(LogEntry::cut_off).collect();
        for cut_off in &cut_offs {
            self.history.note(Event::Committed(cut_off.clone()));
        }
        cut_offs.iter().map(|cut_off| cut_off.position).collect()
    }

    fn acknowledged(&self, positions: Vec<Position>) {
        for position in positions {
            self.history.note(Event::Acknowledged(position));
        }
    }

    /// The head, read after the question has arrived, unless that rule is broken.
    async fn read_head(&self) -> Result<Position, StoreError> {
        self.pass("head", 1).await;
        let head = self.memory.head().await?;
        self.pass("head", 2).await;
        if self.way.remembers_its_head {
            return Ok(*self.head.lock().unwrap().get_or_insert(head));
        }
        Ok(head)
    }

    /// A line that moves tells nobody but its holder.
    fn note_move(&self, advance: &Advance) {
        if let Advance::Rotated(at) = advance {
            self.history.note(Event::Moved {
                sid: at.login.sid,
                client_id: at.grant.client_id.clone(),
            });
        }
    }
}

/// Each verb: on its way, done in one step, and some time until whoever asked knows.
macro_rules! verbs {
    ($($trait:ident beside { $($rest:item)* } { $(async fn $name:ident(&self $(, $arg:ident: $type:ty)*) -> $out:ty $(=> $note:ident)?;)* })*) => {
        $(
            #[async_trait]
            impl $trait for NodeStore {
                $(async fn $name(&self $(, $arg: $type)*) -> Result<$out, StoreError> {
                    self.pass(stringify!($name), 1).await;
                    let before = Logins::head(&*self.memory).await?;
                    let outcome = $trait::$name(&*self.memory $(, $arg)*).await?;
                    let cut_offs = self.committed(before).await;
                    $(self.$note(&outcome);)?
                    self.pass(stringify!($name), 2).await;
                    self.acknowledged(cut_offs);
                    Ok(outcome)
                })*

                $($rest)*
            }
        )*
    };
}

verbs! {
    Logins beside {
        async fn head(&self) -> Result<Position, StoreError> {
            self.read_head().await
        }

        fn wake(&self) -> watch::Receiver<Position> {
            if self.way.is_deaf {
                self.silence.subscribe()
            } else {
                let follower = watch::Sender::new(Position::START);
                let wake = follower.subscribe();
                self.disk.followers.lock().unwrap().push(follower);
                wake
            }
        }
    } {
    async fn open(&self, login: Login, grant: NewGrant, terms: Terms, now: UnixMillis) -> Open;
    async fn join(&self, sid: Sid, grant: NewGrant, per_app: Option<LoginLimit>, now: UnixMillis) -> Join;
    async fn find(&self, grant: GrantId) -> Option<Standpoint>;
    async fn login(&self, sid: Sid) -> Option<LoginWithGrants>;
    async fn logins_of(&self, user: UserId, now: UnixMillis) -> Vec<LoginWithGrants>;
    async fn advance(&self, presented: Presented, client_id: &ClientId, lifetimes: Lifetimes, now: UnixMillis) -> Advance => note_move;
    async fn touch(&self, grant: GrantId, now: UnixMillis) -> ();
    async fn end(&self, scope: Scope, now: UnixMillis) -> Ended;
    async fn end_own(&self, user: UserId, sid: Sid, now: UnixMillis) -> Option<Ended>;
    async fn mark_backup(&self, now: UnixMillis) -> Position;
    async fn begin_epoch(&self, now: UnixMillis) -> Ended;
    async fn tail(&self, after: Position, limit: u32) -> Tail;
    async fn snapshot(&self, kept_since: UnixMillis) -> LogSnapshot;
    async fn sweep(&self, before: UnixMillis, limit: u32) -> u64;
    }

    Directory beside {} {
    async fn add_user(&self, user: User, password: PasswordHash) -> AddUser;
    async fn add_first_admin(&self, user: User, password: PasswordHash) -> Option<AddUser>;
    async fn has_admin(&self) -> bool;
    async fn user(&self, id: UserId) -> Option<User>;
    async fn user_to_verify(&self, identifier: &Identifier) -> Option<(User, PasswordHash)>;
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
}
