//! The questions in the terminal.

use std::io::{self, BufRead, Write};

use anyhow::{Result, bail};
use symbolon_adviser::{Answers, Fact, Facts, Lang};

/// Asks for every fact that is not known. An empty line is unknown, and so is everything after the end of
/// the input. What is no answer is asked again.
///
/// Questions go to standard error, so that the advice alone is on standard output.
pub(super) fn ask(facts: &mut Facts, lang: Lang, input: &mut impl BufRead) -> Result<()> {
    for fact in Fact::ALL {
        if facts.get(fact).is_none() && !ask_one(facts, fact, lang, input)? {
            break;
        }
    }
    Ok(())
}

/// More than this and nobody is there who reads the errors.
const TRIES: usize = 5;

/// Asks for one fact; says whether there may be more answers.
fn ask_one(facts: &mut Facts, fact: Fact, lang: Lang, input: &mut impl BufRead) -> Result<bool> {
    let about = fact.about();
    let (question, choice) = match lang {
        Lang::En => (about.en, "[Enter: unknown]"),
        Lang::Ko => (about.ko, "[Enter: 모름]"),
    };
    let answers = match about.answers {
        Answers::Words(words) => words.join("/"),
        Answers::Number { least, most } => format!("{least}-{most}"),
        Answers::Time { .. } => "0s, 10s, 5m, 1h".to_owned(),
    };
    for _ in 0..TRIES {
        let mut out = io::stderr().lock();
        write!(out, "{question}\n  {answers} {choice}: ")?;
        out.flush()?;
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            writeln!(out)?;
            return Ok(false);
        }
        let answer = line.trim();
        if answer.is_empty() {
            return Ok(true);
        }
        match fact.parse(answer) {
            Ok(value) => {
                facts.set(fact, value);
                return Ok(true);
            }
            Err(wrong) => writeln!(out, "  {}", wrong.told(lang))?,
        }
    }
    match lang {
        Lang::En => bail!("{}: no answer after {TRIES} tries", about.name),
        Lang::Ko => bail!("{}: {TRIES}번 물었지만 답이 없습니다", about.name),
    }
}
