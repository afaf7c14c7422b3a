//! What a document holds, for servers and scripts: as a Yjs update, as JSON, and updates to it.

use std::time::Duration;

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use utoipa::{IntoParams, ToSchema};
use weft_core::{Right, room::Replica};

use super::{ApiError, answers::YjsUpdate, body::Names, rooms::open_content};
use crate::{auth::Caller, state::AppState};

/// What the answer's document has, as a state vector in base64url.
const STATE_VECTOR: HeaderName = HeaderName::from_static("weft-state-vector");
/// A longer one, of a document with a thousand Yjs clients or more, is not told: other programs take
/// headers of 16 KiB at most, all together.
const STATE_VECTOR_BYTES_MAX: usize = 8 << 10;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Since {
    /// In base64url: what is asked for is what that lacks.
    state_vector: Option<String>,
}

/// The committed state as a Yjs update, or what a state vector lacks of it.
#[utoipa::path(
    get,
    path = "/rooms/{room}/state",
    params(Since),
    responses((status = 200, description = "A Yjs update (v1)", body = YjsUpdate, content_type = "application/octet-stream")),
    extensions(
        ("x-weft-access" = json!({"credential": "any", "scope": "read", "right": "read"})),
        ("x-weft-codes" = json!(["not_merged", "trashed", "room_unavailable", "busy"])),
    )
)]
pub(super) async fn state(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
    since: Result<Query<Since>, QueryRejection>,
) -> Result<Response, ApiError> {
    let room = open_content(&state, caller, &room, Right::Read).await?.1.row.id;
    let malformed = ApiError::BadRequest { field: "state_vector", reason: "malformed" };
    let Query(Since { state_vector }) = since.map_err(|_| malformed.clone())?;
    let text = state_vector.unwrap_or_default();
    let known =
        URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| malformed.clone())?;
    let has = state.hub.state(room, known.into()).await;
    let Replica { update, state_vector } = has.map_err(|fault| match &*fault.code {
        "op_malformed" => malformed,
        _ => ApiError::Room(fault),
    })?;
    let mut headers = HeaderMap::new();
    let octets = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, octets);
    let state_vector = URL_SAFE_NO_PAD.encode(state_vector);
    if state_vector.len() <= STATE_VECTOR_BYTES_MAX
        && let Ok(value) = HeaderValue::try_from(state_vector)
    {
        headers.insert(STATE_VECTOR, value);
    }
    Ok((headers, update).into_response())
}

#[derive(Serialize, ToSchema)]
pub(super) struct Merged {
    /// The room's number for the entry that covers it.
    seq: u64,
}

/// Merges a Yjs update. Once this answers, it is durable; it may be sent again, whatever the answer was.
#[utoipa::path(
    post,
    path = "/rooms/{room}/updates",
    request_body(content = YjsUpdate, content_type = "application/octet-stream"),
    responses((status = 200, description = "It is on disk", body = Merged)),
    extensions(
        ("x-weft-access" = json!({"credential": "any", "scope": "write", "right": "edit"})),
        ("x-weft-codes" = json!(["not_merged", "trashed", "room_full", "op_too_large", "op_malformed", "missing_predecessors", "quarantined", "room_unavailable", "busy"])),
    )
)]
pub(super) async fn merge(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
    Update(update): Update,
) -> Result<Json<Merged>, ApiError> {
    let (signed, view) = open_content(&state, caller, &room, Right::Edit).await?;
    let seq = state.hub.merge(&signed, view.row.id, update).await.map_err(ApiError::Room)?;
    Ok(Json(Merged { seq }))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Part {
    /// The name of one `XmlFragment`, as a document of ProseMirror or Tiptap.
    fragment: Option<String>,
}

/// The committed content as JSON: all roots, or one fragment as an editor's document.
#[utoipa::path(
    get,
    path = "/rooms/{room}/json",
    params(Part),
    responses((status = 200, description = "The content", body = serde_json::Value)),
    extensions(
        ("x-weft-access" = json!({"credential": "any", "scope": "read", "right": "read"})),
        ("x-weft-codes" = json!(["not_merged", "trashed", "room_unavailable", "busy", "too_large"])),
    )
)]
pub(super) async fn as_json(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<Response, ApiError> {
    let room = open_content(&state, caller, &room, Right::Read).await?.1.row.id;
    let malformed = ApiError::BadRequest { field: "fragment", reason: "malformed" };
    let Query(Part { fragment }) = part.map_err(|_| malformed)?;
    let json = state.hub.json(room, fragment).await.map_err(ApiError::Room)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}

/// A body of bytes, as large as an operation may be (the route's body limit).
pub(super) struct Update(Bytes);

impl FromRequest<AppState> for Update {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let limits = &state.config.limits;
        let patience = Duration::from_millis(limits.json_body_ms_max);
        let bytes = timeout(patience, Bytes::from_request(request, state)).await;
        let cut_off = ApiError::BadRequest { field: "body", reason: "malformed" };
        let bytes = bytes.map_err(|_| cut_off.clone())?;
        bytes.map(Self).map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::Room(
                weft_core::Fault::new("op_too_large").with("limit", limits.op_bytes_max),
            ),
            // The sender hung up, or broke the transfer's framing.
            _ => cut_off,
        })
    }
}
