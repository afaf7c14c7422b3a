//! The engine of Weft, without IO: rooms, kinds, presence, the exchange with a Yjs client, and a client's
//! end of the protocol.
//!
//! No runtime, socket, file, thread, wall clock or ambient randomness: time, entropy and bytes come
//! in as arguments, effects go out as values. No wire format either: `weft-proto` owns those.

pub mod access;
pub mod awareness;
pub mod client;
mod entry;
pub mod exchange;
mod fault;
mod ids;
pub mod kind;
mod ledger;
pub mod machine;
pub mod planted;
pub mod presence;
pub mod room;

pub use entry::{Body, Entry, Guard};
pub use fault::Fault;
pub use ids::{
    BadId, ClientId, FolderId, LinkId, Millis, PersonId, Right, RoomId, Seq, SessionId, SpaceId,
};
pub use ledger::{Known, Ledger, Verdict, WINDOW};
