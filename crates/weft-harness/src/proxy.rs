//! A bad network between clients and server: a TCP proxy that delays, cuts, holds and throttles what
//! passes through it. It neither loses nor changes a byte of a connection that goes on, as TCP does not.
//!
//! Each connection has dice of its own, and one fault at a time. Faults begin in bad weather only; when
//! that ends they end too, but a connection that is held stays so for its time: nobody tells the two ends
//! that it is dead, so they have to find out (heartbeats).

use std::{
    future::pending,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context;
use fastrand::Rng;
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};

use crate::tally::Tally;

/// What may happen to a connection, as it is counted.
pub const FAULTS: [&str; 6] = ["delayed", "reset", "ended", "half-open", "slow", "in pieces"];

/// What the kernel keeps for the server's side of a connection: so little that a slow reader is felt
/// by the server's outbox soon.
const BUFFER_BYTES: u32 = 4 << 10;
/// The server's own send buffer grows with the segment size, which on the loopback interface is 64 KiB otherwise.
const SEGMENT_BYTES: u32 = 256;
/// Read at once.
const CHUNK_BYTES: usize = 16 << 10;
/// Smaller ones are an attack in the eyes of the client's library while it connects.
const PIECE_BYTES: usize = 20;
/// How often a slow reader reads.
const SLOW_TICK: Duration = Duration::from_millis(20);

/// Takes connections and passes them on to the server, wherever it is now.
pub struct Proxy {
    pub url: String,
    route: Arc<Route>,
}

struct Route {
    server: Mutex<Option<SocketAddr>>,
    bad_weather: watch::Sender<bool>,
    tally: Arc<Tally>,
}

/// How one direction of a connection fares.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Clear,
    /// What is read waits for so many milliseconds.
    Delayed(u64),
    /// Nothing passes, and nobody is told.
    Held,
    /// So many bytes pass each [`SLOW_TICK`].
    Slow(usize),
    /// Passes in pieces of some bytes.
    Pieces,
    /// The end is passed on, though there is none.
    Ended,
}

/// To the server, to the client.
type Lines = [watch::Sender<Line>; 2];

impl Proxy {
    pub async fn start(seed: u64, tally: Arc<Tally>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("listen")?;
        let url = format!("http://{}", listener.local_addr()?);
        let bad_weather = watch::Sender::new(false);
        let route = Arc::new(Route { server: Mutex::default(), bad_weather, tally });
        tokio::spawn(accept(listener, Arc::clone(&route), Rng::with_seed(seed)));
        Ok(Self { url, route })
    }

    /// Where the server is from now on, as a URL.
    pub fn lead_to(&self, url: &str) -> anyhow::Result<()> {
        let address = url.strip_prefix("http://").context("plain HTTP")?.parse()?;
        *self.route.server.lock().expect("no panic") = Some(address);
        Ok(())
    }

    /// Whether faults may come.
    pub fn bad_weather(&self, bad: bool) {
        self.route.bad_weather.send_replace(bad);
    }
}

async fn accept(listener: TcpListener, route: Arc<Route>, mut dice: Rng) {
    // An error: the client has gone already.
    loop {
        if let Ok((client, _)) = listener.accept().await {
            let (route, dice) = (Arc::clone(&route), Rng::with_seed(dice.u64(..)));
            // An error: one end has gone, and the other one hears of it as its stream is dropped.
            tokio::spawn(async move { route.pass(client, dice).await });
        }
    }
}

impl Route {
    async fn pass(&self, mut client: TcpStream, mut dice: Rng) -> io::Result<()> {
        let address = self.server.lock().expect("no panic").ok_or(io::ErrorKind::NotConnected)?;
        let server = TcpSocket::new_v4()?;
        server.set_recv_buffer_size(BUFFER_BYTES)?;
        SockRef::from(&server).set_tcp_mss(SEGMENT_BYTES)?;
        let mut server = server.connect(address).await?;
        server.set_nodelay(true)?;
        client.set_nodelay(true)?;
        let lines: Lines = [(); 2].map(|()| watch::Sender::new(Line::Clear));
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let passing = async {
            tokio::try_join!(
                pump(from_client, to_server, lines[0].subscribe()),
                pump(from_server, to_client, lines[1].subscribe()),
            )
        };
        let cut = tokio::select! {
            passed = passing => { passed?; false }
            () = self.suffer(&lines, &mut dice) => true,
        };
        if cut {
            client.set_zero_linger()?;
            server.set_zero_linger()?;
        }
        Ok(())
    }

    /// Brings fault after fault over a connection. Returns when it is to be reset.
    async fn suffer(&self, lines: &Lines, dice: &mut Rng) {
        let mut weather = self.bad_weather.subscribe();
        let one_or_both = |dice: &mut Rng| match dice.u64(0..3) {
            0 => &lines[..1],
            1 => &lines[1..],
            _ => &lines[..],
        };
        loop {
            let _ = weather.wait_for(|bad| *bad).await;
            // Often at once: in the middle of connecting.
            sleep(Duration::from_millis(dice.u64(0..4) * dice.u64(0..200))).await;
            if !*weather.borrow() {
                continue;
            }
            let fault = FAULTS[dice.u64(0..FAULTS.len() as u64) as usize];
            self.tally.count(fault);
            let lasts = Duration::from_millis(dice.u64(200..1500));
            match fault {
                "reset" => return,
                "ended" => {
                    lines[dice.u64(0..2) as usize].send_replace(Line::Ended);
                    return pending().await;
                }
                "half-open" => {
                    // Some recover before the ends have noticed, or just after.
                    let ms = [300..2_500, 2_500..40_000][dice.u64(0..2) as usize].clone();
                    let held = one_or_both(dice);
                    set(held, Line::Held);
                    sleep(Duration::from_millis(dice.u64(ms))).await;
                    set(held, Line::Clear);
                    continue;
                }
                "delayed" => {
                    let [up, down] = lines;
                    up.send_replace(Line::Delayed(dice.u64(0..300)));
                    down.send_replace(Line::Delayed(dice.u64(0..300)));
                }
                "slow" => set(&lines[1..], Line::Slow(dice.u64(20..200) as usize)),
                _ => set(one_or_both(dice), Line::Pieces),
            }
            let _ = timeout(lasts, weather.wait_for(|bad| !*bad)).await;
            set(lines, Line::Clear);
        }
    }
}

fn set(lines: &[watch::Sender<Line>], to: Line) {
    for line in lines {
        line.send_replace(to);
    }
}

/// Passes bytes on in one direction until they end.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut line: watch::Receiver<Line>,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let state = *line.borrow_and_update();
        let most = match state {
            Line::Held => {
                let _ = line.changed().await;
                continue;
            }
            Line::Ended => return to.shutdown().await,
            Line::Slow(bytes) => bytes,
            Line::Clear | Line::Delayed(_) | Line::Pieces => CHUNK_BYTES,
        };
        let count = tokio::select! {
            count = from.read(&mut chunk[..most]) => count?,
            _ = line.changed() => continue,
        };
        if count == 0 {
            return to.shutdown().await;
        }
        let wait = match state {
            Line::Delayed(ms) => Duration::from_millis(ms),
            Line::Slow(_) => SLOW_TICK,
            _ => Duration::ZERO,
        };
        // Cut short when the fault ends.
        let _ = timeout(wait, line.changed()).await;
        let piece = if state == Line::Pieces { PIECE_BYTES } else { count };
        for piece in chunk[..count].chunks(piece) {
            to.write_all(piece).await?;
            tokio::task::yield_now().await;
        }
    }
}
