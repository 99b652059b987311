//! Users, apps and keys in SQLite.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Result as Read, Row, params, types::Type};
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

use super::{
    Sqlite,
    columns::{
        bytes, insert, json, maybe_json, maybe_time, span, text, time, to_integer, to_json, unfit,
    },
    fault::Work,
    log,
    writer::Transaction,
};

#[async_trait]
impl Directory for Sqlite {
    async fn add_user(&self, user: User, password: PasswordHash) -> Result<AddUser, StoreError> {
        self.write(move |tx| add_user(tx, &user, &password)).await
    }

    async fn add_first_admin(
        &self,
        user: User,
        password: PasswordHash,
    ) -> Result<Option<AddUser>, StoreError> {
        self.write(move |tx| {
            let sql = "SELECT 1 FROM user WHERE is_admin = 1";
            if tx.conn().prepare_cached(sql)?.exists([])? {
                return Ok(None);
            }
            add_user(tx, &user, &password).map(Some)
        })
        .await
    }

    async fn has_admin(&self) -> Result<bool, StoreError> {
        self.read(|conn| {
            let sql = "SELECT 1 FROM user WHERE is_admin = 1";
            Ok(conn.prepare_cached(sql)?.exists([])?)
        })
        .await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.read(move |conn| {
            let sql = "SELECT id, identifier, roles, policy, created_at, disabled_at FROM user
                       WHERE id = ?1";
            let mut found = conn.prepare_cached(sql)?;
            Ok(found.query_row([id.as_bytes()], read_user).optional()?)
        })
        .await
    }

    async fn user_to_verify(
        &self,
        identifier: &Identifier,
    ) -> Result<Option<(User, PasswordHash)>, StoreError> {
        let identifier = identifier.clone();
        self.read(move |conn| {
            let sql =
                "SELECT id, identifier, roles, policy, created_at, disabled_at, password FROM user
                       WHERE identifier = ?1";
            let mut found = conn.prepare_cached(sql)?;
            let found = found.query_row([identifier.as_str()], |row| {
                Ok((read_user(row)?, PasswordHash::from_phc(row.get(6)?)))
            });
            Ok(found.optional()?)
        })
        .await
    }

