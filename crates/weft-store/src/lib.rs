//! What is on disk: the rooms' log with its snapshots and blobs, and the metadata.
//!
//! Start at [`Log`] for what rooms contain, and at [`Meta`] for people, names and rights.
//! Not here: what the bytes of a batch mean (`weft-proto`), what a room does with them (`weft-core`).

mod blob;
#[doc(hidden)]
pub mod contract;
mod dir;
mod log;
mod meta;
mod payload;

pub use blob::{BlobError, BlobHash, Blobs};
pub use log::{
    Append, Appended, Loaded, Log, LogError, StoredBatch,
    sqlite::{CommitFault, Faults, SqliteLog, SqliteLogOptions},
};
pub use meta::{
    Accepted, CLIENT_IDLE_MS_MAX, ClaimedClients, Credentials, Invite, InviteLook, Member, Meta,
    MetaError, NewInvite, NewPerson, NewRoom, NewSignIn, Person, PersonBrief, Refusal, RoomRow,
    RoomView, SIGN_IN_TOUCH_MS, SetupSecret, SignIn, name_key,
};
pub use payload::INLINE_BYTES_MAX;
