//! What people, apps and operators do.

use std::{
    ops::Deref,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use symbolon_server::login::Scope;
use url::form_urlencoded;

use crate::{
    apps::{NUMBER, ROUTES},
    chance::Chance,
    credentials::Held,
    history::{self, Event},
    network::Party,
    town::{APPS, PASSWORD, PEOPLE, Town, user_id},
};

/// How long a client waits for a node.
const PATIENCE: Duration = Duration::from_secs(10);

/// Somebody who does something, with a chance of their own.
pub(crate) struct Actor {
    town: Town,
    chance: Chance,
    next: AtomicU64,
}

impl Deref for Actor {
    type Target = Town;

    fn deref(&self) -> &Town {
        &self.town
    }
}

impl Actor {
    /// The actor of this number.
    pub(crate) fn new(town: &Town, number: u64, chance: Chance) -> Self {
        Self {
            town: town.clone(),
            chance,
            next: AtomicU64::new(number * 1_000),
        }
    }

    /// A number that nothing else has.
    pub(crate) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// One thing that somebody does, as chance has it.
    pub(crate) async fn act(&self) {
        let held = self.held.lock().unwrap().len();
        match self.chance.below(100) {
            _ if held < 3 => self.sign_in().await,
            0..18 => self.sign_in().await,
            18..22 => self.refresh().await,
            22..26 => self.sign_out().await,
            26..28 => self.revoke().await,
            28..29 => self.end_all_own().await,
            29..31 => self.rule().await,
            _ => self.visit_somewhere().await,
        }
    }

    async fn sign_in(&self) {
        let (person, app) = (
            self.chance.index(PEOPLE.len()),
            self.chance.index(APPS.len()),
        );
        let client_id = APPS[app].0;
        let body = json!({
            "identifier": PEOPLE[person],
            "password": PASSWORD,
            "client_id": client_id,
            "remember": true,
        });
        let answer = self
            .ask_node(json_request("POST", "/api/v1/logins", &body))
            .await;
        if let Some((StatusCode::CREATED, answer)) = answer
            && let Some(held) = self
                .take(user_id(person), client_id, &answer, self.time.now())
                .await
        {
            self.keep(held);
        }
    }

    /// A program renews its credential itself.
    async fn refresh(&self) {
        let Some(held) = self.any_held() else { return };
        let secret = held.refresh.as_ref().unwrap_or(&held.access);
        let asked_at = self.time.now();
        let request = form_request(
            "/oauth2/token",
            &[
                ("grant_type", "refresh_token"),
                ("refresh_token", secret),
                ("client_id", held.facts.client_id.as_str()),
            ],
        );
        if let Some((StatusCode::OK, answer)) = self.ask_node(request).await {
            let (user, client_id) = (held.facts.user, held.facts.client_id.as_str());
            let since = self.history.newest_since(&held.facts, asked_at);
            if let Some(next) = self.take(user, client_id, &answer, since).await {
                self.keep(next);
            }
        }
    }

    /// At the authority, or at the app.
    async fn sign_out(&self) {
        let Some(held) = self.any_held() else { return };
        if self.chance.happens(500) {
            let path = format!("/api/v1/logins/{}", held.facts.sid);
            self.ask_node(bearing("DELETE", &path, &held)).await;
        } else {
            let guard = &self.guards[self.guard_of(&held)];
            let request = Request::post("/auth/sign-out").header("sec-fetch-site", "same-origin");
            let request = request.header(header::COOKIE, cookies(&held));
            guard.call(request.body(Body::empty()).unwrap()).await;
        }
        self.probe(held).await;
    }

    async fn revoke(&self) {
        let Some(held) = self.any_held() else { return };
        let token = held.refresh.as_ref().unwrap_or(&held.access);
        let client_id = held.facts.client_id.as_str();
        let form = [("token", token.as_str()), ("client_id", client_id)];
        self.ask_node(form_request("/oauth2/revoke", &form)).await;
        self.probe(held).await;
    }

    async fn end_all_own(&self) {
        let Some(held) = self.any_held() else { return };
        self.ask_node(bearing("DELETE", "/api/v1/logins", &held))
            .await;
        self.probe(held).await;
    }

    /// What an operator does.
    async fn rule(&self) {
        let person = self.chance.index(PEOPLE.len());
        let user = format!("/api/v1/users/{}", user_id(person));
        match self.chance.below(12) {
            0 | 1 => {
                let disabled = self.disabled.lock().unwrap().insert(person);
                let body = json!({ "disabled": disabled });
                if !disabled {
                    self.disabled.lock().unwrap().remove(&person);
                }
                self.operate(json_request("PATCH", &user, &body)).await;
            }
            2..5 => {
                let request = Request::delete(format!("{user}/logins"));
                self.operate(request.body(Bytes::new()).unwrap()).await;
            }
            5..9 => {
                let (client_id, _) = APPS[self.chance.index(APPS.len())];
                let shape = ["session", "jwt"][self.chance.index(2)];
                let path = format!("/api/v1/apps/{client_id}");
                let body = json!({ "shape": shape });
                self.operate(json_request("PATCH", &path, &body)).await;
            }
            which => {
                let node = self.chance.index(self.network.nodes().len());
                let scope = if which < 11 {
                    let (client_id, _) = APPS[self.chance.index(APPS.len())];
                    let client_id = client_id.parse().unwrap();
                    Scope::App { client_id }
                } else {
                    Scope::Everything {}
                };
                let _ = self.network.nodes()[node].end(scope).await;
            }
        }
        if let Some(held) = self.any_held() {
            self.probe(held).await;
        }
    }

    /// Shows the same credential again and again for a while: if something has ended it, that is to be
    /// seen everywhere.
    async fn probe(&self, held: Held) {
        for _ in 0..self.chance.between(3, 8) {
            let route = self.chance.index(ROUTES.len());
            self.visit(held.clone(), route).await;
            tokio::time::sleep(self.chance.millis(0, 2_500)).await;
        }
    }

    async fn visit_somewhere(&self) {
        if let Some(held) = self.any_held() {
            let route = self.chance.index(ROUTES.len());
            self.visit(held, route).await;
        }
    }

    /// One request to an app.
    pub(crate) async fn visit(&self, held: Held, route: usize) {
        let guard = self.guard_of(&held);
        let app = &self.guards[guard];
        let (path, freshness) = ROUTES[route];
        let (number, asked_at) = (self.number(), self.time.now());
        let by_cookie = self.chance.happens(500);
        let request = Request::get(path).header(NUMBER, number.to_string());
        let request = if by_cookie {
            request.header(header::COOKIE, cookies(&held))
        } else {
            request.header(header::AUTHORIZATION, format!("Bearer {}", held.access))
        };
        self.history.note(Event::Arrived(history::Request {
            number,
            guard,
            life: app.life(),
            freshness: freshness.parse().unwrap(),
            renewable: by_cookie,
            facts: held.facts.clone(),
        }));
        let response = app.call(request.body(Body::empty()).unwrap()).await;
        self.history.note(Event::Answered {
            number,
            status: response.status().as_u16(),
            skew: self.skew(),
        });
        if by_cookie && let Some(next) = self.kept(response.headers(), &held, asked_at).await {
            self.keep(next);
        }
    }

    fn keep(&self, held: Held) {
        let number = held.facts.number;
        self.held.lock().unwrap().insert(number, held);
    }

    /// Any credential, the youngest ones rather than the others.
    fn any_held(&self) -> Option<Held> {
        let held = self.held.lock().unwrap();
        let from = if self.chance.happens(700) {
            held.len().saturating_sub(8)
        } else {
            0
        };
        let count = held.len().checked_sub(from).filter(|count| *count > 0)?;
        held.values().nth(from + self.chance.index(count)).cloned()
    }

    /// A guard of the credential's app.
    fn guard_of(&self, held: &Held) -> usize {
        let guards = self.guards.iter();
        let of_app = guards.filter(|guard| guard.client_id == held.facts.client_id.as_str());
        let names: Vec<_> = of_app.map(|guard| guard.name).collect();
        *self.chance.pick(&names).unwrap()
    }

    /// Asks some node as a client; none without an answer in time.
    async fn ask_node(&self, request: Request<Bytes>) -> Option<(StatusCode, Value)> {
        let node = self.chance.index(self.network.nodes().len());
        let answer = self.network.ask(Party::Clients, node, request);
        let answer = tokio::time::timeout(PATIENCE, answer).await.ok()?.ok()?;
        let status = answer.status();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await;
        let body = serde_json::from_slice(&body.unwrap()).unwrap_or(Value::Null);
        Some((status, body))
    }

    async fn operate(&self, request: Request<Bytes>) {
        let node = self.chance.index(self.network.nodes().len());
        let answer = self.network.nodes()[node].operate(request).await;
        if let Ok(answer) = answer {
            let status = answer.status();
            assert!(status.is_success() || status.is_server_error(), "{status}");
        }
    }
}

fn cookies(held: &Held) -> String {
    let name = &held.facts.client_id;
    let access = format!("__Host-{name}={}", held.access);
    match &held.refresh {
        Some(refresh) => format!("{access}; __Host-{name}-refresh={refresh}"),
        None => access,
    }
}

fn bearing(method: &str, path: &str, held: &Held) -> Request<Bytes> {
    let mut headers = HeaderMap::new();
    let bearer = format!("Bearer {}", held.access).parse().unwrap();
    headers.insert(header::AUTHORIZATION, bearer);
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = method.parse::<Method>().unwrap();
    *request.uri_mut() = path.parse().unwrap();
    *request.headers_mut() = headers;
    request
}

fn json_request(method: &str, path: &str, body: &Value) -> Request<Bytes> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header(header::CONTENT_TYPE, "application/json");
    request.body(Bytes::from(body.to_string())).unwrap()
}

fn form_request(path: &str, pairs: &[(&str, &str)]) -> Request<Bytes> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs);
    let kind = "application/x-www-form-urlencoded";
    let request = Request::post(path).header(header::CONTENT_TYPE, kind);
    request.body(Bytes::from(form.finish())).unwrap()
}
