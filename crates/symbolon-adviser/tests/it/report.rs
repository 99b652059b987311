//! The whole advice, as JSON, as text and as a page.

use serde_json::Value;
use symbolon_adviser::{Lang, Report, Rule, Site};

use crate::facts;

const SPA: &[(&str, &str)] = &[("platform", "spa"), ("scale", "yes"), ("end_by", "admin")];

fn report(pairs: &[(&str, &str)], lang: Lang) -> Report {
    Report::new(&facts(pairs), &Site::default(), lang)
}

#[test]
fn the_json_has_what_the_documents_promise() {
    let json = serde_json::to_value(report(SPA, Lang::En)).unwrap();
    for member in [
        "facts",
        "unknown",
        "shape",
        "carrier",
        "freshness",
        "routes",
        "access_token_seconds",
        "reasons",
        "against",
        "flips_if",
        "contradictions",
        "price",
        "assumed",
        "chart",
        "settings",
    ] {
        assert!(!json[member].is_null(), "{member}");
    }
    assert_eq!(json["shape"], "jwt");
    assert_eq!(json["freshness"], "within(10s)");
    assert_eq!(json["reasons"][0]["id"], "spa-jwt");
    assert_eq!(json["reasons"][0]["dial"], "shape");
    assert_eq!(json["against"]["id"], "end-by-admin-session");
    assert_eq!(json["price"]["options"].as_array().unwrap().len(), 8);
    assert_eq!(json["price"]["options"][0]["id"], "classic_session");
    assert!(
        json["price"]["options"][0]["cores"]["formula"]
            .as_str()
            .unwrap()
            .contains("redis_get")
    );
    assert!(json["flips_if"][0]["changes"][0]["fact"].is_string());
    for reason in json["reasons"].as_array().unwrap() {
        assert!(Rule::by_id(reason["id"].as_str().unwrap()).is_some());
    }
    assert_eq!(json["settings"]["examples"].as_array().unwrap().len(), 4);
}

/// Numbers, ids and positions are the same in both languages; only texts differ.
#[test]
fn both_languages_say_the_same() {
    fn without_texts(value: &Value) -> Value {
        match value {
            Value::Object(map) => map
                .iter()
                .filter(|(name, _)| *name != "text")
                .map(|(name, value)| (name.clone(), without_texts(value)))
                .collect(),
            Value::Array(items) => items.iter().map(without_texts).collect(),
            other => other.clone(),
        }
    }
    let of = |lang| serde_json::to_value(report(SPA, lang)).unwrap();
    let (en, ko) = (of(Lang::En), of(Lang::Ko));
    assert_ne!(en, ko);
    assert_eq!(without_texts(&en), without_texts(&ko));
}

#[test]
fn the_text_says_all_parts_in_both_languages() {
    let en = report(SPA, Lang::En).text();
    for part in [
        "Advice: a JWT in an HttpOnly cookie, an ended login refused within 10 s at worst",
        "Because",
        "[spa-jwt;",
        "The strongest argument against it",
        "What would change this",
        "The price",
        "* jwt_within_10s",
        "assumed: people",
        "symbolon app add my-app",
    ] {
        assert!(en.contains(part), "{part}\n{en}");
    }
    let ko = report(SPA, Lang::Ko).text();
    for part in [
        "추천: JWT, HttpOnly 쿠키, 끝난 로그인은 늦어도 10초 안에 차단",
        "까닭",
        "가장 강한 반론",
        "판단이 바뀌는 조건",
        "비용",
        "설정",
    ] {
        assert!(ko.contains(part), "{part}\n{ko}");
    }
    let conflict = report(&[("offline", "yes"), ("end_within", "0s")], Lang::En).text();
    assert!(
        conflict.contains("offline-and-ended-soon: offline, end_within"),
        "{conflict}"
    );
    let known = report(&[("framework", "flask")], Lang::En);
    assert_eq!(known.settings.examples.len(), 1);
    assert!(known.text().contains("from flask import"));
}

#[test]
fn the_page_stands_alone_and_is_well_formed() {
    for lang in [Lang::En, Lang::Ko] {
        let page = report(
            &[
                ("platform", "web"),
                ("sensitive", "yes"),
                ("end_by", "nobody"),
            ],
            lang,
        )
        .page();
        for part in [
            "<!doctype html>",
            "<html lang=",
            "<svg",
            "</svg>",
            "<table>",
            "sensitive-and-nobody-ends",
            "@media print",
        ] {
            assert!(page.contains(part), "{part}");
        }
        for part in ["<script", "src=", "href=", ":url("] {
            assert!(!page.contains(part), "{part}");
        }
        for tag in [
            "ul", "li", "p", "pre", "table", "tr", "td", "th", "details", "svg", "main", "h2",
        ] {
            let opened = page.matches(&format!("<{tag}>")).count()
                + page.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
        }
        // The table beside the chart has every option.
        assert_eq!(page.matches("<th scope=\"row\">").count(), 8);
    }
}
