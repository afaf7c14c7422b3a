//! The journal: one row holds what one group commit changed, of all its rooms.
//!
//! Format 2: the byte 2; for each change: flags (u8: 1, its guard is new; 2, its payload is a
//! blob), room (16 bytes), epoch, access, answers, first seq (u64 each), count (u32), payload; the number of
//! ledgers (u32), and of each the client (u64), the length (u32) and the bytes. A payload is its
//! length (u32) and bytes, or the size (u64) and SHA-256 (32 bytes) of its blob. Numbers are big
//! endian. Format 1 has no answers: they are 0.
//!
//! Not here: which rows are filed ([`super::known`]), the table ([`super::rows`]).

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes};
use weft_core::{ClientId, Guard, RoomId, Seq};

use super::plan::{Entry, RoomState};
use crate::{blob::BlobHash, payload::Payload};

/// The newest format.
const VERSION: u8 = 2;
const NEW_GUARD: u8 = 1;
const IN_BLOB: u8 = 2;
/// Bytes of a change without payload and ledgers.
const CHANGE_BYTES: usize = 1 + 16 + 4 * 8 + 4 + 4;
/// Bytes of a ledger without its data.
const LEDGER_BYTES: usize = 8 + 4;

/// What one accepted request does to its room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// An append; one that raises the access revision has no entries and no ledgers.
    pub entry: Arc<Entry>,
    /// The room's guard changes: the room is new, its access was raised, or ledgers alone are stored.
    pub new_guard: bool,
    /// How many commits of ledgers alone the room has had then.
    pub answers: u64,
}

impl Change {
    /// How it leaves its room.
    pub fn state(&self) -> RoomState {
        let Entry { first_seq, count, guard, .. } = *self.entry;
        let guard = Guard { answers: self.answers, ..guard };
        RoomState { guard, head: first_seq - 1 + Seq::from(count) }
    }

    /// Bytes in its row.
    pub fn bytes(&self) -> usize {
        let payload = match &self.entry.payload {
            Payload::Inline(data) => 4 + data.len(),
            Payload::Blob { .. } => 8 + 32,
        };
        let ledgers = self.entry.ledgers.iter().map(|(_, data)| LEDGER_BYTES + data.len());
        CHANGE_BYTES + payload + ledgers.sum::<usize>()
    }
}

/// The row of these changes.
///
/// # Panics
/// If a payload or ledger has 4 GiB or more, far above what may be appended.
pub(super) fn encode(changes: &[Change]) -> Vec<u8> {
    let bytes: usize = changes.iter().map(Change::bytes).sum();
    let mut row = Vec::with_capacity(1 + bytes);
    row.put_u8(VERSION);
    for change in changes {
        encode_change(&mut row, change);
    }
    row
}

fn encode_change(row: &mut Vec<u8>, change: &Change) {
    let Entry { room, first_seq, count, payload, ledgers, guard } = &*change.entry;
    let new_guard = if change.new_guard { NEW_GUARD } else { 0 };
    let in_blob = if matches!(payload, Payload::Blob { .. }) { IN_BLOB } else { 0 };
    row.put_u8(new_guard | in_blob);
    row.put_slice(room.as_bytes());
    row.put_u64(guard.epoch);
    row.put_u64(guard.access);
    row.put_u64(change.answers);
    row.put_u64(*first_seq);
    row.put_u32(*count);
    match payload {
        Payload::Inline(data) => put_bytes(row, data),
        Payload::Blob { hash, size } => {
            row.put_u64(*size);
            row.put_slice(&hash.0);
        }
    }
    row.put_u32(len(ledgers.len()));
    for (client, data) in ledgers {
        row.put_u64(client.0);
        put_bytes(row, data);
    }
}

fn put_bytes(row: &mut Vec<u8>, data: &[u8]) {
    row.put_u32(len(data.len()));
    row.put_slice(data);
}

fn len(len: usize) -> u32 {
    u32::try_from(len).expect("appends are smaller")
}

/// The changes of a row; the error says what is wrong with the bytes.
pub(super) fn decode(mut row: Bytes) -> Result<Vec<Change>, String> {
    let version = row.try_get_u8().map_err(|_| "it is empty")?;
    if !(1..=VERSION).contains(&version) {
        return Err(format!("it has format {version}, known up to {VERSION}"));
    }
    let mut changes = Vec::new();
    while row.has_remaining() {
        changes.push(decode_change(version, &mut row).ok_or("it is cut short or makes no sense")?);
    }
    Ok(changes)
}

fn decode_change(version: u8, row: &mut Bytes) -> Option<Change> {
    let flags = row.try_get_u8().ok().filter(|flags| flags & !(NEW_GUARD | IN_BLOB) == 0)?;
    let room = RoomId::from_bytes(take_array(row)?);
    let (epoch, access) = (take_number(row)?, take_number(row)?);
    let answers = if version == 1 { 0 } else { take_number(row)? };
    let first_seq = take_number(row).filter(|&seq| seq > 0)?;
    let count = row.try_get_u32().ok()?;
    let payload = if flags & IN_BLOB == 0 {
        Payload::Inline(take_bytes(row)?)
    } else {
        let size = take_number(row)?;
        Payload::Blob { hash: BlobHash(take_array(row)?), size }
    };
    let ledgers = (0..row.try_get_u32().ok()?)
        .map(|_| Some((ClientId(take_number(row)?), take_bytes(row)?)))
        .collect::<Option<_>>()?;
    let guard = Guard { epoch, access, answers };
    let entry = Arc::new(Entry { room, first_seq, count, payload, ledgers, guard });
    Some(Change { entry, new_guard: flags & NEW_GUARD != 0, answers })
}

