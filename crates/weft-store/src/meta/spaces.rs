//! Spaces and their members.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, OnConflict},
};
use weft_core::{
    Millis, PersonId, SpaceId,
    access::{Role, SpaceKind},
};

use super::{
    Meta,
    audit::{Act, Note},
    bytes_of, db_time,
    entities::{space, space_member},
    error::{Doing, MetaError, Refusal},
    people::{self, PersonBrief},
    person_id, space_id, time,
};

/// The space that is everybody's. There is one, made with the metadata.
pub const GALLERY: SpaceId = SpaceId::from_bytes([0; 16]);

/// The space that is one person's alone: it has their id.
#[must_use]
pub const fn personal(person: PersonId) -> SpaceId {
    SpaceId::from_bytes(*person.as_bytes())
}

/// A space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceRow {
    /// Never changes.
    pub id: SpaceId,
    /// Whose it is.
    pub kind: SpaceKind,
    /// 1–64 characters; empty if it is personal or the gallery.
    pub name: String,
    /// Whether there may be links to its rooms.
    pub links: bool,
    /// Whether they may let guests in.
    pub public_links: bool,
    /// Whether people who are no members may be granted anything.
    pub outsiders: bool,
    /// When it was made.
    pub created_at: Millis,
    /// Since when it is put away.
    pub archived_at: Option<Millis>,
}

/// A space as one person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceView {
    /// The space.
    pub row: SpaceRow,
    /// What they are there; `None`: a guest of the gallery.
    pub role: Option<Role>,
    /// How many members it has.
    pub members: u64,
}

/// Someone asked a person to join a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Which.
    pub space: SpaceId,
    /// Its name.
    pub name: String,
    /// As what.
    pub role: Role,
    /// Who asked.
    pub invited_by: PersonBrief,
    /// When.
    pub at: Millis,
}

/// A member of a space, or somebody who is invited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceMember {
    /// Who.
    pub person: PersonBrief,
    /// What they are, or would be.
    pub role: Role,
    /// Whether they have agreed.
    pub joined: bool,
}

/// Somebody who belongs to a space no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// Who.
    pub person: PersonId,
    /// Whether they had agreed to join.
    pub joined: bool,
}

/// What is to be changed of a space; `None`: stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpaceChange {
    /// 1–64 characters.
    pub name: Option<String>,
    /// Whether there may be links to its rooms.
    pub links: Option<bool>,
    /// Whether they may let guests in.
    pub public_links: Option<bool>,
    /// Whether people who are no members may be granted anything.
    pub outsiders: Option<bool>,
    /// Whether it is put away.
    pub archived: Option<bool>,
}

impl Meta {
    /// The spaces that the person sees, their own first, then the gallery, then teams by name.
    pub async fn spaces_of(&self, person: PersonId) -> Result<Vec<SpaceView>, MetaError> {
        let mut roles = std::collections::BTreeMap::new();
        for row in memberships(&self.db, person, true).await? {
            roles.insert(row.space.clone(), role(&row.role_name)?);
        }
        let seen = Condition::any()
            .add(space::Column::Id.is_in(roles.keys().cloned()))
            .add(space::Column::Kind.eq(SpaceKind::Gallery.name()));
        let rows = space::Entity::find().filter(seen).order_by_asc(space::Column::Name);
        let mut views = Vec::new();
        for row in rows.all(&self.db).await.doing("list spaces")? {
            let role = roles.get(&row.id).copied();
            views.push(SpaceView {
                members: members_of(&self.db, &row.id).await?,
                role,
                row: from_row(&row)?,
            });
        }
        let rank = |kind| match kind {
            SpaceKind::Personal => 0,
            SpaceKind::Gallery => 1,
            SpaceKind::Team => 2,
        };
        views.sort_by_key(|view| rank(view.row.kind));
        Ok(views)
    }

    /// The space as the person sees it; `None` if they are no member.
    pub async fn space_view(
        &self,
        space: SpaceId,
        person: PersonId,
    ) -> Result<Option<SpaceView>, MetaError> {
        let Some(row) = find(&self.db, space).await? else { return Ok(None) };
        let role = role_of(&self.db, space, person).await?;
        if role.is_none() && row.kind != SpaceKind::Gallery {
            return Ok(None);
        }
        let members = members_of(&self.db, space.as_bytes()).await?;
        Ok(Some(SpaceView { row, role, members }))
    }

