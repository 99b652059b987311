//! The rows of logins and grants: reading them, with the ends that they do not say, and writing them.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Result as Read, Row, params};
use symbolon_authority::ports::{LoginWithGrants, NewGrant, Standpoint};
use symbolon_login::{Grant, GrantId, Line, Login, Position, Sid, UnixMillis, UserId};

use super::{
    columns::{
        bytes, digest, in_use_or, json, maybe_span, maybe_time, position, text, time, to_integer,
    },
    fault::Work,
    roll::Entry,
    unmarked::View,
    writer::{Insert, Transaction},
};

/// The columns of a login, in the order in which [`read_login`] takes them.
macro_rules! login_columns {
    () => {
        "login.sid, login.user, login.authenticated_at, login.methods, login.device, \
         login.expires_at, login.idle_ms, login.remembered, login.ended_at, login.rev_epoch, \
         login.rev_number, login.first_grant"
    };
}

/// The columns of a grant, in the order in which [`read_grant`] takes them.
macro_rules! grant_columns {
    () => {
        "grant.id, grant.sid, grant.client_id, grant.rev_epoch, grant.rev_number, \
         grant.opened_at, grant.used_at, grant.generation, grant.digest, grant.moved_at, \
         grant.ended_at"
    };
}

pub(super) use {grant_columns, login_columns};

const LOGIN_COLUMNS: usize = 12;

/// A login, with the grant that leads to itself alone.
pub(super) struct Found {
    pub(super) login: Login,
    /// The grant that it was opened with.
    first: Option<GrantId>,
}

/// Whether a grant is the one that its login was opened with.
#[derive(Clone, Copy)]
pub(super) enum IsFirst {
    /// The row of the login leads to it.
    Yes,
    /// An index does.
    No,
}

/// A grant with its login, whatever their state.
pub(super) fn find(conn: &Connection, view: &View<'_>, grant: GrantId) -> Work<Option<Standpoint>> {
    let sql = concat!(
        "SELECT ",
        login_columns!(),
        ", ",
        grant_columns!(),
        " FROM grant JOIN login ON login.sid = grant.sid WHERE grant.id = ?1"
    );
    let mut found = conn.prepare_cached(sql)?;
    let found = found.query_row([grant.as_bytes()], |row| {
        Ok(Standpoint {
            login: read_login(row, view)?.login,
            grant: read_grant(row, LOGIN_COLUMNS)?,
        })
    });
    Ok(found.optional()?)
}

/// A login, whatever its state.
pub(super) fn login(conn: &Connection, view: &View<'_>, sid: Sid) -> Work<Option<Found>> {
    let sql = concat!("SELECT ", login_columns!(), " FROM login WHERE sid = ?1");
    let mut found = conn.prepare_cached(sql)?;
    let found = found.query_row([sid.as_bytes()], |row| read_login(row, view));
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
    let mut grants = Vec::new();
    if let Some(first) = first {
        let sql = concat!(
            "SELECT ",
            grant_columns!(),
            " FROM grant WHERE id = ?1 AND sid = ?2 AND is_first = 1 AND ended_at IS NULL"
        );
        let mut the_first = conn.prepare_cached(sql)?;
        let ids = [first.as_bytes(), login.sid.as_bytes()];
        let the_first = the_first.query_row(ids, |row| read_grant(row, 0));
        grants.extend(the_first.optional()?);
    }
    let sql = concat!(
        "SELECT ",
        grant_columns!(),
        " FROM grant WHERE sid = ?1 AND is_first = 0 AND ended_at IS NULL"
    );
    let mut further = conn.prepare_cached(sql)?;
    let further = further.query_map([login.sid.as_bytes()], |row| read_grant(row, 0))?;
    for grant in further {
        grants.push(grant?);
    }
    grants.sort_by_key(|grant| grant.id);
    Ok(LoginWithGrants { login, grants })
}

/// Inserts a row with all its columns, `methods` as JSON, and puts it on the roll.
pub(super) fn insert_login(
    tx: &mut Transaction<'_>,
    login: &Login,
    methods: &str,
    first: Option<GrantId>,
    rev: Position,
) -> Work<()> {
    let sql =
        "INSERT INTO login (sid, user, authenticated_at, methods, device, expires_at, idle_ms,
                            remembered, ended_at, rev_epoch, rev_number, first_grant)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
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
        first.as_ref().map(GrantId::as_bytes),
    ];
    in_use_or(tx.insert(Insert::Login, sql, row), "sid")?;
    let entry = Entry {
        user: login.user,
        sid: login.sid,
        expires_at: login.expires_at,
    };
    tx.opened(entry, login.ended_at.is_some());
    Ok(())
}

/// Adds a grant whose `rev` is the log's head in this transaction.
pub(super) fn add_grant(
    tx: &mut Transaction<'_>,
    sid: Sid,
    new: NewGrant,
    is_first: IsFirst,
    now: UnixMillis,
) -> Work<Grant> {
    let grant = Grant {
        id: new.id,
        sid,
        client_id: new.client_id,
        rev: tx.head(),
        opened_at: now,
        used_at: now,
        line: Line {
            generation: 0,
            digest: new.digest,
            moved_at: now,
        },
        ended_at: None,
    };
    insert_grant(tx, &grant, is_first)?;
    Ok(grant)
}

/// Inserts a row with all its columns.
pub(super) fn insert_grant(tx: &mut Transaction<'_>, grant: &Grant, is_first: IsFirst) -> Work<()> {
    let sql = "INSERT INTO grant (id, sid, client_id, rev_epoch, rev_number, opened_at, used_at,
                                  generation, digest, moved_at, ended_at, is_first)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
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
        matches!(is_first, IsFirst::Yes),
    ];
    in_use_or(tx.insert(Insert::Grant, sql, row), "grant id")
}

/// Reads a login, and adds the end that its row may not say.
pub(super) fn read_login(row: &Row<'_>, view: &View<'_>) -> Read<Found> {
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
    let first = row.get::<_, Option<[u8; 16]>>(11)?;
    Ok(Found {
        login,
        first: first.map(GrantId::from_bytes),
    })
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
