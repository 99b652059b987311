//! Passwords are guessed at.

use symbolon_authority::ports::{Counted, Limits};
use symbolon_login::{AttemptLimit, Digest};

use super::*;
use crate::{add_user, parts};

const HOUR: Duration = secs(3600);

fn with(identifier: &str, password: &str) -> Attempt {
    Attempt {
        identifier: identifier.to_owned(),
        password: Password::new(password.to_owned()),
        ..attempt()
    }
}

/// The counter of a name, in its canonical spelling.
fn of_name(name: &str) -> Digest {
    Digest::of("sign-in", name.as_bytes())
}

fn of_device(sid: Sid) -> Digest {
    Digest::of("sign-in on a device", sid.as_bytes())
}

impl Town {
    /// As after so many wrong passwords; without the hashes.
    async fn count_failures(&self, key: Digest, failures: u32) {
        for _ in 0..failures {
            let window = AttemptLimit::PASSWORD.window;
            let counted = self.store.count(key, window, self.now());
            counted.await.unwrap();
        }
    }

    async fn failures(&self, key: Digest) -> u32 {
        let counted = self.store.counted(key, self.now()).await.unwrap();
        counted.map_or(0, |Counted { events, .. }| events)
    }

    fn now(&self) -> symbolon_login::UnixMillis {
        symbolon_authority::ports::World::now(&*self.world)
    }

    async fn attempt(&self, identifier: &str, password: &str) -> SignIn {
        self.try_attempt(with(identifier, password), &self.session_app)
            .await
    }
}

fn wait(outcome: &SignIn) -> Option<Duration> {
    match outcome {
        SignIn::Later { wait } => Some(*wait),
        _ => None,
    }
}

#[tokio::test]
async fn the_hundred_and_first_password_waits_even_if_it_is_right() {
    let town = Town::new().await;
    town.count_failures(of_name("alice"), 99).await;
    let hundredth = town.attempt("alice", "wrong").await;
    assert!(matches!(hundredth, SignIn::Refused));
    for spelling in ["alice", "ALICE"] {
        let outcome = town.attempt(spelling, PASSWORD).await;
        assert_eq!(wait(&outcome), Some(HOUR), "{spelling}");
    }
    town.wait(secs(3599));
    let outcome = town.attempt("alice", PASSWORD).await;
    assert_eq!(wait(&outcome), Some(secs(1)));
    assert_eq!(town.failures(of_name("alice")).await, 100, "no longer wait");
    town.wait(secs(1));
    signed_in(town.attempt("alice", PASSWORD).await);
}

#[tokio::test]
async fn an_unknown_name_waits_like_a_known_one() {
    let town = Town::new().await;
    add_user(&town.authority, &town.admin, "bob").await;
    for name in ["alice", "nobody", "a b"] {
        town.count_failures(of_name(name), 99).await;
        let hundredth = town.attempt(name, "wrong").await;
        assert!(matches!(hundredth, SignIn::Refused), "{name}");
        let outcome = town.attempt(name, "wrong").await;
        assert_eq!(wait(&outcome), Some(HOUR), "{name}");
    }
    signed_in(town.attempt("bob", PASSWORD).await);
}

#[tokio::test]
async fn the_right_password_forgets_the_wrong_ones() {
    let town = Town::new().await;
    town.count_failures(of_name("alice"), 99).await;
    signed_in(town.attempt("alice", PASSWORD).await);
    assert_eq!(town.failures(of_name("alice")).await, 0);
    let outcome = town.attempt("alice", "wrong").await;
    assert!(matches!(outcome, SignIn::Refused));
    assert_eq!(town.failures(of_name("alice")).await, 1);
}

#[tokio::test]
async fn guesses_elsewhere_do_not_lock_out_a_device_that_is_known() {
    let town = Town::new().await;
    add_user(&town.authority, &town.admin, "bob").await;
    let of = async |name: &str| {
        let credential = signed_in(town.attempt(name, PASSWORD).await);
        let known = town.who(&parts(&credential).0).await.unwrap();
        known.login.sid
    };
    let (alices, bobs) = (of("alice").await, of("bob").await);
    let on = |sid: Sid| Attempt {
        replaces: Some(sid),
        ..attempt()
    };
    town.count_failures(of_name("alice"), 100).await;
    let elsewhere = town.try_attempt(on(bobs), &town.session_app).await;
    assert_eq!(wait(&elsewhere), Some(HOUR));
    // Its own failures count there.
    town.count_failures(of_device(alices), 100).await;
    let outcome = town.try_attempt(on(alices), &town.session_app).await;
    assert_eq!(wait(&outcome), Some(HOUR));
    town.store.forget(of_device(alices)).await.unwrap();
    let credential = town.try_attempt(on(alices), &town.session_app).await;
    signed_in(credential);
    // The old login of that device is over, and so is what it proved.
    let outcome = town.try_attempt(on(alices), &town.session_app).await;
    assert_eq!(wait(&outcome), Some(HOUR));
}

#[tokio::test]
async fn guesses_at_once_are_no_way_around_the_limit() {
    let town = Town::new().await;
    town.count_failures(of_name("alice"), 99).await;
    // All of them find 99; one thread hashes them in this order.
    let (first, second, right) = tokio::join!(
        town.attempt("alice", "wrong"),
        town.attempt("alice", "wrong too"),
        town.attempt("alice", PASSWORD),
    );
    assert!(matches!(first, SignIn::Refused));
    // Nothing tells the right one from a wrong one.
    assert_eq!(wait(&second), Some(HOUR));
    assert_eq!(wait(&right), Some(HOUR));
}
