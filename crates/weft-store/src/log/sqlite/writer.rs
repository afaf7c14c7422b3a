//! The one thread that writes: group commit, filing, and what to believe when they fail.
//!
//! A group is decided on what is [`Known`] and committed as one row of the journal, all with the
//! database's lock held, under which it first looks whether another process has written. Rows are
//! filed when nothing else is to do, when many have gathered, and when somebody waits for that.
//! Failing to file loses nothing: the rows stay where they are.
//!
//! It has a thread and a connection of its own, because a commit is short: threads that hand its
//! statements and results to one another would cost several times what it does.
//!
//! A group whose commit says that there is no space, or that the database is locked, is surely not
//! stored, because SQLite writes the frame that makes a transaction valid last. After any other
//! error nobody knows: the frames may be complete in the WAL, unseen by the running process but
//! found by the next one. So the outcome is *in doubt* until a small transaction has been committed
//! over the place where those frames would lie; only then do reads tell what a crash would leave,
//! and only then are loads served.
//!
//! After every failure the connection is opened anew, and what was known is forgotten.

use std::{mem, path::PathBuf, sync::Arc};

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::{
    LogError,
    faults::{CommitFault, Faults},
    groups::Job,
    journal,
    known::Known,
    plan::{self, Answer, Filing, Request, Upkeep},
    rows, schema,
};
use crate::payload::with_cause;

/// Bytes of WAL, roughly, after which a checkpoint is due.
const CHECKPOINT_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of WAL that a transaction costs beyond its rows.
const COMMIT_WAL_BYTES: usize = 4 * 4096;
/// Bytes of WAL that filing a guard, a batch or a ledger may cost beyond its row: a page.
const FILED_WAL_BYTES: usize = 4096;

/// Why a transaction was not carried out.
enum Failure {
    /// Surely not stored.
    Failed(String),
    /// Stored or not.
    Unknown(String),
}

/// The database, and what is known of it.
struct Open {
    connection: Connection,
    known: Known,
    /// The limit that the connection has from the faults.
    pages_max: u32,
}

pub(super) struct Writer {
    file: PathBuf,
    /// `None` after a failure, until the next transaction.
    open: Option<Open>,
    /// Requests that wait until rows up to the given number are filed.
    later: Vec<(u64, Job)>,
    /// The outcome of an earlier commit is unknown and not settled yet.
    in_doubt: bool,
    /// Answers that the present turn gives.
    answers: Vec<(oneshot::Sender<Answer>, Answer)>,
    /// Tells the checkpointer that there is work, and by its end that there will be no more.
    written: watch::Sender<()>,
    written_bytes: usize,
    faults: Arc<Faults>,
}

impl Writer {
    /// Reads all of the journal that is not filed, and so finds out whether it can.
    pub fn open(
        file: PathBuf,
        written: watch::Sender<()>,
        faults: Arc<Faults>,
    ) -> Result<Self, LogError> {
        let connection = schema::open_writer(&file).map_err(LogError::db("cannot open"))?;
        let known = rows::know(&connection)?;
        Ok(Self {
            file,
            open: Some(Open { connection, known, pages_max: 0 }),
            later: Vec::new(),
            in_doubt: false,
            answers: Vec::new(),
            written,
            written_bytes: 0,
            faults,
        })
    }

    /// Carries out one group; gives the answers that are due, also to requests of earlier groups.
    pub fn turn(&mut self, jobs: Vec<Job>) -> Vec<(oneshot::Sender<Answer>, Answer)> {
        let (changes, others): (Vec<_>, Vec<_>) =
            jobs.into_iter().partition(|job| job.request.changed_room().is_some());
        self.change(changes);
        self.read_or_put_off(others);
        self.carry_out_later();
        mem::take(&mut self.answers)
    }

    /// Files a slice if somebody waits for it, if much is unfiled, or while it is quiet.
    pub fn file_if_due(&mut self, quiet: bool) {
        let long = self.open.as_ref().is_some_and(|open| open.known.is_long());
        let may = (quiet || long) && !self.faults.filing_held();
        if !self.later.is_empty() || may {
            self.file_or_refuse();
        }
    }

    /// Whether requests wait for the next turn: for filing, or for the news that it failed.
    pub fn has_later(&self) -> bool {
        !self.later.is_empty() || !self.answers.is_empty()
    }

    /// Whether something should be filed when it is quiet.
    pub fn has_unfiled(&self) -> bool {
        self.open.as_ref().is_none_or(|open| !open.known.is_filed())
    }

    /// Commits what these want to change.
    fn change(&mut self, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        let (requests, replies): (Vec<_>, Vec<_>) =
            jobs.into_iter().map(|job| (job.request, job.reply)).unzip();
        let answers = match self.commit(&requests) {
            Ok(answers) => answers,
            Err(failure) => vec![self.fail(failure); replies.len()],
        };
        self.answers.extend(replies.into_iter().zip(answers));
    }

