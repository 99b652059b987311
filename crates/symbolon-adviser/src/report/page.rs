//! The report as one page of HTML, to print and argue over: no script, nothing fetched.

use std::fmt::Write;

use super::{
    Reason, Report, cited, dial_name,
    text::{DIALS, bytes},
};
use crate::{
    chart::{Paper, Room, svg},
    price::human,
    words::Lang,
};

/// Writing to a String cannot fail.
macro_rules! put {
    ($out:expr, $($what:tt)*) => { let _ = write!($out, $($what)*); };
}

const STYLE: &str = "body{font-family:system-ui,sans-serif;line-height:1.5;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}\
table{border-collapse:collapse;width:100%;font-size:.85rem}th,td{border:1px solid;padding:.25rem .5rem;text-align:right}th:first-child,td:first-child{text-align:left}\
pre{border:1px solid;padding:.5rem;overflow-x:auto;white-space:pre-wrap}small{opacity:.8}figure{margin:0;overflow-x:auto}\
@media(prefers-color-scheme:dark){body{color:#eee;background:#111}}\
@media print{body{max-width:none;margin:0;color:#000;background:#fff}h2{break-after:avoid}table,pre,figure{break-inside:avoid}}";

impl Report {
    /// The whole page.
    pub fn page(&self) -> String {
        let (lang, title) = match self.lang {
            Lang::En => ("en", "Session or JWT?"),
            Lang::Ko => ("ko", "세션인가, JWT인가?"),
        };
        let mut out = String::with_capacity(32 * 1024);
        put!(
            out,
            "<!doctype html>\n<html lang=\"{lang}\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n<main>\n<h1>{title}</h1>\n<p><strong>{}</strong></p>\n<p><code>shape = {}</code>, <code>carrier = {}</code>, <code>freshness = {}</code></p>\n",
            escaped(&self.headline()),
            self.shape,
            self.carrier,
            self.freshness
        );
        self.argument(&mut out);
        self.what_if(&mut out);
        self.cost(&mut out);
        self.to_set(&mut out);
        self.known(&mut out);
        out.push_str("</main>\n</html>\n");
        out
    }

    fn argument(&self, out: &mut String) {
        if !self.contradictions.is_empty() {
            heading(
                out,
                self.say("These answers contradict each other", "서로 어긋나는 답"),
            );
            for one in &self.contradictions {
                put!(
                    out,
                    "<p>{} <small>[{}: {}]</small></p>\n",
                    escaped(one.text),
                    one.id,
                    one.facts.join(", ")
                );
            }
        }
        heading(out, self.say("Because", "까닭"));
        out.push_str("<ul>\n");
        for one in DIALS.into_iter().flat_map(|dial| self.reasons_for(dial)) {
            self.item(out, one);
        }
        out.push_str("</ul>\n");
        heading(
            out,
            self.say("The strongest argument against it", "가장 강한 반론"),
        );
        out.push_str("<ul>\n");
        self.item(out, &self.against);
        out.push_str("</ul>\n");
    }

    fn item(&self, out: &mut String, one: &Reason) {
        put!(
            out,
            "<li>{}: {} <small>[{}; {}]</small></li>\n",
            dial_name(one.dial, self.lang),
            escaped(one.text),
            one.id,
            cited(one, self.lang)
        );
    }

    fn what_if(&self, out: &mut String) {
        heading(
            out,
            self.say("What would change this", "판단이 바뀌는 조건"),
        );
        out.push_str("<ul>\n");
        for flip in &self.flips_if {
            let changes: Vec<String> = flip
                .changes
                .iter()
                .map(|change| {
                    let from = change.from.as_deref();
                    let from = from.unwrap_or_else(|| self.say("unknown", "모름"));
                    format!(
                        "<code>{} = {}</code> ({})",
                        change.fact,
                        escaped(&change.to),
                        escaped(from)
                    )
                })
                .collect();
            put!(
                out,
                "<li>{} → <code>{}</code>: {}</li>\n",
                dial_name(flip.dial, self.lang),
                flip.to,
                changes.join(" + ")
            );
        }
        out.push_str("</ul>\n");
    }

