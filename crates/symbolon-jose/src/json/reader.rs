//! The pull reader: where the bytes are looked at.

use std::borrow::Cow;

use super::claims::Form;
use super::seen::{Place, Seen};
use super::string::special_from;
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
pub(super) type Read<T> = Result<T, JsonFault>;

pub(super) const SYNTAX: JsonFault = JsonFault::Syntax;

/// Digits that fit a `u64` whatever they are.
const MAX_DIGITS: usize = 19;

/// A position in a JSON text.
pub(crate) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
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
    /// its value; `None` when the object ended. `first` says whether no member was read yet and is
    /// cleared.
    #[inline]
    pub(crate) fn member(
        &mut self,
        first: &mut bool,
        seen: &mut Seen<'a>,
    ) -> Read<Option<(Cow<'a, str>, Place)>> {
        if !self.another(first, b'}')? {
            return Ok(None);
        }
        let name = self.string()?;
        self.take(b':')?;
        match seen.insert(&name) {
            Some(place) => Ok(Some((name, place))),
            None => Err(JsonFault::Duplicate),
        }
    }

    /// Reads a member as programs write most of them: `,"name":"text"` or `,"name":123` (without the
    /// comma if it is the first), no white space and no escapes. Gives the name, the value's text
    /// and its form. Stays put before any other member.
    ///
    /// It accepts nothing that [`Self::member`] and [`Self::value`] would read otherwise (a test
    /// holds them against each other); being one loop without calls, it halves the time.
    #[inline]
    pub(super) fn compact_member(&mut self, first: bool) -> Option<(&'a str, &'a str, Form)> {
        let bytes = self.text.as_bytes();
        let mut at = self.at;
        if !first {
            if *bytes.get(at)? != b',' {
                return None;
            }
            at += 1;
        }
        if *bytes.get(at)? != b'"' {
            return None;
        }
        let name_at = at + 1;
        let name_end = special_from(bytes, name_at)?;
        if bytes.get(name_end..)?.first_chunk()? != b"\":" {
            return None;
        }
        let value_at = name_end + 2;
        let opening = *bytes.get(value_at)?;
        let form = if opening == b'"' {
            at = special_from(bytes, value_at + 1)?;
            if *bytes.get(at)? != b'"' {
                return None;
            }
            at += 1;
            Form::Plain
        } else {
            if !opening.is_ascii_digit() || opening == b'0' {
                return None;
            }
            let mut number = u64::from(opening - b'0');
            at = value_at + 1;
            while let digit @ b'0'..=b'9' = *bytes.get(at)? {
                number = number
                    .wrapping_mul(10)
                    .wrapping_add(u64::from(digit - b'0'));
                at += 1;
            }
            if at - value_at > MAX_DIGITS {
                return None;
            }
            Form::Integer(number)
        };
        if !matches!(bytes.get(at)?, b',' | b'}') {
            return None;
        }
        self.at = at;
        Some((
            self.text.get(name_at..name_end)?,
            self.text.get(value_at..at)?,
            form,
        ))
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

    /// Reads one value of any kind: its text and its form.
    #[inline]
    pub(super) fn value(&mut self) -> Read<(&'a str, Form)> {
        if self.peek()? != b'"' {
            let start = self.at;
            self.skip_value()?;
            return Ok((self.since(start), Form::Other));
        }
        let start = self.at;
        self.at += 1;
        let form = if self.special()? == b'"' {
            self.at += 1;
            Form::Plain
        } else {
            self.unescape(None)?;
            Form::Other
        };
        Ok((self.since(start), form))
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
    pub(super) fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}
