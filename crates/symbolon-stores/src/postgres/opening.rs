//! Further grants, and the room that limits ask for.
//!
//! Without a limit a grant is one statement that commits by itself. With one, the person's row is held, so
//! that of two sign-ins at once the second counts what the first opened.

use deadpool_postgres::GenericClient;
use symbolon_authority::ports::{Join, LoginWithGrants, NewGrant, Open, Standpoint, Terms};
use symbolon_login::{ClientId, Login, LoginLimit, Position, Scope, Sid, UnixMillis, UserId};

use super::{
    Transaction,
    columns::{Values, maybe_row, position, refused, value},
    ends::{self, End},
    fault::Work,
    rows::{self, login_columns},
    sign_ins::{self, SignIn},
};
use crate::{
    in_use,
    room::{Limits, Room},
};

/// Opens a login with a limit on it: the person's sign-ins come one after the other. Gives the last
/// position that making room appended, too.
pub(super) async fn open_in_room(
    tx: &Transaction<'_>,
    login: Login,
    grant: NewGrant,
    terms: Terms,
    now: UnixMillis,
) -> Work<(Open, Option<Position>)> {
    let (user, since) = (login.user, terms.since);
    if !is_welcome(tx, user, since).await? {
        return Ok((Open::UserGone, None));
    }
    refuse_used(tx, login.sid.as_bytes(), &grant).await?;
    let limits = Limits {
        per_person: terms.per_person,
        per_app: terms.per_app,
        instead_of: &terms.instead_of,
    };
    match make_room(tx, &limits, user, None, &grant.client_id, now).await? {
        Err(live) => Ok((Open::Full(live), None)),
        Ok(made) => {
            let sign_in = SignIn::new(login, grant, since, now)?;
            Ok((sign_ins::open(tx, sign_in).await?, made))
        }
    }
}

/// Joins a login in which the app has a limit.
pub(super) async fn join_in_room(
    tx: &Transaction<'_>,
    sid: Sid,
    grant: NewGrant,
    limit: LoginLimit,
    now: UnixMillis,
) -> Work<(Join, Option<Position>)> {
    let Some(found) = rows::login(tx, sid).await? else {
        return Ok((Join::Unknown, None));
    };
    let user = found.login.user;
    is_welcome(tx, user, None).await?;
    // Held until the commit, so that room is not made for a login that ends meanwhile.
    let lock = "SELECT 1 FROM logins WHERE sid = $1 FOR UPDATE";
    maybe_row(tx, lock, &[&sid.as_bytes().as_slice()]).await?;
    match rows::login(tx, sid).await? {
        Some(found) if found.login.stands(now) => {}
        Some(_) => return Ok((Join::Ended, None)),
        None => return Ok((Join::Unknown, None)),
    }
    refuse_used(tx, &[], &grant).await?;
    let limits = Limits {
        per_person: None,
        per_app: Some(limit),
        instead_of: &[],
    };
    match make_room(tx, &limits, user, Some(sid), &grant.client_id, now).await? {
        Err(others) => Ok((Join::Full(others), None)),
        Ok(made) => Ok((insert_grant(tx, sid, grant, now).await?, made)),
    }
}

/// An id that is in use is refused before room is made, or found wanting, for what has it.
async fn refuse_used(tx: &Transaction<'_>, sid: &[u8], grant: &NewGrant) -> Work<()> {
    let sql = "SELECT EXISTS (SELECT 1 FROM logins WHERE sid = $1),
                      EXISTS (SELECT 1 FROM grants WHERE id = $2)";
    let used = maybe_row(tx, sql, &[&sid, &grant.id.as_bytes().as_slice()]).await?;
    let Some(used) = used else { return Ok(()) };
    if value(&used, 0)? {
        return Err(in_use("sid").into());
    }
    if value(&used, 1)? {
        return Err(in_use("grant id").into());
    }
    Ok(())
}

/// Whether the user may sign in on what was known of them at `since`; holds their row until the commit.
async fn is_welcome(tx: &Transaction<'_>, user: UserId, since: Option<Position>) -> Work<bool> {
    let sql = "SELECT cut_epoch, cut_number, cut_epoch IS NULL FROM users
               WHERE id = $1 AND disabled_at IS NULL FOR UPDATE";
    let found = maybe_row(tx, sql, &[&user.as_bytes().as_slice()]).await?;
    let (Some(found), Some(since)) = (&found, since) else {
        return Ok(found.is_some());
    };
    let was_never_cut = value(found, 2)?;
    Ok(was_never_cut || position(found, 0)? <= since)
}

/// Ends what has to make room for one more login of the person, `joined` left out of account, and gives the
/// last position of that. Err: there is no room beside these, and nothing was ended.
async fn make_room(
    tx: &Transaction<'_>,
    limits: &Limits<'_>,
    user: UserId,
    joined: Option<Sid>,
    client_id: &ClientId,
    now: UnixMillis,
) -> Work<Result<Option<Position>, Vec<LoginWithGrants>>> {
    let mut live = rows::live_logins(tx, user, now).await?;
    live.retain(|live| Some(live.login.sid) != joined);
    let (logins, grants) = match limits.room(live, client_id) {
        Room::Full(live) => return Ok(Err(live)),
        Room::Made { logins, grants } => (logins, grants),
    };
    let logins = logins.into_iter().map(|sid| Scope::Login { sid });
    let grants = grants.into_iter().map(|sid| Scope::Grant {
        sid,
        client_id: client_id.clone(),
    });
    let ends: Vec<End> = logins.chain(grants).map(|scope| (scope, now)).collect();
    if ends.is_empty() {
        return Ok(Ok(None));
    }
    let ended = ends::end(tx, &ends).await?;
    Ok(Ok(ended.last().map(|ended| ended.position)))
}

/// Inserts a grant into a login that lives, at the head of the same moment.
pub(super) async fn insert_grant(
    client: &impl GenericClient,
    sid: Sid,
    new: NewGrant,
    now: UnixMillis,
) -> Work<Join> {
    let sql = concat!(
        "WITH at AS (SELECT ",
        login_columns!(),
        " AS over, head.epoch, head.number
           FROM head, logins l WHERE l.sid = $2
         ), granted AS (
             INSERT INTO grants (id, sid, client_id, rev_epoch, rev_number, opened_at, used_at,
                                 generation, digest, moved_at)
             SELECT $1::bytea, $2::bytea, $3::text, at.epoch, at.number, $4::bigint, $4::bigint,
                    0, $5::bytea, $4::bigint
             FROM at WHERE at.over IS NULL AND at.expires_at > $4
         )
         SELECT * FROM at"
    );
    let values: Values<'_> = &[
        &new.id.as_bytes().as_slice(),
        &sid.as_bytes().as_slice(),
        &new.client_id.as_str(),
        &now.as_millis(),
        &new.digest.as_bytes().as_slice(),
    ];
    let found = maybe_row(client, sql, values).await;
    let Some(found) = found.map_err(|fault| refused(fault, name_of_id))? else {
        return Ok(Join::Unknown);
    };
    let login = rows::read_login(&found)?;
    if !login.stands(now) {
        return Ok(Join::Ended);
    }
    let grant = new.granted(sid, position(&found, rows::LOGIN_COLUMNS)?, now);
    Ok(Join::Granted(Box::new(Standpoint { login, grant })))
}

/// The id that a constraint guards.
pub(super) fn name_of_id(constraint: &str) -> &'static str {
    if constraint.starts_with("logins") {
        "sid"
    } else {
        "grant id"
    }
}
