//! What the SQLite log does when disk, file or neighbour misbehaves.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
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

    async fn connect(&self) -> SqliteConnection {
        let file = self.folder.path().join("log.db");
        SqliteConnectOptions::new().filename(file).connect().await.unwrap()
    }

    /// Does something to the tables behind the log's back.
    async fn tamper(&self, sql: &'static str) {
        let mut connection = self.connect().await;
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Asks the tables behind the log's back.
    async fn number(&self, sql: &'static str) -> i64 {
        let mut connection = self.connect().await;
        let number = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        number
    }

    /// Counts rows that are committed and not filed yet.
    async fn unfiled(&self) -> i64 {
        self.number("SELECT COUNT(*) FROM journal").await
    }

    /// What a crash would leave now, as a home of its own.
    fn after_a_crash(&self) -> Self {
        let crashed = Self::new();
        copy(self.folder.path(), crashed.folder.path());
        crashed
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

/// Copies database, WAL and blobs, but not the shared memory of those who have it open.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else if !entry.file_name().to_string_lossy().ends_with("-shm") {
            fs::copy(entry.path(), target).unwrap();
        }
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

/// What is committed but not filed is loaded like all else: in place, and after a crash.
#[tokio::test]
async fn a_crash_before_filing_loses_nothing() {
    let home = Home::new();
    home.faults.hold_filing(true);
    let log = home.open().await;
    check(
        &log,
        "
        create 1 1 9=a      | ok
        append 1 2+2 9=b    | ok
        raise 1             | 1
        append 1 4+1 @7.1   | ok
        append 1 5+0 @7.1 3=x | ok
        create 2 2          | ok
        ",
    )
    .await;
    let big = Append { data: vec![8; INLINE_BYTES_MAX + 1].into(), ..append(room(2), 3, 1) };
    assert_eq!(log.append(big.clone()).await, Appended::Ok);
    assert_eq!(home.unfiled().await, 7);
    let expected = "
        load 1    | 7.1.1 1+1 2+2 4+1 3=x 9=b to 4
        history 2 2 | 3+1!
        ";
    check(&log, expected).await;
    // From the journal alone, and once more after it was filed and there was another crash.
    let crashed = home.after_a_crash();
    crashed.faults.hold_filing(true);
    let reopened = crashed.open().await;
    check(&reopened, expected).await;
    assert_eq!(crashed.unfiled().await, 7, "reading files nothing");
    file_all(&reopened).await;
    for home in [&crashed.after_a_crash(), &home.after_a_crash()] {
        let reopened = home.open().await;
        check(&reopened, expected).await;
        let loaded = reopened.load(room(2)).await.unwrap().unwrap();
        assert_eq!((loaded.head, &loaded.batches[1].data), (3, &big.data));
        check(&reopened, "append 1 5+1 | denied 7.1.1\n append 1 5+1 @7.1.1 | ok").await;
    }
    assert_eq!(crashed.unfiled().await, 0);
}

/// Moves everything that is unfiled to the tables: what a room waits for before it is compacted.
async fn file_all(log: &SqliteLog) {
    log.create(append(room(1000), 1, 1)).await; // Or it is there already.
    log.raise_access(room(1000)).await.unwrap();
    assert_eq!(log.compact(room(1000), 0).await.unwrap(), 0);
}

/// However much of a room is filed, it reads the same.
#[tokio::test]
async fn what_is_filed_cannot_be_told_by_reading() {
    let calls = [
        "create 1 2 9=a",
        "append 1 3+1 9=b 8=x",
        "append 1 4+0 7=y",
        "raise 1",
        "append 1 4+3 @7.1.1 8=z",
        "append 1 7+1 @7.1.1",
    ];
    let outcome = |call: &str| if call.starts_with("raise") { "1" } else { "ok" };
    let mut read = Vec::new();
    for filed in 0..=calls.len() {
        let home = Home::new();
        home.faults.hold_filing(true);
        let log = home.open().await;
        for (n, call) in calls.iter().enumerate() {
            if n == filed {
                file_all(&log).await;
            }
            check(&log, &format!("{call} | {}", outcome(call))).await;
        }
        if filed == calls.len() {
            file_all(&log).await;
        }
        check(&log, "load 1 | 7.1.1 1+2 3+1 4+3 7+1 7=y 8=z 9=b to 7").await;
        let mut history = Vec::new();
        for after in 0..8 {
            for bytes_max in [0, 40, 80, 120, usize::MAX] {
                history.push(log.history(room(1), after, bytes_max).await.unwrap());
            }
        }
        read.push((log.load(room(1)).await.unwrap(), history));
    }
    assert!(read.windows(2).all(|pair| pair[0] == pair[1]));
}

/// What one handle has filed, the other neither files again nor misses.
#[tokio::test]
async fn of_two_handles_either_files() {
    let home = Home::new();
    home.faults.hold_filing(true);
    let (one, other) = (home.open().await, home.open().await);
    fill(&one, room(1), 3).await;
    for seq in 4..=6 {
        let append = format!("append 1 {seq}+1 9={seq} | ok");
        check(&one, &append).await;
        let loaded = other.load(room(1)).await.unwrap();
        assert_eq!(loaded.as_ref().unwrap().head, seq);
        other.compact(room(1), 0).await.unwrap();
        assert_eq!(home.unfiled().await, 0, "the other has filed");
        assert_eq!(one.load(room(1)).await.unwrap(), loaded);
        one.put_snapshot(room(1), seq, "".into()).await.unwrap();
        assert_eq!(other.compact(room(1), seq - 1).await.unwrap(), if seq == 4 { 3 } else { 1 });
    }
}

#[tokio::test]
async fn filing_that_fails_loses_nothing_and_is_tried_again() {
    for fault in [CommitFault::Lost, CommitFault::Unheard] {
        let home = Home::new();
        home.faults.hold_filing(true);
        let log = home.open().await;
        fill(&log, room(1), 5).await;
        home.faults.fail_next_filing(fault);
        let refused = log.compact(room(1), 0).await;
        assert!(matches!(refused, Err(LogError::Unavailable(_))), "{fault:?}");
        let expected = "load 1 | 7.0 1+1 2+1 3+1 4+1 5+1 6+1 9=a to 6";
        check(
            &log,
            "
            load 1           | 7.0 1+1 2+1 3+1 4+1 5+1 to 5
            append 1 6+1 9=a | ok
            append 1 6+1     | conflict 6
            ",
        )
        .await;
        check(&log, expected).await;
        file_all(&log).await;
        assert_eq!(home.unfiled().await, 0);
        check(&log, expected).await;
    }
}

/// While there is no space to file them, changes are read from the journal, and the log can be
/// opened.
#[tokio::test]
async fn on_a_full_disk_unfiled_changes_are_read_and_not_lost() {
    let home = Home::new();
    home.faults.hold_filing(true);
    let log = home.open().await;
    fill(&log, room(1), 1).await;
    fill(&log, room(2), 1).await;
    file_all(&log).await;
    for seq in 2..=4 {
        assert_eq!(log.append(large(seq, seq as u8)).await, Appended::Ok);
    }
    let loaded = log.load(room(1)).await.unwrap();
    assert_eq!(loaded.as_ref().map(|loaded| loaded.head), Some(4));
    home.faults.set_pages_max(1);
    assert_eq!(log.load(room(1)).await.unwrap(), loaded);
    assert!(matches!(log.put_snapshot(room(1), 4, "".into()).await, Err(LogError::Unavailable(_))));
    assert!(matches!(log.compact(room(1), 4).await, Err(LogError::Unavailable(_))));
    assert_eq!(log.load(room(1)).await.unwrap(), loaded);
    check(&log, "load 2 | 7.0 1+1 to 1").await;
    log.close().await;
    let log = home.open().await;
    assert_eq!(log.load(room(1)).await.unwrap(), loaded);
    home.faults.set_pages_max(0);
    file_all(&log).await;
    assert_eq!(home.unfiled().await, 0);
    assert_eq!(log.load(room(1)).await.unwrap(), loaded);
}

/// Which rooms a damaged row is about nobody knows: so the log does not open, and one that is open
/// already reads nothing.
#[tokio::test]
async fn a_damaged_journal_is_an_error_for_the_whole_log() {
    for (damage, sql) in [
        ("other bytes", "UPDATE journal SET data = zeroblob(length(data)) WHERE n = 2"),
        ("no bytes", "UPDATE journal SET data = x'' WHERE n = 2"),
        ("other digest", "UPDATE journal SET digest = x'0011223344556677' WHERE n = 3"),
        ("a hole at the start", "DELETE FROM journal WHERE n = 1"),
        ("a hole", "DELETE FROM journal WHERE n = 2"),
        ("filed too far", "UPDATE filed SET n = 1"),
        ("nothing is filed", "DELETE FROM filed"),
        ("a negative number", "UPDATE filed SET n = -1"),
        ("no journal", "DROP TABLE journal"),
    ] {
        let home = Home::new();
        home.faults.hold_filing(true);
        let log = home.open().await;
        fill(&log, room(1), 3).await;
        home.tamper(sql).await;
        match home.try_open().await {
            Err(LogError::Journal { what, .. }) => assert!(!what.is_empty(), "{damage}"),
            Err(LogError::Db { .. }) if damage.starts_with("a neg") || damage == "no journal" => {}
            other => panic!("{damage}: {other:?}"),
        }
        // It forgets, and reads the journal anew.
        home.faults.fail_next_commit(CommitFault::Lost);
        assert_ne!(log.append(append(room(1), 4, 1)).await, Appended::Ok, "{damage}");
        for _ in 0..2 {
            let loaded = log.load(room(1)).await;
            assert!(matches!(loaded, Err(LogError::Unavailable(_))), "{damage}: {loaded:?}");
        }
        let refused = log.append(append(room(1), 4, 1)).await;
        assert!(matches!(refused, Appended::Failed(_)), "{damage}: {refused:?}");
    }
}

/// What is unfiled is bounded: rather than beyond it, appends wait for filing, or fail with it.
#[tokio::test]
async fn a_full_journal_is_filed_before_more_is_taken() {
    const FULL: u64 = 8 * 1024 * 1024 / 200_000 + 1;
    let home = Home::new();
    home.faults.hold_filing(true);
    let log = home.open().await;
    assert_eq!(log.create(large(1, 0)).await, Appended::Ok);
    for seq in 2..=FULL {
        assert_eq!(log.append(large(seq, seq as u8)).await, Appended::Ok);
    }
    assert_eq!(home.unfiled().await, FULL as i64);
    home.faults.fail_next_filing(CommitFault::Lost);
    assert!(matches!(log.append(large(FULL + 1, 1)).await, Appended::Failed(_)));
    assert_eq!(home.unfiled().await, FULL as i64);
    assert_eq!(log.append(large(FULL + 1, 2)).await, Appended::Ok);
    assert!(home.unfiled().await < FULL as i64);
    let loaded = log.load(room(1)).await.unwrap().unwrap();
    assert_eq!((loaded.head, loaded.batches.last().unwrap().data[0]), (FULL + 1, 2));
}

/// Files without being asked, once nobody has written for a while.
#[tokio::test]
async fn a_quiet_log_files() {
    let home = Home::new();
    let log = home.open().await;
    fill(&log, room(1), 3).await;
    while home.unfiled().await > 0 {
        tokio::task::yield_now().await;
    }
    check(&log, "load 1 | 7.0 1+1 2+1 3+1 to 3").await;
}

/// Filing keeps up with a log that is never quiet, and those who read meanwhile miss nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_log_files_and_keeps_every_append() {
    let home = Home::new();
    let log = Arc::new(home.open().await);
    let mut tasks = JoinSet::new();
    for number in 0..64 {
        let log = log.clone();
        tasks.spawn(async move {
            assert_eq!(log.create(append(room(number), 1, 1)).await, Appended::Ok);
            for seq in 2..=100 {
                let ledger = seq.to_string();
                let next = with_ledgers(append(room(number), seq, 1), &[(number, &ledger)]);
                assert_eq!(log.append(next).await, Appended::Ok);
                if (seq + number) % 10 == 0 {
                    let loaded = log.load(room(number)).await.unwrap().unwrap();
                    assert_eq!((loaded.head, loaded.batches.len()), (seq, seq as usize));
                    assert_eq!(loaded.ledgers, [(weft_core::ClientId(number), ledger.into())]);
                }
            }
        });
    }
    tasks.join_all().await;
    // Nothing may write while the files are copied: what was begun is done when this is answered.
    home.faults.hold_filing(true);
    assert!(matches!(log.raise_access(room(99)).await, Err(LogError::NoRoom(_))));
    assert!(home.number("SELECT n FROM filed").await > 0, "6,400 appends are more than may wait");
    let crashed_home = home.after_a_crash();
    let crashed = crashed_home.open().await;
    for number in 0..64 {
        let loaded = crashed.load(room(number)).await.unwrap().unwrap();
        assert_eq!((loaded.head, loaded.batches.len()), (100, 100));
        assert_eq!(loaded.ledgers, [(weft_core::ClientId(number), "100".into())]);
        assert_eq!(log.load(room(number)).await.unwrap(), Some(loaded));
    }
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
        file_all(&log).await;
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
    home.tamper("PRAGMA user_version = 4").await;
    assert!(matches!(home.try_open().await, Err(LogError::TooNew { found: 4, supported: 3 })));
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
