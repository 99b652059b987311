//! The report for a terminal.

use std::fmt::Write;

use super::{Reason, Report, cited, dial_name};
use crate::{chart::duration, dials::Dial, facts::Fact, price::human, words::Lang};

/// Writing to a String cannot fail.
macro_rules! line {
    ($out:expr) => { $out.push('\n'); };
    ($out:expr, $($what:tt)*) => { let _ = writeln!($out, $($what)*); };
}

impl Report {
    /// The report as lines of text. Examples of code are left out unless the framework is known.
    pub fn text(&self) -> String {
        let mut out = String::new();
        line!(out, "{}: {}", self.say("Advice", "추천"), self.headline());
        line!(
            out,
            "  shape = {}, carrier = {}, freshness = {}",
            self.shape,
            self.carrier,
            self.freshness
        );
        if self.routes == "live" {
            line!(
                out,
                "  {}",
                self.say(
                    "and live on the routes that must never be wrong",
                    "절대로 틀리면 안 되는 경로만 live"
                )
            );
        }
        self.contradictions_and_reasons(&mut out);
        self.flips(&mut out);
        self.prices(&mut out);
        self.set(&mut out);
        out
    }

    fn contradictions_and_reasons(&self, out: &mut String) {
        if !self.contradictions.is_empty() {
            line!(
                out,
                "\n{}",
                self.say("These answers contradict each other", "서로 어긋나는 답")
            );
            for one in &self.contradictions {
                line!(
                    out,
                    "  ! {} [{}: {}]",
                    one.text,
                    one.id,
                    one.facts.join(", ")
                );
            }
        }
        line!(out, "\n{}", self.say("Because", "까닭"));
        for dial in DIALS {
            for one in self.reasons_for(dial) {
                self.reason(out, one);
            }
        }
        line!(
            out,
            "\n{}",
            self.say("The strongest argument against it", "가장 강한 반론")
        );
        self.reason(out, &self.against);
    }

    fn flips(&self, out: &mut String) {
        line!(
            out,
            "\n{}",
            self.say("What would change this", "판단이 바뀌는 조건")
        );
        for flip in &self.flips_if {
            let changes: Vec<String> = flip
                .changes
                .iter()
                .map(|change| {
                    let from = change.from.as_deref();
                    let from = from.unwrap_or_else(|| self.say("unknown", "모름"));
                    format!("{} = {} ({from})", change.fact, change.to)
                })
                .collect();
            line!(
                out,
                "  {} -> {}: {}",
                dial_name(flip.dial, self.lang),
                flip.to,
                changes.join(" + ")
            );
        }
        if self.flips_if.is_empty() {
            line!(
                out,
                "  {}",
                self.say("nothing that is small", "작은 변화로는 바뀌지 않습니다.")
            );
        }
    }

    fn prices(&self, out: &mut String) {
        let load = &self.price.load;
        line!(
            out,
            "\n{} ({} {}, {} {})",
            self.say("The price", "비용"),
            human(load.requests_per_second),
            self.say("requests a second", "요청/초"),
            human(load.logins),
            self.say("logins", "로그인")
        );
        for one in &self.assumed {
            line!(
                out,
                "  {}: {} = {} ({})",
                self.say("assumed", "가정"),
                one.fact,
                human(one.value),
                one.text
            );
        }
        let headings = match self.lang {
            Lang::En => [
                "",
                "questions/s",
                "writes/s",
                "cores",
                "memory",
                "network/s",
                "bytes/request",
                "ended login works",
            ],
            Lang::Ko => [
                "",
                "질문/초",
                "쓰기/초",
                "코어",
                "메모리",
                "네트워크/초",
                "바이트/요청",
                "끝난 로그인이 통하는 시간",
            ],
        };
        let mut rows = vec![headings.map(str::to_owned)];
        for row in &self.price.options {
            let mark = if row.chosen { "* " } else { "  " };
            rows.push([
                format!("{mark}{}", row.id),
                human(row.questions.value),
                human(row.store_writes.value),
                human(row.cores.value),
                bytes(row.memory.value),
                bytes(row.network.value),
                human(row.bytes_per_request.value),
                self.window(row.window_usual_seconds, row.window_worst_seconds),
            ]);
        }
        table(out, &rows);
        if let Some(row) = self.price.options.iter().find(|row| row.chosen) {
            line!(out, "  * cores = {}", row.cores.formula);
            line!(out, "  * questions/s = {}", row.questions.formula);
        }
    }

    /// A window with what is usual, where that is less than the worst.
    pub fn window(&self, usual: f64, worst: f64) -> String {
        let said = duration(worst, self.lang);
        if usual < worst {
            let usual = duration(usual, self.lang);
            match self.lang {
                Lang::En => format!("{usual}, at worst {said}"),
                Lang::Ko => format!("{usual}, 최대 {said}"),
            }
        } else {
            said
        }
    }

    fn reason(&self, out: &mut String, one: &Reason) {
        line!(
            out,
            "  {}: {} [{}; {}]",
            dial_name(one.dial, self.lang),
            one.text,
            one.id,
            cited(one, self.lang)
        );
    }

    fn set(&self, out: &mut String) {
        line!(out, "\n{}", self.say("To set it", "설정"));
        for one in self.settings.command.lines() {
            line!(out, "  {one}");
        }
        if self.facts.get(Fact::Framework).is_some() {
            for example in &self.settings.examples {
                line!(out, "\n{}\n{}", example.framework, example.code.trim_end());
            }
        }
    }
}

/// In the order in which reasons are told.
pub(super) const DIALS: [Dial; 6] = [
    Dial::Shape,
    Dial::Carrier,
    Dial::Freshness,
    Dial::Routes,
    Dial::Token,
    Dial::Lifetime,
];

/// Bytes as people say them.
pub fn bytes(value: f64) -> String {
    let units = [
        (1e15, "PB"),
        (1e12, "TB"),
        (1e9, "GB"),
        (1e6, "MB"),
        (1e3, "kB"),
    ];
    let fits = units.into_iter().find(|(size, _)| value >= *size);
    match fits {
        Some((size, unit)) => format!("{} {unit}", human(value / size)),
        None => format!("{} B", human(value)),
    }
}

/// Columns, the first to the left and all others to the right, two blanks apart. Hangul is two columns wide.
fn table(out: &mut String, rows: &[[String; 8]]) {
    let widths: Vec<usize> = (0..8)
        .map(|at| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            cells.map(|cell| width(cell)).max().unwrap_or(0)
        })
        .collect();
    for row in rows {
        let mut text = String::from("  ");
        for (at, (cell, wide)) in row.iter().zip(&widths).enumerate() {
            let blanks = " ".repeat(wide - width(cell).min(*wide));
            if at == 0 {
                text.push_str(cell);
                text.push_str(&blanks);
            } else {
                text.push_str("  ");
                text.push_str(&blanks);
                text.push_str(cell);
            }
        }
        line!(out, "{}", text.trim_end());
    }
}

fn width(text: &str) -> usize {
    let wide =
        |c: char| ('\u{1100}'..='\u{11ff}').contains(&c) || ('\u{2e80}'..='\u{d7ff}').contains(&c);
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}
