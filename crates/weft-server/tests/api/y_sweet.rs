//! y-sweet's front doors as single calls and messages. The real client from npm is in
//! `web/e2e/yjs-protocols.test.mjs`.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite::Message as Socketed};
use weft_proto::yjs::{Message, Sync};

use crate::{
    support::{Caller, Server},
    wire::typed,
};

type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// As the client makes it: the token's address, the document once more, the token.
async fn open(token: &Value) -> Socket {
    let (url, doc) = (token["url"].as_str().unwrap(), token["docId"].as_str().unwrap());
    let url = format!("{url}/{doc}?token={}", token["token"].as_str().unwrap());
    connect_async(url).await.unwrap().0
}

async fn hear(socket: &mut Socket) -> Result<Message, u16> {
    loop {
        let next = tokio::time::timeout(Duration::from_secs(20), socket.next());
        match next.await.expect("an answer in time") {
            Some(Ok(Socketed::Binary(bytes))) => return Ok(Message::read(&bytes).unwrap()),
            Some(Ok(Socketed::Close(Some(close)))) => return Err(close.code.into()),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn say(socket: &mut Socket, message: Message) {
    socket.send(Socketed::Binary(message.write())).await.unwrap();
}

fn update(bytes: Bytes) -> Message {
    Message::Sync(Sync::Update(bytes))
}

async fn token(caller: &Caller, doc: &str, form: Value) -> Value {
    caller.post(&format!("//doc/{doc}/auth"), form).await.expect(200)
}

#[tokio::test]
async fn documents_are_made_once_and_tokens_open_them() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let made = lin.post("//doc/new", json!({"docId": "notes-1"})).await.expect(200);
    assert_eq!(made, json!({"docId": "notes-1"}));
    let again = lin.post("//doc/new", json!({"docId": "notes-1"})).await.expect(200);
    assert_eq!(again, made);
    let rooms = lin.get("/rooms").await.expect(200);
    assert_eq!(rooms["rooms"].as_array().unwrap().len(), 1);
    let new = lin.post("//doc/new", json!({})).await.expect(200);
    lin.get(&format!("/rooms/{}", new["docId"].as_str().unwrap())).await.expect(200);
    lin.post("//doc/new", json!({"docId": "a b"})).await.refused(400, "bad_request");
    server.stranger().post("//doc/new", json!({})).await.refused(401, "not_signed_in");

    let given = token(&lin, "notes-1", json!({})).await;
    assert_eq!(given["docId"], "notes-1");
    assert_eq!(given["authorization"], "full");
    assert_eq!(given["baseUrl"], format!("{}/d/notes-1", lin.base));
    let mut socket = open(&given).await;
    assert!(matches!(hear(&mut socket).await, Ok(Message::Sync(Sync::Step1(_)))));
    bo.post("//doc/notes-1/auth", json!({})).await.refused(404, "not_found");
    let unknown = json!({"authorization": "all"});
    lin.post("//doc/notes-1/auth", unknown).await.refused(400, "bad_request");
}

#[tokio::test]
async fn a_path_names_one_document_and_a_token_one_person() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let (one, two) = (lin.document("x").await, lin.document("y").await);
    let given = token(&lin, &one, json!({})).await;
    let mut other = given.clone();
    other["docId"] = json!(two);
    assert_eq!(hear(&mut open(&other).await).await, Err(4404));
    let mut nobody = given.clone();
    nobody["token"] = json!("nonsense");
    assert_eq!(hear(&mut open(&nobody).await).await, Err(4401));
}

#[tokio::test]
async fn l1_who_may_only_read_hears_no_echo_after_a_change() {
    let server = Server::open().await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let room = lin.document("x").await;
    let grants = format!("/rooms/{room}/grants");
    lin.post(&grants, json!({"username": "bo", "right": "read"})).await.expect(200);
    bo.post(&format!("//doc/{room}/auth"), json!({"authorization": "full"}))
        .await
        .refused(403, "no_right");
    assert_eq!(token(&bo, &room, json!({})).await["authorization"], "read-only");
    lin.post(&grants, json!({"username": "bo", "right": "edit"})).await.expect(200);
    let given = token(&bo, &room, json!({})).await;
    assert_eq!(given["authorization"], "full");
    lin.post(&grants, json!({"username": "bo", "right": "read"})).await.expect(200);
    let mut socket = open(&given).await;
    assert!(matches!(hear(&mut socket).await, Ok(Message::Sync(Sync::Step1(_)))));
    let echo = |n: &'static [u8]| Message::Echo(Bytes::from_static(n));
    say(&mut socket, echo(&[1, 0])).await;
    say(&mut socket, Message::Sync(Sync::Step2(Bytes::from_static(&[0, 0])))).await;
    assert_eq!(hear(&mut socket).await, Ok(echo(&[1, 0])), "nothing to save");
    say(&mut socket, update(typed(1, "mine"))).await;
    say(&mut socket, echo(&[1, 1])).await;
    // Something is said all the same, or the client would take the server for gone.
    assert_eq!(hear(&mut socket).await, Ok(Message::Awareness(Vec::new())));
    assert_eq!(hear(&mut socket).await, Ok(Message::Awareness(Vec::new())));
    lin.post(&grants, json!({"username": "bo", "right": "edit"})).await.expect(200);
    assert!(matches!(hear(&mut socket).await, Ok(Message::Sync(Sync::Step1(_)))));
    say(&mut socket, Message::Sync(Sync::Step2(typed(1, "mine")))).await;
    let heard = [hear(&mut socket).await, hear(&mut socket).await];
    assert!(heard.contains(&Ok(echo(&[1, 1]))), "{heard:?}");
    assert_eq!(lin.get(&format!("/rooms/{room}/text")).await.text, "mine");
    lin.delete(&format!("{grants}/bo")).await.expect(204);
    assert_eq!(hear(&mut socket).await, Err(4403));
}

#[tokio::test]
async fn what_is_to_be_echoed_is_a_number() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let given = token(&lin, &lin.document("x").await, json!({})).await;
    let mut socket = open(&given).await;
    hear(&mut socket).await.unwrap();
    say(&mut socket, Message::Echo(vec![0; 2_000].into())).await;
    assert_eq!(hear(&mut socket).await, Err(4400));
    let mut socket = open(&given).await;
    hear(&mut socket).await.unwrap();
    let flood = async {
        for _ in 0..=4_096 {
            say(&mut socket, Message::Echo(Bytes::from_static(&[1, 1]))).await;
        }
    };
    flood.await;
    assert_eq!(hear(&mut socket).await, Err(4529));
}
