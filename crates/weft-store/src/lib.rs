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
    ACCESS_TOKEN_TOUCH_MS, ASK_AGAIN_MS, Accepted, AccessRequest, AccessToken, Act, AskedFor,
    Attempt, Audience, AuditEntry, AuditQuery, CLIENT_IDLE_MS_MAX, ClaimedClients, ClaimedDelivery,
    Credentials, DEPTH_MAX, DefaultQuotas, Delivery, DeliveryRow, Departure, Digest, DueDigest,
    DuePush, Event, FolderRow, FolderView, GALLERY, GrantView, Guest, Identity, Invitation, Invite,
    InviteLook, LinksAllowed, ListedPerson, ListedSignIn, ListedSpace, MENTION_KEPT_MS, Member,
    Meta, MetaError, NEARLY_FULL_PERCENT, NearlyFull, NewAccessToken, NewAccountLink, NewDelivery,
    NewFolder, NewGrant, NewGrantee, NewGuest, NewInvite, NewLink, NewPerson, NewRoom,
    NewRoomToken, NewSignIn, NewWebhook, NewWorkspaceInvite, OffBecause, Origin, PeopleFound,
    PeopleQuery, Person, PersonBrief, Picture, ProfileChange, Proof, Purpose, PushSubscription,
    Quota, QuotasNow, Receiver, Refusal, Removed, RoomLink, RoomRow, RoomToken, RoomView,
    RoomWeight, SCHEMA, SIGN_IN_TOUCH_MS, SIGN_INS_LISTED_MAX, Scope, Scopes, SecondFactor,
    SetupSecret, SignIn, SilentWebhook, SpaceBrief, SpaceChange, SpaceMember, SpaceRow,
    SpaceStorage, SpaceView, SpacesOrder, SpacesQuery, Target, TokenRoom, ToldOf, WEBHOOK_TEST,
    WEBHOOK_WAITING_MAX, Webhook, WebhookChange, WebhookId, Which, WorkspaceInvite, audited,
    inbox_of, name_key, personal, sign_in_id,
};
pub use payload::INLINE_BYTES_MAX;
