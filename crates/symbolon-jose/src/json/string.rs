//! Strings: found eight bytes at a time, unescaped only where they have escapes.

use std::borrow::Cow;

use super::reader::{Read, Reader, SYNTAX};

impl<'a> Reader<'a> {
    /// Reads a string, borrowed unless it has escapes.
    #[inline]
    pub(crate) fn string(&mut self) -> Read<Cow<'a, str>> {
        self.take(b'"')?;
        self.string_body()
    }

    /// Reads a string behind its opening quote.
    #[inline]
    pub(crate) fn string_body(&mut self) -> Read<Cow<'a, str>> {
        let start = self.at;
        let stop = self.special()?;
        if stop == b'"' {
            let text = self.since(start);
            self.at += 1;
            return Ok(Cow::Borrowed(text));
        }
        self.at = start;
        let mut out = String::new();
        self.unescape(Some(&mut out))?;
        Ok(Cow::Owned(out))
    }

    /// Moves to the next `"` or `\` of a string and gives it; a control character or the text's end
    /// is an error.
    #[inline]
    pub(super) fn special(&mut self) -> Read<u8> {
        self.at = special_from(self.text.as_bytes(), self.at).ok_or(SYNTAX)?;
        match self.byte() {
            Some(byte @ (b'"' | b'\\')) => Ok(byte),
            _ => Err(SYNTAX),
        }
    }

    /// Reads the rest of a string that has escapes, up to and with its closing quote.
    pub(super) fn unescape(&mut self, mut out: Option<&mut String>) -> Read<()> {
        loop {
            let start = self.at;
            let stop = self.special()?;
            if let Some(out) = out.as_deref_mut() {
                out.push_str(self.since(start));
            }
            self.at += 1;
            if stop == b'"' {
                return Ok(());
            }
            let character = self.escape()?;
            if let Some(out) = out.as_deref_mut() {
                out.push(character);
            }
        }
    }

    fn escape(&mut self) -> Read<char> {
        let kind = self.byte().ok_or(SYNTAX)?;
        self.at += 1;
        Ok(match kind {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.hex4()?;
                // A lone surrogate stands for no character (RFC 8259 section 8.2): parsers disagree
                // on it, so it is refused.
                if (0xd800..0xdc00).contains(&unit) {
                    if self.byte() != Some(b'\\') {
                        return Err(SYNTAX);
                    }
                    self.at += 1;
                    if self.byte() != Some(b'u') {
                        return Err(SYNTAX);
                    }
                    self.at += 1;
                    let low = self.hex4()?;
                    if !(0xdc00..0xe000).contains(&low) {
                        return Err(SYNTAX);
                    }
                    let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                    char::from_u32(code).ok_or(SYNTAX)?
                } else {
                    char::from_u32(unit).ok_or(SYNTAX)?
                }
            }
            _ => return Err(SYNTAX),
        })
    }

    fn hex4(&mut self) -> Read<u32> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = self.byte().and_then(|byte| char::from(byte).to_digit(16));
            value = value * 16 + digit.ok_or(SYNTAX)?;
            self.at += 1;
        }
        Ok(value)
    }
}

/// The place of the next `"`, `\` or control character from `at` on. Eight bytes at a time.
#[inline]
pub(super) fn special_from(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let hit = specials(*chunk);
        if hit != 0 {
            // The lowest flag is exact; borrows can only disturb the ones above it.
            return Some(at + (hit.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    let found = rest.iter().position(|byte| is_special(*byte));
    found.map(|found| at + found)
}

/// Whether a text stands for itself between quotes.
#[inline]
pub(super) fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(last) = bytes.last_chunk() else {
        return !bytes.iter().any(|byte| is_special(*byte));
    };
    let (chunks, _) = bytes.as_chunks();
    // The last eight bytes may be looked at twice, which is quicker than one by one.
    let hits = chunks
        .iter()
        .fold(specials(*last), |hits, chunk| hits | specials(*chunk));
    hits == 0
}

/// A flag in the high bit of each byte that is `"`, `\` or a control character.
#[inline]
fn specials(chunk: [u8; 8]) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = ONES << 7;
    let word = u64::from_le_bytes(chunk);
    let zero_byte = |x: u64| x.wrapping_sub(ONES) & !x;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let quote = zero_byte(word ^ (ONES * u64::from(b'"')));
    let backslash = zero_byte(word ^ (ONES * u64::from(b'\\')));
    (control | quote | backslash) & HIGHS
}

fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..=0x1f)
}
