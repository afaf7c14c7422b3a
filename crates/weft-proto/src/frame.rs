//! What travels on `/ws`: frames, each behind its length, several to a message.
//!
//! [`read`] takes a message apart, [`write()`] makes a frame; frames that are put behind one another
//! are a message again, so that what waits for a session goes out as one.

use bytes::{Bytes, BytesMut};
use weft_core::{
    ClientId, Fault, Right, RoomId,
    presence::Peer,
    room::{Attached, Message, Outcome},
};

use crate::{
    FormatError,
    log::{entry_to_wire, fault_to_wire},
    wire::{self, server_frame::Body},
};

/// The version of the protocol that is spoken.
pub const VERSION: u32 = 1;
/// Frames of one message at most; a bound on work before anything is looked at.
pub const FRAMES_MAX: usize = 4096;

/// The frames of a message.
///
/// # Errors
/// [`FormatError`] if the bytes are not frames of this kind, or more than [`FRAMES_MAX`].
pub fn read<F: prost::Message + Default>(mut message: Bytes) -> Result<Vec<F>, FormatError> {
    let mut frames = Vec::new();
    while !message.is_empty() {
        if frames.len() >= FRAMES_MAX {
            return Err(FormatError::Field("frames of a message"));
        }
        let len = prost::decode_length_delimiter(&mut message)?;
        if len > message.len() {
            return Err(FormatError::Field("length of a frame"));
        }
        frames.push(F::decode(message.split_to(len))?);
    }
    Ok(frames)
}

/// A frame with its length in front.
#[must_use]
pub fn write(frame: &impl prost::Message) -> Bytes {
    let len = frame.encoded_len();
    let mut bytes = BytesMut::with_capacity(len + prost::length_delimiter_len(len));
    frame.encode_length_delimited(&mut bytes).expect("the buffer grows");
    bytes.freeze()
}

/// A frame to a client, with its length in front.
#[must_use]
pub fn to_client(body: Body) -> Bytes {
    write(&wire::ServerFrame { body: Some(body) })
}

/// A frame to a server, with its length in front.
#[must_use]
pub fn to_server(body: wire::client_frame::Body) -> Bytes {
    write(&wire::ClientFrame { body: Some(body) })
}

/// What a room says, for its sessions; `None` for what is said to sessions that merge alone.
///
/// `asked` and `title` are told on attaching: what the client called the room, and its title.
#[must_use]
pub fn of_message(
    room: RoomId,
    kind: &str,
    asked: &str,
    title: &str,
    message: &Message,
) -> Option<Bytes> {
    let room = room_to_wire(room);
    Some(to_client(match message {
        Message::Merged(..)
        | Message::Missing(..)
        | Message::StateVector(_)
        | Message::Aware(_) => return None,
        Message::Attached(attached) => {
            Body::Attached(attached_to_wire(room, kind, asked, title, attached))
        }
        Message::Detached(why) => Body::Detached(wire::Detached {
            room,
            asked: asked.to_owned(),
            why: Some(fault_to_wire(why)),
        }),
        Message::Outcomes(client, outcomes) => {
            Body::Outcomes(outcomes_to_wire(room, *client, outcomes))
        }
        Message::Events(entries) => Body::Events(wire::Events {
            room,
            entries: entries.iter().map(|entry| entry_to_wire(entry)).collect(),
        }),
        Message::State { seq, state, repair, epoch, lineage } => Body::State(wire::State {
            room,
            seq: *seq,
            state: state.clone(),
            repair: *repair,
            epoch: *epoch,
            lineage: *lineage,
        }),
        Message::Peers(here, left) => Body::Peers(wire::Peers {
            room,
            here: here.iter().map(peer_to_wire).collect(),
            left: left.iter().map(|session| session.0).collect(),
        }),
        Message::Compared(seq, equal) => {
            Body::Digest(wire::DigestAnswer { room, seq: *seq, equal: *equal })
        }
        Message::Right(right) => {
            Body::Right(wire::RightChanged { room, right: right_to_wire(*right).into() })
        }
        Message::Storing(ok) => Body::Storing(wire::Storing { room, ok: *ok }),
        Message::Trouble(fault) => {
            Body::Trouble(wire::Trouble { room, fault: Some(fault_to_wire(fault)) })
        }
    }))
}

/// Outcomes of one client's operations in one room.
#[must_use]
pub fn outcomes_to_wire(
    room: Bytes,
    client: ClientId,
    outcomes: &[(u64, Outcome)],
) -> wire::Outcomes {
    use wire::outcome::Is;
    let one = |(client_seq, outcome): &(u64, Outcome)| wire::Outcome {
        client_seq: *client_seq,
        is: Some(match outcome {
            Outcome::Accepted(seq) => Is::Accepted(*seq),
            Outcome::Refused(fault) => Is::Refused(fault_to_wire(fault)),
            Outcome::NotSaved(fault) => Is::NotSaved(fault_to_wire(fault)),
            Outcome::Missing(from) => Is::Missing(*from),
        }),
    };
    wire::Outcomes { room, client_id: client.0, outcomes: outcomes.iter().map(one).collect() }
}

fn attached_to_wire(
    room: Bytes,
    kind: &str,
    asked: &str,
    title: &str,
    attached: &Attached,
) -> wire::Attached {
    let (state_seq, state) = attached.state.clone().unwrap_or_default();
    wire::Attached {
        room,
        asked: asked.to_owned(),
        kind: kind.to_owned(),
        epoch: attached.epoch,
        lineage: attached.lineage,
        head: attached.head,
        right: right_to_wire(attached.right).into(),
        has_state: attached.state.is_some(),
        state_seq,
        state,
        entries: attached.entries.iter().map(|entry| entry_to_wire(entry)).collect(),
        peers: attached.peers.iter().map(peer_to_wire).collect(),
        color: attached.color,
        title: title.to_owned(),
    }
}

fn peer_to_wire(peer: &Peer) -> wire::Peer {
    wire::Peer {
        session_id: peer.session.0,
        person_id: Bytes::copy_from_slice(peer.face.id.as_bytes()),
        name: peer.face.name.clone(),
        color: peer.color,
        data: peer.data.clone(),
        guest: peer.face.guest,
    }
}

/// A right on the wire.
#[must_use]
pub fn right_to_wire(right: Right) -> wire::Right {
    match right {
        Right::Read => wire::Right::Read,
        Right::Comment => wire::Right::Comment,
        Right::Edit => wire::Right::Edit,
        Right::Manage => wire::Right::Manage,
    }
}

/// A room's id on the wire.
#[must_use]
pub fn room_to_wire(room: RoomId) -> Bytes {
    Bytes::copy_from_slice(room.as_bytes())
}

/// A room's id from the wire.
///
/// # Errors
/// [`FormatError::Field`] if these are not 16 bytes.
pub fn room_from_wire(bytes: &Bytes) -> Result<RoomId, FormatError> {
    RoomId::try_from(&bytes[..]).map_err(|_| FormatError::Field("room"))
}

/// A fault on the wire.
#[must_use]
pub fn fault(fault: &Fault) -> wire::Fault {
    fault_to_wire(fault)
}

/// A fault from the wire.
#[must_use]
pub fn fault_from_wire(fault: wire::Fault) -> Fault {
    crate::log::fault_from_wire(fault)
}

/// An entry from the wire.
///
/// # Errors
/// [`FormatError`] if a field is missing or out of range.
pub fn entry(entry: wire::Entry) -> Result<weft_core::Entry, FormatError> {
    crate::log::entry_from_wire(entry)
}
