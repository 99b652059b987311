//! App and authority in one process: the guard asks the router itself, without a socket.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body, routing::get};
use http::Request;
use symbolon_authority::ports::World as _;
use symbolon_guard::{Guard, Identity, Live, World};
use symbolon_login::UnixMillis;
use tower::ServiceExt;

use crate::harness::{House, Outside, text};

/// The guard lives in the same time as the house. Its monotonic clock is the machine's.
pub(crate) struct Same(Arc<Outside>, tokio::time::Instant);

impl Same {
    pub(crate) fn as_in(house: &House) -> Arc<Self> {
        Arc::new(Self(
            Arc::clone(&house.outside),
            tokio::time::Instant::now(),
        ))
    }
}

impl World for Same {
    fn monotonic(&self) -> Duration {
        self.1.elapsed()
    }

    fn wall(&self) -> UnixMillis {
        self.0.now()
    }

    fn chance(&self) -> u8 {
        0
    }
}

#[tokio::test]
async fn app_and_authority_are_one_binary_and_an_end_is_heard_at_once() {
    let house = House::new().await;
    let console = house.console("alice").await;
    for client_id in ["back-office", "dashboard"] {
        let guard = Guard::local(&house.state, client_id)
            .client_secret(house.secret(client_id))
            .public_url("https://dashboard.example.test")
            .dangerous_world(Same::as_in(&house))
            .connect()
            .await
            .unwrap();
        let app = Router::new()
            .route("/", get(async |who: Identity| who.username().to_owned()))
            .route("/live", get(async |_: Live<Identity>| {}))
            .layer(guard.layer());
        let call = async |path: &str, token: &str| {
            let request = Request::get(path)
                .header("authorization", format!("Bearer {token}"))
                .body(Body::empty())
                .unwrap();
            app.clone().oneshot(request).await.unwrap().status()
        };
        let granted = house.flow(&console, client_id).await;
        let token = text(&granted, "access_token");
        assert_eq!(call("/", &token).await, 200, "{client_id}");
        assert_eq!(call("/live", &token).await, 200);
        // The person's other app goes on: only this app's share ends.
        let revoke = house.as_client(client_id, "/oauth2/revoke");
        let revoked = house.ask(revoke.form(&[("token", token.as_str())])).await;
        revoked.expect_status(200);
        assert_eq!(call("/live", &token).await, 401);
        let deadline = tokio::time::Instant::now() + Duration::from_secs(5);
        while call("/", &token).await != 401 {
            assert!(tokio::time::Instant::now() < deadline, "{client_id}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}
