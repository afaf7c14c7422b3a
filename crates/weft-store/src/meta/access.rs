//! The facts that `weft_core::access` decides on, and its filter in SQL.

use std::collections::BTreeMap;

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    sea_query::{Condition, Expr, ExprTrait, Query, SelectStatement},
};
use weft_core::{
    FolderId, Millis, PersonId, Right, SpaceId,
    access::{self, Circumstances, Filter, Grant, Grantee, Object, SpaceKind, Subject},
};

use super::{
    bytes_of, db_time,
    entities::{access_grant, folder, folder_above, room, space, space_member},
    error::{Doing, MetaError},
    folder_id, grants, link_id, links,
    people::IDS_PER_QUERY_MAX,
    person_id,
    rooms::RoomRow,
    settings, space_id, spaces, time,
};

/// A grant, and the folder that it stands on; `None`: the object itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    pub grant: Grant,
    pub folder: Option<FolderId>,
}

/// An object, with where its grants come from.
#[derive(Debug, Clone)]
pub struct Facts {
    pub object: Object,
    pub placed: Vec<Placed>,
}

impl Facts {
    /// What the person may do, limits of their session aside.
    pub fn check(&self, who: &Subject, now: Millis) -> Option<Right> {
        access::check(who, &self.object, &Circumstances::plain(now))
    }
}

/// What is looked up for an object: the row of a room or of a folder.
pub struct Asked {
    pub id: Vec<u8>,
    pub creator: PersonId,
    pub space: SpaceId,
    /// The folder that it stands in or, of a folder, that it is.
    pub folder: Option<Vec<u8>>,
    pub trashed: bool,
}

impl From<&RoomRow> for Asked {
    fn from(row: &RoomRow) -> Self {
        Self {
            id: bytes_of(row.id.as_bytes()),
            creator: row.owner,
            space: row.space,
            folder: row.folder.map(|folder| bytes_of(folder.as_bytes())),
            trashed: row.trashed_at.is_some(),
        }
    }
}

/// The person, with their roles.
pub async fn subject(db: &impl ConnectionTrait, person: PersonId) -> Result<Subject, MetaError> {
    let rows = space_member::Entity::find()
        .filter(space_member::Column::Person.eq(bytes_of(person.as_bytes())))
        .filter(space_member::Column::Joined.eq(true))
        .all(db)
        .await
        .doing("read a person's roles")?;
    let roles = rows
        .iter()
        .map(|row| Ok((space_id(&row.space)?, spaces::role(&row.role_name)?)))
        .collect::<Result<BTreeMap<_, _>, MetaError>>()?;
    let links = links::held_by(db, person).await?;
    // Everybody with an account has a space of their own.
    let is_guest = rows.is_empty() && links::is_guest(db, person).await?;
    Ok(Subject { person, roles, links, is_guest })
}

/// The facts of one object.
pub async fn facts_of(db: &impl ConnectionTrait, asked: Asked) -> Result<Facts, MetaError> {
    let found = facts(db, vec![asked]).await?.pop();
    found.ok_or(MetaError::Damaged("an object's facts"))
}

/// The facts of objects, in their order.
pub async fn facts(db: &impl ConnectionTrait, asked: Vec<Asked>) -> Result<Vec<Facts>, MetaError> {
    let spaces = spaces_of(db, &asked).await?;
    let above = folders_above(db, &asked).await?;
    let mut holders: Vec<Vec<u8>> = asked.iter().map(|asked| asked.id.clone()).collect();
    holders.extend(above.values().flatten().cloned());
    let grants = grants_on(db, holders).await?;
    let has_public = |grant: &Grant| matches!(grant.to, Grantee::Link { public: true, .. });
    let public_links =
        grants.values().flatten().any(has_public) && settings::public_links(db).await?;

    asked
        .into_iter()
        .map(|asked| {
            let space = spaces
                .get(asked.space.as_bytes().as_slice())
                .ok_or(MetaError::Damaged("a room's space"))?;
            let mut placed: Vec<Placed> = Vec::new();
            let own = grants.get(&asked.id).into_iter().flatten();
            placed.extend(own.map(|&grant| Placed { grant, folder: None }));
            let around = asked.folder.as_ref().and_then(|folder| above.get(folder));
            for folder in around.into_iter().flatten().filter(|folder| **folder != asked.id) {
                let on = Some(folder_id(folder)?);
                let given = grants.get(folder).into_iter().flatten();
                placed.extend(given.map(|&grant| Placed { grant, folder: on }));
            }
            let object = Object {
                creator: asked.creator,
                space: asked.space,
                space_kind: SpaceKind::named(&space.kind)
                    .ok_or(MetaError::Damaged("a space's kind"))?,
                archived: space.archived_at.is_some(),
                outsiders: space.outsiders,
                links: space.links,
                public_links: public_links && space.public_links,
                trashed: asked.trashed,
                grants: placed.iter().map(|placed| placed.grant).collect(),
            };
            Ok(Facts { object, placed })
        })
        .collect()
}

