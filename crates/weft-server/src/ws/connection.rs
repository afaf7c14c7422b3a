//! One connection of the native protocol: reads frames, checks their form and rate, and passes them
//! to rooms. Two halves, one task: what comes in, and what waits in the outbox.

use std::{pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use tungstenite::Message;
use weft_core::{
    ClientId, Fault, RoomId,
    room::{Outcome, Since, Start},
};
use weft_proto::{
    frame::{self, room_from_wire, room_to_wire, to_client},
    wire::{self, client_frame::Body as In, server_frame::Body as Out},
};

use super::{Socket, attend, rate::Bucket};
use crate::{
    auth::Signed,
    hub::{Command, Connection, Hub, Voice},
    outbox::Close,
};

/// Serves a socket until it ends.
pub async fn serve(mut socket: Socket, hub: Hub, signed: Signed) {
    let outbox = Arc::clone(socket.outbox());
    if let Some(connection) = hub.connect(&signed, Arc::clone(&outbox)) {
        let mut reader = Reader::new(&hub, &connection, &signed);
        attend(&outbox, pin!(reader.read_all(&mut socket))).await;
        Box::pin(hub.disconnect(&connection)).await;
    } else {
        let too_many = Close { code: 4429, why: "too_many_connections" };
        attend(&outbox, pin!(std::future::ready(too_many))).await;
    }
    socket.linger().await;
}

struct Reader<'a> {
    hub: &'a Hub,
    connection: &'a Arc<Connection>,
    signed: &'a Signed,
    /// The client ids that this connection may speak for; empty before `Hello`.
    clients: Vec<u64>,
    ops: Bucket,
    frames: Bucket,
}

const CONTINUE: Result<(), Close> = Ok(());

impl<'a> Reader<'a> {
    fn new(hub: &'a Hub, connection: &'a Arc<Connection>, signed: &'a Signed) -> Self {
        let (limits, now) = (hub.limits(), hub.clock().now());
        Self {
            hub,
            connection,
            signed,
            clients: Vec::new(),
            ops: Bucket::new(limits.ops_burst, limits.ops_per_second, now),
            frames: Bucket::new(limits.frames_burst, limits.frames_per_second, now),
        }
    }

    /// Reads until the socket or the right to use it ends, and says how to close it.
    async fn read_all(&mut self, socket: &mut Socket) -> Close {
        loop {
            let limits = self.hub.limits();
            let patience =
                if self.clients.is_empty() { limits.hello_ms_max } else { 3 * limits.heartbeat_ms };
            let silence = Duration::from_millis(patience);
            let message = match tokio::time::timeout(silence, socket.next()).await {
                Err(_) => return Close { code: 4408, why: "silent" },
                Ok(Err(close)) => return close,
                Ok(Ok(message)) => message,
            };
            if self.connection.outbox.is_closing() {
                return Close { code: 4401, why: "signed_out" };
            }
            if self.hub.is_stopping() {
                // Not taken, so not lost: the client still has it.
                continue;
            }
            let served = match message {
                Message::Binary(bytes) => self.message(bytes).await,
                Message::Text(_) => Err(Close { code: 4400, why: "text_frame" }),
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => CONTINUE,
                Message::Close(_) => Err(Close { code: 4500, why: "gone" }),
            };
            if let Err(close) = served {
                return close;
            }
        }
    }

    async fn message(&mut self, bytes: Bytes) -> Result<(), Close> {
        let bad = Close { code: 4400, why: "bad_frame" };
        let frames: Vec<wire::ClientFrame> = frame::read(bytes).map_err(|_| bad)?;
        for frame in frames {
            let now = self.hub.clock().now();
            self.frames.take(now).map_err(|_| Close { code: 4429, why: "rate_limited" })?;
            if now >= self.signed.expires_at {
                return Err(Close { code: 4401, why: "signed_out" });
            }
            match frame.body {
                // Boxed, as attaching is: what happens once must not take up space for ever.
                Some(In::Hello(hello)) if self.clients.is_empty() => {
                    Box::pin(self.hello(hello)).await?;
                }
                Some(_) if self.clients.is_empty() => {
                    return Err(Close { code: 4400, why: "hello_expected" });
                }
                Some(body) => self.frame(body).await?,
                None => self.trouble(Bytes::new(), &Fault::new("unknown_frame")),
            }
        }
        CONTINUE
    }

