//! The keys that a signature is checked with.

use std::{fs, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use symbolon_server::jose::{Algorithm, KeySet, SigningKey};

use crate::cli::Keys;

/// Asymmetric algorithms that a foreign JWK Set is read with.
const PUBLIC: [Algorithm; 9] = [
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Ed25519,
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
];

/// What the command line names; none when it names nothing.
pub(super) async fn keys(asked: &Keys) -> Result<Option<KeySet>> {
    if let Some(path) = &asked.jwks {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        return Ok(Some(public_keys(&text)?));
    }
    if let Some(path) = &asked.secret_file {
        let secret = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let secret = secret.strip_suffix(b"\n").unwrap_or(&secret);
        let key = SigningKey::from_secret(Algorithm::Hs256, "shared", secret)?;
        return Ok(Some(KeySet::new([key.verifying_key()?])?));
    }
    if let Some(url) = &asked.authority {
        let url = format!("{}/.well-known/jwks.json", url.trim_end_matches('/'));
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let answer = client
            .get(&url)
            .send()
            .await
            .with_context(|| format!("cannot reach {url}"))?;
        ensure!(
            answer.status().is_success(),
            "{url} answered {}",
            answer.status()
        );
        return Ok(Some(public_keys(&answer.text().await?)?));
    }
    Ok(None)
}

/// The keys of a JWK Set, or of one JWK.
fn public_keys(text: &str) -> Result<KeySet> {
    let document: serde_json::Value = serde_json::from_str(text).context("the keys are no JSON")?;
    let set = if document.get("keys").is_some() {
        text.to_owned()
    } else {
        json!({ "keys": [document] }).to_string()
    };
    let loaded = KeySet::from_jwks(&set, &PUBLIC)?;
    if loaded.keys.is_empty() {
        match loaded.skipped.first() {
            Some(skipped) => bail!("none of the keys can be used: {}", skipped.reason),
            None => bail!("the JWK Set is empty"),
        }
    }
    Ok(loaded.keys)
}
