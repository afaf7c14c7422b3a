//! What happens in a space, as its webhooks hear of it.
//!
//! A delivery is stored in the transaction of the change that it tells of: a change that is rolled back tells nothing, and
//! one that is stored tells of itself, whatever happens to the program afterwards. What somebody does about rights comes
//! here with the note of it ([`noted`]); the rest comes to [`post`].
//!
//! No delivery holds what a room contains, nor a secret; one about a space holds nothing that those who manage it cannot see.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, sea_query::Expr,
};
use serde_json::{Map, Value, json};
use weft_core::{
    FolderId, Millis, PersonId, RoomId, SpaceId,
    access::{Role, SpaceKind},
};

use super::{
    audit::{Act, Note},
    bytes_of, db_time,
    entities::{space_member, webhook, webhook_delivery},
    error::{Doing, MetaError},
    folders, people, rooms, space_id, spaces,
    webhook_deliveries::{DELIVERED, FAILED, WAITING},
    webhooks::{self, OffBecause},
};

/// Deliveries that wait for one webhook; above it the webhook is turned off: nobody takes what is sent there.
pub const WEBHOOK_WAITING_MAX: u64 = 10_000;

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// What a webhook can be told of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Event { $($(#[$doc])* $name,)* }

        impl Event {
            /// All that can be chosen.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }
    };
}

events! {
    /// A room was made.
    RoomCreated = "room.created",
    /// A room has another title.
    RoomRenamed = "room.renamed",
    /// The content of a room changed.
    RoomChanged = "room.changed",
    /// A room stands elsewhere, came, or went.
    RoomMoved = "room.moved",
    /// A room is in the trash.
    RoomTrashed = "room.trashed",
    /// It is not any more.
    RoomRestored = "room.restored",
    /// A folder stands elsewhere, came, or went, with all in it.
    FolderMoved = "folder.moved",
    /// A folder is in the trash, with all in it.
    FolderTrashed = "folder.trashed",
    /// It is not any more.
    FolderRestored = "folder.restored",
    /// Somebody joined the space.
    MemberAdded = "member.added",
    /// A member has another role.
    MemberRoleChanged = "member.role_changed",
    /// A member left, or was removed.
    MemberRemoved = "member.removed",
    /// Somebody was given a right on a room or folder.
    GrantSet = "grant.set",
    /// It was taken back.
    GrantRemoved = "grant.removed",
    /// A room's link was made, or is another.
    LinkSet = "link.set",
    /// A room has no link any more.
    LinkRemoved = "link.removed",
    /// An invite link to a room was made.
    InviteMade = "invite.made",
    /// An invite link was revoked.
    InviteRevoked = "invite.revoked",
}

impl Event {
    /// The one of that code.
    #[must_use]
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|event| event.code() == code)
    }
}

/// Something that happened in a space.
pub struct Happening {
    pub event: Event,
    pub at: Millis,
    /// By whom; `None`: by nobody with an account.
    pub actor: Option<PersonId>,
    pub space: SpaceId,
    pub room: Option<RoomId>,
    pub folder: Option<FolderId>,
    /// Whom it is about.
    pub person: Option<PersonId>,
    pub details: Map<String, Value>,
}

impl Happening {
    /// Something that somebody did to a room.
    pub fn to_room(
        event: Event,
        room: RoomId,
        space: SpaceId,
        actor: PersonId,
        at: Millis,
    ) -> Self {
        let (actor, room) = (Some(actor), Some(room));
        Self { event, at, actor, space, room, folder: None, person: None, details: Map::new() }
    }
}

/// Tells webhooks of an act that was noted, if it is one of which they hear.
pub async fn noted(
    db: &impl ConnectionTrait,
    note: &Note,
    actor: Option<PersonId>,
    at: Millis,
) -> Result<(), MetaError> {
    let (Some(event), Some(space)) = (event_of(note), note.space) else { return Ok(()) };
    let Note { person, room, folder, .. } = *note;
    let happening =
        |space, details| Happening { event, at, actor, space, room, folder, person, details };
    let mut details = details_of(event, &note.params);
    if matches!(event, Event::RoomMoved | Event::FolderMoved) {
        let from = note.params.get("from").and_then(Value::as_str);
        if let Some(Ok(from)) = from.map(str::parse::<SpaceId>) {
            // Whoever manages one of two spaces need not know of the other.
            let left = Map::from_iter([("how".to_owned(), json!("out"))]);
            post(db, &happening(from, left), None).await?;
        }
        details.insert("how".to_owned(), json!(if from.is_some() { "in" } else { "within" }));
    }
    post(db, &happening(space, details), None).await
}