    /// What others have asked the person to join, the last first.
    pub async fn invitations_of(&self, person: PersonId) -> Result<Vec<Invitation>, MetaError> {
        let rows = memberships(&self.db, person, false).await?;
        let by = people::briefs(&self.db, rows.iter().map(|row| row.invited_by.clone()).collect());
        let by = by.await?;
        let mut invitations = Vec::new();
        for row in rows {
            let Some(space) = find(&self.db, space_id(&row.space)?).await? else { continue };
            let Some(invited_by) = by.get(&row.invited_by).cloned() else { continue };
            invitations.push(Invitation {
                space: space.id,
                name: space.name,
                role: role(&row.role_name)?,
                invited_by,
                at: time(row.at),
            });
        }
        invitations.sort_by_key(|invitation| std::cmp::Reverse(invitation.at));
        Ok(invitations)
    }

    /// Makes a team's space, whose owner the person is.
    ///
    /// # Errors
    /// [`Refusal::TooManySpaces`] if they own `spaces_max` teams already.
    pub async fn create_space(
        &self,
        id: SpaceId,
        name: &str,
        owner: PersonId,
        spaces_max: u64,
        now: Millis,
    ) -> Result<SpaceView, MetaError> {
        let write = self.write().await?;
        let owned = space_member::Entity::find()
            .filter(space_member::Column::Person.eq(bytes_of(owner.as_bytes())))
            .filter(space_member::Column::RoleName.eq(Role::Owner.name()));
        // One of them is personal.
        if owned.count(&write.txn).await.doing("count spaces")? > spaces_max {
            return Err(Refusal::TooManySpaces { limit: spaces_max }.into());
        }
        let row = insert(&write.txn, id, SpaceKind::Team, name, now).await?;
        join(&write.txn, id, owner, Role::Owner, true, owner, now).await?;
        Note::of(Act::SpaceMade).space(id).add(&write.txn).await?;
        write.commit("store a space").await?;
        Ok(SpaceView { row, role: Some(Role::Owner), members: 1 })
    }

    /// Changes a team's space; the rules of a personal one and of the gallery, too.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; [`Refusal::NoRole`] if the person is not admin (to archive: owner).
    pub async fn change_space(
        &self,
        space: SpaceId,
        change: &SpaceChange,
        by: PersonId,
        now: Millis,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        let needed = if change.archived.is_some() { Role::Owner } else { Role::Admin };
        let row = with_role(&write.txn, space, by, needed).await?;
        if row.kind != SpaceKind::Team && (change.name.is_some() || change.archived.is_some()) {
            return Err(Refusal::NotATeam.into());
        }
        let mut update = space::Entity::update_many()
            .filter(space::Column::Id.eq(bytes_of(space.as_bytes())))
            // At least one column has to be set.
            .col_expr(space::Column::Kind, Expr::value(row.kind.name()));
        if let Some(name) = &change.name {
            update = update.col_expr(space::Column::Name, Expr::value(name.as_str()));
        }
        if let Some(links) = change.links {
            update = update.col_expr(space::Column::Links, Expr::value(links));
        }
        if let Some(public_links) = change.public_links {
            update = update.col_expr(space::Column::PublicLinks, Expr::value(public_links));
        }
        if let Some(outsiders) = change.outsiders {
            update = update.col_expr(space::Column::Outsiders, Expr::value(outsiders));
        }
        if let Some(archived) = change.archived {
            let at = archived.then(|| row.archived_at.map_or(db_time(now), db_time));
            update = update.col_expr(space::Column::ArchivedAt, Expr::value(at));
        }
        update.exec(&write.txn).await.doing("change a space")?;
        note_change(&write.txn, space, change).await?;
        write.commit("change a space").await
    }

