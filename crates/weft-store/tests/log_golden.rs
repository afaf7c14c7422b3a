//! Logs of earlier versions stay readable (L7).
//!
//! `golden/log-vN` was written by the program that brought version N and is never written again; a
//! new version adds a folder of its own and a test that reads it.

use std::{fs, path::Path};

use weft_store::{SqliteLog, SqliteLogOptions, contract::table::check};

async fn open(dir: &Path) -> SqliteLog {
    SqliteLog::open(dir, SqliteLogOptions::default()).await.unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Opens a copy of a golden log.
async fn open_golden(name: &str, folder: &Path) -> SqliteLog {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name), folder);
    open(folder).await
}

/// Two rooms: one with archive, snapshots and ledgers, one just created.
#[tokio::test]
async fn version_1_is_read_and_written_on() {
    let folder = tempfile::tempdir().unwrap();
    let log = open_golden("log-v1", folder.path()).await;
    check(
        &log,
        "
        load 1             | 7.1 at 6 7+3 5=b 9=c to 9
        history 1 0        | 1+1 2+1 3+1 4+1 5+1 6+1 7+3
        load 2             | 7.0 1+1 to 1
        append 1 10+1 @7.1 | ok
        append 2 2+1 9=x   | ok
        snapshot 1 10      | ok
        compact 1 9        | 2
        load 1             | 7.1 at 10 5=b 9=c to 10
        history 1 0        | 1+1 2+1 3+1 4+1 5+1 6+1 7+3 10+1
        ",
    )
    .await;
}

/// As version 1, but both rooms have changes in the journal, and a third one has nothing else.
#[tokio::test]
async fn version_2_is_read_and_written_on() {
    let folder = tempfile::tempdir().unwrap();
    let log = open_golden("log-v2", folder.path()).await;
    check(
        &log,
        "
        append 3 2+1       | ok
        append 1 10+1      | denied 7.1
        load 1             | 7.1 at 6 7+3 5=b 9=c to 9
        history 1 0        | 1+1 2+1 3+1 4+1 5+1 6+1 7+3
        load 2             | 7.0 1+1 2+2 3=x to 3
        load 3             | 7.0 1+1 2+1 to 2
        append 1 10+1 @7.1 | ok
        append 2 4+1 9=x   | ok
        snapshot 1 10      | ok
        compact 1 9        | 2
        load 1             | 7.1 at 10 5=b 9=c to 10
        load 2             | 7.0 1+1 2+2 4+1 3=x 9=x to 4
        ",
    )
    .await;
}

/// As version 2, and two rooms have had ledgers stored alone: one of them in the journal.
#[tokio::test]
async fn version_3_is_read_and_written_on() {
    let folder = tempfile::tempdir().unwrap();
    let log = open_golden("log-v3", folder.path()).await;
    check(
        &log,
        "
        load 1               | 7.1 at 6 7+3 5=b 9=c to 9
        load 2               | 7.0.1 1+1 2+2 4+1 3=x 8=r to 4
        load 3               | 7.0.1 1+1 2+1 8=s to 2
        append 2 5+1         | denied 7.0.1
        append 2 5+1 @7.0.1  | ok
        append 3 3+0 @7.0.1 8=t | ok
        load 3               | 7.0.2 1+1 2+1 8=t to 2
        raise 3              | 1
        load 3               | 7.1.2 1+1 2+1 8=t to 2
        ",
    )
    .await;
}
