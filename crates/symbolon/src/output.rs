//! What the command line prints: tables for people, JSON for programs.

use std::{
    error::Error,
    fmt,
    io::{self, Write},
};

use anyhow::Result;
use serde_json::Value;

/// Whoever read the output wants no more of it, as `head` does.
#[derive(Debug)]
pub(crate) struct ReaderLeft;

impl fmt::Display for ReaderLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads the output any more")
    }
}

impl Error for ReaderLeft {}

/// Prints a line.
pub(crate) fn line(text: &str) -> Result<()> {
    told(writeln!(io::stdout().lock(), "{}", printable(text)))
}

/// Prints a JSON value on one line.
pub(crate) fn json(value: &Value) -> Result<()> {
    told(writeln!(io::stdout().lock(), "{value}"))
}

fn told(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(ReaderLeft.into()),
        written => Ok(written?),
    }
}

/// Prints rows under their headings, in columns.
pub(crate) fn table(headings: &[&str], rows: &[Vec<String>]) -> Result<()> {
    let mut widths: Vec<usize> = headings.iter().map(|one| one.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = io::stdout().lock();
    let headings: Vec<String> = headings.iter().map(|one| (*one).to_owned()).collect();
    for row in std::iter::once(&headings).chain(rows) {
        let mut text = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let padding = width.saturating_sub(cell.chars().count()) + 2;
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', padding));
        }
        told(writeln!(out, "{}", printable(text.trim_end())))?;
    }
    Ok(())
}

/// The text of a member, or a dash.
pub(crate) fn member(value: &Value, name: &str) -> String {
    match value.get(name) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| {
                    item.as_str()
                        .map_or_else(|| item.to_string(), str::to_owned)
                })
                .collect();
            if items.is_empty() {
                "-".to_owned()
            } else {
                items.join(",")
            }
        }
        Some(other) => other.to_string(),
    }
}

/// Without control characters: a name from the database must not drive the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_cannot_drive_the_terminal() {
        assert_eq!(super::printable("a\u{1b}[31mb"), "a\u{fffd}[31mb");
    }
}
