//! The program `weft`: what is said on the command line, to whom it is passed, and how it ends.

mod admin;
mod exit;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// Documents and lists that people work on at the same time.
#[derive(Parser)]
#[command(version, about, long_about = None)]
struct Cli {
    /// What to log, such as `info` or `weft_server=debug`; to standard error.
    #[arg(long, global = true, env = "WEFT_LOG", default_value = "info")]
    log: String,

    /// One JSON object per line instead of text.
    #[arg(long, global = true, env = "WEFT_LOG_JSON")]
    log_json: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server.
    Serve(Box<serve::Args>),
    /// Administers a data folder without a browser.
    #[command(subcommand)]
    Admin(admin::Command),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(error) = log_to_stderr(&cli) {
        return exit::report(&error);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::report(&error.into()),
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Serve(args) => serve::run(*args).await,
            Command::Admin(command) => admin::run(command).await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::report(&error),
    }
}

/// Standard output is kept for what other programs read: the ready line and the set-up link.
fn log_to_stderr(cli: &Cli) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&cli.log)?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if cli.log_json {
        log.json().init();
    } else {
        log.init();
    }
    Ok(())
}
