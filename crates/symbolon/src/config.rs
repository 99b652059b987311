//! The settings of `symbolon serve`: command line over environment over file over default.

use std::{fs, num::NonZeroU32, path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Deserializer, de};
use symbolon_server::{
    PublicUrl,
    authority::{KeyRules, Settings},
    login::{AtLimit, LoginDefaults, LoginLimit},
};

use symbolon_stores::Durability;

use crate::{
    cli::{Place, Serve},
    span::{Every, Span},
    store::{LoginsUrl, StoreUrl, Stores},
};

/// The longest that browsers keep a cookie (RFC 6265bis section 5.5).
const LONGEST_DAYS: u32 = 400;

/// The settings, checked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) data: PathBuf,
    /// Host and port as they were given: a name may stand for several addresses.
    pub(crate) listen: String,
    pub(crate) public_url: PublicUrl,
    pub(crate) insecure_http: bool,
    /// Where everything is kept.
    pub(crate) stores: Stores,
    /// What every login is held to.
    pub(crate) logins: LoginDefaults,
    /// How signing keys are replaced.
    pub(crate) keys: KeyRules,
}

/// What a configuration file may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    data: Option<PathBuf>,
    store: Option<StoreUrl>,
    logins: Option<LoginsUrl>,
    #[serde(default, deserialize_with = "durability")]
    logins_durability: Option<Durability>,
    listen: Option<String>,
    public_url: Option<String>,
    insecure_http: Option<bool>,
    max_logins: Option<u32>,
    at_limit: Option<AtLimit>,
    remembered_days: Option<u32>,
    unremembered_hours: Option<u32>,
    rotate_keys_every: Option<Every>,
    key_lead: Option<Span>,
}

impl Config {
    /// The settings of the authority.
    pub(crate) fn authority(&self) -> Settings {
        Settings {
            logins: self.logins,
            keys: self.keys,
            ..Settings::new(self.public_url.as_str())
        }
    }

    /// Reads the file, if one is named, and lays the command line and the environment over it.
    pub(crate) fn load(given: Serve) -> Result<Self> {
        let file = match &given.config {
            None => File::default(),
            Some(path) => {
                let text = fs::read_to_string(path)
                    .with_context(|| format!("cannot read the configuration {}", path.display()))?;
                // The error names line, key and what was expected.
                toml::from_str(&text)
                    .with_context(|| format!("in the configuration {}", path.display()))?
            }
        };
        Self::settle(given, file)
    }

    fn settle(given: Serve, file: File) -> Result<Self> {
        let logins = settle_logins(&given, &file)?;
        let keys = settle_keys(&given, &file)?;
        let place = Place {
            store: given.place.store.or(file.store),
            logins: given.place.logins.or(file.logins),
            logins_durability: given.place.logins_durability.or(file.logins_durability),
        };
        let stores = Stores::from(place);
        let listen = given
            .listen
            .or(file.listen)
            .unwrap_or_else(|| "localhost:7300".to_owned());
        let port = listen
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse::<u16>().ok());
        let port = port.with_context(|| {
            format!("listen = \"{listen}\": expected HOST:PORT, such as localhost:7300")
        })?;
        let insecure_http = given.insecure_http.or(file.insecure_http).unwrap_or(false);
        let public_url = given
            .public_url
            .or(file.public_url)
            .unwrap_or_else(|| format!("http://localhost:{port}"));
        Ok(Self {
            data: given
                .data
                .or(file.data)
                .unwrap_or_else(|| PathBuf::from("symbolon-data")),
            public_url: PublicUrl::new(&public_url, insecure_http)
                .with_context(|| format!("public_url = \"{public_url}\""))?,
            listen,
            insecure_http,
            stores,
            logins,
            keys,
        })
    }
}

fn durability<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Durability>, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map(Some).map_err(de::Error::custom)
}

