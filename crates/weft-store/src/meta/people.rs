//! Accounts.

use std::collections::BTreeMap;

use sea_orm::{
    ActiveValue, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    PaginatorTrait, QueryFilter, SqlErr, sea_query::Expr,
};
use weft_core::{Millis, PersonId};

use super::{
    Meta, account_links,
    audit::{Act, Note},
    bytes_of, db_time,
    digests::{self, Digest},
    entities::person,
    error::{Doing, MetaError, Refusal},
    name_key, person_id, sign_ins, spaces, time,
};

/// Ids asked for in one statement; databases bound the number of parameters.
pub const IDS_PER_QUERY_MAX: usize = 500;

/// An account, without its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Never changes.
    pub id: PersonId,
    /// As the person spells it.
    pub username: String,
    /// Shown to others.
    pub name: String,
    /// Shown to the person alone.
    pub email: Option<String>,
    /// Whether a link that was mailed there has been opened.
    pub email_verified: bool,
    /// May administer the workspace.
    pub admin: bool,
    /// `en` or `zh`: of texts that the server writes.
    pub language: String,
    /// An IANA name, by which times are shown to the person; `None`: by the browser's.
    pub time_zone: Option<String>,
    /// Shown to the person alone.
    pub phone: Option<String>,
    /// Whether signing in takes a code besides the password.
    pub second_factor: bool,
    /// How often letters may tell of what the person has not read.
    pub digest: Digest,
    /// Whether there is a password. Who came by a provider has none until they set one.
    pub has_password: bool,
    /// When the account was made.
    pub created_at: Millis,
    /// Since when the person cannot sign in.
    pub deactivated_at: Option<Millis>,
}

impl Person {
    /// Whether mail may go to the person: whoever reads it there is who signs in here.
    #[must_use]
    pub const fn has_mail(&self) -> bool {
        self.email.is_some() && self.email_verified && self.deactivated_at.is_none()
    }
}

/// What a person changes about themselves: `None` leaves a field as it is, `Some(None)` empties it. Its
/// shape has been checked by the caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileChange {
    /// 1–64 characters.
    pub name: Option<String>,
    /// An address.
    pub email: Option<Option<String>>,
    /// `en` or `zh`.
    pub language: Option<String>,
    /// An IANA name.
    pub time_zone: Option<Option<String>>,
    /// A telephone number.
    pub phone: Option<Option<String>>,
    /// How often letters may come.
    pub digest: Option<Digest>,
}

/// What others see of a person. Of one who has left, both names are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonBrief {
    /// Never changes.
    pub id: PersonId,
    /// As the person spells it.
    pub username: String,
    /// Shown to others.
    pub name: String,
}

/// An account to be made. Its shape has been checked by the caller.
#[derive(Clone)]
pub struct NewPerson {
    /// A fresh id.
    pub id: PersonId,
    /// 2–32 characters.
    pub username: String,
    /// 1–64 characters.
    pub name: String,
    /// An address, if the person gave one.
    pub email: Option<String>,
    /// In PHC format; empty: without a password.
    pub password_hash: String,
    /// May administer the workspace.
    pub admin: bool,
    /// `en` or `zh`.
    pub language: String,
}

/// What a sign-in is checked against.
#[derive(Clone)]
pub struct Credentials {
    /// Whose they are.
    pub person: Person,
    /// In PHC format; empty: there is no password.
    pub password_hash: String,
}

impl Meta {
    /// Makes an account.
    ///
    /// # Errors
    /// [`Refusal::UsernameTaken`], [`Refusal::EmailTaken`].
    pub async fn create_person(&self, new: &NewPerson, now: Millis) -> Result<Person, MetaError> {
        let write = self.write().await?;
        let person = insert(&write.txn, new, now).await?;
        Note::of(Act::AccountMade).by(person.id).person(person.id).add(&write.txn).await?;
        write.commit("store a person").await?;
        Ok(person)
    }

