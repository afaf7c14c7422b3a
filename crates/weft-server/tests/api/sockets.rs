//! The native protocol over real sockets. Test names begin with the rule of `docs/protocol.md` that
//! they are about.

use bytes::Bytes;
use prost::Message as _;
use serde_json::json;
use tokio_tungstenite::tungstenite::{Error, Message};
use weft_proto::{
    order_wire::{self, order_op::Op},
    wire::{self, client_frame::Body as Out, outcome::Is, server_frame::Body as In},
};

use crate::{
    support::{Caller, DAY, Server, room_without_a_log},
    wire::{Socket, typed},
};

async fn two() -> (Server, Caller, Caller) {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    (server, lin, bo)
}

async fn grant(by: &Caller, room: &str, username: &str, right: &str) {
    let form = json!({"username": username, "right": right});
    by.post(&format!("/rooms/{room}/grants"), form).await.expect(200);
}

async fn text(of: &Caller, room: &str) -> String {
    of.get(&format!("/rooms/{room}/text")).await.text
}

#[tokio::test]
async fn two_people_write_one_document() {
    let (_server, lin, bo) = two().await;
    let id = lin.document("Plan").await;
    grant(&lin, &id, "bo", "edit").await;
    let (mut a, mut b) = (lin.socket().await, bo.socket().await);
    let attached = a.attach(&id).await;
    assert_eq!(
        (attached.head, attached.title.as_str(), attached.kind.as_str()),
        (1, "Plan", "doc")
    );
    assert_eq!(attached.right(), wire::Right::Manage);
    let room = attached.room;
    assert_eq!(b.attach(&id).await.right(), wire::Right::Edit);
    assert_eq!(a.saved(&room, 1, typed(1, "hello")).await, 2);
    assert_eq!(b.events().await, [2]);
    assert_eq!(b.saved(&room, 1, typed(2, "world")).await, 3);
    assert_eq!(a.events().await, [2]);
    assert_eq!(a.events().await, [3]);
    assert_eq!(text(&lin, &id).await.len(), 10);
    let late = bo.socket().await.attach(&id).await;
    assert_eq!((late.head, late.state_seq + late.entries.len() as u64), (3, 3));
}

#[tokio::test]
async fn two_people_take_the_last_one() {
    let (_server, lin, bo) = two().await;
    let made = lin.post("/rooms", json!({"kind": "order", "title": "Lunch"})).await.expect(201);
    let id = made["id"].as_str().unwrap();
    grant(&lin, id, "bo", "edit").await;
    let op = |op: Op| -> Bytes { order_wire::OrderOp { op: Some(op) }.encode_to_vec().into() };
    let line = order_wire::AddLine { name: "Cake".into(), price_minor: 500, stock: Some(1) };
    let take = || op(Op::Adjust(order_wire::Adjust { line: 2, delta: 1 }));
    let (mut a, mut b) = (lin.socket().await, bo.socket().await);
    let room = a.attach(id).await.room;
    b.attach(id).await;
    assert_eq!(a.saved(&room, 1, op(Op::AddLine(line))).await, 2);
    a.submit(&room, 2, take()).await;
    b.submit(&room, 1, take()).await;
    let outcomes = [a.outcome(2).await, b.outcome(1).await];
    let got = outcomes.iter().filter(|is| **is == Is::Accepted(3)).count();
    let told =
        outcomes.iter().filter(|is| matches!(is, Is::Refused(f) if f.code == "order.sold_out"));
    assert_eq!((got, told.count()), (1, 1), "{outcomes:?}");
    // A repeated request counts once.
    if outcomes[0] == Is::Accepted(3) {
        assert_eq!(a.saved(&room, 2, take()).await, 3);
    }
    assert_eq!(b.refused(&room, 2, op(Op::Close(order_wire::Close {}))).await, "no_right");
    a.saved(&room, 3, op(Op::Close(order_wire::Close {}))).await;
    assert_eq!(b.refused(&room, 3, take()).await, "order.not_open");
}

#[tokio::test]
async fn a_handshake_needs_a_sign_in() {
    let (server, lin, _) = two().await;
    let status = |socket: Result<Socket, Error>| match socket {
        Err(Error::Http(answer)) => answer.status().as_u16(),
        Err(other) => panic!("{other}"),
        Ok(_) => 101,
    };
    let token = lin.headers["authorization"].to_str().unwrap()[7..].to_owned();
    let stranger = server.stranger();
    assert_eq!(status(stranger.knock("").await), 401);
    assert_eq!(status(stranger.knock("?token=nonsense").await), 401);
    assert_eq!(status(stranger.knock(&format!("?token={token}")).await), 101);
    assert_eq!(status(stranger.clone().cookie(&token).knock("").await), 101);
    let elsewhere = stranger.cookie(&token).header("origin", "https://evil.example");
    assert_eq!(status(elsewhere.knock("").await), 403, "another site's page");
}

