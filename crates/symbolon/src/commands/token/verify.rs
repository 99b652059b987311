//! Story: check a token, all of it.

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use symbolon_server::jose::{AccessToken, Error, Expect, Jwt, Unverified};

use super::{keys::keys, now, read_token};
use crate::{
    cli::{Class, Verify},
    output,
};

/// Prints the claims of a good token; of any other, why it is refused, with the stable code.
pub(super) async fn verify(asked: Verify) -> Result<()> {
    let token = read_token(asked.token.as_deref())?;
    let keys = keys(&asked.keys).await?;
    let keys = keys.context("name the keys: --jwks FILE, --authority URL or --secret-file FILE")?;
    let issuer = asked
        .issuer
        .as_deref()
        .or(asked.keys.authority.as_deref())
        .unwrap_or_default();
    let issuer = issuer.trim_end_matches('/');
    let expect = Expect::new(issuer, asked.audience.as_str(), now()?, asked.leeway);
    let refused = |error: Error| anyhow!("refused ({}): {error}", error.code());
    let unverified = Unverified::parse(&token).map_err(|fault| refused(fault.into()))?;
    let claims = match asked.class {
        Class::Any => {
            let claims = unverified
                .verify::<Jwt<Value>>(&keys, &expect)
                .map_err(refused)?;
            claims.into_claims()
        }
        Class::Access => {
            let claims = unverified
                .verify::<AccessToken>(&keys, &expect)
                .map_err(refused)?;
            json!(claims.claims())
        }
    };
    output::json(&claims)
}
