//! Rooms: names, places, times, the trash, and who may do what ([`Meta::right`]).

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, SqlErr, UpdateMany,
    sea_query::{Expr, ExprTrait, OnConflict, Query},
};
use weft_core::{
    FolderId, Millis, PersonId, Right, RoomId, SpaceId,
    access::{self as rules, Circumstances, Grantee, SpaceKind, Subject},
};

use super::{
    Meta,
    access::{self, Asked, Facts},
    audit::{Act, Note},
    bytes_of, db_time,
    entities::{mute, opened, room, star},
    error::{Doing, MetaError, Refusal},
    folder_id, folders,
    inboxes::inbox_of,
    people::{self, PersonBrief},
    person_id, quotas, room_id, space_id, spaces, time,
    webhook_events::{self, Event, Happening},
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
    /// Who made it, and manages it for as long as they can open it.
    pub owner: PersonId,
    /// Where it stands.
    pub space: SpaceId,
    /// The folder that it is in; `None`: at the top of its space.
    pub folder: Option<FolderId>,
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
    /// Where it stands, if the person sees that space.
    pub space: Option<SpaceBrief>,
    /// The folder that it is in, if the person sees that.
    pub folder: Option<(FolderId, String)>,
    /// Whether the person has marked it.
    pub starred: bool,
    /// When the person opened it last.
    pub opened_at: Option<Millis>,
    /// Whether it does not notify the person.
    pub muted: bool,
}

/// What a room says of its space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceBrief {
    /// Which.
    pub id: SpaceId,
    /// Whose it is.
    pub kind: SpaceKind,
    /// Empty if it is personal or the gallery.
    pub name: String,
}

/// Which of the rooms that a person sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All that are not in the trash, the last changed first; of the gallery only those that they have to do with.
    All,
    /// All of one space.
    In(SpaceId),
    /// Those that they have opened, the last opened first.
    Recent,
    /// Those that they have marked, the last marked first.
    Starred,
    /// Those outside of the spaces of which they are a member, and of the gallery.
    Shared,
    /// Those in the trash that did not go there with a folder, and that they manage.
    Trashed,
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
    /// Who makes it.
    pub owner: PersonId,
    /// Where it stands.
    pub space: SpaceId,
    /// The folder that it is in.
    pub folder: Option<FolderId>,
    /// What its log takes already.
    pub bytes: u64,
}

