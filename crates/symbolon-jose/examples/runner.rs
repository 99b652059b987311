//! Holds the crate against a corpus of tokens: JSON lines in, verdicts out.
//!
//! ```sh
//! cargo run --release -p symbolon-jose --example runner < corpus.jsonl > verdicts.jsonl
//! ```
//!
//! Each input line is a case:
//! - `name`; `token`; `key` (a JWK, a JWK set, or a PEM text); `allowed_algs`;
//! - `now` (unix seconds), `leeway_s`;
//! - `policy`: `iss` (string or list), `aud` (string or list), `require` (claim names), and
//!   optionally `typ` and `issuers` (issuer to the ids of its keys). Without `iss` and `aud` the
//!   token is taken as a JWS, not as a JWT: only its signature counts;
//! - `needs`: algorithms and features that the case is about.
//!
//! Each output line is `{"name", "verdict", "err", "ms"}` with the verdict `accept`, `reject` or
//! `skip` (something in `needs` is not offered; `err` says what).

#[path = "runner/judge.rs"]
mod judge;

use judge::Verdict;
use std::io::{BufRead, BufWriter, Write};
use std::time::Instant;

use serde_json::{Value, json};

fn main() -> std::io::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let case: Value = serde_json::from_str(&line)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "the corpus limits the time of a verdict"
        )]
        let start = Instant::now();
        let (verdict, reason) = judge::judge(&case);
        let ms = start.elapsed().as_secs_f64() * 1000.0;
        let answer = json!({
            "name": case.get("name"),
            "verdict": match verdict {
                Verdict::Accept => "accept",
                Verdict::Reject => "reject",
                Verdict::Skip => "skip",
            },
            "err": reason,
            "ms": (ms * 1000.0).round() / 1000.0,
        });
        writeln!(out, "{answer}")?;
    }
    out.flush()
}
