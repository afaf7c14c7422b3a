//! What the SQLite log does when disk, file or neighbour misbehaves.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tokio::task::JoinSet;
use weft_store::{
    Append, Appended, CommitFault, Faults, INLINE_BYTES_MAX, Log, LogError, SqliteLog,
    SqliteLogOptions,
    contract::{append, fill, room, table::check, with_ledgers},
};

struct Home {
    folder: TempDir,
    faults: Arc<Faults>,
}

impl Home {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), faults: Arc::default() }
    }

    async fn open(&self) -> SqliteLog {
        self.try_open().await.unwrap()
    }

    async fn try_open(&self) -> Result<SqliteLog, LogError> {
        let options = SqliteLogOptions { faults: self.faults.clone(), ..Default::default() };
        SqliteLog::open(self.folder.path(), options).await
    }

    /// Does something to the tables behind the log's back.
    async fn tamper(&self, sql: &'static str) {
        let options = SqliteConnectOptions::new().filename(self.folder.path().join("log.db"));
        let mut connection = options.connect().await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// The blobs by age, oldest first.
    fn blobs(&self) -> Vec<PathBuf> {
        let inside = |path: &Path| -> Vec<PathBuf> {
            fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect()
        };
        let mut blobs: Vec<_> =
            inside(&self.folder.path().join("blobs")).iter().flat_map(|dir| inside(dir)).collect();
        blobs.sort_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
        blobs
    }
}

fn large(seq: u64, byte: u8) -> Append {
    Append { data: vec![byte; 200_000].into(), ..append(room(1), seq, 1) }
}

#[tokio::test]
async fn a_full_disk_fails_appends_and_more_space_lets_them_in_again() {
    let home = Home::new();
    let log = home.open().await;
    fill(&log, room(1), 3).await;
    let before = log.load(room(1)).await.unwrap();
    home.faults.set_pages_max(1);
    for _ in 0..3 {
        let refused = with_ledgers(large(4, 1), &[(9, "a")]);
        let Appended::Failed(reason) = log.append(refused).await else { panic!("it must fail") };
        assert!(reason.contains("full"), "{reason}");
        assert_eq!(log.load(room(1)).await.unwrap(), before, "and nothing is stored");
    }
    home.faults.set_pages_max(0);
    assert_eq!(log.append(large(4, 2)).await, Appended::Ok);
    log.close().await;
    let loaded = home.open().await.load(room(1)).await.unwrap().unwrap();
    assert_eq!((loaded.head, loaded.batches[3].data[0], loaded.ledgers.len()), (4, 2, 0));
}

#[tokio::test]
async fn after_an_unknown_outcome_loading_tells_what_happened() {
    for (fault, stored) in [(CommitFault::Lost, false), (CommitFault::Unheard, true)] {
        let home = Home::new();
        let log = home.open().await;
        fill(&log, room(1), 3).await;
        home.faults.fail_next_commit(fault);
        let next = with_ledgers(append(room(1), 4, 1), &[(9, "a")]);
        assert!(matches!(log.append(next.clone()).await, Appended::Unknown(_)));
        let loaded = log.load(room(1)).await.unwrap().unwrap();
        assert_eq!((loaded.head, loaded.ledgers.len()), if stored { (4, 1) } else { (3, 0) });
        let again = log.append(next).await;
        assert_eq!(again, if stored { Appended::Conflict { head: 4 } } else { Appended::Ok });
        assert_eq!(log.load(room(1)).await.unwrap().unwrap().head, 4);
    }
}

#[tokio::test]
async fn while_an_outcome_cannot_be_settled_rooms_are_not_loaded() {
    let home = Home::new();
    let log = home.open().await;
    fill(&log, room(1), 1).await;
    home.faults.fail_next_commit(CommitFault::Lost);
    assert!(matches!(log.append(append(room(1), 2, 1)).await, Appended::Unknown(_)));
    home.tamper("ALTER TABLE settled RENAME TO away").await;
    assert!(matches!(log.load(room(1)).await, Err(LogError::Unavailable(_))));
    assert!(matches!(log.append(append(room(1), 2, 1)).await, Appended::Failed(_)));
    home.tamper("ALTER TABLE away RENAME TO settled").await;
    check(
        &log,
        "
        load 1       | 7.0 1+1 to 1
        append 1 2+1 | ok
        ",
    )
    .await;
}

/// One handle's transactions wait for the other's; none is lost and none is stored twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_of_two_handles_interleave() {
    let home = Home::new();
    let logs = [Arc::new(home.open().await), Arc::new(home.open().await)];
    let mut tasks = JoinSet::new();
    for number in 0..40 {
        let log = logs[number % 2].clone();
        tasks.spawn(async move { fill(&*log, room(number as u64), 20).await });
    }
    tasks.join_all().await;
    for number in 0..40 {
        let loaded = logs[0].load(room(number)).await.unwrap().unwrap();
        assert_eq!((loaded.head, loaded.batches.len()), (20, 20));
    }
}

