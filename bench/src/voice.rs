//! The protocols that the generator speaks: how one comes into a document, wraps an update, and finds
//! the updates in what comes back.
//!
//! Setting up uses the project's own codec; what is done for every delivery is done by hand, because
//! the generator shares the machine with the server that it measures.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use weft_proto::{
    frame,
    wire::{self, client_frame::Body as Out, server_frame::Body as In},
};

use crate::{
    line::Line,
    wire::{blob, number, put_blob, put_number},
};

/// A protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Messages of y-websocket, passed on by a server that does not look at them.
    Relayed,
    /// y-websocket.
    Yjs,
    /// Hocuspocus.
    Hocuspocus,
    /// Weft's own.
    Native,
}

/// Where a document is.
pub struct Place {
    /// The server.
    pub address: SocketAddr,
    /// The path up to the document's name, for protocols that have it there.
    pub path: &'static str,
    /// The document's name or id.
    pub room: String,
    /// Who comes; empty where nobody asks.
    pub token: String,
}

/// One connection's side of its protocol.
pub enum Voice {
    /// [`Protocol::Relayed`] and [`Protocol::Yjs`].
    Yjs,
    /// [`Protocol::Hocuspocus`]: each message begins with the document's name.
    Hocuspocus(String),
    /// [`Protocol::Native`].
    Native {
        /// The room's id.
        room: Bytes,
        /// Issued by the server.
        client_id: u64,
        /// Of the last operation.
        client_seq: u64,
    },
}

/// What a connection has got on coming in.
pub struct Opened {
    /// The connection.
    pub line: Line,
    /// What to say on it.
    pub voice: Voice,
    /// The document as it was, as one or more Yjs updates.
    pub state: Vec<Bytes>,
}

const SYNC: u64 = 0;
const STEP_1: u64 = 0;
const STEP_2: u64 = 1;
const UPDATE: u64 = 2;
const EMPTY_STATE_VECTOR: [u8; 1] = [0];
const EMPTY_UPDATE: [u8; 2] = [0, 0];

impl Protocol {
    /// Comes into a document and waits until it is there.
    pub fn open(self, place: &Place) -> Result<Opened> {
        match self {
            Self::Relayed => {
                let line = Line::open(place.address, &format!("/{}", place.room), "")?;
                Ok(Opened { line, voice: Voice::Yjs, state: Vec::new() })
            }
            Self::Yjs => open_yjs(place),
            Self::Hocuspocus => open_hocuspocus(place),
            Self::Native => open_native(place),
        }
    }
}

fn open_yjs(place: &Place) -> Result<Opened> {
    let path = format!("{}/{}?token={}", place.path, place.room, place.token);
    let mut line = Line::open(place.address, &path, "")?;
    line.send(&sync(&[], STEP_1, &EMPTY_STATE_VECTOR))?;
    let state = answer_sync(&mut line, &[])?;
    Ok(Opened { line, voice: Voice::Yjs, state })
}

fn open_hocuspocus(place: &Place) -> Result<Opened> {
    const AUTH: u64 = 2;
    const TOKEN: u64 = 0;
    let mut line = Line::open(place.address, "/", "")?;
    let mut name = Vec::new();
    put_blob(&mut name, place.room.as_bytes());
    let mut auth = name.clone();
    put_number(&mut auth, AUTH);
    put_number(&mut auth, TOKEN);
    put_blob(&mut auth, b"token");
    line.send(&auth)?;
    line.send(&sync(&name, STEP_1, &EMPTY_STATE_VECTOR))?;
    let state = answer_sync(&mut line, &name)?;
    Ok(Opened { line, voice: Voice::Hocuspocus(place.room.clone()), state })
}

/// A message of y-protocols' sync, behind a prefix.
fn sync(prefix: &[u8], step: u64, payload: &[u8]) -> Vec<u8> {
    let mut out = prefix.to_vec();
    put_number(&mut out, SYNC);
    put_number(&mut out, step);
    put_blob(&mut out, payload);
    out
}

