//! Users, apps and keys in PostgreSQL.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use deadpool_postgres::GenericClient;
use symbolon_authority::{
    App, PasswordHash, User,
    ports::{
        AddApp, AddUser, AppChange, ChangeKeys, Directory, Ended, KeyChange, StoreError, StoredKey,
    },
};
use symbolon_login::{
    AppSettings, Change, ClientId, Digest, Identifier, KeyId, Lifetimes, LoginPolicy, Position,
    Role, Scope, UnixMillis, UserId,
};
use tokio_postgres::{Row, types::ToSql};

use super::{
    Postgres, Transaction,
    columns::{
        Values, bytes, execute, json, maybe_json, maybe_row, maybe_time, refused, rows, span, text,
        time, to_columns, to_integer, to_json, value,
    },
    ends,
    fault::{Fault, Work},
    log,
};

/// The columns of a user, in the order in which [`read_user`] takes them.
macro_rules! user_columns {
    () => {
        "id, identifier, roles, policy, created_at, disabled_at"
    };
}

/// The columns of an app, in the order in which [`read_app`] takes them.
macro_rules! app_columns {
    () => {
        "client_id, name, shape, freshness, idle_ms, absolute_ms, access_token_ms, grace_ms, \
         redirect_uris, secret, first_party, created_at, login_limit"
    };
}
pub(super) use app_columns;

#[async_trait]
impl Directory for Postgres {
    async fn add_user(&self, user: User, password: PasswordHash) -> Result<AddUser, StoreError> {
        let client = self.database.client().await?;
        Ok(add_user(&client, &user, &password).await?)
    }

    async fn add_first_admin(
        &self,
        user: User,
        password: PasswordHash,
    ) -> Result<Option<AddUser>, StoreError> {
        self.transact(|tx| {
            let (user, password) = (user.clone(), password.clone());
            Box::pin(async move {
                log::lock(tx).await?;
                if has_admin(tx).await? {
                    return Ok(None);
                }
                add_user(tx, &user, &password).await.map(Some)
            })
        })
        .await
    }

    async fn has_admin(&self) -> Result<bool, StoreError> {
        let client = self.database.client().await?;
        Ok(has_admin(&client).await?)
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let client = self.database.client().await?;
        let sql = concat!("SELECT ", user_columns!(), " FROM users WHERE id = $1");
        let found = maybe_row(&client, sql, &[&id.as_bytes().as_slice()]).await?;
        Ok(found.as_ref().map(read_user).transpose()?)
    }

    async fn user_to_verify(
        &self,
        identifier: &Identifier,
    ) -> Result<Option<(User, PasswordHash)>, StoreError> {
        let client = self.database.client().await?;
        let sql = concat!(
            "SELECT ",
            user_columns!(),
            ", password FROM users WHERE identifier = $1"
        );
        let Some(found) = maybe_row(&client, sql, &[&identifier.as_str()]).await? else {
            return Ok(None);
        };
        let password = PasswordHash::from_phc(value(&found, 6)?);
        Ok(Some((read_user(&found)?, password)))
    }

    async fn users(&self, after: Option<Identifier>, limit: u32) -> Result<Vec<User>, StoreError> {
        let client = self.database.client().await?;
        // No identifier is empty: all come after the empty text.
        let after = after.as_ref().map_or("", Identifier::as_str);
        let sql = concat!(
            "SELECT ",
            user_columns!(),
            " FROM users WHERE identifier > $1 ORDER BY identifier LIMIT $2"
        );
        let users = rows(&client, sql, &[&after, &i64::from(limit)]).await?;
        Ok(users.iter().map(read_user).collect::<Work<_>>()?)
    }

