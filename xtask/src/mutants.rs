//! `cargo xtask mutants`: plants each deliberate defect and sees which tests find it.
//!
//! The layers are tried from the fastest on; the first that fails has caught the defect. A defect that
//! none catches is a missing test.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::run::{cargo, output, release_program, run, seconds, works};

/// Schedules of each kind after which the simulator gives up.
const SCHEDULES: &str = "10000";

/// Files whose syncs are taken for nothing, one at a time.
const UNSYNCED: [&str; 2] = ["log.db-wal", "log.db"];

const SIMULATOR: [&str; 7] =
    ["build", "--release", "--workspace", "--bin", "weft-sim", "--features", "weft-sim/planted"];
const CORE: [&str; 9] = [
    "test",
    "--release",
    "-p",
    "weft-core",
    "-p",
    "weft-proto",
    "--features",
    "weft-core/planted",
    "--lib",
];
const PROGRAM: [&str; 5] = ["check", "--release", "--workspace", "--features", "weft-core/planted"];

/// The program refuses to be built so that defects can be planted in it.
fn no_program_can_have_them() -> Result<()> {
    match output(&mut cargo(PROGRAM)) {
        Err(refusal) if refusal.to_string().contains("no program has planted defects") => {
            println!("a program with planted defects cannot be built");
            Ok(())
        }
        Err(other) => Err(other),
        Ok(_) => bail!("a program was built into which defects can be planted"),
    }
}

/// The defects of these names, or all.
pub fn mutants(names: &[String]) -> Result<()> {
    no_program_can_have_them()?;
    run(cargo(CORE).arg("--no-run"))?;
    run(&mut cargo(SIMULATOR))?;
    let simulator = release_program("weft-sim")?;
    let known = output(Command::new(&simulator).arg("--bugs"))?;
    let is_wanted = |bug: &&str| names.is_empty() || names.iter().any(|name| name == bug);
    let mut bugs: Vec<&str> = known.lines().filter(is_wanted).collect();
    let mut missed = Vec::new();
    for bug in &bugs {
        let start = Instant::now();
        let passes = |command: &mut Command| works(command.env("WEFT_PLANTED", bug));
        let schedules = ["--count", SCHEDULES, "--until-broken"];
        let caught = if !passes(Command::new(&simulator).args(schedules)) {
            "simulator"
        } else if !passes(&mut cargo(CORE)) {
            "tests of the core"
        } else {
            missed.push(*bug);
            "MISSED"
        };
        println!("{bug:<26}{caught:<20}{}", seconds(start.elapsed()));
    }
    for file in UNSYNCED.into_iter().filter(|_| names.is_empty()) {
        let start = Instant::now();
        let lost = ["lost-writes", "--points", "60", "--seconds", "3", "--unsynced", file];
        let is_caught = !works(Command::new(release_program("weft-harness")?).args(lost));
        let caught = if is_caught { "lost writes" } else { "MISSED" };
        println!("{:<26}{caught:<20}{}", format!("no sync of {file}"), seconds(start.elapsed()));
        bugs.push(file);
        missed.extend((!is_caught).then_some(file));
    }
    println!("{} of {} defects caught", bugs.len() - missed.len(), bugs.len());
    if bugs.is_empty() || !missed.is_empty() {
        bail!("not caught: {}", missed.join(", "));
    }
    Ok(())
}
