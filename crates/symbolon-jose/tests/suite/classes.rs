//! Kinds of token do not pass for each other, and each holds its own rules.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::common::{AUDIENCE, ISSUER, NOW, claims, expect, key, rng};
use serde_json::{Value, json};
use symbolon_jose::{
    AccessClaims, AccessToken, Algorithm, Audience, BACKCHANNEL_LOGOUT_EVENT, Error, Expect,
    IdToken, Jwt, LogoutToken, Misuse, SecurityEventToken, SigningKey, TokenClass, Unverified, Why,
    sign, sign_payload,
};

/// Claims with which a token is good for as many classes as possible.
fn everything() -> Value {
    json!({
        "iss": ISSUER, "sub": "alice", "aud": AUDIENCE, "exp": NOW + 300, "iat": NOW, "jti": "t1",
        "client_id": "dashboard", "sid": "s1", "rev": "1.42", "auth_time": NOW,
    })
}

fn with(change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Value {
    let mut claims = everything();
    change(claims.as_object_mut().unwrap());
    claims
}

/// What class `C` says to these claims under this `typ`.
fn verdict<C: TokenClass>(
    key: &SigningKey,
    typ: &str,
    claims: &Value,
) -> Result<(), (String, Why)> {
    let text = sign_payload(key, typ, claims.to_string().as_bytes(), &rng()).unwrap();
    let token = Unverified::parse(&text).unwrap();
    match token.verify::<C>(&key.verifying_key().unwrap(), &expect()) {
        Ok(_) => Ok(()),
        Err(Error::Refused(refused)) => Err((refused.claim().to_owned(), refused.why())),
        Err(other) => Err((other.code().to_owned(), Why::Unexpected)),
    }
}

fn refused(claim: &str, why: Why) -> Result<(), (String, Why)> {
    Err((claim.to_owned(), why))
}

#[test]
fn no_kind_passes_for_another() {
    let key = key(Algorithm::Hs256);
    let events = json!({ BACKCHANNEL_LOGOUT_EVENT: {} });
    let event = with(|claims| {
        claims.insert("events".into(), events);
    });
    let wrong = refused("typ", Why::Unexpected);
    for (typ, access, id, logout, security) in [
        ("at+jwt", true, false, false, false),
        ("application/at+jwt", true, false, false, false),
        ("JWT", false, true, false, false),
        ("jwt", false, true, false, false),
        ("logout+jwt", false, false, true, false),
        ("secevent+jwt", false, false, false, true),
        ("dpop+jwt", false, false, false, false),
        ("AT+JWT", false, false, false, false),
        ("text/at+jwt", false, false, false, false),
        ("at+jwt;x", false, false, false, false),
    ] {
        let plain = everything();
        let or_wrong = |good| if good { Ok(()) } else { wrong.clone() };
        assert_eq!(
            verdict::<AccessToken>(&key, typ, &plain),
            or_wrong(access),
            "{typ}"
        );
        assert_eq!(verdict::<IdToken>(&key, typ, &plain), or_wrong(id), "{typ}");
        assert_eq!(
            verdict::<Jwt<Value>>(&key, typ, &plain),
            or_wrong(id),
            "{typ}"
        );
        assert_eq!(
            verdict::<LogoutToken>(&key, typ, &event),
            or_wrong(logout),
            "{typ}"
        );
        assert_eq!(
            verdict::<SecurityEventToken>(&key, typ, &event),
            or_wrong(security),
            "{typ}"
        );
    }
}

#[test]
fn access_tokens() {
    let key = key(Algorithm::Hs256);
    for claim in [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "jti",
        "client_id",
        "sid",
        "rev",
        "auth_time",
    ] {
        let without = with(|claims| drop(claims.remove(claim)));
        assert_eq!(
            verdict::<AccessToken>(&key, "at+jwt", &without),
            refused(claim, Why::Missing)
        );
        let mistyped = with(|claims| drop(claims.insert(claim.into(), json!({}))));
        assert_eq!(
            verdict::<AccessToken>(&key, "at+jwt", &mistyped),
            refused(claim, Why::Mistyped)
        );
    }
    for (claim, value) in [
        ("roles", json!("admin")),
        ("roles", json!([1])),
        ("amr", json!(null)),
        ("acr", json!(1)),
    ] {
        let mistyped = with(|claims| drop(claims.insert(claim.into(), value)));
        assert_eq!(
            verdict::<AccessToken>(&key, "at+jwt", &mistyped),
            refused(claim, Why::Mistyped)
        );
    }
    let forever = with(|claims| drop(claims.insert("exp".into(), json!(NOW + 86_401))));
    assert_eq!(
        verdict::<AccessToken>(&key, "at+jwt", &forever),
        refused("exp", Why::TooLong)
    );
}

#[test]
fn claims_borrow_from_the_token_unless_they_have_escapes() {
    use std::borrow::Cow;
    let key = key(Algorithm::Hs256);
    let claims = AccessClaims {
        sub: "a\"b".into(),
        aud: Audience::Many(vec!["x".into(), AUDIENCE.into()]),
        acr: Some("1".into()),
        preferred_username: Some("alice".into()),
        ..claims()
    };
    let text = sign::<AccessToken>(&key, &claims, &rng()).unwrap();
    let token = Unverified::parse(&text).unwrap();
    let verified = token
        .verify::<AccessToken>(&key.verifying_key().unwrap(), &expect())
        .unwrap();
    assert_eq!(*verified, claims);
    let borrowed = |text: &Cow<'_, str>| matches!(text, Cow::Borrowed(_));
    assert!(!borrowed(&verified.sub));
    assert!(borrowed(&verified.iss) && borrowed(&verified.rev));
    assert!(
        verified
            .roles
            .iter()
            .chain(&verified.acr)
            .chain(&verified.preferred_username)
            .all(borrowed)
    );
    assert!(matches!(&verified.aud, Audience::Many(names) if names.iter().all(borrowed)));
}

#[test]
fn id_tokens() {
    let key = key(Algorithm::Hs256);
    let id = |change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        verdict::<IdToken>(&key, "JWT", &with(|claims| change(claims)))
    };
    let set = |claims: &mut serde_json::Map<String, Value>, name: &str, value: Value| {
        claims.insert(name.to_owned(), value);
    };
    assert_eq!(id(&|_| ()), Ok(()));
    assert_eq!(id(&|claims| set(claims, "azp", json!(AUDIENCE))), Ok(()));
    assert_eq!(
        id(&|claims| set(claims, "azp", json!("other"))),
        refused("azp", Why::Unexpected)
    );
    let several = json!([AUDIENCE, "other"]);
    assert_eq!(
        id(&|claims| set(claims, "aud", several.clone())),
        refused("azp", Why::Missing)
    );
    assert_eq!(
        id(&|claims| set(claims, "events", json!({}))),
        refused("events", Why::Forbidden)
    );
    assert_eq!(
        id(&|claims| drop(claims.remove("sub"))),
        refused("sub", Why::Missing)
    );

    let text = sign_payload(
        &key,
        "JWT",
        with(|claims| set(claims, "nonce", json!("n")))
            .to_string()
            .as_bytes(),
        &rng(),
    )
    .unwrap();
    let token = Unverified::parse(&text).unwrap();
    let claims = token
        .verify::<IdToken>(&key.verifying_key().unwrap(), &expect())
        .unwrap();
    assert_eq!(claims.answers("n"), Ok(()));
    assert_eq!(claims.answers("m").unwrap_err().why(), Why::Unexpected);
}

