//! The authority's own pages: server-rendered, without a line of script that they need.
//!
//! A handler extracts, calls one story and sends a view. Views (`views/`) hold what a template in
//! `templates/` shows, words (`words.rs`) say it in the visitor's language. Everything that a person
//! once typed is escaped by the template engine; nothing here marks a text as safe.

pub(crate) mod account;
pub(crate) mod adviser;
pub(crate) mod app;
pub(crate) mod apps;
mod asking;
pub(crate) mod assets;
mod device;
mod form;
pub(crate) mod full_house;
pub(crate) mod language;
mod limit;
mod moment;
mod page;
mod refusal;
mod return_to;
pub(crate) mod set_up;
pub(crate) mod sign_in;
pub(crate) mod user;
pub(crate) mod user_rules;
pub(crate) mod users;
mod views;
mod words;

use axum::response::Response;
use http::StatusCode;

use asking::Anybody;

pub(crate) use device::device_name;
pub(crate) use full_house::at_app as full_in_app;
pub(crate) use refusal::{oauth_error, problem};
pub(crate) use sign_in::start;

/// The page for an address that leads nowhere.
pub(crate) async fn not_found(Anybody { page, .. }: Anybody) -> Response {
    refusal::refuse(
        page,
        StatusCode::NOT_FOUND,
        views::refusal::Refusal::NotFound,
    )
}

#[cfg(test)]
mod tests;
