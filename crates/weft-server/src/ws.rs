//! `GET /ws`: the native protocol's front door. Who may come in, with which bounds.

mod connection;
pub(crate) mod rate;

use std::time::Duration;

use axum::{
    extract::{
        Query, State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
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
    outbox::{Close, Manner, Next, Outbox},
    state::AppState,
};

/// The subprotocol's name.
pub const SUBPROTOCOL: &str = "weft.v1";
/// Per connection; larger ones cost memory for every idle socket.
pub(crate) const READ_BUFFER_BYTES: usize = 4096;
/// How long a client may take to close its side.
const LINGER: Duration = Duration::from_secs(2);
/// Clients come back after this long, and up to as long again.
const COME_BACK_MS: u32 = 1_000;

/// What a socket's URL may say.
#[derive(Deserialize)]
pub struct SocketQuery {
    pub(crate) token: Option<String>,
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
    // The Yjs protocols have no such frame; the close code says it.
    if outbox.manner() == Manner::Frames {
        let why = Some(fault(&Fault::new("stopping")));
        let goodbye = wire::Goodbye { retry_after_ms: COME_BACK_MS, why };
        outbox.answer(to_client(Body::Goodbye(goodbye)));
    }
    outbox.close(Close { code: 4503, why: "stopping" });
}

/// Sends what waits in an outbox, until the connection ends.
pub(crate) async fn send_all(mut sink: SplitSink<WebSocket, Message>, outbox: &Outbox) {
    loop {
        let (message, last) = match outbox.next().await {
            Next::Message(bytes) => (Message::Binary(bytes), false),
            Next::Close(Close { code, why }) => {
                (Message::Close(Some(CloseFrame { code, reason: why.into() })), true)
            }
        };
        if sink.send(message).await.is_err() || last {
            return;
        }
    }
}

/// Waits until the client has closed its side, for a while: a socket that is dropped with unread
/// bytes is reset, and the client would never read why.
pub(crate) async fn linger(mut stream: SplitStream<WebSocket>) {
    let drained = async { while let Some(Ok(_)) = stream.next().await {} };
    let _ = tokio::time::timeout(LINGER, drained).await;
}

/// How to close after reading failed.
pub(crate) fn close_of(error: &axum::Error) -> Close {
    use std::error::Error as _;
    // The library tells a message above the limit from a broken line by its text alone.
    let mut text = error.to_string();
    if let Some(source) = error.source() {
        text.push_str(&source.to_string());
    }
    if text.to_lowercase().contains("too long") || text.to_lowercase().contains("too big") {
        Close { code: 4400, why: "frame_too_large" }
    } else {
        Close { code: 4500, why: "gone" }
    }
}
