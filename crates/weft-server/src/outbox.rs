//! What waits to be sent to one connection: bounded, coalesced, and never in a room's way.
//!
//! A room pushes and goes on. What waits when the socket is ready goes out as one message. A
//! reader that is too slow loses the events that wait for it and is told to pull (R3); one that does not
//! even take its answers is dropped.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, MutexGuard},
};

use bytes::{Bytes, BytesMut};
use tokio::sync::Notify;
use weft_core::{RoomId, Seq};
use weft_proto::{
    frame::{room_to_wire, to_client},
    wire::{self, server_frame::Body},
};

use crate::config::Limits;

/// Bytes that are put together into one message at most, unless one frame is larger.
const MESSAGE_BYTES_MAX: usize = 256 << 10;

/// Why a connection ends: a close code of `docs/protocol.md` and a fault's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close {
    /// 4400–4599.
    pub code: u16,
    /// Sent as the reason.
    pub why: &'static str,
}

/// How a protocol takes what waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Frames behind one another are a message; lost events are pulled (R3).
    Frames,
    /// Each frame is a message of its own; who loses one has to connect anew.
    Messages,
}

/// The queue of one connection.
#[derive(Debug)]
pub struct Outbox {
    manner: Manner,
    queue: Mutex<Queue>,
    ready: Notify,
    events_bytes_max: usize,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Frame>,
    bytes: usize,
    /// Rooms whose events are dropped until the client pulls.
    lagging: HashSet<RoomId>,
    close: Option<Close>,
}

#[derive(Debug)]
struct Frame {
    /// The room whose events these are; `None`: an answer, which is never dropped.
    events_of: Option<RoomId>,
    bytes: Bytes,
}

/// What to do next for a connection.
#[derive(Debug)]
pub enum Next {
    /// Send this message.
    Message(Bytes),
    /// Send this close frame; nothing follows.
    Close(Close),
}

impl Outbox {
    /// An empty outbox.
    #[must_use]
    pub fn new(manner: Manner, limits: &Limits) -> Self {
        Self {
            manner,
            queue: Mutex::default(),
            ready: Notify::new(),
            events_bytes_max: limits.outbox_events_bytes_max as usize,
            bytes_max: limits.outbox_bytes_max as usize,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("nothing panics while it holds this lock")
    }

    /// How the connection takes what waits.
    #[must_use]
    pub const fn manner(&self) -> Manner {
        self.manner
    }

    /// An answer to this connection alone.
    pub fn answer(&self, bytes: Bytes) {
        let mut queue = self.lock();
        if queue.close.is_some() {
            return;
        }
        queue.bytes += bytes.len();
        queue.frames.push_back(Frame { events_of: None, bytes });
        if queue.bytes > self.bytes_max && queue.frames.len() > 1 {
            queue.frames.clear();
            queue.close = Some(Close { code: 4503, why: "too_slow" });
        }
        drop(queue);
        self.ready.notify_one();
    }

    /// An event of a room, which leads up to `head`. The bytes are shared by all who follow it.
    pub fn event(&self, room: RoomId, head: Seq, bytes: Bytes) {
        let mut queue = self.lock();
        if queue.close.is_some() || queue.lagging.contains(&room) {
            return;
        }
        let is_full = queue.bytes + bytes.len() > self.events_bytes_max && !queue.frames.is_empty();
        if is_full && self.manner == Manner::Messages {
            queue.frames.clear();
            queue.close = Some(Close { code: 4503, why: "too_slow" });
        } else if is_full {
            metrics::counter!("weft_resyncs_total").increment(1);
            queue.frames.retain(|frame| frame.events_of != Some(room));
            queue.lagging.insert(room);
            let resync = wire::Resync { room: room_to_wire(room), head };
            let bytes = to_client(Body::Resync(resync));
            queue.frames.push_back(Frame { events_of: None, bytes });
            queue.bytes = queue.frames.iter().map(|frame| frame.bytes.len()).sum();
        } else {
            queue.bytes += bytes.len();
            queue.frames.push_back(Frame { events_of: Some(room), bytes });
        }
        drop(queue);
        self.ready.notify_one();
    }

    /// The client pulls, or attaches anew: events of the room flow again.
    pub fn resume(&self, room: RoomId) {
        self.lock().lagging.remove(&room);
    }

    /// Nothing more is taken; what waits is still sent, then the connection ends.
    pub fn close(&self, close: Close) {
        self.lock().close.get_or_insert(close);
        self.ready.notify_one();
    }

    /// Whether the connection is to end.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.lock().close.is_some()
    }

