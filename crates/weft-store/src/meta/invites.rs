//! Invite links: a right in a room for whoever holds the secret, for a time, a number of times.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait},
};
use weft_core::{Millis, PersonId, Right, RoomId, access::Grantee};

use super::{
    Meta,
    audit::{Act, Note},
    bytes_of, db_time,
    entities::invite,
    error::{Doing, MetaError, Refusal},
    grants::{self, Target},
    people, room_id,
    rooms::{self, RoomRow},
    spaces, time,
};

/// A link to be stored.
#[derive(Debug, Clone)]
pub struct NewInvite {
    /// A fresh id: 16 bytes as ids of rooms and people.
    pub id: [u8; 16],
    /// SHA-256 of the secret.
    pub secret_hash: [u8; 32],
    /// Where it leads.
    pub room: RoomId,
    /// What it gives.
    pub right: Right,
    /// Who made it.
    pub created_by: PersonId,
    /// From then on it is dead.
    pub expires_at: Millis,
    /// How many people it lets in.
    pub uses_max: u64,
}

/// A link that somebody made. Its secret is not known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// Names the link to those who manage it.
    pub id: [u8; 16],
    /// What it gives.
    pub right: Right,
    /// When it was made.
    pub created_at: Millis,
    /// From then on it is dead.
    pub expires_at: Millis,
    /// How many people it has let in.
    pub uses: u64,
    /// How many people it lets in.
    pub uses_max: u64,
}

/// What a link promises, to show before it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteLook {
    /// Where it leads.
    pub room: RoomId,
    /// The room's kind.
    pub kind: String,
    /// The room's title.
    pub title: String,
    /// What it gives.
    pub right: Right,
    /// The name of who made it.
    pub invited_by: String,
}

/// A link was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Where it leads.
    pub room: RoomId,
    /// Whether the person's right was raised (and a use of the link counted).
    pub raised: bool,
}

impl Meta {
    /// Stores a link.
    ///
    /// # Errors
    /// [`Refusal::TooManyInvites`] if the room has `invites_max` live links.
    pub async fn create_invite(
        &self,
        new: &NewInvite,
        invites_max: u64,
        now: Millis,
    ) -> Result<Invite, MetaError> {
        let write = self.write().await?;
        let room = rooms::find(&write.txn, new.room).await?.ok_or(Refusal::NotFound)?;
        if !links_allowed(&write.txn, &room).await? {
            return Err(Refusal::NoLinks.into());
        }
        let live = invite::Entity::find().filter(live(now).add(of_room(new.room)));
        if live.count(&write.txn).await.doing("count invite links")? >= invites_max {
            return Err(Refusal::TooManyInvites { limit: invites_max }.into());
        }
        let row = invite::ActiveModel {
            id: Set(new.id.to_vec()),
            secret_hash: Set(new.secret_hash.to_vec()),
            room: Set(bytes_of(new.room.as_bytes())),
            right_name: Set(new.right.name().to_owned()),
            created_by: Set(bytes_of(new.created_by.as_bytes())),
            created_at: Set(db_time(now)),
            expires_at: Set(db_time(new.expires_at)),
            uses: Set(0),
            uses_max: Set(i64::try_from(new.uses_max).unwrap_or(i64::MAX)),
            revoked: Set(false),
        };
        let stored = invite::Entity::insert(row).exec_without_returning(&write.txn).await;
        stored.doing("store an invite link")?;
        let note = Note::of(Act::InviteMade).room(&room).with("right", new.right.name());
        let note = note.with("uses_max", new.uses_max).with("expires_at", new.expires_at);
        note.add(&write.txn).await?;
        write.commit("store an invite link").await?;
        Ok(Invite {
            id: new.id,
            right: new.right,
            created_at: now,
            expires_at: new.expires_at,
            uses: 0,
            uses_max: new.uses_max,
        })
    }

    /// The room's links that still work, newest first.
    pub async fn invites(&self, room: RoomId, now: Millis) -> Result<Vec<Invite>, MetaError> {
        let rows = invite::Entity::find()
            .filter(live(now).add(of_room(room)))
            .order_by_desc(invite::Column::CreatedAt)
            .order_by_desc(invite::Column::Id)
            .all(&self.db)
            .await
            .doing("list invite links")?;
        rows.iter().map(from_row).collect()
    }

    /// Makes a link of that room useless at once.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if the room has no such link.
    pub async fn revoke_invite(&self, room: RoomId, id: [u8; 16]) -> Result<(), MetaError> {
        let write = self.write().await?;
        let revoked = invite::Entity::update_many()
            .col_expr(invite::Column::Revoked, Expr::value(true))
            .filter(invite::Column::Id.eq(id.to_vec()))
            .filter(of_room(room))
            .filter(invite::Column::Revoked.eq(false))
            .exec(&write.txn)
            .await;
        if revoked.doing("revoke an invite link")?.rows_affected == 0 {
            return Err(Refusal::NotFound.into());
        }
        if let Some(room) = rooms::find(&write.txn, room).await? {
            Note::of(Act::InviteRevoked).room(&room).add(&write.txn).await?;
        }
        write.commit("revoke an invite link").await
    }

