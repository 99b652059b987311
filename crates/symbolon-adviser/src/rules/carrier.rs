//! Cookie or `Authorization` header?

use super::{
    Rule, Says,
    Strength::Wish,
    When::{self, AtLeast, Is},
};
use crate::{dials::Carrier, facts::Fact, words::Text};

const fn rule(
    id: &'static str,
    carrier: Carrier,
    weight: u8,
    when: &'static [When],
    sources: &'static [&'static str],
    text: Text,
) -> Rule {
    Rule {
        id,
        when,
        says: Says::Carrier(carrier),
        strength: Wish(weight),
        text,
        sources,
    }
}

pub(super) const RULES: &[Rule] = &[
    rule(
        "mobile-bearer",
        Carrier::Bearer,
        5,
        &[Is(Fact::Platform, "mobile")],
        &["RFC 6750 section 2.1", "RFC 8252"],
        Text {
            en: "A phone app is no browser: it keeps the credential in the system's key store and sends it in the Authorization header.",
            ko: "모바일 앱은 브라우저가 아닙니다. 시스템의 안전한 저장소에 두고 Authorization 헤더로 보냅니다.",
        },
    ),
    rule(
        "api-bearer",
        Carrier::Bearer,
        5,
        &[Is(Fact::Platform, "api")],
        &["RFC 6750 section 2.1"],
        Text {
            en: "Programs send the Authorization header; cookies are for browsers, which other sites can make to send them.",
            ko: "프로그램은 Authorization 헤더로 보냅니다. 쿠키는 브라우저용이고, 다른 사이트가 보내게 만들 수도 있습니다.",
        },
    ),
    rule(
        "spa-domains-bearer",
        Carrier::Bearer,
        5,
        &[Is(Fact::Platform, "spa"), AtLeast(Fact::Domains, 2)],
        &["RFC 6750 section 2.1"],
        Text {
            en: "The page calls APIs on other domains, where its cookie does not go.",
            ko: "페이지가 다른 도메인의 API를 부릅니다. 쿠키는 그곳으로 가지 않습니다.",
        },
    ),
    rule(
        "web-cookie",
        Carrier::Cookie,
        4,
        &[Is(Fact::Platform, "web")],
        &["article section 1", "ASVS 5.0 3.3.4", "ASVS 5.0 3.3.1"],
        Text {
            en: "A browser sends a cookie by itself and, with HttpOnly, shows it to no script.",
            ko: "브라우저는 쿠키를 스스로 보내고, HttpOnly이면 어떤 스크립트도 읽지 못합니다.",
        },
    ),
    rule(
        "intranet-cookie",
        Carrier::Cookie,
        4,
        &[Is(Fact::Platform, "intranet")],
        &["article section 4", "ASVS 5.0 3.3.4", "ASVS 5.0 3.3.1"],
        Text {
            en: "Administrators use browsers: an HttpOnly cookie is out of reach of any script.",
            ko: "관리자도 브라우저를 씁니다. HttpOnly 쿠키에는 어떤 스크립트도 손대지 못합니다.",
        },
    ),
    rule(
        "sensitive-cookie",
        Carrier::Cookie,
        4,
        &[Is(Fact::Platform, "spa"), Is(Fact::Sensitive, "yes")],
        &["ASVS 5.0 10.1.1", "ASVS 5.0 3.3.4"],
        Text {
            en: "With sensitive data no script should be able to read the credential: let each API have a guard, or call the others from your own server.",
            ko: "민감한 정보라면 스크립트가 인증 정보를 읽을 수 없어야 합니다. API마다 가드를 두거나, 다른 API는 내 서버에서 부르세요.",
        },
    ),
    rule(
        "theft-cookie",
        Carrier::Cookie,
        4,
        &[Is(Fact::Platform, "spa"), Is(Fact::Theft, "yes")],
        &["article section 7", "ASVS 5.0 3.3.4"],
        Text {
            en: "What script cannot read, injected script cannot steal.",
            ko: "스크립트가 읽을 수 없는 것은 XSS로도 훔칠 수 없습니다.",
        },
    ),
    rule(
        "spa-cookie",
        Carrier::Cookie,
        3,
        &[Is(Fact::Platform, "spa")],
        &["article section 7", "ASVS 5.0 3.3.4", "ASVS 5.0 10.1.1"],
        Text {
            en: "The safest place in a browser is a Secure HttpOnly cookie, for a JWT as for a session; local storage is open to every script of the page.",
            ko: "브라우저에서 가장 안전한 곳은 Secure HttpOnly 쿠키입니다. JWT도 마찬가지입니다. 로컬스토리지는 페이지의 모든 스크립트가 읽습니다.",
        },
    ),
    rule(
        "default-cookie",
        Carrier::Cookie,
        1,
        &[],
        &["article section 7"],
        Text {
            en: "A Secure HttpOnly cookie, unless something speaks against it.",
            ko: "반대할 까닭이 없으면 Secure HttpOnly 쿠키입니다.",
        },
    ),
];
