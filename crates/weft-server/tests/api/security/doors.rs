//! The table of sockets: every message that a client of each protocol can send, as everybody who may come.
//!
//! Messages come one after the other out of a `match` without a rest, so that one of a new type does not compile without
//! a row. Whoever may not read hears the same as of a room that is not there; what may not be written is not in the room
//! afterwards.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::{Error, Message as Socketed};
use weft_core::awareness::Aware;
use weft_proto::{
    wire::{self, client_frame::Body as Frame, outcome::Is, server_frame::Body as In},
    yjs::{
        Message, Sync,
        hocuspocus::{self, Body},
    },
};

use super::{NOWHERE, Who, World, rank};
use crate::{support::Caller, wire::typed};

/// Nothing takes that long; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(20);
/// What is in the room.
const SECRET: &str = "between us";
/// What somebody tries to write into it.
const MARK: &str = "tampered";

/// What a message takes of who sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Read,
    Edit,
}

impl Who {
    /// What they may do in the room; `None`: they are nobody.
    fn at_the_door(self) -> Option<usize> {
        match self {
            Self::Nobody | Self::Expired | Self::Revoked | Self::Forged => None,
            // A token with the scope to read.
            Self::ScopeAlone => Some(rank("read")),
            // A token with the scope to mint room tokens: it follows none.
            Self::ScopeMissing => Some(0),
            who => Some(who.rank()),
        }
    }
}

/// The native protocol's frames, and what each takes.
fn after(frame: Option<&Frame>, room: &Bytes, client: u64) -> Option<(Frame, Needs)> {
    let room = room.clone();
    let nothing = |frame| Some((frame, Needs::Read));
    match frame {
        // What every row begins with, and a row of its own.
        None => nothing(Frame::Hello(wire::Hello { version: 1, client_ids: Vec::new() })),
        Some(Frame::Hello(_)) => nothing(Frame::Attach(wire::Attach::default())),
        Some(Frame::Attach(_)) => nothing(Frame::Detach(wire::Detach { room })),
        Some(Frame::Detach(_)) => {
            let op = typed(77, MARK);
            let submit = wire::Submit { room, client_id: client, client_seq: 1, op };
            Some((Frame::Submit(submit), Needs::Edit))
        }
        Some(Frame::Submit(_)) => nothing(Frame::Pull(wire::Pull { room, after_seq: 0 })),
        Some(Frame::Pull(_)) => {
            nothing(Frame::Presence(wire::SetPresence { room, data: Bytes::from_static(b"{}") }))
        }
        Some(Frame::Presence(_)) => {
            let digest = Bytes::from_static(&[0; 8]);
            nothing(Frame::Digest(wire::CheckDigest { room, seq: 2, digest }))
        }
        Some(Frame::Digest(_)) => nothing(Frame::Ping(wire::Ping { nonce: 7 })),
        Some(Frame::Ping(_)) => None,
    }
}

/// The messages that all Yjs protocols have, and what each takes.
fn after_message(message: Option<&Message>) -> Option<(Message, Needs)> {
    let (nothing, mark) = (Bytes::from_static(&[0]), typed(77, MARK));
    let aware = || Aware { client: 9, clock: 1, state: Some(Bytes::from_static(b"{}")) };
    match message {
        None => Some((Message::Sync(Sync::Step1(nothing)), Needs::Read)),
        Some(Message::Sync(Sync::Step1(_))) => {
            Some((Message::Sync(Sync::Step2(mark)), Needs::Edit))
        }
        Some(Message::Sync(Sync::Step2(_))) => {
            Some((Message::Sync(Sync::Update(mark)), Needs::Edit))
        }
        Some(Message::Sync(Sync::Update(_))) => {
            Some((Message::Awareness(vec![aware()]), Needs::Read))
        }
        Some(Message::Awareness(_)) => Some((Message::QueryAwareness, Needs::Read)),
        Some(Message::QueryAwareness) => Some((Message::Echo(Bytes::new()), Needs::Read)),
        Some(Message::Echo(_)) => Some((Message::Unknown(55), Needs::Read)),
        Some(Message::Unknown(_)) => None,
    }
}

