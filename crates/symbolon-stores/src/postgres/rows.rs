//! Logins and grants as rows, and how a cut-off is seen that could not mark them.
//!
//! A row that was being written while an end committed was not there to be marked. Its `rev` is smaller
//! than the position of that end, and by this a reader knows it for dead, as guards do.

use deadpool_postgres::GenericClient;
use symbolon_authority::ports::{LoginWithGrants, Standpoint};
use symbolon_login::{Grant, GrantId, Line, Login, Sid, UnixMillis, UserId};
use tokio_postgres::Row;

use super::{
    columns::{
        bytes, digest, json, maybe_row, maybe_span, maybe_time, number, position, rows, text, time,
        value,
    },
    fault::Work,
};

/// When the login `l` ended; null if it did not.
macro_rules! login_end {
    () => {
        "coalesce(l.ended_at, \
         (SELECT u.cut_at FROM users u WHERE u.id = l.user_id \
          AND (u.cut_epoch, u.cut_number) > (l.rev_epoch, l.rev_number)), \
         (SELECT c.at FROM cut_offs c WHERE c.kind = 'everything' \
          AND (c.epoch, c.number) > (l.rev_epoch, l.rev_number) LIMIT 1), \
         (SELECT c.at FROM cut_offs c WHERE c.kind = 'login' AND c.sid = l.sid \
          AND (c.epoch, c.number) > (l.rev_epoch, l.rev_number) LIMIT 1))"
    };
}
pub(super) use login_end;

/// The columns of the login `l`, in the order in which [`read_login`] takes them.
macro_rules! login_columns {
    () => {
        concat!(
            "l.sid, l.user_id, l.authenticated_at, l.methods, l.device, l.expires_at, l.idle_ms, \
             l.remembered, ",
            $crate::postgres::rows::login_end!()
        )
    };
}
pub(super) use login_columns;

pub(super) const LOGIN_COLUMNS: usize = 9;

/// The columns of the grant `g`, in the order in which [`read_grant`] takes them. The last is when a
/// cut-off ended it that could not mark it; it counts only in a login that did not end.
macro_rules! grant_columns {
    () => {
        "g.id, g.sid, g.client_id, g.rev_epoch, g.rev_number, g.opened_at, g.used_at, \
         g.generation, g.digest, g.moved_at, g.ended_at, \
         coalesce((SELECT c.at FROM cut_offs c WHERE c.kind = 'app' AND c.client_id = g.client_id \
          AND (c.epoch, c.number) > (g.rev_epoch, g.rev_number) LIMIT 1), \
         (SELECT c.at FROM cut_offs c WHERE c.kind = 'grant' AND c.sid = g.sid \
          AND c.client_id = g.client_id \
          AND (c.epoch, c.number) > (g.rev_epoch, g.rev_number) LIMIT 1), \
         (SELECT c.at FROM cut_offs c WHERE c.kind = 'restored' \
          AND (c.from_epoch, c.from_number) <= (g.rev_epoch, g.rev_number) \
          AND (c.epoch, c.number) > (g.rev_epoch, g.rev_number) LIMIT 1))"
    };
}

pub(super) use grant_columns;

/// A grant with its login, whatever their state.
pub(super) async fn find(client: &impl GenericClient, grant: GrantId) -> Work<Option<Standpoint>> {
    let sql = concat!(
        "SELECT ",
        login_columns!(),
        ", ",
        grant_columns!(),
        " FROM grants g JOIN logins l ON l.sid = g.sid WHERE g.id = $1"
    );
    let found = maybe_row(client, sql, &[&grant.as_bytes().as_slice()]).await?;
    found.as_ref().map(read_standpoint).transpose()
}

/// Those of these grants that are there, with their logins.
pub(super) async fn find_all(
    client: &impl GenericClient,
    grants: &[&[u8]],
) -> Work<Vec<Standpoint>> {
    let sql = concat!(
        "SELECT ",
        login_columns!(),
        ", ",
        grant_columns!(),
        " FROM grants g JOIN logins l ON l.sid = g.sid WHERE g.id = ANY($1)"
    );
    let found = rows(client, sql, &[&grants]).await?;
    found.iter().map(read_standpoint).collect()
}

