//! What the chart says, in two languages.

use crate::{
    price::{Row, human},
    words::{Lang, Text},
};

/// The times of the lower axis that get a name, in seconds.
pub(super) const TIMES: [(f64, Text); 7] = [
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

pub(super) const TITLE: Text = Text {
    en: "Cost against freshness",
    ko: "비용과 최신성",
};
pub(super) const ACROSS: Text = Text {
    en: "an ended login still works for, at worst (a line: usually)",
    ko: "끝난 로그인이 통하는 시간, 가장 나쁠 때 (왼쪽으로 뻗은 선: 보통)",
};
pub(super) const ACROSS_LINES: [Text; 2] = [
    Text {
        en: "an ended login still works for, at worst",
        ko: "끝난 로그인이 통하는 시간, 가장 나쁠 때",
    },
    Text {
        en: "(a line to the left: usually)",
        ko: "(왼쪽으로 뻗은 선: 보통)",
    },
];
pub(super) const NEXT: Text = Text {
    en: "at once",
    ko: "바로",
};
pub(super) const UPWARD: Text = Text {
    en: "questions over the network, a second",
    ko: "네트워크로 보내는 질문, 초당",
};
pub(super) const CHOSEN: Text = Text {
    en: "recommended",
    ko: "추천",
};

/// One option in a sentence, as a screen reader and the legend tell it.
pub(super) fn told(row: &Row, lang: Lang) -> String {
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