fn event_of(note: &Note) -> Option<Event> {
    let was_member = !note.params.contains_key("invited");
    Some(match note.act {
        Act::Granted | Act::InviteAccepted => Event::GrantSet,
        Act::GrantTaken => Event::GrantRemoved,
        Act::LinkSet | Act::LinkRenewed => Event::LinkSet,
        Act::LinkOff => Event::LinkRemoved,
        Act::InviteMade => Event::InviteMade,
        Act::InviteRevoked => Event::InviteRevoked,
        Act::RoomMoved => Event::RoomMoved,
        Act::RoomTrashed => Event::RoomTrashed,
        Act::RoomRestored => Event::RoomRestored,
        Act::FolderMoved => Event::FolderMoved,
        Act::FolderTrashed => Event::FolderTrashed,
        Act::FolderRestored => Event::FolderRestored,
        Act::MemberJoined => Event::MemberAdded,
        Act::RoleChanged if was_member => Event::MemberRoleChanged,
        Act::HandedOver => Event::MemberRoleChanged,
        Act::MemberRemoved | Act::MemberLeft if was_member => Event::MemberRemoved,
        _ => return None,
    })
}

/// Those parameters of a note that an event of this sort tells, by the names that it has for them.
fn details_of(event: Event, params: &Map<String, Value>) -> Map<String, Value> {
    let told: &[(&str, &str)] = match event {
        Event::GrantSet => {
            &[("right", "right"), ("expires_at", "expires_at"), ("to_space", "to_space")]
        }
        Event::GrantRemoved => &[("to_space", "to_space")],
        Event::LinkSet => &[
            ("who", "who"),
            ("right", "right"),
            ("password", "password"),
            ("expires_at", "expires_at"),
        ],
        Event::InviteMade => {
            &[("right", "right"), ("uses_max", "uses_max"), ("expires_at", "expires_at")]
        }
        Event::MemberAdded | Event::MemberRemoved => &[("role", "role")],
        Event::MemberRoleChanged => &[("from", "role_before"), ("role", "role")],
        _ => &[],
    };
    let value = |(name, says): &(&str, &str)| {
        params.get(*name).map(|value| ((*says).to_owned(), value.clone()))
    };
    told.iter().filter_map(value).collect()
}

/// Somebody who leaves for good is no member of any team any more.
pub async fn departed(
    db: &impl ConnectionTrait,
    person: PersonId,
    actor: Option<PersonId>,
    at: Millis,
) -> Result<(), MetaError> {
    let memberships = space_member::Entity::find()
        .filter(space_member::Column::Person.eq(bytes_of(person.as_bytes())))
        .filter(space_member::Column::Joined.eq(true))
        .all(db)
        .await
        .doing("list memberships")?;
    for row in memberships {
        let details = Map::from_iter([("role".to_owned(), json!(row.role_name))]);
        let (event, space) = (Event::MemberRemoved, space_id(&row.space)?);
        let (room, folder, person) = (None, None, Some(person));
        let gone = Happening { event, at, actor, space, room, folder, person, details };
        post(db, &gone, None).await?;
    }
    Ok(())
}

/// Stores a delivery for each webhook of the space that is to hear of it. With `apart_ms` those about one room are at
/// least so far apart: what happens meanwhile is told by the next.
pub async fn post(
    db: &impl ConnectionTrait,
    happening: &Happening,
    apart_ms: Option<Millis>,
) -> Result<(), MetaError> {
    let hooks = listening(db, happening).await?;
    if hooks.is_empty() {
        return Ok(());
    }
    let data = data_of(db, happening).await?;
    for hook in hooks {
        let mut due = happening.at;
        if let (Some(apart), Some(room)) = (apart_ms, happening.room)
            && let Some(last) = last_about(db, &hook, happening.event, room).await?
        {
            if last.state == WAITING && last.tries == 0 && last.claimed_until == 0 {
                renew(db, last.id, happening.at, &data).await?;
                continue;
            }
            let last_at = last.tried_at.unwrap_or(last.next_at);
            due = due.max(super::time(last_at).saturating_add(apart));
        }
        let waiting = webhook_delivery::Entity::find()
            .filter(webhook_delivery::Column::Webhook.eq(hook.clone()))
            .filter(webhook_delivery::Column::State.eq(WAITING));
        if waiting.count(db).await.doing("count deliveries")? >= WEBHOOK_WAITING_MAX {
            webhooks::turn_off(db, &hook, OffBecause::TooMany, happening.at).await?;
            continue;
        }
        let event = happening.event.code();
        store(db, hook, event, happening.room, &data, (happening.at, due), false).await?;
    }
    Ok(())
}

/// Stores a delivery of something that happened at the first time and is to be told at the second. Its number.
pub async fn store(
    db: &impl ConnectionTrait,
    hook: Vec<u8>,
    event: &str,
    room: Option<RoomId>,
    data: &Value,
    (at, due): (Millis, Millis),
    by_hand: bool,
) -> Result<i64, MetaError> {
    let row = webhook_delivery::ActiveModel {
        webhook: Set(hook),
        event: Set(event.to_owned()),
        room: Set(room.map(|room| bytes_of(room.as_bytes()))),
        at: Set(db_time(at)),
        data: Set(data.to_string()),
        state: Set(WAITING.to_owned()),
        by_hand: Set(by_hand),
        tries: Set(0),
        next_at: Set(db_time(due)),
        claimed_until: Set(0),
        ..Default::default()
    };
    let stored = webhook_delivery::Entity::insert(row).exec(db).await;
    Ok(stored.doing("store a webhook's delivery")?.last_insert_id)
}

