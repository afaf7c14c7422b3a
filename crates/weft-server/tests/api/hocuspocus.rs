//! `/hocuspocus` as a socket that says single messages, good and bad. The real providers from npm are
//! in `web/e2e/hocuspocus.test.mjs`.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message as Socketed,
};
use weft_proto::yjs::{
    Message, Sync,
    hocuspocus::{addressed, authenticated, close, denied, stateless, sync_status},
};

use crate::{
    support::{Caller, Server},
    wire::typed,
};

pub struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// A string as lib0 writes it, if it is short.
pub fn text(text: &str) -> Vec<u8> {
    [&[text.len() as u8], text.as_bytes()].concat()
}

fn token_of(caller: &Caller) -> String {
    let value = caller.headers["authorization"].to_str().unwrap();
    value.trim_start_matches("Bearer ").to_owned()
}

pub fn update(bytes: impl Into<Bytes>) -> Bytes {
    Message::Sync(Sync::Update(bytes.into())).write()
}

fn step1(state_vector: &[u8]) -> Bytes {
    Message::Sync(Sync::Step1(Bytes::copy_from_slice(state_vector))).write()
}

pub fn step2(bytes: &[u8]) -> Bytes {
    Message::Sync(Sync::Step2(Bytes::copy_from_slice(bytes))).write()
}

impl Client {
    async fn open(server: &Server) -> Self {
        let url = format!("{}/hocuspocus", server.stranger().base.replacen("http", "ws", 1));
        Self(connect_async(url).await.unwrap().0)
    }

    async fn raw(&mut self, message: Socketed) {
        self.0.send(message).await.unwrap();
    }

    pub async fn say(&mut self, address: &str, message: &[u8]) {
        let message = [&text(address)[..], message].concat();
        self.raw(Socketed::binary(message)).await;
    }

    async fn token(&mut self, address: &str, token: &str) {
        self.say(address, &[&[2, 0][..], &text(token), &text("4.8.0")].concat()).await;
    }

    /// The next message, or the code with which the socket was closed.
    pub async fn hear(&mut self) -> Result<Bytes, u16> {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(20), self.0.next());
            match next.await.expect("an answer in time") {
                Some(Ok(Socketed::Binary(bytes))) => return Ok(bytes),
                Some(Ok(Socketed::Close(Some(close)))) => return Err(close.code.into()),
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub async fn hears(&mut self, address: &str, message: &Bytes) {
        let expected = addressed(&text(address).into(), message);
        assert_eq!(self.hear().await, Ok(expected));
    }

    /// All that the server has said to this address by the time that everything the client has
    /// sent is stored or turned away.
    pub async fn all(&mut self, room: &str, caller: &Caller) -> Vec<Bytes> {
        let mut all = Vec::new();
        // The first mark has passed the room behind everything else, an update that adds nothing is
        // decided after that, and the second mark comes after the answers to all of it.
        self.mark(room, &mut all).await;
        caller.merge(room, vec![0, 0]).await.expect(200);
        self.mark(room, &mut all).await;
        all
    }

    async fn mark(&mut self, room: &str, all: &mut Vec<Bytes>) {
        self.say(room, &[&[6][..], &text("mark")].concat()).await;
        loop {
            let said = self.hear().await.unwrap();
            let said = Bytes::copy_from_slice(said.strip_prefix(&text(room)[..]).unwrap());
            if said == stateless(b"mark") {
                return;
            }
            all.push(said);
        }
    }

    async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.hear().await {
                return code;
            }
        }
    }

    /// Is told to leave the document, or the socket is closed.
    pub async fn left(&mut self, address: &str) {
        while let Ok(said) = self.hear().await {
            let said = said.strip_prefix(&text(address)[..]).unwrap();
            let ends = ["no_access", "signed_out"].iter().any(|why| said == close(why));
            if ends {
                return;
            }
        }
    }

    /// Signs in for a document, up to the server's step 1.
    pub async fn follow(&mut self, address: &str, caller: &Caller, readonly: bool) {
        self.token(address, &token_of(caller)).await;
        self.hears(address, &authenticated(readonly)).await;
        let said = self.hear().await.unwrap();
        let said = Bytes::copy_from_slice(said.strip_prefix(&text(address)[..]).unwrap());
        assert!(matches!(Message::read(&said), Ok(Message::Sync(Sync::Step1(_)))), "{said:?}");
    }

    /// The same, with the server's step 1 answered by nothing.
    pub async fn in_step(server: &Server, address: &str, caller: &Caller) -> Self {
        let mut client = Self::open(server).await;
        client.follow(address, caller, false).await;
        client.say(address, &step2(&[0, 0])).await;
        client.hears(address, &sync_status(true)).await;
        client
    }
}