    /// The account of that id.
    pub async fn person(&self, id: PersonId) -> Result<Option<Person>, MetaError> {
        find(&self.db, id).await
    }

    /// The account of that user name, in any spelling.
    pub async fn person_named(&self, username: &str) -> Result<Option<Person>, MetaError> {
        Ok(named(&self.db, username).await?.map(|credentials| credentials.person))
    }

    /// What to check a password against; nothing of those who are deactivated.
    pub async fn credentials(&self, username: &str) -> Result<Option<Credentials>, MetaError> {
        let known = named(&self.db, username).await?;
        Ok(known.filter(|known| known.person.deactivated_at.is_none()))
    }

    /// Changes what a person says about themselves.
    ///
    /// # Errors
    /// [`Refusal::EmailTaken`]; [`Refusal::NotFound`] if there is no such person.
    pub async fn change_profile(
        &self,
        id: PersonId,
        change: ProfileChange,
    ) -> Result<Person, MetaError> {
        let write = self.write().await?;
        let known = find(&write.txn, id).await?.ok_or(Refusal::NotFound)?;
        if change == ProfileChange::default() {
            return Ok(known);
        }
        if let Some(Some(email)) = &change.email {
            let holder = person::Entity::find()
                .filter(person::Column::EmailKey.eq(name_key(email)))
                .filter(person::Column::Id.ne(bytes_of(id.as_bytes())));
            if holder.count(&write.txn).await.doing("look for an address")? > 0 {
                return Err(Refusal::EmailTaken.into());
            }
        }
        let email_key = change.email.as_ref().map(|email| email.as_deref().map(name_key));
        let moved =
            email_key.as_ref().is_some_and(|key| *key != known.email.as_deref().map(name_key));
        if moved {
            // They prove who reads mail at the address before.
            account_links::remove_all(&write.txn, id).await?;
        }
        if change.digest == Some(Digest::Off) {
            digests::cancel(&write.txn, id).await?;
        }
        let row = person::ActiveModel {
            id: Set(bytes_of(id.as_bytes())),
            name: set_if(change.name),
            email: set_if(change.email),
            email_key: set_if(email_key),
            language: set_if(change.language),
            time_zone: set_if(change.time_zone),
            phone: set_if(change.phone),
            digest: set_if(change.digest.map(|digest| digest.name().to_owned())),
            email_verified: set_if(moved.then_some(false)),
            ..Default::default()
        };
        let stored = person::Entity::update(row).exec(&write.txn).await.doing("change a person")?;
        if stored.email != known.email {
            Note::of(Act::EmailChanged).person(id).add(&write.txn).await?;
        }
        write.commit("change a person").await?;
        from_row(stored)
    }

    /// Puts a password's hash in place of the one that was verified, and ends all the person's
    /// sign-ins but `kept`, with the room tokens minted with them. The hashes of what has ended.
    ///
    /// # Errors
    /// [`Refusal::PasswordChanged`] if `verified` is not the person's hash any more.
    pub async fn change_password(
        &self,
        id: PersonId,
        verified: &str,
        password_hash: &str,
        kept: &[u8; 32],
    ) -> Result<Vec<[u8; 32]>, MetaError> {
        let write = self.write().await?;
        check_password(&write.txn, id, verified).await?;
        set_password(&write.txn, id, password_hash).await?;
        let ended = sign_ins::end_all(&write.txn, id, Some(kept)).await?;
        Note::of(Act::PasswordChanged).person(id).add(&write.txn).await?;
        write.commit("change a password").await?;
        Ok(ended)
    }

    /// Whether there is an administrator.
    pub async fn has_admin(&self) -> Result<bool, MetaError> {
        has_admin(&self.db).await
    }
}

