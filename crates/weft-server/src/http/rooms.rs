//! Rooms: making, naming, listing, the trash, the text.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use weft_core::{
    Right, RoomId,
    access::{self, Circumstances},
    kind::doc::{Block, Doc, compose},
};
use weft_store::{RoomView, Scope, Which, personal};

use super::{
    ApiError,
    answers::{Named, PersonInfo, RightName, SpaceKindName},
    body::{Body, Names},
    fields,
    folders::{Folder, folder_json},
    to_the_end,
};
use crate::{
    auth::{Caller, Credential, Signed},
    hub::Place,
    state::AppState,
};

/// Kinds of rooms that can be made.
const KINDS: [&str; 2] = ["doc", "order"];

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Listing {
    /// An older way to say `which=trashed`.
    #[serde(default)]
    trashed: bool,
    /// `all` (unless said otherwise), `recent`, `starred`, `shared` or `trashed`.
    which: Option<String>,
}

impl Listing {
    fn which(&self) -> Result<Which, ApiError> {
        match self.which.as_deref() {
            None if self.trashed => Ok(Which::Trashed),
            None | Some("all") => Ok(Which::All),
            Some("recent") => Ok(Which::Recent),
            Some("starred") => Ok(Which::Starred),
            Some("shared") => Ok(Which::Shared),
            Some("trashed") => Ok(Which::Trashed),
            Some(_) => Err(ApiError::BadRequest { field: "which", reason: "unknown" }),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Rooms {
    rooms: Vec<Room>,
    /// Of the trash alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    folders: Option<Vec<Folder>>,
}

/// Rooms that I can open.
#[utoipa::path(
    get,
    path = "/rooms",
    params(Listing),
    responses((status = 200, description = "Last changed first", body = Rooms)),
    extensions(("x-weft-access" = json!({"credential": "token", "scope": "read"})))
)]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    listing: Result<Query<Listing>, QueryRejection>,
) -> Result<Json<Rooms>, ApiError> {
    let signed = caller.with(Scope::Read)?;
    let malformed = ApiError::BadRequest { field: "trashed", reason: "malformed" };
    let which = listing.map_err(|_| malformed)?.0.which()?;
    let (me, now) = (signed.person.id, state.clock.now());
    let count_max = state.config.limits.rooms_listed_max;
    let rooms = state.meta.rooms_of(me, which, count_max, now).await?;
    let rooms = rooms.iter().map(room_json).collect();
    if which != Which::Trashed {
        return Ok(Json(Rooms { rooms, folders: None }));
    }
    let folders = state.meta.trashed_folders(me, count_max, now).await?;
    Ok(Json(Rooms { rooms, folders: Some(folders.iter().map(folder_json).collect()) }))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = NewRoomForm)]
pub(super) struct Create {
    /// `doc` or `order`.
    #[schema(required)]
    kind: Option<String>,
    #[schema(max_length = 200)]
    title: Option<String>,
    /// One's own name for it: `[A-Za-z0-9_.:-]{1,128}`.
    key: Option<String>,
    /// `page`: a document that begins with an empty paragraph.
    template: Option<String>,
    space: Option<String>,
    folder: Option<String>,
}

/// Makes a room.
#[utoipa::path(
    post,
    path = "/rooms",
    request_body = Create,
    responses((status = 201, description = "The room", body = Room)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "write", "right": "edit"})),
        ("x-weft-codes" = json!(["key_taken", "room_unavailable", "quota_exceeded"])),
    )
)]
pub(super) async fn create(
    State(state): State<AppState>,
    caller: Caller,
    Body(form): Body<Create>,
) -> Result<Response, ApiError> {
    let signed = caller.with(Scope::Write)?;
    let kind = fields::required(form.kind, "kind")?;
    if !KINDS.contains(&kind.as_str()) {
        return Err(ApiError::BadRequest { field: "kind", reason: "unknown" });
    }
    let title = fields::title(form.title.unwrap_or_default())?;
    let key = fields::key(form.key)?;
    let seed = match form.template.as_deref() {
        None => None,
        // Two editors that find nothing would each begin with a paragraph of their own.
        Some("page") if kind == Doc::NAME => Some(compose(1, &[Block::Paragraph("")])),
        Some(_) => return Err(ApiError::BadRequest { field: "template", reason: "unknown" }),
    };
    let me = signed.person.id;
    let place = match (form.space, form.folder) {
        (None, None) => Place::own(me),
        (space, folder) => {
            let space = space.as_deref().map_or(Ok(personal(me)), fields::space)?;
            Place { space, folder: folder.as_deref().map(fields::folder).transpose()? }
        }
    };
    may_put_at(&state, &signed, place).await?;
    let id = state.hub.make(me, place, &kind, title, key, seed).await?;
    let view = view(&state, &signed, id).await?;
    Ok((StatusCode::CREATED, Json(room_json(&view))).into_response())
}

