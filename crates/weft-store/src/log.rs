//! The log: what is in it is saved, what is not in it never happened.
//!
//! One trait, [`Log`], for every database. A room's log is a row of batches without holes (L2);
//! an append is *compare-and-append*: it names the seq it follows and the [`Guard`] it was decided
//! under, and stores its batch and the clients' ledgers in one transaction or leaves no trace.
//! Several nodes may append to one room: the primary key `(room, first_seq)` decides.
//!
//! Start at [`Log::append`] and [`Log::load`]. Bytes are opaque here; `proto/weft.proto` describes
//! them. Not here: who owns a room, titles, rights (the metadata).

use std::{io, path::PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use weft_core::{ClientId, Guard, RoomId, Seq};

pub(crate) mod segment;
pub(crate) mod sqlite;

/// One batch for one room, with the ledgers that de-duplicate it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// The room.
    pub room: RoomId,
    /// Seq of the batch's first entry: the head plus 1.
    pub first_seq: Seq,
    /// Entries in the batch. 0: `data` is empty and the ledgers alone are stored, which adds 1 to the
    /// guard's `answers`.
    pub count: u32,
    /// The batch, opaque.
    pub data: Bytes,
    /// Clients' ledgers, each in place of that client's previous one; the last of equals holds.
    pub ledgers: Vec<(ClientId, Bytes)>,
    /// What the writer believes.
    pub guard: Guard,
}

/// What became of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// Durable.
    Ok,
    /// Not stored: `first_seq` is not `head + 1`. The head is 0 for a room that is not there.
    Conflict {
        /// The room's head now.
        head: Seq,
    },
    /// Not stored: the guard has moved on.
    Denied {
        /// The room's guard now.
        guard: Guard,
    },
    /// Definitely not stored, for this reason (disk full, log closed, …).
    Failed(String),
    /// May be stored or not: [`Log::load`] the room before answering anybody, and never send the
    /// append again blindly (L5).
    Unknown(String),
}

/// A batch as it was appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBatch {
    /// Seq of the first entry.
    pub first_seq: Seq,
    /// Entries, 1 at least.
    pub count: u32,
    /// The batch, opaque.
    pub data: Bytes,
}

impl StoredBatch {
    /// Seq of the last entry.
    #[must_use]
    pub fn last_seq(&self) -> Seq {
        self.first_seq.saturating_add(u64::from(self.count)).saturating_sub(1)
    }
}

/// All that a room's task needs to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The guard for the next append.
    pub guard: Guard,
    /// The newest snapshot that could be read, and the seq it stands at.
    pub snapshot: Option<(Seq, Bytes)>,
    /// Every batch after the snapshot, ascending, without holes.
    pub batches: Vec<StoredBatch>,
    /// The ledgers, ascending by client.
    pub ledgers: Vec<(ClientId, Bytes)>,
    /// Seq of the last entry.
    pub head: Seq,
}

/// Why the log could not do something other than an append.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The database refused or broke.
    #[error("log: {what}")]
    Db {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file of the log could not be read or written.
    #[error("log: {what} {}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// What is stored contradicts itself. Never to be taken for an empty room (L6).
    #[error("room {room} is damaged: {what}")]
    Damaged {
        /// The room.
        room: RoomId,
        /// What is wrong with it.
        what: String,
    },
    /// What was committed last cannot be read: nobody knows which rooms it is about.
    #[error("the log's journal is damaged at {n}: {what}")]
    Journal {
        /// The row of the journal.
        n: u64,
        /// What is wrong with it.
        what: String,
    },
    /// A newer program wrote this log (L7).
    #[error("the log has format {found}, this program reads up to {supported}")]
    TooNew {
        /// The format on disk.
        found: i64,
        /// The newest format that this program knows.
        supported: i64,
    },
    /// The room has no log.
    #[error("room {0} has no log")]
    NoRoom(RoomId),
    /// A snapshot must stand where a live batch ends.
    #[error("room {room}: no batch ends at {seq}")]
    NotAnEnd {
        /// The room.
        room: RoomId,
        /// The seq that was given.
        seq: Seq,
    },
    /// The log does not take this now; nothing is known to be wrong with what is stored.
    #[error("log unavailable: {0}")]
    Unavailable(String),
}

impl LogError {
    /// For `map_err`: the database failed while doing `what`.
    pub(crate) fn db<E>(what: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |source| Self::Db { what, source: source.into() }
    }
}

/// A durable log of many rooms. Every database passes the suite in [`crate::contract`].
///
/// Dropping the future of a call that writes does not undo it: it may still be carried out.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// Makes the room: its guard and its first batch, in one transaction. `first.first_seq` is 1.
    ///
    /// A room that is there already is a [`Appended::Conflict`] with its head.
    async fn create(&self, first: Append) -> Appended;

    /// Stores one batch after the head, if the guard holds; or nothing at all. [`Appended::Ok`]
    /// comes after the fsync (L1).
    async fn append(&self, append: Append) -> Appended;

    /// Everything about the room that is needed to go on; `None` if it was never created.
    ///
    /// A snapshot that cannot be read is passed over for the one before it, or for the whole
    /// history.
    ///
    /// # Errors
    /// [`LogError::Damaged`] for a hole, an overlap, bytes that differ from their digest, or parts
    /// of a room without the rest. [`LogError::Unavailable`] while the outcome of an earlier commit
    /// is unknown and cannot be settled: never an older state.
    async fn load(&self, room: RoomId) -> Result<Option<Loaded>, LogError>;

    /// Adds 1 to the guard's `access`, durably, and gives the new value. Appends that carry the
    /// old one are denied from then on.
    ///
    /// # Errors
    /// [`LogError::NoRoom`]; [`LogError::Unavailable`] if it was not stored or may not have been:
    /// then try again, raising twice does no harm.
    async fn raise_access(&self, room: RoomId) -> Result<u64, LogError>;

    /// Keeps the room's state at `seq`, where a batch must end. The newest two are kept.
    ///
    /// # Errors
    /// [`LogError::NotAnEnd`] if no live batch ends there; [`LogError::Unavailable`] if it was not
    /// stored.
    async fn put_snapshot(&self, room: RoomId, seq: Seq, state: Bytes) -> Result<(), LogError>;

    /// Moves batches that end at `keep_after` or before into the archive, never beyond the newest
    /// snapshot and never the newest batch, in slices that hold no append up for long. Gives the
    /// number of batches moved. Broken off half-way, the next call goes on.
    ///
    /// # Errors
    /// As [`Log::load`] and [`Log::put_snapshot`].
    async fn compact(&self, room: RoomId, keep_after: Seq) -> Result<u64, LogError>;

    /// Batches with entries after `after`, archived or live, ascending, without holes; as many as
    /// fit in `bytes_max` bytes of data, but one at least if there is any. Empty: `after` is the
    /// head.
    ///
    /// # Errors
    /// As [`Log::load`]; [`LogError::NoRoom`].
    async fn history(
        &self,
        room: RoomId,
        after: Seq,
        bytes_max: usize,
    ) -> Result<Vec<StoredBatch>, LogError>;

    /// Bytes that the room takes: its batches, those of the archive as they lie there, and its snapshots. 0 for a
    /// room that is not there. Takes a reader's time, none of the writer's beyond a question.
    ///
    /// # Errors
    /// As [`Log::load`].
    async fn bytes_of(&self, room: RoomId) -> Result<u64, LogError>;

    /// Finishes what waits and lets go of the files. Appends fail from then on.
    async fn close(&self);
}
