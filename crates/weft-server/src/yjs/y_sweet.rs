//! y-sweet: `GET /d/{doc}/ws/{doc}?token=` for its clients, `POST /doc/…` for the servers of host
//! applications, which make documents and hand their own people tokens for them.
//!
//! Its sockets speak the protocol of y-websocket and one word more: 102, sent back once all before it is
//! durable.

use axum::{
    Json,
    extract::{Path, Query, State},
    http::HeaderMap,
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};
use weft_core::{Right, exchange::Habits, kind::doc::Doc};
use weft_store::{RoomView, Scope, TokenRoom};

use super::{exchange::Words, y_websocket};
use crate::{
    auth::{Caller, authenticate_socket, base_url},
    http::{ApiError, Body, Names, fields, open_room, room_tokens},
    hub::Place,
    state::AppState,
    ws::{Handshake, SocketQuery},
};

/// How long a client's token lasts unless said otherwise: an hour, as with y-sweet.
const SECONDS: u64 = 60 * 60;

/// A client takes any close code for a reason to come back. Who may only read is told so with the
/// token; a change all the same is not stored, and 102 not sent back from then on.
const WORDS: Words = Words {
    habits: Habits { counts: false, ends_with_readers_change: false },
    right: None,
    status: None,
};

/// Opens a socket to one document, which the path names twice.
pub async fn upgrade(
    State(state): State<AppState>,
    Path((doc, again)): Path<(String, String)>,
    Query(query): Query<SocketQuery>,
    headers: HeaderMap,
    handshake: Handshake,
) -> Response {
    let signed =
        authenticate_socket(&state, &headers, query.token.as_deref(), query.guest.as_deref()).await;
    // An empty name is nobody's.
    let room = if doc == again { doc } else { String::new() };
    y_websocket::open(&state, handshake, signed, room, &WORDS)
}

#[derive(Deserialize)]
pub struct Create {
    #[serde(rename = "docId")]
    doc: Option<String>,
}

/// Makes a document of that key, unless it is there already.
///
/// # Errors
/// `bad_request` if the key cannot be one; as making a room.
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    Body(form): Body<Create>,
) -> Result<Json<Value>, ApiError> {
    let signed = caller.with(Scope::Write)?;
    let owner = signed.person.id;
    let key = fields::key(form.doc)?;
    if let Some(doc) = &key
        && state.meta.room(doc, owner).await?.is_some()
    {
        return Ok(Json(json!({"docId": doc})));
    }
    let title = key.clone().unwrap_or_default();
    let id =
        match state.hub.make(owner, Place::own(owner), Doc::NAME, title, key.clone(), None).await {
            // Two at once make one.
            Err(error) if error.is_key_taken() => None,
            made => Some(made?.to_string()),
        };
    Ok(Json(json!({"docId": key.or(id)})))
}

#[derive(Deserialize)]
pub struct Authorize {
    authorization: Option<String>,
    #[serde(rename = "userId")]
    user: Option<String>,
    #[serde(rename = "validForSeconds")]
    seconds: Option<u64>,
}

/// Everything that a client needs to come to a document.
///
/// # Errors
/// `not_found`; `bad_request` if more is asked for than the caller may give.
pub async fn authorize(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Names(doc): Names<String>,
    Body(form): Body<Authorize>,
) -> Result<Json<Value>, ApiError> {
    let signed = caller.with(Scope::RoomTokens)?;
    let RoomView { row, right, .. } = open_room(&state, &signed, &doc, Right::Read).await?;
    let wanted = match form.authorization.as_deref() {
        None if right < Right::Edit => Right::Read,
        None | Some("full") => Right::Edit,
        Some("read-only") => Right::Read,
        Some(_) => return Err(ApiError::BadRequest { field: "authorization", reason: "unknown" }),
    };
    if wanted > right {
        return Err(ApiError::NoRight { needed: wanted });
    }
    let seconds_max = state.config.limits.room_token_seconds_max;
    let seconds = fields::count(form.seconds, "validForSeconds", SECONDS, seconds_max)?;
    let name = fields::optional_name(form.user)?;
    let (token, _) =
        room_tokens::store(&state, &signed, TokenRoom::Id(row.id), wanted, seconds, name).await?;
    let base = base_url(&state, &headers);
    Ok(Json(json!({
        "url": format!("{}/d/{doc}/ws", base.replacen("http", "ws", 1)),
        "baseUrl": format!("{base}/d/{doc}"),
        "docId": doc,
        "token": token.reveal(),
        "authorization": if wanted < Right::Edit { "read-only" } else { "full" },
    })))
}