/// Answers the server's step 1 and waits for its step 2; what that holds.
fn answer_sync(line: &mut Line, prefix: &[u8]) -> Result<Vec<Bytes>> {
    let (mut state, mut asked) = (None, false);
    loop {
        if asked && let Some(state) = state {
            return Ok(vec![state]);
        }
        let message = line.receive()?;
        let mut rest = message.strip_prefix(prefix).context("another document's message")?;
        let kind = number(&mut rest).context("an empty message")?;
        // Hocuspocus marks a sync message that answers one with 4.
        if kind != SYNC && kind != 4 {
            continue;
        }
        match (number(&mut rest), blob(&mut rest)) {
            (Some(STEP_1), Some(_)) => {
                asked = true;
                line.send(&sync(prefix, STEP_2, &EMPTY_UPDATE))?;
            }
            (Some(STEP_2), Some(update)) => state = Some(Bytes::copy_from_slice(update)),
            (Some(UPDATE), Some(_)) => {}
            _ => bail!("a sync message that cannot be read"),
        }
    }
}

fn open_native(place: &Place) -> Result<Opened> {
    let headers =
        format!("Sec-WebSocket-Protocol: weft.v1\r\nAuthorization: Bearer {}\r\n", place.token);
    let mut line = Line::open(place.address, "/ws", &headers)?;
    let hello = wire::Hello { version: frame::VERSION, client_ids: Vec::new() };
    line.send(&frame::to_server(Out::Hello(hello)))?;
    let mut client_id = 0;
    loop {
        let frames: Vec<wire::ServerFrame> = frame::read(line.receive()?.into())?;
        for frame in frames {
            match frame.body {
                Some(In::Welcome(welcome)) => {
                    client_id = welcome.client_id;
                    let attach = wire::Attach { room: place.room.clone(), ..Default::default() };
                    line.send(&frame::to_server(Out::Attach(attach)))?;
                }
                Some(In::Attached(attached)) => {
                    let voice = Voice::Native { room: attached.room, client_id, client_seq: 0 };
                    let mut state = vec![attached.state];
                    state.retain(|state| !state.is_empty());
                    state.extend(attached.entries.into_iter().filter_map(
                        |entry| match entry.body {
                            Some(wire::entry::Body::Effect(update)) => Some(update),
                            _ => None,
                        },
                    ));
                    return Ok(Opened { line, voice, state });
                }
                Some(In::Detached(detached)) => bail!("not let in: {:?}", detached.why),
                _ => {}
            }
        }
    }
}

impl Voice {
    /// Appends the message that carries an update to the server.
    pub fn put_update(&mut self, out: &mut Vec<u8>, update: &[u8]) {
        match self {
            Self::Yjs => {
                put_number(out, SYNC);
                put_number(out, UPDATE);
                put_blob(out, update);
            }
            Self::Hocuspocus(name) => {
                put_blob(out, name.as_bytes());
                put_number(out, SYNC);
                put_number(out, UPDATE);
                put_blob(out, update);
            }
            Self::Native { room, client_id, client_seq } => {
                *client_seq += 1;
                out.extend_from_slice(&frame::to_server(Out::Submit(wire::Submit {
                    room: room.clone(),
                    client_id: *client_id,
                    client_seq: *client_seq,
                    op: Bytes::copy_from_slice(update),
                })));
            }
        }
    }

    /// Hands over each update that a message brings.
    ///
    /// # Errors
    /// What cannot be read, and everything by which a server says that an edit did not arrive.
    pub fn each_update(&self, message: &[u8], take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        match self {
            Self::Yjs => update_of_sync(message, take),
            Self::Hocuspocus(name) => {
                let mut rest = message;
                let address = blob(&mut rest).context("a message without an address")?;
                ensure!(address == name.as_bytes(), "another document's message");
                update_of_sync(rest, take)
            }
            Self::Native { .. } => updates_of_frames(message, take),
        }
    }
}

fn update_of_sync(message: &[u8], mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut rest = message;
    if number(&mut rest) != Some(SYNC) {
        return Ok(());
    }
    match (number(&mut rest), blob(&mut rest)) {
        (Some(STEP_2 | UPDATE), Some(update)) => take(update),
        (Some(STEP_1), Some(_)) => Ok(()),
        _ => bail!("a sync message that cannot be read"),
    }
}

