//! PEM (RFC 7468): one block, strictly.

use base64_simd::STANDARD;
use zeroize::Zeroizing;

use crate::error::Misuse;

/// Longest PEM text, in bytes; an 8192-bit RSA private key has about 6 KiB.
const MAX_PEM_BYTES: usize = 32 * 1024;

/// A block's label and content.
pub(super) struct Block<'a> {
    pub(super) label: &'a str,
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// Reads a text that is one PEM block and white space.
pub(super) fn decode(text: &str) -> Result<Block<'_>, Misuse> {
    let unreadable = Misuse::UnreadableKey("PEM");
    if text.len() > MAX_PEM_BYTES {
        return Err(unreadable);
    }
    let parts = || {
        let rest = text.trim().strip_prefix("-----BEGIN ")?;
        let (label, rest) = rest.split_once("-----")?;
        let body = rest.strip_suffix("-----")?;
        let (body, end) = body.split_once("-----END ")?;
        (label == end && !body.contains('-')).then_some((label, body))
    };
    let Some((label, body)) = parts() else {
        return Err(unreadable);
    };
    let mut base64 = Zeroizing::new(Vec::with_capacity(body.len()));
    base64.extend(body.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    match STANDARD.decode_to_vec(base64.as_slice()) {
        Ok(der) => Ok(Block {
            label,
            der: Zeroizing::new(der),
        }),
        Err(_) => Err(unreadable),
    }
}

/// Writes one PEM block with lines of 64 characters.
pub(super) fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    let base64 = Zeroizing::new(STANDARD.encode_to_string(der));
    // Enough room from the start: growing would leave copies of a private key behind.
    let room = base64.len() + base64.len() / 64 + 2 * label.len() + 40;
    let mut out = Zeroizing::new(String::with_capacity(room));
    out.push_str("-----BEGIN ");
    out.push_str(label);
    out.push_str("-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out.push_str("-----END ");
    out.push_str(label);
    out.push_str("-----\n");
    out
}
