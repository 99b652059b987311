//! Refusals for people who asked for Korean. Types, statuses and names of fields stay as they are: programs read them.

use super::Kind;

/// What it is, always the same for its type.
pub(super) const fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::NotSignedIn => "로그인이 필요합니다.",
        Kind::CredentialRefused => "유효하지 않거나 이미 끝난 인증 정보입니다.",
        Kind::WrongCredentials => "아이디 또는 비밀번호가 올바르지 않습니다.",
        Kind::Forbidden => "권한이 없습니다.",
        Kind::CrossSite => "이 사이트에서 보낸 요청인지 확인할 수 없습니다.",
        Kind::NotFound => "찾을 수 없습니다.",
        Kind::MethodNotAllowed => "이 주소에서는 쓸 수 없는 메서드입니다.",
        Kind::Conflict => "이미 있는 것과 충돌합니다.",
        Kind::LoginLimit => "더 로그인할 자리가 없습니다.",
        Kind::BadRequest => "요청이 올바르지 않습니다.",
        Kind::UnsupportedMediaType => "이 주소에서는 쓸 수 없는 Content-Type입니다.",
        Kind::TooLarge => "요청이 너무 깁니다.",
        Kind::TooManyAttempts => "비밀번호를 너무 많이 틀렸습니다. 나중에 다시 시도해 주세요.",
        Kind::Busy => "지금은 요청이 너무 많습니다. 잠시 뒤에 다시 시도해 주세요.",
        Kind::Unavailable => "지금은 쓸 수 없습니다. 다시 시도해 주세요.",
        Kind::Internal => "서버에 문제가 생겼습니다.",
    }
}

/// What is wrong with a body. What the JSON library says stays in its words, behind ours.
pub(super) fn detail(english: &str) -> String {
    match english {
        "the body broke off" => "요청 본문이 도중에 끊겼습니다".to_owned(),
        "expected a JSON object" => "JSON 객체여야 합니다".to_owned(),
        "expected the end after one JSON value" => {
            "JSON 값 하나 뒤에 다른 내용이 있습니다".to_owned()
        }
        "Content-Type: expected application/json" => {
            "Content-Type: application/json이어야 합니다".to_owned()
        }
        other => match other.split_once(": ") {
            Some((field, why)) if !field.contains(' ') => {
                format!("{field}: 쓸 수 없는 값입니다({why})")
            }
            _ => format!("요청 본문을 읽을 수 없습니다({other})"),
        },
    }
}
