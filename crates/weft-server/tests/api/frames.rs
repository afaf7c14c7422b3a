//! Frames that no client would send, byte by byte, at each door: they cost their sender the socket, and
//! those in the room do not notice. Mutated messages in good frames are in `hostile.rs`.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use weft_core::awareness::Aware;
use weft_proto::{
    frame,
    wire::{self, client_frame::Body},
    yjs::{Message, Sync},
};

use crate::{
    support::{Caller, PASSWORD, Server},
    wire::typed,
    yjs::{Client, update},
};

/// Nothing takes that long; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(20);
const FRAME_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Native,
    Yjs,
    Hocuspocus,
    YSweet,
}

impl Door {
    const ALL: [Self; 4] = [Self::Native, Self::Yjs, Self::Hocuspocus, Self::YSweet];

    /// A socket of somebody who has said who they are and, except at the native door, follows the room.
    async fn enter(self, caller: &Caller, room: &str) -> Raw {
        let path = match self {
            Self::Native => "ws".to_owned(),
            Self::Yjs => format!("yjs/{room}"),
            Self::Hocuspocus => "hocuspocus".to_owned(),
            Self::YSweet => {
                let given = caller.post(&format!("//doc/{room}/auth"), json!({})).await.expect(200);
                format!("d/{room}/ws/{room}?token={}", given["token"].as_str().unwrap())
            }
        };
        let mut raw = Raw::open(caller, &path).await;
        match self {
            Self::Native => {
                let hello = wire::Hello { version: 1, client_ids: Vec::new() };
                raw.say(&framed(BINARY, &frame::to_server(Body::Hello(hello)))).await;
            }
            Self::Hocuspocus => {
                let value = caller.headers["authorization"].to_str().unwrap();
                let token = value.trim_start_matches("Bearer ");
                let said = [&[2, 0][..], &short(token), &short("4.8.0")].concat();
                raw.say(&framed(BINARY, &self.message(room, &said))).await;
            }
            Self::Yjs | Self::YSweet => {}
        }
        raw
    }

    /// A Yjs message about that room, as this door takes it.
    fn message(self, room: &str, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Hocuspocus => [&short(room)[..], message].concat(),
            _ => message.to_vec(),
        }
    }
}

/// A string as lib0 writes it, if it is short.
fn short(text: &str) -> Vec<u8> {
    [&[text.len() as u8], text.as_bytes()].concat()
}

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// A client's frame: its first byte, its length, a mask of zeros, what it carries.
fn framed(first: u8, payload: &[u8]) -> Vec<u8> {
    [&announced(first, payload.len() as u64)[..], payload].concat()
}

/// The same without what it carries.
fn announced(first: u8, len: u64) -> Vec<u8> {
    let mut head = vec![first];
    match len {
        0..126 => head.push(MASKED | len as u8),
        126..0x1_0000 => {
            head.push(MASKED | 126);
            head.extend((len as u16).to_be_bytes());
        }
        _ => {
            head.push(MASKED | 127);
            head.extend(len.to_be_bytes());
        }
    }
    head.extend([0; 4]);
    head
}

/// A WebSocket whose every byte is the test's.
struct Raw(TcpStream);

impl Raw {
    async fn open(caller: &Caller, path: &str) -> Self {
        let host = caller.base.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).await.unwrap();
        let authorization = caller.headers["authorization"].to_str().unwrap();
        let protocol = if path == "ws" { "sec-websocket-protocol: weft.v1\r\n" } else { "" };
        let head = format!(
            "GET /{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: {authorization}\r\n{protocol}\
             connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.unwrap());
        }
        assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
        Self(stream)
    }

    /// Says it, unless the server has closed meanwhile.
    async fn say(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes).await;
    }

    /// Reads up to the end; the code with which the server closed, if it gave one.
    async fn closed(&mut self) -> Option<u16> {
        let reading = async {
            loop {
                let first = self.0.read_u8().await.ok()?;
                let len = match self.0.read_u8().await.ok()? {
                    126 => self.0.read_u16().await.ok()?.into(),
                    127 => self.0.read_u64().await.ok()?,
                    len => u64::from(len),
                };
                let mut payload = vec![0; usize::try_from(len).unwrap()];
                self.0.read_exact(&mut payload).await.ok()?;
                if first == CLOSE {
                    let code = payload.first_chunk().map(|&code| u16::from_be_bytes(code));
                    return Some(code.unwrap_or(1005));
                }
            }
        };
        timeout(PATIENCE, reading).await.expect("closed in time")
    }
}

/// How a socket ends that was sent something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The server closes it, whatever it says.
    Closed,
    /// The server closes it with this code.
    With(u16),
    /// The client goes away.
    Left,
}

