//! What the demo says, in Korean and English (Project Fluent, `i18n/*/demo.ftl`).

use std::{borrow::Cow, collections::HashMap, env};

use fluent_templates::{LanguageIdentifier, Loader, fluent_bundle::FluentValue, langid};

fluent_templates::static_loader! {
    static LOCALES = {
        locales: "i18n",
        fallback_language: "en",
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

static EN: LanguageIdentifier = langid!("en");
static KO: LanguageIdentifier = langid!("ko");

/// A language that the demo speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    En,
    Ko,
}

impl Language {
    /// The language of a tag of ours.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        match tag {
            "en" => Some(Self::En),
            "ko" => Some(Self::Ko),
            _ => None,
        }
    }

    /// The language of the terminal's locale (POSIX, Base Definitions section 8.2).
    pub(crate) fn of_terminal() -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .filter_map(|name| env::var(name).ok())
            .find(|value| !value.is_empty())
            .unwrap_or_default();
        if locale.starts_with("ko") {
            Self::Ko
        } else {
            Self::En
        }
    }
}

/// All words in one language.
#[derive(Clone, Copy)]
pub(crate) struct Words(Language);

impl Words {
    pub(crate) const fn of(language: Language) -> Self {
        Self(language)
    }

    /// The BCP 47 tag of this language.
    pub(crate) const fn tag(self) -> &'static str {
        match self.0 {
            Language::En => "en",
            Language::Ko => "ko",
        }
    }

    /// The tag of the language to switch to.
    pub(crate) const fn other_tag(self) -> &'static str {
        match self.0 {
            Language::En => "ko",
            Language::Ko => "en",
        }
    }

    /// A text.
    pub(crate) fn say(self, word: &str) -> String {
        LOCALES.lookup(self.id(), word)
    }

    /// A text with one placeholder.
    pub(crate) fn say_with(self, word: &str, placeholder: &'static str, value: &str) -> String {
        let value = FluentValue::String(Cow::Owned(value.to_owned()));
        let arguments = HashMap::from([(Cow::Borrowed(placeholder), value)]);
        LOCALES.lookup_with_args(self.id(), word, &arguments)
    }

    fn id(self) -> &'static LanguageIdentifier {
        match self.0 {
            Language::En => &EN,
            Language::Ko => &KO,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    const EN: &str = include_str!("../../i18n/en/demo.ftl");
    const KO: &str = include_str!("../../i18n/ko/demo.ftl");

    /// Each word with its placeholders, in order of their names.
    fn words(source: &str) -> BTreeMap<&str, Vec<&str>> {
        let word = |line: &'static str| {
            let (name, text) = line.split_once(" = ")?;
            let mut holes: Vec<&str> = text
                .split("{ $")
                .skip(1)
                .filter_map(|rest| rest.split(' ').next())
                .collect();
            holes.sort_unstable();
            Some((name, holes))
        };
        let source: &'static str = if source == EN { EN } else { KO };
        source.lines().filter_map(word).collect()
    }

    #[test]
    fn both_languages_say_the_same_words_with_the_same_placeholders() {
        assert_eq!(words(EN), words(KO));
        assert!(words(EN).len() > 40);
    }

    /// Every word that the page or the program asks for is there.
    #[test]
    fn no_word_is_missing() {
        let sources = [
            include_str!("../../templates/demo-app.html"),
            include_str!("../demo.rs"),
            include_str!("page.rs"),
        ];
        for source in sources {
            for asked in source
                .split("say(\"")
                .chain(source.split("say_with(\""))
                .skip(1)
            {
                let Some((word, _)) = asked.split_once('"') else {
                    continue;
                };
                let is_word = word
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
                assert!(!is_word || words(EN).contains_key(word), "{word}");
            }
        }
    }
}
