//! Metadata: people, sign-ins, tokens, rooms' names and rights, invite links, client ids, settings.
//!
//! Identity and rights live here and nowhere else; what a room *contains* lives in its log.
//! Times and secrets' hashes are passed in: nothing here reads a clock or makes an id.
//! Everything is written so that the same code suits SQLite and PostgreSQL: ids are 16-byte
//! blobs, times are `i64` milliseconds, there are no arrays and no database enums.
//!
//! Start at [`Meta::open`]. Who may do what is decided by [`Meta::right`].
//! Not here: passwords and tokens in clear (only their hashes arrive), HTTP, the rooms' logs.

mod access;
mod access_tokens;
mod account_links;
mod audit;
mod clients;
mod departures;
mod digests;
mod directory;
mod entities;
mod error;
mod folders;
mod grants;
mod identities;
mod inboxes;
mod invites;
mod links;
mod migrations;
mod names;
mod people;
mod people_search;
mod pictures;
mod pushes;
mod quotas;
mod requests;
mod room_tokens;
mod rooms;
mod second_factors;
mod settings;
mod sign_ins;
mod spaces;
#[cfg(test)]
mod tests;
mod webhook_deliveries;
mod webhook_events;
mod webhooks;
mod workspace_invites;

use std::{path::Path, sync::Arc, time::Duration};

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, SqlxSqliteConnector,
    TransactionOptions, TransactionTrait,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::sync::{Mutex, MutexGuard, Notify};
use weft_core::{FolderId, LinkId, Millis, PersonId, RoomId, SpaceId};

pub use access_tokens::{ACCESS_TOKEN_TOUCH_MS, AccessToken, NewAccessToken, Scope, Scopes};
pub use account_links::{NewAccountLink, Purpose};
pub use audit::{Act, AuditEntry, AuditQuery, Origin, audited};
pub use clients::{CLIENT_IDLE_MS_MAX, ClaimedClients};
pub use departures::Departure;
pub use digests::{Digest, DueDigest};
pub use directory::{ListedPerson, ListedSpace, PeopleQuery, SpacesOrder, SpacesQuery};
pub use error::{MetaError, Refusal};
pub use folders::{DEPTH_MAX, FolderRow, FolderView, NewFolder};
pub use grants::{Audience, GrantView, Member, NewGrant, NewGrantee, Receiver, Target};
pub use identities::Identity;
pub use inboxes::{Delivery, MENTION_KEPT_MS, NewDelivery, ToldOf, inbox_of};
pub use invites::{Accepted, Invite, InviteLook, NewInvite};
pub use links::{Guest, LinksAllowed, NewGuest, NewLink, RoomLink};
pub use migrations::SCHEMA;
pub use names::name_key;
pub use people::{Credentials, NewPerson, Person, PersonBrief, ProfileChange};
pub use pictures::Picture;
pub use pushes::{DuePush, PushSubscription};
pub use quotas::{
    DefaultQuotas, NEARLY_FULL_PERCENT, NearlyFull, Quota, QuotasNow, RoomWeight, SpaceStorage,
};
pub use requests::{ASK_AGAIN_MS, AccessRequest, AskedFor};
pub use room_tokens::{NewRoomToken, RoomToken, TokenRoom};
pub use rooms::{NewRoom, RoomRow, RoomView, SpaceBrief, Which};
pub use second_factors::SecondFactor;
pub use settings::{PeopleFound, SetupSecret};
pub use sign_ins::{
    ListedSignIn, NewSignIn, Proof, SIGN_IN_TOUCH_MS, SIGN_INS_LISTED_MAX, SignIn, sign_in_id,
};
pub use spaces::{
    GALLERY, Invitation, Removed, SpaceChange, SpaceMember, SpaceRow, SpaceView, personal,
};
pub use webhook_deliveries::{Attempt, ClaimedDelivery, DeliveryRow};
pub use webhook_events::{Event, WEBHOOK_WAITING_MAX};
pub use webhooks::{
    NewWebhook, OffBecause, SilentWebhook, WEBHOOK_TEST, Webhook, WebhookChange, WebhookId,
};
pub use workspace_invites::{NewWorkspaceInvite, WorkspaceInvite};

