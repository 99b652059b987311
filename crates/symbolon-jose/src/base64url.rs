//! Base64url as JOSE has it (RFC 7515 section 2): one spelling for every byte string.
//!
//! A second spelling (padding, blanks, stray bits) would be a second token with the same
//! signature, which slips past anything that compares token texts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Room that a decoder may ask for beyond `len * 3 / 4`.
pub(crate) const SLACK: usize = 3;

/// Decodes into the front of `out`; `None` unless `text` is canonical and fits.
/// `out` needs [`SLACK`] bytes more than the result.
pub(crate) fn decode_into(text: &str, out: &mut [u8]) -> Option<usize> {
    URL_SAFE_NO_PAD.decode_slice(text, out).ok()
}

/// Decodes; `None` unless `text` is canonical.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Appends the encoding of `bytes` to `out`.
pub(crate) fn encode_into(bytes: &[u8], out: &mut String) {
    URL_SAFE_NO_PAD.encode_string(bytes, out);
}

/// The encoding of `bytes`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
