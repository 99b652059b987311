//! No room for one more login.

use askama::Template;
use symbolon_authority::FullHouse;

use super::login::last_used;
use crate::pages::{moment::Moment, page::Page, return_to::LocalPath, words::Words};

/// What has no room, and which logins may make it.
#[derive(Template)]
#[template(path = "full_house.html")]
pub(crate) struct FullHousePage {
    pub(crate) page: Page,
    pub(crate) t: Words,
    pub(crate) occasion: Occasion,
    /// Where the form leads in the end; empty for the default.
    pub(crate) return_to: String,
    /// The logins to choose from; none where there is no choice.
    pub(crate) choices: Option<Vec<Choice>>,
}

/// What the person was about to do.
#[derive(Clone, Debug)]
pub(crate) enum Occasion {
    /// Sign in.
    SignIn(SignInAgain),
    /// Use the app of this name.
    App(String),
}

/// What was typed at the sign-in, but for the password.
#[derive(Clone, Debug)]
pub(crate) struct SignInAgain {
    pub(crate) identifier: String,
    pub(crate) remember: bool,
}

/// A login that can make room.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) sid: String,
    pub(crate) device: String,
    pub(crate) used: Moment,
}

impl FullHousePage {
    /// The page. Who may not choose is not told what there is.
    pub(crate) fn new(
        page: Page,
        house: &FullHouse,
        occasion: Occasion,
        back: Option<LocalPath>,
    ) -> Self {
        let t = page.t;
        let choices = house.logins.iter().map(|found| Choice {
            sid: found.login.sid.to_string(),
            device: found
                .login
                .device
                .clone()
                .unwrap_or_else(|| t.unknown_device()),
            used: last_used(found).into(),
        });
        Self {
            page,
            t,
            occasion,
            return_to: back.map_or_else(String::new, |back| back.as_str().to_owned()),
            choices: house.may_choose.then(|| choices.collect()),
        }
    }

    fn sentence(&self) -> String {
        let t = self.t;
        match (&self.occasion, self.choices.is_some()) {
            (Occasion::SignIn(_), true) => t.full_choose(),
            (Occasion::SignIn(_), false) => t.full_refused(),
            (Occasion::App(app), true) => t.full_choose_app(app),
            (Occasion::App(app), false) => t.full_refused_app(app),
        }
    }

    fn action(&self) -> &'static str {
        match self.occasion {
            Occasion::SignIn(_) => "/sign-in",
            Occasion::App(_) => "/account/make-room",
        }
    }
}
