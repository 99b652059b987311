//! Signing keys come ahead of use, leave when no token of theirs is left, and can be cut off.

use std::{num::NonZeroUsize, time::Duration};

use symbolon_authority::{
    Authority, KeyRules, KeyStage, KeyState, Passwords, Ports, RootSecret, RotatedKeys, Settings,
    ports::{Directory, Logins, Tail, World},
};
use symbolon_jose::{AccessToken, Algorithm, Expect, KeySet, Unverified};
use symbolon_login::{Change, CutOff, KeyId, Position, Scope};

use super::secs;
use crate::{ISSUER, Town, parts};

const LEAD: Duration = Duration::from_secs(600);
const SECOND: Duration = Duration::from_secs(1);

async fn stages(authority: &Authority, town: &Town) -> Vec<KeyStage> {
    let keys = authority.signing_keys(&town.admin).await.unwrap();
    keys.iter().map(|key| key.stage).collect()
}

async fn rotate(town: &Town) -> KeyState {
    match town.authority.rotate_keys(&town.admin).await.unwrap() {
        RotatedKeys::Arriving(key) => key,
        RotatedKeys::TooMany => panic!("too many keys"),
    }
}

async fn refreshed(town: &Town, refresh_token: &str) -> (String, String) {
    let refreshed = town.refresh(&town.jwt_app, refresh_token).await;
    parts(&refreshed.unwrap())
}

async fn jwks(authority: &Authority) -> KeySet {
    let jwks = authority.jwks().await.unwrap().to_string();
    let loaded = KeySet::from_jwks(&jwks, &[Algorithm::Es256]).unwrap();
    assert!(loaded.skipped.is_empty());
    loaded.keys
}

fn kid_of(token: &str) -> KeyId {
    let unverified = Unverified::parse(token).unwrap();
    unverified.kid().unwrap().parse().unwrap()
}

/// Another node on the same store.
async fn second_node(town: &Town, keys: KeyRules) -> Authority {
    let ports = Ports {
        directory: town.store.clone(),
        logins: town.store.clone(),
        limits: town.store.clone(),
        once: town.store.clone(),
        world: town.world.clone(),
    };
    let passwords = Passwords::start(NonZeroUsize::MIN, 64, [1; 16]).unwrap();
    let settings = Settings {
        keys,
        ..Settings::new(ISSUER)
    };
    let root = RootSecret::from_bytes([7; 32]);
    Authority::open(ports, &root, passwords, settings)
        .await
        .unwrap()
}

fn never() -> KeyRules {
    KeyRules {
        every: None,
        ..KeyRules::default()
    }
}

#[tokio::test]
async fn a_new_key_is_known_before_it_signs_and_the_old_one_until_its_last_token_is_over() {
    let town = Town::new().await;
    let (old_token, _) = parts(&town.sign_in(&town.jwt_app).await);
    let old = kid_of(&old_token);
    let before = town.authority.head().await.unwrap();
    let new = rotate(&town).await;
    assert_eq!(
        (new.stage, new.signs_from.since(new.created_at)),
        (KeyStage::Arriving, LEAD)
    );

    // Guards hear of it, plain verifiers find it, and the old one goes on signing.
    let Tail::Entries(told) = town.authority.tail(before, 9).await.unwrap() else {
        panic!("reset")
    };
    let [told] = told.as_slice() else {
        panic!("{told:?}")
    };
    let Change::KeyAdded { jwk } = &told.change else {
        panic!("{told:?}")
    };
    assert_eq!(jwk["kid"], new.kid.as_str());
    let early = jwks(&town.authority).await;
    assert_eq!(early.len(), 2);
    town.wait(secs(599));
    assert_eq!(kid_of(&parts(&town.sign_in(&town.jwt_app).await).0), old);

    town.wait(SECOND);
    let (token, _) = parts(&town.sign_in(&town.jwt_app).await);
    assert_eq!(kid_of(&token), new.kid);
    let expect = Expect::new(ISSUER, "dashboard", town.world.now().as_secs(), 0);
    let unverified = Unverified::parse(&token).unwrap();
    assert!(unverified.verify::<AccessToken>(&early, &expect).is_ok());
    assert_eq!(
        stages(&town.authority, &town).await,
        [KeyStage::Leaving, KeyStage::Signing]
    );

    // The longest access token, and the margin for clocks.
    town.wait(secs(3899));
    town.authority.tend_keys().await.unwrap();
    assert_eq!(jwks(&town.authority).await.len(), 2);
    town.wait(SECOND);
    let before = town.authority.head().await.unwrap();
    town.authority.tend_keys().await.unwrap();
    assert_eq!(stages(&town.authority, &town).await, [KeyStage::Signing]);
    let Tail::Entries(told) = town.authority.tail(before, 9).await.unwrap() else {
        panic!("reset")
    };
    let [told] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(told.change, Change::KeyRetired { kid: old });
}

