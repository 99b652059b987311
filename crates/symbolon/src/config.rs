//! The settings of `symbolon serve`: command line over environment over file over default.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;
use symbolon_server::PublicUrl;

use crate::cli::Serve;

/// The settings, checked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) data: PathBuf,
    /// Host and port as they were given: a name may stand for several addresses.
    pub(crate) listen: String,
    pub(crate) public_url: PublicUrl,
    pub(crate) insecure_http: bool,
}

/// What a configuration file may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    data: Option<PathBuf>,
    listen: Option<String>,
    public_url: Option<String>,
    insecure_http: Option<bool>,
}

impl Config {
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
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn given() -> Serve {
        Serve {
            config: None,
            data: None,
            listen: None,
            public_url: None,
            insecure_http: None,
        }
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
}
