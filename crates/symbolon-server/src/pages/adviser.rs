//! Session or JWT, for the application that the address tells of? Open to everybody.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use symbolon_adviser::{Fact, Facts, Lang, Paper, Report, Room, Site, svg};

use super::{
    asking::Anybody,
    form::PageQuery,
    language,
    page::{Section, send},
    views::adviser::{AdviserPage, Wrong},
};

/// The answers as the form sends them, in its order.
type Answers = Vec<(String, String)>;

/// `GET /adviser`: the form with the answers of the address, and the advice for them.
pub(crate) async fn show(
    Anybody { mut page, .. }: Anybody,
    PageQuery(answers): PageQuery<Answers>,
) -> Response {
    page.section = Section::Adviser;
    let lang: Lang = page.t.language().into();
    let (facts, wrong) = read(&answers);
    let status = if wrong.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    let report = Report::new(&facts, &Site::default(), lang);
    send(
        status,
        &AdviserPage::new(page, lang, report, &answers, &wrong),
    )
}

/// `GET /adviser/chart.svg`: the chart for the answers of the address.
pub(crate) async fn chart(headers: HeaderMap, PageQuery(answers): PageQuery<Answers>) -> Response {
    drawn(&headers, &answers, Room::Wide)
}

/// `GET /adviser/chart-narrow.svg`: the same for a phone.
pub(crate) async fn narrow_chart(
    headers: HeaderMap,
    PageQuery(answers): PageQuery<Answers>,
) -> Response {
    drawn(&headers, &answers, Room::Narrow)
}

fn drawn(headers: &HeaderMap, answers: &[(String, String)], room: Room) -> Response {
    let lang: Lang = language::of(headers).into();
    let (facts, _) = read(answers);
    let report = Report::new(&facts, &Site::default(), lang);
    let head = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (head, svg(&report.price, lang, Paper::File, room)).into_response()
}

/// What is known, and which answers are none. An empty answer is unknown.
fn read(answers: &[(String, String)]) -> (Facts, Vec<Wrong>) {
    let mut facts = Facts::unknown();
    let mut wrong = Vec::new();
    for (name, answer) in answers {
        match Fact::named(name) {
            Ok(_) if answer.is_empty() => {}
            Ok(fact) => match fact.parse(answer.trim()) {
                Ok(value) => facts.set(fact, value),
                Err(_) => wrong.push(Wrong::Answer(fact)),
            },
            Err(_) => wrong.push(Wrong::Fact(name.chars().take(40).collect())),
        }
    }
    (facts, wrong)
}