/// Makes an account within the caller's transaction.
pub async fn insert(
    db: &impl ConnectionTrait,
    new: &NewPerson,
    now: Millis,
) -> Result<Person, MetaError> {
    let username_key = name_key(&new.username);
    let email_key = new.email.as_deref().map(name_key);
    if taken(db, person::Column::UsernameKey, &username_key).await? {
        return Err(Refusal::UsernameTaken.into());
    }
    if let Some(key) = &email_key
        && taken(db, person::Column::EmailKey, key).await?
    {
        return Err(Refusal::EmailTaken.into());
    }
    let row = person::ActiveModel {
        id: Set(bytes_of(new.id.as_bytes())),
        username: Set(new.username.clone()),
        username_key: Set(username_key),
        name: Set(new.name.clone()),
        email: Set(new.email.clone()),
        email_key: Set(email_key),
        password_hash: Set(new.password_hash.clone()),
        admin: Set(new.admin),
        language: Set(new.language.clone()),
        time_zone: Set(None),
        phone: Set(None),
        totp_secret: Set(None),
        totp_on: Set(false),
        totp_step: Set(0),
        email_verified: Set(false),
        seen_at: Set(None),
        deactivated_at: Set(None),
        left_at: Set(None),
        digest: Set(Digest::Daily.name().to_owned()),
        created_at: Set(db_time(now)),
    };
    match person::Entity::insert(row).exec_without_returning(db).await {
        Ok(_) => spaces::begin(db, new.id, new.admin, now).await.map(|()| Person {
            id: new.id,
            username: new.username.clone(),
            name: new.name.clone(),
            email: new.email.clone(),
            email_verified: false,
            admin: new.admin,
            language: new.language.clone(),
            time_zone: None,
            phone: None,
            second_factor: false,
            digest: Digest::Daily,
            has_password: !new.password_hash.is_empty(),
            created_at: now,
            deactivated_at: None,
        }),
        // Another process was faster than our look above.
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
            Err(Refusal::UsernameTaken.into())
        }
        Err(source) => Err(MetaError::Store { what: "store a person", source }),
    }
}

/// The account of that id, as the caller's transaction sees it.
pub async fn find(db: &impl ConnectionTrait, id: PersonId) -> Result<Option<Person>, MetaError> {
    let row = person::Entity::find_by_id(bytes_of(id.as_bytes())).one(db).await;
    row.doing("read a person")?.map(from_row).transpose()
}

/// The account of that id, if its person can sign in, as the caller's transaction sees it.
pub async fn active(db: &impl ConnectionTrait, id: PersonId) -> Result<Option<Person>, MetaError> {
    Ok(find(db, id).await?.filter(|person| person.deactivated_at.is_none()))
}

/// The account of that user name, as the caller's transaction sees it.
pub async fn named(
    db: &impl ConnectionTrait,
    username: &str,
) -> Result<Option<Credentials>, MetaError> {
    let row = person::Entity::find()
        .filter(person::Column::UsernameKey.eq(name_key(username)))
        .filter(person::Column::LeftAt.is_null())
        .one(db)
        .await
        .doing("read a person")?;
    let Some(row) = row else { return Ok(None) };
    let password_hash = row.password_hash.clone();
    Ok(Some(Credentials { person: from_row(row)?, password_hash }))
}

/// That this is the hash of the person's password still, as the caller's transaction sees it: between
/// a password's check and what follows from it, it may have been changed.
///
/// # Errors
/// [`Refusal::PasswordChanged`].
pub async fn check_password(
    db: &impl ConnectionTrait,
    id: PersonId,
    password_hash: &str,
) -> Result<(), MetaError> {
    let row = person::Entity::find_by_id(bytes_of(id.as_bytes())).one(db).await;
    match row.doing("read a person")? {
        // Hashes hold a salt: who could measure this comparison would learn nothing of a password.
        Some(row) if row.password_hash == password_hash && row.deactivated_at.is_none() => Ok(()),
        _ => Err(Refusal::PasswordChanged.into()),
    }
}