/// One room.
#[utoipa::path(
    get,
    path = "/rooms/{room}",
    responses((status = 200, description = "The room", body = Room)),
    extensions(("x-weft-access" = json!({"credential": "any", "scope": "read", "right": "read"})))
)]
pub(super) async fn read(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
) -> Result<Json<Room>, ApiError> {
    let (_, view) = open_content(&state, caller, &room, Right::Read).await?;
    Ok(Json(room_json(&view)))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = RoomForm)]
pub(super) struct Change {
    #[schema(max_length = 200)]
    title: Option<String>,
    space: Option<String>,
    /// Null: at the top of the space.
    #[serde(default, deserialize_with = "fields::given")]
    #[schema(value_type = Option<String>)]
    folder: Option<Option<String>>,
}

/// Gives a room another title, or another place. Once this answers, nothing commits that its new
/// place does not allow.
#[utoipa::path(
    patch,
    path = "/rooms/{room}",
    request_body = Change,
    responses((status = 200, description = "As it is now", body = Room)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "edit"})),
        ("x-weft-codes" = json!(["key_taken", "room_unavailable", "quota_exceeded"])),
    )
)]
pub(super) async fn change(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
    Body(form): Body<Change>,
) -> Result<Json<Room>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let view_before = open(&state, &signed, &room, Right::Edit).await?;
    let row = &view_before.row;
    let room = row.id;
    let is_move = form.space.is_some() || form.folder.is_some();
    let title = match form.title {
        None if is_move => None,
        title => Some(fields::title(fields::required(title, "title")?)?),
    };
    let place = if is_move {
        let space = form.space.as_deref().map(fields::space).transpose()?.unwrap_or(row.space);
        let folder = match form.folder {
            Some(folder) => folder.as_deref().map(fields::folder).transpose()?,
            None => row.folder.filter(|_| space == row.space),
        };
        if space != row.space && view_before.right < Right::Manage {
            return Err(ApiError::NoRight { needed: Right::Manage });
        }
        let place = Place { space, folder };
        may_put_at(&state, &signed, place).await?;
        Some(place)
    } else {
        None
    };
    to_the_end(async move {
        if let Some(title) = title {
            state.meta.rename(room, &title, signed.person.id, state.clock.now()).await?;
        }
        if let Some(Place { space, folder }) = place {
            state.meta.move_room(room, space, folder).await?;
            state.look_at_quotas().await?;
            state.hub.rights_changed(room).await?;
        }
        Ok(Json(room_json(&view(&state, &signed, room).await?)))
    })
    .await
}

/// Marks a room, for me alone.
#[utoipa::path(
    put,
    path = "/rooms/{room}/star",
    responses((status = 204, description = "Done")),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "read"})),
    )
)]
pub(super) async fn star(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
) -> Result<StatusCode, ApiError> {
    set_star(&state, caller, &room, true).await
}

/// Takes my mark away.
#[utoipa::path(
    delete,
    path = "/rooms/{room}/star",
    responses((status = 204, description = "Done")),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "read"})),
    )
)]
pub(super) async fn unstar(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
) -> Result<StatusCode, ApiError> {
    set_star(&state, caller, &room, false).await
}

