//! A claims object: validated in one tight pass, then read into the caller's type and the checks.

use std::borrow::Cow;

use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};

use super::de::Name;
use super::seen::{INLINE, Place};
use super::{Number, ReadError, Reader, Seen};
use crate::error::JsonFault;

/// A JSON value that was validated.
#[derive(Clone, Copy, Default)]
pub(crate) struct Raw<'a> {
    pub(crate) text: &'a str,
    pub(super) form: Form,
}

/// What is known of a value beyond its text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Form {
    /// A string without escapes.
    Plain,
    /// A positive integer that fits.
    Integer(u64),
    #[default]
    Other,
}

impl<'a> Raw<'a> {
    /// The string that it stands for; `None` if it is another kind of value.
    pub(crate) fn string(self) -> Option<Cow<'a, str>> {
        match self.form {
            Form::Plain => Some(Cow::Borrowed(self.unquoted())),
            _ => Reader::new(self.text).string().ok(),
        }
    }

    /// The number that it stands for; `None` if it is another kind of value, or not finite.
    pub(crate) fn number(self) -> Option<Number> {
        match self.form {
            Form::Integer(number) => Some(Number::Unsigned(number)),
            Form::Plain => None,
            Form::Other => Reader::new(self.text).number().ok(),
        }
    }

    pub(crate) fn is_string(self) -> bool {
        self.text.starts_with('"')
    }

    /// The text between the quotes.
    #[inline]
    fn unquoted(self) -> &'a str {
        let end = self.text.len().saturating_sub(1);
        self.text.get(1..end).unwrap_or_default()
    }
}

/// What is known of each claim that every check looks at.
#[derive(Default)]
pub(crate) struct Registered<T> {
    pub(crate) iss: Option<T>,
    pub(crate) sub: Option<T>,
    pub(crate) aud: Option<T>,
    pub(crate) exp: Option<T>,
    pub(crate) nbf: Option<T>,
    pub(crate) iat: Option<T>,
    pub(crate) jti: Option<T>,
}

impl<T> Registered<T> {
    /// The place for a claim of this name; `None` for all other names.
    #[inline]
    pub(super) fn claim(&mut self, name: &str) -> Option<&mut Option<T>> {
        Some(match <&[u8; 3]>::try_from(name.as_bytes()) {
            Ok(b"iss") => &mut self.iss,
            Ok(b"sub") => &mut self.sub,
            Ok(b"aud") => &mut self.aud,
            Ok(b"exp") => &mut self.exp,
            Ok(b"nbf") => &mut self.nbf,
            Ok(b"iat") => &mut self.iat,
            Ok(b"jti") => &mut self.jti,
            _ => return None,
        })
    }

    #[inline]
    pub(super) fn map<U>(&self, form: impl Fn(T) -> U) -> Registered<U>
    where
        T: Copy,
    {
        Registered {
            iss: self.iss.map(&form),
            sub: self.sub.map(&form),
            aud: self.aud.map(&form),
            exp: self.exp.map(&form),
            nbf: self.nbf.map(&form),
            iat: self.iat.map(&form),
            jti: self.jti.map(&form),
        }
    }
}

/// A claims object, known to be one strict JSON object.
pub(crate) struct Claims<'a> {
    names: Seen<'a>,
    /// Values of the inline names.
    values: [Raw<'a>; INLINE],
    /// Claims that do not fit inline, or whose name was written with escapes.
    more: Vec<(Cow<'a, str>, Raw<'a>)>,
    pub(crate) registered: Registered<Raw<'a>>,
}

impl<'a> Claims<'a> {
    /// An object without claims, to be filled in place: it is too big to move around.
    #[inline]
    pub(crate) fn new() -> Self {
        Self {
            names: Seen::new(),
            values: [Raw::default(); INLINE],
            more: Vec::new(),
            registered: Registered::default(),
        }
    }

