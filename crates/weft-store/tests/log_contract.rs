//! The SQLite log keeps the contract of every log.

use std::sync::Arc;

use async_trait::async_trait;
use tempfile::TempDir;
use weft_store::{Log, SqliteLog, SqliteLogOptions, contract::Place, log_contract};

struct Folder(TempDir);

#[async_trait]
impl Place for Folder {
    async fn open(&self) -> Arc<dyn Log> {
        let dir = self.0.path().join("data");
        Arc::new(SqliteLog::open(&dir, SqliteLogOptions::default()).await.unwrap())
    }
}

log_contract!(Folder(tempfile::tempdir().unwrap()));
