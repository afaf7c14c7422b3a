//! Reading a room: its snapshot, its batches from archive and rows, its ledgers. Whatever does not
//! fit together is an error that names the room (L6).

use bytes::Bytes;
use futures_util::TryStreamExt;
use sqlx::{Row, Sqlite, SqlitePool, Transaction, sqlite::SqliteRow};
use weft_core::{ClientId, Guard, RoomId, Seq};

use super::{Loaded, LogError, StoredBatch, rows::number};
use crate::{
    blob::Blobs,
    log::segment,
    payload::{Payload, with_cause},
};

type Reading = Transaction<'static, Sqlite>;

/// Everything about the room at one point in time; `None` if there is no trace of it.
pub(super) async fn load(
    pool: &SqlitePool,
    blobs: &Blobs,
    room: RoomId,
) -> Result<Option<Loaded>, LogError> {
    let mut at = begin(pool).await?;
    let Some(guard) = guard(&mut at, room).await? else { return Ok(None) };
    let head = head(&mut at, room).await?;
    let snapshot = snapshot(&mut at, blobs, room, head).await?;
    let after = snapshot.as_ref().map_or(0, |(seq, _)| *seq);
    let batches = batches(&mut at, blobs, room, after, usize::MAX).await?;
    if let Some(batch) = batches.first()
        && batch.first_seq != after + 1
    {
        let at = batch.first_seq;
        return Err(damaged(room, format!("a snapshot at {after}, inside the batch at {at}")));
    }
    let end = batches.last().map_or(after, StoredBatch::last_seq);
    if end != head {
        return Err(damaged(room, format!("it ends at {end}, its head is {head}")));
    }
    let ledgers = ledgers(&mut at, room).await?;
    Ok(Some(Loaded { guard, snapshot, batches, ledgers, head }))
}

/// Batches after `after`, one at least if there is any, else as many as fit in `bytes_max`.
pub(super) async fn history(
    pool: &SqlitePool,
    blobs: &Blobs,
    room: RoomId,
    after: Seq,
    bytes_max: usize,
) -> Result<Vec<StoredBatch>, LogError> {
    let mut at = begin(pool).await?;
    if guard(&mut at, room).await?.is_none() {
        return Err(LogError::NoRoom(room));
    }
    if head(&mut at, room).await? <= after {
        return Ok(Vec::new());
    }
    batches(&mut at, blobs, room, after, bytes_max).await
}

/// A view of the log that does not change until it is dropped.
pub(super) async fn begin(pool: &SqlitePool) -> Result<Reading, LogError> {
    pool.begin().await.map_err(LogError::db("cannot begin to read"))
}

async fn guard(at: &mut Reading, room: RoomId) -> Result<Option<Guard>, LogError> {
    let row = sqlx::query("SELECT epoch, access FROM rooms WHERE room = ?")
        .bind(key(room))
        .fetch_optional(&mut **at)
        .await
        .map_err(broken(room))?;
    if let Some(row) = row {
        let epoch = number(&row, 0).map_err(broken(room))?;
        let access = number(&row, 1).map_err(broken(room))?;
        return Ok(Some(Guard { epoch, access }));
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM batches WHERE room = ?1) \
               OR EXISTS (SELECT 1 FROM ledgers WHERE room = ?1) \
               OR EXISTS (SELECT 1 FROM segments WHERE room = ?1) \
               OR EXISTS (SELECT 1 FROM snapshots WHERE room = ?1)";
    let query = sqlx::query_scalar(sql).bind(key(room));
    let any: bool = query.fetch_one(&mut **at).await.map_err(broken(room))?;
    if any { Err(damaged(room, "its guard is missing")) } else { Ok(None) }
}

/// Seq of the last entry. The newest batch is never archived.
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

async fn ledgers(at: &mut Reading, room: RoomId) -> Result<Vec<(ClientId, Bytes)>, LogError> {
    let rows = sqlx::query("SELECT client, data FROM ledgers WHERE room = ? ORDER BY client")
        .bind(key(room))
        .fetch_all(&mut **at)
        .await
        .map_err(broken(room))?;
    let ledger = |row: &SqliteRow| {
        Ok((ClientId(number(row, 0)?), Bytes::from(row.try_get::<Vec<u8>, _>(1)?)))
    };
    rows.iter().map(ledger).collect::<Result<_, _>>().map_err(broken(room))
}

/// Batches after `after`, from the archive first, then from rows; checked to be without holes.
async fn batches(
    at: &mut Reading,
    blobs: &Blobs,
    room: RoomId,
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
    for row in live(at, room, taken.end, u64::MAX, room_left).await? {
        let LiveRow { first_seq, count, payload } = row;
        let data = payload
            .read(blobs)
            .await
            .map_err(|reason| damaged(room, format!("batch {first_seq}: {reason}")))?;
        let batch = StoredBatch { first_seq, count, data };
        taken.take(batch).map_err(|reason| damaged(room, reason))?;
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
    pub payload: Payload,
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
fn payload(row: &SqliteRow) -> Result<Payload, sqlx::Error> {
    Ok(Payload {
        in_blob: row.try_get(0)?,
        size: row.try_get(1)?,
        digest: row.try_get(2)?,
        data: row.try_get(3)?,
    })
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
        source => LogError::Db { what: "cannot read a room", source },
    }
}