    async fn set_password(
        &self,
        id: UserId,
        password: PasswordHash,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError> {
        let sql = "UPDATE users SET password = $2 WHERE id = $1";
        let row: Owned = vec![id_value(id), Box::new(password.expose().to_owned())];
        self.change_and_end(id, sql, row, now).await
    }

    async fn set_roles(
        &self,
        id: UserId,
        roles: Vec<Role>,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError> {
        let sql = "UPDATE users SET roles = $2, is_admin = $3 WHERE id = $1";
        let is_admin = User::runs_authority(&roles);
        let row: Owned = vec![id_value(id), Box::new(to_json(&roles)?), Box::new(is_admin)];
        self.change_and_end(id, sql, row, now).await
    }

    async fn set_login_policy(&self, id: UserId, policy: LoginPolicy) -> Result<bool, StoreError> {
        let client = self.database.client().await?;
        let sql = "UPDATE users SET policy = $2 WHERE id = $1";
        let row: Values<'_> = &[&id.as_bytes().as_slice(), &to_json(&policy)?];
        Ok(execute(&client, sql, row).await? > 0)
    }

    async fn disable_user(&self, id: UserId, now: UnixMillis) -> Result<Option<Ended>, StoreError> {
        let sql = "UPDATE users SET disabled_at = coalesce(disabled_at, $2) WHERE id = $1";
        let row: Owned = vec![id_value(id), Box::new(now.as_millis())];
        self.change_and_end(id, sql, row, now).await
    }

    async fn enable_user(&self, id: UserId) -> Result<bool, StoreError> {
        let client = self.database.client().await?;
        let sql = "UPDATE users SET disabled_at = NULL WHERE id = $1";
        Ok(execute(&client, sql, &[&id.as_bytes().as_slice()]).await? > 0)
    }

    async fn add_app(&self, app: App, now: UnixMillis) -> Result<AddApp, StoreError> {
        let added = self
            .transact(|tx| {
                let app = app.clone();
                Box::pin(async move {
                    let sql = concat!(
                        "INSERT INTO apps (",
                        app_columns!(),
                        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                         ON CONFLICT DO NOTHING"
                    );
                    if write_app(tx, sql, &app).await? == 0 {
                        return Ok(AddApp::Taken);
                    }
                    let settings = app.settings;
                    let change = (Change::App { settings }, now);
                    log::append(tx, &[change]).await.map(AddApp::Added)
                })
            })
            .await?;
        if let AddApp::Added(position) = added {
            self.announce(Some(position));
        }
        Ok(added)
    }

    async fn change_app(
        &self,
        client_id: &ClientId,
        change: AppChange,
        now: UnixMillis,
    ) -> Result<Option<(App, Position)>, StoreError> {
        let changed = self
            .transact(|tx| {
                let (client_id, change) = (client_id.clone(), change.clone());
                Box::pin(async move {
                    let sql = concat!(
                        "SELECT ",
                        app_columns!(),
                        " FROM apps WHERE client_id = $1 FOR UPDATE"
                    );
                    let Some(found) = maybe_row(tx, sql, &[&client_id.as_str()]).await? else {
                        return Ok(None);
                    };
                    let mut app = read_app(&found)?;
                    change.apply(&mut app);
                    let sql = concat!(
                        "UPDATE apps SET (",
                        app_columns!(),
                        ") = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                         WHERE client_id = $1"
                    );
                    write_app(tx, sql, &app).await?;
                    let settings = app.settings.clone();
                    let position = log::append(tx, &[(Change::App { settings }, now)]).await?;
                    Ok(Some((app, position)))
                })
            })
            .await?;
        self.announce(changed.as_ref().map(|(_, position)| *position));
        Ok(changed)
    }

    async fn app(&self, client_id: &ClientId) -> Result<Option<App>, StoreError> {
        let client = self.database.client().await?;
        let sql = concat!("SELECT ", app_columns!(), " FROM apps WHERE client_id = $1");
        let found = maybe_row(&client, sql, &[&client_id.as_str()]).await?;
        Ok(found.as_ref().map(read_app).transpose()?)
    }

    async fn apps(&self) -> Result<Vec<App>, StoreError> {
        let client = self.database.client().await?;
        Ok(all_apps(&client).await?)
    }

    async fn add_first_key(
        &self,
        key: StoredKey,
        now: UnixMillis,
    ) -> Result<Option<Position>, StoreError> {
        let added = self
            .transact(|tx| Box::pin(add_first_key(tx, key.clone(), now)))
            .await?;
        self.announce(added);
        Ok(added)
    }

    async fn change_keys(
        &self,
        change: KeyChange,
        now: UnixMillis,
    ) -> Result<ChangeKeys, StoreError> {
        let changed = self
            .transact(|tx| Box::pin(change_keys(tx, change.clone(), now)))
            .await?;
        if let ChangeKeys::Changed(position) = changed {
            self.announce(Some(position));
        }
        Ok(changed)
    }

    async fn keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let client = self.database.client().await?;
        let sql = "SELECT kid, algorithm, public_jwk, sealed, created_at FROM signing_keys
                   ORDER BY created_at, kid";
        let keys = rows(&client, sql, &[]).await?;
        Ok(keys.iter().map(read_key).collect::<Work<_>>()?)
    }

    async fn mark(&self, what: &str) -> Result<(), StoreError> {
        // A write takes along the uses that wait.
        self.database.write_uses().await?;
        let client = self.database.client().await?;
        let sql = "INSERT INTO marks (name) VALUES ($1) ON CONFLICT DO NOTHING";
        execute(&client, sql, &[&what]).await?;
        Ok(())
    }

    async fn is_marked(&self, what: &str) -> Result<bool, StoreError> {
        let client = self.database.client().await?;
        let sql = "SELECT 1 FROM marks WHERE name = $1";
        Ok(maybe_row(&client, sql, &[&what]).await?.is_some())
    }
}

/// The values of a statement that may run more than once.
type Owned = Vec<Box<dyn ToSql + Send + Sync>>;

fn id_value(id: UserId) -> Box<dyn ToSql + Send + Sync> {
    Box::new(id.as_bytes().to_vec())
}

impl Postgres {
    /// Changes a user's row and ends all their logins, in one transaction. None: no such user.
    async fn change_and_end(
        &self,
        id: UserId,
        sql: &'static str,
        row: Owned,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError> {
        let row = Arc::new(row);
        let ended = self
            .transact(|tx| Box::pin(change_and_end(tx, id, sql, Arc::clone(&row), now)))
            .await?;
        self.announce(ended.map(|ended| ended.position));
        Ok(ended)
    }
}

async fn change_and_end(
    tx: &Transaction<'_>,
    id: UserId,
    sql: &str,
    row: Arc<Owned>,
    now: UnixMillis,
) -> Work<Option<Ended>> {
    let row: Vec<&(dyn ToSql + Sync)> = row.iter().map(|value| &**value as _).collect();
    if execute(tx, sql, &row).await? == 0 {
        return Ok(None);
    }
    let ended = ends::end(tx, &[(Scope::User { user: id }, now)]).await?;
    Ok(ended.into_iter().next())
}

async fn has_admin(client: &impl GenericClient) -> Work<bool> {
    let sql = "SELECT 1 FROM users WHERE is_admin LIMIT 1";
    Ok(maybe_row(client, sql, &[]).await?.is_some())
}

async fn add_user(
    client: &impl GenericClient,
    user: &User,
    password: &PasswordHash,
) -> Work<AddUser> {
    let added = write_user(client, user, password, None).await;
    match added.map_err(|fault| refused(fault, |_| "user id"))? {
        0 => Ok(AddUser::Taken),
        _ => Ok(AddUser::Added),
    }
}

/// Inserts a row with all its columns, unless the identifier is taken. Gives how many were written.
pub(super) async fn write_user(
    client: &impl GenericClient,
    user: &User,
    password: &PasswordHash,
    cut: Option<Position>,
) -> Work<u64> {
    let sql = "INSERT INTO users
               (id, identifier, roles, policy, is_admin, password, created_at, disabled_at,
                cut_epoch, cut_number, cut_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
               ON CONFLICT (identifier) DO NOTHING";
    let (cut_epoch, cut_number) = cut.map(to_columns).transpose()?.unzip();
    // When it was is not known here; all that it ended is marked.
    let cut_at = cut.map(|_| user.created_at.as_millis());
    let row: Values<'_> = &[
        &user.id.as_bytes().as_slice(),
        &user.identifier.as_str(),
        &to_json(&user.roles)?,
        &to_json(&user.policy)?,
        &user.is_admin(),
        &password.expose(),
        &user.created_at.as_millis(),
        &user.disabled_at.map(UnixMillis::as_millis),
        &cut_epoch,
        &cut_number,
        &cut_at,
    ];
    execute(client, sql, row).await
}

/// Nobody else adds a key meanwhile: the log is held.
async fn add_first_key(
    tx: &Transaction<'_>,
    key: StoredKey,
    now: UnixMillis,
) -> Work<Option<Position>> {
    log::lock(tx).await?;
    let sql = "SELECT 1 FROM signing_keys WHERE algorithm = $1";
    if maybe_row(tx, sql, &[&key.algorithm]).await?.is_some() {
        return Ok(None);
    }
    let added = write_key(tx, &key).await;
    added.map_err(|fault| refused(fault, |_| "key id"))?;
    let jwk = key.public_jwk;
    let position = log::append(tx, &[(Change::KeyAdded { jwk }, now)]).await?;
    Ok(Some(position))
}

/// Nobody else changes keys meanwhile: the log is held.
async fn change_keys(tx: &Transaction<'_>, change: KeyChange, now: UnixMillis) -> Work<ChangeKeys> {
    let head = log::lock(tx).await?;
    let present = rows(tx, "SELECT kid FROM signing_keys", &[]).await?;
    let present = present.iter().map(|row| text(row, 0));
    if present.collect::<Work<BTreeSet<KeyId>>>()? != change.seen {
        return Ok(ChangeKeys::Overtaken);
    }
    if let Some(key) = &change.add {
        let added = write_key(tx, key).await;
        added.map_err(|fault| refused(fault, |_| "key id"))?;
    }
    for kid in change.removed() {
        let sql = "DELETE FROM signing_keys WHERE kid = $1";
        execute(tx, sql, &[&kid.as_str()]).await?;
    }
    let entries: Vec<_> = change
        .entries()
        .into_iter()
        .map(|entry| (entry, now))
        .collect();
    let mut position = head;
    if !entries.is_empty() {
        position = log::append(tx, &entries).await?;
        for _ in entries.iter().skip(1) {
            position = position.next();
        }
    }
    Ok(ChangeKeys::Changed(position))
}

/// Inserts a signing key.
pub(super) async fn write_key(tx: &Transaction<'_>, key: &StoredKey) -> Work<u64> {
    let sql = "INSERT INTO signing_keys (kid, algorithm, public_jwk, sealed, created_at)
               VALUES ($1, $2, $3, $4, $5)";
    let row: Values<'_> = &[
        &key.kid.as_str(),
        &key.algorithm,
        &to_json(&key.public_jwk)?,
        &key.sealed,
        &key.created_at.as_millis(),
    ];
    execute(tx, sql, row).await
}

/// Reads the columns kid, algorithm, `public_jwk`, sealed, `created_at`.
pub(super) fn read_key(row: &Row) -> Work<StoredKey> {
    Ok(StoredKey {
        kid: text(row, 0)?,
        algorithm: value(row, 1)?,
        public_jwk: json(row, 2)?,
        sealed: value(row, 3)?,
        created_at: time(row, 4)?,
    })
}

/// Reads the columns id, identifier, roles, policy, `created_at`, `disabled_at`.
pub(super) fn read_user(row: &Row) -> Work<User> {
    Ok(User {
        id: bytes(row, 0).map(UserId::from_bytes)?,
        identifier: text(row, 1)?,
        roles: json(row, 2)?,
        policy: json(row, 3)?,
        created_at: time(row, 4)?,
        disabled_at: maybe_time(row, 5)?,
    })
}

/// All apps in order of their ids.
pub(super) async fn all_apps(client: &impl GenericClient) -> Work<Vec<App>> {
    let sql = concat!("SELECT ", app_columns!(), " FROM apps ORDER BY client_id");
    rows(client, sql, &[]).await?.iter().map(read_app).collect()
}

pub(super) async fn write_app(tx: &Transaction<'_>, sql: &str, app: &App) -> Work<u64> {
    let settings = &app.settings;
    let lifetimes = &settings.lifetimes;
    let row: Values<'_> = &[
        &settings.client_id.as_str(),
        &app.name,
        &settings.shape.to_string(),
        &settings.freshness.to_string(),
        &to_integer(lifetimes.idle().as_millis())?,
        &to_integer(lifetimes.absolute().as_millis())?,
        &to_integer(lifetimes.access_token().as_millis())?,
        &to_integer(lifetimes.grace().as_millis())?,
        &to_json(&app.redirect_uris)?,
        &app.secret
            .as_ref()
            .map(|secret| secret.as_bytes().as_slice()),
        &app.first_party,
        &app.created_at.as_millis(),
        &app.limit.as_ref().map(to_json).transpose()?,
    ];
    execute(tx, sql, row).await
}

pub(super) fn read_app(row: &Row) -> Work<App> {
    let lifetimes = Lifetimes::new(span(row, 4)?, span(row, 5)?, span(row, 6)?, span(row, 7)?)
        .map_err(|why| Fault::damaged(why.to_string()))?;
    let secret = value::<Option<&[u8]>>(row, 9)?;
    let secret = secret.map(|_| bytes(row, 9).map(Digest::from_bytes));
    Ok(App {
        settings: AppSettings {
            client_id: text(row, 0)?,
            shape: text(row, 2)?,
            freshness: text(row, 3)?,
            lifetimes,
        },
        name: value(row, 1)?,
        limit: maybe_json(row, 12)?,
        redirect_uris: json(row, 8)?,
        secret: secret.transpose()?,
        first_party: value(row, 10)?,
        created_at: time(row, 11)?,
    })
}
