//! What one group of requests does, and what filing its changes does: decided here on plain
//! values, written by [`super::rows`].
//!
//! Requests are taken in order, each on what those before it leave behind. One that conflicts or
//! is denied adds no change, so it cannot spoil the others.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use bytes::Bytes;
use weft_core::{ClientId, Guard, RoomId, Seq};

use super::{Appended, LogError, journal::Change};
use crate::payload::Payload;

/// An append whose data is where it will lie, and whose numbers fit the database.
#[derive(Debug, PartialEq, Eq)]
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
    Create(Arc<Entry>),
    /// Append to a room.
    Append(Arc<Entry>),
    /// Add 1 to a room's access revision.
    RaiseAccess(RoomId),
    /// Something off the path of edits that wants a transaction.
    Upkeep(Upkeep),
    /// Tell what is not filed of the room, once no outcome is in doubt.
    Read(RoomId),
    /// Answer once everything about the room is filed.
    File(RoomId),
    /// Finish what waits, then end.
    Close,
}

impl Request {
    /// The room that it wants to change.
    pub fn changed_room(&self) -> Option<RoomId> {
        match self {
            Self::Create(entry) | Self::Append(entry) => Some(entry.room),
            Self::RaiseAccess(room) => Some(*room),
            Self::Upkeep(_) | Self::Read(_) | Self::File(_) | Self::Close => None,
        }
    }

    /// Bytes that it puts into rows, roughly.
    pub fn row_bytes(&self) -> usize {
        match self {
            Self::Create(entry) | Self::Append(entry) => {
                let ledgers: usize = entry.ledgers.iter().map(|(_, data)| data.len() + 32).sum();
                entry.payload.row_bytes() + ledgers
            }
            Self::Upkeep(Upkeep::Snapshot { payload, .. } | Upkeep::Segment { payload, .. }) => {
                payload.row_bytes()
            }
            Self::Upkeep(Upkeep::DropArchived { .. } | Upkeep::Shrink { .. }) => 4096,
            Self::RaiseAccess(_) | Self::Read(_) | Self::File(_) | Self::Close => 64,
        }
    }
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
    /// The changes of one room that are not filed, each with the number of its row, ascending.
    Unfiled(Vec<(u64, Change)>),
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
            other @ Self::Unfiled(_) => Appended::Unknown(format!("unexpected: {other:?}")),
        }
    }

    /// The answer to [`Request::Read`].
    pub fn unfiled(self) -> Result<Vec<(u64, Change)>, LogError> {
        match self {
            Self::Unfiled(changes) => Ok(changes),
            other => Err(other.unavailable()),
        }
    }

    /// The answer to a request that only the store itself can refuse.
    pub fn number(self) -> Result<u64, LogError> {
        match self {
            Self::Done(number) => Ok(number),
            other => Err(other.unavailable()),
        }
    }

    fn unavailable(self) -> LogError {
        match self {
            Self::Failed(reason) | Self::Unknown(reason) => LogError::Unavailable(reason),
            other => LogError::Unavailable(format!("unexpected: {other:?}")),
        }
    }
}

/// A room as a group finds it, and as the group leaves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RoomState {
    pub guard: Guard,
    pub head: Seq,
}

/// Decides a group: its answers and its changes, if they are stored.
pub(super) fn decide(
    rooms: &mut HashMap<RoomId, RoomState>,
    requests: &[Request],
) -> (Vec<Answer>, Vec<Change>) {
    let mut changes = Vec::with_capacity(requests.len());
    let answers = requests
        .iter()
        .map(|request| match request {
            Request::Create(entry) => create(rooms, entry, &mut changes),
            Request::Append(entry) => append(rooms, entry, false, &mut changes),
            Request::RaiseAccess(room) => raise_access(rooms, *room, &mut changes),
            Request::Upkeep(_) | Request::Read(_) | Request::File(_) | Request::Close => {
                Answer::Done(0)
            }
        })
        .collect();
    (answers, changes)
}

fn create(
    rooms: &mut HashMap<RoomId, RoomState>,
    entry: &Arc<Entry>,
    changes: &mut Vec<Change>,
) -> Answer {
    if let Some(room) = rooms.get(&entry.room) {
        return Answer::Conflict { head: room.head };
    }
    rooms.insert(entry.room, RoomState { guard: entry.guard, head: 0 });
    append(rooms, entry, true, changes)
}

fn append(
    rooms: &mut HashMap<RoomId, RoomState>,
    entry: &Arc<Entry>,
    new_guard: bool,
    changes: &mut Vec<Change>,
) -> Answer {
    let Some(state) = rooms.get_mut(&entry.room) else { return Answer::NoRoom };
    if state.guard != entry.guard {
        return Answer::Denied { guard: state.guard };
    }
    if entry.first_seq != state.head + 1 {
        return Answer::Conflict { head: state.head };
    }
    state.head += u64::from(entry.count);
    state.guard.answers += u64::from(entry.count == 0);
    let new_guard = new_guard || entry.count == 0;
    changes.push(Change { entry: entry.clone(), new_guard, answers: state.guard.answers });
    Answer::Done(0)
}

fn raise_access(
    rooms: &mut HashMap<RoomId, RoomState>,
    room: RoomId,
    changes: &mut Vec<Change>,
) -> Answer {
    let Some(state) = rooms.get_mut(&room) else { return Answer::NoRoom };
    if state.guard.access >= i64::MAX as u64 {
        return Answer::Failed("the access revision is at its end".into());
    }
    state.guard.access += 1;
    let entry = Entry {
        room,
        first_seq: state.head + 1,
        count: 0,
        payload: Payload::Inline(Bytes::new()),
        ledgers: Vec::new(),
        guard: state.guard,
    };
    let answers = state.guard.answers;
    changes.push(Change { entry: Arc::new(entry), new_guard: true, answers });
    Answer::Done(state.guard.access)
}

/// What filing writes: of guards and ledgers only the last. All in the order of their keys, so
/// that neighbours share pages.
#[derive(Debug, Default)]
pub(super) struct Filing<'a> {
    /// Guards that have changed.
    pub guards: BTreeMap<RoomId, Guard>,
    /// Appends with entries.
    pub batches: Vec<&'a Entry>,
    pub ledgers: BTreeMap<(RoomId, ClientId), &'a Bytes>,
}

impl<'a> Filing<'a> {
    /// These changes, in the order of their commits.
    pub fn of(changes: impl Iterator<Item = &'a Change>) -> Self {
        let mut filing = Self::default();
        for change in changes {
            let entry = &change.entry;
            if change.new_guard {
                filing.guards.insert(entry.room, change.state().guard);
            }
            if entry.count > 0 {
                filing.batches.push(&**entry);
            }
            let ledgers = entry.ledgers.iter();
            filing.ledgers.extend(ledgers.map(|(client, data)| ((entry.room, *client), data)));
        }
        filing.batches.sort_by_key(|entry| entry.room);
        filing
    }

    /// Pages that it dirties, roughly: neighbours share some.
    pub fn pages(&self) -> usize {
        self.guards.len() + (self.batches.len() + self.ledgers.len()) / 4
    }
}
