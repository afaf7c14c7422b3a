//! The one task that writes: group commit, and what to believe when it fails.
//!
//! A group that fails before its COMMIT is rolled back and surely not stored; so is one whose
//! COMMIT says that there is no space, because SQLite writes the frame that makes a transaction
//! valid last. After any I/O error, and any other error of COMMIT, nobody knows: the frames may be
//! complete in the WAL, unseen by the running process but found by the next one. So the outcome
//! is *in doubt* until a small transaction has been committed over the place where those frames
//! would lie; only then do reads tell what a crash would leave, and only then are loads served.
//!
//! After every failed group the connection is opened anew.

use std::{
    collections::BTreeSet,
    mem,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot, watch};
use weft_core::RoomId;

use super::{
    LogError,
    faults::{CommitFault, Faults},
    plan::{self, Answer, Request, Upkeep},
    rows, schema,
};
use crate::payload::with_cause;

/// Requests in one transaction.
const GROUP_JOBS_MAX: usize = 256;
/// Bytes of rows in one transaction: what others wait for while one room imports much. A single
/// larger request goes alone.
const GROUP_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of WAL, roughly, after which a checkpoint is due.
const CHECKPOINT_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of WAL that a request costs beyond its rows: a page for the batch, one for the ledger.
const REQUEST_WAL_BYTES: usize = 2 * 4096;

/// A request and where its answer goes.
#[derive(Debug)]
pub(super) struct Job {
    pub request: Request,
    pub reply: oneshot::Sender<Answer>,
}

/// Why a group was not carried out.
enum Failure {
    /// Surely not stored.
    Failed(String),
    /// Stored or not.
    Unknown(String),
}

pub(super) struct Writer {
    file: PathBuf,
    /// `None` after a failure, until the next group.
    connection: Option<SqliteConnection>,
    in_doubt: Arc<AtomicBool>,
    /// Tells the checkpointer that there is work, and by its end that there will be no more.
    written: watch::Sender<()>,
    written_bytes: usize,
    faults: Arc<Faults>,
    /// The limit that `connection` has from `faults`.
    pages_max: u32,
}

impl Writer {
    pub async fn open(
        file: PathBuf,
        in_doubt: Arc<AtomicBool>,
        written: watch::Sender<()>,
        faults: Arc<Faults>,
    ) -> Result<Self, LogError> {
        let connection = Some(schema::open_writer(&file).await?);
        Ok(Self { file, connection, in_doubt, written, written_bytes: 0, faults, pages_max: 0 })
    }

    /// Commits groups until the log is closed or dropped.
    pub async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut waiting = Vec::new();
        loop {
            if waiting.is_empty() && queue.recv_many(&mut waiting, GROUP_JOBS_MAX).await == 0 {
                break;
            }
            while waiting.len() < GROUP_JOBS_MAX
                && let Ok(job) = queue.try_recv()
            {
                waiting.push(job);
            }
            let rest = waiting.split_off(group_len(&waiting));
            let group = mem::replace(&mut waiting, rest);
            if group.iter().any(|job| matches!(job.request, Request::Close)) {
                queue.close();
            }
            self.carry_out(group).await;
            // Whoever was just answered may have more to say: better in this group than the next.
            tokio::task::yield_now().await;
        }
        self.disconnect().await;
    }

    async fn carry_out(&mut self, group: Vec<Job>) {
        let (requests, replies): (Vec<_>, Vec<_>) =
            group.into_iter().map(|job| (job.request, job.reply)).unzip();
        let bytes: usize = requests.iter().map(|r| row_bytes(r) + REQUEST_WAL_BYTES).sum();
        let answers = match self.commit(requests).await {
            Ok(answers) => {
                self.count_written(bytes);
                answers
            }
            Err(failure) => {
                self.disconnect().await;
                vec![self.answer(failure); replies.len()]
            }
        };
        for (reply, answer) in replies.into_iter().zip(answers) {
            // The asker may have gone; what was asked is done all the same.
            let _ = reply.send(answer);
        }
    }

    fn answer(&self, failure: Failure) -> Answer {
        match failure {
            Failure::Failed(reason) => {
                tracing::warn!(reason, "log: a group was not stored");
                Answer::Failed(reason)
            }
            Failure::Unknown(reason) => {
                tracing::error!(reason, "log: the outcome of a commit is unknown");
                self.in_doubt.store(true, Ordering::Release);
                Answer::Unknown(reason)
            }
        }
    }

    /// One transaction for the group.
    async fn commit(&mut self, requests: Vec<Request>) -> Result<Vec<Answer>, Failure> {
        let rooms = rooms_of(&requests);
        let faults = self.faults.clone();
        let connection = self.ready().await.map_err(Failure::Failed)?;
        if rooms.is_empty() && !requests.iter().any(|r| matches!(r, Request::Upkeep(_))) {
            return Ok(vec![Answer::Done(0); requests.len()]);
        }
        let mut states = rows::begin(connection, &rooms).await.map_err(before_commit)?;
        let (mut answers, writes) = plan::decide(&mut states, requests);
        for (place, touched) in rows::write(connection, writes).await.map_err(before_commit)? {
            answers[place] = Answer::Done(touched);
        }
        let fault = faults.take_commit_fault();
        if fault != Some(CommitFault::Lost) {
            sqlx::query("COMMIT").execute(connection).await.map_err(at_commit)?;
        }
        match fault {
            None => Ok(answers),
            Some(_) => Err(Failure::Unknown("a fault that a test switched on".into())),
        }
    }

    /// The connection, open, with no outcome in doubt. Errors say why not.
    async fn ready(&mut self) -> Result<&mut SqliteConnection, String> {
        if self.connection.is_none() {
            let opened = schema::open_writer(&self.file).await;
            self.connection = Some(opened.map_err(|error| with_cause(&error))?);
            self.pages_max = 0;
        }
        let connection = self.connection.as_mut().expect("was opened above");
        let pages_max = self.faults.pages_max();
        if pages_max != self.pages_max {
            limit_pages(connection, pages_max).await.map_err(|error| with_cause(&error))?;
            self.pages_max = pages_max;
        }
        if self.in_doubt.load(Ordering::Acquire) {
            sqlx::query("UPDATE settled SET times = times + 1")
                .execute(&mut *connection)
                .await
                .map_err(|error| with_cause(&error))?;
            self.in_doubt.store(false, Ordering::Release);
            tracing::info!("log: the outcome of the commit in doubt is settled");
        }
        Ok(connection)
    }

    /// Ends the connection and with it a transaction that is still open.
    async fn disconnect(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            // Fails if no transaction is open; closing would end one as well, but later.
            let _ = sqlx::query("ROLLBACK").execute(&mut connection).await;
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "log: a connection did not close well");
            }
        }
    }

    fn count_written(&mut self, bytes: usize) {
        self.written_bytes += bytes;
        if self.written_bytes >= CHECKPOINT_BYTES {
            self.written_bytes = 0;
            self.written.send_replace(());
        }
    }
}