#[tokio::test]
async fn a_token_stays_good_across_a_rotation_and_a_refresh_gives_one_of_the_new_key() {
    let town = Town::new().await;
    let (token, refresh_token) = parts(&town.sign_in(&town.jwt_app).await);
    let new = rotate(&town).await;
    town.wait(Duration::from_secs(400));
    let (second, refresh_token) = refreshed(&town, &refresh_token).await;
    assert!(town.who(&second).await.is_some());
    // Signed by the key that leaves, shown while the next one signs.
    town.wait(Duration::from_secs(290));
    assert!(town.who(&second).await.is_some());
    assert!(town.who(&token).await.is_none(), "expired");
    town.wait(Duration::from_secs(110));
    let (third, _) = refreshed(&town, &refresh_token).await;
    assert_eq!(kid_of(&third), new.kid);
    assert!(town.who(&third).await.is_some());
}

#[tokio::test]
async fn a_node_learns_of_keys_that_others_make_and_cut_without_a_restart() {
    let town = Town::new().await;
    let other = second_node(&town, never()).await;
    let (token, _) = parts(&town.sign_in(&town.jwt_app).await);
    assert!(other.who(&token).await.unwrap().is_some());

    let new = rotate(&town).await;
    assert_eq!(jwks(&other).await.len(), 2);
    // Something that is not about keys comes after it, and it is known all the same.
    town.authority
        .end_logins_of(&town.admin, town.alice.id)
        .await
        .unwrap();
    town.wait(LEAD);
    let (token, _) = parts(&town.sign_in(&town.jwt_app).await);
    assert_eq!(kid_of(&token), new.kid);
    assert!(other.who(&token).await.unwrap().is_some());
    let snapshot = other.snapshot().await.unwrap();
    assert!(
        snapshot
            .keys
            .iter()
            .any(|jwk| jwk["kid"] == new.kid.as_str())
    );

    let revoked = town
        .authority
        .revoke_key(&town.admin, &new.kid)
        .await
        .unwrap();
    assert!(revoked.is_some());
    assert!(other.who(&token).await.unwrap().is_none());
    let snapshot = other.snapshot().await.unwrap();
    assert!(
        !snapshot
            .keys
            .iter()
            .any(|jwk| jwk["kid"] == new.kid.as_str())
    );
}

