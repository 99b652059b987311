//! How many logins at once.

use symbolon_authority::{Authorized, CodeRedemption, CodeRequest, Known, ProofAsked};
use zeroize::Zeroizing;

use super::*;
use crate::{add_user, challenge_of, issued, parts};

const REDIRECT_URI: &str = "http://localhost:7301/auth/callback";

fn limited(limit: LoginLimit) -> LoginPolicy {
    LoginPolicy::new(None, None, Some(limit)).unwrap()
}

#[tokio::test]
async fn the_oldest_login_makes_room() {
    let town = Town::new().await;
    town.hold_alice_to(limited(at_most(2, AtLimit::EndOldest)))
        .await;
    let mut proofs = Vec::new();
    for app in [&town.session_app, &town.jwt_app, &town.session_app] {
        proofs.push(parts(&town.sign_in(app).await).0);
        town.wait(secs(1));
    }
    let mut alive = Vec::new();
    for proof in &proofs {
        alive.push(town.who(proof).await.is_some());
    }
    assert_eq!(alive, [false, true, true]);
}

#[tokio::test]
async fn who_is_asked_chooses_which_login_makes_room() {
    let town = Town::new().await;
    town.hold_alice_to(limited(at_most(2, AtLimit::Ask))).await;
    let first = town.sign_in(&town.session_app).await;
    town.wait(secs(1));
    let second = town.sign_in(&town.jwt_app).await;
    let outcome = town.try_attempt(attempt(), &town.session_app).await;
    assert_eq!(full(outcome), (vec![second.sid, first.sid], true));
    assert!(town.who(&parts(&first).0).await.is_some(), "nothing ended");

    // Somebody else's login is none of hers to give up.
    add_user(&town.authority, &town.admin, "bob").await;
    let bobs = town
        .try_sign_in("bob", PASSWORD, &town.session_app)
        .await
        .unwrap();
    let instead = |sid| Attempt {
        instead_of: vec![sid],
        ..attempt()
    };
    let outcome = town.try_attempt(instead(bobs.sid), &town.session_app).await;
    assert!(full(outcome).1);
    assert!(town.who(&parts(&bobs).0).await.is_some());

    let outcome = town
        .try_attempt(instead(second.sid), &town.session_app)
        .await;
    let third = signed_in(outcome);
    assert!(town.who(&parts(&second).0).await.is_none());
    for kept in [&first, &third] {
        assert!(town.who(&parts(kept).0).await.is_some());
    }
}

#[tokio::test]
async fn a_wrong_password_neither_lists_nor_ends_logins() {
    let town = Town::new().await;
    town.hold_alice_to(limited(at_most(1, AtLimit::Ask))).await;
    let first = town.sign_in(&town.session_app).await;
    let wrong = Attempt {
        password: Password::new("wrong".to_owned()),
        instead_of: vec![first.sid],
        ..attempt()
    };
    let outcome = town.try_attempt(wrong, &town.session_app).await;
    assert!(matches!(outcome, SignIn::Refused));
    assert!(town.who(&parts(&first).0).await.is_some());
}

#[tokio::test]
async fn where_the_rule_is_refuse_a_password_displaces_nobody() {
    let town = Town::new().await;
    town.hold_alice_to(limited(at_most(1, AtLimit::Refuse)))
        .await;
    let first = town.sign_in(&town.session_app).await;
    let chosen = Attempt {
        instead_of: vec![first.sid],
        ..attempt()
    };
    let outcome = town.try_attempt(chosen, &town.session_app).await;
    assert_eq!(full(outcome), (vec![first.sid], false));
    assert!(town.who(&parts(&first).0).await.is_some());

    // But the same browser may sign in anew: it shows the login that it gives up.
    let again = Attempt {
        replaces: Some(first.sid),
        ..attempt()
    };
    let second = signed_in(town.try_attempt(again, &town.session_app).await);
    assert!(town.who(&parts(&first).0).await.is_none());
    assert!(town.who(&parts(&second).0).await.is_some());
}

