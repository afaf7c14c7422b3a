//! `GET /ws`: the native protocol's front door. Who may come in, with which bounds.

mod connection;
mod rate;

use axum::{
    extract::{Query, State, WebSocketUpgrade},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use weft_core::Fault;
use weft_proto::{
    frame::{fault, to_client},
    wire::{self, server_frame::Body},
};

use crate::{
    auth::authenticate_socket,
    http::ApiError,
    outbox::{Close, Outbox},
    state::AppState,
};

/// The subprotocol's name.
pub const SUBPROTOCOL: &str = "weft.v1";
/// Per connection; larger ones cost memory for every idle socket.
const READ_BUFFER_BYTES: usize = 4096;
/// Clients come back after this long, and up to as long again.
const COME_BACK_MS: u32 = 1_000;

/// What a socket's URL may say.
#[derive(Deserialize)]
pub struct SocketQuery {
    token: Option<String>,
}

/// Opens a socket for someone who is signed in.
///
/// # Errors
/// As [`authenticate_socket`]; then there is no socket, but an answer in HTTP.
pub async fn upgrade(
    State(state): State<AppState>,
    Query(query): Query<SocketQuery>,
    headers: HeaderMap,
    socket: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    let signed = authenticate_socket(&state, &headers, query.token.as_deref()).await?;
    let bytes_max = state.config.limits.frame_bytes_max as usize;
    let hub = state.hub.as_ref().clone();
    let upgraded = socket
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(bytes_max)
        .max_frame_size(bytes_max)
        .on_upgrade(move |socket| connection::serve(socket, hub, signed));
    Ok(upgraded.into_response())
}

/// Tells a connection that the server stops, and ends it.
pub fn say_goodbye(outbox: &Outbox) {
    let why = Some(fault(&Fault::new("stopping")));
    outbox.answer(to_client(Body::Goodbye(wire::Goodbye { retry_after_ms: COME_BACK_MS, why })));
    outbox.close(Close { code: 4503, why: "stopping" });
}