    fn cost(&self, out: &mut String) {
        heading(out, self.say("The price", "비용"));
        put!(
            out,
            "<figure>{}</figure>\n<table>\n<thead><tr>",
            svg(&self.price, self.lang, Paper::Page, Room::Wide)
        );
        let headings = match self.lang {
            Lang::En => [
                "option",
                "reads/s",
                "writes/s",
                "questions/s",
                "tokens/s",
                "cores",
                "memory",
                "network/s",
                "bytes/request",
                "an ended login works for",
                "machines",
                "cells",
            ],
            Lang::Ko => [
                "방식",
                "읽기/초",
                "쓰기/초",
                "질문/초",
                "토큰/초",
                "코어",
                "메모리",
                "네트워크/초",
                "바이트/요청",
                "끝난 로그인이 통하는 시간",
                "서버",
                "셀",
            ],
        };
        for name in headings {
            put!(out, "<th scope=\"col\">{name}</th>");
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        for (at, row) in self.price.options.iter().enumerate() {
            let chosen = if row.chosen {
                self.say(" (recommended)", " (추천)")
            } else {
                ""
            };
            put!(
                out,
                "<tr><th scope=\"row\">{} {}{chosen}</th>",
                at + 1,
                escaped(&row.choice.name(self.lang))
            );
            for cell in [
                human(row.store_reads.value),
                human(row.store_writes.value),
                human(row.questions.value),
                human(row.tokens.value),
                human(row.cores.value),
                bytes(row.memory.value),
                bytes(row.network.value),
                human(row.bytes_per_request.value),
                self.window(row.window_usual_seconds, row.window_worst_seconds),
                row.machines.to_string(),
                row.cells.to_string(),
            ] {
                put!(out, "<td>{cell}</td>");
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n</table>\n");
        self.sums(out);
    }

    /// The formulas, the assumptions and the figures under the table.
    fn sums(&self, out: &mut String) {
        for one in &self.assumed {
            put!(
                out,
                "<p><small>{}: {} = {} ({})</small></p>\n",
                self.say("assumed", "가정"),
                one.fact,
                human(one.value),
                one.text
            );
        }
        put!(
            out,
            "<details open><summary>{}</summary>\n<ul>\n",
            self.say("Formulas", "계산식")
        );
        for row in &self.price.options {
            for (name, amount) in [
                ("questions/s", &row.questions),
                ("cores", &row.cores),
                ("memory", &row.memory),
                ("network/s", &row.network),
            ] {
                put!(
                    out,
                    "<li><small>{} {name} = {}</small></li>\n",
                    row.id,
                    escaped(&amount.formula)
                );
            }
        }
        put!(
            out,
            "</ul></details>\n<details><summary>{}</summary>\n<ul>\n",
            self.say("Figures", "측정값")
        );
        for figure in self.price.figures {
            put!(
                out,
                "<li><small>{} = {} {} ({})</small></li>\n",
                figure.id,
                figure.value,
                figure.unit,
                figure.page
            );
        }
        out.push_str("</ul></details>\n");
    }

    fn to_set(&self, out: &mut String) {
        heading(out, self.say("To set it", "설정"));
        put!(
            out,
            "<pre>{}</pre>\n<pre>{}</pre>\n",
            escaped(&self.settings.command),
            escaped(&self.settings.toml)
        );
        for example in &self.settings.examples {
            put!(
                out,
                "<details><summary>{}</summary><pre>{}</pre></details>\n",
                example.framework,
                escaped(&example.code)
            );
        }
    }

    fn known(&self, out: &mut String) {
        heading(out, self.say("What was known", "알고 있던 것"));
        out.push_str("<ul>\n");
        for (fact, value) in self.facts.known() {
            put!(
                out,
                "<li><code>{} = {value}</code></li>\n",
                fact.about().name
            );
        }
        put!(
            out,
            "</ul>\n<p><small>{}: {}</small></p>\n",
            self.say("unknown", "모름"),
            self.unknown.join(", ")
        );
    }
}

fn heading(out: &mut String, text: &str) {
    put!(out, "<h2>{text}</h2>\n");
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}