/// What clients of Hocuspocus say besides.
fn after_body(body: Option<&Body>) -> Option<(Body, Needs)> {
    match body {
        None => {
            let (message, needs) = after_message(None)?;
            Some((Body::Yjs(message), needs))
        }
        Some(Body::Yjs(message)) => match after_message(Some(message)) {
            // Echo is y-sweet's alone.
            Some((Message::Echo(_), _)) | None => {
                Some((Body::Token { token: String::new(), version: None }, Needs::Read))
            }
            Some((message, needs)) => Some((Body::Yjs(message), needs)),
        },
        Some(Body::Token { .. }) => Some((Body::Stateless(MARK.into()), Needs::Read)),
        Some(Body::Stateless(_)) => Some((Body::BroadcastStateless(MARK.into()), Needs::Edit)),
        Some(Body::BroadcastStateless(_)) => Some((Body::Close, Needs::Read)),
        Some(Body::Close) => Some((Body::Unknown(55), Needs::Read)),
        Some(Body::Unknown(_)) => None,
    }
}

/// The bytes of a message to a document of Hocuspocus.
fn addressed(address: &str, body: &Body) -> Bytes {
    let text = |kind: &[u8], text: &[u8]| {
        let len = u8::try_from(text.len()).expect("short");
        Bytes::from([kind, &[len], text].concat())
    };
    let said = match body {
        Body::Yjs(message) => message.write(),
        Body::Token { token, .. } => text(&[2, 0], token.as_bytes()),
        Body::Stateless(payload) => text(&[5], payload),
        Body::BroadcastStateless(payload) => text(&[6], payload),
        Body::Close => Bytes::from_static(&[7]),
        Body::Unknown(kind) => Bytes::from(vec![u8::try_from(*kind).expect("small")]),
    };
    hocuspocus::addressed(&hocuspocus::address(address), &said)
}

fn token_of(caller: &Caller) -> String {
    let value = caller.headers.get("authorization").map_or("", |value| value.to_str().unwrap());
    value.trim_start_matches("Bearer ").to_owned()
}

/// All that is said until the answer to our last step 1, or until the socket is closed, and with which code.
async fn conversation(
    caller: &Caller,
    path: &str,
    messages: Vec<Bytes>,
    is_last: impl Fn(&Bytes) -> bool,
) -> (Vec<Bytes>, Option<u16>) {
    let mut socket = match caller.try_connect(path).await {
        Ok(socket) => socket,
        Err(Error::Http(answer)) => return (Vec::new(), Some(answer.status().as_u16())),
        Err(other) => panic!("{other}"),
    };
    for message in messages {
        // An error: it is closed, as we are about to hear.
        let _ = socket.send(Socketed::Binary(message)).await;
    }
    let mut said = Vec::new();
    loop {
        let next = tokio::time::timeout(PATIENCE, socket.next()).await.expect("an answer in time");
        match next {
            Some(Ok(Socketed::Binary(bytes))) => {
                let over = is_last(&bytes);
                said.push(bytes);
                if over {
                    return (said, None);
                }
            }
            Some(Ok(Socketed::Close(Some(close)))) => return (said, Some(close.code.into())),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return (said, Some(0)),
        }
    }
}

fn step1() -> Message {
    Message::Sync(Sync::Step1(Bytes::from_static(&[0])))
}

fn contains(said: &[Bytes], text: &str) -> bool {
    said.iter().any(|said| said.windows(text.len()).any(|part| part == text.as_bytes()))
}

/// A room with a secret in it.
async fn secret_room(world: &World) -> String {
    let room = world.document().await;
    world.owner().merge(&room, typed(5, SECRET)).await.expect(200);
    room
}

