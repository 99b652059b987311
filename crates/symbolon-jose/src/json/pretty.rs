//! JSON laid out for people, members in the order in which they were sent.

use std::fmt::Write as _;

/// Lays out a text that [`Reader::check`](super::Reader::check) accepted.
pub(crate) fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0usize;
    let mut in_string = false;
    let mut escaped = false;
    let mut previous = ' ';
    for character in json.chars() {
        if in_string {
            push_visible(&mut out, character);
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
            previous = character;
            continue;
        }
        match character {
            ' ' | '\t' | '\n' | '\r' => continue,
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if !matches!(previous, '{' | '[') {
                    line(&mut out, depth);
                }
                out.push(character);
            }
            ',' => {
                out.push(',');
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => {
                if matches!(previous, '{' | '[') {
                    line(&mut out, depth);
                }
                if matches!(character, '{' | '[') {
                    depth += 1;
                }
                in_string = character == '"';
                out.push(character);
            }
        }
        previous = character;
    }
    out
}

/// Text that is not JSON, safe to show.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        push_visible(&mut out, character);
    }
    out
}

/// Control and direction characters would let a token draw on the terminal or turn the text
/// around; they are written as JSON escapes, which mean the same.
fn push_visible(out: &mut String, character: char) {
    let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if character.is_control() || turns {
        // Writing to a String cannot fail.
        let _ = write!(out, "\\u{:04x}", u32::from(character));
    } else {
        out.push(character);
    }
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
    }
}
