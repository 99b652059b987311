//! Under which name caches know a credential: a digest that nobody outside the process can work out.
//!
//! `SipHash`-2-4 with 128 bits, made for short texts and a secret key (Aumasson and Bernstein 2012). Whoever wants
//! to pass for somebody by a text with the digest of that person's credential, or to fill one set of
//! a cache, would have to guess: the key is drawn when a guard starts, and no digest ever leaves it. For
//! what is kept or compared elsewhere this would be the wrong function; there it is SHA-256.

use std::fmt;

use aws_lc_rs::rand;
use siphasher::sip128::SipHasher24;
use zeroize::Zeroizing;

/// Makes the digests of one guard.
#[derive(Clone)]
pub(crate) struct Digests(SipHasher24);

/// The digest of a whole credential: caches never hold the credential itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey {
    high: u64,
    low: u64,
}

/// The operating system gives no random numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoRandomness;

impl Digests {
    /// With a key that nobody knows.
    pub(crate) fn secret() -> Result<Self, NoRandomness> {
        let mut key = Zeroizing::new([0; 16]);
        rand::fill(&mut *key).map_err(|_| NoRandomness)?;
        Ok(Self(SipHasher24::new_with_key(&key)))
    }

    /// With a key that everybody knows: whoever knows it can make a text of any digest.
    #[cfg(test)]
    pub(crate) fn known() -> Self {
        Self(SipHasher24::new())
    }

    /// The digest of this text.
    pub(crate) fn of(&self, text: &[u8]) -> CacheKey {
        let digest = self.0.hash(text);
        CacheKey {
            high: digest.h1,
            low: digest.h2,
        }
    }
}

impl CacheKey {
    /// Bits that choose a place, and others that tell its neighbours apart.
    pub(crate) const fn parts(&self) -> (u64, u16) {
        let [first, second, ..] = self.low.to_be_bytes();
        (self.high, u16::from_be_bytes([first, second]))
    }

    /// A byte that neither part holds.
    pub(crate) const fn chance(&self) -> u8 {
        let [.., last] = self.low.to_be_bytes();
        last
    }
}

impl fmt::Debug for Digests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digests").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// Some of the vectors in the designers' own program (`vectors_sip128`): key 00..0f, text 00, 01, ...
    #[test]
    fn it_is_siphash_2_4_with_128_bits() {
        let key: [u8; 16] = std::array::from_fn(|n| u8::try_from(n).unwrap());
        let digests = Digests(SipHasher24::new_with_key(&key));
        let text: Vec<u8> = (0..63).collect();
        for (length, expected) in [
            (0, 0xa381_7f04_ba25_a8e6_6df6_7214_c755_0293_u128),
            (1, 0xda87_c1d8_6b99_af44_3476_5911_9b22_fc45),
            (15, 0x5493_e999_33b0_a811_7e08_ec0f_97cf_c3d9),
            (63, 0x5150_d177_2f50_834a_503e_069a_973f_bd7c),
        ] {
            let CacheKey { high, low } = digests.of(text.get(..length).unwrap());
            // Their bytes go from the lowest to the highest.
            let bytes = u128::from(high) | u128::from(low) << 64;
            assert_eq!(bytes.swap_bytes(), expected, "{length}");
        }
    }

    #[test]
    fn each_guard_has_its_own() {
        let (one, other) = (Digests::secret().unwrap(), Digests::secret().unwrap());
        let text = b"a credential";
        assert!(one.of(text) == one.of(text));
        assert!(one.of(text) != other.of(text));
        assert!(one.of(text) != Digests::known().of(text));
    }
}
