//! A schema of its own for each test on the PostgreSQL that `tests/servers/run` started.

use std::{
    env, process,
    sync::atomic::{AtomicU32, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// The URL of the server.
pub(crate) fn server() -> String {
    let missing = "no PostgreSQL to test with: run crates/symbolon-stores/tests/servers/run cargo nextest run ...";
    env::var("SYMBOLON_TEST_POSTGRES").expect(missing)
}

/// Makes an empty schema; gives the URL by which a store keeps everything in it.
pub(crate) async fn url() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("test_{}_{}_{count}", process::id(), now.as_micros());
    let (client, connection) = tokio_postgres::connect(&server(), tokio_postgres::NoTls)
        .await
        .unwrap();
    let driven = tokio::spawn(connection);
    let sql = format!("CREATE SCHEMA {name}");
    client.batch_execute(&sql).await.unwrap();
    drop(client);
    driven.await.unwrap().unwrap();
    format!("{}?options=-c%20search_path%3D{name}", server())
}
