//! `symbolon advise`: session or JWT, for this application?

mod arguments;
mod questions;

use std::{
    fs,
    io::{IsTerminal, Read, stdin},
    path::Path,
};

use anyhow::{Context, Result, ensure};
pub(crate) use arguments::Advise;
use symbolon_adviser::{Facts, Paper, Report, Room, Site, svg};

use crate::output;

/// Beyond any file of answers.
const LONGEST_FILE: u64 = 1 << 20;

pub(crate) fn advise(asked: &Advise) -> Result<()> {
    let site = Site::new(&asked.authority, &asked.app, &asked.public_url)?;
    let mut facts = match &asked.answers {
        Some(file) => answers(file)?,
        None => Facts::unknown(),
    };
    asked.flags.add_to(&mut facts);
    let nothing_given = asked.answers.is_none() && asked.flags.is_empty();
    if asked.ask || (nothing_given && stdin().is_terminal()) {
        questions::ask(&mut facts, asked.lang.into(), &mut stdin().lock())?;
    }

    let report = Report::new(&facts, &site, asked.lang.into());
    if let Some(file) = &asked.page {
        write(file, &report.page())?;
    }
    if let Some(file) = &asked.chart {
        write(
            file,
            &svg(&report.price, asked.lang.into(), Paper::File, Room::Wide),
        )?;
    }
    if asked.json {
        return output::json(&serde_json::to_value(&report)?);
    }
    report.text().lines().try_for_each(output::line)
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// The facts of a file: JSON where it begins as such, else TOML. `-` is standard input.
fn answers(file: &Path) -> Result<Facts> {
    let name = file.display();
    let mut text = String::new();
    let read = if file == Path::new("-") {
        stdin().take(LONGEST_FILE).read_to_string(&mut text)
    } else {
        fs::File::open(file).and_then(|opened| opened.take(LONGEST_FILE).read_to_string(&mut text))
    };
    let length = read.with_context(|| format!("cannot read {name}"))?;
    ensure!((length as u64) < LONGEST_FILE, "{name}: longer than 1 MiB");
    if text.trim_start().starts_with('{') {
        serde_json::from_str(&text).with_context(|| name.to_string())
    } else {
        // Its own text shows the line over several of them; the place and the reason will do. Of a fact
        // that is refused it knows no place, but the refusal names the fact.
        toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.filter(|before| !before.is_empty());
            let line = line.map_or_else(String::new, |before| {
                format!(", line {}", before.matches('\n').count() + 1)
            });
            anyhow::anyhow!("{name}{line}: {}", error.message())
        })
    }
}
