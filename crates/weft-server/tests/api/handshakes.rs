//! What is below messages: the handshake of a socket, its frames and how it ends, byte by byte.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::support::{Caller, Server};

/// Nothing takes that long; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// A frame as clients send it. The mask is 0, which changes nothing.
fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let len = u8::try_from(payload.len()).unwrap();
    assert!(len < 126);
    [&[kind, 0x80 | len, 0, 0, 0, 0], payload].concat()
}

/// The native protocol's first frame: `Hello` of version 1.
const HELLO: &[u8] = &[4, 0x0a, 2, 0x08, 1];

struct Line(TcpStream);

impl Line {
    /// Asks for `/ws` with these headers in the place of the usual ones.
    async fn ask(server: &Server, caller: &Caller, headers: &str) -> (Self, String) {
        let mut stream = TcpStream::connect(server.running.address()).await.unwrap();
        let token = caller.headers["authorization"].to_str().unwrap();
        let head =
            format!("GET /ws HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(timeout(PATIENCE, stream.read_u8()).await.expect("in time").unwrap());
        }
        (Self(stream), String::from_utf8(answer).unwrap().to_lowercase())
    }

    async fn open(server: &Server, caller: &Caller) -> Self {
        let (line, answer) = Self::ask(server, caller, USUAL).await;
        assert!(answer.starts_with("http/1.1 101"), "{answer}");
        line
    }

    async fn say(&mut self, frames: &[&[u8]]) {
        self.0.write_all(&frames.concat()).await.unwrap();
    }

    async fn hear(&mut self) -> (u8, Vec<u8>) {
        let read = async {
            let (kind, len) = (self.0.read_u8().await.unwrap(), self.0.read_u8().await.unwrap());
            let mut payload = vec![0; usize::from(len)];
            self.0.read_exact(&mut payload).await.unwrap();
            (kind, payload)
        };
        timeout(PATIENCE, read).await.expect("in time")
    }

    async fn closed(&mut self) -> (u16, String) {
        let (kind, payload) = self.hear().await;
        assert_eq!(kind, CLOSE, "{payload:?}");
        let why = String::from_utf8(payload[2..].to_vec()).unwrap();
        (u16::from_be_bytes([payload[0], payload[1]]), why)
    }

    /// Nothing follows any more.
    async fn is_over(&mut self) -> bool {
        let mut rest = Vec::new();
        timeout(PATIENCE, self.0.read_to_end(&mut rest)).await.expect("in time").unwrap() == 0
    }
}

const USUAL: &str = "connection: keep-alive, Upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    sec-websocket-protocol: other, weft.v1\r\n";

#[tokio::test]
async fn a_handshake_is_answered_as_the_standard_says() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let (_, answer) = Line::ask(&server, &lin, USUAL).await;
    assert!(answer.starts_with("http/1.1 101"), "{answer}");
    // The example of RFC 6455, section 1.3.
    assert!(answer.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{answer}");
    assert!(answer.contains("sec-websocket-protocol: weft.v1"), "{answer}");
    let other = USUAL.replace("weft.v1", "weft.v2");
    let (_, answer) = Line::ask(&server, &lin, &other).await;
    assert!(answer.contains(" 101 ") && !answer.contains("sec-websocket-protocol"), "{answer}");
    for name in ["connection", "upgrade", "sec-websocket-version", "sec-websocket-key"] {
        let without: String = USUAL
            .split_inclusive("\r\n")
            .filter(|line| !line.starts_with(&format!("{name}:")))
            .collect();
        let (_, answer) = Line::ask(&server, &lin, &without).await;
        assert!(answer.starts_with("http/1.1 400"), "{name}: {answer}");
    }
}

#[tokio::test]
async fn pings_are_answered_between_the_parts_of_a_message() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let mut line = Line::open(&server, &lin).await;
    let (begin, end) = HELLO.split_at(2);
    line.say(&[&frame(0x02, begin), &frame(PING, b"still here?")]).await;
    assert_eq!(line.hear().await, (PONG, b"still here?".to_vec()));
    line.say(&[&frame(0x80, end)]).await;
    let (kind, welcome) = line.hear().await;
    assert_eq!(kind, BINARY);
    assert!(!welcome.is_empty());
}

#[tokio::test]
async fn a_client_that_closes_hears_its_own_code_and_then_the_end() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let mut line = Line::open(&server, &lin).await;
    line.say(&[&frame(CLOSE, &[0x03, 0xe9, b'b', b'y', b'e'])]).await;
    assert_eq!(line.closed().await, (1001, "bye".to_owned()));
    assert!(line.is_over().await);
}

#[tokio::test]
async fn frames_that_break_the_rules_end_the_connection() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let unmasked = [&[BINARY, 5][..], HELLO].concat();
    let reserved = frame(0xc2, HELLO);
    let stray_part = frame(0x80, HELLO);
    for broken in [unmasked, reserved, stray_part] {
        let mut line = Line::open(&server, &lin).await;
        line.say(&[&broken]).await;
        assert_eq!(line.closed().await, (4500, "gone".to_owned()), "{broken:?}");
        assert!(line.is_over().await);
    }
}

#[tokio::test]
async fn a_client_in_the_middle_of_too_large_a_message_reads_the_close_code() {
    let server = Server::with(Server::limits(|limits| limits.frame_bytes_max = 10_000)).await;
    let lin = server.person("lin").await;
    let mut line = Line::open(&server, &lin).await;
    // More than the connection's buffers hold.
    let payload = vec![0; 12 << 20];
    let len = (payload.len() as u64).to_be_bytes();
    line.say(&[&[BINARY, 0xff], &len, &[0; 4], &payload]).await;
    assert_eq!(line.closed().await, (4400, "frame_too_large".to_owned()));
    assert!(line.is_over().await);
}
