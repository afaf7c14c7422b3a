//! `GET /hocuspocus`: the protocol of Hocuspocus. Many documents a socket, each with a token of its
//! own.
//!
//! Each address is an attachment of its own, also two sessions of one document. Nothing is kept of
//! an address before its token was good: what a provider sends before that it sends again with
//! its answer to our step 1.

use std::{
    collections::{BTreeMap, HashMap},
    pin::pin,
    sync::Arc,
};

use axum::{extract::State, response::Response};
use bytes::Bytes;
use futures_channel::mpsc;
use futures_util::StreamExt as _;
use tokio::time::{Duration, Instant, sleep};
use weft_core::{
    Right, SessionId,
    exchange::{Habits, QUIET_MS_MAX},
    room::{Message as FromRoom, Start},
};
use weft_proto::yjs::hocuspocus::{self as words, Body, Frame, addressed};

use super::{
    checked,
    exchange::{Exchange, Words, close_of},
};
use crate::{
    auth::{Via, authenticate_token},
    http::ApiError,
    hub::{Answer, Command, Connection, Hub, Voice},
    outbox::{Close, Manner, Outbox},
    state::AppState,
    ws::{Handshake, Socket, attend, rate::Bucket},
};

/// A provider counts what it sends, and knows that it may only read.
const WORDS: Words = Words {
    habits: Habits { counts: true, ends_with_readers_change: false },
    right: Some(|right| words::authenticated(right < Right::Edit)),
    status: Some(words::sync_status),
};

/// The longest address: a key, and a session's name.
const ADDRESS_BYTES_MAX: usize = 1024;
/// The application's words for all who follow a document: a notice, not content.
const STATELESS_BYTES_MAX: usize = 64 << 10;
/// The first version of providers that know a ping.
const PING_VERSION: u32 = 4;
/// For how long at most a socket is silent.
const QUIET_MAX: Duration = Duration::from_millis(QUIET_MS_MAX);

/// Opens a socket. Who comes is said in it, for each document.
pub async fn upgrade(State(state): State<AppState>, handshake: Handshake) -> Response {
    let limits = state.config.limits.clone();
    handshake.accept(None, Manner::Messages, &limits, move |socket| serve(socket, state))
}

async fn serve(mut socket: Socket, state: AppState) {
    let outbox = Arc::clone(socket.outbox());
    let (answers, from_rooms) = mpsc::unbounded();
    let mut reader = Reader::new(&state, Arc::clone(&outbox), answers);
    attend(&outbox, pin!(reader.read_all(&mut socket, from_rooms))).await;
    for document in reader.documents.values() {
        Box::pin(state.hub.disconnect(&document.connection)).await;
    }
    socket.linger().await;
}

/// What one address stands for.
struct Document {
    address: String,
    connection: Arc<Connection>,
    expires_at: u64,
    exchange: Exchange,
}

struct Reader<'a> {
    state: &'a AppState,
    hub: &'a Hub,
    outbox: Arc<Outbox>,
    answers: mpsc::UnboundedSender<Answer>,
    documents: BTreeMap<SessionId, Document>,
    sessions: HashMap<String, SessionId>,
    frames: Bucket,
    relays: Bucket,
    states: Bucket,
    has_signed_in: bool,
    refusals: u64,
    knows_ping: bool,
}

impl<'a> Reader<'a> {
    fn new(
        state: &'a AppState,
        outbox: Arc<Outbox>,
        answers: mpsc::UnboundedSender<Answer>,
    ) -> Self {
        let (hub, limits) = (state.hub.as_ref(), state.hub.limits());
        let now = hub.clock().now();
        Self {
            state,
            hub,
            outbox,
            answers,
            documents: BTreeMap::new(),
            sessions: HashMap::new(),
            frames: Bucket::new(limits.frames_burst, limits.frames_per_second, now),
            relays: Bucket::new(limits.ops_burst, limits.ops_per_second, now),
            states: Exchange::states(limits, now),
            has_signed_in: false,
            refusals: 0,
            knows_ping: false,
        }
    }

