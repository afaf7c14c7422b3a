//! The statements of the writer, all of them prepared once. None begins or ends a transaction.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use weft_core::{Guard, RoomId};

use super::{
    LogError,
    known::Known,
    plan::{Filing, RoomState, Upkeep},
};
use crate::payload::{Columns, inline_digest};

/// Snapshots kept for each room.
const SNAPSHOTS_KEPT: i64 = 2;

/// Carries out a statement without parameters, such as `BEGIN IMMEDIATE`.
pub(super) fn run(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

/// Reads the journal's rows that are not filed.
pub(super) fn know(connection: &Connection) -> Result<Known, LogError> {
    let failed = || LogError::db("cannot read the journal");
    // One statement, so that no other process files a part of it meanwhile.
    let sql = "SELECT filed.n, journal.n, journal.digest, journal.data \
               FROM filed LEFT JOIN journal WHERE filed.one = 1 ORDER BY journal.n";
    let mut statement = connection.prepare_cached(sql).map_err(failed())?;
    let mut rows = statement.query([]).map_err(failed())?;
    let mut known = None;
    while let Some(row) = rows.next().map_err(failed())? {
        let filed = number(row, 0).map_err(failed())?;
        let known = known.get_or_insert_with(|| Known::filed_to(filed));
        if row.get::<_, Option<i64>>(1).map_err(failed())?.is_some() {
            let n = number(row, 1).map_err(failed())?;
            let digest: Vec<u8> = row.get(2).map_err(failed())?;
            known.read(n, &digest, row.get(3).map_err(failed())?)?;
        }
    }
    known.ok_or_else(|| LogError::Journal { n: 0, what: "nothing tells what is filed".into() })
}

/// Whether the journal is as it is known: nobody else has added to it or filed it.
pub(super) fn holds(connection: &Connection, known: &Known) -> rusqlite::Result<bool> {
    let sql = "SELECT COALESCE((SELECT MAX(n) FROM journal), n), n FROM filed";
    let found = connection
        .prepare_cached(sql)?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    Ok(found == Some((as_i64(known.newest()), as_i64(known.filed()))))
}

/// Adds row `n` to the journal.
pub(super) fn insert(connection: &Connection, n: u64, data: &[u8]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO journal (n, digest, data) VALUES (?, ?, ?)";
    let digest = inline_digest(data);
    connection.prepare_cached(sql)?.execute(params![as_i64(n), &digest[..], data]).map(drop)
}

/// Adds these rooms as the tables have them, those that are there.
pub(super) fn add_states(
    connection: &Connection,
    rooms: impl Iterator<Item = RoomId>,
    states: &mut HashMap<RoomId, RoomState>,
) -> rusqlite::Result<()> {
    let sql = "SELECT epoch, access, answers, (SELECT first_seq + count - 1 FROM batches \
               WHERE batches.room = rooms.room ORDER BY first_seq DESC LIMIT 1) \
               FROM rooms WHERE room = ?";
    let mut statement = connection.prepare_cached(sql)?;
    let state = |row: &Row<'_>| {
        let (epoch, access, answers) = (number(row, 0)?, number(row, 1)?, number(row, 2)?);
        Ok(RoomState { guard: Guard { epoch, access, answers }, head: number(row, 3)? })
    };
    for room in rooms {
        if !states.contains_key(&room)
            && let Some(state) = statement.query_row([&room.as_bytes()[..]], state).optional()?
        {
            states.insert(room, state);
        }
    }
    Ok(())
}

/// A column that holds a number of ours.
fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