#[test]
fn logout_and_event_tokens() {
    let key = key(Algorithm::Hs256);
    let logout = |events: Value, change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        let claims = with(|claims| {
            claims.insert("events".into(), events);
            change(claims);
        });
        (
            verdict::<LogoutToken>(&key, "logout+jwt", &claims),
            verdict::<SecurityEventToken>(&key, "secevent+jwt", &claims),
        )
    };
    let good = json!({ BACKCHANNEL_LOGOUT_EVENT: {} });
    let unexpected = || refused("events", Why::Unexpected);
    assert_eq!(logout(good.clone(), &|_| ()), (Ok(()), Ok(())));
    assert_eq!(logout(json!({"x": {}}), &|_| ()), (unexpected(), Ok(())));
    assert_eq!(logout(json!({}), &|_| ()), (unexpected(), unexpected()));
    assert_eq!(
        logout(json!({ BACKCHANNEL_LOGOUT_EVENT: 1 }), &|_| ()),
        (unexpected(), unexpected())
    );
    let forbidden = || refused("nonce", Why::Forbidden);
    let nonce: &dyn Fn(&mut serde_json::Map<String, Value>) =
        &|claims| drop(claims.insert("nonce".into(), json!("n")));
    assert_eq!(logout(good.clone(), nonce), (forbidden(), forbidden()));
    let nobody: &dyn Fn(&mut serde_json::Map<String, Value>) = &|claims| {
        claims.remove("sub");
        claims.remove("sid");
    };
    assert_eq!(
        logout(good.clone(), nobody),
        (refused("sid", Why::Missing), Ok(()))
    );
    let old: &dyn Fn(&mut serde_json::Map<String, Value>) = &|claims| {
        claims.insert("iat".into(), json!(NOW - 86_401));
    };
    assert_eq!(logout(good, old).1, refused("iat", Why::Expired));
}

