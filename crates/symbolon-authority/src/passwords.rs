//! Passwords: Argon2id in a bounded pool.
//!
//! A fixed number of threads, each with its own memory for the hash, work through a bounded queue:
//! whatever the flood, memory stays below threads x 19 MiB and the async runtime is never blocked.
//! When the queue is full the answer is [`Busy`] at once. An unknown user costs exactly one hash
//! with the same parameters, like a wrong password.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{self, Output, Salt},
};
use subtle::ConstantTimeEq;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::PasswordHash;

/// The longest password in bytes: enough for any passphrase, too short to be a load of its own.
pub(crate) const LONGEST: usize = 1024;
/// The shortest new password in characters: what ASVS 6.2.1 demands at least. NIST SP 800-63B-4
/// section 3.1.1.2 asks for 15 where nothing but the password is asked for.
pub(crate) const SHORTEST_NEW: usize = 8;

const SALT_LENGTH: usize = 16;

/// A password as somebody typed it: verified exactly, never trimmed or folded (ASVS 6.2.8).
///
/// No Debug, no Serialize, no `==`; zeroed when dropped.
pub struct Password(Zeroizing<String>);

impl Password {
    /// What was typed.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

/// A password that may be set. No Debug, no Serialize, no `==`; zeroed when dropped.
pub struct NewPassword(Password);

/// The text may not be set as a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadNewPassword {
    /// Too short.
    #[error("a password needs at least {SHORTEST_NEW} characters")]
    Short,
    /// Too long.
    #[error("a password may have at most {LONGEST} bytes")]
    Long,
}

impl NewPassword {
    /// Checks the length only: no rules of composition (ASVS 6.2.5).
    pub fn new(text: String) -> Result<Self, BadNewPassword> {
        let text = Zeroizing::new(text);
        if text.len() > LONGEST {
            return Err(BadNewPassword::Long);
        }
        if text.chars().count() < SHORTEST_NEW {
            return Err(BadNewPassword::Short);
        }
        Ok(Self(Password(text)))
    }
}

/// More people are signing in than the pool takes; nothing was hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being verified at once")]
pub struct Busy;

/// The pool. Dropping it ends its threads once their work is done.
pub struct Passwords {
    queue: mpsc::SyncSender<Job>,
    decoy: PasswordHash,
}

enum Job {
    Hash {
        password: Password,
        salt: [u8; SALT_LENGTH],
        answer: oneshot::Sender<Option<PasswordHash>>,
    },
    Verify {
        password: Password,
        against: PasswordHash,
        answer: oneshot::Sender<bool>,
    },
}

impl Passwords {
    /// Starts `threads` threads behind a queue of `waiting` places. `salt` is for the hash that
    /// unknown users are compared with.
    pub fn start(
        threads: NonZeroUsize,
        waiting: usize,
        salt: [u8; SALT_LENGTH],
    ) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::sync_channel(waiting);
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..threads.get() {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new()
                .name(format!("password-{number}"))
                .spawn(move || work(&jobs))?;
        }
        // No password has this hash: its output is not the hash of anything known.
        let decoy = phc_text(&salt, &[0; Params::DEFAULT_OUTPUT_LEN])
            .ok_or_else(|| std::io::Error::other("argon2 parameters"))?;
        Ok(Self { queue, decoy })
    }

    /// Hashes a new password under a random salt.
    pub async fn hash(
        &self,
        password: NewPassword,
        salt: [u8; SALT_LENGTH],
    ) -> Result<PasswordHash, Busy> {
        let (answer, hashed) = oneshot::channel();
        self.queue
            .try_send(Job::Hash {
                password: password.0,
                salt,
                answer,
            })
            .map_err(|_| Busy)?;
        hashed.await.ok().flatten().ok_or(Busy)
    }

    /// Whether the password is the one of `against`. Without a hash (nobody has that name) the same
    /// work is done and the answer is no.
    pub async fn verify(
        &self,
        password: Password,
        against: Option<PasswordHash>,
    ) -> Result<bool, Busy> {
        // Too long to be anybody's: compared with nobody's hash, so that it costs the same.
        let (password, fits) = if password.0.len() > LONGEST {
            (Password::new(String::new()), false)
        } else {
            (password, true)
        };
        let known = against.is_some() && fits;
        let against = against
            .filter(|_| fits)
            .unwrap_or_else(|| self.decoy.clone());
        let (answer, verified) = oneshot::channel();
        self.queue
            .try_send(Job::Verify {
                password,
                against,
                answer,
            })
            .map_err(|_| Busy)?;
        let same = verified.await.map_err(|_| Busy)?;
        Ok(same && known)
    }
}

fn work(jobs: &Mutex<mpsc::Receiver<Job>>) {
    let mut memory = vec![Block::default(); parameters().block_count()];
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            // Who no longer waits for an answer needs none: a failed send is no error.
            Ok(Job::Hash {
                password,
                salt,
                answer,
            }) => {
                let _ = answer.send(hash(&password, &salt, &mut memory));
            }
            Ok(Job::Verify {
                password,
                against,
                answer,
            }) => {
                let _ = answer.send(verify(&password, &against, &mut memory));
            }
            Err(mpsc::RecvError) => return,
        }
    }
}

