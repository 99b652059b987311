//! What the URL of a database says, and connecting to it.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use percent_encoding::percent_decode_str;
use tokio_postgres::{
    Client, Config,
    config::{Host, SslMode, TargetSessionAttrs},
};

use super::{
    refusal::ConnectError,
    tls::{self, Tls, Trust},
};

/// How long a server may take to let us in.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long what was sent may stay without an answer of the network before the connection counts as cut.
const CUT_AFTER: Duration = Duration::from_secs(10);
/// A statement that takes longer is given up, and a node that died in the middle of a transaction holds
/// no lock for longer. Before the operator's own options, which win.
const TIMEOUTS: &str =
    "-c statement_timeout=15000 -c idle_in_transaction_session_timeout=15000 -c lock_timeout=10000";

/// Where a database is, and how to talk to it.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) tls: Tls,
}

impl Target {
    /// One connection of its own; a task drives it until the client is dropped.
    pub(super) async fn connect(&self) -> Result<Client, ConnectError> {
        let (client, connection) = self.config.connect(self.tls.clone()).await?;
        tokio::spawn(async move {
            // What ends it is told to whoever waits for an answer.
            drop(connection.await);
        });
        Ok(client)
    }
}

/// Reads a URL. What it does not understand it refuses.
pub(super) fn parse(url: &str) -> Result<Target, ConnectError> {
    let refuse = |why: &str| ConnectError::Url(why.to_owned());
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(refuse("it has to begin with postgres://"));
    }
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut mode, mut roots, mut others) = (None, None, Vec::new());
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value),
            Some(("sslrootcert", value)) => roots = Some(decoded(value)?),
            Some(_) => others.push(parameter),
            None => return Err(refuse("a parameter has no value: write name=value")),
        }
    }
    let rest = format!("{place}?{}", others.join("&"));
    let rest = rest.trim_end_matches('?');
    let mut config: Config = rest
        .parse()
        .map_err(|why: tokio_postgres::Error| ConnectError::Url(super::fault::told(&why)))?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(refuse("it names no host"));
    }
    let mode = mode.unwrap_or(if is_local(&config) {
        "prefer"
    } else {
        "verify-full"
    });
    let (ssl_mode, trust) = match mode {
        "disable" => (SslMode::Disable, Trust::Anybody),
        "prefer" => (SslMode::Prefer, Trust::Anybody),
        "require" => (SslMode::Require, Trust::Anybody),
        "verify-full" => (
            SslMode::Require,
            Trust::Roots(roots.take().map(PathBuf::from)),
        ),
        _ => return Err(refuse("sslmode is disable, prefer, require or verify-full")),
    };
    if roots.is_some() {
        return Err(refuse("sslrootcert counts only with sslmode=verify-full"));
    }
    config.ssl_mode(ssl_mode);
    // A standby tells what was true a while ago: whose login it says lives may be dead.
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    limit_waiting(&mut config);
    let tls = tls::new(&trust)?;
    Ok(Target { config, tls })
}

fn limit_waiting(config: &mut Config) {
    let own = config.get_options().unwrap_or("").to_owned();
    config.options(format!("{TIMEOUTS} {own}").trim_end());
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(CUT_AFTER);
    }
    config.keepalives_idle(CUT_AFTER);
    if config.get_application_name().is_none() {
        config.application_name("symbolon");
    }
}

fn decoded(value: &str) -> Result<String, ConnectError> {
    let decoded = percent_decode_str(value).decode_utf8();
    let decoded = decoded.map_err(|_| ConnectError::Url("sslrootcert is not UTF-8".to_owned()))?;
    Ok(decoded.into_owned())
}

/// Whether all hosts are this machine.
fn is_local(config: &Config) -> bool {
    let by_name = |host: &Host| match host {
        Host::Tcp(name) => {
            let address = name.parse::<IpAddr>();
            name == "localhost" || address.is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    config.get_hosts().iter().all(by_name) && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn refusal(url: &str) -> String {
        parse(url).err().unwrap().to_string()
    }

    #[tokio::test]
    async fn a_stranger_host_is_verified_unless_the_url_says_otherwise() {
        let mode = |url| parse(url).unwrap().config.get_ssl_mode();
        assert_eq!(mode("postgres://u@127.0.0.1/d"), SslMode::Prefer);
        assert_eq!(mode("postgres://u@localhost,[::1]/d"), SslMode::Prefer);
        assert_eq!(
            mode("postgres://u@db.example/d?sslmode=disable"),
            SslMode::Disable
        );
        // No such file: it was looked for, so certificates are verified.
        let roots = "postgres://u@localhost,db.example/d?sslrootcert=/no%20such";
        assert!(refusal(roots).contains("/no such"), "{}", refusal(roots));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert!(refusal("mysql://u@localhost/d").contains("postgres://"));
        assert!(refusal("postgres://u@localhost/d?sslmode=maybe").contains("sslmode is"));
        assert!(refusal("postgres://u@localhost/d?sslkey=x").contains("sslkey"));
        assert!(refusal("postgres://u@localhost/d?sslmode").contains("name=value"));
        let unused = refusal("postgres://u@localhost/d?sslmode=require&sslrootcert=/x");
        assert!(unused.contains("verify-full"));
    }

    #[test]
    fn the_operators_options_come_last() {
        let url = "postgres://u@localhost/d?options=-c%20statement_timeout%3D1";
        let target = parse(url).unwrap();
        let options = target.config.get_options().unwrap();
        assert!(options.ends_with(" -c statement_timeout=1"), "{options}");
    }
}
