//! How Hocuspocus frames what Yjs clients say: each message begins with the address of a document,
//! so that many share a socket.
//!
//! An address is a document's name, or the name, a zero byte and a session's name. Answers carry the
//! address as it was written.
//! Source: `@hocuspocus/provider` 3.4 and 4.8, `@hocuspocus/server` 4.7.

use bytes::{BufMut, Bytes, BytesMut};

use super::{Message, Reader, put_blob, put_number};
use crate::FormatError;

const AUTH: u64 = 2;
const SYNC_REPLY: u64 = 4;
const STATELESS: u64 = 5;
const BROADCAST_STATELESS: u64 = 6;
const CLOSE: u64 = 7;
const SYNC_STATUS: u64 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// What a client says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// To a document.
    To(String, Body),
    /// Type 9: are you there? Has no address.
    Ping,
    /// Type 10: the answer to that.
    Pong,
}

/// What a client says to a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// What all Yjs protocols have: types 0 and 4 (sync), 1 (awareness), 3 (who is here?).
    Yjs(Message),
    /// Type 2: who I am.
    Token {
        /// As the application gave it to its provider.
        token: String,
        /// The provider's version, from 4 on.
        version: Option<String>,
    },
    /// Type 5: the application's words for the server.
    Stateless(Bytes),
    /// Type 6: the application's words for all who follow the document.
    BroadcastStateless(Bytes),
    /// Type 7: I leave the document.
    Close,
    /// A type that this program does not know.
    Unknown(u64),
}

impl Frame {
    /// A frame from a message's bytes.
    ///
    /// # Errors
    /// [`FormatError::Field`] if they are cut off, or something follows.
    pub fn read(bytes: &Bytes) -> Result<Self, FormatError> {
        match bytes[..] {
            [PING] => return Ok(Self::Ping),
            [PONG] => return Ok(Self::Pong),
            _ => {}
        }
        let mut reader = Reader { bytes, at: 0 };
        let address = reader.text()?;
        let start = reader.at;
        let body = match reader.number()? {
            0 | 1 | 3 => Body::Yjs(Message::read(&bytes.slice(start..))?),
            SYNC_REPLY => {
                let sync = super::Sync::read_from(&mut reader)?;
                reader.end()?;
                Body::Yjs(Message::Sync(sync))
            }
            AUTH => {
                if reader.number()? != 0 {
                    return Err(FormatError::Field("auth"));
                }
                let token = reader.text()?;
                let version = if reader.is_at_end() { None } else { Some(reader.text()?) };
                reader.end()?;
                Body::Token { token, version }
            }
            STATELESS => Body::Stateless(last(&mut reader)?),
            BROADCAST_STATELESS => Body::BroadcastStateless(last(&mut reader)?),
            CLOSE => Body::Close,
            unknown => Body::Unknown(unknown),
        };
        Ok(Self::To(address, body))
    }
}

fn last(reader: &mut Reader<'_>) -> Result<Bytes, FormatError> {
    let payload = reader.blob()?;
    std::str::from_utf8(&payload).map_err(|_| FormatError::Field("text"))?;
    reader.end()?;
    Ok(payload)
}

/// What stands before everything that is said about a document.
#[must_use]
pub fn address(address: &str) -> Bytes {
    let mut out = BytesMut::new();
    put_blob(&mut out, address.as_bytes());
    out.freeze()
}

/// Type 2, 2: the token is good; what is asked for may be changed, or only read.
#[must_use]
pub fn authenticated(readonly: bool) -> Bytes {
    auth(2, if readonly { "readonly" } else { "read-write" })
}

/// Type 2, 1: this document is not for the client (any more), with a fault's code.
#[must_use]
pub fn denied(why: &str) -> Bytes {
    auth(1, why)
}

fn auth(what: u64, text: &str) -> Bytes {
    let mut out = BytesMut::new();
    put_number(&mut out, AUTH);
    put_number(&mut out, what);
    put_blob(&mut out, text.as_bytes());
    out.freeze()
}

/// Type 8: one thing that the client sent is stored, or will not be.
#[must_use]
pub fn sync_status(stored: bool) -> Bytes {
    let mut out = BytesMut::new();
    put_number(&mut out, SYNC_STATUS);
    put_number(&mut out, u64::from(stored));
    out.freeze()
}

