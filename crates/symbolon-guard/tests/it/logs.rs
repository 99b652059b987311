//! At the most talkative level the log of a whole visit holds nothing that could be shown as a credential.

use std::{
    io,
    sync::{Arc, Mutex},
};

use axum::http::StatusCode;
use symbolon_guard::{Guard, Shape};
use tracing::level_filters::LevelFilter;

use crate::{
    app::{App, cookies, kept, request, set_cookies},
    fake::{APP, APP_URL, Fake},
};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_reaches_the_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // The test's runtime has one thread, so this hears the guard's tasks too.
    let _listening = tracing::subscriber::set_default(subscriber);

    let client_secret = "canary-of-the-client-secret";
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let guard = Guard::builder(fake.url(), APP)
        .client_secret(client_secret)
        .public_url(APP_URL)
        .connect()
        .await
        .unwrap();
    let app = App::around(guard);
    let mut secrets = vec![client_secret.to_owned()];

    // Begin, come back with a code, visit, be renewed, show nonsense, sign out.
    let begun = app.get("/", &[("accept", "text/html")]).await;
    let (name, transaction) = set_cookies(&begun).remove(0);
    let state = transaction.split('.').next().unwrap();
    let code = fake.code();
    let path = format!(
        "/auth/callback?code={code}&state={state}&iss={}",
        fake.url()
    );
    let cookie = format!("{name}={transaction}");
    let response = app.get(&path, &[("cookie", &cookie)]).await;
    assert_eq!(response.status(), StatusCode::FOUND);
    secrets.extend(transaction.split('.').take(2).map(str::to_owned));
    let mut held = kept(&response, fake.sign_in());
    for shape in [Shape::Session, Shape::Jwt] {
        secrets.extend([held.access.clone()]);
        secrets.extend(held.refresh.clone());
        fake.set_shape(shape);
        app.settle(&fake).await;
        let response = app.visit("/live", &held).await;
        assert_eq!(response.status(), StatusCode::OK);
        held = kept(&response, held);
    }
    secrets.extend([held.access.clone()]);
    secrets.extend(held.refresh.clone());
    let nonsense = "canary-of-nonsense";
    let bearer = format!("Bearer {nonsense}");
    app.get("/", &[("authorization", &bearer)]).await;
    secrets.push(nonsense.to_owned());
    let identity = format!("{:?}", app.guard);
    let cookie = cookies(&held);
    let headers = [("cookie", cookie.as_str()), ("origin", APP_URL)];
    let response = app.call(request("POST", "/auth/sign-out", &headers)).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap() + &identity;
    assert!(text.contains("a credential is refused"), "the log works");
    assert!(secrets.len() >= 8);
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret}");
    }
}
