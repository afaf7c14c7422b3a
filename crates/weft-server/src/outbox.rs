//! What waits to be sent to one connection: bounded, coalesced, and never in a room's way.
//!
//! A room puts something in, writes it to the socket at once if the socket takes it, and goes on. What
//! the socket does not take is for the connection's own task. What waits when the socket is ready goes
//! out as one message: frames of the native protocol behind one another, updates of a document for
//! a Yjs client merged into one.
//! A reader that is too slow loses the events that wait for it and is told to pull (R3), or, where
//! a protocol has no such word, has to connect anew; one that does not even take its answers is
//! dropped.

mod pen;
mod told;

use std::{
    collections::{HashSet, VecDeque},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::{net::tcp::OwnedWriteHalf, sync::Notify};
use weft_core::{RoomId, Seq};
use weft_proto::{
    frame::{room_to_wire, to_client},
    wire::{self, server_frame::Body},
};

use crate::config::Limits;
use pen::{Pen, Rest, close_frame, is_close};
use told::Told;

/// Bytes that are put together into one message at most, unless one frame is larger.
const MESSAGE_BYTES_MAX: usize = 256 << 10;
/// Rooms write no more than this by themselves: more would keep them for too long.
const FLUSH_BYTES_MAX: usize = 16 << 10;

/// How far writing came.
enum Written {
    /// Nothing waits any more.
    All,
    /// The socket takes no more for now.
    Part,
    /// The close frame is written.
    Close,
}

/// How a connection ends that the client, or the line, has ended.
pub const GONE: Close = Close { code: 4500, why: "gone" };

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
    /// Never held for long: rooms wait for it.
    queue: Mutex<Queue>,
    /// Rooms do not wait for it.
    pen: Mutex<Pen>,
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
    /// The answer to the client's last ping. There may be pings without end, so there is one.
    pong: Option<Bytes>,
    /// The close frame: nothing more is taken.
    close: Option<Bytes>,
}

#[derive(Debug)]
enum Frame {
    /// An answer, which is never dropped.
    Answer(Bytes),
    /// Events of a room.
    Event(RoomId, Bytes),
    /// What a Yjs client is told of a document.
    Told(Told),
}

impl Frame {
    fn len(&self) -> usize {
        match self {
            Self::Answer(bytes) | Self::Event(_, bytes) => bytes.len(),
            Self::Told(told) => told.len(),
        }
    }
}

/// What was taken from the queue.
enum Taken {
    /// A message.
    Message,
    /// Something yet to be made into a message, when the queue is free again.
    Told(Told),
    /// The close frame.
    Close,
}

impl Outbox {
    /// An empty outbox.
    #[must_use]
    pub fn new(manner: Manner, limits: &Limits) -> Self {
        Self {
            manner,
            queue: Mutex::default(),
            pen: Mutex::default(),
            ready: Notify::new(),
            events_bytes_max: limits.outbox_events_bytes_max as usize,
            bytes_max: limits.outbox_bytes_max as usize,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("nothing panics while it holds this lock")
    }

    fn pen(&self) -> MutexGuard<'_, Pen> {
        self.pen.lock().expect("nothing panics while it holds this lock")
    }

    /// The connection is a socket now, written to by `writer`.
    pub fn open(&self, writer: OwnedWriteHalf) {
        self.pen().writer = Some(Arc::new(writer));
    }

    /// How the connection takes what waits.
    #[must_use]
    pub const fn manner(&self) -> Manner {
        self.manner
    }

    /// An answer to this connection alone, by its own task.
    pub fn answer(&self, bytes: Bytes) {
        self.put(bytes);
        self.ready.notify_one();
    }

    /// An answer to this connection alone, by a room, which flushes it.
    pub fn put(&self, bytes: Bytes) {
        let mut queue = self.lock();
        if queue.close.is_some() {
            return;
        }
        queue.bytes += bytes.len();
        queue.frames.push_back(Frame::Answer(bytes));
        if queue.bytes > self.bytes_max && queue.frames.len() > 1 {
            queue.drop_all(Close { code: 4503, why: "too_slow" });
        }
    }

