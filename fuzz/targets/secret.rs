//! Opaque secrets: only what was issued is authentic, in its one spelling.
#![no_main]

use libfuzzer_sys::fuzz_target;
use symbolon_login::{GrantId, SecretKeys, SecretKind};

fuzz_target!(|data: &[u8]| {
    let keys = SecretKeys::derive(&[7; 32]);
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(secret) = keys.authenticate(text)
    {
        assert_eq!(*secret.expose(), text, "one spelling");
        assert_eq!(SecretKind::claimed_by(text), Some(secret.kind()));
    }
    issued_then_changed(&keys, data);
});

/// What this authority issues is authentic; with any one bit changed it is not.
fn issued_then_changed(keys: &SecretKeys, data: &[u8]) {
    let Some((random, rest)) = data.split_first_chunk::<32>() else {
        return;
    };
    let [place, bit, ..] = *rest else { return };
    let kind = if bit & 8 == 0 {
        SecretKind::Session
    } else {
        SecretKind::Refresh
    };
    let issued = keys.first(kind, GrantId::from_bytes([3; 16]), *random);
    let text = issued.expose();
    assert!(keys.authenticate(&text).is_ok());

    let mut changed = text.as_bytes().to_vec();
    let at = usize::from(place) % changed.len();
    changed[at] ^= 1 << (bit & 7);
    if let Ok(changed) = std::str::from_utf8(&changed) {
        assert!(
            keys.authenticate(changed).is_err(),
            "a changed secret: {changed}"
        );
    }
}
