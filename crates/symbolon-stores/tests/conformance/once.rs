//! Values that are good once.

use symbolon_authority::ports::{Purpose, Take};

use crate::fixture::*;

const CODE: Purpose = Purpose::AuthorizationCode;
const LINK: Purpose = Purpose::SetUpLink;

async fn put(store: &Shared, purpose: Purpose, key: &str, value: &str) {
    let kept = store.put(purpose, digest(key), value.to_owned(), at(1000));
    kept.await.unwrap();
}

pub(crate) async fn a_value_is_fresh_once(store: Shared) {
    put(&store, CODE, "a", "the value").await;
    let take = || store.take(CODE, digest("a"), at(1));
    assert_eq!(take().await.unwrap(), Take::Fresh("the value".to_owned()));
    assert_eq!(take().await.unwrap(), Take::Again("the value".to_owned()));
    let never = store.take(CODE, digest("b"), NOW).await.unwrap();
    assert_eq!(never, Take::Unknown);
}

pub(crate) async fn a_value_expires_at_the_edge(store: Shared) {
    put(&store, CODE, "a", "x").await;
    let take = |now| store.take(CODE, digest("a"), at(now));
    assert_eq!(take(1000).await.unwrap(), Take::Unknown);
    assert_eq!(take(999).await.unwrap(), Take::Fresh("x".to_owned()));
    assert_eq!(take(1000).await.unwrap(), Take::Unknown);
    assert_eq!(take(999).await.unwrap(), Take::Again("x".to_owned()));
}

pub(crate) async fn a_purpose_sees_only_its_own(store: Shared) {
    put(&store, CODE, "a", "code").await;
    let other = store.take(LINK, digest("a"), NOW).await.unwrap();
    assert_eq!(other, Take::Unknown);
    assert!(!store.peek(LINK, digest("a"), NOW).await.unwrap());
    put(&store, LINK, "a", "link").await;
    let link = store.take(LINK, digest("a"), NOW).await.unwrap();
    assert_eq!(link, Take::Fresh("link".to_owned()));
    let code = store.take(CODE, digest("a"), NOW).await.unwrap();
    assert_eq!(code, Take::Fresh("code".to_owned()));
}

pub(crate) async fn a_peek_takes_nothing(store: Shared) {
    put(&store, LINK, "a", "x").await;
    let peek = |now| store.peek(LINK, digest("a"), at(now));
    assert!(peek(0).await.unwrap() && peek(999).await.unwrap());
    assert!(!peek(1000).await.unwrap());
    store.take(LINK, digest("a"), NOW).await.unwrap();
    assert!(!peek(0).await.unwrap());
}

pub(crate) async fn a_kept_value_is_never_overwritten(store: Shared) {
    put(&store, CODE, "a", "first").await;
    let second = store.put(CODE, digest("a"), "second".to_owned(), at(DAY));
    assert!(second.await.is_err());
    let kept = store.take(CODE, digest("a"), NOW).await.unwrap();
    assert_eq!(kept, Take::Fresh("first".to_owned()));
    let revived = store.put(CODE, digest("a"), "third".to_owned(), at(DAY));
    assert!(revived.await.is_err());
}