    /// Decides a group and commits its changes.
    fn commit(&mut self, requests: &[Request]) -> Result<Vec<Answer>, Failure> {
        let mut open = self.take()?;
        if open.known.is_full() {
            self.open = Some(open);
            self.file().map_err(|failure| {
                self.note(&failure);
                Failure::Failed("what was committed before cannot be filed".into())
            })?;
            open = self.take()?;
        }
        let Open { connection, known, .. } = &mut open;
        begin(connection, known)?;
        let rooms = requests.iter().filter_map(Request::changed_room);
        rows::add_states(connection, rooms, &mut known.states).map_err(before_commit)?;
        let (answers, changes) = plan::decide(&mut known.states, requests);
        if changes.is_empty() {
            rows::run(connection, "ROLLBACK").map_err(before_commit)?;
        } else {
            let row = journal::encode(&changes);
            rows::insert(connection, known.newest() + 1, &row).map_err(before_commit)?;
            end(connection, self.faults.take_commit_fault())?;
            known.add(changes);
            self.count_written(row.len() + COMMIT_WAL_BYTES);
        }
        self.open = Some(open);
        Ok(answers)
    }

    /// Answers those who read; the others wait for the rows that they are about.
    fn read_or_put_off(&mut self, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        if let Err(failure) = self.catch_up() {
            return self.refuse(jobs, failure);
        }
        let Some(Open { known, .. }) = &self.open else { return };
        for job in jobs {
            match job.request {
                Request::Read(room) => {
                    self.answers.push((job.reply, Answer::Unfiled(known.unfiled(room))));
                }
                _ => self.later.push((rows_for(&job.request, known), job)),
            }
        }
    }

    fn refuse(&mut self, jobs: impl IntoIterator<Item = Job>, failure: Failure) {
        let answer = self.fail(failure);
        self.answers.extend(jobs.into_iter().map(|job| (job.reply, answer.clone())));
    }

    /// Makes sure that what is known is what the database holds, other processes' rows included.
    fn catch_up(&mut self) -> Result<(), Failure> {
        let mut open = self.take()?;
        refresh(&open.connection, &mut open.known)?;
        self.open = Some(open);
        Ok(())
    }

    /// Carries out what waited for rows that are filed by now.
    fn carry_out_later(&mut self) {
        let Some(filed) = self.open.as_ref().map(|open| open.known.filed()) else { return };
        let (now, later): (Vec<_>, Vec<_>) =
            mem::take(&mut self.later).into_iter().partition(|(row, _)| *row <= filed);
        self.later = later;
        let (upkeep, others): (Vec<_>, Vec<_>) = now
            .into_iter()
            .map(|(_, job)| job)
            .partition(|job| matches!(job.request, Request::Upkeep(_)));
        self.answers.extend(others.into_iter().map(|job| (job.reply, Answer::Done(0))));
        if upkeep.is_empty() {
            return;
        }
        match self.keep_up(&upkeep) {
            Ok(touched) => {
                let answers = touched.into_iter().map(Answer::Done);
                self.answers.extend(upkeep.into_iter().map(|job| job.reply).zip(answers));
            }
            Err(failure) => self.refuse(upkeep, failure),
        }
    }

    /// One transaction for these; gives the rows that each has touched.
    fn keep_up(&mut self, jobs: &[Job]) -> Result<Vec<u64>, Failure> {
        let mut open = self.take()?;
        begin(&open.connection, &mut open.known)?;
        let (mut touched, mut bytes) = (Vec::with_capacity(jobs.len()), COMMIT_WAL_BYTES);
        for job in jobs {
            if let Request::Upkeep(upkeep) = &job.request {
                touched.push(rows::keep_up(&open.connection, upkeep).map_err(before_commit)?);
                bytes += job.request.row_bytes();
            }
        }
        end(&open.connection, None)?;
        self.open = Some(open);
        self.count_written(bytes);
        Ok(touched)
    }

    /// Files a slice; if that fails, those who wait for it hear why.
    fn file_or_refuse(&mut self) {
        if let Err(failure) = self.file() {
            let later = mem::take(&mut self.later);
            self.refuse(later.into_iter().map(|(_, job)| job), failure);
        }
    }

    /// Moves the oldest rows of the journal to the tables, in one transaction of some 5 ms.
    fn file(&mut self) -> Result<(), Failure> {
        let mut open = self.take()?;
        let Open { connection, known, .. } = &mut open;
        if !known.is_filed() {
            begin(connection, known)?;
            let slice = known.slice();
            let rows = slice.len();
            let changes = slice.flatten();
            let bytes: usize = changes.clone().map(journal::Change::bytes).sum();
            let filing = Filing::of(changes);
            let wal_bytes = bytes + COMMIT_WAL_BYTES + filing.pages() * FILED_WAL_BYTES;
            rows::file(connection, known.filed() + rows as u64, filing).map_err(before_commit)?;
            end(connection, self.faults.take_filing_fault())?;
            known.drop_filed(rows);
            self.count_written(wal_bytes);
        }
        self.open = Some(open);
        Ok(())
    }

