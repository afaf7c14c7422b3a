//! Settings of the whole workspace, and the set-up that makes its first administrator.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait,
    sea_query::{OnConflict, Query, SelectStatement},
};
use weft_core::Millis;

use super::{
    Meta,
    audit::{Act, Note},
    entities::setting,
    error::{Doing, MetaError, Refusal},
    people::{self, NewPerson, Person},
    quotas::DefaultQuotas,
};

/// The workspace's name.
const WORKSPACE: &str = "workspace_name";
/// Whom people find who search: the name of one of [`PeopleFound`].
const PEOPLE_FOUND: &str = "people_found";
/// Whether links may let guests in: `off`, or nothing.
const PUBLIC_LINKS: &str = "public_links";
const OFF: &str = "off";
/// Hash and end of the set-up link, as `hex:milliseconds`.
const SETUP_SECRET: &str = "setup_secret";
/// Who may make an account, in the caller's words.
const REGISTRATION: &str = "registration";

/// The private key by which push services know this server, in hex.
const PUSH_KEY: &str = "push_key";

/// How much each team's space may hold, in bytes; nothing: as much as the disk does.
const TEAM_QUOTA: &str = "team_quota";
/// The same of each person's own space.
const PERSONAL_QUOTA: &str = "personal_quota";

/// A set-up link: what it proves and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetupSecret {
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// From then on the link is dead.
    pub expires_at: Millis,
}

/// Whom somebody finds who searches for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeopleFound {
    /// Everybody with an account.
    Everybody,
    /// Members of the teams of which they are a member.
    Shared,
}

impl PeopleFound {
    /// The name that the API and the metadata use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Everybody => "everybody",
            Self::Shared => "shared",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Everybody, Self::Shared].into_iter().find(|found| found.name() == name)
    }
}

impl Meta {
    /// The workspace's name; empty until somebody names it.
    pub async fn workspace_name(&self) -> Result<String, MetaError> {
        Ok(read(&self.db, WORKSPACE).await?.unwrap_or_default())
    }

    /// Whether links to rooms may let guests in, as far as the whole workspace is concerned.
    pub async fn public_links(&self) -> Result<bool, MetaError> {
        public_links(&self.db).await
    }

    /// Says whether links to rooms may let guests in.
    pub async fn set_public_links(&self, allowed: bool) -> Result<(), MetaError> {
        let write = self.write().await?;
        if allowed {
            let gone = setting::Entity::delete_by_id(PUBLIC_LINKS.to_owned()).exec(&write.txn);
            gone.await.doing("store a setting")?;
        } else {
            set(&write.txn, PUBLIC_LINKS, OFF).await?;
        }
        let note = Note::of(Act::SettingChanged).with("setting", PUBLIC_LINKS);
        note.with("value", allowed).add(&write.txn).await?;
        write.commit("store a setting").await
    }

    /// Whom people find who search.
    pub async fn people_found(&self) -> Result<PeopleFound, MetaError> {
        let found = read(&self.db, PEOPLE_FOUND).await?;
        Ok(found.as_deref().and_then(PeopleFound::named).unwrap_or(PeopleFound::Everybody))
    }

    /// Says whom people find who search.
    pub async fn set_people_found(&self, found: PeopleFound) -> Result<(), MetaError> {
        let write = self.write().await?;
        set(&write.txn, PEOPLE_FOUND, found.name()).await?;
        let note = Note::of(Act::SettingChanged).with("setting", PEOPLE_FOUND);
        note.with("value", found.name()).add(&write.txn).await?;
        write.commit("store a setting").await
    }

    /// Who may make an account, in the caller's words; `None` until an administrator has said.
    pub async fn registration(&self) -> Result<Option<String>, MetaError> {
        read(&self.db, REGISTRATION).await
    }

    /// Says who may make an account.
    pub async fn set_registration(&self, mode: &str) -> Result<(), MetaError> {
        let write = self.write().await?;
        set(&write.txn, REGISTRATION, mode).await?;
        let note = Note::of(Act::SettingChanged).with("setting", REGISTRATION);
        note.with("value", mode).add(&write.txn).await?;
        write.commit("store who may register").await
    }

    /// The private key by which push services know this server. `new` is it from now on, if there is none.
    pub async fn push_key(&self, new: &[u8; 32]) -> Result<[u8; 32], MetaError> {
        let stored = match read(&self.db, PUSH_KEY).await? {
            Some(stored) => stored,
            None => {
                let write = self.write().await?;
                let stored = match read(&write.txn, PUSH_KEY).await? {
                    Some(stored) => stored,
                    None => {
                        set(&write.txn, PUSH_KEY, &hex(new)).await?;
                        hex(new)
                    }
                };
                write.commit("store a setting").await?;
                stored
            }
        };
        unhex(&stored).ok_or(MetaError::Damaged("the key of push"))
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
        let note = Note::of(Act::AccountMade).by(person.id).person(person.id);
        note.with("admin", true).add(&write.txn).await?;
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

/// What [`Meta::public_links`] says, as the caller's transaction sees it.
pub async fn public_links(db: &impl ConnectionTrait) -> Result<bool, MetaError> {
    Ok(read(db, PUBLIC_LINKS).await?.as_deref() != Some(OFF))
}

/// What [`Meta::default_quotas`] says, as the caller's transaction sees it.
pub async fn default_quotas(db: &impl ConnectionTrait) -> Result<DefaultQuotas, MetaError> {
    let quota = async |name| {
        let bytes = read(db, name).await?.map(|bytes| bytes.parse::<u64>());
        bytes.transpose().map_err(|_| MetaError::Damaged("a quota"))
    };
    Ok(DefaultQuotas { team: quota(TEAM_QUOTA).await?, personal: quota(PERSONAL_QUOTA).await? })
}

/// Stores what is another than before, and notes it.
pub async fn set_default_quotas(
    db: &impl ConnectionTrait,
    wanted: DefaultQuotas,
) -> Result<(), MetaError> {
    let before = default_quotas(db).await?;
    for (name, before, wanted) in
        [(TEAM_QUOTA, before.team, wanted.team), (PERSONAL_QUOTA, before.personal, wanted.personal)]
    {
        if before == wanted {
            continue;
        }
        let note = Note::of(Act::SettingChanged).with("setting", name);
        let note = match wanted {
            Some(bytes) => {
                set(db, name, &bytes.to_string()).await?;
                note.with("value", bytes)
            }
            None => {
                let gone = setting::Entity::delete_by_id(name.to_owned()).exec(db).await;
                gone.doing("store a setting")?;
                note.with("value", "unlimited")
            }
        };
        note.add(db).await?;
    }
    Ok(())
}

/// Has a row if links may let no guests in.
pub fn no_public_links() -> SelectStatement {
    let mut off = Query::select();
    off.column(setting::Column::Name)
        .from(setting::Entity)
        .and_where(setting::Column::Name.eq(PUBLIC_LINKS))
        .and_where(setting::Column::Value.eq(OFF));
    off
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

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}
