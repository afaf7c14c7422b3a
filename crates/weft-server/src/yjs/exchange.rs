//! A Yjs client's exchange with a room, carried out: [`exchange::Exchange`] decides, this puts its
//! words into the client's protocol, its questions to the room, and its ends into close codes.
//!
//! Start at [`Exchange::hear_client`] and [`Exchange::hear_room`].

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;
use weft_core::{
    Fault, Millis, Right,
    exchange::{self, End, FromClient, Habits, Output, ToClient, ToRoom},
    room::Message as FromRoom,
};
use weft_proto::yjs::{Message, Sync, hocuspocus::addressed};

use crate::{
    config::Limits,
    hub::{Command, Connection, RoomHandle},
    outbox::Close,
    ws::rate::Bucket,
};

/// What a protocol says in words of its own.
pub struct Words {
    /// What the client expects.
    pub habits: Habits,
    /// What the client may do, if it is told that.
    pub right: Option<fn(Right) -> Bytes>,
    /// One thing that the client sent is stored, or will not be; for clients that count.
    pub status: Option<fn(bool) -> Bytes>,
}

/// One replica's exchange with a room.
pub struct Exchange {
    policy: exchange::Exchange,
    words: &'static Words,
    connection: Arc<Connection>,
    room: RoomHandle,
    address: Bytes,
    said_at: Instant,
}

impl Exchange {
    /// An exchange with a room that the connection has begun to follow. `address` is said before
    /// every word; empty where a socket has one document only.
    pub fn new(
        words: &'static Words,
        connection: Arc<Connection>,
        room: RoomHandle,
        address: Bytes,
        limits: &Limits,
    ) -> Self {
        let policy = exchange::Exchange::new(words.habits, limits.op_bytes_max);
        Self { policy, words, connection, room, address, said_at: Instant::now() }
    }

    /// How many bytes of states a socket may be sent in answer to questions, in KiB.
    pub const fn states(limits: &Limits, now: Millis) -> Bucket {
        let burst_kib = limits.yjs_states_bytes_burst.div_ceil(1024);
        Bucket::new(burst_kib, limits.yjs_states_bytes_per_second.div_ceil(1024), now)
    }

    /// What the client may do, as far as the room has said it.
    pub const fn right(&self) -> Right {
        self.policy.right()
    }

    /// Whether the client may say something more now.
    pub fn can_hear(&self) -> bool {
        self.policy.can_hear()
    }

    /// The client said something. `states` is what [`Exchange::states`] allowed its socket.
    ///
    /// # Errors
    /// How to end the exchange: 44xx for good, 45xx so that the client comes back.
    pub async fn hear_client(
        &mut self,
        message: Message,
        states: &mut Bucket,
        now: Millis,
    ) -> Result<(), Close> {
        let said = match message {
            Message::Sync(Sync::Step1(state_vector)) => {
                states.take(now).map_err(|_| RATE_LIMITED)?;
                FromClient::Step1(own(&state_vector))
            }
            Message::Sync(Sync::Step2(update)) => FromClient::Step2(own(&update)),
            Message::Sync(Sync::Update(update)) => FromClient::Update(own(&update)),
            Message::Awareness(told) => FromClient::Aware(told),
            Message::QueryAwareness => FromClient::WhoIsHere,
            Message::Echo(wanted) => FromClient::Echo(own(&wanted)),
            Message::Unknown(_) => return Ok(()),
        };
        self.policy.hear_client(said);
        self.drain(states).await
    }

    /// The room said something.
    ///
    /// # Errors
    /// As [`Exchange::hear_client`].
    pub async fn hear_room(&mut self, message: FromRoom, states: &mut Bucket) -> Result<(), Close> {
        self.policy.hear_room(message);
        self.drain(states).await
    }

    /// Some time has passed: what the client kept while it was away has come.
    pub fn forget_what_it_had(&mut self) {
        self.policy.forget_what_it_had();
    }

    async fn drain(&mut self, states: &mut Bucket) -> Result<(), Close> {
        let session = self.connection.session;
        while let Some(output) = self.policy.poll_output() {
            match output {
                Output::Ask(ToRoom::Merge(ticket, op)) => {
                    self.ask(Command::Merge(session, ticket, op)).await;
                }
                Output::Ask(ToRoom::Missing(ticket, state_vector)) => {
                    self.ask(Command::Missing(session, ticket, state_vector)).await;
                }
                Output::Ask(ToRoom::TellState) => self.ask(Command::TellState(session)).await,
                Output::Ask(ToRoom::Aware(told)) => self.ask(Command::Aware(session, told)).await,
                Output::Ask(ToRoom::TellAware) => self.ask(Command::TellAware(session)).await,
                Output::Tell(word) => {
                    if let ToClient::Step2(missing) = &word {
                        states.charge((missing.len() as u64).div_ceil(1024));
                    }
                    if let Some(message) = self.message(word) {
                        self.say(&message);
                    }
                }
                Output::End(why) => return Err(close_at(&why)),
            }
        }
        Ok(())
    }

    /// Asks the room for something.
    pub async fn ask(&self, command: Command) {
        // An error: the room's task ended, and its last word is on its way.
        let _ = self.room.send(command).await;
    }

    /// A word in the client's protocol, if it has one for that.
    fn message(&self, word: ToClient) -> Option<Bytes> {
        let message = match word {
            ToClient::Right(right) => return self.words.right.map(|said| said(right)),
            ToClient::Status(is_stored) => return self.words.status.map(|said| said(is_stored)),
            ToClient::Step1(has) => Message::Sync(Sync::Step1(has)),
            ToClient::Step2(missing) => Message::Sync(Sync::Step2(missing)),
            ToClient::Aware(told) => Message::Awareness(told),
            ToClient::Echo(wanted) => Message::Echo(wanted),
        };
        Some(message.write())
    }

    /// When the client has to hear something, be it nothing of weight.
    pub fn keep_alive_at(&self) -> Instant {
        self.said_at + Duration::from_millis(self.policy.quiet_ms_max())
    }

    /// Says something that changes nothing.
    pub fn keep_alive(&mut self) {
        self.say(&Message::Awareness(Vec::new()).write());
    }

    fn say(&mut self, message: &Bytes) {
        self.said_at = Instant::now();
        self.connection.outbox.answer(addressed(&self.address, message));
    }
}

const RATE_LIMITED: Close = Close { code: 4529, why: "rate_limited" };

/// A copy, so that the message it came in is not kept with it.
fn own(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

fn close_at(end: &End) -> Close {
    match end {
        End::Fault(fault) => close_of(fault),
        End::EchoTooLarge => Close { code: 4400, why: "bad_frame" },
        End::TooManySignals => RATE_LIMITED,
        End::Resync => Close { code: 4503, why: "resync" },
    }
}

/// 44xx: for good. 45xx: come back.
pub fn close_of(fault: &Fault) -> Close {
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
        "quota_exceeded" => close(4507, "quota_exceeded"),
        "store_failed" => close(4503, "store_failed"),
        "busy" => close(4503, "busy"),
        _ => close(4503, "room_unavailable"),
    }
}
