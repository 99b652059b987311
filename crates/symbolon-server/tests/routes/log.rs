//! What the log says, and what it never says (ASVS 16.2.5).

use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::harness::{
    Ask, CALLBACK, House, PASSWORD, VERIFIER, authorize_url, get, location_parameters, text,
};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_secret_is_in_it_at_any_level() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let house = House::new().await;
    let wrong = "CANARY-pw-7d1f";
    let typed = "CANARY-user\n2030-01-01T00:00:00Z INFO signed in user=admin";
    for (identifier, password) in [("alice", wrong), (typed, wrong), ("mallory", PASSWORD)] {
        let body = json!({"identifier": identifier, "password": password, "client_id": "phone"});
        let refused = house.ask(Ask::post("/api/v1/logins").json(&body)).await;
        refused.expect_problem(401, "wrong-credentials");
    }
    let mut secrets = vec![
        PASSWORD.to_owned(),
        wrong.to_owned(),
        "CANARY".to_owned(),
        VERIFIER.to_owned(),
    ];
    let phone = house.token("alice", "phone").await;
    let cli = house.sign_in("alice", "cli").await;
    let console = house.console("alice").await;
    let code = {
        let ask = get(&authorize_url("dashboard")).cookie("__Host-symbolon", &console);
        location_parameters(&house.ask(ask).await.location())["code"].clone()
    };
    let tokens = house.redeem("dashboard", &code).await.json();
    house.redeem("dashboard", &code).await.expect_status(400);
    for secret in [&phone, &console, &code, &house.secret("dashboard")] {
        secrets.push(secret.clone());
    }
    for given in [&cli, &tokens] {
        secrets.push(text(given, "access_token"));
        secrets.push(text(given, "refresh_token"));
    }
    // In places where none belongs.
    for path in [
        format!("/nothing/{phone}?token={phone}"),
        format!("/api/v1/logins/{phone}"),
        format!("/oauth2/authorize?client_id={phone}&redirect_uri={CALLBACK}"),
        format!("/api/v1/me?access_token={phone}"),
        format!("/set-up?token={phone}"),
    ] {
        house.ask(get(&path)).await;
        house
            .ask(get(&path).cookie("__Host-symbolon", &console))
            .await;
    }
    house
        .ask(Ask::delete("/api/v1/logins").bearer(&phone))
        .await
        .expect_status(200);
    house
        .ask(get("/api/v1/me").bearer(&phone))
        .await
        .expect_status(401);

    let log = log.text();
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} is in the log");
    }
    // Every line is one record.
    for line in log.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(record["timestamp"].is_string() && record["level"].is_string());
    }
    for said in [
        "signed in",
        "wrong password",
        "unknown user",
        "disabled user",
        "a code was used twice",
        "all logins ended",
    ] {
        assert!(log.contains(said), "{said} is not in the log");
    }
}
