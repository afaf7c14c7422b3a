//! `/yjs/{room}` as a socket that says single messages, good and bad. The real clients from npm are in
//! `web/e2e/yjs.test.mjs`.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message as Socketed, client::IntoClientRequest},
};
use weft_proto::yjs::{Message, Sync};

use crate::{
    support::{Caller, Server},
    wire::typed,
};

pub struct Client(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Caller {
    /// A socket at that path, with this caller's headers.
    pub async fn connect(&self, path: &str) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
        self.try_connect(path).await.unwrap()
    }

    pub async fn try_connect(
        &self,
        path: &str,
    ) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, Error> {
        let url = format!("{}/{path}", self.base.replacen("http", "ws", 1));
        let mut request = url.into_client_request()?;
        request.headers_mut().extend(self.headers.clone());
        Ok(connect_async(request).await?.0)
    }
}

impl Client {
    pub async fn open(caller: &Caller, room: &str) -> Self {
        Self(caller.connect(&format!("yjs/{room}")).await)
    }

    pub async fn say(&mut self, message: &Message) {
        self.raw(Socketed::Binary(message.write())).await;
    }

    pub async fn raw(&mut self, message: Socketed) {
        self.0.send(message).await.unwrap();
    }

    /// The next message, or the code with which the socket was closed.
    pub async fn hear(&mut self) -> Result<Message, u16> {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(20), self.0.next());
            match next.await.expect("an answer in time") {
                Some(Ok(Socketed::Binary(bytes))) => return Ok(Message::read(&bytes).unwrap()),
                Some(Ok(Socketed::Close(Some(close)))) => return Err(close.code.into()),
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.hear().await {
                return code;
            }
        }
    }

    /// The server's step 1 at the start, answered with nothing.
    pub async fn in_step(caller: &Caller, room: &str) -> Self {
        Self::in_step_at(caller, &format!("yjs/{room}")).await
    }

    /// The same, at another door of this protocol.
    pub async fn in_step_at(caller: &Caller, path: &str) -> Self {
        let mut client = Self(caller.connect(path).await);
        assert!(matches!(client.hear().await, Ok(Message::Sync(Sync::Step1(_)))));
        client.say(&step2(&[0, 0])).await;
        client
    }
}

pub fn update(bytes: impl Into<Bytes>) -> Message {
    Message::Sync(Sync::Update(bytes.into()))
}

fn step2(bytes: &[u8]) -> Message {
    Message::Sync(Sync::Step2(Bytes::copy_from_slice(bytes)))
}

#[tokio::test]
async fn bad_bytes_cost_their_sender_and_nobody_else() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("x").await;
    let mut witness = Client::in_step(&lin, &room).await;
    let poison = [
        1, 2, 129, 28, 70, 1, 0, 98, 4, 116, 114, 117, 101, 1, 1, 7, 1, 8, 1, 98, 4, 110, 117, 108,
        108, 1, 1, 1, 2, 5,
    ];
    let mut nested = vec![1, 1, 1, 0, 8, 1, 1, b'a', 1];
    (0..10_000).for_each(|_| nested.extend([117, 1]));
    nested.extend([126, 0]);
    for bad in [
        Socketed::text("hello"),
        Socketed::binary(vec![0, 9, 9]),
        Socketed::binary(vec![0xff; 30]),
        Socketed::binary(vec![1, 3, 1, 1, 200]),
        Socketed::Binary(update(poison.to_vec()).write()),
        Socketed::Binary(update(nested).write()),
        Socketed::Binary(Message::Sync(Sync::Step1(Bytes::from_static(&[9]))).write()),
    ] {
        let mut client = Client::in_step(&lin, &room).await;
        client.raw(bad.clone()).await;
        assert_eq!(client.closed().await, 4400, "{bad:?}");
    }
    witness.say(&update(typed(5, "fine"))).await;
    assert_eq!(witness.hear().await, Ok(update(typed(5, "fine"))));
    assert_eq!(lin.get(&format!("/rooms/{room}/text")).await.text, "fine");
}

#[tokio::test]
async fn l9_an_update_that_lacks_its_predecessors_is_asked_for_once() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("x").await;
    let mut client = Client::in_step(&lin, &room).await;
    let later = Bytes::from_static(&[1, 1, 5, 3, 0x84, 5, 2, 1, b'a', 0]);
    client.say(&update(later.clone())).await;
    assert!(matches!(client.hear().await, Ok(Message::Sync(Sync::Step1(_)))));
    client.say(&update(later.clone())).await; // The answer that is to come would bring it, too.
    client.say(&Message::Sync(Sync::Step2(later))).await;
    assert_eq!(client.closed().await, 4400);
}

#[tokio::test]
async fn l1_an_echo_waits_for_all_before_it_and_for_the_first_step_2() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("x").await;
    let mut client = Client::open(&lin, &room).await;
    assert!(matches!(client.hear().await, Ok(Message::Sync(Sync::Step1(_)))));
    let echo = || Message::Echo(Bytes::from_static(&[7]));
    client.say(&echo()).await;
    client.say(&update(typed(1, "a"))).await;
    assert_eq!(client.hear().await, Ok(update(typed(1, "a"))), "stored, but not yet in step");
    client.say(&step2(&typed(2, "b"))).await;
    let heard = [client.hear().await, client.hear().await];
    assert!(heard.contains(&Ok(echo())), "{heard:?}");
    let mut other = Client::in_step(&lin, &room).await;
    other.say(&Message::Sync(Sync::Step1(Bytes::from_static(&[0])))).await;
    match other.hear().await {
        Ok(Message::Sync(Sync::Step2(state))) => {
            let machine = weft_proto::kinds::open("doc", Some(&state)).unwrap();
            assert_eq!(machine.text().len(), 2);
        }
        heard => panic!("{heard:?}"),
    }
}

#[tokio::test]
async fn orders_are_no_documents_and_keys_are_names() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let order = lin.post("/rooms", json!({"kind": "order", "title": ""})).await.expect(201);
    assert_eq!(Client::open(&lin, order["id"].as_str().unwrap()).await.closed().await, 4400);
    let form = json!({"kind": "doc", "title": "", "key": "app:doc-1"});
    lin.post("/rooms", form).await.expect(201);
    Client::in_step(&lin, "app:doc-1").await;
    assert_eq!(Client::open(&server.stranger(), "app:doc-1").await.closed().await, 4401);
    let bo = server.person("bo").await;
    assert_eq!(Client::open(&bo, "app:doc-1").await.closed().await, 4404);
}

#[tokio::test]
async fn a_server_that_stops_says_nothing_but_the_close_code() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let room = lin.document("x").await;
    let mut client = Client::in_step(&lin, &room).await;
    let stopping = tokio::spawn(server.restart(|_| ()));
    assert_eq!(client.hear().await, Err(4503));
    stopping.await.unwrap();
}
