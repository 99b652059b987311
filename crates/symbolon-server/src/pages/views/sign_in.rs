//! The sign-in form.

use askama::Template;

use super::notice::Notice;
use crate::pages::{page::Page, return_to::LocalPath, words::Words};

/// The form, with what this occasion has to say.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub(crate) struct SignInPage {
    pub(crate) page: Page,
    pub(crate) t: Words,
    /// The app that waits behind it.
    pub(crate) app: Option<String>,
    /// Where it leads; empty for the default.
    pub(crate) return_to: String,
    pub(crate) notice: Option<Notice>,
    /// What was typed before.
    pub(crate) identifier: String,
    /// Whether they asked to be remembered on this device.
    pub(crate) remember: bool,
    /// Whether they are signed in, and what waits wants them to prove it again.
    pub(crate) again: bool,
    /// Whether that was refused.
    pub(crate) refused: bool,
}

impl SignInPage {
    /// An empty form.
    pub(crate) fn new(page: Page, app: Option<String>, back: Option<LocalPath>) -> Self {
        let return_to = back.map_or_else(String::new, |back| back.as_str().to_owned());
        Self {
            t: page.t,
            page,
            app,
            return_to,
            notice: None,
            identifier: String::new(),
            remember: false,
            again: false,
            refused: false,
        }
    }

    fn why_again(&self) -> String {
        match &self.app {
            Some(app) => self.t.prove_again_for(app),
            None => self.t.prove_again(),
        }
    }

    fn title(&self) -> String {
        match &self.app {
            Some(app) => self.t.sign_in_to(app),
            None => self.t.sign_in(),
        }
    }
}
