//! The audit log: who changed whose rights, and what else matters to security.
//!
//! A row is added in the transaction of the change that it tells of, never changed, and gone when it is older than the
//! server keeps them. Who acts, from where and when is said once for a request, by [`audited`], and not to each
//! method: it is noted and decides nothing. Outside of a request nobody acts, and nothing is noted.
//!
//! No row holds a secret, nor what somebody typed as a user name: people type passwords there.

use std::{
    future::Future,
    sync::{Arc, OnceLock},
};

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::ExprTrait,
};
use serde_json::{Map, Value};
use weft_core::{FolderId, Millis, PersonId, RoomId, SpaceId};

use super::{
    Meta, bytes_of, db_time,
    entities::{audit, folder, room, space},
    error::{Doing, MetaError},
    folders::FolderRow,
    people::{self, PersonBrief},
    room_id,
    rooms::RoomRow,
    space_id, time, webhook_events,
};

tokio::task_local! {
    static ORIGIN: Arc<Origin>;
}

/// Where acts come from: one request, or one command at the server itself.
#[derive(Debug)]
pub struct Origin {
    address: String,
    at: Millis,
    person: OnceLock<PersonId>,
}

impl Origin {
    /// Acts from this address, at this time; at the server itself, if it is empty.
    #[must_use]
    pub fn new(address: String, at: Millis) -> Arc<Self> {
        Arc::new(Self { address, at, person: OnceLock::new() })
    }

    /// Where the running task's acts come from.
    #[must_use]
    pub fn present() -> Option<Arc<Self>> {
        ORIGIN.try_with(Arc::clone).ok()
    }

    /// Who acts in the running task, once that is known.
    #[must_use]
    pub fn actor() -> Option<PersonId> {
        Self::present()?.person.get().copied()
    }

    /// Says who acts, once that is known.
    pub fn acts(person: PersonId) {
        if let Some(origin) = Self::present() {
            let _ = origin.person.set(person);
        }
    }
}

/// Does `work`, whose acts come from there.
pub fn audited<T>(origin: Arc<Origin>, work: impl Future<Output = T>) -> impl Future<Output = T> {
    ORIGIN.scope(origin, work)
}

