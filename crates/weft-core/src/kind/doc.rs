//! Documents: a merged kind. Operations and effects are Yjs updates (format v1), which converge in
//! any order; the log's order still gives everybody one number to acknowledge, pull and compare by.
//!
//! The document never holds pending structs (L10): [`check()`] refuses what builds on something
//! that is not here, and what a library could choke on, before the library sees it.
//!
//! Not here: what the text means (headings, lists, …). That is between the editors.

mod check;
mod compose;
mod json;
mod levels;
mod text;

use std::{cell::OnceCell, collections::BTreeMap};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use yrs::{
    Doc as YDoc, IdSet, OffsetKind, Options, ReadTxn, StateVector, Transact, TransactionMut,
    Update,
    updates::{decoder::Decode, encoder::Encode},
};

use crate::{
    Fault, Right,
    machine::{Author, Damaged, Digest, Machine, Merging, Upset},
};
use check::joined;
pub use check::{Clocks, Flaw, Known, begins, check, check_state_vector};
pub use compose::{Block, FRAGMENT, compose};
pub use json::TooLarge;

/// Bytes of updates that may lie unread: what the library reads in some 20 ms, between other things.
const UNREAD_BYTES_MAX: usize = 1 << 20;

/// A document's state.
///
/// What comes out of the log is checked, and read by the library only once somebody asks for what is in
/// it: passing a state on needs no document.
#[derive(Default)]
pub struct Doc {
    /// The document, once it was needed.
    doc: OnceCell<YDoc>,
    /// Checked updates that make up the document, as long as nothing was merged into it.
    unread: Vec<Bytes>,
    /// What the document has, kept beside it so that a check need not walk it.
    known: Known,
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

    /// The content as JSON: an object of all roots, or (`fragment`) one XML fragment as the document
    /// that editors of the ProseMirror family hold.
    ///
    /// A root has no type until a client gives it one, so that it is told from what it holds: elements
    /// make a fragment, characters a text, other values an array, keys a map, nothing `null`.
    ///
    /// # Errors
    /// [`TooLarge`] if that takes more than `bytes_max` bytes.
    pub fn json(&self, fragment: Option<&str>, bytes_max: usize) -> Result<String, TooLarge> {
        json::json_of(&self.doc().transact(), fragment, bytes_max)
    }

    /// The document.
    ///
    /// # Panics
    /// If the library refuses what was checked. The room is then loaded anew.
    fn doc(&self) -> &YDoc {
        self.doc.get_or_init(|| read(&self.unread).expect("the library reads what was checked"))
    }

    /// Applies an update that was checked; true if that changed anything.
    fn merge(&mut self, update: &[u8], news: Known) -> Result<bool, String> {
        let mut txn = self.doc().transact_mut();
        integrate(&mut txn, update)?;
        let changed = !news.clocks.is_empty() || !txn.delete_set().is_empty();
        drop(txn);
        self.unread.clear();
        has_all(self.doc())?;
        self.known.extend(news);
        Ok(changed)
    }
}

/// The document that these updates make up. Each was checked, after those before it.
fn read(updates: &[Bytes]) -> Result<YDoc, String> {
    // The id of a client that writes nothing; server-made edits take a fresh one.
    let mut options = Options::with_client_id(yrs::ClientID::new(0));
    options.offset_kind = OffsetKind::Utf16;
    // The state is what the log says, and nothing of the server's own making.
    options.cleanup_formatting = false;
    let doc = YDoc::with_options(options);
    let mut txn = doc.transact_mut();
    updates.iter().try_for_each(|update| integrate(&mut txn, update))?;
    drop(txn);
    has_all(&doc)?;
    Ok(doc)
}

fn integrate(txn: &mut TransactionMut<'_>, update: &[u8]) -> Result<(), String> {
    let update = Update::decode_v1(update).map_err(|e| format!("decode: {e}"))?;
    txn.apply_update(update).map_err(|e| format!("apply: {e}"))
}

/// Nothing waits in the document for what it builds on.
fn has_all(doc: &YDoc) -> Result<(), String> {
    if doc.transact().has_missing_updates() {
        return Err("pending structs after a checked update".to_owned());
    }
    Ok(())
}

