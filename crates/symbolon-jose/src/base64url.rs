//! Base64url as JOSE has it (RFC 7515 section 2): one spelling for every byte string.
//!
//! A second spelling (padding, blanks, stray bits) would be a second token with the same
//! signature, which slips past anything that compares token texts.
//!
//! The work is `base64-simd`'s, which refuses all of these and takes a quarter of the time of the
//! `base64` crate (which is the oracle in the tests).

use base64_simd::URL_SAFE_NO_PAD as BASE64URL;

/// An upper bound of what a text of this length decodes to.
pub(crate) fn decoded_len(text_len: usize) -> usize {
    text_len / 4 * 3 + 3
}

/// Decodes onto the end of `out`; `None`, with `out` unchanged, unless `text` is canonical.
#[inline]
pub(crate) fn decode_onto(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    BASE64URL.decode_append(text, out).ok()
}

/// Decodes; `None` unless `text` is canonical.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64URL.decode_to_vec(text).ok()
}

/// Appends the encoding of `bytes` to `out`.
#[inline]
pub(crate) fn encode_onto(bytes: &[u8], out: &mut String) {
    BASE64URL.encode_append(bytes, out);
}

/// The encoding of `bytes`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    BASE64URL.encode_to_string(bytes)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_byte_at_every_place_is_read_like_the_oracle() {
        // Behind no vector of 32 characters, one and two: every length of rest.
        for length in (0..12).chain(36..46).chain(68..74) {
            let text = "QUJD".repeat(28);
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    let mut text = text.as_bytes()[..length].to_vec();
                    text[at] = byte;
                    let mut out = b"before".to_vec();
                    let decoded = decode_onto(&text, &mut out).map(|()| out.split_off(6));
                    assert_eq!(decoded, URL_SAFE_NO_PAD.decode(&text).ok(), "{text:?}");
                    assert_eq!(out, b"before");
                }
            }
        }
    }

    #[test]
    fn no_second_spelling() {
        assert_eq!(decode("QQ").unwrap(), b"A");
        for text in [
            "Q", "QQ=", "QQ==", "QR", "QUJ", "QUJDQ", "Q Q", "QQ\n", " QQ", "Q+", "Q/", "QÄ",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    #[test]
    fn the_last_character_has_no_stray_bits() {
        for length in [2, 3, 34, 35, 66, 67, 130, 131] {
            for last in 0..=u8::MAX {
                let mut text = vec![b'A'; length];
                text[length - 1] = last;
                let decoded = decode_onto(&text, &mut Vec::new());
                let oracle = URL_SAFE_NO_PAD.decode(&text);
                assert_eq!(decoded.is_some(), oracle.is_ok(), "{length} {last}");
            }
        }
    }

    proptest! {
        #[test]
        fn bytes_come_back(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let text = encode(&bytes);
            prop_assert_eq!(&text, &URL_SAFE_NO_PAD.encode(&bytes));
            prop_assert_eq!(decode(&text).unwrap(), bytes);
        }

        #[test]
        fn any_text_is_read_like_the_oracle(text in "[A-Za-z0-9_=+/ é-]{0,100}") {
            prop_assert_eq!(decode(&text), URL_SAFE_NO_PAD.decode(&text).ok());
        }
    }
}
