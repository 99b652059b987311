//! What logins are held to: limits, lifetimes, and what ends them while they begin.

mod as_of;
mod guessing;
mod lifetimes;
mod limits;
mod overtaken;
mod privilege;
mod rotation;

use std::time::Duration;

use symbolon_authority::{App, Attempt, Credential, Password, SignIn, ports::AppChange};
use symbolon_login::{AtLimit, LoginLimit, LoginPolicy, Sid};

use crate::{PASSWORD, Town};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn at_most(most: u32, at_limit: AtLimit) -> LoginLimit {
    LoginLimit {
        most: most.try_into().unwrap(),
        at_limit,
    }
}

/// Alice's right name and password.
fn attempt() -> Attempt {
    Attempt {
        identifier: "alice".to_owned(),
        password: Password::new(PASSWORD.to_owned()),
        device: None,
        remember: true,
        replaces: None,
        instead_of: Vec::new(),
    }
}

impl Town {
    async fn try_attempt(&self, attempt: Attempt, app: &App) -> SignIn {
        self.authority.sign_in(attempt, app).await.unwrap()
    }

    async fn hold_alice_to(&self, policy: LoginPolicy) {
        let set = self
            .authority
            .set_login_policy(&self.admin, self.alice.id, policy);
        assert!(set.await.unwrap());
    }

    async fn change(&self, app: &App, change: AppChange) -> App {
        let id = &app.settings.client_id;
        let changed = self.authority.change_app(&self.admin, id, change).await;
        match changed.unwrap() {
            symbolon_authority::ChangedApp::Changed(app) => *app,
            _ => panic!("not changed"),
        }
    }
}

fn signed_in(outcome: SignIn) -> Credential {
    match outcome {
        SignIn::SignedIn(credential) => *credential,
        SignIn::Refused => panic!("refused"),
        SignIn::Later { .. } => panic!("later"),
        SignIn::Full(_) => panic!("full"),
    }
}

/// The logins that take up the room, newest first, and whether one may be chosen.
fn full(outcome: SignIn) -> (Vec<Sid>, bool) {
    match outcome {
        SignIn::Full(house) => {
            let sids = house.logins.iter().map(|live| live.login.sid).collect();
            (sids, house.may_choose)
        }
        SignIn::SignedIn(_) => panic!("signed in"),
        SignIn::Refused => panic!("refused"),
        SignIn::Later { .. } => panic!("later"),
    }
}
