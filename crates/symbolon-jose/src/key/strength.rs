//! Keys that are too weak to trust, refused when they are loaded.

use crate::algorithm::{Algorithm, Family};
use crate::error::Misuse;

/// RSA: 2048 to 8192 bits, an odd exponent from 3 to 33 bits, and no trace of the ROCA flaw.
pub(super) fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), Misuse> {
    let minimal = |number: &[u8]| number.first().is_some_and(|first| *first != 0);
    if !minimal(n) || !minimal(e) {
        // RFC 7518 section 6.3.1.1: no leading zero octets.
        return Err(Misuse::UnreadableKey("RSA numbers have leading zeros"));
    }
    match bits(n) {
        0..2048 => return Err(Misuse::WeakKey("RSA below 2048 bits")),
        2048..=8192 => {}
        _ => return Err(Misuse::UnreadableKey("RSA above 8192 bits")),
    }
    if !is_odd(n) {
        return Err(Misuse::WeakKey("RSA modulus is even"));
    }
    // e = 1 makes every padded message its own signature.
    if !is_odd(e) || e == [1] || bits(e) > 33 {
        return Err(Misuse::WeakKey("RSA exponent"));
    }
    if has_roca_fingerprint(n) {
        return Err(Misuse::WeakKey("RSA key made by a flawed chip (ROCA)"));
    }
    Ok(())
}

/// Ed25519: no point of small order, under which signatures verify that nobody made. It matters
/// where clients bring their own keys.
pub(super) fn check_ed25519(point: &[u8; 32]) -> Result<(), Misuse> {
    let mut y = *point;
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    if SMALL_ORDER.contains(&y) {
        return Err(Misuse::WeakKey("Ed25519 point of small order"));
    }
    Ok(())
}

/// HMAC: at least as long as the hash (RFC 7518 section 3.2), and not a public key's text, which
/// is how algorithm confusion looks from the inside.
pub(super) fn check_secret(secret: &[u8], algorithm: Algorithm) -> Result<(), Misuse> {
    let Family::Hmac(hmac) = algorithm.family() else {
        return Err(Misuse::WrongKeyType);
    };
    if secret.len() < hmac.tag_len() {
        return Err(Misuse::WeakKey("HMAC secret shorter than the hash"));
    }
    if looks_public(secret) {
        return Err(Misuse::WeakKey("HMAC secret is a key file's text"));
    }
    Ok(())
}

fn looks_public(secret: &[u8]) -> bool {
    let contains = |needle: &[u8]| secret.windows(needle.len()).any(|part| part == needle);
    let text = secret
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(secret)
        .trim_ascii();
    contains(b"-----BEGIN ")
        || text.starts_with(b"ssh-")
        || (text.starts_with(b"{") && contains(b"\"kty\""))
        || super::der::read_spki(secret).is_ok()
        || super::der::read_rsa_public(secret).is_ok()
}

fn bits(number: &[u8]) -> usize {
    let first = number.first().copied().unwrap_or(0);
    (number.len() * 8).saturating_sub(first.leading_zeros() as usize)
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|last| last & 1 == 1)
}

/// CVE-2017-15361: the primes of flawed Infineon chips are a power of 65537 modulo the product of
/// the first small primes, and so is their modulus. A sound modulus is one by chance with a
/// probability below 2^-100.
fn has_roca_fingerprint(n: &[u8]) -> bool {
    ROCA_PRIMES.iter().all(|prime| {
        let residue = n
            .iter()
            .fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
        let mut power = 1;
        loop {
            if power == residue {
                return true;
            }
            power = power * (65_537 % prime) % prime;
            if power == 1 {
                return false;
            }
        }
    })
}

const ROCA_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// The y coordinates of the eight points of small order, sign bit cleared, with the second
/// spellings of 0 and 1 (p and p + 1).
const SMALL_ORDER: [[u8; 32]; 7] = {
    const fn ends(first: u8, middle: u8, last: u8) -> [u8; 32] {
        let mut y = [middle; 32];
        y[0] = first;
        y[31] = last;
        y
    }
    [
        ends(0, 0, 0),
        ends(1, 0, 0),
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef,
            0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88,
            0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10,
            0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77,
            0x92, 0xac, 0x03, 0x7a,
        ],
        ends(0xec, 0xff, 0x7f),
        ends(0xed, 0xff, 0x7f),
        ends(0xee, 0xff, 0x7f),
    ]
};
