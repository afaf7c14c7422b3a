//! Documents: a merged kind. Operations and effects are Yjs updates (format v1), which converge in
//! any order; the log's order still gives everybody one number to acknowledge, pull and compare by.
//!
//! The document never holds pending structs (L10): [`check()`] refuses what builds on something
//! that is not here, and what a library could choke on, before the library sees it.
//!
//! Not here: what the text means (headings, lists, …). That is between the editors.

mod check;
mod compose;
mod text;

use std::collections::BTreeMap;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use yrs::{
    Doc as YDoc, OffsetKind, Options, ReadTxn, StateVector, Transact, Update,
    updates::{decoder::Decode, encoder::Encode},
};

use crate::{
    Fault, Right,
    machine::{Author, Damaged, Digest, Machine, Merging, Upset},
};
use check::check_state_vector;
pub use check::{Clocks, Flaw, check};
pub use compose::{Block, FRAGMENT, compose};

/// A document's state.
pub struct Doc {
    doc: YDoc,
    /// What `doc` knows of each Yjs client, kept beside it so that a check need not walk it.
    clocks: Clocks,
}

impl Default for Doc {
    fn default() -> Self {
        // The id of a client that writes nothing; server-made edits take a fresh one.
        let mut options = Options::with_client_id(yrs::ClientID::new(0));
        options.offset_kind = OffsetKind::Utf16;
        // The state is what the log says, and nothing of the server's own making.
        options.cleanup_formatting = false;
        Self { doc: YDoc::with_options(options), clocks: Clocks::new() }
    }
}

impl Doc {
    /// The name of this kind.
    pub const NAME: &'static str = "doc";

    /// The document that a snapshot holds.
    ///
    /// # Errors
    /// [`Damaged`] if these are not bytes that [`Machine::snapshot`] returned.
    pub fn open(snapshot: &Bytes) -> Result<Self, Damaged> {
        let mut doc = Self::default();
        doc.apply(snapshot)?;
        Ok(doc)
    }

    /// Applies an update that was checked; true if that changed anything.
    fn merge(&mut self, update: &[u8], raised: Clocks) -> Result<bool, String> {
        let update = Update::decode_v1(update).map_err(|e| format!("decode: {e}"))?;
        let mut txn = self.doc.transact_mut();
        txn.apply_update(update).map_err(|e| format!("apply: {e}"))?;
        let changed = !raised.is_empty() || !txn.delete_set().is_empty();
        drop(txn);
        if self.doc.transact().has_missing_updates() {
            return Err("pending structs after a checked update".to_owned());
        }
        self.clocks.extend(raised);
        Ok(changed)
    }
}

impl Machine for Doc {
    fn execute(&mut self, op: &Bytes, by: &Author) -> Result<Option<Bytes>, Upset> {
        if by.right < Right::Edit {
            let fault = Fault::new("no_right").with("needed", Right::Edit.name());
            return Err(Upset::Refused(fault));
        }
        let raised = check(op, &self.clocks).map_err(|flaw| Upset::Refused(flaw.into()))?;
        let changed = self.merge(op, raised).map_err(Upset::Broken)?;
        Ok(changed.then(|| op.clone()))
    }

    fn apply(&mut self, effect: &Bytes) -> Result<(), Damaged> {
        let raised = check(effect, &self.clocks).map_err(|flaw| Damaged(flaw.to_string()))?;
        self.merge(effect, raised).map(drop).map_err(Damaged)
    }

    fn snapshot(&self) -> Bytes {
        self.doc.transact().encode_state_as_update_v1(&StateVector::default()).into()
    }

    fn digest(&self) -> Digest {
        let deleted = self.doc.transact().snapshot().delete_set;
        let mut ranges: BTreeMap<u64, Vec<(u32, u32)>> = BTreeMap::new();
        for (client, deletes) in deleted.iter() {
            let mut spans: Vec<_> = deletes.iter().map(|range| (range.start, range.end)).collect();
            spans.sort_unstable();
            let merged = ranges.entry(client.get()).or_default();
            for (start, end) in spans {
                match merged.last_mut() {
                    Some((_, last)) if *last >= start => *last = end.max(*last),
                    _ => merged.push((start, end)),
                }
            }
        }
        let mut hash = Sha256::new();
        for (&client, &clock) in self.clocks.iter().filter(|(_, clock)| **clock > 0) {
            hash.update(b"c");
            hash.update(client.to_be_bytes());
            hash.update(u64::from(clock).to_be_bytes());
        }
        for (client, spans) in ranges {
            for (start, end) in spans {
                hash.update(b"d");
                hash.update(client.to_be_bytes());
                hash.update(u64::from(start).to_be_bytes());
                hash.update(u64::from(end - start).to_be_bytes());
            }
        }
        first_8(hash)
    }

    fn text(&self) -> String {
        text::text_of(&self.doc.transact())
    }

    fn merging(&self) -> Option<&dyn Merging> {
        Some(self)
    }
}

impl From<Flaw> for Fault {
    fn from(flaw: Flaw) -> Self {
        Self::new(match flaw {
            Flaw::Malformed { .. } => "op_malformed",
            Flaw::Missing { .. } => "missing_predecessors",
        })
    }
}

impl Merging for Doc {
    fn is_news(&self, update: &Bytes) -> Result<bool, Fault> {
        Ok(!check(update, &self.clocks)?.is_empty())
    }

    fn state_vector(&self) -> Bytes {
        self.doc.transact().state_vector().encode_v1().into()
    }

    fn missing_from(&self, state_vector: &Bytes) -> Result<Bytes, Fault> {
        let clocks = check_state_vector(state_vector)?;
        let mut theirs = StateVector::default();
        for (client, clock) in clocks {
            theirs.set_max(yrs::ClientID::new(client), clock);
        }
        Ok(self.doc.transact().encode_state_as_update_v1(&theirs).into())
    }
}

/// Several updates, each of which was checked, as one; `None` if there are none.
#[must_use]
pub fn merge(updates: &[Bytes]) -> Option<Bytes> {
    match updates {
        [] => None,
        [one] => Some(one.clone()),
        // The library refuses only what it cannot decode; what was checked it can.
        many => yrs::merge_updates_v1(many).ok().map(Bytes::from),
    }
}

fn first_8(hash: Sha256) -> Digest {
    let mut digest = Digest::default();
    digest.copy_from_slice(&hash.finalize()[..8]);
    digest
}

#[cfg(test)]
mod tests;
