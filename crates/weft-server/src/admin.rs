//! What the command line does to a data folder without a server.

use std::{io, path::Path};

use weft_core::{Millis, PersonId, SpaceId};
use weft_store::{
    AuditEntry, AuditQuery, DefaultQuotas, ListedPerson, ListedSpace, Meta, MetaError,
    NewAccountLink, NewPerson, Origin, PeopleQuery, Person, Purpose, Quota, SpacesOrder,
    SpacesQuery, audited,
};

use crate::{
    auth::{Passwords, Secret, random},
    config::{Limits, Registration},
    http::{ApiError, account_links::HANDED_RESET_MS, fields},
    quarantine::{Kept, Quarantine},
    serve::{DataDir, DataDirError, metadata_in, quarantine_in},
    state::Clock,
};

/// People read at a time.
const PEOPLE_AT_ONCE: u64 = 500;
/// Spaces read at a time.
const SPACES_AT_ONCE: u64 = 500;

/// An administrator to be made.
pub struct AdminForm {
    /// As for everybody: 2–32 letters and digits of any script and `_ . -`.
    pub username: String,
    /// An e-mail address, if there is one.
    pub email: Option<String>,
    /// 8–256 characters.
    pub password: String,
}

/// Of which spaces a quota is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotaOf {
    /// Of each team's of which nothing else is said.
    Teams,
    /// Of each person's own of which nothing else is said.
    Personal,
    /// Of one.
    Space(SpaceId),
}

/// What spaces hold, and may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// What those may hold of which nothing else is said.
    pub defaults: DefaultQuotas,
    /// The gallery and those of teams, then people's own; of each sort those that hold most first.
    pub spaces: Vec<ListedSpace>,
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
    with_meta(data_dir, async |meta, now| {
        let passwords = Passwords::new(&Limits::default());
        let new = NewPerson {
            id: PersonId::new(now, random()),
            name: username.clone(),
            username,
            email,
            password_hash: passwords.hash(password).await.map_err(refused)?,
            admin: true,
            language: "en".to_owned(),
        };
        Ok(meta.create_person(&new, now).await?)
    })
    .await
}

/// Takes somebody's second factor away, who has lost device and recovery codes. Whether it was on.
///
/// # Errors
/// See [`AdminError`].
pub async fn remove_second_factor(data_dir: &Path, username: &str) -> Result<bool, AdminError> {
    with_meta(data_dir, async |meta, _| {
        let person = named(meta, username).await?;
        Ok(meta.remove_second_factor(person.id).await?)
    })
    .await
}

/// Everybody who has an account, by user name.
///
/// # Errors
/// See [`AdminError`].
pub async fn list_people(data_dir: &Path) -> Result<Vec<ListedPerson>, AdminError> {
    with_meta(data_dir, async |meta, now| {
        let mut people: Vec<ListedPerson> = Vec::new();
        loop {
            let after = people.last().map(|last| last.person.username.clone());
            let query = PeopleQuery { after, ..PeopleQuery::default() };
            let page = meta.people(&query, PEOPLE_AT_ONCE, now).await?;
            if page.is_empty() {
                return Ok(people);
            }
            people.extend(page);
        }
    })
    .await
}

/// A link with which somebody sets a new password, as a path.
///
/// # Errors
/// See [`AdminError`].
pub async fn make_reset_link(data_dir: &Path, username: &str) -> Result<String, AdminError> {
    with_meta(data_dir, async |meta, now| {
        let person = named(meta, username).await?;
        let secret = Secret::new();
        let new = NewAccountLink {
            person: person.id,
            purpose: Purpose::Reset,
            secret_hash: secret.hash(),
            email: None,
            expires_at: now.saturating_add(HANDED_RESET_MS),
        };
        meta.create_account_link(&new, now).await?;
        Ok(format!("/reset#{}", secret.reveal()))
    })
    .await
}

/// Ends all sign-ins and tokens of somebody, and lets them make no others.
///
/// # Errors
/// See [`AdminError`].
pub async fn deactivate(data_dir: &Path, username: &str) -> Result<(), AdminError> {
    with_meta(data_dir, async |meta, now| {
        let person = named(meta, username).await?;
        meta.deactivate(person.id, now).await?;
        Ok(())
    })
    .await
}

/// Lets somebody sign in again.
///
/// # Errors
/// See [`AdminError`].
pub async fn reactivate(data_dir: &Path, username: &str) -> Result<(), AdminError> {
    with_meta(data_dir, async |meta, _| {
        let person = named(meta, username).await?;
        Ok(meta.reactivate(person.id).await?)
    })
    .await
}

