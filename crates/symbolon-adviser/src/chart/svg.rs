//! The chart as SVG, in text alone. Nothing in it needs colour: each option has its own mark and number,
//! the chosen one is filled. Lines and letters take the colour of the text around them, so it is as good on dark
//! paper as on light; a file of its own brings that colour with it.

use std::fmt::Write;

use super::{
    Point, points,
    words::{ACROSS, ACROSS_LINES, CHOSEN, NEXT, TIMES, TITLE, UPWARD, told},
};
use crate::{
    price::{Price, human},
    words::Lang,
};

/// What the chart is put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paper {
    /// A page, whose text colour it takes. It has no style of its own, so a strict content security policy
    /// lets it be.
    Page,
    /// A file of its own: light or dark as the reader's system is.
    File,
}

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// A desk, or a sheet of paper.
    Wide,
    /// A phone: fewer names on the axes, letters as large as they are on a desk, sentences that wrap.
    Narrow,
}

/// Where things stand.
struct Frame {
    width: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    /// The first line of the legend, its lines, and where its text and its marks begin.
    legend: f64,
    line: f64,
    text: f64,
    mark: f64,
    /// Of the names on the axes and the legend.
    small: f64,
    /// Between two marks that would lie on each other.
    aside: f64,
    /// How wide a line of the legend may be; none: each is one line.
    wraps_at: Option<f64>,
}

const WIDE: Frame = Frame {
    width: 740.0,
    left: 84.0,
    right: 716.0,
    top: 40.0,
    bottom: 320.0,
    legend: 396.0,
    line: 22.0,
    text: 50.0,
    mark: 32.0,
    small: 11.0,
    aside: 26.0,
    wraps_at: None,
};

/// As wide as a phone of 390 points leaves it, so that a letter of 12 is drawn about as large.
const NARROW: Frame = Frame {
    width: 340.0,
    left: 62.0,
    right: 334.0,
    top: 40.0,
    bottom: 300.0,
    legend: 388.0,
    line: 17.0,
    text: 32.0,
    mark: 14.0,
    small: 12.0,
    aside: 25.0,
    wraps_at: Some(304.0),
};

/// The chart of a price.
pub fn svg(price: &Price, lang: Lang, paper: Paper, room: Room) -> String {
    let points = points(price);
    let frame = match room {
        Room::Wide => &WIDE,
        Room::Narrow => &NARROW,
    };
    let scale = Scale::of(&points, frame);
    let mut out = String::with_capacity(8 * 1024);
    let entries = entries(price, lang, frame);
    let lines = entries.iter().map(Vec::len).sum();
    let height = frame.legend + frame.line * count(lines) + 12.0;
    open(&mut out, price, (frame.width, height), lang, paper);
    axes(&mut out, &scale, lang);
    marks(&mut out, &scale, &points);
    legend(&mut out, price, &points, &entries, frame);
    out.push_str("</svg>\n");
    out
}

#[expect(clippy::cast_precision_loss, reason = "a handful of rows and marks")]
fn count(n: usize) -> f64 {
    n as f64
}

/// Writing to a String cannot fail.
macro_rules! put {
    ($out:expr, $($what:tt)*) => { let _ = write!($out, $($what)*); };
}

fn open(out: &mut String, price: &Price, (width, height): (f64, f64), lang: Lang, paper: Paper) {
    put!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-labelledby="chart-title chart-desc" font-family="system-ui, sans-serif" font-size="13" fill="currentColor" stroke="none">"#
    );
    put!(
        out,
        r#"<title id="chart-title">{}</title><desc id="chart-desc">"#,
        TITLE.of(lang)
    );
    for row in &price.options {
        put!(out, "{} ", told(row, lang));
    }
    out.push_str("</desc>");
    if paper == Paper::File {
        out.push_str("<style>svg{color:#1a1a1a;background:#fff}@media(prefers-color-scheme:dark){svg{color:#eee;background:#111}}</style>");
    }
}