async fn caller_at_the_door(world: &World, who: Who, room: &str) -> Caller {
    let scope = if who == Who::ScopeMissing { "room-tokens" } else { "read" };
    match who {
        Who::ScopeMissing => world.caller(Who::ScopeAlone, Some(scope), room).await,
        who => world.caller(who, Some(scope), room).await,
    }
}

/// One row at a door of Yjs clients; `door` makes the path and the messages of a room.
async fn yjs_cell(
    world: &World,
    who: Who,
    needs: Needs,
    what: &str,
    door: impl Fn(&Caller, &str) -> (String, Vec<Bytes>),
    is_last: impl Fn(&str, &Bytes) -> bool,
) {
    let room = secret_room(world).await;
    let caller = caller_at_the_door(world, who, &room).await;
    let (path, messages) = door(&caller, &room);
    let (said, code) = conversation(&caller, &path, messages, |said| is_last(&room, said)).await;
    let what = format!("{who:?}: {what}: {said:?} {code:?}");
    let text = world.owner().get(&format!("/rooms/{room}/text")).await.text;
    let rank = who.at_the_door().unwrap_or(0);
    let may_write = rank >= super::rank("edit");
    let tries = needs == Needs::Edit;
    // The messages that a whole document holds are content; the application's words are not.
    assert_eq!(text.contains(MARK), tries && may_write && !what.contains("Stateless"), "{what}");
    assert!(text.contains(SECRET), "{what}");
    if rank == 0 {
        assert!(!contains(&said, SECRET), "{what}");
        let (path, messages) = door(&caller, NOWHERE);
        let none = conversation(&caller, &path, messages, |said| is_last(NOWHERE, said)).await;
        let nameless = |said: &[Bytes]| -> Vec<Vec<u8>> {
            said.iter().map(|said| replaced(said, room.as_bytes())).collect()
        };
        assert_eq!((nameless(&said), code), (nameless(&none.0), none.1), "{what}");
    }
}

/// The bytes with the room's name as that of none.
fn replaced(said: &Bytes, name: &[u8]) -> Vec<u8> {
    let mut said = said.to_vec();
    if let Some(at) = said.windows(name.len()).position(|part| part == name) {
        said[at..at + name.len()].copy_from_slice(NOWHERE.as_bytes());
    }
    said
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "how many cells were tried is cited")]
async fn every_message_by_everybody() {
    let world = World::new().await;
    let mut cells = 0;
    let mut types = 0;

    let mut last = None;
    while let Some((frame, _)) = after(last.as_ref(), &Bytes::new(), 0) {
        for who in Who::ALL {
            native_cell(&world, who, last.as_ref()).await;
            cells += 1;
        }
        last = Some(frame);
        types += 1;
    }

    for path in ["yjs/{room}", "d/{room}/ws/{room}"] {
        let mut last = None;
        while let Some((message, needs)) = after_message(last.as_ref()) {
            for who in Who::ALL {
                let what = format!("{path}: {message:?}");
                let door = |_: &Caller, room: &str| {
                    (path.replace("{room}", room), vec![message.write(), step1().write()])
                };
                let is_last = |_: &str, said: &Bytes| {
                    matches!(Message::read(said), Ok(Message::Sync(Sync::Step2(_))))
                };
                yjs_cell(&world, who, needs, &what, door, is_last).await;
                cells += 1;
            }
            last = Some(message);
            types += 1;
        }
    }

    let mut last = None;
    while let Some((body, needs)) = after_body(last.as_ref()) {
        for who in Who::ALL.into_iter().filter(|who| *who != Who::Forged) {
            let what = format!("hocuspocus: {body:?}");
            let door = |caller: &Caller, room: &str| {
                let token = Body::Token { token: token_of(caller), version: None };
                // Whoever has left comes again.
                let all = [&token, &body, &token, &Body::Yjs(step1())];
                let all = all.into_iter().map(|body| addressed(room, body)).collect();
                ("hocuspocus".to_owned(), all)
            };
            let is_last = |room: &str, said: &Bytes| {
                let address = hocuspocus::address(room);
                let said = Bytes::copy_from_slice(said.strip_prefix(&address[..]).unwrap_or(said));
                let denied = said.starts_with(&[2, 1]);
                denied || matches!(Message::read(&said), Ok(Message::Sync(Sync::Step2(_))))
            };
            yjs_cell(&world, who, needs, &what, door, is_last).await;
            cells += 1;
        }
        last = Some(body);
        types += 1;
    }
    println!("security table of sockets: {cells} cells ({types} types of messages at 4 doors)");
}

