//! The log in one SQLite file, `log.db`, with its large payloads in `blobs/` beside it.
//!
//! One thread ([`writer`]) owns the only connection that writes, and commits whatever waits, of all
//! rooms ([`groups`]), as one row of the [`journal`] with one fsync; when to wait for more,
//! [`gather`] says.
//! Later it *files* those rows: moves what is in them to the rooms' own tables, many commits in one
//! transaction. Whoever [`read`]s a room puts on top of the tables what the writer knows to be
//! unfiled, so that reading never writes. Readers have a small pool of their own, checkpoints
//! ([`checkpoint`]) a connection of their own, so that neither stands in a commit's way.
//!
//! Not here: what is in a batch, and retries; the room decides about those.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use sqlx::SqlitePool;
use tokio::{
    sync::{Mutex, mpsc, oneshot, watch},
    task::{JoinHandle, spawn_blocking},
};
use weft_core::{RoomId, Seq};

use super::{Append, Appended, Loaded, Log, LogError, StoredBatch};
use crate::{
    blob::Blobs,
    payload::{Payload, with_cause},
};

mod checkpoint;
mod compact;
mod faults;
mod gather;
mod groups;
mod journal;
mod known;
mod plan;
mod read;
mod rows;
mod schema;
mod writer;

pub use faults::{CommitFault, Faults};
use groups::Job;
use journal::Change;
use plan::{Answer, Entry, Request, Upkeep};
use writer::Writer;

/// Jobs that may wait for the writer; a caller beyond that waits to be let in.
const QUEUE_JOBS_MAX: usize = 1024;

/// How to open a [`SqliteLog`].
#[derive(Debug, Clone)]
pub struct SqliteLogOptions {
    /// Connections that read at the same time, 1 at least. Each is a thread.
    pub readers_max: u32,
    /// Faults for tests to switch on.
    #[doc(hidden)]
    pub faults: Arc<Faults>,
}

impl Default for SqliteLogOptions {
    fn default() -> Self {
        Self { readers_max: 4, faults: Arc::default() }
    }
}

/// The log in a folder of its own on a local disk.
#[derive(Debug)]
pub struct SqliteLog {
    jobs: mpsc::Sender<Job>,
    readers: SqlitePool,
    blobs: Blobs,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl SqliteLog {
    /// Opens the log in this folder (mode 0700), making what is missing.
    ///
    /// Two processes may have it open (the database decides between their appends), but a server
    /// should keep its data folder to itself.
    ///
    /// # Errors
    /// [`LogError::TooNew`] for a log of a later program; [`LogError::Journal`] if what was
    /// committed last cannot be read; [`LogError::Db`] or [`LogError::Io`] if it cannot be opened.
    pub async fn open(dir: &Path, options: SqliteLogOptions) -> Result<Self, LogError> {
        let file = schema::prepare(dir).await?;
        let blobs = Blobs::open(&dir.join("blobs"))
            .map_err(|error| LogError::Unavailable(with_cause(&error)))?;
        let readers = schema::readers(&file, options.readers_max).await?;
        let checkpointer = schema::open_checkpointer(&file).await?;
        let (written, work) = watch::channel(());
        let writer = spawn_blocking(|| Writer::open(file, written, options.faults))
            .await
            .map_err(|error| LogError::Unavailable(with_cause(&error)))??;
        let (jobs, queue) = mpsc::channel(QUEUE_JOBS_MAX);
        let tasks = Mutex::new(vec![
            spawn_blocking(|| groups::run(queue, writer)),
            tokio::spawn(checkpoint::run(checkpointer, work)),
        ]);
        Ok(Self { jobs, readers, blobs, tasks })
    }

    /// Puts a request into the queue and waits for its answer.
    async fn ask(&self, request: Request) -> Answer {
        let (reply, answer) = oneshot::channel();
        if self.jobs.send(Job { request, reply }).await.is_err() {
            return Answer::Failed("the log is closed".into());
        }
        answer.await.unwrap_or_else(|_| Answer::Unknown("the log's writer ended".into()))
    }

    async fn upkeep(&self, upkeep: Upkeep) -> Result<u64, LogError> {
        self.ask(Request::Upkeep(upkeep)).await.number()
    }

    /// What is to be put on top of the room's tables. When this is answered, what can be read is
    /// what would be read after a crash.
    async fn unfiled(&self, room: RoomId) -> Result<Vec<(u64, Change)>, LogError> {
        self.ask(Request::Read(room)).await.unfiled()
    }

    /// Checks an append and moves its data to where it will lie.
    async fn entry(&self, append: Append) -> Result<Arc<Entry>, String> {
        let Append { room, first_seq, count, data, ledgers, guard } = append;
        if count == 0 && !data.is_empty() {
            return Err("a batch of no entries carries data".into());
        }
        let limit = i64::MAX as u64;
        if first_seq == 0 || first_seq.saturating_add(u64::from(count)) > limit {
            return Err(format!("seq {first_seq} is out of range"));
        }
        let numbers = [guard.epoch, guard.access, guard.answers];
        if numbers.iter().any(|&number| number >= limit) || ledgers.iter().any(|l| l.0.0 > limit) {
            return Err("a guard or client id is out of range".into());
        }
        let payload = Payload::keep(data, &self.blobs).await.map_err(|error| with_cause(&error))?;
        Ok(Arc::new(Entry { room, first_seq, count, payload, ledgers, guard }))
    }
}

#[async_trait]
impl Log for SqliteLog {
    async fn create(&self, first: Append) -> Appended {
        if first.first_seq != 1 || first.count == 0 {
            return Appended::Failed("a room begins with a batch at seq 1".into());
        }
        match self.entry(first).await {
            Ok(entry) => self.ask(Request::Create(entry)).await.appended(),
            Err(reason) => Appended::Failed(reason),
        }
    }

