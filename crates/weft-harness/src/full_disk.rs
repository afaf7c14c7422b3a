//! `full-disk`: the disk fills up while clients type, and has space again later. Nothing that was
//! saved is lost, nothing that was not is shown as saved, and everything is saved in the end.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use clap::Args;
use fastrand::Rng;

use crate::{Common, disk::SmallDisk, server::Server, world::World};

/// Bytes of the disk: room for the start, soon full.
const DISK_BYTES: u64 = 24 << 20;
/// How long clients may take to notice.
const NOTICE_MAX: Duration = Duration::from_secs(60);

#[derive(Args, Debug)]
pub struct FullDisk {
    #[command(flatten)]
    common: Common,
    /// How often the disk is filled.
    #[arg(long, default_value_t = 4)]
    rounds: usize,
}

impl FullDisk {
    pub async fn run(self) -> anyhow::Result<()> {
        let (program, seed) = (self.common.server()?, self.common.seed());
        println!("full-disk: {} rounds, seed {seed}", self.rounds);
        let folder = tempfile::tempdir().context("a temporary folder")?;
        let disk = SmallDisk::mount(&folder.path().join("disk"), DISK_BYTES)?;
        let mut dice = Rng::with_seed(seed);
        let (data, log) = (disk.path().join("data"), folder.path().join("server.log"));
        let mut server = Server::start(&program, &data, &log).await?;
        let world = World::make(&server.url, &self.common).await?;
        let started = Instant::now();
        let mut not_saved = 0;
        for round in 1..=self.rounds {
            let shift = world.work(&server.url, round, &mut dice);
            tokio::time::sleep(Duration::from_millis(dice.u64(300..900))).await;
            disk.fill()?;
            let signals = std::sync::Arc::clone(&shift.signals);
            let noticed = async {
                while signals.not_saved.load(Ordering::Relaxed) == 0 {
                    disk.fill()?;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                anyhow::Ok(())
            };
            tokio::time::timeout(NOTICE_MAX, noticed).await.context("nobody was told")??;
            let saved = world.saved();
            tokio::time::sleep(Duration::from_millis(dice.u64(200..800))).await;
            // Every other time the server dies while the disk is full.
            if round % 2 == 0 {
                server.kill().await?;
                disk.free()?;
                server = Server::start(&program, &data, &log).await?;
                server.url.clone_into(&mut signals.url.lock().expect("no panic"));
            } else {
                disk.free()?;
            }
            let finished = world.finish(&server.url, shift).await;
            finished.with_context(|| format!("after round {round}"))?;
            ensure!(world.saved() > saved, "typing goes on after the disk has space again");
            not_saved += signals.not_saved.load(Ordering::Relaxed);
        }
        server.kill().await?;
        println!(
            "full-disk: filled {} times, {not_saved} times told \"not saved\", {} operations saved, each there \
             exactly once, in {:.0?}",
            self.rounds,
            world.saved(),
            started.elapsed()
        );
        Ok(())
    }
}
