//! A JWK set: bounded, every key accounted for, and public keys survive being written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use symbolon_jose::{Algorithm, KeySet};

fuzz_target!(|text: &str| {
    let Ok(loaded) = KeySet::from_jwks(text, &Algorithm::ALL) else {
        return;
    };
    assert!(loaded.keys.len() + loaded.skipped.len() <= 256);
    assert!(loaded.keys.iter().all(|key| key.kid().is_some()));

    let public = loaded
        .keys
        .iter()
        .filter(|key| !key.algorithm().is_symmetric());
    let expected: Vec<_> = public.map(|key| (key.kid(), key.thumbprint())).collect();
    let written = loaded.keys.to_jwks();
    let again = KeySet::from_jwks(&written, &Algorithm::ALL).unwrap();
    let found: Vec<_> = again
        .keys
        .iter()
        .map(|key| (key.kid(), key.thumbprint()))
        .collect();
    assert!(found == expected && again.skipped.is_empty());
});
