//! A file of an older version goes on in this one.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::path::Path;

use symbolon_authority::ports::{Directory, Ended, Logins};
use symbolon_login::{Change, Position, Scope, Sid, UnixMillis, UserId};

use super::*;
use crate::Sqlite;

const NOW: UnixMillis = UnixMillis::from_secs(1_800_000_000);
const HOUR: i64 = 3_600_000;

fn sid(n: u8) -> Sid {
    Sid::mint(NOW, [n; 10])
}

fn alice() -> UserId {
    UserId::mint(NOW, [1; 10])
}

/// A file of version 1 as that version left it: Alice with the logins 1 (two grants), 2 (ended by the
/// log's one entry) and 3 (expires in an hour).
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
        (1, 1, "app"),
        (11, 1, "other"),
        (2, 2, "app"),
        (3, 3, "app"),
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

#[tokio::test]
async fn a_file_of_version_1_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    a_file_of_version_1(&dir.path().join("symbolon.db"));
    let steps = crate::pending_migrations(dir.path()).unwrap();
    assert_eq!(
        steps.iter().map(|step| step.number).collect::<Vec<_>>(),
        [2]
    );
    // Migrated at the first start, found as it was at the second.
    for _ in 0..2 {
        let store = Sqlite::open(dir.path()).unwrap();
        let living = store.logins_of(alice(), NOW).await.unwrap();
        let sids: Vec<_> = living.iter().map(|found| found.login.sid).collect();
        assert_eq!(sids, [sid(3), sid(1)]);
        assert_eq!(living[1].grants.len(), 2);
        let ended = store.login(sid(2)).await.unwrap().unwrap().login;
        assert_eq!(ended.ended_at, Some(NOW));
        store.close().unwrap();
    }
    let store = Sqlite::open(dir.path()).unwrap();
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
    let store = Sqlite::open(dir.path()).unwrap();
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
    // All of them leave: 4 grants, 3 logins, all entries of the log but the newest.
    let past = UnixMillis::from_millis(NOW.as_millis() + 200 * HOUR);
    assert_eq!(store.sweep(past, 100).await.unwrap(), 4 + 3 + 3);
}
