//! The engine of Weft, without IO: rooms, kinds, presence, and a client's end of the protocol.
//!
//! No runtime, socket, file, thread, wall clock or ambient randomness: time, entropy and bytes come
//! in as arguments, effects go out as values. No wire format either: `weft-proto` owns those.

pub mod awareness;
pub mod client;
mod entry;
mod fault;
mod ids;
pub mod kind;
mod ledger;
pub mod machine;
pub mod presence;
pub mod room;

pub use entry::{Body, Entry, Guard};
pub use fault::Fault;
pub use ids::{BadId, ClientId, Millis, PersonId, Right, RoomId, Seq, SessionId};
pub use ledger::{Known, Ledger, Verdict, WINDOW};
