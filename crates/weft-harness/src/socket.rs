//! One connection of the native protocol.

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};
use weft_proto::{
    frame,
    wire::{self, client_frame::Body as Out, server_frame::Body as In},
};

pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    waiting: std::collections::VecDeque<In>,
}

impl Socket {
    /// Connects and says hello; returns the client id that speaks on this connection.
    pub async fn open(url: &str, token: &str, client: Option<u64>) -> anyhow::Result<(Self, u64)> {
        let mut request = format!("{}/ws", url.replacen("http", "ws", 1)).into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", HeaderValue::from_static("weft.v1"));
        headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {token}"))?);
        let (stream, _) = connect_async(request).await.context("connect")?;
        let mut socket = Self { stream, waiting: Default::default() };
        let client_ids = client.into_iter().collect();
        socket.send(Out::Hello(wire::Hello { version: 1, client_ids })).await?;
        match socket.next().await? {
            In::Welcome(welcome) => Ok((socket, welcome.client_id)),
            other => bail!("no welcome but {other:?}"),
        }
    }

    pub async fn send(&mut self, body: Out) -> anyhow::Result<()> {
        self.stream.send(Message::Binary(frame::to_server(body))).await.context("send")
    }

    /// The next frame. Safe to be dropped while it waits.
    pub async fn next(&mut self) -> anyhow::Result<In> {
        loop {
            if let Some(body) = self.waiting.pop_front() {
                return Ok(body);
            }
            match self.stream.next().await.context("the connection ended")?? {
                Message::Binary(bytes) => {
                    let frames: Vec<wire::ServerFrame> = frame::read(bytes)?;
                    self.waiting.extend(frames.into_iter().filter_map(|frame| frame.body));
                }
                Message::Close(close) => bail!("closed: {close:?}"),
                _ => {}
            }
        }
    }

    pub async fn attach(
        &mut self,
        room: &str,
        since: weft_core::room::Since,
    ) -> anyhow::Result<wire::Attached> {
        let (since_seq, epoch, lineage) = (since.seq, since.epoch, since.lineage);
        self.send(Out::Attach(wire::Attach { room: room.to_owned(), since_seq, epoch, lineage }))
            .await?;
        loop {
            match self.next().await? {
                In::Attached(attached) => return Ok(attached),
                In::Detached(detached) => bail!("not attached: {:?}", detached.why),
                _ => {}
            }
        }
    }
}
