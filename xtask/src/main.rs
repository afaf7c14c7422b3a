//! Every chore of the project: `cargo xtask` with one of the commands below.
//!
//! Compiled in the dev profile before anything else is, so it stays light: no argument parser,
//! no runtime, standard processes. Start at `serve` and `suites`; `run` holds what they share.

#![allow(clippy::print_stdout, reason = "a chore talks to the person who runs it")]

mod api;
mod fuzz;
mod mutants;
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
cargo xtask api               calls made out of the OpenAPI document (needs Python)
cargo xtask crash [--rounds N] [--seed N]
                              kill -9 rounds against the release server
cargo xtask lost-writes [--points N] [--seed N]
                              power failures at many points of a recorded run
cargo xtask sim [--kind KIND] [--count N] [--seed N]
                              schedules in the simulator; one of them with its trace
cargo xtask cedar             the rules of access, compared with Cedar policies
cargo xtask mutants [DEFECT…] plants defects and sees which tests catch them
cargo xtask fuzz [TARGET…] [--runs N] [--seed N]
                              bytes against every decoder, led by coverage
cargo xtask bench [NAME…] [--quick] [--trace FILE] [--only SERVER,…]
                              Weft's figures beside those of others
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
        "api" => suites::api(),
        "crash" => suites::crash(rest),
        "lost-writes" => suites::lost_writes(rest),
        "fuzz" => suites::fuzz(rest),
        "bench" => suites::bench(rest),
        "sim" => suites::sim(rest),
        "cedar" => suites::cedar(),
        "mutants" => mutants::mutants(rest),
        "tidy" => tidy::tidy(),
        "help" | "-h" | "--help" => {
            print!("{HELP}");
            Ok(())
        }
        other => bail!("there is no chore called {other}\n\n{HELP}"),
    }
}
