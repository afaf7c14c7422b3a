//! Compaction: old batches leave the database for compressed segments in the blobs.
//!
//! A segment is durable and listed before the first of its rows is dropped, and rows are dropped
//! in slices between commits. A crash anywhere leaves batches in both places at worst; reading
//! prefers the archive, and the next compaction drops the rows.

use sqlx::{Row, Sqlite, Transaction};
use weft_core::{RoomId, Seq};

use super::{
    LogError, SqliteLog, StoredBatch, Upkeep,
    read::{self, LiveRow, as_i64, broken, damaged, key, number},
};
use crate::{
    log::segment,
    payload::{Payload, with_cause},
};

/// Bytes of batches in one segment, before compression.
const SEGMENT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Rows, and bytes in them, that are dropped in one transaction.
const SLICE_ROWS_MAX: i64 = 64;
const SLICE_BYTES_MAX: i64 = 512 * 1024;
/// Pages of 4 KiB given back to the file system in one transaction.
const SHRINK_PAGES: u32 = 64;
/// Unused pages that stay for what comes next: 16 MiB.
const SPARE_PAGES: u64 = 4096;

/// Archives what may be archived and gives the number of batches moved.
pub(super) async fn compact(
    log: &SqliteLog,
    room: RoomId,
    keep_after: Seq,
) -> Result<u64, LogError> {
    let mut moved = 0;
    drop_archived(log, room).await?; // What an earlier compaction left.
    loop {
        let rows = next_rows(log, room, keep_after).await?;
        if rows.is_empty() {
            break;
        }
        let batches = rows.len() as u64;
        if !archive(log, room, rows).await? {
            break; // Another compaction of this room was faster.
        }
        drop_archived(log, room).await?;
        moved += batches;
    }
    if moved > 0 {
        tracing::info!(%room, moved, "log: batches archived");
        shrink(log).await?;
    }
    Ok(moved)
}

/// The oldest live rows that may be archived, a segment's worth.
async fn next_rows(
    log: &SqliteLog,
    room: RoomId,
    keep_after: Seq,
) -> Result<Vec<LiveRow>, LogError> {
    let mut at = read::begin(&log.readers).await?;
    let sql = "SELECT COALESCE((SELECT MAX(seq) FROM snapshots WHERE room = ?1), 0), \
                   COALESCE((SELECT MAX(first_seq) FROM batches WHERE room = ?1), 0)";
    let query = sqlx::query(sql).bind(key(room));
    let row = query.fetch_one(&mut *at).await.map_err(broken(room))?;
    let snapshot = number(&row, 0).map_err(broken(room))?;
    let newest = number(&row, 1).map_err(broken(room))?;
    let archived_to = archived_to(&mut at, room).await?;
    let last_max = keep_after.min(snapshot).min(newest.saturating_sub(1));
    let rows = read::live(&mut at, room, archived_to, last_max, SEGMENT_BYTES_MAX).await?;
    let mut end = archived_to;
    for row in &rows {
        if row.first_seq != end + 1 {
            return Err(damaged(room, format!("after {end} comes a batch at {}", row.first_seq)));
        }
        end = row.last_seq();
    }
    Ok(rows)
}

/// Seq of the last archived entry.
async fn archived_to(at: &mut Transaction<'static, Sqlite>, room: RoomId) -> Result<Seq, LogError> {
    let sql = "SELECT COALESCE((SELECT MAX(last_seq) FROM segments WHERE room = ?), 0)";
    let query = sqlx::query(sql).bind(key(room));
    let row = query.fetch_one(&mut **at).await.map_err(broken(room))?;
    number(&row, 0).map_err(broken(room))
}

/// Makes a segment of the rows; `false` if the archive already reaches beyond their first.
async fn archive(log: &SqliteLog, room: RoomId, rows: Vec<LiveRow>) -> Result<bool, LogError> {
    let mut batches = Vec::with_capacity(rows.len());
    for LiveRow { first_seq, count, payload } in rows {
        let data = payload.read(&log.blobs).await.map_err(|reason| damaged(room, reason))?;
        batches.push(StoredBatch { first_seq, count, data });
    }
    let first_seq = batches.first().map_or(0, |batch| as_i64(batch.first_seq));
    let last_seq = batches.last().map_or(0, |batch| as_i64(batch.last_seq()));
    let unavailable = |error: &dyn std::error::Error| LogError::Unavailable(with_cause(error));
    let segment = tokio::task::spawn_blocking(move || segment::encode(&batches))
        .await
        .map_err(|error| unavailable(&error))?;
    let payload =
        Payload::keep_in_blob(segment, &log.blobs).await.map_err(|error| unavailable(&error))?;
    Ok(log.upkeep(Upkeep::Segment { room, first_seq, last_seq, payload }).await? > 0)
}

/// Drops the rows of batches that are archived, a slice at a time.
async fn drop_archived(log: &SqliteLog, room: RoomId) -> Result<(), LogError> {
    loop {
        let mut at = read::begin(&log.readers).await?;
        let archived_to = as_i64(archived_to(&mut at, room).await?);
        let sql = "SELECT first_seq, CASE WHEN in_blob THEN 0 ELSE size END FROM batches \
                   WHERE room = ? AND first_seq <= ? ORDER BY first_seq LIMIT ?";
        let query = sqlx::query(sql).bind(key(room)).bind(archived_to).bind(SLICE_ROWS_MAX);
        let rows = query.fetch_all(&mut *at).await.map_err(broken(room))?;
        drop(at);
        let (mut bytes, mut first_seq_max) = (0_i64, None);
        for row in &rows {
            bytes = bytes.saturating_add(row.try_get(1).map_err(broken(room))?);
            if bytes > SLICE_BYTES_MAX && first_seq_max.is_some() {
                break;
            }
            first_seq_max = Some(row.try_get(0).map_err(broken(room))?);
        }
        let Some(first_seq_max) = first_seq_max else { return Ok(()) };
        log.upkeep(Upkeep::DropArchived { room, first_seq_max }).await?;
    }
}

/// Gives space back to the file system if much of the database file is unused.
async fn shrink(log: &SqliteLog) -> Result<(), LogError> {
    let mut unused_before = u64::MAX;
    loop {
        let unused = pages(log, "PRAGMA freelist_count").await?;
        let all = pages(log, "PRAGMA page_count").await?;
        if unused <= SPARE_PAGES.max(all / 4) || unused >= unused_before {
            return Ok(());
        }
        log.upkeep(Upkeep::Shrink { pages: SHRINK_PAGES }).await?;
        unused_before = unused;
    }
}

async fn pages(log: &SqliteLog, pragma: &'static str) -> Result<u64, LogError> {
    let what = "cannot count pages";
    let row = sqlx::query(pragma).fetch_one(&log.readers).await.map_err(LogError::db(what))?;
    number(&row, 0).map_err(LogError::db(what))
}
