//! Rights that were given on rooms and folders, to people and to spaces; and who can open a room, and why.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Condition, ExprTrait, OnConflict, Query},
};
use weft_core::{
    FolderId, Millis, PersonId, Right, RoomId, SpaceId,
    access::{Grantee, Reason, Subject, reasons},
};

use super::{
    Meta,
    access::{self, Asked, Facts},
    audit::{Act, Note},
    bytes_of, db_time,
    entities::{access_grant, folder_above, room, space_member},
    error::{Doing, MetaError, Refusal},
    folders, links,
    people::{self, PersonBrief},
    person_id, room_id, rooms, space_id, spaces,
};

/// What rows call a grant to a person.
pub const TO_PERSON: &str = "person";
/// What rows call a grant to the members of a space.
pub const TO_SPACE: &str = "space";
/// What rows call a grant to people who hold a link.
pub const TO_LINK: &str = "link";
/// What rows call a grant to people and guests who hold a link.
pub const TO_PUBLIC_LINK: &str = "public_link";

/// What a grant is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A room.
    Room(RoomId),
    /// A folder, and all in it.
    Folder(FolderId),
}

impl Target {
    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Room(room) => bytes_of(room.as_bytes()),
            Self::Folder(folder) => bytes_of(folder.as_bytes()),
        }
    }
}

/// To whom a right is to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewGrantee {
    /// The person of this user name.
    Username(String),
    /// All members of a space that the giver sees.
    Space(SpaceId),
}

/// A right to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGrant {
    /// To whom.
    pub to: NewGrantee,
    /// How much.
    pub right: Right,
    /// From then on it is as if it were not there.
    pub expires_at: Option<Millis>,
}

/// To whom a right was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receiver {
    /// A person.
    Person(PersonBrief),
    /// All members of a space.
    Space {
        /// Which.
        id: SpaceId,
        /// Its name.
        name: String,
    },
    /// Whoever holds the room's link.
    Link {
        /// Whether that is for guests, too.
        public: bool,
    },
}

/// A right that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantView {
    /// To whom.
    pub to: Receiver,
    /// How much.
    pub right: Right,
    /// From then on it is as if it were not there.
    pub expires_at: Option<Millis>,
    /// The folder that it was given on, if that is around what was asked for.
    pub folder: Option<(FolderId, String)>,
}

/// Someone who can open a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub person: PersonBrief,
    /// What they may do.
    pub right: Right,
    /// Whether they made the room.
    pub owner: bool,
    /// Why, and how much each reason gives. Of a grant: its place in [`Audience::grants`].
    pub why: Vec<(Reason, Right)>,
}

/// Who can open a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    /// Everybody with a role or a grant: who made it first, then by user name.
    pub people: Vec<Member>,
    /// The grants on the room and on the folders around it.
    pub grants: Vec<GrantView>,
}

impl Meta {
    /// Everybody who can sign in and open the room by a role or a grant, whether or not it is in the trash. (In the gallery
    /// everybody else can, too.)
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such room.
    pub async fn audience(&self, room: RoomId, now: Millis) -> Result<Audience, MetaError> {
        let mut row = rooms::find(&self.db, room).await?.ok_or(Refusal::NotFound)?;
        row.trashed_at = None;
        let facts = access::facts_of(&self.db, Asked::from(&row)).await?;
        let subjects = self.candidates(&facts).await?;
        let ids = subjects.keys().map(|person| bytes_of(person.as_bytes())).collect();
        let mut briefs = people::active_briefs(&self.db, ids).await?;
        let mut members = Vec::new();
        for (person, subject) in subjects {
            let Some(right) = facts.check(&subject, now) else { continue };
            let Some(brief) = briefs.remove(person.as_bytes().as_slice()) else { continue };
            let why = reasons(&subject, &facts.object, now);
            members.push(Member { person: brief, right, owner: person == row.owner, why });
        }
        members.sort_by(|a, b| {
            b.owner.cmp(&a.owner).then_with(|| a.person.username.cmp(&b.person.username))
        });
        Ok(Audience { people: members, grants: self.views_of_grants(&facts).await? })
    }