#[tokio::test]
async fn a_token_opens_one_document_and_nothing_else() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let (room, secret) = (lin.document("x").await, bo.document("y").await);
    let order = lin.post("/rooms", json!({"kind": "order", "title": ""})).await.expect(201);
    lin.post("/rooms", json!({"kind": "doc", "title": "", "key": "app:1"})).await.expect(201);
    let mut client = Client::open(&server).await;
    client.say(&room, &step1(&[0])).await; // Nobody yet, and not kept.
    client.token(&room, "nonsense").await;
    client.hears(&room, &denied("not_signed_in")).await;
    client.token(&secret, &token_of(&lin)).await;
    client.hears(&secret, &denied("not_found")).await;
    client.token(order["id"].as_str().unwrap(), &token_of(&lin)).await;
    let order = order["id"].as_str().unwrap();
    client.hears(order, &denied("not_merged")).await;
    client.hears(order, &close("not_merged")).await;
    client.follow("app:1", &lin, false).await;
    client.follow(&room, &lin, false).await;
    client.say(&room, &step1(&[0])).await;
    client.hears(&room, &step2(&[0, 0])).await;
}

#[tokio::test]
async fn l1_each_thing_sent_has_one_signal_and_none_before_the_answer_to_step_1() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("x").await;
    let mut client = Client::open(&server).await;
    client.follow(&room, &lin, false).await;
    client.say(&room, &step1(&[0])).await;
    client.hears(&room, &step2(&[0, 0])).await;
    client.say(&room, &update(typed(1, "a"))).await;
    client.hears(&room, &update(typed(1, "a"))).await; // Stored, but not yet in step.
    client.say(&room, &step2(&typed(2, "b"))).await;
    let said = client.all(&room, &lin).await;
    assert_eq!(said.iter().filter(|said| **said == sync_status(true)).count(), 2, "{said:?}");
    client.say(&room, &step2(&typed(2, "b"))).await;
    client.hears(&room, &sync_status(true)).await; // Unasked for, and yet one.
    assert_eq!(client.all(&room, &lin).await, Vec::<Bytes>::new());
}

#[tokio::test]
async fn l1_what_a_provider_does_not_count_has_no_signal() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("x").await;
    let mut client = Client::open(&server).await;
    client.follow(&room, &lin, false).await;
    // "a" and "b" were typed while away: the provider names them in its step 1 and sends them
    // again from its queue, and counts neither.
    client.say(&room, &step1(&[1, 7, 2])).await;
    client.say(&room, &update(typed(7, "a"))).await;
    let b = [1, 1, 7, 1, 0x84, 7, 0, 1, b'b', 0].to_vec();
    client.say(&room, &update(b.clone())).await;
    client.say(&room, &step2(&typed(7, "ab"))).await;
    // Typed after it: one more signal.
    client.say(&room, &update([1, 1, 7, 2, 0x84, 7, 1, 1, b'c', 0].to_vec())).await;
    let said = client.all(&room, &lin).await;
    assert_eq!(said.iter().filter(|said| **said == sync_status(true)).count(), 2, "{said:?}");
    assert_eq!(lin.get(&format!("/rooms/{room}/text")).await.text, "abc");
    // A step 1 begins to count anew, and is answered by one of ours.
    client.say(&room, &step1(&[1, 7, 3])).await;
    let said = client.all(&room, &lin).await;
    assert_eq!(said.len(), 2, "{said:?}");
    client.say(&room, &step2(&[0, 0])).await;
    assert_eq!(client.all(&room, &lin).await, [sync_status(true)]);
}

#[tokio::test]
async fn l9_an_update_that_lacks_its_predecessors_is_asked_for_once() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("x").await;
    let later = || update(vec![1, 1, 5, 3, 0x84, 5, 2, 1, b'd', 0]);
    let mut client = Client::in_step(&server, &room, &lin).await;
    client.say(&room, &later()).await;
    let said = client.all(&room, &lin).await;
    assert_eq!(said.len(), 1);
    assert!(matches!(Message::read(&said[0]), Ok(Message::Sync(Sync::Step1(_)))), "{said:?}");
    client.say(&room, &step2(&typed(5, "abcd"))).await;
    let said = client.all(&room, &lin).await;
    let statuses = said.iter().filter(|said| **said == sync_status(true)).count();
    assert_eq!(statuses, 1, "for the update: step 2 was our wish");
    let mut other = Client::in_step(&server, &room, &lin).await;
    let lost = [1, 1, 6, 3, 0x84, 6, 2, 1, b'd', 0];
    other.say(&room, &update(lost.to_vec())).await;
    other.hear().await.unwrap();
    other.say(&room, &update(lost.to_vec())).await; // The answer that is to come would bring it, too.
    other.say(&room, &step2(&lost)).await;
    other.hears(&room, &denied("missing_predecessors")).await;
    other.hears(&room, &close("missing_predecessors")).await;
}

