//! What the command line does to a data folder without a server.

use std::{io, path::Path};

use weft_core::PersonId;
use weft_store::{AuditEntry, AuditQuery, Meta, MetaError, NewPerson, Origin, Person, audited};

use crate::{
    auth::{Passwords, random},
    config::Limits,
    http::{ApiError, fields},
    quarantine::{Kept, Quarantine},
    serve::{DataDir, DataDirError, metadata_in, quarantine_in},
    state::Clock,
};

/// An administrator to be made.
pub struct AdminForm {
    /// As for everybody: 2–32 letters and digits of any script and `_ . -`.
    pub username: String,
    /// An e-mail address, if there is one.
    pub email: Option<String>,
    /// 8–256 characters.
    pub password: String,
}

/// Why no administrator was made.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The folder cannot be used; a server may run in it.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// No server has used the folder.
    #[error("there is no data of a weft in that folder")]
    NoData,
    /// There is nobody of that user name.
    #[error("there is nobody of that user name")]
    Nobody,
    /// The metadata refused or failed.
    #[error(transparent)]
    Meta(#[from] MetaError),
    /// What was typed cannot be taken.
    #[error("{field} cannot be taken: {reason}")]
    Form {
        /// Which part of it.
        field: &'static str,
        /// Why.
        reason: &'static str,
    },
}

/// Makes an administrator. Afterwards no set-up link works any more.
///
/// # Errors
/// See [`AdminError`].
pub async fn create_admin(data_dir: &Path, form: AdminForm) -> Result<Person, AdminError> {
    let username = fields::username(Some(form.username)).map_err(refused)?;
    let email = fields::email(form.email).map_err(refused)?;
    let password = fields::password(Some(form.password)).map_err(refused)?;
    let data_dir = DataDir::lock(data_dir)?;
    let meta = Meta::open(&data_dir.metadata()).await?;
    let passwords = Passwords::new(&Limits::default());
    let now = Clock::system().now();
    let new = NewPerson {
        id: PersonId::new(now, random()),
        name: username.clone(),
        username,
        email,
        password_hash: passwords.hash(password).await.map_err(refused)?,
        admin: true,
        language: "en".to_owned(),
    };
    let person = audited(Origin::new(String::new(), now), meta.create_person(&new, now)).await;
    meta.close().await;
    Ok(person?)
}

/// Takes somebody's second factor away, who has lost device and recovery codes. Whether it was on.
///
/// # Errors
/// See [`AdminError`].
pub async fn remove_second_factor(data_dir: &Path, username: &str) -> Result<bool, AdminError> {
    let data_dir = DataDir::lock(data_dir)?;
    let meta = Meta::open(&data_dir.metadata()).await?;
    let removed = async {
        let person = meta.person_named(username).await?.ok_or(AdminError::Nobody)?;
        Ok(meta.remove_second_factor(person.id).await?)
    };
    let here = Origin::new(String::new(), Clock::system().now());
    let removed = audited(here, removed).await;
    meta.close().await;
    removed
}

/// Acts of the audit log in a data folder, which a server may use meanwhile, the last first: at most so many, of or about
/// that person.
///
/// # Errors
/// See [`AdminError`].
pub async fn list_acts(
    data_dir: &Path,
    username: Option<&str>,
    limit: u64,
) -> Result<Vec<AuditEntry>, AdminError> {
    let metadata = metadata_in(data_dir);
    // Looking must not make a folder look like a server's.
    if !metadata.exists() {
        return Err(AdminError::NoData);
    }
    let meta = Meta::open(&metadata).await?;
    let acts = async {
        let person = match username {
            Some(name) => Some(meta.person_named(name).await?.ok_or(AdminError::Nobody)?.id),
            None => None,
        };
        Ok(meta.audit(AuditQuery { person, limit, ..AuditQuery::default() }).await?)
    };
    let acts = acts.await;
    meta.close().await;
    acts
}

/// The operations that were set aside in a data folder, which a server may use meanwhile; the newest
/// first.
///
/// # Errors
/// If the folder cannot be read.
pub fn list_quarantined(data_dir: &Path) -> io::Result<Vec<Kept>> {
    Quarantine::new(quarantine_in(data_dir), &Limits::default()).list()
}

fn refused(error: ApiError) -> AdminError {
    match error {
        ApiError::BadRequest { field, reason } => AdminError::Form { field, reason },
        other => panic!("the shape of fields cannot fail with {other:?}"),
    }
}