    /// Everybody who has a role in the object's space, or to whom a grant on it may apply, with their
    /// roles there.
    async fn candidates(&self, facts: &Facts) -> Result<BTreeMap<PersonId, Subject>, MetaError> {
        let mut of_interest = BTreeSet::from([facts.object.space]);
        let mut people = BTreeSet::new();
        let mut holders = Vec::new();
        for placed in &facts.placed {
            match placed.grant.to {
                Grantee::Person(person) => drop(people.insert(person)),
                Grantee::Space(space) => drop(of_interest.insert(space)),
                Grantee::Link { id, .. } => {
                    let found = links::holders(&self.db, id).await?;
                    people.extend(found.iter().map(|(person, _)| *person));
                    holders.extend(found);
                }
            }
        }
        let ids = of_interest.iter().map(|space| bytes_of(space.as_bytes()));
        let rows = space_member::Entity::find()
            .filter(space_member::Column::Space.is_in(ids))
            .filter(space_member::Column::Joined.eq(true))
            .all(&self.db)
            .await
            .doing("list members")?;
        let mut subjects: BTreeMap<PersonId, Subject> = BTreeMap::new();
        for row in rows {
            let person = person_id(&row.person)?;
            let subject = subjects.entry(person).or_insert_with(|| Subject::stranger(person));
            subject.roles.insert(space_id(&row.space)?, spaces::role(&row.role_name)?);
        }
        for person in people {
            subjects.entry(person).or_insert_with(|| Subject::stranger(person));
        }
        for (person, link) in holders {
            if let Some(subject) = subjects.get_mut(&person) {
                subject.links.insert(link);
            }
        }
        Ok(subjects)
    }

    /// The grants on a folder, and on those around it.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such folder.
    pub async fn grants_on_folder(&self, folder: FolderId) -> Result<Vec<GrantView>, MetaError> {
        let row = folders::find(&self.db, folder).await?.ok_or(Refusal::NotFound)?;
        let facts = access::facts_of(&self.db, Asked::from(&row)).await?;
        self.views_of_grants(&facts).await
    }

    async fn views_of_grants(&self, facts: &Facts) -> Result<Vec<GrantView>, MetaError> {
        let to = facts.placed.iter().filter_map(|placed| match placed.grant.to {
            Grantee::Person(person) => Some(bytes_of(person.as_bytes())),
            Grantee::Space(_) | Grantee::Link { .. } => None,
        });
        let briefs = people::briefs(&self.db, to.collect()).await?;
        let mut views = Vec::with_capacity(facts.placed.len());
        for placed in &facts.placed {
            let to = match placed.grant.to {
                Grantee::Person(person) => {
                    let brief = briefs.get(person.as_bytes().as_slice()).cloned();
                    Receiver::Person(brief.ok_or(MetaError::Damaged("a grant's person"))?)
                }
                Grantee::Space(id) => {
                    let space = spaces::find(&self.db, id).await?;
                    let space = space.ok_or(MetaError::Damaged("a grant's space"))?;
                    Receiver::Space { id, name: space.name }
                }
                Grantee::Link { public, .. } => Receiver::Link { public },
            };
            let folder = match placed.folder {
                None => None,
                Some(id) => folders::find(&self.db, id).await?.map(|row| (id, row.name)),
            };
            let (right, expires_at) = (placed.grant.right, placed.grant.expires_at);
            views.push(GrantView { to, right, expires_at, folder });
        }
        Ok(views)
    }

    /// Gives a person, or the members of a space, a right on a room or folder, in place of the one before.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such target, person, or space that the giver sees;
    /// [`Refusal::IsOwner`] if the person manages everything there anyhow, having made it.
    pub async fn grant(
        &self,
        on: Target,
        new: &NewGrant,
        by: PersonId,
        now: Millis,
    ) -> Result<GrantView, MetaError> {
        let write = self.write().await?;
        let creator = creator(&write.txn, on).await?;
        let (to, receiver) = match &new.to {
            NewGrantee::Username(username) => {
                let person = grantee(&write.txn, creator, username).await?;
                (Grantee::Person(person.id), Receiver::Person(person))
            }
            NewGrantee::Space(id) => {
                spaces::role_of(&write.txn, *id, by).await?.ok_or(Refusal::NotFound)?;
                let space = spaces::find(&write.txn, *id).await?.ok_or(Refusal::NotFound)?;
                (Grantee::Space(*id), Receiver::Space { id: *id, name: space.name })
            }
        };
        set(&write.txn, on, to, new.right, new.expires_at, by, now).await?;
        let note = note(&write.txn, Act::Granted, on, to).await?.with("right", new.right.name());
        note.with_some("expires_at", new.expires_at).add(&write.txn).await?;
        write.commit("store a grant").await?;
        let (right, expires_at) = (new.right, new.expires_at);
        Ok(GrantView { to: receiver, right, expires_at, folder: None })
    }

