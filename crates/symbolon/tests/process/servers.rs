//! The database servers that the tests of the stores start; each test has a place of its own on them.

use std::{
    env, process,
    time::{SystemTime, UNIX_EPOCH},
};

use tokio_postgres::{Client, NoTls};

use crate::relay::Relay;

pub(crate) const POSTGRES: &str = "SYMBOLON_TEST_POSTGRES";
pub(crate) const REDIS: &str = "SYMBOLON_TEST_REDIS";
pub(crate) const REDIS_CLUSTER: &str = "SYMBOLON_TEST_REDIS_CLUSTER";

fn server(variable: &str) -> String {
    env::var(variable).unwrap_or_else(|_| {
        panic!(
            "{variable} is not set: run crates/symbolon-stores/tests/servers/run cargo nextest run -p symbolon"
        )
    })
}

/// A name that no other test has.
fn name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    format!("test_{}_{}", process::id(), now.as_micros())
}

/// An empty schema on the database server.
pub(crate) struct Schema {
    name: String,
    server: String,
}

impl Schema {
    pub(crate) async fn new() -> Self {
        let schema = Self {
            name: name(),
            server: server(POSTGRES),
        };
        let sql = format!("CREATE SCHEMA {}", schema.name);
        schema.client().await.batch_execute(&sql).await.unwrap();
        schema
    }

    /// The URL of a store that keeps everything in it.
    pub(crate) fn url(&self) -> String {
        format!("{}?options=-c%20search_path%3D{}", self.server, self.name)
    }

    /// The same through a relay.
    pub(crate) fn url_through(&self, relay: &Relay) -> String {
        through(&self.url(), relay)
    }

    /// How many rows a table has; none if there is no such table yet.
    pub(crate) async fn rows(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {}.{table}", self.name);
        let found = self.client().await.query_one(&sql, &[]).await;
        found.map_or(0, |row| row.get(0))
    }

    async fn client(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.server, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}

/// The URL of an empty cell in Redis.
pub(crate) fn cell(variable: &str) -> String {
    format!("{}?cell={}", server(variable), name())
}

/// The port that the URL of one server names.
pub(crate) fn port(variable: &str) -> u16 {
    let server = server(variable);
    let port = server.rsplit(':').next().unwrap();
    port.split('/').next().unwrap().parse().unwrap()
}

/// The URL with the relay in the place of its server, which is on 127.0.0.1.
pub(crate) fn through(url: &str, relay: &Relay) -> String {
    let (before, after) = url.split_once("127.0.0.1:").unwrap();
    let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{before}127.0.0.1:{}{rest}", relay.port)
}
