//! Rooms: names, owners, times, the trash, and who may do what ([`Meta::right`]).

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, SqlErr, UpdateMany,
    sea_query::{Expr, ExprTrait, Query},
};
use weft_core::{Millis, PersonId, Right, RoomId};

use super::{
    Meta, bytes_of, db_time,
    entities::{room, room_grant},
    error::{Doing, MetaError, Refusal},
    grants,
    people::{self, PersonBrief},
    person_id, room_id, time,
};

/// What is known of a room without opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomRow {
    /// Never changes.
    pub id: RoomId,
    /// `doc`, `order`, …
    pub kind: String,
    /// 0–200 characters.
    pub title: String,
    /// A name of the owner's choosing, unique among the owner's rooms.
    pub key: Option<String>,
    /// Has the right to manage, always.
    pub owner: PersonId,
    /// When it was made.
    pub created_at: Millis,
    /// When its content or title changed last.
    pub changed_at: Millis,
    /// Who changed it last; nobody if it is as it was made.
    pub changed_by: Option<PersonId>,
    /// Since when it is in the trash.
    pub trashed_at: Option<Millis>,
}

/// A room as one person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomView {
    /// The room.
    pub row: RoomRow,
    /// Whose it is.
    pub owner: PersonBrief,
    /// Who changed it last.
    pub changed_by: Option<PersonBrief>,
    /// What the person may do.
    pub right: Right,
}

/// A room whose log exists already.
#[derive(Debug, Clone)]
pub struct NewRoom {
    /// The log's room.
    pub id: RoomId,
    /// `doc`, `order`, …
    pub kind: String,
    /// 0–200 characters.
    pub title: String,
    /// A name of the owner's choosing.
    pub key: Option<String>,
    /// Whose it is.
    pub owner: PersonId,
}

