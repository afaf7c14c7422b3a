//! Reading a room from the log: snapshot, entries after it, ledgers.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use weft_core::{RoomId, room::Loaded};
#[cfg(not(test))]
use weft_proto::kinds::open;
pub use weft_proto::replay::Origin;
use weft_proto::replay::{Stored, Unreadable, replay};
use weft_store::{Log, LogError};

#[cfg(test)]
use super::tests::open;

/// Why a room could not be loaded. Its content is untouched (L6).
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// There is no entry 1.
    #[error("the room has no log")]
    Missing,
    /// Stored bytes are not what was written.
    #[error("what is stored is damaged: {0}")]
    Damaged(String),
    /// Replaying the entries made the machine panic: the room is set aside.
    #[error("replaying the log failed")]
    Panicked,
}

impl LoadError {
    /// Whether trying again later may help.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Log(LogError::Db { .. } | LogError::Io { .. } | LogError::Unavailable(_))
        )
    }
}

impl From<Unreadable> for LoadError {
    fn from(error: Unreadable) -> Self {
        Self::Damaged(error.0)
    }
}

/// Reads a room. Takes as long as replaying what was logged since the last snapshot.
pub async fn load(log: &Arc<dyn Log>, room: RoomId) -> Result<(Origin, Loaded), LoadError> {
    let stored = log.load(room).await?.ok_or(LoadError::Missing)?;
    let replayed = tokio::task::spawn_blocking(move || {
        let batches = stored.batches.into_iter().map(|batch| (batch.first_seq, batch.data));
        let stored = Stored {
            guard: stored.guard,
            snapshot: stored.snapshot,
            batches: batches.collect(),
            ledgers: stored.ledgers,
            head: stored.head,
        };
        match catch_unwind(AssertUnwindSafe(|| replay(stored, open))) {
            Ok(replayed) => replayed.map_err(LoadError::from),
            Err(_) => Err(LoadError::Panicked),
        }
    });
    replayed.await.unwrap_or(Err(LoadError::Panicked))
}
