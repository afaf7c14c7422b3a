//! Drives a real, release-built server over real sockets, and breaks things under it.
//!
//! `crash`: clients type over a bad network while the server is killed with -9 at random moments; whatever
//! a client was told is saved is there exactly once afterwards, and all replicas are equal. `full-disk`: the
//! same with a disk that fills up and empties again. `lost-writes`: power failures, from a record of what was
//! written and synced. They print their seed and what they counted, and fail on the first loss. `hold-log` makes
//! commits slow, for the tests of others.
#![allow(clippy::print_stdout, reason = "a command-line tool says what it did")]

mod api;
mod crash;
mod disk;
mod full_disk;
mod hold_log;
mod ledger;
mod lost_writes;
mod proxy;
mod record;
mod server;
mod socket;
mod tally;
mod typist;
mod world;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Breaks things under a running Weft server, and looks for what was lost")]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Kill the server at random moments while clients type.
    Crash(crash::Crash),
    /// Fill the disk while clients type, then free it again.
    FullDisk(full_disk::FullDisk),
    /// Lose what was not synced, at many points.
    LostWrites(lost_writes::LostWrites),
    /// Hold the write lock of a running server's log until standard input ends.
    HoldLog(hold_log::HoldLog),
}

/// What every run needs.
#[derive(Args, Debug, Clone)]
pub struct Common {
    /// The server's program; beside this one, unless said otherwise.
    #[arg(long)]
    server: Option<PathBuf>,
    /// Repeats a run's choices (not its timing).
    #[arg(long)]
    seed: Option<u64>,
    /// Clients that type at once.
    #[arg(long, default_value_t = 20)]
    clients: usize,
    /// Rooms that they share. Every fifth is a group order, the others are documents.
    #[arg(long, default_value_t = 10)]
    rooms: usize,
}

impl Common {
    fn server(&self) -> anyhow::Result<PathBuf> {
        match &self.server {
            Some(path) => Ok(path.clone()),
            None => Ok(std::env::current_exe()?.with_file_name("weft")),
        }
    }

    fn seed(&self) -> u64 {
        use std::time::{SystemTime, UNIX_EPOCH};
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.seed.unwrap_or_else(|| clock().as_nanos() as u64)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // The HTTP client wants one, also where nothing is encrypted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match Cli::parse().what {
        What::Crash(crash) => crash.run().await,
        What::FullDisk(full_disk) => full_disk.run().await,
        What::LostWrites(lost_writes) => lost_writes.run().await,
        What::HoldLog(hold_log) => hold_log.run().await,
    }
}
