//! What can be typed after `symbolon guard`.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are the help texts: they are read as they stand"
)]

use std::{fmt, path::PathBuf, str::FromStr};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use ipnet::IpNet;
use symbolon_guard::{ClientId, Freshness};

/// How a proxy asks, shown by `--help` below the options.
const AFTER_HELP: &str = "\
The question, GET /check:
  The request to judge is the one that the proxy got. It passes on its headers and says
    X-Forwarded-Method, X-Forwarded-Uri     Caddy, Traefik, HAProxy, your own program
    X-Original-Method, X-Original-URI       nginx
  Only those whom --trust-proxy names are believed. A request whose method nobody says counts as one that
  changes something: with cookies it has to come from the site's own pages.
  ?freshness=live       how fresh this yes has to be: live, within(1s), until_expiry. The stricter of this and the
                        app's counts
  ?role=admin           403 for those who do not have it
  ?optional             200 for everybody, without X-Auth-User for who is not signed in
  Anything else in the query is 400.

The answer:
  200   X-Auth-User       the person's id, never given to anyone else
        X-Auth-Login      the login's id
        X-Auth-Roles      separated by commas, may be empty
        X-Auth-Freshness  what the yes rests on, and how old it can be at most, in seconds:
                          within; staleness=0.180
                          The word is live (the authority was asked for this request), within or until_expiry
        Set-Cookie        now and then (a silent refresh): it has to reach the browser. The same is in
                          X-Auth-Set-Cookie-1 and -2, for proxies that cannot copy a header that comes twice
  302   to sign in: a page was asked for by somebody who is not (never to nginx, which has GET /refused for it)
  401   not signed in, or not any more
  403   not from the site's own pages, or without the role
  503   cannot be proved right now; nobody is signed out

Its other addresses: GET /auth/sign-in?return_to=/path, GET /auth/callback, POST /auth/sign-out, which the proxy
passes on untouched; GET /healthz, /readyz and /metrics, which it does not.

A proxy's configuration, commented:  symbolon guard --print-config nginx";

/// Answer a proxy's question who is calling, for apps in any language
///
/// Stands beside nginx (auth_request), Caddy (forward_auth), Traefik (ForwardAuth) or HAProxy, follows the
/// authority's feed and answers GET /check on the spot.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// The authority; more nodes of it, asked when those before do not answer, by giving it several times,
    /// or with commas
    #[arg(
        long,
        value_name = "URL",
        env = "SYMBOLON_AUTHORITY",
        value_delimiter = ',',
        required_unless_present = "print_config"
    )]
    pub(super) authority: Vec<String>,
    /// The app's client id
    #[arg(
        long,
        value_name = "ID",
        env = "SYMBOLON_APP",
        required_unless_present = "print_config"
    )]
    pub(super) app: Option<ClientId>,
    /// The file that holds the app's client secret, alone; or set SYMBOLON_CLIENT_SECRET
    #[arg(long, value_name = "FILE", env = "SYMBOLON_CLIENT_SECRET_FILE")]
    pub(super) client_secret_file: Option<PathBuf>,
    /// The app as browsers know it, such as https://app.example.org: needed to sign people in
    #[arg(long, value_name = "URL", env = "SYMBOLON_PUBLIC_URL")]
    pub(super) public_url: Option<String>,
    /// What the authority calls itself, where the guard reaches it under another URL [default: the first --authority]
    #[arg(long, value_name = "URL", env = "SYMBOLON_ISSUER")]
    pub(super) issuer: Option<String>,
    /// Where to listen: HOST:PORT or unix:/path; may be given several times
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "SYMBOLON_LISTEN",
        value_delimiter = ',',
        default_value = "127.0.0.1:7310"
    )]
    pub(super) listen: Vec<Address>,
    /// Who may connect to the Unix socket: 0600 (this user) or 0660 (its group, too)
    #[arg(
        long,
        value_name = "MODE",
        env = "SYMBOLON_SOCKET_MODE",
        default_value = "0600"
    )]
    pub(super) socket_mode: SocketMode,
    /// Whose word about the original request counts; may be given several times. Whoever may connect
    /// to the Unix socket is believed in any case
    #[arg(
        long,
        value_name = "CIDR",
        env = "SYMBOLON_TRUST_PROXY",
        value_delimiter = ',',
        value_parser = network,
        default_values = ["127.0.0.0/8", "::1"]
    )]
    pub(super) trust_proxy: Vec<IpNet>,
    /// How fresh a yes must be: live, within(10s), until_expiry [default: as the authority says]
    #[arg(long, env = "SYMBOLON_FRESHNESS")]
    pub(super) freshness: Option<Freshness>,
    /// Allow plain http to an authority or for an app that is not on this machine: credentials travel
    /// readable
    #[arg(long, env = "SYMBOLON_INSECURE_HTTP", num_args = 0..=1, default_value_t = false, default_missing_value = "true")]
    pub(super) insecure_http: bool,
    /// Print a proxy's configuration and do nothing else
    #[arg(long, value_name = "PROXY")]
    pub(super) print_config: Option<Proxy>,
}

