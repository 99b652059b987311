//! New secrets at every change of what a person may do.

use symbolon_authority::{ChangedRoles, User};
use symbolon_login::Role;

use super::*;
use crate::parts;

#[tokio::test]
async fn a_credential_with_the_old_roles_is_refused_after_they_changed() {
    let town = Town::new().await;
    for (now, roles) in [
        (vec!["clerk"], 1),
        (vec!["clerk", Role::ADMIN], 2),
        (vec![], 0),
    ] {
        let session = parts(&town.sign_in(&town.session_app).await);
        let jwt = parts(&town.sign_in(&town.jwt_app).await);
        let now: Vec<Role> = now.iter().map(|role| role.parse().unwrap()).collect();
        let changed = town
            .authority
            .set_roles(&town.admin, town.alice.id, now.clone());
        match changed.await.unwrap() {
            ChangedRoles::Changed(ended) => assert_eq!(ended.count, 2),
            ChangedRoles::Unknown | ChangedRoles::Oneself => panic!("not changed"),
        }
        for (app, old) in [(&town.session_app, &session), (&town.jwt_app, &jwt)] {
            assert!(town.who(&old.0).await.is_none());
            assert!(town.refresh(app, &old.1).await.is_none());
            let new = town.sign_in(app).await;
            let known = town.who(&parts(&new).0).await.unwrap();
            assert_eq!(known.user.roles, now);
            assert_eq!(known.user.roles.len(), roles);
        }
        let end = town.authority.end_logins_of(&town.admin, town.alice.id);
        end.await.unwrap();
    }
}

#[tokio::test]
async fn nobody_takes_the_role_admin_from_themselves() {
    let town = Town::new().await;
    let admin = || vec![Role::ADMIN.parse::<Role>().unwrap()];
    let set = town
        .authority
        .set_roles(&town.admin, town.alice.id, admin());
    set.await.unwrap();
    let proof = parts(&town.sign_in(&town.session_app).await).0;
    let who = town.who(&proof).await.unwrap();
    let alice = symbolon_authority::Admin::check(&who).unwrap();
    let id = town.alice.id;
    let refused = town.authority.set_roles(&alice, id, Vec::new()).await;
    assert_eq!(refused.unwrap(), ChangedRoles::Oneself);
    let user: Option<User> = town.authority.user(&town.admin, id).await.unwrap();
    assert!(user.unwrap().is_admin());
    assert!(town.who(&proof).await.is_some(), "nothing ended");
}
