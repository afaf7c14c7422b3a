//! Identities: who a person is to a provider of OpenID Connect. The provider's word for it is the subject, which means
//! nothing without the issuer; addresses and names it may change as it likes, so that nobody is found by those.

use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use weft_core::{Millis, PersonId};

use super::{
    Meta,
    audit::{Act, Note},
    bytes_of, db_time,
    entities::identity,
    error::{Doing, MetaError, Refusal},
    people::{self, NewPerson, Person},
    person_id, time, workspace_invites,
};

/// Numbers tried behind a user name that is taken.
const NUMBERS_MAX: u32 = 10_000;

/// Who somebody is to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The provider, as it spells itself.
    pub issuer: String,
    /// The person, as the provider calls them for good.
    pub subject: String,
}

impl Meta {
    /// Whose identity it is, be they deactivated.
    pub async fn identified(&self, identity: &Identity) -> Result<Option<Person>, MetaError> {
        let Some(row) = find(&self.db, identity).await? else { return Ok(None) };
        people::find(&self.db, person_id(&row.person)?).await
    }

    /// Since when the person signs in by way of this issuer, if they do.
    pub async fn identity_since(
        &self,
        person: PersonId,
        issuer: &str,
    ) -> Result<Option<Millis>, MetaError> {
        Ok(of_person(&self.db, person, issuer).await?.map(|row| time(row.linked_at)))
    }

    /// Makes an account for somebody who has an identity and no password. If the user name is taken, it gets a number.
    /// `invite` is the hash of a workspace invite's secret: a use of it is counted with that, or there is no account.
    ///
    /// # Errors
    /// [`Refusal::EmailTaken`]; [`Refusal::IdentityTaken`]; [`Refusal::UsernameTaken`] if all the numbers are;
    /// [`Refusal::LinkExpired`] if the invite does not work (any more).
    pub async fn create_identified_person(
        &self,
        new: &NewPerson,
        email_verified: bool,
        identity: &Identity,
        invite: Option<&[u8; 32]>,
        now: Millis,
    ) -> Result<Person, MetaError> {
        let write = self.write().await?;
        if find(&write.txn, identity).await?.is_some() {
            return Err(Refusal::IdentityTaken.into());
        }
        if let Some(secret_hash) = invite {
            workspace_invites::count_use(&write.txn, secret_hash, now).await?;
        }
        let username = free_username(&write.txn, &new.username).await?;
        let new = NewPerson { username, ..new.clone() };
        let mut person = people::insert(&write.txn, &new, now).await?;
        if email_verified && person.email.is_some() {
            people::verify_address(&write.txn, person.id).await?;
            person.email_verified = true;
        }
        insert(&write.txn, person.id, identity, now).await?;
        let note = Note::of(Act::AccountMade).by(person.id).person(person.id);
        note.with("provider", identity.issuer.as_str()).add(&write.txn).await?;
        write.commit("store a person").await?;
        Ok(person)
    }

    /// Lets a person sign in with an identity.
    ///
    /// # Errors
    /// [`Refusal::IdentityTaken`] if it is somebody else's, [`Refusal::HasIdentity`] if they have another of that issuer.
    pub async fn link_identity(
        &self,
        person: PersonId,
        identity: &Identity,
        now: Millis,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        if let Some(row) = find(&write.txn, identity).await? {
            let is_theirs = person_id(&row.person)? == person;
            return if is_theirs { Ok(()) } else { Err(Refusal::IdentityTaken.into()) };
        }
        if of_person(&write.txn, person, &identity.issuer).await?.is_some() {
            return Err(Refusal::HasIdentity.into());
        }
        insert(&write.txn, person, identity, now).await?;
        let note = Note::of(Act::IdentityLinked).person(person);
        note.with("provider", identity.issuer.as_str()).add(&write.txn).await?;
        write.commit("link an identity").await
    }

    /// The person does not sign in by way of this issuer any more.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if they did not; [`Refusal::NoPassword`] if they could not sign in at all then.
    pub async fn unlink_identity(&self, person: PersonId, issuer: &str) -> Result<(), MetaError> {
        let write = self.write().await?;
        let row = of_person(&write.txn, person, issuer).await?.ok_or(Refusal::NotFound)?;
        let known = people::find(&write.txn, person).await?.ok_or(Refusal::NotFound)?;
        if !known.has_password {
            return Err(Refusal::NoPassword.into());
        }
        let gone = identity::Entity::delete_by_id((row.issuer, row.subject)).exec(&write.txn).await;
        gone.doing("unlink an identity")?;
        let note = Note::of(Act::IdentityUnlinked).person(person);
        note.with("provider", issuer).add(&write.txn).await?;
        write.commit("unlink an identity").await
    }
}

/// That the identity is the person's, who can sign in, as the caller's transaction sees it.
///
/// # Errors
/// [`Refusal::IdentityGone`].
pub async fn check(
    db: &impl ConnectionTrait,
    person: PersonId,
    identity: &Identity,
) -> Result<(), MetaError> {
    let row = find(db, identity).await?.ok_or(Refusal::IdentityGone)?;
    let is_theirs = person_id(&row.person)? == person;
    if is_theirs && people::active(db, person).await?.is_some() {
        Ok(())
    } else {
        Err(Refusal::IdentityGone.into())
    }
}

async fn find(
    db: &impl ConnectionTrait,
    identity: &Identity,
) -> Result<Option<identity::Model>, MetaError> {
    let key = (identity.issuer.clone(), identity.subject.clone());
    identity::Entity::find_by_id(key).one(db).await.doing("read an identity")
}

async fn of_person(
    db: &impl ConnectionTrait,
    person: PersonId,
    issuer: &str,
) -> Result<Option<identity::Model>, MetaError> {
    let row = identity::Entity::find()
        .filter(identity::Column::Person.eq(bytes_of(person.as_bytes())))
        .filter(identity::Column::Issuer.eq(issuer))
        .one(db)
        .await;
    row.doing("read an identity")
}

async fn insert(
    db: &impl ConnectionTrait,
    person: PersonId,
    identity: &Identity,
    now: Millis,
) -> Result<(), MetaError> {
    let row = identity::ActiveModel {
        issuer: Set(identity.issuer.clone()),
        subject: Set(identity.subject.clone()),
        person: Set(bytes_of(person.as_bytes())),
        linked_at: Set(db_time(now)),
    };
    let stored = identity::Entity::insert(row).exec_without_returning(db).await;
    stored.doing("link an identity")?;
    Ok(())
}

/// The user name, or the first with a number behind it that nobody has.
async fn free_username(db: &impl ConnectionTrait, wanted: &str) -> Result<String, MetaError> {
    if !people::is_named(db, wanted).await? {
        return Ok(wanted.to_owned());
    }
    for number in 2..=NUMBERS_MAX {
        let username = format!("{wanted}{number}");
        if !people::is_named(db, &username).await? {
            return Ok(username);
        }
    }
    Err(Refusal::UsernameTaken.into())
}
