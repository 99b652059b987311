//! Everything that the adviser has to say of one application, in one language: to serialize, to print, to show.

mod page;
mod text;

pub use text::bytes;

use serde::Serialize;

use crate::{
    chart::{Point, points},
    dials::{Carrier, Dial, Freshness, Shape},
    facts::{Fact, Facts, Value},
    flips::{Flip, flips},
    price::{Price, price},
    rules::Rule,
    settings::{Framework, Site, command, toml},
    verdict::{Verdict, advise},
    words::{Lang, Text},
};

/// Advice as it is told.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What was known.
    pub facts: Facts,
    /// What was not.
    pub unknown: Vec<&'static str>,
    /// The shape of the credential.
    pub shape: Shape,
    /// How it travels.
    pub carrier: Carrier,
    /// How fresh a yes must be.
    pub freshness: Freshness,
    /// `live` where single routes ask for more, else `none`.
    pub routes: String,
    /// Seconds that an access token lasts.
    pub access_token_seconds: u64,
    /// Seconds that a grant lasts without use.
    pub idle_seconds: u64,
    /// Seconds that it lasts in any case.
    pub absolute_seconds: u64,
    /// The rules that decided, by dial, the heaviest first.
    pub reasons: Vec<Reason>,
    /// The strongest counter-argument.
    pub against: Reason,
    /// The smallest changes that would turn a dial.
    pub flips_if: Vec<Flips>,
    /// Facts that contradict each other.
    pub contradictions: Vec<Contradiction>,
    /// What each option costs.
    pub price: Price,
    /// What the price assumes because it is not known.
    pub assumed: Vec<Assumed>,
    /// The points of the chart of cost against freshness.
    pub chart: Vec<Point>,
    /// The settings.
    pub settings: Settings,
    #[serde(skip)]
    lang: Lang,
}

/// A rule that spoke.
#[derive(Clone, Debug, Serialize)]
pub struct Reason {
    /// Its name.
    pub id: &'static str,
    /// The dial that it is about.
    pub dial: Dial,
    /// How much it weighs: 50 is a need, 100 cannot be otherwise, 0 always stands.
    pub weight: u8,
    /// What it says.
    pub text: &'static str,
    /// Who says so.
    pub sources: &'static [&'static str],
}

/// A change of facts that turns a dial.
#[derive(Clone, Debug, Serialize)]
pub struct Flips {
    /// Which dial.
    pub dial: Dial,
    /// Where it would stand.
    pub to: String,
    /// What would have to be otherwise.
    pub changes: Vec<Changed>,
}

/// One fact that would have to be otherwise.
#[derive(Clone, Debug, Serialize)]
pub struct Changed {
    /// Which.
    pub fact: &'static str,
    /// What it is; null: unknown.
    pub from: Option<String>,
    /// What it would have to be.
    pub to: String,
}

/// Facts that contradict each other.
#[derive(Clone, Debug, Serialize)]
pub struct Contradiction {
    /// Its name.
    pub id: &'static str,
    /// Which facts.
    pub facts: Vec<&'static str>,
    /// What is wrong, and what was done about it.
    pub text: &'static str,
}

/// A number that nobody gave.
#[derive(Clone, Debug, Serialize)]
pub struct Assumed {
    /// The fact in whose place it stands.
    pub fact: &'static str,
    /// The number.
    pub value: f64,
    /// Where it is from.
    pub text: &'static str,
}

/// The verdict as settings.
#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    /// `symbolon app add ...`
    pub command: String,
    /// The same as TOML.
    pub toml: String,
    /// Code for one framework, or for each where it is not known which.
    pub examples: Vec<Example>,
}

/// Code for one framework.
#[derive(Clone, Debug, Serialize)]
pub struct Example {
    /// Which.
    pub framework: &'static str,
    /// The code.
    pub code: String,
}

impl Report {
    /// The advice for what is known, with settings for this site.
    pub fn new(facts: &Facts, site: &Site, lang: Lang) -> Self {
        let verdict = advise(facts);
        let price = price(facts, &verdict);
        let assumed = price.load.assumed.iter().map(|one| Assumed {
            fact: one.fact.about().name,
            value: one.value,
            text: one.text.of(lang),
        });
        let unknown = |fact: &Fact| facts.get(*fact).is_none() && *fact != Fact::Framework;
        Self {
            facts: facts.clone(),
            unknown: Fact::ALL
                .iter()
                .filter(|fact| unknown(fact))
                .map(|fact| fact.about().name)
                .collect(),
            shape: verdict.shape,
            carrier: verdict.carrier,
            freshness: verdict.freshness,
            routes: verdict.position(Dial::Routes),
            access_token_seconds: verdict.token_seconds,
            idle_seconds: verdict.idle_seconds,
            absolute_seconds: verdict.absolute_seconds,
            reasons: verdict
                .reasons
                .iter()
                .map(|rule| reason(rule, lang))
                .collect(),
            against: against(&verdict, lang),
            flips_if: flips(facts, &verdict).iter().map(told_flip).collect(),
            contradictions: verdict
                .conflicts
                .iter()
                .map(|one| Contradiction {
                    id: one.id,
                    facts: one
                        .when
                        .iter()
                        .map(|when| when.fact().about().name)
                        .collect(),
                    text: one.text.of(lang),
                })
                .collect(),
            assumed: assumed.collect(),
            chart: points(&price),
            settings: settings(facts, &verdict, site),
            price,
            lang,
        }
    }

