//! Slow, obvious rooms: each replays what was asked of it, in the log's order, and says what must have
//! come of that. They share no rule with the real ones.

mod inbox;
mod order;

use bytes::Bytes;
use weft_core::{
    Entry,
    kind::{inbox::Inbox, order::Order},
};

use crate::judge::Broken;

type Held = Result<(), Broken>;

/// See the module's documentation.
pub trait Oracle {
    /// An operation that was accepted as this entry.
    ///
    /// # Errors
    /// It should have been refused.
    fn accept(&mut self, entry: &Entry, op: &Bytes) -> Held;

    /// An operation of a person that was refused with this code.
    ///
    /// # Errors
    /// That is never its due.
    fn refuse(&self, op: &Bytes, code: &str) -> Held;

    /// Compares a state with what must have come of all that.
    ///
    /// # Errors
    /// They differ.
    fn compare(&self, state: &Bytes) -> Held;
}

/// The oracle of a kind. Of what a document must be the clients' own replicas tell.
pub fn of(kind: &str) -> Option<Box<dyn Oracle>> {
    match kind {
        Inbox::NAME => Some(Box::new(inbox::Told::default())),
        Order::NAME => Some(Box::new(order::Asked::default())),
        _ => None,
    }
}
