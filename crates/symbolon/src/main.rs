//! The `symbolon` program: server, demo and command line in one binary.

mod cli;
mod commands;
mod config;
mod data;
mod demo;
mod guard;
mod listen;
mod operator;
mod output;
mod progress;
mod serve;
mod span;
mod store;
mod world;

use std::{
    io::{self, IsTerminal, Write},
    num::NonZero,
    process::ExitCode,
    thread,
};

use anyhow::{Context, Result};
use clap::{CommandFactory, Parser};
use cli::{Cli, Command};
use tokio::runtime::{Builder, Runtime};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let serves = matches!(command, Command::Serve(_) | Command::Guard(_));
    start_log(serves);
    let outcome = runtime()
        .context("cannot start threads")
        .and_then(|runtime| runtime.block_on(run(command)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // No news for whoever left; what a shell makes of a program that SIGPIPE ended.
        Err(error) if !serves && error.is::<output::ReaderLeft>() => ExitCode::from(141),
        Err(error) => {
            // One line: what failed, then why, whatever a library put in between.
            let text = format!("{error:#}");
            let line = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
            let _ = writeln!(io::stderr(), "symbolon: {line}");
            ExitCode::FAILURE
        }
    }
}

/// A thread for each core that the process may use. On a single one work is not handed between threads.
fn runtime() -> io::Result<Runtime> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let mut builder = match cores {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder.enable_all().build()
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::Demo(demo) => demo::demo(demo).await,
        Command::DemoApp => demo::app().await,
        Command::Serve(serve) => serve::serve(serve).await,
        Command::Guard(given) => guard::guard(given).await,
        Command::User(user) => commands::user(user).await,
        Command::Login(login) => commands::login(login).await,
        Command::App(app) => commands::app(app).await,
        Command::Keys(keys) => commands::keys(keys).await,
        Command::Token(token) => commands::token(token).await,
        Command::Advise(asked) => commands::advise(&asked),
        Command::Backup(backup) => commands::backup(backup).await,
        Command::Copy(copy) => commands::copy(copy).await,
        Command::Migrate(migrate) => commands::migrate(migrate).await,
        Command::Restore(restore) => commands::restore(restore).await,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "symbolon", &mut io::stdout());
            Ok(())
        }
    }
}

/// Logs go to standard error, as JSON where no person reads them; `RUST_LOG` chooses what.
fn start_log(serves: bool) {
    let default = if serves { "info" } else { "warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    if io::stderr().is_terminal() {
        registry.with(layer.compact()).init();
    } else {
        registry.with(layer.json().flatten_event(true)).init();
    }
}
