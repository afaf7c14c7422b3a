//! `GET /ws`: the native protocol's front door. Who may come in, with which bounds.

mod connection;
mod handshake;
pub(crate) mod rate;
mod socket;

use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::Response,
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
    outbox::{Close, Manner, Outbox},
    state::AppState,
};
pub(crate) use handshake::Handshake;
pub(crate) use socket::{Socket, attend};

/// The subprotocol's name.
pub const SUBPROTOCOL: &str = "weft.v1";
/// Clients come back after this long, and up to as long again.
const COME_BACK_MS: u32 = 1_000;

/// What a socket's URL may say.
#[derive(Deserialize)]
pub struct SocketQuery {
    pub(crate) token: Option<String>,
    pub(crate) guest: Option<String>,
}

/// Opens a socket for someone who is signed in.
///
/// # Errors
/// As [`authenticate_socket`]; then there is no socket, but an answer in HTTP.
pub async fn upgrade(
    State(state): State<AppState>,
    Query(query): Query<SocketQuery>,
    headers: HeaderMap,
    handshake: Handshake,
) -> Result<Response, ApiError> {
    let (token, guest) = (query.token.as_deref(), query.guest.as_deref());
    let signed = authenticate_socket(&state, &headers, token, guest).await?;
    let hub = state.hub.as_ref().clone();
    let serve = move |socket| connection::serve(socket, hub, signed);
    Ok(handshake.accept(Some(SUBPROTOCOL), Manner::Frames, &state.config.limits, serve))
}

/// Tells a connection that the server stops, and ends it.
pub fn say_goodbye(outbox: &Outbox) {
    // The Yjs protocols have no such frame; the close code says it.
    if outbox.manner() == Manner::Frames {
        let why = Some(fault(&Fault::new("stopping")));
        let goodbye = wire::Goodbye { retry_after_ms: COME_BACK_MS, why };
        outbox.answer(to_client(Body::Goodbye(goodbye)));
    }
    outbox.close(Close { code: 4503, why: "stopping" });
}
