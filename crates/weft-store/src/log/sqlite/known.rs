//! What the writer knows without asking the database: rows of the journal that are not filed, and
//! rooms' heads and guards.
//!
//! Every change of a head or guard is a row of the journal, so this is true as long as the
//! journal's newest row is [`Known::newest`] and rows up to [`Known::filed`] are filed
//! ([`super::rows::holds`]). Compaction changes neither. After a failure the writer forgets it all
//! and reads it anew ([`super::rows::know`]).

use std::collections::{HashMap, HashSet, VecDeque, vec_deque};

use weft_core::RoomId;

use super::{LogError, journal, journal::Change, plan::RoomState};
use crate::payload::inline_digest;

/// Changes, and bytes of them, from which the journal is filed without waiting for a quiet time.
const BACKLOG_CHANGES: usize = 2048;
const BACKLOG_BYTES: usize = 4 * 1024 * 1024;
/// Changes, and bytes of them, that are filed in one transaction: some 5 ms. One row goes at least.
const SLICE_CHANGES_MAX: usize = 1024;
const SLICE_BYTES_MAX: usize = 1024 * 1024;
/// Rooms whose state is remembered though nothing of them is unfiled: some 80 bytes each.
const ROOMS_MAX: usize = 16_384;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Number of the newest row, filed or not.
    newest: u64,
    /// The changes of rows that are not filed; the last of them is `newest`.
    unfiled: VecDeque<Vec<Change>>,
    unfiled_changes: usize,
    unfiled_bytes: usize,
    /// Rooms as the newest row leaves them; at least those with changes in `unfiled`.
    pub states: HashMap<RoomId, RoomState>,
}

impl Known {
    /// Nothing but that rows up to this one are filed.
    pub fn filed_to(n: u64) -> Self {
        Self { newest: n, ..Self::default() }
    }

    /// Takes the next row as the database holds it.
    ///
    /// # Errors
    /// [`LogError::Journal`] if it is not the next, or its bytes are not what was written.
    pub fn read(&mut self, n: u64, digest: &[u8], data: Vec<u8>) -> Result<(), LogError> {
        let damaged = |what: String| LogError::Journal { n, what };
        if n != self.newest + 1 {
            return Err(damaged(format!("it comes after {}", self.newest)));
        }
        if digest != inline_digest(&data) {
            return Err(damaged("its bytes differ from their digest".into()));
        }
        let changes = journal::decode(data.into()).map_err(damaged)?;
        self.states.extend(changes.iter().map(|change| (change.entry.room, change.state())));
        self.add(changes);
        Ok(())
    }

    /// Takes the row that was just committed; `states` reflects it already.
    pub fn add(&mut self, changes: Vec<Change>) {
        self.newest += 1;
        self.unfiled_changes += changes.len();
        self.unfiled_bytes += bytes(&changes);
        self.unfiled.push_back(changes);
        if self.states.len() > ROOMS_MAX {
            let unfiled: HashSet<_> = self.unfiled.iter().flatten().map(|c| c.entry.room).collect();
            self.states.retain(|room, _| unfiled.contains(room));
        }
    }

    /// Number of the newest row.
    pub fn newest(&self) -> u64 {
        self.newest
    }

    /// Number of the newest row that is filed.
    pub fn filed(&self) -> u64 {
        self.newest - self.unfiled.len() as u64
    }

    /// Whether all rows are filed.
    pub fn is_filed(&self) -> bool {
        self.unfiled.is_empty()
    }

    /// Number of the newest row about the room that is not filed; 0 if there is none.
    pub fn unfiled_about(&self, room: RoomId) -> u64 {
        let about = |changes: &Vec<Change>| changes.iter().any(|change| change.entry.room == room);
        match self.unfiled.iter().rposition(about) {
            Some(place) => self.filed() + 1 + place as u64,
            None => 0,
        }
    }

    /// The changes of the room that are not filed, each with the number of its row.
    pub fn unfiled(&self, room: RoomId) -> Vec<(u64, Change)> {
        let rows = (self.filed() + 1..).zip(&self.unfiled);
        let changes = rows.flat_map(|(n, changes)| changes.iter().map(move |change| (n, change)));
        let about = changes.filter(|(_, change)| change.entry.room == room);
        about.map(|(n, change)| (n, change.clone())).collect()
    }

    /// Whether so much is unfiled that filing should not wait for a quiet time.
    pub fn is_long(&self) -> bool {
        self.unfiled_changes >= BACKLOG_CHANGES || self.unfiled_bytes >= BACKLOG_BYTES
    }

    /// Whether so much is unfiled that filing comes before anything else: starting and memory
    /// would suffer.
    pub fn is_full(&self) -> bool {
        self.unfiled_changes >= 2 * BACKLOG_CHANGES || self.unfiled_bytes >= 2 * BACKLOG_BYTES
    }

    /// The oldest unfiled rows that go in one transaction.
    pub fn slice(&self) -> vec_deque::Iter<'_, Vec<Change>> {
        let (mut count, mut size) = (0, 0);
        let fits = |changes: &&Vec<Change>| {
            count += changes.len();
            size += bytes(changes);
            count <= SLICE_CHANGES_MAX && size <= SLICE_BYTES_MAX
        };
        let rows = self.unfiled.iter().take_while(fits).count();
        self.unfiled.range(..rows.max(1).min(self.unfiled.len()))
    }

    /// The oldest so many rows are filed.
    pub fn drop_filed(&mut self, rows: usize) {
        for changes in self.unfiled.drain(..rows) {
            self.unfiled_changes -= changes.len();
            self.unfiled_bytes -= bytes(&changes);
        }
    }
}

