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
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;
use weft_core::{Right, room::Replica};

use super::{ApiError, body::Names, rooms::open_content};
use crate::{auth::Caller, state::AppState};

/// What the answer's document has, as a state vector in base64url.
const STATE_VECTOR: HeaderName = HeaderName::from_static("weft-state-vector");
/// A longer one, of a document with a thousand Yjs clients or more, is not told: other programs take
/// headers of 16 KiB at most, all together.
const STATE_VECTOR_BYTES_MAX: usize = 8 << 10;

#[derive(Deserialize)]
pub(super) struct Since {
    state_vector: Option<String>,
}

/// The committed state as a Yjs update, or what a state vector lacks of it.
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

/// Merges a Yjs update. Once this answers, it is durable; it may be sent again, whatever the answer was.
pub(super) async fn merge(
    State(state): State<AppState>,
    caller: Caller,
    Names(room): Names<String>,
    Update(update): Update,
) -> Result<Json<Value>, ApiError> {
    let (signed, view) = open_content(&state, caller, &room, Right::Edit).await?;
    let seq = state.hub.merge(&signed, view.row.id, update).await.map_err(ApiError::Room)?;
    Ok(Json(json!({"seq": seq})))
}

#[derive(Deserialize)]
pub(super) struct Part {
    fragment: Option<String>,
}

/// The committed content as JSON: all roots, or one fragment as an editor's document.
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