#[tokio::test]
async fn who_may_only_read_is_told_so_and_stays() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let room = lin.document("x").await;
    let mut owner = Client::in_step(&server, &room, &lin).await;
    owner.say(&room, &update(typed(1, "abc"))).await;
    owner.hear().await.unwrap();
    let grants = format!("/rooms/{room}/grants");
    lin.post(&grants, json!({"username": "bo", "right": "read"})).await.expect(200);
    let mut client = Client::open(&server).await;
    client.follow(&room, &bo, true).await;
    client.say(&room, &step2(&[0, 0])).await;
    client.hears(&room, &sync_status(true)).await; // Nothing new in it.
    for bad in [typed(2, "mine").to_vec(), vec![0, 1, 1, 1, 0, 2]] {
        client.say(&room, &update(bad)).await;
        client.hears(&room, &sync_status(false)).await;
    }
    client.say(&room, &[&[6][..], &text("hey")].concat()).await;
    client.hears(&room, &denied("no_right")).await;
    client.hears(&room, &close("no_right")).await;
    assert_eq!(lin.get(&format!("/rooms/{room}/text")).await.text, "abc");
    // With the right to edit what was refused is asked for, and every signal that was due is given.
    let mut client = Client::open(&server).await;
    client.follow(&room, &bo, true).await;
    client.say(&room, &step2(&typed(2, "mine"))).await;
    client.hears(&room, &sync_status(false)).await;
    client.say(&room, &update(typed(3, "too"))).await;
    client.hears(&room, &sync_status(false)).await;
    lin.post(&grants, json!({"username": "bo", "right": "edit"})).await.expect(200);
    client.hears(&room, &authenticated(false)).await;
    let said = client.hear().await.unwrap();
    assert_eq!(said[said.len() - 6..said.len() - 4], [0, 0], "step 1: {said:?}");
    client.say(&room, &step2(&typed(2, "mine"))).await;
    let mut statuses = 0;
    while statuses < 2 {
        statuses += usize::from(client.hear().await.unwrap().ends_with(&sync_status(true)));
    }
    lin.post(&grants, json!({"username": "bo", "right": "read"})).await.expect(200);
    client.hears(&room, &authenticated(true)).await;
    lin.delete(&format!("{grants}/bo")).await.expect(204);
    client.hears(&room, &denied("no_access")).await;
    client.hears(&room, &close("no_access")).await;
}

#[tokio::test]
async fn two_sessions_of_one_document_share_a_socket() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("x").await;
    let (a, b) = (format!("{room}\0a"), format!("{room}\0b"));
    let mut client = Client::open(&server).await;
    client.follow(&a, &lin, false).await;
    client.follow(&b, &lin, false).await;
    client.say(&a, &step2(&typed(1, "x"))).await;
    let mut heard = Vec::new();
    for _ in 0..3 {
        heard.push(client.hear().await.unwrap());
    }
    for (address, said) in
        [(&a, update(typed(1, "x"))), (&b, update(typed(1, "x"))), (&a, sync_status(true))]
    {
        assert!(heard.contains(&addressed(&text(address).into(), &said)), "{heard:?}");
    }
    client.say(&a, &[7]).await;
    client.hears(&a, &close("closed")).await;
    client.say(&a, &step2(&typed(2, "y"))).await; // To nobody.
    client.say(&b, &[&[6][..], &text("hey")].concat()).await;
    client.hears(&b, &stateless(b"hey")).await;
    let mut other = Client::in_step(&server, &room, &lin).await;
    other.say(&room, &[&[6][..], &text("all")].concat()).await;
    other.hears(&room, &stateless(b"all")).await;
    client.hears(&b, &stateless(b"all")).await;
    let mut large = vec![6];
    large.extend([0x81, 0x80, 4]); // 65,537 bytes
    large.resize(large.len() + 65_537, b'x');
    other.say(&room, &large).await;
    other.hears(&room, &denied("stateless_too_large")).await;
    assert_eq!(lin.get(&format!("/rooms/{room}/text")).await.text, "x");
}

