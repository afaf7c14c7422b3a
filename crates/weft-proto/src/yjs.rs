//! What Yjs clients send: lib0's encoding, the sync and awareness messages of y-protocols, and how
//! y-websocket and y-sweet frame them ([`hocuspocus`] frames them otherwise).
//!
//! Format only: the update inside is not looked at here (`weft_core::kind::doc::check` does that).
//! Source: y-protocols 1.0 (`sync.js`, `awareness.js`), y-websocket 3, y-sweet 0.9.

pub mod hocuspocus;

use bytes::{BufMut, Bytes, BytesMut};
use weft_core::awareness::Aware;

use crate::FormatError;

/// Half of the exchange by which two replicas come to have the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sync {
    /// What the sender has: a state vector.
    Step1(Bytes),
    /// What the receiver of a step 1 has not: an update.
    Step2(Bytes),
    /// A change: an update.
    Update(Bytes),
}

/// A message of y-websocket or y-sweet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Type 0.
    Sync(Sync),
    /// Type 1.
    Awareness(Vec<Aware>),
    /// Type 3: tell me who is here.
    QueryAwareness,
    /// Type 102 of y-sweet: to be sent back, with what it carries, once all before it is durable.
    Echo(Bytes),
    /// A type that this program does not know.
    Unknown(u64),
}

const SYNC: u64 = 0;
const AWARENESS: u64 = 1;
const QUERY_AWARENESS: u64 = 3;
const ECHO: u64 = 102;

impl Message {
    /// A message from its bytes.
    ///
    /// # Errors
    /// [`FormatError::Field`] if they are cut off, or something follows.
    pub fn read(bytes: &Bytes) -> Result<Self, FormatError> {
        let mut reader = Reader { bytes, at: 0 };
        let message = match reader.number()? {
            SYNC => Self::Sync(Sync::read_from(&mut reader)?),
            AWARENESS => Self::Awareness(read_awareness(&reader.blob()?)?),
            QUERY_AWARENESS => Self::QueryAwareness,
            ECHO => return Ok(Self::Echo(bytes.slice(reader.at..))),
            unknown => return Ok(Self::Unknown(unknown)),
        };
        reader.end()?;
        Ok(message)
    }

    /// The message's bytes.
    #[must_use]
    pub fn write(&self) -> Bytes {
        let mut out = BytesMut::new();
        match self {
            Self::Sync(sync) => {
                put_number(&mut out, SYNC);
                sync.write_to(&mut out);
            }
            Self::Awareness(all) => {
                put_number(&mut out, AWARENESS);
                put_blob(&mut out, &write_awareness(all));
            }
            Self::QueryAwareness => put_number(&mut out, QUERY_AWARENESS),
            Self::Echo(rest) => {
                put_number(&mut out, ECHO);
                out.put_slice(rest);
            }
            Self::Unknown(tag) => put_number(&mut out, *tag),
        }
        out.freeze()
    }
}

impl Sync {
    fn read_from(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let step = reader.number()?;
        let payload = reader.blob()?;
        match step {
            0 => Ok(Self::Step1(payload)),
            1 => Ok(Self::Step2(payload)),
            2 => Ok(Self::Update(payload)),
            _ => Err(FormatError::Field("sync step")),
        }
    }

    fn write_to(&self, out: &mut BytesMut) {
        let (step, payload) = match self {
            Self::Step1(payload) => (0, payload),
            Self::Step2(payload) => (1, payload),
            Self::Update(payload) => (2, payload),
        };
        put_number(out, step);
        put_blob(out, payload);
    }
}

/// An awareness update from its bytes.
///
/// # Errors
/// [`FormatError::Field`] if they are cut off, or something follows.
pub fn read_awareness(bytes: &Bytes) -> Result<Vec<Aware>, FormatError> {
    let mut reader = Reader { bytes, at: 0 };
    let mut all = Vec::new();
    for _ in 0..reader.count()? {
        let (client, clock) = (reader.number()?, reader.number()?);
        let state = reader.blob()?;
        let text = std::str::from_utf8(&state).map_err(|_| FormatError::Field("awareness"))?;
        let state = (text != "null").then_some(state);
        all.push(Aware { client, clock, state });
    }
    reader.end()?;
    Ok(all)
}

