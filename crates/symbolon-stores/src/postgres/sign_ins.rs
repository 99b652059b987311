//! New logins with their first grants: those that look at no other login, which is most, are inserted
//! together, by one statement for all that wait.

use deadpool_postgres::{GenericClient, Object};
use symbolon_authority::ports::{NewGrant, Open, Standpoint, StoreError};
use symbolon_login::{Login, Position, UnixMillis};

use super::{
    Database,
    batch::{Batched, all_failed},
    columns::{
        Values, maybe_row, number, position, refused, rows, to_columns, to_integer, to_json,
    },
    fault::{Fault, Work},
    give_back,
    opening::name_of_id,
};

/// A login to be opened with its first grant, and what of it needs a form of its own in a column.
pub(super) struct SignIn {
    login: Login,
    grant: NewGrant,
    now: UnixMillis,
    methods: String,
    idle: Option<i64>,
    since: Option<(i64, i64)>,
}

impl SignIn {
    /// Fails for what no column can hold, so that nobody else is troubled by it.
    pub(super) fn new(
        login: Login,
        grant: NewGrant,
        since: Option<Position>,
        now: UnixMillis,
    ) -> Work<Self> {
        let idle = login.idle.map(|idle| to_integer(idle.as_millis()));
        Ok(Self {
            methods: to_json(&login.methods)?,
            idle: idle.transpose()?,
            since: since.map(to_columns).transpose()?,
            login,
            grant,
            now,
        })
    }

    /// What it became at `rev`; None: the person may not sign in.
    fn done(self, rev: Option<Position>) -> Open {
        let Some(rev) = rev else {
            return Open::UserGone;
        };
        let (login, now) = (self.login, self.now);
        let grant = self.grant.granted(login.sid, rev, now);
        Open::Opened(Box::new(Standpoint { login, grant }))
    }
}

impl Batched for SignIn {
    type Done = Open;

    const PLURAL: &'static str = "sign-ins";
    const BATCH: usize = 256;
    /// They do not get in each other's way; more than two brought nothing on two cores.
    const AT_ONCE: usize = 2;

    async fn commit(database: &Database, batch: Vec<Self>) -> Vec<Result<Open, StoreError>> {
        match database.client().await {
            Ok(client) => insert_each(client, batch).await,
            Err(fault) => all_failed(batch.len(), &fault),
        }
    }
}

/// Inserts them in one statement. If one of them is refused, so is the statement: then in smaller parts,
/// until it stands alone with its refusal.
async fn insert_each(client: Object, mut batch: Vec<SignIn>) -> Vec<Result<Open, StoreError>> {
    let mut done = Vec::with_capacity(batch.len());
    let mut together = batch.len();
    while !batch.is_empty() {
        together = together.min(batch.len());
        let part = batch.get(..together).unwrap_or_default();
        match insert(&client, part).await {
            Ok(revs) => {
                let part = batch.drain(..together);
                done.extend(part.zip(revs).map(|(one, rev)| Ok(one.done(rev))));
                together *= 2;
            }
            Err(fault) if fault.is_of_the_rows() && together > 1 => together /= 2,
            Err(fault) if fault.is_of_the_rows() => {
                batch.drain(..together);
                done.push(Err(refused(fault, name_of_id).into()));
            }
            // Nothing says that the others would fare better.
            Err(fault) => {
                give_back(client, &fault);
                done.extend(all_failed(batch.len(), &fault));
                break;
            }
        }
    }
    done
}

/// Inserts one, for itself or inside a transaction.
pub(super) async fn open(client: &impl GenericClient, one: SignIn) -> Work<Open> {
    let rev = insert_one(client, &one).await;
    let rev = rev.map_err(|fault| refused(fault, name_of_id))?;
    Ok(one.done(rev))
}