/// Makes a room quiet, for me alone.
#[utoipa::path(
    put,
    path = "/rooms/{room}/mute",
    responses((status = 204, description = "Done")),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "read"})),
    )
)]
pub(super) async fn mute(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
) -> Result<StatusCode, ApiError> {
    set_muted(&state, caller, &room, true).await
}

/// Makes it loud again.
#[utoipa::path(
    delete,
    path = "/rooms/{room}/mute",
    responses((status = 204, description = "Done")),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "read"})),
    )
)]
pub(super) async fn unmute(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
) -> Result<StatusCode, ApiError> {
    set_muted(&state, caller, &room, false).await
}

async fn set_muted(
    state: &AppState,
    caller: Caller,
    room: &str,
    muted: bool,
) -> Result<StatusCode, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let room = open(state, &signed, room, Right::Read).await?.row.id;
    state.meta.set_muted(room, signed.person.id, muted, state.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set_star(
    state: &AppState,
    caller: Caller,
    room: &str,
    starred: bool,
) -> Result<StatusCode, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let room = open(state, &signed, room, Right::Read).await?.row.id;
    state.meta.set_star(room, signed.person.id, starred, state.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether the person may put something there.
///
/// # Errors
/// [`ApiError::NotFound`] if the place is not there or may not be known, else [`ApiError::NoRight`].
pub(super) async fn may_put_at(
    state: &AppState,
    signed: &Signed,
    Place { space, folder }: Place,
) -> Result<(), ApiError> {
    let right = state.meta.right_at(space, folder, signed.person.id, state.clock.now()).await?;
    match right {
        None => Err(ApiError::NotFound),
        Some(right) if right < Right::Edit => Err(ApiError::NoRight { needed: Right::Edit }),
        Some(_) => Ok(()),
    }
}

/// Puts a room in the trash. Once this answers, nobody but the owner can open it.
#[utoipa::path(
    delete,
    path = "/rooms/{room}",
    responses((status = 200, description = "As it is now", body = Room)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["room_unavailable"])),
    )
)]
pub(super) async fn trash(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
) -> Result<Json<Room>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let row = open(&state, &signed, &room, Right::Manage).await?.row;
    to_the_end(async move {
        if row.trashed_at.is_none() {
            let by = (signed.person.id, state.clock.now());
            state.meta.set_trashed(row.id, Some(by)).await?;
        }
        // Also when it was in the trash already: the first attempt may have failed half-way.
        state.hub.trashed(row.id, signed.person.id).await?;
        Ok(Json(room_json(&view(&state, &signed, row.id).await?)))
    })
    .await
}

/// Takes a room out of the trash; everybody has the rights they had.
#[utoipa::path(
    post,
    path = "/rooms/{room}/restore",
    responses((status = 200, description = "As it is now", body = Room)),
    extensions(
        ("x-weft-access" = json!({"credential": "token", "scope": "manage", "right": "manage"})),
        ("x-weft-codes" = json!(["key_taken"])),
    )
)]
pub(super) async fn restore(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
) -> Result<Json<Room>, ApiError> {
    let signed = caller.with(Scope::Manage)?;
    let room = open(&state, &signed, &room, Right::Manage).await?.row.id;
    state.meta.set_trashed(room, None).await?;
    Ok(Json(room_json(&view(&state, &signed, room).await?)))
}

