//! Story: make a key.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
};

use anyhow::{Context, Result, bail};
use aws_lc_rs::rand::SystemRandom;
use symbolon_server::jose::{Algorithm, SigningKey};

use crate::{
    cli::{Form, Keygen},
    output,
};

/// Writes the private key to a new file of its owner's alone, and the public one where it was asked for.
pub(super) fn keygen(asked: &Keygen) -> Result<()> {
    let algorithm = algorithm(&asked.alg)?;
    let mut key = SigningKey::generate(algorithm, &SystemRandom::new())?;
    if let Some(kid) = &asked.kid {
        key = key.with_kid(kid)?;
    }
    let (private, public) = match asked.form {
        Form::Jwk if algorithm.is_symmetric() => (key.dangerous_to_jwk()?, None),
        Form::Pem if algorithm.is_symmetric() => {
            bail!("a shared secret has no PEM: use --form jwk")
        }
        Form::Jwk => (
            key.dangerous_to_jwk()?,
            Some(key.verifying_key()?.to_jwk()?),
        ),
        Form::Pem => (
            key.dangerous_to_pem()?,
            Some(key.verifying_key()?.to_pem()?),
        ),
    };
    let out = asked.out.display();
    // A key that is there is never overwritten.
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&asked.out);
    let mut file = file.with_context(|| format!("cannot write the new file {out}"))?;
    writeln!(file, "{}", private.trim_end())?;
    file.sync_all()?;
    let Some(public) = public else {
        return output::line(&format!("{} key {} in {out}", algorithm.name(), key.kid()));
    };
    match &asked.public_out {
        Some(path) => fs::write(path, format!("{}\n", public.trim_end()))
            .with_context(|| format!("cannot write {}", path.display())),
        None => public.lines().try_for_each(output::line),
    }
}

/// The algorithm of a name as JOSE writes it.
pub(super) fn algorithm(name: &str) -> Result<Algorithm> {
    let names: Vec<&str> = Algorithm::ALL.iter().map(|one| one.name()).collect();
    Algorithm::from_name(name)
        .with_context(|| format!("no algorithm {name}: expected one of {}", names.join(", ")))
}