    async fn users(&self, after: Option<Identifier>, limit: u32) -> Result<Vec<User>, StoreError> {
        self.read(move |conn| {
            // No identifier is empty: all come after the empty text.
            let after = after.as_ref().map_or("", Identifier::as_str);
            let sql = "SELECT id, identifier, roles, policy, created_at, disabled_at FROM user
                       WHERE identifier > ?1 ORDER BY identifier LIMIT ?2";
            let mut users = conn.prepare_cached(sql)?;
            let users = users.query_map(params![after, limit], read_user)?;
            Ok(users.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn set_password(
        &self,
        id: UserId,
        password: PasswordHash,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError> {
        self.whole_roll().await?;
        self.write(move |tx| {
            tx.welcome().forget(id);
            let sql = "UPDATE user SET password = ?2 WHERE id = ?1";
            let row = params![id.as_bytes(), password.expose()];
            let there = tx.conn().prepare_cached(sql)?.execute(row)? > 0;
            there
                .then(|| log::end(tx, Scope::User { user: id }, now))
                .transpose()
        })
        .await
    }

    async fn set_roles(
        &self,
        id: UserId,
        roles: Vec<Role>,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError> {
        self.whole_roll().await?;
        self.write(move |tx| {
            tx.welcome().forget(id);
            let sql = "UPDATE user SET roles = ?2, is_admin = ?3 WHERE id = ?1";
            let row = params![
                id.as_bytes(),
                to_json(&roles)?,
                User::runs_authority(&roles)
            ];
            let there = tx.conn().prepare_cached(sql)?.execute(row)? > 0;
            there
                .then(|| log::end(tx, Scope::User { user: id }, now))
                .transpose()
        })
        .await
    }

    async fn set_login_policy(&self, id: UserId, policy: LoginPolicy) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let sql = "UPDATE user SET policy = ?2 WHERE id = ?1";
            let row = params![id.as_bytes(), to_json(&policy)?];
            Ok(tx.conn().prepare_cached(sql)?.execute(row)? > 0)
        })
        .await
    }

    async fn disable_user(&self, id: UserId, now: UnixMillis) -> Result<Option<Ended>, StoreError> {
        self.whole_roll().await?;
        self.write(move |tx| {
            tx.welcome().forget(id);
            let sql = "UPDATE user SET disabled_at = coalesce(disabled_at, ?2) WHERE id = ?1";
            let row = params![id.as_bytes(), now.as_millis()];
            let there = tx.conn().prepare_cached(sql)?.execute(row)? > 0;
            there
                .then(|| log::end(tx, Scope::User { user: id }, now))
                .transpose()
        })
        .await
    }

    async fn enable_user(&self, id: UserId) -> Result<bool, StoreError> {
        self.write(move |tx| {
            tx.welcome().forget(id);
            let sql = "UPDATE user SET disabled_at = NULL WHERE id = ?1";
            Ok(tx.conn().prepare_cached(sql)?.execute([id.as_bytes()])? > 0)
        })
        .await
    }

    async fn add_app(&self, app: App, now: UnixMillis) -> Result<AddApp, StoreError> {
        self.write(move |tx| {
            let client_id = app.settings.client_id.as_str();
            let sql = "SELECT 1 FROM app WHERE client_id = ?1";
            if tx.conn().prepare_cached(sql)?.exists([client_id])? {
                return Ok(AddApp::Taken);
            }
            write_app(tx.conn(), &app)?;
            let settings = app.settings.clone();
            tx.append(&Change::App { settings }, now).map(AddApp::Added)
        })
        .await
    }

    async fn change_app(
        &self,
        client_id: &ClientId,
        change: AppChange,
        now: UnixMillis,
    ) -> Result<Option<(App, Position)>, StoreError> {
        let client_id = client_id.clone();
        self.write(move |tx| {
            let Some(mut app) = find_app(tx.conn(), &client_id)? else {
                return Ok(None);
            };
            change.clone().apply(&mut app);
            write_app(tx.conn(), &app)?;
            let settings = app.settings.clone();
            let position = tx.append(&Change::App { settings }, now)?;
            Ok(Some((app, position)))
        })
        .await
    }

    async fn app(&self, client_id: &ClientId) -> Result<Option<App>, StoreError> {
        let client_id = client_id.clone();
        self.read(move |conn| find_app(conn, &client_id)).await
    }

    async fn apps(&self) -> Result<Vec<App>, StoreError> {
        self.read(all_apps).await
    }

    async fn add_first_key(
        &self,
        key: StoredKey,
        now: UnixMillis,
    ) -> Result<Option<Position>, StoreError> {
        self.write(move |tx| {
            let sql = "SELECT 1 FROM signing_key WHERE algorithm = ?1";
            if tx.conn().prepare_cached(sql)?.exists([&key.algorithm])? {
                return Ok(None);
            }
            write_key(tx.conn(), &key)?;
            let jwk = key.public_jwk.clone();
            tx.append(&Change::KeyAdded { jwk }, now).map(Some)
        })
        .await
    }

    async fn change_keys(
        &self,
        change: KeyChange,
        now: UnixMillis,
    ) -> Result<ChangeKeys, StoreError> {
        self.write(move |tx| {
            if key_ids(tx.conn())? != change.seen {
                return Ok(ChangeKeys::Overtaken);
            }
            if let Some(key) = &change.add {
                write_key(tx.conn(), key)?;
            }
            for kid in change.removed() {
                let sql = "DELETE FROM signing_key WHERE kid = ?1";
                tx.conn().prepare_cached(sql)?.execute([kid.as_str()])?;
            }
            let mut position = tx.head();
            for entry in change.entries() {
                position = tx.append(&entry, now)?;
            }
            Ok(ChangeKeys::Changed(position))
        })
        .await
    }

    async fn keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        self.read(|conn| {
            let sql = "SELECT kid, algorithm, public_jwk, sealed, created_at FROM signing_key
                       ORDER BY created_at, kid";
            let mut keys = conn.prepare_cached(sql)?;
            let keys = keys.query_map([], read_key)?;
            Ok(keys.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn mark(&self, what: &str) -> Result<(), StoreError> {
        let what = what.to_owned();
        self.write(move |tx| {
            let sql = "INSERT INTO mark (name) VALUES (?1) ON CONFLICT DO NOTHING";
            tx.conn().prepare_cached(sql)?.execute([&what])?;
            Ok(())
        })
        .await
    }

    async fn is_marked(&self, what: &str) -> Result<bool, StoreError> {
        let what = what.to_owned();
        self.read(move |conn| {
            let sql = "SELECT 1 FROM mark WHERE name = ?1";
            Ok(conn.prepare_cached(sql)?.exists([what])?)
        })
        .await
    }
}

fn add_user(tx: &Transaction<'_>, user: &User, password: &PasswordHash) -> Work<AddUser> {
    let sql = "SELECT 1 FROM user WHERE identifier = ?1";
    let identifier = user.identifier.as_str();
    if tx.conn().prepare_cached(sql)?.exists([identifier])? {
        return Ok(AddUser::Taken);
    }
    write_user(tx, user, password, None)?;
    Ok(AddUser::Added)
}

/// Inserts a row with all its columns.
pub(super) fn write_user(
    tx: &Transaction<'_>,
    user: &User,
    password: &PasswordHash,
    cut: Option<Position>,
) -> Work<()> {
    let sql = "INSERT INTO user
               (id, identifier, roles, policy, is_admin, password, created_at, disabled_at,
                cut_epoch, cut_number)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let cut_number = cut.map(|cut| to_integer(cut.number())).transpose()?;
    let row = params![
        user.id.as_bytes(),
        user.identifier.as_str(),
        to_json(&user.roles)?,
        to_json(&user.policy)?,
        user.is_admin(),
        password.expose(),
        user.created_at.as_millis(),
        user.disabled_at.map(UnixMillis::as_millis),
        cut.map(Position::epoch),
        cut_number,
    ];
    tx.welcome().forget(user.id);
    insert(tx.conn(), sql, "user id", row)
}

fn key_ids(conn: &Connection) -> Work<BTreeSet<KeyId>> {
    let mut present = conn.prepare_cached("SELECT kid FROM signing_key")?;
    let present = present.query_map([], |row| text(row, 0))?;
    Ok(present.collect::<Result<_, _>>()?)
}

/// Inserts a signing key.
pub(super) fn write_key(conn: &Connection, key: &StoredKey) -> Work<()> {
    let sql = "INSERT INTO signing_key (kid, algorithm, public_jwk, sealed, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let row = params![
        key.kid.as_str(),
        key.algorithm,
        to_json(&key.public_jwk)?,
        key.sealed,
        key.created_at.as_millis(),
    ];
    insert(conn, sql, "key id", row)
}

/// Reads the columns kid, algorithm, `public_jwk`, sealed, `created_at`.
pub(super) fn read_key(row: &Row<'_>) -> Read<StoredKey> {
    Ok(StoredKey {
        kid: text(row, 0)?,
        algorithm: row.get(1)?,
        public_jwk: json(row, 2)?,
        sealed: row.get(3)?,
        created_at: time(row, 4)?,
    })
}

/// Reads the columns id, identifier, roles, policy, `created_at`, `disabled_at`.
pub(super) fn read_user(row: &Row<'_>) -> Read<User> {
    Ok(User {
        id: bytes(row, 0).map(UserId::from_bytes)?,
        identifier: text(row, 1)?,
        roles: json(row, 2)?,
        policy: json(row, 3)?,
        created_at: time(row, 4)?,
        disabled_at: maybe_time(row, 5)?,
    })
}

/// The columns of an app, in the order in which [`read_app`] takes them.
macro_rules! app_columns {
    () => {
        "client_id, name, shape, freshness, idle_ms, absolute_ms, access_token_ms, grace_ms, \
         redirect_uris, secret, first_party, created_at, login_limit"
    };
}

pub(super) use app_columns;

/// All apps in order of their ids.
pub(super) fn all_apps(conn: &Connection) -> Work<Vec<App>> {
    let sql = concat!("SELECT ", app_columns!(), " FROM app ORDER BY client_id");
    let mut apps = conn.prepare_cached(sql)?;
    let apps = apps.query_map([], read_app)?;
    Ok(apps.collect::<Result<_, _>>()?)
}

fn find_app(conn: &Connection, client_id: &ClientId) -> Work<Option<App>> {
    let sql = concat!("SELECT ", app_columns!(), " FROM app WHERE client_id = ?1");
    let mut found = conn.prepare_cached(sql)?;
    let found = found.query_row([client_id.as_str()], read_app);
    Ok(found.optional()?)
}

/// Writes the whole row, whether it is there or not.
pub(super) fn write_app(conn: &Connection, app: &App) -> Work<()> {
    let settings = &app.settings;
    let lifetimes = &settings.lifetimes;
    let sql = concat!(
        "INSERT OR REPLACE INTO app (",
        app_columns!(),
        ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
    );
    conn.prepare_cached(sql)?.execute(params![
        settings.client_id.as_str(),
        app.name,
        settings.shape.to_string(),
        settings.freshness.to_string(),
        to_integer(lifetimes.idle().as_millis())?,
        to_integer(lifetimes.absolute().as_millis())?,
        to_integer(lifetimes.access_token().as_millis())?,
        to_integer(lifetimes.grace().as_millis())?,
        to_json(&app.redirect_uris)?,
        app.secret.as_ref().map(Digest::as_bytes),
        app.first_party,
        app.created_at.as_millis(),
        app.limit.as_ref().map(to_json).transpose()?,
    ])?;
    Ok(())
}

pub(super) fn read_app(row: &Row<'_>) -> Read<App> {
    let lifetimes = Lifetimes::new(span(row, 4)?, span(row, 5)?, span(row, 6)?, span(row, 7)?)
        .map_err(|why| unfit(4, Type::Integer, why.to_string()))?;
    let secret = row.get::<_, Option<[u8; 32]>>(9)?;
    Ok(App {
        settings: AppSettings {
            client_id: text(row, 0)?,
            shape: text(row, 2)?,
            freshness: text(row, 3)?,
            lifetimes,
        },
        name: row.get(1)?,
        limit: maybe_json(row, 12)?,
        redirect_uris: json(row, 8)?,
        secret: secret.map(Digest::from_bytes),
        first_party: row.get(10)?,
        created_at: time(row, 11)?,
    })
}