impl Meta {
    /// Stores a room. Its entry 1 must be in the log before (L2, L6).
    ///
    /// # Errors
    /// [`Refusal::KeyTaken`], [`Refusal::TooManyRooms`] if the owner has `rooms_max` or more,
    /// [`Refusal::QuotaExceeded`].
    pub async fn create_room(
        &self,
        new: &NewRoom,
        rooms_max: u64,
        now: Millis,
    ) -> Result<RoomRow, MetaError> {
        let write = self.write().await?;
        check_room(&write.txn, new.owner, new.space, new.key.as_deref(), rooms_max).await?;
        if let Some(folder) = new.folder {
            folders::check_place(&write.txn, new.space, folder).await?;
        }
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
            space: Set(bytes_of(new.space.as_bytes())),
            folder: Set(new.folder.map(|folder| bytes_of(folder.as_bytes()))),
            trashed_with: Set(None),
            bytes: Set(quotas::db_bytes(new.bytes)),
        };
        match room::Entity::insert(row).exec_without_returning(&write.txn).await {
            Ok(_) => {}
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
                return Err(Refusal::KeyTaken.into());
            }
            Err(source) => return Err(MetaError::Store { what: "store a room", source }),
        }
        let made = Happening::to_room(Event::RoomCreated, new.id, new.space, new.owner, now);
        webhook_events::post(&write.txn, &made, None).await?;
        write.commit("store a room").await?;
        Ok(RoomRow {
            id: new.id,
            kind: new.kind.clone(),
            title: new.title.clone(),
            key: new.key.clone(),
            owner: new.owner,
            space: new.space,
            folder: new.folder,
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
        space: SpaceId,
        key: Option<&str>,
        rooms_max: u64,
    ) -> Result<(), MetaError> {
        check_room(&self.db, owner, space, key, rooms_max).await
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

    /// What the person may do in the room (`weft_core::access`), limits of their session aside.
    /// `None`: not even know of it. A person's inbox is theirs alone.
    pub async fn right(
        &self,
        room: RoomId,
        person: PersonId,
        now: Millis,
    ) -> Result<Option<Right>, MetaError> {
        match find(&self.db, room).await? {
            Some(row) => right(&self.db, &row, person, now).await,
            None => Ok((room == inbox_of(person)).then_some(Right::Edit)),
        }
    }

    /// What the person may do at the top of the space, or in the folder there; `None`: not even know of it.
    /// In the gallery everybody may make rooms.
    pub async fn right_at(
        &self,
        space: SpaceId,
        folder: Option<FolderId>,
        person: PersonId,
        now: Millis,
    ) -> Result<Option<Right>, MetaError> {
        let Some(row) = spaces::find(&self.db, space).await? else { return Ok(None) };
        let role = spaces::role_of(&self.db, space, person).await?;
        let right = match folder {
            Some(folder) => {
                let view = self.folder_view(folder, person, now).await?;
                view.filter(|view| view.row.space == space).map(|view| view.right)
            }
            None if row.archived_at.is_some() => role.map(|_| Right::Read),
            None if row.kind == SpaceKind::Gallery => {
                role.map(rules::Role::right).max(Some(Right::Edit))
            }
            None => role.map(rules::Role::right),
        };
        Ok(right)
    }

    /// The room as the person sees it; `None` if they may not.
    pub async fn room_view(
        &self,
        room: RoomId,
        person: PersonId,
        now: Millis,
    ) -> Result<Option<RoomView>, MetaError> {
        let Some(row) = find(&self.db, room).await? else { return Ok(None) };
        let who = access::subject(&self.db, person).await?;
        Ok(self.views(vec![row], &who, now).await?.pop())
    }

    /// At most `count_max` rooms that the person sees.
    pub async fn rooms_of(
        &self,
        person: PersonId,
        which: Which,
        count_max: u64,
        now: Millis,
    ) -> Result<Vec<RoomView>, MetaError> {
        let who = access::subject(&self.db, person).await?;
        let seen = rules::filter(&who, &Circumstances::plain(now), Right::Read);
        let in_trash = room::Column::TrashedAt;
        let mut rows = room::Entity::find().filter(access::on_rooms(&seen)).filter(
            if which == Which::Trashed { in_trash.is_not_null() } else { in_trash.is_null() },
        );
        let me = bytes_of(person.as_bytes());
        let gallery = bytes_of(spaces::GALLERY.as_bytes());
        rows = match which {
            Which::All => {
                rows.filter(room::Column::Space.ne(gallery).or(room::Column::Owner.eq(me.clone())))
            }
            Which::In(space) => rows.filter(room::Column::Space.eq(bytes_of(space.as_bytes()))),
            Which::Recent => rows
                .filter(
                    room::Column::Id.in_subquery(
                        Query::select()
                            .column(opened::Column::Room)
                            .from(opened::Entity)
                            .and_where(opened::Column::Person.eq(me.clone()))
                            .to_owned(),
                    ),
                )
                .order_by_desc(marked_at(opened::Entity, &me)),
            Which::Starred => rows
                .filter(
                    room::Column::Id.in_subquery(
                        Query::select()
                            .column(star::Column::Room)
                            .from(star::Entity)
                            .and_where(star::Column::Person.eq(me.clone()))
                            .to_owned(),
                    ),
                )
                .order_by_desc(marked_at(star::Entity, &me)),
            Which::Shared => {
                let mine = who.roles.keys().map(|space| bytes_of(space.as_bytes()));
                rows.filter(room::Column::Space.is_not_in(mine.chain([gallery])))
            }
            Which::Trashed => rows.filter(room::Column::TrashedWith.is_null()),
        };
        let rows = rows
            .order_by_desc(room::Column::ChangedAt)
            .order_by_desc(room::Column::Id)
            .limit(count_max)
            .all(&self.db)
            .await
            .doing("list rooms")?;
        let rows = rows.iter().map(from_row).collect::<Result<Vec<_>, _>>()?;
        // Who lost their right between the queries is left out there.
        self.views(rows, &who, now).await
    }

    /// Moves a room into a space, and a folder there.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such room, space, or folder in it; [`Refusal::QuotaExceeded`] if it does not
    /// fit into another space.
    pub async fn move_room(
        &self,
        room: RoomId,
        space: SpaceId,
        folder: Option<FolderId>,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let before = find(&write.txn, room).await?.ok_or(Refusal::NotFound)?;
        spaces::find(&write.txn, space).await?.ok_or(Refusal::NotFound)?;
        if let Some(folder) = folder {
            folders::check_place(&write.txn, space, folder).await?;
        }
        if before.space != space {
            let own = room::Entity::find_by_id(bytes_of(room.as_bytes()));
            let bytes = quotas::bytes_in(&write.txn, own).await?;
            quotas::check_fits(&write.txn, space, bytes).await?;
        }
        let moved = one(room)
            .col_expr(room::Column::Space, Expr::value(bytes_of(space.as_bytes())))
            .col_expr(
                room::Column::Folder,
                Expr::value(folder.map(|folder| bytes_of(folder.as_bytes()))),
            )
            .exec(&write.txn)
            .await;
        moved.doing("move a room")?;
        let note = Note::of(Act::RoomMoved).room(&RoomRow { space, ..before.clone() });
        let from = (before.space != space).then(|| before.space.to_string());
        note.with_some("from", from).add(&write.txn).await?;
        write.commit("move a room").await
    }

    /// Marks a room for a person, or takes the mark away.
    pub async fn set_star(
        &self,
        room: RoomId,
        person: PersonId,
        starred: bool,
        now: Millis,
    ) -> Result<(), MetaError> {
        let id = (bytes_of(person.as_bytes()), bytes_of(room.as_bytes()));
        let write = self.write().await?;
        if starred {
            let row =
                star::ActiveModel { person: Set(id.0), room: Set(id.1), at: Set(db_time(now)) };
            let mut keep = OnConflict::columns([star::Column::Person, star::Column::Room]);
            keep.update_column(star::Column::At);
            let stored = star::Entity::insert(row).on_conflict(keep);
            stored.exec_without_returning(&write.txn).await.doing("mark a room")?;
        } else {
            star::Entity::delete_by_id(id).exec(&write.txn).await.doing("unmark a room")?;
        }
        write.commit("mark a room").await
    }

    /// Notes that a person opened a room.
    pub async fn note_opened(
        &self,
        room: RoomId,
        person: PersonId,
        now: Millis,
    ) -> Result<(), MetaError> {
        let row = opened::ActiveModel {
            person: Set(bytes_of(person.as_bytes())),
            room: Set(bytes_of(room.as_bytes())),
            at: Set(db_time(now)),
        };
        let mut newer = OnConflict::columns([opened::Column::Person, opened::Column::Room]);
        newer.update_column(opened::Column::At);
        let write = self.write().await?;
        let stored = opened::Entity::insert(row).on_conflict(newer);
        stored.exec_without_returning(&write.txn).await.doing("note an opening")?;
        write.commit("note an opening").await
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
        let write = self.write().await?;
        let row = find(&write.txn, room).await?.ok_or(Refusal::NotFound)?;
        let rename = changed(room, by, now).col_expr(room::Column::Title, Expr::value(title));
        rename.exec(&write.txn).await.doing("rename a room")?;
        if row.title != title {
            let renamed = Happening::to_room(Event::RoomRenamed, room, row.space, by, now);
            webhook_events::post(&write.txn, &renamed, None).await?;
        }
        write.commit("rename a room").await
    }

    /// Notes that the room's content changed, unless a later change is noted already (or the room
    /// has no row: its log may be older than its name), and what the room takes now, if that is known. A webhook is told
    /// of it at most once in `told_ms`.
    pub async fn touch(
        &self,
        room: RoomId,
        person: PersonId,
        at: Millis,
        bytes: Option<u64>,
        told_ms: Millis,
    ) -> Result<(), MetaError> {
        let touch = changed(room, person, at).filter(room::Column::ChangedAt.lte(db_time(at)));
        let write = self.write().await?;
        touch.exec(&write.txn).await.doing("note a room's change")?;
        if let Some(bytes) = bytes {
            let weigh =
                one(room).col_expr(room::Column::Bytes, Expr::value(quotas::db_bytes(bytes)));
            weigh.exec(&write.txn).await.doing("note what a room takes")?;
        }
        if let Some(row) = find(&write.txn, room).await? {
            let change = Happening::to_room(Event::RoomChanged, room, row.space, person, at);
            webhook_events::post(&write.txn, &change, Some(told_ms)).await?;
        }
        write.commit("note a room's change").await
    }

    /// Puts the room in the trash, or takes it out: to the top of its space if its folder is in the trash.
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
            .col_expr(room::Column::TrashedBy, Expr::value(by))
            .col_expr(room::Column::TrashedWith, Expr::value(None::<Vec<u8>>));
        if trashed.is_none()
            && let Some(RoomRow { space, folder: Some(folder), .. }) = find(&self.db, room).await?
            && let Some(folder) = folders::find(&self.db, folder).await?
            && folder.trashed_at.is_some()
        {
            self.move_room(room, space, None).await?;
        }
        let write = self.write().await?;
        let row = find(&write.txn, room).await?.ok_or(Refusal::NotFound)?;
        trash.exec(&write.txn).await.doing("trash a room")?;
        let act = if trashed.is_some() { Act::RoomTrashed } else { Act::RoomRestored };
        Note::of(act).room(&row).add(&write.txn).await?;
        write.commit("trash a room").await
    }

    /// Rooms as somebody sees them; those that they do not see are left out.
    async fn views(
        &self,
        rows: Vec<RoomRow>,
        who: &Subject,
        now: Millis,
    ) -> Result<Vec<RoomView>, MetaError> {
        let facts = access::facts(&self.db, rows.iter().map(Asked::from).collect()).await?;
        let ids = rows.iter().flat_map(|row| [Some(row.owner), row.changed_by]).flatten();
        let ids = ids.map(|id| bytes_of(id.as_bytes())).collect();
        let briefs = people::briefs(&self.db, ids).await?;
        let brief = |id: PersonId| briefs.get(id.as_bytes().as_slice()).cloned();
        let me = bytes_of(who.person.as_bytes());
        let ids: Vec<_> = rows.iter().map(|row| bytes_of(row.id.as_bytes())).collect();
        let mut stars = BTreeMap::new();
        let mut openings = BTreeMap::new();
        let mut muted = BTreeSet::new();
        for ids in ids.chunks(people::IDS_PER_QUERY_MAX) {
            let marked = star::Entity::find()
                .filter(star::Column::Person.eq(me.clone()))
                .filter(star::Column::Room.is_in(ids.iter().cloned()));
            let marked = marked.all(&self.db).await.doing("read marks")?;
            stars.extend(marked.into_iter().map(|row| (row.room, row.at)));
            let opened = opened::Entity::find()
                .filter(opened::Column::Person.eq(me.clone()))
                .filter(opened::Column::Room.is_in(ids.iter().cloned()));
            let opened = opened.all(&self.db).await.doing("read openings")?;
            openings.extend(opened.into_iter().map(|row| (row.room, row.at)));
            let mutes = mute::Entity::find()
                .filter(mute::Column::Person.eq(me.clone()))
                .filter(mute::Column::Room.is_in(ids.iter().cloned()));
            let mutes = mutes.all(&self.db).await.doing("read muted rooms")?;
            muted.extend(mutes.into_iter().map(|row| row.room));
        }
        let mut names = Names::default();
        let mut views = Vec::with_capacity(rows.len());
        for (row, facts) in rows.into_iter().zip(facts) {
            let Some(right) = facts.check(who, now) else { continue };
            let id = row.id.as_bytes().as_slice();
            views.push(RoomView {
                right,
                owner: brief(row.owner).ok_or(MetaError::Damaged("a room's owner"))?,
                changed_by: row.changed_by.and_then(brief),
                space: names.space(&self.db, &row, &facts, who).await?,
                folder: names.folder(&self.db, &row, &facts, who, now).await?,
                starred: stars.contains_key(id),
                opened_at: openings.get(id).copied().map(time),
                muted: muted.contains(id),
                row,
            });
        }
        Ok(views)
    }
}

