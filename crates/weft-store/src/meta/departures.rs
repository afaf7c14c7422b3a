//! People who may not sign in any more, for a time or for good, and who administers the workspace.
//!
//! Who leaves for good becomes a row without a name: logs and lists go on pointing at it. What they owned goes
//! to somebody else, in place: their own space becomes a team's, so that every address and every grant in it
//! stays what it was.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    sea_query::{Expr, Query},
};
use weft_core::{
    Millis, PersonId, RoomId, SpaceId,
    access::{Role, SpaceKind},
};

use super::{
    Meta, access_tokens, account_links,
    audit::{Act, Note, Origin},
    bytes_of, db_time,
    entities::{
        access_grant, folder, identity, invite, opened, person, picture, recovery_code, room,
        room_token, space, space_member, star, workspace_invite,
    },
    error::{Doing, MetaError, Refusal},
    grants,
    people::{self, Person},
    room_id, sign_ins, space_id, spaces, webhook_events, webhooks,
};

/// What has to be told to rooms and sockets after somebody has left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Departure {
    /// Hashes of the sign-ins and access tokens that have ended.
    pub ended: Vec<[u8; 32]>,
    /// Spaces whose owner is another one now, or that are put away.
    pub spaces: Vec<SpaceId>,
    /// Rooms in no such space that belong to another one now.
    pub rooms: Vec<RoomId>,
}

impl Meta {
    /// Ends all sign-ins and tokens of a person, and the links that they made, and lets them make no
    /// others. Hashes of what has ended.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; [`Refusal::LastAdmin`].
    pub async fn deactivate(&self, id: PersonId, now: Millis) -> Result<Vec<[u8; 32]>, MetaError> {
        let write = self.write().await?;
        let person = present(&write.txn, id).await?;
        check_not_last(&write.txn, &person).await?;
        let at = person.deactivated_at.unwrap_or(now);
        set(&write.txn, id, person::Column::DeactivatedAt, Some(db_time(at))).await?;
        let ended = shut_out(&write.txn, id).await?;
        Note::of(Act::AccountDeactivated).person(id).add(&write.txn).await?;
        write.commit("deactivate a person").await?;
        Ok(ended)
    }

    /// Lets a person sign in again, with the password that they had.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn reactivate(&self, id: PersonId) -> Result<(), MetaError> {
        let write = self.write().await?;
        let person = present(&write.txn, id).await?;
        if person.deactivated_at.is_none() {
            return Ok(());
        }
        // What a call made that was under way when they were deactivated.
        shut_out(&write.txn, id).await?;
        set(&write.txn, id, person::Column::DeactivatedAt, None::<i64>).await?;
        Note::of(Act::AccountReactivated).person(id).add(&write.txn).await?;
        write.commit("reactivate a person").await
    }

    /// Ends all sign-ins of a person, and the room tokens minted with them. Their hashes.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn end_sign_ins(&self, id: PersonId) -> Result<Vec<[u8; 32]>, MetaError> {
        let write = self.write().await?;
        present(&write.txn, id).await?;
        let ended = sign_ins::end_all(&write.txn, id, None).await?;
        let note = Note::of(Act::SignInsEnded).person(id);
        note.with("count", ended.len()).add(&write.txn).await?;
        write.commit("end sign-ins").await?;
        Ok(ended)
    }

    /// Makes a person an administrator, who curates the gallery too, or takes that away.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; [`Refusal::LastAdmin`].
    pub async fn set_admin(&self, id: PersonId, admin: bool, now: Millis) -> Result<(), MetaError> {
        let write = self.write().await?;
        let person = present(&write.txn, id).await?;
        if person.admin == admin {
            return Ok(());
        }
        if admin {
            spaces::join(&write.txn, spaces::GALLERY, id, Role::Admin, true, id, now).await?;
        } else {
            check_not_last(&write.txn, &person).await?;
            spaces::remove(&write.txn, spaces::GALLERY, id).await?;
        }
        set(&write.txn, id, person::Column::Admin, admin).await?;
        let act = if admin { Act::AdminMade } else { Act::AdminTaken };
        Note::of(act).person(id).add(&write.txn).await?;
        write.commit("change who administers").await
    }

    /// Removes an account for good. What the person owns goes to `heir`; without one, rooms that only they
    /// could open go to the trash, and what others may see stays readable.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; [`Refusal::LastAdmin`]; [`Refusal::BadHeir`]; [`Refusal::HeirNeeded`] without an
    /// heir, if they own a team that has other members.
    pub async fn depart(
        &self,
        id: PersonId,
        heir: Option<PersonId>,
        now: Millis,
    ) -> Result<Departure, MetaError> {
        let write = self.write().await?;
        let db = &write.txn;
        let person = present(db, id).await?;
        check_not_last(db, &person).await?;
        let spaces = owned(db, id).await?;
        let mut departure = Departure { spaces, ..Departure::default() };
        match heir {
            Some(heir) => {
                if heir == id || people::active(db, heir).await?.is_none() {
                    return Err(Refusal::BadHeir.into());
                }
                departure.rooms = hand_over(db, &person, heir, &departure.spaces, now).await?;
            }
            None => abandon(db, id, &departure.spaces, now).await?,
        }
        departure.ended = shut_out(db, id).await?;
        webhook_events::departed(db, id, Origin::actor(), now).await?;
        // Nobody but they chose where what happens there is sent.
        webhooks::remove_all(db, spaces::personal(id)).await?;
        forget(db, id, now).await?;
        Note::of(Act::AccountRemoved).person(id).with("name", person.username).add(db).await?;
        write.commit("remove a person").await?;
        Ok(departure)
    }
}

