//! The statements of a group. Few trips to SQLite's thread whatever the size of the group: rows
//! go in chunks, and the chunk sizes are few, so that every statement stays prepared.

use std::{collections::BTreeMap, fmt::Write as _};

use sqlx::{
    AssertSqlSafe, Row, Sqlite, SqliteConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};
use weft_core::{ClientId, Guard, RoomId};

use super::plan::{BatchRow, RoomState, Upkeep, Writes};
use crate::payload::Payload;

/// Rows that go in one statement.
const CHUNKS: [usize; 4] = [64, 16, 4, 1];
/// Snapshots kept for each room.
const SNAPSHOTS_KEPT: i64 = 2;

type Statement = Query<'static, Sqlite, SqliteArguments>;

/// Begins the transaction and reads the rooms that it is about.
pub(super) async fn begin(
    connection: &mut SqliteConnection,
    rooms: &[RoomId],
) -> Result<BTreeMap<RoomId, RoomState>, sqlx::Error> {
    // Padded to a power of two with repetitions, for the sake of few different statements.
    let places = rooms.len().next_power_of_two();
    let mut sql = String::from(
        "BEGIN IMMEDIATE; SELECT room, epoch, access, (SELECT first_seq + count - 1 FROM batches \
         WHERE batches.room = rooms.room ORDER BY first_seq DESC LIMIT 1) \
         FROM rooms WHERE room IN (",
    );
    push_places(&mut sql, places);
    sql.push(')');
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for place in 0..places {
        query = query.bind(rooms.get(place).or(rooms.last()).map(|room| room.as_bytes().to_vec()));
    }
    query.fetch_all(connection).await?.iter().map(room_state).collect()
}

fn room_state(row: &SqliteRow) -> Result<(RoomId, RoomState), sqlx::Error> {
    let room = RoomId::try_from(row.try_get::<&[u8], _>(0)?)
        .map_err(|error| sqlx::Error::Decode(error.into()))?;
    let guard = Guard { epoch: number(row, 1)?, access: number(row, 2)? };
    Ok((room, RoomState { guard, head: number(row, 3)? }))
}

/// A column that holds a number of ours.
pub(super) fn number(row: &SqliteRow, column: usize) -> Result<u64, sqlx::Error> {
    let number: i64 = row.try_get(column)?;
    number.try_into().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// Carries the writes out, and gives for each upkeep its place and the rows it touched.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    writes: Writes,
) -> Result<Vec<(usize, u64)>, sqlx::Error> {
    for (room, guard) in writes.rooms {
        sqlx::query("INSERT INTO rooms (room, epoch, access) VALUES (?, ?, ?)")
            .bind(room.as_bytes().to_vec())
            .bind(as_i64(guard.epoch))
            .bind(as_i64(guard.access))
            .execute(&mut *connection)
            .await?;
    }
    insert(connection, writes.batches, writes.ledgers).await?;
    for (room, access) in writes.access {
        sqlx::query("UPDATE rooms SET access = ? WHERE room = ?")
            .bind(as_i64(access))
            .bind(room.as_bytes().to_vec())
            .execute(&mut *connection)
            .await?;
    }
    let mut touched = Vec::with_capacity(writes.upkeep.len());
    for (place, upkeep) in writes.upkeep {
        touched.push((place, keep_up(connection, upkeep).await?));
    }
    Ok(touched)
}

/// Inserts batches and ledgers, a chunk of each at a time.
async fn insert(
    connection: &mut SqliteConnection,
    batches: Vec<BatchRow>,
    ledgers: Vec<(RoomId, ClientId, bytes::Bytes)>,
) -> Result<(), sqlx::Error> {
    let (mut batches, mut ledgers) = (batches.into_iter(), ledgers.into_iter());
    loop {
        let (some_batches, some_ledgers) = (chunk(batches.len()), chunk(ledgers.len()));
        if some_batches + some_ledgers == 0 {
            return Ok(());
        }
        let mut query = sqlx::query(AssertSqlSafe(insert_sql(some_batches, some_ledgers)));
        for batch in batches.by_ref().take(some_batches) {
            query = query
                .bind(batch.room.as_bytes().to_vec())
                .bind(as_i64(batch.first_seq))
                .bind(i64::from(batch.count));
            query = bind_payload(query, batch.payload);
        }
        for (room, client, data) in ledgers.by_ref().take(some_ledgers) {
            query =
                query.bind(room.as_bytes().to_vec()).bind(as_i64(client.0)).bind(Vec::from(data));
        }
        query.execute(&mut *connection).await?;
    }
}