/// What is said once the socket is open, and how that ends.
fn attacks(door: Door, room: &str) -> Vec<(&'static str, Vec<u8>, End)> {
    use End::{Closed, Left, With};
    let valid = door.message(room, &Message::QueryAwareness.write());
    let part = [0; FRAME_BYTES_MAX / 8];
    let mut fragments = framed(BINARY & !FIN, &part);
    (0..9).for_each(|_| fragments.extend(framed(0, &part)));
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    let mut all = vec![
        ("64 MiB announced", announced(BINARY, 64 << 20), With(4400)),
        ("2^63 announced", announced(BINARY, 1 << 63), Closed),
        ("all but 2^64 announced", announced(BINARY, u64::MAX), Closed),
        ("a little too large", announced(BINARY, FRAME_BYTES_MAX as u64 + 1), With(4400)),
        ("fragments without end", fragments, With(4400)),
        ("half a header", vec![BINARY, MASKED | 126, 1], Left),
        ("half a frame", announced(BINARY, 1000), Left),
        ("half a message", framed(BINARY & !FIN, &valid), Left),
        ("text", framed(TEXT, b"hello"), With(4400)),
        ("text that is none", framed(TEXT, &[0xff, 0xfe]), Closed),
        ("no mask", [&[BINARY, valid.len() as u8], &valid[..]].concat(), Closed),
        ("a reserved bit", framed(BINARY | 0x40, &valid), Closed),
        ("all reserved bits", framed(BINARY | 0x70, &valid), Closed),
        ("a reserved kind", framed(FIN | 3, &valid), Closed),
        ("a reserved control kind", framed(FIN | 0xb, &[]), Closed),
        ("a long ping", framed(PING, &[0; 126]), Closed),
        ("a ping in fragments", framed(PING & !FIN, &[]), Closed),
        ("an end without a beginning", framed(FIN, &valid), Closed),
        (
            "a message within a message",
            [framed(BINARY & !FIN, &valid), framed(BINARY, &valid)].concat(),
            Closed,
        ),
        ("half a close code", framed(CLOSE, &[3]), Closed),
        ("a close code that is none", framed(CLOSE, &[0, 1]), Closed),
        ("a number without end", framed(BINARY, &[0xff; 100]), With(4400)),
        ("nothing", framed(BINARY, &[]), Left),
    ];
    if door != Door::Native {
        for (what, kind) in [
            ("an update of 2^64", &[0, 2][..]),
            ("a step 2 of 2^64", &[0, 1]),
            ("an awareness of 2^64", &[1]),
        ] {
            let message = door.message(room, &[kind, &huge].concat());
            all.push((what, framed(BINARY, &message), With(4400)));
        }
    }
    all
}

/// One who only reads along in a room, and one after the other who come, write and go.
struct Room {
    id: String,
    lin: Caller,
    witness: Client,
    edits: u64,
}

impl Room {
    async fn new(lin: &Caller, other: &str, right: &str) -> Self {
        let id = lin.document(right).await;
        let form = json!({"username": other, "right": right});
        lin.post(&format!("/rooms/{id}/grants"), form).await.expect(200);
        let witness = Client::in_step(lin, &id).await;
        Self { id, lin: lin.clone(), witness, edits: 0 }
    }

    /// Somebody new comes and writes, and the one who was there all the time is told of it.
    async fn is_well(&mut self) {
        self.edits += 1;
        let edit = update(typed(1_000 + self.edits, "x"));
        let mut fresh = Client::open(&self.lin, &self.id).await;
        fresh.say(&edit).await;
        while self.witness.hear().await != Ok(edit.clone()) {}
    }

    /// Whether somebody new is told of nobody.
    async fn is_empty(&self) -> bool {
        let mut fresh = Client::open(&self.lin, &self.id).await;
        fresh.say(&Message::QueryAwareness).await;
        fresh.say(&Message::Sync(Sync::Step1(Bytes::from_static(&[0])))).await;
        loop {
            match fresh.hear().await.unwrap() {
                Message::Awareness(told) if told.iter().any(|aware| aware.state.is_some()) => {
                    return false;
                }
                Message::Sync(Sync::Step2(_)) => return true,
                _ => {}
            }
        }
    }

    async fn empties(&self) {
        let empty = async { while !self.is_empty().await {} };
        timeout(PATIENCE, empty).await.expect("nobody is left");
    }

    async fn text(&self) -> String {
        self.lin.get(&format!("/rooms/{}/text", self.id)).await.text
    }
}