    async fn read_all(
        &mut self,
        socket: &mut Socket,
        mut from_rooms: mpsc::UnboundedReceiver<Answer>,
    ) -> Close {
        let hello = Duration::from_millis(self.hub.limits().hello_ms_max);
        let mut silence = pin!(sleep(hello));
        loop {
            let had_signed_in = self.has_signed_in;
            let can_hear = self.documents.values().all(|document| document.exchange.can_hear());
            let served = tokio::select! {
                biased;
                Some((session, message)) = from_rooms.next() => {
                    self.hear_room(session, *message).await
                }
                message = socket.next(), if can_hear => match message {
                    // Not taken, so not lost: the client still has it.
                    Ok(_) if self.hub.is_stopping() => Ok(()),
                    Ok(message) => {
                        match checked(message, &mut self.frames, self.hub.clock().now()) {
                            Ok(Some(bytes)) => self.hear_client(&bytes).await,
                            Ok(None) => Ok(()),
                            Err(close) => Err(close),
                        }
                    }
                    Err(close) => Err(close),
                },
                () = &mut silence => {
                    silence.as_mut().reset(Instant::now() + QUIET_MAX);
                    self.keep_alive()
                }
            };
            if let Err(close) = served {
                return close;
            }
            if self.has_signed_in && !had_signed_in {
                silence.as_mut().reset(Instant::now() + QUIET_MAX);
            }
        }
    }

    fn keep_alive(&mut self) -> Result<(), Close> {
        if !self.has_signed_in {
            return Err(Close { code: 4408, why: "silent" });
        }
        if self.knows_ping {
            self.outbox.answer(words::ping());
        }
        for document in self.documents.values_mut() {
            document.exchange.forget_what_it_had();
            if !self.knows_ping {
                document.exchange.keep_alive();
            }
        }
        Ok(())
    }

    async fn hear_room(&mut self, session: SessionId, message: FromRoom) -> Result<(), Close> {
        let Some(document) = self.documents.get_mut(&session) else { return Ok(()) };
        match document.exchange.hear_room(message, &mut self.states).await {
            Ok(()) => Ok(()),
            Err(why) => self.end(session, why).await,
        }
    }

    async fn hear_client(&mut self, bytes: &Bytes) -> Result<(), Close> {
        let bad = Close { code: 4400, why: "bad_frame" };
        let (address, body) = match Frame::read(bytes).map_err(|_| bad)? {
            Frame::Ping => {
                self.outbox.answer(words::pong());
                return Ok(());
            }
            Frame::Pong => return Ok(()),
            Frame::To(address, _) if address.len() > ADDRESS_BYTES_MAX => return Err(bad),
            Frame::To(address, body) => (address, body),
        };
        match (self.sessions.get(&address).copied(), body) {
            (session, Body::Token { token, version }) => {
                let version = version.as_deref().and_then(|v| v.split('.').next()?.parse().ok());
                self.knows_ping |= version.is_some_and(|major: u32| major >= PING_VERSION);
                // Boxed, as what happens once must not take up space for ever.
                Box::pin(self.sign_in(address, session, &token)).await
            }
            (Some(session), body) => self.hear_about(session, body).await,
            (None, _) => Ok(()),
        }
    }

