//! Every URL of the authority, and what every request passes before it.

use axum::{
    Extension, Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state},
    routing::{get, post},
};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    ServerState,
    api::{advice, app_advice, apps, backups, document, guards, keys, logins, me, users},
    caller::ByOperator,
    feed, health, middleware,
    oauth::{authorize, introspect, metadata, revoke, token},
    pages,
};

/// The authority's router: pages, JSON API, OAuth, feed. It needs no server of its own: it can be
/// merged into any axum application that answers at the public URL.
pub fn router(state: ServerState) -> Router {
    let (api, description) = api().split_for_parts();
    let document = document::rendered(&description);

    let timed = Router::new()
        .merge(pages(&state))
        .merge(api)
        .route(
            "/api/v1/openapi.json",
            get(async move || document::answer(document)),
        )
        // HEAD would make a code that nobody reads.
        .route(
            "/oauth2/authorize",
            get(authorize::authorize).head(middleware::method_not_allowed),
        )
        .route("/oauth2/token", post(token::token))
        .route("/oauth2/introspect", post(introspect::introspect))
        .route("/oauth2/revoke", post(revoke::revoke))
        .route(
            "/.well-known/oauth-authorization-server",
            get(metadata::authorization_server),
        )
        .route("/.well-known/jwks.json", get(metadata::jwks))
        .route("/feed/head", get(feed::head))
        .route("/feed/snapshot", get(feed::snapshot))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .layer(from_fn(middleware::time_out));

    let endless = Router::new().route("/feed", get(feed::follow));

    layered(timed.merge(endless), state)
}

/// The same administration for whoever owns the process: no credential is asked for. To be served
/// only where the operating system has checked who is calling (a socket of mode 0600), or called
/// from the process itself.
pub fn operator_router(state: ServerState) -> Router {
    let (admin, _) = admin().split_for_parts();
    let operator = admin
        .route(
            "/api/v1/logins/{sid}",
            axum::routing::delete(logins::end_any),
        )
        .route("/api/v1/backups", post(backups::mark))
        .route("/readyz", get(health::ready))
        .layer(from_fn(middleware::time_out))
        .layer(Extension(ByOperator));
    layered(operator, state)
}

/// The JSON API. Each handler says its own path (`utoipa::path`), so that the document cannot
/// differ from it; a test compares them with the words here.
fn api() -> OpenApiRouter<ServerState> {
    OpenApiRouter::with_openapi(document::Document::openapi())
        // POST /api/v1/advice
        .routes(routes!(advice::advise))
        // GET /api/v1/me
        .routes(routes!(me::show))
        // POST /api/v1/logins, GET /api/v1/logins, DELETE /api/v1/logins
        .routes(routes!(logins::sign_in, logins::list, logins::end_all_own))
        // DELETE /api/v1/logins/{sid}
        .routes(routes!(logins::end_own))
        .merge(admin())
}

/// The part of the JSON API that administrators and the operator share.
fn admin() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new()
        // GET /api/v1/users, POST /api/v1/users
        .routes(routes!(users::list, users::add))
        // GET /api/v1/users/{id}, PATCH /api/v1/users/{id}
        .routes(routes!(users::show, users::change))
        // GET /api/v1/users/{id}/logins, DELETE /api/v1/users/{id}/logins
        .routes(routes!(users::logins, users::end_logins))
        // GET /api/v1/apps, POST /api/v1/apps
        .routes(routes!(apps::list, apps::add))
        // GET /api/v1/apps/{client_id}, PATCH /api/v1/apps/{client_id}
        .routes(routes!(apps::show, apps::change))
        // GET /api/v1/apps/{client_id}/advice
        .routes(routes!(app_advice::show))
        // GET /api/v1/guards
        .routes(routes!(guards::list))
        // GET /api/v1/keys, POST /api/v1/keys
        .routes(routes!(keys::list, keys::rotate))
        // DELETE /api/v1/keys/{kid}
        .routes(routes!(keys::revoke))
}

/// The pages that people see. Every unsafe request among them has to come from one of them.
fn pages(state: &ServerState) -> Router<ServerState> {
    Router::new()
        .route("/", get(pages::start))
        .route(
            "/sign-in",
            get(pages::sign_in::form).post(pages::sign_in::submit),
        )
        .route("/sign-out", post(pages::sign_in::sign_out))
        .route("/language", post(pages::language::choose))
        .route("/account", get(pages::account::devices))
        .route("/account/logins/{sid}/end", post(pages::account::end_one))
        .route("/account/logins/end-all", post(pages::account::end_all))
        .route("/account/make-room", post(pages::full_house::make_room))
        .route(
            "/admin/users",
            get(pages::users::list).post(pages::users::add),
        )
        .route("/admin/users/{id}", get(pages::user::show))
        .route(
            "/admin/users/{id}/end-logins",
            post(pages::user::end_logins),
        )
        .route("/admin/users/{id}/disable", post(pages::user::disable))
        .route("/admin/users/{id}/enable", post(pages::user::enable))
        .route(
            "/admin/users/{id}/roles",
            post(pages::user_rules::set_roles),
        )
        .route(
            "/admin/users/{id}/policy",
            post(pages::user_rules::set_policy),
        )
        .route(
            "/admin/users/{id}/logins/{sid}/end",
            post(pages::user::end_one),
        )
        .route("/adviser", get(pages::adviser::show))
        .route("/adviser/chart.svg", get(pages::adviser::chart))
        .route(
            "/adviser/chart-narrow.svg",
            get(pages::adviser::narrow_chart),
        )
        .route("/admin/apps", get(pages::apps::list).post(pages::apps::add))
        .route("/admin/apps/{client_id}", post(pages::apps::change))
        .route("/admin/apps/{client_id}/advice", get(pages::app::show))
        .route(
            "/admin/apps/{client_id}/limit",
            post(pages::apps::set_limit),
        )
        .route(
            "/set-up",
            get(pages::set_up::form).post(pages::set_up::submit),
        )
        .route("/assets/{name}", get(pages::assets::serve))
        .route("/favicon.ico", get(pages::assets::favicon))
        .layer(from_fn_with_state(state.clone(), middleware::same_origin))
}

/// What every request passes, outermost first.
fn layered(router: Router<ServerState>, state: ServerState) -> Router {
    let layers = ServiceBuilder::new()
        // One line for each request, also for those that are refused below.
        .layer(from_fn(middleware::observe))
        // On every response, also on those that a panic left.
        .layer(from_fn_with_state(
            state.clone(),
            middleware::security_headers,
        ))
        // A panic is a 500, and the process lives (ASVS 16.5.4).
        .layer(CatchPanicLayer::custom(middleware::panicked))
        // No body is read beyond it, whoever reads.
        .layer(DefaultBodyLimit::max(middleware::LONGEST_BODY));
    router
        .fallback(middleware::not_found)
        .method_not_allowed_fallback(middleware::method_not_allowed)
        .layer(layers)
        .with_state(state)
}

#[cfg(test)]
mod tests;