/// The person, who may be deactivated but has not left.
///
/// # Errors
/// [`Refusal::NotFound`].
async fn present(db: &impl ConnectionTrait, id: PersonId) -> Result<Person, MetaError> {
    let row = person::Entity::find_by_id(bytes_of(id.as_bytes()))
        .filter(person::Column::LeftAt.is_null())
        .one(db)
        .await;
    people::from_row(row.doing("read a person")?.ok_or(Refusal::NotFound)?)
}

/// # Errors
/// [`Refusal::LastAdmin`] if nobody else administers the workspace.
async fn check_not_last(db: &impl ConnectionTrait, person: &Person) -> Result<(), MetaError> {
    if !person.admin || person.deactivated_at.is_some() {
        return Ok(());
    }
    let others = person::Entity::find()
        .filter(person::Column::Admin.eq(true))
        .filter(person::Column::DeactivatedAt.is_null())
        .filter(person::Column::Id.ne(bytes_of(person.id.as_bytes())));
    match others.count(db).await.doing("count administrators")? {
        0 => Err(Refusal::LastAdmin.into()),
        _ => Ok(()),
    }
}

/// Ends everything with which the person, or somebody by their doing, comes in.
async fn shut_out(db: &impl ConnectionTrait, id: PersonId) -> Result<Vec<[u8; 32]>, MetaError> {
    let me = bytes_of(id.as_bytes());
    let mut ended = sign_ins::end_all(db, id, None).await?;
    ended.extend(access_tokens::end_all(db, id).await?);
    let gone = room_token::Entity::delete_many().filter(room_token::Column::Person.eq(me.clone()));
    gone.exec(db).await.doing("end room tokens")?;
    account_links::remove_all(db, id).await?;
    // With a link of their own they would come back under another name.
    let gone = workspace_invite::Entity::delete_many();
    let gone = gone.filter(workspace_invite::Column::CreatedBy.eq(me.clone())).exec(db).await;
    gone.doing("end invite links")?;
    let revoked = invite::Entity::update_many()
        .col_expr(invite::Column::Revoked, Expr::value(true))
        .filter(invite::Column::CreatedBy.eq(me))
        .exec(db)
        .await;
    revoked.doing("end invite links")?;
    Ok(ended)
}

/// The spaces that the person owns, their own among them.
async fn owned(db: &impl ConnectionTrait, id: PersonId) -> Result<Vec<SpaceId>, MetaError> {
    let rows = space_member::Entity::find()
        .filter(space_member::Column::Person.eq(bytes_of(id.as_bytes())))
        .filter(space_member::Column::RoleName.eq(Role::Owner.name()))
        .all(db)
        .await
        .doing("list spaces")?;
    rows.iter().map(|row| space_id(&row.space)).collect()
}

