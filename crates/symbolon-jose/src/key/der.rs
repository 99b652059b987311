//! As much DER (X.690) as keys need: definite, minimal lengths and nothing left over.

use zeroize::Zeroizing;

use super::public::Public;
use crate::algorithm::{Algorithm, Curve, Family};
use crate::error::Misuse;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
const CONTEXT_0: u8 = 0xa0;

const OID_RSA: &[u8] = &[
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
];
const OID_EC: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const OID_ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
const NULL: &[u8] = &[0x05, 0x00];

/// Reads a `SubjectPublicKeyInfo` (RFC 5280 section 4.1) of a kind that JOSE can use. An RSA key
/// restricted to PSS (its own identifier) is not read: its restriction would be lost.
pub(super) fn read_spki(der: &[u8]) -> Result<Public, Misuse> {
    read_spki_parts(der).ok_or(Misuse::UnreadableKey("SubjectPublicKeyInfo"))
}

fn read_spki_parts(der: &[u8]) -> Option<Public> {
    let (body, rest) = take(der, SEQUENCE)?;
    let (kind, body) = take(body, SEQUENCE)?;
    let (bits, end) = take(body, BIT_STRING)?;
    let bits = bits.strip_prefix(&[0])?;
    if !rest.is_empty() || !end.is_empty() {
        return None;
    }
    if kind == OID_ED25519 {
        return Some(Public::Ed25519(bits.try_into().ok()?));
    }
    if kind == [OID_RSA, NULL].concat() {
        return read_rsa_public(bits).ok();
    }
    let curve_oid = kind.strip_prefix(OID_EC)?;
    let curve = curves().find(|curve| curve.oid == curve_oid)?;
    // RFC 5480 section 2.2: the uncompressed form is the one everyone must have.
    if bits.len() != 1 + 2 * curve.width || bits.first() != Some(&4) {
        return None;
    }
    Some(Public::Ec {
        curve,
        point: bits.into(),
    })
}

/// Reads an `RSAPublicKey` (RFC 8017 appendix A.1.1).
pub(super) fn read_rsa_public(der: &[u8]) -> Result<Public, Misuse> {
    let read = || {
        let (body, rest) = take(der, SEQUENCE)?;
        let (n, body) = take_unsigned(body)?;
        let (e, end) = take_unsigned(body)?;
        (rest.is_empty() && end.is_empty()).then(|| Public::Rsa {
            n: n.into(),
            e: e.into(),
        })
    };
    read().ok_or(Misuse::UnreadableKey("RSAPublicKey"))
}

/// Writes a `SubjectPublicKeyInfo`.
pub(super) fn write_spki(public: &Public) -> Vec<u8> {
    let (kind, bits) = match public {
        Public::Ec { curve, point } => ([OID_EC, curve.oid].concat(), point.to_vec()),
        Public::Ed25519(point) => (OID_ED25519.to_vec(), point.to_vec()),
        Public::Rsa { n, e } => {
            let numbers = [unsigned(n), unsigned(e)].concat();
            ([OID_RSA, NULL].concat(), wrap(SEQUENCE, &numbers))
        }
    };
    let bits = [&[0], bits.as_slice()].concat();
    wrap(
        SEQUENCE,
        &[wrap(SEQUENCE, &kind), wrap(BIT_STRING, &bits)].concat(),
    )
}

/// Writes an `ECPrivateKey` (RFC 5915) without the public point, which the reader computes.
pub(super) fn write_ec_private(curve: &Curve, scalar: &[u8]) -> Zeroizing<Vec<u8>> {
    let scalar = Zeroizing::new(wrap(OCTET_STRING, scalar));
    let body = Zeroizing::new(
        [
            &[INTEGER, 1, 1],
            scalar.as_slice(),
            &wrap(CONTEXT_0, curve.oid),
        ]
        .concat(),
    );
    Zeroizing::new(wrap(SEQUENCE, &body))
}

/// Whether a private key file is one DER sequence with nothing behind it, so that what the crypto
/// library reads is all there is.
pub(super) fn is_one_sequence(der: &[u8]) -> bool {
    take(der, SEQUENCE).is_some_and(|(_, rest)| rest.is_empty())
}

/// The numbers of an RSA private key in PKCS#8 (RFC 5958): n, e, d, p, q, dP, dQ, qInv.
pub(super) fn read_rsa_private(pkcs8: &[u8]) -> Option<[&[u8]; 8]> {
    let (body, _) = take(pkcs8, SEQUENCE)?;
    let (_, body) = take(body, INTEGER)?;
    let (_, body) = take(body, SEQUENCE)?;
    let (key, _) = take(body, OCTET_STRING)?;
    let (numbers, _) = take(key, SEQUENCE)?;
    let (_, mut rest) = take(numbers, INTEGER)?;
    let mut all = [[].as_slice(); 8];
    for number in &mut all {
        (*number, rest) = take_unsigned(rest)?;
    }
    Some(all)
}

/// Every curve of every algorithm.
pub(super) fn curves() -> impl Iterator<Item = &'static Curve> {
    Algorithm::ALL
        .into_iter()
        .filter_map(|algorithm| match algorithm.family() {
            Family::Ec(curve) => Some(curve),
            _ => None,
        })
}

/// Splits one element with this tag off: its content, and what follows.
fn take(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let rest = der.strip_prefix(&[tag])?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81 => {
            let (length, rest) = rest.split_first()?;
            (usize::from(*length).checked_sub(0x80)? + 0x80, rest)
        }
        0x82 => {
            let (length, rest) = rest.split_first_chunk()?;
            let length = usize::from(u16::from_be_bytes(*length));
            (length.checked_sub(0x100)? + 0x100, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// A non-negative INTEGER without its sign byte.
fn take_unsigned(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (number, rest) = take(der, INTEGER)?;
    let number = match number {
        [0, second, ..] if second & 0x80 != 0 => number.get(1..)?,
        [0] => number,
        [first, ..] if *first & 0x80 == 0 && *first != 0 => number,
        _ => return None,
    };
    Some((number, rest))
}

fn unsigned(number: &[u8]) -> Vec<u8> {
    if number.first().is_some_and(|first| first & 0x80 != 0) {
        wrap(INTEGER, &[&[0], number].concat())
    } else {
        wrap(INTEGER, number)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "each cast is of a length that the match arm bounds; keys are far below 64 KiB"
)]
fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = Vec::with_capacity(length + 4);
    out.push(tag);
    match length {
        0..=0x7f => out.push(length as u8),
        0x80..=0xff => out.extend([0x81, length as u8]),
        _ => {
            out.push(0x82);
            out.extend((length as u16).to_be_bytes());
        }
    }
    out.extend_from_slice(content);
    out
}
