//! The pull reader: where the bytes are looked at.

use std::borrow::Cow;

use super::seen::{Place, Seen};
use crate::error::JsonFault;

/// Deepest nesting of arrays and objects that is read. Real claims nest three or four deep.
pub const MAX_DEPTH: u8 = 32;

/// Why reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadError {
    /// Not the JSON that we accept.
    Fault(JsonFault),
    /// Good JSON of a shape that the Rust type does not have.
    Shape,
    /// A member that the Rust type needs is absent.
    Missing(&'static str),
}

impl From<JsonFault> for ReadError {
    fn from(fault: JsonFault) -> Self {
        Self::Fault(fault)
    }
}

/// The reader's own errors stay one byte, which keeps results in registers.
type Read<T> = Result<T, JsonFault>;

const SYNTAX: JsonFault = JsonFault::Syntax;

/// A position in a JSON text.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u8,
}

/// A JSON number, in the narrowest form that holds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Unsigned(u64),
    Signed(i64),
    /// Finite.
    Float(f64),
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    /// Checks that `text` is one value and nothing more; gives its first byte.
    pub(crate) fn check(text: &'a str) -> Read<u8> {
        let mut reader = Self::new(text);
        let first = reader.peek()?;
        reader.skip_value()?;
        reader.end()?;
        Ok(first)
    }

    /// The next byte that is not white space, left unread.
    #[inline]
    pub(crate) fn peek(&mut self) -> Read<u8> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(byte) => return Ok(*byte),
                None => return Err(SYNTAX),
            }
        }
    }

    /// Only white space may be left.
    pub(crate) fn end(&mut self) -> Read<()> {
        match self.peek() {
            Err(_) => Ok(()),
            Ok(_) => Err(SYNTAX),
        }
    }

    /// Reads `byte` after white space.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> Read<()> {
        if self.peek()? == byte {
            self.at += 1;
            Ok(())
        } else {
            Err(SYNTAX)
        }
    }

    /// Where the next value starts, to take its text with [`Self::since`] afterwards.
    #[inline]
    pub(crate) fn mark(&mut self) -> usize {
        // An error here comes back when the value is read.
        let _ = self.peek();
        self.at
    }

    /// Bytes read so far.
    #[inline]
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// The text from `mark` to here.
    #[inline]
    pub(crate) fn since(&self, mark: usize) -> &'a str {
        self.text.get(mark..self.at).unwrap_or("")
    }

    /// Reads the opening byte of an object or array.
    #[inline]
    pub(crate) fn open(&mut self, byte: u8) -> Read<()> {
        self.take(byte)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(JsonFault::TooDeep);
        }
        Ok(())
    }

    /// In an object: the next member's name and its place among the names, with the reader before
    /// its value; `None` when the object ended. `first` says whether no member was read yet and is cleared.
    #[inline]
    pub(crate) fn member(
        &mut self,
        first: &mut bool,
        seen: &mut Seen<'a>,
    ) -> Read<Option<(Cow<'a, str>, Place)>> {
        let name = if let Some(name) = self.compact_name(*first) {
            *first = false;
            Cow::Borrowed(name)
        } else {
            if !self.another(first, b'}')? {
                return Ok(None);
            }
            let name = self.string()?;
            self.take(b':')?;
            name
        };
        match seen.insert(&name) {
            Some(place) => Ok(Some((name, place))),
            None => Err(JsonFault::Duplicate),
        }
    }

    /// Reads `,"name":` (without the comma for the first member), as programs write it: no white
    /// space, no escapes. Stays put if it is written otherwise.
    #[inline]
    fn compact_name(&mut self, first: bool) -> Option<&'a str> {
        let start = self.at + if first { 1 } else { 2 };
        let (opening, rest) = self
            .text
            .as_bytes()
            .get(self.at..)?
            .split_at_checked(start - self.at)?;
        if opening != if first { b"\"".as_slice() } else { b",\"" } {
            return None;
        }
        let mut length = 0;
        for byte in rest {
            match byte {
                b'"' => break,
                0..=0x1f | b'\\' => return None,
                _ => length += 1,
            }
        }
        if rest.get(length + 1) != Some(&b':') {
            return None;
        }
        self.at = start + length + 2;
        self.text.get(start..start + length)
    }

    /// In an object or array: whether another item comes; reads the comma or the closing byte.
    #[inline]
    pub(crate) fn another(&mut self, first: &mut bool, close: u8) -> Read<bool> {
        if self.peek()? == close {
            self.at += 1;
            self.depth -= 1;
            return Ok(false);
        }
        if *first {
            *first = false;
        } else {
            self.take(b',')?;
            if self.peek()? == close {
                return Err(SYNTAX);
            }
        }
        Ok(true)
    }

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

    /// Reads `true`, `false` or `null`.
    pub(crate) fn word(&mut self) -> Read<Option<bool>> {
        let rest = self.text.get(self.at..).unwrap_or("");
        let (word, length) = if rest.starts_with("true") {
            (Some(true), 4)
        } else if rest.starts_with("false") {
            (Some(false), 5)
        } else if rest.starts_with("null") {
            (None, 4)
        } else {
            return Err(SYNTAX);
        };
        self.at += length;
        Ok(word)
    }

    /// Reads a number; one beyond the range of a double is not finite, and refused.
    #[inline]
    pub(crate) fn number(&mut self) -> Read<Number> {
        let start = self.at;
        if let Some(number) = self.short_integer() {
            return Ok(Number::Unsigned(number));
        }
        let whole = self.skip_number()?;
        let text = self.since(start);
        if whole {
            if let Ok(number) = text.parse() {
                return Ok(Number::Unsigned(number));
            }
            if let Ok(number) = text.parse() {
                return Ok(Number::Signed(number));
            }
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Number::Float(number)),
            _ => Err(SYNTAX),
        }
    }

    /// Reads an integer of one to eighteen digits, which times and counts are; else stays put.
    #[inline]
    fn short_integer(&mut self) -> Option<u64> {
        let bytes = self.text.as_bytes().get(self.at..)?;
        let mut number = 0;
        let mut length = 0;
        for byte in bytes.iter().take(19) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            number = number * 10 + u64::from(digit);
            length += 1;
        }
        let leading_zero = length > 1 && bytes.first() == Some(&b'0');
        let goes_on = matches!(bytes.get(length), Some(b'.' | b'e' | b'E' | b'0'..=b'9'));
        if length == 0 || length > 18 || leading_zero || goes_on {
            return None;
        }
        self.at += length;
        Some(number)
    }

    /// Reads one value of any kind: its text, and whether it is a string without escapes.
    #[inline]
    pub(crate) fn value(&mut self) -> Read<(&'a str, bool)> {
        if self.peek()? != b'"' {
            let start = self.at;
            self.skip_value()?;
            return Ok((self.since(start), false));
        }
        let start = self.at;
        self.at += 1;
        let plain = self.special()? == b'"';
        if plain {
            self.at += 1;
        } else {
            self.unescape(None)?;
        }
        Ok((self.since(start), plain))
    }

    /// Reads one value of any kind and forgets it, as strictly as if it were kept.
    pub(crate) fn skip_value(&mut self) -> Read<()> {
        match self.peek()? {
            b'"' => {
                self.at += 1;
                if self.special()? == b'"' {
                    self.at += 1;
                    Ok(())
                } else {
                    self.unescape(None)
                }
            }
            b'{' => {
                self.open(b'{')?;
                let mut seen = Seen::new();
                let mut first = true;
                while self.member(&mut first, &mut seen)?.is_some() {
                    self.skip_value()?;
                }
                Ok(())
            }
            b'[' => {
                self.open(b'[')?;
                let mut first = true;
                while self.another(&mut first, b']')? {
                    self.skip_value()?;
                }
                Ok(())
            }
            b'-' | b'0'..=b'9' => self.skip_number().map(drop),
            _ => self.word().map(drop),
        }
    }

    /// Reads a number by the grammar of RFC 8259 section 6; whether it is written as an integer.
    fn skip_number(&mut self) -> Read<bool> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        match self.byte() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(SYNTAX),
        }
        let mut whole = true;
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
            whole = false;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.digits()?;
            whole = false;
        }
        Ok(whole)
    }

    fn digits(&mut self) -> Read<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.byte() {
            self.at += 1;
        }
        if self.at == start {
            Err(SYNTAX)
        } else {
            Ok(())
        }
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Moves to the next `"`, `\` or control character of a string and gives the first two; a
    /// control character or the text's end is an error. Eight bytes at a time.
    #[inline]
    fn special(&mut self) -> Read<u8> {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGHS: u64 = ONES << 7;
        let bytes = self.text.as_bytes();
        while let Some(chunk) = bytes.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            let word = u64::from_le_bytes(*chunk);
            let zero_byte = |x: u64| x.wrapping_sub(ONES) & !x & HIGHS;
            let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
            let hit = control
                | zero_byte(word ^ (ONES * u64::from(b'"')))
                | zero_byte(word ^ (ONES * u64::from(b'\\')));
            if hit != 0 {
                // The lowest flag is exact; borrows can only disturb the ones above it.
                self.at += (hit.trailing_zeros() / 8) as usize;
                break;
            }
            self.at += 8;
        }
        loop {
            match self.byte() {
                Some(byte @ (b'"' | b'\\')) => return Ok(byte),
                Some(0..=0x1f) | None => return Err(SYNTAX),
                Some(_) => self.at += 1,
            }
        }
    }

    /// Reads the rest of a string that has escapes, up to and with its closing quote.
    fn unescape(&mut self, mut out: Option<&mut String>) -> Read<()> {
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
