//! One connection of the native protocol.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use anyhow::{anyhow, bail};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error, Message, client::IntoClientRequest, error::ProtocolError, http::HeaderValue,
        protocol::CloseFrame,
    },
};
use weft_proto::{
    frame,
    wire::{self, client_frame::Body as Out, server_frame::Body as In},
};

/// The connection is gone, or never came to be; a client comes back. All other errors are somebody's
/// fault.
#[derive(Debug)]
pub struct Lost(pub String);

impl std::error::Error for Lost {}

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the connection is lost: {}", self.0)
    }
}

pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    waiting: VecDeque<In>,
    heartbeat: Duration,
    pinged: Instant,
    heard: Instant,
}

impl Socket {
    /// Connects and says hello; returns the client id that speaks on this connection.
    pub async fn open(url: &str, token: &str, client: Option<u64>) -> anyhow::Result<(Self, u64)> {
        let mut request = format!("{}/ws", url.replacen("http", "ws", 1)).into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", HeaderValue::from_static("weft.v1"));
        headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {token}"))?);
        let (stream, _) = connect_async(request).await.map_err(failed)?;
        let (now, heartbeat) = (Instant::now(), Duration::MAX);
        let waiting = VecDeque::new();
        let mut socket = Self { stream, waiting, heartbeat, pinged: now, heard: now };
        let client_ids = client.into_iter().collect();
        socket.send(Out::Hello(wire::Hello { version: 1, client_ids })).await?;
        match socket.next().await? {
            In::Welcome(welcome) => {
                socket.heartbeat = Duration::from_millis(welcome.heartbeat_ms.into());
                Ok((socket, welcome.client_id))
            }
            other => bail!("no welcome but {other:?}"),
        }
    }

    pub async fn send(&mut self, body: Out) -> anyhow::Result<()> {
        self.stream.send(Message::Binary(frame::to_server(body))).await.map_err(failed)
    }

    /// The next frame. Safe to be dropped while it waits.
    pub async fn next(&mut self) -> anyhow::Result<In> {
        loop {
            if let Some(body) = self.waiting.pop_front() {
                return Ok(body);
            }
            let message = self.stream.next().await.ok_or_else(|| Lost("it ended".into()))?;
            self.heard = Instant::now();
            match message.map_err(failed)? {
                Message::Binary(bytes) => {
                    let frames: Vec<wire::ServerFrame> = frame::read(bytes)?;
                    self.waiting.extend(frames.into_iter().filter_map(|frame| frame.body));
                }
                Message::Close(close) => return Err(closed(close)),
                _ => {}
            }
        }
    }

    /// Sends a ping when it is time to. To be called often.
    pub async fn beat(&mut self) -> anyhow::Result<()> {
        if self.heard.elapsed() / 2 >= self.heartbeat {
            bail!(Lost(SILENT.into()));
        }
        if self.pinged.elapsed() >= self.heartbeat {
            self.pinged = Instant::now();
            self.send(Out::Ping(wire::Ping { nonce: 0 })).await?;
        }
        Ok(())
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
                In::Detached(detached) => return Err(gone(detached)),
                _ => {}
            }
        }
    }
}

/// What a connection is lost of when nothing is heard on it.
pub const SILENT: &str = "silence";

fn failed(error: Error) -> anyhow::Error {
    let is_lost = match &error {
        Error::Io(_) | Error::ConnectionClosed | Error::AlreadyClosed => true,
        Error::Protocol(error) => matches!(
            error,
            ProtocolError::ResetWithoutClosingHandshake
                | ProtocolError::HandshakeIncomplete
                | ProtocolError::SendAfterClosing
        ),
        Error::Http(answer) => answer.status().is_server_error(),
        _ => false,
    };
    if is_lost { Lost(error.to_string()).into() } else { error.into() }
}

fn closed(close: Option<CloseFrame>) -> anyhow::Error {
    match close {
        // All others of 44xx say that the client is at fault.
        Some(close) if close.code != 4408.into() && u16::from(close.code) / 100 == 44 => {
            anyhow!("closed: {close}")
        }
        close => Lost(format!("closed: {close:?}")).into(),
    }
}

/// Why a room is not attached (any more).
pub fn gone(detached: wire::Detached) -> anyhow::Error {
    match detached.why {
        Some(why) if why.code == "room_unavailable" => Lost(why.code).into(),
        why => anyhow!("detached: {why:?}"),
    }
}
