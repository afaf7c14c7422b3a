//! People who ask to be let into a room.
//!
//! Whether the room exists is looked up later, when nobody waits for the answer any more: asking
//! costs the same for what is there, what is not, and what has been asked for before.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use weft_core::{Millis, PersonId, RoomId};

use super::{
    Meta, bytes_of, db_time,
    entities::access_request as request,
    error::{Doing, MetaError},
    inboxes::{self, NewDelivery},
    people::{self, PersonBrief},
    person_id, room_id, time,
};

/// Who was declined and asks again sooner is not heard, in milliseconds (a day).
pub const ASK_AGAIN_MS: Millis = 24 * 60 * 60 * 1000;

/// Somebody asks to be let into a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRequest {
    /// Who.
    pub person: PersonBrief,
    /// Since when.
    pub at: Millis,
}

/// A request that nobody has been told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedFor {
    /// Into what.
    pub room: RoomId,
    /// Who asks.
    pub person: PersonId,
}

impl Meta {
    /// Notes that somebody asks to be let into the room of that id, whether or not there is one. One request
    /// of each person and room waits at a time.
    pub async fn ask_for_access(
        &self,
        room: RoomId,
        person: PersonId,
        now: Millis,
    ) -> Result<(), MetaError> {
        let row = request::ActiveModel {
            room: Set(bytes_of(room.as_bytes())),
            person: Set(bytes_of(person.as_bytes())),
            at: Set(db_time(now)),
            told: Set(false),
            declined_at: Set(None),
        };
        let again = OnConflict::columns([request::Column::Room, request::Column::Person])
            .update_column(request::Column::At)
            .to_owned();
        let write = self.write().await?;
        let old = request::Entity::delete_many()
            .filter(request::Column::Room.eq(bytes_of(room.as_bytes())))
            .filter(request::Column::Person.eq(bytes_of(person.as_bytes())))
            .filter(request::Column::DeclinedAt.lte(db_time(now.saturating_sub(ASK_AGAIN_MS))));
        old.exec(&write.txn).await.doing("forget a declined request")?;
        let stored = request::Entity::insert(row).on_conflict(again);
        stored.exec_without_returning(&write.txn).await.doing("store a request")?;
        write.commit("store a request").await
    }

    /// At most `count_max` requests that nobody has been told of.
    pub async fn untold_requests(&self, count_max: u64) -> Result<Vec<AskedFor>, MetaError> {
        let rows = request::Entity::find()
            .filter(request::Column::Told.eq(false))
            .order_by_asc(request::Column::At)
            .limit(count_max)
            .all(&self.db)
            .await
            .doing("read requests")?;
        let asked = |row: &request::Model| {
            Ok(AskedFor { room: room_id(&row.room)?, person: person_id(&row.person)? })
        };
        rows.iter().map(asked).collect()
    }

    /// These deliveries tell those who can answer the request.
    pub async fn request_told(
        &self,
        AskedFor { room, person }: AskedFor,
        new: &[NewDelivery],
        now: Millis,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let told = request::Entity::update_many()
            .col_expr(request::Column::Told, Expr::value(true))
            .filter(request::Column::Room.eq(bytes_of(room.as_bytes())))
            .filter(request::Column::Person.eq(bytes_of(person.as_bytes())))
            .filter(request::Column::Told.eq(false));
        if told.exec(&write.txn).await.doing("note a request")?.rows_affected > 0 {
            inboxes::post(&write.txn, new, now).await?;
        }
        write.commit("note a request").await
    }

    /// Who waits to be let into the room, the first first.
    pub async fn access_requests(&self, room: RoomId) -> Result<Vec<AccessRequest>, MetaError> {
        let rows = request::Entity::find()
            .filter(request::Column::Room.eq(bytes_of(room.as_bytes())))
            .filter(request::Column::Told.eq(true))
            .filter(request::Column::DeclinedAt.is_null())
            .order_by_asc(request::Column::At)
            .all(&self.db)
            .await
            .doing("read requests")?;
        let briefs = rows.iter().map(|row| row.person.clone()).collect();
        let mut briefs = people::briefs(&self.db, briefs).await?;
        let request = |row: &request::Model| {
            let person = briefs.remove(&row.person)?;
            Some(AccessRequest { person, at: time(row.at) })
        };
        Ok(rows.iter().filter_map(request).collect())
    }

    /// Ends a request, unless it is over. One that was declined is remembered for [`ASK_AGAIN_MS`]. Returns whether
    /// it waited.
    pub async fn end_request(
        &self,
        AskedFor { room, person }: AskedFor,
        declined_at: Option<Millis>,
    ) -> Result<bool, MetaError> {
        let write = self.write().await?;
        let id = (bytes_of(room.as_bytes()), bytes_of(person.as_bytes()));
        let row = request::Entity::find_by_id(id.clone()).one(&write.txn).await;
        let Some(row) = row.doing("read a request")?.filter(|row| row.declined_at.is_none()) else {
            return Ok(false);
        };
        match declined_at {
            Some(at) => {
                let declined = request::Entity::update_many()
                    .col_expr(request::Column::DeclinedAt, Expr::value(db_time(at)))
                    .filter(request::Column::Room.eq(id.0))
                    .filter(request::Column::Person.eq(id.1));
                declined.exec(&write.txn).await.doing("decline a request")?;
            }
            None => {
                let gone = request::Entity::delete_by_id(id).exec(&write.txn).await;
                gone.doing("remove a request")?;
            }
        }
        write.commit("end a request").await?;
        Ok(row.told)
    }
}
