//! `GET /yjs/{room}`: the protocol of y-websocket, for unmodified clients. One document a socket.
//!
//! These clients have no queue of ours (L9): the server tells what it has (step 1) on attaching, and
//! takes the answer (step 2) as the retry of whatever was lost. What cannot be stored now ends the
//! socket with a code after which clients come back; what is refused ends it for good.
//!
//! A refusal at the door is a close code too, because these clients knock for ever at a door that
//! answers in HTTP.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::{
        Path, Query, State, WebSocketUpgrade,
        ws::{Message as Socketed, WebSocket},
    },
    http::HeaderMap,
    response::Response,
};
use bytes::Bytes;
use futures_util::{StreamExt, stream::SplitStream};
use tokio::sync::mpsc;
use weft_core::{
    Fault, Millis,
    room::{Message as FromRoom, Outcome, Start},
};
use weft_proto::yjs::{Message, Sync};

use crate::{
    auth::{Signed, authenticate_socket},
    http::ApiError,
    hub::{Command, Connection, Hub, RoomHandle, Voice},
    outbox::{Close, Manner, Outbox},
    state::AppState,
    ws::{READ_BUFFER_BYTES, SocketQuery, linger, rate::Bucket, send_all},
};

/// Updates and questions of one socket that may be under way; above it the socket is not read.
const UNDER_WAY_MAX: usize = 256;

/// Opens a socket to one document.
pub async fn upgrade(
    State(state): State<AppState>,
    Path(room): Path<String>,
    Query(query): Query<SocketQuery>,
    headers: HeaderMap,
    socket: WebSocketUpgrade,
) -> Response {
    let signed = authenticate_socket(&state, &headers, query.token.as_deref()).await;
    let bytes_max = state.config.limits.frame_bytes_max as usize;
    let hub = state.hub.as_ref().clone();
    socket
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(bytes_max)
        .max_frame_size(bytes_max)
        .on_upgrade(move |socket| serve(socket, hub, signed, room))
}

async fn serve(socket: WebSocket, hub: Hub, signed: Result<Signed, ApiError>, room: String) {
    let (sink, mut stream) = socket.split();
    let outbox = Arc::new(Outbox::new(Manner::Messages, hub.limits()));
    let entered = match signed {
        Err(ApiError::StoreFailed) => Err(Close { code: 4503, why: "store_failed" }),
        Err(_) => Err(Close { code: 4401, why: "not_signed_in" }),
        Ok(signed) => hub
            .connect(signed.person.id, signed.token_hash, Arc::clone(&outbox))
            .map(|connection| (connection, signed))
            .ok_or(Close { code: 4503, why: "too_many_connections" }),
    };
    let mut sending = std::pin::pin!(send_all(sink, &outbox));
    let reading = async {
        match &entered {
            Ok((connection, signed)) => {
                read_all(&mut stream, &hub, connection, signed, &room).await
            }
            Err(close) => *close,
        }
    };
    tokio::select! {
        () = &mut sending => {}
        close = reading => {
            outbox.close(close);
            // What waits is still sent, to a client that takes it.
            let _ = tokio::time::timeout(Duration::from_secs(5), sending).await;
        }
    }
    if let Ok((connection, _)) = entered {
        hub.disconnect(&connection).await;
    }
    linger(stream).await;
}

async fn read_all(
    stream: &mut SplitStream<WebSocket>,
    hub: &Hub,
    connection: &Arc<Connection>,
    signed: &Signed,
    room: &str,
) -> Close {
    let (answers, mut from_room) = mpsc::unbounded_channel();
    let attached =
        hub.attach(connection, &signed.person, room, Voice::Yjs(answers), Start::Merge).await;
    let handle = match attached {
        Ok((_, handle)) => handle,
        Err(fault) => return close_of(&fault),
    };
    let mut exchange = Exchange::new(connection, handle);
    let now = || hub.clock().now();
    let limits = hub.limits();
    let mut frames = Bucket::new(limits.frames_burst, limits.frames_per_second, now());
    loop {
        let served = tokio::select! {
            biased;
            said = from_room.recv() => match said {
                Some(message) => exchange.hear_room(message),
                None => Err(Close { code: 4503, why: "room_unavailable" }),
            },
            message = stream.next(), if exchange.under_way.len() < UNDER_WAY_MAX => {
                match message {
                    Some(Ok(_)) if hub.is_stopping() => Ok(()),
                    Some(Ok(message)) => match checked(message, &mut frames, now(), signed) {
                        Ok(Some(bytes)) => exchange.hear_client(bytes).await,
                        Ok(None) => Ok(()),
                        Err(close) => Err(close),
                    },
                    Some(Err(error)) => Err(crate::ws::close_of(&error)),
                    None => Err(Close { code: 4500, why: "gone" }),
                }
            }
        };
        if let Err(close) = served {
            return close;
        }
    }
}

/// The bytes of a message that may be looked at.
fn checked(
    message: Socketed,
    frames: &mut Bucket,
    now: Millis,
    signed: &Signed,
) -> Result<Option<Bytes>, Close> {
    if now >= signed.expires_at {
        return Err(Close { code: 4401, why: "signed_out" });
    }
    // These clients send again when they come back, so that 45xx loses nothing.
    frames.take(now).map_err(|_| Close { code: 4529, why: "rate_limited" })?;
    match message {
        Socketed::Binary(bytes) => Ok(Some(bytes)),
        Socketed::Text(_) => Err(Close { code: 4400, why: "text_frame" }),
        Socketed::Ping(_) | Socketed::Pong(_) => Ok(None),
        Socketed::Close(_) => Err(Close { code: 4500, why: "gone" }),
    }
}

