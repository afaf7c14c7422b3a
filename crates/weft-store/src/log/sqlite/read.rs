//! Reading a room: its snapshot, its batches from archive and rows, its ledgers; and on top of those
//! what is committed but not filed yet. Whatever does not fit together is an error that names the
//! room (L6).

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::TryStreamExt;
use sqlx::{Row, Sqlite, SqlitePool, Transaction, sqlite::SqliteRow};
use weft_core::{ClientId, Guard, RoomId, Seq};

use super::{Loaded, LogError, StoredBatch, journal::Change};
use crate::{
    blob::Blobs,
    log::segment,
    payload::{Columns, with_cause},
};

type Reading = Transaction<'static, Sqlite>;

/// Everything about the room at one point in time; `None` if there is no trace of it. `unfiled` is
/// what the writer said a moment before.
pub(super) async fn load(
    pool: &SqlitePool,
    blobs: &Blobs,
    room: RoomId,
    unfiled: Vec<(u64, Change)>,
) -> Result<Option<Loaded>, LogError> {
    let mut at = begin(pool).await?;
    let Some(found) = find(&mut at, room, unfiled).await? else { return Ok(None) };
    let snapshot = snapshot(&mut at, blobs, room, found.filed_head).await?;
    let after = snapshot.as_ref().map_or(0, |(seq, _)| *seq);
    let batches = batches(&mut at, blobs, room, &found, after, usize::MAX).await?;
    if let Some(batch) = batches.first()
        && batch.first_seq != after + 1
    {
        let at = batch.first_seq;
        return Err(damaged(room, format!("a snapshot at {after}, inside the batch at {at}")));
    }
    let end = batches.last().map_or(after, StoredBatch::last_seq);
    if end != found.head() {
        return Err(damaged(room, format!("it ends at {end}, its head is {}", found.head())));
    }
    let mut ledgers = ledgers(&mut at, room).await?;
    for change in &found.unfiled {
        ledgers.extend(change.entry.ledgers.iter().cloned());
    }
    let ledgers = ledgers.into_iter().collect();
    Ok(Some(Loaded { guard: found.guard, snapshot, batches, ledgers, head: found.head() }))
}

/// Batches after `after`, one at least if there is any, else as many as fit in `bytes_max`.
pub(super) async fn history(
    pool: &SqlitePool,
    blobs: &Blobs,
    room: RoomId,
    unfiled: Vec<(u64, Change)>,
    after: Seq,
    bytes_max: usize,
) -> Result<Vec<StoredBatch>, LogError> {
    let mut at = begin(pool).await?;
    let found = find(&mut at, room, unfiled).await?.ok_or(LogError::NoRoom(room))?;
    if found.head() <= after {
        return Ok(Vec::new());
    }
    batches(&mut at, blobs, room, &found, after, bytes_max).await
}

/// Bytes of all payloads of the room, wherever they lie. A batch that is archived and not dropped yet counts as
/// part of the archive.
pub(super) async fn bytes_of(
    pool: &SqlitePool,
    room: RoomId,
    unfiled: Vec<(u64, Change)>,
) -> Result<u64, LogError> {
    let mut at = begin(pool).await?;
    let Some(found) = find(&mut at, room, unfiled).await? else { return Ok(0) };
    let sql = "SELECT COALESCE((SELECT SUM(size) FROM segments WHERE room = ?1), 0) \
               + COALESCE((SELECT SUM(size) FROM snapshots WHERE room = ?1), 0) \
               + COALESCE((SELECT SUM(size) FROM batches WHERE room = ?1 AND first_seq > \
                   COALESCE((SELECT MAX(last_seq) FROM segments WHERE room = ?1), 0)), 0)";
    let query = sqlx::query(sql).bind(key(room));
    let row = query.fetch_one(&mut *at).await.map_err(broken(room))?;
    let unfiled = found.unfiled.iter().map(|change| change.entry.payload.bytes());
    Ok(number(&row, 0).map_err(broken(room))?.saturating_add(unfiled.sum()))
}

