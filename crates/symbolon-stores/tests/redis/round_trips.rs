//! What verbs cost, counted by the server.

use symbolon_stores::{Durability, Redis};

use crate::fixture::*;

/// The calls of each command since the count was reset, without those that ask for it and wait for news.
fn calls(server: &Server) -> Vec<(String, u64)> {
    let stats: String = server.ask(&["INFO", "commandstats"]);
    let calls = stats.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        let calls = rest.split(',').next()?.parse().ok()?;
        Some((name.to_owned(), calls))
    });
    calls.filter(|(name, _)| name.starts_with("eval")).collect()
}

#[tokio::test]
async fn a_check_and_a_sign_in_are_one_script_of_redis_each() {
    let server = Server::start(&[]);
    let store = Redis::connect(&server.url(), Durability::Disk)
        .await
        .unwrap();
    // The server has the scripts from here on.
    assert!(try_open(&store, 1, 0).await && lives(&store, 0).await.unwrap());
    let _: String = server.ask(&["CONFIG", "RESETSTAT"]);
    for n in 1..=10 {
        assert!(try_open(&store, 1, n).await);
    }
    assert_eq!(calls(&server), [("evalsha".to_owned(), 10)]);
    let _: String = server.ask(&["CONFIG", "RESETSTAT"]);
    for n in 1..=10 {
        assert!(lives(&store, n).await.unwrap());
    }
    assert_eq!(calls(&server), [("evalsha_ro".to_owned(), 10)]);
}
