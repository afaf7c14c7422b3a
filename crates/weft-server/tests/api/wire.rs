//! A client of the native protocol that says and hears single frames.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{Error, Message, client::IntoClientRequest, protocol::WebSocketConfig},
};
use weft_proto::{
    frame,
    wire::{self, client_frame::Body as Out, outcome::Is, server_frame::Body as In},
};
use yrs::{Text, Transact, WriteTxn};

use crate::support::Caller;

/// Nothing takes that long; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    waiting: Vec<In>,
    pub client: u64,
    pub welcome: wire::Welcome,
}

impl Caller {
    /// Opens `/ws` with this caller's headers, and says nothing yet.
    pub async fn knock(&self, query: &str) -> Result<Socket, Error> {
        let url = format!("{}/ws{query}", self.base.replacen("http", "ws", 1));
        let mut request = url.into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", "weft.v1".parse().unwrap());
        headers.extend(self.headers.clone());
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let (stream, answer) = connect_async_with_config(request, Some(config), false).await?;
        assert_eq!(answer.headers()["sec-websocket-protocol"], "weft.v1");
        Ok(Socket { stream, waiting: Vec::new(), client: 0, welcome: wire::Welcome::default() })
    }

    pub async fn socket(&self) -> Socket {
        self.socket_as(&[]).await
    }

    /// A socket that claims these client ids.
    pub async fn socket_as(&self, ids: &[u64]) -> Socket {
        let mut socket = self.knock("").await.unwrap();
        socket.hello(1, ids).await;
        match socket.hear().await {
            In::Welcome(welcome) => {
                socket.client = welcome.client_id;
                socket.welcome = welcome;
            }
            other => panic!("no welcome but {other:?}"),
        }
        socket
    }
}

impl Socket {
    pub async fn hello(&mut self, version: u32, ids: &[u64]) {
        self.say(Out::Hello(wire::Hello { version, client_ids: ids.to_vec() })).await;
    }

    pub async fn say(&mut self, body: Out) {
        self.raw(Message::Binary(frame::to_server(body))).await;
    }

    /// Says it to a connection that may be gone.
    pub async fn try_say(&mut self, body: Out) {
        // An error: it is gone.
        let _ = self.stream.send(Message::Binary(frame::to_server(body))).await;
    }

    /// Says hello; how the connection is closed instead of a welcome, if so.
    pub async fn answers_hello(&mut self) -> Result<(), (u16, String)> {
        self.try_say(Out::Hello(wire::Hello { version: 1, client_ids: Vec::new() })).await;
        self.next().await.map(drop)
    }

    pub async fn raw(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    /// The next frame, presence apart.
    pub async fn hear(&mut self) -> In {
        match self.next().await {
            Ok(body) => body,
            Err(close) => panic!("closed: {close:?}"),
        }
    }

    /// The next frame, presence apart, or how the connection was closed.
    pub async fn next(&mut self) -> Result<In, (u16, String)> {
        loop {
            if !self.waiting.is_empty() {
                match self.waiting.remove(0) {
                    In::Peers(_) => continue,
                    body => return Ok(body),
                }
            }
            let message = tokio::time::timeout(PATIENCE, self.stream.next()).await;
            match message.expect("an answer in time") {
                Some(Ok(Message::Binary(bytes))) => {
                    let frames: Vec<wire::ServerFrame> = frame::read(bytes).unwrap();
                    self.waiting.extend(frames.into_iter().filter_map(|frame| frame.body));
                }
                Some(Ok(Message::Close(Some(close)))) => {
                    return Err((close.code.into(), close.reason.to_string()));
                }
                Some(Ok(_)) => {}
                other => return Err((0, format!("{other:?}"))),
            }
        }
    }

    /// How the connection is closed, whatever is said before.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Err(close) = self.next().await {
                return close;
            }
        }
    }

    pub async fn ask_for(&mut self, room: &str) {
        let room = room.to_owned();
        self.say(Out::Attach(wire::Attach { room, ..wire::Attach::default() })).await;
    }

    pub async fn attach(&mut self, room: &str) -> wire::Attached {
        self.ask_for(room).await;
        match self.hear().await {
            In::Attached(attached) => attached,
            other => panic!("not attached but {other:?}"),
        }
    }

    /// Why a room is not to be had, or not any more.
    pub async fn detached(&mut self) -> String {
        match self.hear().await {
            In::Detached(detached) => detached.why.unwrap().code,
            other => panic!("not detached but {other:?}"),
        }
    }

    pub async fn refused_room(&mut self, room: &str) -> String {
        self.ask_for(room).await;
        self.detached().await
    }

    pub async fn submit(&mut self, room: &Bytes, client_seq: u64, op: Bytes) {
        let (room, client_id) = (room.clone(), self.client);
        self.say(Out::Submit(wire::Submit { room, client_id, client_seq, op })).await;
    }

    /// The outcome of an operation; events on the way are passed over.
    pub async fn outcome(&mut self, client_seq: u64) -> Is {
        loop {
            if let In::Outcomes(outcomes) = self.hear().await
                && let Some(outcome) =
                    outcomes.outcomes.into_iter().find(|outcome| outcome.client_seq == client_seq)
            {
                return outcome.is.unwrap();
            }
        }
    }

    /// The seq at which an operation is saved.
    pub async fn saved(&mut self, room: &Bytes, client_seq: u64, op: Bytes) -> u64 {
        self.submit(room, client_seq, op).await;
        match self.outcome(client_seq).await {
            Is::Accepted(seq) => seq,
            other => panic!("not saved: {other:?}"),
        }
    }

    /// The code with which an operation is refused.
    pub async fn refused(&mut self, room: &Bytes, client_seq: u64, op: Bytes) -> String {
        self.submit(room, client_seq, op).await;
        match self.outcome(client_seq).await {
            Is::Refused(fault) => fault.code,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// The next entries' seqs.
    pub async fn events(&mut self) -> Vec<u64> {
        loop {
            if let In::Events(events) = self.hear().await {
                return events.entries.iter().map(|entry| entry.seq).collect();
            }
        }
    }

    pub async fn trouble(&mut self) -> String {
        loop {
            if let In::Trouble(trouble) = self.hear().await {
                return trouble.fault.unwrap().code;
            }
        }
    }
}

/// A Yjs update that inserts `text` into an empty text, by a Yjs client of its own.
pub fn typed(client: u64, text: &str) -> Bytes {
    let doc = yrs::Doc::with_client_id(client);
    let mut txn = doc.transact_mut();
    let into = txn.get_or_insert_text("t");
    into.insert(&mut txn, 0, text);
    txn.encode_update_v1().into()
}
