//! Every chore of the project: `cargo xtask` with one of the commands below.
//!
//! Compiled in the dev profile before anything else is, so it stays light: no argument parser,
//! no runtime, standard processes. Start at `serve` and `suites`; `run` holds what they share.

#![allow(clippy::print_stdout, reason = "a chore talks to the person who runs it")]

mod needs;
mod run;
mod serve;
mod suites;
mod tidy;
mod web;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask serve [-- ARGS]   build everything and run `weft serve ARGS`
cargo xtask test              every check and test, with a summary (alias: ci)
cargo xtask web               the web app's checks, tests and build
cargo xtask e2e [FILE…]       browser tests against the release server
cargo xtask crash [--rounds N] [--seed N]
                              kill -9 rounds against the release server
cargo xtask tidy              the rules of the repository
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match chore(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn chore(args: &[String]) -> Result<()> {
    let (command, rest) = match args.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    match command {
        "serve" => serve::serve(rest),
        "test" | "ci" => suites::test(),
        "web" => suites::web(),
        "e2e" => suites::e2e(rest),
        "crash" => suites::crash(rest),
        "tidy" => tidy::tidy(),
        "help" | "-h" | "--help" => {
            print!("{HELP}");
            Ok(())
        }
        other => bail!("there is no chore called {other}\n\n{HELP}"),
    }
}