/// Removes an account for good; what the person owns goes to `heir`.
///
/// # Errors
/// See [`AdminError`].
pub async fn delete_person(data_dir: &Path, username: &str, heir: &str) -> Result<(), AdminError> {
    with_meta(data_dir, async |meta, now| {
        let (person, heir) = (named(meta, username).await?, named(meta, heir).await?);
        meta.depart(person.id, Some(heir.id), now).await?;
        Ok(())
    })
    .await
}

/// Makes somebody an administrator, or takes that away.
///
/// # Errors
/// See [`AdminError`].
pub async fn make_admin(data_dir: &Path, username: &str, admin: bool) -> Result<(), AdminError> {
    with_meta(data_dir, async |meta, now| {
        let person = named(meta, username).await?;
        Ok(meta.set_admin(person.id, admin, now).await?)
    })
    .await
}

/// Says who may make an account, unless the command line of the server says so.
///
/// # Errors
/// See [`AdminError`].
pub async fn set_registration(data_dir: &Path, mode: Registration) -> Result<(), AdminError> {
    with_meta(data_dir, async |meta, _| Ok(meta.set_registration(mode.name()).await?)).await
}

/// Says how much spaces may hold.
///
/// # Errors
/// See [`AdminError`]. All spaces of a sort have no default: that is [`AdminError::Form`].
pub async fn set_quota(data_dir: &Path, of: QuotaOf, quota: Quota) -> Result<(), AdminError> {
    with_meta(data_dir, async |meta, _| {
        let usual = match quota {
            Quota::Bytes(bytes) => Some(bytes),
            Quota::Unlimited => None,
            Quota::Default if matches!(of, QuotaOf::Space(_)) => None,
            Quota::Default => return Err(AdminError::Form { field: "quota", reason: "unknown" }),
        };
        let before = meta.default_quotas().await?;
        match of {
            QuotaOf::Space(space) => meta.set_space_quota(space, quota).await?,
            QuotaOf::Teams => {
                meta.set_default_quotas(DefaultQuotas { team: usual, ..before }).await?;
            }
            QuotaOf::Personal => {
                meta.set_default_quotas(DefaultQuotas { personal: usual, ..before }).await?;
            }
        }
        Ok(())
    })
    .await
}

/// What spaces in a data folder, which a server may use meanwhile, hold and may hold, as a server noted it last.
///
/// # Errors
/// See [`AdminError`].
pub async fn list_usage(data_dir: &Path) -> Result<Usage, AdminError> {
    look(data_dir, async |meta| {
        let mut spaces = Vec::new();
        for personal in [false, true] {
            let mut order = SpacesOrder::Use(None);
            loop {
                let query = SpacesQuery { personal, order };
                let page = meta.all_spaces(query, SPACES_AT_ONCE).await?;
                let Some(last) = page.last() else { break };
                order = SpacesOrder::Use(Some((last.storage.used, last.id)));
                spaces.extend(page);
            }
        }
        Ok(Usage { defaults: meta.default_quotas().await?, spaces })
    })
    .await
}

async fn named(meta: &Meta, username: &str) -> Result<Person, AdminError> {
    meta.person_named(username).await?.ok_or(AdminError::Nobody)
}

/// Works on a data folder in which no server runs.
async fn with_meta<T>(
    data_dir: &Path,
    work: impl AsyncFnOnce(&Meta, Millis) -> Result<T, AdminError>,
) -> Result<T, AdminError> {
    let data_dir = DataDir::lock(data_dir)?;
    let meta = Meta::open(&data_dir.metadata()).await?;
    let now = Clock::system().now();
    let done = audited(Origin::new(String::new(), now), work(&meta, now)).await;
    meta.close().await;
    done
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
    look(data_dir, async |meta| {
        let person = match username {
            Some(name) => Some(named(meta, name).await?.id),
            None => None,
        };
        Ok(meta.audit(AuditQuery { person, limit, ..AuditQuery::default() }).await?)
    })
    .await
}

/// Looks into a data folder, which a server may use meanwhile.
async fn look<T>(
    data_dir: &Path,
    work: impl AsyncFnOnce(&Meta) -> Result<T, AdminError>,
) -> Result<T, AdminError> {
    let metadata = metadata_in(data_dir);
    // Looking must not make a folder look like a server's.
    if !metadata.exists() {
        return Err(AdminError::NoData);
    }
    let meta = Meta::open(&metadata).await?;
    let found = work(&meta).await;
    meta.close().await;
    found
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
