//! What a kind of room is: rules that decide, and state that follows.
//!
//! A kind is written as a [`Kind`] with types of its own. A room drives it as a [`Machine`], which
//! speaks bytes; `weft-proto` wraps the one into the other, so that no wire format comes in here.

use bytes::Bytes;

use crate::{Fault, Millis, PersonId, Right, Seq};

/// The circumstances under which an operation is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Author {
    /// Who made it; `None` for the server itself.
    pub person: Option<PersonId>,
    /// What that person may do in this room. At least [`Right::Edit`].
    pub right: Right,
    /// Now, by the server's clock.
    pub at: Millis,
    /// The number that the entry will have.
    pub seq: Seq,
}

/// A kind of room: operations, the effects that they have, and the state that folds these.
///
/// Equal state, operation and author give equal results, on every node and in every replay.
pub trait Kind: Send + 'static {
    /// What a client asks for.
    type Op;
    /// What the log holds: absolute writes, so that applying needs no rules.
    type Effect;

    /// What the operation would do. Reads only.
    ///
    /// # Errors
    /// The fault that its author is told; nothing has changed.
    fn decide(&self, op: &Self::Op, by: &Author) -> Result<Self::Effect, Fault>;

    /// Carries out what was decided. Cannot fail.
    fn apply(&mut self, effect: &Self::Effect);

    /// The state as plain text, for search and export.
    fn text(&self) -> String;
}

/// Bytes from the log or a snapshot are not what this kind writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("damaged: {0}")]
pub struct Damaged(pub String);

/// Why an operation was not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upset {
    /// It was refused; nothing has changed.
    Refused(Fault),
    /// It failed half way: the state can no longer be trusted and has to be loaded anew, and the
    /// operation must not be tried again.
    Broken(String),
}

/// The first 8 bytes of a SHA-256 over a room's state (`docs/protocol.md`, Digests).
pub type Digest = [u8; 8];

/// A kind with its state, as a room drives it.
pub trait Machine: Send {
    /// Decides an operation on the present state and applies it. `None`: it adds nothing, and is
    /// not logged.
    ///
    /// # Errors
    /// [`Upset::Refused`] with the fault that its author is told, or [`Upset::Broken`].
    fn execute(&mut self, op: &Bytes, by: &Author) -> Result<Option<Bytes>, Upset>;

    /// Applies an effect from the log.
    ///
    /// # Errors
    /// [`Damaged`] if these are not bytes that [`Machine::execute`] returned.
    fn apply(&mut self, effect: &Bytes) -> Result<(), Damaged>;

    /// The whole state, as a new replica starts from it.
    fn snapshot(&self) -> Bytes;

    /// What two equal replicas agree on.
    fn digest(&self) -> Digest;

    /// The state as plain text, for search and export.
    fn text(&self) -> String;
    /// What this kind offers to clients that bring a replica of their own and merge; `None` for
    /// ordered kinds.
    fn merging(&self) -> Option<&dyn Merging> {
        None
    }
}

/// A merged kind, as clients see it that know neither seqs nor ledgers: by what each side has.
pub trait Merging {
    /// What the state has, as a Yjs state vector (v1).
    fn state_vector(&self) -> Bytes;

    /// Whether an update inserts or deletes anything that the state has not.
    ///
    /// # Errors
    /// The fault `op_malformed` or `missing_predecessors`.
    fn is_news(&self, update: &Bytes) -> Result<bool, Fault>;

    /// What the state has and a replica with this state vector has not, as a Yjs update (v1).
    ///
    /// # Errors
    /// The fault `op_malformed` if these are not bytes of a state vector.
    fn missing_from(&self, state_vector: &Bytes) -> Result<Bytes, Fault>;
}
