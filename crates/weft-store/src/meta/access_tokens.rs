//! Personal access tokens: what a program shows to act for a person, within scopes.

use std::collections::BTreeSet;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, sea_query::Expr,
};
use weft_core::{Millis, PersonId};

use super::{
    Meta,
    audit::{Act, Note},
    bytes_of, db_time,
    entities::access_token,
    error::{Doing, MetaError, Refusal},
    people::{self, Person},
    person_id, room_tokens, time,
};

/// A token's last use is stored at most this often, in milliseconds: reading must stay cheap.
pub const ACCESS_TOKEN_TOUCH_MS: Millis = 60 * 60 * 1000;

/// Something that a personal access token may be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// See what its person may see.
    Read,
    /// Make rooms, comment and change contents; includes [`Scope::Read`].
    Write,
    /// Rename and trash rooms, and decide about others' rights; includes [`Scope::Read`].
    Manage,
    /// Mint room tokens.
    RoomTokens,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Manage, Self::RoomTokens];

    /// The name that the API and rows use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Manage => "manage",
            Self::RoomTokens => "room-tokens",
        }
    }

    /// The scope of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// The scopes of one token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Whether a token with these may do that.
    #[must_use]
    pub fn allow(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
            || (scope == Scope::Read
                && (self.0.contains(&Scope::Write) || self.0.contains(&Scope::Manage)))
    }

    /// Their names, as given.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|scope| scope.name())
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        Self(scopes.into_iter().collect())
    }
}

/// A token to be stored.
#[derive(Debug, Clone)]
pub struct NewAccessToken {
    /// A fresh id: 16 bytes as ids of rooms and people.
    pub id: [u8; 16],
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// For whom it acts.
    pub person: PersonId,
    /// What the person calls it.
    pub name: String,
    /// What it is good for.
    pub scopes: Scopes,
    /// From then on it is not valid any more; `None`: it lasts until it is revoked.
    pub expires_at: Option<Millis>,
}

/// A token that somebody made. The token itself is not known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// Names the token to its person.
    pub id: [u8; 16],
    /// What the person calls it.
    pub name: String,
    /// What it is good for.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Millis,
    /// When it was used last, to the hour; `None`: never.
    pub used_at: Option<Millis>,
    /// From then on it is not valid any more; `None`: it lasts until it is revoked.
    pub expires_at: Option<Millis>,
}

impl Meta {
    /// Stores a token.
    ///
    /// # Errors
    /// [`Refusal::TooManyTokens`] if the person has `tokens_max`, expired ones included.
    pub async fn create_access_token(
        &self,
        new: &NewAccessToken,
        tokens_max: u64,
        now: Millis,
    ) -> Result<AccessToken, MetaError> {
        let write = self.write().await?;
        let mine = of_person(new.person).count(&write.txn).await;
        if mine.doing("count access tokens")? >= tokens_max {
            return Err(Refusal::TooManyTokens { limit: tokens_max }.into());
        }
        let scopes: Vec<&str> = new.scopes.names().collect();
        let row = access_token::ActiveModel {
            id: Set(new.id.to_vec()),
            token_hash: Set(new.token_hash.to_vec()),
            person: Set(bytes_of(new.person.as_bytes())),
            name: Set(new.name.clone()),
            scopes: Set(scopes.join(" ")),
            created_at: Set(db_time(now)),
            used_at: Set(None),
            expires_at: Set(new.expires_at.map(db_time)),
        };
        let stored = access_token::Entity::insert(row).exec_without_returning(&write.txn).await;
        stored.doing("store an access token")?;
        let note = Note::of(Act::TokenMade).person(new.person).with("name", new.name.clone());
        let note = note.with("scopes", scopes).with_some("expires_at", new.expires_at);
        note.add(&write.txn).await?;
        write.commit("store an access token").await?;
        Ok(AccessToken {
            id: new.id,
            name: new.name.clone(),
            scopes: new.scopes.clone(),
            created_at: now,
            used_at: None,
            expires_at: new.expires_at,
        })
    }

    /// The person's tokens, newest first, expired ones included.
    pub async fn access_tokens(&self, person: PersonId) -> Result<Vec<AccessToken>, MetaError> {
        let rows = of_person(person)
            .order_by_desc(access_token::Column::CreatedAt)
            .order_by_desc(access_token::Column::Id)
            .all(&self.db)
            .await
            .doing("list access tokens")?;
        rows.iter().map(from_row).collect()
    }

