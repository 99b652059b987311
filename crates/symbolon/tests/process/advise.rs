//! `symbolon advise`: flags, files and questions in; advice out, or one line that names what is wrong.

use std::fs;

use serde_json::Value;

use crate::town::{run, run_in, run_json};

/// The example for axum, compiled against the guard as it is.
#[expect(dead_code, reason = "to be compiled, not run")]
mod axum_example {
    include!("../../../symbolon-adviser/snippets/axum.rs");
}

fn advise(arguments: &[&str]) -> Value {
    run_json(&[&["advise", "--json"], arguments].concat(), "")
}

/// What standard error said of a call that failed.
fn refused(arguments: &[&str], stdin: &str) -> String {
    let output = run(&[&["advise"], arguments].concat(), stdin);
    assert!(!output.status.success(), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn reasons(advice: &Value) -> Vec<&str> {
    let reasons = advice["reasons"].as_array().unwrap();
    reasons
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect()
}

/// The article's test cases, as its text and comments say; the fourth is the one that its code gets wrong.
#[test]
fn the_articles_cases_by_flags() {
    for (platform, sensitive, scale, shape, because) in [
        ("spa", "no", "yes", "jwt", "spa-jwt"),
        ("web", "yes", "no", "session", "sensitive-session"),
        ("mobile", "no", "no", "session", "no-scale-session"),
        ("api", "no", "yes", "jwt", "api-jwt"),
        ("intranet", "yes", "no", "session", "sensitive-session"),
    ] {
        let advice = advise(&[
            "--platform",
            platform,
            "--sensitive",
            sensitive,
            "--scale",
            scale,
        ]);
        assert_eq!(advice["shape"], shape, "{platform}");
        assert_eq!(reasons(&advice)[0], because);
        for member in [
            "carrier",
            "freshness",
            "reasons",
            "against",
            "flips_if",
            "price",
        ] {
            assert!(!advice[member].is_null(), "{platform}: {member}");
        }
        assert!(!advice["flips_if"].as_array().unwrap().is_empty());
    }
}

#[test]
fn every_fact_has_a_flag_and_a_place_in_the_help() {
    let help = String::from_utf8(run(&["advise", "--help"], "").stdout).unwrap();
    for (flag, answer) in [
        ("--platform", "mobile"),
        ("--sensitive", "no"),
        ("--scale", "yes"),
        ("--speed", "yes"),
        ("--end-by", "person"),
        ("--end-within", "5s"),
        ("--critical", "yes"),
        ("--manage-logins", "no"),
        ("--theft", "no"),
        ("--services", "3"),
        ("--domains", "2"),
        ("--offline", "no"),
        ("--third-party", "no"),
        ("--zero-downtime", "no"),
        ("--shared-store", "no"),
        ("--existing", "none"),
        ("--requests-per-second", "2000"),
        ("--people", "500000"),
        ("--devices-per-person", "2"),
        ("--sign-outs-per-day", "9000"),
        ("--framework", "flask"),
    ] {
        assert!(help.contains(flag), "{flag}");
        let advice = advise(&[flag, answer]);
        let name = flag.trim_start_matches("--").replace('-', "_");
        assert!(
            !advice["facts"][&name].is_null(),
            "{flag}: {}",
            advice["facts"]
        );
        let unknown = advise(&[flag, "unknown"]);
        assert!(unknown["facts"][&name].is_null());
    }
}

#[test]
fn answers_come_from_files_and_flags_win() {
    let directory = tempfile::tempdir().unwrap();
    let toml = directory.path().join("answers.toml");
    fs::write(
        &toml,
        "platform = \"spa\"\nsensitive = false\npeople = 1000\nend_within = \"2s\"\n",
    )
    .unwrap();
    let toml = toml.to_str().unwrap();
    let advice = advise(&["--answers", toml]);
    assert_eq!(
        (&advice["shape"], &advice["freshness"]),
        (&"jwt".into(), &"within(2s)".into())
    );
    let advice = advise(&["--answers", toml, "--sensitive", "yes"]);
    assert_eq!(
        (&advice["shape"], &advice["freshness"]),
        (&"session".into(), &"within(1s)".into())
    );
    let json = r#"{"platform": "api", "third_party": true}"#;
    let advice = run_json(&["advise", "--json", "--answers", "-"], json);
    assert_eq!(advice["freshness"], "until_expiry");
}

#[test]
fn what_is_wrong_is_named_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let unknown = file("a.toml", "platform = \"spa\"\ncolour = \"red\"\n");
    let negative = file("b.toml", "platform = \"spa\"\nrequests_per_second = -5\n");
    let garbled = file("d.toml", "platform = \"spa\"\npeople = = 5\n");
    let broken = file("c.json", "{\"platform\": ");
    for (arguments, named) in [
        (
            &["--platform", "desktop"][..],
            "web, spa, mobile, api, intranet",
        ),
        (
            &["--requests-per-second", "-5"],
            "requests_per_second: expected a whole number from 0",
        ),
        (
            &["--people", "99999999999999999999"],
            "people: expected a whole number from 1",
        ),
        (&["--people", "many"], "people: expected"),
        (&["--end-within", "soon"], "end_within: expected a time"),
        (&["--colour", "red"], "--colour"),
        (&["--answers", &unknown], "a.toml: \"colour\": no such fact"),
        (
            &["--answers", &negative],
            "b.toml: requests_per_second: expected",
        ),
        (&["--answers", &broken], "c.json"),
        (&["--answers", &garbled], "d.toml, line 2: "),
        (
            &["--answers", "/nowhere/answers.toml"],
            "cannot read /nowhere/answers.toml",
        ),
        (&["--app", "My App"], "app: expected"),
        (
            &["--public-url", "https://a.example/$(id)"],
            "public_url: expected",
        ),
        (&["--lang", "de"], "--lang"),
    ] {
        let said = refused(arguments, "");
        assert!(said.contains(named), "{arguments:?}: {said}");
    }
}

/// Refusals are in the language of the texts: what is said, or what the terminal speaks.
#[test]
fn what_is_wrong_is_named_in_korean_too() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let negative = file("b.toml", "platform = \"spa\"\nrequests_per_second = -5\n");
    let garbled = file("d.toml", "platform = \"spa\"\npeople = = 5\n");
    let unknown = file("a.json", "{\"colour\": \"red\"}");
    for (arguments, named) in [
        (
            &["--platform", "desktop"][..],
            "platform: 쓸 수 없는 값입니다: \"desktop\". 쓸 수 있는 값: web, spa, mobile, api, intranet, unknown 가운데 하나",
        ),
        (
            &["--requests-per-second", "-5"],
            "requests_per_second: 쓸 수 없는 값입니다: \"-5\". 쓸 수 있는 값: 0부터",
        ),
        (
            &["--people", "99999999999999999999"],
            "people: 쓸 수 없는 값입니다",
        ),
        (&["--end-within", "soon"], "0s부터 30d까지의 시간"),
        (
            &["--answers", &unknown],
            "a.json: \"colour\": 그런 항목은 없습니다. 있는 항목: platform, ",
        ),
        (
            &["--answers", &negative],
            "b.toml: requests_per_second: 쓸 수 없는 값입니다",
        ),
        (&["--answers", &garbled], "d.toml, 2번째 줄: "),
        (
            &["--answers", "/nowhere/answers.toml"],
            "/nowhere/answers.toml: 읽을 수 없습니다",
        ),
        (&["--app", "My App"], "app: 영문 소문자"),
        (&["--public-url", "https://a.example/$(id)"], "public_url: "),
    ] {
        let korean = refused(&[arguments, &["--lang", "ko"]].concat(), "");
        assert!(korean.contains(named), "{arguments:?}: {korean}");
        assert_eq!(korean.lines().count(), 1, "{korean}");
        let locale = [("LANG", "ko_KR.UTF-8".to_owned())];
        let spoken = run_in(&locale, &[&["advise"], arguments].concat(), "");
        assert!(!spoken.status.success());
        assert_eq!(String::from_utf8(spoken.stderr).unwrap(), korean);
        // What is said outranks the terminal.
        let english = [&["advise", "--lang", "en"], arguments].concat();
        let english = run_in(&locale, &english, "");
        assert_eq!(
            String::from_utf8(english.stderr).unwrap(),
            refused(arguments, "")
        );
    }
    let said = refused(&["--ask", "--lang", "ko"], &"desktop\n".repeat(5));
    assert!(said.contains("platform: 쓸 수 없는 값입니다"), "{said}");
    assert!(
        said.contains("platform: 5번 물었지만 답이 없습니다"),
        "{said}"
    );
}