#[tokio::test]
async fn a_damaged_snapshot_is_passed_over() {
    let home = Home::new();
    let log = home.open().await;
    fill(&log, room(1), 9).await;
    let state = |byte| Bytes::from(vec![byte; INLINE_BYTES_MAX + 1]);
    log.put_snapshot(room(1), 5, state(5)).await.unwrap();
    let older = home.blobs();
    log.put_snapshot(room(1), 7, state(7)).await.unwrap();
    check(&log, "compact 1 6 | 6").await;

    let newest = home.blobs().into_iter().find(|path| is_snapshot(path) && !older.contains(path));
    fs::write(newest.unwrap(), b"rust").unwrap();
    let loaded = log.load(room(1)).await.unwrap().unwrap();
    assert_eq!(loaded.snapshot, Some((5, state(5))));
    assert_eq!(loaded.batches.len(), 4, "one of them from the archive");

    fs::remove_file(&older[0]).unwrap();
    check(&log, "load 1 | 7.0 1+1 2+1 3+1 4+1 5+1 6+1 7+1 8+1 9+1 to 9").await;

    for blob in home.blobs() {
        fs::write(blob, b"rust").unwrap();
    }
    assert!(
        matches!(log.load(room(1)).await, Err(LogError::Damaged { room: r, .. }) if r == room(1))
    );
    log.put_snapshot(room(1), 9, state(9)).await.unwrap();
    assert_eq!(log.load(room(1)).await.unwrap().unwrap().snapshot, Some((9, state(9))));
}

fn is_snapshot(path: &Path) -> bool {
    fs::metadata(path).unwrap().len() > INLINE_BYTES_MAX as u64
}

#[tokio::test]
async fn a_room_with_damage_is_an_error_and_the_others_go_on() {
    for (damage, sql) in [
        ("a hole", "DELETE FROM batches WHERE first_seq = 2"),
        ("no beginning", "DELETE FROM batches WHERE first_seq = 1"),
        ("no entries", "DELETE FROM batches"),
        ("an overlap", "UPDATE batches SET count = 2 WHERE first_seq = 2"),
        ("an empty batch", "UPDATE batches SET count = 0 WHERE first_seq = 2"),
        ("a negative seq", "UPDATE batches SET first_seq = -2 WHERE first_seq = 2"),
        ("other bytes", "UPDATE batches SET data = x'00' WHERE first_seq = 2"),
        ("other size", "UPDATE batches SET size = size + 1 WHERE first_seq = 2"),
        ("a lost blob", "UPDATE batches SET in_blob = 1 WHERE first_seq = 2"),
        ("no guard", "DELETE FROM rooms"),
        ("a negative guard", "UPDATE rooms SET access = -1"),
        ("only ledgers", "DELETE FROM rooms; DELETE FROM batches"),
        ("a future snapshot", "UPDATE snapshots SET seq = 9"),
        ("a snapshot elsewhere", "UPDATE snapshots SET seq = 4"),
    ] {
        let home = Home::new();
        let log = home.open().await;
        check(
            &log,
            "
            create 1 1 9=a | ok
            append 1 2+1   | ok
            append 1 3+3   | ok
            ",
        )
        .await;
        if damage.contains("snapshot") {
            check(&log, "snapshot 1 2 | ok").await;
        }
        home.tamper(sql).await;
        let loaded = log.load(room(1)).await;
        let Err(LogError::Damaged { room: named, what }) = loaded else {
            panic!("{damage}: {loaded:?}")
        };
        assert_eq!(named, room(1), "{damage}");
        assert!(!what.is_empty(), "{damage}");
        check(
            &log,
            "
            create 2 1 | ok
            load 2     | 7.0 1+1 to 1
            ",
        )
        .await;
    }
}

#[tokio::test]
async fn a_log_of_a_later_program_is_refused() {
    let home = Home::new();
    home.open().await.close().await;
    home.tamper("PRAGMA user_version = 2").await;
    assert!(matches!(home.try_open().await, Err(LogError::TooNew { found: 2, supported: 1 })));
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let log = SqliteLog::open(&data, SqliteLogOptions::default()).await.unwrap();
    fill(&log, room(1), 1).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let mut files = 0;
    for file in fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path()) {
        assert_eq!(mode(&file), if file.is_dir() { 0o700 } else { 0o600 }, "{}", file.display());
        files += 1;
    }
    assert!(files >= 3, "database, WAL, blobs");
}
