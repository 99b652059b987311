//! The chart as SVG, in text alone. Nothing in it needs colour: each option has its own mark and number,
//! the chosen one is filled. Lines and letters take the colour of the text around them, so it is as good on dark
//! paper as on light; a file of its own brings that colour with it.

use std::fmt::Write;

use super::{Point, points};
use crate::{
    price::{Price, Row, human},
    words::{Lang, Text},
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

const WIDTH: f64 = 740.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 716.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 320.0;
const LEGEND: f64 = 396.0;
const LINE: f64 = 22.0;

/// The times of the lower axis that get a name, in seconds.
const TIMES: [(f64, Text); 7] = [
    (
        0.0,
        Text {
            en: "next request",
            ko: "다음 요청",
        },
    ),
    (
        0.01,
        Text {
            en: "10 ms",
            ko: "10밀리초",
        },
    ),
    (
        0.1,
        Text {
            en: "0.1 s",
            ko: "0.1초",
        },
    ),
    (
        1.0,
        Text {
            en: "1 s",
            ko: "1초",
        },
    ),
    (
        10.0,
        Text {
            en: "10 s",
            ko: "10초",
        },
    ),
    (
        60.0,
        Text {
            en: "1 min",
            ko: "1분",
        },
    ),
    (
        1800.0,
        Text {
            en: "30 min",
            ko: "30분",
        },
    ),
];

const TITLE: Text = Text {
    en: "Cost against freshness",
    ko: "비용과 최신성",
};
const ACROSS: Text = Text {
    en: "an ended login still works for, at worst (a line: usually)",
    ko: "끝난 로그인이 통하는 시간, 가장 나쁠 때 (왼쪽으로 뻗은 선: 보통)",
};
const UPWARD: Text = Text {
    en: "questions over the network, a second",
    ko: "네트워크로 보내는 질문, 초당",
};
const CHOSEN: Text = Text {
    en: "recommended",
    ko: "추천",
};

/// The chart of a price.
pub fn svg(price: &Price, lang: Lang, paper: Paper) -> String {
    let points = points(price);
    let scale = Scale::of(&points);
    let mut out = String::with_capacity(8 * 1024);
    let height = LEGEND + LINE * count(points.len()) + 12.0;
    open(&mut out, price, height, lang, paper);
    axes(&mut out, &scale, lang);
    marks(&mut out, &scale, &points);
    legend(&mut out, price, &points, lang);
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

fn open(out: &mut String, price: &Price, height: f64, lang: Lang, paper: Paper) {
    put!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-labelledby="chart-title chart-desc" font-family="system-ui, sans-serif" font-size="13" fill="currentColor" stroke="none">"#
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

/// One option in a sentence, as a screen reader and the legend tell it.
fn told(row: &Row, lang: Lang) -> String {
    let name = row.choice.name(lang);
    let questions = human(row.questions.value);
    let worst = duration(row.window_worst_seconds, lang);
    let usual = duration(row.window_usual_seconds, lang);
    let also = row.window_usual_seconds < row.window_worst_seconds;
    let works = row.window_worst_seconds > 0.0;
    match lang {
        Lang::En => {
            let window = match (works, also) {
                (false, _) => "an ended login is refused at the next request".to_owned(),
                (true, false) => format!("an ended login works for {worst}"),
                (true, true) => format!("an ended login works for {usual}, {worst} at worst"),
            };
            format!("{name}: {questions} questions a second, {window}.")
        }
        Lang::Ko => {
            let window = match (works, also) {
                (false, _) => "끝난 로그인은 다음 요청부터 막힘".to_owned(),
                (true, false) => format!("끝난 로그인이 {worst} 동안 통함"),
                (true, true) => {
                    format!("끝난 로그인이 보통 {usual}, 가장 나쁠 때 {worst} 동안 통함")
                }
            };
            format!("{name}: 초당 질문 {questions}건, {window}.")
        }
    }
}

/// A window as people say it.
pub(crate) fn duration(seconds: f64, lang: Lang) -> String {
    let units = [
        (86_400.0, "d", "일"),
        (3_600.0, "h", "시간"),
        (60.0, "min", "분"),
        (1.0, "s", "초"),
        (0.001, "ms", "밀리초"),
    ];
    if seconds <= 0.0 {
        return Text {
            en: "none",
            ko: "없음",
        }
        .of(lang)
        .to_owned();
    }
    // A whole number of the largest unit that fits; 1800 s is 30 min and 90 s is 90 s.
    let fits = |unit: f64| seconds >= unit && (seconds / unit).fract() < 1e-9;
    let (unit, en, ko) =
        units
            .into_iter()
            .find(|(unit, ..)| fits(*unit))
            .unwrap_or(if seconds < 1.0 {
                (0.001, "ms", "밀리초")
            } else {
                (1.0, "s", "초")
            });
    let number = human(seconds / unit);
    match lang {
        Lang::En => format!("{number} {en}"),
        Lang::Ko => format!("{number}{ko}"),
    }
}

/// Logarithmic both ways; nothing at all has a place of its own at the near end.
struct Scale {
    longest: f64,
    most: f64,
}

const SHORTEST: f64 = 0.001;
const LEAST: f64 = 0.01;

impl Scale {
    fn of(points: &[Point]) -> Self {
        let max = |values: &mut dyn Iterator<Item = f64>, floor| values.fold(floor, f64::max);
        Self {
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
        LEFT + 20.0 + share * (RIGHT - LEFT - 40.0)
    }

    fn y(&self, questions: f64) -> f64 {
        let share = (questions.max(LEAST) / LEAST).ln() / (self.most / LEAST).ln();
        BOTTOM - 12.0 - share * (BOTTOM - TOP - 24.0)
    }
}

fn axes(out: &mut String, scale: &Scale, lang: Lang) {
    put!(
        out,
        r#"<path d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}" fill="none" stroke="currentColor"/>"#
    );
    for (seconds, name) in TIMES {
        let x = scale.x(seconds);
        put!(
            out,
            r#"<path d="M{x:.1} {BOTTOM}v5" stroke="currentColor"/><text x="{x:.1}" y="{:.1}" text-anchor="middle" font-size="11">{}</text>"#,
            BOTTOM + 19.0,
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
            r#"<path d="M{LEFT} {y:.1}H{RIGHT}" stroke="currentColor" stroke-opacity="0.15"/><text x="{:.1}" y="{:.1}" text-anchor="end" font-size="11">{name}</text>"#,
            LEFT - 6.0,
            y + 4.0
        );
        tick *= every;
    }
    put!(
        out,
        r#"<text x="{LEFT}" y="22">{}</text><text x="{RIGHT}" y="{:.1}" text-anchor="end">{}</text>"#,
        UPWARD.of(lang),
        BOTTOM + 44.0,
        ACROSS.of(lang)
    );
}

fn marks(out: &mut String, scale: &Scale, points: &[Point]) {
    let mut taken: Vec<(f64, f64)> = Vec::new();
    for point in points {
        let (mut x, y) = (scale.x(point.worst_seconds), scale.y(point.questions));
        // Options that cost the same stand beside each other, not on top.
        while taken
            .iter()
            .any(|(tx, ty)| (tx - x).abs() < 25.0 && (ty - y).abs() < 15.0)
        {
            x += 26.0;
        }
        // At the right end there is no room to step aside to.
        if x > RIGHT {
            x = scale.x(point.worst_seconds);
            while taken
                .iter()
                .any(|(tx, ty)| (tx - x).abs() < 25.0 && (ty - y).abs() < 15.0)
            {
                x -= 26.0;
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
            r#"<text x="{:.1}" y="{:.1}" font-size="11">{}</text>"#,
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

fn legend(out: &mut String, price: &Price, points: &[Point], lang: Lang) {
    for (row, point) in price.options.iter().zip(points) {
        let y = LEGEND + LINE * count(point.number - 1);
        mark(out, point, LEFT - 52.0, y - 4.0);
        let weight = if row.chosen { "bold" } else { "normal" };
        let chosen = if row.chosen {
            format!(" ({})", CHOSEN.of(lang))
        } else {
            String::new()
        };
        put!(
            out,
            r#"<text x="{:.1}" y="{y:.1}" font-size="11" font-weight="{weight}">{} {}{chosen}</text>"#,
            LEFT - 34.0,
            point.number,
            told(row, lang)
        );
    }
}
