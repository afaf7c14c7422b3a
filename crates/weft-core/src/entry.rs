//! One entry of a room's log.

use bytes::Bytes;

use crate::{ClientId, Millis, PersonId, Seq};

/// What was accepted, by whom and when, under the number that orders it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Place in the room's log.
    pub seq: Seq,
    /// The tab or program that made it, if it numbers its operations; else [`ClientId::NONE`].
    pub client: ClientId,
    /// That client's own number for it in this room; 0 for [`ClientId::NONE`].
    pub client_seq: u64,
    /// Who; `None` for the server.
    pub person: Option<PersonId>,
    /// When it was decided, by the server's clock.
    pub at: Millis,
    /// What.
    pub body: Body,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Entry 1 of every room (L2).
    Created {
        /// The room's kind, such as `doc`.
        kind: String,
        /// The numbering that starts here (L8).
        epoch: u64,
        /// The content that starts here (L8).
        lineage: u64,
    },
    /// A change, as the kind's machine writes and reads it.
    Effect(Bytes),
}

impl Entry {
    /// Roughly what the entry costs in memory and on the wire, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        const FRAME: usize = 48;
        match &self.body {
            Body::Created { kind, .. } => FRAME + kind.len(),
            Body::Effect(effect) => FRAME + effect.len(),
        }
    }
}

/// What must still hold when a batch is stored (compare-and-append).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guard {
    /// The numbering is valid (L8); restoring a backup raises it.
    pub epoch: u64,
    /// Revision of the rights; taking a right away raises it, so that no operation decided under
    /// the old rights is stored afterwards.
    pub access: u64,
    /// How many commits have stored ledgers alone. They leave the head where it is, and whoever has
    /// missed one would decide anew what has its outcome (L3).
    pub answers: u64,
}
