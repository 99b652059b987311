//! Every row of the article's tables is a rule, and every rule is well formed.

use std::collections::BTreeSet;

use symbolon_adviser::{Conflict, Dial, Lang, Objection, Rule, Says, Shape};

/// Section, row, what the row speaks for (both where it compares), the rules that say so.
const ROWS: &[(&str, &str, &[Shape], &[&str])] = &[
    (
        "3",
        "상태관리",
        &[Shape::Session, Shape::Jwt],
        &["manage-logins-session", "offline-jwt"],
    ),
    (
        "3",
        "저장위치",
        &[Shape::Session],
        &["shared-store-session", "sensitive-session"],
    ),
    ("3", "확장성", &[Shape::Jwt], &["services-jwt", "scale-jwt"]),
    (
        "3",
        "보안관리",
        &[Shape::Session],
        &["sensitive-session", "theft-session"],
    ),
    (
        "4",
        "관리자 페이지 등 민감 정보가 많은 서비스",
        &[Shape::Session],
        &["sensitive-session", "intranet-session"],
    ),
    (
        "4",
        "다중 사용자 로그인 관리가 필요한 경우",
        &[Shape::Session],
        &["manage-logins-session"],
    ),
    (
        "4",
        "서버 기반 로드 밸런싱이 잘 구성된 인프라",
        &[Shape::Session],
        &["shared-store-session"],
    ),
    (
        "4",
        "토큰 탈취 리스크를 줄이고 싶은 경우",
        &[Shape::Session],
        &["theft-session"],
    ),
    (
        "4",
        "기존 시스템이 세션 방식에 익숙한 경우",
        &[Shape::Session],
        &["existing-session"],
    ),
    (
        "5",
        "모바일/SPA 클라이언트",
        &[Shape::Jwt],
        &["spa-jwt", "mobile-jwt"],
    ),
    (
        "5",
        "API 기반 구조",
        &[Shape::Jwt],
        &["api-jwt", "scale-jwt"],
    ),
    (
        "5",
        "서버 간 인증 공유",
        &[Shape::Jwt],
        &["services-jwt", "third-party-jwt", "domains-jwt"],
    ),
    (
        "6",
        "보안 통제가 필요",
        &[Shape::Session],
        &["sensitive-session"],
    ),
    (
        "6",
        "확장성과 속도",
        &[Shape::Jwt],
        &["scale-jwt", "speed-jwt"],
    ),
    (
        "6",
        "모바일/SPA 환경",
        &[Shape::Jwt],
        &["spa-jwt", "mobile-jwt"],
    ),
    (
        "6",
        "관리자 로그아웃 제어",
        &[Shape::Session],
        &["end-by-admin-session"],
    ),
    (
        "6",
        "무중단 서비스 설계",
        &[Shape::Jwt],
        &["zero-downtime-jwt"],
    ),
];

#[test]
fn every_row_of_the_tables_is_a_rule_that_cites_it() {
    for (section, row, shapes, ids) in ROWS {
        for shape in *shapes {
            assert!(
                ids.iter()
                    .any(|id| Rule::by_id(id).unwrap().says == Says::Shape(*shape)),
                "{section} {row}: none of its rules speaks for {shape}"
            );
        }
        for id in *ids {
            let rule = Rule::by_id(id).unwrap();
            assert!(
                rule.sources
                    .contains(&&*format!("article section {section}")),
                "{section} {row}: {id} does not cite it"
            );
            let Says::Shape(shape) = rule.says else {
                panic!("{id} speaks for no shape");
            };
            assert!(shapes.contains(&shape), "{section} {row}: {id}");
        }
    }
    let rows = |section: &str| ROWS.iter().filter(|row| row.0 == section).count();
    assert_eq!([rows("3"), rows("4"), rows("5"), rows("6")], [4, 5, 3, 5]);
}

