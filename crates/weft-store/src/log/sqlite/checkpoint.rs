//! Checkpoints: copying the WAL into the database file, beside the commits and not within them.
//!
//! A passive checkpoint holds nobody up but cannot end a WAL that keeps growing. When the WAL has
//! become long, the few pages that came since the passive one are copied with the writer held up,
//! and the WAL starts anew.

use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use tokio::sync::watch;

/// WAL length, in pages of 4 KiB, from which the writer is held up: 32 MiB.
const WAL_PAGES_MAX: i64 = 8192;

/// Checkpoints whenever enough was written, and a last time when the writer has ended.
pub(super) async fn run(mut connection: SqliteConnection, mut written: watch::Receiver<()>) {
    while written.changed().await.is_ok() {
        if let Err(error) = pass(&mut connection).await {
            // What is committed stays safe in the WAL; the next pass tries again.
            tracing::warn!(%error, "log: a checkpoint failed");
        }
    }
    if let Err(error) = checkpoint(&mut connection, "TRUNCATE").await {
        tracing::warn!(%error, "log: the last checkpoint failed");
    }
    let _ = connection.close().await;
}

async fn pass(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let pages = checkpoint(connection, "PASSIVE").await?;
    tracing::debug!(pages, "log: checkpoint");
    if pages > WAL_PAGES_MAX {
        checkpoint(connection, "RESTART").await?;
    }
    Ok(())
}

/// Gives the length of the WAL in pages.
async fn checkpoint(connection: &mut SqliteConnection, mode: &str) -> Result<i64, sqlx::Error> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    sqlx::query(AssertSqlSafe(sql)).fetch_one(connection).await?.try_get(1)
}