    /// Takes back what was given on a room or folder to a person, by user name or id, or to a space. Nothing
    /// changes if they have nothing.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if there is no such target, person or space; [`Refusal::IsOwner`] if the person
    /// made it.
    pub async fn revoke(&self, on: Target, from: &str) -> Result<(), MetaError> {
        let write = self.write().await?;
        let creator = creator(&write.txn, on).await?;
        let to = match grantee(&write.txn, creator, from).await {
            Err(MetaError::Refused(Refusal::NotFound)) => {
                let space = from.parse().map_err(|_| Refusal::NotFound)?;
                take(&write.txn, on, Grantee::Space(space)).await?;
                // No person has that user name: it may be an id of one.
                Grantee::Person(from.parse().map_err(|_| Refusal::NotFound)?)
            }
            person => Grantee::Person(person?.id),
        };
        take(&write.txn, on, to).await?;
        write.commit("remove a grant").await
    }

    /// The rooms on which a grant ended after `after`, and not after `now`.
    ///
    /// # Errors
    /// If the metadata cannot be read.
    pub async fn rooms_with_ended_grants(
        &self,
        after: Millis,
        now: Millis,
    ) -> Result<Vec<RoomId>, MetaError> {
        let ended = access_grant::Entity::find()
            .filter(access_grant::Column::ExpiresAt.gt(db_time(after)))
            .filter(access_grant::Column::ExpiresAt.lte(db_time(now)))
            .all(&self.db)
            .await
            .doing("look for ended grants")?;
        let mut rooms = Vec::new();
        for row in ended {
            rooms.extend(under(&self.db, &row.object).await?);
        }
        Ok(rooms)
    }

    /// The room itself, or all rooms in the folder and below.
    ///
    /// # Errors
    /// If the metadata cannot be read.
    pub async fn rooms_under(&self, target: Target) -> Result<Vec<RoomId>, MetaError> {
        under(&self.db, &target.bytes()).await
    }

    /// The rooms of a space, and those whose rights depend on who its members are.
    ///
    /// # Errors
    /// If the metadata cannot be read.
    pub async fn rooms_of_space(&self, space: SpaceId) -> Result<Vec<RoomId>, MetaError> {
        let id = bytes_of(space.as_bytes());
        let standing: Vec<Vec<u8>> = room::Entity::find()
            .select_only()
            .column(room::Column::Id)
            .filter(room::Column::Space.eq(id.clone()))
            .into_tuple()
            .all(&self.db)
            .await
            .doing("list a space's rooms")?;
        let mut rooms =
            standing.iter().map(|id| room_id(id)).collect::<Result<BTreeSet<_>, _>>()?;
        let granted = access_grant::Entity::find()
            .filter(access_grant::Column::GranteeKind.eq(TO_SPACE))
            .filter(access_grant::Column::Grantee.eq(id))
            .all(&self.db)
            .await
            .doing("list a space's grants")?;
        for row in granted {
            rooms.extend(under(&self.db, &row.object).await?);
        }
        Ok(rooms.into_iter().collect())
    }
}

/// The room of this id, or the rooms below the folder of this id.
async fn under(db: &impl ConnectionTrait, object: &[u8]) -> Result<Vec<RoomId>, MetaError> {
    let below = Query::select()
        .column(folder_above::Column::Folder)
        .from(folder_above::Entity)
        .and_where(folder_above::Column::Above.eq(object.to_vec()))
        .to_owned();
    let ids: Vec<Vec<u8>> = room::Entity::find()
        .select_only()
        .column(room::Column::Id)
        .filter(room::Column::Id.eq(object.to_vec()).or(room::Column::Folder.in_subquery(below)))
        .into_tuple()
        .all(db)
        .await
        .doing("list rooms of a grant")?;
    ids.iter().map(|id| room_id(id)).collect()
}

/// A condition on the rows of `room`: something was granted on it, or on a folder around it.
pub fn reaches_room() -> Condition {
    let objects = || {
        let mut objects = Query::select();
        objects.column(access_grant::Column::Object).from(access_grant::Entity).to_owned()
    };
    let below = Query::select()
        .column(folder_above::Column::Folder)
        .from(folder_above::Entity)
        .and_where(folder_above::Column::Above.in_subquery(objects()))
        .to_owned();
    // A room at the top of its space has no folder: `IN` would say neither yes nor no of it.
    let in_folder = room::Column::Folder.is_not_null().and(room::Column::Folder.in_subquery(below));
    Condition::any().add(room::Column::Id.in_subquery(objects())).add(in_folder)
}

