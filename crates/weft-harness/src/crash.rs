//! `crash`: kill -9 at random moments, restart on the same folder, look as a newcomer. Between clients and
//! server is a bad network.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use clap::Args;
use fastrand::Rng;

use crate::{
    Common,
    proxy::{FAULTS, Proxy},
    server::Server,
    world::World,
};

/// Rounds in which every fault must have happened.
const LONG_RUN: usize = 50;

#[derive(Args, Debug)]
pub struct Crash {
    #[command(flatten)]
    common: Common,
    /// How often the server is killed.
    #[arg(long, default_value_t = 50)]
    rounds: usize,
    /// Nothing happens to connections, other than by the kills.
    #[arg(long)]
    no_proxy: bool,
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
        let mut dice = Rng::with_seed(seed);
        let started = Instant::now();
        let mut server = Server::start(program, &data, &log).await?;
        let world = World::make(&server.url, &self.common).await?;
        let proxy = match self.no_proxy {
            true => None,
            false => Some(Proxy::start(dice.u64(..), Arc::clone(&world.tally)).await?),
        };
        for round in 1..=self.rounds {
            let url = lead(&proxy, &server)?;
            bad_weather(&proxy, true);
            let shift = world.work(&url, round, &mut dice);
            tokio::time::sleep(Duration::from_millis(dice.u64(100..800))).await;
            server.kill().await?;
            let what = || format!("after kill {round}");
            // Every other time the same clients come back, send again what was unanswered and type on,
            // until the weather is good again; else only newcomers look at what is left.
            if round % 2 == 0 {
                server = Server::start(program, &data, &log).await?;
                *shift.signals.url.lock().expect("no panic") = lead(&proxy, &server)?;
                tokio::time::sleep(Duration::from_millis(dice.u64(200..800))).await;
                bad_weather(&proxy, false);
                world.finish(&server.url, shift).await.with_context(what)?;
            } else {
                shift.drop_everything().await.with_context(what)?;
                server = Server::start(program, &data, &log).await?;
                world.check(&server.url).await.with_context(what)?;
            }
        }
        server.kill().await?;
        println!(
            "crash: {} kills, {} operations saved, each there exactly once, in {:.0?}",
            self.rounds,
            world.saved(),
            started.elapsed()
        );
        if proxy.is_some() {
            println!("crash: connections: {}", world.tally);
            // Resyncs are counted too, but a fast machine may see none.
            let missing = world.tally.missing(&[&FAULTS[..], &["silent"]].concat());
            ensure!(
                self.rounds < LONG_RUN || missing.is_empty(),
                "the network was too good: never {missing:?}"
            );
        }
        Ok(())
    }
}

/// Where clients find the server.
fn lead(proxy: &Option<Proxy>, server: &Server) -> anyhow::Result<String> {
    match proxy {
        None => Ok(server.url.clone()),
        Some(proxy) => {
            proxy.lead_to(&server.url)?;
            Ok(proxy.url.clone())
        }
    }
}

fn bad_weather(proxy: &Option<Proxy>, bad: bool) {
    if let Some(proxy) = proxy {
        proxy.bad_weather(bad);
    }
}
