//! The adviser's form and what it answers.

use askama::Template;
use symbolon_adviser::{
    Answers, Fact, Lang, Reason, Report, bytes, cited, dial_name, human, label,
};
use url::form_urlencoded::Serializer;

use crate::pages::{page::Page, words::Words};

/// An answer that is none.
pub(crate) enum Wrong {
    /// Of a fact.
    Answer(Fact),
    /// To what nobody asks.
    Fact(String),
}

/// The page.
#[derive(Template)]
#[template(path = "adviser.html")]
pub(crate) struct AdviserPage {
    pub(crate) page: Page,
    pub(crate) t: Words,
    pub(crate) fields: Vec<Field>,
    pub(crate) wrong: Vec<String>,
    pub(crate) report: Report,
    pub(crate) headline: String,
    pub(crate) reasons: Vec<Line>,
    pub(crate) against: Line,
    pub(crate) flips: Vec<FlipLine>,
    pub(crate) assumed: Vec<String>,
    pub(crate) rows: Vec<Row>,
    pub(crate) formulas: Vec<String>,
    /// The addresses of the chart, for a desk and for a phone.
    pub(crate) chart: String,
    pub(crate) narrow_chart: String,
}

/// One question of the form.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) question: &'static str,
    /// What may be answered, where it is written and not chosen.
    pub(crate) allowed: String,
    pub(crate) digits: bool,
    pub(crate) value: String,
    pub(crate) wrong: bool,
    pub(crate) options: Vec<Choice>,
}

/// One answer to choose.
pub(crate) struct Choice {
    pub(crate) value: &'static str,
    pub(crate) text: &'static str,
    pub(crate) selected: bool,
}

/// A reason.
pub(crate) struct Line {
    pub(crate) dial: &'static str,
    pub(crate) text: &'static str,
    pub(crate) id: &'static str,
    pub(crate) sources: String,
}

/// What would turn a dial.
pub(crate) struct FlipLine {
    pub(crate) text: String,
    pub(crate) changes: Vec<String>,
}

/// One option of the price.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) chosen: bool,
    pub(crate) cells: [String; 9],
}

impl AdviserPage {
    /// The page for these answers.
    pub(crate) fn new(
        page: Page,
        lang: Lang,
        report: Report,
        answers: &[(String, String)],
        wrong: &[Wrong],
    ) -> Self {
        let t = page.t;
        let given = answers.iter().filter(|(_, answer)| !answer.is_empty());
        let query = Serializer::new(String::new()).extend_pairs(given).finish();
        Self {
            t,
            fields: Fact::ALL
                .into_iter()
                .map(|fact| Field::new(fact, lang, answers, wrong))
                .collect(),
            wrong: wrong.iter().map(|one| told(t, one)).collect(),
            headline: report.headline(),
            reasons: report.reasons.iter().map(|one| line(one, lang)).collect(),
            against: line(&report.against, lang),
            flips: flips(t, lang, &report),
            assumed: report
                .assumed
                .iter()
                .map(|one| t.adviser_assumed(one.fact, human(one.value), one.text))
                .collect(),
            rows: rows(lang, &report),
            formulas: formulas(&report),
            chart: format!("/adviser/chart.svg?{query}"),
            narrow_chart: format!("/adviser/chart-narrow.svg?{query}"),
            page,
            report,
        }
    }
}

impl Field {
    fn new(fact: Fact, lang: Lang, answers: &[(String, String)], wrong: &[Wrong]) -> Self {
        let about = fact.about();
        let answer = answers.iter().find(|(name, _)| name == about.name);
        let value = answer.map_or("", |(_, answer)| answer);
        let options = match about.answers {
            Answers::Words(words) => words
                .iter()
                .map(|word| Choice {
                    value: word,
                    text: label(word, lang),
                    selected: *word == value,
                })
                .collect(),
            Answers::Number { .. } | Answers::Time { .. } => Vec::new(),
        };
        Self {
            name: about.name,
            question: match lang {
                Lang::En => about.en,
                Lang::Ko => about.ko,
            },
            allowed: allowed(fact),
            digits: matches!(about.answers, Answers::Number { .. }),
            // What was typed comes back to be mended, but not a book of it.
            value: value.chars().take(40).collect(),
            wrong: wrong
                .iter()
                .any(|one| matches!(one, Wrong::Answer(of) if *of == fact)),
            options,
        }
    }
}

/// What may be answered, in no language.
fn allowed(fact: Fact) -> String {
    match fact.about().answers {
        Answers::Words(words) => words.join(", "),
        Answers::Number { least, most } => format!("{least} – {most}"),
        Answers::Time { .. } => "0s, 10s, 5m, 1h, 30d".to_owned(),
    }
}

fn told(t: Words, wrong: &Wrong) -> String {
    match wrong {
        Wrong::Answer(fact) => t.adviser_bad_answer(fact.about().name, allowed(*fact)),
        Wrong::Fact(name) => t.adviser_bad_fact(name),
    }
}

pub(super) fn line(reason: &Reason, lang: Lang) -> Line {
    Line {
        dial: dial_name(reason.dial, lang),
        text: reason.text,
        id: reason.id,
        sources: cited(reason, lang),
    }
}

pub(super) fn flips(t: Words, lang: Lang, report: &Report) -> Vec<FlipLine> {
    let told = |from: &Option<String>| from.clone().unwrap_or_else(|| t.adviser_unknown());
    report
        .flips_if
        .iter()
        .map(|flip| FlipLine {
            text: t.adviser_flip(dial_name(flip.dial, lang), &flip.to),
            changes: flip
                .changes
                .iter()
                .map(|change| t.adviser_change(change.fact, &change.to, told(&change.from)))
                .collect(),
        })
        .collect()
}

fn rows(lang: Lang, report: &Report) -> Vec<Row> {
    report
        .price
        .options
        .iter()
        .map(|row| Row {
            name: row.choice.name(lang),
            chosen: row.chosen,
            cells: [
                human(row.store_reads.value),
                human(row.store_writes.value),
                human(row.questions.value),
                human(row.tokens.value),
                human(row.cores.value),
                bytes(row.memory.value),
                bytes(row.network.value),
                human(row.bytes_per_request.value),
                report.window(row.window_usual_seconds, row.window_worst_seconds),
            ],
        })
        .collect()
}

fn formulas(report: &Report) -> Vec<String> {
    let options = report.price.options.iter();
    options
        .flat_map(|row| {
            [
                ("questions/s", &row.questions),
                ("cores", &row.cores),
                ("memory", &row.memory),
                ("network/s", &row.network),
            ]
            .map(|(name, amount)| format!("{} {name} = {}", row.id, amount.formula))
        })
        .collect()
}