/// Stores a password's hash within the caller's transaction.
pub async fn set_password(
    db: &impl ConnectionTrait,
    id: PersonId,
    password_hash: &str,
) -> Result<(), MetaError> {
    let changed = person::Entity::update_many()
        .col_expr(person::Column::PasswordHash, Expr::value(password_hash))
        .filter(person::Column::Id.eq(bytes_of(id.as_bytes())))
        .exec(db)
        .await;
    changed.doing("change a password")?;
    Ok(())
}

/// Whether there is an administrator, as the caller's transaction sees it.
pub async fn has_admin(db: &impl ConnectionTrait) -> Result<bool, MetaError> {
    let admins = person::Entity::find().filter(person::Column::Admin.eq(true)).count(db).await;
    Ok(admins.doing("count administrators")? > 0)
}

/// What others see of these people; those that do not exist are absent.
pub async fn briefs(
    db: &impl ConnectionTrait,
    ids: Vec<Vec<u8>>,
) -> Result<BTreeMap<Vec<u8>, PersonBrief>, MetaError> {
    briefs_where(db, ids, Condition::all()).await
}

/// As [`briefs`], without those who cannot sign in.
pub async fn active_briefs(
    db: &impl ConnectionTrait,
    ids: Vec<Vec<u8>>,
) -> Result<BTreeMap<Vec<u8>, PersonBrief>, MetaError> {
    let active = Condition::all().add(person::Column::DeactivatedAt.is_null());
    briefs_where(db, ids, active).await
}

async fn briefs_where(
    db: &impl ConnectionTrait,
    mut ids: Vec<Vec<u8>>,
    wanted: Condition,
) -> Result<BTreeMap<Vec<u8>, PersonBrief>, MetaError> {
    ids.sort_unstable();
    ids.dedup();
    let mut found = BTreeMap::new();
    for ids in ids.chunks(IDS_PER_QUERY_MAX) {
        let rows = person::Entity::find()
            .filter(person::Column::Id.is_in(ids.iter().cloned()))
            .filter(wanted.clone())
            .all(db)
            .await
            .doing("read people")?;
        for row in rows {
            let id = person_id(&row.id)?;
            found.insert(row.id, PersonBrief { id, username: row.username, name: row.name });
        }
    }
    Ok(found)
}

/// Whether somebody has that user name, as the caller's transaction sees it.
pub async fn is_named(db: &impl ConnectionTrait, username: &str) -> Result<bool, MetaError> {
    taken(db, person::Column::UsernameKey, &name_key(username)).await
}

/// Notes that the person's address is theirs, within the caller's transaction.
pub async fn verify_address(db: &impl ConnectionTrait, id: PersonId) -> Result<(), MetaError> {
    let verified = person::Entity::update_many()
        .col_expr(person::Column::EmailVerified, Expr::value(true))
        .filter(person::Column::Id.eq(bytes_of(id.as_bytes())))
        .exec(db)
        .await;
    verified.doing("verify an address")?;
    Ok(())
}

async fn taken(
    db: &impl ConnectionTrait,
    column: person::Column,
    key: &str,
) -> Result<bool, MetaError> {
    let count = person::Entity::find().filter(column.eq(key)).count(db).await;
    Ok(count.doing("look for a name")? > 0)
}

fn set_if<T: Into<sea_orm::Value>>(value: Option<T>) -> ActiveValue<T> {
    value.map_or(ActiveValue::NotSet, ActiveValue::Set)
}

/// An account as the rest of the program has it.
pub fn from_row(row: person::Model) -> Result<Person, MetaError> {
    Ok(Person {
        id: person_id(&row.id)?,
        has_password: !row.password_hash.is_empty(),
        username: row.username,
        name: row.name,
        email: row.email,
        email_verified: row.email_verified,
        admin: row.admin,
        language: row.language,
        time_zone: row.time_zone,
        phone: row.phone,
        second_factor: row.totp_on,
        digest: row
            .digest
            .parse()
            .map_err(|()| MetaError::Damaged("how often letters may come"))?,
        created_at: time(row.created_at),
        deactivated_at: row.deactivated_at.map(time),
    })
}
