//! Stories of apps: register, find, turn the dials.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use symbolon_login::{AppSettings, ClientId, Digest, Freshness, Lifetimes, LoginLimit, Shape};
use zeroize::Zeroizing;

use crate::{
    Admin, App, Authority, Failure, RedirectUri,
    ports::{AddApp, AppChange},
};

const CLIENT_SECRET: &str = "client secret";
const CLIENT_SECRET_PREFIX: &str = "sym_c_";

/// An app to be registered.
pub struct NewApp {
    /// Its dials and lifetimes.
    pub settings: AppSettings,
    /// The name that people see.
    pub name: String,
    /// How many logins a person may have in it at once.
    pub limit: Option<LoginLimit>,
    /// Where codes may be sent.
    pub redirect_uris: Vec<RedirectUri>,
    /// Whether it can keep a secret (RFC 6749 section 2.1).
    pub confidential: bool,
    /// Whether it is the operator's own.
    pub first_party: bool,
}

/// What became of it.
pub enum AddedApp {
    /// There now.
    Added {
        /// As registered.
        app: Box<App>,
        /// Its client secret, shown this once; none for a public client.
        secret: Option<Zeroizing<String>>,
    },
    /// That client id is in use.
    Taken,
}

/// What became of a change.
pub enum ChangedApp {
    /// The app as it is now.
    Changed(Box<App>),
    /// No such app.
    Unknown,
    /// The authority's own pages stay a session that is asked live, or nobody could sign in to them
    /// to change it back.
    Console,
}

impl Authority {
    /// Registers an app.
    pub async fn add_app(&self, admin: &Admin, new: NewApp) -> Result<AddedApp, Failure> {
        let now = self.now();
        let secret = if new.confidential {
            Some(self.new_client_secret()?)
        } else {
            None
        };
        let app = App {
            settings: new.settings,
            name: new.name,
            limit: new.limit,
            redirect_uris: new.redirect_uris,
            secret: secret.as_ref().map(|secret| digest(secret)),
            first_party: new.first_party,
            created_at: now,
        };
        Ok(match self.directory.add_app(app.clone(), now).await? {
            AddApp::Added(position) => {
                tracing::info!(%admin, client_id = %app.settings.client_id, %position, "app added");
                AddedApp::Added {
                    app: Box::new(app),
                    secret,
                }
            }
            AddApp::Taken => AddedApp::Taken,
        })
    }

    /// Changes an app's settings on the running system: a flip of its shape signs nobody out, each
    /// credential takes the new shape at its next use.
    pub async fn change_app(
        &self,
        admin: &Admin,
        client_id: &ClientId,
        change: AppChange,
    ) -> Result<ChangedApp, Failure> {
        if *client_id == self.console {
            return Ok(ChangedApp::Console);
        }
        let changed = self
            .directory
            .change_app(client_id, change, self.now())
            .await?;
        let Some((app, position)) = changed else {
            return Ok(ChangedApp::Unknown);
        };
        let AppSettings {
            shape, freshness, ..
        } = &app.settings;
        tracing::info!(%admin, %client_id, %shape, %freshness, %position, "app changed");
        Ok(ChangedApp::Changed(Box::new(app)))
    }

    /// Gives a confidential app a new client secret, shown this once; the old one is good no longer.
    /// None: no such app, or a public client.
    pub async fn replace_client_secret(
        &self,
        admin: &Admin,
        client_id: &ClientId,
    ) -> Result<Option<Zeroizing<String>>, Failure> {
        if self
            .directory
            .app(client_id)
            .await?
            .is_none_or(|app| app.secret.is_none())
        {
            return Ok(None);
        }
        let secret = self.new_client_secret()?;
        let change = AppChange {
            secret: Some(digest(&secret)),
            ..AppChange::default()
        };
        let changed = self.change_app(admin, client_id, change).await?;
        Ok(matches!(changed, ChangedApp::Changed(_)).then_some(secret))
    }

    /// All apps in order of their ids.
    pub async fn apps(&self, _admin: &Admin) -> Result<Vec<App>, Failure> {
        Ok(self.directory.apps().await?)
    }

    /// An app by its id: to be shown by name on the sign-in page, or to check a request of its own.
    pub async fn app(&self, client_id: &ClientId) -> Result<Option<App>, Failure> {
        Ok(self.directory.app(client_id).await?)
    }

    /// The app, if it is one and proves it: a confidential client by its secret, a public one by
    /// showing none (RFC 6749 section 2.3).
    pub async fn authenticate_client(
        &self,
        client_id: &ClientId,
        secret: Option<&str>,
    ) -> Result<Option<App>, Failure> {
        let Some(app) = self.directory.app(client_id).await? else {
            return Ok(None);
        };
        let proven = match (&app.secret, secret) {
            (Some(kept), Some(shown)) => kept.matches(&digest(shown)),
            (None, None) => true,
            _ => false,
        };
        if !proven {
            tracing::info!(%client_id, "client authentication refused");
        }
        Ok(proven.then_some(app))
    }

    fn new_client_secret(&self) -> Result<Zeroizing<String>, Failure> {
        let random = Zeroizing::new(self.random::<32>()?);
        Ok(Zeroizing::new(format!(
            "{CLIENT_SECRET_PREFIX}{}",
            URL_SAFE_NO_PAD.encode(random.as_slice())
        )))
    }

    /// The authority's own pages are an app like any other: a session, asked live.
    pub(crate) async fn register_console(&self) -> Result<(), Failure> {
        let now = self.now();
        let app = App {
            settings: AppSettings {
                client_id: self.console.clone(),
                shape: Shape::Session,
                freshness: Freshness::Live,
                lifetimes: Lifetimes::default(),
            },
            name: "Symbolon".to_owned(),
            limit: None,
            redirect_uris: Vec::new(),
            secret: None,
            first_party: true,
            created_at: now,
        };
        if self.directory.app(&self.console).await?.is_none() {
            // Taken: another start was faster, and made the same.
            self.directory.add_app(app, now).await?;
        }
        Ok(())
    }
}

fn digest(secret: &str) -> Digest {
    Digest::of(CLIENT_SECRET, secret.as_bytes())
}
