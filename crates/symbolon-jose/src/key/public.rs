//! The numbers of a public key, whatever form they came in.

use aws_lc_rs::signature::{ED25519, ParsedPublicKey, RsaPublicKeyComponents};

use super::strength;
use crate::algorithm::{Algorithm, Curve, Family};
use crate::error::Misuse;

/// A public key as numbers. Not yet checked against an algorithm.
#[derive(Clone)]
pub(super) enum Public {
    Ec {
        curve: &'static Curve,
        /// `04`, x, y: both coordinates at the curve's full width.
        point: Box<[u8]>,
    },
    Ed25519([u8; 32]),
    Rsa {
        /// Big-endian, without leading zeros.
        n: Box<[u8]>,
        e: Box<[u8]>,
    },
}

impl Public {
    /// Checks that the key fits the algorithm and is strong enough, and parses it once for all
    /// verifications.
    pub(super) fn prepare(&self, algorithm: Algorithm) -> Result<ParsedPublicKey, Misuse> {
        let rejected = |_| Misuse::UnreadableKey("not a valid public key");
        match (self, algorithm.family()) {
            (Self::Ec { curve, point }, Family::Ec(wanted)) if curve.name == wanted.name => {
                ParsedPublicKey::new(wanted.verify, point).map_err(rejected)
            }
            (Self::Ed25519(point), Family::Ed25519) => {
                strength::check_ed25519(point)?;
                ParsedPublicKey::new(&ED25519, point).map_err(rejected)
            }
            (Self::Rsa { n, e }, Family::Rsa(scheme)) => {
                strength::check_rsa(n, e)?;
                RsaPublicKeyComponents { n, e }
                    .to_parsed_public_key(scheme.verify)
                    .map_err(rejected)
            }
            _ => Err(Misuse::WrongKeyType),
        }
    }

    /// Both coordinates of an elliptic curve point.
    pub(super) fn coordinates(point: &[u8]) -> (&[u8], &[u8]) {
        let both = point.get(1..).unwrap_or_default();
        both.split_at_checked(both.len() / 2).unwrap_or_default()
    }
}
