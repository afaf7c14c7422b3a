//! The bare relay: what any server of this kind has to do at the least, on this machine.
//!
//! It passes each message on to all others of the same path and neither looks at it nor keeps it. One
//! thread, sockets by hand, no queue but what the kernel does not take. Two manners: a write for each message and
//! receiver, as servers do it; or what waits for a receiver in one write after each round of reading.

use std::{
    collections::HashMap,
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
};

use anyhow::{Context, Result};
use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream},
};

use crate::wire::{ACCEPT, End, first_frame, opcode, put_frame};

const LISTENER: Token = Token(usize::MAX);

struct Peer {
    stream: TcpStream,
    /// What came of a frame, or of the request.
    partial: Vec<u8>,
    /// What waits to be written.
    out: Vec<u8>,
    /// Known after the handshake.
    room: Option<usize>,
}

struct Relay {
    poll: Poll,
    peers: Vec<Option<Peer>>,
    /// Each path's number.
    paths: HashMap<String, usize>,
    /// Who is in which room, by the number of its path.
    rooms: Vec<Vec<usize>>,
    batched: bool,
    /// Who has something to be written when this round ends.
    waiting: Vec<usize>,
}

/// Serves on a free port, which is printed, until the process is ended.
pub fn serve(batched: bool) -> Result<()> {
    let mut listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    println!("ready on http://{}", listener.local_addr()?);
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut relay = Relay {
        poll,
        peers: Vec::new(),
        paths: HashMap::new(),
        rooms: Vec::new(),
        batched,
        waiting: Vec::new(),
    };
    let mut events = Events::with_capacity(1024);
    let mut scratch = vec![0; 256 << 10];
    loop {
        match relay.poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            match event.token() {
                LISTENER => relay.accept_all(&listener)?,
                Token(index) => {
                    if event.is_writable() {
                        relay.flush(index);
                    }
                    if event.is_readable() {
                        relay.read(index, &mut scratch)?;
                    }
                }
            }
        }
        for index in std::mem::take(&mut relay.waiting) {
            relay.flush(index);
        }
    }
}

impl Relay {
    fn accept_all(&mut self, listener: &TcpListener) -> Result<()> {
        loop {
            let mut stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("accept"),
            };
            stream.set_nodelay(true)?;
            let both = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(self.peers.len()), both)?;
            let peer = Peer { stream, partial: Vec::new(), out: Vec::new(), room: None };
            self.peers.push(Some(peer));
        }
    }

    fn read(&mut self, index: usize, scratch: &mut [u8]) -> Result<()> {
        loop {
            let Some(peer) = &mut self.peers[index] else { return Ok(()) };
            match peer.stream.read(scratch) {
                Ok(0) => {
                    self.forget(index);
                    return Ok(());
                }
                Ok(read) => {
                    self.take(index, &scratch[..read])?;
                    // Less than there was room for: nothing more has come yet.
                    if read < scratch.len() {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(_) => {
                    self.forget(index);
                    return Ok(());
                }
            }
        }
    }

    /// Takes what was read from a peer.
    fn take(&mut self, index: usize, read: &[u8]) -> Result<()> {
        let Some(peer) = &mut self.peers[index] else { return Ok(()) };
        let mut partial = std::mem::take(&mut peer.partial);
        let whole = if partial.is_empty() {
            read
        } else {
            partial.extend_from_slice(read);
            &partial[..]
        };
        let used = match peer.room {
            Some(room) => self.pass_on(index, room, whole)?,
            None => self.shake_hands(index, whole)?,
        };
        let rest = whole[used..].to_vec();
        if let Some(peer) = &mut self.peers[index] {
            peer.partial = rest;
        }
        Ok(())
    }

    fn shake_hands(&mut self, index: usize, request: &[u8]) -> Result<usize> {
        let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(0);
        };
        let head = std::str::from_utf8(&request[..end]).context("a request of HTTP")?;
        let path = head.split(' ').nth(1).context("a path")?.to_owned();
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
        );
        let room = *self.paths.entry(path).or_insert_with(|| {
            self.rooms.push(Vec::new());
            self.rooms.len() - 1
        });
        self.rooms[room].push(index);
        if let Some(peer) = &mut self.peers[index] {
            peer.out.extend_from_slice(answer.as_bytes());
            peer.room = Some(room);
        }
        self.flush(index);
        Ok(end + 4)
    }

    /// Passes whole messages on; how many bytes they were.
    fn pass_on(&mut self, index: usize, room: usize, bytes: &[u8]) -> Result<usize> {
        let mut used = 0;
        let members = std::mem::take(&mut self.rooms[room]);
        let mut frame_out = Vec::new();
        while let Some(frame) = first_frame(&bytes[used..])? {
            used += frame.len;
            if frame.opcode != opcode::BINARY {
                continue;
            }
            frame_out.clear();
            put_frame(&mut frame_out, End::Server, opcode::BINARY, frame.payload);
            for &other in members.iter().filter(|&&other| other != index) {
                self.give(other, &frame_out);
            }
        }
        self.rooms[room] = members;
        Ok(used)
    }

    fn give(&mut self, index: usize, frame: &[u8]) {
        let Some(peer) = &mut self.peers[index] else { return };
        if self.batched {
            if peer.out.is_empty() {
                self.waiting.push(index);
            }
            peer.out.extend_from_slice(frame);
            return;
        }
        let written = match peer.out.is_empty().then(|| peer.stream.write(frame)) {
            Some(Ok(written)) => written,
            // An error that is not "later" shows when the socket is read.
            Some(Err(_)) | None => 0,
        };
        peer.out.extend_from_slice(&frame[written..]);
    }

    /// Writes what waits, as far as the kernel takes it.
    fn flush(&mut self, index: usize) {
        let Some(peer) = &mut self.peers[index] else { return };
        while !peer.out.is_empty() {
            match peer.stream.write(&peer.out) {
                Ok(written) => drop(peer.out.drain(..written)),
                // An error that is not "later" shows when the socket is read.
                Err(_) => return,
            }
        }
    }

    fn forget(&mut self, index: usize) {
        if let Some(room) = self.peers[index].take().and_then(|peer| peer.room) {
            self.rooms[room].retain(|&other| other != index);
        }
    }
}
