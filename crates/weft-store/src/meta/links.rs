//! Links to rooms: whoever shows one may do there what it gives, people with an account and, if it is public, guests.
//!
//! A room has at most one. What it gives is a grant like others, whose grantee is the link, so that `access` decides about
//! it; here is who holds it. A link that is renewed has another id, so that nobody holds it who held it before.
//!
//! Its secret is stored as it is: those who manage the room copy it again and again. It opens nothing but what lies
//! beside it.

use std::collections::BTreeSet;

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{OnConflict, Query},
};
use sha2::{Digest, Sha256};
use weft_core::{
    LinkId, Millis, PersonId, Right, RoomId,
    access::{Grantee, SpaceKind},
};

use super::{
    Meta, access,
    audit::{Act, Note},
    bytes_of, db_time,
    entities::{access_grant, guest, link_holder, person, room_link},
    error::{Doing, MetaError, Refusal},
    grants::{self, Target},
    link_id, person_id, room_id,
    rooms::{self, RoomRow},
    settings, spaces, time,
};

/// How many links a person holds at most. Those shown first are forgotten first.
pub const LINKS_HELD_MAX: u64 = 1000;

/// A room's link.
#[derive(Clone, PartialEq, Eq)]
pub struct RoomLink {
    /// Which, until it is renewed.
    pub id: LinkId,
    /// What whoever holds it shows.
    pub secret: String,
    /// Whether it lets guests in.
    pub public: bool,
    /// What it gives.
    pub right: Right,
    /// From then on it is dead.
    pub expires_at: Option<Millis>,
    /// What has to be given with it, in PHC format.
    pub password_hash: Option<String>,
    /// When it was made, or renewed last.
    pub created_at: Millis,
}

impl std::fmt::Debug for RoomLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RoomLink").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a room's link is to be.
pub struct NewLink {
    /// A fresh id, for a link that is new or renewed.
    pub id: LinkId,
    /// A fresh secret, likewise.
    pub secret: String,
    /// Whether it lets guests in.
    pub public: bool,
    /// What it gives.
    pub right: Right,
    /// From then on it is dead.
    pub expires_at: Option<Millis>,
    /// In PHC format; `None`: as it is, `Some(None)`: none.
    pub password_hash: Option<Option<String>>,
}

/// What links a room may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinksAllowed {
    /// None.
    No,
    /// For people with an account.
    Workspace,
    /// For guests, too.
    Public,
}

/// A guest to be let in.
#[derive(Debug, Clone)]
pub struct NewGuest {
    /// A fresh id. It stands where ids of people stand.
    pub id: PersonId,
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// By which link.
    pub link: LinkId,
    /// Where it leads.
    pub room: RoomId,
    /// What others see; may be empty.
    pub name: String,
    /// From then on the token is not valid any more.
    pub expires_at: Millis,
}

/// A guest whose link has not been renewed or taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// Stands where ids of people stand.
    pub id: PersonId,
    /// By which link.
    pub link: LinkId,
    /// Where it leads.
    pub room: RoomId,
    /// What others see; may be empty.
    pub name: String,
    /// From then on the token is not valid any more.
    pub expires_at: Millis,
    /// When they came.
    pub created_at: Millis,
}

impl Meta {
    /// The room's link, expired or not.
    ///
    /// # Errors
    /// If the metadata cannot be read.
    pub async fn room_link(&self, room: RoomId) -> Result<Option<RoomLink>, MetaError> {
        find(&self.db, room).await
    }

    /// What links the rules of the room's space, and of the workspace, allow it.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such room.
    pub async fn links_allowed(&self, room: RoomId) -> Result<LinksAllowed, MetaError> {
        let row = rooms::find(&self.db, room).await?.ok_or(Refusal::NotFound)?;
        allowed(&self.db, &row).await
    }

    /// The room that a link of this secret leads to, and the link, if both can be used now.
    ///
    /// # Errors
    /// [`Refusal::LinkExpired`] if not: alike for whatever is wrong, also that there is no such room.
    pub async fn shown_link(
        &self,
        room: RoomId,
        secret: &str,
        now: Millis,
    ) -> Result<(RoomRow, RoomLink), MetaError> {
        shown(&self.db, room, secret, now).await
    }