fn chunk(rows: usize) -> usize {
    CHUNKS.into_iter().find(|&chunk| chunk <= rows).unwrap_or(0)
}

fn insert_sql(batches: usize, ledgers: usize) -> String {
    let mut sql = String::new();
    if batches > 0 {
        sql.push_str(
            "INSERT INTO batches (room, first_seq, count, in_blob, size, digest, data) VALUES ",
        );
        push_rows(&mut sql, batches, 7);
        sql.push(';');
    }
    if ledgers > 0 {
        sql.push_str("INSERT INTO ledgers (room, client, data) VALUES ");
        push_rows(&mut sql, ledgers, 3);
        sql.push_str(" ON CONFLICT (room, client) DO UPDATE SET data = excluded.data;");
    }
    sql
}

fn push_rows(sql: &mut String, rows: usize, columns: usize) {
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ",(" });
        push_places(sql, columns);
        sql.push(')');
    }
}

fn push_places(sql: &mut String, places: usize) {
    for place in 0..places {
        sql.push_str(if place == 0 { "?" } else { ",?" });
    }
}

async fn keep_up(connection: &mut SqliteConnection, upkeep: Upkeep) -> Result<u64, sqlx::Error> {
    match upkeep {
        Upkeep::Snapshot { room, seq, payload } => {
            let query = sqlx::query(
                "INSERT OR REPLACE INTO snapshots (room, seq, in_blob, size, digest, data) \
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6 FROM \
                     (SELECT first_seq + count - 1 AS last_seq FROM batches \
                      WHERE room = ?1 AND first_seq <= ?2 ORDER BY first_seq DESC LIMIT 1) \
                 WHERE last_seq = ?2",
            );
            let query = query.bind(room.as_bytes().to_vec()).bind(seq);
            let kept = execute(connection, bind_payload(query, payload)).await?;
            let drop_older = sqlx::query(
                "DELETE FROM snapshots WHERE room = ?1 AND seq < (SELECT MIN(seq) FROM \
                     (SELECT seq FROM snapshots WHERE room = ?1 ORDER BY seq DESC LIMIT ?2))",
            );
            let drop_older = drop_older.bind(room.as_bytes().to_vec()).bind(SNAPSHOTS_KEPT);
            execute(connection, drop_older).await?;
            Ok(kept)
        }
        Upkeep::Segment { room, first_seq, last_seq, payload } => {
            let query = sqlx::query(
                "INSERT INTO segments (room, first_seq, last_seq, in_blob, size, digest, data) \
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 \
                 WHERE NOT EXISTS (SELECT 1 FROM segments WHERE room = ?1 AND last_seq >= ?2)",
            );
            let query = query.bind(room.as_bytes().to_vec()).bind(first_seq).bind(last_seq);
            execute(connection, bind_payload(query, payload)).await
        }
        Upkeep::DropArchived { room, first_seq_max } => {
            let query = sqlx::query(
                "DELETE FROM batches WHERE room = ?1 AND first_seq <= ?2 \
                 AND first_seq <= (SELECT MAX(last_seq) FROM segments WHERE room = ?1)",
            );
            execute(connection, query.bind(room.as_bytes().to_vec()).bind(first_seq_max)).await
        }
        Upkeep::Shrink { pages } => {
            let mut sql = String::new();
            write!(sql, "PRAGMA incremental_vacuum({pages})").expect("strings take all text");
            execute(connection, sqlx::query(AssertSqlSafe(sql))).await
        }
    }
}

async fn execute(
    connection: &mut SqliteConnection,
    statement: Statement,
) -> Result<u64, sqlx::Error> {
    Ok(statement.execute(connection).await?.rows_affected())
}

fn bind_payload(query: Statement, payload: Payload) -> Statement {
    query.bind(payload.in_blob).bind(payload.size).bind(payload.digest).bind(payload.data)
}

/// Numbers are checked when an append comes in.
fn as_i64(number: u64) -> i64 {
    i64::try_from(number).expect("numbers were checked to fit")
}