fn bytes(changes: &[Change]) -> usize {
    changes.iter().map(Change::bytes).sum()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use weft_core::Guard;

    use super::{
        super::{journal::encode, plan::Entry},
        *,
    };
    use crate::payload::Payload;

    fn room(number: u64) -> RoomId {
        RoomId::new(number, [3; 10])
    }

    /// A row of so many changes of a room, the last of which has so many bytes of data.
    fn row(number: u64, changes: u64, bytes: usize) -> Vec<Change> {
        let change = |seq| {
            let payload = Payload::Inline(vec![7; if seq == changes { bytes } else { 0 }].into());
            let (ledgers, guard) = (Vec::new(), Guard { epoch: 7, access: 0, answers: 0 });
            let entry =
                Entry { room: room(number), first_seq: seq, count: 1, payload, ledgers, guard };
            Change { entry: Arc::new(entry), new_guard: seq == 1, answers: 0 }
        };
        (1..=changes).map(change).collect()
    }

    fn read(known: &mut Known, n: u64, changes: &[Change]) -> Result<(), LogError> {
        let data = encode(changes);
        known.read(n, &inline_digest(&data), data)
    }

    #[test]
    fn rows_are_read_in_order_and_whole() {
        let mut known = Known::filed_to(4);
        read(&mut known, 5, &row(1, 2, 0)).unwrap();
        read(&mut known, 6, &row(2, 1, 0)).unwrap();
        for n in [4, 6, 8] {
            let refused = read(&mut known, n, &row(1, 1, 0));
            assert!(matches!(refused, Err(LogError::Journal { n: at, .. }) if at == n), "{n}");
        }
        let data = encode(&row(1, 1, 0));
        assert!(known.read(7, &inline_digest(b"other"), data).is_err());
        assert!(known.read(7, &inline_digest(b"no row"), b"no row".into()).is_err());
        assert_eq!((known.filed(), known.newest()), (4, 6), "what was refused left no trace");
        let guard = Guard { epoch: 7, access: 0, answers: 0 };
        let states = [(1, 2), (2, 1)].map(|(n, head)| (room(n), RoomState { guard, head }));
        assert_eq!(known.states, states.into());
    }

    #[test]
    fn rows_wait_until_they_are_dropped() {
        let mut known = Known::filed_to(10);
        for number in [1, 2, 1, 3] {
            known.add(row(number, 1, 0));
        }
        let about = |known: &Known| [1, 2, 3, 4].map(|number| known.unfiled_about(room(number)));
        assert_eq!(about(&known), [13, 12, 14, 0]);
        let change = row(1, 1, 0).remove(0);
        assert_eq!(known.unfiled(room(1)), [(11, change.clone()), (13, change.clone())]);
        known.drop_filed(2);
        assert_eq!((known.filed(), known.newest()), (12, 14));
        assert_eq!(about(&known), [13, 0, 14, 0]);
        assert_eq!(known.unfiled(room(1)), [(13, change)]);
        known.drop_filed(2);
        assert_eq!((known.filed(), known.newest()), (14, 14));
        assert_eq!((known.unfiled_changes, known.unfiled_bytes), (0, 0));
    }

    #[test]
    fn slices_and_backlog_are_bounded_by_changes_and_bytes() {
        let many = row(1, SLICE_CHANGES_MAX as u64 / 2, 0);
        let large = row(1, 1, SLICE_BYTES_MAX / 2);
        for (rows, slice) in [
            (vec![], 0),
            (vec![many.clone(); 3], 2),
            (vec![large.clone(); 3], 1),
            (vec![row(1, 2 * SLICE_CHANGES_MAX as u64, 0), large.clone()], 1),
            (vec![row(1, 1, 2 * SLICE_BYTES_MAX), many.clone()], 1),
        ] {
            let mut known = Known::default();
            rows.into_iter().for_each(|row| known.add(row));
            assert_eq!(known.slice().len(), slice);
        }
        for (row, long_from) in [
            (&many, BACKLOG_CHANGES / (SLICE_CHANGES_MAX / 2)),
            (&large, BACKLOG_BYTES / (SLICE_BYTES_MAX / 2)),
        ] {
            let mut known = Known::default();
            for rows in 1..=2 * long_from {
                known.add(row.clone());
                assert_eq!(known.is_long(), rows >= long_from);
                assert_eq!(known.is_full(), rows >= 2 * long_from);
            }
        }
    }

    #[test]
    fn rooms_with_unfiled_changes_are_never_forgotten() {
        let mut known = Known::default();
        let state = RoomState { guard: Guard { epoch: 7, access: 0, answers: 0 }, head: 1 };
        known.states = (0..ROOMS_MAX as u64).map(|number| (room(number), state)).collect();
        for number in [5, ROOMS_MAX as u64] {
            known.states.insert(room(number), state);
            known.add(row(number, 1, 0));
        }
        let kept = [5, ROOMS_MAX as u64].map(|number| (room(number), state));
        assert_eq!(known.states, kept.into());
    }
}
