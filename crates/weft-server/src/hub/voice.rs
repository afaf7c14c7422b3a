//! What a room says, in the words of each protocol. A broadcast is put into each protocol's words
//! once, and the bytes are shared by all who speak it.

use std::cell::OnceCell;

use bytes::Bytes;
use futures_channel::mpsc;
use weft_core::{Body, Entry, RoomId, Seq, SessionId, kind::doc, room::Message};
use weft_proto::{
    frame,
    yjs::{self, Sync},
};

use crate::outbox::Outbox;

/// The protocol that a session speaks.
pub(crate) enum Voice {
    /// The native one.
    Native {
        /// What the client called the room.
        asked: String,
    },
    /// One of the Yjs protocols.
    Yjs {
        /// What stands before all that is said about the room; empty where a socket has one only.
        address: Bytes,
        /// Who hears what is not a broadcast.
        answers: mpsc::UnboundedSender<Answer>,
    },
}

/// What a room says to one session. Boxed, as every queue keeps one empty place.
pub(crate) type Answer = (SessionId, Box<Message>);

/// A broadcast, in the words of those who have asked for it so far.
pub(super) struct Said<'a> {
    room: RoomId,
    kind: &'a str,
    message: &'a Message,
    native: OnceCell<Option<Bytes>>,
    yjs: OnceCell<Option<Bytes>>,
}

impl<'a> Said<'a> {
    pub fn new(room: RoomId, kind: &'a str, message: &'a Message) -> Self {
        Self { room, kind, message, native: OnceCell::new(), yjs: OnceCell::new() }
    }

    /// Puts it into a connection's outbox, if the protocol of its session has words for it.
    /// `head` is what it leads up to.
    pub fn to(&self, voice: &Voice, outbox: &Outbox, head: Seq) {
        match voice {
            Voice::Native { .. } => {
                let frame = || frame::of_message(self.room, self.kind, "", "", self.message);
                if let Some(bytes) = self.native.get_or_init(frame).clone() {
                    outbox.event(self.room, head, bytes);
                }
            }
            Voice::Yjs { address, .. } => {
                if let Some(bytes) = self.yjs.get_or_init(|| yjs_words(self.message)).clone() {
                    outbox.tell(address, bytes);
                }
            }
        }
    }
}

fn yjs_words(message: &Message) -> Option<Bytes> {
    match message {
        Message::Events(entries) => {
            let updates: Vec<Bytes> = entries.iter().filter_map(|entry| update(entry)).collect();
            let update = doc::merge(&updates)?;
            Some(yjs::Message::Sync(Sync::Update(update)).write())
        }
        Message::Aware(changed) => Some(yjs::Message::Awareness(changed.clone()).write()),
        _ => None,
    }
}

fn update(entry: &Entry) -> Option<Bytes> {
    match &entry.body {
        Body::Effect(update) => Some(update.clone()),
        Body::Created { .. } => None,
    }
}