/// One replica's exchange with a room.
struct Exchange<'a> {
    connection: &'a Connection,
    room: RoomHandle,
    ticket: u64,
    /// Updates and questions that are not answered yet.
    under_way: BTreeSet<u64>,
    /// The ticket of the client's first answer to our step 1; no save signal before it is durable
    /// (L1): until then the client may have changes that we have never seen.
    first_step2: Option<u64>,
    in_step: bool,
    /// Echoes that wait until everything up to a ticket is durable.
    echoes: VecDeque<(u64, Bytes)>,
    /// Whether the client was asked once more for what an update lacked.
    asked_again: bool,
}

impl<'a> Exchange<'a> {
    const fn new(connection: &'a Connection, room: RoomHandle) -> Self {
        Self {
            connection,
            room,
            ticket: 0,
            under_way: BTreeSet::new(),
            first_step2: None,
            in_step: false,
            echoes: VecDeque::new(),
            asked_again: false,
        }
    }

    /// The client said something.
    async fn hear_client(&mut self, bytes: Bytes) -> Result<(), Close> {
        let bad = Close { code: 4400, why: "bad_frame" };
        let session = self.connection.session;
        let command = match Message::read(&bytes).map_err(|_| bad)? {
            Message::Sync(Sync::Step1(state_vector)) => {
                Command::Missing(session, self.next_ticket(), own(&state_vector))
            }
            Message::Sync(Sync::Step2(update)) => {
                let ticket = self.next_ticket();
                self.first_step2.get_or_insert(ticket);
                Command::Merge(session, ticket, Ok(own(&update)))
            }
            Message::Sync(Sync::Update(update)) => {
                Command::Merge(session, self.next_ticket(), Ok(own(&update)))
            }
            Message::Awareness(told) => Command::Aware(session, told),
            Message::QueryAwareness => Command::TellAware(session),
            Message::Echo(rest) => {
                self.echoes.push_back((self.ticket, rest));
                self.echo();
                return Ok(());
            }
            Message::Unknown(_) => return Ok(()),
        };
        // An error: the room's task ended, and its last word is on its way.
        let _ = self.room.send(command).await;
        Ok(())
    }

    fn next_ticket(&mut self) -> u64 {
        self.ticket += 1;
        self.under_way.insert(self.ticket);
        self.ticket
    }

    /// The room said something.
    fn hear_room(&mut self, message: FromRoom) -> Result<(), Close> {
        match message {
            FromRoom::Attached(attached) => {
                let has = attached.state_vector.unwrap_or_default();
                self.say(&Message::Sync(Sync::Step1(has)));
            }
            FromRoom::Missing(ticket, missing) => {
                self.under_way.remove(&ticket);
                let missing = missing.map_err(|fault| close_of(&fault))?;
                self.say(&Message::Sync(Sync::Step2(missing)));
                self.echo();
            }
            FromRoom::Aware(told) if !told.is_empty() => self.say(&Message::Awareness(told)),
            FromRoom::Merged(ticket, outcome) => self.merged(ticket, outcome)?,
            FromRoom::StateVector(has) => self.say(&Message::Sync(Sync::Step1(has))),
            FromRoom::Detached(why) | FromRoom::Trouble(why) => return Err(close_of(&why)),
            // What was appended elsewhere is learnt by beginning anew.
            FromRoom::State { .. } => return Err(Close { code: 4503, why: "resync" }),
            _ => {}
        }
        Ok(())
    }

    fn merged(&mut self, ticket: u64, outcome: Outcome) -> Result<(), Close> {
        self.under_way.remove(&ticket);
        match outcome {
            Outcome::Accepted(_) => {
                self.asked_again = false;
                self.in_step |= self.first_step2.is_some_and(|first| first <= ticket);
                self.echo();
                Ok(())
            }
            Outcome::Refused(fault)
                if fault.code == "missing_predecessors" && !self.asked_again =>
            {
                self.asked_again = true;
                self.first_step2 = None;
                self.in_step = false;
                // An error: the room's task ended, and its last word is on its way.
                let _ = self.room.try_send(Command::TellState(self.connection.session));
                Ok(())
            }
            Outcome::Refused(fault) | Outcome::NotSaved(fault) => Err(close_of(&fault)),
            Outcome::Missing(_) => Ok(()),
        }
    }

    fn echo(&mut self) {
        let settled = self.under_way.first().copied().unwrap_or(u64::MAX);
        while self.in_step
            && let Some((after, _)) = self.echoes.front()
            && *after < settled
            && let Some((_, rest)) = self.echoes.pop_front()
        {
            self.say(&Message::Echo(rest));
        }
    }

    fn say(&self, message: &Message) {
        self.connection.outbox.answer(message.write());
    }
}

/// A copy, so that the message it came in is not kept with it.
fn own(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

/// 44xx: for good. 45xx: come back.
fn close_of(fault: &Fault) -> Close {
    let close = |code, why| Close { code, why };
    match &*fault.code {
        "not_found" => close(4404, "not_found"),
        "no_access" => close(4403, "no_access"),
        "no_right" => close(4403, "no_right"),
        "trashed" => close(4404, "trashed"),
        "signed_out" => close(4401, "signed_out"),
        "not_merged" => close(4400, "not_merged"),
        "op_malformed" => close(4400, "op_malformed"),
        "op_too_large" => close(4400, "op_too_large"),
        "missing_predecessors" => close(4400, "missing_predecessors"),
        "quarantined" => close(4400, "quarantined"),
        "room_full" => close(4400, "room_full"),
        "awareness_too_large" => close(4400, "awareness_too_large"),
        "store_failed" => close(4503, "store_failed"),
        "busy" => close(4503, "busy"),
        _ => close(4503, "room_unavailable"),
    }
}
