//! What people hold, read from the answers that brought it.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, header};
use serde_json::Value;
use symbolon_server::{
    authority::ports::Logins,
    login::{ClientId, Shape, Sid, UserId},
};

use crate::{actions::Actor, history::Facts};

/// A credential and what keeps it going.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
    pub(crate) facts: Arc<Facts>,
}

impl Actor {
    /// What an answer of a sign-in or of the token endpoint brought.
    pub(crate) async fn take(
        &self,
        user: UserId,
        client_id: &str,
        answer: &Value,
        since: Duration,
    ) -> Option<Held> {
        let access = answer["access_token"].as_str().unwrap();
        let refresh = answer["refresh_token"].as_str().map(str::to_owned);
        let sid = answer["sid"].as_str().unwrap().parse().unwrap();
        self.read(
            user,
            client_id.parse().unwrap(),
            sid,
            access,
            refresh,
            since,
        )
        .await
    }

    /// What a browser holds after an answer of a guard; none where it sets no credential.
    pub(crate) async fn kept(
        &self,
        headers: &HeaderMap,
        before: &Held,
        asked_at: Duration,
    ) -> Option<Held> {
        let facts = &before.facts;
        let name = format!("__Host-{}", facts.client_id);
        let (mut access, mut refresh) = (None, before.refresh.clone());
        for cookie in headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (key, value) = pair.split_once('=').unwrap();
            let value = Some(value.to_owned()).filter(|value| !value.is_empty());
            if key == name {
                access = value;
            } else {
                refresh = value;
            }
        }
        let (user, client_id) = (facts.user, facts.client_id.clone());
        let since = self.history.newest_since(facts, asked_at);
        self.read(user, client_id, facts.sid, &access?, refresh, since)
            .await
    }

    /// None where the store does not know the grant any more: a restore went back behind it.
    async fn read(
        &self,
        user: UserId,
        client_id: ClientId,
        sid: Sid,
        access: &str,
        refresh: Option<String>,
        since: Duration,
    ) -> Option<Held> {
        let claims = access.split('.').nth(1).map(decoded);
        let (rev, key, times) = if let Some(claims) = &claims {
            let header = decoded(access.split('.').next().unwrap());
            let seconds = |name: &str| claims[name].as_i64().unwrap();
            (
                claims["rev"].as_str().unwrap().parse().unwrap(),
                Some(header["kid"].as_str().unwrap().parse().unwrap()),
                Some((seconds("iat"), seconds("exp"))),
            )
        } else {
            let found = self.disk.memory().login(sid).await.unwrap()?;
            let mut grants = found.grants.iter();
            let grant = grants.find(|grant| grant.client_id == client_id)?;
            (grant.rev, None, None)
        };
        let facts = Facts {
            number: self.number(),
            user,
            sid,
            client_id,
            shape: claims.map_or(Shape::Session, |_| Shape::Jwt),
            rev,
            key,
            times,
            since,
        };
        Some(Held {
            access: access.to_owned(),
            refresh,
            facts: Arc::new(facts),
        })
    }
}

fn decoded(part: &str) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}
