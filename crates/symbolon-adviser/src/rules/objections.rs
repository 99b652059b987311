//! What can always be said against a verdict, for when no fact speaks against it.

use crate::{
    dials::{Dial, Freshness, Shape},
    words::Text,
};

/// A standing objection to one position of a dial.
#[derive(Debug)]
pub struct Objection {
    /// Its name.
    pub id: &'static str,
    /// The dial whose position it objects to.
    pub dial: Dial,
    /// What it says.
    pub text: Text,
    /// Who says so.
    pub sources: &'static [&'static str],
}

impl Objection {
    /// The strongest one to these positions. A position of freshness at either end of its dial is the bolder choice,
    /// so it is objected to first.
    pub(crate) fn to(shape: Shape, freshness: Freshness) -> &'static Self {
        let [expiry, live, jwt, session] = OBJECTIONS;
        match (freshness, shape) {
            (Freshness::UntilExpiry, _) => expiry,
            (Freshness::Live, _) => live,
            (Freshness::Within(_), Shape::Jwt) => jwt,
            (Freshness::Within(_), Shape::Session) => session,
        }
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        OBJECTIONS.iter()
    }
}

const OBJECTIONS: &[Objection; 4] = &[
    Objection {
        id: "against-until-expiry",
        dial: Dial::Freshness,
        text: Text {
            en: "A login that was ended, or a token that was stolen, stays good until it expires, and nobody can shorten that afterwards.",
            ko: "끝낸 로그인이나 도난당한 토큰이 만료될 때까지 통하고, 나중에 그 시간을 줄일 방법이 없습니다.",
        },
        sources: &["article section 7", "ASVS 5.0 7.4.1"],
    },
    Objection {
        id: "against-live",
        dial: Dial::Freshness,
        text: Text {
            en: "Every request waits for the authority, and when that is away the answer is 503: within(1s) refuses an ended login as fast in practice, at no question a request.",
            ko: "모든 요청이 인증 서버를 기다리고, 인증 서버가 멈추면 503입니다. within(1s)도 실제로는 거의 똑같이 빨리 막으면서 요청마다 묻지 않습니다.",
        },
        sources: &["docs/scale.md", "bench/RESULTS.md"],
    },
    Objection {
        id: "against-jwt",
        dial: Dial::Shape,
        text: Text {
            en: "A JWT is six times as long as a session secret, tells whoever holds it who the person is, and stays good until it expires wherever somebody checks it without a guard.",
            ko: "JWT는 세션의 비밀 값보다 여섯 배 길고, 손에 넣은 사람에게 누구의 것인지 알려 주며, 가드 없이 확인하는 곳에서는 만료될 때까지 통합니다.",
        },
        sources: &["article section 3", "bench/RESULTS.md"],
    },
    Objection {
        id: "against-session",
        dial: Dial::Shape,
        text: Text {
            en: "Nobody but a guard can check a session: a further service in another language, or a partner, needs the daemon or a question to the authority, where a JWT needs a common library.",
            ko: "세션은 가드만 확인할 수 있습니다. 다른 언어의 서비스나 협력사가 늘면 데몬을 두거나 인증 서버에 물어야 하지만, JWT는 흔한 라이브러리로 됩니다.",
        },
        sources: &["article section 3", "RFC 7662"],
    },
];
