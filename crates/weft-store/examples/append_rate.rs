//! Durable appends per second against a bare write + fdatasync of as many bytes, at several group
//! sizes: `cargo run --release -p weft-store --example append_rate [FOLDER [GROUP]]`.
//!
//! A group of n is n rooms, each with one append of 100 bytes and one ledger under way.

#![allow(clippy::print_stdout, reason = "the output is the program's purpose")]

use std::{
    env, fs,
    io::Write,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::task::JoinSet;
use weft_core::ClientId;
use weft_store::{
    Append, Appended, Log, SqliteLog, SqliteLogOptions,
    contract::{append, room},
};

const ENTRY_BYTES: usize = 100;
const RUN: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() {
    let folder = env::args().nth(1).unwrap_or_else(|| "target/append-rate".into());
    println!("group | raw/s | log/s | ratio");
    for group in env::args()
        .nth(2)
        .map_or(vec![1, 16, 128, 1024], |g| vec![g.parse().expect("a group size")])
    {
        let folder = Path::new(&folder).join(group.to_string());
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("the folder can be made");
        // In turns, because the machine's speed drifts.
        let (mut raw, mut log) = (0.0, 0.0);
        let store = Arc::new(open(&folder, group).await);
        for turn in 0..3 {
            raw += raw_rate(&folder, group as usize) / 3.0;
            log += log_rate(&store, group, turn).await / 3.0;
        }
        println!("{group:5} | {raw:7.0} | {log:7.0} | {:.2}", log / raw);
        store.close().await;
        let _ = fs::remove_dir_all(&folder);
    }
}

fn raw_rate(folder: &Path, group: usize) -> f64 {
    let mut file = fs::File::create(folder.join("raw")).expect("the file can be made");
    let bytes = vec![7; group * ENTRY_BYTES];
    let (start, mut appends) = (Instant::now(), 0);
    while start.elapsed() < RUN {
        file.write_all(&bytes).expect("the disk has space");
        file.sync_data().expect("the disk works");
        appends += group;
    }
    appends as f64 / start.elapsed().as_secs_f64()
}

async fn open(folder: &Path, rooms: u64) -> SqliteLog {
    let log = SqliteLog::open(folder, SqliteLogOptions::default()).await.expect("the log opens");
    for number in 0..rooms {
        assert_eq!(log.create(append(room(number), 1, 1)).await, Appended::Ok);
    }
    log
}

async fn log_rate(log: &Arc<SqliteLog>, rooms: u64, turn: u64) -> f64 {
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for number in 0..rooms {
        let log = log.clone();
        tasks.spawn(async move {
            let id = room(number);
            let loaded = log.load(id).await.expect("the room loads").expect("the room is there");
            let data = Bytes::from(vec![7; ENTRY_BYTES]);
            let (mut seq, first) = (loaded.head, loaded.head);
            while start.elapsed() < RUN {
                seq += 1;
                let ledgers = vec![(ClientId(turn), Bytes::from(vec![7; 20]))];
                let next = Append { data: data.clone(), ledgers, ..append(id, seq, 1) };
                assert_eq!(log.append(next).await, Appended::Ok);
            }
            seq - first
        });
    }
    let appends: u64 = tasks.join_all().await.into_iter().sum();
    appends as f64 / start.elapsed().as_secs_f64()
}
