//! The table of facts: names, answers and questions.

use super::{About, Answers, Fact, value::YES_NO};

/// More than people live on Earth: beyond it somebody has mistyped.
const MOST_PEOPLE: u64 = 10_000_000_000;

const fn number(least: u64, most: u64) -> Answers {
    Answers::Number { least, most }
}

const fn about(
    name: &'static str,
    flag: &'static str,
    answers: Answers,
    en: &'static str,
    ko: &'static str,
) -> About {
    About {
        name,
        flag,
        answers,
        en,
        ko,
    }
}

impl Fact {
    /// All of them, in the order in which they are asked.
    pub const ALL: [Self; 21] = [
        Self::Platform,
        Self::Sensitive,
        Self::Scale,
        Self::Speed,
        Self::EndBy,
        Self::EndWithin,
        Self::Critical,
        Self::ManageLogins,
        Self::Theft,
        Self::Services,
        Self::Domains,
        Self::Offline,
        Self::ThirdParty,
        Self::ZeroDowntime,
        Self::SharedStore,
        Self::Existing,
        Self::RequestsPerSecond,
        Self::People,
        Self::DevicesPerPerson,
        Self::SignOutsPerDay,
        Self::Framework,
    ];

    /// What it is called, what may be answered, how it is asked.
    #[expect(clippy::too_many_lines, reason = "a table: one row for each fact")]
    pub const fn about(self) -> About {
        match self {
            Self::Platform => about(
                "platform",
                "platform",
                Answers::Words(&["web", "spa", "mobile", "api", "intranet"]),
                "What is it used through: pages from a server, a single-page app, a phone app, an API between services, an intranet or administrators' pages?",
                "어디에서 쓰나요? 서버가 그리는 웹, SPA, 모바일 앱, 서비스 사이의 API, 내부망이나 관리자 페이지",
            ),
            Self::Sensitive => about(
                "sensitive",
                "sensitive",
                YES_NO,
                "Is the data sensitive: money, health, other people's secrets?",
                "돈, 건강, 남의 비밀처럼 민감한 정보를 다루나요?",
            ),
            Self::Scale => about(
                "scale",
                "scale",
                YES_NO,
                "Does it have to grow beyond one machine?",
                "서버 한 대를 넘어 커져야 하나요?",
            ),
            Self::Speed => about(
                "speed",
                "speed",
                YES_NO,
                "Do quick answers matter more than most other things?",
                "빠른 응답이 무엇보다 중요한가요?",
            ),
            Self::EndBy => about(
                "end_by",
                "end-by",
                Answers::Words(&["nobody", "person", "admin"]),
                "Who must be able to end a login: nobody, the person, an administrator?",
                "누가 로그인을 끝낼 수 있어야 하나요? 아무도, 본인, 관리자",
            ),
            Self::EndWithin => about(
                "end_within",
                "end-within",
                Answers::Time { most: 30 * 86_400 },
                "How soon must an ended login be refused everywhere? 0s is the next request",
                "끝난 로그인은 얼마 안에 모든 곳에서 막혀야 하나요? 0s는 바로 다음 요청부터",
            ),
            Self::Critical => about(
                "critical",
                "critical",
                YES_NO,
                "Are there single actions, such as paying, that an ended login must never do?",
                "결제처럼 끝난 로그인으로는 절대로 하면 안 되는 동작이 있나요?",
            ),
            Self::ManageLogins => about(
                "manage_logins",
                "manage-logins",
                YES_NO,
                "Do people or administrators see a person's logins and end single ones?",
                "사용자의 로그인 여러 개를 보고 하나씩 끝내는 관리가 필요한가요?",
            ),
            Self::Theft => about(
                "theft",
                "theft",
                YES_NO,
                "Is a stolen token a worry that has to be kept small?",
                "토큰 탈취 위험을 특히 줄여야 하나요?",
            ),
            Self::Services => about(
                "services",
                "services",
                number(1, 100_000),
                "How many services check who is calling?",
                "누가 호출하는지 확인하는 서비스가 몇 개인가요?",
            ),
            Self::Domains => about(
                "domains",
                "domains",
                number(1, 10_000),
                "On how many domains are they?",
                "그 서비스들은 도메인 몇 개에 있나요?",
            ),
            Self::Offline => about(
                "offline",
                "offline",
                YES_NO,
                "Is a login checked where the authority cannot be reached?",
                "인증 서버에 연결할 수 없는 곳에서도 로그인을 확인해야 하나요?",
            ),
            Self::ThirdParty => about(
                "third_party",
                "third-party",
                YES_NO,
                "Does somebody else check it, with a JWT library of their own?",
                "다른 회사나 팀이 자기 JWT 라이브러리로 직접 확인하나요?",
            ),
            Self::ZeroDowntime => about(
                "zero_downtime",
                "zero-downtime",
                YES_NO,
                "Must it go on through restarts and outages?",
                "재시작이나 장애 중에도 멈추면 안 되나요(무중단)?",
            ),
            Self::SharedStore => about(
                "shared_store",
                "shared-store",
                YES_NO,
                "Do its servers share a session store behind a balancer already?",
                "로드 밸런서 뒤의 서버들이 이미 세션 저장소를 함께 쓰나요?",
            ),
            Self::Existing => about(
                "existing",
                "existing",
                Answers::Words(&["none", "session", "jwt"]),
                "What does the present system use: nothing yet, sessions, JWTs?",
                "지금 시스템은 무엇을 쓰나요? 아직 없음, 세션, JWT",
            ),
            Self::RequestsPerSecond => about(
                "requests_per_second",
                "requests-per-second",
                number(0, MOST_PEOPLE),
                "How many requests a second at the busiest moment?",
                "가장 바쁠 때 요청이 초당 몇 건인가요?",
            ),
            Self::People => about(
                "people",
                "people",
                number(1, MOST_PEOPLE),
                "How many people, or programs, have an account?",
                "계정이 있는 사람이나 프로그램이 몇인가요?",
            ),
            Self::DevicesPerPerson => about(
                "devices_per_person",
                "devices-per-person",
                number(1, 100),
                "How many devices does each of them use?",
                "한 사람이 기기를 몇 대 쓰나요?",
            ),
            Self::SignOutsPerDay => about(
                "sign_outs_per_day",
                "sign-outs-per-day",
                number(0, 100 * MOST_PEOPLE),
                "How many logins are ended in a day, by anybody?",
                "하루에 끝나는 로그인이 모두 몇 개인가요?",
            ),
            Self::Framework => about(
                "framework",
                "framework",
                Answers::Words(&["axum", "flask", "django", "express"]),
                "What is it written in? Chooses the example and decides nothing",
                "무엇으로 만드나요? 예제를 고를 뿐, 판단에는 영향이 없습니다",
            ),
        }
    }
}
