//! Account links: whoever opens one has shown that they read a person's mail, or were given it by an
//! administrator. There is one for each person and purpose: the newest. Each works once.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::OnConflict,
};
use weft_core::{Millis, PersonId};

use super::{
    Meta,
    audit::{Act, Note},
    bytes_of, db_time,
    entities::{account_link, person},
    error::{Doing, MetaError, Refusal},
    name_key,
    people::{self, Person},
    person_id, sign_ins,
};

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To set a new password without the one before.
    Reset,
    /// To show that an address is the person's.
    Verify,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Verify => "verify",
        }
    }
}

/// A link to be stored.
#[derive(Debug, Clone)]
pub struct NewAccountLink {
    /// Whose it is.
    pub person: PersonId,
    /// What it is for.
    pub purpose: Purpose,
    /// SHA-256 of the secret.
    pub secret_hash: [u8; 32],
    /// Where it is mailed to; `None`: an administrator hands it over.
    pub email: Option<String>,
    /// From then on it is dead.
    pub expires_at: Millis,
}

impl Meta {
    /// Stores a link in place of the one before of the same purpose.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such person, or they cannot sign in.
    pub async fn create_account_link(
        &self,
        new: &NewAccountLink,
        now: Millis,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        people::active(&write.txn, new.person).await?.ok_or(Refusal::NotFound)?;
        let row = account_link::ActiveModel {
            person: Set(bytes_of(new.person.as_bytes())),
            purpose: Set(new.purpose.name().to_owned()),
            secret_hash: Set(new.secret_hash.to_vec()),
            email: Set(new.email.clone()),
            created_at: Set(db_time(now)),
            expires_at: Set(db_time(new.expires_at)),
        };
        let mut replace =
            OnConflict::columns([account_link::Column::Person, account_link::Column::Purpose]);
        replace.update_columns([
            account_link::Column::SecretHash,
            account_link::Column::Email,
            account_link::Column::CreatedAt,
            account_link::Column::ExpiresAt,
        ]);
        let stored = account_link::Entity::insert(row).on_conflict(replace);
        stored.exec_without_returning(&write.txn).await.doing("store a link")?;
        // What is mailed is not in anybody's hands but its person's.
        if new.email.is_none() {
            Note::of(Act::ResetLinkMade).person(new.person).add(&write.txn).await?;
        }
        write.commit("store a link").await
    }

    /// The person who may be mailed a link to set a new password: by their user name, or by an address that
    /// they have verified.
    pub async fn person_to_reset(&self, name: &str) -> Result<Option<Person>, MetaError> {
        let named = people::named(&self.db, name).await?.map(|known| known.person);
        let found = match named {
            Some(person) => Some(person),
            None => by_address(&self.db, name).await?,
        };
        Ok(found.filter(|person| {
            person.deactivated_at.is_none() && person.email.is_some() && person.email_verified
        }))
    }

    /// Whose password a link of that secret sets. Cheap: asked before the new password is hashed.
    /// [`Meta::reset_password`] decides.
    ///
    /// # Errors
    /// [`Refusal::LinkExpired`].
    pub async fn check_reset(
        &self,
        secret_hash: &[u8; 32],
        now: Millis,
    ) -> Result<Person, MetaError> {
        Ok(opened(&self.db, Purpose::Reset, secret_hash, now).await?.0)
    }

    /// Sets a new password, uses the link up, and ends all the person's sign-ins, with the room tokens
    /// minted with them. Whose it is, and the hashes of what has ended.
    ///
    /// # Errors
    /// [`Refusal::LinkExpired`].
    pub async fn reset_password(
        &self,
        secret_hash: &[u8; 32],
        password_hash: &str,
        now: Millis,
    ) -> Result<(PersonId, Vec<[u8; 32]>), MetaError> {
        let write = self.write().await?;
        let (person, _) = opened(&write.txn, Purpose::Reset, secret_hash, now).await?;
        remove(&write.txn, person.id, Purpose::Reset).await?;
        people::set_password(&write.txn, person.id, password_hash).await?;
        let ended = sign_ins::end_all(&write.txn, person.id, None).await?;
        let note = Note::of(Act::PasswordReset).by(person.id).person(person.id);
        note.add(&write.txn).await?;
        write.commit("reset a password").await?;
        Ok((person.id, ended))
    }

    /// Notes that mail to the person's address arrives, and uses the link up.
    ///
    /// # Errors
    /// [`Refusal::LinkExpired`], also if the address is another one now.
    pub async fn verify_email(
        &self,
        secret_hash: &[u8; 32],
        now: Millis,
    ) -> Result<Person, MetaError> {
        let write = self.write().await?;
        let (person, email) = opened(&write.txn, Purpose::Verify, secret_hash, now).await?;
        if email.is_none() || email != person.email {
            return Err(Refusal::LinkExpired.into());
        }
        remove(&write.txn, person.id, Purpose::Verify).await?;
        people::verify_address(&write.txn, person.id).await?;
        write.commit("verify an address").await?;
        Ok(Person { email_verified: true, ..person })
    }
}

/// Whose the link is, and where it was mailed to, if it works.
async fn opened(
    db: &impl ConnectionTrait,
    purpose: Purpose,
    secret_hash: &[u8; 32],
    now: Millis,
) -> Result<(Person, Option<String>), MetaError> {
    let row = account_link::Entity::find()
        .filter(account_link::Column::SecretHash.eq(secret_hash.to_vec()))
        .filter(account_link::Column::Purpose.eq(purpose.name()))
        .filter(account_link::Column::ExpiresAt.gt(db_time(now)))
        .one(db)
        .await;
    let row = row.doing("read a link")?.ok_or(Refusal::LinkExpired)?;
    let person = people::active(db, person_id(&row.person)?).await?;
    Ok((person.ok_or(Refusal::LinkExpired)?, row.email))
}

async fn by_address(db: &impl ConnectionTrait, email: &str) -> Result<Option<Person>, MetaError> {
    let row =
        person::Entity::find().filter(person::Column::EmailKey.eq(name_key(email))).one(db).await;
    row.doing("read a person")?.map(people::from_row).transpose()
}

async fn remove(
    db: &impl ConnectionTrait,
    person: PersonId,
    purpose: Purpose,
) -> Result<(), MetaError> {
    let id = (bytes_of(person.as_bytes()), purpose.name().to_owned());
    account_link::Entity::delete_by_id(id).exec(db).await.doing("remove a link")?;
    Ok(())
}

/// Ends all links of a person within the caller's transaction.
pub async fn remove_all(db: &impl ConnectionTrait, person: PersonId) -> Result<(), MetaError> {
    let gone = account_link::Entity::delete_many()
        .filter(account_link::Column::Person.eq(bytes_of(person.as_bytes())))
        .exec(db)
        .await;
    gone.doing("remove links")?;
    Ok(())
}