/// Logarithmic both ways; nothing at all has a place of its own at the near end.
struct Scale<'f> {
    frame: &'f Frame,
    longest: f64,
    most: f64,
}

const SHORTEST: f64 = 0.001;
const LEAST: f64 = 0.01;

impl<'f> Scale<'f> {
    fn of(points: &[Point], frame: &'f Frame) -> Self {
        let max = |values: &mut dyn Iterator<Item = f64>, floor| values.fold(floor, f64::max);
        Self {
            frame,
            longest: max(&mut points.iter().map(|point| point.worst_seconds), 3600.0),
            most: 10_f64.powf(
                max(&mut points.iter().map(|point| point.questions), 1.0)
                    .log10()
                    .ceil(),
            ),
        }
    }

    fn x(&self, seconds: f64) -> f64 {
        let share = (seconds.max(SHORTEST) / SHORTEST).ln() / (self.longest / SHORTEST).ln();
        let Frame { left, right, .. } = self.frame;
        left + 20.0 + share * (right - left - 40.0)
    }

    fn y(&self, questions: f64) -> f64 {
        let share = (questions.max(LEAST) / LEAST).ln() / (self.most / LEAST).ln();
        let Frame { top, bottom, .. } = self.frame;
        bottom - 12.0 - share * (bottom - top - 24.0)
    }
}