/// The bytes of an awareness update.
#[must_use]
pub fn write_awareness(all: &[Aware]) -> Bytes {
    let mut out = BytesMut::new();
    put_number(&mut out, all.len() as u64);
    for Aware { client, clock, state } in all {
        put_number(&mut out, *client);
        put_number(&mut out, *clock);
        put_blob(&mut out, state.as_deref().unwrap_or(b"null"));
    }
    out.freeze()
}

fn put_number(out: &mut BytesMut, mut value: u64) {
    while value > 0x7f {
        out.put_u8((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

fn put_blob(out: &mut BytesMut, blob: &[u8]) {
    put_number(out, blob.len() as u64);
    out.put_slice(blob);
}

/// Reads lib0's numbers and buffers, never past the end.
struct Reader<'a> {
    bytes: &'a Bytes,
    at: usize,
}

impl Reader<'_> {
    const CUT_OFF: FormatError = FormatError::Field("cut off");

    fn number(&mut self) -> Result<u64, FormatError> {
        let mut value = 0_u64;
        for shift in (0..56).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or(Self::CUT_OFF)?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(FormatError::Field("number too long"))
    }

    /// How many things follow; each takes a byte at least.
    fn count(&mut self) -> Result<u64, FormatError> {
        let count = self.number()?;
        if count > (self.bytes.len() - self.at) as u64 { Err(Self::CUT_OFF) } else { Ok(count) }
    }

    fn blob(&mut self) -> Result<Bytes, FormatError> {
        let len = self.count()? as usize;
        let blob = self.bytes.slice(self.at..self.at + len);
        self.at += len;
        Ok(blob)
    }

    /// A blob that is text.
    fn text(&mut self) -> Result<String, FormatError> {
        let blob = self.blob()?;
        let text = std::str::from_utf8(&blob).map_err(|_| FormatError::Field("text"))?;
        Ok(text.to_owned())
    }

    fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    fn end(&self) -> Result<(), FormatError> {
        if self.is_at_end() { Ok(()) } else { Err(FormatError::Field("too long")) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn messages_are_what_the_javascript_side_writes() {
        let check = |message: Message, bytes: &'static [u8]| {
            assert_eq!(message.write(), bytes);
            assert_eq!(Message::read(&Bytes::from_static(bytes)), Ok(message));
        };
        check(Message::Sync(Sync::Step1(Bytes::from_static(&[0]))), &[0, 0, 1, 0]);
        check(Message::Sync(Sync::Step2(Bytes::from_static(&[0, 0]))), &[0, 1, 2, 0, 0]);
        check(Message::Sync(Sync::Update(Bytes::from_static(&[0, 0]))), &[0, 2, 2, 0, 0]);
        check(Message::QueryAwareness, &[3]);
        check(Message::Echo(Bytes::from_static(&[7])), &[102, 7]);
        let here = Aware { client: 300, clock: 1, state: Some(Bytes::from_static(b"{}")) };
        let gone = Aware { client: 1, clock: 2, state: None };
        check(
            Message::Awareness(vec![here, gone]),
            &[1, 14, 2, 172, 2, 1, 2, b'{', b'}', 1, 2, 4, b'n', b'u', b'l', b'l'],
        );
        assert_eq!(Message::read(&Bytes::from_static(&[9, 9])), Ok(Message::Unknown(9)));
    }

    #[test]
    fn what_is_cut_off_or_too_long_is_refused() {
        let whole = [1, 5, 1, 7, 1, 1, b'1'];
        for len in 0..whole.len() {
            assert!(Message::read(&Bytes::copy_from_slice(&whole[..len])).is_err(), "{len}");
        }
        for bytes in [&[0, 0, 1, 0, 0][..], &[0, 3, 0], &[1, 1, 0xff], &[0xff; 20], &[3, 3]] {
            assert!(Message::read(&Bytes::copy_from_slice(bytes)).is_err(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let bytes = Bytes::from(bytes);
            if let Ok(message) = Message::read(&bytes) {
                let again = Message::read(&message.write());
                prop_assert_eq!(again, Ok(message));
            }
        }
    }
}
