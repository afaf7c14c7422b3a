//! One connection while it is being set up: sent to and read from one message at a time.
//!
//! Once it stands, a [`crate::crowd::Crowd`] takes the socket over and reads it without waiting.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};

use crate::wire::{End, KEY, first_frame, opcode, put_frame};

/// How long a server may take to say something that it has to say.
const PATIENCE: Duration = Duration::from_secs(120);

/// A WebSocket whose calls wait.
pub struct Line {
    stream: TcpStream,
    /// Read, but not looked at yet.
    unread: Vec<u8>,
    /// Bytes that have come in all.
    pub received: u64,
}

impl Line {
    /// Opens a socket at a path; `headers` are whole lines of HTTP.
    pub fn open(address: SocketAddr, path: &str, headers: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).context("connect")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut line = Self { stream, unread: Vec::new(), received: 0 };
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\
             {headers}\r\n"
        );
        line.stream.write_all(request.as_bytes())?;
        let head = loop {
            if let Some(end) = line.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break line.unread.drain(..end + 4).collect::<Vec<u8>>();
            }
            line.read_more()?;
        };
        let status = String::from_utf8_lossy(&head);
        let status = status.lines().next().unwrap_or_default();
        ensure!(status.starts_with("HTTP/1.1 101"), "no socket at {path}: {status}");
        Ok(line)
    }

    /// Sends a message.
    pub fn send(&mut self, payload: &[u8]) -> Result<()> {
        let mut frame = Vec::with_capacity(payload.len() + 14);
        put_frame(&mut frame, End::Client, opcode::BINARY, payload);
        self.stream.write_all(&frame).context("send")
    }

    /// The next message.
    pub fn receive(&mut self) -> Result<Vec<u8>> {
        loop {
            if let Some(frame) = first_frame(&self.unread)? {
                let (kind, len, payload) = (frame.opcode, frame.len, frame.payload.to_vec());
                self.unread.drain(..len);
                match kind {
                    opcode::BINARY => return Ok(payload),
                    opcode::CLOSE => {
                        bail!(
                            "closed: {}",
                            String::from_utf8_lossy(payload.get(2..).unwrap_or(&[]))
                        )
                    }
                    opcode::PING => {
                        let mut pong = Vec::new();
                        put_frame(&mut pong, End::Client, opcode::PONG, &payload);
                        self.stream.write_all(&pong)?;
                    }
                    _ => {}
                }
                continue;
            }
            self.read_more()?;
        }
    }

    /// From now on, reads what comes and forgets it, so that the server can go on talking.
    pub fn ignore_answers(&self) -> Result<()> {
        let mut stream = self.stream.try_clone()?;
        // Ends with the connection.
        thread::spawn(move || io::copy(&mut stream, &mut io::sink()));
        Ok(())
    }

    /// The socket, and what came but was not looked at.
    pub fn into_parts(self) -> (TcpStream, Vec<u8>) {
        (self.stream, self.unread)
    }

    fn read_more(&mut self) -> Result<()> {
        let mut bytes = vec![0; 256 << 10];
        let read = self.stream.read(&mut bytes).context("nothing came for long")?;
        ensure!(read > 0, "the server closed the connection");
        self.received += read as u64;
        self.unread.extend_from_slice(&bytes[..read]);
        Ok(())
    }
}
