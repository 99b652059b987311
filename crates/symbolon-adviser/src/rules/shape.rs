//! Session or JWT? The article's tables, and what it leaves open.

use super::{
    Rule, Says,
    Strength::{self, Must, Wish},
    When::{self, AtLeast, AtMost, Is, Unknown},
};
use crate::{dials::Shape, facts::Fact, words::Text};

const fn rule(
    id: &'static str,
    shape: Shape,
    strength: Strength,
    when: &'static [When],
    sources: &'static [&'static str],
    text: Text,
) -> Rule {
    Rule {
        id,
        when,
        says: Says::Shape(shape),
        strength,
        text,
        sources,
    }
}

pub(super) const RULES: &[Rule] = &[
    rule(
        "offline-jwt",
        Shape::Jwt,
        Must,
        &[Is(Fact::Offline, "yes")],
        &["article section 3", "RFC 9068 section 4"],
        Text {
            en: "Where the authority cannot be reached, only a credential that states the login can be checked: its signature is all there is.",
            ko: "인증 서버에 연결할 수 없는 곳에서는 로그인 내용을 스스로 담은 토큰만 확인할 수 있습니다. 믿을 것은 서명뿐입니다.",
        },
    ),
    rule(
        "third-party-jwt",
        Shape::Jwt,
        Must,
        &[Is(Fact::ThirdParty, "yes")],
        &["article section 5", "RFC 9068 section 4", "RFC 7517"],
        Text {
            en: "Somebody else checks the login with a library of their own: a signed token and published keys are a standard, a session reference is not.",
            ko: "남이 자기 라이브러리로 로그인을 확인합니다. 서명한 토큰과 공개한 키는 표준이지만, 세션 참조는 그렇지 않습니다.",
        },
    ),
    rule(
        "sensitive-session",
        Shape::Session,
        Wish(12),
        &[Is(Fact::Sensitive, "yes")],
        &[
            "article section 6",
            "article section 4",
            "article section 3",
            "ASVS 5.0 7.4.1",
        ],
        Text {
            en: "The data is sensitive: the browser should hold a reference that says nothing and can be ended, while everything else stays at the server.",
            ko: "민감한 정보를 다룹니다. 브라우저에는 아무 내용도 없고 언제든 끝낼 수 있는 참조만 두고, 나머지는 서버가 갖고 있는 편이 안전합니다.",
        },
    ),
    rule(
        "intranet-session",
        Shape::Session,
        Wish(4),
        &[Is(Fact::Platform, "intranet")],
        &["article section 4", "article section 6"],
        Text {
            en: "An intranet or administrators' pages: the server is yours and near, and control matters more than scale.",
            ko: "내부망이나 관리자 페이지입니다. 서버가 가까이 있고 직접 통제하므로, 확장성보다 통제가 중요합니다.",
        },
    ),
    rule(
        "web-session",
        Shape::Session,
        Wish(4),
        &[Is(Fact::Platform, "web")],
        &["article section 1", "article section 6"],
        Text {
            en: "Pages come from a server that sees every request anyway: a cookie with a reference is all that the browser needs.",
            ko: "서버가 화면을 만들고 모든 요청을 어차피 직접 받습니다. 브라우저에는 참조가 든 쿠키 하나면 충분합니다.",
        },
    ),
    rule(
        "no-scale-session",
        Shape::Session,
        Wish(4),
        &[Is(Fact::Scale, "no")],
        &["article section 6"],
        Text {
            en: "It does not have to grow, so what a JWT saves is not needed, and a session is simpler to reason about.",
            ko: "크게 확장할 일이 없으니 JWT가 아껴 주는 것이 필요하지 않습니다. 세션이 더 단순합니다.",
        },
    ),
    rule(
        "end-by-admin-session",
        Shape::Session,
        Wish(4),
        &[Is(Fact::EndBy, "admin")],
        &["article section 4", "article section 6", "ASVS 5.0 7.4.5"],
        Text {
            en: "Administrators have to end people's logins. A session is ended by forgetting it; a JWT needs a guard that hears of the end.",
            ko: "관리자가 강제 로그아웃을 할 수 있어야 합니다. 세션은 서버가 지우면 끝나지만, JWT는 끝났다는 소식을 듣는 가드가 있어야 합니다.",
        },
    ),
    rule(
        "theft-session",
        Shape::Session,
        Wish(4),
        &[Is(Fact::Theft, "yes")],
        &["article section 4", "article section 3"],
        Text {
            en: "A stolen token is a worry: a session's secret is replaced and ended at the server, and it tells the thief nothing.",
            ko: "토큰 탈취가 걱정됩니다. 세션의 비밀 값은 서버에서 바꾸고 끝낼 수 있고, 훔쳐도 안에 든 내용이 없습니다.",
        },
    ),
    rule(
        "manage-logins-session",
        Shape::Session,
        Wish(3),
        &[Is(Fact::ManageLogins, "yes")],
        &["article section 4", "article section 3", "ASVS 5.0 7.5.2"],
        Text {
            en: "Somebody looks at a person's logins and ends single ones: the server has to keep them in any case, and a session refers to exactly that record.",
            ko: "사용자의 로그인 여러 개를 관리합니다. 서버가 어차피 그 기록을 갖고 있어야 하고, 세션은 바로 그 기록을 가리킵니다.",
        },
    ),
    rule(
        "existing-session",
        Shape::Session,
        Wish(3),
        &[Is(Fact::Existing, "session")],
        &["article section 4"],
        Text {
            en: "The present system and its people know sessions.",
            ko: "기존 시스템과 팀이 세션 방식에 익숙합니다.",
        },
    ),
    rule(
        "live-session",
        Shape::Session,
        Wish(3),
        &[AtMost(Fact::EndWithin, 0)],
        &["RFC 7662", "docs/scale.md"],
        Text {
            en: "Every request asks the authority, so a token that could be checked without asking saves nothing.",
            ko: "요청마다 인증 서버에 물으므로, 묻지 않고 확인할 수 있는 토큰이 아껴 주는 것이 없습니다.",
        },
    ),
    rule(
        "small-load-session",
        Shape::Session,
        Wish(3),
        &[Unknown(Fact::Scale), AtMost(Fact::RequestsPerSecond, 100)],
        &["article section 6", "bench/RESULTS.md"],
        Text {
            en: "At this load a look-up for each request would be no burden for any store.",
            ko: "이 정도 부하라면 요청마다 조회해도 어떤 저장소에도 부담이 되지 않습니다.",
        },
    ),
    rule(
        "shared-store-session",
        Shape::Session,
        Wish(2),
        &[Is(Fact::SharedStore, "yes")],
        &["article section 4", "article section 3"],
        Text {
            en: "The servers share a store behind a balancer already: the work that sessions ask for is done.",
            ko: "로드 밸런서 뒤의 서버들이 이미 저장소를 함께 씁니다. 세션에 필요한 준비가 끝나 있습니다.",
        },
    ),
    rule(
        "spa-jwt",
        Shape::Jwt,
        Wish(3),
        &[Is(Fact::Platform, "spa")],
        &["article section 5", "article section 6"],
        Text {
            en: "A single-page app talks to APIs and keeps its own state: a token that states the login serves all of them.",
            ko: "SPA는 스스로 상태를 갖고 API와 이야기합니다. 로그인 내용을 담은 토큰 하나로 모든 API를 쓸 수 있습니다.",
        },
    ),
    rule(
        "mobile-jwt",
        Shape::Jwt,
        Wish(3),
        &[Is(Fact::Platform, "mobile")],
        &["article section 5", "article section 6", "RFC 8252"],
        Text {
            en: "A phone app keeps its own token and carries on while servers come and go.",
            ko: "모바일 앱은 토큰을 직접 갖고 있어 서버 상태에 의존하지 않고 로그인을 이어 갑니다.",
        },
    ),
    rule(
        "api-jwt",
        Shape::Jwt,
        Wish(3),
        &[Is(Fact::Platform, "api")],
        &[
            "article section 5",
            "article section 6",
            "RFC 9068 section 4",
        ],
        Text {
            en: "Services call each other: each checks the token by itself, and none has to be asked.",
            ko: "서비스끼리 호출하는 API입니다. 각자 토큰을 확인할 수 있어 다른 곳에 물을 필요가 없습니다.",
        },
    ),
    rule(
        "scale-jwt",
        Shape::Jwt,
        Wish(3),
        &[Is(Fact::Scale, "yes")],
        &[
            "article section 6",
            "article section 5",
            "article section 3",
        ],
        Text {
            en: "It has to grow: whatever states the login can be checked by any number of servers without a common store.",
            ko: "확장해야 합니다. 로그인 내용을 담은 토큰은 공동 저장소 없이 서버 몇 대에서든 확인할 수 있습니다.",
        },
    ),
    rule(
        "large-load-jwt",
        Shape::Jwt,
        Wish(3),
        &[
            Unknown(Fact::Scale),
            AtLeast(Fact::RequestsPerSecond, 10_000),
        ],
        &["article section 6", "bench/RESULTS.md"],
        Text {
            en: "At this load a store that is asked for each request would be the largest part of the system.",
            ko: "이 부하에서 요청마다 저장소에 물으면 저장소가 시스템에서 가장 큰 부분이 됩니다.",
        },
    ),
    rule(
        "many-people-jwt",
        Shape::Jwt,
        Wish(3),
        &[
            Unknown(Fact::Scale),
            Unknown(Fact::RequestsPerSecond),
            AtLeast(Fact::People, 1_000_000),
        ],
        &["article section 6", "docs/scale.md"],
        Text {
            en: "With so many people the load will not be small.",
            ko: "사람이 이만큼 많으면 부하도 작을 수 없습니다.",
        },
    ),
    rule(
        "services-jwt",
        Shape::Jwt,
        Wish(3),
        &[AtLeast(Fact::Services, 3)],
        &["article section 5", "article section 3"],
        Text {
            en: "Several services share the login: decoding the token is enough for each of them.",
            ko: "여러 서비스가 인증을 공유합니다. 서비스마다 토큰을 확인하기만 하면 됩니다.",
        },
    ),
    rule(
        "zero-downtime-jwt",
        Shape::Jwt,
        Wish(3),
        &[Is(Fact::ZeroDowntime, "yes")],
        &["article section 6"],
        Text {
            en: "It may never stop: servers may be replaced one by one, for none of them keeps a session.",
            ko: "무중단이어야 합니다. 어느 서버도 세션을 갖고 있지 않으니 하나씩 바꿔도 됩니다.",
        },
    ),
    rule(
        "existing-jwt",
        Shape::Jwt,
        Wish(3),
        &[Is(Fact::Existing, "jwt")],
        &["article section 4"],
        Text {
            en: "The present system and its people know tokens.",
            ko: "기존 시스템과 팀이 토큰 방식에 익숙합니다.",
        },
    ),
    rule(
        "speed-jwt",
        Shape::Jwt,
        Wish(2),
        &[Is(Fact::Speed, "yes")],
        &["article section 6", "article section 5"],
        Text {
            en: "Quick answers matter, and nothing is quicker than not asking.",
            ko: "빠른 응답이 중요합니다. 묻지 않는 것보다 빠른 것은 없습니다.",
        },
    ),
    rule(
        "domains-jwt",
        Shape::Jwt,
        Wish(2),
        &[AtLeast(Fact::Domains, 2)],
        &["article section 5"],
        Text {
            en: "The services are on several domains, and a cookie stays on its own.",
            ko: "서비스가 여러 도메인에 있습니다. 쿠키는 자기 도메인을 벗어나지 못합니다.",
        },
    ),
    rule(
        "default-session",
        Shape::Session,
        Wish(1),
        &[],
        &["article section 6"],
        Text {
            en: "Where nothing speaks for a JWT, a session: it is the easier one to end, and the choice can be changed later without anyone signing in again.",
            ko: "JWT를 쓸 까닭이 없으면 세션입니다. 끝내기가 더 쉽고, 나중에 바꿔도 아무도 다시 로그인하지 않아도 됩니다.",
        },
    ),
];