use error::Doing;

/// Connections that read side by side. Writers take turns at [`Meta::write`].
const CONNECTIONS_MAX: u32 = 4;
/// How long a statement waits for another *process* (`weft admin`) to finish writing.
const BUSY_WAIT_MAX: Duration = Duration::from_secs(10);

/// The metadata of one Weft, open.
#[derive(Debug)]
pub struct Meta {
    db: DatabaseConnection,
    /// Gives writers of this process a fair queue; SQLite itself would have them poll.
    writer: Mutex<()>,
    /// Rings after every change.
    changed: Arc<Notify>,
}

/// A transaction that may write, and the turn it holds.
struct Write<'a> {
    txn: DatabaseTransaction,
    changed: &'a Notify,
    _turn: MutexGuard<'a, ()>,
}

impl Meta {
    /// Opens (or makes) the metadata file at `path` and brings its schema up to date.
    ///
    /// # Errors
    /// [`MetaError::NewerSchema`] if a newer Weft has written the file: nothing is changed then.
    /// [`MetaError::Open`] and [`MetaError::Store`] if the file cannot be opened or migrated.
    pub async fn open(path: &Path) -> Result<Self, MetaError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_WAIT_MAX);
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .connect_with(options)
            .await
            .map_err(|source| MetaError::Open { path: path.to_owned(), source })?;
        let meta = Self {
            db: SqlxSqliteConnector::from_sqlx_sqlite_pool(pool),
            writer: Mutex::new(()),
            changed: Arc::default(),
        };
        let write = meta.write().await?;
        migrations::run(&write.txn).await?;
        write.commit("migrate").await?;
        Ok(meta)
    }

    /// Rings after every change that this process stores, for the one who waits for it.
    #[must_use]
    pub fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }

    /// Waits for statements under way and closes the file.
    pub async fn close(&self) {
        // A failure to close loses nothing: every commit was durable when it returned.
        if let Err(error) = self.db.close_by_ref().await {
            tracing::warn!(%error, "metadata did not close cleanly");
        }
    }

    /// A transaction that holds the write lock from its start, so that what it reads stays true
    /// until it commits.
    async fn write(&self) -> Result<Write<'_>, MetaError> {
        let turn = self.writer.lock().await;
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let txn = self.db.begin_with_options(options).await.doing("begin a transaction")?;
        Ok(Write { txn, changed: &self.changed, _turn: turn })
    }
}

impl Write<'_> {
    /// Makes the transaction durable. Dropping it instead rolls back.
    async fn commit(self, what: &'static str) -> Result<(), MetaError> {
        self.txn.commit().await.doing(what)?;
        self.changed.notify_one();
        Ok(())
    }
}

/// Milliseconds as the database holds them. Clocks stay far below 2^63.
fn db_time(at: Millis) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

/// Milliseconds as the rest of the program holds them; a negative time is damage, shown as 0.
fn time(at: i64) -> Millis {
    Millis::try_from(at).unwrap_or(0)
}

fn person_id(bytes: &[u8]) -> Result<PersonId, MetaError> {
    PersonId::try_from(bytes).map_err(|_| MetaError::Damaged("a person's id"))
}

fn room_id(bytes: &[u8]) -> Result<RoomId, MetaError> {
    RoomId::try_from(bytes).map_err(|_| MetaError::Damaged("a room's id"))
}

fn space_id(bytes: &[u8]) -> Result<SpaceId, MetaError> {
    SpaceId::try_from(bytes).map_err(|_| MetaError::Damaged("a space's id"))
}

fn folder_id(bytes: &[u8]) -> Result<FolderId, MetaError> {
    FolderId::try_from(bytes).map_err(|_| MetaError::Damaged("a folder's id"))
}

fn link_id(bytes: &[u8]) -> Result<LinkId, MetaError> {
    LinkId::try_from(bytes).map_err(|_| MetaError::Damaged("a link's id"))
}

fn bytes_of(id: &[u8; 16]) -> Vec<u8> {
    id.to_vec()
}