/// Makes `heir` the owner of the person's spaces, and of the rooms that the person made in their own and in the
/// gallery. Those rooms of the gallery.
async fn hand_over(
    db: &impl ConnectionTrait,
    person: &Person,
    heir: PersonId,
    spaces: &[SpaceId],
    now: Millis,
) -> Result<Vec<RoomId>, MetaError> {
    let own = spaces::personal(person.id);
    let made = space::Entity::update_many()
        .col_expr(space::Column::Kind, Expr::value(SpaceKind::Team.name()))
        .col_expr(space::Column::Name, Expr::value(person.name.as_str()))
        .filter(space::Column::Id.eq(bytes_of(own.as_bytes())))
        .exec(db)
        .await;
    made.doing("make a space a team's")?;
    for &space in spaces {
        spaces::join(db, space, heir, Role::Owner, true, heir, now).await?;
    }

    let (from, to) = (bytes_of(person.id.as_bytes()), bytes_of(heir.as_bytes()));
    let places = [own, spaces::GALLERY].map(|space| bytes_of(space.as_bytes()));
    let theirs = || {
        Condition::all()
            .add(room::Column::Owner.eq(from.clone()))
            .add(room::Column::Space.is_in(places.clone()))
    };
    let mut keys_of_heir = Query::select();
    keys_of_heir
        .column(room::Column::Key)
        .from(room::Entity)
        .and_where(room::Column::Owner.eq(to.clone()))
        .and_where(room::Column::Key.is_not_null());
    let keyless = room::Entity::update_many()
        .col_expr(room::Column::Key, Expr::value(None::<String>))
        .filter(theirs())
        .filter(room::Column::Key.in_subquery(keys_of_heir))
        .exec(db)
        .await;
    keyless.doing("free keys")?;
    let in_gallery = room::Entity::find()
        .filter(room::Column::Owner.eq(from.clone()))
        .filter(room::Column::Space.eq(places[1].clone()))
        .all(db)
        .await
        .doing("list rooms")?;
    let handed = room::Entity::update_many()
        .col_expr(room::Column::Owner, Expr::value(to.clone()))
        .filter(theirs())
        .exec(db)
        .await;
    handed.doing("hand rooms over")?;
    let handed = folder::Entity::update_many()
        .col_expr(folder::Column::Creator, Expr::value(to))
        .filter(folder::Column::Creator.eq(from.clone()))
        .filter(folder::Column::Space.is_in(places.clone()))
        .exec(db)
        .await;
    handed.doing("hand folders over")?;
    in_gallery.iter().map(|row| room_id(&row.id)).collect()
}

/// Puts the person's spaces away. Rooms there that nobody else can open go to the trash.
async fn abandon(
    db: &impl ConnectionTrait,
    id: PersonId,
    spaces: &[SpaceId],
    now: Millis,
) -> Result<(), MetaError> {
    let me = bytes_of(id.as_bytes());
    let ids: Vec<_> = spaces.iter().map(|space| bytes_of(space.as_bytes())).collect();
    let others = space_member::Entity::find()
        .filter(space_member::Column::Space.is_in(ids.clone()))
        .filter(space_member::Column::Joined.eq(true))
        .filter(space_member::Column::Person.ne(me.clone()));
    if others.count(db).await.doing("count members")? > 0 {
        return Err(Refusal::HeirNeeded.into());
    }
    let away = space::Entity::update_many()
        .col_expr(space::Column::ArchivedAt, Expr::value(db_time(now)))
        .filter(space::Column::Id.is_in(ids.clone()))
        .filter(space::Column::ArchivedAt.is_null())
        .exec(db)
        .await;
    away.doing("put spaces away")?;
    let lost = room::Entity::update_many()
        .col_expr(room::Column::TrashedAt, Expr::value(db_time(now)))
        .col_expr(room::Column::TrashedBy, Expr::value(me))
        .filter(room::Column::Space.is_in(ids))
        .filter(room::Column::TrashedAt.is_null())
        .filter(grants::reaches_room().not())
        .exec(db)
        .await;
    lost.doing("trash rooms")?;
    Ok(())
}

/// Takes away all that says who the person was, and all that was theirs alone.
async fn forget(db: &impl ConnectionTrait, id: PersonId, now: Millis) -> Result<(), MetaError> {
    let me = bytes_of(id.as_bytes());
    let row = person::ActiveModel {
        id: Set(me.clone()),
        username: Set(String::new()),
        // Nobody can type it: user names hold no colon.
        username_key: Set(format!("left:{id}")),
        name: Set(String::new()),
        email: Set(None),
        email_key: Set(None),
        email_verified: Set(false),
        password_hash: Set(String::new()),
        admin: Set(false),
        time_zone: Set(None),
        phone: Set(None),
        totp_secret: Set(None),
        totp_on: Set(false),
        seen_at: Set(None),
        deactivated_at: Set(Some(db_time(now))),
        left_at: Set(Some(db_time(now))),
        ..Default::default()
    };
    person::Entity::update(row).exec(db).await.doing("forget a person")?;
    macro_rules! forget {
        ($($table:ident of $column:ident),*) => {$(
            let gone = $table::Entity::delete_many()
                .filter($table::Column::$column.eq(me.clone()))
                .exec(db)
                .await;
            gone.doing("forget what was a person's")?;
        )*};
    }
    forget!(
        space_member of Person, access_grant of Grantee, star of Person, opened of Person,
        recovery_code of Person, picture of Person, identity of Person
    );
    Ok(())
}

async fn set<T: Into<sea_orm::Value>>(
    db: &impl ConnectionTrait,
    id: PersonId,
    column: person::Column,
    value: T,
) -> Result<(), MetaError> {
    let changed = person::Entity::update_many()
        .col_expr(column, Expr::value(value))
        .filter(person::Column::Id.eq(bytes_of(id.as_bytes())))
        .exec(db)
        .await;
    changed.doing("change a person")?;
    Ok(())
}
