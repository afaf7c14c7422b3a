//! Measures Weft beside a bare relay and other Yjs back ends: `cargo xtask bench`.
//!
//! Every server is started here, alone, on a folder of its own, and stopped again. Figures that belong
//! together are taken in turns within one run, because only their ratio says something on a machine that
//! the generator shares with the server. `docs/performance.md` says what is measured and how to read it.
//!
//! Start at `typing`; `load` is one measurement, `crowd` the generator, `relay` the yardstick.
#![allow(clippy::print_stdout, reason = "a command-line tool says what it found")]

mod appends;
mod contender;
mod crowd;
mod history;
mod idle;
mod import;
mod line;
mod load;
mod most;
mod process;
mod relay;
mod report;
mod typing;
mod update;
mod voice;
mod wire;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Parser, Subcommand};
use serde_json::json;

use crate::{
    contender::{Contender, Yard},
    load::Spans,
    report::Section,
};

#[derive(Parser)]
#[command(about = "Measures Weft beside a bare relay and other Yjs back ends")]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Measure.
    Run(Run),
    /// Be the bare relay.
    Relay {
        /// Write what waits for a receiver at once.
        #[arg(long)]
        batched: bool,
    },
}

#[derive(Args)]
struct Run {
    /// What to measure; everything, unless named.
    names: Vec<String>,
    /// Small and short, to see that everything works: the figures mean little.
    #[arg(long)]
    quick: bool,
    /// Only these servers.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// A recorded editing history instead of the made-up one.
    #[arg(long)]
    trace: Option<PathBuf>,
    /// The server's program; beside this one, unless said otherwise.
    #[arg(long)]
    weft: Option<PathBuf>,
    /// The folder of the other back ends.
    #[arg(long, default_value = "bench/peers")]
    peers: PathBuf,
    /// Where servers write, which must be a real disk, and where the results go.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
}

/// A run.
pub struct Bench {
    yard: Yard,
    quick: bool,
    only: Vec<String>,
    trace: Option<PathBuf>,
}

impl Bench {
    /// Those that can be measured here and are asked for.
    fn contenders(&self) -> Vec<Contender> {
        let asked = |contender: &Contender| {
            self.only.is_empty() || self.only.iter().any(|name| name == contender.name())
        };
        let here = |contender: &Contender| self.yard.missing(*contender).is_none();
        Contender::ALL.into_iter().filter(asked).filter(here).collect()
    }

    fn spans(&self) -> Spans {
        let of = |rest, warm, window| Spans {
            rest: Duration::from_millis(rest),
            warm: Duration::from_millis(warm),
            window: Duration::from_millis(window),
        };
        if self.quick { of(200, 200, 800) } else { of(1_000, 3_000, 6_000) }
    }

    /// Where to write: a real disk, emptied afterwards.
    fn folder(&self) -> &Path {
        &self.yard.folder
    }

    fn say(&self, what: &str) {
        println!("  {what}");
    }
}

/// Measures one thing.
type Scenario = fn(&Bench) -> Result<Section>;

/// What can be measured, by name.
const SCENARIOS: [(&str, Scenario); 8] = [
    ("meetings", typing::meetings),
    ("lecture", typing::lecture),
    ("most", most::run),
    ("idle", idle::run),
    ("history", history::run),
    ("appends", appends::run),
    ("paced", appends::paced),
    ("import", import::run),
];

fn main() -> Result<()> {
    // The HTTP client wants one, also where nothing is encrypted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match Cli::parse().what {
        What::Run(run) => measure(run),
        What::Relay { batched } => relay::serve(batched),
    }
}

fn measure(run: Run) -> Result<()> {
    let known = |name: &String| SCENARIOS.iter().any(|(known, _)| known == name);
    if let Some(unknown) = run.names.iter().find(|name| !known(name)) {
        let names: Vec<&str> = SCENARIOS.iter().map(|(name, _)| *name).collect();
        bail!("nothing here is called {unknown}; there are {}", names.join(", "));
    }
    let is_server = |name: &String| Contender::ALL.iter().any(|server| server.name() == name);
    if let Some(unknown) = run.only.iter().find(|name| !is_server(name)) {
        let names = Contender::ALL.map(Contender::name);
        bail!("no server here is called {unknown}; there are {}", names.join(", "));
    }
    let weft = match run.weft {
        Some(weft) => weft,
        None => std::env::current_exe()?.with_file_name("weft"),
    };
    let data = run.folder.join(format!("data-{}", std::process::id()));
    let yard = Yard::new(weft, run.peers, data.clone())?;
    let bench = Bench { yard, quick: run.quick, only: run.only, trace: run.trace };
    for why in Contender::ALL.into_iter().filter_map(|contender| bench.yard.missing(contender)) {
        println!("left out: {why}");
    }
    let mut sections = Vec::new();
    for (name, scenario) in SCENARIOS {
        if run.names.is_empty() || run.names.iter().any(|asked| asked == name) {
            println!("{name}");
            let section = scenario(&bench).with_context(|| name.to_owned())?;
            println!("\n{}", section.table());
            sections.push(section);
        }
    }
    // After a failure it stays, with the servers' logs.
    let _ = fs::remove_dir_all(&data);
    let failed: Vec<String> =
        sections.iter_mut().filter_map(|section| section.failed.take()).collect();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let found: serde_json::Map<String, serde_json::Value> =
        sections.into_iter().map(|section| (section.name.to_owned(), section.json)).collect();
    let all = json!({
        "unix_seconds": now,
        "processors": std::thread::available_parallelism()?.get(),
        "quick": bench.quick,
        "found": found,
    });
    let file = run.folder.join(format!("{now}.json"));
    fs::write(&file, serde_json::to_string_pretty(&all)?)?;
    println!("written to {}", file.display());
    ensure!(failed.is_empty(), "{}", failed.join("; "));
    Ok(())
}