/// Inserts the logins that are `asked` for with their first grants, if the people may sign in. Their
/// standing and the head are of one moment, and an end that comes after it kills by its position what it
/// cannot see.
macro_rules! inserting {
    ($asked:literal) => {
        concat!(
            "WITH at AS (
                 SELECT asked.*, head.epoch, head.number
                 FROM head, users, ",
            $asked,
            " AS asked(sid, user_id, authenticated_at, methods, device, expires_at, idle_ms,
                       remembered, since_epoch, since_number, id, client_id, now, digest, place)
                 WHERE users.id = asked.user_id AND users.disabled_at IS NULL
                 AND (since_epoch IS NULL OR users.cut_epoch IS NULL
                      OR (users.cut_epoch, users.cut_number) <= (since_epoch, since_number))
             ), opened AS (
                 INSERT INTO logins (sid, user_id, authenticated_at, methods, device,
                                     expires_at, idle_ms, remembered, rev_epoch, rev_number)
                 SELECT sid, user_id, authenticated_at, methods, device,
                        expires_at, idle_ms, remembered, epoch, number FROM at
             ), granted AS (
                 INSERT INTO grants (id, sid, client_id, rev_epoch, rev_number, opened_at,
                                     used_at, generation, digest, moved_at)
                 SELECT id, sid, client_id, epoch, number, now, now, 0, digest, now FROM at
             )
             SELECT place, epoch, number FROM at"
        )
    };
}

/// Gives the `rev` of each; none for whose person may not sign in.
async fn insert(client: &impl GenericClient, all: &[SignIn]) -> Work<Vec<Option<Position>>> {
    if let [one] = all {
        return Ok(vec![insert_one(client, one).await?]);
    }
    let sql = inserting!(
        "unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::text[], $5::text[], $6::bigint[],
                $7::bigint[], $8::boolean[], $9::bigint[], $10::bigint[], $11::bytea[],
                $12::text[], $13::bigint[], $14::bytea[]) WITH ORDINALITY"
    );
    let values: Values<'_> = &[
        &each(all, |one| one.login.sid.as_bytes().as_slice()),
        &each(all, |one| one.login.user.as_bytes().as_slice()),
        &each(all, |one| one.login.authenticated_at.as_millis()),
        &each(all, |one| one.methods.as_str()),
        &each(all, |one| one.login.device.as_deref()),
        &each(all, |one| one.login.expires_at.as_millis()),
        &each(all, |one| one.idle),
        &each(all, |one| one.login.remembered),
        &each(all, |one| one.since.map(|(epoch, _)| epoch)),
        &each(all, |one| one.since.map(|(_, number)| number)),
        &each(all, |one| one.grant.id.as_bytes().as_slice()),
        &each(all, |one| one.grant.client_id.as_str()),
        &each(all, |one| one.now.as_millis()),
        &each(all, |one| one.grant.digest.as_bytes().as_slice()),
    ];
    let mut revs = vec![None; all.len()];
    for row in rows(client, sql, values).await? {
        let place: usize = number(&row, 0)?;
        let rev = revs.get_mut(place.wrapping_sub(1));
        *rev.ok_or_else(|| Fault::damaged("a login opened that nobody asked for"))? =
            Some(position(&row, 1)?);
    }
    Ok(revs)
}

/// The same without the arrays, which would make somebody who is alone wait 6 to 9 percent longer.
async fn insert_one(client: &impl GenericClient, one: &SignIn) -> Work<Option<Position>> {
    let sql = inserting!(
        "(VALUES ($1::bytea, $2::bytea, $3::bigint, $4::text, $5::text, $6::bigint,
                  $7::bigint, $8::boolean, $9::bigint, $10::bigint, $11::bytea,
                  $12::text, $13::bigint, $14::bytea, 1::bigint))"
    );
    let values: Values<'_> = &[
        &one.login.sid.as_bytes().as_slice(),
        &one.login.user.as_bytes().as_slice(),
        &one.login.authenticated_at.as_millis(),
        &one.methods,
        &one.login.device,
        &one.login.expires_at.as_millis(),
        &one.idle,
        &one.login.remembered,
        &one.since.map(|(epoch, _)| epoch),
        &one.since.map(|(_, number)| number),
        &one.grant.id.as_bytes().as_slice(),
        &one.grant.client_id.as_str(),
        &one.now.as_millis(),
        &one.grant.digest.as_bytes().as_slice(),
    ];
    let opened = maybe_row(client, sql, values).await?;
    opened.map(|row| position(&row, 1)).transpose()
}

/// One column of them all.
fn each<'a, T>(all: &'a [SignIn], value: impl Fn(&'a SignIn) -> T) -> Vec<T> {
    all.iter().map(value).collect()
}
