//! The log alone. How fast: durable appends per second against a bare write + fdatasync of as many
//! bytes, at several group sizes. How cheap: appends that come at a pace, as people type.
//!
//! A group of n is n rooms, each with one append of 100 bytes and one ledger under way. At a pace,
//! appends are due at random moments that repeat from run to run; a room whose last one is still
//! under way sends the next when it is done, and latency counts from when it was due.

use std::{
    fs,
    io::Write,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use fastrand::Rng;
use serde_json::json;
use tokio::{sync::mpsc, task::JoinSet};
use weft_core::ClientId;
use weft_store::{
    Append, Appended, Log, SqliteLog, SqliteLogOptions,
    contract::{append, room},
};

use crate::{
    Bench,
    process::own_cpu_us,
    report::{Section, Spread, percentile},
};

const ENTRY_BYTES: usize = 100;
/// Rooms that are typed into at a pace.
const PACED_ROOMS: u64 = 50;

/// Measures every group size.
pub fn run(bench: &Bench) -> Result<Section> {
    let groups: &[u64] = if bench.quick { &[1, 16] } else { &[1, 16, 128, 1024] };
    let span = if bench.quick { Duration::from_millis(300) } else { Duration::from_secs(3) };
    // The server's own runtime has as many threads.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut rows = Vec::new();
    let mut json = Vec::new();
    for &group in groups {
        let folder = bench.folder().join(format!("appends-{group}"));
        fs::create_dir_all(&folder)?;
        let store = Arc::new(runtime.block_on(open(&folder, group))?);
        // In turns, because the machine's speed drifts.
        let (mut raw, mut log) = (Vec::new(), Vec::new());
        for turn in 0..3 {
            raw.push(raw_rate(&folder, group as usize, span)?);
            log.push(runtime.block_on(log_rate(&store, group, turn, span))?);
        }
        let ratio = Spread::of(log.iter().zip(&raw).map(|(log, raw)| log / raw));
        let (raw, log) = (Spread::of(raw), Spread::of(log));
        bench.say(&format!("appends: group {group}: {:.2}", ratio.median));
        rows.push(vec![group.to_string(), raw.show(0), log.show(0), ratio.show(2)]);
        json.push(json!({
            "group": group,
            "raw_per_second": raw.json(),
            "log_per_second": log.json(),
            "ratio": ratio.json(),
        }));
        runtime.block_on(store.close());
        let _ = fs::remove_dir_all(&folder);
    }
    Ok(Section {
        name: "appends",
        title: "Durable appends of 100 bytes, with a ledger each, against write + fdatasync"
            .to_owned(),
        columns: vec!["group", "raw/s", "log/s", "log / raw"],
        rows,
        failed: None,
        json: json!(json),
    })
}

/// Measures several paces.
pub fn paced(bench: &Bench) -> Result<Section> {
    let paces: &[u64] = if bench.quick { &[500] } else { &[50, 500, 2_500, 10_000] };
    let span = Duration::from_millis(if bench.quick { 500 } else { 5_000 });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut rows = Vec::new();
    let mut json = Vec::new();
    for &pace in paces {
        let folder = bench.folder().join(format!("paced-{pace}"));
        fs::create_dir_all(&folder)?;
        let store = Arc::new(runtime.block_on(open(&folder, PACED_ROOMS))?);
        let (mut cpu, mut p50, mut p99) = (Vec::new(), Vec::new(), Vec::new());
        for turn in 0..3 {
            let before = own_cpu_us()?;
            let mut latencies = runtime.block_on(latencies_us(&store, pace, turn, span))?;
            cpu.push((own_cpu_us()? - before) as f64 / latencies.len() as f64);
            p50.push(percentile(&mut latencies, 50) / 1e3);
            p99.push(percentile(&mut latencies, 99) / 1e3);
        }
        let (cpu, p50, p99) = (Spread::of(cpu), Spread::of(p50), Spread::of(p99));
        bench.say(&format!("paced: {pace}/s: {:.0} us", cpu.median));
        rows.push(vec![pace.to_string(), cpu.show(0), p50.show(1), p99.show(1)]);
        json.push(json!({
            "per_second": pace,
            "cpu_us": cpu.json(),
            "p50_ms": p50.json(),
            "p99_ms": p99.json(),
        }));
        runtime.block_on(store.close());
        let _ = fs::remove_dir_all(&folder);
    }
    Ok(Section {
        name: "paced",
        title: format!("Durable appends to {PACED_ROOMS} rooms at a pace"),
        columns: vec!["appends/s", "CPU us/append", "p50 ms", "p99 ms"],
        rows,
        failed: None,
        json: json!(json),
    })
}

fn raw_rate(folder: &Path, group: usize, span: Duration) -> Result<f64> {
    let mut file = fs::File::create(folder.join("raw"))?;
    let bytes = vec![7; group * ENTRY_BYTES];
    let (start, mut appends) = (Instant::now(), 0);
    while start.elapsed() < span {
        file.write_all(&bytes)?;
        file.sync_data()?;
        appends += group;
    }
    Ok(appends as f64 / start.elapsed().as_secs_f64())
}

async fn open(folder: &Path, rooms: u64) -> Result<SqliteLog> {
    let log = SqliteLog::open(folder, SqliteLogOptions::default()).await?;
    for number in 0..rooms {
        ensure!(log.create(append(room(number), 1, 1)).await == Appended::Ok, "a room is made");
    }
    Ok(log)
}

async fn log_rate(log: &Arc<SqliteLog>, rooms: u64, turn: u64, span: Duration) -> Result<f64> {
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for number in 0..rooms {
        let log = Arc::clone(log);
        tasks.spawn(async move {
            let id = room(number);
            let loaded = log.load(id).await?.context("the room is there")?;
            let data = Bytes::from(vec![7; ENTRY_BYTES]);
            let (mut seq, first) = (loaded.head, loaded.head);
            while start.elapsed() < span {
                seq += 1;
                let ledgers = vec![(ClientId(turn), Bytes::from(vec![7; 20]))];
                let next = Append { data: data.clone(), ledgers, ..append(id, seq, 1) };
                ensure!(log.append(next).await == Appended::Ok, "an append is stored");
            }
            Ok(seq - first)
        });
    }
    let mut appends = 0;
    while let Some(done) = tasks.join_next().await {
        appends += done??;
    }
    Ok(appends as f64 / start.elapsed().as_secs_f64())
}

/// Of each append, from when it was due until it was stored.
async fn latencies_us(
    log: &Arc<SqliteLog>,
    pace: u64,
    turn: u64,
    span: Duration,
) -> Result<Vec<u32>> {
    let mut tasks = JoinSet::new();
    let mut rooms = Vec::new();
    for number in 0..PACED_ROOMS {
        let (log, (sender, mut due)) = (Arc::clone(log), mpsc::unbounded_channel::<Instant>());
        rooms.push(sender);
        tasks.spawn(async move {
            let id = room(number);
            let mut seq = log.load(id).await?.context("the room is there")?.head;
            let data = Bytes::from(vec![7; ENTRY_BYTES]);
            let mut latencies = Vec::new();
            while let Some(due) = due.recv().await {
                seq += 1;
                let ledgers = vec![(ClientId(turn), Bytes::from(vec![7; 20]))];
                let next = Append { data: data.clone(), ledgers, ..append(id, seq, 1) };
                ensure!(log.append(next).await == Appended::Ok, "an append is stored");
                latencies.push(u32::try_from(due.elapsed().as_micros())?);
            }
            anyhow::Ok(latencies)
        });
    }
    // A thread of its own: the runtime's timers are too coarse.
    thread::spawn(move || {
        let mut dice = Rng::with_seed(turn);
        let (start, mut due) = (Instant::now(), Duration::ZERO);
        while due < span {
            thread::sleep((start + due).saturating_duration_since(Instant::now()));
            let room = &rooms[dice.u64(..PACED_ROOMS) as usize];
            if room.send(start + due).is_err() {
                return; // Its task says why.
            }
            due += Duration::from_secs_f64(-(1.0 - dice.f64()).ln() / pace as f64);
        }
    });
    let mut latencies = Vec::new();
    while let Some(done) = tasks.join_next().await {
        latencies.extend(done??);
    }
    Ok(latencies)
}
