//! A file of an older version goes on in this one.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::path::Path;

use symbolon_authority::ports::{Directory, Ended, Logins};
use symbolon_login::{Change, GrantId, Position, Scope, Sid, UnixMillis, UserId};

use super::*;
use crate::Sqlite;

const NOW: UnixMillis = UnixMillis::from_secs(1_800_000_000);
const HOUR: i64 = 3_600_000;

fn sid(n: u8) -> Sid {
    Sid::mint(NOW, [n; 10])
}

fn grant_id(n: u8) -> GrantId {
    GrantId::mint(NOW, [n; 10])
}

fn alice() -> UserId {
    UserId::mint(NOW, [1; 10])
}

/// A file of version 1 as that version left it: Alice with the logins 1 (two grants), 2 (ended by the
/// log's one entry) and 3 (expires in an hour). The grant 2 happens to have its login's id.
fn a_file_of_version_1(path: &Path) {
    let conn = Connection::open(path).unwrap();
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
        .unwrap();
    apply(&conn, &MIGRATIONS[0]).unwrap();
    let (now, week) = (NOW.as_millis(), NOW.as_millis() + 168 * HOUR);
    conn.execute(
        "INSERT INTO user VALUES (?1, 'alice', '[]', '{}', 0, 'x', ?2, NULL, NULL, NULL)",
        params![alice().as_bytes(), now],
    )
    .unwrap();
    for (n, expires_at, ended_at) in [(1, week, None), (2, week, Some(now)), (3, now + HOUR, None)]
    {
        conn.execute(
            "INSERT INTO login VALUES (?1, ?2, ?3, '[\"pwd\"]', NULL, ?4, NULL, 1, ?5)",
            params![
                sid(n).as_bytes(),
                alice().as_bytes(),
                now,
                expires_at,
                ended_at
            ],
        )
        .unwrap();
    }
    for (n, login, app) in [
        (101, 1, "app"),
        (11, 1, "other"),
        (2, 2, "app"),
        (103, 3, "app"),
    ] {
        conn.execute(
            "INSERT INTO grant VALUES (?1, ?2, ?3, 1, 0, ?4, ?4, 0, ?5, ?4, NULL)",
            params![sid(n).as_bytes(), sid(login).as_bytes(), app, now, [n; 32]],
        )
        .unwrap();
    }
    let covers = Scope::Login { sid: sid(2) };
    let ended = Change::CutOff { covers };
    conn.execute(
        "INSERT INTO log VALUES (1, 1, ?1, ?2)",
        params![now, serde_json::to_string(&ended).unwrap()],
    )
    .unwrap();
    conn.close().unwrap();
}

/// The same in version 2, where a login's row leads to the grant that it was opened with.
fn a_file_of_version_2(path: &Path) {
    a_file_of_version_1(path);
    let conn = Connection::open(path).unwrap();
    apply(&conn, &MIGRATIONS[1]).unwrap();
    conn.execute_batch(
        "UPDATE grant SET is_first = 1 WHERE client_id = 'app';
         UPDATE login SET first_grant =
             (SELECT id FROM grant WHERE grant.sid = login.sid AND is_first = 1);",
    )
    .unwrap();
    conn.close().unwrap();
}

#[tokio::test]
async fn a_file_of_version_1_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    a_file_of_version_1(&dir.path().join("symbolon.db"));
    goes_on(dir.path(), &[2, 3]).await;
}

#[tokio::test]
async fn a_file_of_version_2_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    a_file_of_version_2(&dir.path().join("symbolon.db"));
    goes_on(dir.path(), &[3]).await;
}

async fn goes_on(dir: &Path, pending: &[u32]) {
    let steps = crate::pending_migrations(dir).unwrap();
    let steps: Vec<_> = steps.iter().map(|step| step.number).collect();
    assert_eq!(steps, pending);
    // Migrated at the first start, found as it was at the second.
    for _ in 0..2 {
        let store = Sqlite::open(dir).unwrap();
        let living = store.logins_of(alice(), NOW).await.unwrap();
        let sids: Vec<_> = living.iter().map(|found| found.login.sid).collect();
        assert_eq!(sids, [sid(3), sid(1)]);
        assert_eq!(living[1].grants.len(), 2);
        let ended = store.login(sid(2)).await.unwrap().unwrap().login;
        assert_eq!(ended.ended_at, Some(NOW));
        for n in [101, 11, 2, 103] {
            let found = store.find(grant_id(n)).await.unwrap().unwrap();
            assert_eq!(found.grant.id, grant_id(n));
            assert_eq!(found.grant.line.digest.as_bytes(), &[n; 32]);
            assert_eq!(found.login.sid, found.grant.sid);
        }
        store.close().unwrap();
    }
    let store = Sqlite::open(dir).unwrap();
    let scope = Scope::Grant {
        sid: sid(1),
        client_id: "other".parse().unwrap(),
    };
    assert_eq!(store.end(scope, NOW).await.unwrap().count, 1);
    // Ending by the log alone holds for rows of the old version, also after a restart.
    let later = UnixMillis::from_millis(NOW.as_millis() + 1);
    let end = store
        .end(Scope::Login { sid: sid(1) }, later)
        .await
        .unwrap();
    assert_eq!(
        end,
        Ended {
            position: Position::new(1, 3),
            count: 1
        }
    );
    store.close().unwrap();
    let store = Sqlite::open(dir).unwrap();
    let ended = store.login(sid(1)).await.unwrap().unwrap().login;
    assert_eq!(ended.ended_at, Some(later));
    assert_eq!(
        store
            .disable_user(alice(), later)
            .await
            .unwrap()
            .unwrap()
            .count,
        1
    );
    // All of them leave: 4 grants, one in its login's row, 3 logins, all entries of the log but the newest.
    let past = UnixMillis::from_millis(NOW.as_millis() + 200 * HOUR);
    assert_eq!(store.sweep(past, 100).await.unwrap(), 3 + 3 + 3);
}
