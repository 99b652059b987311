//! One case of a corpus to one verdict, through the public API only. Shared with `tests/corpus.rs`.

use serde_json::{Map, Value};
use symbolon_jose::{
    Algorithm, Expect, Issuer, IssuerKeys, KeySet, KeySource, Lifetime, Malformed, Misuse, Names,
    TokenClass, Typ, Unverified, VerifyingKey,
};

/// What became of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accept,
    Reject,
    Skip,
}

/// Judges one case; the text says why it was not accepted.
pub(crate) fn judge(case: &Value) -> (Verdict, String) {
    if let Some(need) = strings(case.get("needs")).find(|need| !is_offered(need)) {
        return (Verdict::Skip, format!("{need} is not offered"));
    }
    let policy = case.get("policy").unwrap_or(&Value::Null);
    let typ = policy.get("typ").and_then(Value::as_str);
    let Some(class) = class(typ) else {
        return (Verdict::Skip, "no token class for this typ here".to_owned());
    };
    let token = match Unverified::parse(text(case, "token")) {
        Ok(token) => token,
        Err(malformed) => return rejected(malformed.code()),
    };
    // One trusted key for each algorithm that the caller allows and the key fits; the header only
    // picks among them.
    let mut refusal = "no allowed algorithm".to_owned();
    for name in strings(case.get("allowed_algs")) {
        let verdict = match Algorithm::from_name(name) {
            None => Err(Malformed::Algorithm.code().to_owned()),
            Some(algorithm) => load(case.get("key"), algorithm)
                .map_err(|misuse| misuse.code().to_owned())
                .and_then(|keys| verify(&token, &keys, class, case, policy)),
        };
        match verdict {
            Ok(()) => return (Verdict::Accept, String::new()),
            // A key bound to another allowed algorithm says less than what the right one says.
            Err(code) if code == "forged.algorithm" && refusal != "no allowed algorithm" => {}
            Err(code) => refusal = code,
        }
    }
    rejected(&refusal)
}

fn verify(
    token: &Unverified<'_>,
    keys: &Keys,
    class: Class,
    case: &Value,
    policy: &Value,
) -> Result<(), String> {
    let code = |error: symbolon_jose::Error| match error.claim() {
        Some(claim) => format!("{} {claim}", error.code()),
        None => error.code().to_owned(),
    };
    let (Some(iss), Some(aud)) = (policy.get("iss"), policy.get("aud")) else {
        return token.verify_payload(keys).map(drop).map_err(code);
    };
    let now = case.get("now").and_then(Value::as_i64);
    let leeway = case.get("leeway_s").and_then(Value::as_u64).unwrap_or(0);
    let (Some(now), Ok(leeway)) = (now, u8::try_from(leeway)) else {
        return Err("the case's now or leeway_s cannot be used".to_owned());
    };
    let audiences: Vec<&str> = strings(Some(aud)).collect();
    let required: Vec<&str> = strings(policy.get("require")).collect();

    // Every issuer with its own keys; without such a map each may use all.
    let all = keys.kids();
    let pinned: Vec<(&str, Vec<&str>)> = match policy.get("issuers").and_then(Value::as_object) {
        Some(issuers) => issuers
            .iter()
            .map(|(issuer, kids)| (issuer.as_str(), strings(Some(kids)).collect()))
            .collect(),
        None => strings(Some(iss)).map(|iss| (iss, all.clone())).collect(),
    };
    let pinned: Vec<IssuerKeys<'_>> = pinned
        .iter()
        .map(|(issuer, kids)| IssuerKeys { issuer, kids })
        .collect();
    let issuer = match iss.as_str() {
        Some(iss) if policy.get("issuers").is_none() => Issuer::One(iss),
        _ => Issuer::Each(&pinned),
    };
    let expect = Expect::new(issuer, Names::AnyOf(&audiences), now, leeway).require(&required);
    class(token, keys, &expect).map_err(code)
}

/// A lone key or a set.
enum Keys {
    One(VerifyingKey),
    Set(KeySet),
}

impl Keys {
    fn kids(&self) -> Vec<&str> {
        match self {
            Self::One(key) => key.kid().into_iter().collect(),
            Self::Set(keys) => keys.iter().filter_map(VerifyingKey::kid).collect(),
        }
    }
}

impl KeySource for Keys {
    fn find(&self, kid: Option<&str>) -> Option<&VerifyingKey> {
        match self {
            Self::One(key) => key.find(kid),
            Self::Set(keys) => keys.find(kid),
        }
    }
}

fn load(key: Option<&Value>, algorithm: Algorithm) -> Result<Keys, Misuse> {
    match key {
        Some(Value::String(pem)) => VerifyingKey::from_pem(algorithm, pem).map(Keys::One),
        Some(key @ Value::Object(members)) if members.contains_key("keys") => {
            KeySet::from_jwks(&key.to_string(), &[algorithm]).map(|loaded| Keys::Set(loaded.keys))
        }
        Some(key) => VerifyingKey::from_jwk(algorithm, &key.to_string()).map(Keys::One),
        None => Err(Misuse::UnreadableKey("no key")),
    }
}

type Class = fn(&Unverified<'_>, &Keys, &Expect<'_>) -> Result<(), symbolon_jose::Error>;

/// Classes for the types that corpora ask for: bare claims, so that the case's policy alone
/// decides.
macro_rules! classes {
    ($($name:ident $typ:literal)*) => {
        $(
            struct $name;

            impl TokenClass for $name {
                type Claims<'a> = Map<String, Value>;
                const TYP: Typ = Typ::Exactly($typ);
                const LIFETIME: Lifetime = Lifetime::Expires { longest: u64::MAX };
            }
        )*

        fn class(typ: Option<&str>) -> Option<Class> {
            match typ {
                None | Some("JWT") => Some(verify_as::<symbolon_jose::Jwt<Map<String, Value>>>),
                $(Some($typ) => Some(verify_as::<$name>),)*
                Some(_) => None,
            }
        }
    };
}

classes! {
    Access "at+jwt"
    Logout "logout+jwt"
    Event "secevent+jwt"
    Request "oauth-authz-req+jwt"
    Introspection "token-introspection+jwt"
}

fn verify_as<C: TokenClass>(
    token: &Unverified<'_>,
    keys: &Keys,
    expect: &Expect<'_>,
) -> Result<(), symbolon_jose::Error> {
    token.verify::<C>(keys, expect).map(drop)
}

fn is_offered(need: &str) -> bool {
    matches!(
        need,
        "typ" | "jwk" | "jwks" | "issuers" | "pem" | "kid" | "require"
    ) || Algorithm::from_name(need).is_some()
}

fn rejected(reason: &str) -> (Verdict, String) {
    (Verdict::Reject, reason.to_owned())
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A string, or the strings of a list.
fn strings(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let items = match value {
        Some(Value::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    items.iter().filter_map(Value::as_str)
}