macro_rules! acts {
    ($($name:ident = $code:literal,)*) => {
        /// What somebody did. The web app has words for each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is named by its code")]
        pub enum Act { $($name,)* }

        impl Act {
            /// All acts.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }
    };
}

acts! {
    Granted = "granted",
    GrantTaken = "grant_taken",
    LinkSet = "link_set",
    LinkRenewed = "link_renewed",
    LinkOff = "link_off",
    LinkOpened = "link_opened",
    InviteMade = "invite_made",
    InviteRevoked = "invite_revoked",
    InviteAccepted = "invite_accepted",
    RoomMoved = "room_moved",
    RoomTrashed = "room_trashed",
    RoomRestored = "room_restored",
    FolderMoved = "folder_moved",
    FolderTrashed = "folder_trashed",
    FolderRestored = "folder_restored",
    SpaceMade = "space_made",
    SpaceRenamed = "space_renamed",
    SpaceArchived = "space_archived",
    SpaceUnarchived = "space_unarchived",
    RulesChanged = "rules_changed",
    QuotaChanged = "quota_changed",
    MemberInvited = "member_invited",
    MemberJoined = "member_joined",
    InvitationDeclined = "invitation_declined",
    RoleChanged = "role_changed",
    MemberRemoved = "member_removed",
    MemberLeft = "member_left",
    HandedOver = "handed_over",
    AccountMade = "account_made",
    SignedIn = "signed_in",
    SignInFailed = "sign_in_failed",
    SignInConfirmed = "sign_in_confirmed",
    SignedOut = "signed_out",
    SignInsEnded = "sign_ins_ended",
    EmailChanged = "email_changed",
    PasswordChanged = "password_changed",
    SecondFactorOn = "second_factor_on",
    SecondFactorOff = "second_factor_off",
    RecoveryCodeUsed = "recovery_code_used",
    TokenMade = "token_made",
    TokenRevoked = "token_revoked",
    WorkspaceInviteMade = "workspace_invite_made",
    WorkspaceInviteRevoked = "workspace_invite_revoked",
    SettingChanged = "setting_changed",
    AccountDeactivated = "account_deactivated",
    AccountReactivated = "account_reactivated",
    AccountRemoved = "account_removed",
    AdminMade = "admin_made",
    AdminTaken = "admin_taken",
    ResetLinkMade = "reset_link_made",
    PasswordReset = "password_reset",
    IdentityLinked = "identity_linked",
    IdentityUnlinked = "identity_unlinked",
    WebhookMade = "webhook_made",
    WebhookChanged = "webhook_changed",
    WebhookRemoved = "webhook_removed",
}

/// An act, and what it was about.
#[derive(Debug)]
#[must_use]
pub struct Note {
    pub act: Act,
    actor: Option<PersonId>,
    pub person: Option<PersonId>,
    pub room: Option<RoomId>,
    pub folder: Option<FolderId>,
    pub space: Option<SpaceId>,
    pub params: Map<String, Value>,
}

impl Note {
    pub fn of(act: Act) -> Self {
        let (actor, person, room, folder, space) = (None, None, None, None, None);
        Self { act, actor, person, room, folder, space, params: Map::new() }
    }

    /// Who acts, where the request does not know yet: somebody who signs in.
    pub fn by(self, actor: PersonId) -> Self {
        Self { actor: Some(actor), ..self }
    }

    /// Whom it is about.
    pub fn person(self, person: PersonId) -> Self {
        Self { person: Some(person), ..self }
    }

    pub fn space(self, space: SpaceId) -> Self {
        Self { space: Some(space), ..self }
    }

    /// The room, and where it stands.
    pub fn room(self, row: &RoomRow) -> Self {
        Self { room: Some(row.id), space: Some(row.space), ..self }
    }

    /// The folder, and where it stands.
    pub fn folder(self, row: &FolderRow) -> Self {
        Self { folder: Some(row.id), space: Some(row.space), ..self }
    }

    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// As [`Note::with`], if there is a value.
    pub fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a row within the caller's transaction, and tells webhooks of it.
    pub async fn add(self, db: &impl ConnectionTrait) -> Result<(), MetaError> {
        let Some(origin) = Origin::present() else { return Ok(()) };
        let actor = origin.person.get().copied().or(self.actor);
        webhook_events::noted(db, &self, actor, origin.at).await?;
        let row = audit::ActiveModel {
            id: NotSet,
            at: Set(db_time(origin.at)),
            act: Set(self.act.code().to_owned()),
            actor: Set(actor.map(|id| bytes_of(id.as_bytes()))),
            address: Set(origin.address.clone()),
            person: Set(self.person.map(|id| bytes_of(id.as_bytes()))),
            room: Set(self.room.map(|id| bytes_of(id.as_bytes()))),
            folder: Set(self.folder.map(|id| bytes_of(id.as_bytes()))),
            space: Set(self.space.map(|id| bytes_of(id.as_bytes()))),
            params: Set(Value::Object(self.params).to_string()),
        };
        let added = audit::Entity::insert(row).exec_without_returning(db).await;
        added.doing("note an act")?;
        Ok(())
    }
}

/// Which acts are asked for: those of which all that is said is true.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Done by this person, or about them.
    pub person: Option<PersonId>,
    /// About this room.
    pub room: Option<RoomId>,
    /// About this space, or something that stood in it then.
    pub space: Option<SpaceId>,
    /// Before the one of this number.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: u64,
}

/// An act that was noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number; later ones have greater ones.
    pub id: u64,
    /// When.
    pub at: Millis,
    /// What, as [`Act::code`] has it.
    pub act: String,
    /// By whom; `None`: nobody with an account, or not any more.
    pub by: Option<PersonBrief>,
    /// From where; empty: at the server itself.
    pub address: String,
    /// Whom it is about.
    pub person: Option<PersonBrief>,
    /// Which room, with its title now.
    pub room: Option<(RoomId, String)>,
    /// The name of the folder now.
    pub folder: Option<String>,
    /// Which space, with its name now.
    pub space: Option<(SpaceId, String)>,
    /// The rest.
    pub params: Value,
}

