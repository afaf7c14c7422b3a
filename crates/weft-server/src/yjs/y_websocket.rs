//! `GET /yjs/{room}`: the protocol of y-websocket. One document a socket; y-sweet's sockets are the
//! same.

use std::{pin::pin, sync::Arc};

use axum::{
    extract::{Path, Query, State},
    http::HeaderMap,
    response::Response,
};
use bytes::Bytes;
use futures_channel::mpsc;
use futures_util::StreamExt as _;
use tokio::time::{Instant, sleep_until};
use tungstenite::Message as Socketed;
use weft_core::{exchange::Habits, room::Start};
use weft_proto::yjs::Message;

use super::{
    checked,
    exchange::{Exchange, Words, close_of},
};
use crate::{
    auth::{Signed, authenticate_socket},
    http::ApiError,
    hub::{Connection, Hub, Voice},
    outbox::{Close, Manner},
    state::AppState,
    ws::{Handshake, Socket, SocketQuery, attend, rate::Bucket},
};

/// 44xx ends it for good.
const WORDS: Words = Words {
    habits: Habits { counts: false, ends_with_readers_change: true },
    right: None,
    status: None,
};

/// Opens a socket to one document.
pub async fn upgrade(
    State(state): State<AppState>,
    Path(room): Path<String>,
    Query(query): Query<SocketQuery>,
    headers: HeaderMap,
    handshake: Handshake,
) -> Response {
    let signed =
        authenticate_socket(&state, &headers, query.token.as_deref(), query.guest.as_deref()).await;
    open(&state, handshake, signed, room, &WORDS)
}

/// Opens a socket to one document, whose client takes these words.
pub fn open(
    state: &AppState,
    handshake: Handshake,
    signed: Result<Signed, ApiError>,
    room: String,
    words: &'static Words,
) -> Response {
    let hub = state.hub.as_ref().clone();
    let serve = move |socket| serve(socket, hub, signed, room, words);
    handshake.accept(None, Manner::Messages, &state.config.limits, serve)
}

async fn serve(
    mut socket: Socket,
    hub: Hub,
    signed: Result<Signed, ApiError>,
    room: String,
    words: &'static Words,
) {
    let outbox = Arc::clone(socket.outbox());
    let entered = match signed {
        Err(ApiError::StoreFailed) => Err(Close { code: 4503, why: "store_failed" }),
        Err(_) => Err(Close { code: 4401, why: "not_signed_in" }),
        Ok(signed) => hub
            .connect(&signed, Arc::clone(&outbox))
            .map(|connection| (connection, signed))
            .ok_or(Close { code: 4503, why: "too_many_connections" }),
    };
    let reading = async {
        match &entered {
            Ok((connection, signed)) => {
                read_all(&mut socket, &hub, connection, signed, &room, words).await
            }
            Err(close) => *close,
        }
    };
    attend(&outbox, pin!(reading)).await;
    if let Ok((connection, _)) = entered {
        Box::pin(hub.disconnect(&connection)).await;
    }
    socket.linger().await;
}

async fn read_all(
    socket: &mut Socket,
    hub: &Hub,
    connection: &Arc<Connection>,
    signed: &Signed,
    room: &str,
    words: &'static Words,
) -> Close {
    let (answers, mut from_room) = mpsc::unbounded();
    let voice = Voice::Yjs { address: Bytes::new(), answers };
    // Boxed, as what happens once must not take up space for ever.
    let attaching = Box::pin(hub.attach(connection, signed, room, voice, Start::Merge));
    let handle = match attaching.await {
        Ok((_, handle)) => handle,
        Err(fault) => return close_of(&fault),
    };
    let now = || hub.clock().now();
    let limits = hub.limits();
    let mut exchange = Exchange::new(words, Arc::clone(connection), handle, Bytes::new(), limits);
    let mut frames = Bucket::new(limits.frames_burst, limits.frames_per_second, now());
    let mut states = Exchange::states(limits, now());
    let mut silence = pin!(sleep_until(exchange.keep_alive_at()));
    loop {
        if exchange.keep_alive_at() < silence.deadline() {
            silence.as_mut().reset(exchange.keep_alive_at());
        }
        let served = tokio::select! {
            biased;
            said = from_room.next() => match said {
                Some((_, message)) => exchange.hear_room(*message, &mut states).await,
                None => Err(Close { code: 4503, why: "room_unavailable" }),
            },
            message = socket.next(), if exchange.can_hear() => match message {
                // Not taken, so not lost: the client still has it.
                Ok(_) if hub.is_stopping() => Ok(()),
                Ok(message) => match read(message, &mut frames, now, signed) {
                    Ok(Some(message)) => exchange.hear_client(message, &mut states, now()).await,
                    Ok(None) => Ok(()),
                    Err(close) => Err(close),
                },
                Err(close) => Err(close),
            },
            () = &mut silence => {
                if exchange.keep_alive_at() <= Instant::now() {
                    exchange.keep_alive();
                }
                silence.as_mut().reset(exchange.keep_alive_at());
                Ok(())
            }
        };
        if let Err(close) = served {
            return close;
        }
    }
}

fn read(
    message: Socketed,
    frames: &mut Bucket,
    now: impl Fn() -> u64,
    signed: &Signed,
) -> Result<Option<Message>, Close> {
    if now() >= signed.expires_at {
        return Err(Close { code: 4401, why: "signed_out" });
    }
    let Some(bytes) = checked(message, frames, now())? else { return Ok(None) };
    let message = Message::read(&bytes);
    message.map(Some).map_err(|_| Close { code: 4400, why: "bad_frame" })
}
