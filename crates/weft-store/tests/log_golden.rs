//! Logs of earlier versions stay readable (L7).
//!
//! `golden/log-v1` was written by the first version and is never written again. A new version adds
//! a folder of its own: `WEFT_WRITE_GOLDEN=1 cargo test -p weft-store --test log_golden`.

use std::{fs, path::Path};

use weft_store::{
    Log, SqliteLog, SqliteLogOptions,
    contract::{fill, room, table::check},
};

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

/// Two rooms: one with archive, snapshots and ledgers, one just created.
async fn write(dir: &Path) {
    let log = open(dir).await;
    fill(&log, room(1), 6).await;
    check(
        &log,
        "
        snapshot 1 4             | ok
        snapshot 1 6             | ok
        compact 1 5              | 5
        raise 1                  | 1
        append 1 7+3 @7.1 9=a 5=b | ok
        append 1 10+0 @7.1 9=c   | ok
        create 2 1               | ok
        ",
    )
    .await;
    log.close().await;
}

#[tokio::test]
async fn version_1_is_read_and_written_on() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/log-v1");
    if std::env::var_os("WEFT_WRITE_GOLDEN").is_some() && !golden.exists() {
        write(&golden).await;
    }
    let folder = tempfile::tempdir().unwrap();
    copy(&golden, folder.path());
    let log = open(folder.path()).await;
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
