//! Sign-ins: a token's hash, whose it is, and until when.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use weft_core::{Millis, PersonId};

use super::{
    Meta, bytes_of, db_time,
    entities::sign_in,
    error::{Doing, MetaError},
    people::{self, Person},
    person_id, time,
};

/// A sign-in's last use is stored at most this often, in milliseconds: reading must stay cheap.
pub const SIGN_IN_TOUCH_MS: Millis = 60 * 60 * 1000;
/// Characters kept of a browser's name of itself.
const USER_AGENT_CHARS_MAX: usize = 200;

/// A valid sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Who signed in.
    pub person: Person,
    /// From then on it is not valid any more, unless it is used before.
    pub expires_at: Millis,
}

/// A sign-in to be stored.
#[derive(Debug, Clone)]
pub struct NewSignIn<'a> {
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// Who signed in.
    pub person: PersonId,
    /// How long it lasts after its last use, in milliseconds.
    pub idle_ms_max: Millis,
    /// What the browser or program calls itself.
    pub user_agent: &'a str,
}

impl Meta {
    /// Stores a sign-in, and forgets those of the same person that have expired.
    pub async fn create_sign_in(&self, new: NewSignIn<'_>, now: Millis) -> Result<(), MetaError> {
        let write = self.write().await?;
        let person = bytes_of(new.person.as_bytes());
        let expired = sign_in::Entity::delete_many()
            .filter(sign_in::Column::Person.eq(person.clone()))
            .filter(sign_in::Column::ExpiresAt.lte(db_time(now)))
            .exec(&write.txn)
            .await;
        expired.doing("forget old sign-ins")?;
        let row = sign_in::ActiveModel {
            token_hash: Set(new.token_hash.to_vec()),
            person: Set(person),
            created_at: Set(db_time(now)),
            used_at: Set(db_time(now)),
            expires_at: Set(db_time(now.saturating_add(new.idle_ms_max))),
            user_agent: Set(new.user_agent.chars().take(USER_AGENT_CHARS_MAX).collect()),
        };
        let stored = sign_in::Entity::insert(row).exec_without_returning(&write.txn).await;
        stored.doing("store a sign-in")?;
        write.commit("store a sign-in").await
    }

    /// The sign-in of the token with this hash, if it is valid now. A use moves its end, stored
    /// at most every [`SIGN_IN_TOUCH_MS`].
    pub async fn sign_in(
        &self,
        token_hash: &[u8; 32],
        now: Millis,
    ) -> Result<Option<SignIn>, MetaError> {
        let row = sign_in::Entity::find_by_id(token_hash.to_vec()).one(&self.db).await;
        let Some(row) = row.doing("read a sign-in")? else { return Ok(None) };
        if now >= time(row.expires_at) {
            return Ok(None);
        }
        let id = person_id(&row.person)?;
        let Some(person) = people::find(&self.db, id).await? else { return Ok(None) };
        if now < time(row.used_at).saturating_add(SIGN_IN_TOUCH_MS) {
            return Ok(Some(SignIn { person, expires_at: time(row.expires_at) }));
        }
        let expires_at = db_time(now).saturating_add(row.expires_at - row.used_at);
        if let Err(error) = self.touch_sign_in(token_hash, expires_at, now).await {
            // A full disk must not sign people out: they can still read.
            tracing::warn!(%error, "a sign-in's use was not stored");
            return Ok(Some(SignIn { person, expires_at: time(row.expires_at) }));
        }
        Ok(Some(SignIn { person, expires_at: time(expires_at) }))
    }

    async fn touch_sign_in(
        &self,
        token_hash: &[u8; 32],
        expires_at: i64,
        now: Millis,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let touched = sign_in::Entity::update_many()
            .col_expr(sign_in::Column::UsedAt, Expr::value(db_time(now)))
            .col_expr(sign_in::Column::ExpiresAt, Expr::value(expires_at))
            .filter(sign_in::Column::TokenHash.eq(token_hash.to_vec()))
            .filter(sign_in::Column::UsedAt.lt(db_time(now)))
            .exec(&write.txn)
            .await;
        touched.doing("store a sign-in's use")?;
        write.commit("store a sign-in's use").await
    }

    /// Ends a sign-in. Whether there was one.
    pub async fn sign_out(&self, token_hash: &[u8; 32]) -> Result<bool, MetaError> {
        let write = self.write().await?;
        let gone = sign_in::Entity::delete_by_id(token_hash.to_vec()).exec(&write.txn).await;
        let gone = gone.doing("end a sign-in")?;
        write.commit("end a sign-in").await?;
        Ok(gone.rows_affected > 0)
    }
}
