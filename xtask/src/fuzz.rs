//! `cargo xtask fuzz`: looks for bytes that some decoder cannot bear, led by what they reach in the code.
//!
//! libFuzzer needs no nightly compiler: its counters are a pass of LLVM's that the stable one can be told to
//! run. Built apart (`target/fuzz`), as no other build wants them. Nothing is written to the repository: what
//! reaches something new, and what fails, goes to `target/fuzz` too.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run::{self, cargo, run};

/// Inputs of each target unless the person says otherwise: 20 s for all of them.
const RUNS: u64 = 20_000;
/// Largest input that is tried, in bytes.
const INPUT_BYTES_MAX: usize = 4096;
/// Seconds that one input may take.
const INPUT_SECONDS_MAX: u32 = 10;
/// Memory that a target may take, in MiB.
const MEMORY_MIB_MAX: u32 = 1024;

/// What `cargo fuzz` tells the compiler, without a sanitizer: there is no unsafe code of ours.
const COVERAGE: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Fuzzes all targets, or those that are named, `--runs N` inputs each from `--seed N`.
pub fn fuzz(args: &[String]) -> Result<()> {
    let (mut runs, mut seed, mut targets) = (RUNS, 1, Vec::new());
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let mut number = || -> Result<u64> {
            let text = words.next().with_context(|| format!("{word} wants a number"))?;
            text.parse().with_context(|| format!("{word} {text}: not a number"))
        };
        match word.as_str() {
            "--runs" => runs = number()?,
            "--seed" => seed = number()?,
            target => targets.push(target.to_owned()),
        }
    }
    let known = targets_with_corpus()?;
    if let Some(unknown) = targets.iter().find(|target| !known.contains(target)) {
        bail!("there is no target called {unknown}; there are {}", known.join(", "));
    }
    if targets.is_empty() {
        targets = known;
    }
    let program = build()?;
    for target in targets {
        one(&program, &target, runs, seed)?;
    }
    Ok(())
}

fn targets_with_corpus() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for folder in fs::read_dir(run::root().join("fuzz/corpus"))? {
        names.push(folder?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn build() -> Result<PathBuf> {
    let versions = run::output(Command::new("rustc").arg("-vV"))?;
    let host = versions.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("rustc names no host")?;
    let place = place()?;
    // With `--target`, flags are for the program alone and not for what builds it.
    let mut command = cargo(["build", "--release", "-p", "weft-fuzz", "--bin", "weft-fuzz"]);
    command
        .args(["--features", "libfuzzer", "--target", host])
        .env("CARGO_TARGET_DIR", &place)
        .env("RUSTFLAGS", COVERAGE);
    run(&mut command)?;
    Ok(place.join(host).join("release/weft-fuzz"))
}

fn place() -> Result<PathBuf> {
    Ok(run::target_dir()?.join("fuzz"))
}

fn one(program: &PathBuf, target: &str, runs: u64, seed: u64) -> Result<()> {
    let found = place()?.join("found").join(target);
    let failed = place()?.join("failed");
    fs::create_dir_all(&found)?;
    fs::create_dir_all(&failed)?;
    let mut command = Command::new(program);
    command
        .env("WEFT_FUZZ_TARGET", target)
        .arg(format!("-runs={runs}"))
        .arg(format!("-seed={seed}"))
        .arg(format!("-max_len={INPUT_BYTES_MAX}"))
        .arg(format!("-timeout={INPUT_SECONDS_MAX}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB_MAX}"))
        .arg(format!("-artifact_prefix={}/{target}-", failed.display()))
        .arg("-verbosity=0")
        .arg(found)
        .arg(run::root().join("fuzz/corpus").join(target));
    run::step(&format!("{target}: {runs} inputs from seed {seed}"), || {
        run::run_quietly(&mut command)
    })
    .with_context(|| {
        format!(
            "the input lies in {}; mend what it shows, and keep it in fuzz/corpus/{target}",
            failed.display()
        )
    })
}