    /// An event of a room, which leads up to `head` and which the room flushes. The bytes are shared
    /// by all who follow it.
    pub fn event(&self, room: RoomId, head: Seq, bytes: Bytes) {
        let mut queue = self.lock();
        if queue.close.is_some() || queue.lagging.contains(&room) {
            return;
        }
        if queue.bytes + bytes.len() > self.events_bytes_max && !queue.frames.is_empty() {
            metrics::counter!("weft_resyncs_total").increment(1);
            queue.frames.retain(|frame| !matches!(frame, Frame::Event(of, _) if *of == room));
            queue.lagging.insert(room);
            let resync = wire::Resync { room: room_to_wire(room), head };
            queue.frames.push_back(Frame::Answer(to_client(Body::Resync(resync))));
            queue.bytes = queue.frames.iter().map(Frame::len).sum();
        } else {
            queue.bytes += bytes.len();
            queue.frames.push_back(Frame::Event(room, bytes));
        }
    }

    /// An update or awareness message of a document, for a Yjs client that knows the document
    /// under this address (empty where a socket has one document only); its room flushes it. The
    /// bytes are shared by all who follow the document.
    pub fn tell(&self, address: &Bytes, message: Bytes) {
        let mut queue = self.lock();
        if queue.close.is_some() {
            return;
        }
        let is_first = queue.frames.is_empty();
        queue.tell(address, message);
        if queue.bytes > self.events_bytes_max && !is_first {
            queue.drop_all(Close { code: 4503, why: "too_slow" });
        }
    }

    /// Writes what was put in. Never waits: what is much, or for a client that does not keep up,
    /// is left to the connection's task, which otherwise need not wake.
    pub fn flush(&self) {
        let queue = self.lock();
        if queue.frames.is_empty() && queue.close.is_none() {
            return;
        }
        let is_little = queue.bytes <= FLUSH_BYTES_MAX;
        drop(queue);
        if !is_little || !self.write_now() {
            self.ready.notify_one();
        }
    }

    /// Writes all that waits, unless somebody else does or the socket does not take it.
    fn write_now(&self) -> bool {
        let Ok(mut pen) = self.pen.try_lock() else { return false };
        // If there is a rest, the connection's task waits for the socket.
        pen.rest.is_empty() && matches!(self.write(&mut pen), Ok(Written::All))
    }

    /// The client pulls, or attaches anew: events of the room flow again.
    pub fn resume(&self, room: RoomId) {
        self.lock().lagging.remove(&room);
    }

    /// A control frame that answers one of the client's: a pong, or the last word.
    pub fn control(&self, frame: Bytes) {
        let mut queue = self.lock();
        if is_close(&frame) {
            queue.close.get_or_insert(frame);
        } else {
            queue.pong = Some(frame);
        }
        drop(queue);
        self.ready.notify_one();
    }

    /// Nothing more is taken; what waits is still sent, then the connection ends.
    pub fn close(&self, close: Close) {
        self.lock().close.get_or_insert_with(|| close_frame(close));
        self.ready.notify_one();
    }

    /// The connection is over: nothing is taken or written any more, and the client is told that
    /// nothing follows.
    pub fn hang_up(&self) {
        // Also if somebody has panicked with a lock in hand: the connection must not stay open.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).drop_all(GONE);
        self.pen.lock().unwrap_or_else(PoisonError::into_inner).writer = None;
    }