/// Numbers of fields in `proto/weft.proto`.
mod field {
    /// `ServerFrame.detached`, `resync`, `state`, `goodbye`, `trouble`: an edit was not delivered.
    pub const TROUBLES: [u64; 5] = [3, 6, 7, 12, 13];
    pub const FRAME_OUTCOMES: u64 = 4;
    pub const FRAME_EVENTS: u64 = 5;
    pub const EVENTS_ENTRIES: u64 = 2;
    pub const ENTRY_EFFECT: u64 = 7;
    pub const OUTCOMES_OUTCOMES: u64 = 3;
    pub const OUTCOME_ACCEPTED: u64 = 2;
}

fn updates_of_frames(message: &[u8], mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut rest = message;
    while !rest.is_empty() {
        let frame = blob(&mut rest).context("a frame without an end")?;
        each_field(frame, |name, body| match name {
            field::FRAME_EVENTS => each_field(body, |name, entry| match name {
                field::EVENTS_ENTRIES => each_field(entry, |name, update| match name {
                    field::ENTRY_EFFECT => take(update),
                    _ => Ok(()),
                }),
                _ => Ok(()),
            }),
            field::FRAME_OUTCOMES => each_field(body, |name, outcome| match name {
                field::OUTCOMES_OUTCOMES => accepted(outcome),
                _ => Ok(()),
            }),
            trouble if field::TROUBLES.contains(&trouble) => bail!("frame {trouble} of the server"),
            _ => Ok(()),
        })?;
    }
    Ok(())
}

fn accepted(outcome: &[u8]) -> Result<()> {
    let mut seen = false;
    each_field(outcome, |name, _| {
        seen |= name == field::OUTCOME_ACCEPTED;
        Ok(())
    })?;
    ensure!(seen, "an operation was not accepted");
    Ok(())
}

/// The fields of a Protocol Buffers message; numbers come with empty content.
fn each_field(message: &[u8], mut take: impl FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
    let mut rest = message;
    while !rest.is_empty() {
        let tag = number(&mut rest).context("a field without an end")?;
        let content = match tag & 7 {
            0 => number(&mut rest).map(|_| &[][..]),
            2 => blob(&mut rest),
            _ => None,
        };
        take(tag >> 3, content.context("a field without an end")?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_are_found_in_the_native_protocols_events() {
        let entry = |seq, update: &'static [u8]| wire::Entry {
            seq,
            client_id: 7,
            client_seq: seq,
            person_id: Bytes::from_static(&[1; 16]),
            at_ms: 1_790_000_000_000,
            body: Some(wire::entry::Body::Effect(Bytes::from_static(update))),
        };
        let events = |entries| {
            frame::to_client(In::Events(wire::Events {
                room: Bytes::from_static(&[2; 16]),
                entries,
            }))
        };
        let message = [
            events(vec![entry(2, b"one"), entry(3, b"two")]),
            frame::to_client(In::Pong(wire::Pong { nonce: 1 })),
            events(vec![entry(4, b"three")]),
        ]
        .concat();
        let voice = Voice::Native { room: Bytes::new(), client_id: 0, client_seq: 0 };
        let mut found = Vec::new();
        let mut take = |update: &[u8]| {
            found.push(update.to_vec());
            Ok(())
        };
        voice.each_update(&message, &mut take).expect("it can be read");
        assert_eq!(found, [&b"one"[..], b"two", b"three"]);
    }

    #[test]
    fn an_operation_that_is_not_saved_is_a_fault() {
        use wire::outcome::Is;
        let told = |is| {
            let outcome = wire::Outcome { client_seq: 3, is: Some(is) };
            let outcomes =
                wire::Outcomes { room: Bytes::new(), client_id: 1, outcomes: vec![outcome] };
            let voice = Voice::Native { room: Bytes::new(), client_id: 0, client_seq: 0 };
            voice.each_update(&frame::to_client(In::Outcomes(outcomes)), |_| Ok(()))
        };
        assert!(told(Is::Accepted(9)).is_ok());
        assert!(told(Is::NotSaved(wire::Fault::default())).is_err());
        assert!(told(Is::Missing(2)).is_err());
    }
}