fn axes(out: &mut String, scale: &Scale<'_>, lang: Lang) {
    let Frame {
        left,
        right,
        top,
        bottom,
        small,
        ..
    } = *scale.frame;
    let is_narrow = scale.frame.wraps_at.is_some();
    put!(
        out,
        r#"<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="currentColor"/>"#
    );
    for (at, (seconds, name)) in TIMES.into_iter().enumerate() {
        // Every second one has room on a phone, and of the first a short name.
        let name = match at {
            0 if is_narrow => NEXT,
            _ if is_narrow && at % 2 == 1 => continue,
            _ => name,
        };
        let x = scale.x(seconds);
        put!(
            out,
            r#"<path d="M{x:.1} {bottom}v5" stroke="currentColor"/><text x="{x:.1}" y="{:.1}" text-anchor="middle" font-size="{small}">{}</text>"#,
            bottom + 19.0,
            name.of(lang)
        );
    }
    let mut tick = LEAST;
    // Every power of ten gets a line, every second one a number where there are many.
    let every = if scale.most / LEAST > 1e7 {
        100.0
    } else {
        10.0
    };
    while tick <= scale.most * 1.001 {
        let y = scale.y(tick);
        let name = if tick <= LEAST {
            "0".to_owned()
        } else {
            human(tick)
        };
        put!(
            out,
            r#"<path d="M{left} {y:.1}H{right}" stroke="currentColor" stroke-opacity="0.15"/><text x="{:.1}" y="{:.1}" text-anchor="end" font-size="{small}">{name}</text>"#,
            left - 6.0,
            y + 4.0
        );
        tick *= every;
    }
    // A phone has no room to the right of the axis for it.
    let x = if is_narrow { 4.0 } else { left };
    put!(out, r#"<text x="{x}" y="22">{}</text>"#, UPWARD.of(lang));
    let across = if is_narrow {
        &ACROSS_LINES[..]
    } else {
        &[ACROSS][..]
    };
    for (at, text) in across.iter().enumerate() {
        put!(
            out,
            r#"<text x="{right}" y="{:.1}" text-anchor="end">{}</text>"#,
            bottom + 44.0 + scale.frame.line * count(at),
            text.of(lang)
        );
    }
}

fn marks(out: &mut String, scale: &Scale<'_>, points: &[Point]) {
    let Frame {
        right,
        small,
        aside,
        ..
    } = *scale.frame;
    let mut taken: Vec<(f64, f64)> = Vec::new();
    for point in points {
        let (mut x, y) = (scale.x(point.worst_seconds), scale.y(point.questions));
        // Options that cost the same stand beside each other, not on top.
        while taken
            .iter()
            .any(|(tx, ty)| (tx - x).abs() < aside - 1.0 && (ty - y).abs() < 15.0)
        {
            x += aside;
        }
        // At the right end there is no room to step aside to.
        if x > right {
            x = scale.x(point.worst_seconds);
            while taken
                .iter()
                .any(|(tx, ty)| (tx - x).abs() < aside - 1.0 && (ty - y).abs() < 15.0)
            {
                x -= aside;
            }
        }
        taken.push((x, y));
        if point.usual_seconds < point.worst_seconds {
            let usual = scale.x(point.usual_seconds);
            put!(
                out,
                r#"<path d="M{usual:.1} {:.1}v8M{usual:.1} {y:.1}H{:.1}" stroke="currentColor" stroke-dasharray="2 3" fill="none"/>"#,
                y - 4.0,
                x - 7.0
            );
        }
        mark(out, point, x, y);
        put!(
            out,
            r#"<text x="{:.1}" y="{:.1}" font-size="{small}">{}</text>"#,
            x + 8.0,
            y - 5.0,
            point.number
        );
    }
}

/// Eight marks that differ in form; the chosen one is filled and ringed.
fn mark(out: &mut String, point: &Point, x: f64, y: f64) {
    let path = match point.number {
        1 => "m-6 -6h12v12h-12z",
        2 => "m0 -7l7 7l-7 7l-7 -7z",
        3 => "m-6 0a6 6 0 1 0 12 0a6 6 0 1 0 -12 0",
        4 => "m0 -7l7 12h-14z",
        5 => "m0 7l7 -12h-14z",
        6 => "m-6 -2h4v-4h4v4h4v4h-4v4h-4v-4h-4z",
        7 => "m-3 -6h6l3 6l-3 6h-6l-3 -6z",
        _ => "m-6 -6l12 12m-12 0l12 -12",
    };
    let fill = if point.chosen { "currentColor" } else { "none" };
    put!(
        out,
        r#"<path d="M{x:.1} {y:.1}{path}" fill="{fill}" stroke="currentColor" stroke-width="1.5"/>"#
    );
    if point.chosen {
        put!(
            out,
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="11" fill="none" stroke="currentColor" stroke-width="1.5"/>"#
        );
    }
}

/// What the legend says of each option, in lines.
fn entries(price: &Price, lang: Lang, frame: &Frame) -> Vec<Vec<String>> {
    let rows = price.options.iter().enumerate();
    rows.map(|(at, row)| {
        let chosen = if row.chosen {
            format!(" ({})", CHOSEN.of(lang))
        } else {
            String::new()
        };
        let text = format!("{} {}{chosen}", at + 1, told(row, lang));
        match frame.wraps_at {
            Some(width) => wrapped(&text, width / frame.small),
            None => vec![text],
        }
    })
    .collect()
}

/// Lines of at most so many letter heights. Hangul is about as wide as high, other letters a good half of
/// it, bold ones included.
fn wrapped(text: &str, most: f64) -> Vec<String> {
    let width = |word: &str| -> f64 {
        let of = |c: char| if c.is_ascii() { 0.58 } else { 1.0 };
        word.chars().map(of).sum()
    };
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if width(line) + width(" ") + width(word) <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn legend(
    out: &mut String,
    price: &Price,
    points: &[Point],
    entries: &[Vec<String>],
    frame: &Frame,
) {
    let Frame { text, small, .. } = *frame;
    let mut y = frame.legend;
    for ((row, point), lines) in price.options.iter().zip(points).zip(entries) {
        mark(out, point, frame.mark, y - 4.0);
        let weight = if row.chosen { "bold" } else { "normal" };
        for line in lines {
            put!(
                out,
                r#"<text x="{text:.1}" y="{y:.1}" font-size="{small}" font-weight="{weight}">{line}</text>"#
            );
            y += frame.line;
        }
    }
}
