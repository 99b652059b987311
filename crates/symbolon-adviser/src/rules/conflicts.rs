//! Facts that cannot all be so, or not all be had. They are named; the verdict says which side it took.

use super::When::{self, AtLeast, AtMost, Is};
use crate::{
    facts::{Fact, Facts},
    words::Text,
};

/// Facts that contradict each other.
#[derive(Debug)]
pub struct Conflict {
    /// Its name.
    pub id: &'static str,
    /// What has to hold for it, all of it.
    pub when: &'static [When],
    /// What is wrong, and what the verdict did about it.
    pub text: Text,
}

impl Conflict {
    /// Whether it is there.
    pub fn holds(&self, facts: &Facts) -> bool {
        self.when.iter().all(|when| when.holds(facts))
    }

    /// All that there may be.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        CONFLICTS.iter()
    }
}

const fn conflict(id: &'static str, when: &'static [When], text: Text) -> Conflict {
    Conflict { id, when, text }
}

pub(crate) const CONFLICTS: &[Conflict] = &[
    conflict(
        "offline-and-ended-soon",
        &[Is(Fact::Offline, "yes"), AtMost(Fact::EndWithin, 59)],
        Text {
            en: "A login is checked where the authority cannot be reached, and its end has to be known there within a minute: nobody can know what nobody told them. The verdict keeps the offline check and shortens tokens to a minute; if the end matters more, give up the offline check.",
            ko: "인증 서버에 연결할 수 없는 곳에서 확인하면서 1분 안에 로그아웃을 알아야 한다고 했습니다. 듣지 못한 소식은 알 수 없습니다. 오프라인 확인을 지키고 토큰을 1분으로 줄였습니다. 로그아웃이 더 중요하면 오프라인 확인을 포기하세요.",
        },
    ),
    conflict(
        "verified-elsewhere-and-ended-soon",
        &[Is(Fact::ThirdParty, "yes"), AtMost(Fact::EndWithin, 59)],
        Text {
            en: "Somebody else checks the token with a plain library, and its end has to be known there within a minute: a library does not listen. The verdict keeps the standard token and shortens it to a minute; if the end matters more, have them ask the authority (RFC 7662).",
            ko: "다른 쪽이 일반 라이브러리로 확인하면서 1분 안에 로그아웃을 알아야 한다고 했습니다. 라이브러리는 소식을 듣지 않습니다. 표준 토큰을 지키고 수명을 1분으로 줄였습니다. 로그아웃이 더 중요하면 인증 서버에 묻게(RFC 7662) 하세요.",
        },
    ),
    conflict(
        "sensitive-and-offline",
        &[Is(Fact::Sensitive, "yes"), Is(Fact::Offline, "yes")],
        Text {
            en: "The data is sensitive, and it is shown where an ended login cannot be noticed. The verdict follows what is possible, not what is safe: keep the sensitive part out of the offline one.",
            ko: "민감한 정보인데, 로그인이 끝난 것을 알 수 없는 곳에서 보여 준다고 했습니다. 안전한 쪽이 아니라 가능한 쪽을 골랐습니다. 민감한 부분은 오프라인에서 빼세요.",
        },
    ),
    conflict(
        "sensitive-and-verified-elsewhere",
        &[Is(Fact::Sensitive, "yes"), Is(Fact::ThirdParty, "yes")],
        Text {
            en: "The data is sensitive, and somebody else decides by a token alone who sees it. The verdict follows what is possible: give the others an app of their own with few rights, and keep yours behind a guard.",
            ko: "민감한 정보인데, 누가 볼지를 다른 쪽이 토큰만 보고 정한다고 했습니다. 가능한 쪽을 골랐습니다. 다른 쪽에는 권한이 적은 앱을 따로 주고, 내 앱은 가드 뒤에 두세요.",
        },
    ),
    conflict(
        "sensitive-and-nobody-ends",
        &[Is(Fact::Sensitive, "yes"), Is(Fact::EndBy, "nobody")],
        Text {
            en: "The data is sensitive, and nobody can end a login. Somebody will lose a device; the verdict counts the data and leaves the way to end open.",
            ko: "민감한 정보인데 아무도 로그인을 끝낼 수 없다고 했습니다. 기기를 잃어버리는 사람은 반드시 생깁니다. 정보 쪽을 따르고, 끝낼 길은 열어 두었습니다.",
        },
    ),
    conflict(
        "nobody-ends-and-how-fast",
        &[Is(Fact::EndBy, "nobody"), AtMost(Fact::EndWithin, 299)],
        Text {
            en: "Nobody ends a login, yet an end has to count soon. The verdict believes the time.",
            ko: "아무도 로그인을 끝내지 않는데 빨리 막아야 한다고 했습니다. 시간 쪽을 믿었습니다.",
        },
    ),
    conflict(
        "nobody-ends-and-managed",
        &[Is(Fact::EndBy, "nobody"), Is(Fact::ManageLogins, "yes")],
        Text {
            en: "Nobody ends a login, yet somebody manages them. The verdict believes the managing.",
            ko: "아무도 로그인을 끝내지 않는데 로그인을 관리한다고 했습니다. 관리 쪽을 믿었습니다.",
        },
    ),
    conflict(
        "no-downtime-and-live",
        &[Is(Fact::ZeroDowntime, "yes"), AtMost(Fact::EndWithin, 0)],
        Text {
            en: "It may never stop, and every request needs an answer of the authority: when that is away, one of the two has to give. The verdict refuses (503) rather than let an ended login in; run several authority nodes, or allow a few seconds.",
            ko: "멈추면 안 되는데 요청마다 인증 서버의 답이 필요하다고 했습니다. 인증 서버가 멈추면 둘 중 하나를 포기해야 합니다. 끝난 로그인을 들이느니 거절(503)합니다. 인증 서버를 여러 대 두거나 몇 초를 허용하세요.",
        },
    ),
    conflict(
        "small-and-huge",
        &[
            Is(Fact::Scale, "no"),
            AtLeast(Fact::RequestsPerSecond, 10_000),
        ],
        Text {
            en: "It does not have to grow, yet the load is more than one machine's. The verdict believes the word, the price the number.",
            ko: "확장할 일이 없다면서 부하는 서버 한 대를 넘습니다. 판단은 말을, 비용은 숫자를 따랐습니다.",
        },
    ),
    conflict(
        "small-and-crowded",
        &[Is(Fact::Scale, "no"), AtLeast(Fact::People, 10_000_000)],
        Text {
            en: "It does not have to grow, yet more than ten million people have an account. The verdict believes the word, the price the number.",
            ko: "확장할 일이 없다면서 계정이 천만 개를 넘습니다. 판단은 말을, 비용은 숫자를 따랐습니다.",
        },
    ),
    conflict(
        "large-and-tiny",
        &[
            Is(Fact::Scale, "yes"),
            AtMost(Fact::RequestsPerSecond, 10),
            AtMost(Fact::People, 1_000),
        ],
        Text {
            en: "It has to grow, yet a small machine would be bored with this load. The verdict believes the plan, the price today's numbers.",
            ko: "확장해야 한다면서 지금 부하는 작은 서버에도 가볍습니다. 판단은 계획을, 비용은 오늘의 숫자를 따랐습니다.",
        },
    ),
];
