//! Finding people to share with: by the beginning of a name, never by a part of an address.

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Func, LikeExpr, Query, SelectStatement},
};
use weft_core::{PersonId, access::SpaceKind};

use super::{
    Meta, bytes_of,
    entities::{person, space, space_member},
    error::{Doing, MetaError},
    names::name_key,
    people::PersonBrief,
    person_id,
    settings::PeopleFound,
};

/// Escapes what means something in a pattern.
const ESCAPE: char = '\\';

impl Meta {
    /// At most `count_max` people whose user name, or a word of whose name, begins so, or whose e-mail address this is; by
    /// user name. Not the one who searches.
    ///
    /// # Errors
    /// If the metadata cannot be read.
    pub async fn people_found_by(
        &self,
        me: PersonId,
        asked: &str,
        count_max: u64,
    ) -> Result<Vec<PersonBrief>, MetaError> {
        let key = name_key(asked);
        let name = || Expr::expr(Func::lower(Expr::col(person::Column::Name)));
        let words = escaped(&asked.to_lowercase());
        let begins = Condition::any()
            .add(Expr::col(person::Column::UsernameKey).like(begins_with(&escaped(&key))))
            .add(name().like(begins_with(&words)))
            .add(name().like(begins_with(&format!("% {words}"))))
            .add(person::Column::EmailKey.eq(key));
        let found = match self.people_found().await? {
            PeopleFound::Everybody => begins,
            PeopleFound::Shared => {
                Condition::all().add(begins).add(person::Column::Id.in_subquery(near(me)))
            }
        };
        self.briefs_where(me, found, count_max).await
    }

    /// At most `count_max` members of the person's teams, by user name.
    ///
    /// # Errors
    /// If the metadata cannot be read.
    pub async fn people_near(
        &self,
        me: PersonId,
        count_max: u64,
    ) -> Result<Vec<PersonBrief>, MetaError> {
        let near = Condition::all().add(person::Column::Id.in_subquery(near(me)));
        self.briefs_where(me, near, count_max).await
    }

    async fn briefs_where(
        &self,
        me: PersonId,
        wanted: Condition,
        count_max: u64,
    ) -> Result<Vec<PersonBrief>, MetaError> {
        let rows = person::Entity::find()
            .filter(wanted)
            .filter(person::Column::Id.ne(bytes_of(me.as_bytes())))
            .filter(person::Column::DeactivatedAt.is_null())
            .order_by_asc(person::Column::UsernameKey)
            .limit(count_max)
            .all(&self.db)
            .await
            .doing("look for people")?;
        let brief = |row: person::Model| {
            Ok(PersonBrief { id: person_id(&row.id)?, username: row.username, name: row.name })
        };
        rows.into_iter().map(brief).collect()
    }
}

/// Members of the teams of which the person is one.
fn near(me: PersonId) -> SelectStatement {
    let teams = Query::select()
        .column(space::Column::Id)
        .from(space::Entity)
        .and_where(space::Column::Kind.eq(SpaceKind::Team.name()))
        .to_owned();
    let mine = Query::select()
        .column(space_member::Column::Space)
        .from(space_member::Entity)
        .and_where(space_member::Column::Person.eq(bytes_of(me.as_bytes())))
        .and_where(space_member::Column::Joined.eq(true))
        .and_where(space_member::Column::Space.in_subquery(teams))
        .to_owned();
    Query::select()
        .column(space_member::Column::Person)
        .from(space_member::Entity)
        .and_where(space_member::Column::Joined.eq(true))
        .and_where(space_member::Column::Space.in_subquery(mine))
        .to_owned()
}

fn begins_with(escaped: &str) -> LikeExpr {
    LikeExpr::new(format!("{escaped}%")).escape(ESCAPE)
}

fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | ESCAPE) {
            pattern.push(ESCAPE);
        }
        pattern.push(c);
    }
    pattern
}
