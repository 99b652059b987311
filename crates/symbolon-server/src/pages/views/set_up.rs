//! The form of the first administrator.

use askama::Template;

use super::users::BadUser;
use crate::pages::{page::Page, words::Words};

/// The form behind a set-up link.
#[derive(Template)]
#[template(path = "set_up.html")]
pub(crate) struct SetUpPage {
    pub(crate) page: Page,
    pub(crate) t: Words,
    pub(crate) token: String,
    /// What was typed before.
    pub(crate) identifier: String,
    /// What was wrong with it.
    pub(crate) bad: Option<BadUser>,
}

impl SetUpPage {
    /// An empty form.
    pub(crate) fn new(page: Page, token: String) -> Self {
        Self {
            t: page.t,
            page,
            token,
            identifier: String::new(),
            bad: None,
        }
    }
}