    /// Members and those invited: by role, the owner first, then by user name.
    pub async fn space_members(&self, space: SpaceId) -> Result<Vec<SpaceMember>, MetaError> {
        let rows = space_member::Entity::find()
            .filter(space_member::Column::Space.eq(bytes_of(space.as_bytes())))
            .all(&self.db)
            .await
            .doing("list members")?;
        let mut briefs =
            people::briefs(&self.db, rows.iter().map(|row| row.person.clone()).collect()).await?;
        let mut members = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(person) = briefs.remove(&row.person) else { continue };
            members.push(SpaceMember { person, role: role(&row.role_name)?, joined: row.joined });
        }
        members.sort_by(|a, b| {
            b.role.cmp(&a.role).then_with(|| a.person.username.cmp(&b.person.username))
        });
        Ok(members)
    }

    /// Asks a person to join. Whoever is a member keeps their role; another invitation takes the
    /// place of the one before.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; [`Refusal::NoRole`] if the asker is not admin (to make admins: owner);
    /// [`Refusal::NotATeam`]; [`Refusal::TooManyMembers`].
    pub async fn invite_member(
        &self,
        space: SpaceId,
        username: &str,
        as_role: Role,
        by: PersonId,
        members_max: u64,
        now: Millis,
    ) -> Result<SpaceMember, MetaError> {
        let write = self.write().await?;
        team(&write.txn, space, by, needed_for(as_role)).await?;
        let person = people::named(&write.txn, username).await?.ok_or(Refusal::NotFound)?.person;
        let person = PersonBrief { id: person.id, username: person.username, name: person.name };
        if let Some(role) = role_of(&write.txn, space, person.id).await? {
            return Ok(SpaceMember { person, role, joined: true });
        }
        let of_space = space_member::Column::Space.eq(bytes_of(space.as_bytes()));
        let all = space_member::Entity::find().filter(of_space).count(&write.txn).await;
        if all.doing("count members")? >= members_max {
            return Err(Refusal::TooManyMembers { limit: members_max }.into());
        }
        join(&write.txn, space, person.id, as_role, false, by, now).await?;
        let note = Note::of(Act::MemberInvited).space(space).person(person.id);
        note.with("role", as_role.name()).add(&write.txn).await?;
        write.commit("store an invitation").await?;
        Ok(SpaceMember { person, role: as_role, joined: false })
    }

    /// The person agrees to join, or declines.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if they are not invited.
    pub async fn answer_invitation(
        &self,
        space: SpaceId,
        person: PersonId,
        agree: bool,
        now: Millis,
    ) -> Result<SpaceRow, MetaError> {
        let write = self.write().await?;
        let row = find(&write.txn, space).await?.ok_or(Refusal::NotFound)?;
        let invited = member(&write.txn, space, person).await?.filter(|row| !row.joined);
        let invited = invited.ok_or(Refusal::NotFound)?;
        if agree {
            let role = role(&invited.role_name)?;
            let by = person_id(&invited.invited_by)?;
            join(&write.txn, space, person, role, true, by, now).await?;
            let note = Note::of(Act::MemberJoined).space(space).person(person);
            note.with("role", role.name()).add(&write.txn).await?;
        } else {
            remove(&write.txn, space, person).await?;
            let note = Note::of(Act::InvitationDeclined).space(space).person(person);
            note.add(&write.txn).await?;
        }
        write.commit("answer an invitation").await?;
        Ok(row)
    }

    /// Gives a member, or somebody invited, another role.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; [`Refusal::NoRole`]; [`Refusal::IsOwner`] if the member is the owner.
    pub async fn set_role(
        &self,
        space: SpaceId,
        username: &str,
        as_role: Role,
        by: PersonId,
    ) -> Result<SpaceMember, MetaError> {
        let write = self.write().await?;
        let (person, row) = other(&write.txn, space, username).await?;
        let now = role(&row.role_name)?;
        team(&write.txn, space, by, needed_for(as_role.max(now))).await?;
        if now == Role::Owner {
            return Err(Refusal::IsOwner.into());
        }
        let (since, invited_by) = (time(row.at), person_id(&row.invited_by)?);
        join(&write.txn, space, person.id, as_role, row.joined, invited_by, since).await?;
        let note = Note::of(Act::RoleChanged).space(space).person(person.id);
        let note = note.with("from", now.name()).with("role", as_role.name());
        note.with_some("invited", (!row.joined).then_some(true)).add(&write.txn).await?;
        write.commit("change a role").await?;
        Ok(SpaceMember { person, role: as_role, joined: row.joined })
    }

    /// Takes a member out, or an invitation back. Everybody but the owner may leave.
    ///
    /// # Errors
    /// As [`Meta::set_role`].
    pub async fn remove_member(
        &self,
        space: SpaceId,
        username: &str,
        by: PersonId,
    ) -> Result<Removed, MetaError> {
        let write = self.write().await?;
        let (person, row) = other(&write.txn, space, username).await?;
        let role = role(&row.role_name)?;
        if person.id != by {
            team(&write.txn, space, by, needed_for(role)).await?;
        }
        if role == Role::Owner {
            return Err(Refusal::IsOwner.into());
        }
        remove(&write.txn, space, person.id).await?;
        let act = if person.id == by { Act::MemberLeft } else { Act::MemberRemoved };
        let note = Note::of(act).space(space).person(person.id).with("role", role.name());
        note.with_some("invited", (!row.joined).then_some(true)).add(&write.txn).await?;
        write.commit("remove a member").await?;
        Ok(Removed { person: person.id, joined: row.joined })
    }

    /// Makes a member the owner; the owner becomes an admin.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if that person is no member, [`Refusal::NoRole`] if `by` is not the owner.
    pub async fn hand_over(
        &self,
        space: SpaceId,
        username: &str,
        by: PersonId,
        now: Millis,
    ) -> Result<(), MetaError> {
        let write = self.write().await?;
        team(&write.txn, space, by, Role::Owner).await?;
        let (person, row) = other(&write.txn, space, username).await?;
        if !row.joined || people::active(&write.txn, person.id).await?.is_none() {
            return Err(Refusal::NotFound.into());
        }
        join(&write.txn, space, by, Role::Admin, true, by, now).await?;
        join(&write.txn, space, person.id, Role::Owner, true, by, now).await?;
        let note = Note::of(Act::HandedOver).space(space).person(person.id);
        let note = note.with("from", role(&row.role_name)?.name());
        note.with("role", Role::Owner.name()).add(&write.txn).await?;
        write.commit("hand a space over").await
    }
}

