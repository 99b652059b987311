//! Idle and absolute: authority, person, app and device, the strictest counts.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use symbolon_authority::Issued;
use symbolon_login::{Introspection, Lifetimes};

use super::*;
use crate::parts;

const DAY: u64 = 86_400;

fn policy(idle: Option<u64>, absolute: Option<u64>) -> LoginPolicy {
    LoginPolicy::new(idle.map(secs), absolute.map(secs), None).unwrap()
}

impl Town {
    async fn lasting(&self, app: &App, idle: u64, absolute: u64) -> App {
        let lifetimes = Lifetimes::new(secs(idle), secs(absolute), secs(300), secs(10)).unwrap();
        let change = AppChange {
            lifetimes: Some(lifetimes),
            ..AppChange::default()
        };
        self.change(app, change).await
    }

    async fn is_active(&self, proof: &str) -> bool {
        let answer = self.authority.introspect(proof).await.unwrap();
        matches!(answer, Introspection::Active(_))
    }
}

/// `exp` of an access token, as any JWT library reads it.
fn exp(credential: &Credential) -> i64 {
    let (token, _) = parts(credential);
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap());
    let claims: serde_json::Value = serde_json::from_slice(&payload.unwrap()).unwrap();
    claims.get("exp").unwrap().as_i64().unwrap()
}

#[tokio::test]
async fn the_persons_lifetimes_and_the_apps_both_bind_in_both_shapes() {
    let town = Town::new().await;
    // (the person's idle and absolute, the app's idle and absolute): all end after 600 seconds.
    for (person, app_idle, app_absolute) in [
        (policy(Some(600), None), 1_200, DAY),
        (policy(Some(1_200), None), 600, DAY),
        (policy(None, Some(600)), DAY, DAY),
        (policy(None, Some(1_200)), 600, 600),
    ] {
        town.hold_alice_to(person).await;
        for app in [&town.session_app, &town.jwt_app] {
            let app = town.lasting(app, app_idle, app_absolute).await;
            let case = format!("{person:?} {}", app.settings.shape);
            let used = parts(&town.sign_in(&app).await);
            let unused = parts(&town.sign_in(&app).await);
            town.wait(secs(599));
            let kept = town.refresh(&app, &used.1).await;
            let kept = kept.unwrap_or_else(|| panic!("{case}"));
            assert!(town.is_active(&parts(&kept).0).await, "{case}");
            town.wait(secs(1));
            assert!(town.who(&unused.0).await.is_none(), "{case}");
            assert!(!town.is_active(&unused.0).await, "{case}");
            assert!(town.refresh(&app, &unused.1).await.is_none(), "{case}");
            // Use moves the idle end and no other.
            let idle_only = app_absolute == DAY && person.absolute().is_none();
            assert_eq!(town.is_active(&parts(&kept).0).await, idle_only, "{case}");
            let again = town.refresh(&app, &parts(&kept).1).await;
            assert_eq!(again.is_some(), idle_only, "{case}");
        }
    }
}

/// A token says yes wherever it is shown, also where nobody is asked.
#[tokio::test]
async fn an_access_token_outlives_neither_its_login_nor_its_grant() {
    let town = Town::new().await;
    for (person, app_idle, app_absolute, lives) in [
        (policy(None, None), 7 * DAY, 30 * DAY, 300),
        (policy(None, Some(120)), 7 * DAY, 30 * DAY, 120),
        (policy(Some(60), None), 7 * DAY, 30 * DAY, 60),
        (policy(None, None), 90, 30 * DAY, 90),
        (policy(None, None), 200, 200, 200),
    ] {
        town.hold_alice_to(person).await;
        let app = town.lasting(&town.jwt_app, app_idle, app_absolute).await;
        let start = town.world_now();
        let first = town.sign_in(&app).await;
        assert_eq!(exp(&first), start + lives, "{person:?}");
        match &first.issued {
            Issued::Tokens { expires_in, .. } => {
                assert_eq!(i64::try_from(*expires_in), Ok(lives));
            }
            Issued::Session { .. } => panic!("a session"),
        }
        // A replay states the same, whenever it comes.
        town.wait(secs(40));
        let next = town.refresh(&app, &parts(&first).1).await.unwrap();
        town.wait(secs(9));
        let replayed = town.refresh(&app, &parts(&first).1).await.unwrap();
        assert_eq!(exp(&next), exp(&replayed));
    }
}

#[tokio::test]
async fn who_is_not_remembered_is_signed_out_within_a_day() {
    let town = Town::new().await;
    let town = &town;
    for app in [&town.session_app, &town.jwt_app] {
        let not_remembered = Attempt {
            remember: false,
            ..attempt()
        };
        let brief = signed_in(town.try_attempt(not_remembered, app).await);
        let long = town.sign_in(app).await;
        assert_eq!((brief.remembered, long.remembered), (false, true));
        let mut keepers = [parts(&brief).1, parts(&long).1];
        for _ in 0..23 {
            town.wait(secs(3_600));
            for keeper in &mut keepers {
                *keeper = parts(&town.refresh(app, keeper).await.unwrap()).1;
            }
        }
        town.wait(secs(3_600));
        assert!(town.refresh(app, &keepers[0]).await.is_none());
        assert!(town.refresh(app, &keepers[1]).await.is_some());
    }
}

impl Town {
    fn world_now(&self) -> i64 {
        use symbolon_authority::ports::World;
        self.world.now().as_secs()
    }
}
