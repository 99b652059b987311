//! The article's guideline and its five test cases (section 6).

use symbolon_adviser::{Dial, Shape, advise};

use crate::facts;

/// `recommend_auth_method(platform, is_sensitive, need_scalability)`, as its comments say. The fourth is the
/// one that the printed function itself gets wrong: `docs/adviser.md`.
#[test]
fn the_five_cases_of_the_article() {
    for (platform, sensitive, scale, expected) in [
        ("spa", "no", "yes", Shape::Jwt),
        ("web", "yes", "no", Shape::Session),
        ("mobile", "no", "no", Shape::Session),
        ("api", "no", "yes", Shape::Jwt),
        ("intranet", "yes", "no", Shape::Session),
    ] {
        let facts = facts(&[
            ("platform", platform),
            ("sensitive", sensitive),
            ("scale", scale),
        ]);
        assert_eq!(advise(&facts).shape, expected, "{platform}");
    }
}

/// "where sensitive data has to be protected, the session comes first", whatever the other two are.
#[test]
fn sensitive_data_comes_first() {
    for platform in ["web", "spa", "mobile", "api", "intranet"] {
        for scale in ["yes", "no", "unknown"] {
            let facts = facts(&[
                ("platform", platform),
                ("sensitive", "yes"),
                ("scale", scale),
            ]);
            let verdict = advise(&facts);
            assert_eq!(verdict.shape, Shape::Session, "{platform} {scale}");
            let first = verdict.reasons_for(Dial::Shape).next().unwrap();
            assert_eq!(first.id, "sensitive-session");
        }
    }
}

/// Its function for all twenty questions, but for the API: there its own explanation names "SPA, phone, API".
#[test]
fn its_function_answers_as_ours_does() {
    for platform in ["web", "spa", "mobile", "api", "intranet"] {
        for sensitive in ["yes", "no"] {
            for scale in ["yes", "no"] {
                let token_place = ["spa", "mobile", "api"].contains(&platform);
                let expected = if sensitive == "no" && token_place && scale == "yes" {
                    Shape::Jwt
                } else {
                    Shape::Session
                };
                let facts = facts(&[
                    ("platform", platform),
                    ("sensitive", sensitive),
                    ("scale", scale),
                ]);
                assert_eq!(
                    advise(&facts).shape,
                    expected,
                    "{platform} {sensitive} {scale}"
                );
            }
        }
    }
}

/// The five lines of the guideline, each alone, and for the reason that it gives.
#[test]
fn the_guideline_line_by_line() {
    for (fact, answer, expected, because) in [
        ("sensitive", "yes", Shape::Session, "sensitive-session"),
        ("scale", "yes", Shape::Jwt, "scale-jwt"),
        ("speed", "yes", Shape::Jwt, "speed-jwt"),
        ("platform", "mobile", Shape::Jwt, "mobile-jwt"),
        ("platform", "spa", Shape::Jwt, "spa-jwt"),
        ("end_by", "admin", Shape::Session, "end-by-admin-session"),
        ("zero_downtime", "yes", Shape::Jwt, "zero-downtime-jwt"),
    ] {
        let verdict = advise(&facts(&[(fact, answer)]));
        assert_eq!(verdict.shape, expected, "{fact} = {answer}");
        let first = verdict.reasons_for(Dial::Shape).next().unwrap();
        assert_eq!(first.id, because);
    }
}
