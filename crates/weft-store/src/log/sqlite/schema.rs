//! The tables of `log.db`, their version, and how each kind of connection is opened.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::OpenFlags;
use sqlx::{
    ConnectOptions, Connection, SqliteConnection, SqlitePool,
    sqlite::{
        SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions,
        SqliteSynchronous,
    },
};

use super::LogError;
use crate::dir;

/// The newest format of `log.db` (`PRAGMA user_version`).
const VERSION: i64 = 3;
/// The WAL file is cut to this when it starts anew, in bytes.
const WAL_BYTES_KEPT: u32 = 64 * 1024 * 1024;
/// How long the writer waits to be let in, by a checkpoint that a stalled disk holds up, say. Longer
/// than such a stall usually is: what waits is saved in the end, what fails is told to people.
const WRITER_WAIT: Duration = Duration::from_secs(15);
/// More statements than the writer has: each stays prepared.
const WRITER_STATEMENTS: usize = 32;
/// How long a checkpoint that holds the writer up waits for readers to move on.
const CHECKPOINT_WAIT: Duration = Duration::from_millis(20);
/// A reader that has done nothing for so long gives its thread back.
const READER_IDLE: Duration = Duration::from_secs(60);

/// Rooms are numbered nowhere: their id is the key everywhere, so that tables can be copied
/// between databases. `data` comes last, so that SQLite finds the small columns in a row's first
/// bytes. Batches lie in the order of their commits with a small index beside them: laid out by
/// key, each room of a group would dirty a page of its own in every commit. Payload columns: see
/// `payload.rs`. `settled` has one row; see the writer.
const TABLES_1: &str = "
    CREATE TABLE rooms (
        room BLOB NOT NULL PRIMARY KEY, epoch INTEGER NOT NULL, access INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE batches (
        room BLOB NOT NULL, first_seq INTEGER NOT NULL, count INTEGER NOT NULL,
        in_blob INTEGER NOT NULL, size INTEGER NOT NULL, digest BLOB NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY (room, first_seq)
    ) STRICT;
    CREATE TABLE ledgers (
        room BLOB NOT NULL, client INTEGER NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY (room, client)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE snapshots (
        room BLOB NOT NULL, seq INTEGER NOT NULL,
        in_blob INTEGER NOT NULL, size INTEGER NOT NULL, digest BLOB NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY (room, seq)
    ) STRICT;
    CREATE TABLE segments (
        room BLOB NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
        in_blob INTEGER NOT NULL, size INTEGER NOT NULL, digest BLOB NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY (room, first_seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE settled (one INTEGER PRIMARY KEY CHECK (one = 1), times INTEGER NOT NULL) STRICT;
    INSERT INTO settled VALUES (1, 0);
";

/// What version 2 added. The journal holds the rows that are not filed, numbered without holes from
/// `filed.n + 1`; a number is never used again. `data`: see `journal.rs`.
const TABLES_2: &str = "
    CREATE TABLE journal (
        n INTEGER PRIMARY KEY, digest BLOB NOT NULL, data BLOB NOT NULL
    ) STRICT;
    CREATE TABLE filed (one INTEGER PRIMARY KEY CHECK (one = 1), n INTEGER NOT NULL) STRICT;
    INSERT INTO filed VALUES (1, 0);
    PRAGMA user_version = 2;
";

/// What version 3 added: commits of ledgers alone are counted.
const TABLES_3: &str = "
    ALTER TABLE rooms ADD COLUMN answers INTEGER NOT NULL DEFAULT 0;
    PRAGMA user_version = 3;
";

/// Makes folder, file and tables where they are missing, checks the version, and gives the file.
pub(super) async fn prepare(folder: &Path) -> Result<PathBuf, LogError> {
    let file = folder.join("log.db");
    dir::create(folder).map_err(failed("cannot create", folder))?;
    dir::create_file(&file).map_err(failed("cannot create", &file))?;
    let mut connection = open_new_or_old(&file).await?;
    check_durable(&mut connection).await?;
    if version(&mut connection).await? != VERSION {
        upgrade(&mut connection).await?;
    }
    connection.close().await.map_err(LogError::db("cannot close"))?;
    dir::sync(folder).map_err(failed("cannot sync", folder))?;
    Ok(file)
}

/// A file that is still empty gets its lasting settings. Setting them again would write, and so
/// keep the program from starting while the disk is full.
async fn open_new_or_old(file: &Path) -> Result<SqliteConnection, LogError> {
    let old = fs::metadata(file).map_err(failed("cannot look at", file))?.len() > 0;
    if old {
        return connect(options(file)).await;
    }
    let lasting = options(file)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal);
    connect(lasting).await
}

/// The connection that writes: a commit is fsynced, and never checkpoints.
pub(super) fn open_writer(file: &Path) -> Result<rusqlite::Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = rusqlite::Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(WRITER_WAIT)?;
    connection.set_prepared_statement_cache_capacity(WRITER_STATEMENTS);
    connection.execute_batch(&format!(
        "PRAGMA synchronous = FULL; \
         PRAGMA wal_autocheckpoint = 0; \
         PRAGMA journal_size_limit = {WAL_BYTES_KEPT}"
    ))?;
    Ok(connection)
}

/// The connection that copies the WAL into the database file.
pub(super) async fn open_checkpointer(file: &Path) -> Result<SqliteConnection, LogError> {
    connect(options(file).busy_timeout(CHECKPOINT_WAIT)).await
}

/// Connections that only read.
pub(super) async fn readers(file: &Path, readers_max: u32) -> Result<SqlitePool, LogError> {
    SqlitePoolOptions::new()
        .max_connections(readers_max.max(1))
        .idle_timeout(READER_IDLE)
        .connect_with(options(file).pragma("query_only", "ON"))
        .await
        .map_err(LogError::db("cannot open for reading"))
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", "0")
        .disable_statement_logging()
}

async fn connect(options: SqliteConnectOptions) -> Result<SqliteConnection, LogError> {
    options.connect().await.map_err(LogError::db("cannot open"))
}

/// Refuses a file that does not keep a WAL: without one a commit is not what it is here.
async fn check_durable(connection: &mut SqliteConnection) -> Result<(), LogError> {
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(connection)
        .await
        .map_err(LogError::db("cannot read the journal mode"))?;
    match mode.as_str() {
        "wal" => Ok(()),
        other => Err(LogError::Unavailable(format!("journal mode {other}, wal is needed"))),
    }
}

async fn version(connection: &mut SqliteConnection) -> Result<i64, LogError> {
    sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(connection)
        .await
        .map_err(LogError::db("cannot read the version"))
}

/// Makes the tables that are missing, in one transaction.
async fn upgrade(connection: &mut SqliteConnection) -> Result<(), LogError> {
    let what = "cannot make the tables";
    let mut transaction =
        connection.begin_with("BEGIN IMMEDIATE").await.map_err(LogError::db(what))?;
    // Read again: another process may have been faster.
    let missing: &[&str] = match version(&mut transaction).await? {
        0 => &[TABLES_1, TABLES_2, TABLES_3],
        1 => &[TABLES_2, TABLES_3],
        2 => &[TABLES_3],
        VERSION => &[],
        found => return Err(LogError::TooNew { found, supported: VERSION }),
    };
    for tables in missing {
        sqlx::raw_sql(*tables).execute(&mut *transaction).await.map_err(LogError::db(what))?;
    }
    transaction.commit().await.map_err(LogError::db(what))
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogError {
    let path = path.to_owned();
    move |source| LogError::Io { what, path, source }
}
