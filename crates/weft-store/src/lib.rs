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
    ACCESS_TOKEN_TOUCH_MS, Accepted, AccessToken, Audience, CLIENT_IDLE_MS_MAX, ClaimedClients,
    Credentials, DEPTH_MAX, Departure, FolderRow, FolderView, GALLERY, GrantView, Invitation,
    Invite, InviteLook, ListedPerson, ListedSignIn, ListedSpace, Member, Meta, MetaError,
    NewAccessToken, NewAccountLink, NewFolder, NewGrant, NewGrantee, NewInvite, NewPerson, NewRoom,
    NewRoomToken, NewSignIn, NewWorkspaceInvite, PeopleQuery, Person, PersonBrief, Picture,
    ProfileChange, Purpose, Receiver, Refusal, RoomRow, RoomToken, RoomView, SCHEMA,
    SIGN_IN_TOUCH_MS, SIGN_INS_LISTED_MAX, Scope, Scopes, SecondFactor, SetupSecret, SignIn,
    SpaceBrief, SpaceChange, SpaceMember, SpaceRow, SpaceView, Target, TokenRoom, Which,
    WorkspaceInvite, name_key, personal, sign_in_id,
};
pub use payload::INLINE_BYTES_MAX;
