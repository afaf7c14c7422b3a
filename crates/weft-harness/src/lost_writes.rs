//! `lost-writes`: power failures without a power switch. A server runs with `weft-shim` preloaded, which
//! records every write and sync, while clients type. Afterwards, for many points of the record, a folder
//! is made as a power failure at that point might have left it, a server is started on it, and whatever
//! clients had been told by then is there.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use clap::Args;
use fastrand::Rng;

use crate::{
    Common,
    record::{self, Disk, Record},
    server::Server,
    world::World,
};

#[derive(Args, Debug)]
pub struct LostWrites {
    #[command(flatten)]
    common: Common,
    /// How many points of the record are looked at.
    #[arg(long, default_value_t = 500)]
    points: usize,
    /// How long clients type, in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Points that are looked at at once.
    #[arg(long, default_value_t = 2)]
    at_once: usize,
    /// Take the syncs of the files of this name for nothing: the run must fail.
    #[arg(long)]
    unsynced: Option<String>,
}

impl LostWrites {
    pub async fn run(self) -> anyhow::Result<()> {
        let (program, seed) = (self.common.server()?, self.common.seed());
        println!("lost writes: {} points, seed {seed}", self.points);
        let folder = tempfile::tempdir().context("a temporary folder")?;
        // The shim sees paths as the kernel does.
        let path = folder.path().canonicalize()?;
        if let Err(error) = self.all(&program, seed, &path).await {
            println!("what is left: {}", folder.keep().display());
            return Err(error.context(format!("lost-writes failed with --seed {seed}")));
        }
        Ok(())
    }

    async fn all(&self, program: &Path, seed: u64, folder: &Path) -> anyhow::Result<()> {
        let mut dice = Rng::with_seed(seed);
        let started = Instant::now();
        let data = folder.join("data");
        let (world, records, typed_from) = self.record(program, folder, &data, &mut dice).await?;
        let writes = records.len() - typed_from;
        ensure!(writes > self.points, "{writes} writes and syncs are too few");
        let mut points: Vec<usize> = (0..self.points)
            .map(|_| dice.u64(typed_from as u64..records.len() as u64) as usize)
            .collect();
        points.sort_unstable();
        let (world, mut disk, mut played) = (Arc::new(world), Disk::new(self.unsynced.clone()), 0);
        let mut looking = tokio::task::JoinSet::new();
        for (n, point) in points.into_iter().enumerate() {
            records[played..point].iter().for_each(|record| disk.play(record));
            played = point;
            let left = folder.join(format!("point-{n}"));
            disk.fail(&data, &left.join("data"), &mut dice)?;
            if looking.len() >= self.at_once {
                looking.join_next().await.context("one is looked at")???;
            }
            let until = records[point].time;
            looking.spawn(look(program.to_owned(), left, Arc::clone(&world), until, point));
        }
        while let Some(looked) = looking.join_next().await {
            looked??;
        }
        println!(
            "lost writes: {} points among {writes} writes and syncs, {} operations saved, none lost, in {:.0?}",
            self.points,
            world.saved(),
            started.elapsed()
        );
        Ok(())
    }

    /// Runs clients against a recorded server. Gives them, what was recorded, and where the record of
    /// their typing begins.
    async fn record(
        &self,
        program: &Path,
        folder: &Path,
        data: &Path,
        dice: &mut Rng,
    ) -> anyhow::Result<(World, Vec<Record>, usize)> {
        let record_file = folder.join("record");
        let shim = std::env::current_exe()?.with_file_name("libweft_shim.so");
        ensure!(shim.exists(), "{} is not built", shim.display());
        let environment = [
            ("LD_PRELOAD", shim.as_path()),
            ("WEFT_SHIM_ROOT", data),
            ("WEFT_SHIM_LOG", record_file.as_path()),
        ];
        let server =
            Server::start_with(program, data, &folder.join("server.log"), &environment).await?;
        let world = World::make(&server.url, &self.common).await?;
        let typed_from = record::read(&record_file)?.len();
        let shift = world.work(&server.url, 1, dice);
        tokio::time::sleep(Duration::from_secs(self.seconds)).await;
        world.finish(&server.url, shift).await?;
        server.kill().await?;
        Ok((world, record::read(&record_file)?, typed_from))
    }
}

/// Starts a server on what a power failure left, and looks for what clients had been told by then.
async fn look(
    program: PathBuf,
    left: PathBuf,
    world: Arc<World>,
    until: u64,
    point: usize,
) -> anyhow::Result<()> {
    let what = || format!("after a power failure at record {point}");
    let (data, log) = (left.join("data"), left.join("server.log"));
    let server = Server::start(&program, &data, &log).await.with_context(what)?;
    world.check_as_of(&server.url, until).await.with_context(what)?;
    server.kill().await?;
    std::fs::remove_dir_all(&left)?;
    Ok(())
}
