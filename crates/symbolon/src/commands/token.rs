//! `symbolon token`: tokens and keys by hand.

mod inspect;
mod keygen;
mod keys;
mod sign;
mod verify;

use std::io::{Read, stdin};

use anyhow::{Context, Result, ensure};

use crate::cli::Token;

pub(crate) async fn token(command: Token) -> Result<()> {
    match command {
        Token::Inspect(asked) => inspect::inspect(asked).await,
        Token::Verify(asked) => verify::verify(asked).await,
        Token::Sign(asked) => sign::sign(&asked),
        Token::Keygen(asked) => keygen::keygen(&asked),
    }
}

/// Beyond any token or claims; what is longer is cut, and refused for it.
const LONGEST_INPUT: u64 = 1 << 20;

fn read_stdin() -> Result<String> {
    let mut text = String::new();
    stdin()
        .take(LONGEST_INPUT)
        .read_to_string(&mut text)
        .context("cannot read standard input")?;
    Ok(text)
}

/// The token that was given, or the one on standard input.
fn read_token(given: Option<&str>) -> Result<String> {
    let text = match given {
        Some(text) if text != "-" => text.to_owned(),
        _ => read_stdin()?,
    };
    let token = text.trim();
    ensure!(
        !token.is_empty(),
        "there is no token: name one, or pipe it into standard input"
    );
    Ok(token.strip_prefix("Bearer ").unwrap_or(token).to_owned())
}

/// The time, in whole seconds.
fn now() -> Result<i64> {
    use std::time::{SystemTime, UNIX_EPOCH};
    Ok(i64::try_from(
        SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(),
    )?)
}
