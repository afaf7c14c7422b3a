//! Wire and log formats: the bytes that `proto/` describes, and how they become core types and back.
//!
//! No policy: what a frame may do is decided elsewhere. Foreign bytes are refused with an error
//! here and never reach an assert.
//!
//! Start at [`frame`] for what travels, [`log`] for what is stored, [`replay`] for a room from that,
//! [`kinds`] for the machines.

pub mod frame;
pub mod inbox;
pub mod kinds;
pub mod log;
mod order;
pub mod replay;
pub mod yjs;

/// The messages of `proto/weft.proto`, as generated.
#[allow(missing_docs, clippy::all, reason = "generated; documented in proto/weft.proto")]
pub mod wire {
    include!(concat!(env!("OUT_DIR"), "/weft.v1.rs"));
}

/// The messages of `proto/inbox.proto`, as generated.
#[allow(missing_docs, clippy::all, reason = "generated; documented in proto/inbox.proto")]
pub mod inbox_wire {
    include!(concat!(env!("OUT_DIR"), "/weft.inbox.v1.rs"));
}

/// The messages of `proto/order.proto`, as generated.
#[allow(missing_docs, clippy::all, reason = "generated; documented in proto/order.proto")]
pub mod order_wire {
    include!(concat!(env!("OUT_DIR"), "/weft.order.v1.rs"));
}

/// Bytes are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Not a message of this schema.
    #[error("not protobuf of this schema: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// A version that this program does not know.
    #[error("format version {0}, this program reads {1}")]
    Version(u8, u8),
    /// A field is missing or out of range.
    #[error("{0}")]
    Field(&'static str),
}