#[tokio::test]
async fn what_breaks_the_protocol_is_closed_with_a_code() {
    let server = Server::with(Server::limits(|limits| limits.frame_bytes_max = 10_000)).await;
    let lin = server.person("lin").await;
    let id = lin.document("x").await;
    let said = |code: u16, why: &str| (code, why.to_owned());
    let mut socket = lin.socket().await;
    socket.raw(Message::text("hello")).await;
    assert_eq!(socket.closed().await, said(4400, "text_frame"));
    for bytes in [&[200, 1, 2][..], &[0xff; 12], &[3, 255, 255, 255]] {
        let mut socket = lin.socket().await;
        socket.raw(Message::binary(bytes.to_vec())).await;
        assert_eq!(socket.closed().await, said(4400, "bad_frame"), "{bytes:?}");
    }
    let mut socket = lin.socket().await;
    socket.raw(Message::binary(vec![0; 20_000])).await;
    assert_eq!(socket.closed().await, said(4400, "frame_too_large"));
    let mut socket = lin.knock("").await.unwrap();
    socket.ask_for(&id).await;
    assert_eq!(socket.closed().await, said(4400, "hello_expected"));
    let mut socket = lin.knock("").await.unwrap();
    socket.hello(2, &[]).await;
    assert_eq!(socket.closed().await, said(4406, "version_unsupported"));
    // Nobody else noticed.
    assert_eq!(lin.socket().await.attach(&id).await.head, 1);
}

#[tokio::test]
async fn a_frame_of_a_newer_version_is_answered_and_passed_over() {
    let (_server, lin, _) = two().await;
    let mut socket = lin.socket().await;
    socket.raw(Message::binary(vec![3, 0xfa, 0x07, 0x00])).await;
    assert_eq!(socket.trouble().await, "unknown_frame");
    socket.say(Out::Ping(wire::Ping { nonce: 7 })).await;
    assert_eq!(socket.hear().await, In::Pong(wire::Pong { nonce: 7 }));
}

#[tokio::test]
async fn r10_what_is_absent_and_what_is_forbidden_look_alike() {
    let (server, lin, bo) = two().await;
    let id = lin.document("Secret").await;
    let lost = room_without_a_log(&server, &id).await.to_string();
    let mut b = bo.socket().await;
    for room in [id.as_str(), &lost, "00000000000000000000000000", "nonsense", ""] {
        assert_eq!(b.refused_room(room).await, "not_found", "{room}");
    }
    let mut a = lin.socket().await;
    assert_eq!(a.refused_room(&lost).await, "room_unavailable", "L6: never an empty room");
    lin.delete(&format!("/rooms/{id}")).await.expect(200);
    assert_eq!(a.refused_room(&id).await, "trashed");
}

#[tokio::test]
async fn the_trash_takes_everybody_along() {
    let (_server, lin, bo) = two().await;
    let id = lin.document("x").await;
    grant(&lin, &id, "bo", "edit").await;
    let mut b = bo.socket().await;
    let room = b.attach(&id).await.room;
    lin.delete(&format!("/rooms/{id}")).await.expect(200);
    assert_eq!(b.detached().await, "trashed");
    b.submit(&room, 1, typed(1, "x")).await;
    assert_eq!(b.trouble().await, "not_attached");
    lin.post(&format!("/rooms/{id}/restore"), json!({})).await.expect(200);
    assert_eq!(b.attach(&id).await.head, 1);
}

#[tokio::test]
async fn a_right_takes_effect_on_open_sockets_at_once() {
    let (_server, lin, bo) = two().await;
    let id = lin.document("x").await;
    grant(&lin, &id, "bo", "read").await;
    let mut b = bo.socket().await;
    let room = b.attach(&id).await.room;
    assert_eq!(b.refused(&room, 1, typed(1, "x")).await, "no_right");
    grant(&lin, &id, "bo", "edit").await;
    let right = wire::Right::Edit.into();
    assert_eq!(b.hear().await, In::Right(wire::RightChanged { room: room.clone(), right }));
    assert_eq!(b.refused(&room, 1, typed(1, "x")).await, "no_right", "L3: the same answer");
    b.saved(&room, 2, typed(1, "x")).await;
    assert_eq!(b.events().await, [2]);
    // Sent before the call that revokes has returned: stored or refused, but known by then.
    b.submit(&room, 3, typed(2, "y")).await;
    lin.delete(&format!("/rooms/{id}/grants/bo")).await.expect(204);
    let before = text(&lin, &id).await;
    b.submit(&room, 4, typed(3, "z")).await;
    loop {
        match b.hear().await {
            In::Trouble(_) => break,
            In::Detached(detached) => assert_eq!(detached.why.unwrap().code, "no_access"),
            _ => {}
        }
    }
    assert_eq!(text(&lin, &id).await, before);
    assert_eq!(b.refused_room(&id).await, "not_found");
}

