//! Writing to a socket: frames of the WebSocket protocol, as a server sends them, and how far they
//! have been written. What is shared by many sockets is written from where it is.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    sync::Arc,
};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::net::tcp::OwnedWriteHalf;

use super::Close;

/// Pieces that are given to the system at once.
const PIECES_MAX: usize = 32;
/// So little is put together first: one piece costs the system less than two.
const COPIED_MAX: usize = 512;
/// The first byte of a frame that is a whole message: its last part, and its type.
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;

/// What is being written to one socket. Who holds it writes.
#[derive(Debug, Default)]
pub struct Pen {
    /// Absent before the connection has become a socket, and when it is over.
    pub writer: Option<Arc<OwnedWriteHalf>>,
    /// What has been taken to be written and is not.
    pub rest: Rest,
    /// The close frame is written, or among the rest: nothing may follow.
    pub is_last: bool,
}

impl Pen {
    /// Writes as much of the rest as the socket takes now, and says whether that was all.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn write(&mut self) -> io::Result<bool> {
        let Some(writer) = &self.writer else {
            self.rest = Rest::default();
            return Ok(true);
        };
        while !self.rest.is_empty() {
            let written = if self.rest.len() <= COPIED_MAX {
                let mut copy = [0; COPIED_MAX];
                writer.try_write(self.rest.copy_to(&mut copy))
            } else {
                let mut pieces = [IoSlice::new(&[]); PIECES_MAX];
                let count = self.rest.pieces(&mut pieces);
                writer.try_write_vectored(&pieces[..count])
            };
            match written {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => self.rest.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

/// Frames behind one another, in pieces. Takes up nothing while there are none.
#[derive(Debug, Default)]
pub struct Rest {
    pieces: VecDeque<Bytes>,
    bytes: usize,
}

impl Rest {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// How many bytes they are.
    pub const fn len(&self) -> usize {
        self.bytes
    }

    /// The head of a message of so many bytes, which follow in pieces.
    pub fn begin_message(&mut self, len: usize) {
        self.push(head(BINARY, len).freeze());
    }

    /// One more piece.
    pub fn push(&mut self, piece: Bytes) {
        self.bytes += piece.len();
        self.pieces.push_back(piece);
    }

    /// All of them as one.
    #[cfg(test)]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut copy = vec![0; self.bytes];
        self.copy_to(&mut copy);
        copy
    }

    /// All of them as one, which must not be larger than `into`.
    fn copy_to<'a>(&self, into: &'a mut [u8]) -> &'a [u8] {
        let mut end = 0;
        for piece in &self.pieces {
            into[end..end + piece.len()].copy_from_slice(piece);
            end += piece.len();
        }
        &into[..end]
    }

    /// As many of them as fit, and how many that are.
    fn pieces<'a>(&'a self, into: &mut [IoSlice<'a>]) -> usize {
        for (slot, piece) in into.iter_mut().zip(&self.pieces) {
            *slot = IoSlice::new(piece);
        }
        self.pieces.len().min(into.len())
    }

    /// So many bytes of them are written.
    fn advance(&mut self, mut written: usize) {
        self.bytes -= written;
        if self.bytes == 0 {
            self.pieces = VecDeque::new();
            return;
        }
        while let Some(piece) = self.pieces.front_mut() {
            if written < piece.len() {
                return piece.advance(written);
            }
            written -= piece.len();
            self.pieces.pop_front();
        }
    }
}

/// A close frame.
pub fn close_frame(close: Close) -> Bytes {
    let mut frame = head(CLOSE, 2 + close.why.len());
    frame.put_u16(close.code);
    frame.put_slice(close.why.as_bytes());
    frame.freeze()
}

/// Whether this is a close frame.
pub fn is_close(frame: &[u8]) -> bool {
    frame.first() == Some(&CLOSE)
}

/// A frame's head, with room for a small frame behind it. Frames from servers are not masked.
fn head(kind: u8, len: usize) -> BytesMut {
    let mut head = BytesMut::with_capacity(16);
    head.put_u8(kind);
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(short @ ..=125), _) => head.put_u8(short),
        (_, Ok(medium)) => {
            head.put_u8(126);
            head.put_u16(medium);
        }
        _ => {
            head.put_u8(127);
            head.put_u64(len as u64);
        }
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(pieces: &[&'static str]) -> Rest {
        let mut rest = Rest::default();
        pieces.iter().for_each(|piece| rest.push(Bytes::from_static(piece.as_bytes())));
        rest
    }

    #[test]
    fn what_is_not_written_stays_wherever_writing_ends() {
        let all = "abcdefg";
        for written in 0..=all.len() {
            let mut rest = rest(&["ab", "c", "", "defg"]);
            rest.advance(written);
            assert_eq!(rest.to_vec(), &all.as_bytes()[written..]);
            assert_eq!(rest.len(), all.len() - written);
        }
    }

    #[test]
    fn the_length_takes_as_many_bytes_as_it_needs() {
        let heads = [0, 125, 126, 65_535, 65_536].map(|len| head(BINARY, len).to_vec());
        assert_eq!(heads[0], [0x82, 0]);
        assert_eq!(heads[1], [0x82, 125]);
        assert_eq!(heads[2], [0x82, 126, 0, 126]);
        assert_eq!(heads[3], [0x82, 126, 255, 255]);
        assert_eq!(heads[4], [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
        let bye = close_frame(Close { code: 4401, why: "bye" });
        assert_eq!(bye[..], [0x88, 5, 0x11, 0x31, b'b', b'y', b'e']);
    }
}