/// Moves the journal's rows up to `to` to the tables.
pub(super) fn file(connection: &Connection, to: u64, filing: Filing<'_>) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO rooms (room, epoch, access, answers) VALUES (?, ?, ?, ?) \
         ON CONFLICT (room) DO UPDATE \
         SET epoch = excluded.epoch, access = excluded.access, answers = excluded.answers",
    )?;
    for (room, guard) in filing.guards {
        let Guard { epoch, access, answers } = guard;
        let [epoch, access, answers] = [epoch, access, answers].map(as_i64);
        statement.execute(params![&room.as_bytes()[..], epoch, access, answers])?;
    }
    let mut statement = connection.prepare_cached(
        "INSERT INTO batches (room, first_seq, count, in_blob, size, digest, data) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?;
    for batch in filing.batches {
        let Columns { in_blob, size, digest, data } = batch.payload.columns();
        let (room, first_seq) = (&batch.room.as_bytes()[..], as_i64(batch.first_seq));
        statement.execute(params![room, first_seq, batch.count, in_blob, size, digest, data])?;
    }
    let mut statement = connection.prepare_cached(
        "INSERT INTO ledgers (room, client, data) VALUES (?, ?, ?) \
         ON CONFLICT (room, client) DO UPDATE SET data = excluded.data",
    )?;
    for ((room, client), data) in filing.ledgers {
        statement.execute(params![&room.as_bytes()[..], as_i64(client.0), &data[..]])?;
    }
    let to = as_i64(to);
    connection.prepare_cached("UPDATE filed SET n = ?")?.execute([to])?;
    connection.prepare_cached("DELETE FROM journal WHERE n <= ?")?.execute([to])?;
    Ok(())
}

/// Carries an upkeep out and gives the rows it touched.
pub(super) fn keep_up(connection: &Connection, upkeep: &Upkeep) -> rusqlite::Result<u64> {
    let touched = match upkeep {
        Upkeep::Snapshot { room, seq, payload } => {
            let room = &room.as_bytes()[..];
            let Columns { in_blob, size, digest, data } = payload.columns();
            let sql = "INSERT OR REPLACE INTO snapshots (room, seq, in_blob, size, digest, data) \
                       SELECT ?1, ?2, ?3, ?4, ?5, ?6 FROM \
                           (SELECT first_seq + count - 1 AS last_seq FROM batches \
                            WHERE room = ?1 AND first_seq <= ?2 ORDER BY first_seq DESC LIMIT 1) \
                       WHERE last_seq = ?2";
            let columns = params![room, seq, in_blob, size, digest, data];
            let kept = connection.prepare_cached(sql)?.execute(columns)?;
            let sql = "DELETE FROM snapshots WHERE room = ?1 AND seq < (SELECT MIN(seq) FROM \
                           (SELECT seq FROM snapshots WHERE room = ?1 ORDER BY seq DESC LIMIT ?2))";
            connection.prepare_cached(sql)?.execute(params![room, SNAPSHOTS_KEPT])?;
            kept
        }
        Upkeep::Segment { room, first_seq, last_seq, payload } => {
            let room = &room.as_bytes()[..];
            let Columns { in_blob, size, digest, data } = payload.columns();
            let sql = "INSERT INTO segments \
                           (room, first_seq, last_seq, in_blob, size, digest, data) \
                       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE NOT EXISTS \
                           (SELECT 1 FROM segments WHERE room = ?1 AND last_seq >= ?2)";
            let columns = params![room, first_seq, last_seq, in_blob, size, digest, data];
            connection.prepare_cached(sql)?.execute(columns)?
        }
        Upkeep::DropArchived { room, first_seq_max } => {
            let sql = "DELETE FROM batches WHERE room = ?1 AND first_seq <= ?2 \
                       AND first_seq <= (SELECT MAX(last_seq) FROM segments WHERE room = ?1)";
            let bounds = params![&room.as_bytes()[..], first_seq_max];
            connection.prepare_cached(sql)?.execute(bounds)?
        }
        Upkeep::Shrink { pages } => {
            // Each page that it gives back is a step.
            let mut statement =
                connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
            let mut steps = statement.query([])?;
            while steps.next()?.is_some() {}
            0
        }
    };
    Ok(touched as u64)
}

/// Numbers are checked when an append comes in, and when a row of the journal is read.
fn as_i64(number: u64) -> i64 {
    i64::try_from(number).expect("numbers were checked to fit")
}