/// Names of spaces and folders, each looked up once.
#[derive(Default)]
struct Names {
    spaces: BTreeMap<SpaceId, SpaceBrief>,
    folders: BTreeMap<FolderId, String>,
}

impl Names {
    /// The room's space, if the person sees it.
    async fn space(
        &mut self,
        db: &impl ConnectionTrait,
        row: &RoomRow,
        facts: &Facts,
        who: &Subject,
    ) -> Result<Option<SpaceBrief>, MetaError> {
        if !is_inside(facts, who) {
            return Ok(None);
        }
        Ok(Some(match self.spaces.entry(row.space) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(unknown) => {
                let space = spaces::find(db, row.space).await?;
                let space = space.ok_or(MetaError::Damaged("a room's space"))?;
                let brief = SpaceBrief { id: space.id, kind: space.kind, name: space.name };
                unknown.insert(brief).clone()
            }
        }))
    }

    /// The room's folder, if the person sees it.
    async fn folder(
        &mut self,
        db: &impl ConnectionTrait,
        row: &RoomRow,
        facts: &Facts,
        who: &Subject,
        now: Millis,
    ) -> Result<Option<(FolderId, String)>, MetaError> {
        let Some(id) = row.folder else { return Ok(None) };
        let is_granted = facts.placed.iter().any(|placed| {
            let is_theirs = match placed.grant.to {
                Grantee::Person(person) => person == who.person,
                Grantee::Space(space) => who.roles.contains_key(&space),
                Grantee::Link { .. } => false,
            };
            placed.folder.is_some()
                && is_theirs
                && placed.grant.expires_at.is_none_or(|end| now < end)
        });
        if !is_inside(facts, who) && !is_granted {
            return Ok(None);
        }
        let name = match self.folders.entry(id) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(unknown) => {
                let folder = folders::find(db, id).await?;
                let folder = folder.ok_or(MetaError::Damaged("a room's folder"))?;
                unknown.insert(folder.name).clone()
            }
        };
        Ok(Some((id, name)))
    }
}

