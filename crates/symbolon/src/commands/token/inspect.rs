//! Story: look into a token.

use anyhow::{Result, ensure};
use serde_json::json;
use symbolon_server::jose::inspect::{Inspection, Known, Verdict, inspect_unverified};

use super::{keys::keys, now, read_token};
use crate::{cli::Inspect, output};

/// Shows the parts and the checks. The exit code is 0 when no check failed.
pub(super) async fn inspect(asked: Inspect) -> Result<()> {
    let token = read_token(asked.token.as_deref())?;
    let keys = keys(&asked.keys).await?;
    let issuer = asked.issuer.as_deref().or(asked.keys.authority.as_deref());
    let known = Known {
        keys: keys.as_ref(),
        issuer: issuer.map(|url| url.trim_end_matches('/')),
        audience: asked.audience.as_deref(),
        now: Some(now()?),
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
