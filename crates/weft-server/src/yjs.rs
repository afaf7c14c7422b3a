//! Unmodified Yjs clients: y-websocket, Hocuspocus and y-sweet.
//!
//! These clients have no queue of ours (L9): the server tells what it has (step 1) on attaching, and
//! takes the answer (step 2) as the retry of whatever was lost. What cannot be stored now ends the
//! socket with a code after which clients come back; what is refused ends the exchange for good.
//!
//! What the protocols have in common `weft_core::exchange` decides and [`exchange`] carries out. An
//! adapter knows the words of its protocol and how they are framed, and decides nothing. A refusal at
//! the door is a close code too, because these clients knock for ever at a door that answers in HTTP.

mod exchange;
pub(crate) mod hocuspocus;
pub(crate) mod y_sweet;
pub(crate) mod y_websocket;

use bytes::Bytes;
use tungstenite::Message;
use weft_core::Millis;

use crate::{outbox::Close, ws::rate::Bucket};

/// The bytes of a message that may be looked at.
fn checked(message: Message, frames: &mut Bucket, now: Millis) -> Result<Option<Bytes>, Close> {
    // These clients send again when they come back, so that 45xx loses nothing.
    frames.take(now).map_err(|_| Close { code: 4529, why: "rate_limited" })?;
    match message {
        Message::Binary(bytes) => Ok(Some(bytes)),
        Message::Text(_) => Err(Close { code: 4400, why: "text_frame" }),
        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(None),
        Message::Close(_) => Err(Close { code: 4500, why: "gone" }),
    }
}