/// A number that the database can hold, with room for a batch's length.
fn take_number(row: &mut Bytes) -> Option<u64> {
    row.try_get_u64().ok().filter(|&number| number <= i64::MAX as u64)
}

fn take_array<const LEN: usize>(row: &mut Bytes) -> Option<[u8; LEN]> {
    let mut array = [0; LEN];
    row.try_copy_to_slice(&mut array).ok()?;
    Some(array)
}

fn take_bytes(row: &mut Bytes) -> Option<Bytes> {
    let len = row.try_get_u32().ok()? as usize;
    (row.remaining() >= len).then(|| row.split_to(len))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(new_guard: bool, first_seq: Seq, payload: Payload, ledgers: &[u64]) -> Change {
        let ledgers = ledgers.iter().map(|&client| (ClientId(client), "ledger".into())).collect();
        let (room, guard) =
            (RoomId::from_bytes([5; 16]), Guard { epoch: 7, access: 3, answers: 2 });
        let entry = Entry { room, first_seq, count: 2, payload, ledgers, guard };
        Change { entry: Arc::new(entry), new_guard, answers: 2 }
    }

    fn changes() -> Vec<Change> {
        let blob = Payload::Blob { hash: BlobHash([9; 32]), size: 1 << 40 };
        vec![
            change(true, 1, Payload::Inline("soup".into()), &[]),
            change(false, 3, blob, &[8, 1 << 52]),
            change(true, 5, Payload::Inline(Bytes::new()), &[8]),
        ]
    }

    #[test]
    fn a_row_gives_its_changes_back() {
        assert_eq!(decode(encode(&changes()).into()), Ok(changes()));
        let bytes: usize = changes().iter().map(Change::bytes).sum();
        assert_eq!(encode(&changes()).len(), 1 + bytes);
    }

    #[test]
    fn format_1_stays_readable() {
        let written = [
            &b"\x01\x01"[..],
            &[5; 16],
            b"\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x04soup",
            b"\0\0\0\x01\0\0\0\0\0\0\0\x08\0\0\0\x06ledger",
            b"\x02",
            &[5; 16],
            b"\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\x03\0\0\0\x02",
            b"\0\0\0\0\0\x10\0\0",
            &[9; 32],
            b"\0\0\0\0",
        ];
        let blob = Payload::Blob { hash: BlobHash([9; 32]), size: 1 << 20 };
        let made =
            [change(true, 1, Payload::Inline("soup".into()), &[8]), change(false, 3, blob, &[])];
        let made = made.map(|change| {
            let guard = Guard { answers: 0, ..change.entry.guard };
            let payload = change.entry.payload.clone();
            let ledgers = change.entry.ledgers.clone();
            let entry = Arc::new(Entry { payload, ledgers, guard, ..*change.entry });
            Change { entry, answers: 0, ..change }
        });
        assert_eq!(decode(written.concat().into()), Ok(made.to_vec()));
    }

    #[test]
    fn format_2_stays_readable() {
        let written = [
            &b"\x02\x01"[..],
            &[5; 16],
            b"\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x01",
            b"\0\0\0\x02\0\0\0\x04soup\0\0\0\x01\0\0\0\0\0\0\0\x08\0\0\0\x06ledger",
        ];
        let made = vec![change(true, 1, Payload::Inline("soup".into()), &[8])];
        assert_eq!(encode(&made), written.concat());
        assert_eq!(decode(written.concat().into()), Ok(made));
    }

    #[test]
    fn damaged_rows_are_errors() {
        let whole = Bytes::from(encode(&changes()));
        let ends = changes().iter().fold(vec![1], |mut ends, change| {
            ends.push(ends[ends.len() - 1] + change.bytes());
            ends
        });
        for end in (0..whole.len()).filter(|end| !ends.contains(end)) {
            assert!(decode(whole.slice(..end)).is_err(), "cut to {end} bytes");
        }
        for (at, byte) in [(0, 3), (1, 4), (1 + 17, 0x80), (1 + 1 + 16 + 24 + 7, 0)] {
            let mut other = whole.to_vec();
            other[at] = byte;
            assert!(decode(other.into()).is_err(), "byte {at} is {byte}");
        }
    }

    /// Whatever bytes a disk gives back: nothing panics, and what is taken for changes means just those.
    #[test]
    fn mutated_rows_are_errors_or_changes() {
        let whole = encode(&changes());
        let mut dice = fastrand::Rng::with_seed(1);
        let mut taken = 0;
        for case in 0..50_000 {
            let mut row = whole.clone();
            for _ in 0..dice.usize(1..4) {
                let at = dice.usize(..row.len());
                match dice.u8(..4) {
                    0 => row[at] = dice.choice([0, 1, 2, 0x7f, 0x80, 0xff]).expect("some"),
                    1 => row[at] ^= 1 << dice.u8(..8),
                    2 => row.truncate(at.max(1)),
                    _ => drop(row.splice(at..at, whole[dice.usize(..whole.len())..].to_vec())),
                }
            }
            if let Ok(changes) = decode(row.into()) {
                taken += 1;
                assert_eq!(decode(encode(&changes).into()), Ok(changes), "case {case}");
            }
        }
        assert!(taken > 1_000, "most mutations must reach further than the first check: {taken}");
    }
}