/// A view of the log that does not change until it is dropped.
pub(super) async fn begin(pool: &SqlitePool) -> Result<Reading, LogError> {
    pool.begin().await.map_err(LogError::db("cannot begin to read"))
}

/// A room, before its content is read.
struct Found {
    guard: Guard,
    /// Seq of the last entry in the tables.
    filed_head: Seq,
    /// Changes that are not in the tables, ascending.
    unfiled: Vec<Change>,
}

impl Found {
    /// Seq of the last entry.
    fn head(&self) -> Seq {
        self.unfiled.last().map_or(self.filed_head, |change| change.state().head)
    }
}

/// The room, unless there is no trace of it.
async fn find(
    at: &mut Reading,
    room: RoomId,
    unfiled: Vec<(u64, Change)>,
) -> Result<Option<Found>, LogError> {
    let sql = "SELECT filed.n, rooms.epoch, rooms.access, rooms.answers \
               FROM filed LEFT JOIN rooms ON rooms.room = ? WHERE filed.one = 1";
    let query = sqlx::query(sql).bind(key(room));
    let row = query.fetch_one(&mut **at).await.map_err(broken(room))?;
    // Rows may have been filed since the writer was asked.
    let filed = number(&row, 0).map_err(broken(room))?;
    let unfiled = unfiled.into_iter().filter(|(n, _)| *n > filed).map(|(_, change)| change);
    let unfiled: Vec<_> = unfiled.collect();
    let in_tables: Option<i64> = row.try_get(1).map_err(broken(room))?;
    let (mut guard, filed_head) = if in_tables.is_some() {
        let epoch = number(&row, 1).map_err(broken(room))?;
        let access = number(&row, 2).map_err(broken(room))?;
        let answers = number(&row, 3).map_err(broken(room))?;
        (Some(Guard { epoch, access, answers }), head(at, room).await?)
    } else if has_content(at, room).await? {
        return Err(damaged(room, "its guard is missing"));
    } else {
        (None, 0)
    };
    if let Some(change) = unfiled.iter().rfind(|change| change.new_guard) {
        guard = Some(change.state().guard);
    }
    match guard {
        Some(guard) => Ok(Some(Found { guard, filed_head, unfiled })),
        None if unfiled.is_empty() => Ok(None),
        None => Err(damaged(room, "its guard is missing")),
    }
}

/// Whether any table but `rooms` has something of the room.
async fn has_content(at: &mut Reading, room: RoomId) -> Result<bool, LogError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM batches WHERE room = ?1) \
               OR EXISTS (SELECT 1 FROM ledgers WHERE room = ?1) \
               OR EXISTS (SELECT 1 FROM segments WHERE room = ?1) \
               OR EXISTS (SELECT 1 FROM snapshots WHERE room = ?1)";
    sqlx::query_scalar(sql).bind(key(room)).fetch_one(&mut **at).await.map_err(broken(room))
}

/// Seq of the last entry in the tables. The newest batch there is never archived.
async fn head(at: &mut Reading, room: RoomId) -> Result<Seq, LogError> {
    let sql = "SELECT first_seq + count - 1 FROM batches WHERE room = ? \
               ORDER BY first_seq DESC LIMIT 1";
    let row = sqlx::query(sql)
        .bind(key(room))
        .fetch_optional(&mut **at)
        .await
        .map_err(broken(room))?
        .ok_or_else(|| damaged(room, "it has no entries"))?;
    number(&row, 0).map_err(broken(room))
}