impl Meta {
    /// Acts, the last first.
    ///
    /// # Errors
    /// If the metadata cannot be read.
    pub async fn audit(&self, query: AuditQuery) -> Result<Vec<AuditEntry>, MetaError> {
        let mut rows = audit::Entity::find();
        if let Some(person) = query.person {
            let person = bytes_of(person.as_bytes());
            let theirs = audit::Column::Actor.eq(person.clone());
            rows = rows.filter(theirs.or(audit::Column::Person.eq(person)));
        }
        if let Some(room) = query.room {
            rows = rows.filter(audit::Column::Room.eq(bytes_of(room.as_bytes())));
        }
        if let Some(space) = query.space {
            rows = rows.filter(audit::Column::Space.eq(bytes_of(space.as_bytes())));
        }
        if let Some(before) = query.before {
            rows = rows.filter(audit::Column::Id.lt(db_time(before)));
        }
        let rows = rows.order_by_desc(audit::Column::Id).limit(query.limit);
        let rows = rows.all(&self.db).await.doing("read the audit log")?;
        self.entries(rows).await
    }

    async fn entries(&self, rows: Vec<audit::Model>) -> Result<Vec<AuditEntry>, MetaError> {
        let ids = |of: fn(&audit::Model) -> Option<&Vec<u8>>| -> Vec<Vec<u8>> {
            let mut ids: Vec<_> = rows.iter().filter_map(of).cloned().collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let mut people = ids(|row| row.actor.as_ref());
        people.extend(ids(|row| row.person.as_ref()));
        let people = people::briefs(&self.db, people).await?;
        let titles = room::Entity::find()
            .filter(room::Column::Id.is_in(ids(|row| row.room.as_ref())))
            .all(&self.db)
            .await
            .doing("read rooms")?;
        let folders = folder::Entity::find()
            .filter(folder::Column::Id.is_in(ids(|row| row.folder.as_ref())))
            .all(&self.db)
            .await
            .doing("read folders")?;
        let spaces = space::Entity::find()
            .filter(space::Column::Id.is_in(ids(|row| row.space.as_ref())))
            .all(&self.db)
            .await
            .doing("read spaces")?;
        let brief = |id: &Option<Vec<u8>>| people.get(id.as_ref()?).cloned();
        let named = |row: audit::Model| {
            let room = titles.iter().find(|room| Some(&room.id) == row.room.as_ref());
            let folder = folders.iter().find(|folder| Some(&folder.id) == row.folder.as_ref());
            let space = spaces.iter().find(|space| Some(&space.id) == row.space.as_ref());
            let params = serde_json::from_str(&row.params);
            Ok(AuditEntry {
                id: u64::try_from(row.id).unwrap_or(0),
                at: time(row.at),
                by: brief(&row.actor),
                person: brief(&row.person),
                room: match room {
                    Some(room) => Some((room_id(&room.id)?, room.title.clone())),
                    None => None,
                },
                folder: folder.map(|folder| folder.name.clone()),
                space: match space {
                    Some(space) => Some((space_id(&space.id)?, space.name.clone())),
                    None => None,
                },
                params: params.map_err(|_| MetaError::Damaged("an act's parameters"))?,
                act: row.act,
                address: row.address,
            })
        };
        rows.iter().cloned().map(named).collect()
    }

    /// Forgets acts from before that time.
    ///
    /// # Errors
    /// If the metadata cannot be changed.
    pub async fn forget_acts(&self, before: Millis) -> Result<(), MetaError> {
        let write = self.write().await?;
        let gone = audit::Entity::delete_many()
            .filter(audit::Column::At.lt(db_time(before)))
            .exec(&write.txn)
            .await;
        gone.doing("forget old acts")?;
        write.commit("forget old acts").await
    }

    /// Notes that somebody who was taken for this person was not let in, or nobody is known by that name.
    ///
    /// # Errors
    /// If it was not stored.
    pub async fn note_failed_sign_in(
        &self,
        person: Option<PersonId>,
        reason: &'static str,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let note = Note::of(Act::SignInFailed).with("reason", reason);
        let note = Note { person, ..note };
        note.add(&write.txn).await?;
        write.commit("note a failed sign-in").await
    }
}