async fn creator(db: &impl ConnectionTrait, on: Target) -> Result<PersonId, MetaError> {
    match on {
        Target::Room(room) => Ok(rooms::find(db, room).await?.ok_or(Refusal::NotFound)?.owner),
        Target::Folder(folder) => {
            Ok(folders::find(db, folder).await?.ok_or(Refusal::NotFound)?.creator)
        }
    }
}

/// The person to whom rights may be given.
async fn grantee(
    db: &impl ConnectionTrait,
    creator: PersonId,
    username: &str,
) -> Result<PersonBrief, MetaError> {
    let person = people::named(db, username).await?.ok_or(Refusal::NotFound)?.person;
    if person.id == creator {
        return Err(Refusal::IsOwner.into());
    }
    Ok(PersonBrief { id: person.id, username: person.username, name: person.name })
}

/// Stores a grant within the caller's transaction, in place of the one before.
pub async fn set(
    db: &impl ConnectionTrait,
    on: Target,
    to: Grantee,
    right: Right,
    expires_at: Option<Millis>,
    by: PersonId,
    now: Millis,
) -> Result<(), MetaError> {
    let (grantee_kind, grantee) = names(to);
    let row = access_grant::ActiveModel {
        object: Set(on.bytes()),
        grantee_kind: Set(grantee_kind.to_owned()),
        grantee: Set(grantee),
        right_name: Set(right.name().to_owned()),
        granted_by: Set(bytes_of(by.as_bytes())),
        granted_at: Set(db_time(now)),
        expires_at: Set(expires_at.map(db_time)),
    };
    let mut replace = OnConflict::columns([
        access_grant::Column::Object,
        access_grant::Column::GranteeKind,
        access_grant::Column::Grantee,
    ]);
    replace.update_columns([
        access_grant::Column::RightName,
        access_grant::Column::GrantedBy,
        access_grant::Column::GrantedAt,
        access_grant::Column::ExpiresAt,
    ]);
    let stored =
        access_grant::Entity::insert(row).on_conflict(replace).exec_without_returning(db).await;
    stored.doing("store a grant")?;
    Ok(())
}

/// Removes a grant and notes that, if there is one.
async fn take(db: &impl ConnectionTrait, on: Target, to: Grantee) -> Result<(), MetaError> {
    if remove(db, on, to).await? {
        note(db, Act::GrantTaken, on, to).await?.add(db).await?;
    }
    Ok(())
}

/// Removes a grant within the caller's transaction. Whether there was one.
pub async fn remove(db: &impl ConnectionTrait, on: Target, to: Grantee) -> Result<bool, MetaError> {
    let (kind, grantee) = names(to);
    let id = (on.bytes(), kind.to_owned(), grantee);
    let gone = access_grant::Entity::delete_by_id(id).exec(db).await.doing("remove a grant")?;
    Ok(gone.rows_affected > 0)
}

/// An act about what somebody has on a room or folder.
async fn note(
    db: &impl ConnectionTrait,
    act: Act,
    on: Target,
    to: Grantee,
) -> Result<Note, MetaError> {
    let note = match on {
        Target::Room(room) => {
            Note::of(act).room(&rooms::find(db, room).await?.ok_or(Refusal::NotFound)?)
        }
        Target::Folder(folder) => {
            Note::of(act).folder(&folders::find(db, folder).await?.ok_or(Refusal::NotFound)?)
        }
    };
    Ok(match to {
        Grantee::Person(person) => note.person(person),
        Grantee::Space(space) => {
            let space = spaces::find(db, space).await?;
            note.with_some("to_space", space.map(|space| space.name))
        }
        Grantee::Link { .. } => note,
    })
}

fn names(to: Grantee) -> (&'static str, Vec<u8>) {
    match to {
        Grantee::Person(person) => (TO_PERSON, bytes_of(person.as_bytes())),
        Grantee::Space(space) => (TO_SPACE, bytes_of(space.as_bytes())),
        Grantee::Link { id, public } => {
            (if public { TO_PUBLIC_LINK } else { TO_LINK }, bytes_of(id.as_bytes()))
        }
    }
}

/// The right of that name, as rows hold it.
pub fn named(name: &str) -> Result<Right, MetaError> {
    Right::named(name).ok_or(MetaError::Damaged("a right's name"))
}