/// Sets the limit that a test wants; 0 is none.
async fn limit_pages(connection: &mut SqliteConnection, pages: u32) -> Result<(), sqlx::Error> {
    let pages = if pages == 0 { u32::MAX - 1 } else { pages };
    let sql = format!("PRAGMA max_page_count = {pages}");
    sqlx::query(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}

/// How many of these go in one group, 1 at least.
fn group_len(jobs: &[Job]) -> usize {
    let mut bytes = 0;
    let fits = |job: &&Job| {
        bytes += row_bytes(&job.request);
        bytes <= GROUP_BYTES_MAX
    };
    jobs.iter().take_while(fits).count().clamp(1, GROUP_JOBS_MAX)
}

/// Bytes that a request puts into rows, roughly.
fn row_bytes(request: &Request) -> usize {
    match request {
        Request::Create(entry) | Request::Append(entry) => {
            let ledgers: usize = entry.ledgers.iter().map(|(_, data)| data.len() + 32).sum();
            entry.payload.row_bytes() + ledgers
        }
        Request::Upkeep(Upkeep::Snapshot { payload, .. } | Upkeep::Segment { payload, .. }) => {
            payload.row_bytes()
        }
        Request::Upkeep(Upkeep::DropArchived { .. } | Upkeep::Shrink { .. }) => 4096,
        Request::RaiseAccess(_) | Request::Settle | Request::Close => 64,
    }
}

fn rooms_of(requests: &[Request]) -> Vec<RoomId> {
    let rooms: BTreeSet<_> = requests
        .iter()
        .filter_map(|request| match request {
            Request::Create(entry) | Request::Append(entry) => Some(entry.room),
            Request::RaiseAccess(room) => Some(*room),
            Request::Upkeep(_) | Request::Settle | Request::Close => None,
        })
        .collect();
    rooms.into_iter().collect()
}

const SQLITE_BUSY: i32 = 5;
const SQLITE_IOERR: i32 = 10;
const SQLITE_FULL: i32 = 13;

/// SQLite's primary result code, if the error is SQLite's.
fn code(error: &sqlx::Error) -> Option<i32> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

/// A transaction that has not come to its COMMIT is not stored. I/O errors are taken for unknown
/// all the same: who knows what such a disk still does.
fn before_commit(error: sqlx::Error) -> Failure {
    match code(&error) {
        Some(SQLITE_IOERR) => Failure::Unknown(with_cause(&error)),
        _ => Failure::Failed(with_cause(&error)),
    }
}

fn at_commit(error: sqlx::Error) -> Failure {
    match code(&error) {
        Some(SQLITE_FULL | SQLITE_BUSY) => Failure::Failed(with_cause(&error)),
        _ => Failure::Unknown(with_cause(&error)),
    }
}
