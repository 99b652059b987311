//! How fresh must a yes be, which routes ask for more, and how long do an access token and a grant last?

use super::{
    Bound, Life, Rule, Says,
    Strength::{self, Must, Need, Wish},
    When::{self, AtLeast, AtMost, Is, IsNot, NotBelow},
};
use crate::{facts::Fact, words::Text};

const fn rule(
    id: &'static str,
    says: Says,
    strength: Strength,
    when: &'static [When],
    sources: &'static [&'static str],
    text: Text,
) -> Rule {
    Rule {
        id,
        when,
        says,
        strength,
        text,
        sources,
    }
}

const fn fresh(bound: Bound) -> Says {
    Says::Freshness(bound)
}

pub(super) const RULES: &[Rule] = &[
    rule(
        "offline-expiry",
        fresh(Bound::UntilExpiry),
        Must,
        &[Is(Fact::Offline, "yes")],
        &["RFC 9068 section 4", "README.md"],
        Text {
            en: "Who cannot reach the authority cannot hear that a login ended: the token is good until it ends, so it has to be short.",
            ko: "인증 서버에 연결할 수 없으면 로그인이 끝났다는 소식도 들을 수 없습니다. 토큰은 만료될 때까지 유효하므로 수명이 짧아야 합니다.",
        },
    ),
    rule(
        "third-party-expiry",
        fresh(Bound::UntilExpiry),
        Must,
        &[Is(Fact::ThirdParty, "yes")],
        &["RFC 9068 section 4", "README.md"],
        Text {
            en: "A plain JWT library knows a signature and an expiry and nothing of ends: for whoever uses one the token is good until it ends. Your own services may still use a guard.",
            ko: "일반 JWT 라이브러리는 서명과 만료 시각만 알고, 로그인이 끝난 것은 모릅니다. 그곳에서는 만료될 때까지 유효합니다. 내 서비스에는 가드를 쓸 수 있습니다.",
        },
    ),
    rule(
        "end-at-once-live",
        fresh(Bound::Live),
        Need,
        &[AtMost(Fact::EndWithin, 0)],
        &["article section 3", "ASVS 5.0 7.4.1"],
        Text {
            en: "An ended login has to be refused at the very next request, also while the network is ill: only asking each time promises that.",
            ko: "끝난 로그인은 네트워크가 나쁠 때에도 바로 다음 요청부터 막혀야 합니다. 매번 물어야만 약속할 수 있습니다.",
        },
    ),
    rule(
        "sensitive-1s",
        fresh(Bound::Within(1)),
        Need,
        &[Is(Fact::Sensitive, "yes")],
        &["article section 4", "ASVS 5.0 7.4.1", "docs/defaults.md"],
        Text {
            en: "The data is sensitive: a second is the most that an ended login should live on, whatever the network does. It costs no more than ten.",
            ko: "민감한 정보를 다룹니다. 네트워크가 어떻든 끝난 로그인이 1초 넘게 통해서는 안 됩니다. 10초로 두는 것보다 비용이 더 들지도 않습니다.",
        },
    ),
    rule(
        "intranet-1s",
        fresh(Bound::Within(1)),
        Need,
        &[Is(Fact::Platform, "intranet"), IsNot(Fact::Sensitive, "no")],
        &["article section 4", "ASVS 5.0 7.4.5"],
        Text {
            en: "Administrators' pages can do much harm in ten seconds, and the network to them is short.",
            ko: "관리자 페이지에서는 10초 동안에도 큰 피해가 날 수 있고, 네트워크도 가깝습니다.",
        },
    ),
    rule(
        "end-in-seconds",
        fresh(Bound::AsAsked),
        Need,
        &[AtLeast(Fact::EndWithin, 1), AtMost(Fact::EndWithin, 9)],
        &["ASVS 5.0 7.4.1", "docs/defaults.md"],
        Text {
            en: "As soon as was asked for: a guard that cannot prove to be that fresh asks the authority.",
            ko: "요구한 시간 그대로입니다. 그만큼 최신임을 증명하지 못하는 가드는 인증 서버에 묻습니다.",
        },
    ),
    rule(
        "nobody-until-expiry",
        fresh(Bound::UntilExpiry),
        Wish(5),
        &[
            Is(Fact::EndBy, "nobody"),
            Is(Fact::Sensitive, "no"),
            Is(Fact::ZeroDowntime, "yes"),
            NotBelow(Fact::EndWithin, 300),
        ],
        &["article section 5", "README.md"],
        Text {
            en: "Nobody has to end a login and nothing is sensitive: let the app carry on however long the authority is away.",
            ko: "로그인을 끝낼 사람도, 민감한 정보도 없습니다. 인증 서버가 얼마나 오래 멈추든 앱은 계속 돌아가게 하세요.",
        },
    ),
    rule(
        "end-by-admin-10s",
        fresh(Bound::Within(10)),
        Wish(4),
        &[Is(Fact::EndBy, "admin")],
        &["article section 6", "ASVS 5.0 7.4.5", "bench/RESULTS.md"],
        Text {
            en: "An administrator's click reaches every guard in milliseconds while the network is well; ten seconds is what holds when it is not.",
            ko: "관리자의 강제 로그아웃은 네트워크가 정상이면 수 밀리초 만에 모든 가드에 닿습니다. 10초는 네트워크가 나쁠 때의 한계입니다.",
        },
    ),
    rule(
        "zero-downtime-60s",
        fresh(Bound::Within(60)),
        Wish(3),
        &[
            Is(Fact::ZeroDowntime, "yes"),
            IsNot(Fact::Sensitive, "yes"),
            NotBelow(Fact::EndWithin, 60),
        ],
        &["article section 6", "docs/defaults.md"],
        Text {
            en: "It may never stop, and an end may take a minute: an authority that is away for less troubles nobody.",
            ko: "무중단이어야 하고 로그아웃이 1분쯤 늦어도 됩니다. 인증 서버가 그보다 짧게 멈추면 아무도 모릅니다.",
        },
    ),
    rule(
        "end-later-10s",
        fresh(Bound::Within(10)),
        Wish(2),
        &[AtLeast(Fact::EndWithin, 10)],
        &["docs/defaults.md"],
        Text {
            en: "Ten seconds is as soon as was asked for or sooner, and sooner costs nothing here.",
            ko: "10초면 요구한 시간과 같거나 더 빠릅니다. 더 빨라도 비용이 늘지 않습니다.",
        },
    ),
    rule(
        "default-10s",
        fresh(Bound::Within(10)),
        Wish(1),
        &[],
        &["docs/defaults.md"],
        Text {
            en: "A check on the spot costs no network and still refuses an ended login everywhere, in ten seconds at the worst.",
            ko: "그 자리에서 확인하므로 네트워크 비용이 없고, 그래도 끝난 로그인은 늦어도 10초 안에 모든 곳에서 막힙니다.",
        },
    ),
    rule(
        "critical-live",
        Says::LiveRoutes,
        Need,
        &[Is(Fact::Critical, "yes")],
        &["README.md", "ASVS 5.0 7.5.3"],
        Text {
            en: "Let the few routes that must never be wrong ask each time, and all others not.",
            ko: "절대로 틀리면 안 되는 몇몇 경로만 매번 묻게 하고, 나머지는 그대로 두세요.",
        },
    ),
    rule(
        "offline-token",
        Says::Token(Life::AsAsked),
        Must,
        &[Is(Fact::Offline, "yes"), AtMost(Fact::EndWithin, 299)],
        &["ASVS 5.0 7.4.1", "docs/defaults.md"],
        Text {
            en: "Without news of ends the life of a token is the only bound: as short as was asked for, not below a minute.",
            ko: "끝났다는 소식을 들을 수 없으면 토큰 수명이 유일한 한계입니다. 요구한 만큼 짧게, 그러나 1분 이상으로 두세요.",
        },
    ),
    rule(
        "third-party-token",
        Says::Token(Life::AsAsked),
        Must,
        &[Is(Fact::ThirdParty, "yes"), AtMost(Fact::EndWithin, 299)],
        &["ASVS 5.0 7.4.1", "docs/defaults.md"],
        Text {
            en: "For a plain JWT library the life of a token is the only bound: as short as was asked for, not below a minute.",
            ko: "일반 JWT 라이브러리에는 토큰 수명이 유일한 한계입니다. 요구한 만큼 짧게, 그러나 1분 이상으로 두세요.",
        },
    ),
    rule(
        "scale-token",
        Says::Token(Life::Seconds(3600)),
        Wish(3),
        &[
            Is(Fact::Scale, "yes"),
            IsNot(Fact::Offline, "yes"),
            IsNot(Fact::ThirdParty, "yes"),
            IsNot(Fact::EndBy, "nobody"),
        ],
        &["docs/scale.md"],
        Text {
            en: "A guard refuses an ended login however long its token would last, so long tokens cost no safety and save eleven of twelve refreshes.",
            ko: "가드는 토큰 수명이 얼마나 남았든 끝난 로그인을 막습니다. 그래서 긴 토큰은 안전을 해치지 않으면서 갱신을 열두 번에 열한 번 아껴 줍니다.",
        },
    ),
    rule(
        "default-token",
        Says::Token(Life::Seconds(300)),
        Wish(1),
        &[],
        &["docs/defaults.md"],
        Text {
            en: "Five minutes: all that an app verified by a plain JWT library has to put up with after an end.",
            ko: "5분입니다. 일반 JWT 라이브러리로 확인하는 앱이라도 끝난 로그인이 통하는 시간은 이만큼뿐입니다.",
        },
    ),
    rule(
        "sensitive-lifetime",
        Says::Lifetime {
            idle: 3_600,
            absolute: 86_400,
        },
        Wish(3),
        &[Is(Fact::Sensitive, "yes")],
        &[
            "NIST SP 800-63B-4 section 2.2.3",
            "ASVS 5.0 7.3.1",
            "ASVS 5.0 7.3.2",
        ],
        Text {
            en: "Sensitive data: signed in again after an hour without use, and once a day in any case.",
            ko: "민감한 정보이므로 한 시간 쓰지 않으면, 그리고 어떤 경우에도 하루에 한 번은 다시 로그인합니다.",
        },
    ),
    rule(
        "default-lifetime",
        Says::Lifetime {
            idle: 604_800,
            absolute: 2_592_000,
        },
        Wish(1),
        &[],
        &["NIST SP 800-63B-4 section 2.1.3", "docs/defaults.md"],
        Text {
            en: "A week without use, thirty days in any case.",
            ko: "일주일 쓰지 않으면, 그리고 어떤 경우에도 30일이면 다시 로그인합니다.",
        },
    ),
];