impl Meta {
    /// Stores a room. Its entry 1 must be in the log before (L2, L6).
    ///
    /// # Errors
    /// [`Refusal::KeyTaken`], [`Refusal::TooManyRooms`] if the owner has `rooms_max` or more.
    pub async fn create_room(
        &self,
        new: &NewRoom,
        rooms_max: u64,
        now: Millis,
    ) -> Result<RoomRow, MetaError> {
        let write = self.write().await?;
        check_room(&write.txn, new.owner, new.key.as_deref(), rooms_max).await?;
        let row = room::ActiveModel {
            id: Set(bytes_of(new.id.as_bytes())),
            kind: Set(new.kind.clone()),
            title: Set(new.title.clone()),
            key: Set(new.key.clone()),
            owner: Set(bytes_of(new.owner.as_bytes())),
            created_at: Set(db_time(now)),
            changed_at: Set(db_time(now)),
            changed_by: Set(None),
            trashed_at: Set(None),
            trashed_by: Set(None),
        };
        match room::Entity::insert(row).exec_without_returning(&write.txn).await {
            Ok(_) => {}
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
                return Err(Refusal::KeyTaken.into());
            }
            Err(source) => return Err(MetaError::Store { what: "store a room", source }),
        }
        write.commit("store a room").await?;
        Ok(RoomRow {
            id: new.id,
            kind: new.kind.clone(),
            title: new.title.clone(),
            key: new.key.clone(),
            owner: new.owner,
            created_at: now,
            changed_at: now,
            changed_by: None,
            trashed_at: None,
        })
    }

    /// Whether [`Meta::create_room`] would be refused now: asked before a log is made.
    ///
    /// # Errors
    /// As [`Meta::create_room`].
    pub async fn check_room(
        &self,
        owner: PersonId,
        key: Option<&str>,
        rooms_max: u64,
    ) -> Result<(), MetaError> {
        check_room(&self.db, owner, key, rooms_max).await
    }

    /// The room of that id, or of that key among the rooms that the person owns. Says nothing
    /// about rights.
    pub async fn room(
        &self,
        id_or_key: &str,
        person: PersonId,
    ) -> Result<Option<RoomRow>, MetaError> {
        if let Ok(id) = id_or_key.parse()
            && let Some(row) = self.room_by_id(id).await?
        {
            return Ok(Some(row));
        }
        let row = room::Entity::find()
            .filter(room::Column::Owner.eq(bytes_of(person.as_bytes())))
            .filter(room::Column::Key.eq(id_or_key))
            .one(&self.db)
            .await;
        row.doing("read a room")?.map(|row| from_row(&row)).transpose()
    }

    /// The room of that id. Says nothing about rights.
    pub async fn room_by_id(&self, id: RoomId) -> Result<Option<RoomRow>, MetaError> {
        find(&self.db, id).await
    }

    /// What the person may do in the room: the owner everything, others what they were granted,
    /// and nothing while it is in the trash. `None`: not even know of it.
    pub async fn right(&self, room: RoomId, person: PersonId) -> Result<Option<Right>, MetaError> {
        let Some(row) = find(&self.db, room).await? else { return Ok(None) };
        right(&self.db, &row, person).await
    }

    /// The room as the person sees it; `None` if they may not.
    pub async fn room_view(
        &self,
        room: RoomId,
        person: PersonId,
    ) -> Result<Option<RoomView>, MetaError> {
        let Some(row) = find(&self.db, room).await? else { return Ok(None) };
        let Some(right) = right(&self.db, &row, person).await? else { return Ok(None) };
        Ok(self.views(vec![(row, right)]).await?.pop())
    }

    /// At most `count_max` rooms that the person owns or was granted, last changed first: those
    /// in the trash (then only own ones) or the others.
    pub async fn rooms_of(
        &self,
        person: PersonId,
        trashed: bool,
        count_max: u64,
    ) -> Result<Vec<RoomView>, MetaError> {
        let me = bytes_of(person.as_bytes());
        let mut mine = Condition::any().add(room::Column::Owner.eq(me.clone()));
        if !trashed {
            let granted = Query::select()
                .column(room_grant::Column::Room)
                .from(room_grant::Entity)
                .and_where(Expr::col(room_grant::Column::Person).eq(me.clone()))
                .to_owned();
            mine = mine.add(room::Column::Id.in_subquery(granted));
        }
        let in_trash = room::Column::TrashedAt;
        let rows = room::Entity::find()
            .filter(mine)
            .filter(if trashed { in_trash.is_not_null() } else { in_trash.is_null() })
            .order_by_desc(room::Column::ChangedAt)
            .order_by_desc(room::Column::Id)
            .limit(count_max)
            .all(&self.db)
            .await
            .doing("list rooms")?;
        let grants = grants::of_person(&self.db, &me).await?;
        let mut seen = Vec::with_capacity(rows.len());
        for row in rows {
            let right =
                if row.owner == me { Some(Right::Manage) } else { grants.get(&row.id).copied() };
            // Without a grant by now: it was taken away between the two queries.
            if let Some(right) = right {
                seen.push((from_row(&row)?, right));
            }
        }
        self.views(seen).await
    }

    /// Gives the room another title.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such room.
    pub async fn rename(
        &self,
        room: RoomId,
        title: &str,
        by: PersonId,
        now: Millis,
    ) -> Result<(), MetaError> {
        let rename = changed(room, by, now).col_expr(room::Column::Title, Expr::value(title));
        self.update(rename, "rename a room").await
    }

    /// Notes that the room's content changed, unless a later change is noted already (or the room
    /// has no row: its log may be older than its name).
    pub async fn touch(&self, room: RoomId, person: PersonId, at: Millis) -> Result<(), MetaError> {
        let touch = changed(room, person, at).filter(room::Column::ChangedAt.lte(db_time(at)));
        let write = self.write().await?;
        touch.exec(&write.txn).await.doing("note a room's change")?;
        write.commit("note a room's change").await
    }

    /// Puts the room in the trash, or takes it out. Already there: nothing changes.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such room.
    pub async fn set_trashed(
        &self,
        room: RoomId,
        trashed: Option<(PersonId, Millis)>,
    ) -> Result<(), MetaError> {
        let by = trashed.map(|(by, _)| bytes_of(by.as_bytes()));
        let at = trashed.map(|(_, at)| db_time(at));
        let trash = one(room)
            .col_expr(room::Column::TrashedAt, Expr::value(at))
            .col_expr(room::Column::TrashedBy, Expr::value(by));
        self.update(trash, "trash a room").await
    }

    async fn update(
        &self,
        change: UpdateMany<room::Entity>,
        what: &'static str,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        if change.exec(&write.txn).await.doing(what)?.rows_affected == 0 {
            return Err(Refusal::NotFound.into());
        }
        write.commit(what).await
    }

    /// Puts people's names beside rooms.
    async fn views(&self, rooms: Vec<(RoomRow, Right)>) -> Result<Vec<RoomView>, MetaError> {
        let ids = rooms
            .iter()
            .flat_map(|(row, _)| [Some(row.owner), row.changed_by])
            .flatten()
            .map(|id| bytes_of(id.as_bytes()))
            .collect();
        let briefs = people::briefs(&self.db, ids).await?;
        let brief = |id: PersonId| briefs.get(id.as_bytes().as_slice()).cloned();
        let mut views = Vec::with_capacity(rooms.len());
        for (row, right) in rooms {
            let owner = brief(row.owner).ok_or(MetaError::Damaged("a room's owner"))?;
            let changed_by = row.changed_by.and_then(brief);
            views.push(RoomView { row, owner, changed_by, right });
        }
        Ok(views)
    }
}

