//! A number together with the formula that it came from: both are made from the same terms.

use std::fmt::Write;

use serde::Serialize;

use super::figures::Figure;

/// A computed number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Amount {
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
    /// The terms that it is the sum of, names and numbers.
    pub formula: String,
}

/// A product of named factors.
pub(super) struct Term {
    value: f64,
    formula: String,
}

pub(super) fn term(factors: &[(&str, f64)]) -> Term {
    let told: Vec<String> = factors
        .iter()
        .map(|(name, value)| format!("{name} [{}]", human(*value)))
        .collect();
    Term {
        value: factors.iter().map(|(_, value)| value).product(),
        formula: told.join(" * "),
    }
}

impl Amount {
    /// The sum of some terms; terms of nothing are left out of the formula.
    pub(super) fn sum(unit: &'static str, terms: &[Term]) -> Self {
        let there = || terms.iter().filter(|term| term.value != 0.0);
        let told: Vec<&str> = there().map(|term| term.formula.as_str()).collect();
        Self {
            // The sum of no floats at all is -0.
            value: there().map(|term| term.value).sum::<f64>() + 0.0,
            unit,
            formula: if told.is_empty() {
                "0".to_owned()
            } else {
                told.join(" + ")
            },
        }
    }

    /// A figure as it is.
    pub(super) fn figure(figure: Figure) -> Self {
        Self {
            value: figure.value,
            unit: figure.unit,
            formula: figure.id.to_owned(),
        }
    }
}

/// A number as people write it: three digits that count, thousands apart, powers beyond a trillion.
///
/// ```
/// use symbolon_adviser::human;
///
/// assert_eq!(human(1234567.0), "1,230,000");
/// assert_eq!(human(0.0123456), "0.0123");
/// assert_eq!(human(12.0), "12");
/// assert_eq!(human(0.0), "0");
/// ```
pub fn human(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if !(1e-6..1e15).contains(&value.abs()) {
        return format!("{value:.2e}");
    }
    #[expect(clippy::cast_possible_truncation, reason = "between -6 and 15")]
    let exponent = value.abs().log10().floor() as i32;
    let scale = 10_f64.powi(2 - exponent);
    let rounded = (value * scale).round() / scale;
    let decimals = usize::try_from(2 - exponent).unwrap_or(0);
    let text = format!("{rounded:.decimals$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    grouped(text)
}

fn grouped(text: &str) -> String {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    if !rest.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(out, ".{rest}");
    }
    out
}