#[test]
fn signing_refuses_what_its_own_class_would_refuse() {
    let key = key(Algorithm::Hs256);
    let bad = |change: &dyn Fn(&mut AccessClaims<'static>)| {
        let mut claims = claims();
        change(&mut claims);
        match sign::<AccessToken>(&key, &claims, &rng()) {
            Err(Misuse::Claims(refused)) => Some((refused.claim().to_owned(), refused.why())),
            _ => None,
        }
    };
    assert_eq!(bad(&|_| ()), None);
    assert_eq!(
        bad(&|claims| claims.exp = NOW),
        Some(("exp".to_owned(), Why::Expired))
    );
    assert_eq!(
        bad(&|claims| claims.exp = NOW + 86_401),
        Some(("exp".to_owned(), Why::TooLong))
    );
    assert_eq!(
        bad(&|claims| claims.exp = i64::MAX),
        Some(("exp".to_owned(), Why::Mistyped))
    );
    let sign_json = |claims: Value| sign::<Jwt<Value>>(&key, &claims, &rng());
    assert!(sign_json(everything()).is_ok());
    assert!(matches!(
        sign_json(json!({"iss": ISSUER, "aud": AUDIENCE})),
        Err(Misuse::Claims(_))
    ));
    assert!(matches!(
        sign_json(json!([1])),
        Err(Misuse::UnwritableClaims)
    ));
    let mut huge = everything();
    huge.as_object_mut()
        .unwrap()
        .insert("x".into(), json!("x".repeat(20_000)));
    assert!(matches!(sign_json(huge), Err(Misuse::UnwritableClaims)));
}

#[test]
fn required_claims_of_the_caller() {
    let key = key(Algorithm::Hs256);
    let text = sign::<Jwt<Value>>(&key, &everything(), &rng()).unwrap();
    let token = Unverified::parse(&text).unwrap();
    let trusted = key.verifying_key().unwrap();
    let asking = |names| {
        let expect = Expect::new(ISSUER, AUDIENCE, NOW, 0).require(names);
        token
            .verify::<Jwt<Value>>(&trusted, &expect)
            .map(drop)
            .map_err(|error| error.code())
    };
    assert_eq!(asking(&["rev", "jti"]), Ok(()));
    assert_eq!(asking(&["scope"]), Err("refused.missing"));
}
