//! The registry of kinds: each as a machine that speaks the bytes of `proto/`.
//!
//! A new kind adds a folder in `weft-core`, its schema, its codec, and one line in [`open`].

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use weft_core::{
    Fault,
    kind::{doc::Doc, inbox::Inbox, order::Order},
    machine::{Author, Damaged, Digest, Kind, Machine, Upset},
};

use crate::FormatError;

/// The kinds that rooms can be created as.
pub const KINDS: [&str; 3] = [Doc::NAME, Inbox::NAME, Order::NAME];

/// Why a room's machine could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// A kind that this program does not know.
    #[error("unknown kind {0:?}")]
    UnknownKind(String),
    /// The snapshot is not one of this kind.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

/// The machine of a kind, empty or from a snapshot's state.
///
/// # Errors
/// [`OpenError`] if there is no such kind or the state is damaged.
pub fn open(kind: &str, state: Option<&Bytes>) -> Result<Box<dyn Machine>, OpenError> {
    match kind {
        Doc::NAME => Ok(Box::new(state.map_or_else(|| Ok(Doc::default()), Doc::open)?)),
        Inbox::NAME => {
            Ok(Box::new(state.map_or_else(|| Ok(Inbox::default()), Inbox::state).map(OverWire)?))
        }
        Order::NAME => {
            Ok(Box::new(state.map_or_else(|| Ok(Order::default()), Order::state).map(OverWire)?))
        }
        _ => Err(OpenError::UnknownKind(kind.to_owned())),
    }
}

/// A kind whose types have a wire format.
pub(crate) trait Wired: Kind + Sized {
    fn op(bytes: &Bytes) -> Result<Self::Op, FormatError>;
    fn effect_bytes(effect: &Self::Effect) -> Bytes;
    fn effect(bytes: &Bytes) -> Result<Self::Effect, FormatError>;
    fn state_bytes(&self) -> Bytes;
    fn state(bytes: &Bytes) -> Result<Self, Damaged>;
}

/// An ordered kind that is driven by bytes.
struct OverWire<K>(K);

impl<K: Wired> Machine for OverWire<K> {
    fn execute(&mut self, op: &Bytes, by: &Author) -> Result<Option<Bytes>, Upset> {
        let op = K::op(op).map_err(|_| Upset::Refused(Fault::new("op_malformed")))?;
        let effect = self.0.decide(&op, by).map_err(Upset::Refused)?;
        self.0.apply(&effect);
        Ok(Some(K::effect_bytes(&effect)))
    }

    fn apply(&mut self, effect: &Bytes) -> Result<(), Damaged> {
        let effect = K::effect(effect).map_err(|e| Damaged(e.to_string()))?;
        self.0.apply(&effect);
        Ok(())
    }

    fn snapshot(&self) -> Bytes {
        self.0.state_bytes()
    }

    fn digest(&self) -> Digest {
        let mut digest = Digest::default();
        digest.copy_from_slice(&Sha256::digest(self.0.state_bytes())[..8]);
        digest
    }

    fn text(&self) -> String {
        self.0.text()
    }
}
