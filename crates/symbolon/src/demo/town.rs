//! The demo's people and apps.

use anyhow::{Result, bail, ensure};
use symbolon_server::{
    authority::{
        AddedApp, AddedUser, Admin, Authority, NewApp, NewPassword, NewUser, ports::AppChange,
    },
    login::{AppSettings, ClientId, Freshness, Identifier, Lifetimes, Role, Shape},
};

use crate::{
    commands::made_up_password,
    data::{DEMO_MARK, Data},
};

/// Who lives here, and what they use.
pub(crate) struct Town {
    pub(crate) people: Vec<Person>,
    pub(crate) apps: [TownApp; 2],
}

/// Somebody to sign in as.
pub(crate) struct Person {
    pub(crate) identifier: Identifier,
    pub(crate) password: String,
    pub(crate) roles: Vec<Role>,
}

/// An app of the demo.
pub(crate) struct TownApp {
    pub(crate) client_id: ClientId,
    pub(crate) secret: String,
    pub(crate) shape: Shape,
    pub(crate) port: u16,
}

impl TownApp {
    pub(crate) fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }
}

impl Town {
    /// Makes sure that the people and apps are there: the people with new passwords, the apps with
    /// new secrets, at `port` and the next. Refuses a directory that somebody else made.
    pub(crate) async fn settle(data: &Data, port: u16) -> Result<Self> {
        let authority = &*data.authority;
        let admin = Admin::operator();
        if !data.is_demo().await? {
            ensure!(
                authority.users(&admin, None, 1).await?.is_empty(),
                "this data directory belongs to a real authority: the demo would put people with printed \
                 passwords in it. Name another one with --data DIR"
            );
            data.directory.mark(DEMO_MARK).await?;
        }
        let mut people = Vec::new();
        for (identifier, roles) in [
            ("alice", vec![]),
            ("bob", vec![]),
            ("admin", vec![Role::ADMIN.parse()?]),
        ] {
            people.push(person(authority, &admin, identifier.parse()?, roles).await?);
        }
        let apps = [
            app(
                authority,
                &admin,
                "back-office".parse()?,
                "Back office",
                Shape::Session,
                port,
            )
            .await?,
            app(
                authority,
                &admin,
                "dashboard".parse()?,
                "Dashboard",
                Shape::Jwt,
                port.saturating_add(1),
            )
            .await?,
        ];
        Ok(Self { people, apps })
    }
}

async fn person(
    authority: &Authority,
    admin: &Admin,
    identifier: Identifier,
    roles: Vec<Role>,
) -> Result<Person> {
    let password = made_up_password()?;
    let new = NewPassword::new(password.clone())?;
    if let Some(user) = authority.user_named(admin, &identifier).await? {
        authority.set_password(admin, user.id, new).await?;
        authority.enable_user(admin, user.id).await?;
    } else {
        let user = NewUser {
            identifier: identifier.clone(),
            password: new,
            roles: roles.clone(),
        };
        if let AddedUser::Taken = authority.add_user(admin, user).await? {
            bail!("{identifier} was added by somebody else meanwhile");
        }
    }
    Ok(Person {
        identifier,
        password,
        roles,
    })
}

async fn app(
    authority: &Authority,
    admin: &Admin,
    client_id: ClientId,
    name: &str,
    shape: Shape,
    port: u16,
) -> Result<TownApp> {
    let redirect_uris = vec![format!("http://localhost:{port}/auth/callback").parse()?];
    let secret = if authority.app(&client_id).await?.is_some() {
        let change = AppChange {
            shape: Some(shape),
            redirect_uris: Some(redirect_uris),
            ..AppChange::default()
        };
        authority.change_app(admin, &client_id, change).await?;
        authority.replace_client_secret(admin, &client_id).await?
    } else {
        let settings = AppSettings {
            client_id: client_id.clone(),
            shape,
            freshness: Freshness::DEFAULT,
            lifetimes: Lifetimes::default(),
        };
        let new = NewApp {
            settings,
            name: name.to_owned(),
            limit: None,
            redirect_uris,
            confidential: true,
            first_party: true,
        };
        match authority.add_app(admin, new).await? {
            AddedApp::Added { secret, .. } => secret,
            AddedApp::Taken => None,
        }
    };
    let Some(secret) = secret else {
        bail!("the app {client_id} was changed by somebody else meanwhile")
    };
    Ok(TownApp {
        client_id,
        secret: secret.to_string(),
        shape,
        port,
    })
}
