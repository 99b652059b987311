mod advice;
mod apps;
mod guards;
mod logins;
mod me;
mod openapi;
mod users;
