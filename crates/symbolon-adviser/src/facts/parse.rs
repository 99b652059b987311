//! Facts from texts, and from anything that serde reads. What does not fit is refused by name.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor},
    ser::SerializeMap,
};

use super::{
    Answers, Fact, Facts, Value,
    value::{UNITS, YES_NO},
};

/// An answer that is none, or a fact that nobody asks for. The text names the field and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadFact {
    /// Nobody asks for it.
    Unknown {
        /// What was named.
        name: String,
    },
    /// It is not one of the answers.
    Answer {
        /// Which.
        fact: Fact,
        /// What was answered.
        found: String,
    },
    /// It was answered twice.
    Twice {
        /// Which.
        fact: Fact,
    },
}

impl fmt::Display for BadFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name } => {
                write!(f, "{:?}: no such fact; there are ", short(name))?;
                for (at, fact) in Fact::ALL.iter().enumerate() {
                    let comma = if at == 0 { "" } else { ", " };
                    write!(f, "{comma}{}", fact.about().name)?;
                }
                Ok(())
            }
            Self::Answer { fact, found } => {
                let about = fact.about();
                write!(
                    f,
                    "{}: expected {}, found {:?}",
                    about.name,
                    about.answers,
                    short(found)
                )
            }
            Self::Twice { fact } => write!(f, "{}: answered twice", fact.about().name),
        }
    }
}

impl std::error::Error for BadFact {}

/// The beginning of what a stranger sent: an error is one line.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

impl Fact {
    /// The fact of this name, as it is written in files.
    pub fn named(name: &str) -> Result<Self, BadFact> {
        let found = Self::ALL.iter().find(|fact| fact.about().name == name);
        found.copied().ok_or_else(|| BadFact::Unknown {
            name: name.to_owned(),
        })
    }

    /// The value that this text stands for; none for `unknown`.
    pub fn parse(self, text: &str) -> Result<Option<Value>, BadFact> {
        if text == "unknown" {
            return Ok(None);
        }
        let value = match self.about().answers {
            Answers::Words(words) => words
                .iter()
                .find(|word| **word == text)
                .map(|word| Value::Word(word)),
            Answers::Number { .. } => digits(text).map(Value::Number),
            Answers::Time { .. } => seconds(text).map(Value::Number),
        };
        self.bounded(value, text).map(Some)
    }

    fn bounded(self, value: Option<Value>, found: &str) -> Result<Value, BadFact> {
        let fits = |number: u64| match self.about().answers {
            Answers::Words(_) => false,
            Answers::Number { least, most } => (least..=most).contains(&number),
            Answers::Time { most } => number <= most,
        };
        match value {
            Some(Value::Number(number)) if fits(number) => Ok(Value::Number(number)),
            Some(Value::Word(word)) => Ok(Value::Word(word)),
            _ => Err(BadFact::Answer {
                fact: self,
                found: found.to_owned(),
            }),
        }
    }
}

/// A number of digits alone: no sign, no point, no exponent.
fn digits(text: &str) -> Option<u64> {
    let all_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten()
}

fn seconds(text: &str) -> Option<u64> {
    let unit = text.chars().last().and_then(|last| {
        let found = UNITS.iter().find(|(unit, _)| *unit == last);
        found.map(|(_, seconds)| *seconds)
    });
    match unit {
        Some(unit) => digits(text.get(..text.len() - 1)?)?.checked_mul(unit),
        None => digits(text),
    }
}

impl Facts {
    /// Answers one fact by its name in files, with a text such as a flag's.
    pub fn answer(&mut self, name: &str, text: &str) -> Result<(), BadFact> {
        let fact = Fact::named(name)?;
        self.set(fact, fact.parse(text)?);
        Ok(())
    }
}

/// One value as files may write it: a text, a number, `true` and `false` for yes and no, nothing for unknown.
struct Written(Option<String>);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, true or false")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Written, E> {
                Ok(Written(Some(text.to_owned())))
            }

            fn visit_bool<E: Error>(self, yes: bool) -> Result<Written, E> {
                Ok(Written(Some(if yes { "true" } else { "false" }.to_owned())))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Written, E> {
                Ok(Written(Some(number.to_string())))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Written, E> {
                Ok(Written(Some(number.to_string())))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Written, E> {
                Ok(Written(Some(number.to_string())))
            }

            fn visit_unit<E: Error>(self) -> Result<Written, E> {
                Ok(Written(None))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Facts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("facts by their names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Facts, A::Error> {
                let mut facts = Facts::unknown();
                let mut seen = std::collections::BTreeSet::new();
                while let Some(name) = map.next_key::<String>()? {
                    let fact = Fact::named(&name).map_err(Error::custom)?;
                    if !seen.insert(fact) {
                        return Err(Error::custom(BadFact::Twice { fact }));
                    }
                    let Written(text) = map.next_value()?;
                    // Only where yes or no is asked for do true and false stand for them.
                    let text = text.map(|text| match text.as_str() {
                        "true" if fact.about().answers == YES_NO => "yes".to_owned(),
                        "false" if fact.about().answers == YES_NO => "no".to_owned(),
                        _ => text,
                    });
                    if let Some(text) = text {
                        facts.set(fact, fact.parse(&text).map_err(Error::custom)?);
                    }
                }
                Ok(facts)
            }
        }
        deserializer.deserialize_map(Map)
    }
}

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (fact, value) in self.known() {
            match value {
                Value::Word(word) => map.serialize_entry(fact.about().name, word)?,
                Value::Number(number) => map.serialize_entry(fact.about().name, &number)?,
            }
        }
        map.end()
    }
}
