//! The table as a picture: one bar a server, each with its figure, so that nothing hangs on colour.

use std::fmt::Write as _;

use crate::Result;

const WIDTH: f64 = 760.0;
const BAR: f64 = 380.0;
const LEFT: f64 = 250.0;
const STEP: f64 = 34.0;
const TOP: f64 = 64.0;

/// An SVG that follows the reader's choice of light or dark.
pub fn of(results: &[Result]) -> String {
    let shown: Vec<&Result> = results
        .iter()
        .filter(|result| result.name == "axum alone" || !matches!(result.kind, "bare" | "layer"))
        .collect();
    let most = shown.iter().map(|r| r.per_second[1]).fold(1.0, f64::max);
    let height = TOP + STEP * shown.len() as f64 + 30.0;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="title about" font-family="system-ui, sans-serif" font-size="14">
<title id="title">Requests per second behind a check</title>
<desc id="about">{}</desc>
<style>
text {{ fill: #1f2328 }} .quiet {{ fill: #59636e }} .ours {{ fill: #0a5c8a }} .other {{ fill: url(#lines) }} .edge {{ fill: none; stroke: #59636e }} #lines path {{ stroke: #8c959f }}
@media (prefers-color-scheme: dark) {{ text {{ fill: #f0f6fc }} .quiet {{ fill: #9198a1 }} .ours {{ fill: #58b4e8 }} .edge {{ stroke: #9198a1 }} #lines path {{ stroke: #7d8590 }} }}
</style>
<defs><pattern id="lines" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V6" stroke-width="2"/></pattern></defs>
<text x="0" y="20" font-weight="600">Requests per second, one core</text>
<text x="0" y="42" class="quiet">GET /me behind a check. Full bars: symbolon. Behind the figures: share of axum alone with the same headers.</text>
"##,
        description(&shown)
    );
    for (at, result) in shown.iter().enumerate() {
        let y = TOP + STEP * at as f64;
        let width = BAR * result.per_second[1] / most;
        let class = if matches!(
            result.kind,
            "session" | "jwt" | "around-session" | "around-jwt" | "daemon"
        ) {
            "ours"
        } else {
            "other"
        };
        let weight = if class == "ours" { 600 } else { 400 };
        let _ = writeln!(
            svg,
            r#"<text x="0" y="{:.0}" font-weight="{weight}">{}</text><rect x="{LEFT}" y="{y:.0}" width="{width:.1}" height="22" class="{class}"/><rect x="{LEFT}" y="{y:.0}" width="{width:.1}" height="22" class="edge"/><text x="{:.0}" y="{:.0}">{}</text>"#,
            y + 16.0,
            result.name,
            LEFT + width + 8.0,
            y + 16.0,
            figure(result),
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn figure(result: &Result) -> String {
    let thousands = result.per_second[1] / 1e3;
    if result.kind == "bare" {
        format!("{thousands:.1} k")
    } else {
        format!("{thousands:.1} k · {:.2}", result.ratio[1])
    }
}

fn description(shown: &[&Result]) -> String {
    let rows: Vec<String> = shown
        .iter()
        .map(|result| format!("{}: {}", result.name, figure(result)))
        .collect();
    rows.join("; ")
}
