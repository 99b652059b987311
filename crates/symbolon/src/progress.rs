//! A bar for work that takes a while: on a terminal only, and never where a program reads.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error, hidden where nobody would see it.
pub(crate) fn bar(what: &'static str, json: bool) -> ProgressBar {
    let bar = ProgressBar::new(0).with_message(what);
    if json || !stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    // A template that cannot be read leaves the library's own bar.
    let style = "{msg} {bar:32} {percent:>3} % {per_sec:>12}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}
