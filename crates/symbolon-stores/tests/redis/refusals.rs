//! What is not taken as a store, and what the operator is told.

use symbolon_authority::ports::Logins;
use symbolon_login::{Position, Scope};
use symbolon_stores::{Durability, Redis, RedisError as ConnectError};

use crate::fixture::*;

async fn refused(url: &str, durability: Durability) -> (ConnectError, String) {
    match Redis::connect(url, durability).await {
        Ok(_) => panic!("{url} was taken"),
        Err(error) => {
            let text = error.to_string();
            (error, text)
        }
    }
}

#[tokio::test]
async fn redis_urls_are_refused_plainly_and_without_the_password() {
    for (url, why) in [
        ("localhost", "not the URL"),
        ("http://127.0.0.1", "the scheme"),
        ("redis://:hunter2@/", "cannot be read"),
        ("redis://127.0.0.1/x", "cannot be read"),
        ("redis+cluster://:hunter2@127.0.0.1:1,:x", "cannot be read"),
        ("redis+cluster://127.0.0.1/3", "one database"),
        ("redis://:hunter2@127.0.0.1?cel=a", "unknown parameter cel"),
        ("redis://127.0.0.1?cell=a{b}", "a cell is called by"),
        ("redis://127.0.0.1?ca=/x", "rediss://"),
        ("rediss://127.0.0.1?ca=/nowhere", "/nowhere"),
    ] {
        let (error, text) = refused(url, Durability::Memory).await;
        assert!(matches!(error, ConnectError::Url(_)), "{url}: {text}");
        assert!(text.contains(why) && !text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn redis_that_is_not_there_cannot_be_reached() {
    let (error, text) = refused("redis://:hunter2@127.0.0.1:1", Durability::Memory).await;
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{text}");
    assert!(text.starts_with("redis://127.0.0.1:1 cannot be reached"));
}

#[tokio::test]
async fn redis_that_evicts_is_refused() {
    let server = Server::start(&["--maxmemory-policy", "allkeys-lru"]);
    let (error, text) = refused(&server.url(), Durability::Memory).await;
    assert!(matches!(error, ConnectError::Evicts { .. }), "{text}");
    let keys: u64 = server.ask(&["DBSIZE"]);
    assert_eq!(keys, 0, "nothing was written");
}

#[tokio::test]
async fn redis_wants_its_password() {
    let server = Server::start(&["--requirepass", "hunter2"]);
    for account in ["", ":wrong@"] {
        let url = format!("redis://{account}127.0.0.1:{}", server.port);
        let (error, text) = refused(&url, Durability::Memory).await;
        assert!(matches!(error, ConnectError::Denied { .. }), "{text}");
    }
    let url = format!("redis://:hunter2@127.0.0.1:{}", server.port);
    Redis::connect(&url, Durability::Disk).await.unwrap();
}

#[tokio::test]
async fn a_redis_replica_is_refused() {
    let primary = Server::start(&[]);
    let replica = Server::start(&["--replicaof", "127.0.0.1", &primary.port.to_string()]);
    let (error, text) = refused(&replica.url(), Durability::Memory).await;
    assert!(matches!(error, ConnectError::Replica { .. }), "{text}");
}

#[tokio::test]
async fn redis_without_a_synced_log_is_no_disk() {
    for options in [["--appendonly", "no"], ["--appendfsync", "everysec"]] {
        let server = Server::start(&options);
        let version: String = server.ask(&["INFO", "server"]);
        let waits = !version.contains("redis_version:7.0.");
        if waits && options[0] == "--appendfsync" {
            continue;
        }
        let (error, text) = refused(&server.url(), Durability::Disk).await;
        assert!(matches!(error, ConnectError::Durability { .. }), "{text}");
        assert!(text.contains(options[0].trim_start_matches("--")), "{text}");
    }
}

#[tokio::test]
async fn without_a_replica_redis_acknowledges_nothing_that_a_replica_must_have() {
    let server = Server::start(&[]);
    let store = Redis::connect(&server.url(), Durability::Replica)
        .await
        .unwrap();
    let error = store.end(Scope::Everything {}, NOW).await.unwrap_err();
    assert!(error.to_string().contains("no replica"), "{error}");
    // It is not undone either: an end that may have happened has happened.
    assert_eq!(store.head().await.unwrap(), Position::new(1, 1));
    let _replica = Server::start(&["--replicaof", "127.0.0.1", &server.port.to_string()]);
    eventually("a replica follows", || async {
        store.end(Scope::Everything {}, NOW).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn redis_is_verified_by_its_certificate() {
    let url = variable("SYMBOLON_TEST_REDIS_TLS");
    let store = Redis::connect(&format!("{url}&cell=tls"), Durability::Disk).await;
    let store = store.unwrap();
    store.end(Scope::Everything {}, NOW).await.unwrap();
    let (other, _) = url.split_once('?').unwrap();
    let wrong = directory().join("certificates/other-ca.pem");
    for url in [format!("{other}?ca={}", wrong.display()), other.to_owned()] {
        let (error, text) = refused(&url, Durability::Disk).await;
        assert!(matches!(error, ConnectError::Unreachable { .. }), "{text}");
        assert!(text.contains("certificate"), "{text}");
    }
}
