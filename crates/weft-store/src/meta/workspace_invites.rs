//! Workspace invites: links with which people make themselves an account, for a time, a number of
//! times. Unlike a room's invite links they open nothing else.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait},
};
use weft_core::{Millis, PersonId};

use super::{
    Meta,
    audit::{Act, Note},
    bytes_of, db_time,
    entities::workspace_invite,
    error::{Doing, MetaError, Refusal},
    people::{self, NewPerson, Person},
    time,
};

/// A link to be stored.
#[derive(Debug, Clone)]
pub struct NewWorkspaceInvite {
    /// A fresh id: 16 bytes as ids of rooms and people.
    pub id: [u8; 16],
    /// SHA-256 of the secret.
    pub secret_hash: [u8; 32],
    /// For whom it is, if it is for one person.
    pub email: Option<String>,
    /// Who made it.
    pub created_by: PersonId,
    /// From then on it is dead.
    pub expires_at: Millis,
    /// How many accounts can be made with it.
    pub uses_max: u64,
}

/// A link that works. Its secret is not known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceInvite {
    /// Names the link to administrators.
    pub id: [u8; 16],
    /// For whom it is, if it is for one person.
    pub email: Option<String>,
    /// The name of who made it.
    pub invited_by: String,
    /// When it was made.
    pub created_at: Millis,
    /// From then on it is dead.
    pub expires_at: Millis,
    /// How many accounts were made with it.
    pub uses: u64,
    /// How many accounts can be made with it.
    pub uses_max: u64,
}

impl Meta {
    /// Stores a link.
    ///
    /// # Errors
    /// [`Refusal::TooManyInvites`] if there are `invites_max` that work.
    pub async fn create_workspace_invite(
        &self,
        new: &NewWorkspaceInvite,
        invites_max: u64,
        now: Millis,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let live = workspace_invite::Entity::find().filter(live(now));
        if live.count(&write.txn).await.doing("count invite links")? >= invites_max {
            return Err(Refusal::TooManyInvites { limit: invites_max }.into());
        }
        let row = workspace_invite::ActiveModel {
            id: Set(new.id.to_vec()),
            secret_hash: Set(new.secret_hash.to_vec()),
            email: Set(new.email.clone()),
            created_by: Set(bytes_of(new.created_by.as_bytes())),
            created_at: Set(db_time(now)),
            expires_at: Set(db_time(new.expires_at)),
            uses: Set(0),
            uses_max: Set(i64::try_from(new.uses_max).unwrap_or(i64::MAX)),
        };
        let stored = workspace_invite::Entity::insert(row).exec_without_returning(&write.txn).await;
        stored.doing("store an invite link")?;
        let note = Note::of(Act::WorkspaceInviteMade).with("uses_max", new.uses_max);
        let note = note.with("expires_at", new.expires_at);
        note.with_some("email", new.email.clone()).add(&write.txn).await?;
        write.commit("store an invite link").await
    }

    /// The links that work, newest first.
    pub async fn workspace_invites(&self, now: Millis) -> Result<Vec<WorkspaceInvite>, MetaError> {
        let rows = workspace_invite::Entity::find()
            .filter(live(now))
            .order_by_desc(workspace_invite::Column::CreatedAt)
            .order_by_desc(workspace_invite::Column::Id)
            .all(&self.db)
            .await
            .doing("list invite links")?;
        self.with_names(rows).await
    }

    /// Makes a link useless at once.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such link.
    pub async fn revoke_workspace_invite(&self, id: [u8; 16]) -> Result<(), MetaError> {
        let write = self.write().await?;
        let gone = workspace_invite::Entity::delete_by_id(id.to_vec()).exec(&write.txn).await;
        if gone.doing("revoke an invite link")?.rows_affected == 0 {
            return Err(Refusal::NotFound.into());
        }
        Note::of(Act::WorkspaceInviteRevoked).add(&write.txn).await?;
        write.commit("revoke an invite link").await
    }

    /// The link of that secret, if it works.
    pub async fn workspace_invite(
        &self,
        secret_hash: &[u8; 32],
        now: Millis,
    ) -> Result<Option<WorkspaceInvite>, MetaError> {
        let row = workspace_invite::Entity::find()
            .filter(workspace_invite::Column::SecretHash.eq(secret_hash.to_vec()))
            .filter(live(now))
            .one(&self.db)
            .await
            .doing("read an invite link")?;
        Ok(self.with_names(row.into_iter().collect()).await?.pop())
    }

    /// Makes an account and counts a use of the link, at once or not at all.
    ///
    /// # Errors
    /// [`Refusal::LinkExpired`] if the link does not work (any more), [`Refusal::UsernameTaken`],
    /// [`Refusal::EmailTaken`].
    pub async fn create_invited_person(
        &self,
        new: &NewPerson,
        secret_hash: &[u8; 32],
        now: Millis,
    ) -> Result<Person, MetaError> {
        let write = self.write().await?;
        count_use(&write.txn, secret_hash, now).await?;
        let person = people::insert(&write.txn, new, now).await?;
        Note::of(Act::AccountMade).by(person.id).person(person.id).add(&write.txn).await?;
        write.commit("store a person").await?;
        Ok(person)
    }

    async fn with_names(
        &self,
        rows: Vec<workspace_invite::Model>,
    ) -> Result<Vec<WorkspaceInvite>, MetaError> {
        let makers = rows.iter().map(|row| row.created_by.clone()).collect();
        let makers = people::briefs(&self.db, makers).await?;
        let named = |row: workspace_invite::Model| {
            let id = row.id.as_slice().try_into();
            let invited_by = makers.get(&row.created_by).map(|by| by.name.clone());
            Ok(WorkspaceInvite {
                id: id.map_err(|_| MetaError::Damaged("an invite's id"))?,
                email: row.email,
                invited_by: invited_by.unwrap_or_default(),
                created_at: time(row.created_at),
                expires_at: time(row.expires_at),
                uses: u64::try_from(row.uses).unwrap_or(0),
                uses_max: u64::try_from(row.uses_max).unwrap_or(0),
            })
        };
        rows.into_iter().map(named).collect()
    }
}

/// Counts a use of the link within the caller's transaction, which makes the account.
///
/// # Errors
/// [`Refusal::LinkExpired`] if the link does not work (any more).
pub async fn count_use(
    db: &impl ConnectionTrait,
    secret_hash: &[u8; 32],
    now: Millis,
) -> Result<(), MetaError> {
    // One statement looks and counts: see `Meta::accept_invite`.
    let used = workspace_invite::Entity::update_many()
        .col_expr(workspace_invite::Column::Uses, Expr::col(workspace_invite::Column::Uses).add(1))
        .filter(workspace_invite::Column::SecretHash.eq(secret_hash.to_vec()))
        .filter(live(now))
        .exec(db)
        .await;
    if used.doing("use an invite link")?.rows_affected == 0 {
        return Err(Refusal::LinkExpired.into());
    }
    Ok(())
}

/// Neither expired nor used up. Those that were revoked are gone.
fn live(now: Millis) -> Condition {
    Condition::all().add(workspace_invite::Column::ExpiresAt.gt(db_time(now))).add(
        Expr::col(workspace_invite::Column::Uses).lt(Expr::col(workspace_invite::Column::UsesMax)),
    )
}
