//! What is known of an application. Each fact may be unknown: that is an answer, too.
//!
//! One table ([`Fact::about`]) says of each fact what it is called, what may be answered and how it is
//! asked; flags, files, forms and questions are all made from it.

mod parse;
mod table;
mod value;

use crate::words::{Lang, Text};

pub use parse::{BadFact, Stated};
pub use value::{Answers, Value};

/// Something that can be known of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// What people or programs use it through.
    Platform,
    /// Whether its data needs protection.
    Sensitive,
    /// Whether it has to grow beyond one machine.
    Scale,
    /// Whether quick answers matter more than most things.
    Speed,
    /// Who must be able to end a login.
    EndBy,
    /// How soon an ended login has to be refused, in seconds.
    EndWithin,
    /// Whether single actions must never be done by an ended login.
    Critical,
    /// Whether people or administrators see and manage the logins of a person.
    ManageLogins,
    /// Whether stolen tokens are a worry.
    Theft,
    /// How many services check who is calling.
    Services,
    /// On how many domains they are.
    Domains,
    /// Whether a login is checked where the authority cannot be reached.
    Offline,
    /// Whether somebody else checks it with a JWT library of their own.
    ThirdParty,
    /// Whether it may never stop, not even for a restart.
    ZeroDowntime,
    /// Whether its servers share a session store and a balancer already.
    SharedStore,
    /// What is there already.
    Existing,
    /// Requests a second, at the busiest moment.
    RequestsPerSecond,
    /// People (or programs) with an account.
    People,
    /// Devices of one of them.
    DevicesPerPerson,
    /// How many logins are ended in a day, by anybody.
    SignOutsPerDay,
    /// What the application is written in: chooses the example, decides nothing.
    Framework,
}

/// What a fact is called, what may be answered, how it is asked.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Its name in files and in JSON.
    pub name: &'static str,
    /// Its flag on the command line, without the dashes.
    pub flag: &'static str,
    /// What may be answered.
    pub answers: Answers,
    /// The question in English.
    pub en: &'static str,
    /// The question in Korean.
    pub ko: &'static str,
}

/// A word of an answer as people say it.
pub fn label(word: &'static str, lang: Lang) -> &'static str {
    let ko = match word {
        "yes" => "예",
        "no" => "아니요",
        "web" => "서버가 그리는 웹",
        "spa" => "SPA",
        "mobile" => "모바일 앱",
        "api" => "서비스 사이의 API",
        "intranet" => "내부망, 관리자 페이지",
        "nobody" => "아무도",
        "person" => "본인",
        "admin" => "관리자",
        "none" => "아직 없음",
        "session" => "세션",
        "jwt" => "JWT",
        name => name,
    };
    let en = match word {
        "web" => "pages from a server",
        "spa" => "single-page app",
        "mobile" => "phone app",
        "api" => "API between services",
        "intranet" => "intranet, administrators' pages",
        "person" => "the person",
        "admin" => "an administrator",
        "none" => "nothing yet",
        "session" => "sessions",
        "jwt" => "JWTs",
        word => word,
    };
    Text { en, ko }.of(lang)
}

/// What is known of one application.
///
/// ```
/// use symbolon_adviser::{Fact, Facts};
///
/// let mut facts = Facts::unknown();
/// facts.answer("platform", "spa")?;
/// facts.answer("end_within", "10s")?;
/// assert_eq!(facts.number(Fact::EndWithin), Some(10));
/// assert_eq!(facts.word(Fact::Existing), None);
/// assert_eq!(
///     facts.answer("people", "-5").unwrap_err().to_string(),
///     "people: expected a whole number from 1 to 10000000000, found \"-5\"",
/// );
/// # Ok::<(), symbolon_adviser::BadFact>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Facts {
    /// Ordered by fact, so that equal facts are equal texts.
    known: std::collections::BTreeMap<Fact, Value>,
}

impl Facts {
    /// Nothing is known.
    pub fn unknown() -> Self {
        Self::default()
    }

    /// What is known of this fact.
    pub fn get(&self, fact: Fact) -> Option<Value> {
        self.known.get(&fact).copied()
    }

    /// The word that answers a fact, where one does.
    pub fn word(&self, fact: Fact) -> Option<&'static str> {
        match self.get(fact)? {
            Value::Word(word) => Some(word),
            Value::Number(_) => None,
        }
    }

    /// The number that answers a fact, where one does. Times are in seconds.
    pub fn number(&self, fact: Fact) -> Option<u64> {
        match self.get(fact)? {
            Value::Number(number) => Some(number),
            Value::Word(_) => None,
        }
    }

    /// Whether a fact that is asked with yes or no is known to be so.
    pub fn is(&self, fact: Fact, word: &str) -> bool {
        self.word(fact) == Some(word)
    }

    /// All that is known, in the order of the table.
    pub fn known(&self) -> impl Iterator<Item = (Fact, Value)> {
        self.known.iter().map(|(fact, value)| (*fact, *value))
    }

    /// Puts a value in the place of what was known, or makes it unknown. Meant for values that
    /// [`Fact::parse`] gave: whatever is not an answer of the table is a fact that no rule asks for.
    pub fn set(&mut self, fact: Fact, value: Option<Value>) {
        match value {
            Some(value) => self.known.insert(fact, value),
            None => self.known.remove(&fact),
        };
    }
}
