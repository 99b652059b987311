//! Sign-ins that share a statement, held up where it hurts: with their rows written and not committed.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::join_all};
use symbolon_authority::ports::{Directory, Logins, Open, StoreError};
use symbolon_login::UserId;
use symbolon_stores::Postgres;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_postgres::{Client, NoTls};

use super::{NOW, add_person, connect, grant_id, open, schema, sid, sign_in, user_id};

/// How many batches of sign-ins a store has under way at once.
const AT_ONCE: u64 = 2;
/// The number of a login that is there before.
const BEFORE: u64 = 1_000_000;
/// Where the numbers of the logins begin that get stuck.
const STUCK: u64 = 2_000_000;

/// A store whose sign-ins do not get on: somebody else is writing logins with the ids of those that are
/// under way, and what comes after these waits for its turn.
struct Jam {
    store: Arc<Postgres>,
    name: String,
    writer: Client,
    watcher: Client,
    stuck: JoinSet<Result<Open, StoreError>>,
}

pub(crate) async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

impl Jam {
    async fn make(name: &str) -> Self {
        let url = schema::url().await;
        let name = format!("{name}-{}", std::process::id());
        let store = connect(&format!("{url}&application_name={name}")).await;
        add_person(&store).await;
        open(&store, BEFORE).await.unwrap();
        let (writer, watcher) = (client(&url).await, client(&url).await);
        writer.batch_execute("BEGIN").await.unwrap();
        let sql = "INSERT INTO logins (sid, user_id, authenticated_at, methods, expires_at,
                       remembered, rev_epoch, rev_number)
                   VALUES ($1, $2, 0, '[]', 0, false, 1, 0)";
        let somebody = UserId::mint(NOW, [9; 10]);
        let mut jam = Self {
            store,
            name,
            writer,
            watcher,
            stuck: JoinSet::new(),
        };
        for n in STUCK..STUCK + AT_ONCE {
            let (sid, store) = (sid(n), Arc::clone(&jam.store));
            let row: [&(dyn tokio_postgres::types::ToSql + Sync); 2] =
                [&sid.as_bytes().as_slice(), &somebody.as_bytes().as_slice()];
            jam.writer.execute(sql, &row).await.unwrap();
            jam.stuck
                .spawn(async move { sign_in(&store, user_id(), n).await });
            jam.wait_for(n - STUCK + 1).await;
        }
        jam
    }

    /// Waits until that many statements of the store wait for a lock.
    async fn wait_for(&self, stuck: u64) {
        let sql = "SELECT count(*) FROM pg_stat_activity
                   WHERE application_name = $1 AND wait_event_type = 'Lock'";
        let waiting = async {
            loop {
                let row = self.watcher.query_one(sql, &[&self.name]).await.unwrap();
                if row.get::<_, i64>(0) == i64::try_from(stuck).unwrap() {
                    return;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        let patience = Duration::from_secs(5);
        timeout(patience, waiting).await.expect("not stuck");
    }

    /// Asks for logins that wait behind the stuck ones.
    fn queue(&self, who: impl Fn(u64) -> (UserId, u64)) -> Vec<Queued> {
        let queue = (0..64).map(|n| {
            let (store, (user, n)) = (Arc::clone(&self.store), who(n));
            let mut waiting: Queued = Box::pin(async move { sign_in(&store, user, n).await });
            assert!(waiting.as_mut().now_or_never().is_none(), "not jammed");
            waiting
        });
        queue.collect()
    }

    /// Lets them all get on; gives what the stuck ones were told.
    async fn clear(&mut self) -> Vec<Result<Open, StoreError>> {
        self.writer.batch_execute("ROLLBACK").await.unwrap();
        std::mem::take(&mut self.stuck).join_all().await
    }
}

type Queued = Pin<Box<dyn Future<Output = Result<Open, StoreError>> + Send>>;

fn is_opened(answer: &Result<Open, StoreError>) -> bool {
    matches!(answer, Ok(Open::Opened(_)))
}

#[tokio::test]
async fn postgres_sign_ins_that_wait_share_a_transaction() {
    let mut jam = Jam::make("share").await;
    let mut queued = jam.queue(|n| (user_id(), n));
    // One gives up.
    drop(queued.remove(7));
    let stuck = jam.clear().await;
    assert!(stuck.iter().all(is_opened), "{stuck:?}");
    assert!(join_all(queued).await.iter().all(is_opened));
    let sql = "SELECT count(*), count(DISTINCT xmin::text) FROM logins";
    let row = jam.watcher.query_one(sql, &[]).await.unwrap();
    let (logins, transactions): (i64, i64) = (row.get(0), row.get(1));
    assert!((66..=67).contains(&logins), "{logins}");
    assert_eq!(transactions, 4);
}

#[tokio::test]
async fn postgres_of_sign_ins_that_share_a_statement_each_hears_its_own_answer() {
    let mut jam = Jam::make("each").await;
    let nobody = UserId::mint(NOW, [2; 10]);
    let queued = jam.queue(|n| match n {
        20 => (user_id(), BEFORE),
        40 => (nobody, n),
        n => (user_id(), n),
    });
    let stuck = jam.clear().await;
    assert!(stuck.iter().all(is_opened), "{stuck:?}");
    for (n, answer) in (0..).zip(join_all(queued).await) {
        match (n, answer) {
            (20, Err(why)) => assert!(why.to_string().contains("is in use"), "{why}"),
            (40, Ok(Open::UserGone)) => {}
            (n, Ok(Open::Opened(opened))) if n != 20 && n != 40 => {
                assert_eq!((opened.login.sid, opened.grant.id), (sid(n), grant_id(n)));
            }
            (n, other) => panic!("{n}: {other:?}"),
        }
    }
    for n in 0..64 {
        let found = jam.store.find(grant_id(n)).await.unwrap();
        assert_eq!(found.is_some(), n != 20 && n != 40, "{n}");
    }
}

#[tokio::test]
async fn postgres_a_login_that_was_being_written_while_its_person_was_disabled_is_dead() {
    let mut jam = Jam::make("dead").await;
    let queued = jam.queue(|n| (user_id(), n));
    let disabled = jam.store.disable_user(user_id(), NOW).await.unwrap();
    let stuck = jam.clear().await;
    // These were let in before, and by their `rev` everybody knows them for dead.
    assert!(stuck.iter().all(is_opened), "{stuck:?}");
    for n in STUCK..STUCK + AT_ONCE {
        let found = jam.store.find(grant_id(n)).await.unwrap().unwrap();
        assert!(found.login.ended_at.is_some(), "{n} stands");
        assert!(found.grant.rev < disabled.unwrap().position, "{n} stands");
    }
    for answer in join_all(queued).await {
        assert!(matches!(answer, Ok(Open::UserGone)), "{answer:?}");
    }
    assert!(
        jam.store
            .logins_of(user_id(), NOW)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn postgres_a_line_that_is_cut_costs_only_the_sign_ins_on_it() {
    let mut jam = Jam::make("cut").await;
    let queued = jam.queue(|n| (user_id(), n));
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE application_name = $1 AND wait_event_type = 'Lock'";
    jam.watcher.query(cut, &[&jam.name]).await.unwrap();
    let answers = join_all(queued).await;
    assert!(answers.iter().all(is_opened), "{answers:?}");
    let stuck = jam.clear().await;
    assert_eq!(stuck.len(), usize::try_from(AT_ONCE).unwrap());
    for answer in stuck {
        assert!(
            matches!(answer, Err(StoreError::Unavailable(_))),
            "{answer:?}"
        );
    }
    open(&jam.store, STUCK).await.unwrap();
}
