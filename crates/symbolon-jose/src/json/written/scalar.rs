//! The values that most claims have.

use serde::ser::{Serialize, Serializer};

use super::{Form, Never, Unusual, is_plain};

/// Writes a value that nests nothing and needs no escapes, and gives its form.
pub(super) struct Scalar<'o>(pub(super) &'o mut String);

impl Scalar<'_> {
    #[inline]
    fn digits(self, number: u64) -> Form {
        let mut buffer = itoa::Buffer::new();
        self.0.push_str(buffer.format(number));
        Form::Integer(number)
    }

    fn word(self, word: &str) -> Form {
        self.0.push_str(word);
        Form::Other
    }
}

impl Serializer for Scalar<'_> {
    type Ok = Form;
    type Error = Unusual;
    type SerializeSeq = Never<Form>;
    type SerializeTuple = Never<Form>;
    type SerializeTupleStruct = Never<Form>;
    type SerializeTupleVariant = Never<Form>;
    type SerializeMap = Never<Form>;
    type SerializeStruct = Never<Form>;
    type SerializeStructVariant = Never<Form>;

    #[inline]
    fn serialize_str(self, text: &str) -> Result<Form, Unusual> {
        if !is_plain(text) {
            return Err(Unusual);
        }
        self.0.push('"');
        self.0.push_str(text);
        self.0.push('"');
        Ok(Form::Plain)
    }

    #[inline]
    fn serialize_i64(self, number: i64) -> Result<Form, Unusual> {
        match u64::try_from(number) {
            Ok(number) => Ok(self.digits(number)),
            Err(_) => Ok(self.word(itoa::Buffer::new().format(number))),
        }
    }

    fn serialize_u64(self, number: u64) -> Result<Form, Unusual> {
        Ok(self.digits(number))
    }

    fn serialize_i8(self, number: i8) -> Result<Form, Unusual> {
        self.serialize_i64(number.into())
    }

    fn serialize_i16(self, number: i16) -> Result<Form, Unusual> {
        self.serialize_i64(number.into())
    }

    fn serialize_i32(self, number: i32) -> Result<Form, Unusual> {
        self.serialize_i64(number.into())
    }

    fn serialize_u8(self, number: u8) -> Result<Form, Unusual> {
        Ok(self.digits(number.into()))
    }

    fn serialize_u16(self, number: u16) -> Result<Form, Unusual> {
        Ok(self.digits(number.into()))
    }

    fn serialize_u32(self, number: u32) -> Result<Form, Unusual> {
        Ok(self.digits(number.into()))
    }

    fn serialize_bool(self, word: bool) -> Result<Form, Unusual> {
        Ok(self.word(if word { "true" } else { "false" }))
    }

    fn serialize_none(self) -> Result<Form, Unusual> {
        Ok(self.word("null"))
    }

    fn serialize_unit(self) -> Result<Form, Unusual> {
        Ok(self.word("null"))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Form, Unusual> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Form, Unusual> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Form, Unusual> {
        Err(Unusual)
    }

    unusual! {
        serialize_unit_struct(&'static str) -> Form;
        serialize_f32(f32) -> Form;
        serialize_f64(f64) -> Form;
        serialize_char(char) -> Form;
        serialize_bytes(&[u8]) -> Form;
        serialize_unit_variant(&'static str, u32, &'static str) -> Form;
        serialize_seq(Option<usize>) -> Never<Form>;
        serialize_tuple(usize) -> Never<Form>;
        serialize_tuple_struct(&'static str, usize) -> Never<Form>;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never<Form>;
        serialize_map(Option<usize>) -> Never<Form>;
        serialize_struct(&'static str, usize) -> Never<Form>;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never<Form>;
    }
}