    async fn append(&self, append: Append) -> Appended {
        match self.entry(append).await {
            Ok(entry) => self.ask(Request::Append(entry)).await.appended(),
            Err(reason) => Appended::Failed(reason),
        }
    }

    async fn load(&self, room: RoomId) -> Result<Option<Loaded>, LogError> {
        let unfiled = self.unfiled(room).await?;
        read::load(&self.readers, &self.blobs, room, unfiled).await
    }

    async fn raise_access(&self, room: RoomId) -> Result<u64, LogError> {
        match self.ask(Request::RaiseAccess(room)).await {
            Answer::NoRoom => Err(LogError::NoRoom(room)),
            answer => answer.number(),
        }
    }

    async fn put_snapshot(&self, room: RoomId, seq: Seq, state: Bytes) -> Result<(), LogError> {
        let at = i64::try_from(seq).map_err(|_| LogError::NotAnEnd { room, seq })?;
        let payload = Payload::keep(state, &self.blobs)
            .await
            .map_err(|error| LogError::Unavailable(with_cause(&error)))?;
        match self.upkeep(Upkeep::Snapshot { room, seq: at, payload }).await? {
            0 => Err(LogError::NotAnEnd { room, seq }),
            _ => Ok(()),
        }
    }

    async fn compact(&self, room: RoomId, keep_after: Seq) -> Result<u64, LogError> {
        self.ask(Request::File(room)).await.number()?;
        compact::compact(self, room, keep_after).await
    }

    async fn history(
        &self,
        room: RoomId,
        after: Seq,
        bytes_max: usize,
    ) -> Result<Vec<StoredBatch>, LogError> {
        let unfiled = self.unfiled(room).await?;
        read::history(&self.readers, &self.blobs, room, unfiled, after, bytes_max).await
    }

    async fn bytes_of(&self, room: RoomId) -> Result<u64, LogError> {
        let unfiled = self.unfiled(room).await?;
        read::bytes_of(&self.readers, room, unfiled).await
    }

    async fn close(&self) {
        let mut tasks = self.tasks.lock().await;
        self.ask(Request::Close).await;
        self.readers.close().await;
        for task in tasks.drain(..) {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the log had failed");
            }
        }
    }
}
