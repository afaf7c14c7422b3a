//! Rights that a room's owner gave to others.

use std::collections::BTreeMap;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::OnConflict,
};
use weft_core::{Millis, PersonId, Right, RoomId};

use super::{
    Meta, bytes_of, db_time,
    entities::room_grant,
    error::{Doing, MetaError, Refusal},
    people::{self, PersonBrief},
    rooms,
};

/// Someone who can open a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub person: PersonBrief,
    /// What they may do.
    pub right: Right,
    /// Whether the room is theirs.
    pub owner: bool,
}

impl Meta {
    /// Everybody who can open the room (out of the trash): the owner first, then by user name.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such room.
    pub async fn members(&self, room: RoomId) -> Result<Vec<Member>, MetaError> {
        let row = rooms::find(&self.db, room).await?.ok_or(Refusal::NotFound)?;
        let owner = bytes_of(row.owner.as_bytes());
        let grants = room_grant::Entity::find()
            .filter(room_grant::Column::Room.eq(bytes_of(room.as_bytes())))
            .all(&self.db)
            .await
            .doing("list grants")?;
        let mut ids: Vec<_> = grants.iter().map(|grant| grant.person.clone()).collect();
        ids.push(owner.clone());
        let mut briefs = people::briefs(&self.db, ids).await?;

        let person = briefs.remove(&owner).ok_or(MetaError::Damaged("a room's owner"))?;
        let mut members = vec![Member { person, right: Right::Manage, owner: true }];
        for grant in grants {
            if let Some(person) = briefs.remove(&grant.person) {
                let right = named(&grant.right_name)?;
                members.push(Member { person, right, owner: false });
            }
        }
        members[1..].sort_by(|a, b| a.person.username.cmp(&b.person.username));
        Ok(members)
    }

    /// Gives a person a right in a room, in place of the one before.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such room or person, [`Refusal::IsOwner`] if the room
    /// is theirs.
    pub async fn grant(
        &self,
        room: RoomId,
        username: &str,
        right: Right,
        by: PersonId,
        now: Millis,
    ) -> Result<Member, MetaError> {
        let write = self.write().await?;
        let person = grantee(&write.txn, room, username).await?;
        set(&write.txn, room, person.id, right, by, now).await?;
        write.commit("store a grant").await?;
        Ok(Member { person, right, owner: false })
    }

    /// Takes a person's right in a room away. Nothing changes if they have none.
    ///
    /// # Errors
    /// As [`Meta::grant`].
    pub async fn revoke(&self, room: RoomId, username: &str) -> Result<(), MetaError> {
        let write = self.write().await?;
        let person = grantee(&write.txn, room, username).await?;
        let id = (bytes_of(room.as_bytes()), bytes_of(person.id.as_bytes()));
        room_grant::Entity::delete_by_id(id).exec(&write.txn).await.doing("remove a grant")?;
        write.commit("remove a grant").await
    }
}

/// The person to whom rights may be given.
async fn grantee(
    db: &impl ConnectionTrait,
    room: RoomId,
    username: &str,
) -> Result<PersonBrief, MetaError> {
    let row = rooms::find(db, room).await?.ok_or(Refusal::NotFound)?;
    let person = people::named(db, username).await?.ok_or(Refusal::NotFound)?.person;
    if person.id == row.owner {
        return Err(Refusal::IsOwner.into());
    }
    Ok(PersonBrief { id: person.id, username: person.username, name: person.name })
}

/// Stores a grant within the caller's transaction.
pub async fn set(
    db: &impl ConnectionTrait,
    room: RoomId,
    person: PersonId,
    right: Right,
    by: PersonId,
    now: Millis,
) -> Result<(), MetaError> {
    let row = room_grant::ActiveModel {
        room: Set(bytes_of(room.as_bytes())),
        person: Set(bytes_of(person.as_bytes())),
        right_name: Set(right.name().to_owned()),
        granted_by: Set(bytes_of(by.as_bytes())),
        granted_at: Set(db_time(now)),
    };
    let mut replace = OnConflict::columns([room_grant::Column::Room, room_grant::Column::Person]);
    replace.update_columns([
        room_grant::Column::RightName,
        room_grant::Column::GrantedBy,
        room_grant::Column::GrantedAt,
    ]);
    let stored =
        room_grant::Entity::insert(row).on_conflict(replace).exec_without_returning(db).await;
    stored.doing("store a grant")?;
    Ok(())
}

/// What a person was granted in a room, as the caller's transaction sees it.
pub async fn find(
    db: &impl ConnectionTrait,
    room: RoomId,
    person: PersonId,
) -> Result<Option<Right>, MetaError> {
    let id = (bytes_of(room.as_bytes()), bytes_of(person.as_bytes()));
    let row = room_grant::Entity::find_by_id(id).one(db).await.doing("read a grant")?;
    row.map(|row| named(&row.right_name)).transpose()
}

/// All that a person was granted, by the room's id.
pub async fn of_person(
    db: &impl ConnectionTrait,
    person: &[u8],
) -> Result<BTreeMap<Vec<u8>, Right>, MetaError> {
    let rows = room_grant::Entity::find()
        .filter(room_grant::Column::Person.eq(person.to_vec()))
        .all(db)
        .await
        .doing("list grants")?;
    rows.into_iter().map(|row| Ok((row.room, named(&row.right_name)?))).collect()
}

/// The right of that name, as rows hold it.
pub fn named(name: &str) -> Result<Right, MetaError> {
    Right::named(name).ok_or(MetaError::Damaged("a right's name"))
}