    /// A client says who it is, for one document.
    async fn sign_in(
        &mut self,
        address: String,
        present: Option<SessionId>,
        token: &str,
    ) -> Result<(), Close> {
        let limits = self.hub.limits();
        let signed = match authenticate_token(self.state, token, Via::Query).await {
            Ok(signed) => signed,
            Err(ApiError::StoreFailed) => return Err(Close { code: 4503, why: "store_failed" }),
            Err(_) => {
                let why = Close { code: 4401, why: "not_signed_in" };
                return match present {
                    Some(session) => self.end(session, why).await,
                    None => self.refuse(&address, why),
                };
            }
        };
        if let Some(document) = present.and_then(|session| self.documents.get_mut(&session)) {
            if document.connection.token_hash != signed.token_hash {
                // What the other token allows is found out by beginning anew.
                return Err(Close { code: 4503, why: "resync" });
            }
            document.expires_at = signed.expires_at;
            return Ok(());
        }
        if self.documents.len() as u64 >= limits.rooms_per_connection_max {
            return self.refuse(&address, Close { code: 4400, why: "too_many_rooms" });
        }
        let too_many = Close { code: 4503, why: "too_many_connections" };
        let connection = self.hub.connect(&signed, Arc::clone(&self.outbox)).ok_or(too_many)?;
        let name = address.split('\0').next().unwrap_or_default();
        let said = words::address(&address);
        let voice = Voice::Yjs { address: said.clone(), answers: self.answers.clone() };
        match self.hub.attach(&connection, &signed, name, voice, Start::Merge).await {
            Ok((_, handle)) => {
                let session = connection.session;
                let exchange = Exchange::new(&WORDS, Arc::clone(&connection), handle, said, limits);
                let expires_at = signed.expires_at;
                self.sessions.insert(address.clone(), session);
                let document = Document { address, connection, expires_at, exchange };
                self.documents.insert(session, document);
                self.has_signed_in = true;
                Ok(())
            }
            Err(fault) => {
                self.hub.disconnect(&connection).await;
                self.refuse(&address, close_of(&fault))
            }
        }
    }

    /// A token was not good for its document; nothing is kept of it.
    fn refuse(&mut self, address: &str, why: Close) -> Result<(), Close> {
        self.refusals += 1;
        let is_nobody =
            !self.has_signed_in && self.refusals > self.hub.limits().rooms_per_connection_max;
        if why.code >= 4500 || is_nobody {
            return Err(why);
        }
        self.outbox.answer(addressed(&words::address(address), &words::denied(why.why)));
        Ok(())
    }

    /// The exchange about a document is over: with the socket, if the client is to come back.
    async fn end(&mut self, session: SessionId, why: Close) -> Result<(), Close> {
        if why.code >= 4500 {
            return Err(why);
        }
        if let Some(address) = self.forget(session).await {
            let address = words::address(&address);
            self.outbox.answer(addressed(&address, &words::denied(why.why)));
            self.outbox.answer(addressed(&address, &words::close(why.why)));
        }
        Ok(())
    }

    async fn forget(&mut self, session: SessionId) -> Option<String> {
        let document = self.documents.remove(&session)?;
        self.sessions.remove(&document.address);
        Box::pin(self.hub.disconnect(&document.connection)).await;
        Some(document.address)
    }

    async fn hear_about(&mut self, session: SessionId, body: Body) -> Result<(), Close> {
        let now = self.hub.clock().now();
        let Some(document) = self.documents.get_mut(&session) else { return Ok(()) };
        if now >= document.expires_at {
            return Err(Close { code: 4401, why: "signed_out" });
        }
        match body {
            Body::Yjs(message) => {
                match document.exchange.hear_client(message, &mut self.states, now).await {
                    Ok(()) => Ok(()),
                    Err(why) => self.end(session, why).await,
                }
            }
            Body::BroadcastStateless(payload) => self.relay(session, &payload).await,
            Body::Close => {
                if let Some(address) = self.forget(session).await {
                    let address = words::address(&address);
                    self.outbox.answer(addressed(&address, &words::close("closed")));
                }
                Ok(())
            }
            // A word for the server's application, and there is none.
            Body::Stateless(_) | Body::Token { .. } | Body::Unknown(_) => Ok(()),
        }
    }

    /// Passes an application's words on to all who follow the document.
    async fn relay(&mut self, session: SessionId, payload: &Bytes) -> Result<(), Close> {
        let Some(document) = self.documents.get(&session) else { return Ok(()) };
        if document.exchange.right() < Right::Edit {
            return self.end(session, Close { code: 4403, why: "no_right" }).await;
        }
        if payload.len() > STATELESS_BYTES_MAX {
            return self.end(session, Close { code: 4400, why: "stateless_too_large" }).await;
        }
        let now = self.hub.clock().now();
        self.relays.take(now).map_err(|_| Close { code: 4529, why: "rate_limited" })?;
        document.exchange.ask(Command::Relay(words::stateless(payload))).await;
        Ok(())
    }
}