fn is_inside(facts: &Facts, who: &Subject) -> bool {
    facts.object.space_kind == SpaceKind::Gallery || who.roles.contains_key(&facts.object.space)
}

/// When the person marked the row's room, for an order.
fn marked_at(marks: impl sea_orm::EntityTrait, person: &[u8]) -> Expr {
    let at = Query::select()
        .column("at")
        .from(marks)
        .and_where(Expr::col("room").eq(Expr::col((room::Entity, room::Column::Id))))
        .and_where(Expr::col("person").eq(person.to_vec()))
        .to_owned();
    Expr::SubQuery(None, Box::new(at.into()))
}

/// The room of that id, as the caller's transaction sees it.
pub async fn find(db: &impl ConnectionTrait, id: RoomId) -> Result<Option<RoomRow>, MetaError> {
    let row = room::Entity::find_by_id(bytes_of(id.as_bytes())).one(db).await;
    row.doing("read a room")?.map(|row| from_row(&row)).transpose()
}

/// What [`Meta::right`] says, as the caller's transaction sees it.
pub async fn right(
    db: &impl ConnectionTrait,
    row: &RoomRow,
    person: PersonId,
    now: Millis,
) -> Result<Option<Right>, MetaError> {
    let who = access::subject(db, person).await?;
    Ok(access::facts_of(db, Asked::from(row)).await?.check(&who, now))
}

async fn check_room(
    db: &impl ConnectionTrait,
    owner: PersonId,
    space: SpaceId,
    key: Option<&str>,
    rooms_max: u64,
) -> Result<(), MetaError> {
    let owned = room::Entity::find().filter(room::Column::Owner.eq(bytes_of(owner.as_bytes())));
    if owned.clone().count(db).await.doing("count rooms")? >= rooms_max {
        return Err(Refusal::TooManyRooms { limit: rooms_max }.into());
    }
    if let Some(key) = key {
        let same = owned.filter(room::Column::Key.eq(key)).count(db).await;
        if same.doing("look for a key")? > 0 {
            return Err(Refusal::KeyTaken.into());
        }
    }
    quotas::check_fits(db, space, 0).await
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
        space: space_id(&row.space)?,
        folder: row.folder.as_deref().map(folder_id).transpose()?,
        created_at: time(row.created_at),
        changed_at: time(row.changed_at),
        changed_by: row.changed_by.as_deref().map(person_id).transpose()?,
        trashed_at: row.trashed_at.map(time),
    })
}
