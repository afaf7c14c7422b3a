//! What every request and socket of a server shares.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use metrics_exporter_prometheus::PrometheusHandle;
use weft_store::Meta;

pub use crate::clock::Clock;
use crate::{
    auth::{Attempts, Passwords},
    config::Config,
    hub::Hub,
    notify::Bell,
    quarantine::Quarantine,
};

/// Shared by all requests and sockets.
pub type AppState = Arc<App>;

/// A server, seen from inside.
pub struct App {
    /// What it was told.
    pub config: Config,
    /// Where it listens, with the port that it got.
    pub address: SocketAddr,
    /// People, names, rights.
    pub meta: Arc<Meta>,
    /// Rooms' contents.
    pub hub: Arc<Hub>,
    /// What time it is.
    pub clock: Clock,
    /// Operations that made a room fail.
    pub quarantine: Arc<Quarantine>,
    pub(crate) passwords: Passwords,
    pub(crate) attempts: Attempts,
    pub(crate) bell: Bell,
    pub(crate) metrics: PrometheusHandle,
    ready: AtomicBool,
}

impl App {
    /// A server that is not ready yet.
    pub(crate) fn new(
        config: Config,
        address: SocketAddr,
        meta: Arc<Meta>,
        hub: Arc<Hub>,
        clock: Clock,
        quarantine: Arc<Quarantine>,
        metrics: PrometheusHandle,
    ) -> Self {
        let passwords = Passwords::new(&config.limits);
        let attempts = Attempts::new(&config.limits);
        let ready = AtomicBool::new(false);
        Self {
            config,
            address,
            meta,
            hub,
            clock,
            quarantine,
            passwords,
            attempts,
            bell: Bell::default(),
            metrics,
            ready,
        }
    }

    /// Whether requests can be served.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Says whether requests can be served.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }

    /// How many passwords have been checked since the start. Each is work: whoever is told nothing of an
    /// account must not be able to tell by the work done for the answer either.
    #[must_use]
    pub fn passwords_checked(&self) -> u64 {
        self.passwords.checked()
    }

    /// Whether people come by https, as far as we know.
    pub(crate) fn is_https(&self) -> bool {
        self.config.public_url.as_ref().is_some_and(crate::config::PublicUrl::is_https)
    }
}
