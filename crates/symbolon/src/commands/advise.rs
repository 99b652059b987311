//! `symbolon advise`: session or JWT, for this application?

mod arguments;
mod questions;

use std::{
    fs,
    io::{IsTerminal, Read, stdin},
    path::Path,
};

use anyhow::{Context, Result, anyhow, bail};
pub(crate) use arguments::Advise;
use symbolon_adviser::{Facts, Lang, Paper, Report, Room, Site, Stated, svg};

use crate::output;

/// Beyond any file of answers.
const LONGEST_FILE: u64 = 1 << 20;

pub(crate) fn advise(asked: &Advise) -> Result<()> {
    let lang = asked.lang();
    let site = Site::new(&asked.authority, &asked.app, &asked.public_url)
        .map_err(|wrong| anyhow!(wrong.told(lang)))?;
    let mut facts = match &asked.answers {
        Some(file) => answers(file, lang)?,
        None => Facts::unknown(),
    };
    let added = asked.flags.add_to(&mut facts);
    added.map_err(|wrong| anyhow!(wrong.told(lang)))?;
    let nothing_given = asked.answers.is_none() && asked.flags.is_empty();
    if asked.ask || (nothing_given && stdin().is_terminal()) {
        questions::ask(&mut facts, lang, &mut stdin().lock())?;
    }

    let report = Report::new(&facts, &site, lang);
    if let Some(file) = &asked.page {
        write(file, &report.page(), lang)?;
    }
    if let Some(file) = &asked.chart {
        let chart = svg(&report.price, lang, Paper::File, Room::Wide);
        write(file, &chart, lang)?;
    }
    if asked.json {
        return output::json(&serde_json::to_value(&report)?);
    }
    report.text().lines().try_for_each(output::line)
}

fn write(file: &Path, text: &str, lang: Lang) -> Result<()> {
    fs::write(file, text).with_context(|| match lang {
        Lang::En => format!("cannot write {}", file.display()),
        Lang::Ko => format!("{}: 쓸 수 없습니다", file.display()),
    })
}

/// The facts of a file: JSON where it begins as such, else TOML. `-` is standard input.
fn answers(file: &Path, lang: Lang) -> Result<Facts> {
    let name = file.display();
    let mut text = String::new();
    let read = if file == Path::new("-") {
        stdin().take(LONGEST_FILE).read_to_string(&mut text)
    } else {
        fs::File::open(file).and_then(|opened| opened.take(LONGEST_FILE).read_to_string(&mut text))
    };
    let length = read.with_context(|| match lang {
        Lang::En => format!("cannot read {name}"),
        Lang::Ko => format!("{name}: 읽을 수 없습니다"),
    })?;
    if (length as u64) >= LONGEST_FILE {
        match lang {
            Lang::En => bail!("{name}: longer than 1 MiB"),
            Lang::Ko => bail!("{name}: 1 MiB보다 깁니다"),
        }
    }
    let stated: Stated = if text.trim_start().starts_with('{') {
        serde_json::from_str(&text).with_context(|| name.to_string())?
    } else {
        // Its own text shows the line over several of them; the place and the reason will do.
        toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map(|before| before.matches('\n').count() + 1);
            let line = line.map_or_else(String::new, |line| match lang {
                Lang::En => format!(", line {line}"),
                Lang::Ko => format!(", {line}번째 줄"),
            });
            anyhow!("{name}{line}: {}", error.message())
        })?
    };
    // The refusal names the fact, which has no place.
    let facts = stated.facts();
    facts.map_err(|wrong| anyhow!("{name}: {}", wrong.told(lang)))
}
