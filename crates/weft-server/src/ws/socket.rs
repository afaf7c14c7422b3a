//! A client's socket: reads messages from it, and sees that what waits in its outbox is written.
//!
//! Bytes are read into a buffer on the stack, which all sockets of a thread have in common, and taken
//! apart by the library, which also keeps the rules of control frames. What it wants to answer goes
//! into the outbox like everything else, so that no two frames mix.

use std::{
    io::{self, Read, Write},
    mem::MaybeUninit,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::tcp::OwnedReadHalf,
    time::timeout,
};
use tungstenite::{
    Error, Message,
    error::{CapacityError, ProtocolError},
    protocol::{Role, WebSocketConfig, WebSocketContext},
};

use crate::{
    outbox::{Close, GONE, Outbox},
    serve::{Counted, Guest},
};

/// What is read at once, on the stack.
const READ_BYTES: usize = 8 << 10;
/// What the library keeps for each socket, also while nothing comes.
const KEPT_BYTES: usize = 512;
/// How long a client may take to read what waits for it, once its connection is to end.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How long a client may take to close its side, and how much it may still say meanwhile.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES_MAX: usize = 16 << 20;

/// A client's socket.
pub struct Socket {
    stream: OwnedReadHalf,
    context: WebSocketContext,
    /// What came together with an earlier message.
    left: Bytes,
    outbox: Arc<Outbox>,
    _guest: Guest,
}

impl Socket {
    /// A socket on a connection, of which these bytes have been read already. Its messages may be
    /// as large as `bytes_max`.
    pub fn new(connection: Counted, left: Bytes, bytes_max: usize, outbox: Arc<Outbox>) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(KEPT_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(bytes_max))
            .max_frame_size(Some(bytes_max));
        let context = WebSocketContext::new(Role::Server, Some(config));
        let (stream, guest) = connection.into_parts();
        let (stream, writer) = stream.into_split();
        outbox.open(writer);
        Self { stream, context, left, outbox, _guest: guest }
    }

    /// What waits to be sent to the client.
    pub const fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// The next message. Nothing is lost if this is dropped.
    ///
    /// # Errors
    /// How to close the connection: reading failed.
    pub async fn next(&mut self) -> Result<Message, Close> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, Close>> {
        let mut left = std::mem::take(&mut self.left);
        let mut unread = &left[..];
        if let Some(message) = self.take_apart(&mut unread)? {
            left.advance(left.len() - unread.len());
            self.left = left;
            return Poll::Ready(Ok(message));
        }
        loop {
            let mut scratch = [MaybeUninit::uninit(); READ_BYTES];
            let mut scratch = ReadBuf::uninit(&mut scratch);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut scratch))
                .map_err(|_| GONE)?;
            let mut unread = scratch.filled();
            if unread.is_empty() {
                return Poll::Ready(Err(GONE));
            }
            if let Some(message) = self.take_apart(&mut unread)? {
                self.left = Bytes::copy_from_slice(unread);
                return Poll::Ready(Ok(message));
            }
        }
    }

    /// The next message, if these bytes complete one. They are consumed as far as it goes.
    fn take_apart(&mut self, unread: &mut &[u8]) -> Result<Option<Message>, Close> {
        let mut ends = Ends { unread, outbox: &self.outbox };
        match self.context.read(&mut ends) {
            Ok(message) => {
                if message.is_close() {
                    // The answer to it. An error: this was the last thing to do.
                    let _ = self.context.flush(&mut ends);
                }
                Ok(Some(message))
            }
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(
                Error::Capacity(CapacityError::MessageTooLong { .. })
                | Error::Protocol(ProtocolError::ControlFrameTooBig),
            ) => Err(Close { code: 4400, why: "frame_too_large" }),
            Err(_) => Err(GONE),
        }
    }

    /// Waits until the client has closed its side, for a while: a connection that is dropped with
    /// unread bytes is reset, and the client would never read why.
    pub async fn linger(mut self) {
        self.outbox.hang_up();
        let mut unread_bytes = 0;
        let drained = std::future::poll_fn(|context| {
            while unread_bytes < LINGER_BYTES_MAX {
                let mut scratch = [MaybeUninit::uninit(); READ_BYTES];
                let mut scratch = ReadBuf::uninit(&mut scratch);
                let read = ready!(Pin::new(&mut self.stream).poll_read(context, &mut scratch));
                if read.is_err() || scratch.filled().is_empty() {
                    break;
                }
                unread_bytes += scratch.filled().len();
            }
            Poll::Ready(())
        });
        // Whether it was heard is not our concern.
        let _ = timeout(LINGER, drained).await;
    }
}

impl Drop for Socket {
    /// Rooms may hold the outbox for longer; the connection ends with its task, however that ends.
    fn drop(&mut self) {
        self.outbox.hang_up();
    }
}

/// Sends what waits in the outbox while `reading` goes on, and then what still waits, to a client
/// that takes it.
pub async fn attend(outbox: &Outbox, reading: Pin<&mut impl Future<Output = Close>>) {
    let mut sending = pin!(outbox.send_all());
    tokio::select! {
        () = &mut sending => {}
        close = reading => {
            outbox.close(close);
            let _ = timeout(LAST_WORDS, sending).await;
        }
    }
}

/// The library's two ends: it reads what has come, and what it writes, whole frames, goes into the
/// outbox.
struct Ends<'a, 'b> {
    unread: &'a mut &'b [u8],
    outbox: &'a Outbox,
}

impl Read for Ends<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.unread.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.unread.read(into)
    }
}

impl Write for Ends<'_, '_> {
    fn write(&mut self, frame: &[u8]) -> io::Result<usize> {
        self.outbox.control(Bytes::copy_from_slice(frame));
        Ok(frame.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