#[test]
fn questions_are_asked_one_a_line_and_asked_again() {
    // The first answer is none and is asked again; the rest is unknown.
    let output = run(
        &["advise", "--ask", "--scale", "yes", "--json"],
        "desktop\nspa\n\n\nadmin\n",
    );
    assert!(output.status.success());
    let asked = String::from_utf8(output.stderr).unwrap();
    assert!(asked.contains("platform: expected web, spa"), "{asked}");
    assert!(!asked.contains("Does it have to grow"), "{asked}");
    let advice: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(advice["facts"]["platform"], "spa");
    assert_eq!(advice["facts"]["end_by"], "admin");
    assert_eq!(advice["facts"]["sensitive"], Value::Null);
    let asked = run(&["advise", "--ask", "--lang", "ko"], "");
    assert!(
        String::from_utf8(asked.stderr)
            .unwrap()
            .contains("어디에서 쓰나요?")
    );
    let said = refused(&["--ask"], &"desktop\n".repeat(5));
    assert!(said.contains("platform: no answer after 5 tries"), "{said}");
}

#[test]
fn people_read_it_in_two_languages_and_take_a_page_along() {
    let directory = tempfile::tempdir().unwrap();
    let (page, chart) = (
        directory.path().join("advice.html"),
        directory.path().join("chart.svg"),
    );
    let output = run(
        &[
            "advise",
            "--platform",
            "web",
            "--lang",
            "ko",
            "--app",
            "desk",
            "--page",
            page.to_str().unwrap(),
            "--chart",
            chart.to_str().unwrap(),
        ],
        "",
    );
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "추천: 세션",
        "까닭",
        "가장 강한 반론",
        "symbolon app add desk",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let text = String::from_utf8(run(&["advise", "--platform", "web"], "").stdout).unwrap();
    assert!(
        text.starts_with("Advice: a session in an HttpOnly cookie"),
        "{text}"
    );
    assert!(
        fs::read_to_string(page)
            .unwrap()
            .starts_with("<!doctype html>")
    );
    assert!(fs::read_to_string(chart).unwrap().starts_with("<svg"));
}

