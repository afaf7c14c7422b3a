//! What is on its way into people's inboxes, which rooms do not notify whom, and which inboxes have been made.
//!
//! A delivery is stored before whoever caused it is answered, and removed once it is in the inbox: a
//! power failure in between costs a repeat, which the inbox knows by the delivery's number.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::OnConflict,
};
use weft_core::{Millis, PersonId, RoomId};

use super::{
    Meta, Target, bytes_of, db_time, digests,
    entities::{delivery, inbox, mention, mute},
    error::{Doing, MetaError},
    folder_id, person_id, pushes, room_id,
};

/// How long a mention is known again by its number, in milliseconds (30 days): clients repeat within minutes.
pub const MENTION_KEPT_MS: Millis = 30 * 24 * 60 * 60 * 1000;

const ABOUT_ROOM: &str = "room";
const ABOUT_FOLDER: &str = "folder";

/// The room that is one person's inbox: it has their id.
#[must_use]
pub const fn inbox_of(person: PersonId) -> RoomId {
    RoomId::from_bytes(*person.as_bytes())
}

/// Something to put into an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Whose.
    pub to: PersonId,
    /// What it is about, if whoever cannot open that is to hear nothing.
    pub about: Option<Target>,
    /// The operation, for the inbox; what is in it does not matter here.
    pub op: Vec<u8>,
}

/// Something on its way into an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Never given twice.
    pub id: u64,
    /// Whose inbox.
    pub to: PersonId,
    /// What it is about, if whoever cannot open that is to hear nothing.
    pub about: Option<Target>,
    /// The operation.
    pub op: Vec<u8>,
}

/// Who has something new in their inbox, since when, and when a letter about it is due (`None`: no mail leaves).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToldOf {
    /// Whose inbox.
    pub person: PersonId,
    /// From before anybody could see it.
    pub at: Millis,
    /// When a letter is due.
    pub letter_due: Option<Millis>,
}

impl Meta {
    /// Whether the person's inbox has been made.
    pub async fn has_inbox(&self, person: PersonId) -> Result<bool, MetaError> {
        let row = inbox::Entity::find_by_id(bytes_of(person.as_bytes())).one(&self.db).await;
        Ok(row.doing("look for an inbox")?.is_some())
    }

    /// Notes that the person's inbox has been made: its entry 1 is in the log (L2, L6).
    pub async fn note_inbox(&self, person: PersonId, now: Millis) -> Result<(), MetaError> {
        let row = inbox::ActiveModel {
            person: Set(bytes_of(person.as_bytes())),
            made_at: Set(db_time(now)),
        };
        let write = self.write().await?;
        let keep = OnConflict::column(inbox::Column::Person).do_nothing().to_owned();
        let stored = inbox::Entity::insert(row).on_conflict(keep);
        stored.exec_without_returning(&write.txn).await.doing("note an inbox")?;
        write.commit("note an inbox").await
    }

    /// Stores what is to be put into inboxes.
    pub async fn post(&self, new: &[NewDelivery], now: Millis) -> Result<(), MetaError> {
        if new.is_empty() {
            return Ok(());
        }
        let write = self.write().await?;
        post(&write.txn, new, now).await?;
        write.commit("store deliveries").await
    }

    /// As [`Meta::post`], for a mention of that number in a room. Returns whether it was new: what is known
    /// is not stored again.
    pub async fn post_mention(
        &self,
        room: RoomId,
        number: &str,
        new: &NewDelivery,
        now: Millis,
    ) -> Result<bool, MetaError> {
        let write = self.write().await?;
        let forgotten = mention::Column::At.lt(db_time(now.saturating_sub(MENTION_KEPT_MS)));
        let old = mention::Entity::delete_many().filter(forgotten).exec(&write.txn).await;
        old.doing("forget old mentions")?;
        let id = (bytes_of(room.as_bytes()), number.to_owned());
        let known = mention::Entity::find_by_id(id).one(&write.txn).await;
        if known.doing("look for a mention")?.is_some() {
            return Ok(false);
        }
        let row = mention::ActiveModel {
            room: Set(bytes_of(room.as_bytes())),
            mention: Set(number.to_owned()),
            person: Set(bytes_of(new.to.as_bytes())),
            at: Set(db_time(now)),
        };
        let stored = mention::Entity::insert(row).exec_without_returning(&write.txn).await;
        stored.doing("store a mention")?;
        post(&write.txn, std::slice::from_ref(new), now).await?;
        write.commit("store a mention").await?;
        Ok(true)
    }

