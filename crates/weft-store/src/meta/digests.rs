//! Letters about notices that nobody has read: who wants them how often, and when the next one is due.
//!
//! A letter falls due with the notice that it is about, in the transaction that ends that one's delivery, and is due
//! until it has been sent. Not here: what is in the inbox, and what a letter says (the server).

use std::str::FromStr;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::Expr,
};
use weft_core::{Millis, PersonId};

use super::{
    Meta, bytes_of, db_time,
    entities::digest,
    error::{Doing, MetaError},
    people::{Person, find},
    person_id, time,
};

/// How often somebody wants letters about what they have not read, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// Never.
    Off,
    /// Once an hour.
    Hourly,
    /// Once a day.
    Daily,
}

impl Digest {
    /// As it is stored, and spoken of to clients.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Hourly => "hourly",
            Self::Daily => "daily",
        }
    }

    /// From one letter to the next.
    const fn every_ms(self) -> Option<Millis> {
        const HOUR_MS: Millis = 60 * 60 * 1000;
        match self {
            Self::Off => None,
            Self::Hourly => Some(HOUR_MS),
            Self::Daily => Some(24 * HOUR_MS),
        }
    }
}

impl FromStr for Digest {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        [Self::Off, Self::Hourly, Self::Daily]
            .into_iter()
            .find(|digest| digest.name() == name)
            .ok_or(())
    }
}

/// A letter that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDigest {
    /// To whom. May have no verified address any more.
    pub person: Person,
    /// The last notice that an earlier letter was about; 0 if there was none.
    pub mailed_to: u64,
    /// The last delivery that it is due for.
    pub wanted_to: u64,
}

impl Meta {
    /// Letters that are due, at most so many.
    pub async fn due_digests(
        &self,
        now: Millis,
        count_max: u64,
    ) -> Result<Vec<DueDigest>, MetaError> {
        let rows = digest::Entity::find()
            .filter(digest::Column::DueAt.lte(db_time(now)))
            .order_by_asc(digest::Column::DueAt)
            .limit(count_max)
            .all(&self.db)
            .await
            .doing("look for letters that are due")?;
        let mut due = Vec::with_capacity(rows.len());
        for row in rows {
            let person = find(&self.db, person_id(&row.person)?).await?;
            let person = person.ok_or(MetaError::Damaged("whom a letter is for"))?;
            let (mailed_to, wanted_to) = (time(row.mailed_to), time(row.wanted_to));
            due.push(DueDigest { person, mailed_to, wanted_to });
        }
        Ok(due)
    }

    /// The letter that was due is sent, and was about notices up to that one; or (`None`) there was nothing to
    /// tell. What has come meanwhile waits for the next one.
    pub async fn digest_sent(
        &self,
        due: &DueDigest,
        sent_to: Option<u64>,
        now: Millis,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let key = bytes_of(due.person.id.as_bytes());
        let row =
            digest::Entity::find_by_id(key).one(&write.txn).await.doing("look for a letter")?;
        let Some(mut row) = row else { return Ok(()) };
        if let Some(up_to) = sent_to {
            (row.mailed_at, row.mailed_to) = (db_time(now), db_time(up_to));
        }
        let every_ms = due.person.digest.every_ms();
        let more = every_ms.filter(|_| time(row.wanted_to) > due.wanted_to);
        let due_at = more.map(|every_ms| now.max(time(row.mailed_at).saturating_add(every_ms)));
        let row = digest::ActiveModel {
            person: Set(row.person),
            due_at: Set(due_at.map(db_time)),
            mailed_at: Set(row.mailed_at),
            mailed_to: Set(row.mailed_to),
            ..Default::default()
        };
        let noted = digest::Entity::update(row).exec(&write.txn).await;
        noted.doing("note a letter")?;
        write.commit("note a letter").await
    }

    /// The letter could not be sent, and is due later.
    pub async fn digest_put_off(&self, person: PersonId, due_at: Millis) -> Result<(), MetaError> {
        let write = self.write().await?;
        digest::Entity::update_many()
            .col_expr(digest::Column::DueAt, Expr::value(Some(db_time(due_at))))
            .filter(digest::Column::Person.eq(bytes_of(person.as_bytes())))
            .exec(&write.txn)
            .await
            .doing("note a letter")?;
        write.commit("note a letter").await
    }
}

/// A letter about what this delivery has brought is due to the person at that time, or as soon afterwards as they
/// want one, unless they want none.
pub async fn fall_due(
    db: &impl ConnectionTrait,
    id: PersonId,
    delivery: u64,
    due_at: Millis,
) -> Result<(), MetaError> {
    let Some(person) = find(db, id).await? else { return Ok(()) };
    let Some(every_ms) = person.digest.every_ms().filter(|_| person.has_mail()) else {
        return Ok(());
    };
    let key = bytes_of(id.as_bytes());
    let row = digest::Entity::find_by_id(key.clone()).one(db).await.doing("look for a letter")?;
    match row {
        None => {
            let row = digest::ActiveModel {
                person: Set(key),
                due_at: Set(Some(db_time(due_at))),
                mailed_at: Set(0),
                mailed_to: Set(0),
                wanted_to: Set(db_time(delivery)),
            };
            let stored = digest::Entity::insert(row).exec_without_returning(db).await;
            stored.doing("note that a letter is due")?;
        }
        Some(row) => {
            let due_at = row.due_at.map_or_else(
                || due_at.max(time(row.mailed_at).saturating_add(every_ms)),
                time, // One is due already, and will tell of this, too.
            );
            let row = digest::ActiveModel {
                person: Set(key),
                due_at: Set(Some(db_time(due_at))),
                wanted_to: Set(db_time(delivery)),
                ..Default::default()
            };
            digest::Entity::update(row).exec(db).await.doing("note that a letter is due")?;
        }
    }
    Ok(())
}

/// No letter is due to the person any more.
pub async fn cancel(db: &impl ConnectionTrait, person: PersonId) -> Result<(), MetaError> {
    digest::Entity::update_many()
        .col_expr(digest::Column::DueAt, Expr::value(None::<i64>))
        .filter(digest::Column::Person.eq(bytes_of(person.as_bytes())))
        .exec(db)
        .await
        .doing("cancel a letter")?;
    Ok(())
}
