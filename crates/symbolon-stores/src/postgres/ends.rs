//! Ending what a cut-off covers.
//!
//! One login, one grant and one person's logins are marked before the log is appended to, all in one
//! transaction. Everything, an app and what a restore made void can be millions of rows: there the
//! cut-off is committed first, which kills them all at once (see [`super::rows`]), and the rows are
//! marked in small bites afterwards, so that no lock is held for long.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use symbolon_authority::ports::{Ended, StoreError};
use symbolon_login::{Change, Position, Scope, Sid, UnixMillis, UserId};

use super::{
    Database, Transaction,
    batch::{Batched, all_failed},
    columns::{bytes, execute, rows, to_columns, value},
    fault::Work,
    log,
};

/// How many rows are marked in one bite.
const BITE: i64 = 1000;

/// Something to be ended, as of when.
pub(super) type End = (Scope, UnixMillis);

/// Ends that are not wide share the transactions in which they are marked and appended.
impl Batched for End {
    type Done = Ended;

    const PLURAL: &'static str = "ends";
    const BATCH: usize = 1024;
    /// They take the log's head in turn anyway.
    const AT_ONCE: usize = 1;

    /// Single logins come first, as they are marked: then what each counts agrees with the order of the
    /// positions.
    fn rank(&self) -> u8 {
        u8::from(!matches!(self.0, Scope::Login { .. }))
    }

    async fn commit(database: &Database, batch: Vec<Self>) -> Vec<Result<Ended, StoreError>> {
        let ends = Arc::new(batch);
        let done = database
            .transact(|tx| {
                let ends = Arc::clone(&ends);
                Box::pin(async move { end(tx, &ends).await })
            })
            .await;
        match done {
            Ok(ended) => {
                if let Some(last) = ended.last() {
                    database.announce(last.position);
                }
                ended.into_iter().map(Ok).collect()
            }
            Err(fault) => all_failed(ends.len(), &fault),
        }
    }
}

/// Whether what the scope covers is marked after its cut-off was committed.
pub(super) fn is_wide(scope: &Scope) -> bool {
    matches!(
        scope,
        Scope::Everything {} | Scope::App { .. } | Scope::Restored { .. }
    )
}

/// Ends what `ends` cover, none of them wide, in their order: marks it and appends the cut-offs.
pub(super) async fn end(tx: &Transaction<'_>, ends: &[End]) -> Work<Vec<Ended>> {
    let marked = mark_logins(tx, ends).await?;
    let mut counts = Vec::with_capacity(ends.len());
    let mut asked = HashSet::new();
    for (scope, now) in ends {
        counts.push(match scope {
            Scope::Login { sid } => u64::from(asked.insert(*sid) && marked.ended.contains_key(sid)),
            Scope::User { user } => {
                let theirs = marked.ended.iter().filter(|(_, whose)| *whose == user);
                let theirs = theirs.filter(|(sid, _)| asked.insert(**sid)).count();
                u64::try_from(theirs).unwrap_or(u64::MAX)
            }
            Scope::Grant { sid, client_id } => {
                let sql = "UPDATE grants SET ended_at = $1
                           WHERE sid = $2 AND client_id = $3 AND ended_at IS NULL
                           AND EXISTS (SELECT 1 FROM logins
                                       WHERE logins.sid = $2 AND logins.ended_at IS NULL)";
                let sid = sid.as_bytes().as_slice();
                execute(tx, sql, &[&now.as_millis(), &sid, &client_id.as_str()]).await?
            }
            // Only tokens that the key signed die, and the store keeps no tokens.
            _ => 0,
        });
    }
    let changes: Vec<_> = ends
        .iter()
        .map(|(scope, now)| {
            let covers = scope.clone();
            (Change::CutOff { covers }, *now)
        })
        .collect();
    let mut position = log::append(tx, &changes).await?;
    let mut remembered = Remembered::default();
    let mut ended = Vec::with_capacity(ends.len());
    for ((scope, now), count) in ends.iter().zip(counts) {
        match scope {
            Scope::Login { sid } if marked.known.contains(sid) => {}
            scope => remembered.add(scope, position, *now)?,
        }
        ended.push(Ended { position, count });
        position = position.next();
    }
    remembered.write(tx).await?;
    Ok(ended)
}