#[tokio::test]
async fn bad_bytes_cost_their_sender_and_nobody_else() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("x").await;
    let mut witness = Client::in_step(&server, &room, &lin).await;
    for bad in [
        Socketed::text("hello"),
        Socketed::binary(Vec::new()),
        Socketed::binary(vec![0xff; 30]),
        Socketed::binary([&text(&room)[..], &[0, 9, 9]].concat()),
        Socketed::binary([&[0xac_u8, 0x9c, 1][..], &vec![b'a'; 20_012]].concat()),
    ] {
        let mut client = Client::in_step(&server, &room, &lin).await;
        client.raw(bad.clone()).await;
        assert_eq!(client.closed().await, 4400, "{bad:?}");
    }
    for (bad, why) in [
        (update(vec![9, 9]), "op_malformed"),
        (update(vec![0; 4_194_305]), "op_too_large"),
        (step1(&[9]), "op_malformed"),
    ] {
        let mut client = Client::in_step(&server, &room, &lin).await;
        client.say(&room, &bad).await;
        let denied = addressed(&text(&room).into(), &denied(why));
        while client.hear().await.unwrap() != denied {}
        client.hears(&room, &close(why)).await;
    }
    witness.say(&room, &update(typed(5, "fine"))).await;
    let heard = [witness.hear().await.unwrap(), witness.hear().await.unwrap()];
    assert!(heard.iter().any(|said| said.ends_with(&sync_status(true))), "{heard:?}");
    assert_eq!(lin.get(&format!("/rooms/{room}/text")).await.text, "fine");
}

#[tokio::test]
async fn nobody_stays_and_a_socket_holds_so_many_documents() {
    let server = Server::with(Server::limits(|limits| {
        limits.hello_ms_max = 200;
        limits.rooms_per_connection_max = 1;
    }))
    .await;
    let lin = server.person("lin").await;
    let (one, two) = (lin.document("x").await, lin.document("y").await);
    let mut nobody = Client::open(&server).await;
    assert_eq!(nobody.closed().await, 4408);
    let mut guessing = Client::open(&server).await;
    guessing.token(&one, "a").await;
    guessing.token(&one, "b").await;
    assert_eq!(guessing.closed().await, 4401);
    let mut client = Client::in_step(&server, &one, &lin).await;
    client.token(&two, &token_of(&lin)).await;
    client.hears(&two, &denied("too_many_rooms")).await;
    // Who has signed in once may be silent for longer.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(client.all(&one, &lin).await, Vec::<Bytes>::new());
}

#[tokio::test]
async fn signing_out_ends_the_socket_and_another_token_begins_anew() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("x").await;
    let login = json!({"username": "lin", "password": crate::support::PASSWORD});
    let other = server.stranger().post("/auth/login", login).await.expect(200);
    let other = server.stranger().bearer(other["token"].as_str().unwrap());
    let mut client = Client::in_step(&server, &room, &lin).await;
    client.token(&room, &token_of(&lin)).await;
    assert_eq!(client.all(&room, &lin).await, Vec::<Bytes>::new());
    client.token(&room, &token_of(&other)).await;
    assert_eq!(client.closed().await, 4503);
    let mut client = Client::in_step(&server, &room, &other).await;
    other.post("/auth/logout", json!({})).await.expect(204);
    assert_eq!(client.closed().await, 4401);
    let mut client = Client::in_step(&server, &room, &lin).await;
    let stopping = tokio::spawn(server.restart(|_| ()));
    assert_eq!(client.hear().await, Err(4503));
    stopping.await.unwrap();
}

#[tokio::test]
async fn whole_states_are_told_so_often_only() {
    let server = Server::with(Server::limits(|limits| {
        limits.yjs_states_bytes_burst = 100 << 10;
        limits.yjs_states_bytes_per_second = 1;
    }))
    .await;
    let lin = server.person("lin").await;
    let room = lin.document("x").await;
    let mut client = Client::in_step(&server, &room, &lin).await;
    client.say(&room, &update(typed(1, &"x".repeat(60_000)))).await;
    for _ in 0..2 {
        client.hear().await.unwrap();
    }
    // Two of them, and then no more: the clock stands.
    let mut told = 0;
    let code = loop {
        client.say(&room, &step1(&[0])).await;
        match client.hear().await {
            Ok(said) if said.len() > 60_000 => told += 1,
            Ok(_) => {}
            Err(code) => break code,
        }
    };
    assert_eq!((told, code), (2, 4529));
}
