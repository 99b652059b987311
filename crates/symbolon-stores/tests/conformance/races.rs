//! Many at once: the store decides, and an acknowledgement is final.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use symbolon_authority::ports::{
    AddUser, Advance, ChangeKeys, Join, KeyChange, Open, Purpose, StoredKey, Tail, Take, Terms,
};
use symbolon_login::{AtLimit, Change, LogEntry, Position, Scope, Sid};
use tokio::{sync::Barrier, task::JoinSet};

use crate::fixture::*;

const MANY: usize = 50;

/// Runs as many tasks as asked, all let go at the same moment.
pub(crate) async fn at_once<T, F>(number: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let gate = Arc::new(Barrier::new(number));
    let mut tasks = JoinSet::new();
    for n in 0..number {
        let (gate, task) = (Arc::clone(&gate), task(n));
        tasks.spawn(async move {
            gate.wait().await;
            task.await
        });
    }
    tasks.join_all().await
}

/// How often a race is run: a few times, or as `SYMBOLON_RACE_ROUNDS` says.
fn rounds() -> u32 {
    let asked = std::env::var("SYMBOLON_RACE_ROUNDS").ok();
    asked.map_or(20, |rounds| rounds.parse().unwrap())
}

/// Fifty at once present the same secret, again and again: one lineage, and nobody is thrown out.
/// What is older than the grace is theft, and ends the login.
pub(crate) async fn of_fifty_advances_one_rotates(store: Shared) {
    add_person(&store, 1).await;
    open(&store, 1, 1, "app").await;
    for generation in 0..rounds() {
        let outcomes = at_once(MANY, |_| {
            let store = Arc::clone(&store);
            async move { advance(&store, 1, generation, NOW).await }
        });
        let (mut rotated, mut replayed) = (0, 0);
        for outcome in outcomes.await {
            match outcome {
                Advance::Rotated(found) => {
                    rotated += 1;
                    assert_eq!(found.grant.line.generation, generation + 1);
                }
                Advance::Replayed(found) => {
                    replayed += 1;
                    assert!(found.grant.line.digest.matches(&secret(1, generation + 1)));
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((rotated, replayed), (1, MANY - 1));
    }
    assert_eq!(store.head().await.unwrap(), Position::START);
    let stolen = advance(&store, 1, rounds() - 1, at(10 * SECOND)).await;
    assert!(matches!(stolen, Advance::Reused(..)));
    let owner = advance(&store, 1, rounds(), at(10 * SECOND)).await;
    assert!(matches!(owner, Advance::Ended));
}

pub(crate) async fn fifty_reuses_end_the_login_once(store: Shared) {
    add_person(&store, 1).await;
    open(&store, 1, 1, "app").await;
    advance(&store, 1, 0, NOW).await;
    let outcomes = at_once(MANY, |_| {
        let store = Arc::clone(&store);
        async move { advance(&store, 1, 0, at(10 * SECOND)).await }
    });
    let outcomes = outcomes.await;
    let reused = |outcome: &&Advance| matches!(outcome, Advance::Reused(..));
    assert_eq!(outcomes.iter().filter(reused).count(), 1);
    let over = |outcome: &&Advance| matches!(outcome, Advance::Ended);
    assert_eq!(outcomes.iter().filter(over).count(), MANY - 1);
    assert_eq!(store.head().await.unwrap(), Position::new(1, 1));
}

/// Refreshes and joins run against the end of their login: one that began after the end was
/// acknowledged gains nothing.
pub(crate) async fn an_acknowledged_end_beats_advance_and_join(store: Shared) {
    add_person(&store, 1).await;
    for n in 1..=8 {
        open(&store, 1, n, "app").await;
    }
    let over = Arc::new(AtomicBool::new(false));
    let late = Arc::new(AtomicU64::new(0));
    let tries = at_once(17, |n| {
        let (store, over, late) = (Arc::clone(&store), Arc::clone(&over), Arc::clone(&late));
        async move {
            let n = u8::try_from(n).unwrap();
            if n == 16 {
                while late.load(Ordering::SeqCst) < 100 {
                    tokio::task::yield_now().await;
                }
                store
                    .end(Scope::User { user: user_id(1) }, NOW)
                    .await
                    .unwrap();
                over.store(true, Ordering::SeqCst);
                return;
            }
            let mut generation = 0;
            let login = n % 8 + 1;
            loop {
                let ended_before = over.load(Ordering::SeqCst);
                let gained = if n < 8 {
                    let outcome = advance(&store, login, generation, NOW).await;
                    generation += 1;
                    matches!(outcome, Advance::Rotated(_) | Advance::Replayed(_))
                } else {
                    let mut new = grant(0, "other");
                    let mut random = [n; 10];
                    random[..8].copy_from_slice(&late.load(Ordering::SeqCst).to_be_bytes());
                    new.id = symbolon_login::GrantId::mint(NOW, random);
                    let joined = store.join(sid(login), new, None, NOW).await;
                    // Two of one number are one id: refused, and nothing gained.
                    matches!(joined, Ok(Join::Granted(_)))
                };
                assert!(!(ended_before && gained), "gained after the end");
                late.fetch_add(1, Ordering::SeqCst);
                // A store in memory never waits: let the others have their turn.
                tokio::task::yield_now().await;
                if ended_before {
                    return;
                }
            }
        }
    });
    tries.await;
    assert!(store.logins_of(user_id(1), NOW).await.unwrap().is_empty());
}

pub(crate) async fn a_disabled_user_opens_nothing_afterwards(store: Shared) {
    add_person(&store, 1).await;
    let opened = at_once(MANY, |n| {
        let store = Arc::clone(&store);
        async move {
            if n == MANY / 2 {
                store.disable_user(user_id(1), NOW).await.unwrap();
                let late = store
                    .open(login(1, 200), grant(200, "app"), Terms::default(), NOW)
                    .await;
                assert!(matches!(late.unwrap(), Open::UserGone));
                return;
            }
            let n = u8::try_from(n).unwrap();
            store
                .open(login(1, n), grant(n, "app"), Terms::default(), NOW)
                .await
                .unwrap();
        }
    });
    opened.await;
    // What opened before was ended with the rest.
    assert!(store.logins_of(user_id(1), NOW).await.unwrap().is_empty());
}

pub(crate) async fn two_sign_ins_at_the_limit_never_pass_it(store: Shared) {
    add_person(&store, 1).await;
    for at_limit in [AtLimit::Refuse, AtLimit::EndOldest] {
        let terms = Terms {
            per_person: crate::limits::limit(3, at_limit),
            ..Terms::default()
        };
        let opened = at_once(MANY, |n| {
            let (store, terms) = (Arc::clone(&store), terms.clone());
            let n = u8::try_from(n).unwrap() + if at_limit == AtLimit::Refuse { 0 } else { 100 };
            async move {
                let opened = store.open(login(1, n), grant(n, "app"), terms, NOW).await;
                matches!(opened.unwrap(), Open::Opened(_))
            }
        });
        let opened = opened.await.into_iter().filter(|opened| *opened).count();
        let living = store.logins_of(user_id(1), NOW).await.unwrap().len();
        let all = if at_limit == AtLimit::Refuse { 3 } else { MANY };
        assert_eq!((opened, living), (all, 3), "{at_limit}");
    }
}

/// People look at their devices while these are ended one by one: what was acknowledged before they
/// asked is gone from the list, what nobody has ended yet is on it, each with its grant.
pub(crate) async fn a_list_shows_nothing_whose_end_was_acknowledged(store: Shared) {
    const LOGINS: u8 = 40;
    add_person(&store, 1).await;
    for n in 1..=LOGINS {
        open(&store, 1, n, "app").await;
    }
    let begun = Arc::new(AtomicU64::new(0));
    let acknowledged = Arc::new(AtomicU64::new(0));
    let lists = at_once(9, |task| {
        let store = Arc::clone(&store);
        let (begun, acknowledged) = (Arc::clone(&begun), Arc::clone(&acknowledged));
        async move {
            if task == 0 {
                for n in 1..=LOGINS {
                    begun.store(n.into(), Ordering::SeqCst);
                    store.end(Scope::Login { sid: sid(n) }, NOW).await.unwrap();
                    acknowledged.store(n.into(), Ordering::SeqCst);
                    tokio::task::yield_now().await;
                }
                return 0;
            }
            let mut lists = 0;
            loop {
                let over = acknowledged.load(Ordering::SeqCst);
                let live = store.logins_of(user_id(1), NOW).await.unwrap();
                let asked_for = begun.load(Ordering::SeqCst);
                let shown: Vec<Sid> = live.iter().map(|live| live.login.sid).collect();
                assert!(shown.is_sorted_by(|a, b| a > b), "newest first");
                assert!(live.iter().all(|live| live.grants.len() == 1));
                for n in 1..=LOGINS {
                    let is_shown = shown.contains(&sid(n));
                    assert!(!(is_shown && u64::from(n) <= over), "{n} was ended");
                    assert!(is_shown || u64::from(n) <= asked_for, "{n} is missing");
                }
                lists += 1;
                if over == u64::from(LOGINS) {
                    return lists;
                }
                tokio::task::yield_now().await;
            }
        }
    });
    assert!(lists.await.iter().sum::<u32>() > 8, "hardly anybody looked");
    assert!(store.logins_of(user_id(1), NOW).await.unwrap().is_empty());
}

pub(crate) async fn one_first_admin(store: Shared) {
    let outcomes = at_once(MANY, |n| {
        let store = Arc::clone(&store);
        let n = u8::try_from(n).unwrap();
        let admin = person(n, &format!("admin{n}"), &["admin"]);
        async move { store.add_first_admin(admin, hash("x")).await.unwrap() }
    });
    let outcomes = outcomes.await;
    let added = |outcome: &&Option<AddUser>| **outcome == Some(AddUser::Added);
    assert_eq!(outcomes.iter().filter(added).count(), 1);
    let late = outcomes.iter().filter(|outcome| outcome.is_none());
    assert_eq!(late.count(), MANY - 1);
    assert_eq!(store.users(None, 100).await.unwrap().len(), 1);
}

pub(crate) async fn one_first_key(store: Shared) {
    let outcomes = at_once(MANY, |n| {
        let store = Arc::clone(&store);
        let key = StoredKey {
            kid: format!("k{n}").parse().unwrap(),
            algorithm: "ES256".to_owned(),
            public_jwk: serde_json::json!({}),
            sealed: Vec::new(),
            created_at: NOW,
        };
        async move { store.add_first_key(key, NOW).await.unwrap() }
    });
    let added: Vec<_> = outcomes.await.into_iter().flatten().collect();
    assert_eq!(added, [Position::new(1, 1)]);
    assert_eq!(store.keys().await.unwrap().len(), 1);
}

pub(crate) async fn one_next_key(store: Shared) {
    let key = |n: usize| StoredKey {
        kid: format!("k{n}").parse().unwrap(),
        algorithm: "ES256".to_owned(),
        public_jwk: serde_json::json!({}),
        sealed: Vec::new(),
        created_at: NOW,
    };
    store.add_first_key(key(MANY), NOW).await.unwrap();
    let outcomes = at_once(MANY, |n| {
        let store = Arc::clone(&store);
        let change = KeyChange {
            seen: [key(MANY).kid].into(),
            add: Some(key(n)),
            cut: None,
            retire: Vec::new(),
        };
        async move { store.change_keys(change, NOW).await.unwrap() }
    });
    let outcomes = outcomes.await.into_iter();
    let added: Vec<_> = outcomes
        .filter(|outcome| *outcome != ChangeKeys::Overtaken)
        .collect();
    assert_eq!(added, [ChangeKeys::Changed(Position::new(1, 2))]);
    assert_eq!(store.keys().await.unwrap().len(), 2);
}

pub(crate) async fn one_taker(store: Shared) {
    let (purpose, key) = (Purpose::AuthorizationCode, digest("a"));
    let value = "x".to_owned();
    store.put(purpose, key, value, at(1)).await.unwrap();
    let outcomes = at_once(MANY, |_| {
        let store = Arc::clone(&store);
        async move { store.take(purpose, key, NOW).await.unwrap() }
    });
    let outcomes = outcomes.await;
    let fresh = |outcome: &&Take| matches!(outcome, Take::Fresh(_));
    assert_eq!(outcomes.iter().filter(fresh).count(), 1);
    let again = |outcome: &&Take| matches!(outcome, Take::Again(_));
    assert_eq!(outcomes.iter().filter(again).count(), MANY - 1);
}

pub(crate) async fn one_owner_of_an_identifier(store: Shared) {
    let outcomes = at_once(MANY, |n| {
        let store = Arc::clone(&store);
        let user = person(u8::try_from(n).unwrap(), "alice", &[]);
        async move { store.add_user(user, hash("x")).await.unwrap() }
    });
    let outcomes = outcomes.await;
    let added = |outcome: &&AddUser| **outcome == AddUser::Added;
    assert_eq!(outcomes.iter().filter(added).count(), 1);
}

/// One reads the log as a guard does while many append: it sees each entry once, in order, and all
/// that was acknowledged.
pub(crate) async fn a_tailer_neither_skips_nor_doubles(store: Shared) {
    const EACH: usize = 20;
    let expected = u64::try_from(MANY * EACH).unwrap();
    let reader = Arc::clone(&store);
    let tailer = tokio::spawn(async move {
        let mut wake = reader.wake();
        let mut seen: Vec<LogEntry> = Vec::new();
        let mut at = Position::START;
        while at.number() < expected {
            let head = *wake.borrow_and_update();
            match reader.tail(at, 7).await.unwrap() {
                Tail::Entries(news) if news.is_empty() => {
                    // What woke us is there to be read.
                    assert!(head <= at, "woken for {head}, but nothing after {at}");
                    wake.changed().await.unwrap();
                }
                Tail::Entries(news) => {
                    for entry in news {
                        assert_eq!(entry.position, at.next());
                        at = entry.position;
                        seen.push(entry);
                    }
                }
                Tail::Reset => panic!("reset at {at}"),
            }
        }
        seen
    });
    let acknowledged = at_once(MANY, |n| {
        let store = Arc::clone(&store);
        async move {
            let mut mine = Vec::new();
            for round in 0..EACH {
                let random = u8::try_from(round).unwrap();
                let sid = Sid::mint(at(i64::try_from(n).unwrap()), [random; 10]);
                let done = store.end(Scope::Login { sid }, NOW).await.unwrap();
                mine.push((done.position, sid));
            }
            // In the order in which they were asked for.
            assert!(mine.is_sorted());
            mine
        }
    });
    let acknowledged = acknowledged.await.concat();
    let seen = tailer.await.unwrap();
    assert_eq!(seen.len(), acknowledged.len());
    for (position, sid) in acknowledged {
        let entry = &seen[usize::try_from(position.number()).unwrap() - 1];
        assert_eq!(entry.position, position);
        let covers = Scope::Login { sid };
        assert_eq!(entry.change, Change::CutOff { covers });
    }
}

pub(crate) async fn the_head_is_never_behind_an_acknowledgement(store: Shared) {
    let checked = at_once(MANY, |n| {
        let store = Arc::clone(&store);
        async move {
            for _ in 0..20 {
                if n % 2 == 0 {
                    let done = store.end(Scope::Everything {}, NOW).await.unwrap();
                    assert!(store.head().await.unwrap() >= done.position);
                    assert!(*store.wake().borrow() >= done.position);
                } else {
                    // What the head says can be read: it is never ahead of what is committed.
                    let head = store.head().await.unwrap();
                    assert_ne!(store.tail(head, 1).await.unwrap(), Tail::Reset);
                    let snapshot = store.snapshot(NOW).await.unwrap();
                    assert!(snapshot.head >= head);
                    assert_eq!(snapshot.complete_since, Position::START);
                }
            }
        }
    });
    checked.await;
}
