//! Drives a real, release-built server over real sockets, and breaks things under it.
//!
//! `crash`: clients type while the server is killed with -9 at random moments; whatever a client was
//! told is saved is there exactly once afterwards. `full-disk`: the same with a disk that fills up and
//! empties again. Both print their seed and what they counted, and fail on the first loss.
#![allow(clippy::print_stdout, reason = "a command-line tool says what it did")]

mod api;
mod crash;
mod dice;
mod disk;
mod full_disk;
mod ledger;
mod server;
mod socket;
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
    match Cli::parse().what {
        What::Crash(crash) => crash.run().await,
        What::FullDisk(full_disk) => full_disk.run().await,
    }
}
