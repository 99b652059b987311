//! My devices.

use askama::Template;

use super::{login::LoginRow, notice::Notice};
use crate::pages::{page::Page, words::Words};

/// A person's living logins.
#[derive(Template)]
#[template(path = "account.html")]
pub(crate) struct AccountPage {
    pub(crate) page: Page,
    pub(crate) t: Words,
    pub(crate) notice: Option<Notice>,
    pub(crate) logins: Vec<LoginRow>,
}
