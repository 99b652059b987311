//! `symbolon token`.

use std::{
    fs,
    io::{Read, stdin},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use symbolon_server::jose::{
    Algorithm, KeySet, SigningKey,
    inspect::{Inspection, Known, Verdict, inspect_unverified},
};

use crate::{
    cli::{Inspect, Token},
    output,
};

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

/// Looks into a token. The exit code is 0 when no check failed.
pub(crate) async fn token(command: Token) -> Result<()> {
    let Token::Inspect(asked) = command;
    let token = read_token(asked.token.as_deref())?;
    let keys = keys(&asked).await?;
    let issuer = asked
        .issuer
        .as_deref()
        .or(asked.authority.as_deref())
        .map(|url| url.trim_end_matches('/'));
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let known = Known {
        keys: keys.as_ref(),
        issuer,
        audience: asked.audience.as_deref(),
        now: Some(i64::try_from(now)?),
        leeway: 0,
    };
    let inspection = inspect_unverified(&token, &known);
    if asked.json {
        output::json(&json!(inspection))?;
    } else {
        print(&inspection)?;
    }
    let failed = inspection
        .checks
        .iter()
        .filter(|check| check.verdict == Verdict::Fail)
        .count();
    ensure!(
        failed == 0,
        "{failed} of {} checks failed",
        inspection.checks.len()
    );
    Ok(())
}

fn print(inspection: &Inspection) -> Result<()> {
    for (name, part) in [
        ("Header", &inspection.header),
        ("Payload", &inspection.payload),
        ("Signature", &inspection.signature),
    ] {
        output::line(name)?;
        for line in part.lines() {
            output::line(&format!("  {line}"))?;
        }
    }
    output::line("Checks")?;
    for check in &inspection.checks {
        let verdict = match check.verdict {
            Verdict::Pass => "pass   ",
            Verdict::Fail => "FAIL   ",
            Verdict::Unknown => "unknown",
        };
        output::line(&format!("  {verdict}  {}: {}", check.name, check.reason))?;
    }
    Ok(())
}

fn read_token(given: Option<&str>) -> Result<String> {
    let text = match given {
        Some(text) if text != "-" => text.to_owned(),
        _ => {
            let mut text = String::new();
            stdin()
                .take(1 << 20)
                .read_to_string(&mut text)
                .context("cannot read standard input")?;
            text
        }
    };
    let token = text.trim();
    ensure!(
        !token.is_empty(),
        "there is no token: name one, or pipe it into standard input"
    );
    Ok(token.strip_prefix("Bearer ").unwrap_or(token).to_owned())
}

async fn keys(asked: &Inspect) -> Result<Option<KeySet>> {
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