async fn spaces_of(
    db: &impl ConnectionTrait,
    asked: &[Asked],
) -> Result<BTreeMap<Vec<u8>, space::Model>, MetaError> {
    let ids = distinct(asked.iter().map(|asked| bytes_of(asked.space.as_bytes())).collect());
    let mut found = BTreeMap::new();
    for ids in ids.chunks(IDS_PER_QUERY_MAX) {
        let rows = space::Entity::find().filter(space::Column::Id.is_in(ids.iter().cloned()));
        let rows = rows.all(db).await.doing("read spaces")?;
        found.extend(rows.into_iter().map(|row| (row.id.clone(), row)));
    }
    Ok(found)
}

/// The folders around each of the folders, itself included.
async fn folders_above(
    db: &impl ConnectionTrait,
    asked: &[Asked],
) -> Result<BTreeMap<Vec<u8>, Vec<Vec<u8>>>, MetaError> {
    let ids = distinct(asked.iter().filter_map(|asked| asked.folder.clone()).collect());
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for ids in ids.chunks(IDS_PER_QUERY_MAX) {
        let rows = folder_above::Entity::find()
            .filter(folder_above::Column::Folder.is_in(ids.iter().cloned()))
            .all(db)
            .await
            .doing("read folders")?;
        for row in rows {
            found.entry(row.folder).or_default().push(row.above);
        }
    }
    Ok(found)
}

async fn grants_on(
    db: &impl ConnectionTrait,
    holders: Vec<Vec<u8>>,
) -> Result<BTreeMap<Vec<u8>, Vec<Grant>>, MetaError> {
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for ids in distinct(holders).chunks(IDS_PER_QUERY_MAX) {
        let rows = access_grant::Entity::find()
            .filter(access_grant::Column::Object.is_in(ids.iter().cloned()))
            .all(db)
            .await
            .doing("read grants")?;
        for row in rows {
            let grant = grant(&row)?;
            found.entry(row.object).or_default().push(grant);
        }
    }
    Ok(found)
}

