//! A log whose files are damaged at random: a room is what it was, or an error, and nothing panics (L6).

#![allow(missing_docs, reason = "tests document themselves by their names")]
#![allow(clippy::print_stdout, reason = "how much was tried")]

#[allow(dead_code, reason = "shared with other tests")]
#[path = "../../weft-core/tests/hostile/mutate.rs"]
mod mutate;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use mutate::Dice;
use weft_core::Seq;
use weft_store::{
    Append, Appended, INLINE_BYTES_MAX, Loaded, Log as _, LogError, SqliteLog, SqliteLogOptions,
    StoredBatch,
    contract::{append, fill, room, with_ledgers},
};

const ROOMS: u64 = 4;
const PAGE: usize = 4096;

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

async fn open(folder: &Path) -> Result<SqliteLog, LogError> {
    SqliteLog::open(folder, SqliteLogOptions::default()).await
}

/// Rooms with ledgers and two snapshots, one of them in its row; every other room has an archive.
async fn make(folder: &Path) -> Vec<Before> {
    let log = open(folder).await.unwrap();
    let mut rooms = Vec::new();
    for number in 1..=ROOMS {
        let room = room(number);
        fill(&log, room, 30).await;
        let mut snapshots = Vec::new();
        for seq in [10, 20] {
            let state: Bytes = vec![number as u8; INLINE_BYTES_MAX - 15 + seq as usize].into();
            log.put_snapshot(room, seq, state.clone()).await.unwrap();
            snapshots.push((seq, state));
        }
        if number % 2 == 0 {
            log.compact(room, 15).await.unwrap();
        }
        let last = Append { data: vec![7; 900].into(), ..append(room, 31, 2) };
        assert_eq!(log.append(with_ledgers(last, &[(9, "a"), (10, "b")])).await, Appended::Ok);
        let loaded = log.load(room).await.unwrap().unwrap();
        let history = log.history(room, 0, usize::MAX).await.unwrap();
        rooms.push(Before { loaded, history, snapshots });
    }
    log.close().await;
    rooms
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            files(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
}

fn damage(dice: &mut Dice, bytes: &mut Vec<u8>) {
    let at = dice.below(bytes.len());
    let page = at / PAGE * PAGE;
    let end = (page + PAGE).min(bytes.len());
    match dice.below(8) {
        0..3 => bytes[at] ^= 1 << dice.below(8),
        // A page begins with how much is in it.
        3 => bytes[(page + dice.below(8)).min(end - 1)] ^= 1 << dice.below(8),
        4 => bytes[at] = dice.next() as u8,
        5 => bytes[page..end].fill(0),
        6 => bytes.truncate(at),
        _ => {
            let other = dice.below(bytes.len()) / PAGE * PAGE;
            let copy = bytes[other..(other + end - page).min(bytes.len())].to_vec();
            bytes[page..page + copy.len()].copy_from_slice(&copy);
        }
    }
}

/// What a room was: its whole history, the states that it has snapshots of, and the rest as loaded.
struct Before {
    loaded: Loaded,
    history: Vec<StoredBatch>,
    snapshots: Vec<(Seq, Bytes)>,
}

impl Before {
    /// Whether a load gives all of the content, from whichever snapshot. Ledgers and guards carry no digest
    /// of their own: damage that SQLite takes for well-formed goes unnoticed there, and is counted only.
    fn holds(&self, loaded: &Loaded) -> bool {
        let (snapshot, after) = match &loaded.snapshot {
            None => (true, 0),
            Some(snapshot) => (self.snapshots.contains(snapshot), snapshot.0),
        };
        let rest = self.history.iter().filter(|batch| batch.last_seq() > after);
        snapshot && rest.eq(&loaded.batches) && loaded.head == self.loaded.head
    }
}

#[tokio::test]
async fn l6_a_room_of_damaged_files_is_what_it_was_or_an_error() {
    let (cases, seed) = (number("WEFT_CASES", 200), number("WEFT_SEED", 1));
    let home = tempfile::tempdir().unwrap();
    let before = make(home.path()).await;
    let mut paths = Vec::new();
    files(home.path(), &mut paths);
    let contents: Vec<_> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    let mut dice = Dice(seed);
    let (mut whole, mut refused, mut unlike, mut others) = (0, 0, 0, Vec::new());
    for case in 0..cases {
        let place = tempfile::tempdir().unwrap();
        // The database more often than a blob.
        let last = paths.len() - 1;
        let hurt = dice.below(3 * paths.len()).min(last);
        for (index, (path, content)) in paths.iter().zip(&contents).enumerate() {
            let path = place.path().join(path.strip_prefix(home.path()).unwrap());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut content = content.clone();
            if index == hurt {
                damage(&mut dice, &mut content);
            }
            fs::write(path, content).unwrap();
        }
        let Ok(log) = open(place.path()).await else {
            refused += ROOMS;
            continue;
        };
        for (number, before) in (1..).zip(&before) {
            match log.load(room(number)).await {
                Err(_) => refused += 1,
                Ok(Some(loaded)) if before.holds(&loaded) => {
                    whole += 1;
                    unlike += u64::from(
                        loaded.ledgers != before.loaded.ledgers
                            || loaded.guard != before.loaded.guard,
                    );
                }
                Ok(found) => others.push(format!(
                    "case {case}, room {number}: {:?}",
                    found.map(|l| (l.head, l.batches.len(), l.snapshot.map(|s| s.0)))
                )),
            }
        }
        log.close().await;
    }
    println!(
        "{cases} damaged logs of seed {seed}: {whole} rooms whole ({unlike} with other ledgers or guards), {refused} refused"
    );
    assert!(others.is_empty(), "{} {others:#?}", others.len());
}
