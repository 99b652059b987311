//! One JWK, public or private: what is read can be written, and read again as the same key.
#![no_main]

use aws_lc_rs::rand::SystemRandom;
use libfuzzer_sys::fuzz_target;
use symbolon_jose::{Algorithm, SigningKey, Unverified, VerifyingKey, sign_payload};

fuzz_target!(|text: &str| {
    for algorithm in Algorithm::ALL {
        if let Ok(key) = VerifyingKey::from_jwk(algorithm, text) {
            assert_eq!(key.algorithm(), algorithm);
            if !algorithm.is_symmetric() {
                let written = key.to_jwk().unwrap();
                let again = VerifyingKey::from_jwk(algorithm, &written).unwrap();
                assert!(again.thumbprint() == key.thumbprint() && again.kid() == key.kid());
            }
        }
        if let Ok(key) = SigningKey::from_jwk(algorithm, text) {
            let written = key.dangerous_to_jwk().unwrap();
            assert!(SigningKey::from_jwk(algorithm, &written).is_ok());
            signs_what_it_verifies(&key);
        }
    }
});

/// A private key that was taken belongs to its public half.
fn signs_what_it_verifies(key: &SigningKey) {
    let token = sign_payload(key, "JWT", b"{}", &SystemRandom::new()).unwrap();
    let read = Unverified::parse(&token).unwrap();
    assert!(read.verify_payload(&key.verifying_key().unwrap()).is_ok());
}
