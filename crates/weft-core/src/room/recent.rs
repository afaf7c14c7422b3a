//! What a room keeps in memory to bring others up to date: a state at some seq, and the committed
//! entries since. Enough for a newcomer (state and entries) and for one who comes back (entries).

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;

use crate::{Entry, Seq};

/// What replaying an entry costs, as bytes of a snapshot: some 3 us.
const ENTRY_BYTES: usize = 1024;
/// The part of a snapshot's worth that is enough for a new one when the last one has left.
const LEFT_PART: usize = 16;

/// A state at a seq, and the entries that follow it.
pub(super) type Beginning = ((Seq, Bytes), Vec<Arc<Entry>>);

pub(super) struct Recent {
    /// The state at a seq, as last encoded. Entries after it may be gone from `entries`.
    state: Option<(Seq, Bytes)>,
    /// The newest committed entries, consecutive.
    entries: VecDeque<Arc<Entry>>,
    weight: usize,
    weight_max: usize,
    /// The newest snapshot in the store, and how many bytes its state has.
    stored: Seq,
    stored_bytes: usize,
    /// What was logged since.
    unstored_bytes: usize,
    saving: bool,
}

impl Recent {
    pub(super) fn new(
        state: Option<(Seq, Bytes)>,
        entries: Vec<Arc<Entry>>,
        head: Seq,
        weight_max: usize,
    ) -> Self {
        assert!(entries.last().is_none_or(|entry| entry.seq == head), "entries lead to the head");
        let (stored, stored_bytes) = state.as_ref().map_or((0, 0), |(seq, s)| (*seq, s.len()));
        let mut recent = Self {
            state,
            entries: VecDeque::new(),
            weight: 0,
            weight_max,
            stored,
            stored_bytes,
            unstored_bytes: 0,
            saving: false,
        };
        recent.push(&entries);
        recent
    }

    /// Newly committed entries.
    pub(super) fn push(&mut self, entries: &[Arc<Entry>]) {
        for entry in entries {
            assert!(self.entries.back().is_none_or(|last| last.seq + 1 == entry.seq));
            let weight = entry.weight();
            self.unstored_bytes += weight;
            self.weight += weight;
            self.entries.push_back(Arc::clone(entry));
        }
        while self.weight > self.weight_max && self.entries.len() > 1 {
            if let Some(gone) = self.entries.pop_front() {
                self.weight -= gone.weight();
            }
        }
    }

    /// The entries after a seq, if all of them are here.
    pub(super) fn after(&self, seq: Seq, head: Seq) -> Option<Vec<Arc<Entry>>> {
        if seq == head {
            return Some(Vec::new());
        }
        let first = self.entries.front()?.seq;
        let skip = (seq + 1).checked_sub(first)?;
        (seq < head).then(|| self.entries.iter().skip(skip as usize).cloned().collect())
    }

    /// A state and all entries since, if that is at hand and the entries weigh little beside it.
    pub(super) fn start(&self, head: Seq) -> Option<Beginning> {
        let (seq, state) = self.state.clone()?;
        let entries = self.after(seq, head)?;
        let weight: usize = entries.iter().map(|entry| entry.weight()).sum();
        (weight <= state.len() / 4 + 4096).then_some(((seq, state), entries))
    }

    /// The state at the head, freshly encoded.
    pub(super) fn set_state(&mut self, head: Seq, state: Bytes) {
        self.state = Some((head, state));
    }

    /// Whether a snapshot is due: when what was logged since takes as long to read as the last one, or
    /// (`left`: the last one has just gone) a part of that, so that whoever comes next need not wait for it.
    pub(super) fn is_due(&self, head: Seq, bytes_min: usize, entries_max: u64, left: bool) -> bool {
        let entries = head - self.stored;
        let since = self.unstored_bytes + entries as usize * ENTRY_BYTES;
        let enough = self.stored_bytes.max(bytes_min) / if left { LEFT_PART } else { 1 };
        !self.saving && (since >= enough || entries >= entries_max)
    }

    /// A snapshot is on its way to the store.
    pub(super) const fn saving(&mut self) {
        self.saving = true;
    }

    pub(super) const fn is_saving(&self) -> bool {
        self.saving
    }

    /// It has arrived there, or (`None`) not.
    pub(super) fn saved(&mut self, snapshot: Option<(Seq, usize)>) {
        self.saving = false;
        if let Some((seq, bytes)) = snapshot {
            (self.stored, self.stored_bytes) = (seq, bytes);
            let since = self.entries.iter().filter(|entry| entry.seq > seq);
            self.unstored_bytes = since.map(|entry| entry.weight()).sum();
        }
    }

    /// Roughly how many bytes the room has in the store, history apart.
    pub(super) const fn room_bytes(&self) -> usize {
        self.stored_bytes + self.unstored_bytes
    }
}
