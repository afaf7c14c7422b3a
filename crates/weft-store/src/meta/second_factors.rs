//! Second factors: secrets that only the server and a person's device know, the codes that have been used,
//! and what stands in for a code when the device is lost.
//!
//! The secrets are stored as they are, as a server has to know them. What a code is, is the caller's
//! matter: here codes are numbered by the step of time that they belong to.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use weft_core::PersonId;

use super::{
    Meta,
    audit::{Act, Note},
    bytes_of,
    entities::{person, recovery_code},
    error::{Doing, MetaError, Refusal},
};

/// Somebody's second factor.
#[derive(Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// From which the codes follow.
    pub secret: Vec<u8>,
    /// Whether signing in takes a code; not before the person has shown one.
    pub on: bool,
}

impl std::fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecondFactor").field("on", &self.on).finish_non_exhaustive()
    }
}

impl Meta {
    /// The person's second factor, if there is one, on or not.
    pub async fn second_factor(&self, id: PersonId) -> Result<Option<SecondFactor>, MetaError> {
        let row = person::Entity::find_by_id(bytes_of(id.as_bytes())).one(&self.db).await;
        let row = row.doing("read a second factor")?;
        Ok(row.and_then(|row| Some(SecondFactor { secret: row.totp_secret?, on: row.totp_on })))
    }

    /// Stores a secret that is not on yet, in place of one that is not on either.
    ///
    /// # Errors
    /// [`Refusal::SecondFactorOn`].
    pub async fn begin_second_factor(&self, id: PersonId, secret: &[u8]) -> Result<(), MetaError> {
        let write = self.write().await?;
        let stored = person::Entity::update_many()
            .col_expr(person::Column::TotpSecret, Expr::value(secret.to_vec()))
            .filter(is_person(id))
            .filter(person::Column::TotpOn.eq(false))
            .exec(&write.txn)
            .await;
        if stored.doing("store a second factor")?.rows_affected == 0 {
            return Err(Refusal::SecondFactorOn.into());
        }
        write.commit("store a second factor").await
    }

    /// Turns on the second factor with this secret, after the code of `step` was shown.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if that is not the secret that waits for it.
    pub async fn turn_on_second_factor(
        &self,
        id: PersonId,
        secret: &[u8],
        step: u64,
        recovery_hashes: &[[u8; 32]],
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let turned = person::Entity::update_many()
            .col_expr(person::Column::TotpOn, Expr::value(true))
            .col_expr(person::Column::TotpStep, Expr::value(db_step(step)))
            .filter(is_person(id))
            .filter(person::Column::TotpOn.eq(false))
            .filter(person::Column::TotpSecret.eq(secret.to_vec()))
            .exec(&write.txn)
            .await;
        if turned.doing("turn a second factor on")?.rows_affected == 0 {
            return Err(Refusal::NotFound.into());
        }
        for hash in recovery_hashes {
            let row = recovery_code::ActiveModel {
                person: Set(bytes_of(id.as_bytes())),
                code_hash: Set(hash.to_vec()),
            };
            let stored =
                recovery_code::Entity::insert(row).exec_without_returning(&write.txn).await;
            stored.doing("store a recovery code")?;
        }
        Note::of(Act::SecondFactorOn).person(id).add(&write.txn).await?;
        write.commit("turn a second factor on").await
    }

    /// Takes the code of that step, unless it or a later one was taken before.
    pub async fn use_code(&self, id: PersonId, step: u64) -> Result<bool, MetaError> {
        let write = self.write().await?;
        let used = person::Entity::update_many()
            .col_expr(person::Column::TotpStep, Expr::value(db_step(step)))
            .filter(is_person(id))
            .filter(person::Column::TotpOn.eq(true))
            .filter(person::Column::TotpStep.lt(db_step(step)))
            .exec(&write.txn)
            .await;
        let used = used.doing("use a code")?.rows_affected > 0;
        write.commit("use a code").await?;
        Ok(used)
    }

    /// Takes the recovery code with this hash, if the person has it.
    pub async fn use_recovery_code(
        &self,
        id: PersonId,
        code_hash: &[u8; 32],
    ) -> Result<bool, MetaError> {
        let write = self.write().await?;
        let key = (bytes_of(id.as_bytes()), code_hash.to_vec());
        let used = recovery_code::Entity::delete_by_id(key).exec(&write.txn).await;
        let used = used.doing("use a recovery code")?.rows_affected > 0;
        if used {
            Note::of(Act::RecoveryCodeUsed).by(id).person(id).add(&write.txn).await?;
        }
        write.commit("use a recovery code").await?;
        Ok(used)
    }

    /// Takes the person's second factor away, with its recovery codes. Whether it was on.
    pub async fn remove_second_factor(&self, id: PersonId) -> Result<bool, MetaError> {
        let write = self.write().await?;
        let removed = person::Entity::update_many()
            .col_expr(person::Column::TotpSecret, Expr::value(None::<Vec<u8>>))
            .col_expr(person::Column::TotpOn, Expr::value(false))
            .filter(is_person(id))
            .filter(person::Column::TotpOn.eq(true))
            .exec(&write.txn)
            .await;
        let was_on = removed.doing("remove a second factor")?.rows_affected > 0;
        let gone = recovery_code::Entity::delete_many()
            .filter(recovery_code::Column::Person.eq(bytes_of(id.as_bytes())))
            .exec(&write.txn)
            .await;
        gone.doing("remove recovery codes")?;
        if was_on {
            Note::of(Act::SecondFactorOff).person(id).add(&write.txn).await?;
        }
        write.commit("remove a second factor").await?;
        Ok(was_on)
    }
}

fn is_person(id: PersonId) -> sea_orm::sea_query::SimpleExpr {
    person::Column::Id.eq(bytes_of(id.as_bytes()))
}

/// Steps count half minutes: they stay far below 2^63.
fn db_step(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}