#[tokio::test]
async fn signing_out_ends_open_sockets() {
    let (_server, lin, _) = two().await;
    let id = lin.document("x").await;
    let mut socket = lin.socket().await;
    socket.attach(&id).await;
    lin.post("/auth/logout", json!({})).await.expect(204);
    assert_eq!(socket.closed().await, (4401, "signed_out".to_owned()));
}

#[tokio::test]
async fn a_sign_in_that_expires_ends_its_sockets() {
    let (server, lin, _) = two().await;
    let mut socket = lin.socket().await;
    server.clock.advance(31 * DAY);
    socket.say(Out::Ping(wire::Ping { nonce: 1 })).await;
    assert_eq!(socket.closed().await, (4401, "signed_out".to_owned()));
}

#[tokio::test]
async fn operations_that_cannot_be_are_refused_for_good() {
    let server = Server::with(Server::limits(|limits| limits.op_bytes_max = 1000)).await;
    let lin = server.person("lin").await;
    let id = lin.document("x").await;
    let mut socket = lin.socket().await;
    assert_eq!(socket.welcome.op_bytes_max, 1000);
    let room = socket.attach(&id).await.room;
    assert_eq!(socket.refused(&room, 1, vec![0; 1001].into()).await, "op_too_large");
    assert_eq!(socket.refused(&room, 2, vec![9; 10].into()).await, "op_malformed");
    let later: Bytes = vec![1, 1, 5, 3, 0x84, 5, 2, 1, b'a', 0].into();
    assert_eq!(socket.refused(&room, 3, later).await, "missing_predecessors");
    assert_eq!(socket.saved(&room, 4, vec![0, 0].into()).await, 1, "adds nothing, and is answered");
    assert_eq!(socket.saved(&room, 5, typed(1, "x")).await, 2);
    let client = std::mem::replace(&mut socket.client, 99_999);
    socket.submit(&room, 1, typed(1, "x")).await;
    assert_eq!(socket.trouble().await, "client_unknown");
    socket.client = client;
    socket.submit(&room, 70, typed(1, "x")).await;
    assert_eq!(socket.trouble().await, "client_window");
    let elsewhere = Bytes::from_static(&[7; 16]);
    socket.submit(&elsewhere, 1, typed(1, "x")).await;
    assert_eq!(socket.trouble().await, "not_attached");
}

#[tokio::test]
async fn too_much_at_once_is_slowed_down_and_then_cut_off() {
    let server = Server::with(Server::limits(|limits| {
        limits.ops_burst = 2;
        limits.frames_burst = 40;
        limits.frames_per_second = 1;
    }));
    let server = server.await;
    let lin = server.person("lin").await;
    let id = lin.document("x").await;
    let mut socket = lin.socket().await;
    let room = socket.attach(&id).await.room;
    for n in 1..=2 {
        socket.saved(&room, n, typed(n, "x")).await;
    }
    socket.submit(&room, 3, typed(3, "x")).await;
    match socket.outcome(3).await {
        Is::NotSaved(fault) => assert_eq!(fault.code, "rate_limited"),
        other => panic!("{other:?}"),
    }
    for nonce in 0..40 {
        socket.say(Out::Ping(wire::Ping { nonce })).await;
    }
    assert_eq!(socket.closed().await, (4429, "rate_limited".to_owned()));
}

#[tokio::test]
async fn rooms_and_sockets_are_counted() {
    let server = Server::with(Server::limits(|limits| {
        limits.rooms_per_connection_max = 1;
        limits.connections_per_person_max = 1;
    }));
    let server = server.await;
    let lin = server.person("lin").await;
    let (one, two) = (lin.document("1").await, lin.document("2").await);
    let mut socket = lin.socket().await;
    socket.attach(&one).await;
    assert_eq!(socket.refused_room(&two).await, "too_many_rooms");
    let mut second = lin.knock("").await.unwrap();
    assert_eq!(second.closed().await, (4429, "too_many_connections".to_owned()));
}

#[tokio::test]
async fn l3_a_repeat_after_a_restart_gets_the_answer_of_the_original() {
    let (server, lin, _) = two().await;
    let id = lin.document("x").await;
    let mut socket = lin.socket().await;
    let room = socket.attach(&id).await.room;
    let client = socket.client;
    assert_eq!(socket.saved(&room, 1, typed(1, "once")).await, 2);
    assert_eq!(socket.refused(&room, 2, vec![9].into()).await, "op_malformed");
    let headers = lin.headers.clone();
    let server = server.restart(|_| {}).await;
    assert_eq!(socket.closed().await, (4503, "stopping".to_owned()));
    let lin = Caller { headers, ..server.stranger() };
    let mut socket = lin.socket_as(&[client]).await;
    assert_eq!(socket.client, client);
    socket.attach(&id).await;
    assert_eq!(socket.saved(&room, 1, typed(1, "once")).await, 2);
    assert_eq!(socket.refused(&room, 2, vec![9].into()).await, "op_malformed");
    assert_eq!(text(&lin, &id).await, "once");
}