    /// At most `count_max` deliveries that wait, in the order in which they were stored, from behind that number.
    pub async fn deliveries(&self, after: u64, count_max: u64) -> Result<Vec<Delivery>, MetaError> {
        let rows = delivery::Entity::find()
            .filter(delivery::Column::Id.gt(db_time(after)))
            .order_by_asc(delivery::Column::Id)
            .limit(count_max)
            .all(&self.db)
            .await
            .doing("read deliveries")?;
        rows.iter().map(from_row).collect()
    }

    /// The delivery has come to its end. If that left something new for a person, it is to be pushed to their
    /// browsers now, and a letter about it is due at the time given, should they want that and not have read it by
    /// then.
    pub async fn delivered(&self, id: u64, told: Option<&ToldOf>) -> Result<(), MetaError> {
        let write = self.write().await?;
        let gone = delivery::Entity::delete_by_id(db_time(id)).exec(&write.txn).await;
        gone.doing("remove a delivery")?;
        if let Some(&ToldOf { person, at, letter_due }) = told {
            pushes::fall_due(&write.txn, person, id, at).await?;
            if let Some(due_at) = letter_due {
                digests::fall_due(&write.txn, person, id, due_at).await?;
            }
        }
        write.commit("remove a delivery").await
    }

    /// Whether the room does not notify the person.
    pub async fn is_muted(&self, room: RoomId, person: PersonId) -> Result<bool, MetaError> {
        let id = (bytes_of(person.as_bytes()), bytes_of(room.as_bytes()));
        Ok(mute::Entity::find_by_id(id).one(&self.db).await.doing("read a muted room")?.is_some())
    }

    /// Makes a room quiet for a person, or loud again.
    pub async fn set_muted(
        &self,
        room: RoomId,
        person: PersonId,
        muted: bool,
        now: Millis,
    ) -> Result<(), MetaError> {
        let id = (bytes_of(person.as_bytes()), bytes_of(room.as_bytes()));
        let write = self.write().await?;
        if muted {
            let row =
                mute::ActiveModel { person: Set(id.0), room: Set(id.1), at: Set(db_time(now)) };
            let keep = OnConflict::columns([mute::Column::Person, mute::Column::Room])
                .update_column(mute::Column::At)
                .to_owned();
            let stored = mute::Entity::insert(row).on_conflict(keep);
            stored.exec_without_returning(&write.txn).await.doing("mute a room")?;
        } else {
            mute::Entity::delete_by_id(id).exec(&write.txn).await.doing("unmute a room")?;
        }
        write.commit("mute a room").await
    }
}

/// As [`Meta::post`], within the caller's transaction.
pub async fn post(
    db: &impl ConnectionTrait,
    new: &[NewDelivery],
    now: Millis,
) -> Result<(), MetaError> {
    for NewDelivery { to, about, op } in new {
        let about = about.map(|about| match about {
            Target::Room(room) => (ABOUT_ROOM, bytes_of(room.as_bytes())),
            Target::Folder(folder) => (ABOUT_FOLDER, bytes_of(folder.as_bytes())),
        });
        let (about_kind, about) = about.unzip();
        let row = delivery::ActiveModel {
            person: Set(bytes_of(to.as_bytes())),
            about_kind: Set(about_kind.map(str::to_owned)),
            about: Set(about),
            op: Set(op.clone()),
            at: Set(db_time(now)),
            ..Default::default()
        };
        delivery::Entity::insert(row).exec_without_returning(db).await.doing("store a delivery")?;
    }
    Ok(())
}

fn from_row(row: &delivery::Model) -> Result<Delivery, MetaError> {
    let about = match (row.about_kind.as_deref(), &row.about) {
        (None, None) => None,
        (Some(ABOUT_ROOM), Some(id)) => Some(Target::Room(room_id(id)?)),
        (Some(ABOUT_FOLDER), Some(id)) => Some(Target::Folder(folder_id(id)?)),
        _ => return Err(MetaError::Damaged("what a delivery is about")),
    };
    Ok(Delivery {
        id: u64::try_from(row.id).map_err(|_| MetaError::Damaged("a delivery's number"))?,
        to: person_id(&row.person)?,
        about,
        op: row.op.clone(),
    })
}
