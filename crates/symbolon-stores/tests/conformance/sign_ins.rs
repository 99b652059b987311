//! Many sign-ins at once: stores write them together, each is answered for itself.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use symbolon_authority::ports::{NewGrant, Open, Terms};
use symbolon_login::{GrantId, Login, Sid};

use crate::{fixture::*, races::at_once};

const CROWD: u8 = 64;

/// One is refused for its id and one for its person: the others do not notice.
pub(crate) async fn of_a_crowd_each_hears_its_own_answer(store: Shared) {
    add_person(&store, 1).await;
    add_person(&store, 2).await;
    let before = open(&store, 1, 200, "app").await;
    store.disable_user(user_id(2), NOW).await.unwrap();
    let answers = at_once(CROWD.into(), |n| {
        let store = Arc::clone(&store);
        let n = u8::try_from(n).unwrap();
        let login = match n {
            20 => login(1, 200),
            40 => login(2, 40),
            n => login(1, n),
        };
        async move {
            let grant = grant(n, "app");
            (n, store.open(login, grant, Terms::default(), NOW).await)
        }
    });
    for (n, answer) in answers.await {
        match (n, answer) {
            (20, Err(why)) => assert!(why.to_string().contains("that sid is in use"), "{why}"),
            (40, Ok(Open::UserGone)) => {}
            (n, Ok(Open::Opened(opened))) if n != 20 && n != 40 => {
                assert_eq!((opened.login.sid, opened.grant.id), (sid(n), grant_id(n)));
                assert_same(&find(&store, n).await, &*opened);
            }
            (n, other) => panic!("{n}: {other:?}"),
        }
    }
    // What was refused left nothing behind, and what was there is as it was.
    for n in [20, 40] {
        assert!(store.find(grant_id(n)).await.unwrap().is_none());
        assert!(store.login(sid(n)).await.unwrap().is_none());
    }
    assert_same(&find(&store, 200).await, &before);
    let living = store.logins_of(user_id(1), NOW).await.unwrap().len();
    assert_eq!(living, usize::from(CROWD) - 2 + 1);
}

/// They are refused by each other.
pub(crate) async fn of_a_crowd_with_one_id_one_opens(store: Shared) {
    add_person(&store, 1).await;
    let answers = at_once(CROWD.into(), |n| {
        let store = Arc::clone(&store);
        let grant = grant(u8::try_from(n).unwrap(), "app");
        async move {
            store
                .open(login(1, 100), grant, Terms::default(), NOW)
                .await
        }
    });
    let opened = answers.await.into_iter().flatten().count();
    assert_eq!(opened, 1);
    let found = store.login(sid(100)).await.unwrap().unwrap();
    assert_eq!(found.grants.len(), 1);
    let mut grants = 0;
    for n in 0..CROWD {
        grants += u8::from(store.find(grant_id(n)).await.unwrap().is_some());
    }
    assert_eq!(grants, 1);
}

fn numbered(n: u64) -> (Login, NewGrant) {
    let mut random = [0; 10];
    random[..8].copy_from_slice(&n.to_be_bytes());
    let login = Login {
        sid: Sid::mint(NOW, random),
        ..login(1, 1)
    };
    let grant = NewGrant {
        id: GrantId::mint(NOW, random),
        ..grant(1, "app")
    };
    (login, grant)
}

/// A person is disabled while sign-ins stream in: from the acknowledgement on none of theirs stands,
/// whether it was opened before, was being opened, or came later.
pub(crate) async fn no_sign_in_outlives_an_acknowledged_disable(store: Shared) {
    add_person(&store, 1).await;
    let over = Arc::new(AtomicBool::new(false));
    let next = Arc::new(AtomicU64::new(0));
    let streams = at_once(17, |task| {
        let (store, over, next) = (Arc::clone(&store), Arc::clone(&over), Arc::clone(&next));
        async move {
            let mut opened = Vec::new();
            if task == 0 {
                while next.load(Ordering::SeqCst) < 200 {
                    tokio::task::yield_now().await;
                }
                store.disable_user(user_id(1), NOW).await.unwrap();
                over.store(true, Ordering::SeqCst);
                assert!(store.logins_of(user_id(1), NOW).await.unwrap().is_empty());
                return opened;
            }
            loop {
                let was_over = over.load(Ordering::SeqCst);
                let (login, grant) = numbered(next.fetch_add(1, Ordering::SeqCst));
                let id = grant.id;
                match store.open(login, grant, Terms::default(), NOW).await {
                    Ok(Open::Opened(_)) if !was_over => opened.push(id),
                    Ok(Open::UserGone) if was_over => return opened,
                    Ok(Open::UserGone) => {}
                    other => panic!("after the acknowledgement: {was_over}: {other:?}"),
                }
                // A store in memory never waits: let the others have their turn.
                tokio::task::yield_now().await;
            }
        }
    });
    let opened = streams.await.concat();
    assert!(opened.len() >= 100, "hardly anybody signed in");
    assert!(store.logins_of(user_id(1), NOW).await.unwrap().is_empty());
    for id in opened {
        let found = store.find(id).await.unwrap().unwrap();
        assert!(found.login.ended_at.is_some(), "{id:?} stands");
    }
}

/// Some leave before they are answered: the others are.
pub(crate) async fn who_gives_up_costs_nobody_an_answer(store: Shared) {
    add_person(&store, 1).await;
    let answers = at_once(CROWD.into(), |n| {
        let store = Arc::clone(&store);
        let n = u8::try_from(n).unwrap();
        async move {
            let opening = store.open(login(1, n), grant(n, "app"), Terms::default(), NOW);
            if n % 4 == 0 {
                let gives_up = tokio::time::timeout(std::time::Duration::ZERO, opening);
                drop(gives_up.await);
                return true;
            }
            matches!(opening.await, Ok(Open::Opened(_)))
        }
    });
    assert!(answers.await.into_iter().all(|answered| answered));
    for n in 0..CROWD {
        let found = store.login(sid(n)).await.unwrap();
        assert!(found.is_some() || n % 4 == 0, "{n} is lost");
        // With its grant or not at all.
        assert!(found.is_none_or(|found| found.grants.len() == 1), "{n}");
    }
}
