//! The chart: all that it shows is in its words too, and nothing hangs on colour.

use std::{collections::BTreeSet, fs, path::Path};

use symbolon_adviser::{Lang, Paper, Room, advise, points, price, svg};

use crate::facts;

fn drawn(pairs: &[(&str, &str)], lang: Lang, paper: Paper) -> String {
    drawn_in(Room::Wide, pairs, lang, paper)
}

fn drawn_in(room: Room, pairs: &[(&str, &str)], lang: Lang, paper: Paper) -> String {
    let facts = facts(pairs);
    svg(&price(&facts, &advise(&facts)), lang, paper, room)
}

/// Well-formed enough to be an image: every tag is closed, no number is none.
fn well_formed(svg: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in svg.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap();
        let name = tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{svg}");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

#[test]
fn it_is_told_in_words_and_drawn_without_colour() {
    for lang in [Lang::En, Lang::Ko] {
        let page = drawn(&[("platform", "spa")], lang, Paper::Page);
        well_formed(&page);
        for part in [
            "role=\"img\"",
            "<title id=\"chart-title\">",
            "<desc id=\"chart-desc\">",
        ] {
            assert!(page.contains(part), "{part}");
        }
        // What the policy of our pages forbids, and what would stand for a meaning by its colour.
        for part in ["<style", "style=", "<script", "#", "rgb("] {
            assert!(!page.contains(part), "{part}");
        }
        let colours: BTreeSet<&str> = page
            .split("fill=\"")
            .chain(page.split("stroke=\""))
            .skip(1)
            .filter_map(|rest| rest.split_once('"').map(|(colour, _)| colour))
            .filter(|colour| !colour.starts_with("<svg"))
            .collect();
        assert_eq!(colours, BTreeSet::from(["currentColor", "none"]));
        // Description and legend both tell each option.
        let told = match lang {
            Lang::En => "questions a second,",
            Lang::Ko => "초당 질문",
        };
        assert_eq!(page.matches(told).count(), 16);
    }
    let file = drawn(&[("platform", "spa")], Lang::En, Paper::File);
    assert!(file.contains("prefers-color-scheme:dark"));
    well_formed(&file);
}

#[test]
fn every_option_has_a_mark_of_its_own_and_the_chosen_one_a_ring() {
    let page = drawn(&[("platform", "web")], Lang::En, Paper::Page);
    let forms: BTreeSet<&str> = page
        .split("<path d=\"M")
        .filter(|path| path.contains("stroke-width"))
        .filter_map(|path| path.split_once('m').map(|(_, form)| form))
        .filter_map(|form| form.split_once('"').map(|(form, _)| form))
        .collect();
    assert_eq!(forms.len(), 8, "{forms:?}");
    // In the chart and in its legend.
    assert_eq!(page.matches("<circle").count(), 2);
}

#[test]
fn no_two_marks_lie_on_each_other_and_all_lie_inside() {
    for pairs in [
        &[("platform", "web")][..],
        &[("people", "1"), ("requests_per_second", "0")],
        &[
            ("people", "10000000000"),
            ("requests_per_second", "10000000000"),
            ("services", "100000"),
            ("scale", "yes"),
        ],
        &[("offline", "yes")],
        &[("end_within", "1s")],
    ] {
        for (room, right) in [(Room::Wide, 720.0), (Room::Narrow, 336.0)] {
            let page = drawn_in(room, pairs, Lang::En, Paper::Page);
            well_formed(&page);
            let places: Vec<(f64, f64)> = page
                .split("<path d=\"M")
                .filter(|path| path.contains("stroke-width"))
                .map(|path| {
                    let (place, _) = path.split_once('m').unwrap();
                    let (x, y) = place.split_once(' ').unwrap();
                    (x.parse().unwrap(), y.parse().unwrap())
                })
                .collect();
            assert_eq!(places.len(), 16);
            for (at, one) in places.iter().enumerate() {
                assert!((8.0..=right).contains(&one.0), "{pairs:?} {places:?}");
                for other in &places[..at] {
                    let apart = (one.0 - other.0).abs().max((one.1 - other.1).abs());
                    assert!(apart > 10.0, "{pairs:?}: {one:?} {other:?}");
                }
            }
        }
    }
}

/// The panel of a phone of 390 points is a little narrower than the chart: what is 12 is drawn as 11 at least.
#[test]
fn on_a_phone_no_letter_is_small_and_no_line_is_too_long() {
    for lang in [Lang::En, Lang::Ko] {
        for pairs in [
            &[("platform", "spa")][..],
            &[
                ("people", "10000000000"),
                ("requests_per_second", "10000000000"),
            ],
        ] {
            let page = drawn_in(Room::Narrow, pairs, lang, Paper::Page);
            well_formed(&page);
            assert!(page.contains("viewBox=\"0 0 340 "));
            let sizes = page.split("font-size=\"").skip(1);
            for size in sizes.map(|rest| rest.split_once('"').unwrap().0) {
                assert!(size.parse::<f64>().unwrap() >= 12.0, "{size}");
            }
            for text in page.split("<text ").skip(1) {
                let (head, rest) = text.split_once('>').unwrap();
                let (said, _) = rest.split_once('<').unwrap();
                let wide = |c: char| if c.is_ascii() { 6.7 } else { 12.5 };
                let width: f64 = said.chars().map(wide).sum();
                assert!(width < 340.0, "{width}: {head} {said}");
            }
        }
    }
}

#[test]
fn the_ends_of_the_chart_are_the_classics() {
    let facts = facts(&[("requests_per_second", "500")]);
    let points = points(&price(&facts, &advise(&facts)));
    let of = |id: &str| points.iter().find(|point| point.id == id).unwrap();
    let (first, last) = (of("classic_session"), of("classic_jwt"));
    for point in &points {
        assert!(point.worst_seconds >= first.worst_seconds);
        assert!(point.worst_seconds <= last.worst_seconds);
        assert!(point.questions >= last.questions);
    }
}

/// The picture in `docs/adviser.md` is what the code draws. `SYMBOLON_WRITE_PICTURES=1` draws it anew.
#[test]
fn the_picture_of_the_page_is_drawn_by_this_code() {
    let drawn = drawn(
        &[
            ("platform", "spa"),
            ("requests_per_second", "2000"),
            ("people", "200000"),
        ],
        Lang::En,
        Paper::File,
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/images/adviser.svg");
    if option_env!("SYMBOLON_WRITE_PICTURES").is_some() {
        fs::write(&path, &drawn).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), drawn);
}
