//! `weft-sim`: runs schedules, or one of them with a readable trace.

#![allow(clippy::print_stdout, reason = "a tool talks to the person who runs it")]

use std::{
    ops::Range,
    process::ExitCode,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Instant,
};

use clap::Parser;
use weft_core::planted;
use weft_sim::{Counts, KINDS, Run, run};

/// Runs real rooms and clients on a simulated clock, network and database.
#[derive(Parser)]
struct Args {
    /// Run this schedule alone, and print what happens in it.
    #[arg(long)]
    seed: Option<u64>,
    /// The kind of rooms: order, doc, inbox. All unless given.
    #[arg(long)]
    kind: Option<String>,
    /// How many schedules of each kind.
    #[arg(long, default_value_t = 10_000)]
    count: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// End with the first schedule in which a rule is broken.
    #[arg(long)]
    until_broken: bool,
    /// Name the defects that can be planted in this build, and end.
    #[arg(long)]
    bugs: bool,
}

/// So many schedules of each kind come first if the first that breaks a rule is the last: most of what breaks
/// is seen in few schedules of the right kind.
const FIRST_ROUND: u64 = 200;

fn main() -> ExitCode {
    let args = Args::parse();
    if args.bugs {
        for bug in planted::Bug::ALL.iter().filter(|_| planted::IS_POSSIBLE) {
            println!("{bug:?}");
        }
        return ExitCode::SUCCESS;
    }
    let is_wanted = |kind: &&str| args.kind.as_deref().is_none_or(|wanted| wanted == *kind);
    // What panics is reported with its seed.
    std::panic::set_hook(Box::new(|_| {}));
    let mut is_well = true;
    for seeds in rounds(&args) {
        for kind in KINDS.into_iter().filter(is_wanted) {
            if args.until_broken && !is_well {
                return ExitCode::FAILURE;
            }
            is_well &= match args.seed {
                Some(seed) => one(kind, seed),
                None => many(kind, seeds.clone(), args.until_broken),
            };
        }
    }
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The seeds, in the rounds in which each kind has its turn.
fn rounds(args: &Args) -> impl Iterator<Item = Range<u64>> {
    let (first, end) = (args.first, args.first + args.count);
    let middle = if args.until_broken { end.min(first + FIRST_ROUND) } else { end };
    [first..middle, middle..end].into_iter().filter(|seeds| !seeds.is_empty())
}

fn one(kind: &'static str, seed: u64) -> bool {
    let Run { hash, counts, broken, trace } = run(kind, seed, true);
    println!("{trace}\n{kind} {seed}: {counts:?}, trace {hash:016x}");
    match &broken {
        Some(how) => println!("broken: {how}"),
        None => println!("nothing broken"),
    }
    broken.is_none()
}

fn many(kind: &'static str, seeds: Range<u64>, until_broken: bool) -> bool {
    let is_over = AtomicBool::new(false);
    let (next, start) = (AtomicU64::new(seeds.start), Instant::now());
    let work = || {
        let (mut all, mut failed) = (Counts::default(), Vec::new());
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end || is_over.load(Ordering::Relaxed) {
                return (all, failed);
            }
            let run = run(kind, seed, false);
            all.ops += run.counts.ops;
            all.faults += run.counts.faults;
            all.accepted += run.counts.accepted;
            all.refused += run.counts.refused;
            if let Some(how) = run.broken {
                is_over.fetch_or(until_broken, Ordering::Relaxed);
                failed.push((seed, how));
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut all = Counts::default();
    let mut failed = Vec::new();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            let (counts, broken) = worker.join().expect("schedules catch their panics");
            all.ops += counts.ops;
            all.faults += counts.faults;
            all.accepted += counts.accepted;
            all.refused += counts.refused;
            failed.extend(broken);
        }
    });
    failed.sort_unstable();
    let count = seeds.end - seeds.start;
    let minutes = start.elapsed().as_secs_f64() / 60.0;
    println!(
        "{kind}: {count} schedules ({:.0} a minute), {} operations ({} accepted, {} refused), {} faults, {} failed",
        count as f64 / minutes,
        all.ops,
        all.accepted,
        all.refused,
        all.faults,
        failed.len(),
    );
    for (seed, how) in failed.iter().take(20) {
        println!("  {kind} {seed}: {how}");
    }
    failed.is_empty()
}