/// The rules for signing keys.
fn settle_keys(given: &Serve, file: &File) -> Result<KeyRules> {
    let default = KeyRules::default();
    let every = given.rotate_keys_every.or(file.rotate_keys_every);
    let every = every.map_or(default.every, |Every(every)| every);
    if let Some(every) = every {
        ensure!(
            every >= KeyRules::MOST_OFTEN,
            "rotate_keys_every = \"{}s\": expected 10s or more, or never",
            every.as_secs()
        );
    }
    let lead = given.key_lead.or(file.key_lead);
    let lead = lead.map_or(default.lead, |Span(lead)| lead);
    ensure!(
        KeyRules::LEADS.contains(&lead),
        "key_lead = \"{}s\": expected 1s to 24h; below 10m somebody who fetched the JWK Set just before may refuse the first tokens of a new key",
        lead.as_secs()
    );
    Ok(KeyRules { lead, every })
}

/// The rules for logins.
fn settle_logins(given: &Serve, file: &File) -> Result<LoginDefaults> {
    let default = LoginDefaults::default();
    let most = given.max_logins.or(file.max_logins);
    let most = match most {
        Some(most) => NonZeroU32::new(most).context("max_logins = 0: expected 1 or more")?,
        None => default.limit.map_or(NonZeroU32::MAX, |limit| limit.most),
    };
    let at_limit = given.at_limit.or(file.at_limit);
    let days = given.remembered_days.or(file.remembered_days).unwrap_or(30);
    ensure!(
        (1..=LONGEST_DAYS).contains(&days),
        "remembered_days = {days}: expected 1 to {LONGEST_DAYS}, the longest that a browser keeps a cookie"
    );
    let remembered = Duration::from_secs(u64::from(days) * 86_400);
    let hours = given.unremembered_hours.or(file.unremembered_hours);
    let hours = hours.unwrap_or(24);
    let unremembered = Duration::from_secs(u64::from(hours) * 3_600);
    ensure!(
        hours > 0 && unremembered <= remembered,
        "unremembered_hours = {hours}: expected 1 up to the hours of remembered_days, which are {}",
        days * 24
    );
    Ok(LoginDefaults {
        remembered,
        unremembered,
        limit: Some(LoginLimit {
            most,
            at_limit: at_limit.unwrap_or(AtLimit::EndOldest),
        }),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn given() -> Serve {
        Serve {
            config: None,
            data: None,
            place: Place::default(),
            listen: None,
            public_url: None,
            insecure_http: None,
            max_logins: None,
            at_limit: None,
            remembered_days: None,
            unremembered_hours: None,
            rotate_keys_every: None,
            key_lead: None,
        }
    }

    #[test]
    fn the_rules_for_logins_are_checked_and_the_error_names_the_key() {
        let settled = |text: &str| {
            let file = toml::from_str(text).unwrap();
            Config::settle(given(), file).map(|config| config.logins)
        };
        assert_eq!(settled("").unwrap(), LoginDefaults::default());
        let strict =
            "max_logins = 1\nat_limit = \"ask\"\nremembered_days = 2\nunremembered_hours = 48";
        let strict = settled(strict).unwrap();
        let two_days = Duration::from_secs(2 * 86_400);
        assert_eq!(
            (strict.remembered, strict.unremembered),
            (two_days, two_days)
        );
        let limit = strict.limit.unwrap();
        assert_eq!((limit.most.get(), limit.at_limit), (1, AtLimit::Ask));
        for (text, key) in [
            ("max_logins = 0", "max_logins"),
            ("remembered_days = 0", "remembered_days"),
            ("remembered_days = 401", "remembered_days"),
            ("unremembered_hours = 0", "unremembered_hours"),
            (
                "remembered_days = 1\nunremembered_hours = 25",
                "unremembered_hours",
            ),
        ] {
            let error = settled(text).unwrap_err().to_string();
            assert!(error.starts_with(key), "{error}");
        }
        let error = toml::from_str::<File>("at_limit = \"never\"").unwrap_err();
        assert!(error.to_string().contains("at_limit"), "{error}");
        let flag = Serve {
            max_logins: Some(7),
            ..given()
        };
        let file = toml::from_str("max_logins = 3").unwrap();
        let limit = Config::settle(flag, file).unwrap().logins.limit;
        assert_eq!(limit.unwrap().most.get(), 7);
    }

    #[test]
    fn the_rules_for_keys_are_checked_and_the_error_names_the_key() {
        let settled = |text: &str| {
            let file = toml::from_str(text).unwrap();
            Config::settle(given(), file).map(|config| config.keys)
        };
        assert_eq!(settled("").unwrap(), KeyRules::default());
        let rules = settled("rotate_keys_every = \"30d\"\nkey_lead = \"90s\"").unwrap();
        let month = Duration::from_secs(30 * 86_400);
        assert_eq!(
            (rules.every, rules.lead),
            (Some(month), Duration::from_secs(90))
        );
        let never = settled("rotate_keys_every = \"never\"").unwrap();
        assert_eq!((never.every, never.lead), (None, KeyRules::default().lead));
        for (text, key) in [
            ("rotate_keys_every = \"9s\"", "rotate_keys_every"),
            ("key_lead = \"0s\"", "key_lead"),
            ("key_lead = \"25h\"", "key_lead"),
        ] {
            let error = settled(text).unwrap_err().to_string();
            assert!(error.starts_with(key), "{error}");
        }
        let error = toml::from_str::<File>("key_lead = \"soon\"").unwrap_err();
        assert!(error.to_string().contains("key_lead"), "{error}");
        let flag = Serve {
            rotate_keys_every: Some("never".parse().unwrap()),
            ..given()
        };
        let file = toml::from_str("rotate_keys_every = \"30d\"").unwrap();
        assert_eq!(Config::settle(flag, file).unwrap().keys.every, None);
    }

    #[test]
    fn nothing_given_is_a_loopback_authority() {
        let config = Config::settle(given(), File::default()).unwrap();
        assert_eq!(config.public_url.as_str(), "http://localhost:7300");
        let moved = Serve {
            listen: Some("127.0.0.1:9000".to_owned()),
            ..given()
        };
        assert_eq!(
            Config::settle(moved, File::default())
                .unwrap()
                .public_url
                .as_str(),
            "http://localhost:9000"
        );
    }

    #[test]
    fn a_public_url_beyond_this_machine_must_be_https_or_say_so() {
        let open = |insecure_http| {
            let public_url = Some("http://login.example.com".to_owned());
            let given = Serve {
                public_url,
                insecure_http,
                ..given()
            };
            Config::settle(given, File::default())
        };
        let refused = format!("{:#}", open(None).unwrap_err());
        assert!(refused.contains("insecure_http"), "{refused}");
        assert!(open(Some(true)).is_ok());
    }

    #[test]
    fn the_command_line_wins_over_the_file() {
        let file: File =
            toml::from_str("listen = \"localhost:1\"\npublic_url = \"https://a.example\"").unwrap();
        let given = Serve {
            listen: Some("localhost:2".to_owned()),
            ..given()
        };
        let config = Config::settle(given, file).unwrap();
        assert_eq!(
            (config.listen.as_str(), config.public_url.as_str()),
            ("localhost:2", "https://a.example")
        );
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        let error = toml::from_str::<File>("listn = \"localhost:1\"")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("listn") && error.contains("line 1"),
            "{error}"
        );
    }

    #[test]
    fn stores_are_named_in_the_file_and_laid_over_by_the_command_line() {
        let text = "store = \"postgres://db/x\"\nlogins = \"redis://cache\"\nlogins_durability = \"replica\"";
        let file: File = toml::from_str(text).unwrap();
        let config = Config::settle(given(), file).unwrap();
        assert_eq!(config.stores.durability, Durability::Replica);
        assert_eq!(config.stores.store.to_string(), "postgres://db/x");
        let place = Place {
            store: Some("sqlite:other".parse().unwrap()),
            ..Place::default()
        };
        let given = Serve { place, ..given() };
        let config = Config::settle(given, toml::from_str(text).unwrap()).unwrap();
        assert_eq!(config.stores.store.to_string(), "sqlite:other");
        for (wrong, hint) in [
            ("store = \"mysql://x\"", "sqlite:DIRECTORY"),
            ("logins_durability = \"always\"", "memory, disk or replica"),
        ] {
            let error = toml::from_str::<File>(wrong).unwrap_err().to_string();
            assert!(error.contains(hint) && error.contains("line 1"), "{error}");
        }
    }
}
