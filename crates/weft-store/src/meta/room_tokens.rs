//! Room tokens: what a host application gives to its own people, to open one room by the rights of
//! whoever minted them. They end with the sign-in or access token that they were minted with.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
};
use weft_core::{Millis, PersonId, Right, RoomId};

use super::{
    Meta, bytes_of, db_time,
    entities::{access_token, room_token, sign_in},
    error::{Doing, MetaError, Refusal},
    grants,
    people::{self, Person},
    person_id, room_id, time,
};

/// The room that a room token opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenRoom {
    /// This one.
    Id(RoomId),
    /// The minter's own room with this key, a document that is made when it is first used.
    Key(String),
}

/// A token to be stored.
#[derive(Debug, Clone)]
pub struct NewRoomToken {
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// SHA-256 of the token of the sign-in or access token that it is minted with.
    pub minted_with: [u8; 32],
    /// Who mints it, and by whose rights it opens the room.
    pub person: PersonId,
    /// What it opens.
    pub room: TokenRoom,
    /// The most that it allows.
    pub right: Right,
    /// What others see of whoever holds it; `None`: the minter.
    pub name: Option<String>,
    /// From then on it is not valid any more.
    pub expires_at: Millis,
}

/// A valid token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomToken {
    /// By whose rights it opens the room.
    pub person: Person,
    /// What it ends with: SHA-256 of the token of the sign-in or access token.
    pub minted_with: [u8; 32],
    /// What it opens.
    pub room: TokenRoom,
    /// The most that it allows.
    pub right: Right,
    /// What others see of whoever holds it; `None`: the minter.
    pub name: Option<String>,
    /// From then on it is not valid any more.
    pub expires_at: Millis,
}

impl Meta {
    /// Stores a token, and forgets all that have expired.
    ///
    /// # Errors
    /// [`Refusal::TooManyTokens`] if the person has `tokens_max` that are still valid.
    pub async fn create_room_token(
        &self,
        new: &NewRoomToken,
        tokens_max: u64,
        now: Millis,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let expired = room_token::Entity::delete_many()
            .filter(room_token::Column::ExpiresAt.lte(db_time(now)))
            .exec(&write.txn)
            .await;
        expired.doing("forget old room tokens")?;
        let person = bytes_of(new.person.as_bytes());
        let mine = room_token::Entity::find().filter(room_token::Column::Person.eq(person.clone()));
        if mine.count(&write.txn).await.doing("count room tokens")? >= tokens_max {
            return Err(Refusal::TooManyTokens { limit: tokens_max }.into());
        }
        let (room, key) = match &new.room {
            TokenRoom::Id(room) => (Some(bytes_of(room.as_bytes())), None),
            TokenRoom::Key(key) => (None, Some(key.clone())),
        };
        let row = room_token::ActiveModel {
            token_hash: Set(new.token_hash.to_vec()),
            minted_with: Set(new.minted_with.to_vec()),
            person: Set(person),
            room: Set(room),
            key: Set(key),
            right_name: Set(new.right.name().to_owned()),
            name: Set(new.name.clone()),
            created_at: Set(db_time(now)),
            expires_at: Set(db_time(new.expires_at)),
        };
        let stored = room_token::Entity::insert(row).exec_without_returning(&write.txn).await;
        stored.doing("store a room token")?;
        write.commit("store a room token").await
    }

    /// The token with this hash, if it and what it was minted with are valid now.
    pub async fn room_token(
        &self,
        token_hash: &[u8; 32],
        now: Millis,
    ) -> Result<Option<RoomToken>, MetaError> {
        let row = room_token::Entity::find_by_id(token_hash.to_vec()).one(&self.db).await;
        let Some(row) = row.doing("read a room token")? else { return Ok(None) };
        let minted_with: [u8; 32] =
            row.minted_with.try_into().map_err(|_| MetaError::Damaged("a token's hash"))?;
        if time(row.expires_at) <= now || !stands(&self.db, &minted_with, now).await? {
            return Ok(None);
        }
        let person = people::active(&self.db, person_id(&row.person)?).await?;
        let Some(person) = person else { return Ok(None) };
        let room = match (row.room, row.key) {
            (Some(room), _) => TokenRoom::Id(room_id(&room)?),
            (None, Some(key)) => TokenRoom::Key(key),
            (None, None) => return Err(MetaError::Damaged("a token's room")),
        };
        let (right, name) = (grants::named(&row.right_name)?, row.name);
        let expires_at = time(row.expires_at);
        Ok(Some(RoomToken { person, minted_with, room, right, name, expires_at }))
    }
}

/// Whether the sign-in or access token with this hash is valid now.
async fn stands(
    db: &impl ConnectionTrait,
    token_hash: &[u8; 32],
    now: Millis,
) -> Result<bool, MetaError> {
    let sign_in = sign_in::Entity::find_by_id(token_hash.to_vec()).one(db).await;
    if let Some(sign_in) = sign_in.doing("read a sign-in")? {
        return Ok(now < time(sign_in.expires_at));
    }
    let token = access_token::Entity::find()
        .filter(access_token::Column::TokenHash.eq(token_hash.to_vec()))
        .one(db)
        .await;
    let token = token.doing("read an access token")?;
    Ok(token.is_some_and(|token| token.expires_at.is_none_or(|end| now < time(end))))
}

/// Ends the room tokens minted with a sign-in or access token, within the caller's transaction.
pub async fn end_minted_with(
    db: &impl ConnectionTrait,
    token_hash: &[u8; 32],
) -> Result<(), MetaError> {
    let gone = room_token::Entity::delete_many()
        .filter(room_token::Column::MintedWith.eq(token_hash.to_vec()))
        .exec(db)
        .await;
    gone.doing("end room tokens")?;
    Ok(())
}
