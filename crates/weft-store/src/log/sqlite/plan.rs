//! What one group of requests does: decided here on plain values, written by [`super::rows`].
//!
//! Requests are taken in order, each on what those before it leave behind. One that conflicts or
//! is denied adds nothing to the writes, so it cannot spoil the others.

use std::collections::BTreeMap;

use bytes::Bytes;
use weft_core::{ClientId, Guard, RoomId, Seq};

use super::{Appended, LogError};
use crate::payload::Payload;

/// An append whose data is where it will lie, and whose numbers fit the database.
#[derive(Debug)]
pub(super) struct Entry {
    pub room: RoomId,
    pub first_seq: Seq,
    pub count: u32,
    pub payload: Payload,
    pub ledgers: Vec<(ClientId, Bytes)>,
    pub guard: Guard,
}

/// What the writer is asked.
#[derive(Debug)]
pub(super) enum Request {
    /// Make a room with its first batch.
    Create(Entry),
    /// Append to a room.
    Append(Entry),
    /// Add 1 to a room's access revision.
    RaiseAccess(RoomId),
    /// Something off the path of edits that wants a transaction.
    Upkeep(Upkeep),
    /// Answer once no earlier outcome is in doubt.
    Settle,
    /// Finish what waits, then end.
    Close,
}

/// Single statements that wait for no answer of the room's.
#[derive(Debug)]
pub(super) enum Upkeep {
    /// Keep a snapshot, if a live batch ends at `seq`, and drop all but the newest.
    Snapshot { room: RoomId, seq: i64, payload: Payload },
    /// Keep a segment, if it begins after the last one.
    Segment { room: RoomId, first_seq: i64, last_seq: i64, payload: Payload },
    /// Drop live batches that begin at `first_seq_max` or before, as far as they are archived.
    DropArchived { room: RoomId, first_seq_max: i64 },
    /// Give up to so many unused pages back to the file system.
    Shrink { pages: u32 },
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Durable. The number is the access revision or the rows touched, where one is asked for.
    Done(u64),
    /// The room's head is not where the append wants it.
    Conflict { head: Seq },
    /// The room's guard is not the append's.
    Denied { guard: Guard },
    /// No such room.
    NoRoom,
    /// Definitely not carried out.
    Failed(String),
    /// Carried out or not.
    Unknown(String),
}

impl Answer {
    pub fn appended(self) -> Appended {
        match self {
            Self::Done(_) => Appended::Ok,
            Self::Conflict { head } => Appended::Conflict { head },
            Self::Denied { guard } => Appended::Denied { guard },
            Self::NoRoom => Appended::Conflict { head: 0 },
            Self::Failed(reason) => Appended::Failed(reason),
            Self::Unknown(reason) => Appended::Unknown(reason),
        }
    }

    /// The answer to a request that only the store itself can refuse.
    pub fn number(self) -> Result<u64, LogError> {
        match self {
            Self::Done(number) => Ok(number),
            Self::Failed(reason) | Self::Unknown(reason) => Err(LogError::Unavailable(reason)),
            other => Err(LogError::Unavailable(format!("unexpected: {other:?}"))),
        }
    }
}

/// A room as the transaction finds it, and as the group leaves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RoomState {
    pub guard: Guard,
    pub head: Seq,
}

/// What a group writes.
#[derive(Debug, Default)]
pub(super) struct Writes {
    /// New rooms.
    pub rooms: Vec<(RoomId, Guard)>,
    /// New access revisions, the last of equals holds.
    pub access: Vec<(RoomId, u64)>,
    pub batches: Vec<BatchRow>,
    /// New ledgers, the last of equals holds.
    pub ledgers: Vec<(RoomId, ClientId, Bytes)>,
    /// Each with the place of its answer, which is known once it is carried out.
    pub upkeep: Vec<(usize, Upkeep)>,
}

/// A row of `batches`.
#[derive(Debug)]
pub(super) struct BatchRow {
    pub room: RoomId,
    pub first_seq: Seq,
    pub count: u32,
    pub payload: Payload,
}

/// Decides a group: its answers, if the writes succeed, and the writes.
pub(super) fn decide(
    rooms: &mut BTreeMap<RoomId, RoomState>,
    requests: Vec<Request>,
) -> (Vec<Answer>, Writes) {
    let mut writes = Writes::default();
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        let answer = match request {
            Request::Create(entry) => create(rooms, entry, &mut writes),
            Request::Append(entry) => append(rooms, entry, &mut writes),
            Request::RaiseAccess(room) => raise_access(rooms, room, &mut writes),
            Request::Upkeep(upkeep) => {
                writes.upkeep.push((answers.len(), upkeep));
                Answer::Done(0)
            }
            Request::Settle | Request::Close => Answer::Done(0),
        };
        answers.push(answer);
    }
    (answers, writes)
}

fn create(rooms: &mut BTreeMap<RoomId, RoomState>, entry: Entry, writes: &mut Writes) -> Answer {
    if let Some(room) = rooms.get(&entry.room) {
        return Answer::Conflict { head: room.head };
    }
    rooms.insert(entry.room, RoomState { guard: entry.guard, head: 0 });
    writes.rooms.push((entry.room, entry.guard));
    append(rooms, entry, writes)
}

fn append(rooms: &mut BTreeMap<RoomId, RoomState>, entry: Entry, writes: &mut Writes) -> Answer {
    let Entry { room, first_seq, count, payload, ledgers, guard } = entry;
    let Some(state) = rooms.get_mut(&room) else { return Answer::NoRoom };
    if state.guard != guard {
        return Answer::Denied { guard: state.guard };
    }
    if first_seq != state.head + 1 {
        return Answer::Conflict { head: state.head };
    }
    if count > 0 {
        state.head += u64::from(count);
        writes.batches.push(BatchRow { room, first_seq, count, payload });
    }
    writes.ledgers.extend(ledgers.into_iter().map(|(client, data)| (room, client, data)));
    Answer::Done(0)
}

fn raise_access(
    rooms: &mut BTreeMap<RoomId, RoomState>,
    room: RoomId,
    writes: &mut Writes,
) -> Answer {
    let Some(state) = rooms.get_mut(&room) else { return Answer::NoRoom };
    state.guard.access += 1;
    writes.access.push((room, state.guard.access));
    Answer::Done(state.guard.access)
}