/// One row of the native protocol: what comes of the frame after this one.
async fn native_cell(world: &World, who: Who, last: Option<&Frame>) {
    let room = secret_room(world).await;
    let caller = caller_at_the_door(world, who, &room).await;
    let Some(may) = who.at_the_door() else {
        let Err(Error::Http(answer)) = caller.knock("").await else { panic!("{who:?} came in") };
        let forged = who == Who::Forged;
        assert_eq!(answer.status().as_u16(), if forged { 403 } else { 401 }, "{who:?}");
        return;
    };
    let told = native_row(&caller, &room, last, may).await;
    let text = world.owner().get(&format!("/rooms/{room}/text")).await.text;
    let submits = matches!(last, Some(Frame::Detach(_)));
    assert_eq!(text.contains(MARK), submits && may >= rank("edit"), "{who:?} after {last:?}");
    if may == 0 {
        let none = native_row(&caller, NOWHERE, last, may).await;
        assert_eq!(told, none, "{who:?} after {last:?}: as if it were not there");
    }
}

/// What a client hears that asks for the room and says the frame after this one.
async fn native_row(caller: &Caller, room: &str, last: Option<&Frame>, may: usize) -> String {
    let mut socket = caller.socket().await;
    socket.ask_for(room).await;
    let first = socket.hear().await;
    let follows = matches!(first, In::Attached(_));
    assert_eq!(follows, may > 0, "{first:?}");
    let name = Bytes::copy_from_slice(room.parse::<weft_core::RoomId>().unwrap().as_bytes());
    let (frame, needs) = after(last, &name, socket.client).unwrap();
    let mut heard = vec![format!("{first:?}")];
    let answer = match &frame {
        // What begins every row.
        Frame::Hello(_) | Frame::Attach(_) => None,
        Frame::Ping(_) => {
            socket.say(frame.clone()).await;
            Some(socket.hear().await)
        }
        Frame::Detach(_) => {
            socket.say(frame.clone()).await;
            None
        }
        Frame::Presence(_) if follows => {
            socket.say(frame.clone()).await;
            None
        }
        Frame::Submit(_) | Frame::Pull(_) | Frame::Presence(_) | Frame::Digest(_) => {
            socket.say(frame.clone()).await;
            Some(socket.hear().await)
        }
    };
    if let Some(answer) = answer {
        let fits = match (&frame, &answer) {
            (Frame::Ping(_), In::Pong(_)) => true,
            (_, In::Trouble(trouble)) => {
                !follows && trouble.fault.as_ref().is_some_and(|fault| fault.code == "not_attached")
            }
            (Frame::Pull(_), In::Events(_) | In::State(_)) | (Frame::Digest(_), In::Digest(_)) => {
                follows
            }
            (Frame::Submit(_), In::Outcomes(outcomes)) => {
                let outcome = outcomes.outcomes[0].is.as_ref().unwrap();
                follows && matches!(outcome, Is::Accepted(_)) == (may >= rank("edit"))
            }
            (Frame::Submit(_), In::Events(_)) => follows && may >= rank("edit"),
            _ => false,
        };
        assert!(fits, "{needs:?} {frame:?}: {answer:?}");
        heard.push(format!("{answer:?}"));
    }
    // The room's name is the one thing in which these may differ.
    let bytes = format!("{name:?}");
    heard.join("\n").replace(room, "").replace(&bytes, "")
}