#[test]
fn rules_are_named_once_explained_twice_and_sourced() {
    let mut ids = BTreeSet::new();
    for rule in Rule::all() {
        assert!(ids.insert(rule.id), "{} twice", rule.id);
        assert!(!rule.sources.is_empty(), "{} has no source", rule.id);
        well_told(rule.id, rule.text.of(Lang::En), rule.text.of(Lang::Ko));
    }
    for one in Conflict::all() {
        assert!(ids.insert(one.id), "{} twice", one.id);
        assert!(one.when.len() >= 2, "{} contradicts nothing", one.id);
        well_told(one.id, one.text.of(Lang::En), one.text.of(Lang::Ko));
    }
    for one in Objection::all() {
        assert!(ids.insert(one.id), "{} twice", one.id);
        well_told(one.id, one.text.of(Lang::En), one.text.of(Lang::Ko));
    }
    assert!(Rule::all().count() >= 45);
}

fn well_told(id: &str, en: &str, ko: &str) {
    let hangul = |c: char| ('가'..='힣').contains(&c);
    assert!(en.ends_with(['.', '?']) && en.is_ascii(), "{id}: {en}");
    assert!(ko.ends_with(['.', '?']), "{id}: {ko}");
    assert!(ko.chars().filter(|c| hangul(*c)).count() > 10, "{id}: {ko}");
    // Polite to the last sentence.
    assert!(
        ["니다.", "세요."].iter().any(|end| ko.ends_with(end)),
        "{id}: {ko}"
    );
}

/// The sources that a reader can look up; a new kind of source is a decision.
#[test]
fn sources_can_be_looked_up() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
    let asvs = [
        "3.3.1", "3.3.4", "7.3.1", "7.3.2", "7.4.1", "7.4.5", "7.5.2", "7.5.3", "10.1.1",
    ];
    let rfcs = ["6750", "7517", "7662", "8252", "9068"];
    let rules = Rule::all().map(|rule| (rule.id, rule.sources));
    let objections = Objection::all().map(|one| (one.id, one.sources));
    for (id, sources) in rules.chain(objections) {
        for source in sources {
            let known = if let Some(section) = source.strip_prefix("article section ") {
                section
                    .parse::<u8>()
                    .is_ok_and(|section| (1..=8).contains(&section))
            } else if let Some(rfc) = source.strip_prefix("RFC ") {
                rfcs.contains(&rfc.split(' ').next().unwrap())
            } else if let Some(paragraph) = source.strip_prefix("ASVS 5.0 ") {
                asvs.contains(&paragraph)
            } else if let Some(paragraph) = source.strip_prefix("NIST SP 800-63B-4 section ") {
                ["2.1.3", "2.2.3"].contains(&paragraph)
            } else {
                std::path::Path::new(root).join(source).is_file()
            };
            assert!(known, "{id} cites {source}");
        }
    }
}

/// Every rule can speak, and for every dial there is one that always does.
#[test]
fn no_rule_is_dead_and_no_dial_is_silent() {
    use symbolon_adviser::{Facts, When};
    for rule in Rule::all() {
        let mut facts = Facts::unknown();
        for when in rule.when {
            let answer = match when {
                When::Is(_, word) => (*word).to_owned(),
                When::AtLeast(_, n) | When::AtMost(_, n) => n.to_string(),
                When::IsNot(..) | When::NotBelow(..) | When::Unknown(_) => continue,
            };
            // Of two edges of one fact either lies within both.
            facts.answer(when.fact().about().name, &answer).unwrap();
        }
        assert!(rule.speaks(&facts), "{} never speaks", rule.id);
    }
    let always: Vec<Dial> = Rule::all()
        .filter(|rule| rule.is_default())
        .map(|rule| rule.says.dial())
        .collect();
    assert_eq!(
        always,
        [
            Dial::Shape,
            Dial::Carrier,
            Dial::Freshness,
            Dial::Token,
            Dial::Lifetime
        ]
    );
}