/// Notes each thing that was changed of a space.
async fn note_change(
    db: &impl ConnectionTrait,
    space: SpaceId,
    change: &SpaceChange,
) -> Result<(), MetaError> {
    let SpaceChange { name, links, public_links, outsiders, archived } = change;
    if let Some(name) = name {
        let note = Note::of(Act::SpaceRenamed).space(space);
        note.with("name", name.as_str()).add(db).await?;
    }
    for (rule, value) in
        [("links", links), ("public_links", public_links), ("outsiders", outsiders)]
    {
        if let Some(value) = value {
            let note = Note::of(Act::RulesChanged).space(space).with("rule", rule);
            note.with("value", *value).add(db).await?;
        }
    }
    if let Some(archived) = archived {
        let act = if *archived { Act::SpaceArchived } else { Act::SpaceUnarchived };
        Note::of(act).space(space).add(db).await?;
    }
    Ok(())
}

/// Who may give this role, or take it.
const fn needed_for(role: Role) -> Role {
    match role {
        Role::Owner | Role::Admin => Role::Owner,
        Role::Editor | Role::Commenter | Role::Viewer => Role::Admin,
    }
}

/// Makes a new person's own space, and an administrator a curator of the gallery, within the
/// caller's transaction.
pub async fn begin(
    db: &impl ConnectionTrait,
    person: PersonId,
    is_admin: bool,
    now: Millis,
) -> Result<(), MetaError> {
    let own = personal(person);
    insert(db, own, SpaceKind::Personal, "", now).await?;
    join(db, own, person, Role::Owner, true, person, now).await?;
    if is_admin {
        join(db, GALLERY, person, Role::Admin, true, person, now).await?;
    }
    Ok(())
}

async fn insert(
    db: &impl ConnectionTrait,
    id: SpaceId,
    kind: SpaceKind,
    name: &str,
    now: Millis,
) -> Result<SpaceRow, MetaError> {
    let row = space::ActiveModel {
        id: Set(bytes_of(id.as_bytes())),
        kind: Set(kind.name().to_owned()),
        name: Set(name.to_owned()),
        links: Set(true),
        outsiders: Set(true),
        created_at: Set(db_time(now)),
        archived_at: Set(None),
        public_links: Set(true),
        quota: Set(None),
        quota_told: Set(false),
    };
    space::Entity::insert(row).exec_without_returning(db).await.doing("store a space")?;
    let name = name.to_owned();
    Ok(SpaceRow {
        id,
        kind,
        name,
        links: true,
        public_links: true,
        outsiders: true,
        created_at: now,
        archived_at: None,
    })
}

/// Stores what somebody is in a space, in place of what they were, within the caller's transaction.
pub async fn join(
    db: &impl ConnectionTrait,
    space: SpaceId,
    person: PersonId,
    role: Role,
    joined: bool,
    invited_by: PersonId,
    at: Millis,
) -> Result<(), MetaError> {
    let row = space_member::ActiveModel {
        space: Set(bytes_of(space.as_bytes())),
        person: Set(bytes_of(person.as_bytes())),
        role_name: Set(role.name().to_owned()),
        joined: Set(joined),
        invited_by: Set(bytes_of(invited_by.as_bytes())),
        at: Set(db_time(at)),
    };
    let mut replace =
        OnConflict::columns([space_member::Column::Space, space_member::Column::Person]);
    replace.update_columns([
        space_member::Column::RoleName,
        space_member::Column::Joined,
        space_member::Column::InvitedBy,
        space_member::Column::At,
    ]);
    let stored =
        space_member::Entity::insert(row).on_conflict(replace).exec_without_returning(db).await;
    stored.doing("store a member")?;
    Ok(())
}