    /// What the link promises.
    ///
    /// # Errors
    /// [`Refusal::LinkExpired`] if it is unknown, revoked, expired, used up, or its room is gone.
    pub async fn look_at_invite(
        &self,
        secret_hash: &[u8; 32],
        now: Millis,
    ) -> Result<InviteLook, MetaError> {
        let row = by_secret(&self.db, secret_hash, now).await?;
        if row.uses >= row.uses_max {
            return Err(Refusal::LinkExpired.into());
        }
        let room = open_room(&self.db, &row).await?;
        let by = people::briefs(&self.db, vec![row.created_by.clone()]).await?;
        let by = by.into_values().next().ok_or(Refusal::LinkExpired)?;
        Ok(InviteLook {
            room: room.id,
            kind: room.kind,
            title: room.title,
            right: grants::named(&row.right_name)?,
            invited_by: by.name,
        })
    }

    /// Gives the person what the link promises and counts a use. Who has that right or a greater
    /// one already keeps it, and no use is counted.
    ///
    /// # Errors
    /// [`Refusal::LinkExpired`] as for [`Meta::look_at_invite`].
    pub async fn accept_invite(
        &self,
        secret_hash: &[u8; 32],
        person: PersonId,
        now: Millis,
    ) -> Result<Accepted, MetaError> {
        let write = self.write().await?;
        let row = by_secret(&write.txn, secret_hash, now).await?;
        let room = open_room(&write.txn, &row).await?;
        let offered = grants::named(&row.right_name)?;
        if rooms::right(&write.txn, &room, person, now).await? >= Some(offered) {
            return Ok(Accepted { room: room.id, raised: false });
        }
        // One statement looks and counts, so that two people cannot share the last use on a
        // database that lets transactions overlap.
        let used = invite::Entity::update_many()
            .col_expr(invite::Column::Uses, Expr::col(invite::Column::Uses).add(1))
            .filter(invite::Column::Id.eq(row.id.clone()))
            .filter(live(now))
            .exec(&write.txn)
            .await;
        if used.doing("use an invite link")?.rows_affected == 0 {
            return Err(Refusal::LinkExpired.into());
        }
        let by = super::person_id(&row.created_by)?;
        let (on, to) = (Target::Room(room.id), Grantee::Person(person));
        grants::set(&write.txn, on, to, offered, None, by, now).await?;
        let note = Note::of(Act::InviteAccepted).room(&room).person(person);
        note.with("right", offered.name()).add(&write.txn).await?;
        write.commit("use an invite link").await?;
        Ok(Accepted { room: room.id, raised: true })
    }
}

/// Neither revoked nor expired nor used up.
fn live(now: Millis) -> Condition {
    Condition::all()
        .add(invite::Column::Revoked.eq(false))
        .add(invite::Column::ExpiresAt.gt(db_time(now)))
        .add(Expr::col(invite::Column::Uses).lt(Expr::col(invite::Column::UsesMax)))
}

fn of_room(room: RoomId) -> sea_orm::sea_query::SimpleExpr {
    invite::Column::Room.eq(bytes_of(room.as_bytes()))
}

/// The link of that secret, if it is neither revoked nor expired; it may be used up.
async fn by_secret(
    db: &impl ConnectionTrait,
    secret_hash: &[u8; 32],
    now: Millis,
) -> Result<invite::Model, MetaError> {
    let row = invite::Entity::find()
        .filter(invite::Column::SecretHash.eq(secret_hash.to_vec()))
        .filter(invite::Column::Revoked.eq(false))
        .filter(invite::Column::ExpiresAt.gt(db_time(now)))
        .one(db)
        .await;
    row.doing("read an invite link")?.ok_or_else(|| Refusal::LinkExpired.into())
}

/// Whether the rules of the room's space allow links.
async fn links_allowed(db: &impl ConnectionTrait, room: &RoomRow) -> Result<bool, MetaError> {
    Ok(spaces::find(db, room.space).await?.is_some_and(|space| space.links))
}

/// The link's room, if it is not in the trash, and its space allows links.
async fn open_room(db: &impl ConnectionTrait, row: &invite::Model) -> Result<RoomRow, MetaError> {
    let room = rooms::find(db, room_id(&row.room)?).await?;
    let room = room.filter(|room| room.trashed_at.is_none()).ok_or(Refusal::LinkExpired)?;
    let is_allowed = links_allowed(db, &room).await?;
    if is_allowed { Ok(room) } else { Err(Refusal::LinkExpired.into()) }
}

fn from_row(row: &invite::Model) -> Result<Invite, MetaError> {
    Ok(Invite {
        id: row.id.as_slice().try_into().map_err(|_| MetaError::Damaged("an invite's id"))?,
        right: grants::named(&row.right_name)?,
        created_at: time(row.created_at),
        expires_at: time(row.expires_at),
        uses: u64::try_from(row.uses).unwrap_or(0),
        uses_max: u64::try_from(row.uses_max).unwrap_or(0),
    })
}
