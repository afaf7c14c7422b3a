//! WebSocket by hand, for both ends: as little work for a frame as there can be.
//!
//! Only what the bench meets: whole binary messages, pings, closes. A client's mask is zero, which
//! the standard allows and which makes masking free for us; servers unmask it like any other.

use anyhow::{Result, ensure};

/// The key that every socket of the bench opens with, an example of RFC 6455.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// What a server answers to [`KEY`].
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Kinds of frames.
pub mod opcode {
    /// A message of bytes.
    pub const BINARY: u8 = 2;
    /// The other end goes.
    pub const CLOSE: u8 = 8;
    /// The other end asks whether we are there.
    pub const PING: u8 = 9;
    /// The answer to it.
    pub const PONG: u8 = 10;
}

/// Which end writes a frame: clients mask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Opens the socket.
    Client,
    /// Accepts it.
    Server,
}

/// Appends a whole frame.
pub fn put_frame(out: &mut Vec<u8>, end: End, opcode: u8, payload: &[u8]) {
    let mask_bit = if end == End::Client { 0x80 } else { 0 };
    out.push(0x80 | opcode);
    match payload.len() {
        len @ 0..=125 => out.push(mask_bit | len as u8),
        len @ 126..=0xffff => {
            out.push(mask_bit | 126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(mask_bit | 127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    if end == End::Client {
        out.extend_from_slice(&[0; 4]);
    }
    out.extend_from_slice(payload);
}

/// A frame at the beginning of some bytes.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    /// Of [`opcode`].
    pub opcode: u8,
    /// What it carries, still masked (by zeros, if it is ours).
    pub payload: &'a [u8],
    /// Bytes of the whole frame.
    pub len: usize,
}

/// The first frame of `bytes`, if all of it is there.
///
/// # Errors
/// Messages in several frames and masks other than zero: the bench meets neither.
pub fn first_frame(bytes: &[u8]) -> Result<Option<Frame<'_>>> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    ensure!(first & 0xf0 == 0x80, "a message in several frames, or a compressed one");
    let (payload_len, mut head) = match second & 0x7f {
        126 => match rest.first_chunk::<2>() {
            Some(len) => (usize::from(u16::from_be_bytes(*len)), 4),
            None => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(len) => (usize::try_from(u64::from_be_bytes(*len))?, 10),
            None => return Ok(None),
        },
        len => (usize::from(len), 2),
    };
    if second & 0x80 != 0 {
        let Some(mask) = bytes.get(head..head + 4) else { return Ok(None) };
        ensure!(mask == [0; 4], "a mask that is not the bench's");
        head += 4;
    }
    let len = head + payload_len;
    Ok(bytes.get(head..len).map(|payload| Frame { opcode: first & 0x0f, payload, len }))
}

/// Appends a number as lib0 and Protocol Buffers write it: seven bits at a time.
pub fn put_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends bytes behind their length.
pub fn put_blob(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Takes a number off the beginning.
pub fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Takes bytes behind their length off the beginning.
pub fn blob<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(number(bytes)?).ok()?;
    let (blob, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(blob)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_as_it_was_and_not_before_it_is_whole() {
        for len in [0, 1, 125, 126, 65_535, 65_536] {
            for end in [End::Client, End::Server] {
                let payload = vec![7; len];
                let mut bytes = Vec::new();
                put_frame(&mut bytes, end, opcode::BINARY, &payload);
                let whole = bytes.len();
                bytes.push(1);
                for cut in [0, 1, 2, 3, whole - 1].into_iter().filter(|&cut| cut < whole) {
                    assert!(first_frame(&bytes[..cut]).expect("no fault").is_none(), "{len} {cut}");
                }
                let frame = first_frame(&bytes).expect("no fault").expect("a whole frame");
                assert_eq!((frame.opcode, frame.len), (opcode::BINARY, whole));
                assert_eq!(frame.payload, payload);
            }
        }
    }

    #[test]
    fn numbers_come_back() {
        for value in [0, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            put_number(&mut bytes, value);
            let mut rest = &bytes[..];
            assert_eq!(number(&mut rest), Some(value));
            assert!(rest.is_empty());
        }
    }
}
