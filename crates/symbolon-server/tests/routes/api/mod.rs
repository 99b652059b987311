mod advice;
mod apps;
mod guards;
mod keys;
mod logins;
mod me;
mod openapi;
mod users;