/// Type 5: the words of another who follows the document.
#[must_use]
pub fn stateless(payload: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    put_number(&mut out, STATELESS);
    put_blob(&mut out, payload);
    out.freeze()
}

/// Type 7: the document is closed for the client, with a fault's code.
#[must_use]
pub fn close(why: &str) -> Bytes {
    let mut out = BytesMut::new();
    put_number(&mut out, CLOSE);
    put_blob(&mut out, why.as_bytes());
    out.freeze()
}

/// Type 9, for providers of version 4 and newer.
#[must_use]
pub fn ping() -> Bytes {
    Bytes::from_static(&[PING])
}

/// Type 10.
#[must_use]
pub fn pong() -> Bytes {
    Bytes::from_static(&[PONG])
}

/// What is said about a document, as one message.
#[must_use]
pub fn addressed(address: &Bytes, said: &Bytes) -> Bytes {
    if address.is_empty() {
        return said.clone();
    }
    let mut out = BytesMut::with_capacity(address.len() + said.len());
    out.put_slice(address);
    out.put_slice(said);
    out.freeze()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::yjs::Sync;

    fn check(bytes: &'static [u8], body: Body) {
        let read = Frame::read(&Bytes::from_static(bytes));
        assert_eq!(read, Ok(Frame::To("d".to_owned(), body)), "{bytes:?}");
    }

    #[test]
    fn frames_are_what_the_provider_writes() {
        let step1 = || Body::Yjs(Message::Sync(Sync::Step1(Bytes::from_static(&[0]))));
        check(&[1, b'd', 0, 0, 1, 0], step1());
        check(&[1, b'd', 4, 0, 1, 0], step1());
        check(&[1, b'd', 1, 1, 0], Body::Yjs(Message::Awareness(Vec::new())));
        check(&[1, b'd', 3], Body::Yjs(Message::QueryAwareness));
        let token = |version| Body::Token { token: "t".to_owned(), version };
        check(&[1, b'd', 2, 0, 1, b't'], token(None));
        check(&[1, b'd', 2, 0, 1, b't', 1, b'4'], token(Some("4".to_owned())));
        check(&[1, b'd', 5, 1, b'x'], Body::Stateless(Bytes::from_static(b"x")));
        check(&[1, b'd', 6, 1, b'x'], Body::BroadcastStateless(Bytes::from_static(b"x")));
        check(&[1, b'd', 7], Body::Close);
        check(&[1, b'd', 99, 1], Body::Unknown(99));
        assert_eq!(Frame::read(&Bytes::from_static(&[9])), Ok(Frame::Ping));
        assert_eq!(Frame::read(&Bytes::from_static(&[10])), Ok(Frame::Pong));
    }

    #[test]
    fn what_is_cut_off_or_too_long_is_refused() {
        for bytes in [
            &[][..],
            &[1],
            &[1, b'd'],
            &[1, 0xff, 0],
            &[1, b'd', 0, 0, 2, 0],
            &[1, b'd', 2, 1, 1, b't'],
            &[1, b'd', 2, 0, 9],
            &[1, b'd', 5, 1, 0xff],
            &[1, b'd', 5, 0, 0],
        ] {
            assert!(Frame::read(&Bytes::copy_from_slice(bytes)).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_said_is_what_the_provider_reads() {
        let said = addressed(&address("d\0s"), &sync_status(true));
        assert_eq!(said, &[3, b'd', 0, b's', 8, 1][..]);
        assert_eq!(sync_status(false), &[8, 0][..]);
        assert_eq!(denied("no"), &[2, 1, 2, b'n', b'o'][..]);
        assert_eq!(authenticated(true), &b"\x02\x02\x08readonly"[..]);
        assert_eq!(authenticated(false), &b"\x02\x02\x0aread-write"[..]);
        assert_eq!(stateless(b"x"), &[5, 1, b'x'][..]);
        assert_eq!(close("bye"), &[7, 3, b'b', b'y', b'e'][..]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = Frame::read(&Bytes::from(bytes));
        }
    }
}