    /// Makes the room's link so, at once for those who hold it. With another password, or `renewed`, it becomes another
    /// link, which nobody holds. The link, and the id of the one that has ended by this.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such room; [`Refusal::NoLinks`] if rules do not allow such a link.
    pub async fn set_link(
        &self,
        room: RoomId,
        new: NewLink,
        renewed: bool,
        by: PersonId,
        now: Millis,
    ) -> Result<(RoomLink, Option<LinkId>), MetaError> {
        let write = self.write().await?;
        let db = &write.txn;
        let row = rooms::find(db, room).await?.ok_or(Refusal::NotFound)?;
        let wanted = if new.public { LinksAllowed::Public } else { LinksAllowed::Workspace };
        if allowed(db, &row).await? < wanted {
            return Err(Refusal::NoLinks.into());
        }
        let before = find(db, room).await?;
        if let Some(before) = &before {
            let to = Grantee::Link { id: before.id, public: before.public };
            grants::remove(db, Target::Room(room), to).await?;
        }
        let (id, secret, created_at) = match &before {
            Some(before) if !renewed && new.password_hash.is_none() => {
                (before.id, before.secret.clone(), before.created_at)
            }
            Some(before) if !renewed => (new.id, before.secret.clone(), now),
            _ => (new.id, new.secret, now),
        };
        let ended = before.as_ref().map(|before| before.id).filter(|before| *before != id);
        if let Some(ended) = ended {
            end(db, ended).await?;
        }
        let kept = before.as_ref().and_then(|before| before.password_hash.clone());
        let password_hash = new.password_hash.unwrap_or(kept);
        let stored = room_link::ActiveModel {
            room: Set(bytes_of(room.as_bytes())),
            id: Set(bytes_of(id.as_bytes())),
            secret: Set(secret.clone()),
            password_hash: Set(password_hash.clone()),
            created_by: Set(bytes_of(by.as_bytes())),
            created_at: Set(db_time(created_at)),
        };
        room_link::Entity::delete_by_id(bytes_of(room.as_bytes()))
            .exec(db)
            .await
            .doing("store a link")?;
        room_link::Entity::insert(stored).exec_without_returning(db).await.doing("store a link")?;
        let (public, right, expires_at) = (new.public, new.right, new.expires_at);
        let to = Grantee::Link { id, public };
        grants::set(db, Target::Room(room), to, right, expires_at, by, now).await?;
        let act = if renewed { Act::LinkRenewed } else { Act::LinkSet };
        let note = Note::of(act).room(&row).with("who", who(public)).with("right", right.name());
        let note = note.with("password", password_hash.is_some());
        note.with_some("expires_at", expires_at).add(db).await?;
        write.commit("store a link").await?;
        Ok((RoomLink { id, secret, public, right, expires_at, password_hash, created_at }, ended))
    }

    /// Takes the room's link away. The id of the one that has ended by this, if there was one.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such room.
    pub async fn remove_link(&self, room: RoomId) -> Result<Option<LinkId>, MetaError> {
        let write = self.write().await?;
        let db = &write.txn;
        let row = rooms::find(db, room).await?.ok_or(Refusal::NotFound)?;
        let Some(RoomLink { id, public, .. }) = find(db, room).await? else { return Ok(None) };
        grants::remove(db, Target::Room(room), Grantee::Link { id, public }).await?;
        end(db, id).await?;
        let gone = room_link::Entity::delete_by_id(bytes_of(room.as_bytes())).exec(db).await;
        gone.doing("remove a link")?;
        Note::of(Act::LinkOff).room(&row).add(db).await?;
        write.commit("remove a link").await?;
        Ok(Some(id))
    }

    /// The person has shown this link, with its password if it has one. Whether they had not before.
    ///
    /// # Errors
    /// [`Refusal::LinkExpired`] if it is not the room's link any more.
    pub async fn hold_link(
        &self,
        room: RoomId,
        link: LinkId,
        person: PersonId,
        now: Millis,
    ) -> Result<bool, MetaError> {
        let write = self.write().await?;
        let row = present(&write.txn, room, link).await?;
        if held_by(&write.txn, person).await?.contains(&link) {
            return Ok(false);
        }
        let holder = bytes_of(person.as_bytes());
        let held = link_holder::Entity::find()
            .filter(link_holder::Column::Holder.eq(holder.clone()))
            .order_by_desc(link_holder::Column::At)
            // SQLite knows no offset without a limit.
            .limit(LINKS_HELD_MAX)
            .offset(LINKS_HELD_MAX - 1)
            .all(&write.txn)
            .await
            .doing("read links")?;
        for row in held {
            let id = (row.link, row.holder);
            link_holder::Entity::delete_by_id(id).exec(&write.txn).await.doing("forget a link")?;
        }
        hold(&write.txn, link, person, now).await?;
        Note::of(Act::LinkOpened).room(&row).person(person).add(&write.txn).await?;
        write.commit("hold a link").await?;
        Ok(true)
    }

