//! Facts from texts, and from anything that serde reads. What does not fit is refused by name.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor},
    ser::SerializeMap,
};

use super::{
    About, Answers, Fact, Facts, Value,
    value::{UNITS, YES_NO},
};
use crate::words::Lang;

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

impl BadFact {
    /// What is wrong and what is allowed, on one line.
    pub fn told(&self, lang: Lang) -> String {
        match self {
            Self::Unknown { name } => {
                let all = Fact::ALL.map(|fact| fact.about().name).join(", ");
                let name = short(name);
                match lang {
                    Lang::En => format!("{name:?}: no such fact; there are {all}"),
                    Lang::Ko => format!("{name:?}: 그런 항목은 없습니다. 있는 항목: {all}"),
                }
            }
            Self::Answer { fact, found } => {
                let About { name, answers, .. } = fact.about();
                let (allowed, found) = (answers.told(lang), short(found));
                match lang {
                    Lang::En => format!("{name}: expected {allowed}, found {found:?}"),
                    Lang::Ko => {
                        format!("{name}: 쓸 수 없는 값입니다: {found:?}. 쓸 수 있는 값: {allowed}")
                    }
                }
            }
            Self::Twice { fact } => {
                let name = fact.about().name;
                match lang {
                    Lang::En => format!("{name}: answered twice"),
                    Lang::Ko => format!("{name}: 두 번 답했습니다"),
                }
            }
        }
    }
}

impl fmt::Display for BadFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(Lang::En))
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

/// Facts as somebody wrote them, before anybody looked whether they are some: a refusal can then be told in the
/// reader's language.
pub struct Stated(Vec<(String, Written)>);

impl Stated {
    /// The facts, if they are all that.
    ///
    /// # Errors
    /// The first that is not, by its name.
    pub fn facts(self) -> Result<Facts, BadFact> {
        let mut facts = Facts::unknown();
        let mut seen = std::collections::BTreeSet::new();
        for (name, Written(text)) in self.0 {
            let fact = Fact::named(&name)?;
            if !seen.insert(fact) {
                return Err(BadFact::Twice { fact });
            }
            // Only where yes or no is asked for do true and false stand for them.
            let text = text.map(|text| match text.as_str() {
                "true" if fact.about().answers == YES_NO => "yes".to_owned(),
                "false" if fact.about().answers == YES_NO => "no".to_owned(),
                _ => text,
            });
            if let Some(text) = text {
                facts.set(fact, fact.parse(&text)?);
            }
        }
        Ok(facts)
    }
}

impl<'de> Deserialize<'de> for Stated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Stated;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("facts by their names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Stated, A::Error> {
                let mut stated = Vec::new();
                while let Some(one) = map.next_entry()? {
                    stated.push(one);
                }
                Ok(Stated(stated))
            }
        }
        deserializer.deserialize_map(Map)
    }
}

impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Stated::deserialize(deserializer)?
            .facts()
            .map_err(Error::custom)
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
