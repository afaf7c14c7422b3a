//! Lists for administrators: people and spaces, page by page, in the order of their names.

use std::collections::BTreeMap;

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Func, LikeExpr, Query},
};
use weft_core::{
    Millis, SpaceId,
    access::{Role, SpaceKind},
};

use super::{
    Meta, db_time,
    entities::{person, room, sign_in, space, space_member},
    error::{Doing, MetaError},
    name_key,
    people::{self, Person, PersonBrief},
    quotas::{self, Quota, SpaceStorage},
    space_id, time,
};

/// Which people are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeopleQuery {
    /// What their user name, name or address holds.
    pub text: Option<String>,
    /// Whether they administer the workspace.
    pub admin: Option<bool>,
    /// Whether they can sign in.
    pub active: Option<bool>,
    /// The user name after which the page begins.
    pub after: Option<String>,
}

/// Which spaces are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpacesQuery {
    /// People's own instead of the gallery and those of teams.
    pub personal: bool,
    /// In which order, and after which one the page begins.
    pub order: SpacesOrder,
}

/// The order of a list of spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpacesOrder {
    /// The gallery, then the oldest first; after this one.
    Age(Option<SpaceId>),
    /// Those that hold most first; after the one that held so much.
    Use(Option<(u64, SpaceId)>),
}

impl Default for SpacesOrder {
    fn default() -> Self {
        Self::Age(None)
    }
}

/// A person as administrators see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPerson {
    /// Who.
    pub person: Person,
    /// Where they are signed in.
    pub sign_ins: u64,
    /// When they were here last, to the hour; `None`: not since this is noted.
    pub seen_at: Option<Millis>,
}

/// A space as administrators see it, who need not be members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSpace {
    /// Which.
    pub id: SpaceId,
    /// Whose it is.
    pub kind: SpaceKind,
    /// 1–64 characters; empty if it is the gallery, or personal.
    pub name: String,
    /// Whose it is; nobody's if it is the gallery.
    pub owner: Option<PersonBrief>,
    /// How many members it has.
    pub members: u64,
    /// How many rooms stand in it, the trash included.
    pub rooms: u64,
    /// What they take, and what they may take.
    pub storage: SpaceStorage,
    /// When it was made.
    pub created_at: Millis,
    /// Since when it is put away.
    pub archived_at: Option<Millis>,
}

#[derive(FromQueryResult)]
struct Counted {
    id: Vec<u8>,
    count: i64,
}

impl Meta {
    /// At most `count_max` people who have not left, by user name.
    pub async fn people(
        &self,
        query: &PeopleQuery,
        count_max: u64,
        now: Millis,
    ) -> Result<Vec<ListedPerson>, MetaError> {
        let mut rows = person::Entity::find().filter(person::Column::LeftAt.is_null());
        if let Some(text) = &query.text {
            rows = rows.filter(holding(text));
        }
        if let Some(admin) = query.admin {
            rows = rows.filter(person::Column::Admin.eq(admin));
        }
        let deactivated = person::Column::DeactivatedAt;
        rows = match query.active {
            Some(true) => rows.filter(deactivated.is_null()),
            Some(false) => rows.filter(deactivated.is_not_null()),
            None => rows,
        };
        if let Some(after) = &query.after {
            rows = rows.filter(person::Column::UsernameKey.gt(name_key(after)));
        }
        let rows = rows.order_by_asc(person::Column::UsernameKey).limit(count_max);
        let rows = rows.all(&self.db).await.doing("list people")?;
        let ids = rows.iter().map(|row| row.id.clone());
        let counts = sign_in::Entity::find()
            .select_only()
            .column_as(sign_in::Column::Person, "id")
            .column_as(sign_in::Column::TokenHash.count(), "count")
            .filter(sign_in::Column::Person.is_in(ids))
            .filter(sign_in::Column::ExpiresAt.gt(db_time(now)))
            .group_by(sign_in::Column::Person)
            .into_model::<Counted>()
            .all(&self.db)
            .await;
        let counts = by_id(counts.doing("count sign-ins")?);
        let listed = |row: person::Model| {
            let sign_ins = counts.get(&row.id).copied().unwrap_or(0);
            let seen_at = row.seen_at.map(time);
            Ok(ListedPerson { sign_ins, seen_at, person: people::from_row(row)? })
        };
        rows.into_iter().map(listed).collect()
    }