    /// What to send next, once there is something.
    pub async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.ready.notified().await;
        }
    }

    fn take(&self) -> Option<Next> {
        let mut queue = self.lock();
        let Some(first) = queue.frames.pop_front() else {
            return queue.close.map(Next::Close);
        };
        let mut len = first.bytes.len();
        let more = queue.frames.iter().take_while(|frame| {
            len += frame.bytes.len();
            len <= MESSAGE_BYTES_MAX
        });
        let more = if self.manner == Manner::Frames { more.count() } else { 0 };
        let message = if more == 0 {
            first.bytes
        } else {
            let rest: Vec<Frame> = queue.frames.drain(..more).collect();
            let mut message = BytesMut::from(&first.bytes[..]);
            rest.iter().for_each(|frame| message.extend_from_slice(&frame.bytes));
            message.freeze()
        };
        queue.bytes -= message.len();
        Some(Next::Message(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomId = RoomId::from_bytes([1; 16]);
    const OTHER: RoomId = RoomId::from_bytes([2; 16]);

    fn outbox(events: u64, bytes: u64) -> Outbox {
        let mut limits = Limits::default();
        (limits.outbox_events_bytes_max, limits.outbox_bytes_max) = (events, bytes);
        Outbox::new(Manner::Frames, &limits)
    }

    fn message(outbox: &Outbox) -> Option<Bytes> {
        match outbox.take() {
            Some(Next::Message(bytes)) => Some(bytes),
            _ => None,
        }
    }

    #[test]
    fn what_waits_goes_out_as_one_message() {
        let outbox = outbox(1000, 10_000);
        outbox.answer(Bytes::from_static(b"a"));
        outbox.event(ROOM, 1, Bytes::from_static(b"b"));
        outbox.event(OTHER, 1, Bytes::from_static(b"c"));
        assert_eq!(message(&outbox).as_deref(), Some(&b"abc"[..]));
        assert_eq!(message(&outbox), None);
    }

    #[test]
    fn r3_a_slow_reader_loses_events_and_is_told_to_pull() {
        let outbox = outbox(10, 10_000);
        outbox.answer(Bytes::from_static(b"x"));
        outbox.event(OTHER, 1, Bytes::from_static(b"y"));
        outbox.event(ROOM, 1, Bytes::from_static(b"12345"));
        outbox.event(ROOM, 7, Bytes::from_static(b"67890"));
        outbox.event(ROOM, 8, Bytes::from_static(b"1"));
        let resync = to_client(Body::Resync(wire::Resync { room: room_to_wire(ROOM), head: 7 }));
        assert_eq!(message(&outbox), Some([&b"xy"[..], &resync].concat().into()));
        outbox.event(ROOM, 9, Bytes::from_static(b"2"));
        assert_eq!(message(&outbox), None, "nothing until it pulls");
        outbox.resume(ROOM);
        outbox.event(ROOM, 10, Bytes::from_static(b"3"));
        assert_eq!(message(&outbox).as_deref(), Some(&b"3"[..]));
    }

    #[test]
    fn one_that_takes_no_answers_is_dropped() {
        let outbox = outbox(10, 20);
        outbox.answer(Bytes::from_static(&[0; 15]));
        outbox.answer(Bytes::from_static(&[0; 15]));
        assert!(outbox.is_closing());
        assert!(matches!(outbox.take(), Some(Next::Close(Close { code: 4503, .. }))));
    }

    #[test]
    fn what_waits_is_sent_before_the_end() {
        let outbox = outbox(10, 20);
        outbox.answer(Bytes::from_static(b"bye"));
        outbox.close(Close { code: 4401, why: "signed_out" });
        outbox.answer(Bytes::from_static(b"late"));
        assert_eq!(message(&outbox).as_deref(), Some(&b"bye"[..]));
        assert!(matches!(outbox.take(), Some(Next::Close(Close { code: 4401, .. }))));
    }
}