/// A proxy that there is an example for.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Proxy {
    /// A site for nginx
    Nginx,
    /// A Caddyfile
    Caddy,
    /// haproxy.cfg
    Haproxy,
    /// symbolon.lua, which haproxy.cfg loads
    HaproxyLua,
    /// A dynamic configuration for Traefik
    Traefik,
}

impl Proxy {
    /// The file in `examples/`, word for word.
    pub(super) const fn example(self) -> &'static str {
        match self {
            Self::Nginx => include_str!("../../../../examples/nginx/symbolon.conf"),
            Self::Caddy => include_str!("../../../../examples/caddy/Caddyfile"),
            Self::Haproxy => include_str!("../../../../examples/haproxy/haproxy.cfg"),
            Self::HaproxyLua => include_str!("../../../../examples/haproxy/symbolon.lua"),
            Self::Traefik => include_str!("../../../../examples/traefik/symbolon.yaml"),
        }
    }
}

/// Somewhere to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// `HOST:PORT`
    Tcp(String),
    /// `unix:/path`
    Unix(PathBuf),
}

impl FromStr for Address {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path);
            ensure!(
                path.is_absolute() && path.file_name().is_some(),
                "expected an absolute path, such as unix:/run/symbolon/guard.sock"
            );
            return Ok(Self::Unix(path));
        }
        let port = text.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
        ensure!(
            matches!(port, Some(Ok(_))),
            "expected HOST:PORT, such as 127.0.0.1:7310, or unix:/path"
        );
        Ok(Self::Tcp(text.to_owned()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host_port) => f.write_str(host_port),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The mode of a socket's file. Never for everybody: who may connect is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SocketMode(pub(super) u32);

impl FromStr for SocketMode {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.trim_start_matches('0') {
            "600" => Ok(Self(0o600)),
            "660" => Ok(Self(0o660)),
            _ => anyhow::bail!("expected 0600 or 0660"),
        }
    }
}

/// A network in CIDR notation, or one address.
fn network(text: &str) -> Result<IpNet> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .context("expected a network such as 10.0.0.0/8, or an address")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn addresses_to_listen_on() {
        assert_eq!(
            "unix:/run/guard.sock".parse::<Address>().unwrap(),
            Address::Unix("/run/guard.sock".into())
        );
        assert_eq!(
            "[::1]:7310".parse::<Address>().unwrap(),
            Address::Tcp("[::1]:7310".to_owned())
        );
        for wrong in [
            "unix:",
            "unix:guard.sock",
            "unix:/",
            "7310",
            "localhost",
            "a:b",
        ] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_socket_is_never_for_everybody() {
        assert_eq!("0660".parse::<SocketMode>().unwrap(), SocketMode(0o660));
        for wrong in ["0666", "0777", "", "rw"] {
            assert!(wrong.parse::<SocketMode>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn networks_to_trust() {
        assert_eq!(network("10.1.2.3").unwrap().to_string(), "10.1.2.3/32");
        assert_eq!(network("fd00::/8").unwrap().to_string(), "fd00::/8");
        for wrong in ["10.0.0.0/33", "proxy", ""] {
            assert!(network(wrong).is_err(), "{wrong}");
        }
    }
}
