//! The attack corpora, Wycheproof's JWS and JSONTestSuite's documents in signed claims: every
//! verdict right, by way of the same adapter as `examples/runner.rs`.
//!
//! One test for each kind of attack, so that `docs/attacks.md` can name it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;

use super::common::vector;
use super::judge::{self, Verdict};
use serde_json::Value;

const MAIN_ALGORITHMS: [&str; 3] = [
    "attacks/attacks.jsonl",
    "attacks/attacks-main-ES256.jsonl",
    "attacks/attacks-main-EdDSA.jsonl",
];

fn cases(file: &str) -> Vec<Value> {
    vector(file)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn field<'a>(case: &'a Value, name: &str) -> &'a str {
    case.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What the corpus calls wrong, whatever its level. Skipped cases do not count.
fn deviations<'a>(cases: impl IntoIterator<Item = &'a Value>) -> Vec<String> {
    cases
        .into_iter()
        .filter_map(|case| {
            let (verdict, reason) = judge::judge(case);
            let right = match field(case, "expected") {
                "accept" => verdict != Verdict::Reject,
                "reject" => verdict != Verdict::Accept,
                _ => true,
            };
            (!right).then(|| {
                let name = field(case, "name");
                format!("{name}: {verdict:?} {reason}").trim().to_owned()
            })
        })
        .collect()
}

/// Runs the cases of these categories in all three corpora.
fn attack(categories: &[&str]) {
    for file in MAIN_ALGORITHMS {
        let cases = cases(file);
        let chosen: Vec<&Value> = cases
            .iter()
            .filter(|case| categories.contains(&field(case, "category")))
            .collect();
        for category in categories {
            let named = |case: &&Value| field(case, "category") == *category;
            assert!(chosen.iter().any(named), "{file} has no {category}");
        }
        assert_eq!(deviations(chosen), [""; 0], "{file}");
    }
}

macro_rules! attacks {
    ($($name:ident: $($category:literal)+;)*) => {
        $(
            #[test]
            fn $name() {
                attack(&[$($category),+]);
            }
        )*

        /// No category of the corpora may go without a test.
        #[test]
        fn every_category_has_a_test() {
            let tested = BTreeSet::from([$($($category),+),*]);
            for file in MAIN_ALGORITHMS {
                for case in cases(file) {
                    let category = field(&case, "category");
                    assert!(tested.contains(category), "{category}");
                }
            }
        }
    };
}

attacks! {
    good_tokens_are_accepted: "accept-alg" "accept-claims" "accept-crypto" "accept-format"
        "accept-issuer" "accept-key" "accept-time" "accept-typ";
    alg_none_in_every_spelling: "alg-none";
    alg_must_be_an_exact_name: "alg-malformed";
    alg_outside_the_callers_list: "alg-allowlist";
    one_key_one_algorithm: "alg-keybinding";
    public_key_as_hmac_secret: "confusion-rs-hs" "confusion-es256-hs" "confusion-eddsa-hs";
    key_type_and_curve_must_fit: "confusion-kty";
    keys_offered_by_the_token: "embedded-key";
    kid_as_path_query_or_command: "kid-injection";
    kid_must_be_a_known_string: "kid-malformed";
    critical_extensions: "crit";
    unencoded_payload: "b64";
    members_that_come_twice: "json-dup";
    one_spelling_of_base64url: "base64";
    header_is_one_utf8_object: "json-header";
    claims_are_one_utf8_object: "json-payload";
    exp_is_a_future_number: "exp";
    nbf_is_a_past_number: "nbf" "time";
    iat_is_a_past_number: "iat";
    sub_and_jti_are_strings: "sub" "jti";
    aud_names_us_exactly: "aud";
    iss_is_exactly_the_expected_one: "iss";
    kind_of_token_is_fixed: "typ";
    encrypted_tokens: "jwe";
    ecdsa_forgeries: "crypto-ecdsa";
    eddsa_forgeries: "crypto-eddsa";
    rsa_pkcs1_forgeries: "crypto-rsa";
    rsa_pss_forgeries: "crypto-pss";
    hmac_forgeries: "crypto-hmac";
    signatures_altered: "signature";
    weak_keys: "weak-key";
    oversized_tokens: "size-dos";
    deep_or_crowded_json: "json-dos";
    other_serializations: "structure" "format";
    key_of_another_issuer: "cross-issuer";
}

#[test]
fn wycheproof_jws() {
    // Level "excluded": 372 and 373 have stray characters in base64url that the vectors once
    // called valid; 346 is a PS384 token for a JWK with alg PS256.
    let cases = cases("wycheproof/jws.jsonl");
    let counted = cases
        .iter()
        .filter(|case| field(case, "level") != "excluded");
    assert_eq!(deviations(counted), [""; 0]);
}

#[test]
fn json_test_suite_as_claims() {
    // RFC 7519 section 4 lets a parser take the last of two members or refuse; two parsers that
    // take different ones are the attack, so both documents are refused.
    let expected = [
        "json-claims/y_object_duplicated_key.json: Reject malformed.duplicate",
        "json-claims/y_object_duplicated_key_and_value.json: Reject malformed.duplicate",
    ];
    assert_eq!(deviations(&cases("json/claims.jsonl")), expected);
}

#[test]
fn only_algorithms_that_are_not_offered_are_skipped() {
    for file in MAIN_ALGORITHMS.iter().chain(&["wycheproof/jws.jsonl"]) {
        for case in cases(file) {
            if let (Verdict::Skip, reason) = judge::judge(&case) {
                let (need, _) = reason.split_once(' ').unwrap();
                match need {
                    "ES256K" | "ES512" | "ES521" | "ES224" | "RSA1_5" => {}
                    _ => panic!("{}: {reason}", field(&case, "name")),
                }
            }
        }
    }
}