    /// Whether the connection is to end.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.lock().close.is_some()
    }

    /// Sends what waits, until the close frame is sent or the connection breaks.
    pub async fn send_all(&self) {
        let Some(writer) = self.pen().writer.clone() else { return };
        loop {
            let written = self.write(&mut self.pen());
            match written {
                Ok(Written::All) => self.ready.notified().await,
                // An error is met again on writing.
                Ok(Written::Part) => drop(writer.writable().await),
                Ok(Written::Close) | Err(_) => return,
            }
        }
    }

    /// Writes as much as the socket takes now.
    fn write(&self, pen: &mut Pen) -> io::Result<Written> {
        loop {
            // Not before all is written: what waits for a slow client goes out as one message.
            if pen.rest.is_empty() {
                self.fill(pen);
            }
            if pen.rest.is_empty() {
                return Ok(if pen.is_last { Written::Close } else { Written::All });
            }
            if !pen.write()? {
                return Ok(Written::Part);
            }
        }
    }

    /// Takes what waits to be written at once.
    fn fill(&self, pen: &mut Pen) {
        while pen.rest.len() < MESSAGE_BYTES_MAX && !pen.is_last {
            match self.take(&mut pen.rest) {
                Some(is_last) => pen.is_last = is_last,
                None => break,
            }
        }
    }

    /// Takes a message, or the close frame, and says whether it was the close frame.
    fn take(&self, into: &mut Rest) -> Option<bool> {
        let taken = self.lock().take(self.manner, into)?;
        match taken {
            Taken::Message => Some(false),
            Taken::Close => Some(true),
            // Merging takes time, and rooms must not wait for it.
            Taken::Told(told) => match told.into_message() {
                Some(message) => {
                    into.begin_message(message.len());
                    into.push(message);
                    Some(false)
                }
                None => {
                    self.lock().drop_all(Close { code: 4503, why: "resync" });
                    self.take(into)
                }
            },
        }
    }
}

impl Queue {
    fn drop_all(&mut self, close: Close) {
        self.frames = VecDeque::new();
        self.bytes = 0;
        self.close = Some(close_frame(close));
    }

    /// Puts the message to those of its document that wait already, unless an answer stands
    /// between them: that may be the state which the message builds on.
    fn tell(&mut self, address: &Bytes, message: Bytes) {
        let waiting = self.frames.iter_mut().rev().map_while(|frame| match frame {
            Frame::Told(told) => Some(told),
            Frame::Answer(_) | Frame::Event(..) => None,
        });
        for told in waiting {
            if told.is_of(address, &message) {
                let before = told.len();
                told.push(message);
                self.bytes = self.bytes + told.len() - before;
                return;
            }
        }
        self.bytes += message.len();
        self.frames.push_back(Frame::Told(Told::new(address.clone(), message)));
    }

