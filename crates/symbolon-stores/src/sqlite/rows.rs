//! The rows of logins and grants: reading them, with the ends that they do not say, and writing them.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Result as Read, Row, params, types::ValueRef};
use symbolon_authority::ports::{LoginWithGrants, Standpoint};
use symbolon_login::{Grant, GrantId, Line, Login, Position, Sid, UnixMillis, UserId};

use super::{
    columns::{
        bytes, digest, in_use_or, insert, json, maybe_span, maybe_time, position, text, time,
        to_integer,
    },
    fault::Work,
    roll::Entry,
    unmarked::View,
    writer::{Insert, Transaction},
};
use crate::in_use;

/// The columns of a login, in the order in which [`read_login`] takes them.
macro_rules! login_columns {
    () => {
        "login.sid, login.user, login.authenticated_at, login.methods, login.device, \
         login.expires_at, login.idle_ms, login.remembered, login.ended_at, login.rev_epoch, \
         login.rev_number"
    };
}

/// The columns of the grant in a login's own row, in the order in which [`read_grant`] takes them.
macro_rules! first_columns {
    () => {
        "login.sid, login.sid, login.first_client_id, login.first_rev_epoch, \
         login.first_rev_number, login.first_opened_at, login.first_used_at, \
         login.first_generation, login.first_digest, login.first_moved_at, login.first_ended_at"
    };
}

/// The columns of a grant that has a row of its own, in the same order.
macro_rules! grant_columns {
    () => {
        "grant.id, grant.sid, grant.client_id, grant.rev_epoch, grant.rev_number, \
         grant.opened_at, grant.used_at, grant.generation, grant.digest, grant.moved_at, \
         grant.ended_at"
    };
}

pub(super) use {first_columns, grant_columns, login_columns};

const LOGIN_COLUMNS: usize = 11;
/// Where [`first_columns`] has the digest, which every grant has.
const DIGEST: usize = 8;

/// A login, with the grant in its row.
pub(super) struct Found {
    pub(super) login: Login,
    first: Option<Grant>,
}