/// The committed content as plain text.
#[utoipa::path(
    get,
    path = "/rooms/{room}/text",
    responses((status = 200, description = "The text", body = String, content_type = "text/plain")),
    extensions(
        ("x-weft-access" = json!({"credential": "any", "scope": "read", "right": "read"})),
        ("x-weft-codes" = json!(["room_unavailable"])),
    )
)]
pub(super) async fn text(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
) -> Result<Response, ApiError> {
    let room = open_content(&state, caller, &room, Right::Read).await?.1.row.id;
    let text = state.hub.text(room).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// The room of that id or key, for a call on its content: any credential may do that, as far as
/// it and its person's right go.
///
/// # Errors
/// As [`open`], and [`ApiError::NoScope`].
pub(super) async fn open_content(
    state: &AppState,
    caller: Caller,
    id_or_key: &str,
    needed: Right,
) -> Result<(Signed, RoomView), ApiError> {
    let scope = if needed == Right::Read { Scope::Read } else { Scope::Write };
    let signed = caller.with_or_room_token(scope)?;
    let view = open(state, &signed, id_or_key, needed).await?;
    Ok((signed, view))
}

/// The room of that id or key, if the person may do that much in it, by this credential.
///
/// # Errors
/// [`ApiError::NotFound`] if it is not there or may not be known, else [`ApiError::NoRight`].
pub(crate) async fn open(
    state: &AppState,
    signed: &Signed,
    id_or_key: &str,
    needed: Right,
) -> Result<RoomView, ApiError> {
    let row = state.hub.find(signed, id_or_key).await?.ok_or(ApiError::NotFound)?;
    let mut view = view(state, signed, row.id).await?;
    if let Credential::Room(pass) | Credential::Guest(pass) = &signed.credential {
        // The trash is its owner's, not for those whom the owner vouches for.
        if view.row.trashed_at.is_some() {
            return Err(ApiError::NotFound);
        }
        view.right = view.right.min(pass.right);
    }
    if view.right >= needed { Ok(view) } else { Err(ApiError::NoRight { needed }) }
}

/// As [`open`], for somebody who is about to change rights in the room: the circumstances count.
///
/// # Errors
/// As [`open`]; [`ApiError::SignInAgain`]; [`ApiError::StoreFailed`] if the store takes no changes.
pub(super) async fn open_to_manage(
    state: &AppState,
    signed: &Signed,
    id_or_key: &str,
) -> Result<RoomView, ApiError> {
    let view = open(state, signed, id_or_key, Right::Manage).await?;
    let when = signed.circumstances(state);
    // Scopes have said already what a token may manage.
    if when.is_read_only {
        return Err(ApiError::StoreFailed);
    }
    if access::limited(view.right, false, &Circumstances { cap: Right::Manage, ..when })
        < Right::Manage
    {
        return Err(ApiError::SignInAgain);
    }
    Ok(view)
}

async fn view(state: &AppState, signed: &Signed, room: RoomId) -> Result<RoomView, ApiError> {
    state.meta.room_view(room, signed.person.id, state.clock.now()).await?.ok_or(ApiError::NotFound)
}

/// A room, as one person sees it.
#[derive(Serialize, ToSchema)]
pub(super) struct Room {
    id: String,
    key: Option<String>,
    kind: String,
    title: String,
    owner: PersonInfo,
    right: RightName,
    created_at: u64,
    changed_at: u64,
    changed_by: Option<Named>,
    trashed_at: Option<u64>,
    /// Null to those who do not see it.
    space: Option<SpaceInfo>,
    /// Null to those who do not see it.
    folder: Option<Named>,
    starred: bool,
    opened_at: Option<u64>,
    /// Whether it does not notify me.
    muted: bool,
}

/// What a room says of its space.
#[derive(Serialize, ToSchema)]
#[schema(as = RoomSpace)]
struct SpaceInfo {
    id: String,
    kind: SpaceKindName,
    name: String,
}

pub(super) fn room_json(view: &RoomView) -> Room {
    let RoomView { row, owner, changed_by, right, space, folder, starred, opened_at, muted } = view;
    Room {
        id: row.id.to_string(),
        key: row.key.clone(),
        kind: row.kind.clone(),
        title: row.title.clone(),
        owner: owner.into(),
        right: (*right).into(),
        created_at: row.created_at,
        changed_at: row.changed_at,
        changed_by: changed_by.as_ref().map(Named::from),
        trashed_at: row.trashed_at,
        space: space.as_ref().map(|space| SpaceInfo {
            id: space.id.to_string(),
            kind: space.kind.into(),
            name: space.name.clone(),
        }),
        folder: folder.as_ref().map(|(id, name)| Named::new(id, name)),
        starred: *starred,
        opened_at: *opened_at,
        muted: *muted,
    }
}