/// The command that it prints is one that this program takes, and gives what was advised.
#[test]
fn the_command_that_it_prints_registers_such_an_app() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    for (at, facts) in [
        &["--platform", "web"][..],
        &["--platform", "mobile", "--scale", "yes"],
        &[
            "--platform",
            "intranet",
            "--sensitive",
            "yes",
            "--end-within",
            "0s",
        ],
        &[
            "--platform",
            "api",
            "--third-party",
            "yes",
            "--end-within",
            "2m",
        ],
    ]
    .into_iter()
    .enumerate()
    {
        let app = format!("app-{at}");
        let advice = advise(&[facts, &["--app", &app]].concat());
        let command = advice["settings"]["command"].as_str().unwrap();
        let mut words: Vec<&str> = command
            .split_whitespace()
            .filter(|word| *word != "\\")
            .map(|word| word.trim_matches('\''))
            .collect();
        assert_eq!(words.remove(0), "symbolon");
        words.extend(["--data", data.to_str().unwrap(), "--json"]);
        let added = run_json(&words, "");
        assert_eq!(added["shape"], advice["shape"], "{command}");
        assert_eq!(added["freshness"], advice["freshness"]);
        for (found, said) in [
            ("access_token_seconds", "access_token_seconds"),
            ("idle_seconds", "idle_seconds"),
            ("absolute_seconds", "absolute_seconds"),
        ] {
            assert_eq!(added["lifetimes"][found], advice[said], "{command}");
        }
    }
}