/// The webhooks that are to hear of it.
async fn listening(
    db: &impl ConnectionTrait,
    happening: &Happening,
) -> Result<Vec<Vec<u8>>, MetaError> {
    let rows = webhook::Entity::find()
        .filter(webhook::Column::Space.eq(bytes_of(happening.space.as_bytes())))
        .filter(webhook::Column::IsOn.eq(true))
        .all(db)
        .await
        .doing("read webhooks")?;
    let wants =
        |row: &webhook::Model| row.events.split(' ').any(|event| event == happening.event.code());
    let hooks: Vec<_> = rows.into_iter().filter(wants).map(|row| row.id).collect();
    if hooks.is_empty() || is_somebodys_who_cannot_sign_in(db, happening.space).await? {
        return Ok(Vec::new());
    }
    Ok(hooks)
}

/// Nobody manages the own space of somebody who is deactivated.
async fn is_somebodys_who_cannot_sign_in(
    db: &impl ConnectionTrait,
    space: SpaceId,
) -> Result<bool, MetaError> {
    let row = spaces::find(db, space).await?;
    if row.is_none_or(|row| row.kind != SpaceKind::Personal) {
        return Ok(false);
    }
    let owner = PersonId::from_bytes(*space.as_bytes());
    Ok(people::active(db, owner).await?.is_none())
}

async fn data_of(db: &impl ConnectionTrait, happening: &Happening) -> Result<Value, MetaError> {
    let mut data = happening.details.clone();
    let ids = [happening.actor, happening.person].into_iter().flatten();
    let briefs = people::briefs(db, ids.map(|id| bytes_of(id.as_bytes())).collect()).await?;
    let person = |id: Option<PersonId>| {
        let brief = briefs.get(id?.as_bytes().as_slice())?;
        Some(json!({"id": brief.id.to_string(), "username": brief.username, "name": brief.name}))
    };
    data.insert("actor".to_owned(), person(happening.actor).unwrap_or(Value::Null));
    if let Some(about) = person(happening.person) {
        data.insert("person".to_owned(), about);
    }
    if let Some(space) = spaces::find(db, happening.space).await? {
        let told =
            json!({"id": space.id.to_string(), "kind": space.kind.name(), "name": space.name});
        data.insert("space".to_owned(), told);
    }
    if let Some(room) = happening.room
        && let Some(room) = rooms::find(db, room).await?
    {
        let told = json!({"id": room.id.to_string(), "kind": room.kind, "title": room.title});
        data.insert("room".to_owned(), told);
    }
    if let Some(folder) = happening.folder
        && let Some(folder) = folders::find(db, folder).await?
    {
        let told = json!({"id": folder.id.to_string(), "name": folder.name});
        data.insert("folder".to_owned(), told);
    }
    Ok(Value::Object(data))
}

/// The last delivery of this sort about the room.
async fn last_about(
    db: &impl ConnectionTrait,
    hook: &[u8],
    event: Event,
    room: RoomId,
) -> Result<Option<webhook_delivery::Model>, MetaError> {
    let row = webhook_delivery::Entity::find()
        .filter(webhook_delivery::Column::Room.eq(bytes_of(room.as_bytes())))
        .filter(webhook_delivery::Column::Webhook.eq(hook.to_vec()))
        .filter(webhook_delivery::Column::Event.eq(event.code()))
        .filter(webhook_delivery::Column::State.is_in([WAITING, DELIVERED, FAILED]))
        .order_by_desc(webhook_delivery::Column::Id)
        .one(db)
        .await;
    row.doing("read a webhook's delivery")
}

/// What nobody has been told yet tells of the last change.
async fn renew(
    db: &impl ConnectionTrait,
    id: i64,
    at: Millis,
    data: &Value,
) -> Result<(), MetaError> {
    let renewed = webhook_delivery::Entity::update_many()
        .col_expr(webhook_delivery::Column::At, Expr::value(db_time(at)))
        .col_expr(webhook_delivery::Column::Data, Expr::value(data.to_string()))
        .filter(webhook_delivery::Column::Id.eq(id))
        .exec(db)
        .await;
    renewed.doing("renew a webhook's delivery")?;
    Ok(())
}

/// Those who are told what becomes of the space's webhooks.
pub async fn managers(
    db: &impl ConnectionTrait,
    space: SpaceId,
) -> Result<Vec<PersonId>, MetaError> {
    let rows = space_member::Entity::find()
        .filter(space_member::Column::Space.eq(bytes_of(space.as_bytes())))
        .filter(space_member::Column::Joined.eq(true))
        .filter(space_member::Column::RoleName.is_in([Role::Owner.name(), Role::Admin.name()]))
        .all(db)
        .await
        .doing("list members")?;
    rows.iter().map(|row| super::person_id(&row.person)).collect()
}