#[tokio::test]
async fn l3_anothers_client_id_is_not_to_be_had() {
    let (server, lin, bo) = two().await;
    let own = lin.socket().await.client;
    let other = bo.socket_as(&[own, 123_456]).await;
    assert_ne!(other.client, own);
    assert_eq!(other.welcome.retired_ids, [own, 123_456]);
    server.clock.advance(25 * DAY);
    assert_eq!(lin.socket_as(&[own]).await.client, own, "used after 25 days");
}

#[tokio::test]
async fn l4_an_early_operation_waits_for_those_before_it() {
    let (_server, lin, _) = two().await;
    let id = lin.document("x").await;
    let mut socket = lin.socket().await;
    let room = socket.attach(&id).await.room;
    socket.submit(&room, 2, typed(2, "b")).await;
    socket.submit(&room, 1, typed(1, "a")).await;
    assert_eq!(socket.outcome(1).await, Is::Accepted(2));
    assert_eq!(socket.saved(&room, 2, typed(2, "b")).await, 3);
}

#[tokio::test]
async fn r3_a_slow_reader_is_told_to_pull_and_harms_nobody() {
    let server =
        Server::in_time(Server::limits(|limits| limits.outbox_events_bytes_max = 50_000)).await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let id = lin.document("x").await;
    grant(&lin, &id, "bo", "read").await;
    let (mut a, mut slow) = (lin.socket().await, bo.socket().await);
    let room = a.attach(&id).await.room;
    slow.attach(&id).await;
    // More than the sockets' buffers hold.
    let text = "x".repeat(200_000);
    for n in 1..=100 {
        a.saved(&room, n, typed(n, &text)).await;
    }
    let mut head = 1;
    let resync = loop {
        match slow.hear().await {
            In::Events(events) => {
                for entry in events.entries {
                    assert_eq!(entry.seq, head + 1);
                    head = entry.seq;
                }
            }
            In::Resync(resync) => break resync,
            other => panic!("{other:?}"),
        }
    };
    assert!(head < 101, "events were dropped");
    slow.say(Out::Pull(wire::Pull { room: resync.room, after_seq: head })).await;
    while head < 101 {
        match slow.hear().await {
            In::State(state) => head = state.seq,
            In::Events(events) => head = events.entries.last().map_or(head, |entry| entry.seq),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_graceful_stop_stores_what_was_accepted_and_says_goodbye() {
    let (server, lin, _) = two().await;
    let id = lin.document("x").await;
    let mut socket = lin.socket().await;
    let room = socket.attach(&id).await.room;
    for n in 1..=20 {
        socket.submit(&room, n, typed(n, "x")).await;
    }
    socket.outcome(1).await;
    let headers = lin.headers.clone();
    let stopping = tokio::spawn(server.restart(|_| {}));
    let mut answered = 1;
    loop {
        match socket.next().await {
            Ok(In::Outcomes(outcomes)) => {
                for outcome in outcomes.outcomes {
                    assert!(matches!(outcome.is, Some(Is::Accepted(_))), "{outcome:?}");
                    answered += 1;
                }
            }
            Ok(In::Goodbye(goodbye)) => assert!(goodbye.retry_after_ms > 0),
            Ok(_) => {}
            Err(close) => break assert_eq!(close, (4503, "stopping".to_owned())),
        }
    }
    let server = stopping.await.unwrap();
    let lin = Caller { headers, ..server.stranger() };
    assert!(text(&lin, &id).await.len() >= answered, "what was answered is there");
}

#[tokio::test]
async fn r8_a_replica_that_differs_gets_the_servers_state() {
    let (_server, lin, _) = two().await;
    let id = lin.document("x").await;
    let mut socket = lin.socket().await;
    let room = socket.attach(&id).await.room;
    socket.saved(&room, 1, typed(1, "right")).await;
    socket.events().await;
    let digest = Bytes::from_static(&[0; 8]);
    socket.say(Out::Digest(wire::CheckDigest { room: room.clone(), seq: 2, digest })).await;
    let answer = wire::DigestAnswer { room: room.clone(), seq: 2, equal: false };
    assert_eq!(socket.hear().await, In::Digest(answer));
    match socket.hear().await {
        In::State(state) => {
            assert_eq!((state.seq, state.repair), (2, true));
            let machine = weft_proto::kinds::open("doc", Some(&state.state)).unwrap();
            assert_eq!(machine.text(), "right");
        }
        other => panic!("{other:?}"),
    }
}
