//! Messages of each protocol: what is read is written again as something that reads the same.

use bytes::Bytes;
use weft_proto::{
    frame,
    wire::{ClientFrame, client_frame::Body as Native},
    yjs::{
        Message,
        hocuspocus::{Body, Frame, address, addressed},
    },
};

/// A message of the native protocol, as a server reads it.
pub fn native(message: Bytes) {
    let Ok(frames) = frame::read::<ClientFrame>(message) else { return };
    let written: Vec<u8> = frames.iter().flat_map(frame::write).collect();
    assert_eq!(frame::read::<ClientFrame>(written.into()), Ok(frames.clone()));
    for frame in frames {
        let room = match frame.body {
            Some(Native::Detach(detach)) => detach.room,
            Some(Native::Submit(submit)) => submit.room,
            Some(Native::Pull(pull)) => pull.room,
            Some(Native::Presence(presence)) => presence.room,
            Some(Native::Digest(digest)) => digest.room,
            _ => continue,
        };
        if let Ok(id) = frame::room_from_wire(&room) {
            assert_eq!(frame::room_to_wire(id), room);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }
}

/// A message of y-websocket or y-sweet.
pub fn y_websocket(message: Bytes) {
    if let Ok(read) = Message::read(&message) {
        assert_eq!(Message::read(&read.write()), Ok(read));
    }
}

/// A message of Hocuspocus.
pub fn hocuspocus(message: Bytes) {
    let Ok(Frame::To(name, Body::Yjs(said))) = Frame::read(&message) else { return };
    let again = addressed(&address(&name), &said.write());
    assert_eq!(Frame::read(&again), Ok(Frame::To(name, Body::Yjs(said))));
}
