//! The front door: takes connections and serves HTTP on them, a bounded number from one address, and none
//! that keeps the door open without asking for anything.
//!
//! Nothing here knows who is asking; what a connection may take before that is known is bounded by this.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, extract::ConnectInfo, http::HeaderMap};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tower_http::add_extension::AddExtension;

use crate::{
    auth::{ClientAddress, Network},
    config::Limits,
};

/// How long to wait when no connection can be taken (too many files are open).
const PAUSE: Duration = Duration::from_millis(500);
/// How many are told at once that they are one too many, and how long that may take.
const REFUSED_MAX: usize = 64;
const REFUSED_TIME: Duration = Duration::from_secs(1);
/// What one who has too many connections is told, before the last one is closed.
const TOO_MANY: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\n\
    retry-after: 10\r\nconnection: close\r\ncontent-length: 56\r\n\
    content-security-policy: default-src 'none'\r\nx-content-type-options: nosniff\r\n\r\n\
    {\"error\":{\"code\":\"too_many_connections\",\"params\":{}}}   ";

/// Who has come in.
pub struct Door {
    open: Mutex<HashMap<ClientAddress, u64>>,
    trusted: Vec<Network>,
    limits: Limits,
}

/// What one connection may take.
#[derive(Clone, Copy)]
struct Bounds {
    head_time: Duration,
    head_bytes: usize,
}

impl Bounds {
    fn of(limits: &Limits) -> Self {
        // The library wants 8 KiB at least.
        let head_bytes =
            usize::try_from(limits.http_head_bytes_max).unwrap_or(usize::MAX).max(8192);
        Self { head_time: Duration::from_millis(limits.http_head_ms_max), head_bytes }
    }
}

/// Counts one connection for as long as it lives.
pub(crate) struct Guest {
    door: Arc<Door>,
    address: ClientAddress,
}

impl Door {
    /// A door that lets proxies of these networks in without counting: they count by themselves.
    pub fn new(limits: Limits, trusted: Vec<Network>) -> Self {
        Self { open: Mutex::default(), trusted, limits }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<ClientAddress, u64>> {
        self.open.lock().expect("nothing panics while it holds this lock")
    }

    /// Lets a connection in, unless its address has too many.
    fn enter(self: &Arc<Self>, peer: SocketAddr) -> Option<Guest> {
        let address = ClientAddress::of(peer.ip(), &HeaderMap::new(), &[]);
        let mut open = self.open();
        let count = open.entry(address).or_default();
        let is_proxy = self.trusted.iter().any(|network| network.holds(peer.ip().to_canonical()));
        if *count >= self.limits.connections_per_address_max && !is_proxy {
            return None;
        }
        *count += 1;
        drop(open);
        Some(Guest { door: Arc::clone(self), address })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut open = self.door.open();
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

/// A connection's stream, which goes where the connection goes, also when it becomes a socket.
pub(crate) struct Counted {
    stream: TcpStream,
    guest: Guest,
}

impl Counted {
    /// The stream, and what counts it.
    pub fn into_parts(self) -> (TcpStream, Guest) {
        (self.stream, self.guest)
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Serves until told to stop, and then until every answer under way is given. Dropping this ends all
/// connections but those that became sockets.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    door: Arc<Door>,
    mut stopping: watch::Receiver<bool>,
) {
    let (mut connections, mut refused) = (JoinSet::new(), JoinSet::new());
    let bounds = Bounds::of(&door.limits);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = told(&mut stopping) => break,
        };
        match accepted {
            Ok((stream, peer)) => match door.enter(peer) {
                Some(guest) => {
                    let told = stopping.clone();
                    let stream = Counted { stream, guest };
                    connections.spawn(one(stream, peer, router.clone(), bounds, told));
                }
                None if refused.len() < REFUSED_MAX => drop(refused.spawn(turn_away(stream))),
                None => {}
            },
            Err(error) if is_about_one(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
        while refused.try_join_next().is_some() {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Says why once something was asked, and waits a moment until it was heard: a connection that is closed
/// with unread bytes is reset.
async fn turn_away(mut stream: TcpStream) {
    let say = async {
        let mut unread = [0; 512];
        if stream.read(&mut unread).await? == 0 {
            return Ok(());
        }
        stream.write_all(TOO_MANY).await?;
        stream.shutdown().await?;
        while stream.read(&mut unread).await? > 0 {}
        io::Result::Ok(())
    };
    // Whether it was heard is not our concern.
    let _ = tokio::time::timeout(REFUSED_TIME, say).await;
}

async fn told(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone: the server was dropped, and stops too.
    let _ = stopping.wait_for(|&stop| stop).await;
}

/// Whether accepting failed because that one connection is gone already.
fn is_about_one(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn one(
    stream: Counted,
    peer: SocketAddr,
    router: Router,
    bounds: Bounds,
    mut stopping: watch::Receiver<bool>,
) {
    // Frames are small and already gathered: waiting for more would only delay them.
    if let Err(error) = stream.stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was not set");
    }
    let service = TowerToHyperService::new(AddExtension::new(router, ConnectInfo(peer)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_time)
        .max_buf_size(bounds.head_bytes)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}