/// The newest snapshot that reads well.
async fn snapshot(
    at: &mut Reading,
    blobs: &Blobs,
    room: RoomId,
    head: Seq,
) -> Result<Option<(Seq, Bytes)>, LogError> {
    let sql = "SELECT in_blob, size, digest, data, seq FROM snapshots WHERE room = ? \
               ORDER BY seq DESC";
    let rows = sqlx::query(sql).bind(key(room)).fetch_all(&mut **at).await.map_err(broken(room))?;
    for row in &rows {
        let seq = number(row, 4).map_err(broken(room))?;
        if seq > head {
            return Err(damaged(room, format!("a snapshot at {seq}, its head is {head}")));
        }
        match payload(row).map_err(broken(room))?.read(blobs).await {
            Ok(state) => return Ok(Some((seq, state))),
            Err(reason) => tracing::error!(%room, seq, reason, "log: a snapshot is damaged"),
        }
    }
    Ok(None)
}

async fn ledgers(at: &mut Reading, room: RoomId) -> Result<BTreeMap<ClientId, Bytes>, LogError> {
    let rows = sqlx::query("SELECT client, data FROM ledgers WHERE room = ?")
        .bind(key(room))
        .fetch_all(&mut **at)
        .await
        .map_err(broken(room))?;
    let ledger = |row: &SqliteRow| {
        Ok((ClientId(number(row, 0)?), Bytes::from(row.try_get::<Vec<u8>, _>(1)?)))
    };
    rows.iter().map(ledger).collect::<Result<_, _>>().map_err(broken(room))
}

/// Batches after `after`, from the archive first, then from rows, then those that are unfiled;
/// checked to be without holes.
async fn batches(
    at: &mut Reading,
    blobs: &Blobs,
    room: RoomId,
    found: &Found,
    after: Seq,
    bytes_max: usize,
) -> Result<Vec<StoredBatch>, LogError> {
    let mut taken = Taken { batches: Vec::new(), bytes: 0, bytes_max, end: after, full: false };
    let sql = "SELECT in_blob, size, digest, data FROM segments \
               WHERE room = ? AND last_seq > ? ORDER BY first_seq";
    let query = sqlx::query(sql).bind(key(room)).bind(as_i64(after));
    let segments = query.fetch_all(&mut **at).await.map_err(broken(room))?;
    for row in &segments {
        let payload = payload(row).map_err(broken(room))?;
        let segment = payload.read(blobs).await.map_err(|reason| damaged(room, reason))?;
        let batches = segment::decode(&segment).map_err(|reason| damaged(room, reason))?;
        for batch in batches {
            taken.take(batch).map_err(|reason| damaged(room, reason))?;
        }
        if taken.full {
            return Ok(taken.batches);
        }
    }
    let room_left = bytes_max.saturating_sub(taken.bytes);
    let unreadable =
        |first_seq: Seq| move |reason| damaged(room, format!("batch {first_seq}: {reason}"));
    for row in live(at, room, taken.end, u64::MAX, room_left).await? {
        let LiveRow { first_seq, count, payload } = row;
        let data = payload.read(blobs).await.map_err(unreadable(first_seq))?;
        let batch = StoredBatch { first_seq, count, data };
        taken.take(batch).map_err(|reason| damaged(room, reason))?;
    }
    if taken.end < found.filed_head {
        return Ok(taken.batches);
    }
    for Change { entry, .. } in found.unfiled.iter().filter(|change| change.entry.count > 0) {
        let data = entry.payload.read(blobs).await.map_err(unreadable(entry.first_seq))?;
        let batch = StoredBatch { first_seq: entry.first_seq, count: entry.count, data };
        taken.take(batch).map_err(|reason| damaged(room, reason))?;
        if taken.full {
            break;
        }
    }
    Ok(taken.batches)
}

/// Batches gathered so far.
struct Taken {
    batches: Vec<StoredBatch>,
    bytes: usize,
    bytes_max: usize,
    /// Seq of the last entry that is taken or not wanted.
    end: Seq,
    full: bool,
}

