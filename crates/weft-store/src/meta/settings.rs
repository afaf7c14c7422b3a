//! Settings of the whole workspace, and the set-up that makes its first administrator.

use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, sea_query::OnConflict};
use weft_core::Millis;

use super::{
    Meta,
    entities::setting,
    error::{Doing, MetaError, Refusal},
    people::{self, NewPerson, Person},
};

/// The workspace's name.
const WORKSPACE: &str = "workspace_name";
/// Hash and end of the set-up link, as `hex:milliseconds`.
const SETUP_SECRET: &str = "setup_secret";
/// Who may make an account, in the caller's words.
const REGISTRATION: &str = "registration";

/// A set-up link: what it proves and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetupSecret {
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// From then on the link is dead.
    pub expires_at: Millis,
}

impl Meta {
    /// The workspace's name; empty until somebody names it.
    pub async fn workspace_name(&self) -> Result<String, MetaError> {
        Ok(read(&self.db, WORKSPACE).await?.unwrap_or_default())
    }

    /// Who may make an account, in the caller's words; `None` until an administrator has said.
    pub async fn registration(&self) -> Result<Option<String>, MetaError> {
        read(&self.db, REGISTRATION).await
    }

    /// Says who may make an account.
    pub async fn set_registration(&self, mode: &str) -> Result<(), MetaError> {
        let write = self.write().await?;
        set(&write.txn, REGISTRATION, mode).await?;
        write.commit("store who may register").await
    }

    /// Puts a set-up link in place of the one before it, if any.
    pub async fn set_setup_secret(&self, secret: SetupSecret) -> Result<(), MetaError> {
        let write = self.write().await?;
        let value = format!("{}:{}", hex(&secret.hash), secret.expires_at);
        set(&write.txn, SETUP_SECRET, &value).await?;
        write.commit("store the set-up link").await
    }

    /// Whether a set-up link with this hash would be accepted now. Cheap: asked before the
    /// password is hashed. [`Meta::set_up`] decides.
    ///
    /// # Errors
    /// [`Refusal::SetupDone`], [`Refusal::LinkExpired`].
    pub async fn check_setup(&self, hash: &[u8; 32], now: Millis) -> Result<(), MetaError> {
        check_setup(&self.db, hash, now).await
    }

    /// Makes the first administrator and names the workspace, at once or not at all. The link is
    /// used up by it.
    ///
    /// # Errors
    /// [`Refusal::SetupDone`] if there is an administrator, [`Refusal::LinkExpired`] if the hash is
    /// not the link's or the link is too old, [`Refusal::UsernameTaken`], [`Refusal::EmailTaken`].
    pub async fn set_up(
        &self,
        hash: &[u8; 32],
        new: &NewPerson,
        workspace: &str,
        now: Millis,
    ) -> Result<Person, MetaError> {
        assert!(new.admin, "the set-up makes an administrator");
        let write = self.write().await?;
        check_setup(&write.txn, hash, now).await?;
        let person = people::insert(&write.txn, new, now).await?;
        set(&write.txn, WORKSPACE, workspace).await?;
        let gone = setting::Entity::delete_by_id(SETUP_SECRET.to_owned()).exec(&write.txn).await;
        gone.doing("remove the set-up link")?;
        write.commit("store the set-up").await?;
        Ok(person)
    }
}

async fn check_setup(
    db: &impl ConnectionTrait,
    hash: &[u8; 32],
    now: Millis,
) -> Result<(), MetaError> {
    if people::has_admin(db).await? {
        return Err(Refusal::SetupDone.into());
    }
    let stored = read(db, SETUP_SECRET).await?.ok_or(Refusal::LinkExpired)?;
    let (stored_hash, expires_at) =
        stored.split_once(':').ok_or(MetaError::Damaged("the set-up link"))?;
    let expires_at: Millis =
        expires_at.parse().map_err(|_| MetaError::Damaged("the set-up link"))?;
    // Hashes of secrets may be compared byte by byte: nobody can choose a hash.
    if now >= expires_at || stored_hash != hex(hash) {
        return Err(Refusal::LinkExpired.into());
    }
    Ok(())
}

async fn read(db: &impl ConnectionTrait, name: &str) -> Result<Option<String>, MetaError> {
    let row = setting::Entity::find_by_id(name.to_owned()).one(db).await.doing("read a setting")?;
    Ok(row.map(|row| row.value))
}

async fn set(db: &impl ConnectionTrait, name: &str, value: &str) -> Result<(), MetaError> {
    let row = setting::ActiveModel { name: Set(name.to_owned()), value: Set(value.to_owned()) };
    let mut replace = OnConflict::column(setting::Column::Name);
    replace.update_column(setting::Column::Value);
    let stored = setting::Entity::insert(row).on_conflict(replace).exec_without_returning(db).await;
    stored.doing("store a setting")?;
    Ok(())
}

fn hex(bytes: &[u8; 32]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(64);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes all that is written to it");
    }
    text
}
