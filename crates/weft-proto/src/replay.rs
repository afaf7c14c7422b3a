//! A room as it was, from what the log keeps of it.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use weft_core::{Body, ClientId, Entry, Guard, Seq, machine::Machine, planted, room::Loaded};

use crate::{FormatError, kinds::OpenError, log};

/// What the log keeps of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The guard for the next append.
    pub guard: Guard,
    /// The newest snapshot, and the seq it stands at.
    pub snapshot: Option<(Seq, Bytes)>,
    /// Every batch after it by the seq of its first entry, ascending, without holes.
    pub batches: Vec<(Seq, Bytes)>,
    /// The ledgers.
    pub ledgers: Vec<(ClientId, Bytes)>,
    /// Seq of the last entry.
    pub head: Seq,
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

/// Stored bytes are not what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what is stored is damaged: {0}")]
pub struct Unreadable(pub String);

impl From<FormatError> for Unreadable {
    fn from(error: FormatError) -> Self {
        Self(error.to_string())
    }
}

/// How a machine of a kind is made, empty or from a state: [`kinds::open`](crate::kinds::open).
pub type Open = fn(&str, Option<&Bytes>) -> Result<Box<dyn Machine>, OpenError>;

/// Decodes a room and replays what was logged since the last snapshot.
///
/// # Errors
/// [`Unreadable`]. A kind's own code may panic on what it does not expect; the caller catches that.
pub fn replay(stored: Stored, open: Open) -> Result<(Origin, Loaded), Unreadable> {
    let mut entries: Vec<Arc<Entry>> = Vec::new();
    for (first_seq, data) in &stored.batches {
        entries.extend(log::decode_batch(*first_seq, data)?);
    }
    if planted!(LoadWithoutTail) && stored.snapshot.is_some() {
        entries.clear();
    }
    let snapshot = match &stored.snapshot {
        None => None,
        Some((seq, bytes)) => Some(log::decode_snapshot(bytes)?).filter(|s| s.seq == *seq),
    };
    let origin = match (&snapshot, entries.first().map(|entry| &entry.body)) {
        (Some(s), _) => Origin { kind: s.kind.clone(), epoch: s.epoch, lineage: s.lineage },
        (None, Some(Body::Created { kind, epoch, lineage })) => {
            Origin { kind: kind.clone(), epoch: *epoch, lineage: *lineage }
        }
        _ => return Err(Unreadable("no entry 1".to_owned())),
    };
    let state: Option<&Bytes> = snapshot.as_ref().map(|snapshot| &snapshot.state);
    let mut machine = open(&origin.kind, state).map_err(|e| Unreadable(e.to_string()))?;
    for entry in &entries {
        if let Body::Effect(effect) = &entry.body {
            let unreadable = |e| Unreadable(format!("entry {}: {e}", entry.seq));
            machine.apply(effect).map_err(unreadable)?;
        }
    }
    let mut ledgers = BTreeMap::new();
    let is_forgotten = planted!(LoadWithoutLedgers) && snapshot.is_some();
    for (client, bytes) in stored.ledgers.iter().filter(|_| !is_forgotten) {
        ledgers.insert(*client, log::decode_ledger(bytes)?);
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