#[tokio::test]
async fn frames_that_no_client_sends_cost_their_sender_and_nobody_else() {
    let server = Server::in_time(Server::limits(|limits| {
        limits.frame_bytes_max = FRAME_BYTES_MAX as u64;
    }))
    .await;
    let (lin, eve) = (server.person("lin").await, server.person("eve").await);
    let mut rooms = Vec::new();
    for right in ["read", "edit"] {
        let mut room = Room::new(&lin, "eve", right).await;
        for door in Door::ALL {
            for (what, bytes, end) in attacks(door, &room.id) {
                let mut raw = door.enter(&eve, &room.id).await;
                raw.say(&bytes).await;
                match end {
                    End::Closed => drop(raw.closed().await),
                    End::With(code) => {
                        assert_eq!(raw.closed().await, Some(code), "{door:?}, {right}: {what}");
                    }
                    End::Left => {}
                }
                // One that left is still there: it says nothing, and goes after this.
                room.is_well().await;
            }
        }
        assert_eq!(room.text().await.len() as u64, room.edits, "nothing of the other's");
        rooms.push(room);
    }
    let before = [rooms[0].text().await, rooms[1].text().await];
    // On a clock that is far ahead: sign-ins have ended by then.
    let server = server.restart(|_| ()).await;
    let form = json!({"username": "lin", "password": PASSWORD});
    let answer = server.stranger().post("/auth/login", form).await.expect(200);
    let lin = server.stranger().bearer(answer["token"].as_str().unwrap());
    for (room, before) in rooms.iter().zip(before) {
        assert_eq!(lin.get(&format!("/rooms/{}/text", room.id)).await.text, before);
    }
}

fn told(client: u64, clock: u64) -> Aware {
    Aware { client, clock, state: Some(Bytes::from_static(b"{\"user\":{\"name\":\"Eve\"}}")) }
}

#[tokio::test]
async fn one_socket_speaks_for_a_few_clients_and_leaves_nobody_behind() {
    let server = Server::in_time(Server::limits(|limits| limits.frames_burst = 1_000_000)).await;
    let (lin, eve) = (server.person("lin").await, server.person("eve").await);
    for right in ["read", "edit"] {
        let mut room = Room::new(&lin, "eve", right).await;
        for door in [Door::Yjs, Door::Hocuspocus, Door::YSweet] {
            let message = |all| door.message(&room.id, &Message::Awareness(all).write());
            let at_once = framed(BINARY, &message((1..=10_000).map(|id| told(id, 1)).collect()));
            let one_by_one = (1..=10_000).map(|id| framed(BINARY, &message(vec![told(id, 1)])));
            for bytes in [at_once, one_by_one.collect::<Vec<_>>().concat()] {
                let mut raw = door.enter(&eve, &room.id).await;
                raw.say(&bytes).await;
                if door != Door::Hocuspocus {
                    assert_eq!(raw.closed().await, Some(4400), "{door:?}");
                }
                drop(raw);
                room.empties().await;
                room.is_well().await;
            }
        }
    }
}

#[tokio::test]
async fn a_hundred_thousand_words_of_who_is_here_leave_nobody_behind() {
    let server = Server::in_time(Server::limits(|limits| limits.frames_burst = 1_000_000)).await;
    let (lin, eve) = (server.person("lin").await, server.person("eve").await);
    let mut room = Room::new(&lin, "eve", "read").await;
    let firsts = [1_u64, 100, 200, 300];
    let mut sockets = Vec::new();
    for first in firsts {
        let (mut reading, mut writing) = Door::Yjs.enter(&eve, &room.id).await.0.into_split();
        // What comes back is not looked at, but taken, as a client would.
        let reading = tokio::spawn(async move {
            let mut taken = [0; 4096];
            while matches!(reading.read(&mut taken).await, Ok(1..)) {}
        });
        sockets.push(tokio::spawn(async move {
            for clock in 1..=2_500 {
                let message = |id| Message::Awareness(vec![told(first + id, clock)]).write();
                let frames = (0..10).flat_map(|id| framed(BINARY, &message(id)));
                writing.write_all(&frames.collect::<Vec<_>>()).await.unwrap();
            }
            (reading, writing)
        }));
    }
    let mut open = Vec::new();
    for socket in sockets {
        open.push(socket.await.unwrap());
    }
    let mut last = firsts.map(|first| (first + 9, 2_500)).to_vec();
    while !last.is_empty() {
        if let Message::Awareness(told) = room.witness.hear().await.unwrap() {
            last.retain(|&(client, clock)| {
                !told.iter().any(|aware| (aware.client, aware.clock) == (client, clock))
            });
        }
    }
    for (reading, writing) in open {
        drop(writing);
        reading.await.unwrap();
    }
    room.empties().await;
    room.is_well().await;
}
