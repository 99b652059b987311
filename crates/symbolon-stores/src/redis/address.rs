//! The URL of a cell: which servers, who we are there, and what the cell is called.

use std::fs;

use redis::{
    Client, IntoConnectionInfo, RedisResult, TlsCertificates,
    cluster_routing::{Route, SlotAddr},
};

use super::connect::ConnectError;

/// What a cell is called when the URL does not say.
const CELL: &str = "symbolon";
const EXPECTED: &str = "expected redis://HOST:PORT, rediss:// (TLS), redis+cluster://HOST:PORT,HOST:PORT or \
                        rediss+cluster://, each with ?cell=NAME and, for TLS, ?ca=FILE";

/// Where a cell is.
#[derive(Clone)]
pub(super) struct Address {
    nodes: Vec<String>,
    cluster: bool,
    tls: bool,
    ca: Option<Vec<u8>>,
    cell: String,
    shown: String,
}

impl Address {
    /// Reads a URL. Errors never repeat the password in it.
    pub(super) fn parse(url: &str) -> Result<Self, ConnectError> {
        let bad = |why: &str| ConnectError::Url(format!("{why}; {EXPECTED}"));
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| bad("not the URL of a Redis"))?;
        let (tls, cluster) = match scheme {
            "redis" => (false, false),
            "rediss" => (true, false),
            "redis+cluster" => (false, true),
            "rediss+cluster" => (true, true),
            _ => return Err(bad("the scheme of the URL is not one of a Redis")),
        };
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = place.split_once('/').unwrap_or((place, ""));
        let (account, hosts) = authority
            .rsplit_once('@')
            .map_or((String::new(), authority), |(account, hosts)| {
                (format!("{account}@"), hosts)
            });
        if cluster && !database.is_empty() {
            return Err(bad("a Cluster has one database, which has no number"));
        }
        let plain = if tls { "rediss" } else { "redis" };
        // By RESP3 a connection tells at once that it broke, not only to the next write.
        let node = |host: &str| format!("{plain}://{account}{host}/{database}?protocol=resp3");
        let hosts: Vec<&str> = if cluster {
            hosts.split(',').collect()
        } else {
            vec![hosts]
        };
        let mut address = Self {
            nodes: hosts.iter().copied().map(node).collect(),
            cluster,
            tls,
            ca: None,
            cell: CELL.to_owned(),
            shown: format!("{scheme}://{}", hosts.join(",")),
        };
        let readable = |node: &String| node.as_str().into_connection_info().is_ok();
        if hosts.iter().any(|host| host.is_empty()) || !address.nodes.iter().all(readable) {
            return Err(bad(
                "a host, port, account or database of the URL cannot be read",
            ));
        }
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            address.set(&name, &value)?;
        }
        Ok(address)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), ConnectError> {
        let bad = |why: String| Err(ConnectError::Url(format!("{why}; {EXPECTED}")));
        match name {
            "cell" => {
                let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
                if value.is_empty() || value.len() > 64 || !value.bytes().all(fits) {
                    return bad(
                        "a cell is called by 1 to 64 letters, digits, '-', '_' or '.'".to_owned(),
                    );
                }
                value.clone_into(&mut self.cell);
            }
            "ca" if self.tls => {
                let read = fs::read(value);
                let read = read.map_err(|why| {
                    ConnectError::Url(format!(
                        "the certificate file {value} of ca= cannot be read: {why}"
                    ))
                });
                self.ca = Some(read?);
            }
            "ca" => return bad("ca= is for rediss:// and rediss+cluster:// only".to_owned()),
            unknown => return bad(format!("the URL has an unknown parameter {unknown}")),
        }
        Ok(())
    }

    /// The client of a single server.
    pub(super) fn client(&self) -> RedisResult<Client> {
        let node = self.nodes.first().map_or("", String::as_str);
        match self.certificates() {
            Some(certificates) => Client::build_with_tls(node, certificates),
            None => Client::open(node),
        }
    }

    /// What a server's certificate is checked against: the file of `ca=`, or else the system's roots.
    pub(super) fn certificates(&self) -> Option<TlsCertificates> {
        self.tls.then(|| TlsCertificates {
            client_tls: None,
            root_cert: self.ca.clone(),
        })
    }

    /// The nodes that a Cluster is found by.
    pub(super) fn nodes(&self) -> &[String] {
        &self.nodes
    }

    /// The way to the slot of a Cluster in which the cell lies, by its hash tag. None: a single server.
    pub(super) fn route(&self) -> Option<Route> {
        self.cluster
            .then(|| Route::with_key(self.head(), SlotAddr::Master))
    }

    /// The key of the cell's head. All its keys begin like this one.
    pub(super) fn head(&self) -> String {
        format!("{{{}}}:head", self.cell)
    }

    /// The URL without account and parameters, for messages.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }
}