    /// Lets a guest in, and forgets all whose time is over.
    ///
    /// # Errors
    /// [`Refusal::LinkExpired`] if it is not the room's link any more; [`Refusal::TooManyGuests`] if so many have
    /// come by it.
    pub async fn create_guest(
        &self,
        new: &NewGuest,
        guests_max: u64,
        now: Millis,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let row = present(&write.txn, new.room, new.link).await?;
        forget_guests(&write.txn, now).await?;
        let link = bytes_of(new.link.as_bytes());
        let present = guest::Entity::find().filter(guest::Column::Link.eq(link.clone()));
        if present.count(&write.txn).await.doing("count guests")? >= guests_max {
            return Err(Refusal::TooManyGuests { limit: guests_max }.into());
        }
        let stored = guest::ActiveModel {
            id: Set(bytes_of(new.id.as_bytes())),
            token_hash: Set(new.token_hash.to_vec()),
            link: Set(link),
            room: Set(bytes_of(new.room.as_bytes())),
            name: Set(new.name.clone()),
            created_at: Set(db_time(now)),
            expires_at: Set(db_time(new.expires_at)),
        };
        let stored = guest::Entity::insert(stored).exec_without_returning(&write.txn).await;
        stored.doing("store a guest")?;
        hold(&write.txn, new.link, new.id, now).await?;
        Note::of(Act::LinkOpened)
            .room(&row)
            .with("guest", new.name.clone())
            .add(&write.txn)
            .await?;
        write.commit("store a guest").await
    }

    /// The guest of the token with this hash, if it and the link are valid now. Says nothing about rights.
    ///
    /// # Errors
    /// If the metadata cannot be read.
    pub async fn guest(
        &self,
        token_hash: &[u8; 32],
        now: Millis,
    ) -> Result<Option<Guest>, MetaError> {
        let row = guest::Entity::find()
            .filter(guest::Column::TokenHash.eq(token_hash.to_vec()))
            .filter(guest::Column::ExpiresAt.gt(db_time(now)))
            .one(&self.db)
            .await;
        let Some(row) = row.doing("read a guest")? else { return Ok(None) };
        Ok(Some(Guest {
            id: person_id(&row.id)?,
            link: link_id(&row.link)?,
            room: room_id(&row.room)?,
            name: row.name,
            expires_at: time(row.expires_at),
            created_at: time(row.created_at),
        }))
    }

    /// The rooms with a link that lets guests in.
    ///
    /// # Errors
    /// If the metadata cannot be read.
    pub async fn rooms_with_public_links(&self) -> Result<Vec<RoomId>, MetaError> {
        let rows = access_grant::Entity::find()
            .filter(access_grant::Column::GranteeKind.eq(grants::TO_PUBLIC_LINK))
            .all(&self.db)
            .await
            .doing("list links")?;
        rows.iter().map(|row| room_id(&row.object)).collect()
    }
}

/// For whom a link is, as notes say it.
const fn who(public: bool) -> &'static str {
    if public { "public" } else { "workspace" }
}

/// The room's link, as the caller's transaction sees it.
async fn find(db: &impl ConnectionTrait, room: RoomId) -> Result<Option<RoomLink>, MetaError> {
    let row = room_link::Entity::find_by_id(bytes_of(room.as_bytes())).one(db).await;
    let Some(row) = row.doing("read a link")? else { return Ok(None) };
    let grant = access_grant::Entity::find()
        .filter(access_grant::Column::Object.eq(row.room))
        .filter(access_grant::Column::Grantee.eq(row.id))
        .one(db)
        .await
        .doing("read a link's grant")?
        .ok_or(MetaError::Damaged("a link's grant"))?;
    let grant = access::grant(&grant)?;
    let Grantee::Link { id, public } = grant.to else {
        return Err(MetaError::Damaged("a link's grant"));
    };
    Ok(Some(RoomLink {
        id,
        secret: row.secret,
        public,
        right: grant.right,
        expires_at: grant.expires_at,
        password_hash: row.password_hash,
        created_at: time(row.created_at),
    }))
}

async fn shown(
    db: &impl ConnectionTrait,
    room: RoomId,
    secret: &str,
    now: Millis,
) -> Result<(RoomRow, RoomLink), MetaError> {
    let row = rooms::find(db, room).await?;
    let row = row.filter(|row| row.trashed_at.is_none()).ok_or(Refusal::LinkExpired)?;
    let link = find(db, room).await?.ok_or(Refusal::LinkExpired)?;
    // Hashes may be compared byte by byte: nobody can choose one.
    let is_same = Sha256::digest(&link.secret) == Sha256::digest(secret);
    let lasts = link.expires_at.is_none_or(|end| now < end);
    if is_same && lasts && allowed(db, &row).await? > LinksAllowed::No {
        Ok((row, link))
    } else {
        Err(Refusal::LinkExpired.into())
    }
}