/// Takes somebody out of a space within the caller's transaction.
pub async fn remove(
    db: &impl ConnectionTrait,
    space: SpaceId,
    person: PersonId,
) -> Result<(), MetaError> {
    let id = (bytes_of(space.as_bytes()), bytes_of(person.as_bytes()));
    space_member::Entity::delete_by_id(id).exec(db).await.doing("remove a member")?;
    Ok(())
}

/// The space, if the person has at least this role in it.
///
/// # Errors
/// [`Refusal::NotFound`] if they are no member, else [`Refusal::NoRole`].
pub async fn with_role(
    db: &impl ConnectionTrait,
    space: SpaceId,
    person: PersonId,
    needed: Role,
) -> Result<SpaceRow, MetaError> {
    let row = find(db, space).await?.ok_or(Refusal::NotFound)?;
    match role_of(db, space, person).await? {
        Some(role) if role >= needed => Ok(row),
        None if row.kind != SpaceKind::Gallery => Err(Refusal::NotFound.into()),
        _ => Err(Refusal::NoRole.into()),
    }
}

/// As [`with_role`], of a team.
async fn team(
    db: &impl ConnectionTrait,
    space: SpaceId,
    person: PersonId,
    needed: Role,
) -> Result<(), MetaError> {
    let row = with_role(db, space, person, needed).await?;
    if row.kind == SpaceKind::Team { Ok(()) } else { Err(Refusal::NotATeam.into()) }
}

/// A member of that user name, or one who is invited.
async fn other(
    db: &impl ConnectionTrait,
    space: SpaceId,
    username: &str,
) -> Result<(PersonBrief, space_member::Model), MetaError> {
    let person = people::named(db, username).await?.ok_or(Refusal::NotFound)?.person;
    let row = member(db, space, person.id).await?.ok_or(Refusal::NotFound)?;
    Ok((PersonBrief { id: person.id, username: person.username, name: person.name }, row))
}

async fn member(
    db: &impl ConnectionTrait,
    space: SpaceId,
    person: PersonId,
) -> Result<Option<space_member::Model>, MetaError> {
    let id = (bytes_of(space.as_bytes()), bytes_of(person.as_bytes()));
    space_member::Entity::find_by_id(id).one(db).await.doing("read a member")
}

/// What the person is in the space.
pub async fn role_of(
    db: &impl ConnectionTrait,
    space: SpaceId,
    person: PersonId,
) -> Result<Option<Role>, MetaError> {
    let row = member(db, space, person).await?.filter(|row| row.joined);
    row.map(|row| role(&row.role_name)).transpose()
}

async fn memberships(
    db: &impl ConnectionTrait,
    person: PersonId,
    joined: bool,
) -> Result<Vec<space_member::Model>, MetaError> {
    let rows = space_member::Entity::find()
        .filter(space_member::Column::Person.eq(bytes_of(person.as_bytes())))
        .filter(space_member::Column::Joined.eq(joined));
    rows.all(db).await.doing("list memberships")
}

async fn members_of(db: &impl ConnectionTrait, space: &[u8]) -> Result<u64, MetaError> {
    let rows = space_member::Entity::find()
        .filter(space_member::Column::Space.eq(space.to_vec()))
        .filter(space_member::Column::Joined.eq(true));
    rows.count(db).await.doing("count members")
}

/// The space of that id, as the caller's transaction sees it.
pub async fn find(db: &impl ConnectionTrait, id: SpaceId) -> Result<Option<SpaceRow>, MetaError> {
    let row = space::Entity::find_by_id(bytes_of(id.as_bytes())).one(db).await;
    row.doing("read a space")?.map(|row| from_row(&row)).transpose()
}

/// The role of that name, as rows hold it.
pub fn role(name: &str) -> Result<Role, MetaError> {
    Role::named(name).ok_or(MetaError::Damaged("a role's name"))
}

pub fn from_row(row: &space::Model) -> Result<SpaceRow, MetaError> {
    Ok(SpaceRow {
        id: space_id(&row.id)?,
        kind: SpaceKind::named(&row.kind).ok_or(MetaError::Damaged("a space's kind"))?,
        name: row.name.clone(),
        links: row.links,
        public_links: row.public_links,
        outsiders: row.outsiders,
        created_at: time(row.created_at),
        archived_at: row.archived_at.map(time),
    })
}
