//! Rooms: making, naming, listing, the trash, the text.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use weft_core::{
    Right, RoomId,
    kind::doc::{Block, Doc, compose},
};
use weft_store::{NewRoom, RoomView};

use super::{
    ApiError,
    body::{Body, Names},
    fields, to_the_end,
};
use crate::{
    auth::{self, Signed},
    state::AppState,
};

/// Kinds of rooms that can be made.
const KINDS: [&str; 2] = ["doc", "order"];

#[derive(Deserialize)]
pub(super) struct Listing {
    #[serde(default)]
    trashed: bool,
}

/// What I own or was granted, last changed first.
pub(super) async fn list(
    State(state): State<AppState>,
    signed: Signed,
    listing: Result<Query<Listing>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let malformed = ApiError::BadRequest { field: "trashed", reason: "malformed" };
    let Query(Listing { trashed }) = listing.map_err(|_| malformed)?;
    let count_max = state.config.limits.rooms_listed_max;
    let rooms = state.meta.rooms_of(signed.person.id, trashed, count_max).await?;
    let rooms: Vec<Value> = rooms.iter().map(room_json).collect();
    Ok(Json(json!({"rooms": rooms})))
}

#[derive(Deserialize)]
pub(super) struct Create {
    kind: Option<String>,
    title: Option<String>,
    key: Option<String>,
    template: Option<String>,
}

/// Makes a room: entry 1 of its log first (L2), then its name. A log that nobody knows of does no
/// harm; a name without a log would be a room that cannot be opened.
pub(super) async fn create(
    State(state): State<AppState>,
    signed: Signed,
    Body(form): Body<Create>,
) -> Result<Response, ApiError> {
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
    let owner = signed.person.id;
    let rooms_max = state.config.limits.rooms_per_person_max;
    state.meta.check_room(owner, key.as_deref(), rooms_max).await?;

    let now = state.clock.now();
    let id = RoomId::new(now, auth::random());
    state.hub.create(id, &kind, seed).await?;
    let new = NewRoom { id, kind, title, key, owner };
    state.meta.create_room(&new, rooms_max, now).await?;
    let view = view(&state, &signed, id).await?;
    Ok((StatusCode::CREATED, Json(room_json(&view))).into_response())
}

/// One room.
pub(super) async fn read(
    State(state): State<AppState>,
    signed: Signed,
    Names(room): Names<String>,
) -> Result<Json<Value>, ApiError> {
    let view = open(&state, &signed, &room, Right::Read).await?;
    Ok(Json(room_json(&view)))
}

#[derive(Deserialize)]
pub(super) struct Rename {
    title: Option<String>,
}

/// Gives a room another title.
pub(super) async fn rename(
    State(state): State<AppState>,
    signed: Signed,
    Names(room): Names<String>,
    Body(form): Body<Rename>,
) -> Result<Json<Value>, ApiError> {
    let room = open(&state, &signed, &room, Right::Edit).await?.row.id;
    let title = fields::title(fields::required(form.title, "title")?)?;
    state.meta.rename(room, &title, signed.person.id, state.clock.now()).await?;
    Ok(Json(room_json(&view(&state, &signed, room).await?)))
}

/// Puts a room in the trash. Once this answers, nobody but the owner can open it.
pub(super) async fn trash(
    State(state): State<AppState>,
    signed: Signed,
    Names(room): Names<String>,
) -> Result<Json<Value>, ApiError> {
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
pub(super) async fn restore(
    State(state): State<AppState>,
    signed: Signed,
    Names(room): Names<String>,
) -> Result<Json<Value>, ApiError> {
    let room = open(&state, &signed, &room, Right::Manage).await?.row.id;
    state.meta.set_trashed(room, None).await?;
    Ok(Json(room_json(&view(&state, &signed, room).await?)))
}

/// The committed content as plain text.
pub(super) async fn text(
    State(state): State<AppState>,
    signed: Signed,
    Names(room): Names<String>,
) -> Result<Response, ApiError> {
    let room = open(&state, &signed, &room, Right::Read).await?.row.id;
    let text = state.hub.text(room).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// The room of that id or key, if the person may do that much in it.
///
/// # Errors
/// [`ApiError::NotFound`] if it is not there or may not be known, else [`ApiError::NoRight`].
pub(super) async fn open(
    state: &AppState,
    signed: &Signed,
    id_or_key: &str,
    needed: Right,
) -> Result<RoomView, ApiError> {
    let row = state.meta.room(id_or_key, signed.person.id).await?.ok_or(ApiError::NotFound)?;
    let view = view(state, signed, row.id).await?;
    if view.right >= needed { Ok(view) } else { Err(ApiError::NoRight { needed }) }
}

async fn view(state: &AppState, signed: &Signed, room: RoomId) -> Result<RoomView, ApiError> {
    state.meta.room_view(room, signed.person.id).await?.ok_or(ApiError::NotFound)
}

/// `room` of `docs/api.md`.
pub(super) fn room_json(view: &RoomView) -> Value {
    let RoomView { row, owner, changed_by, right } = view;
    json!({
        "id": row.id.to_string(),
        "key": row.key,
        "kind": row.kind,
        "title": row.title,
        "owner": {"id": owner.id.to_string(), "username": owner.username, "name": owner.name},
        "right": right.name(),
        "created_at": row.created_at,
        "changed_at": row.changed_at,
        "changed_by": changed_by.as_ref().map(|p| json!({"id": p.id.to_string(), "name": p.name})),
        "trashed_at": row.trashed_at,
    })
}