/// One login with its grants, whatever its state.
pub(super) async fn login(client: &impl GenericClient, sid: Sid) -> Work<Option<LoginWithGrants>> {
    let sql = concat!(
        "SELECT ",
        login_columns!(),
        ", ",
        grant_columns!(),
        " FROM logins l LEFT JOIN grants g ON g.sid = l.sid AND g.ended_at IS NULL
         WHERE l.sid = $1 ORDER BY g.id"
    );
    let found = rows(client, sql, &[&sid.as_bytes().as_slice()]).await?;
    Ok(with_grants(&found)?.pop())
}

/// The person's living logins with their grants, newest first.
pub(super) async fn live_logins(
    client: &impl GenericClient,
    user: UserId,
    now: UnixMillis,
) -> Work<Vec<LoginWithGrants>> {
    let sql = concat!(
        "SELECT ",
        login_columns!(),
        ", ",
        grant_columns!(),
        " FROM logins l LEFT JOIN grants g ON g.sid = l.sid AND g.ended_at IS NULL
         WHERE l.user_id = $1 AND l.ended_at IS NULL AND l.expires_at > $2
         ORDER BY l.sid DESC, g.id"
    );
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 2] =
        [&user.as_bytes().as_slice(), &now.as_millis()];
    let mut live = with_grants(&rows(client, sql, &values).await?)?;
    live.retain(|live| live.login.ended_at.is_none());
    Ok(live)
}

/// Puts the rows of one login, which stand side by side, together.
fn with_grants(found: &[Row]) -> Work<Vec<LoginWithGrants>> {
    let mut logins: Vec<LoginWithGrants> = Vec::new();
    for row in found {
        let login = read_login(row)?;
        if logins.last().is_none_or(|last| last.login.sid != login.sid) {
            let grants = Vec::new();
            logins.push(LoginWithGrants { login, grants });
        }
        if let Some(last) = logins.last_mut()
            && value::<Option<&[u8]>>(row, LOGIN_COLUMNS)?.is_some()
        {
            let grant = read_grant(row, LOGIN_COLUMNS, &last.login)?;
            last.grants
                .extend(grant.ended_at.is_none().then_some(grant));
        }
    }
    Ok(logins)
}

fn read_standpoint(row: &Row) -> Work<Standpoint> {
    let login = read_login(row)?;
    let grant = read_grant(row, LOGIN_COLUMNS, &login)?;
    Ok(Standpoint { login, grant })
}

/// Reads what `login_columns` selects.
pub(super) fn read_login(row: &Row) -> Work<Login> {
    Ok(Login {
        sid: bytes(row, 0).map(Sid::from_bytes)?,
        user: bytes(row, 1).map(UserId::from_bytes)?,
        authenticated_at: time(row, 2)?,
        methods: json(row, 3)?,
        device: value(row, 4)?,
        expires_at: time(row, 5)?,
        idle: maybe_span(row, 6)?,
        remembered: value(row, 7)?,
        ended_at: maybe_time(row, 8)?,
    })
}

pub(super) fn read_grant(row: &Row, from: usize, login: &Login) -> Work<Grant> {
    let marked = maybe_time(row, from + 10)?;
    let judged = maybe_time(row, from + 11)?.filter(|_| login.ended_at.is_none());
    Ok(Grant {
        id: bytes(row, from).map(GrantId::from_bytes)?,
        sid: bytes(row, from + 1).map(Sid::from_bytes)?,
        client_id: text(row, from + 2)?,
        rev: position(row, from + 3)?,
        opened_at: time(row, from + 5)?,
        used_at: time(row, from + 6)?,
        line: Line {
            generation: number(row, from + 7)?,
            digest: digest(row, from + 8)?,
            moved_at: time(row, from + 9)?,
        },
        ended_at: marked.or(judged),
    })
}
