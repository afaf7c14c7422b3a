//! Makes a server's commits slow: holds the write lock of its log, as a stalled disk would.

use std::path::PathBuf;

use clap::Args;
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use tokio::io::AsyncReadExt;

#[derive(Args)]
pub struct HoldLog {
    /// The log's database: `log.db` in the server's data folder.
    file: PathBuf,
}

impl HoldLog {
    /// Takes the lock, says so, and lets go when its standard input ends. The server's commits
    /// fail if that takes longer than its writer waits for the lock.
    pub async fn run(&self) -> anyhow::Result<()> {
        let mut log = SqliteConnectOptions::new().filename(&self.file).connect().await?;
        let held = log.begin_with("BEGIN IMMEDIATE").await?;
        println!("held");
        tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
        held.rollback().await?;
        println!("released");
        Ok(())
    }
}