    /// The database, with no outcome in doubt. Whoever takes it puts it back when all went well:
    /// dropping it ends the connection, and with it a transaction that is still open.
    fn take(&mut self) -> Result<Open, Failure> {
        let failed = |error: &dyn std::error::Error| Failure::Failed(with_cause(error));
        let limit = self.faults.pages_max();
        if let Some(mut open) = self.open.take() {
            if limit != open.pages_max {
                limit_pages(&open.connection, limit).map_err(|error| failed(&error))?;
                open.pages_max = limit;
            }
            return Ok(open);
        }
        let connection = schema::open_writer(&self.file).map_err(|error| failed(&error))?;
        limit_pages(&connection, limit).map_err(|error| failed(&error))?;
        if self.in_doubt {
            rows::run(&connection, "UPDATE settled SET times = times + 1")
                .map_err(|error| failed(&error))?;
            self.in_doubt = false;
            tracing::info!("log: the outcome of the commit in doubt is settled");
        }
        let known = rows::know(&connection).map_err(|error| failed(&error))?;
        Ok(Open { connection, known, pages_max: limit })
    }

    /// Notes a failure, and gives the answer to those concerned.
    fn fail(&mut self, failure: Failure) -> Answer {
        self.note(&failure);
        match failure {
            Failure::Failed(reason) => Answer::Failed(reason),
            Failure::Unknown(reason) => Answer::Unknown(reason),
        }
    }

    fn note(&mut self, failure: &Failure) {
        match failure {
            Failure::Failed(reason) => tracing::warn!(reason, "log: a transaction failed"),
            Failure::Unknown(reason) => {
                tracing::error!(reason, "log: the outcome of a commit is unknown");
                self.in_doubt = true;
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

/// Begins a transaction, in which nothing else can write and what is known holds.
fn begin(connection: &Connection, known: &mut Known) -> Result<(), Failure> {
    rows::run(connection, "BEGIN IMMEDIATE").map_err(before_commit)?;
    refresh(connection, known)
}

/// Reads the journal anew if another process has written or filed.
fn refresh(connection: &Connection, known: &mut Known) -> Result<(), Failure> {
    if !rows::holds(connection, known).map_err(before_commit)? {
        *known = rows::know(connection).map_err(|error| Failure::Failed(with_cause(&error)))?;
    }
    Ok(())
}

/// Commits, unless a test wants otherwise.
fn end(connection: &Connection, fault: Option<CommitFault>) -> Result<(), Failure> {
    if fault != Some(CommitFault::Lost) {
        rows::run(connection, "COMMIT").map_err(at_commit)?;
    }
    match fault {
        None => Ok(()),
        Some(_) => Err(Failure::Unknown("a fault that a test switched on".into())),
    }
}

/// Sets the limit that a test wants; 0 is none.
fn limit_pages(connection: &Connection, pages: u32) -> rusqlite::Result<()> {
    let pages = if pages == 0 { u32::MAX - 1 } else { pages };
    connection.pragma_update(None, "max_page_count", pages)
}

/// The row of the journal up to which the request must find everything filed.
fn rows_for(request: &Request, known: &Known) -> u64 {
    match request {
        Request::File(room)
        | Request::Upkeep(
            Upkeep::Snapshot { room, .. }
            | Upkeep::Segment { room, .. }
            | Upkeep::DropArchived { room, .. },
        ) => known.unfiled_about(*room),
        Request::Close => known.newest(),
        Request::Upkeep(Upkeep::Shrink { .. })
        | Request::Create(_)
        | Request::Append(_)
        | Request::RaiseAccess(_)
        | Request::Read(_) => 0,
    }
}

const SQLITE_BUSY: i32 = 5;
const SQLITE_IOERR: i32 = 10;
const SQLITE_FULL: i32 = 13;

/// SQLite's primary result code, if the error is SQLite's.
fn code(error: &rusqlite::Error) -> Option<i32> {
    Some(error.sqlite_error()?.extended_code & 0xff)
}

/// A transaction that has not come to its COMMIT is not stored. I/O errors are taken for unknown
/// all the same: who knows what such a disk still does.
fn before_commit(error: rusqlite::Error) -> Failure {
    match code(&error) {
        Some(SQLITE_IOERR) => Failure::Unknown(with_cause(&error)),
        _ => Failure::Failed(with_cause(&error)),
    }
}

/// Of a COMMIT that failed the error does not tell how far it came.
fn at_commit(error: rusqlite::Error) -> Failure {
    match code(&error) {
        Some(SQLITE_FULL | SQLITE_BUSY) => Failure::Failed(with_cause(&error)),
        _ => Failure::Unknown(with_cause(&error)),
    }
}
