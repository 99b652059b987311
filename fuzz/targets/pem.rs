//! PEM and DER, public and private: what is read can be written, and read again as the same key.
#![no_main]

use libfuzzer_sys::fuzz_target;
use symbolon_jose::{Algorithm, SigningKey, VerifyingKey};

fuzz_target!(|data: &[u8]| {
    for algorithm in Algorithm::ALL {
        let text = std::str::from_utf8(data).ok();
        let public = [
            text.and_then(|text| VerifyingKey::from_pem(algorithm, text).ok()),
            VerifyingKey::from_der(algorithm, data).ok(),
        ];
        for key in public.into_iter().flatten() {
            let again = VerifyingKey::from_pem(algorithm, &key.to_pem().unwrap()).unwrap();
            assert!(again.thumbprint() == key.thumbprint());
            let again = VerifyingKey::from_der(algorithm, &key.to_der().unwrap()).unwrap();
            assert!(again.thumbprint() == key.thumbprint());
        }
        let private = [
            text.and_then(|text| SigningKey::from_pem(algorithm, text).ok()),
            SigningKey::from_pkcs8_der(algorithm, data).ok(),
        ];
        for key in private.into_iter().flatten() {
            let again = SigningKey::from_pem(algorithm, &key.dangerous_to_pem().unwrap()).unwrap();
            assert!(
                again.kid() == key.kid(),
                "the thumbprint of the same public half"
            );
        }
    }
});