    async fn hello(&mut self, hello: wire::Hello) -> Result<(), Close> {
        if hello.version != frame::VERSION {
            return Err(Close { code: 4406, why: "version_unsupported" });
        }
        let failed = |error| {
            tracing::error!(%error, "client ids not issued");
            Close { code: 4503, why: "store_failed" }
        };
        let (meta, now) = (self.hub.meta(), self.hub.clock().now());
        let (holder, face) = (self.signed.holder(), self.signed.face());
        let mut ids = hello.client_ids;
        ids.truncate(CLIENT_IDS_MAX);
        let claimed = meta.claim_clients(holder, &ids, now).await.map_err(failed)?;
        self.clients.clone_from(&claimed.valid);
        let own = match claimed.valid.first() {
            Some(&own) => own,
            None => {
                let new = meta.new_client(holder, now).await.map_err(failed)?.0;
                self.clients.push(new);
                new
            }
        };
        let limits = self.hub.limits();
        self.answer(Out::Welcome(wire::Welcome {
            session_id: self.connection.session.0,
            client_id: own,
            client_ids: claimed.valid,
            retired_ids: claimed.retired,
            person_id: Bytes::copy_from_slice(face.id.as_bytes()),
            name: face.name,
            server_time_ms: now,
            heartbeat_ms: to_u32(limits.heartbeat_ms),
            op_bytes_max: to_u32(limits.op_bytes_max),
            window: to_u32(weft_core::WINDOW),
        }));
        CONTINUE
    }

    async fn frame(&mut self, body: In) -> Result<(), Close> {
        match body {
            In::Hello(_) => return Err(Close { code: 4400, why: "bad_frame" }),
            In::Ping(wire::Ping { nonce }) => self.answer(Out::Pong(wire::Pong { nonce })),
            In::Attach(attach) => Box::pin(self.attach(attach)).await,
            In::Detach(wire::Detach { room }) => {
                let room = room_id(&room)?;
                let handle = self.connection.rooms().remove(&room);
                if let Some(handle) = handle {
                    // An error: the room's task ended before.
                    let _ = handle.send(Command::Detach(self.connection.session)).await;
                }
            }
            In::Submit(submit) => self.submit(submit).await?,
            In::Pull(wire::Pull { room, after_seq }) => {
                let room = room_id(&room)?;
                self.connection.outbox.resume(room);
                self.pass(room, Command::Pull(self.connection.session, after_seq)).await;
            }
            In::Presence(wire::SetPresence { room, data }) => {
                let room = room_id(&room)?;
                self.pass(room, Command::Presence(self.connection.session, data)).await;
            }
            In::Digest(wire::CheckDigest { room, seq, digest }) => {
                let room = room_id(&room)?;
                let bad = Close { code: 4400, why: "bad_frame" };
                let digest = digest[..].try_into().map_err(|_| bad)?;
                self.pass(room, Command::Compare(self.connection.session, seq, digest)).await;
            }
        }
        CONTINUE
    }

    async fn submit(&mut self, submit: wire::Submit) -> Result<(), Close> {
        let wire::Submit { room, client_id, client_seq, op } = submit;
        let room = room_id(&room)?;
        if !self.clients.contains(&client_id) {
            self.trouble(room_to_wire(room), &Fault::new("client_unknown"));
            return CONTINUE;
        }
        let client = ClientId(client_id);
        if let Err(retry_ms) = self.ops.take(self.hub.clock().now()) {
            let fault = Fault::new("rate_limited").with("retry_ms", retry_ms.max(1_000));
            let told = [(client_seq, Outcome::NotSaved(fault))];
            self.answer(Out::Outcomes(frame::outcomes_to_wire(room_to_wire(room), client, &told)));
            return CONTINUE;
        }
        let limit = self.hub.limits().op_bytes_max;
        let op = if op.len() as u64 > limit {
            Err(Fault::new("op_too_large").with("limit", limit))
        } else {
            // Not a part of the message that it came in, which would be kept with it.
            Ok(Bytes::copy_from_slice(&op))
        };
        let session = self.connection.session;
        self.pass(room, Command::Submit(session, client, client_seq, op)).await;
        CONTINUE
    }

    async fn attach(&self, attach: wire::Attach) {
        let wire::Attach { room: asked, since_seq, epoch, lineage } = attach;
        let start = Start::Log(Since { seq: since_seq, epoch, lineage });
        let voice = Voice::Native { asked: asked.clone() };
        if let Err(why) = self.hub.attach(self.connection, self.signed, &asked, voice, start).await
        {
            let why = Some(frame::fault(&why));
            self.answer(Out::Detached(wire::Detached { room: Bytes::new(), asked, why }));
        }
    }

    /// Passes a command to a room that this connection follows.
    async fn pass(&self, room: RoomId, command: Command) {
        let handle = self.connection.rooms().get(&room).cloned();
        let passed = match handle {
            Some(handle) => handle.send(command).await.is_ok(),
            None => false,
        };
        if !passed {
            self.connection.rooms().remove(&room);
            self.trouble(room_to_wire(room), &Fault::new("not_attached"));
        }
    }

    fn trouble(&self, room: Bytes, fault: &Fault) {
        let fault = Some(frame::fault(fault));
        self.answer(Out::Trouble(wire::Trouble { room, fault }));
    }

    fn answer(&self, body: Out) {
        self.connection.outbox.answer(to_client(body));
    }
}

/// Ids that one tab may claim: its own, and those of tabs that have been closed.
const CLIENT_IDS_MAX: usize = 64;

fn room_id(bytes: &Bytes) -> Result<RoomId, Close> {
    room_from_wire(bytes).map_err(|_| Close { code: 4400, why: "bad_frame" })
}

fn to_u32(limit: u64) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX)
}
