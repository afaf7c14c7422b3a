//! One server's life: lock the folder, open the stores, bind, serve, stop.

mod data_dir;
mod front;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::{
    net::TcpListener,
    sync::watch,
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};
use weft_core::Millis;
use weft_store::{Log, LogError, Meta, MetaError, SetupSecret, SqliteLog, SqliteLogOptions};

use crate::{
    auth::{Secret, base_url_at_start, reachable},
    config::Config,
    digest, http,
    hub::Hub,
    notify, push,
    quarantine::Quarantine,
    quotas,
    state::{App, AppState, Clock},
    webhooks,
};

pub use data_dir::{DataDir, DataDirError};
pub(crate) use data_dir::{metadata_in, quarantine_in};
use front::Door;
pub(crate) use front::{Counted, Guest};

/// How long a set-up link lasts, in milliseconds (one day). A restart prints a new one.
const SETUP_LINK_MS: Millis = 24 * 60 * 60 * 1000;
/// How often the figures are tidied up, so that they stay small if nobody reads them.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The metadata cannot be used.
    #[error(transparent)]
    Meta(#[from] MetaError),
    /// Nothing encrypted can be sent to the provider of OpenID Connect.
    #[error("cannot make connections to the provider of OpenID Connect")]
    Provider(#[source] reqwest::Error),
    /// The rooms' log cannot be used.
    #[error("cannot open the rooms' log")]
    Log(#[from] LogError),
    /// Something listens there already.
    #[error("{0} is in use by another program")]
    AddressInUse(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// A server that runs. End it with [`Running::stop`]: dropping it takes no more requests either, but
/// leaves rooms and stores as they are.
pub struct Running {
    state: AppState,
    log: Arc<SqliteLog>,
    setup_link: Option<String>,
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
    upkeep: JoinHandle<()>,
    delivering: JoinHandle<()>,
    mailing: JoinHandle<()>,
    sending: JoinHandle<()>,
    pushing: JoinHandle<()>,
    adding_up: JoinHandle<()>,
    weighing: JoinHandle<()>,
    _data_dir: DataDir,
}

/// Starts a server.
///
/// # Errors
/// See [`StartError`]. Nothing runs then.
pub async fn serve(config: Config) -> Result<Running, StartError> {
    serve_by(config, Clock::system()).await
}

/// Starts a server that takes the time from `clock`.
///
/// # Errors
/// As [`serve`].
pub async fn serve_by(config: Config, clock: Clock) -> Result<Running, StartError> {
    // Of the process, for whatever it connects to. Mail has the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let data_dir = DataDir::lock(&config.data_dir)?;
    let listener = bind(config.listen).await?;
    let address = listener
        .local_addr()
        .map_err(|source| StartError::Listen { address: config.listen, source })?;
    let meta = Arc::new(Meta::open(&data_dir.metadata()).await?);
    let log = Arc::new(SqliteLog::open(&data_dir.log(), SqliteLogOptions::default()).await?);
    let log_of_hub: Arc<dyn Log> = log.clone();
    let quarantine = Arc::new(Quarantine::new(data_dir.quarantine(), &config.limits));
    let limits = config.limits.clone();
    let hub =
        Hub::new(log_of_hub, Arc::clone(&meta), clock.clone(), limits, Arc::clone(&quarantine));
    let hub = Arc::new(hub);

    let state = App::new(config, address, meta, hub, clock, quarantine, metrics_handle());
    let state = Arc::new(state.map_err(StartError::Provider)?);
    let setup_link = setup_link(&state).await?;
    let router = http::router(Arc::clone(&state));
    let (stop, stopping) = watch::channel(false);
    let limits = state.config.limits.clone();
    let door = Arc::new(Door::new(limits, state.config.trusted_proxies.clone()));
    let served = tokio::spawn(front::serve(listener, router, door, stopping));
    let upkeep = tokio::spawn(keep_metrics(state.metrics.clone()));
    let delivering = tokio::spawn(notify::deliver(Arc::downgrade(&state), state.bell.clone()));
    let mailing = tokio::spawn(digest::send(Arc::downgrade(&state)));
    let sending = tokio::spawn(webhooks::send(Arc::downgrade(&state)));
    let pushing = tokio::spawn(push::send(Arc::downgrade(&state)));
    // Known before the first edit.
    state.look_at_quotas().await?;
    let adding_up = tokio::spawn(quotas::watch(Arc::downgrade(&state)));
    let weighing = tokio::spawn(quotas::weigh_all(Arc::downgrade(&state)));
    state.set_ready(true);
    Ok(Running {
        state,
        log,
        setup_link,
        stop,
        served,
        upkeep,
        delivering,
        mailing,
        sending,
        pushing,
        adding_up,
        weighing,
        _data_dir: data_dir,
    })
}

impl Running {
    /// Where it listens, with the port that it got.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.state.address
    }

    /// Where people reach it.
    #[must_use]
    pub fn url(&self) -> String {
        base_url_at_start(&self.state)
    }

    /// Where someone on this machine reaches it.
    #[must_use]
    pub fn local_url(&self) -> String {
        format!("http://{}", reachable(self.state.address))
    }

    /// The link that makes the first administrator, if there is none yet. Shown once.
    #[must_use]
    pub fn setup_link(&self) -> Option<&str> {
        self.setup_link.as_deref()
    }

    /// What its requests share.
    #[must_use]
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Takes no more requests, lets rooms finish, answers what is under way, closes the stores.
    pub async fn stop(self) {
        self.state.set_ready(false);
        // What is not delivered waits in the metadata.
        self.delivering.abort();
        self.mailing.abort();
        self.sending.abort();
        self.pushing.abort();
        self.adding_up.abort();
        self.weighing.abort();
        self.state.hub.stop().await;
        self.stop.send_replace(true);
        let wait = Duration::from_millis(self.state.config.limits.http_stop_ms_max);
        let abort = self.served.abort_handle();
        if timeout(wait, self.served).await.is_err() {
            tracing::warn!("some answers were still under way");
            abort.abort();
        }
        self.upkeep.abort();
        self.log.close().await;
        self.state.meta.close().await;
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::AddressInUse(address),
        _ => StartError::Listen { address, source },
    })
}

/// Makes a new set-up link, which puts the one before it out of use, unless it is not needed.
async fn setup_link(state: &AppState) -> Result<Option<String>, StartError> {
    if state.meta.has_admin().await? {
        return Ok(None);
    }
    let secret = Secret::new();
    let expires_at = state.clock.now().saturating_add(SETUP_LINK_MS);
    state.meta.set_setup_secret(SetupSecret { hash: secret.hash(), expires_at }).await?;
    Ok(Some(format!("{}/setup#{}", base_url_at_start(state), secret.reveal())))
}

/// The process has one recorder, whichever server comes first.
fn metrics_handle() -> PrometheusHandle {
    static HANDLE: std::sync::OnceLock<PrometheusHandle> = std::sync::OnceLock::new();
    let install = || {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another recorder takes the figures; /metrics stays empty");
        }
        handle
    };
    HANDLE.get_or_init(install).clone()
}

async fn keep_metrics(handle: PrometheusHandle) {
    let mut ticks = interval(METRICS_UPKEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        handle.run_upkeep();
    }
}