impl Machine for Doc {
    fn execute(&mut self, op: &Bytes, by: &Author) -> Result<Option<Bytes>, Upset> {
        if by.right < Right::Edit {
            let fault = Fault::new("no_right").with("needed", Right::Edit.name());
            return Err(Upset::Refused(fault));
        }
        let mut news = check(op, &self.known).map_err(|flaw| Upset::Refused(flaw.into()))?;
        let mut op = op.clone();
        if news.overlaps {
            // Only what is new, so that everybody puts it where what is known is.
            let has = self.doc().transact().state_vector().encode_v1();
            let rest = yrs::diff_updates_v1(&op, &has).map_err(|e| Upset::Broken(e.to_string()))?;
            op = rest.into();
            news = check(&op, &self.known).map_err(|flaw| Upset::Broken(flaw.to_string()))?;
        }
        // Only here: a log may have some from before this was looked at.
        if news.misplaced {
            return Err(Upset::Refused(Fault::new("op_malformed")));
        }
        let changed = self.merge(&op, news).map_err(Upset::Broken)?;
        Ok(changed.then_some(op))
    }

    fn apply(&mut self, effect: &Bytes) -> Result<(), Damaged> {
        let news = check(effect, &self.known).map_err(|flaw| Damaged(flaw.to_string()))?;
        let unread: usize = self.unread.iter().map(Bytes::len).sum();
        if self.doc.get().is_some() || unread + effect.len() > UNREAD_BYTES_MAX {
            return self.merge(effect, news).map(drop).map_err(Damaged);
        }
        self.unread.push(effect.clone());
        self.known.extend(news);
        Ok(())
    }

    fn snapshot(&self) -> Bytes {
        if let [state] = &self.unread[..] {
            return state.clone();
        }
        self.doc().transact().encode_state_as_update_v1(&StateVector::default()).into()
    }

    fn digest(&self) -> Digest {
        let ranges = ranges_of(&self.doc().transact().snapshot().delete_set);
        let mut hash = Sha256::new();
        for (&client, &clock) in self.known.clocks.iter().filter(|(_, clock)| **clock > 0) {
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
        text::text_of(&self.doc().transact())
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
        if !check(update, &self.known)?.clocks.is_empty() {
            return Ok(true);
        }
        let decoded = Update::decode_v1(update).map_err(|_| Fault::new("op_malformed"))?;
        let deletes = ranges_of(decoded.delete_set());
        if deletes.is_empty() {
            return Ok(false);
        }
        let deleted = ranges_of(&self.doc().transact().snapshot().delete_set);
        let is_known = |client: &u64, &(start, end): &(u32, u32)| {
            let known = deleted.get(client).into_iter().flatten();
            known.into_iter().any(|&(from, to)| from <= start && end <= to)
        };
        Ok(!deletes.iter().all(|(client, spans)| spans.iter().all(|span| is_known(client, span))))
    }

    fn state_vector(&self) -> Bytes {
        state_vector_of(&self.known.clocks).encode_v1().into()
    }

    fn missing_from(&self, state_vector: &Bytes) -> Result<Bytes, Fault> {
        let theirs = state_vector_of(&check_state_vector(state_vector)?);
        if theirs.is_empty() {
            return Ok(self.snapshot());
        }
        Ok(self.doc().transact().encode_state_as_update_v1(&theirs).into())
    }
}

fn state_vector_of(clocks: &Clocks) -> StateVector {
    let mut state_vector = StateVector::default();
    for (&client, &clock) in clocks.iter().filter(|(_, clock)| **clock > 0) {
        state_vector.set_max(yrs::ClientID::new(client), clock);
    }
    state_vector
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

/// What is deleted, for each Yjs client in ascending ranges that do not touch.
fn ranges_of(deleted: &IdSet) -> BTreeMap<u64, Vec<(u32, u32)>> {
    let ranges = deleted.iter().map(|(client, deletes)| {
        let ranges = deletes.iter().map(|range| (range.start, range.end));
        (client.get(), joined(ranges.collect()))
    });
    ranges.collect()
}

fn first_8(hash: Sha256) -> Digest {
    let mut digest = Digest::default();
    digest.copy_from_slice(&hash.finalize()[..8]);
    digest
}

#[cfg(test)]
mod tests;