/// The room of that id, as the caller's transaction sees it.
pub async fn find(db: &impl ConnectionTrait, id: RoomId) -> Result<Option<RoomRow>, MetaError> {
    let row = room::Entity::find_by_id(bytes_of(id.as_bytes())).one(db).await;
    row.doing("read a room")?.map(|row| from_row(&row)).transpose()
}

/// The rule behind [`Meta::right`], as the caller's transaction sees it.
pub async fn right(
    db: &impl ConnectionTrait,
    row: &RoomRow,
    person: PersonId,
) -> Result<Option<Right>, MetaError> {
    if row.owner == person {
        return Ok(Some(Right::Manage));
    }
    if row.trashed_at.is_some() {
        return Ok(None);
    }
    grants::find(db, row.id, person).await
}

async fn check_room(
    db: &impl ConnectionTrait,
    owner: PersonId,
    key: Option<&str>,
    rooms_max: u64,
) -> Result<(), MetaError> {
    let owned = room::Entity::find().filter(room::Column::Owner.eq(bytes_of(owner.as_bytes())));
    if owned.clone().count(db).await.doing("count rooms")? >= rooms_max {
        return Err(Refusal::TooManyRooms { limit: rooms_max }.into());
    }
    let Some(key) = key else { return Ok(()) };
    let same = owned.filter(room::Column::Key.eq(key)).count(db).await.doing("look for a key")?;
    if same > 0 { Err(Refusal::KeyTaken.into()) } else { Ok(()) }
}

fn one(room: RoomId) -> UpdateMany<room::Entity> {
    room::Entity::update_many().filter(room::Column::Id.eq(bytes_of(room.as_bytes())))
}

fn changed(room: RoomId, by: PersonId, at: Millis) -> UpdateMany<room::Entity> {
    one(room)
        .col_expr(room::Column::ChangedAt, Expr::value(db_time(at)))
        .col_expr(room::Column::ChangedBy, Expr::value(bytes_of(by.as_bytes())))
}

fn from_row(row: &room::Model) -> Result<RoomRow, MetaError> {
    Ok(RoomRow {
        id: room_id(&row.id)?,
        kind: row.kind.clone(),
        title: row.title.clone(),
        key: row.key.clone(),
        owner: person_id(&row.owner)?,
        created_at: time(row.created_at),
        changed_at: time(row.changed_at),
        changed_by: row.changed_by.as_deref().map(person_id).transpose()?,
        trashed_at: row.trashed_at.map(time),
    })
}