impl Town {
    /// A login at the console.
    async fn browser(&self) -> Known {
        let console = self.authority.app(self.authority.console()).await;
        let console = console.unwrap().unwrap();
        let credential = self.sign_in(&console).await;
        self.wait(secs(1));
        self.who(&parts(&credential).0).await.unwrap()
    }

    async fn authorize(&self, who: &Known, app: &App) -> Authorized {
        let request = CodeRequest {
            redirect_uri: REDIRECT_URI.to_owned(),
            challenge: challenge_of(&"v".repeat(43)),
            proof: ProofAsked::default(),
        };
        self.authority.authorize(who, app, request).await.unwrap()
    }

    async fn app_code(&self, who: &Known, app: &App) -> Zeroizing<String> {
        match self.authorize(who, app).await {
            Authorized::Code(code) => code,
            Authorized::Full(_) | Authorized::ProveAgain(_) => panic!("no code"),
        }
    }

    async fn redeem(&self, app: &App, code: &str) -> Option<Credential> {
        let verifier = "v".repeat(43);
        let brought = CodeRedemption {
            code,
            redirect_uri: REDIRECT_URI,
            verifier: &verifier,
        };
        issued(self.authority.redeem_code(app, brought).await.unwrap())
    }

    async fn limit(&self, app: &App, limit: LoginLimit) -> App {
        let change = AppChange {
            limit: Some(Some(limit)),
            ..AppChange::default()
        };
        self.change(app, change).await
    }
}

#[tokio::test]
async fn an_app_that_is_full_gives_no_code() {
    let town = Town::new().await;
    for (at_limit, may_choose) in [(AtLimit::Ask, true), (AtLimit::Refuse, false)] {
        for app in [&town.session_app, &town.jwt_app] {
            let app = town.limit(app, at_most(1, at_limit)).await;
            let (first, second) = (town.browser().await, town.browser().await);
            let code = town.app_code(&first, &app).await;
            assert!(town.redeem(&app, &code).await.is_some());
            match town.authorize(&second, &app).await {
                Authorized::Full(house) => {
                    let sids = house.logins.iter().map(|live| live.login.sid);
                    assert_eq!(sids.collect::<Vec<_>>(), [first.login.sid]);
                    assert_eq!(house.may_choose, may_choose);
                }
                Authorized::Code(_) | Authorized::ProveAgain(_) => panic!("not full"),
            }
            // The login that is in already may come again: it never counts against itself.
            let code = town.app_code(&first, &app).await;
            assert!(town.redeem(&app, &code).await.is_some());
            let end = town.authority.end_own_login(&second, first.login.sid);
            assert!(end.await.unwrap().is_some());
            let code = town.app_code(&second, &app).await;
            assert!(town.redeem(&app, &code).await.is_some());
            town.authority.end_all_own_logins(&second).await.unwrap();
        }
    }
}

/// Two codes were given while there was room for one: the join decides.
#[tokio::test]
async fn two_codes_at_once_give_no_more_than_the_limit() {
    let town = Town::new().await;
    for (at_limit, second_gets_in) in [(AtLimit::Ask, false), (AtLimit::EndOldest, true)] {
        let app = town.limit(&town.jwt_app, at_most(1, at_limit)).await;
        let (first, second) = (town.browser().await, town.browser().await);
        let codes = [
            town.app_code(&first, &app).await,
            town.app_code(&second, &app).await,
        ];
        let one = town.redeem(&app, &codes[0]).await.unwrap();
        let two = town.redeem(&app, &codes[1]).await;
        assert_eq!(two.is_some(), second_gets_in, "{at_limit}");
        let first_stays = town.who(&parts(&one).0).await.is_some();
        assert_eq!(first_stays, !second_gets_in, "{at_limit}");
        town.authority.end_all_own_logins(&second).await.unwrap();
    }
}