/// The logins that the ends name or cover.
struct Marked {
    /// That are there, whatever their state, or belong to a person whose logins end.
    known: HashSet<Sid>,
    /// That were not ended before, and whose they are.
    ended: HashMap<Sid, UserId>,
}

async fn mark_logins(tx: &Transaction<'_>, ends: &[End]) -> Work<Marked> {
    let (mut sids, mut at, mut users) = (Vec::new(), Vec::new(), Vec::new());
    let mut of_user = HashMap::new();
    for (scope, now) in ends {
        match scope {
            Scope::Login { sid } => {
                sids.push(sid.as_bytes().as_slice());
                at.push((*sid, *now));
            }
            Scope::User { user } => {
                users.push(user.as_bytes().as_slice());
                of_user.entry(*user).or_insert(*now);
            }
            _ => {}
        }
    }
    let mut marked = Marked {
        known: HashSet::new(),
        ended: HashMap::new(),
    };
    // In the order in which every transaction locks: people, then logins by id.
    let found = if users.is_empty() {
        if sids.is_empty() {
            return Ok(marked);
        }
        let sql = "SELECT sid, user_id, ended_at FROM logins WHERE sid = ANY($1)
                   ORDER BY sid FOR UPDATE";
        rows(tx, sql, &[&sids]).await?
    } else {
        let sql = "SELECT id FROM users WHERE id = ANY($1) ORDER BY id FOR UPDATE";
        rows(tx, sql, &[&users]).await?;
        let sql = "SELECT sid, user_id, ended_at FROM logins
                   WHERE sid = ANY($1) OR (user_id = ANY($2) AND ended_at IS NULL)
                   ORDER BY sid FOR UPDATE";
        rows(tx, sql, &[&sids, &users]).await?
    };
    let at: HashMap<_, _> = at.into_iter().rev().collect();
    let (mut over, mut over_at) = (Vec::new(), Vec::new());
    for row in &found {
        let (sid, user) = (
            Sid::from_bytes(bytes(row, 0)?),
            UserId::from_bytes(bytes(row, 1)?),
        );
        marked.known.insert(sid);
        if value::<Option<i64>>(row, 2)?.is_none()
            && let Some(now) = at.get(&sid).or_else(|| of_user.get(&user))
        {
            marked.ended.insert(sid, user);
            over.push(value::<&[u8]>(row, 0)?);
            over_at.push(now.as_millis());
        }
    }
    if !over.is_empty() {
        let sql = "UPDATE logins SET ended_at = over.at
                   FROM unnest($1::bytea[], $2::bigint[]) AS over(sid, at)
                   WHERE logins.sid = over.sid";
        execute(tx, sql, &[&over, &over_at]).await?;
    }
    Ok(marked)
}

/// The last cut-off of each scope, for what could not be marked.
#[derive(Default)]
struct Remembered {
    users: BTreeMap<UserId, (Position, UnixMillis)>,
    /// By kind, login and app, and the beginning of what a restore made void.
    others: BTreeMap<Key, (Position, UnixMillis)>,
}

type Key = (&'static str, Vec<u8>, String, (i64, i64));

impl Remembered {
    fn add(&mut self, scope: &Scope, position: Position, now: UnixMillis) -> Work<()> {
        let (kind, sid, client_id, from) = match scope {
            Scope::User { user } => {
                self.users.insert(*user, (position, now));
                return Ok(());
            }
            Scope::Key { .. } => return Ok(()),
            Scope::Everything {} => ("everything", None, None, None),
            Scope::Restored { from } => ("restored", None, None, Some(from)),
            Scope::App { client_id } => ("app", None, Some(client_id), None),
            Scope::Login { sid } => ("login", Some(sid), None, None),
            Scope::Grant { sid, client_id } => ("grant", Some(sid), Some(client_id), None),
        };
        let key = (
            kind,
            sid.map(|sid| sid.as_bytes().to_vec()).unwrap_or_default(),
            client_id
                .map(|id| id.as_str().to_owned())
                .unwrap_or_default(),
            from.map_or(Ok((0, 0)), |from| to_columns(*from))?,
        );
        self.others.insert(key, (position, now));
        Ok(())
    }

    async fn write(&self, tx: &Transaction<'_>) -> Work<()> {
        for (user, (position, now)) in &self.users {
            let (epoch, number) = to_columns(*position)?;
            let sql = "UPDATE users SET cut_epoch = $2, cut_number = $3, cut_at = $4 WHERE id = $1";
            let user = user.as_bytes().as_slice();
            execute(tx, sql, &[&user, &epoch, &number, &now.as_millis()]).await?;
        }
        for ((kind, sid, client_id, from), (position, now)) in &self.others {
            let (epoch, number) = to_columns(*position)?;
            let sql = "INSERT INTO cut_offs
                       (kind, sid, client_id, from_epoch, from_number, epoch, number, at)
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                       ON CONFLICT (kind, sid, client_id, from_epoch, from_number) DO UPDATE
                       SET epoch = excluded.epoch, number = excluded.number, at = excluded.at";
            let values: super::columns::Values<'_> = &[
                kind,
                sid,
                client_id,
                &from.0,
                &from.1,
                &epoch,
                &number,
                &now.as_millis(),
            ];
            execute(tx, sql, values).await?;
        }
        Ok(())
    }
}

