//! What waits to be told to a Yjs client of one document: updates that are merged into one, or the
//! awareness of which only the newest counts.
//!
//! Whoever reads fast enough gets the very bytes that all others get; only what waits behind
//! something else is taken apart and put together anew.

use std::collections::BTreeMap;

use bytes::Bytes;
use weft_core::{awareness::Aware, kind::doc};
use weft_proto::yjs::{Message, Sync, hocuspocus::addressed};

/// Updates that wait are merged when they are as many bytes: large enough to be worth the time,
/// small enough to take a few milliseconds of a room that pushes.
const MERGE_BYTES: usize = 64 << 10;
/// Awareness messages are merged when they are as many.
const MERGE_COUNT: usize = 16;

/// Messages of one sort and document, in their order.
#[derive(Debug)]
pub struct Told {
    address: Bytes,
    sort: Sort,
    /// Those that are merged already, then those that are not.
    messages: Vec<Bytes>,
    merged_count: usize,
    bytes: usize,
    unmerged_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Updates,
    Awareness,
}

impl Sort {
    /// By the first byte, which is the message's type.
    fn of(message: &Bytes) -> Self {
        if message.first() == Some(&0) { Self::Updates } else { Self::Awareness }
    }
}

impl Told {
    /// The first message that waits.
    pub fn new(address: Bytes, message: Bytes) -> Self {
        let (sort, bytes) = (Sort::of(&message), message.len());
        let messages = vec![message];
        Self { address, sort, messages, merged_count: 0, bytes, unmerged_bytes: bytes }
    }

    /// Whether a message may be put to these.
    pub fn is_of(&self, address: &Bytes, message: &Bytes) -> bool {
        self.address == *address && self.sort == Sort::of(message)
    }

    /// Bytes that wait.
    pub const fn len(&self) -> usize {
        self.bytes
    }

    /// One more message.
    pub fn push(&mut self, message: Bytes) {
        self.bytes += message.len();
        self.unmerged_bytes += message.len();
        self.messages.push(message);
        let is_due = match self.sort {
            Sort::Updates => self.unmerged_bytes >= MERGE_BYTES,
            Sort::Awareness => self.messages.len() >= MERGE_COUNT,
        };
        if is_due {
            let kept = if self.sort == Sort::Updates { self.merged_count } else { 0 };
            if let Some(merged) = self.sort.merge(&self.messages[kept..]) {
                self.messages.truncate(kept);
                self.messages.push(merged);
            }
            self.merged_count = self.messages.len();
            self.bytes = self.messages.iter().map(Bytes::len).sum();
            self.unmerged_bytes = 0;
        }
    }

    /// Everything as one message; `None` if that cannot be done.
    pub fn into_message(self) -> Option<Bytes> {
        let message = match &self.messages[..] {
            [one] => one.clone(),
            many => self.sort.merge(many)?,
        };
        Some(addressed(&self.address, &message))
    }
}

impl Sort {
    fn merge(self, messages: &[Bytes]) -> Option<Bytes> {
        let read = messages.iter().filter_map(|message| Message::read(message).ok());
        match self {
            Self::Updates => {
                let updates: Vec<Bytes> = read
                    .filter_map(|message| match message {
                        Message::Sync(Sync::Update(update)) => Some(update),
                        _ => None,
                    })
                    .collect();
                Some(Message::Sync(Sync::Update(doc::merge(&updates)?)).write())
            }
            Self::Awareness => {
                let mut states: BTreeMap<u64, Aware> = BTreeMap::new();
                for message in read {
                    if let Message::Awareness(told) = message {
                        states.extend(told.into_iter().map(|aware| (aware.client, aware)));
                    }
                }
                Some(Message::Awareness(states.into_values().collect()).write())
            }
        }
    }
}
