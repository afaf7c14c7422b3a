//! Hostile bytes over real sockets, and connections that ask for nothing: they cost their sender, and
//! nobody else notices.

#[path = "../../../weft-core/tests/hostile/mutate.rs"]
mod mutate;

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use mutate::{Dice, mutated, recorded};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::tungstenite::{Error, Message as Socketed};
use weft_proto::yjs::{Message, Sync};

use crate::{
    support::{Caller, MINUTE, PASSWORD, Server},
    wire::typed,
    yjs::{Client, update},
};

/// Nothing takes that long; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(20);
const FRAMES: usize = 2_000;

/// Says mutated frames to `/yjs` and `/ws`, on new sockets as often as it is thrown out; gives how often.
async fn attack(caller: &Caller, room: &str, dice: &mut Dice) -> usize {
    let all: Vec<Vec<u8>> = recorded().into_iter().flatten().collect();
    let paths = [format!("yjs/{room}"), "ws".to_owned()];
    let (mut said, mut thrown_out) = (0, 0);
    while said < FRAMES {
        let path = dice.pick(&paths).clone();
        let mut socket = caller.connect(&path).await;
        loop {
            let original = dice.pick(&all);
            let payload = mutated(dice, original, &all[0]);
            let message = match dice.below(4) {
                0 => Message::Sync(Sync::Step1(payload.into())),
                1 => Message::Sync(Sync::Step2(payload.into())),
                _ => update(payload),
            };
            let mut frame = message.write().to_vec();
            if dice.below(3) == 0 {
                frame = mutated(dice, &frame, &all[0]);
            }
            said += 1;
            // What came back is not looked at, but taken, as a client would.
            let sent = socket.send(Socketed::binary(frame)).await;
            let heard = timeout(Duration::from_millis(2), socket.next()).await;
            if sent.is_err() || matches!(heard, Ok(None | Some(Err(_) | Ok(Socketed::Close(_))))) {
                thrown_out += 1;
                break;
            }
            if said >= FRAMES {
                break;
            }
        }
    }
    thrown_out
}

/// Whether a message holds an update that inserts this text.
fn brings(message: &Message, text: &str) -> bool {
    let Message::Sync(Sync::Update(update)) = message else { return false };
    update.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "how much was tried")]
async fn hostile_frames_leave_the_room_and_those_in_it_alone() {
    let server = Server::in_time(Server::limits(|limits| {
        (limits.frames_burst, limits.ops_burst) = (1_000_000, 1_000_000);
    }))
    .await;
    let (lin, eve) = (server.person("lin").await, server.person("eve").await);
    let mut dice = Dice(7);
    for right in ["read", "edit"] {
        let room = lin.document(right).await;
        let form = json!({"username": "eve", "right": right});
        lin.post(&format!("/rooms/{room}/grants"), form).await.expect(200);
        lin.merge(&room, typed(1, "before")).await.expect(200);
        let mut witness = Client::in_step(&lin, &room).await;
        let thrown_out = attack(&eve, &room, &mut dice).await;
        println!("{FRAMES} hostile frames by one who may {right}: thrown out {thrown_out} times");
        assert!(thrown_out > FRAMES / 100);
        let head = lin.merge(&room, typed(2, "after")).await.expect(200);
        if right == "read" {
            assert_eq!(head["seq"], 3, "a reader has written nothing");
        }
        // The witness is told of it on the socket that it has had all the time, perhaps together with
        // what was written before.
        while !brings(&witness.hear().await.expect("the witness stays"), "after") {}
        let mut fresh = Client::in_step(&lin, &room).await;
        fresh.say(&Message::Sync(Sync::Step1(Bytes::from_static(&[0])))).await;
        assert!(matches!(fresh.hear().await, Ok(Message::Sync(Sync::Step2(_)))));
        let json = lin.get(&format!("/rooms/{room}/json")).await.expect(200);
        assert!(json["t"].as_str().is_none_or(|text| text.contains("after")), "{json}");
    }
    let kept = server.running.state().quarantine.list().unwrap();
    assert_eq!(kept, [], "what made a room fail belongs into the checker");
    let rooms = lin.get("/rooms").await.expect(200)["rooms"].clone();
    let texts = async |lin: &Caller| {
        let mut texts = Vec::new();
        for room in rooms.as_array().unwrap() {
            let id = room["id"].as_str().unwrap();
            texts.push(lin.get(&format!("/rooms/{id}/json")).await.expect(200));
        }
        texts
    };
    let before = texts(&lin).await;
    // On a clock that is far ahead: sign-ins have ended by then.
    let server = server.restart(|_| ()).await;
    let form = json!({"username": "lin", "password": PASSWORD});
    let answer = server.stranger().post("/auth/login", form).await.expect(200);
    let lin = server.stranger().bearer(answer["token"].as_str().unwrap());
    assert_eq!(texts(&lin).await, before);
}

/// All that the server says on a connection, until it closes it.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    // A reset is a way of closing, too.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut said)).await.expect("closed in time");
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn a_connection_that_asks_for_nothing_is_closed() {
    let server = Server::with(|config| config.limits.http_head_ms_max = 200).await;
    for head in ["", "GET /healthz HT", "GET /healthz HTTP/1.1\r\nx: y\r\n"] {
        let mut stream = TcpStream::connect(server.running.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        assert!(!until_closed(&mut stream).await.contains("200"), "{head}");
    }
    let mut stream = TcpStream::connect(server.running.address()).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(until_closed(&mut stream).await.starts_with("HTTP/1.1 200"), "answered, then closed");
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let server = Server::with(|config| config.limits.http_head_bytes_max = 10_000).await;
    let mut stream = TcpStream::connect(server.running.address()).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nx: ").await.unwrap();
    let filler = [b'y'; 20_000];
    // The server may close before all is written.
    let _ = stream.write_all(&filler).await;
    assert!(until_closed(&mut stream).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn an_address_has_so_many_connections_sockets_included() {
    let server =
        Server::with(Server::limits(|limits| limits.connections_per_address_max = 2)).await;
    let lin = server.person("lin").await;
    let room = lin.document("x").await;
    // One connection is the caller's own, kept open between calls.
    let socket = Client::in_step(&lin, &room).await;
    let knock = async || {
        let mut stream = TcpStream::connect(server.running.address()).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await.unwrap();
        until_closed(&mut stream).await
    };
    let refused = knock().await;
    assert!(refused.contains(" 429 ") && refused.contains("too_many_connections"), "{refused}");
    drop(socket);
    let let_in = async { while !knock().await.contains(" 200 ") {} };
    timeout(PATIENCE, let_in).await.expect("once the socket is gone");
}

#[tokio::test]
async fn an_address_opens_so_many_sockets_a_minute_whoever_asks() {
    let server =
        Server::with(Server::limits(|limits| limits.sockets_per_address_per_minute = 4)).await;
    let lin = server.person("lin").await;
    let room = lin.document("x").await;
    let mut doors = vec!["ws".to_owned(), format!("yjs/{room}"), "hocuspocus".to_owned()];
    doors.push(format!("d/{room}/ws/{room}"));
    for door in &doors {
        drop(server.stranger().try_connect(door).await);
    }
    for door in &doors {
        match lin.try_connect(door).await {
            Err(Error::Http(answer)) => {
                assert_eq!(answer.status(), 429, "{door}");
                assert_eq!(answer.headers()["retry-after"], "15", "{door}");
            }
            other => panic!("{door}: {other:?}"),
        }
    }
    lin.get("/rooms").await.expect(200);
    server.clock.advance(MINUTE / 4);
    Client::in_step(&lin, &room).await;
}