async fn allowed(db: &impl ConnectionTrait, room: &RoomRow) -> Result<LinksAllowed, MetaError> {
    let space = spaces::find(db, room.space).await?;
    let space = space.ok_or(MetaError::Damaged("a room's space"))?;
    // Where grants are for members alone, a link is for them.
    let outsiders = space.outsiders || space.kind == SpaceKind::Gallery;
    let guests = outsiders && space.public_links && settings::public_links(db).await?;
    Ok(match (space.links, guests) {
        (false, _) => LinksAllowed::No,
        (true, false) => LinksAllowed::Workspace,
        (true, true) => LinksAllowed::Public,
    })
}

/// The room, if this is its link still.
async fn present(
    db: &impl ConnectionTrait,
    room: RoomId,
    link: LinkId,
) -> Result<RoomRow, MetaError> {
    let found = find(db, room).await?.filter(|found| found.id == link);
    found.ok_or(Refusal::LinkExpired)?;
    Ok(rooms::find(db, room).await?.ok_or(Refusal::LinkExpired)?)
}

/// Nobody holds the link any more.
async fn end(db: &impl ConnectionTrait, link: LinkId) -> Result<(), MetaError> {
    let link = bytes_of(link.as_bytes());
    let gone = guest::Entity::delete_many().filter(guest::Column::Link.eq(link.clone()));
    gone.exec(db).await.doing("remove guests")?;
    let gone = link_holder::Entity::delete_many().filter(link_holder::Column::Link.eq(link));
    gone.exec(db).await.doing("end a link")?;
    Ok(())
}

async fn forget_guests(db: &impl ConnectionTrait, now: Millis) -> Result<(), MetaError> {
    let over = guest::Column::ExpiresAt.lte(db_time(now));
    let mut ids = Query::select();
    ids.column(guest::Column::Id).from(guest::Entity).and_where(over.clone());
    let gone = link_holder::Entity::delete_many();
    let gone = gone.filter(link_holder::Column::Holder.in_subquery(ids)).exec(db).await;
    gone.doing("forget guests")?;
    guest::Entity::delete_many().filter(over).exec(db).await.doing("forget guests")?;
    Ok(())
}

async fn hold(
    db: &impl ConnectionTrait,
    link: LinkId,
    holder: PersonId,
    now: Millis,
) -> Result<(), MetaError> {
    let row = link_holder::ActiveModel {
        link: Set(bytes_of(link.as_bytes())),
        holder: Set(bytes_of(holder.as_bytes())),
        at: Set(db_time(now)),
    };
    let mut keep = OnConflict::columns([link_holder::Column::Link, link_holder::Column::Holder]);
    keep.update_column(link_holder::Column::At);
    let held = link_holder::Entity::insert(row).on_conflict(keep).exec_without_returning(db).await;
    held.doing("hold a link")?;
    Ok(())
}

/// The links that a person or guest holds.
pub async fn held_by(
    db: &impl ConnectionTrait,
    holder: PersonId,
) -> Result<BTreeSet<LinkId>, MetaError> {
    let rows = link_holder::Entity::find()
        .filter(link_holder::Column::Holder.eq(bytes_of(holder.as_bytes())))
        .all(db)
        .await
        .doing("read links")?;
    rows.iter().map(|row| link_id(&row.link)).collect()
}

/// Whether this is a guest's id.
pub async fn is_guest(db: &impl ConnectionTrait, id: PersonId) -> Result<bool, MetaError> {
    let row = guest::Entity::find_by_id(bytes_of(id.as_bytes())).one(db).await;
    Ok(row.doing("read a guest")?.is_some())
}

/// The people with an account who hold the link.
pub async fn holders(
    db: &impl ConnectionTrait,
    link: LinkId,
) -> Result<Vec<(PersonId, LinkId)>, MetaError> {
    let people = Query::select().column(person::Column::Id).from(person::Entity).to_owned();
    let rows = link_holder::Entity::find()
        .filter(link_holder::Column::Link.eq(bytes_of(link.as_bytes())))
        .filter(link_holder::Column::Holder.in_subquery(people))
        .all(db)
        .await
        .doing("list a link's holders")?;
    rows.iter().map(|row| Ok((person_id(&row.holder)?, link))).collect()
}