/// OWASP's first choice for Argon2id with one lane (Password Storage Cheat Sheet, 2025): 19 MiB, 2 passes.
const fn parameters() -> Params {
    Params::DEFAULT
}

fn hash(password: &Password, salt: &[u8], memory: &mut [Block]) -> Option<PasswordHash> {
    let mut output = [0_u8; Params::DEFAULT_OUTPUT_LEN];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters())
        .hash_password_into_with_memory(password.0.as_bytes(), salt, &mut output, memory)
        .ok()?;
    phc_text(salt, &output)
}

fn verify(password: &Password, against: &PasswordHash, memory: &mut [Block]) -> bool {
    let Some((params, salt, expected)) = parse(against.expose(), memory.len()) else {
        tracing::error!(
            "a stored password hash is not an Argon2id hash with this program's parameters"
        );
        return false;
    };
    let mut output = Zeroizing::new(vec![0_u8; expected.as_ref().len()]);
    let hashed = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password.0.as_bytes(), &salt, &mut output, memory);
    hashed.is_ok() && bool::from(output.ct_eq(expected.as_ref()))
}

/// Reads a stored hash; refuses one that asks for more memory or passes than this program writes.
fn parse(text: &str, blocks: usize) -> Option<(Params, Salt, Output)> {
    let stored = phc::PasswordHash::new(text).ok()?;
    let params = Params::try_from(&stored).ok()?;
    let ours = stored.algorithm.as_str() == "argon2id"
        && params.block_count() <= blocks
        && params.t_cost() <= parameters().t_cost();
    ours.then_some((params, stored.salt?, stored.hash?))
}

fn phc_text(salt: &[u8], output: &[u8]) -> Option<PasswordHash> {
    let stored = phc::PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: parameters().try_into().ok()?,
        salt: Some(Salt::new(salt).ok()?),
        hash: Some(Output::new(output).ok()?),
    };
    Some(PasswordHash::from_phc(stored.to_string()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn pool(threads: usize, waiting: usize) -> Passwords {
        Passwords::start(
            NonZeroUsize::new(threads).unwrap(),
            waiting,
            [1; SALT_LENGTH],
        )
        .unwrap()
    }

    fn new(text: &str) -> NewPassword {
        NewPassword::new(text.to_owned()).ok().unwrap()
    }

    fn typed(text: &str) -> Password {
        Password::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_is_verified_exactly() {
        let pool = pool(1, 4);
        let stored = pool
            .hash(new("correct horse\0 battery "), [9; SALT_LENGTH])
            .await
            .ok()
            .unwrap();
        assert!(
            stored
                .expose()
                .starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
        );
        for (text, same) in [
            ("correct horse\0 battery ", true),
            ("correct horse\0 battery", false),
            ("correct horse", false),
            ("Correct horse\0 battery ", false),
            ("", false),
        ] {
            assert_eq!(
                pool.verify(typed(text), Some(stored.clone())).await,
                Ok(same),
                "{text:?}"
            );
        }
    }

    #[tokio::test]
    async fn nobody_and_the_overlong_are_refused() {
        let pool = pool(1, 4);
        assert_eq!(pool.verify(typed("x"), None).await, Ok(false));
        let empty = PasswordHash::from_phc(hash_of(b"").expose().to_owned());
        let long = "x".repeat(LONGEST + 1);
        assert_eq!(pool.verify(typed(&long), Some(empty)).await, Ok(false));
    }

    fn hash_of(password: &[u8]) -> PasswordHash {
        let mut memory = vec![Block::default(); parameters().block_count()];
        let text = String::from_utf8(password.to_vec()).unwrap();
        hash(&Password::new(text), &[3; SALT_LENGTH], &mut memory).unwrap()
    }

    #[tokio::test]
    async fn a_stored_hash_cannot_ask_for_more_than_we_write() {
        let stored = hash_of(b"password")
            .expose()
            .replace("m=19456", "m=4000000");
        assert_eq!(
            pool(1, 4)
                .verify(typed("password"), Some(PasswordHash::from_phc(stored)))
                .await,
            Ok(false)
        );
    }

    /// The pool takes one and keeps one waiting; of forty at once the rest is told so at once.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_flood_is_refused_not_queued() {
        let pool = Arc::new(pool(1, 1));
        let mut tries = Vec::new();
        for _ in 0..40 {
            let pool = Arc::clone(&pool);
            tries.push(tokio::spawn(
                async move { pool.verify(typed("x"), None).await },
            ));
        }
        let mut busy = 0;
        for one in tries {
            busy += usize::from(one.await.unwrap() == Err(Busy));
        }
        assert!(busy >= 30, "{busy}");
    }

    #[test]
    fn new_passwords_have_a_length_and_no_other_rule() {
        assert_eq!(
            NewPassword::new("1234567".to_owned()).err(),
            Some(BadNewPassword::Short)
        );
        assert_eq!(
            NewPassword::new("x".repeat(LONGEST + 1)).err(),
            Some(BadNewPassword::Long)
        );
        for good in ["12345678", "가나다라마바사아", "        ", &"x".repeat(128)] {
            assert!(NewPassword::new((*good).to_owned()).is_ok(), "{good}");
        }
    }
}