    /// Whose the token with this hash is, and what it is good for, if it is valid now. A use is
    /// stored at most every [`ACCESS_TOKEN_TOUCH_MS`].
    pub async fn access_token(
        &self,
        token_hash: &[u8; 32],
        now: Millis,
    ) -> Result<Option<(Person, AccessToken)>, MetaError> {
        let row = access_token::Entity::find()
            .filter(access_token::Column::TokenHash.eq(token_hash.to_vec()))
            .one(&self.db)
            .await;
        let Some(row) = row.doing("read an access token")? else { return Ok(None) };
        let token = from_row(&row)?;
        if token.expires_at.is_some_and(|end| end <= now) {
            return Ok(None);
        }
        let person = people::active(&self.db, person_id(&row.person)?).await?;
        let Some(person) = person else { return Ok(None) };
        let stale = |used_at: Millis| used_at.saturating_add(ACCESS_TOKEN_TOUCH_MS) <= now;
        if token.used_at.is_none_or(stale)
            && let Err(error) = self.touch_access_token(token.id, now).await
        {
            // A full disk must not shut programs out: they can still read.
            tracing::warn!(%error, "the use of an access token was not stored");
        }
        Ok(Some((person, token)))
    }

    async fn touch_access_token(&self, id: [u8; 16], now: Millis) -> Result<(), MetaError> {
        let write = self.write().await?;
        let touched = access_token::Entity::update_many()
            .col_expr(access_token::Column::UsedAt, Expr::value(db_time(now)))
            .filter(access_token::Column::Id.eq(id.to_vec()))
            .exec(&write.txn)
            .await;
        touched.doing("note the use of an access token")?;
        write.commit("note the use of an access token").await
    }

    /// Ends a token of that person, and the room tokens minted with it. Its hash.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if the person has no such token.
    pub async fn revoke_access_token(
        &self,
        person: PersonId,
        id: [u8; 16],
    ) -> Result<[u8; 32], MetaError> {
        let write = self.write().await?;
        let row = of_person(person).filter(access_token::Column::Id.eq(id.to_vec()));
        let row = row.one(&write.txn).await.doing("read an access token")?;
        let row = row.ok_or(Refusal::NotFound)?;
        let token_hash: [u8; 32] =
            row.token_hash.try_into().map_err(|_| MetaError::Damaged("a token's hash"))?;
        let note = Note::of(Act::TokenRevoked).person(person).with("name", row.name);
        note.add(&write.txn).await?;
        let gone = access_token::Entity::delete_by_id(row.id).exec(&write.txn).await;
        gone.doing("revoke an access token")?;
        room_tokens::end_minted_with(&write.txn, &token_hash).await?;
        write.commit("revoke an access token").await?;
        Ok(token_hash)
    }
}

/// Ends all tokens of a person, and the room tokens minted with them, within the caller's transaction.
/// Their hashes.
pub async fn end_all(
    db: &impl ConnectionTrait,
    person: PersonId,
) -> Result<Vec<[u8; 32]>, MetaError> {
    let rows = of_person(person).all(db).await.doing("list access tokens")?;
    let mut ended = Vec::with_capacity(rows.len());
    for row in rows {
        let token_hash: [u8; 32] =
            row.token_hash.try_into().map_err(|_| MetaError::Damaged("a token's hash"))?;
        let gone = access_token::Entity::delete_by_id(row.id).exec(db).await;
        gone.doing("end an access token")?;
        room_tokens::end_minted_with(db, &token_hash).await?;
        ended.push(token_hash);
    }
    Ok(ended)
}

fn of_person(person: PersonId) -> sea_orm::Select<access_token::Entity> {
    access_token::Entity::find()
        .filter(access_token::Column::Person.eq(bytes_of(person.as_bytes())))
}

fn from_row(row: &access_token::Model) -> Result<AccessToken, MetaError> {
    let scopes = row.scopes.split_whitespace().map(Scope::named).collect::<Option<Scopes>>();
    Ok(AccessToken {
        id: row.id.as_slice().try_into().map_err(|_| MetaError::Damaged("a token's id"))?,
        name: row.name.clone(),
        scopes: scopes.ok_or(MetaError::Damaged("a token's scopes"))?,
        created_at: time(row.created_at),
        used_at: row.used_at.map(time),
        expires_at: row.expires_at.map(time),
    })
}
