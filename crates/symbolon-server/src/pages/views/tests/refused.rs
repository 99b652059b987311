//! Pages that let nobody through.

use super::*;

/// The page of a full house, with a choice and without one.
pub(super) fn full_houses(language: Language) -> Vec<(&'static str, String)> {
    let hostile = || HOSTILE.to_owned();
    let mut all = Vec::new();
    let again = SignInAgain {
        identifier: hostile(),
        remember: true,
    };
    for occasion in [Occasion::SignIn(again), Occasion::App(hostile())] {
        for may_choose in [true, false] {
            let house = FullHouse {
                logins: vec![found()],
                may_choose,
            };
            let back = LocalPath::parse("/a?b=\"><script>");
            let view = FullHousePage::new(page(language), &house, occasion.clone(), back);
            all.push(("full_house", view.render().unwrap()));
        }
    }
    all
}

pub(super) fn refusals(language: Language) -> Vec<(&'static str, String)> {
    let t = Words::of(language);
    let oauth = OauthError {
        page: page(language),
        t,
        error: HOSTILE.to_owned(),
        description: HOSTILE.to_owned(),
    };
    let mut all = vec![("oauth_error", oauth.render().unwrap())];
    for status in [400, 403, 404, 413, 429, 500, 503] {
        let refusal = Refusal::of(StatusCode::from_u16(status).unwrap());
        let view = RefusalPage {
            page: page(language),
            t,
            status,
            refusal,
        };
        all.push(("refusal", view.render().unwrap()));
    }
    all
}
