//! Reading a room from the log: snapshot, entries after it, ledgers.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;
use weft_core::{Body, Entry, RoomId, room::Loaded};
use weft_proto::{FormatError, kinds, log as format};
use weft_store::{Loaded as Stored, Log, LogError};

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

impl From<FormatError> for LoadError {
    fn from(error: FormatError) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// What never changes about a room's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its kind.
    pub kind: String,
    /// The numbering with which it began.
    pub epoch: u64,
    /// Its content's lineage.
    pub lineage: u64,
}

/// Reads a room. Takes as long as replaying what was logged since the last snapshot.
pub async fn load(log: &Arc<dyn Log>, room: RoomId) -> Result<(Origin, Loaded), LoadError> {
    let stored = log.load(room).await?.ok_or(LoadError::Missing)?;
    let replayed = tokio::task::spawn_blocking(move || {
        catch_unwind(AssertUnwindSafe(|| replay(stored))).unwrap_or(Err(LoadError::Panicked))
    });
    replayed.await.unwrap_or(Err(LoadError::Panicked))
}

fn replay(stored: Stored) -> Result<(Origin, Loaded), LoadError> {
    let mut entries: Vec<Arc<Entry>> = Vec::new();
    for batch in &stored.batches {
        entries.extend(format::decode_batch(batch.first_seq, &batch.data)?);
    }
    let snapshot = match &stored.snapshot {
        None => None,
        Some((seq, bytes)) => Some(format::decode_snapshot(bytes)?).filter(|s| s.seq == *seq),
    };
    let origin = match (&snapshot, entries.first().map(|entry| &entry.body)) {
        (Some(s), _) => Origin { kind: s.kind.clone(), epoch: s.epoch, lineage: s.lineage },
        (None, Some(Body::Created { kind, epoch, lineage })) => {
            Origin { kind: kind.clone(), epoch: *epoch, lineage: *lineage }
        }
        _ => return Err(LoadError::Damaged("no entry 1".to_owned())),
    };
    let state: Option<&Bytes> = snapshot.as_ref().map(|snapshot| &snapshot.state);
    let mut machine =
        kinds::open(&origin.kind, state).map_err(|e| LoadError::Damaged(e.to_string()))?;
    for entry in &entries {
        if let Body::Effect(effect) = &entry.body {
            let damaged = |e| LoadError::Damaged(format!("entry {}: {e}", entry.seq));
            machine.apply(effect).map_err(damaged)?;
        }
    }
    let mut ledgers = BTreeMap::new();
    for (client, bytes) in &stored.ledgers {
        ledgers.insert(*client, format::decode_ledger(bytes)?);
    }
    let loaded = Loaded {
        guard: stored.guard,
        lineage: origin.lineage,
        machine,
        head: stored.head,
        snapshot: snapshot.map(|snapshot| (snapshot.seq, snapshot.state)),
        entries,
        ledgers,
    };
    Ok((origin, loaded))
}
