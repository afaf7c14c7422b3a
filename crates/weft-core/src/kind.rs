//! The kinds of rooms. Each has a folder (or file) of its own here; none knows another.

pub mod doc;
pub mod inbox;
pub mod order;