    /// At most `count_max` spaces, of those that are wanted.
    pub async fn all_spaces(
        &self,
        query: SpacesQuery,
        count_max: u64,
    ) -> Result<Vec<ListedSpace>, MetaError> {
        let kind = space::Column::Kind;
        let personal = SpaceKind::Personal.name();
        let of_kind = if query.personal { kind.eq(personal) } else { kind.ne(personal) };
        let mut rows = space::Entity::find().filter(of_kind);
        let later = |after: SpaceId| space::Column::Id.gt(after.as_bytes().to_vec());
        match query.order {
            SpacesOrder::Age(after) => {
                rows = after.map_or(rows.clone(), |after| rows.filter(later(after)));
            }
            SpacesOrder::Use(after) => {
                if let Some((used, after)) = after {
                    let used = quotas::db_bytes(used);
                    let less = used_by_row().lt(used);
                    rows = rows.filter(less.or(used_by_row().eq(used).and(later(after))));
                }
                rows = rows.order_by_desc(used_by_row());
            }
        }
        let rows = rows.order_by_asc(space::Column::Id).limit(count_max);
        let rows = rows.all(&self.db).await.doing("list spaces")?;
        let ids: Vec<Vec<u8>> = rows.iter().map(|row| row.id.clone()).collect();
        let members = space_member::Entity::find()
            .select_only()
            .column_as(space_member::Column::Space, "id")
            .column_as(space_member::Column::Person.count(), "count")
            .filter(space_member::Column::Space.is_in(ids.clone()))
            .filter(space_member::Column::Joined.eq(true))
            .group_by(space_member::Column::Space)
            .into_model::<Counted>()
            .all(&self.db)
            .await;
        let members = by_id(members.doing("count members")?);
        let rooms = room::Entity::find()
            .select_only()
            .column_as(room::Column::Space, "id")
            .column_as(room::Column::Id.count(), "count")
            .filter(room::Column::Space.is_in(ids.clone()))
            .group_by(room::Column::Space)
            .into_model::<Counted>()
            .all(&self.db)
            .await;
        let rooms = by_id(rooms.doing("count rooms")?);
        let used = quotas::used_by(&self.db, &ids).await?;
        let defaults = self.default_quotas().await?;
        let owners = space_member::Entity::find()
            .filter(space_member::Column::Space.is_in(ids))
            .filter(space_member::Column::RoleName.eq(Role::Owner.name()))
            .all(&self.db)
            .await
            .doing("list owners")?;
        let briefs = owners.iter().map(|row| row.person.clone()).collect();
        let briefs = people::briefs(&self.db, briefs).await?;
        let owners: BTreeMap<Vec<u8>, Vec<u8>> =
            owners.into_iter().map(|row| (row.space, row.person)).collect();
        let listed = |row: space::Model| {
            let kind = SpaceKind::named(&row.kind).ok_or(MetaError::Damaged("a space's kind"))?;
            let own = Quota::from_column(row.quota);
            Ok(ListedSpace {
                id: space_id(&row.id)?,
                kind,
                owner: owners.get(&row.id).and_then(|owner| briefs.get(owner)).cloned(),
                members: members.get(&row.id).copied().unwrap_or(0),
                rooms: rooms.get(&row.id).copied().unwrap_or(0),
                storage: SpaceStorage {
                    used: used.get(&row.id).copied().unwrap_or(0),
                    own,
                    limit: defaults.limit(kind, own),
                },
                name: row.name,
                created_at: time(row.created_at),
                archived_at: row.archived_at.map(time),
            })
        };
        rows.into_iter().map(listed).collect()
    }
}

/// What the row's space holds.
fn used_by_row() -> Expr {
    let rooms = Query::select()
        .expr(Func::coalesce([quotas::sum_of_bytes(), Expr::value(0_i64)]))
        .from(room::Entity)
        .and_where(
            Expr::col((room::Entity, room::Column::Space))
                .eq(Expr::col((space::Entity, space::Column::Id))),
        )
        .to_owned();
    Expr::SubQuery(None, Box::new(rooms.into()))
}

/// People of whom some name holds the text, whatever its case; of names shown to others Latin letters only.
fn holding(text: &str) -> Condition {
    let key = pattern(&name_key(text));
    let name = pattern(&text.to_lowercase());
    Condition::any()
        .add(person::Column::UsernameKey.like(key.clone()))
        .add(person::Column::EmailKey.like(key))
        .add(Expr::expr(Func::lower(Expr::col(person::Column::Name))).like(name))
}

/// Text with anything around it. What databases take for placeholders is taken as it is.
fn pattern(text: &str) -> LikeExpr {
    let mut escaped = String::with_capacity(text.len() + 2);
    escaped.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped.push('%');
    LikeExpr::new(escaped).escape('\\')
}

fn by_id(counted: Vec<Counted>) -> BTreeMap<Vec<u8>, u64> {
    counted.into_iter().map(|row| (row.id, u64::try_from(row.count).unwrap_or(0))).collect()
}
