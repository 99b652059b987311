//! What templates show: plain values, made from records without any state, so that each page can be
//! rendered in a test.

pub(super) mod account;
pub(super) mod adviser;
pub(super) mod app;
pub(super) mod apps;
pub(super) mod full_house;
pub(super) mod limit;
pub(super) mod login;
pub(super) mod notice;
pub(super) mod refusal;
pub(super) mod set_up;
pub(super) mod sign_in;
pub(super) mod user;
pub(super) mod users;

#[cfg(test)]
mod tests;
