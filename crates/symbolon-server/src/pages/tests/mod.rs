//! The pages over HTTP, from the outside: a real authority on a store in memory.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod account;
mod adviser;
mod apps;
mod every_page;
mod set_up;
mod sign_in;
mod users;

use std::{collections::BTreeMap, num::NonZeroUsize, sync::Arc, time::SystemTime};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use axum::{Router, body::Body};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::BodyExt;
use symbolon_authority::{
    AddedApp, AddedUser, Admin, Authority, NewApp, NewPassword, NewUser, Passwords, Ports,
    RootSecret, Settings, User,
    ports::{NoRandomness, World},
};
use symbolon_login::{AppSettings, Freshness, Lifetimes, Shape, UnixMillis};
use symbolon_stores::Memory;
use tower::ServiceExt;
use url::form_urlencoded;

use crate::{ServerState, router};

const ORIGIN: &str = "http://localhost:7300";
const PASSWORD: &str = "correct horse battery staple";

/// Time and randomness as they are.
struct Real(SystemRandom);

impl World for Real {
    fn now(&self) -> UnixMillis {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        UnixMillis::from_millis(i64::try_from(since.unwrap().as_millis()).unwrap())
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        self.0.fill(bytes).map_err(|_| NoRandomness)
    }

    fn signing_random(&self) -> &dyn SecureRandom {
        &self.0
    }
}

/// A running authority.
struct Site {
    authority: Arc<Authority>,
    store: Arc<Memory>,
    router: Router,
}

impl Site {
    async fn open() -> Self {
        let store = Arc::new(Memory::new());
        let ports = Ports {
            directory: store.clone(),
            logins: store.clone(),
            limits: store.clone(),
            once: store.clone(),
            world: Arc::new(Real(SystemRandom::new())),
        };
        let passwords = Passwords::start(NonZeroUsize::MIN, 64, [7; 16]).unwrap();
        let root = RootSecret::from_bytes([9; 32]);
        let authority = Authority::open(ports, &root, passwords, Settings::new(ORIGIN)).await;
        let authority = Arc::new(authority.unwrap());
        let state = ServerState::new(Arc::clone(&authority), false).unwrap();
        Self {
            authority,
            store,
            router: router(state),
        }
    }

    /// Adds a person whose password is [`PASSWORD`].
    async fn add(&self, identifier: &str, roles: &[&str]) -> User {
        let new = NewUser {
            identifier: identifier.parse().unwrap(),
            password: NewPassword::new(PASSWORD.to_owned()).unwrap(),
            roles: roles.iter().map(|role| role.parse().unwrap()).collect(),
        };
        match self
            .authority
            .add_user(&Admin::operator(), new)
            .await
            .unwrap()
        {
            AddedUser::Added(user) => user,
            AddedUser::Taken => panic!("taken"),
        }
    }

    /// Adds a confidential app, called `Ledger<b>s`; how it authenticates (`client_secret_basic`).
    async fn add_app(&self, client_id: &str) -> String {
        let new = NewApp {
            settings: AppSettings {
                client_id: client_id.parse().unwrap(),
                shape: Shape::Jwt,
                freshness: Freshness::default(),
                lifetimes: Lifetimes::default(),
            },
            name: "Ledger<b>s".to_owned(),
            limit: None,
            redirect_uris: vec!["http://localhost:7302/auth/callback".parse().unwrap()],
            confidential: true,
            first_party: false,
        };
        match self
            .authority
            .add_app(&Admin::operator(), new)
            .await
            .unwrap()
        {
            AddedApp::Added { secret, .. } => {
                let pair = format!("{client_id}:{}", secret.unwrap().as_str());
                format!("Basic {}", STANDARD.encode(pair))
            }
            AddedApp::Taken => panic!("taken"),
        }
    }

    fn browser(&self) -> Browser {
        Browser {
            router: self.router.clone(),
            cookies: BTreeMap::new(),
            headers: HeaderMap::new(),
        }
    }

    /// A browser in which somebody has signed in.
    async fn signed_in(&self, identifier: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.sign_in(identifier, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        browser
    }
}

/// A browser: keeps cookies, says where its requests come from, follows no redirect.
struct Browser {
    router: Router,
    cookies: BTreeMap<String, String>,
    /// Added to each request.
    headers: HeaderMap,
}

/// What came back.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    html: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    fn location(&self) -> &str {
        self.header("location")
    }
}

impl Browser {
    async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    /// Sends a form of one of our own pages.
    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_from(path, fields, "same-origin").await
    }

    /// Sends a form from a page of this `Sec-Fetch-Site`.
    async fn post_from(&mut self, path: &str, fields: &[(&str, &str)], site: &str) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", site)
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    async fn sign_in(&mut self, identifier: &str, password: &str) -> Answer {
        self.post(
            "/sign-in",
            &[("identifier", identifier), ("password", password)],
        )
        .await
    }

    async fn send(&mut self, mut request: Request<Body>) -> Answer {
        request.headers_mut().extend(self.headers.clone());
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let value = HeaderValue::from_str(&pairs.join("; ")).unwrap();
            request.headers_mut().insert(header::COOKIE, value);
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for set in parts.headers.get_all(header::SET_COOKIE) {
            let text = set.to_str().unwrap();
            let (name, rest) = text.split_once('=').unwrap();
            let (value, attributes) = rest.split_once(';').unwrap();
            assert!(name.starts_with("__Host-"), "{text}");
            for attribute in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
                assert!(attributes.contains(attribute), "{text}");
            }
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let bytes = body.collect().await.unwrap().to_bytes();
        let html = String::from_utf8(bytes.to_vec()).unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            html,
        }
    }
}
