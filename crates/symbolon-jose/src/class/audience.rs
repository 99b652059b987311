//! `aud`: one name or several (RFC 7519 section 4.1.3).

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

/// For whom a token is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience<'a> {
    /// A single name, written as a string.
    One(Cow<'a, str>),
    /// Any number of names, written as an array.
    Many(Vec<Cow<'a, str>>),
}

impl Audience<'_> {
    /// Whether `name` is one of them, compared byte by byte.
    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|member| member == name)
    }

    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names.as_slice(),
        }
        .iter()
        .map(|name| &**name)
    }

    /// The same, independent of the token it was read from.
    pub fn into_owned(self) -> Audience<'static> {
        match self {
            Self::One(name) => Audience::One(Cow::Owned(name.into_owned())),
            Self::Many(names) => Audience::Many(owned_list(names)),
        }
    }
}

impl<'a> Audience<'a> {
    /// For fields of claims that borrow from the token:
    /// `#[serde(borrow, deserialize_with = "Audience::borrowed")]`.
    pub fn borrowed<'de: 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EitherVisitor)
    }
}

impl<'a> From<&'a str> for Audience<'a> {
    fn from(name: &'a str) -> Self {
        Self::One(Cow::Borrowed(name))
    }
}

impl From<String> for Audience<'_> {
    fn from(name: String) -> Self {
        Self::One(Cow::Owned(name))
    }
}

impl Serialize for Audience<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(name) => serializer.serialize_str(name),
            Self::Many(names) => names.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Audience<'_> {
    /// Copies the names; see [`Audience::borrowed`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Audience::borrowed(deserializer).map(Audience::into_owned)
    }
}

struct EitherVisitor;

impl<'de> Visitor<'de> for EitherVisitor {
    type Value = Audience<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Audience::One(Cow::Borrowed(name)))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Audience::One(Cow::Owned(name.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        ListVisitor.visit_seq(items).map(Audience::Many)
    }
}

/// Reads an array of strings without copying them; serde's own `Vec<Cow<str>>` always copies.
pub(super) fn borrowed_list<'de, D>(deserializer: D) -> Result<Vec<Cow<'de, str>>, D::Error>
where
    D: Deserializer<'de>,
{
    deserializer.deserialize_seq(ListVisitor)
}

/// Reads a string or null without copying it.
pub(super) fn borrowed_option<'de, D>(deserializer: D) -> Result<Option<Cow<'de, str>>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(Option::<Item<'de>>::deserialize(deserializer)?.map(|Item(text)| text))
}

pub(super) fn owned_list(names: Vec<Cow<'_, str>>) -> Vec<Cow<'static, str>> {
    names
        .into_iter()
        .map(|name| Cow::Owned(name.into_owned()))
        .collect()
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = Vec<Cow<'de, str>>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut names = Vec::new();
        while let Some(Item(name)) = items.next_element()? {
            if names.len() == MAX_ITEMS {
                return Err(A::Error::custom("too many items"));
            }
            names.push(name);
        }
        Ok(names)
    }
}

/// More than any real list of audiences, roles or methods.
const MAX_ITEMS: usize = 1024;

/// One string, borrowed if it can be.
struct Item<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Item<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;

        impl<'de> Visitor<'de> for One {
            type Value = Item<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Item<'de>, E> {
                Ok(Item(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Item<'de>, E> {
                Ok(Item(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(One)
    }
}