impl Taken {
    /// Takes the next batch, unless all of it is known or there is no space left for it.
    fn take(&mut self, batch: StoredBatch) -> Result<(), String> {
        if batch.count == 0 {
            return Err(format!("batch {} is empty", batch.first_seq));
        }
        let first = self.batches.is_empty();
        if self.full || (first && batch.last_seq() <= self.end) {
            return Ok(());
        }
        // Only the first may begin before what is wanted.
        if batch.first_seq > self.end + 1 || (!first && batch.first_seq <= self.end) {
            return Err(format!("after {} comes a batch at {}", self.end, batch.first_seq));
        }
        let bytes = self.bytes.saturating_add(batch.data.len());
        if !first && bytes > self.bytes_max {
            self.full = true;
            return Ok(());
        }
        self.bytes = bytes;
        self.end = batch.last_seq();
        self.batches.push(batch);
        Ok(())
    }
}

/// A row of `batches`, its payload not read yet.
pub(super) struct LiveRow {
    pub first_seq: Seq,
    pub count: u32,
    pub payload: Columns,
}

impl LiveRow {
    pub fn last_seq(&self) -> Seq {
        self.first_seq.saturating_add(u64::from(self.count)).saturating_sub(1)
    }
}

/// Rows with entries after `after` that end at `last_max` or before, ascending; one at least if
/// there is any, else as many as fit in `bytes_max` bytes of payload.
pub(super) async fn live(
    at: &mut Reading,
    room: RoomId,
    after: Seq,
    last_max: Seq,
    bytes_max: usize,
) -> Result<Vec<LiveRow>, LogError> {
    // The batch that holds the entry after `after` is the last one to begin at it or before.
    let sql = "SELECT in_blob, size, digest, data, first_seq, count FROM batches \
               WHERE room = ?1 AND first_seq >= COALESCE((SELECT MAX(first_seq) FROM batches \
                   WHERE room = ?1 AND first_seq <= ?2 + 1), 0) \
               ORDER BY first_seq";
    let mut rows = sqlx::query(sql).bind(key(room)).bind(as_i64(after)).fetch(&mut **at);
    let (mut taken, mut bytes) = (Vec::new(), 0_usize);
    while let Some(row) = rows.try_next().await.map_err(broken(room))? {
        let row = live_row(&row).map_err(broken(room))?;
        if row.last_seq() <= after {
            continue;
        }
        bytes = bytes.saturating_add(usize::try_from(row.payload.size).unwrap_or(0));
        if row.last_seq() > last_max || (bytes > bytes_max && !taken.is_empty()) {
            break;
        }
        taken.push(row);
    }
    Ok(taken)
}

fn live_row(row: &SqliteRow) -> Result<LiveRow, sqlx::Error> {
    let first_seq = number(row, 4)?;
    let count = number(row, 5)?;
    match u32::try_from(count) {
        Ok(count) if count > 0 && first_seq > 0 => {
            Ok(LiveRow { first_seq, count, payload: payload(row)? })
        }
        _ => Err(sqlx::Error::Decode(format!("a batch of {count} at {first_seq}").into())),
    }
}

/// The first four columns as a payload.
fn payload(row: &SqliteRow) -> Result<Columns, sqlx::Error> {
    Ok(Columns {
        in_blob: row.try_get(0)?,
        size: row.try_get(1)?,
        digest: row.try_get(2)?,
        data: row.try_get(3)?,
    })
}

/// A column that holds a number of ours.
pub(super) fn number(row: &SqliteRow, column: usize) -> Result<u64, sqlx::Error> {
    let number: i64 = row.try_get(column)?;
    number.try_into().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

pub(super) fn key(room: RoomId) -> Vec<u8> {
    room.as_bytes().to_vec()
}

/// A seq to compare with; beyond the database's range nothing is.
pub(super) fn as_i64(seq: Seq) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX - 1)
}

pub(super) fn damaged(room: RoomId, what: impl Into<String>) -> LogError {
    LogError::Damaged { room, what: what.into() }
}

/// For `map_err`: values that make no sense are damage, the rest is the database's failure.
pub(super) fn broken(room: RoomId) -> impl Fn(sqlx::Error) -> LogError {
    move |error| match error {
        sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => {
            damaged(room, with_cause(&error))
        }
        error => LogError::db("cannot read a room")(error),
    }
}