fn distinct(mut ids: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// A grant as the core has it.
pub fn grant(row: &access_grant::Model) -> Result<Grant, MetaError> {
    let to = match row.grantee_kind.as_str() {
        grants::TO_PERSON => Grantee::Person(person_id(&row.grantee)?),
        grants::TO_SPACE => Grantee::Space(space_id(&row.grantee)?),
        grants::TO_LINK => Grantee::Link { id: link_id(&row.grantee)?, public: false },
        grants::TO_PUBLIC_LINK => Grantee::Link { id: link_id(&row.grantee)?, public: true },
        _ => return Err(MetaError::Damaged("a grant's receiver")),
    };
    let right = grants::named(&row.right_name)?;
    Ok(Grant { to, right, expires_at: row.expires_at.map(time) })
}

/// A filter as a condition on the rows of `room`.
pub fn on_rooms(filter: &Filter) -> Condition {
    condition(filter, &|filter| match filter {
        Filter::InSpaces(spaces) => room::Column::Space.is_in(ids_of(spaces)),
        Filter::CreatedBy(person) => room::Column::Owner.eq(bytes_of(person.as_bytes())),
        Filter::Trashed => room::Column::TrashedAt.is_not_null(),
        Filter::Granted { .. } | Filter::Linked { .. } => room::Column::Id
            .in_subquery(granted(filter))
            .or(room::Column::Folder.in_subquery(below(granted(filter)))),
        of_space => room::Column::Space.in_subquery(spaces_where(of_space)),
    })
}

/// A filter as a condition on the rows of `folder`.
pub fn on_folders(filter: &Filter) -> Condition {
    condition(filter, &|filter| match filter {
        Filter::InSpaces(spaces) => folder::Column::Space.is_in(ids_of(spaces)),
        Filter::CreatedBy(person) => folder::Column::Creator.eq(bytes_of(person.as_bytes())),
        Filter::Trashed => folder::Column::TrashedAt.is_not_null(),
        Filter::Granted { .. } | Filter::Linked { .. } => {
            folder::Column::Id.in_subquery(below(granted(filter)))
        }
        of_space => folder::Column::Space.in_subquery(spaces_where(of_space)),
    })
}

/// The folders in these, themselves included.
fn below(folders: SelectStatement) -> SelectStatement {
    let mut below = Query::select();
    below
        .column(folder_above::Column::Folder)
        .from(folder_above::Entity)
        .and_where(folder_above::Column::Above.in_subquery(folders));
    below
}

fn condition(filter: &Filter, leaf: &dyn Fn(&Filter) -> Expr) -> Condition {
    match filter {
        Filter::All(filters) => {
            filters.iter().fold(Condition::all(), |all, filter| all.add(condition(filter, leaf)))
        }
        // An empty `any` would be left out of the statement, and with it the condition.
        Filter::Any(filters) if filters.is_empty() => Condition::all().add(Expr::val(1).eq(0)),
        Filter::Any(filters) => {
            filters.iter().fold(Condition::any(), |any, filter| any.add(condition(filter, leaf)))
        }
        Filter::Not(filter) => condition(filter, leaf).not(),
        of_object => Condition::all().add(leaf(of_object)),
    }
}

fn ids_of(spaces: &[SpaceId]) -> Vec<Vec<u8>> {
    spaces.iter().map(|space| bytes_of(space.as_bytes())).collect()
}

fn spaces_where(filter: &Filter) -> SelectStatement {
    let wanted = match filter {
        Filter::InGallery => space::Column::Kind.eq(SpaceKind::Gallery.name()),
        Filter::Archived => space::Column::ArchivedAt.is_not_null(),
        Filter::Outsiders => space::Column::Outsiders.eq(true),
        Filter::Links => space::Column::Links.eq(true),
        Filter::PublicLinks => {
            space::Column::PublicLinks.eq(true).and(Expr::exists(settings::no_public_links()).not())
        }
        // The others are of the object itself, or made of several.
        _ => unreachable!("{filter:?} is not of a space"),
    };
    let mut spaces = Query::select();
    spaces.column(space::Column::Id).from(space::Entity).and_where(wanted);
    spaces
}

/// The objects of the grants that a filter speaks of.
fn granted(filter: &Filter) -> SelectStatement {
    let to = |kind: &str| access_grant::Column::GranteeKind.eq(kind);
    let grantee = access_grant::Column::Grantee;
    let (theirs, right, now) = match filter {
        Filter::Granted { person, spaces, right, now } => {
            let person = to(grants::TO_PERSON).and(grantee.eq(bytes_of(person.as_bytes())));
            let spaces = to(grants::TO_SPACE).and(grantee.is_in(ids_of(spaces)));
            (Condition::any().add(person).add(spaces), *right, *now)
        }
        Filter::Linked { links, public, right, now } => {
            let kinds = [Some(grants::TO_PUBLIC_LINK), (!public).then_some(grants::TO_LINK)];
            let links = links.iter().map(|link| bytes_of(link.as_bytes()));
            let theirs = Condition::all()
                .add(access_grant::Column::GranteeKind.is_in(kinds.into_iter().flatten()))
                .add(grantee.is_in(links));
            (theirs, *right, *now)
        }
        _ => unreachable!("{filter:?} is not of grants"),
    };
    let enough = [Right::Read, Right::Comment, Right::Edit, Right::Manage];
    let enough = enough.into_iter().filter(|&enough| enough >= right).map(Right::name);
    let mut objects = Query::select();
    objects
        .column(access_grant::Column::Object)
        .from(access_grant::Entity)
        .cond_where(theirs)
        .and_where(access_grant::Column::RightName.is_in(enough))
        .and_where(
            access_grant::Column::ExpiresAt
                .is_null()
                .or(access_grant::Column::ExpiresAt.gt(db_time(now))),
        );
    objects
}
