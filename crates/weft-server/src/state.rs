//! What every request and socket of a server shares.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Mutex, OnceCell, Semaphore};
use weft_store::{Meta, MetaError};

pub use crate::clock::Clock;
use crate::{
    auth::{Attempts, Passwords},
    config::{Config, Registration},
    hub::Hub,
    mail::Mailer,
    notify::Bell,
    oidc::Oidc,
    post::{Gate, Poster},
    push::PushKey,
    quarantine::Quarantine,
};

/// Each takes a core, and four bytes of memory for each pixel.
const PICTURES_AT_ONCE: usize = 1;

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
    /// The way out for letters, if there is one.
    pub(crate) mail: Option<Mailer>,
    /// The provider by way of whom people may sign in, if there is one.
    pub(crate) oidc: Option<Oidc>,
    pub(crate) passwords: Passwords,
    pub(crate) attempts: Attempts,
    pub(crate) bell: Bell,
    /// Rings when something is to be pushed to browsers.
    pub(crate) push_bell: Bell,
    pub(crate) push_key: OnceCell<PushKey>,
    /// The way out to where people want something sent.
    pub(crate) poster: Arc<Poster>,
    /// Pictures that are drawn anew at once.
    pub(crate) picture_turns: Arc<Semaphore>,
    /// Whose turn it is to add up what spaces hold.
    pub(crate) quota_turn: Mutex<()>,
    pub(crate) metrics: PrometheusHandle,
    ready: AtomicBool,
}

impl App {
    /// A server that is not ready yet.
    ///
    /// # Errors
    /// If there is no way to the provider of OpenID Connect from this machine.
    pub(crate) fn new(
        config: Config,
        address: SocketAddr,
        meta: Arc<Meta>,
        hub: Arc<Hub>,
        clock: Clock,
        quarantine: Arc<Quarantine>,
        metrics: PrometheusHandle,
    ) -> Result<Self, reqwest::Error> {
        let passwords = Passwords::new(&config.limits);
        let attempts = Attempts::new(&config.limits);
        let mail = config.mail.as_ref();
        let mail = mail.map(|mail| Mailer::new(mail, &config.limits, clock.clone()));
        let oidc = config.oidc.clone();
        let oidc = oidc.map(|oidc| Oidc::new(oidc, &config.limits)).transpose()?;
        let gate = Gate::new(config.webhook_networks.clone());
        let poster = Arc::new(Poster::new(gate, config.limits.webhook_ms_max));
        let ready = AtomicBool::new(false);
        Ok(Self {
            config,
            address,
            meta,
            hub,
            clock,
            quarantine,
            mail,
            oidc,
            passwords,
            attempts,
            bell: Bell::default(),
            push_bell: Bell::default(),
            push_key: OnceCell::new(),
            poster,
            picture_turns: Arc::new(Semaphore::new(PICTURES_AT_ONCE)),
            quota_turn: Mutex::new(()),
            metrics,
            ready,
        })
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

    /// Who may make an account now.
    ///
    /// # Errors
    /// If the metadata cannot be read.
    pub(crate) async fn registration(&self) -> Result<Registration, MetaError> {
        if let Some(registration) = self.config.registration {
            return Ok(registration);
        }
        match self.meta.registration().await? {
            Some(mode) => mode.parse().map_err(|_| MetaError::Damaged("who may register")),
            None => Ok(Registration::Invite),
        }
    }

    /// Whether people come by https, as far as we know.
    pub(crate) fn is_https(&self) -> bool {
        self.config.public_url.as_ref().is_some_and(crate::config::PublicUrl::is_https)
    }
}
