//! `crash`: kill -9 at random moments, restart on the same folder, look as a newcomer.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;

use crate::{Common, dice::Dice, server::Server, world::World};

/// How long every client may take to get all its answers once the server is back.
const SETTLE_MAX: Duration = Duration::from_secs(60);

#[derive(Args, Debug)]
pub struct Crash {
    #[command(flatten)]
    common: Common,
    /// How often the server is killed.
    #[arg(long, default_value_t = 50)]
    rounds: usize,
}

impl Crash {
    pub async fn run(self) -> anyhow::Result<()> {
        let (program, seed) = (self.common.server()?, self.common.seed());
        let (clients, rooms) = (self.common.clients, self.common.rooms);
        println!("crash: {} rounds, {clients} clients, {rooms} rooms, seed {seed}", self.rounds);
        let folder = tempfile::tempdir().context("a temporary folder")?;
        if let Err(error) = self.rounds(&program, seed, folder.path()).await {
            println!("what is left: {}", folder.keep().display());
            return Err(error.context(format!("crash failed with --seed {seed}")));
        }
        Ok(())
    }

    async fn rounds(&self, program: &Path, seed: u64, folder: &Path) -> anyhow::Result<()> {
        let (data, log) = (folder.join("data"), folder.join("server.log"));
        let mut dice = Dice::new(seed);
        let started = Instant::now();
        let mut server = Server::start(program, &data, &log).await?;
        let world = World::make(&server.url, &self.common).await?;
        for round in 1..=self.rounds {
            // Every other time the same clients come back and send again what was unanswered;
            // else only newcomers look at what is left.
            let comes_back = round % 2 == 0;
            let shift = world.work(&server.url, comes_back, round, &mut dice);
            tokio::time::sleep(Duration::from_millis(dice.pick(100..1200))).await;
            server.kill().await?;
            server = Server::start(program, &data, &log).await?;
            if comes_back {
                server.url.clone_into(&mut shift.signals.url.lock().expect("no panic"));
                let settled = tokio::time::timeout(SETTLE_MAX, shift.finish()).await;
                settled.context("not everything was answered in time")??;
            } else {
                shift.drop_everything().await?;
            }
            world.check(&server.url).await.with_context(|| format!("after kill {round}"))?;
        }
        server.kill().await?;
        println!(
            "crash: {} kills, {} operations saved, each there exactly once, in {:.0?}",
            self.rounds,
            world.saved(),
            started.elapsed()
        );
        Ok(())
    }
}
