#![expect(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeSet, fs, path::Path};

use super::*;

#[test]
fn every_word_is_there_in_every_language_with_its_placeholders() {
    for language in [Language::En, Language::Ko] {
        for (word, placeholders) in ALL {
            let marked = |name: &str| format!("<{name}!>");
            let arguments: Arguments = placeholders
                .iter()
                .map(|name| (Cow::Borrowed(*name), marked(name).as_str().value()))
                .collect();
            // None: the word is missing, or names a placeholder that its method does not have.
            let text = lookup(language, word, &arguments);
            assert!(text.is_some(), "{word} in {language:?}");
            let text = text.unwrap();
            for name in *placeholders {
                assert!(
                    text.contains(&marked(name)),
                    "{word} in {language:?}: ${name}"
                );
            }
            assert!(!text.trim().is_empty(), "{word} in {language:?}");
        }
    }
}

#[test]
fn every_text_belongs_to_a_word() {
    let declared: BTreeSet<&str> = ALL.iter().map(|(word, _)| *word).collect();
    for language in ["en", "ko"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("i18n")
            .join(language);
        let mut written = BTreeSet::new();
        for file in fs::read_dir(folder).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            for line in text.lines() {
                let Some((id, _)) = line.split_once(" =") else {
                    continue;
                };
                if line.starts_with(|c: char| c.is_ascii_alphabetic()) {
                    assert!(written.insert(id.to_owned()), "{id} twice in {language}");
                }
            }
        }
        let written: BTreeSet<&str> = written.iter().map(String::as_str).collect();
        assert_eq!(written, declared, "{language}");
    }
}

#[test]
fn one_and_many_are_said_apart() {
    let en = Words::of(Language::En);
    assert_eq!(en.days(1), "1 day");
    assert_eq!(en.days(7), "7 days");
    assert_eq!(Words::of(Language::Ko).days(7), "7일");
}

#[test]
fn a_hostile_name_cannot_turn_a_sentence_around() {
    let said = Words::of(Language::En).sign_in_to("a\u{202e}b\u{2066}\nc");
    assert_eq!(said, "Sign in to a\u{fffd}b\u{fffd}\u{fffd}c");
}
