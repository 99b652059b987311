//! Claims as JSON text, with a note of every member, so that nobody has to read the text again.

use serde::ser::{self, Impossible, Serialize, SerializeMap, SerializeStruct, Serializer};

use super::claims::{Form, Raw, Registered};
use super::seen::{INLINE, fingerprint};
use super::string::is_plain;

/// A claims object that was written.
pub(crate) struct Written {
    text: String,
    members: [Member; INLINE],
    len: usize,
    /// One bit per name's fingerprint: an unset bit proves that a name is new.
    filter: u64,
    /// Places of the registered claims among the members.
    registered: Registered<u8>,
    /// The notes do not tell everything.
    unusual: bool,
}

/// Where a member stands in the text. A token's payload is short enough for two bytes.
#[derive(Clone, Copy, Default)]
struct Member {
    name: u16,
    name_end: u16,
    value: u16,
    value_end: u16,
    form: Form,
}

impl Written {
    /// Nothing yet, to be filled in place: it is too big to move around.
    #[inline]
    pub(crate) fn new() -> Self {
        Self {
            // Few claims are longer, and allocators hand out this size quickly.
            text: String::with_capacity(1000),
            members: [Member::default(); INLINE],
            len: 0,
            filter: 0,
            registered: Registered::default(),
            unusual: false,
        }
    }

    /// Writes claims. `None` if their type cannot be written as JSON.
    pub(crate) fn write(&mut self, claims: &impl Serialize) -> Option<()> {
        if claims.serialize(Object(self)).is_err() {
            self.unusual = true;
            self.text = serde_json::to_string(claims).ok()?;
        }
        Some(())
    }

    /// The JSON text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the notes say what reading the text would say (a test holds both against each
    /// other). Otherwise (a name that may be there twice, nested values, escapes, very many claims)
    /// it must be read.
    pub(crate) fn is_noted(&self) -> bool {
        !self.unusual
    }

    /// The registered claims, as noted.
    pub(crate) fn registered(&self) -> Registered<Raw<'_>> {
        self.registered.map(|place| {
            let member = self.members.get(usize::from(place));
            self.value(member.copied().unwrap_or_default())
        })
    }

    /// The text of a claim's value, as noted.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        let mut members = self.members.iter().take(self.len);
        let member = members.find(|member| self.between(member.name, member.name_end) == name)?;
        Some(self.value(*member).text)
    }

    #[inline]
    fn value(&self, member: Member) -> Raw<'_> {
        Raw {
            text: self.between(member.value, member.value_end),
            form: member.form,
        }
    }

    #[inline]
    fn between(&self, start: u16, end: u16) -> &str {
        let text = self.text.get(usize::from(start)..usize::from(end));
        text.unwrap_or_default()
    }

    /// Writes a member's name, which must not need escapes.
    #[inline]
    fn push_name(&mut self, name: &str) -> Result<(), Unusual> {
        self.text
            .push_str(if self.len == 0 { "{\"" } else { ",\"" });
        let start = self.place()?;
        if !is_plain(name) {
            return Err(Unusual);
        }
        self.text.push_str(name);
        let name_end = self.place()?;
        self.text.push_str("\":");
        let bit = fingerprint(name);
        self.unusual |= self.filter & bit != 0;
        self.filter |= bit;
        let member = self.members.get_mut(self.len).ok_or(Unusual)?;
        (member.name, member.name_end) = (start, name_end);
        if let (Some(claim), Ok(place)) = (self.registered.claim(name), self.len.try_into()) {
            *claim = Some(place);
        }
        Ok(())
    }

    /// Writes the value of the member whose name was just written.
    #[inline]
    fn push_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unusual> {
        let start = self.place()?;
        let form = match value.serialize(Scalar(&mut self.text)) {
            Ok(form) => form,
            Err(Unusual) => self.push_unusual(start.into(), &serde_json::to_string(value))?,
        };
        let end = self.place()?;
        let member = self.members.get_mut(self.len).ok_or(Unusual)?;
        (member.value, member.value_end, member.form) = (start, end, form);
        self.len += 1;
        Ok(())
    }

    #[cold]
    fn push_unusual(
        &mut self,
        start: usize,
        value: &serde_json::Result<String>,
    ) -> Result<Form, Unusual> {
        self.unusual = true;
        self.text.truncate(start);
        self.text.push_str(value.as_ref().map_err(|_| Unusual)?);
        Ok(Form::Other)
    }

    #[inline]
    fn place(&self) -> Result<u16, Unusual> {
        u16::try_from(self.text.len()).map_err(|_| Unusual)
    }

    fn close(&mut self) {
        self.text.push_str(if self.len == 0 { "{}" } else { "}" });
    }
}

/// Not one of the shapes that are written here; `serde_json` writes all others.
#[derive(Debug)]
struct Unusual;

impl std::fmt::Display for Unusual {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an unusual shape")
    }
}

impl std::error::Error for Unusual {}

impl ser::Error for Unusual {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self
    }
}

type Never<T> = Impossible<T, Unusual>;

/// The shapes that are unusual for both serializers.
macro_rules! unusual {
    ($($name:ident($($argument:ty),*) -> $ok:ty;)*) => {
        $(fn $name(self, $(_: $argument),*) -> Result<$ok, Unusual> {
            Err(Unusual)
        })*
    };
}

mod scalar;

use scalar::Scalar;

/// Writes an object with a note of its members.
struct Object<'w>(&'w mut Written);

impl Serializer for Object<'_> {
    type Ok = ();
    type Error = Unusual;
    type SerializeSeq = Never<()>;
    type SerializeTuple = Never<()>;
    type SerializeTupleStruct = Never<()>;
    type SerializeTupleVariant = Never<()>;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Never<()>;

    #[inline]
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Unusual> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Unusual> {
        Ok(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unusual> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unusual> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Unusual> {
        Err(Unusual)
    }

    unusual! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_str(&str) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Never<()>;
        serialize_tuple(usize) -> Never<()>;
        serialize_tuple_struct(&'static str, usize) -> Never<()>;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never<()>;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never<()>;
    }
}

impl SerializeStruct for Object<'_> {
    type Ok = ();
    type Error = Unusual;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unusual> {
        self.0.push_name(name)?;
        self.0.push_value(value)
    }

    fn end(self) -> Result<(), Unusual> {
        self.0.close();
        Ok(())
    }
}

impl SerializeMap for Object<'_> {
    type Ok = ();
    type Error = Unusual;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unusual> {
        let mut quoted = String::new();
        match key.serialize(Scalar(&mut quoted))? {
            Form::Plain => self.0.push_name(quoted.trim_matches('"')),
            _ => Err(Unusual),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unusual> {
        self.0.push_value(value)
    }

    fn end(self) -> Result<(), Unusual> {
        SerializeStruct::end(self)
    }
}

#[cfg(test)]
mod tests;