#[tokio::test]
async fn a_revoked_key_kills_its_tokens_and_logins_live_on() {
    let town = Town::new().await;
    let (token, refresh_token) = parts(&town.sign_in(&town.jwt_app).await);
    let session = town.sign_in(&town.session_app).await;
    let kid = kid_of(&token);
    let revoked = town
        .authority
        .revoke_key(&town.admin, &kid)
        .await
        .unwrap()
        .unwrap();
    assert!(town.who(&token).await.is_none());
    let covers = Scope::Key { kid: kid.clone() };
    let cut_off = CutOff {
        position: Position::new(
            revoked.ended.position.epoch(),
            revoked.ended.position.number() - 1,
        ),
        scope: covers,
    };
    assert!(
        town.authority
            .snapshot()
            .await
            .unwrap()
            .cut_offs
            .contains(&cut_off)
    );

    // It was the only one: the next one signs at once.
    assert_eq!(revoked.signing.stage, KeyStage::Signing);
    assert_ne!(revoked.signing.kid, kid);
    let (next, _) = refreshed(&town, &refresh_token).await;
    assert_eq!(kid_of(&next), revoked.signing.kid);
    assert!(town.who(&next).await.is_some());
    assert!(town.who(&parts(&session).0).await.is_some());
    assert!(
        town.authority
            .revoke_key(&town.admin, &kid)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn after_a_revocation_signs_what_verifiers_know() {
    let town = Town::new().await;
    let first = kid_of(&parts(&town.sign_in(&town.jwt_app).await).0);
    let second = rotate(&town).await;
    town.wait(LEAD);
    // The one before it is still known everywhere: it signs until the lead of a new one is over.
    let revoked = town
        .authority
        .revoke_key(&town.admin, &second.kid)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(revoked.signing.kid, first);
    assert_eq!(
        stages(&town.authority, &town).await,
        [KeyStage::Signing, KeyStage::Arriving]
    );
    town.wait(LEAD);
    let (token, _) = parts(&town.sign_in(&town.jwt_app).await);
    assert_ne!(kid_of(&token), first);

    // With one on its way, that one comes in its place, and no further one is made.
    let arriving = rotate(&town).await;
    town.authority
        .revoke_key(&town.admin, &first)
        .await
        .unwrap()
        .unwrap();
    let revoked = town
        .authority
        .revoke_key(&town.admin, &kid_of(&token))
        .await
        .unwrap();
    assert_eq!(revoked.unwrap().signing.kid, arriving.kid);
    assert_eq!(jwks(&town.authority).await.len(), 1);
}

#[tokio::test]
async fn keys_rotate_by_themselves_once_for_all_nodes() {
    let town = Town::new().await;
    let rules = KeyRules {
        lead: LEAD,
        every: Some(Duration::from_secs(86_400)),
    };
    let (one, other) = (
        second_node(&town, rules).await,
        second_node(&town, rules).await,
    );
    let idle = second_node(&town, never()).await;
    town.wait(Duration::from_secs(86_399));
    one.tend_keys().await.unwrap();
    assert_eq!(town.store.keys().await.unwrap().len(), 1);
    town.wait(SECOND);
    idle.tend_keys().await.unwrap();
    assert_eq!(town.store.keys().await.unwrap().len(), 1);
    let (a, b) = tokio::join!(one.tend_keys(), other.tend_keys());
    a.unwrap();
    b.unwrap();
    one.tend_keys().await.unwrap();
    assert_eq!(town.store.keys().await.unwrap().len(), 2);
    assert_eq!(
        stages(&idle, &town).await,
        [KeyStage::Signing, KeyStage::Arriving]
    );
}

#[tokio::test]
async fn keys_and_their_times_outlive_the_process() {
    let town = Town::new().await;
    let (token, _) = parts(&town.sign_in(&town.jwt_app).await);
    rotate(&town).await;
    town.wait(LEAD / 2);
    // Another lead in its settings moves no key that is on its way.
    let rules = KeyRules {
        lead: SECOND,
        ..never()
    };
    let again = second_node(&town, rules).await;
    let expected = town.authority.signing_keys(&town.admin).await.unwrap();
    assert_eq!(again.signing_keys(&town.admin).await.unwrap(), expected);
    assert_eq!(
        stages(&again, &town).await,
        [KeyStage::Signing, KeyStage::Arriving]
    );
    town.wait(secs(299));
    assert!(again.who(&token).await.unwrap().is_none(), "expired");
    assert_eq!(
        stages(&again, &town).await,
        [KeyStage::Signing, KeyStage::Arriving]
    );
    town.wait(SECOND);
    assert_eq!(
        stages(&again, &town).await,
        [KeyStage::Leaving, KeyStage::Signing]
    );
}

#[tokio::test]
async fn there_are_never_more_keys_than_verifiers_read() {
    let town = Town::new().await;
    for _ in 1..200 {
        rotate(&town).await;
    }
    let full = town.authority.rotate_keys(&town.admin).await.unwrap();
    assert_eq!(full, RotatedKeys::TooMany);
    assert_eq!(jwks(&town.authority).await.len(), 200);
    // Revoking is always possible.
    let keys = town.store.keys().await.unwrap();
    let kid = keys.first().unwrap().kid.clone();
    assert!(
        town.authority
            .revoke_key(&town.admin, &kid)
            .await
            .unwrap()
            .is_some()
    );
    assert!(town.store.head().await.is_ok());
}