    /// The reasons for one dial.
    fn reasons_for(&self, dial: Dial) -> impl Iterator<Item = &Reason> {
        self.reasons.iter().filter(move |one| one.dial == dial)
    }

    fn say(&self, en: &'static str, ko: &'static str) -> &'static str {
        Text { en, ko }.of(self.lang)
    }

    /// Where the dials stand, in a sentence.
    pub fn headline(&self) -> String {
        let (shape, carrier) = match self.lang {
            Lang::En => (
                match self.shape {
                    Shape::Session => "a session",
                    Shape::Jwt => "a JWT",
                },
                match self.carrier {
                    Carrier::Cookie => "in an HttpOnly cookie",
                    Carrier::Bearer => "in the Authorization header",
                },
            ),
            Lang::Ko => (
                match self.shape {
                    Shape::Session => "세션",
                    Shape::Jwt => "JWT",
                },
                match self.carrier {
                    Carrier::Cookie => "HttpOnly 쿠키",
                    Carrier::Bearer => "Authorization 헤더",
                },
            ),
        };
        let freshness = match (self.lang, self.freshness) {
            (Lang::En, Freshness::Live) => "the authority asked for each request".to_owned(),
            (Lang::Ko, Freshness::Live) => "요청마다 인증 서버에 확인".to_owned(),
            (Lang::En, Freshness::Within(seconds)) => {
                format!("an ended login refused within {seconds} s at worst")
            }
            (Lang::Ko, Freshness::Within(seconds)) => {
                format!("끝난 로그인은 늦어도 {seconds}초 안에 차단")
            }
            (Lang::En, Freshness::UntilExpiry) => "good until it expires".to_owned(),
            (Lang::Ko, Freshness::UntilExpiry) => "만료될 때까지 유효".to_owned(),
        };
        match self.lang {
            Lang::En => format!("{shape} {carrier}, {freshness}"),
            Lang::Ko => format!("{shape}, {carrier}, {freshness}"),
        }
    }
}

/// A dial as people call it.
pub fn dial_name(dial: Dial, lang: Lang) -> &'static str {
    let (en, ko) = match dial {
        Dial::Shape => ("shape", "인증 방식"),
        Dial::Carrier => ("carrier", "전달 방식"),
        Dial::Freshness => ("freshness", "최신성"),
        Dial::Routes => ("routes", "경로"),
        Dial::Token => ("access token", "액세스 토큰"),
        Dial::Lifetime => ("lifetime", "로그인 수명"),
    };
    Text { en, ko }.of(lang)
}

/// The sources of a reason as people read them.
pub fn cited(reason: &Reason, lang: Lang) -> String {
    let told = |source: &str| match (lang, source.split_once(" section ")) {
        (Lang::Ko, Some(("article", section))) => format!("글 {section}절"),
        (Lang::Ko, Some((page, section))) => format!("{page} {section}절"),
        _ => source.to_owned(),
    };
    let all: Vec<String> = reason.sources.iter().map(|source| told(source)).collect();
    all.join("; ")
}

fn reason(rule: &Rule, lang: Lang) -> Reason {
    Reason {
        id: rule.id,
        dial: rule.says.dial(),
        weight: rule.strength.weight(),
        text: rule.text.of(lang),
        sources: rule.sources,
    }
}

fn against(verdict: &Verdict, lang: Lang) -> Reason {
    use crate::verdict::Against;
    let against = verdict.against;
    Reason {
        id: against.id(),
        dial: against.dial(),
        weight: match against {
            Against::Rule(rule) => rule.strength.weight(),
            Against::Standing(_) => 0,
        },
        text: against.text().of(lang),
        sources: against.sources(),
    }
}

fn told_flip(flip: &Flip) -> Flips {
    let told = |fact: Fact, value: Value| match (fact.about().answers, value) {
        (crate::facts::Answers::Time { .. }, Value::Number(seconds)) => format!("{seconds}s"),
        _ => value.to_string(),
    };
    Flips {
        dial: flip.dial,
        to: flip.verdict.position(flip.dial),
        changes: flip
            .changes
            .iter()
            .map(|change| Changed {
                fact: change.fact.about().name,
                from: change.from.map(|value| told(change.fact, value)),
                to: told(change.fact, change.to),
            })
            .collect(),
    }
}

fn settings(facts: &Facts, verdict: &Verdict, site: &Site) -> Settings {
    let asked = facts.word(Fact::Framework);
    let wanted = |framework: &&Framework| asked.is_none_or(|name| name == framework.name());
    Settings {
        command: command(facts, verdict, site),
        toml: toml(facts, verdict, site),
        examples: Framework::ALL
            .iter()
            .filter(wanted)
            .map(|framework| Example {
                framework: framework.name(),
                code: framework.example(facts, verdict, site),
            })
            .collect(),
    }
}
