//! The document that a new workspace starts with.

use bytes::Bytes;

/// The first operation of the welcome document in that language, if there is one.
#[must_use]
pub fn seed(_language: &str) -> Option<Bytes> {
    None
}
