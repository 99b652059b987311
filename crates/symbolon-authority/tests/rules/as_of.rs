//! Up to which end a credential is known to stand, and after which none is missing in a snapshot.

use std::sync::atomic::Ordering;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use symbolon_login::{Introspection, Position};

use super::secs;
use crate::{PASSWORD, Town, add_user, parts};

/// The claims `rev` and `as_of` of a token.
fn places(token: &str) -> (Position, Position) {
    let payload = token.split('.').nth(1).unwrap();
    let claims = URL_SAFE_NO_PAD.decode(payload).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let place = |name: &str| claims.get(name).unwrap().as_str().unwrap().parse().unwrap();
    (place("rev"), place("as_of"))
}

/// Signs somebody else in and ends their logins: one more entry of the log.
async fn end_somebody(town: &Town) -> Position {
    let bob = add_user(&town.authority, &town.admin, "bob").await;
    assert!(
        town.try_sign_in("bob", PASSWORD, &town.session_app)
            .await
            .is_some()
    );
    let ended = town.authority.end_logins_of(&town.admin, bob.id);
    ended.await.unwrap().unwrap().position
}

#[tokio::test]
async fn a_credential_says_up_to_which_end_it_stands() {
    let town = Town::new().await;
    let began = town.authority.head().await.unwrap();
    let (token, refresh_token) = parts(&town.sign_in(&town.jwt_app).await);
    assert_eq!(places(&token), (began, began));
    let session = parts(&town.sign_in(&town.session_app).await).0;

    let later = end_somebody(&town).await;
    let refreshed = town.refresh(&town.jwt_app, &refresh_token).await.unwrap();
    assert_eq!(places(&parts(&refreshed).0), (began, later));
    // A replay states what is true now.
    let replayed = town.refresh(&town.jwt_app, &refresh_token).await.unwrap();
    assert_eq!(places(&parts(&replayed).0), (began, later));
    for credential in [&session, &token] {
        let said = town.authority.introspect(credential).await.unwrap();
        let Introspection::Active(facts) = said else {
            panic!("inactive")
        };
        assert_eq!((facts.rev, facts.as_of), (began, Some(later)));
    }
}

/// A guard that starts now must know enough of whoever was issued a token within its longest life, however
/// old the login is.
#[tokio::test]
async fn what_a_snapshot_leaves_out_is_older_than_every_living_token() {
    let town = Town::new().await;
    let (first, mut refresh_token) = parts(&town.sign_in(&town.jwt_app).await);
    let ended = end_somebody(&town).await;
    let whole = town.authority.snapshot().await.unwrap();
    assert_eq!(whole.complete_since, Some(Position::START));
    let mut token = first.clone();
    for _ in 0..14 {
        town.wait(secs(290));
        let refreshed = town.refresh(&town.jwt_app, &refresh_token).await;
        (token, refresh_token) = parts(&refreshed.unwrap());
    }
    let snapshot = town.authority.snapshot().await.unwrap();
    assert!(snapshot.cut_offs.is_empty());
    assert_eq!(snapshot.complete_since, Some(ended));
    let ((rev, as_of), (_, first)) = (places(&token), places(&first));
    assert!(rev < ended && first < ended && as_of >= ended);
}

/// Right after one node signed it, a token is shown to another one, whose clock is a little behind.
#[tokio::test]
async fn a_token_from_a_node_whose_clock_is_ahead_is_good_and_ends_no_later() {
    let town = Town::new().await;
    let token = parts(&town.sign_in(&town.jwt_app).await).0;
    for (offset, good) in [
        (-6, false),
        (-5, true),
        (-1, true),
        (299, true),
        (300, false),
    ] {
        let start = town.world.now.load(Ordering::SeqCst);
        town.world
            .now
            .store(start + offset * 1_000, Ordering::SeqCst);
        assert_eq!(town.who(&token).await.is_some(), good, "{offset} s");
        town.world.now.store(start, Ordering::SeqCst);
    }
}