/// A grant with its login, whatever their state.
pub(super) fn find(conn: &Connection, view: &View<'_>, grant: GrantId) -> Work<Option<Standpoint>> {
    let first = concat!(
        "SELECT ",
        login_columns!(),
        ", ",
        first_columns!(),
        " FROM login WHERE sid = ?1 AND first_digest IS NOT NULL"
    );
    let further = concat!(
        "SELECT ",
        login_columns!(),
        ", ",
        grant_columns!(),
        " FROM grant JOIN login ON login.sid = grant.sid WHERE grant.id = ?1"
    );
    for sql in [first, further] {
        let mut found = conn.prepare_cached(sql)?;
        let found = found.query_row([grant.as_bytes()], |row| {
            Ok(Standpoint {
                login: read_login(row, view)?,
                grant: read_grant(row, LOGIN_COLUMNS)?,
            })
        });
        if let Some(found) = found.optional()? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// A login, whatever its state.
pub(super) fn login(conn: &Connection, view: &View<'_>, sid: Sid) -> Work<Option<Found>> {
    let sql = concat!(
        "SELECT ",
        login_columns!(),
        ", ",
        first_columns!(),
        " FROM login WHERE sid = ?1"
    );
    let mut found = conn.prepare_cached(sql)?;
    let found = found.query_row([sid.as_bytes()], |row| {
        let login = read_login(row, view)?;
        let first = match row.get_ref(LOGIN_COLUMNS + DIGEST)? {
            ValueRef::Null => None,
            _ => Some(read_grant(row, LOGIN_COLUMNS)?),
        };
        Ok(Found { login, first })
    });
    Ok(found.optional()?)
}

/// The living ones among logins that may be the person's, with their grants, newest first.
pub(super) fn live_logins(
    conn: &Connection,
    view: &View<'_>,
    sids: &BTreeSet<Sid>,
    user: UserId,
    now: UnixMillis,
) -> Work<Vec<LoginWithGrants>> {
    let mut live = Vec::new();
    for sid in sids.iter().rev() {
        if let Some(found) = login(conn, view, *sid)?
            && found.login.user == user
            && found.login.stands(now)
        {
            live.push(with_grants(conn, found)?);
        }
    }
    Ok(live)
}

/// Adds to a login its grants that were not ended.
pub(super) fn with_grants(conn: &Connection, found: Found) -> Work<LoginWithGrants> {
    let Found { login, first } = found;
    let mut grants: Vec<_> = first
        .into_iter()
        .filter(|first| first.ended_at.is_none())
        .collect();
    let sql = concat!(
        "SELECT ",
        grant_columns!(),
        " FROM grant WHERE sid = ?1 AND ended_at IS NULL"
    );
    let mut further = conn.prepare_cached(sql)?;
    let further = further.query_map([login.sid.as_bytes()], |row| read_grant(row, 0))?;
    for grant in further {
        grants.push(grant?);
    }
    grants.sort_by_key(|grant| grant.id);
    Ok(LoginWithGrants { login, grants })
}

/// Whether a grant stands in its login's row: that which the login was opened with, if it has the login's id.
fn is_first(grant: &Grant) -> bool {
    grant.id == GrantId::first_of(grant.sid)
}

/// Inserts a login, `methods` as JSON, with the grant that it is opened with, and puts it on the roll.
pub(super) fn insert_login(
    tx: &mut Transaction<'_>,
    login: &Login,
    methods: &str,
    rev: Position,
    opened_with: Option<&Grant>,
) -> Work<()> {
    let sql =
        "INSERT INTO login (sid, user, authenticated_at, methods, device, expires_at, idle_ms,
                            remembered, ended_at, rev_epoch, rev_number, first_client_id,
                            first_rev_epoch, first_rev_number, first_opened_at, first_used_at,
                            first_generation, first_digest, first_moved_at, first_ended_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
                 ?19, ?20)";
    let first = opened_with.filter(|grant| is_first(grant));
    if let Some(first) = first {
        refuse_further(tx, first.id)?;
    }
    let row = params![
        login.sid.as_bytes(),
        login.user.as_bytes(),
        login.authenticated_at.as_millis(),
        methods,
        login.device,
        login.expires_at.as_millis(),
        login
            .idle
            .map(|idle| to_integer(idle.as_millis()))
            .transpose()?,
        login.remembered,
        login.ended_at.map(UnixMillis::as_millis),
        rev.epoch(),
        to_integer(rev.number())?,
        first.map(|first| first.client_id.as_str()),
        first.map(|first| first.rev.epoch()),
        first
            .map(|first| to_integer(first.rev.number()))
            .transpose()?,
        first.map(|first| first.opened_at.as_millis()),
        first.map(|first| first.used_at.as_millis()),
        first.map(|first| first.line.generation),
        first.map(|first| first.line.digest.as_bytes()),
        first.map(|first| first.line.moved_at.as_millis()),
        first.and_then(|first| first.ended_at.map(UnixMillis::as_millis)),
    ];
    in_use_or(tx.insert(Insert::Login, sql, row), "sid")?;
    let entry = Entry {
        user: login.user,
        sid: login.sid,
        expires_at: login.expires_at,
    };
    tx.opened(entry, login.ended_at.is_some());
    match opened_with.filter(|grant| !is_first(grant)) {
        Some(grant) => insert_further(tx, grant),
        None => Ok(()),
    }
}

/// Adds a grant to a login that is there.
pub(super) fn insert_grant(tx: &Transaction<'_>, grant: &Grant) -> Work<()> {
    if !is_first(grant) {
        return insert_further(tx, grant);
    }
    refuse_further(tx, grant.id)?;
    let sql = "UPDATE login SET first_client_id = ?2, first_rev_epoch = ?3, first_rev_number = ?4,
                   first_opened_at = ?5, first_used_at = ?6, first_generation = ?7,
                   first_digest = ?8, first_moved_at = ?9, first_ended_at = ?10
               WHERE sid = ?1 AND first_digest IS NULL";
    let row = params![
        grant.sid.as_bytes(),
        grant.client_id.as_str(),
        grant.rev.epoch(),
        to_integer(grant.rev.number())?,
        grant.opened_at.as_millis(),
        grant.used_at.as_millis(),
        grant.line.generation,
        grant.line.digest.as_bytes(),
        grant.line.moved_at.as_millis(),
        grant.ended_at.map(UnixMillis::as_millis),
    ];
    match tx.conn().prepare_cached(sql)?.execute(row)? {
        0 => Err(in_use("grant id").into()),
        _ => Ok(()),
    }
}

/// Inserts a grant as a row of its own.
fn insert_further(tx: &Transaction<'_>, grant: &Grant) -> Work<()> {
    let conn = tx.conn();
    let first = "SELECT 1 FROM login WHERE sid = ?1 AND first_digest IS NOT NULL";
    if conn.prepare_cached(first)?.exists([grant.id.as_bytes()])? {
        return Err(in_use("grant id").into());
    }
    let sql = "INSERT INTO grant (id, sid, client_id, rev_epoch, rev_number, opened_at, used_at,
                                  generation, digest, moved_at, ended_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let row = params![
        grant.id.as_bytes(),
        grant.sid.as_bytes(),
        grant.client_id.as_str(),
        grant.rev.epoch(),
        to_integer(grant.rev.number())?,
        grant.opened_at.as_millis(),
        grant.used_at.as_millis(),
        grant.line.generation,
        grant.line.digest.as_bytes(),
        grant.line.moved_at.as_millis(),
        grant.ended_at.map(UnixMillis::as_millis),
    ];
    tx.further().note(grant.id);
    insert(conn, sql, "grant id", row)
}

/// Refuses an id that a row of a grant has.
fn refuse_further(tx: &Transaction<'_>, id: GrantId) -> Work<()> {
    if !tx.further().may_have(id) {
        return Ok(());
    }
    let sql = "SELECT 1 FROM grant WHERE id = ?1";
    if tx.conn().prepare_cached(sql)?.exists([id.as_bytes()])? {
        return Err(in_use("grant id").into());
    }
    Ok(())
}

/// Writes a grant's time of use and where its line of secrets stands.
pub(super) fn update_grant(conn: &Connection, grant: &Grant) -> Work<()> {
    let sql = if is_first(grant) {
        "UPDATE login SET first_used_at = ?2, first_generation = ?3, first_digest = ?4,
             first_moved_at = ?5
         WHERE sid = ?1"
    } else {
        "UPDATE grant SET used_at = ?2, generation = ?3, digest = ?4, moved_at = ?5 WHERE id = ?1"
    };
    conn.prepare_cached(sql)?.execute(params![
        grant.id.as_bytes(),
        grant.used_at.as_millis(),
        grant.line.generation,
        grant.line.digest.as_bytes(),
        grant.line.moved_at.as_millis(),
    ])?;
    Ok(())
}

/// Reads a login, and adds the end that its row may not say.
pub(super) fn read_login(row: &Row<'_>, view: &View<'_>) -> Read<Login> {
    let mut login = Login {
        sid: bytes(row, 0).map(Sid::from_bytes)?,
        user: bytes(row, 1).map(UserId::from_bytes)?,
        authenticated_at: time(row, 2)?,
        methods: json(row, 3)?,
        device: row.get(4)?,
        expires_at: time(row, 5)?,
        idle: maybe_span(row, 6)?,
        remembered: row.get(7)?,
        ended_at: maybe_time(row, 8)?,
    };
    view.judge(&mut login, position(row, 9, 10)?);
    Ok(login)
}

pub(super) fn read_grant(row: &Row<'_>, from: usize) -> Read<Grant> {
    Ok(Grant {
        id: bytes(row, from).map(GrantId::from_bytes)?,
        sid: bytes(row, from + 1).map(Sid::from_bytes)?,
        client_id: text(row, from + 2)?,
        rev: position(row, from + 3, from + 4)?,
        opened_at: time(row, from + 5)?,
        used_at: time(row, from + 6)?,
        line: Line {
            generation: row.get(from + 7)?,
            digest: digest(row, from + 8)?,
            moved_at: time(row, from + 9)?,
        },
        ended_at: maybe_time(row, from + 10)?,
    })
}