    /// Validates a whole text and notes its claims.
    pub(crate) fn scan(&mut self, text: &'a str) -> Result<(), JsonFault> {
        let mut reader = Reader::new(text);
        if reader.peek()? != b'{' {
            // `[1` is not JSON at all, `[1]` is JSON but no claims.
            reader.skip_value()?;
            reader.end()?;
            return Err(JsonFault::NotObject);
        }
        reader.open(b'{')?;
        let mut first = true;
        loop {
            if let Some((name, text, form)) = reader.compact_member(first) {
                first = false;
                self.add(name, Raw { text, form })?;
            } else if let Some((name, place)) = reader.member(&mut first, &mut self.names)? {
                let (text, form) = reader.value()?;
                let raw = Raw { text, form };
                self.register(&name, raw);
                self.keep(name, place, raw);
            } else {
                return reader.end();
            }
        }
    }

    /// Notes a claim whose name was written without escapes.
    #[inline]
    fn add(&mut self, name: &'a str, raw: Raw<'a>) -> Result<(), JsonFault> {
        let place = self.names.insert_borrowed(name);
        self.register(name, raw);
        self.keep(Cow::Borrowed(name), place.ok_or(JsonFault::Duplicate)?, raw);
        Ok(())
    }

    #[inline]
    fn keep(&mut self, name: Cow<'a, str>, place: Place, raw: Raw<'a>) {
        match place {
            Place::Inline(index) => {
                if let Some(value) = self.values.get_mut(index) {
                    *value = raw;
                }
            }
            Place::More => self.more.push((name, raw)),
        }
    }

    #[inline]
    fn register(&mut self, name: &str, raw: Raw<'a>) {
        if let Some(claim) = self.registered.claim(name) {
            *claim = Some(raw);
        }
    }

    /// The value of a claim.
    pub(crate) fn find(&self, name: &str) -> Option<Raw<'a>> {
        match self.names.place(name)? {
            Place::Inline(index) => self.values.get(index).copied(),
            Place::More => {
                let mut more = self.more.iter();
                more.find(|(other, _)| other == name).map(|(_, raw)| *raw)
            }
        }
    }

    /// Reads the claims into the caller's type. An error is about the type only, and comes with the
    /// name of the claim that was being read.
    pub(crate) fn read<T: de::Deserialize<'a>>(&self) -> Result<T, (ReadError, Cow<'a, str>)> {
        let mut members = Members {
            claims: self,
            next: 0,
            value: None,
        };
        T::deserialize(&mut members).map_err(|error| {
            let current = members.next.checked_sub(1).and_then(|at| self.at(at));
            let name = current.map(|(name, _)| name).unwrap_or_default();
            (error, name)
        })
    }

    /// The claim at this place in the order of reading.
    #[inline]
    fn at(&self, at: usize) -> Option<(Cow<'a, str>, Raw<'a>)> {
        if let Some(name) = self.names.inline(at) {
            return Some((Cow::Borrowed(name), *self.values.get(at)?));
        }
        let (name, raw) = self.more.get(at.checked_sub(self.names.inline_len())?)?;
        Some((name.clone(), *raw))
    }
}

/// Hands the claims out one after the other.
struct Members<'c, 'a> {
    claims: &'c Claims<'a>,
    /// The claim that comes next.
    next: usize,
    /// The value of the name that was just handed out.
    value: Option<Raw<'a>>,
}

impl<'de> Deserializer<'de> for &mut Members<'_, 'de> {
    type Error = ReadError;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_map(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = ReadError;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ReadError> {
        let Some((name, value)) = self.claims.at(self.next) else {
            return Ok(None);
        };
        self.value = Some(value);
        self.next += 1;
        seed.deserialize(Name(name)).map(Some)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, ReadError> {
        let value = self.value.take().ok_or(ReadError::Shape)?;
        seed.deserialize(value)
    }
}

impl<'de> Deserializer<'de> for Raw<'de> {
    type Error = ReadError;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.form {
            Form::Plain => visitor.visit_borrowed_str(self.unquoted()),
            Form::Integer(number) => visitor.visit_u64(number),
            Form::Other => Reader::new(self.text).deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        if self.text == "null" {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match self.form {
            Form::Plain => visitor.visit_enum(self.unquoted().into_deserializer()),
            _ => Reader::new(self.text).deserialize_enum(name, variants, visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier
    }
}