    fn take(&mut self, manner: Manner, into: &mut Rest) -> Option<Taken> {
        if let Some(pong) = self.pong.take() {
            into.push(pong);
            return Some(Taken::Message);
        }
        let Some(first) = self.frames.pop_front() else {
            into.push(self.close.clone()?);
            return Some(Taken::Close);
        };
        self.bytes -= first.len();
        let first = match first {
            Frame::Told(told) => return Some(Taken::Told(told)),
            Frame::Answer(bytes) | Frame::Event(_, bytes) => bytes,
        };
        let (mut len, mut more) = (first.len(), 0);
        if manner == Manner::Frames {
            for frame in &self.frames {
                if len + frame.len() > MESSAGE_BYTES_MAX {
                    break;
                }
                len += frame.len();
                more += 1;
            }
        }
        self.bytes -= len - first.len();
        into.begin_message(len);
        into.push(first);
        for frame in self.frames.drain(..more) {
            if let Frame::Answer(bytes) | Frame::Event(_, bytes) = frame {
                into.push(bytes);
            }
        }
        Some(Taken::Message)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{
        io::AsyncReadExt,
        net::{TcpListener, TcpStream},
        time::timeout,
    };
    use weft_core::{awareness::Aware, machine::Machine};
    use weft_proto::yjs;

    use super::*;

    const ROOM: RoomId = RoomId::from_bytes([1; 16]);
    const OTHER: RoomId = RoomId::from_bytes([2; 16]);

    fn outbox(events: u64, bytes: u64) -> Outbox {
        let mut limits = Limits::default();
        (limits.outbox_events_bytes_max, limits.outbox_bytes_max) = (events, bytes);
        Outbox::new(Manner::Frames, &limits)
    }

    /// The next frame, and whether it is the close frame.
    fn frame(outbox: &Outbox) -> Option<(Vec<u8>, bool)> {
        let mut rest = Rest::default();
        let is_close = outbox.take(&mut rest)?;
        Some((rest.to_vec(), is_close))
    }

    fn message(outbox: &Outbox) -> Option<Bytes> {
        let (frame, is_close) = frame(outbox)?;
        let head_len = match frame[1] {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        (!is_close).then(|| frame[head_len..].to_vec().into())
    }

    fn is_closed_with(outbox: &Outbox, code: u16, why: &'static str) -> bool {
        frame(outbox) == Some((close_frame(Close { code, why }).to_vec(), true))
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
        assert!(is_closed_with(&outbox, 4503, "too_slow"));
    }

    #[test]
    fn what_waits_is_sent_before_the_end() {
        let outbox = outbox(10, 20);
        outbox.answer(Bytes::from_static(b"bye"));
        outbox.close(Close { code: 4401, why: "signed_out" });
        outbox.answer(Bytes::from_static(b"late"));
        assert_eq!(message(&outbox).as_deref(), Some(&b"bye"[..]));
        assert!(is_closed_with(&outbox, 4401, "signed_out"));
    }

    /// An outbox with a socket, and the client's end of it.
    async fn with_socket() -> (Arc<Outbox>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (_, writer) = listener.accept().await.unwrap().0.into_split();
        let outbox = messages(1 << 30);
        outbox.open(writer);
        (Arc::new(outbox), client)
    }

    /// A message of some hundred bytes that says which one it is, and of whom.
    fn numbered(of: u8, number: u32) -> Bytes {
        let mut message = vec![of; 300];
        message[1..5].copy_from_slice(&number.to_be_bytes());
        message.into()
    }

    /// The next message of the form of [`numbered`].
    async fn hear(client: &mut TcpStream) -> (u8, u32) {
        let mut frame = [0; 304];
        client.read_exact(&mut frame).await.unwrap();
        assert_eq!(frame[..4], [0x82, 126, 1, 44], "a frame begins where one ended");
        (frame[4], u32::from_be_bytes(frame[5..9].try_into().unwrap()))
    }

    #[tokio::test]
    async fn a_flush_needs_no_task_until_the_socket_is_full_and_then_all_follows_in_order() {
        let (outbox, mut client) = with_socket().await;
        outbox.put(numbered(1, 0));
        outbox.flush();
        assert_eq!(hear(&mut client).await, (1, 0));
        let mut last = 0;
        while outbox.lock().frames.is_empty() {
            last += 1;
            outbox.put(numbered(1, last));
            outbox.flush();
        }
        assert!(!outbox.pen().rest.is_empty(), "the socket is full");
        outbox.close(GONE);
        let (sent, ()) = tokio::join!(
            async {
                for number in 1..=last {
                    assert_eq!(hear(&mut client).await, (1, number));
                }
                let mut rest = Vec::new();
                client.read_to_end(&mut rest).await.unwrap();
                rest
            },
            async {
                outbox.send_all().await;
                outbox.hang_up();
            },
        );
        assert_eq!(sent, close_frame(GONE), "and then the end");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn frames_of_several_rooms_never_mix_and_none_is_left_behind() {
        const EACH: u32 = 5_000;
        const ROOMS: u8 = 3;
        let (outbox, mut client) = with_socket().await;
        let sending = tokio::spawn({
            let outbox = Arc::clone(&outbox);
            async move { outbox.send_all().await }
        });
        for room in 0..ROOMS {
            let outbox = Arc::clone(&outbox);
            std::thread::spawn(move || {
                for number in 0..EACH {
                    outbox.put(numbered(room, number));
                    outbox.flush();
                }
            });
        }
        let mut next = [0; ROOMS as usize];
        while next != [EACH; ROOMS as usize] {
            let heard = timeout(Duration::from_secs(20), hear(&mut client)).await;
            let (room, number) = heard.expect("none is left behind");
            let expected = &mut next[usize::from(room)];
            assert_eq!(number, *expected);
            *expected += 1;
        }
        outbox.close(GONE);
        sending.await.unwrap();
    }

    fn update(text: &str) -> Bytes {
        let doc = [1, 1, 7, 0, 4, 1, 1, b't', text.len() as u8];
        let update = [&doc[..], text.as_bytes(), &[0]].concat();
        yjs::Message::Sync(yjs::Sync::Update(update.into())).write()
    }

    fn aware(client: u64, clock: u64) -> Bytes {
        let state = Some(Bytes::from_static(b"{}"));
        yjs::Message::Awareness(vec![Aware { client, clock, state }]).write()
    }

    fn messages(events: u64) -> Outbox {
        let limits = Limits { outbox_events_bytes_max: events, ..Limits::default() };
        Outbox::new(Manner::Messages, &limits)
    }

    #[test]
    fn what_waits_of_a_document_is_merged_but_never_past_an_answer() {
        let outbox = messages(1000);
        let (here, there) = (Bytes::new(), Bytes::from_static(b"x"));
        outbox.tell(&here, update("a"));
        outbox.tell(&there, update("b"));
        outbox.tell(&here, aware(1, 1));
        outbox.tell(&here, update("a"));
        outbox.tell(&here, aware(1, 2));
        outbox.tell(&here, aware(2, 1));
        outbox.answer(Bytes::from_static(b"answer"));
        outbox.tell(&here, update("c"));
        assert_eq!(message(&outbox), Some(update("a")), "a repeat adds nothing");
        assert_eq!(message(&outbox), Some([&b"x"[..], &update("b")].concat().into()));
        let state = || Some(Bytes::from_static(b"{}"));
        let all = [(1, 2), (2, 1)].map(|(client, clock)| Aware { client, clock, state: state() });
        assert_eq!(message(&outbox), Some(yjs::Message::Awareness(all.to_vec()).write()));
        assert_eq!(message(&outbox), Some(Bytes::from_static(b"answer")));
        assert_eq!(message(&outbox), Some(update("c")));
        assert_eq!(message(&outbox), None);
        assert_eq!(outbox.lock().bytes, 0);
    }

    #[test]
    fn cursors_that_wait_take_no_room_and_what_cannot_be_merged_ends_the_connection() {
        let outbox = messages(2_000);
        let here = Bytes::new();
        for clock in 0..10_000 {
            outbox.tell(&here, aware(1, clock));
        }
        assert!(!outbox.is_closing());
        let large = "x".repeat(100);
        for client in 0..30_u8 {
            let update = [&[1, 1, client, 0, 4, 1, 1, b't', 100], large.as_bytes(), &[0]].concat();
            outbox.tell(&here, yjs::Message::Sync(yjs::Sync::Update(update.into())).write());
        }
        assert!(is_closed_with(&outbox, 4503, "too_slow"));
    }

    #[test]
    fn a_slow_reader_of_a_busy_document_gets_it_all() {
        const LIMIT: usize = 250_000;
        let outbox = messages(LIMIT as u64);
        let here = Bytes::new();
        outbox.answer(Bytes::from_static(b"x"));
        let mut bytes = 0;
        let mut doc = weft_core::kind::doc::Doc::default();
        for at in 0..20_000_u32 {
            let mut typed = vec![1, 1, 7];
            put(&mut typed, at);
            if at == 0 {
                typed.extend([4, 1, 1, b't']);
            } else {
                typed.extend([0x84, 7]);
                put(&mut typed, at - 1);
            }
            typed.extend([1, b'a', 0]);
            let message = yjs::Message::Sync(yjs::Sync::Update(typed.into())).write();
            bytes += message.len();
            outbox.tell(&here, message);
        }
        assert!(bytes > LIMIT, "{bytes} would be too much on their own");
        assert!(!outbox.is_closing());
        assert_eq!(message(&outbox).as_deref(), Some(&b"x"[..]));
        match yjs::Message::read(&message(&outbox).unwrap()) {
            Ok(yjs::Message::Sync(yjs::Sync::Update(update))) => doc.apply(&update).unwrap(),
            other => panic!("{other:?}"),
        }
        assert_eq!(doc.text(), "a".repeat(20_000));
        assert_eq!(message(&outbox), None);
    }

    fn put(out: &mut Vec<u8>, mut value: u32) {
        while value > 0x7f {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }
}
