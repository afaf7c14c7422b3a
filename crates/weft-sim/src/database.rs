//! The database that all nodes share, simulated: compare-and-append, one room, one request after the
//! other. What it holds is durable; what was asked of it and is not carried out yet may be lost.
//!
//! It keeps the bytes that a real log keeps, and beside them the entries, for whoever judges.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use weft_core::{
    Body, ClientId, Entry, Guard, Millis, PersonId, Right, Seq,
    machine::{Author, Machine},
    room::{Commit, Loaded},
};
use weft_proto::{kinds, log, replay};

use crate::world::ToServer;

/// What may be asked of the database.
#[derive(Debug, Clone)]
pub enum Request {
    /// Append a batch with its ledgers.
    Append(Append),
    /// Read everything.
    Load,
    /// How far is the log? For what a line has said.
    Head(usize, ToServer),
    /// Keep the state at a seq.
    Snapshot(Seq, Bytes),
    /// The rights have changed.
    RaiseAccess,
}

/// A batch as it goes to a log.
#[derive(Debug, Clone)]
pub struct Append {
    first_seq: Seq,
    data: Bytes,
    ledgers: Vec<(ClientId, Bytes)>,
    guard: Guard,
}

impl From<&Commit> for Append {
    fn from(commit: &Commit) -> Self {
        let ledgers = commit.ledgers.iter();
        Self {
            first_seq: commit.first_seq,
            data: match &commit.entries[..] {
                [] => Bytes::new(),
                entries => log::encode_batch(entries),
            },
            ledgers: ledgers.map(|(client, l)| (*client, log::encode_ledger(l))).collect(),
            guard: commit.guard,
        }
    }
}

/// The rights of everybody in the room.
pub type Rights = BTreeMap<PersonId, Right>;

/// See the module's documentation.
pub struct Database {
    /// What an append must be guarded with.
    pub guard: Guard,
    /// All entries; that with seq n is at n - 1.
    pub entries: Vec<Arc<Entry>>,
    /// The rights when `guard.access` was last raised.
    pub rights: Rights,
    /// The state at the head.
    pub content: Box<dyn Machine>,
    kind: &'static str,
    batches: Vec<(Seq, Bytes)>,
    ledgers: BTreeMap<ClientId, Bytes>,
    snapshot: Option<(Seq, Bytes)>,
}

impl Database {
    /// A room of a kind in which the server has done this and no more.
    pub fn new(kind: &'static str, rights: Rights, history: &[(Millis, Bytes)]) -> Self {
        let guard = Guard { epoch: 1, access: 0, answers: 0 };
        let body = Body::Created { kind: kind.to_owned(), epoch: guard.epoch, lineage: 1 };
        let (client, client_seq, person, at) = (ClientId::NONE, 0, None, 0);
        let created = Arc::new(Entry { seq: 1, client, client_seq, person, at, body });
        let mut entries = vec![created];
        let mut content = kinds::open(kind, None).expect("the kind is known");
        for ((at, op), seq) in history.iter().zip(2..) {
            let by = Author { person: None, right: Right::Manage, at: *at, seq };
            let effect = content.execute(op, &by).ok().flatten();
            let body = Body::Effect(effect.expect("a history can be told"));
            entries.push(Arc::new(Entry { seq, client, client_seq, person, at: *at, body }));
        }
        let batches = vec![(1, log::encode_batch(&entries))];
        let (ledgers, snapshot) = (BTreeMap::new(), None);
        Self { guard, entries, rights, content, kind, batches, ledgers, snapshot }
    }

    /// Seq of the last entry.
    pub fn head(&self) -> Seq {
        self.entries.len() as Seq
    }

    /// Stores a batch if it follows the head under the present guard, and returns its entries; stores
    /// nothing otherwise.
    pub fn append(&mut self, append: Append) -> Option<Vec<Arc<Entry>>> {
        let Append { first_seq, data, ledgers, guard } = append;
        if first_seq != self.head() + 1 || guard != self.guard {
            return None;
        }
        self.ledgers.extend(ledgers);
        if data.is_empty() {
            self.guard.answers += 1;
            return Some(Vec::new());
        }
        let entries = log::decode_batch(first_seq, &data).expect("rooms write what can be read");
        self.batches.push((first_seq, data));
        self.entries.extend(entries.iter().cloned());
        for entry in &entries {
            if let Body::Effect(effect) = &entry.body {
                self.content.apply(effect).expect("rooms write what can be read");
            }
        }
        Some(entries)
    }

    /// The room as it is stored.
    pub fn load(&self) -> Loaded {
        let after = self.snapshot.as_ref().map_or(0, |(seq, _)| *seq);
        let batches = self.batches.iter().filter(|(first_seq, _)| *first_seq > after);
        let stored = replay::Stored {
            guard: self.guard,
            snapshot: self.snapshot.clone(),
            batches: batches.cloned().collect(),
            ledgers: self.ledgers.iter().map(|(id, bytes)| (*id, bytes.clone())).collect(),
            head: self.head(),
        };
        replay::replay(stored, kinds::open).expect("rooms write what can be read").1
    }

    /// Keeps the state at a seq; gives the number of its bytes, or `None` if a newer one is there.
    pub fn put_snapshot(&mut self, seq: Seq, state: &Bytes) -> Option<usize> {
        let is_end = self.batches.iter().any(|(first_seq, _)| *first_seq == seq + 1);
        if (!is_end && seq != self.head()) || self.snapshot.as_ref().is_some_and(|s| s.0 >= seq) {
            return None;
        }
        let (kind, epoch) = (self.kind.to_owned(), self.guard.epoch);
        let snapshot = log::Snapshot { seq, state: state.clone(), kind, epoch, lineage: 1 };
        self.snapshot = Some((seq, log::encode_snapshot(&snapshot)));
        Some(state.len())
    }
}