/// Appends a wide cut-off; what it covers is dead from the commit on, marked or not.
pub(super) async fn append_wide(
    tx: &Transaction<'_>,
    scope: &Scope,
    now: UnixMillis,
) -> Work<Position> {
    let covers = scope.clone();
    let position = log::append(tx, &[(Change::CutOff { covers }, now)]).await?;
    let mut remembered = Remembered::default();
    remembered.add(scope, position, now)?;
    remembered.write(tx).await?;
    Ok(position)
}

impl Database {
    /// Marks what a wide cut-off covers, a bite at a time; gives how many that were.
    pub(super) async fn mark_wide(
        &self,
        scope: &Scope,
        position: Position,
        now: UnixMillis,
    ) -> Work<u64> {
        let client = self.client().await?;
        let (epoch, number) = to_columns(position)?;
        let at = now.as_millis();
        let mut last: Vec<u8> = Vec::new();
        let mut count = 0;
        loop {
            let bite = match scope {
                Scope::Everything {} => {
                    let sql = "UPDATE logins SET ended_at = $1 WHERE sid IN (
                                   SELECT sid FROM logins WHERE sid > $4 AND ended_at IS NULL
                                   AND (rev_epoch, rev_number) < ($2, $3)
                                   ORDER BY sid LIMIT $5 FOR UPDATE)
                               RETURNING sid";
                    rows(&client, sql, &[&at, &epoch, &number, &last, &BITE]).await?
                }
                Scope::App { client_id } => {
                    let sql = "UPDATE grants SET ended_at = $1 WHERE id IN (
                                   SELECT g.id FROM grants g JOIN logins l ON l.sid = g.sid
                                   WHERE g.client_id = $6 AND g.id > $4 AND g.ended_at IS NULL
                                   AND l.ended_at IS NULL
                                   AND (g.rev_epoch, g.rev_number) < ($2, $3)
                                   ORDER BY g.id LIMIT $5 FOR UPDATE OF g)
                               RETURNING id";
                    let app = client_id.as_str();
                    rows(&client, sql, &[&at, &epoch, &number, &last, &BITE, &app]).await?
                }
                Scope::Restored { from } => {
                    let sql = "UPDATE grants SET ended_at = $1 WHERE id IN (
                                   SELECT g.id FROM grants g JOIN logins l ON l.sid = g.sid
                                   WHERE g.id > $4 AND g.ended_at IS NULL AND l.ended_at IS NULL
                                   AND (g.rev_epoch, g.rev_number) < ($2, $3)
                                   AND (g.rev_epoch, g.rev_number) >= ($6, $7)
                                   ORDER BY g.id LIMIT $5 FOR UPDATE OF g)
                               RETURNING id";
                    let (since, from) = to_columns(*from)?;
                    let values: super::columns::Values<'_> =
                        &[&at, &epoch, &number, &last, &BITE, &since, &from];
                    rows(&client, sql, values).await?
                }
                _ => return Ok(0),
            };
            let Some(next) = bite
                .iter()
                .map(|row| value(row, 0))
                .collect::<Work<Vec<_>>>()?
                .into_iter()
                .max()
            else {
                return Ok(count);
            };
            last = next;
            count += u64::try_from(bite.len()).unwrap_or(u64::MAX);
        }
    }
}
